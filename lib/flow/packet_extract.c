// SPDX-License-Identifier: Apache-2.0
// Packet → key: one walk over the headers, for every packet of the userspace datapath. What is not whole stays zero.
//
// References: the ones of lib/net/packet_headers.h; RFC 8200 section 4 for IPv6 extension headers.
#include "lib/flow/packet.h"
#include "lib/net/packet_headers.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// What is left of the packet.
struct walk {
    const uint8_t *at;
    size_t left;
};

static inline const void *
take(struct walk *w, size_t n)
{
    const void *p = w->at;
    w->at += n;
    w->left -= n;
    return p;
}

static inline bool
is_vlan(be16_t type)
{
    return type == htobe16(ETH_TYPE_VLAN) || type == htobe16(ETH_TYPE_VLAN_SERVICE);
}

// Length field or type, at w.
static be16_t
parse_ethertype(struct walk *w)
{
    be16_t type;
    memcpy(&type, take(w, 2), 2);
    if (LIKELY(be16toh(type) >= ETH_TYPE_MIN)) {
        return type;
    }
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (w->left < sizeof(struct hdr_llc_snap) || memcmp(w->at, snap, sizeof snap)) {
        return htobe16(ETH_TYPE_NONE);
    }
    const struct hdr_llc_snap *h = take(w, sizeof *h);
    return be16toh(h->type) >= ETH_TYPE_MIN ? h->type : htobe16(ETH_TYPE_NONE);
}

static void
parse_vlans(struct walk *w, struct flow_key *k)
{
    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        be16_t tpid;
        // The tag, and the type that must follow it.
        if (w->left < sizeof(struct hdr_vlan) + 2 || (memcpy(&tpid, w->at, 2), !is_vlan(tpid))) {
            return;
        }
        be16_t tci;
        memcpy(&tci, w->at + 2, 2);
        k->vlan[i].tpid = tpid;
        k->vlan[i].tci = tci | htobe16(FLOW_VLAN_PRESENT);
        take(w, 4);
    }
}

static void
parse_mpls(struct walk *w, struct flow_key *k)
{
    for (size_t i = 0; w->left >= 4; i++) {
        be32_t lse;
        memcpy(&lse, take(w, 4), 4);
        if (i < FLOW_N_MPLS) {
            k->mpls_lse[i] = lse;
        }
        if (lse & htobe32(MPLS_BOS)) {
            return;
        }
    }
}

static void
parse_arp(struct walk *w, struct flow_key *k)
{
    const struct hdr_arp *a = (const void *) w->at;
    if (w->left < sizeof *a || a->hrd != htobe16(1) || a->pro != htobe16(ETH_TYPE_IP) ||
        a->hln != 6 || a->pln != 4) {
        return;
    }
    k->nw_src = a->spa;
    k->nw_dst = a->tpa;
    k->nw_proto = be16toh(a->op) < 256 ? be16toh(a->op) : 0;
    k->arp_sha = a->sha;
    k->arp_tha = a->tha;
}

static void
parse_nsh(struct walk *w, struct flow_key *k)
{
    const struct hdr_nsh *h = (const void *) w->at;
    if (w->left < 8) {
        return;
    }
    uint16_t ver = be16toh(h->ver_flags_ttl_len);
    size_t len = (ver & 0x3f) * 4;
    if (ver >> 14 || len > w->left || len < 8) {
        return;
    }
    if (h->mdtype == 1) {
        if (len != sizeof *h) {
            return;
        }
        memcpy(k->nsh_context, h->context, sizeof h->context);
    }
    k->nsh_flags = ver >> 12 & 3;
    k->nsh_ttl = ver >> 6 & 0x3f;
    k->nsh_mdtype = h->mdtype;
    k->nsh_np = h->np;
    k->nsh_path = h->path;
}

