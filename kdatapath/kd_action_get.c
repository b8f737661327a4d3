// SPDX-License-Identifier: Apache-2.0
// OVS_ACTION_ATTR_* to datapath actions: of dumps (also of flows that other programs made) and of
// upcalls that carry actions. Lengths inside are not trusted. An action that we have no form for is
// left out, and the list is said to be incomplete.
#include <errno.h>

#include "kdatapath/kd_codec.h"
#include "kdatapath/kd_userdata.h"
#include "lib/net/packet_headers.h"

#define MAX_DEPTH 16

struct decoder {
    struct dp_actions *acts;
    unsigned depth;
    bool incomplete;
    bool v6; // the header being set
};

static int get_list(struct decoder *, const void *data, size_t len);

static int
get_nested(struct decoder *d, const struct nlk_attr *a)
{
    int error = ++d->depth > MAX_DEPTH ? -EBADMSG : get_list(d, a->data, a->data ? a->len : 0);
    d->depth--;
    return error;
}

static bool
has(const struct nlk_attr *a, size_t n)
{
    return a->data && a->len >= n;
}

// --- Setting fields. ---

static void
add_if_masked(struct decoder *d, enum field_id id, const struct flow_key *k,
              const struct flow_mask *m)
{
    const uint32_t at = d->acts->len;
    const struct field_info *f = field_get(id);
    union field_value value, mask;

    field_read_mask(f, m, &mask);
    if (!field_value_is_zero(f, &mask)) {
        field_read(f, k, &value);
        dp_actions_add_set(d->acts, f, &value, &mask);
        if (d->v6 && f->prereq == FIELD_PRE_IP_ANY) {
            ((struct dp_act *) (void *) (d->acts->data + at))->flags = DP_SET_IPV6;
        }
    }
}

// Fields of attribute `attr`, in the table's order, as far as they are masked.
static void
add_fields(struct decoder *d, uint16_t attr, const struct flow_key *k, const struct flow_mask *m)
{
    d->v6 = attr == OVS_KEY_ATTR_IPV6;
    const be16_t type = htobe16(d->v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);

    if (attr == OVS_KEY_ATTR_MPLS) {
        for (enum field_id id = FIELD_MPLS_LABEL; id <= FIELD_MPLS_TTL; id++) {
            add_if_masked(d, id, k, m);
        }
        return;
    }
    if (attr == OVS_KEY_ATTR_NSH) {
        for (enum field_id id = FIELD_NSH_FLAGS; id <= FIELD_NSH_C4; id++) {
            add_if_masked(d, id, k, m);
        }
        return;
    }
    for (enum field_id id = 0; id < FIELD_COUNT; id++) {
        if (field_get(id)->place != FIELD_VIEW && kd_field_attr(id, type) == attr) {
            add_if_masked(d, id, k, m);
            if (id == FIELD_NW_TOS && m->nw_tos & 3) {
                add_if_masked(d, FIELD_NW_ECN, k, m);
            }
        }
    }
}

static int
get_nsh_halves(const struct nlk_attr *a, struct flow_key *k, struct flow_mask *m)
{
    struct nlk_attr nsh[OVS_NSH_KEY_ATTR_MAX + 1];
    struct ovs_nsh_key_base base[2];

    if (nlk_parse_nested(a, nsh, ARRAY_SIZE(nsh))) {
        return -EBADMSG;
    }
    if (has(&nsh[OVS_NSH_KEY_ATTR_BASE], sizeof base)) {
        memcpy(base, nsh[OVS_NSH_KEY_ATTR_BASE].data, sizeof base);
        k->nsh_flags = base[0].flags;
        k->nsh_ttl = base[0].ttl;
        k->nsh_path = base[0].path_hdr;
        m->nsh_flags = base[1].flags;
        m->nsh_ttl = base[1].ttl;
        m->nsh_path = base[1].path_hdr;
    }
    if (has(&nsh[OVS_NSH_KEY_ATTR_MD1], sizeof k->nsh_context + sizeof m->nsh_context)) {
        memcpy(k->nsh_context, nsh[OVS_NSH_KEY_ATTR_MD1].data, sizeof k->nsh_context);
        memcpy(m->nsh_context,
               (const uint8_t *) nsh[OVS_NSH_KEY_ATTR_MD1].data + sizeof k->nsh_context,
               sizeof m->nsh_context);
    }
    return 0;
}

