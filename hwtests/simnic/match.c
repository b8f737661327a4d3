// SPDX-License-Identifier: GPL-2.0
/* From a flower rule to key and mask: one row and one function for each part of a rule that the NIC can match on. */
#include <linux/if_vlan.h>
#include <linux/seq_file.h>

#include "simnic.h"

struct parse {
	const struct simnic_port *port;
	const struct flow_cls_offload *cls;
	const struct flow_rule *rule;
	u16 addr_type;
	struct simnic_key *key;
	struct simnic_key *mask;
	struct netlink_ext_ack *extack;
};

static int parse_control(struct parse *p)
{
	struct flow_match_control m;
	u32 known = FLOW_DIS_IS_FRAGMENT | FLOW_DIS_FIRST_FRAG;

	flow_rule_match_control(p->rule, &m);
	p->addr_type = m.key->addr_type;
	if (m.mask->flags & ~known) {
		NL_SET_ERR_MSG_MOD(p->extack, "cannot match on these control flags");
		return -EOPNOTSUPP;
	}
	p->key->fragment = m.key->flags & known;
	p->mask->fragment = m.mask->flags & known;
	return 0;
}

static int parse_basic(struct parse *p)
{
	struct flow_match_basic m;

	flow_rule_match_basic(p->rule, &m);
	p->key->n_proto = m.key->n_proto;
	p->mask->n_proto = m.mask->n_proto;
	p->key->ip_proto = m.key->ip_proto;
	p->mask->ip_proto = m.mask->ip_proto;
	return 0;
}

static int parse_meta(struct parse *p)
{
	struct net_device *inside;
	struct flow_match_meta m;
	int ifindex;

	flow_rule_match_meta(p->rule, &m);
	if (m.mask->ingress_iftype) {
		NL_SET_ERR_MSG_MOD(p->extack, "cannot match on the type of the input device");
		return -EOPNOTSUPP;
	}
	if (!m.mask->ingress_ifindex)
		return 0;
	rcu_read_lock();
	inside = rcu_dereference(p->port->inside);
	ifindex = inside ? inside->ifindex : 0;
	rcu_read_unlock();
	if (m.mask->ingress_ifindex == ~0 && m.key->ingress_ifindex == ifindex)
		return 0;
	NL_SET_ERR_MSG_MOD(p->extack, "the input device is not the one that the rule is bound to");
	return -EOPNOTSUPP;
}

static int parse_eth(struct parse *p)
{
	struct flow_match_eth_addrs m;

	flow_rule_match_eth_addrs(p->rule, &m);
	memcpy(p->key->eth_dst, m.key->dst, ETH_ALEN);
	memcpy(p->mask->eth_dst, m.mask->dst, ETH_ALEN);
	memcpy(p->key->eth_src, m.key->src, ETH_ALEN);
	memcpy(p->mask->eth_src, m.mask->src, ETH_ALEN);
	return 0;
}

static void vlan_from(struct simnic_vlan *to, const struct flow_dissector_key_vlan *from)
{
	to->tpid = from->vlan_tpid;
	to->tci = htons(from->vlan_id | from->vlan_dei << 12 | from->vlan_priority << VLAN_PRIO_SHIFT);
}

static int parse_vlan(struct parse *p)
{
	struct flow_match_vlan m;

	flow_rule_match_vlan(p->rule, &m);
	vlan_from(&p->key->vlan[0], m.key);
	vlan_from(&p->mask->vlan[0], m.mask);
	return 0;
}

static int parse_cvlan(struct parse *p)
{
	struct flow_match_vlan m;

	flow_rule_match_cvlan(p->rule, &m);
	vlan_from(&p->key->vlan[1], m.key);
	vlan_from(&p->mask->vlan[1], m.mask);
	return 0;
}

/* IPv4 and IPv6 addresses may share their place in the rule: the address type says which are meant. */
static int parse_ipv4(struct parse *p)
{
	struct flow_match_ipv4_addrs m;

	if (p->addr_type != FLOW_DISSECTOR_KEY_IPV4_ADDRS)
		return 0;
	flow_rule_match_ipv4_addrs(p->rule, &m);
	p->key->src.s6_addr32[0] = m.key->src;
	p->mask->src.s6_addr32[0] = m.mask->src;
	p->key->dst.s6_addr32[0] = m.key->dst;
	p->mask->dst.s6_addr32[0] = m.mask->dst;
	return 0;
}

static int parse_ipv6(struct parse *p)
{
	struct flow_match_ipv6_addrs m;

	if (p->addr_type != FLOW_DISSECTOR_KEY_IPV6_ADDRS)
		return 0;
	flow_rule_match_ipv6_addrs(p->rule, &m);
	p->key->src = m.key->src;
	p->mask->src = m.mask->src;
	p->key->dst = m.key->dst;
	p->mask->dst = m.mask->dst;
	return 0;
}

static int parse_ip(struct parse *p)
{
	struct flow_match_ip m;

	flow_rule_match_ip(p->rule, &m);
	p->key->tos = m.key->tos;
	p->mask->tos = m.mask->tos;
	p->key->ttl = m.key->ttl;
	p->mask->ttl = m.mask->ttl;
	return 0;
}