static void
parse_nd(struct walk *w, struct flow_key *k)
{
    k->nd_reserved = ((const struct hdr_icmp *) (const void *) w->at)->rest;
    if (w->left < sizeof(struct hdr_nd)) {
        return;
    }
    const struct hdr_nd *nd = take(w, sizeof *nd);
    memcpy(k->nd_target, nd->target, 16);
    while (w->left >= sizeof(struct hdr_nd_lla)) {
        const struct hdr_nd_lla *o = (const void *) w->at;
        size_t len = o->len * 8;
        if (!len || len > w->left) {
            return;
        }
        if ((o->type == ND_OPT_SLL || o->type == ND_OPT_TLL) && len == 8) {
            struct mac *m = o->type == ND_OPT_SLL ? &k->arp_sha : &k->arp_tha;
            static const struct mac none;
            if (memcmp(m, &none, sizeof none)) {
                goto bad;
            }
            *m = o->mac;
            k->nd_options_type = o->type;
        }
        take(w, len);
    }
    return;

bad: // contradictory options: none of it counts
    memset(k->nd_target, 0, 16);
    memset(&k->arp_sha, 0, sizeof k->arp_sha);
    memset(&k->arp_tha, 0, sizeof k->arp_tha);
    k->nd_options_type = 0;
}

static inline void
set_ports(struct flow_key *k, const void *ports)
{
    memcpy(&k->tp_src, ports, 4);
}

static inline bool
tcp_length_is_sane(const uint8_t *p, size_t left)
{
    size_t len = p[offsetof(struct hdr_tcp, ctl)] >> 4;
    return len >= 5 && len * 4 <= left;
}

static inline void
parse_l4(struct walk *w, struct flow_key *k)
{
    const uint8_t *p = w->at;
    switch (k->nw_proto) {
    case IP_PROTO_TCP:
        if (LIKELY(w->left >= sizeof(struct hdr_tcp) && tcp_length_is_sane(p, w->left))) {
            set_ports(k, p);
            memcpy(&k->tcp_flags, p + offsetof(struct hdr_tcp, ctl), 2);
            k->tcp_flags &= htobe16(0x0fff);
        }
        break;
    case IP_PROTO_UDP:
        if (LIKELY(w->left >= sizeof(struct hdr_udp))) {
            set_ports(k, p);
        }
        break;
    case IP_PROTO_SCTP:
        if (w->left >= sizeof(struct hdr_sctp)) {
            set_ports(k, p);
        }
        break;
    case IP_PROTO_ICMP:
        if (w->left >= sizeof(struct hdr_icmp)) {
            k->tp_src = htobe16(p[0]);
            k->tp_dst = htobe16(p[1]);
        }
        break;
    case IP_PROTO_IGMP:
        if (w->left >= sizeof(struct hdr_igmp)) {
            k->tp_src = htobe16(p[0]);
            k->tp_dst = htobe16(p[1]);
            memcpy(&k->igmp_group, p + 4, 4);
        }
        break;
    case IP_PROTO_ICMPV6:
        if (w->left >= sizeof(struct hdr_icmp)) {
            k->tp_src = htobe16(p[0]);
            k->tp_dst = htobe16(p[1]);
            if (!p[1] && (p[0] == ICMPV6_NS || p[0] == ICMPV6_NA)) {
                parse_nd(w, k);
            }
        }
        break;
    }
}

static inline void
parse_ipv4(struct packet *pkt, struct walk *w, struct flow_key *k)
{
    const struct hdr_ipv4 *h = (const void *) w->at;
    if (UNLIKELY(w->left < sizeof *h)) {
        return;
    }
    size_t hlen = (h->ver_ihl & 0xf) * 4, total = be16toh(h->tot_len);
    if (UNLIKELY(hlen < sizeof *h || total < hlen || total > w->left)) {
        return;
    }
    w->left = total; // the rest is padding
    take(w, hlen);

    memcpy(&k->nw_src, &h->src, 8);
    k->nw_tos = h->tos;
    k->nw_ttl = h->ttl;
    k->nw_proto = h->proto;
    if (UNLIKELY(h->frag_off & htobe16(IP_MF | IP_OFFSET_MASK))) {
        k->nw_frag = FLOW_FRAG_ANY;
        if (h->frag_off & htobe16(IP_OFFSET_MASK)) {
            k->nw_frag |= FLOW_FRAG_LATER;
        }
    }
    pkt->l4 = w->at - pkt->data;
    if (LIKELY(!(k->nw_frag & FLOW_FRAG_LATER))) {
        parse_l4(w, k);
    }
}

