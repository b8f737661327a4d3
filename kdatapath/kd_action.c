// SPDX-License-Identifier: Apache-2.0
// Datapath actions to OVS_ACTION_ATTR_*. Neighbouring set actions on one header become one
// SET_MASKED. Which header a field belongs to may depend on the Ethernet type, which MPLS actions
// change: it is followed through the list.
#include <errno.h>

#include "kdatapath/kd_codec.h"
#include "kdatapath/kd_userdata.h"
#include "lib/net/packet_headers.h"

#define MAX_DEPTH 16

struct encoder {
    struct nlk_batch *b;
    const struct kd_act_context *ctx;
    struct kd_act_refusal *refusal;
    be16_t eth_type; // of the packet here
    unsigned depth;
    bool too_long; // some nested attribute
};

static int put_list(struct encoder *, const uint8_t *data, size_t len);

static void
end(struct encoder *e, size_t nest)
{
    e->too_long |= !nlk_nest_end(e->b, nest);
}

static int
refuse(struct encoder *e, enum field_id field, const char *what)
{
    *e->refusal = (struct kd_act_refusal){field, what};
    return -EOPNOTSUPP;
}

// Nested actions in `attr`: what they do to the packet is undone behind them.
static int
put_nested(struct encoder *e, uint16_t attr, const uint8_t *data, size_t len)
{
    const be16_t eth_type = e->eth_type;
    const size_t nest = nlk_nest(e->b, attr);

    int error = ++e->depth > MAX_DEPTH ? -ELOOP : put_list(e, data, len);
    e->depth--;
    end(e, nest);
    e->eth_type = eth_type;
    return error;
}

// --- Setting fields. ---

// The attribute with which the kernel does this; 0: it cannot.
static uint16_t
set_attr(const struct dp_act *act, be16_t eth_type)
{
    enum field_id id = ((const struct dp_act_set *) (const void *) act)->field;

    if (id >= FIELD_COUNT) {
        return 0;
    }
    if (act->flags & DP_SET_IPV6) {
        eth_type = htobe16(ETH_TYPE_IPV6);
    }
    switch (id) {
    case FIELD_MPLS_LABEL:
    case FIELD_MPLS_TC:
    case FIELD_MPLS_BOS:
    case FIELD_MPLS_TTL:
        return OVS_KEY_ATTR_MPLS;
    case FIELD_NSH_FLAGS:
    case FIELD_NSH_TTL:
    case FIELD_NSH_SPI:
    case FIELD_NSH_SI:
    case FIELD_NSH_C1:
    case FIELD_NSH_C2:
    case FIELD_NSH_C3:
    case FIELD_NSH_C4:
        return OVS_KEY_ATTR_NSH;
    case FIELD_IP_DSCP:
    case FIELD_NW_ECN:
        id = FIELD_NW_TOS; // views of it
        break;
    default:
        break;
    }
    const uint16_t attr = kd_field_attr(id, eth_type);
    switch (attr) {
    case OVS_KEY_ATTR_PRIORITY:
    case OVS_KEY_ATTR_SKB_MARK:
    case OVS_KEY_ATTR_ETHERNET:
    case OVS_KEY_ATTR_IPV4:
    case OVS_KEY_ATTR_IPV6:
    case OVS_KEY_ATTR_TCP:
    case OVS_KEY_ATTR_UDP:
    case OVS_KEY_ATTR_SCTP:
        return attr;
    default:
        return 0;
    }
}

static void
add_set(const struct dp_act_set *a, struct flow_key *key, struct flow_mask *mask)
{
    const struct field_info *f = field_get(a->field);
    const size_t n = MIN(a->n_bytes, sizeof a->value), skip = FIELD_VALUE_BYTES - n;
    union field_value value, m, before;

    memset(&value, 0, sizeof value);
    memset(&m, 0, sizeof m);
    memcpy(value.b + skip, a->value, n);
    memcpy(m.b + skip, a->mask, n);
    field_write_masked(f, key, &value, &m);
    field_read_mask(f, mask, &before);
    for (size_t i = skip; i < FIELD_VALUE_BYTES; i++) {
        m.b[i] |= before.b[i];
    }
    field_write_mask(f, mask, &m);
}