static int parse_ports(struct parse *p)
{
	struct flow_match_ports m;

	flow_rule_match_ports(p->rule, &m);
	p->key->sport = m.key->src;
	p->mask->sport = m.mask->src;
	p->key->dport = m.key->dst;
	p->mask->dport = m.mask->dst;
	return 0;
}

static int parse_tcp(struct parse *p)
{
	struct flow_match_tcp m;

	flow_rule_match_tcp(p->rule, &m);
	p->key->tcp_flags = m.key->flags;
	p->mask->tcp_flags = m.mask->flags;
	return 0;
}

static int parse_icmp(struct parse *p)
{
	struct flow_match_icmp m;

	flow_rule_match_icmp(p->rule, &m);
	p->key->icmp_type = m.key->type;
	p->mask->icmp_type = m.mask->type;
	p->key->icmp_code = m.key->code;
	p->mask->icmp_code = m.mask->code;
	return 0;
}

static int parse_arp(struct parse *p)
{
	const struct flow_dissector_key_arp *key, *mask;
	const struct flow_dissector *d = p->rule->match.dissector;

	key = skb_flow_dissector_target((struct flow_dissector *)d, FLOW_DISSECTOR_KEY_ARP, p->rule->match.key);
	mask = skb_flow_dissector_target((struct flow_dissector *)d, FLOW_DISSECTOR_KEY_ARP, p->rule->match.mask);
	p->key->arp_op = key->op;
	p->mask->arp_op = mask->op;
	memcpy(p->key->arp_sha, key->sha, ETH_ALEN);
	memcpy(p->mask->arp_sha, mask->sha, ETH_ALEN);
	memcpy(p->key->arp_tha, key->tha, ETH_ALEN);
	memcpy(p->mask->arp_tha, mask->tha, ETH_ALEN);
	p->key->src.s6_addr32[0] = (__force __be32)key->sip;
	p->mask->src.s6_addr32[0] = (__force __be32)mask->sip;
	p->key->dst.s6_addr32[0] = (__force __be32)key->tip;
	p->mask->dst.s6_addr32[0] = (__force __be32)mask->tip;
	return 0;
}

#define CAN(ID, NAME, PARSE, WHAT) { FLOW_DISSECTOR_KEY_##ID, NAME, "simnic: cannot match on " WHAT, PARSE }
#define CANNOT(ID, WHAT) { FLOW_DISSECTOR_KEY_##ID, NULL, "simnic: cannot match on " WHAT, NULL }

/* The names are for debugfs.  Control comes first, it says what the addresses are. */
static const struct {
	enum flow_dissector_key_id id;
	const char *name;
	const char *refusal;
	int (*parse)(struct parse *p);
} parts[] = {
	CAN(CONTROL, "control", parse_control, "control flags"),
	CAN(BASIC, "basic", parse_basic, "protocols"),
	CAN(META, "meta", parse_meta, "input device"),
	CAN(ETH_ADDRS, "eth", parse_eth, "Ethernet addresses"),
	CAN(VLAN, "vlan", parse_vlan, "VLAN tag"),
	CAN(CVLAN, "cvlan", parse_cvlan, "inner VLAN tag"),
	CAN(ARP, "arp", parse_arp, "ARP"),
	CAN(IPV4_ADDRS, "ipv4", parse_ipv4, "IPv4 addresses"),
	CAN(IPV6_ADDRS, "ipv6", parse_ipv6, "IPv6 addresses"),
	CAN(IP, "ip", parse_ip, "TOS and TTL"),
	CAN(PORTS, "ports", parse_ports, "ports"),
	CAN(TCP, "tcp", parse_tcp, "TCP flags"),
	CAN(ICMP, "icmp", parse_icmp, "ICMP type and code"),
	CANNOT(PORTS_RANGE, "ranges of ports"),
	CANNOT(MPLS, "MPLS labels"),
	CANNOT(CT, "connection tracking state"),
	CANNOT(ENC_KEYID, "tunnel id"),
	CANNOT(ENC_IPV4_ADDRS, "tunnel IPv4 addresses"),
	CANNOT(ENC_IPV6_ADDRS, "tunnel IPv6 addresses"),
	CANNOT(ENC_CONTROL, "tunnel address type"),
	CANNOT(ENC_PORTS, "tunnel ports"),
	CANNOT(ENC_IP, "tunnel TOS and TTL"),
	CANNOT(ENC_OPTS, "tunnel options"),
	CANNOT(HASH, "packet hash"),
	CANNOT(NUM_OF_VLANS, "number of VLAN tags"),
	CANNOT(PPPOE, "PPPoE"),
	CANNOT(L2TPV3, "L2TPv3 session"),
};

