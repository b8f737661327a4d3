// SPDX-License-Identifier: Apache-2.0
// Header edits by key: what differs between two keys is written into the packet, checksums are updated by the difference (RFC 1624),
// so that a packet that came with a wrong checksum leaves with a wrong one.
//
// The packet's layer offsets must be those of packet_extract() (pushing and popping keeps them right).
#include "lib/flow/packet.h"
#include "lib/net/checksum.h"
#include "lib/net/packet_headers.h"

// Where the checksum of the upper layer lies, or NULL when there is none to keep.
static be16_t *
l4_checksum(const struct packet *p, const struct flow_key *k)
{
    uint8_t *l4 = p->data + p->l4;
    size_t left = p->len - p->l4;
    bool ip6 = k->eth_type == htobe16(ETH_TYPE_IPV6);

    if (p->l4 == PACKET_NO_LAYER || p->l4 > p->len || k->nw_frag & FLOW_FRAG_LATER) {
        return NULL;
    }
    switch (k->nw_proto) {
    case IP_PROTO_TCP:
        return left >= sizeof(struct hdr_tcp) ? (be16_t *) (void *) (l4 + 16) : NULL;
    case IP_PROTO_UDP: {
        be16_t *csum = (be16_t *) (void *) (l4 + 6);
        return left >= sizeof(struct hdr_udp) && (*csum || p->csum_partial) ? csum : NULL;
    }
    case IP_PROTO_ICMPV6:
        return ip6 && left >= 4 ? (be16_t *) (void *) (l4 + 2) : NULL;
    case IP_PROTO_ICMP:
    case IP_PROTO_IGMP:
        return !ip6 && left >= 4 ? (be16_t *) (void *) (l4 + 2) : NULL;
    default:
        return NULL;
    }
}

// Updates the checksum for n bytes behind the L4 header's start that change.
static void
update_l4(const struct packet *p, const struct flow_key *k, const void *was, const void *is,
          size_t n)
{
    be16_t *csum = l4_checksum(p, k);
    if (!csum || p->csum_partial) { // partial: the field holds the bare sum of the pseudo header
        return;
    }
    *csum = csum_update_bytes(*csum, was, is, n);
    if (!*csum && k->nw_proto == IP_PROTO_UDP) {
        *csum = 0xffff;
    }
}

// The same for n bytes of the pseudo header.
static void
update_pseudo(const struct packet *p, const struct flow_key *k, const void *was, const void *is,
              size_t n)
{
    if (k->nw_proto == IP_PROTO_ICMP || k->nw_proto == IP_PROTO_IGMP) {
        return; // these have none
    }
    if (!p->csum_partial) {
        update_l4(p, k, was, is, n);
        return;
    }
    be16_t *csum = l4_checksum(p, k);
    if (csum) {
        *csum = (be16_t) ~csum_update_bytes((be16_t) ~*csum, was, is, n);
    }
}

static void
rewrite_vlan(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    uint8_t *at = p->data + 12;
    const be16_t present = htobe16(FLOW_VLAN_PRESENT);
    for (size_t i = 0; i < FLOW_N_VLANS && (old->vlan[i].tci & present); i++, at += 4) {
        be16_t tci = want->vlan[i].tci & (be16_t) ~present;
        if (at + 4 > p->data + p->len || !(want->vlan[i].tci & present)) {
            return;
        }
        if (want->vlan[i].tpid) {
            memcpy(at, &want->vlan[i].tpid, 2);
        }
        memcpy(at + 2, &tci, 2);
    }
}

static void
rewrite_mpls(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    uint8_t *at = p->data + p->l2_5;
    for (size_t i = 0; i < FLOW_N_MPLS && at + 4 <= p->data + p->len; i++, at += 4) {
        if (old->mpls_lse[i] != want->mpls_lse[i]) {
            memcpy(at, &want->mpls_lse[i], 4);
        }
        if (at[2] & 1) {
            return;
        }
    }
}

static void
rewrite_ipv4(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    struct hdr_ipv4 *h = (void *) (p->data + p->l3);
    if (p->l3 + sizeof *h > p->len) {
        return;
    }
    struct hdr_ipv4 was = *h;
    if (old->nw_src != want->nw_src) {
        update_pseudo(p, old, &old->nw_src, &want->nw_src, 4);
        h->src = want->nw_src;
    }
    if (old->nw_dst != want->nw_dst) {
        update_pseudo(p, old, &old->nw_dst, &want->nw_dst, 4);
        h->dst = want->nw_dst;
    }
    h->tos = old->nw_tos != want->nw_tos ? want->nw_tos : h->tos;
    h->ttl = old->nw_ttl != want->nw_ttl ? want->nw_ttl : h->ttl;
    h->csum = csum_update_bytes(h->csum, &was, h, sizeof was);
}