static int
get_set_masked(struct decoder *d, const struct nlk_attr *a)
{
    struct flow_key k;
    struct flow_mask m;
    struct nlk_attr set;
    size_t pos = 0;

    memset(&k, 0, sizeof k);
    memset(&m, 0, sizeof m);
    if (!nlk_next(a->data, a->len, &pos, &set, NULL)) {
        return -EBADMSG;
    }
    const size_t half = set.len / 2;
    const struct nlk_attr value = {.type = set.type, .len = half, .data = set.data},
                          mask = {.type = set.type,
                                  .len = half,
                                  .data = (const uint8_t *) set.data + half};
    if (set.type == OVS_KEY_ATTR_NSH) {
        if (get_nsh_halves(&set, &k, &m)) {
            return -EBADMSG;
        }
    } else if (set.type == OVS_KEY_ATTR_MPLS && half >= sizeof k.mpls_lse[0]) {
        memcpy(&k.mpls_lse[0], value.data, sizeof k.mpls_lse[0]);
        memcpy(&m.mpls_lse[0], mask.data, sizeof m.mpls_lse[0]);
    } else if (!kd_attr_size(set.type)) {
        d->incomplete = true;
        return 0;
    } else if (!kd_attr_decode(&value, &k, false) || !kd_attr_decode(&mask, &m, true)) {
        return -EBADMSG;
    }
    add_fields(d, set.type, &k, &m);
    return 0;
}

static int
get_set_tunnel(struct decoder *d, const struct nlk_attr *a)
{
    struct flow_tunnel t;
    struct kd_tunnel_opts opts;

    memset(&t, 0, sizeof t);
    if (kd_tunnel_get(a, &t, false, &opts) || opts.len > UINT8_MAX) {
        return -EBADMSG;
    }
    struct dp_act_set_tunnel *s = dp_actions_add(d->acts, DP_ACT_SET_TUNNEL, sizeof *s + opts.len);
    s->tun = t;
    s->opts_len = opts.len;
    if (opts.len) {
        memcpy(s->opts, opts.data, opts.len);
    }
    return 0;
}

// Sets a whole header: the parts of it that can be set at all.
static int
get_set(struct decoder *d, const struct nlk_attr *a)
{
    struct flow_key k;
    struct flow_mask m;
    struct nlk_attr set;
    size_t pos = 0;

    if (!nlk_next(a->data, a->len, &pos, &set, NULL)) {
        return -EBADMSG;
    }
    if (set.type == OVS_KEY_ATTR_TUNNEL) {
        return get_set_tunnel(d, &set);
    }
    memset(&k, 0, sizeof k);
    memset(&m, 0xff, sizeof m);
    if (set.type == OVS_KEY_ATTR_MPLS && set.len >= sizeof k.mpls_lse[0]) {
        memcpy(&k.mpls_lse[0], set.data, sizeof k.mpls_lse[0]);
    } else if (set.type == OVS_KEY_ATTR_NSH) {
        m.nsh_mdtype = m.nsh_np = 0;
        if (kd_nsh_get(&set, &k)) {
            return -EBADMSG;
        }
    } else if (!kd_attr_size(set.type)) {
        d->incomplete = true;
        return 0;
    } else if (!kd_attr_decode(&set, &k, false)) {
        return -EBADMSG;
    } else {
        m.nw_frag = 0;
        m.nw_proto = set.type == OVS_KEY_ATTR_ARP ? 0xff : 0;
    }
    add_fields(d, set.type, &k, &m);
    return 0;
}

// --- Others. ---

static void
get_nat_range(const struct nlk_attr nat[], struct dp_act_ct *c)
{
    const struct nlk_attr *min = &nat[OVS_NAT_ATTR_IP_MIN], *max = &nat[OVS_NAT_ATTR_IP_MAX];
    const size_t n = has(min, 16) ? 16 : has(min, 4) ? 4 : 0;

    c->nat_family = n == 16 ? 6 : n == 4 ? 4 : 0;
    if (n) {
        memcpy(c->nat_min, min->data, n);
        memcpy(c->nat_max, has(max, n) ? max->data : min->data, n);
    }
    c->nat_port_min = nlk_u16(&nat[OVS_NAT_ATTR_PROTO_MIN]);
    c->nat_port_max =
        nat[OVS_NAT_ATTR_PROTO_MAX].data ? nlk_u16(&nat[OVS_NAT_ATTR_PROTO_MAX]) : c->nat_port_min;
}

