// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC's life: creation, virtual functions, modes.  Everything here but simnic_create and simnic_destroy runs under
 * devlink's lock, which is what keeps ports from changing in two ways at once.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>

#include "simnic.h"

static unsigned int table_size = 1024;
module_param(table_size, uint, 0444);
MODULE_PARM_DESC(table_size, "rules that a NIC's table holds (later: debugfs)");

const char *simnic_port_name(const struct simnic_port *port, char *buf, size_t size)
{
	if (port->index == SIMNIC_UPLINK)
		snprintf(buf, size, "uplink");
	else
		snprintf(buf, size, "vf%u", port->index - 1);
	return buf;
}

static int add_netdev(struct simnic_port *port, bool inside)
{
	struct net_device *dev = simnic_netdev_create(port, inside);

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (inside)
		rcu_assign_pointer(port->inside, dev);
	else
		rcu_assign_pointer(port->outside, dev);
	return 0;
}

static void remove_outside(struct simnic_port *port)
{
	struct net_device *dev = rcu_dereference_protected(port->outside, devl_lock_is_held(port->nic->devlink));

	if (!dev)
		return;
	RCU_INIT_POINTER(port->outside, NULL);
	simnic_netdev_destroy(dev);
}

/* With the inside goes every rule of the port, and every output of other ports' rules to it. */
static void remove_inside(struct simnic_port *port)
{
	struct net_device *dev = rcu_dereference_protected(port->inside, devl_lock_is_held(port->nic->devlink));

	if (!dev)
		return;
	RCU_INIT_POINTER(port->inside, NULL);
	if (port->devlink_registered)
		devlink_port_type_clear(&port->devlink);
	simnic_netdev_destroy(dev);
	mutex_lock(&port->nic->firmware);
	simnic_table_forget_port(port->nic->table, port);
	mutex_unlock(&port->nic->firmware);
}

static int add_representor(struct simnic_port *port)
{
	int err;

	err = simnic_devlink_port_add(port);
	if (err)
		return err;
	err = add_netdev(port, true);
	if (err)
		simnic_devlink_port_del(port);
	return err;
}

static void remove_representor(struct simnic_port *port)
{
	remove_inside(port);
	simnic_devlink_port_del(port);
}

static void remove_vfs(struct simnic *nic)
{
	while (nic->vfs) {
		struct simnic_port *port = &nic->ports[nic->vfs];

		WRITE_ONCE(nic->vfs, nic->vfs - 1);
		remove_representor(port);
		remove_outside(port);
	}
}

static int add_vf(struct simnic_port *port)
{
	int err;

	err = add_netdev(port, false);
	if (err)
		return err;
	if (!port->nic->switchdev)
		return 0;
	err = add_representor(port);
	if (err)
		remove_outside(port);
	return err;
}

/* All that are asked for, or none. */
int simnic_set_vfs(struct simnic *nic, unsigned int vfs)
{
	int err;

	devl_assert_locked(nic->devlink);
	if (vfs > SIMNIC_MAX_VFS)
		return -ERANGE;
	if (vfs < nic->vfs)
		remove_vfs(nic);
	while (nic->vfs < vfs) {
		err = add_vf(&nic->ports[1 + nic->vfs]);
		if (err) {
			remove_vfs(nic);
			return err;
		}
		WRITE_ONCE(nic->vfs, nic->vfs + 1);
	}
	return 0;
}

/*
 * The uplink keeps its net device across modes, but not its rules: they go with the block that is bound to it, so a mode
 * change is refused while one is there.
 */
