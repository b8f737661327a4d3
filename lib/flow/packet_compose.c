// SPDX-License-Identifier: Apache-2.0
// Key → packet: headers as the key says, layers the key cannot tell filled with plain values,
// lengths and checksums right. The opposite of packet_extract().
#include "lib/flow/packet.h"
#include "lib/net/checksum.h"
#include "lib/net/packet_headers.h"

static void
put16(struct packet *p, be16_t v)
{
    packet_append(p, &v, 2);
}

static uint8_t
pattern(size_t i)
{
    return (uint8_t) i;
}

static void
put_payload(struct packet *p, size_t n)
{
    size_t at = p->len;
    packet_append(p, NULL, n);
    for (size_t i = 0; i < n; i++) {
        p->data[at + i] = pattern(i);
    }
}

static void
compose_tcp(struct packet *p, const struct flow_key *k)
{
    struct hdr_tcp h = {.src = k->tp_src, .dst = k->tp_dst};
    h.ctl = (k->tcp_flags & htobe16(0x0fff)) | htobe16(5 << 12);
    packet_append(p, &h, sizeof h);
}

static void
compose_nd(struct packet *p, const struct flow_key *k)
{
    static const struct mac none;
    packet_append(p, k->nd_target, 16);
    if (k->nd_options_type == ND_OPT_SLL || memcmp(&k->arp_sha, &none, sizeof none)) {
        struct hdr_nd_lla o = {ND_OPT_SLL, 1, k->arp_sha};
        packet_append(p, &o, sizeof o);
    }
    if (k->nd_options_type == ND_OPT_TLL || memcmp(&k->arp_tha, &none, sizeof none)) {
        struct hdr_nd_lla o = {ND_OPT_TLL, 1, k->arp_tha};
        packet_append(p, &o, sizeof o);
    }
}

// The L4 header; checksums come later, when the length is known.
static void
compose_l4(struct packet *p, const struct flow_key *k, size_t payload_len)
{
    bool ip6 = k->eth_type == htobe16(ETH_TYPE_IPV6);

    p->l4 = p->len;
    if (k->nw_frag & FLOW_FRAG_LATER) {
        put_payload(p, payload_len);
        return;
    }
    if (k->nw_proto == IP_PROTO_TCP) {
        compose_tcp(p, k);
    } else if (k->nw_proto == IP_PROTO_UDP) {
        struct hdr_udp h = {k->tp_src, k->tp_dst, htobe16(sizeof h + payload_len), 0};
        packet_append(p, &h, sizeof h);
    } else if (k->nw_proto == IP_PROTO_SCTP) {
        struct hdr_sctp h = {k->tp_src, k->tp_dst, 0, 0};
        packet_append(p, &h, sizeof h);
    } else if (k->nw_proto == (ip6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP) ||
               (!ip6 && k->nw_proto == IP_PROTO_IGMP)) {
        bool nd = ip6 && !k->tp_dst &&
                  (k->tp_src == htobe16(ICMPV6_NS) || k->tp_src == htobe16(ICMPV6_NA));
        struct hdr_icmp h = {be16toh(k->tp_src), be16toh(k->tp_dst), 0, 0};
        h.rest = k->nw_proto == IP_PROTO_IGMP ? k->igmp_group : nd ? k->nd_reserved : 0;
        packet_append(p, &h, sizeof h);
        if (nd) {
            compose_nd(p, k);
            return;
        }
    }
    put_payload(p, payload_len);
}

static void
fill_l4_checksum(struct packet *p, const struct flow_key *k)
{
    uint8_t *l4 = p->data + p->l4;
    size_t len = p->len - p->l4;
    bool ip6 = k->eth_type == htobe16(ETH_TYPE_IPV6);
    uint32_t pseudo = ip6 ? csum_pseudo6(k->ipv6_src, k->ipv6_dst, k->nw_proto, len)
                          : csum_pseudo4(k->nw_src, k->nw_dst, k->nw_proto, len);
    if (k->nw_frag) { // the sum covers what other fragments carry
        return;
    }
    if (k->nw_proto == IP_PROTO_TCP) {
        struct hdr_tcp *h = (void *) l4;
        h->csum = csum_finish(csum_add(pseudo, l4, len));
    } else if (k->nw_proto == IP_PROTO_UDP) {
        struct hdr_udp *h = (void *) l4;
        h->csum = csum_finish(csum_add(pseudo, l4, len));
        h->csum = h->csum ? h->csum : 0xffff;
    } else if (k->nw_proto == IP_PROTO_SCTP) {
        struct hdr_sctp *h = (void *) l4;
        h->csum = csum_crc32c(l4, len);
    } else if (ip6 && k->nw_proto == IP_PROTO_ICMPV6) {
        struct hdr_icmp *h = (void *) l4;
        h->csum = csum_finish(csum_add(pseudo, l4, len));
    } else if (!ip6 && (k->nw_proto == IP_PROTO_ICMP || k->nw_proto == IP_PROTO_IGMP)) {
        struct hdr_icmp *h = (void *) l4;
        h->csum = csum_finish(csum_add(0, l4, len));
    }
}

static void
compose_ipv4(struct packet *p, const struct flow_key *k, size_t payload_len)
{
    struct hdr_ipv4 h = {.ver_ihl = 0x45, .tos = k->nw_tos, .ttl = k->nw_ttl, .proto = k->nw_proto};
    h.src = k->nw_src;
    h.dst = k->nw_dst;
    if (k->nw_frag & FLOW_FRAG_LATER) {
        h.frag_off = htobe16(100);
    } else if (k->nw_frag) {
        h.frag_off = htobe16(IP_MF);
    }
    packet_append(p, &h, sizeof h);
    compose_l4(p, k, payload_len);

    struct hdr_ipv4 *ip = (void *) (p->data + p->l3);
    ip->tot_len = htobe16(p->len - p->l3);
    ip->csum = csum_finish(csum_add(0, ip, sizeof *ip));
    fill_l4_checksum(p, k);
}

