// SPDX-License-Identifier: GPL-2.0
/*
 * From tc's actions to the NIC's, and their execution.  What the NIC cannot do, or cannot do exactly as software would, is
 * refused with a sentence.
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/icmp.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>

#include "simnic.h"

struct parse {
	const struct simnic_port *port;
	const struct simnic_key *key;
	const struct simnic_key *mask;
	struct simnic_actions *to;
	struct netlink_ext_ack *extack;
	bool ended;	/* the packet has gone: nothing can follow */
};

static struct simnic_action *add(struct parse *p, enum simnic_action_type type)
{
	struct simnic_action *action = &p->to->list[p->to->n++];

	action->type = type;
	return action;
}

static int parse_output(struct parse *p, const struct net_device *dev, bool mirror)
{
	struct simnic_netdev *priv;
	struct simnic_action *action;

	if (!dev)
		return simnic_refuse(p->extack, "simnic: the output device has gone");
	priv = netdev_priv(dev);
	if (!simnic_is_inside(dev) || priv->port->nic != p->port->nic)
		return simnic_refuse(p->extack, "simnic: the output device is not a port of this NIC");
	action = add(p, mirror ? SIMNIC_MIRROR : SIMNIC_OUTPUT);
	action->port = priv->port;
	p->ended = !mirror;
	return 0;
}

/* Which bytes of a header can be rewritten, and what the rule must match so that the header is surely there. */
struct header {
	const char *unmatched;
	const char *unwritable;
	u8 size;
	bool transport;
	bool network;
	bool (*there)(const struct parse *p);
	u8 writable[40];
};

static bool always(const struct parse *p)
{
	return true;
}

static bool has_type(const struct parse *p, u16 type)
{
	return p->mask->n_proto == htons(0xffff) && p->key->n_proto == htons(type);
}

static bool has_ipv4(const struct parse *p)
{
	return has_type(p, ETH_P_IP);
}

static bool has_ipv6(const struct parse *p)
{
	return has_type(p, ETH_P_IPV6);
}

static bool has_protocol(const struct parse *p, u8 protocol)
{
	return (has_ipv4(p) || has_ipv6(p)) && p->mask->ip_proto == 0xff && p->key->ip_proto == protocol;
}

static bool has_tcp(const struct parse *p)
{
	return has_protocol(p, IPPROTO_TCP);
}

static bool has_udp(const struct parse *p)
{
	return has_protocol(p, IPPROTO_UDP);
}

#define NAMED(NAME)										\
	.unmatched = "simnic: rewrites the " NAME " header but does not match on it",		\
	.unwritable = "simnic: cannot rewrite these bytes of the " NAME " header"

static const struct header headers[] = {
	[FLOW_ACT_MANGLE_HDR_TYPE_ETH] = {
		NAMED("Ethernet"), .size = 14, .there = always, .writable = { [0 ... 11] = 0xff },
	},
	[FLOW_ACT_MANGLE_HDR_TYPE_IP4] = {
		NAMED("IPv4"), .size = 20, .network = true, .there = has_ipv4,
		.writable = { [1] = 0xff, [8] = 0xff, [12 ... 19] = 0xff },	/* TOS, TTL, addresses */
	},
	[FLOW_ACT_MANGLE_HDR_TYPE_IP6] = {
		NAMED("IPv6"), .size = 40, .network = true, .there = has_ipv6,
		.writable = { [0] = 0x0f, [1] = 0xf0, [7] = 0xff, [8 ... 39] = 0xff },	/* class, hop limit, addresses */
	},
	[FLOW_ACT_MANGLE_HDR_TYPE_TCP] = {
		NAMED("TCP"), .size = 20, .transport = true, .there = has_tcp, .writable = { [0 ... 3] = 0xff },
	},
	[FLOW_ACT_MANGLE_HDR_TYPE_UDP] = {
		NAMED("UDP"), .size = 8, .transport = true, .there = has_udp, .writable = { [0 ... 3] = 0xff },
	},
};