// Is there a routing header with addresses still to visit? Then the pseudo header has the last of them, not the header's own.
static bool
has_route_ahead(const struct packet *p)
{
    const struct hdr_ipv6 *h = (void *) (p->data + p->l3);
    size_t at = p->l3 + sizeof *h, end = MIN(p->l4, p->len);
    uint8_t nxt = h->nxt;
    while (at + 8 <= end) {
        const struct hdr_ipv6_ext *e = (void *) (p->data + at);
        if (nxt == IP_PROTO_ROUTING && e->data[1]) {
            return true;
        }
        at += nxt == IP_PROTO_AH         ? (e->len + 2) * 4
              : nxt == IP_PROTO_FRAGMENT ? 8
                                         : (e->len + 1) * 8;
        nxt = e->nxt;
    }
    return false;
}

static void
rewrite_ipv6(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    struct hdr_ipv6 *h = (void *) (p->data + p->l3);
    if (p->l3 + sizeof *h > p->len) {
        return;
    }
    if (memcmp(old->ipv6_src, want->ipv6_src, 16)) {
        update_pseudo(p, old, old->ipv6_src, want->ipv6_src, 16);
        memcpy(h->src, want->ipv6_src, 16);
    }
    if (memcmp(old->ipv6_dst, want->ipv6_dst, 16)) {
        if (!has_route_ahead(p)) {
            update_pseudo(p, old, old->ipv6_dst, want->ipv6_dst, 16);
        }
        memcpy(h->dst, want->ipv6_dst, 16);
    }
    uint32_t flow = be32toh(h->flow);
    if (old->ipv6_label != want->ipv6_label) {
        flow = (flow & 0xfff00000) | (be32toh(want->ipv6_label) & 0xfffff);
    }
    if (old->nw_tos != want->nw_tos) {
        flow = (flow & 0xf00fffff) | (uint32_t) want->nw_tos << 20;
    }
    h->flow = htobe32(flow);
    h->hlim = old->nw_ttl != want->nw_ttl ? want->nw_ttl : h->hlim;
}

static void
rewrite_arp(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    struct hdr_arp *a = (void *) (p->data + p->l3);
    if (p->l3 + sizeof *a > p->len) {
        return;
    }
    if (old->nw_proto != want->nw_proto) {
        a->op = htobe16(want->nw_proto);
    }
    a->spa = old->nw_src != want->nw_src ? want->nw_src : a->spa;
    a->tpa = old->nw_dst != want->nw_dst ? want->nw_dst : a->tpa;
    a->sha = memcmp(&old->arp_sha, &want->arp_sha, 6) ? want->arp_sha : a->sha;
    a->tha = memcmp(&old->arp_tha, &want->arp_tha, 6) ? want->arp_tha : a->tha;
}

static void
rewrite_nsh(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    struct hdr_nsh *h = (void *) (p->data + p->l3);
    if (p->l3 + 8u > p->len) {
        return;
    }
    uint16_t v = be16toh(h->ver_flags_ttl_len);
    v = (v & 0xc03f) | (want->nsh_flags & 3) << 12 | (want->nsh_ttl & 0x3f) << 6;
    if (old->nsh_flags != want->nsh_flags || old->nsh_ttl != want->nsh_ttl) {
        h->ver_flags_ttl_len = htobe16(v);
    }
    h->path = old->nsh_path != want->nsh_path ? want->nsh_path : h->path;
    if (h->mdtype == 1 && p->l3 + sizeof *h <= p->len) {
        for (size_t i = 0; i < ARRAY_SIZE(want->nsh_context); i++) {
            if (old->nsh_context[i] != want->nsh_context[i]) {
                h->context[i] = want->nsh_context[i];
            }
        }
    }
}

// An address inside a neighbour discovery message, at `at`, covered by the ICMPv6 checksum.
static void
rewrite_nd_bytes(const struct packet *p, const struct flow_key *old, uint8_t *at, const void *is,
                 size_t n)
{
    uint8_t was[16];
    memcpy(was, at, n);
    update_l4(p, old, was, is, n);
    memcpy(at, is, n);
}