static void
compose_ipv6(struct packet *p, const struct flow_key *k, size_t payload_len)
{
    struct hdr_ipv6 h = {.hlim = k->nw_ttl, .nxt = k->nw_proto};
    h.flow = htobe32(6u << 28 | (uint32_t) k->nw_tos << 20 | (be32toh(k->ipv6_label) & 0xfffff));
    memcpy(h.src, k->ipv6_src, 32);
    h.nxt = k->nw_frag ? IP_PROTO_FRAGMENT : k->nw_proto;
    packet_append(p, &h, sizeof h);
    if (k->nw_frag) {
        struct hdr_ipv6_frag f = {.nxt = k->nw_proto};
        bool later = k->nw_frag & FLOW_FRAG_LATER;
        f.nxt = k->nw_proto == IP_PROTO_FRAGMENT ? IP_PROTO_NONE : k->nw_proto;
        f.offlg = later ? htobe16(100 << 3) : htobe16(1);
        packet_append(p, &f, sizeof f);
    }
    compose_l4(p, k, payload_len);

    struct hdr_ipv6 *ip = (void *) (p->data + p->l3);
    ip->plen = htobe16(p->len - p->l3 - sizeof *ip);
    fill_l4_checksum(p, k);
}

static void
compose_nsh(struct packet *p, const struct flow_key *k, size_t payload_len)
{
    size_t len = k->nsh_mdtype == 1 ? sizeof(struct hdr_nsh) : 8;
    struct hdr_nsh h = {.mdtype = k->nsh_mdtype, .np = k->nsh_np, .path = k->nsh_path};
    h.ver_flags_ttl_len = htobe16((k->nsh_flags & 3) << 12 | (k->nsh_ttl & 0x3f) << 6 | len / 4);
    memcpy(h.context, k->nsh_context, sizeof h.context);
    packet_append(p, &h, len);
    put_payload(p, payload_len);
}

static void
compose_arp(struct packet *p, const struct flow_key *k)
{
    struct hdr_arp a = {htobe16(1), htobe16(ETH_TYPE_IP), 6,
                        4,          htobe16(k->nw_proto), k->arp_sha,
                        k->nw_src,  k->arp_tha,           k->nw_dst};
    packet_append(p, &a, sizeof a);
}

// Ethernet header with tags, labels. False: 802.2, and all is done.
static bool
compose_l2(struct packet *p, const struct flow_key *k, size_t payload_len)
{
    packet_append(p, &k->eth_dst, 12);
    for (size_t i = 0; i < FLOW_N_VLANS && (k->vlan[i].tci & htobe16(FLOW_VLAN_PRESENT)); i++) {
        be16_t tpid = k->vlan[i].tpid ? k->vlan[i].tpid : htobe16(ETH_TYPE_VLAN);
        put16(p, tpid);
        put16(p, k->vlan[i].tci & htobe16(0xefff));
    }
    if (be16toh(k->eth_type) < ETH_TYPE_MIN) {
        static const uint8_t llc[3] = {0x42, 0x42, 0x03};
        put16(p, htobe16(sizeof llc + payload_len));
        packet_append(p, llc, sizeof llc);
        put_payload(p, payload_len);
        return false;
    }
    put16(p, k->eth_type);
    if (k->eth_type == htobe16(ETH_TYPE_MPLS) || k->eth_type == htobe16(ETH_TYPE_MPLS_MCAST)) {
        p->l2_5 = p->len;
        for (size_t i = 0; i < FLOW_N_MPLS; i++) {
            be32_t bos = htobe32(MPLS_BOS);
            bool last = i + 1 == FLOW_N_MPLS || (k->mpls_lse[i] & bos) || !k->mpls_lse[i + 1];
            be32_t lse = k->mpls_lse[i] | (last ? bos : 0);
            packet_append(p, &lse, 4);
            if (last) {
                break;
            }
        }
    }
    return true;
}

size_t
packet_made_payload(const struct flow_key *k)
{
    enum { SYN_FIN_RST = 0x02 | 0x01 | 0x04 };
    if (!flow_key_is_ip(k) || k->nw_frag & FLOW_FRAG_LATER) {
        return 0;
    }
    const bool tcp = k->nw_proto == IP_PROTO_TCP && !(be16toh(k->tcp_flags) & SYN_FIN_RST);
    const bool v6 = k->eth_type == htobe16(ETH_TYPE_IPV6);
    const uint16_t type = be16toh(k->tp_src);
    const bool echo = v6 ? k->nw_proto == IP_PROTO_ICMPV6 && (type == 128 || type == 129)
                         : k->nw_proto == IP_PROTO_ICMP && (type == 0 || type == 8);
    return tcp || echo || k->nw_proto == IP_PROTO_UDP ? 64 : 0;
}

void
packet_compose(struct packet *p, const struct flow_key *k, size_t payload_len)
{
    packet_init(p, 128 + payload_len);
    if (k->packet_type) {
        p->l3 = 0;
    } else if (!compose_l2(p, k, payload_len)) {
        return;
    } else {
        p->l3 = p->len;
    }
    switch (be16toh(k->eth_type)) {
    case ETH_TYPE_IP:
        compose_ipv4(p, k, payload_len);
        break;
    case ETH_TYPE_IPV6:
        compose_ipv6(p, k, payload_len);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        compose_arp(p, k);
        break;
    case ETH_TYPE_NSH:
        compose_nsh(p, k, payload_len);
        break;
    default:
        put_payload(p, payload_len);
        break;
    }
}