static int
get_nat(const struct nlk_attr *a, struct dp_act_ct *c)
{
    struct nlk_attr nat[OVS_NAT_ATTR_MAX + 1];

    if (nlk_parse_nested(a, nat, ARRAY_SIZE(nat))) {
        return -EBADMSG;
    }
    c->flags |= nat[OVS_NAT_ATTR_SRC].data   ? DP_CT_SNAT
                : nat[OVS_NAT_ATTR_DST].data ? DP_CT_DNAT
                                             : DP_CT_NAT;
    c->flags |= nat[OVS_NAT_ATTR_PERSISTENT].data ? DP_CT_PERSISTENT : 0;
    c->flags |= nat[OVS_NAT_ATTR_PROTO_HASH].data ? DP_CT_HASH : 0;
    c->flags |= nat[OVS_NAT_ATTR_PROTO_RANDOM].data ? DP_CT_RANDOM : 0;
    get_nat_range(nat, c);
    return 0;
}

static void
copy_str(char *dst, size_t size, const struct nlk_attr *a)
{
    const char *s = nlk_str(a);
    const size_t n = MIN(strlen(s), size - 1);
    memcpy(dst, s, n);
}

static int
get_ct(struct decoder *d, const struct nlk_attr *a)
{
    struct nlk_attr ct[OVS_CT_ATTR_MAX + 1];

    if (nlk_parse_nested(a, ct, ARRAY_SIZE(ct))) {
        return -EBADMSG;
    }
    struct dp_act_ct *c = dp_actions_add(d->acts, DP_ACT_CT, sizeof *c);
    c->flags |= ct[OVS_CT_ATTR_COMMIT].data ? DP_CT_COMMIT : 0;
    c->flags |= ct[OVS_CT_ATTR_FORCE_COMMIT].data ? DP_CT_COMMIT | DP_CT_FORCE : 0;
    c->zone = nlk_u16(&ct[OVS_CT_ATTR_ZONE]);
    if (has(&ct[OVS_CT_ATTR_MARK], 8)) {
        uint32_t mark[2];
        memcpy(mark, ct[OVS_CT_ATTR_MARK].data, sizeof mark);
        c->mark = htobe32(mark[0]);
        c->mark_mask = htobe32(mark[1]);
    }
    if (has(&ct[OVS_CT_ATTR_LABELS], 32)) {
        kd_ct_label(ct[OVS_CT_ATTR_LABELS].data, c->label);
        kd_ct_label((const uint8_t *) ct[OVS_CT_ATTR_LABELS].data + 16, c->label_mask);
    }
    copy_str(c->helper, sizeof c->helper, &ct[OVS_CT_ATTR_HELPER]);
    copy_str(c->timeout, sizeof c->timeout, &ct[OVS_CT_ATTR_TIMEOUT]);
    return ct[OVS_CT_ATTR_NAT].data ? get_nat(&ct[OVS_CT_ATTR_NAT], c) : 0;
}

static int
get_userspace(struct decoder *d, const struct nlk_attr *a)
{
    struct nlk_attr u[OVS_USERSPACE_ATTR_MAX + 1];

    if (nlk_parse_nested(a, u, ARRAY_SIZE(u))) {
        return -EBADMSG;
    }
    const struct nlk_attr *data = &u[OVS_USERSPACE_ATTR_USERDATA];
    struct dp_act_userspace probe;
    memset(&probe, 0, sizeof probe);
    const size_t raw = kd_userdata_parse(data, &probe) || !data->data ? 0 : data->len;
    struct dp_act_userspace *s = dp_actions_add(d->acts, DP_ACT_USERSPACE, sizeof *s + raw);
    if (!kd_userdata_parse(data, s)) {
        s->kind = DP_USER_RAW;
        s->arg = raw;
        if (raw) {
            memcpy(s + 1, data->data, raw);
        }
    }
    s->pid = nlk_u32(&u[OVS_USERSPACE_ATTR_PID]);
    s->egress_port = u[OVS_USERSPACE_ATTR_EGRESS_TUN_PORT].data
                         ? nlk_u32(&u[OVS_USERSPACE_ATTR_EGRESS_TUN_PORT])
                         : UINT32_MAX;
    s->has_actions = u[OVS_USERSPACE_ATTR_ACTIONS].data != NULL;
    return 0;
}