static int parse_rewrite(struct parse *p, const struct flow_action_entry *from)
{
	const struct header *header;
	struct simnic_action *action;
	u32 keep = from->mangle.mask;	/* words as they lie in the packet */
	unsigned int i;

	if (from->mangle.htype >= ARRAY_SIZE(headers) || !headers[from->mangle.htype].there)
		return simnic_refuse(p->extack, "simnic: cannot rewrite a header of this type");
	header = &headers[from->mangle.htype];
	if (!header->there(p))
		return simnic_refuse(p->extack, header->unmatched);
	for (i = 0; i < 4; i++) {
		u8 changed = ~((u8 *)&keep)[i];
		unsigned int at = from->mangle.offset + i;

		if (changed && (at >= header->size || changed & ~header->writable[at]))
			return simnic_refuse(p->extack, header->unwritable);
	}
	if (header->transport)
		p->to->transport = true;
	action = add(p, SIMNIC_REWRITE);
	action->rewrite.transport = header->transport;
	action->rewrite.network = header->network;
	action->rewrite.offset = from->mangle.offset;
	action->rewrite.keep = (__force __be32)keep;
	action->rewrite.value = (__force __be32)from->mangle.val;
	return 0;
}

static int parse_checksum(struct parse *p, u32 flags)
{
	u32 can = TCA_CSUM_UPDATE_FLAG_IPV4HDR | TCA_CSUM_UPDATE_FLAG_ICMP | TCA_CSUM_UPDATE_FLAG_IGMP |
		  TCA_CSUM_UPDATE_FLAG_TCP | TCA_CSUM_UPDATE_FLAG_UDP;

	if (flags & ~can)
		return simnic_refuse(p->extack, "simnic: cannot update the checksums of SCTP and UDP-Lite");
	if (!has_ipv4(p) && !has_ipv6(p))
		return simnic_refuse(p->extack, "simnic: updates checksums but does not match on IP");
	add(p, SIMNIC_CHECKSUM)->checksums = flags;
	return 0;
}

static int parse_vlan(struct parse *p, const struct flow_action_entry *from, enum simnic_action_type type)
{
	struct simnic_action *action;

	if (type != SIMNIC_VLAN_POP && !eth_type_vlan(from->vlan.proto))
		return simnic_refuse(p->extack, "simnic: a VLAN tag has type 0x8100 or 0x88a8");
	action = add(p, type);
	action->vlan.tpid = from->vlan.proto;
	action->vlan.tci = htons(from->vlan.vid | from->vlan.prio << VLAN_PRIO_SHIFT);
	return 0;
}

static int parse_end(struct parse *p, enum simnic_action_type type)
{
	add(p, type);
	p->ended = true;
	return 0;
}

/*
 * The packet leaves the NIC behind the rule, as it is then, and tells tc where to go on, so that what this rule did is not done again
 * (as packets do that miss in a later table of a NIC that has several).
 */
static int parse_goto(struct parse *p, u32 chain)
{
	if (!IS_ENABLED(CONFIG_NET_TC_SKB_EXT) || READ_ONCE(p->port->nic->cannot_chain))
		return simnic_refuse(p->extack, "simnic: cannot do the action goto chain");
	if (!chain)
		return simnic_refuse(p->extack, "simnic: cannot go to an earlier chain");
	add(p, SIMNIC_GOTO)->chain = chain;
	p->ended = true;
	return 0;
}

static const char *const refusals[NUM_FLOW_ACTIONS] = {
	[FLOW_ACTION_REDIRECT_INGRESS] = "simnic: cannot do the action redirect to a device's ingress",
	[FLOW_ACTION_MIRRED_INGRESS] = "simnic: cannot do the action mirror to a device's ingress",
	[FLOW_ACTION_TUNNEL_ENCAP] = "simnic: cannot do the action tunnel_key set",
	[FLOW_ACTION_TUNNEL_DECAP] = "simnic: cannot do the action tunnel_key unset",
	[FLOW_ACTION_ADD] = "simnic: cannot do the action pedit add",
	[FLOW_ACTION_MARK] = "simnic: cannot do the action skbedit mark",
	[FLOW_ACTION_PTYPE] = "simnic: cannot do the action skbedit ptype",
	[FLOW_ACTION_PRIORITY] = "simnic: cannot do the action skbedit priority",
	[FLOW_ACTION_SAMPLE] = "simnic: cannot do the action sample",
	[FLOW_ACTION_POLICE] = "simnic: cannot do the action police",
	[FLOW_ACTION_CT] = "simnic: cannot do the action ct",
	[FLOW_ACTION_CT_METADATA] = "simnic: cannot do the action ct metadata",
	[FLOW_ACTION_MPLS_PUSH] = "simnic: cannot do the action mpls push",
	[FLOW_ACTION_MPLS_POP] = "simnic: cannot do the action mpls pop",
	[FLOW_ACTION_MPLS_MANGLE] = "simnic: cannot do the action mpls modify",
	[FLOW_ACTION_GATE] = "simnic: cannot do the action gate",
	[FLOW_ACTION_VLAN_PUSH_ETH] = "simnic: cannot do the action vlan push_eth",
	[FLOW_ACTION_VLAN_POP_ETH] = "simnic: cannot do the action vlan pop_eth",
};

