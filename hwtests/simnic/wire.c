// SPDX-License-Identifier: GPL-2.0
/*
 * The way of a packet through the NIC.
 *
 * switchdev mode: from the outside through the flow table, or to the inside when it misses; from the inside to the outside.
 * legacy mode: the embedded bridge, which knows the VFs' addresses: unicast to the VF that has the address, else between the
 * wire and the PF; multicast to all.
 */
#include <linux/etherdevice.h>

#include "simnic.h"

void simnic_deliver(struct simnic_port *port, bool inside, struct sk_buff *skb)
{
	struct net_device *dev;

	dev = inside ? rcu_dereference(port->inside) : rcu_dereference(port->outside);
	if (dev)
		simnic_receive(dev, skb, 0);
	else
		kfree_skb(skb);
}

void simnic_resume(struct simnic_port *port, u32 chain, struct sk_buff *skb)
{
	struct net_device *dev = rcu_dereference(port->inside);

	if (dev)
		simnic_receive(dev, skb, chain);
	else
		kfree_skb(skb);
}

static void deliver_copy(struct simnic_port *port, bool inside, const struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (copy)
		simnic_deliver(port, inside, copy);
}

static struct simnic_port *vf_with_address(struct simnic *nic, const u8 *address)
{
	unsigned int i, vfs = READ_ONCE(nic->vfs);

	for (i = 1; i <= vfs; i++) {
		struct net_device *dev = rcu_dereference(nic->ports[i].outside);

		if (dev && ether_addr_equal(dev->dev_addr, address))
			return &nic->ports[i];
	}
	return NULL;
}

static void bridge_multicast(struct simnic_port *from, bool from_inside, struct sk_buff *skb)
{
	struct simnic *nic = from->nic;
	struct simnic_port *uplink = &nic->ports[SIMNIC_UPLINK];
	unsigned int i, vfs = READ_ONCE(nic->vfs);

	for (i = 1; i <= vfs; i++) {
		if (&nic->ports[i] != from)
			deliver_copy(&nic->ports[i], false, skb);
	}
	if (from != uplink || from_inside)
		deliver_copy(uplink, false, skb);
	if (!from_inside)
		deliver_copy(uplink, true, skb);
	kfree_skb(skb);
}

static void bridge(struct simnic_port *from, bool from_inside, struct sk_buff *skb)
{
	struct simnic *nic = from->nic;
	struct simnic_port *uplink = &nic->ports[SIMNIC_UPLINK];
	const struct ethhdr *eth = (struct ethhdr *)skb->data;
	struct simnic_port *vf;
	struct net_device *pf;

	if (is_multicast_ether_addr(eth->h_dest)) {
		bridge_multicast(from, from_inside, skb);
		return;
	}
	vf = vf_with_address(nic, eth->h_dest);
	if (vf) {
		simnic_deliver(vf, false, skb);
		return;
	}
	pf = rcu_dereference(uplink->inside);
	if (from == uplink)
		simnic_deliver(uplink, !from_inside, skb);
	else
		simnic_deliver(uplink, pf && ether_addr_equal(pf->dev_addr, eth->h_dest), skb);
}

static bool usable(struct sk_buff *skb)
{
	return skb->len >= ETH_HLEN && !skb_linearize(skb);
}

void simnic_from_outside(struct simnic_port *port, struct sk_buff *skb)
{
	struct simnic *nic = port->nic;
	struct simnic_layout layout;
	struct simnic_rule *rule;
	struct simnic_key key;

	rcu_read_lock();
	if (!usable(skb)) {
		kfree_skb(skb);
	} else if (!READ_ONCE(nic->switchdev)) {
		bridge(port, false, skb);
	} else {
		simnic_packet_key(skb, &key, &layout);
		rule = simnic_table_lookup(nic->table, port, &key);
		/* A rule that rewrites the transport header says nothing about packets that have none. */
		if (rule && (!rule->actions->transport || layout.transport)) {
			atomic64_inc(&nic->hw_packets);
			simnic_rule_hit(rule, skb->len);
			simnic_actions_run(port, rule->actions, skb);
		} else {
			atomic64_inc(&nic->hw_misses);
			simnic_deliver(port, true, skb);
		}
	}
	rcu_read_unlock();
}

void simnic_from_inside(struct simnic_port *port, struct sk_buff *skb)
{
	rcu_read_lock();
	if (!usable(skb))
		kfree_skb(skb);
	else if (!READ_ONCE(port->nic->switchdev))
		bridge(port, true, skb);
	else
		simnic_deliver(port, false, skb);
	rcu_read_unlock();
}