int simnic_set_mode(struct simnic *nic, bool switchdev, struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	devl_assert_locked(nic->devlink);
	if (switchdev == nic->switchdev)
		return 0;
	if (!switchdev) {
		bool bound;

		rtnl_lock();
		bound = !list_empty(&nic->ports[SIMNIC_UPLINK].block_callbacks);
		if (!bound)
			WRITE_ONCE(nic->switchdev, false);
		rtnl_unlock();
		if (bound) {
			NL_SET_ERR_MSG_MOD(extack, "the uplink still has tc filters: remove its clsact qdisc before leaving switchdev mode");
			return -EBUSY;
		}
		for (i = nic->vfs; i > 0; i--)
			remove_representor(&nic->ports[i]);
		return 0;
	}
	/* First the mode: the representors are announced with their switch id. */
	WRITE_ONCE(nic->switchdev, true);
	for (i = 1; i <= nic->vfs; i++) {
		err = add_representor(&nic->ports[i]);
		if (err)
			goto err_representors;
	}
	return 0;

err_representors:
	WRITE_ONCE(nic->switchdev, false);
	while (--i > 0)
		remove_representor(&nic->ports[i]);
	NL_SET_ERR_MSG_MOD(extack, "a representor could not be created");
	return err;
}

static void publish_stats(struct work_struct *work)
{
	struct simnic *nic = container_of(work, struct simnic, stats_work.work);
	u32 lag;

	mutex_lock(&nic->firmware);
	simnic_table_publish(nic->table);
	lag = nic->stats_lag_ms;
	mutex_unlock(&nic->firmware);
	if (lag)
		schedule_delayed_work(&nic->stats_work, msecs_to_jiffies(lag));
}

static void init_ports(struct simnic *nic)
{
	unsigned int i;

	for (i = 0; i < SIMNIC_PORTS; i++) {
		nic->ports[i].nic = nic;
		nic->ports[i].index = i;
		INIT_LIST_HEAD(&nic->ports[i].block_callbacks);
	}
}

struct simnic *simnic_create(struct device *dev, unsigned int id)
{
	struct simnic_port *uplink;
	struct devlink *devlink;
	struct simnic *nic;
	int err;

	devlink = devlink_alloc(&simnic_devlink_ops, sizeof(*nic), dev);
	if (!devlink)
		return ERR_PTR(-ENOMEM);
	nic = devlink_priv(devlink);
	nic->devlink = devlink;
	nic->dev = dev;
	nic->id = id;
	nic->fail_errno = EIO;
	nic->switch_id.id_len = 8;
	get_random_bytes(nic->switch_id.id, nic->switch_id.id_len);
	mutex_init(&nic->firmware);
	INIT_DELAYED_WORK(&nic->stats_work, publish_stats);
	init_ports(nic);
	nic->table = simnic_table_create(table_size);
	if (!nic->table) {
		err = -ENOMEM;
		goto err_devlink;
	}
	uplink = &nic->ports[SIMNIC_UPLINK];
	devl_lock(devlink);
	err = simnic_devlink_port_add(uplink);
	if (err)
		goto err_table;
	err = add_netdev(uplink, false);
	if (err)
		goto err_port;
	err = add_netdev(uplink, true);
	if (err)
		goto err_wire;
	devl_unlock(devlink);
	simnic_debugfs_add(nic);
	devlink_register(devlink);
	return nic;

err_wire:
	remove_outside(uplink);
err_port:
	simnic_devlink_port_del(uplink);
err_table:
	devl_unlock(devlink);
	simnic_table_destroy(nic->table);
err_devlink:
	devlink_free(devlink);
	return ERR_PTR(err);
}

void simnic_destroy(struct simnic *nic)
{
	struct simnic_port *uplink = &nic->ports[SIMNIC_UPLINK];

	devlink_unregister(nic->devlink);
	debugfs_remove_recursive(nic->debugfs);
	devl_lock(nic->devlink);
	remove_vfs(nic);
	remove_inside(uplink);
	remove_outside(uplink);
	simnic_devlink_port_del(uplink);
	devl_unlock(nic->devlink);
	mutex_lock(&nic->firmware);
	nic->stats_lag_ms = 0;
	mutex_unlock(&nic->firmware);
	cancel_delayed_work_sync(&nic->stats_work);
	simnic_table_destroy(nic->table);
	mutex_destroy(&nic->firmware);
	devlink_free(nic->devlink);
}
