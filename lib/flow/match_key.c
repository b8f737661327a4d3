// SPDX-License-Identifier: Apache-2.0
// Which fields a packet has: the mask under which its whole key is printed.
#include "lib/flow/match.h"

#include <netinet/in.h>
#include <string.h>

#include "lib/net/packet_headers.h"

// Metadata counts where it isn't zero.
static void
mask_nonzero(const struct flow_key *k, struct flow_mask *m, size_t from, size_t to)
{
    const uint8_t *key = (const uint8_t *) k;
    uint8_t *mask = (uint8_t *) m;
    for (; from < to; from += 4) {
        be32_t v;
        memcpy(&v, key + from, 4);
        memset(mask + from, v ? 0xff : 0, 4);
    }
}

#define NONZERO(k, m, member)                                                                      \
    do {                                                                                           \
        static const uint8_t none[sizeof(k)->member];                                              \
        if (memcmp(&(k)->member, none, sizeof none)) {                                             \
            FLOW_MASK_EXACT(m, member);                                                            \
        }                                                                                          \
    } while (0)

static void
mask_metadata(const struct flow_key *k, struct flow_mask *m)
{
    if (flow_key_has_tunnel(k)) {
        const be64_t id = k->tun.flags & htobe16(FLOW_TUN_KEY) ? UINT64_MAX : 0;
        FLOW_MASK_EXACT(m, tun);
        m->tun.id = id;
        m->tun.tp_src = m->tun.tp_dst = 0;
        memset(m->tun.pad, 0, sizeof m->tun.pad);
        for (unsigned n = 0; n < FLOW_N_TUN_MD; n++) {
            if (be64toh(k->tun_md_present) >> n & 1) {
                field_mask_exact(field_get(FIELD_TUN_MD0 + n), m);
            }
        }
    } else {
        NONZERO(k, m, tun.id);
    }
    NONZERO(k, m, metadata);
    mask_nonzero(k, m, offsetof(struct flow_key, regs), offsetof(struct flow_key, in_port));
    NONZERO(k, m, ct_state);
    NONZERO(k, m, ct_mark);
    NONZERO(k, m, ct_zone);
    NONZERO(k, m, ct_label);
    NONZERO(k, m, packet_type);
    FLOW_MASK_EXACT(m, in_port);
}

static void
mask_ethernet(const struct flow_key *k, struct flow_mask *m)
{
    if (k->packet_type) {
        return;
    }
    FLOW_MASK_EXACT(m, eth_src);
    FLOW_MASK_EXACT(m, eth_dst);
    FLOW_MASK_EXACT(m, eth_type);
    for (int i = 0; i < FLOW_N_VLANS; i++) {
        FLOW_MASK_EXACT(m, vlan[i].tci);
        if (!k->vlan[i].tci) {
            break;
        }
    }
}

static void
mask_transport(const struct flow_key *k, struct flow_mask *m)
{
    const bool v6 = k->eth_type == htobe16(ETH_TYPE_IPV6);
    if (k->nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    switch (k->nw_proto) {
    case IPPROTO_TCP:
        m->tcp_flags = htobe16(0xfff);
        __attribute__((fallthrough));
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
        FLOW_MASK_EXACT(m, tp_src);
        FLOW_MASK_EXACT(m, tp_dst);
        break;
    case IPPROTO_ICMP:
    case IPPROTO_IGMP:
        if (!v6) {
            FLOW_MASK_EXACT(m, tp_src);
            FLOW_MASK_EXACT(m, tp_dst);
        }
        break;
    case IPPROTO_ICMPV6:
        if (v6) {
            FLOW_MASK_EXACT(m, tp_src);
            FLOW_MASK_EXACT(m, tp_dst);
        }
        if (field_prereqs_met(field_get(FIELD_ND_TARGET), k, NULL)) {
            FLOW_MASK_EXACT(m, nd_target);
            FLOW_MASK_EXACT(m, arp_sha);
            FLOW_MASK_EXACT(m, arp_tha);
        }
        break;
    default:
        break;
    }
}

static void
mask_ip(const struct flow_key *k, struct flow_mask *m)
{
    if (k->eth_type == htobe16(ETH_TYPE_IPV6)) {
        FLOW_MASK_EXACT(m, ipv6_src);
        FLOW_MASK_EXACT(m, ipv6_dst);
        FLOW_MASK_EXACT(m, ipv6_label);
    } else {
        FLOW_MASK_EXACT(m, nw_src);
        FLOW_MASK_EXACT(m, nw_dst);
    }
    FLOW_MASK_EXACT(m, nw_frag);
    FLOW_MASK_EXACT(m, nw_tos);
    FLOW_MASK_EXACT(m, nw_ttl);
    FLOW_MASK_EXACT(m, nw_proto);
    mask_transport(k, m);
}

static void
mask_mpls(const struct flow_key *k, struct flow_mask *m)
{
    for (int i = 0; i < FLOW_N_MPLS; i++) {
        FLOW_MASK_EXACT(m, mpls_lse[i]);
        if (k->mpls_lse[i] & htobe32(MPLS_BOS)) {
            break;
        }
    }
}

void
match_mask_of_key(const struct flow_key *k, struct flow_mask *m)
{
    memset(m, 0, sizeof *m);
    mask_metadata(k, m);
    mask_ethernet(k, m);
    switch (be16toh(k->eth_type)) {
    case ETH_TYPE_IP:
    case ETH_TYPE_IPV6:
        mask_ip(k, m);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        FLOW_MASK_EXACT(m, nw_src);
        FLOW_MASK_EXACT(m, nw_dst);
        FLOW_MASK_EXACT(m, nw_proto);
        FLOW_MASK_EXACT(m, arp_sha);
        FLOW_MASK_EXACT(m, arp_tha);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        mask_mpls(k, m);
        break;
    case ETH_TYPE_NSH:
        FLOW_MASK_EXACT(m, nsh_path);
        FLOW_MASK_EXACT(m, nsh_flags);
        FLOW_MASK_EXACT(m, nsh_ttl);
        FLOW_MASK_EXACT(m, nsh_mdtype);
        FLOW_MASK_EXACT(m, nsh_np);
        if (k->nsh_mdtype == 1) {
            FLOW_MASK_EXACT(m, nsh_context);
        }
        break;
    default:
        break;
    }
}

void
match_format_key(const struct flow_key *key, const struct field_port_names *names, struct str *out)
{
    struct flow_match m;
    struct flow_mask mask;
    match_mask_of_key(key, &mask);
    match_init(&m, key, &mask);
    match_format(&m, names, -1, out);
}