static void
put_set_masked(struct encoder *e, uint16_t attr, const struct flow_key *key,
               const struct flow_mask *mask)
{
    const size_t nest = nlk_nest(e->b, OVS_ACTION_ATTR_SET_MASKED);

    if (attr ==
        OVS_KEY_ATTR_NSH) { // halves follow each other inside the nested attribute's own attributes
        const struct ovs_nsh_key_base base[2] = {
            {key->nsh_flags, key->nsh_ttl, 0, 0, key->nsh_path},
            {mask->nsh_flags, mask->nsh_ttl, 0, 0, mask->nsh_path}};
        be32_t md1[2][NSH_MD1_CONTEXT_SIZE];
        memcpy(md1[0], key->nsh_context, sizeof md1[0]);
        memcpy(md1[1], mask->nsh_context, sizeof md1[1]);
        const size_t nsh = nlk_nest(e->b, attr);
        nlk_put(e->b, OVS_NSH_KEY_ATTR_BASE, base, sizeof base);
        nlk_put(e->b, OVS_NSH_KEY_ATTR_MD1, md1, sizeof md1);
        end(e, nsh);
    } else if (attr == OVS_KEY_ATTR_MPLS) {
        const be32_t lse[2] = {key->mpls_lse[0], mask->mpls_lse[0]};
        nlk_put(e->b, attr, lse, sizeof lse);
    } else {
        uint8_t both[2 * KD_ATTR_MAX_SIZE];
        const size_t n = kd_attr_size(attr);
        kd_attr_encode(attr, key, false, both);
        kd_attr_encode(attr, mask, true, both + n);
        nlk_put(e->b, attr, both, 2 * n);
    }
    end(e, nest);
}

// All neighbours of *a that set the same header; *a: the last one of them.
static int
put_sets(struct encoder *e, const struct dp_act **a, const uint8_t *end_of_list)
{
    const struct dp_act *next = *a;
    const uint16_t attr = set_attr(next, e->eth_type);
    struct flow_key key;
    struct flow_mask mask;

    if (!attr) {
        return refuse(e, MIN(((const struct dp_act_set *) (const void *) next)->field, FIELD_COUNT),
                      "set");
    }
    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    do {
        add_set((const struct dp_act_set *) (const void *) next, &key, &mask);
        *a = next;
        next = dp_act_next(next);
    } while ((const uint8_t *) next < end_of_list && next->type == DP_ACT_SET &&
             set_attr(next, e->eth_type) == attr);
    put_set_masked(e, attr, &key, &mask);
    return 0;
}

static void
put_set_tunnel(struct encoder *e, const struct dp_act_set_tunnel *a)
{
    const size_t nest = nlk_nest(e->b, OVS_ACTION_ATTR_SET);
    kd_tunnel_put(e->b, &a->tun, false, a->opts, a->opts_len);
    end(e, nest);
}

// --- Others. ---

static void
put_nat(struct encoder *e, const struct dp_act_ct *a)
{
    const size_t n = a->nat_family == 4 ? 4 : a->nat_family == 6 ? 16 : 0;
    const size_t nat = nlk_nest(e->b, OVS_CT_ATTR_NAT);

    if (a->flags & (DP_CT_SNAT | DP_CT_DNAT)) {
        nlk_put_flag(e->b, a->flags & DP_CT_SNAT ? OVS_NAT_ATTR_SRC : OVS_NAT_ATTR_DST);
        if (n) {
            nlk_put(e->b, OVS_NAT_ATTR_IP_MIN, a->nat_min, n);
            if (memcmp(a->nat_max, a->nat_min, n)) {
                nlk_put(e->b, OVS_NAT_ATTR_IP_MAX, a->nat_max, n);
            }
        }
        if (a->nat_port_min) {
            nlk_put_u16(e->b, OVS_NAT_ATTR_PROTO_MIN, a->nat_port_min);
            if (a->nat_port_max && a->nat_port_max != a->nat_port_min) {
                nlk_put_u16(e->b, OVS_NAT_ATTR_PROTO_MAX, a->nat_port_max);
            }
        }
        if (a->flags & DP_CT_PERSISTENT) {
            nlk_put_flag(e->b, OVS_NAT_ATTR_PERSISTENT);
        }
        if (a->flags & DP_CT_HASH) {
            nlk_put_flag(e->b, OVS_NAT_ATTR_PROTO_HASH);
        }
        if (a->flags & DP_CT_RANDOM) {
            nlk_put_flag(e->b, OVS_NAT_ATTR_PROTO_RANDOM);
        }
    }
    end(e, nat);
}