static int parse_one(struct parse *p, const struct flow_action_entry *from)
{
	switch (from->id) {
	case FLOW_ACTION_REDIRECT:
		return parse_output(p, from->dev, false);
	case FLOW_ACTION_MIRRED:
		return parse_output(p, from->dev, true);
	case FLOW_ACTION_DROP:
		return parse_end(p, SIMNIC_DROP);
	case FLOW_ACTION_ACCEPT:	/* software is to see it as if there were no rule */
	case FLOW_ACTION_TRAP:
		return parse_end(p, SIMNIC_TRAP);
	case FLOW_ACTION_GOTO:
		return parse_goto(p, from->chain_index);
	case FLOW_ACTION_VLAN_PUSH:
		return parse_vlan(p, from, SIMNIC_VLAN_PUSH);
	case FLOW_ACTION_VLAN_POP:
		return parse_vlan(p, from, SIMNIC_VLAN_POP);
	case FLOW_ACTION_VLAN_MANGLE:
		return parse_vlan(p, from, SIMNIC_VLAN_SET);
	case FLOW_ACTION_MANGLE:
		return parse_rewrite(p, from);
	case FLOW_ACTION_CSUM:
		return parse_checksum(p, from->csum_flags);
	default:
		if (from->id < NUM_FLOW_ACTIONS && refusals[from->id])
			return simnic_refuse(p->extack, refusals[from->id]);
		return simnic_refuse(p->extack, "simnic: cannot do this action");
	}
}

struct simnic_actions *simnic_actions_parse(const struct simnic_port *port, const struct flow_action *from,
					    const struct simnic_key *key, const struct simnic_key *mask,
					    struct netlink_ext_ack *extack)
{
	struct parse p = { .port = port, .key = key, .mask = mask, .extack = extack };
	const struct flow_action_entry *entry;
	int i, err;

	if (!flow_action_has_entries(from))
		return ERR_PTR(simnic_refuse(extack, "simnic: a rule without actions"));
	if (from->num_entries > SIMNIC_MAX_ACTIONS)
		return ERR_PTR(simnic_refuse(extack, "simnic: more than 32 actions"));
	if (!flow_action_hw_stats_check(from, extack, FLOW_ACTION_HW_STATS_DELAYED_BIT))
		return ERR_PTR(-EOPNOTSUPP);
	p.to = kzalloc(struct_size(p.to, list, from->num_entries), GFP_KERNEL);
	if (!p.to)
		return ERR_PTR(-ENOMEM);
	flow_action_for_each(i, entry, from) {
		if (p.ended) {
			err = simnic_refuse(extack, "simnic: actions follow one that ends the packet's way");
			goto err_actions;
		}
		err = parse_one(&p, entry);
		if (err)
			goto err_actions;
	}
	if (!p.ended && p.to->list[p.to->n - 1].type != SIMNIC_MIRROR) {
		err = simnic_refuse(extack, "simnic: the last action neither outputs nor drops");
		goto err_actions;
	}
	return p.to;

err_actions:
	kfree(p.to);
	return ERR_PTR(err);
}

/* ---- execution ---- */

