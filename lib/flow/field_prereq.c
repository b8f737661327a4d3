// SPDX-License-Identifier: Apache-2.0
// Prerequisites: what a packet must be for a field to exist in it (ovs-fields(7), "Prerequisites").
#include "lib/flow/field.h"

#include <netinet/in.h>

#include "lib/net/packet_headers.h"

static bool
eth_type_in(const struct flow_key *k, struct flow_mask *wc, uint16_t a, uint16_t b)
{
    FLOW_MASK_EXACT(wc, eth_type);
    uint16_t type = be16toh(k->eth_type);
    return type == a || type == b;
}

static bool
is_ip(const struct flow_key *k, struct flow_mask *wc)
{
    return eth_type_in(k, wc, ETH_TYPE_IP, ETH_TYPE_IPV6);
}

// A transport protocol, and not a later fragment: those have no transport header.
static bool
is_transport(const struct flow_key *k, struct flow_mask *wc, uint8_t proto)
{
    FLOW_MASK_EXACT(wc, nw_proto);
    if (k->nw_proto != proto) {
        return false;
    }
    wc->nw_frag |= FLOW_FRAG_LATER;
    return !(k->nw_frag & FLOW_FRAG_LATER);
}

static bool
is_icmpv6(const struct flow_key *k, struct flow_mask *wc)
{
    return eth_type_in(k, wc, ETH_TYPE_IPV6, ETH_TYPE_IPV6) && is_transport(k, wc, IPPROTO_ICMPV6);
}

// Neighbour discovery: code 0 and one of two types.
static bool
is_nd(const struct flow_key *k, struct flow_mask *wc, uint16_t type_a, uint16_t type_b)
{
    if (!is_icmpv6(k, wc)) {
        return false;
    }
    FLOW_MASK_EXACT(wc, tp_src);
    uint16_t type = be16toh(k->tp_src);
    if (type != type_a && type != type_b) {
        return false;
    }
    FLOW_MASK_EXACT(wc, tp_dst);
    return !k->tp_dst;
}

// Tracked and not invalid, or one of the states that imply it.
static bool
is_ct_valid(const struct flow_key *k, struct flow_mask *wc)
{
    FLOW_MASK_EXACT(wc, ct_state);
    uint32_t state = be32toh(k->ct_state);
    return state & (FLOW_CT_NEW | FLOW_CT_EST | FLOW_CT_REL | FLOW_CT_RPL) ||
           (state & (FLOW_CT_TRK | FLOW_CT_INV)) == FLOW_CT_TRK;
}

static bool
prereq_holds(enum field_prereq pre, const struct flow_key *k, struct flow_mask *wc)
{
    switch (pre) {
    case FIELD_PRE_NONE:
        return true;
    case FIELD_PRE_ETHERNET:
        FLOW_MASK_EXACT(wc, packet_type);
        return !k->packet_type;
    case FIELD_PRE_ARP:
        return eth_type_in(k, wc, ETH_TYPE_ARP, ETH_TYPE_RARP);
    case FIELD_PRE_VLAN_VID:
        wc->vlan[0].tci |= htobe16(FLOW_VLAN_PRESENT);
        return k->vlan[0].tci & htobe16(FLOW_VLAN_PRESENT);
    case FIELD_PRE_IPV4:
        return eth_type_in(k, wc, ETH_TYPE_IP, ETH_TYPE_IP);
    case FIELD_PRE_IPV6:
        return eth_type_in(k, wc, ETH_TYPE_IPV6, ETH_TYPE_IPV6);
    case FIELD_PRE_IP_ANY:
        return is_ip(k, wc);
    case FIELD_PRE_NSH:
        return eth_type_in(k, wc, ETH_TYPE_NSH, ETH_TYPE_NSH);
    case FIELD_PRE_CT_VALID:
        return is_ct_valid(k, wc);
    case FIELD_PRE_CT_IPV4:
        return eth_type_in(k, wc, ETH_TYPE_IP, ETH_TYPE_IP) && is_ct_valid(k, wc);
    case FIELD_PRE_CT_IPV6:
        return eth_type_in(k, wc, ETH_TYPE_IPV6, ETH_TYPE_IPV6) && is_ct_valid(k, wc);
    case FIELD_PRE_MPLS:
        return eth_type_in(k, wc, ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST);
    case FIELD_PRE_TCP:
        return is_ip(k, wc) && is_transport(k, wc, IPPROTO_TCP);
    case FIELD_PRE_UDP:
        return is_ip(k, wc) && is_transport(k, wc, IPPROTO_UDP);
    case FIELD_PRE_SCTP:
        return is_ip(k, wc) && is_transport(k, wc, IPPROTO_SCTP);
    case FIELD_PRE_ICMPV4:
        return eth_type_in(k, wc, ETH_TYPE_IP, ETH_TYPE_IP) && is_transport(k, wc, IPPROTO_ICMP);
    case FIELD_PRE_IGMP:
        return eth_type_in(k, wc, ETH_TYPE_IP, ETH_TYPE_IP) && is_transport(k, wc, IPPROTO_IGMP);
    case FIELD_PRE_ICMPV6:
        return is_icmpv6(k, wc);
    case FIELD_PRE_ND:
        return is_nd(k, wc, ICMPV6_NS, ICMPV6_NA);
    case FIELD_PRE_ND_SOLICIT:
        return is_nd(k, wc, ICMPV6_NS, ICMPV6_NS);
    case FIELD_PRE_ND_ADVERT:
        return is_nd(k, wc, ICMPV6_NA, ICMPV6_NA);
    }
    return false;
}

bool
field_prereqs_met(const struct field_info *f, const struct flow_key *key, struct flow_mask *wc)
{
    struct flow_mask unused; // only these two members are read before they are written
    unused.nw_frag = 0;
    unused.vlan[0].tci = 0;
    return prereq_holds(f->prereq, key, wc ? wc : &unused);
}
