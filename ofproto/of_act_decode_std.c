// SPDX-License-Identifier: Apache-2.0
// Decoders of OpenFlow's own actions. Versions 1.0 and 1.1 number the same things differently.
#include "config.h"

#include "ofproto/of_act_decode.h"

#include "ofproto/of_match_wire.h"

static struct of_act_u32 *
add_u32(struct of_act_in *in, enum of_act_type type, uint32_t value)
{
    struct of_act_u32 *a = of_act_in_add(in, type, sizeof *a);
    a->value = value;
    return a;
}

// A port that output may have in any switch.
static int
check_port(uint32_t port)
{
    return port < OF_PORT_MAX || (port >= OF_PORT_IN_PORT && port != OF_PORT_ANY)
               ? 0
               : OF_ERROR_BAC_BAD_OUT_PORT;
}

static int
decode_output10(struct of_act_in *in)
{
    const uint32_t port = of_port_from_10(of_get16(&in->r));
    of_actions_add_output(in->acts, port, of_get16(&in->r));
    return check_port(port);
}

static int
decode_output11(struct of_act_in *in)
{
    uint32_t port;
    int error = of_port_from_11(of_get32(&in->r), &port);
    if (error) {
        return error;
    }
    of_actions_add_output(in->acts, port, of_get16(&in->r));
    return check_port(port);
}