static int push_vlan(struct sk_buff *skb, const struct simnic_vlan *vlan)
{
	u8 *data;

	if (skb_cow_head(skb, VLAN_HLEN))
		return -ENOMEM;
	data = skb_push(skb, VLAN_HLEN);
	memmove(data, data + VLAN_HLEN, 2 * ETH_ALEN);
	memcpy(data + 2 * ETH_ALEN, vlan, VLAN_HLEN);
	return 0;
}

static bool is_tagged(const struct sk_buff *skb)
{
	return skb->len >= VLAN_ETH_HLEN && eth_type_vlan(((struct ethhdr *)skb->data)->h_proto);
}

static void pop_vlan(struct sk_buff *skb)
{
	memmove(skb->data + VLAN_HLEN, skb->data, 2 * ETH_ALEN);
	skb_pull(skb, VLAN_HLEN);
}

static void rewrite(struct sk_buff *skb, const struct simnic_action *action, const struct simnic_layout *layout)
{
	unsigned int at = action->rewrite.offset;
	__be32 word = 0;
	unsigned int n;

	if (action->rewrite.transport)
		at += layout->transport;
	else if (action->rewrite.network)
		at += layout->network;
	if (at >= skb->len)
		return;
	n = min_t(unsigned int, 4, skb->len - at);
	memcpy(&word, skb->data + at, n);
	word = (word & action->rewrite.keep) | action->rewrite.value;
	memcpy(skb->data + at, &word, n);
}

/* The sum over the transport header and all that follows, up to the end that the IP header gives. */
static void update_transport(struct sk_buff *skb, const struct simnic_layout *layout, u8 protocol, u32 flags)
{
	u8 *data = skb->data + layout->transport;
	u8 *network = skb->data + layout->network;
	struct iphdr *ip = (struct iphdr *)network;
	struct ipv6hdr *ip6 = (struct ipv6hdr *)network;
	bool v4 = ip->version == 4;
	__sum16 *sum, result;
	unsigned int end, len;
	bool pseudo = true;

	end = layout->network + (v4 ? ntohs(ip->tot_len) : sizeof(*ip6) + ntohs(ip6->payload_len));
	if (end > skb->len || end < layout->transport)
		return;
	len = end - layout->transport;
	if (protocol == IPPROTO_TCP && flags & TCA_CSUM_UPDATE_FLAG_TCP && len >= sizeof(struct tcphdr)) {
		sum = &((struct tcphdr *)data)->check;
	} else if (protocol == IPPROTO_UDP && flags & TCA_CSUM_UPDATE_FLAG_UDP && len >= sizeof(struct udphdr)) {
		sum = &((struct udphdr *)data)->check;
		if (v4 && !*sum)
			return;	/* its sender chose to have none */
	} else if (protocol == IPPROTO_ICMP && v4 && flags & TCA_CSUM_UPDATE_FLAG_ICMP && len >= sizeof(struct icmphdr)) {
		sum = &((struct icmphdr *)data)->checksum;
		pseudo = false;
	} else if (protocol == IPPROTO_ICMPV6 && !v4 && flags & TCA_CSUM_UPDATE_FLAG_ICMP && len >= 4) {
		sum = &((struct icmphdr *)data)->checksum;
	} else {
		return;
	}
	*sum = 0;
	if (!pseudo)
		result = csum_fold(csum_partial(data, len, 0));
	else if (v4)
		result = csum_tcpudp_magic(ip->saddr, ip->daddr, len, protocol, csum_partial(data, len, 0));
	else
		result = csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, protocol, csum_partial(data, len, 0));
	*sum = protocol == IPPROTO_UDP && !result ? CSUM_MANGLED_0 : result;
}

static void update_checksums(struct sk_buff *skb, const struct simnic_layout *layout, u8 protocol, u32 flags)
{
	struct iphdr *ip = (struct iphdr *)(skb->data + layout->network);

	if (layout->transport)
		update_transport(skb, layout, protocol, flags);
	if (ip->version == 4 && flags & TCA_CSUM_UPDATE_FLAG_IPV4HDR) {
		ip->check = 0;
		ip->check = ip_fast_csum(ip, ip->ihl);
	}
}

