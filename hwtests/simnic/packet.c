// SPDX-License-Identifier: GPL-2.0
/*
 * A packet's headers as a key.  Written apart from the kernel's flow dissector, but with its view of things: no ports for
 * fragments, the protocol after IPv6 extension headers, two VLAN tags.
 */
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/tcp.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "simnic.h"

/* A reader that never passes the end. */
struct cursor {
	const u8 *data;
	unsigned int len;
	unsigned int at;
};

static const void *take(struct cursor *c, unsigned int n)
{
	const void *p = c->data + c->at;

	if (c->len - c->at < n)
		return NULL;
	c->at += n;
	return p;
}

static void parse_transport(struct cursor *c, struct simnic_key *key, struct simnic_layout *layout)
{
	unsigned int at = c->at;
	const struct icmphdr *icmp;
	const struct tcphdr *tcp;
	const __be16 *ports;

	switch (key->ip_proto) {
	case IPPROTO_TCP:
		tcp = take(c, sizeof(*tcp));
		if (!tcp)
			return;
		key->sport = tcp->source;
		key->dport = tcp->dest;
		key->tcp_flags = ((const __be16 *)tcp)[6] & htons(0x0fff);
		break;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		ports = take(c, 8);
		if (!ports)
			return;
		key->sport = ports[0];
		key->dport = ports[1];
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		icmp = take(c, 4);
		if (!icmp)
			return;
		key->icmp_type = icmp->type;
		key->icmp_code = icmp->code;
		break;
	default:
		return;
	}
	layout->transport = at;
}

static void parse_ipv4(struct cursor *c, struct simnic_key *key, struct simnic_layout *layout)
{
	const struct iphdr *ip = take(c, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5 || !take(c, (ip->ihl - 5) * 4))
		return;
	key->ip_proto = ip->protocol;
	key->tos = ip->tos;
	key->ttl = ip->ttl;
	key->src.s6_addr32[0] = ip->saddr;
	key->dst.s6_addr32[0] = ip->daddr;
	if (ip_is_fragment(ip)) {
		key->fragment = FLOW_DIS_IS_FRAGMENT;
		if (!(ip->frag_off & htons(IP_OFFSET)))
			key->fragment |= FLOW_DIS_FIRST_FRAG;
		return;
	}
	parse_transport(c, key, layout);
}

static void parse_ipv6(struct cursor *c, struct simnic_key *key, struct simnic_layout *layout)
{
	const struct ipv6hdr *ip = take(c, sizeof(*ip));
	const struct frag_hdr *frag;
	const u8 *ext;

	if (!ip || ip->version != 6)
		return;
	key->ip_proto = ip->nexthdr;
	key->tos = ipv6_get_dsfield(ip);
	key->ttl = ip->hop_limit;
	key->src = ip->saddr;
	key->dst = ip->daddr;
	for (;;) {
		switch (key->ip_proto) {
		case NEXTHDR_HOP:
		case NEXTHDR_ROUTING:
		case NEXTHDR_DEST:
			ext = take(c, 2);
			if (!ext || !take(c, (ext[1] + 1) * 8 - 2))
				return;
			key->ip_proto = ext[0];
			continue;
		case NEXTHDR_FRAGMENT:
			frag = take(c, sizeof(*frag));
			if (!frag)
				return;
			key->ip_proto = frag->nexthdr;
			key->fragment = FLOW_DIS_IS_FRAGMENT;
			if (!(frag->frag_off & htons(IP6_OFFSET)))
				key->fragment |= FLOW_DIS_FIRST_FRAG;
			return;
		default:
			parse_transport(c, key, layout);
			return;
		}
	}
}

static void parse_arp(struct cursor *c, struct simnic_key *key)
{
	const struct arphdr *arp = take(c, sizeof(*arp));
	const u8 *body;

	if (!arp || arp->ar_hrd != htons(ARPHRD_ETHER) || arp->ar_pro != htons(ETH_P_IP) || arp->ar_hln != ETH_ALEN ||
	    arp->ar_pln != 4)
		return;
	body = take(c, 2 * (ETH_ALEN + 4));
	if (!body)
		return;
	key->arp_op = ntohs(arp->ar_op) & 0xff;
	memcpy(key->arp_sha, body, ETH_ALEN);
	memcpy(&key->src, body + ETH_ALEN, 4);
	memcpy(key->arp_tha, body + ETH_ALEN + 4, ETH_ALEN);
	memcpy(&key->dst, body + 2 * ETH_ALEN + 4, 4);
}

void simnic_packet_key(const struct sk_buff *skb, struct simnic_key *key, struct simnic_layout *layout)
{
	struct cursor c = { .data = skb->data, .len = skb->len };
	const struct ethhdr *eth = take(&c, ETH_HLEN);
	unsigned int i;

	memset(key, 0, sizeof(*key));
	memset(layout, 0, sizeof(*layout));
	if (!eth)
		return;
	memcpy(key->eth_dst, eth->h_dest, ETH_ALEN);
	memcpy(key->eth_src, eth->h_source, ETH_ALEN);
	key->outer_type = key->n_proto = eth->h_proto;
	for (i = 0; i < 2 && eth_type_vlan(key->n_proto); i++) {
		const struct vlan_hdr *vlan = take(&c, VLAN_HLEN);

		if (!vlan)
			return;
		key->vlan[i].tpid = key->n_proto;
		key->vlan[i].tci = vlan->h_vlan_TCI;
		key->n_proto = vlan->h_vlan_encapsulated_proto;
	}
	layout->network = c.at;
	switch (key->n_proto) {
	case htons(ETH_P_IP):
		parse_ipv4(&c, key, layout);
		break;
	case htons(ETH_P_IPV6):
		parse_ipv6(&c, key, layout);
		break;
	case htons(ETH_P_ARP):
	case htons(ETH_P_RARP):
		parse_arp(&c, key);
		break;
	}
}