static void
put_fixed_str(struct nlk_batch *b, uint16_t attr, const char *s, size_t size)
{
    const size_t n = strnlen(s, size - 1);
    char *p = nlk_put_zero(b, attr, n + 1);
    memcpy(p, s, n);
}

static void
put_ct(struct encoder *e, const struct dp_act_ct *a)
{
    static const uint8_t none[16];
    const size_t ct = nlk_nest(e->b, OVS_ACTION_ATTR_CT);

    if (a->flags & (DP_CT_COMMIT | DP_CT_FORCE)) {
        nlk_put_flag(e->b, a->flags & DP_CT_FORCE ? OVS_CT_ATTR_FORCE_COMMIT : OVS_CT_ATTR_COMMIT);
        nlk_put_u32(e->b, OVS_CT_ATTR_EVENTMASK, KD_CT_EVENTS);
    }
    if (a->zone) {
        nlk_put_u16(e->b, OVS_CT_ATTR_ZONE, a->zone);
    }
    if (a->mark_mask) {
        const uint32_t mark[2] = {be32toh(a->mark & a->mark_mask), be32toh(a->mark_mask)};
        nlk_put(e->b, OVS_CT_ATTR_MARK, mark, sizeof mark);
    }
    if (memcmp(a->label_mask, none, sizeof none)) {
        uint8_t value[16], label[32];
        for (int i = 0; i < 16; i++) {
            value[i] = a->label[i] & a->label_mask[i];
        }
        kd_ct_label(value, label);
        kd_ct_label(a->label_mask, label + 16);
        nlk_put(e->b, OVS_CT_ATTR_LABELS, label, sizeof label);
    }
    if (a->helper[0]) {
        put_fixed_str(e->b, OVS_CT_ATTR_HELPER, a->helper, sizeof a->helper);
    }
    if (a->timeout[0]) {
        put_fixed_str(e->b, OVS_CT_ATTR_TIMEOUT, a->timeout, sizeof a->timeout);
    }
    if (a->flags & (DP_CT_SNAT | DP_CT_DNAT | DP_CT_NAT)) {
        put_nat(e, a);
    }
    end(e, ct);
}

static void
put_userspace(struct encoder *e, const struct dp_act_userspace *a)
{
    const size_t nest = nlk_nest(e->b, OVS_ACTION_ATTR_USERSPACE);

    nlk_put_u32(e->b, OVS_USERSPACE_ATTR_PID, a->pid ? a->pid : e->ctx->user_pid);
    kd_userdata_put(e->b, OVS_USERSPACE_ATTR_USERDATA, a);
    if (a->egress_port != UINT32_MAX) {
        nlk_put_u32(e->b, OVS_USERSPACE_ATTR_EGRESS_TUN_PORT, a->egress_port);
    }
    if (a->has_actions) {
        nlk_put_flag(e->b, OVS_USERSPACE_ATTR_ACTIONS);
    }
    end(e, nest);
}

static void
put_push_nsh(struct encoder *e, const struct dp_act_push_nsh *a)
{
    struct flow_key k;

    memset(&k, 0, sizeof k);
    k.nsh_flags = a->flags;
    k.nsh_ttl = a->ttl;
    k.nsh_mdtype = a->mdtype;
    k.nsh_np = a->np;
    k.nsh_path = a->path;
    memcpy(k.nsh_context, a->context, sizeof k.nsh_context);
    kd_nsh_put(e->b, OVS_ACTION_ATTR_PUSH_NSH, &k, false);
    e->eth_type = htobe16(ETH_TYPE_NSH);
}