/* Makes the NIC poorer: names of parts, separated by blanks. */
int simnic_match_forbid(struct simnic *nic, char *names)
{
	u32 forbidden = 0;
	char *name;
	unsigned int i;

	while ((name = strsep(&names, " \n"))) {
		if (!*name)
			continue;
		for (i = 0; i < ARRAY_SIZE(parts); i++) {
			if (parts[i].name && !strcmp(parts[i].name, name))
				break;
		}
		if (i == ARRAY_SIZE(parts))
			return -EINVAL;
		forbidden |= BIT(parts[i].id);
	}
	WRITE_ONCE(nic->cannot_match, forbidden);
	return 0;
}

void simnic_match_show_forbidden(struct seq_file *m, const struct simnic *nic)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (READ_ONCE(nic->cannot_match) & BIT(parts[i].id))
			seq_printf(m, "%s\n", parts[i].name);
	}
}

static int refuse_unknown(const struct parse *p)
{
	u32 used = p->rule->match.dissector->used_keys, can = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].parse)
			can |= BIT(parts[i].id);
	}
	used &= ~(can & ~READ_ONCE(p->port->nic->cannot_match));
	if (!used)
		return 0;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (used & BIT(parts[i].id))
			return simnic_refuse(p->extack, parts[i].refusal);
	}
	return simnic_refuse(p->extack, "simnic: cannot match on a part of this rule");
}

int simnic_match_parse(const struct simnic_port *port, const struct flow_cls_offload *cls, struct simnic_key *key,
		       struct simnic_key *mask, struct netlink_ext_ack *extack)
{
	struct parse p = {
		.port = port, .cls = cls, .rule = cls->rule, .key = key, .mask = mask, .extack = extack,
	};
	unsigned int i;
	int err;

	memset(key, 0, sizeof(*key));
	memset(mask, 0, sizeof(*mask));
	err = refuse_unknown(&p);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!parts[i].parse || !flow_rule_match_key(p.rule, parts[i].id))
			continue;
		err = parts[i].parse(&p);
		if (err)
			return err;
	}
	if (cls->common.protocol != htons(ETH_P_ALL)) {
		key->outer_type = cls->common.protocol;
		mask->outer_type = htons(0xffff);
	}
	return 0;
}

static bool is_zero(const void *p, size_t n)
{
	return !memchr_inv(p, 0, n);
}

static void show_eth(struct seq_file *m, const char *name, const u8 *key, const u8 *mask)
{
	if (!is_zero(mask, ETH_ALEN))
		seq_printf(m, " %s=%pM/%pM", name, key, mask);
}

static void show_number(struct seq_file *m, const char *name, unsigned int key, unsigned int mask)
{
	if (mask)
		seq_printf(m, " %s=0x%x/0x%x", name, key, mask);
}

static void show_address(struct seq_file *m, const char *name, const struct in6_addr *key, const struct in6_addr *mask)
{
	if (is_zero(mask, sizeof(*mask)))
		return;
	if (is_zero(&mask->s6_addr32[1], 12))
		seq_printf(m, " %s=%pI4/%pI4", name, key, mask);
	else
		seq_printf(m, " %s=%pI6c/%pI6c", name, key, mask);
}

void simnic_match_show(struct seq_file *m, const struct simnic_key *key, const struct simnic_key *mask)
{
	show_number(m, "protocol", ntohs(key->outer_type), ntohs(mask->outer_type));
	show_eth(m, "dst_mac", key->eth_dst, mask->eth_dst);
	show_eth(m, "src_mac", key->eth_src, mask->eth_src);
	show_number(m, "vlan_tpid", ntohs(key->vlan[0].tpid), ntohs(mask->vlan[0].tpid));
	show_number(m, "vlan_tci", ntohs(key->vlan[0].tci), ntohs(mask->vlan[0].tci));
	show_number(m, "cvlan_tpid", ntohs(key->vlan[1].tpid), ntohs(mask->vlan[1].tpid));
	show_number(m, "cvlan_tci", ntohs(key->vlan[1].tci), ntohs(mask->vlan[1].tci));
	show_number(m, "eth_type", ntohs(key->n_proto), ntohs(mask->n_proto));
	show_number(m, "ip_proto", key->ip_proto, mask->ip_proto);
	show_address(m, "src", &key->src, &mask->src);
	show_address(m, "dst", &key->dst, &mask->dst);
	show_number(m, "tos", key->tos, mask->tos);
	show_number(m, "ttl", key->ttl, mask->ttl);
	show_number(m, "fragment", key->fragment, mask->fragment);
	show_number(m, "sport", ntohs(key->sport), ntohs(mask->sport));
	show_number(m, "dport", ntohs(key->dport), ntohs(mask->dport));
	show_number(m, "tcp_flags", ntohs(key->tcp_flags), ntohs(mask->tcp_flags));
	show_number(m, "icmp_type", key->icmp_type, mask->icmp_type);
	show_number(m, "icmp_code", key->icmp_code, mask->icmp_code);
	show_number(m, "arp_op", key->arp_op, mask->arp_op);
	show_eth(m, "arp_sha", key->arp_sha, mask->arp_sha);
	show_eth(m, "arp_tha", key->arp_tha, mask->arp_tha);
}
