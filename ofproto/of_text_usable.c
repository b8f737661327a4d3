// SPDX-License-Identifier: Apache-2.0
// Which protocols can carry a match: OpenFlow 1.0 has its twelve fields, OpenFlow 1.1 some more,
// NXM and OXM everything.
#include "config.h"

#include "ofproto/of_text_private.h"

#define OF11_ON (OF_PROTO_NXM_OXM | OF_PROTO_11)

static bool
is_cidr(uint32_t mask)
{
    return !(~mask & (~mask + 1));
}

// VLAN: OpenFlow 1.0 and 1.1 know no tag, any tag's VID, PCP or both, exactly.
static uint32_t
usable_vlan(const struct flow_match *m)
{
    switch (be16toh(m->mask.vlan[0].tci)) {
    case 0:
    case 0x1fff:
    case 0xf000:
    case 0xffff:
        return OF_PROTO_ALL;
    default:
        return OF_PROTO_NXM_OXM;
    }
}

uint32_t
of_field_usable(enum field_id id, const struct flow_match *m)
{
    const struct field_info *f = field_get(id);
    union field_value mask;
    field_read_mask(f, &m->mask, &mask);
    const bool exact = field_value_is_exact(f, &mask);
    // OpenFlow 1.0 and 1.1 know no IPv6, except as an Ethernet type.
    if (m->key.eth_type == htobe16(0x86dd) && f->offset >= offsetof(struct flow_key, nw_src)) {
        return OF_PROTO_NXM_OXM;
    }
    switch (id) {
    case FIELD_IN_PORT_OXM:
        return OF11_ON;
    case FIELD_IN_PORT:
    case FIELD_ETH_TYPE:
    case FIELD_NW_PROTO:
    case FIELD_ARP_OP:
    case FIELD_ICMP_TYPE:
    case FIELD_ICMP_CODE:
        return OF_PROTO_ALL;
    case FIELD_VLAN_TCI:
    case FIELD_VLAN_VID:
        return exact ? OF_PROTO_ALL : OF_PROTO_NXM_OXM;
    case FIELD_DL_VLAN:
    case FIELD_DL_VLAN_PCP:
    case FIELD_VLAN_PCP:
        return OF_PROTO_ALL;
    case FIELD_ETH_SRC:
    case FIELD_ETH_DST:
        return exact ? OF_PROTO_ALL : OF11_ON;
    case FIELD_NW_SRC:
    case FIELD_ARP_SPA:
        return is_cidr(be32toh(m->mask.nw_src)) ? OF_PROTO_ALL : OF11_ON;
    case FIELD_NW_DST:
    case FIELD_ARP_TPA:
        return is_cidr(be32toh(m->mask.nw_dst)) ? OF_PROTO_ALL : OF11_ON;
    case FIELD_TCP_SRC:
    case FIELD_TCP_DST:
    case FIELD_UDP_SRC:
    case FIELD_UDP_DST:
        return exact ? OF_PROTO_ALL : OF_PROTO_NXM_OXM;
    case FIELD_SCTP_SRC:
    case FIELD_SCTP_DST:
        return exact ? OF11_ON : OF_PROTO_NXM_OXM;
    case FIELD_IP_DSCP:
        return OF_PROTO_ALL;
    case FIELD_NW_ECN:
        return OF11_ON;
    case FIELD_NW_TOS:
        return m->mask.nw_tos & 3 ? OF11_ON : OF_PROTO_ALL; // ECN
    case FIELD_METADATA:
    case FIELD_MPLS_LABEL:
    case FIELD_MPLS_TC:
        return OF11_ON;
    default:
        return OF_PROTO_NXM_OXM;
    }
}

// OpenFlow 1.0 matches the ports of any protocol that has them in the same place; asking for SCTP's
// by name is another thing.
static enum field_id
as_openflow10(enum field_id id)
{
    return id == FIELD_SCTP_SRC ? FIELD_TCP_SRC : id == FIELD_SCTP_DST ? FIELD_TCP_DST : id;
}

uint32_t
of_match_usable(const struct flow_match *m)
{
    uint32_t usable = OF_PROTO_ALL;
    for (size_t w = 0; w < ARRAY_SIZE(m->used.w); w++) {
        for (uint64_t bits = m->used.w[w]; bits; bits &= bits - 1) {
            const enum field_id id = (enum field_id)(w * 64 + __builtin_ctzll(bits));
            usable &= id == FIELD_VLAN_VID || id == FIELD_VLAN_PCP
                          ? usable_vlan(m)
                          : of_field_usable(as_openflow10(id), m);
        }
    }
    return usable;
}