static int
put_sample(struct encoder *e, const struct dp_act_sample *a)
{
    const size_t nest = nlk_nest(e->b, OVS_ACTION_ATTR_SAMPLE);

    nlk_put_u32(e->b, OVS_SAMPLE_ATTR_PROBABILITY, a->probability);
    int error =
        put_nested(e, OVS_SAMPLE_ATTR_ACTIONS, (const uint8_t *) (a + 1), a->a.len - sizeof *a);
    end(e, nest);
    return error;
}

static int
put_check_pkt_len(struct encoder *e, const struct dp_act_check_pkt_len *a)
{
    const uint8_t *lists = (const uint8_t *) (a + 1);
    const size_t len = a->a.len - sizeof *a, greater = MIN(a->greater_len, len);
    const size_t nest = nlk_nest(e->b, OVS_ACTION_ATTR_CHECK_PKT_LEN);

    nlk_put_u16(e->b, OVS_CHECK_PKT_LEN_ATTR_PKT_LEN, MIN(a->pkt_len, UINT16_MAX));
    int error = put_nested(e, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER, lists, greater);
    if (!error) {
        error = put_nested(e, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL, lists + greater,
                           len - greater);
    }
    end(e, nest);
    return error;
}

static int
put_dec_ttl(struct encoder *e, const struct dp_act *a)
{
    const size_t nest = nlk_nest(e->b, OVS_ACTION_ATTR_DEC_TTL);
    int error =
        put_nested(e, OVS_DEC_TTL_ATTR_ACTION, (const uint8_t *) (a + 1), a->len - sizeof *a);
    end(e, nest);
    return error;
}

static void
put_headers(struct encoder *e, const struct dp_act *act)
{
    switch (act->type) {
    case DP_ACT_PUSH_VLAN: {
        const struct dp_act_push_vlan *a = (const void *) act;
        const struct ovs_action_push_vlan v = {a->tpid, a->tci | htobe16(FLOW_VLAN_PRESENT)};
        nlk_put(e->b, OVS_ACTION_ATTR_PUSH_VLAN, &v, sizeof v);
        break;
    }
    case DP_ACT_POP_VLAN:
        nlk_put_flag(e->b, OVS_ACTION_ATTR_POP_VLAN);
        break;
    case DP_ACT_PUSH_MPLS: {
        const struct dp_act_push_mpls *a = (const void *) act;
        struct ovs_action_push_mpls m;
        memset(&m, 0, sizeof m);
        m.mpls_lse = a->lse;
        m.mpls_ethertype = a->ethertype;
        nlk_put(e->b, OVS_ACTION_ATTR_PUSH_MPLS, &m, sizeof m);
        e->eth_type = a->ethertype;
        break;
    }
    case DP_ACT_POP_MPLS: {
        const struct dp_act_pop_mpls *a = (const void *) act;
        nlk_put(e->b, OVS_ACTION_ATTR_POP_MPLS, &a->ethertype, sizeof a->ethertype);
        e->eth_type = a->ethertype;
        break;
    }
    case DP_ACT_PUSH_ETH: {
        const struct dp_act_push_eth *a = (const void *) act;
        struct ovs_action_push_eth p;
        memcpy(p.addresses.eth_src, a->src.b, sizeof a->src.b);
        memcpy(p.addresses.eth_dst, a->dst.b, sizeof a->dst.b);
        nlk_put(e->b, OVS_ACTION_ATTR_PUSH_ETH, &p, sizeof p);
        break;
    }
    case DP_ACT_POP_ETH:
        nlk_put_flag(e->b, OVS_ACTION_ATTR_POP_ETH);
        break;
    default:
        nlk_put_flag(e->b, OVS_ACTION_ATTR_POP_NSH);
        break;
    }
}

static void
put_number(struct encoder *e, uint16_t attr, const struct dp_act *a)
{
    nlk_put_u32(e->b, attr, ((const struct dp_act_u32 *) (const void *) a)->value);
}

