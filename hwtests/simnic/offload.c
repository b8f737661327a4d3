// SPDX-License-Identifier: GPL-2.0
/*
 * tc's side: blocks are bound under rtnl, one callback for each port, with the port as ident; rules come without rtnl and are
 * known by (cookie, port), because a block that ports share shows the same cookie to each of them.
 */
#include <linux/delay.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "simnic.h"

/* Under firmware.  An error that debugfs has ordered, or 0. */
static int injected_failure(struct simnic *nic, struct netlink_ext_ack *extack)
{
	if (!nic->fail_next)
		return 0;
	nic->fail_next--;
	nic->counters.injected_failures++;
	NL_SET_ERR_MSG_MOD(extack, "failure injected through debugfs");
	return -(int)nic->fail_errno;
}

static int refuse_mode(const struct simnic_port *port, const struct flow_cls_offload *cls, struct netlink_ext_ack *extack)
{
	if (!READ_ONCE(port->nic->switchdev))
		return simnic_refuse(extack, "simnic: the NIC is not in switchdev mode");
	if (cls->common.chain_index)
		return simnic_refuse(extack, "simnic: the NIC has only chain 0");
	return 0;
}

static int insert(struct simnic *nic, const struct simnic_rule_spec *spec, struct netlink_ext_ack *extack)
{
	u32 delay = READ_ONCE(nic->insert_delay_ms);
	int err;

	mutex_lock(&nic->firmware);
	if (delay)
		msleep(delay);
	err = injected_failure(nic, extack);
	if (err)
		goto out;
	err = simnic_table_insert(nic->table, spec);
	if (!err) {
		nic->counters.inserted++;
	} else if (err == -ENOSPC) {
		nic->counters.refused_full++;
		NL_SET_ERR_MSG_MOD(extack, "the table is full");
	}
out:
	mutex_unlock(&nic->firmware);
	return err;
}

static void count(struct simnic *nic, u64 *counter)
{
	mutex_lock(&nic->firmware);
	++*counter;
	mutex_unlock(&nic->firmware);
}

static int replace(struct simnic_port *port, struct flow_cls_offload *cls)
{
	struct netlink_ext_ack *extack = cls->common.extack;
	struct simnic *nic = port->nic;
	struct simnic_rule_spec *spec;
	int err;

	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	spec->port = port;
	spec->cookie = cls->cookie;
	spec->prio = cls->common.prio;
	err = refuse_mode(port, cls, extack);
	if (!err)
		err = simnic_match_parse(port, cls, &spec->key, &spec->mask, extack);
	if (err) {
		count(nic, &nic->counters.refused_match);
		goto out;
	}
	spec->actions = simnic_actions_parse(port, &cls->rule->action, &spec->key, &spec->mask, extack);
	if (IS_ERR(spec->actions)) {
		err = PTR_ERR(spec->actions);
		count(nic, &nic->counters.refused_action);
		goto out;
	}
	err = insert(nic, spec, extack);
	if (err)
		kfree(spec->actions);
out:
	kfree(spec);
	return err;
}

static int destroy(struct simnic_port *port, struct flow_cls_offload *cls)
{
	struct simnic *nic = port->nic;
	struct simnic_rule *rule;

	mutex_lock(&nic->firmware);
	rule = simnic_table_find(nic->table, port, cls->cookie);
	if (rule) {
		simnic_table_remove(nic->table, rule);
		nic->counters.deleted++;
	}
	mutex_unlock(&nic->firmware);
	return 0;	/* of what was never taken, tc tells us too */
}

static int stats(struct simnic_port *port, struct flow_cls_offload *cls)
{
	struct simnic *nic = port->nic;
	struct simnic_rule *rule;

	mutex_lock(&nic->firmware);
	nic->counters.stats_requests++;
	rule = simnic_table_find(nic->table, port, cls->cookie);
	if (rule)
		simnic_rule_stats(rule, nic->stats_lag_ms, &cls->stats);
	mutex_unlock(&nic->firmware);
	return rule ? 0 : -ENOENT;
}

static int block_callback(enum tc_setup_type type, void *type_data, void *priv)
{
	struct flow_cls_offload *cls = type_data;
	struct simnic_port *port = priv;

	if (type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	switch (cls->command) {
	case FLOW_CLS_REPLACE:
		return replace(port, cls);
	case FLOW_CLS_DESTROY:
		return destroy(port, cls);
	case FLOW_CLS_STATS:
		return stats(port, cls);
	default:
		return -EOPNOTSUPP;
	}
}

int simnic_setup_tc(struct net_device *dev, enum tc_setup_type type, void *type_data)
{
	struct simnic_netdev *priv = netdev_priv(dev);
	struct simnic_port *port = priv->port;
	struct flow_block_offload *block = type_data;

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	if (block->command == FLOW_BLOCK_BIND && !READ_ONCE(port->nic->switchdev)) {
		/* Not an error for tc, which then goes on in software. */
		NL_SET_ERR_MSG_MOD(block->extack, "the NIC is not in switchdev mode");
		return -EOPNOTSUPP;
	}
	block->unlocked_driver_cb = true;
	return flow_block_cb_setup_simple(block, &port->block_callbacks, block_callback, port, port, true);
}