static void
rewrite_nd(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    uint8_t *at = p->data + p->l4, *end = p->data + p->len;
    if (old->tp_dst || (old->tp_src != htobe16(ICMPV6_NS) && old->tp_src != htobe16(ICMPV6_NA)) ||
        at + sizeof(struct hdr_nd) > end) {
        return;
    }
    if (old->nd_reserved != want->nd_reserved) {
        rewrite_nd_bytes(p, old, at + 4, &want->nd_reserved, 4);
    }
    if (memcmp(old->nd_target, want->nd_target, 16)) {
        rewrite_nd_bytes(p, old, at + 8, want->nd_target, 16);
    }
    for (at += sizeof(struct hdr_nd); at + 8 <= end && at[1]; at += at[1] * 8) {
        const struct mac *was = at[0] == ND_OPT_SLL ? &old->arp_sha : &old->arp_tha;
        const struct mac *is = at[0] == ND_OPT_SLL ? &want->arp_sha : &want->arp_tha;
        if ((at[0] == ND_OPT_SLL || at[0] == ND_OPT_TLL) && at[1] == 1 && memcmp(was, is, 6)) {
            rewrite_nd_bytes(p, old, at + 2, is, 6);
        }
    }
}

static void
rewrite_sctp(const struct packet *p, const struct flow_key *want)
{
    struct hdr_sctp *h = (void *) (p->data + p->l4);
    size_t len = p->len - p->l4;
    const struct hdr_ipv4 *ip = (void *) (p->data + p->l3);
    if (want->eth_type == htobe16(ETH_TYPE_IP)) { // without padding
        len = MIN(len, (size_t) (be16toh(ip->tot_len) - (p->l4 - p->l3)));
    } else {
        const struct hdr_ipv6 *ip6 = (void *) (p->data + p->l3);
        len = MIN(len, be16toh(ip6->plen) + sizeof *ip6 - (p->l4 - p->l3));
    }
    if (len < sizeof *h) {
        return;
    }
    uint32_t csum = h->csum;
    h->csum = 0;
    uint32_t right = csum_crc32c(h, len);
    h->src = want->tp_src;
    h->dst = want->tp_dst;
    h->csum = csum ^ right ^ csum_crc32c(h, len);
}

static void
rewrite_l4(const struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    uint8_t *l4 = p->data + p->l4;
    size_t left = p->len - p->l4;
    bool ip6 = old->eth_type == htobe16(ETH_TYPE_IPV6);

    if (p->l4 == PACKET_NO_LAYER || p->l4 > p->len || left < 4 || old->nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    if (ip6 && old->nw_proto == IP_PROTO_ICMPV6) {
        rewrite_nd(p, old, want);
    }
    if (old->tp_src == want->tp_src && old->tp_dst == want->tp_dst) {
        return;
    }
    uint8_t was[4];
    switch (old->nw_proto) {
    case IP_PROTO_TCP:
    case IP_PROTO_UDP:
        if (left < 8) {
            return;
        }
        memcpy(was, l4, 4);
        update_l4(p, old, was, &want->tp_src, 4);
        memcpy(l4, &want->tp_src, 4);
        break;
    case IP_PROTO_SCTP:
        rewrite_sctp(p, want);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6: {
        uint8_t is[2] = {be16toh(want->tp_src), be16toh(want->tp_dst)};
        memcpy(was, l4, 2);
        update_l4(p, old, was, is, 2);
        memcpy(l4, is, 2);
        break;
    }
    }
}

void
packet_rewrite(struct packet *p, const struct flow_key *old, const struct flow_key *want)
{
    packet_own(p, 0);
    if (!old->packet_type && p->len >= sizeof(struct hdr_eth)) {
        memcpy(p->data, &want->eth_dst, 12);
        if (memcmp(old->vlan, want->vlan, sizeof old->vlan)) {
            rewrite_vlan(p, old, want);
        }
    }
    if (p->l2_5 != PACKET_NO_LAYER) {
        rewrite_mpls(p, old, want);
        return;
    }
    if (p->l3 == PACKET_NO_LAYER) {
        return;
    }
    switch (be16toh(old->eth_type)) {
    case ETH_TYPE_IP:
        rewrite_l4(p, old, want);
        rewrite_ipv4(p, old, want);
        break;
    case ETH_TYPE_IPV6:
        rewrite_l4(p, old, want);
        rewrite_ipv6(p, old, want);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        rewrite_arp(p, old, want);
        break;
    case ETH_TYPE_NSH:
        rewrite_nsh(p, old, want);
        break;
    }
}