/* Changes the packet; 0, or an error when it has to be dropped. */
static int edit(struct sk_buff *skb, const struct simnic_action *action)
{
	struct simnic_layout layout;
	struct simnic_key key;

	if (action->type == SIMNIC_VLAN_PUSH)
		return push_vlan(skb, &action->vlan);
	if (skb_ensure_writable(skb, skb->len))
		return -ENOMEM;
	switch (action->type) {
	case SIMNIC_VLAN_POP:
		if (is_tagged(skb))
			pop_vlan(skb);
		return 0;
	case SIMNIC_VLAN_SET:
		if (is_tagged(skb))
			memcpy(skb->data + 2 * ETH_ALEN, &action->vlan, VLAN_HLEN);
		return 0;
	default:
		simnic_packet_key(skb, &key, &layout);
		if (action->type == SIMNIC_REWRITE)
			rewrite(skb, action, &layout);
		else if (layout.network && key.ip_proto)
			update_checksums(skb, &layout, key.ip_proto, action->checksums);
		return 0;
	}
}

static void output(struct simnic_port *port, struct sk_buff *skb)
{
	if (port)
		simnic_deliver(port, false, skb);
	else
		kfree_skb(skb);
}

void simnic_actions_run(struct simnic_port *port, const struct simnic_actions *actions, struct sk_buff *skb)
{
	struct sk_buff *copy;
	unsigned int i;

	for (i = 0; i < actions->n; i++) {
		const struct simnic_action *action = &actions->list[i];

		switch (action->type) {
		case SIMNIC_OUTPUT:
			output(READ_ONCE(action->port), skb);
			return;
		case SIMNIC_MIRROR:
			copy = skb_copy(skb, GFP_ATOMIC);
			if (copy)
				output(READ_ONCE(action->port), copy);
			break;
		case SIMNIC_TRAP:
			simnic_deliver(port, true, skb);
			return;
		case SIMNIC_GOTO:
			simnic_resume(port, action->chain, skb);
			return;
		case SIMNIC_DROP:
			kfree_skb(skb);
			return;
		default:
			if (edit(skb, action)) {
				kfree_skb(skb);
				return;
			}
		}
	}
	/* After a last mirror tc lets the packet go on, to the device that it came from. */
	simnic_deliver(port, true, skb);
}

void simnic_actions_show(struct seq_file *m, const struct simnic_actions *actions)
{
	static const char *const type_names[] = {
		[SIMNIC_OUTPUT] = "output", [SIMNIC_MIRROR] = "mirror", [SIMNIC_DROP] = "drop", [SIMNIC_TRAP] = "trap",
		[SIMNIC_GOTO] = "goto",
		[SIMNIC_VLAN_PUSH] = "vlan_push", [SIMNIC_VLAN_POP] = "vlan_pop", [SIMNIC_VLAN_SET] = "vlan_set",
		[SIMNIC_REWRITE] = "rewrite", [SIMNIC_CHECKSUM] = "checksum",
	};
	unsigned int i;
	char name[16];

	for (i = 0; i < actions->n; i++) {
		const struct simnic_action *action = &actions->list[i];
		const struct simnic_port *port;

		seq_printf(m, " %s", type_names[action->type]);
		switch (action->type) {
		case SIMNIC_OUTPUT:
		case SIMNIC_MIRROR:
			port = READ_ONCE(action->port);
			seq_printf(m, "=%s", port ? simnic_port_name(port, name, sizeof(name)) : "gone");
			break;
		case SIMNIC_VLAN_PUSH:
		case SIMNIC_VLAN_SET:
			seq_printf(m, "=0x%x/0x%x", ntohs(action->vlan.tpid), ntohs(action->vlan.tci));
			break;
		case SIMNIC_REWRITE:
			seq_printf(m, "=%s+%u:%08x/%08x",
				   action->rewrite.transport ? "l4" : action->rewrite.network ? "l3" : "l2",
				   action->rewrite.offset, ntohl(action->rewrite.value), ntohl(~action->rewrite.keep));
			break;
		case SIMNIC_GOTO:
			seq_printf(m, "=%u", action->chain);
			break;
		case SIMNIC_CHECKSUM:
			seq_printf(m, "=0x%x", action->checksums);
			break;
		default:
			break;
		}
	}
}