static int
decode_vlan_vid(struct of_act_in *in)
{
    const uint16_t vid = of_get16(&in->r);
    add_u32(in, OF_ACT_SET_VLAN_VID, vid)->i.flags = in->version == OF_10 ? OF_VLAN_PUSH : 0;
    return vid & ~0xfff ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

static int
decode_vlan_pcp(struct of_act_in *in)
{
    const uint8_t pcp = of_get8(&in->r);
    add_u32(in, OF_ACT_SET_VLAN_PCP, pcp)->i.flags = in->version == OF_10 ? OF_VLAN_PUSH : 0;
    return pcp & ~7 ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

static int
decode_strip_vlan(struct of_act_in *in)
{
    struct of_act_plain *a = of_act_in_add(in, OF_ACT_STRIP_VLAN, sizeof *a);
    a->i.flags = in->version == OF_10 ? 0 : OF_STRIP_VLAN_POP;
    return 0;
}

static int
decode_push_vlan(struct of_act_in *in)
{
    struct of_act_push *a = of_act_in_add(in, OF_ACT_PUSH_VLAN, sizeof *a);
    a->ethertype = htobe16(of_get16(&in->r));
    return a->ethertype == htobe16(0x8100) || a->ethertype == htobe16(0x88a8)
               ? 0
               : OF_ERROR_BAC_BAD_ARGUMENT;
}

static int
decode_eth(struct of_act_in *in)
{
    const uint16_t src = in->version == OF_10 ? 4 : 3;
    struct of_act_mac *a =
        of_act_in_add(in, in->code == src ? OF_ACT_SET_ETH_SRC : OF_ACT_SET_ETH_DST, sizeof *a);
    of_get_copy(&in->r, a->mac.b, sizeof a->mac.b);
    return 0;
}

static int
decode_ipv4(struct of_act_in *in)
{
    const uint16_t src = in->version == OF_10 ? 6 : 5;
    struct of_act_ipv4 *a =
        of_act_in_add(in, in->code == src ? OF_ACT_SET_IPV4_SRC : OF_ACT_SET_IPV4_DST, sizeof *a);
    of_get_copy(&in->r, &a->addr, sizeof a->addr);
    return 0;
}

static int
decode_ip_dscp(struct of_act_in *in)
{
    const uint8_t tos = of_get8(&in->r);
    add_u32(in, OF_ACT_SET_IP_DSCP, tos);
    return tos & 3 ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

static int
decode_ip_ecn(struct of_act_in *in)
{
    const uint8_t ecn = of_get8(&in->r);
    add_u32(in, OF_ACT_SET_IP_ECN, ecn);
    return ecn & ~3 ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

static int
decode_ip_ttl(struct of_act_in *in)
{
    add_u32(in, OF_ACT_SET_IP_TTL, of_get8(&in->r));
    return 0;
}

static int
decode_dec_ttl(struct of_act_in *in)
{
    of_act_in_add(in, OF_ACT_DEC_TTL, sizeof(struct of_act_ids));
    return 0;
}

static int
decode_l4_port(struct of_act_in *in)
{
    add_u32(in, in->code == 9 ? OF_ACT_SET_L4_SRC_PORT : OF_ACT_SET_L4_DST_PORT, of_get16(&in->r));
    return 0;
}

static int
decode_enqueue(struct of_act_in *in)
{
    struct of_act_enqueue *a = of_act_in_add(in, OF_ACT_ENQUEUE, sizeof *a);
    a->port = of_port_from_10(of_get16(&in->r));
    of_get(&in->r, 6);
    a->queue = of_get32(&in->r);
    return a->port < OF_PORT_MAX || a->port == OF_PORT_IN_PORT || a->port == OF_PORT_LOCAL
               ? 0
               : OF_ERROR_BAC_BAD_OUT_PORT;
}

int
of_act_decode_mpls_label(struct of_act_in *in)
{
    const uint32_t label = of_get32(&in->r);
    add_u32(in, OF_ACT_SET_MPLS_LABEL, label);
    return label & ~UINT32_C(0xfffff) ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

int
of_act_decode_mpls_tc(struct of_act_in *in)
{
    const uint8_t tc = of_get8(&in->r);
    add_u32(in, OF_ACT_SET_MPLS_TC, tc);
    return tc & ~7 ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

int
of_act_decode_mpls_ttl(struct of_act_in *in)
{
    add_u32(in, OF_ACT_SET_MPLS_TTL, of_get8(&in->r));
    return 0;
}

static int
decode_dec_mpls_ttl(struct of_act_in *in)
{
    of_act_in_add(in, OF_ACT_DEC_MPLS_TTL, sizeof(struct of_act_plain));
    return 0;
}

int
of_act_decode_push_mpls(struct of_act_in *in)
{
    struct of_act_push *a = of_act_in_add(in, OF_ACT_PUSH_MPLS, sizeof *a);
    a->ethertype = htobe16(of_get16(&in->r));
    return a->ethertype == htobe16(0x8847) || a->ethertype == htobe16(0x8848)
               ? 0
               : OF_ERROR_BAC_BAD_ARGUMENT;
}

int
of_act_decode_pop_mpls(struct of_act_in *in)
{
    struct of_act_push *a = of_act_in_add(in, OF_ACT_POP_MPLS, sizeof *a);
    a->ethertype = htobe16(of_get16(&in->r));
    return 0;
}

int
of_act_decode_set_queue(struct of_act_in *in)
{
    add_u32(in, OF_ACT_SET_QUEUE, of_get32(&in->r));
    return 0;
}

int
of_act_decode_group(struct of_act_in *in)
{
    add_u32(in, OF_ACT_GROUP, of_get32(&in->r));
    return 0;
}

static int
decode_meter(struct of_act_in *in)
{
    add_u32(in, OF_ACT_METER, of_get32(&in->r));
    return 0;
}

static int
decode_set_field(struct of_act_in *in)
{
    struct of_oxm o;
    int error = of_oxm_decode(&in->r.p, &in->r.left, &o);
    if (error && (error != OF_ERROR_BMC_BAD_MASK || in->version < OF_15)) {
        return of_act_oxm_error(error);
    }
    if (!of_act_is_zero(in->r.p, in->r.left)) {
        return OF_ERROR_BAC_BAD_SET_ARGUMENT;
    }
    if (o.has_mask && in->version < OF_15) {
        return OF_ERROR_BAC_BAD_SET_MASK;
    }
    if (o.field->access != FIELD_RW || o.field->id == FIELD_IN_PORT_OXM) {
        return OF_ERROR_BAC_BAD_SET_ARGUMENT;
    }
    // Whoever sets the bit that says there is a tag doesn't clear it: pop_vlan does.
    if (o.field->id == FIELD_VLAN_VID && o.mask.b[FIELD_VALUE_BYTES - 2] & 0x10 &&
        !(o.value.b[FIELD_VALUE_BYTES - 2] & 0x10)) {
        return OF_ERROR_BAC_BAD_SET_ARGUMENT;
    }
    of_act_add_set_field(in->acts, o.field, &o.value, &o.mask);
    return 0;
}

int
of_act_decode_copy_field(struct of_act_in *in)
{
    struct subfield src, dst;
    const uint16_t n = of_get16(&in->r), src_ofs = of_get16(&in->r), dst_ofs = of_get16(&in->r);
    if (in->version >= OF_15) {
        of_get16(&in->r);
    }
    enum field_id src_id, dst_id;
    int error = of_act_get_field(in, &src_id);
    error = error ? error : of_act_get_field(in, &dst_id);
    if (error) {
        return error;
    }
    if (!of_act_is_zero(in->r.p, in->r.left)) {
        return OF_ERROR_NXBRC_MUST_BE_ZERO;
    }
    src = (struct subfield){src_id, src_ofs, n};
    dst = (struct subfield){dst_id, dst_ofs, n};
    error = of_act_check_subfield(&src);
    error = error ? error : of_act_check_subfield(&dst);
    if (error) {
        return error;
    }
    struct of_act_move *a = of_act_in_add(in, OF_ACT_REG_MOVE, sizeof *a);
    a->src = src;
    a->dst = dst;
    return 0;
}

// Versions after 1.1 dropped set_vlan_vid and its like; they are understood all the same.
const struct of_act_code of_act_std_codes[] = {
    {0, OF_10, OF_10, 8, false, decode_output10},
    {0, OF_11, OF_15, 16, false, decode_output11},
    {25, OF_12, OF_15, 16, true, decode_set_field},
    {1, OF_10, OF_15, 8, false, decode_vlan_vid},
    {2, OF_10, OF_15, 8, false, decode_vlan_pcp},
    {3, OF_10, OF_10, 8, false, decode_strip_vlan},
    {4, OF_10, OF_10, 16, false, decode_eth},
    {5, OF_10, OF_10, 16, false, decode_eth},
    {3, OF_11, OF_15, 16, false, decode_eth},
    {4, OF_11, OF_15, 16, false, decode_eth},
    {6, OF_10, OF_10, 8, false, decode_ipv4},
    {7, OF_10, OF_10, 8, false, decode_ipv4},
    {5, OF_11, OF_15, 8, false, decode_ipv4},
    {6, OF_11, OF_15, 8, false, decode_ipv4},
    {8, OF_10, OF_10, 8, false, decode_ip_dscp},
    {7, OF_11, OF_15, 8, false, decode_ip_dscp},
    {8, OF_11, OF_15, 8, false, decode_ip_ecn},
    {9, OF_10, OF_15, 8, false, decode_l4_port},
    {10, OF_10, OF_15, 8, false, decode_l4_port},
    {11, OF_10, OF_10, 16, false, decode_enqueue},
    {13, OF_11, OF_15, 8, false, of_act_decode_mpls_label},
    {14, OF_11, OF_15, 8, false, of_act_decode_mpls_tc},
    {15, OF_11, OF_15, 8, false, of_act_decode_mpls_ttl},
    {16, OF_11, OF_15, 8, false, decode_dec_mpls_ttl},
    {17, OF_11, OF_15, 8, false, decode_push_vlan},
    {18, OF_11, OF_15, 8, false, decode_strip_vlan},
    {19, OF_11, OF_15, 8, false, of_act_decode_push_mpls},
    {20, OF_11, OF_15, 8, false, of_act_decode_pop_mpls},
    {21, OF_11, OF_15, 8, false, of_act_decode_set_queue},
    {22, OF_11, OF_15, 8, false, of_act_decode_group},
    {23, OF_11, OF_15, 8, false, decode_ip_ttl},
    {24, OF_11, OF_15, 8, false, decode_dec_ttl},
    {28, OF_15, OF_15, 16, true, of_act_decode_copy_field},
    {29, OF_15, OF_15, 8, false, decode_meter},
};
const size_t of_act_n_std_codes = ARRAY_SIZE(of_act_std_codes);