static int
get_push_nsh(struct decoder *d, const struct nlk_attr *a)
{
    struct flow_key k;

    memset(&k, 0, sizeof k);
    if (kd_nsh_get(a, &k)) {
        return -EBADMSG;
    }
    struct dp_act_push_nsh *p = dp_actions_add(d->acts, DP_ACT_PUSH_NSH, sizeof *p);
    p->flags = k.nsh_flags;
    p->ttl = k.nsh_ttl;
    p->mdtype = k.nsh_mdtype;
    p->np = k.nsh_np;
    p->path = k.nsh_path;
    memcpy(p->context, k.nsh_context, sizeof p->context);
    return 0;
}

static int
get_sample(struct decoder *d, const struct nlk_attr *a)
{
    struct nlk_attr s[OVS_SAMPLE_ATTR_MAX + 1];

    if (nlk_parse_nested(a, s, ARRAY_SIZE(s))) {
        return -EBADMSG;
    }
    const size_t ofs = dp_actions_begin(d->acts, DP_ACT_SAMPLE, sizeof(struct dp_act_sample));
    ((struct dp_act_sample *) (void *) (d->acts->data + ofs))->probability =
        nlk_u32(&s[OVS_SAMPLE_ATTR_PROBABILITY]);
    int error = get_nested(d, &s[OVS_SAMPLE_ATTR_ACTIONS]);
    dp_actions_end(d->acts, ofs);
    return error;
}

static int
get_clone(struct decoder *d, const struct nlk_attr *a, enum dp_act_type type)
{
    const size_t ofs = dp_actions_begin(d->acts, type, sizeof(struct dp_act));
    int error = get_nested(d, a);
    dp_actions_end(d->acts, ofs);
    return error;
}

static int
get_dec_ttl(struct decoder *d, const struct nlk_attr *a)
{
    struct nlk_attr t[OVS_DEC_TTL_ATTR_MAX + 1];
    return nlk_parse_nested(a, t, ARRAY_SIZE(t))
               ? -EBADMSG
               : get_clone(d, &t[OVS_DEC_TTL_ATTR_ACTION], DP_ACT_DEC_TTL);
}

static int
get_check_pkt_len(struct decoder *d, const struct nlk_attr *a)
{
    struct nlk_attr c[OVS_CHECK_PKT_LEN_ATTR_MAX + 1];
    struct dp_act_check_pkt_len *head;

    if (nlk_parse_nested(a, c, ARRAY_SIZE(c))) {
        return -EBADMSG;
    }
    const size_t ofs = dp_actions_begin(d->acts, DP_ACT_CHECK_PKT_LEN, sizeof *head);
    int error = get_nested(d, &c[OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER]);
    const size_t greater = d->acts->len - ofs - sizeof *head;
    if (!error) {
        error = get_nested(d, &c[OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL]);
    }
    dp_actions_end(d->acts, ofs);
    head = (struct dp_act_check_pkt_len *) (void *) (d->acts->data + ofs);
    head->pkt_len = nlk_u16(&c[OVS_CHECK_PKT_LEN_ATTR_PKT_LEN]);
    head->greater_len = greater;
    return error;
}

static bool
read_struct(const struct nlk_attr *a, void *out, size_t n)
{
    if (!has(a, n)) {
        return false;
    }
    memcpy(out, a->data, n);
    return true;
}

static int
get_struct(struct decoder *d, const struct nlk_attr *a)
{
    switch (a->type) {
    case OVS_ACTION_ATTR_PUSH_VLAN: {
        struct ovs_action_push_vlan v;
        if (!read_struct(a, &v, sizeof v)) {
            return -EBADMSG;
        }
        struct dp_act_push_vlan *p = dp_actions_add(d->acts, DP_ACT_PUSH_VLAN, sizeof *p);
        p->tpid = v.vlan_tpid;
        p->tci = v.vlan_tci | htobe16(FLOW_VLAN_PRESENT);
        return 0;
    }
    case OVS_ACTION_ATTR_PUSH_MPLS: {
        struct ovs_action_push_mpls m;
        if (!read_struct(a, &m, sizeof m)) {
            return -EBADMSG;
        }
        struct dp_act_push_mpls *p = dp_actions_add(d->acts, DP_ACT_PUSH_MPLS, sizeof *p);
        p->lse = m.mpls_lse;
        p->ethertype = m.mpls_ethertype;
        return 0;
    }
    case OVS_ACTION_ATTR_PUSH_ETH: {
        struct ovs_action_push_eth e;
        if (!read_struct(a, &e, sizeof e)) {
            return -EBADMSG;
        }
        struct dp_act_push_eth *p = dp_actions_add(d->acts, DP_ACT_PUSH_ETH, sizeof *p);
        memcpy(p->src.b, e.addresses.eth_src, sizeof p->src.b);
        memcpy(p->dst.b, e.addresses.eth_dst, sizeof p->dst.b);
        return 0;
    }
    default: { // OVS_ACTION_ATTR_HASH
        struct ovs_action_hash h;
        if (!read_struct(a, &h, sizeof h)) {
            return -EBADMSG;
        }
        struct dp_act_hash *p = dp_actions_add(d->acts, DP_ACT_HASH, sizeof *p);
        p->alg = h.hash_alg;
        p->basis = h.hash_basis;
        return 0;
    }
    }
}