static int
put_action(struct encoder *e, const struct dp_act *a)
{
    switch ((enum dp_act_type) a->type) {
    case DP_ACT_OUTPUT:
        nlk_put_u32(e->b, OVS_ACTION_ATTR_OUTPUT,
                    ((const struct dp_act_output *) (const void *) a)->port);
        return 0;
    case DP_ACT_DROP:
        if (e->ctx->drop) {
            nlk_put_u32(e->b, KD_ACTION_DROP,
                        ((const struct dp_act_drop *) (const void *) a)->reason);
        }
        return 0; // a list that says nothing drops, too
    case DP_ACT_USERSPACE:
        put_userspace(e, (const struct dp_act_userspace *) (const void *) a);
        return 0;
    case DP_ACT_PUSH_VLAN:
    case DP_ACT_POP_VLAN:
    case DP_ACT_PUSH_MPLS:
    case DP_ACT_POP_MPLS:
    case DP_ACT_PUSH_ETH:
    case DP_ACT_POP_ETH:
    case DP_ACT_POP_NSH:
        put_headers(e, a);
        return 0;
    case DP_ACT_PUSH_NSH:
        put_push_nsh(e, (const struct dp_act_push_nsh *) (const void *) a);
        return 0;
    case DP_ACT_SET_TUNNEL:
        put_set_tunnel(e, (const struct dp_act_set_tunnel *) (const void *) a);
        return 0;
    case DP_ACT_RECIRC:
        put_number(e, OVS_ACTION_ATTR_RECIRC, a);
        return 0;
    case DP_ACT_METER:
        put_number(e, OVS_ACTION_ATTR_METER, a);
        return 0;
    case DP_ACT_TRUNC:
        put_number(e, OVS_ACTION_ATTR_TRUNC, a);
        return 0;
    case DP_ACT_HASH: {
        const struct dp_act_hash *h = (const struct dp_act_hash *) (const void *) a;
        const struct ovs_action_hash hash = {h->alg ? KD_HASH_SYM_L4 : OVS_HASH_ALG_L4, h->basis};
        nlk_put(e->b, OVS_ACTION_ATTR_HASH, &hash, sizeof hash);
        return 0;
    }
    case DP_ACT_CT:
        put_ct(e, (const struct dp_act_ct *) (const void *) a);
        return 0;
    case DP_ACT_CT_CLEAR:
        nlk_put_flag(e->b, OVS_ACTION_ATTR_CT_CLEAR);
        return 0;
    case DP_ACT_SAMPLE:
        return put_sample(e, (const struct dp_act_sample *) (const void *) a);
    case DP_ACT_CLONE:
        return put_nested(e, OVS_ACTION_ATTR_CLONE, (const uint8_t *) (a + 1), a->len - sizeof *a);
    case DP_ACT_CHECK_PKT_LEN:
        return put_check_pkt_len(e, (const struct dp_act_check_pkt_len *) (const void *) a);
    case DP_ACT_DEC_TTL:
        return put_dec_ttl(e, a);
    case DP_ACT_SET: // handled by the caller
    case DP_ACT_LB_OUTPUT:
    case DP_ACT_COUNT:
        break;
    }
    return refuse(e, FIELD_COUNT, a->type == DP_ACT_LB_OUTPUT ? "lb_output" : "unknown action");
}

static int
put_list(struct encoder *e, const uint8_t *data, size_t len)
{
    const struct dp_act *a;

    DP_ACT_FOR_EACH (a, data, len) {
        int error = a->type == DP_ACT_SET ? put_sets(e, &a, data + len) : put_action(e, a);
        if (error) {
            return error;
        }
    }
    return 0;
}

int
kd_actions_put(struct nlk_batch *b, uint16_t attr, const struct dp_actions *acts,
               const struct kd_act_context *ctx, struct kd_act_refusal *refusal)
{
    struct encoder e = {.b = b, .ctx = ctx, .refusal = refusal, .eth_type = ctx->eth_type};

    *refusal = (struct kd_act_refusal){FIELD_COUNT, NULL};
    const size_t nest = nlk_nest(b, attr);
    int error = put_list(&e, acts->data, acts->len);
    end(&e, nest);
    return error ? error : e.too_long ? -EMSGSIZE : 0;
}