// Skips extension headers. nw_proto becomes the upper-layer protocol, or of a header that cannot be passed. False: malformed.
static bool
parse_ipv6_extensions(struct walk *w, struct flow_key *k)
{
    for (;;) {
        const struct hdr_ipv6_ext *e = (const void *) w->at;
        size_t len;
        switch (k->nw_proto) {
        case IP_PROTO_HOPOPTS:
        case IP_PROTO_ROUTING:
        case IP_PROTO_DSTOPTS:
            if (w->left < 8) {
                return false;
            }
            len = (e->len + 1) * 8;
            break;
        case IP_PROTO_AH:
            if (w->left < 8) {
                return false;
            }
            len = (e->len + 2) * 4;
            break;
        case IP_PROTO_FRAGMENT: {
            const struct hdr_ipv6_frag *f = (const void *) w->at;
            if (w->left < sizeof *f) {
                return false;
            }
            uint16_t offlg = be16toh(f->offlg);
            if (offlg) { // a fragment, or something reserved; 0: an atomic one
                k->nw_frag = FLOW_FRAG_ANY;
                if (offlg & 0xfff8) { // what follows the header is not the start of anything
                    k->nw_frag |= FLOW_FRAG_LATER;
                    k->nw_proto = IP_PROTO_FRAGMENT;
                    return true;
                }
            }
            k->nw_proto = f->nxt;
            take(w, sizeof *f);
            continue;
        }
        default:
            return true;
        }
        if (w->left < len) {
            return false;
        }
        k->nw_proto = e->nxt;
        take(w, len);
    }
}

static inline void
parse_ipv6(struct packet *pkt, struct walk *w, struct flow_key *k)
{
    const struct hdr_ipv6 *h = (const void *) w->at;
    if (UNLIKELY(w->left < sizeof *h)) {
        return;
    }
    size_t plen = be16toh(h->plen);
    if (UNLIKELY(plen > w->left - sizeof *h)) {
        return;
    }
    take(w, sizeof *h);
    w->left = plen;

    memcpy(k->ipv6_src, h->src, 32);
    k->nw_proto = h->nxt;
    if (UNLIKELY(!parse_ipv6_extensions(w, k))) {
        k->nw_proto = k->nw_frag = 0;
        return;
    }
    uint32_t flow = be32toh(h->flow);
    k->ipv6_label = htobe32(flow & 0xfffff);
    k->nw_tos = flow >> 20;
    k->nw_ttl = h->hlim;
    pkt->l4 = w->at - pkt->data;
    if (LIKELY(!(k->nw_frag & FLOW_FRAG_LATER))) {
        parse_l4(w, k);
    }
}

static void
parse_l3(struct packet *pkt, struct walk *w, struct flow_key *k)
{
    pkt->l3 = w->at - pkt->data;
    switch (be16toh(k->eth_type)) {
    case ETH_TYPE_IP:
        parse_ipv4(pkt, w, k);
        break;
    case ETH_TYPE_IPV6:
        parse_ipv6(pkt, w, k);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        parse_arp(w, k);
        break;
    case ETH_TYPE_NSH:
        parse_nsh(w, k);
        break;
    }
}

void
packet_extract(struct packet *pkt, struct flow_key *k)
{
    struct walk w = {pkt->data, pkt->len};

    pkt->l2_5 = pkt->l3 = pkt->l4 = PACKET_NO_LAYER;
    if (UNLIKELY(k->packet_type)) { // no Ethernet header: namespace 1 gives an Ethernet type
        if (be32toh(k->packet_type) >> 16 == 1) {
            k->eth_type = htobe16(be32toh(k->packet_type) & 0xffff);
            parse_l3(pkt, &w, k);
        }
        return;
    }
    if (UNLIKELY(w.left < sizeof(struct hdr_eth))) {
        return;
    }
    memcpy(&k->eth_dst, take(&w, 12), 12);
    be16_t type;
    memcpy(&type, w.at, 2);
    if (UNLIKELY(is_vlan(type))) {
        parse_vlans(&w, k);
    }
    k->eth_type = parse_ethertype(&w);
    if (UNLIKELY(k->eth_type == htobe16(ETH_TYPE_MPLS) ||
                 k->eth_type == htobe16(ETH_TYPE_MPLS_MCAST))) {
        pkt->l2_5 = w.at - pkt->data;
        parse_mpls(&w, k);
        pkt->l3 = w.at - pkt->data;
        return;
    }
    parse_l3(pkt, &w, k);
}