static int
get_number(struct decoder *d, const struct nlk_attr *a, enum dp_act_type type)
{
    if (!has(a, sizeof(uint32_t))) {
        return -EBADMSG;
    }
    dp_actions_add_u32(d->acts, type, nlk_u32(a));
    return 0;
}

static int
get_plain(struct decoder *d, enum dp_act_type type)
{
    dp_actions_add(d->acts, type, sizeof(struct dp_act));
    return 0;
}

static int
get_pop_mpls(struct decoder *d, const struct nlk_attr *a)
{
    if (!has(a, sizeof(be16_t))) {
        return -EBADMSG;
    }
    struct dp_act_pop_mpls *p = dp_actions_add(d->acts, DP_ACT_POP_MPLS, sizeof *p);
    p->ethertype = nlk_u16(a); // as it lies
    return 0;
}

static int
get_action(struct decoder *d, const struct nlk_attr *a)
{
    switch (a->type) {
    case OVS_ACTION_ATTR_OUTPUT:
        return get_number(d, a, DP_ACT_OUTPUT); // the same layout
    case KD_ACTION_DROP:
        return get_number(d, a, DP_ACT_DROP);
    case OVS_ACTION_ATTR_RECIRC:
        return get_number(d, a, DP_ACT_RECIRC);
    case OVS_ACTION_ATTR_METER:
        return get_number(d, a, DP_ACT_METER);
    case OVS_ACTION_ATTR_TRUNC:
        return get_number(d, a, DP_ACT_TRUNC);
    case OVS_ACTION_ATTR_USERSPACE:
        return get_userspace(d, a);
    case OVS_ACTION_ATTR_SET:
        return get_set(d, a);
    case OVS_ACTION_ATTR_SET_MASKED:
        return get_set_masked(d, a);
    case OVS_ACTION_ATTR_PUSH_VLAN:
    case OVS_ACTION_ATTR_PUSH_MPLS:
    case OVS_ACTION_ATTR_PUSH_ETH:
    case OVS_ACTION_ATTR_HASH:
        return get_struct(d, a);
    case OVS_ACTION_ATTR_POP_VLAN:
        return get_plain(d, DP_ACT_POP_VLAN);
    case OVS_ACTION_ATTR_POP_ETH:
        return get_plain(d, DP_ACT_POP_ETH);
    case OVS_ACTION_ATTR_POP_NSH:
        return get_plain(d, DP_ACT_POP_NSH);
    case OVS_ACTION_ATTR_CT_CLEAR:
        return get_plain(d, DP_ACT_CT_CLEAR);
    case OVS_ACTION_ATTR_POP_MPLS:
        return get_pop_mpls(d, a);
    case OVS_ACTION_ATTR_CT:
        return get_ct(d, a);
    case OVS_ACTION_ATTR_PUSH_NSH:
        return get_push_nsh(d, a);
    case OVS_ACTION_ATTR_SAMPLE:
        return get_sample(d, a);
    case OVS_ACTION_ATTR_CLONE:
        return get_clone(d, a, DP_ACT_CLONE);
    case OVS_ACTION_ATTR_CHECK_PKT_LEN:
        return get_check_pkt_len(d, a);
    case OVS_ACTION_ATTR_DEC_TTL:
        return get_dec_ttl(d, a);
    default:
        d->incomplete = true;
        return 0;
    }
}

static int
get_list(struct decoder *d, const void *data, size_t len)
{
    struct nlk_attr a;
    size_t pos = 0;
    int error = 0;

    while (!error && nlk_next(data, len, &pos, &a, &error)) {
        error = get_action(d, &a);
    }
    return error;
}

int
kd_actions_get(const struct nlk_attr *a, struct dp_actions *acts)
{
    struct decoder d = {.acts = acts};
    int error = get_list(&d, a->data, a->data ? a->len : 0);
    return error ? error : d.incomplete ? -EOPNOTSUPP : 0;
}
