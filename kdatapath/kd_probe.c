// SPDX-License-Identifier: Apache-2.0
// What the running kernel can do, found out by asking: one flow for each thing in doubt, all in one
// send, and those that it took are removed again. They match a recirculation id that nothing has,
// so no packet meets them.
#include <errno.h>
#include <stdlib.h>

#include "kdatapath/kd_private.h"
#include "lib/base/log.h"
#include "lib/net/packet_headers.h"

LOG_MODULE(kdatapath);

#define PROBE_RECIRC_ID 0xfffffffeu
#define MAX_SAMPLE_NESTING 10

enum probe {
    P_MASKED_SET,
    P_TRUNC,
    P_CLONE,
    P_CT,
    P_CT_TIMEOUT,
    P_CT_CLEAR,
    P_PUSH_MPLS,
    P_POP_MPLS,
    P_ETH,
    P_PUSH_NSH,
    P_POP_NSH,
    P_HASH,
    P_METER,
    P_CHECK_PKT_LEN,
    P_DEC_TTL,
    P_DROP,
    P_MATCH_DP_HASH,
    P_MATCH_CT_STATE,
    P_MATCH_CT_NAT,
    P_MATCH_CT_ZONE,
    P_MATCH_CT_MARK,
    P_MATCH_CT_LABEL,
    P_MATCH_CT_TUPLE4,
    P_MATCH_CT_TUPLE6,
    P_MATCH_VLAN2,
    P_MATCH_MPLS1,
    P_MATCH_MPLS2,
    P_MATCH_MPLS3,
    P_MATCH_NSH,
    P_SAMPLE, // and the deeper ones
    N_PROBES = P_SAMPLE + MAX_SAMPLE_NESTING
};

static void
match_type(struct flow_match *m, uint16_t eth_type)
{
    m->key.eth_type = htobe16(eth_type);
    m->mask.eth_type = 0xffff;
}

static void
match_nsh(struct flow_match *m)
{
    match_type(m, ETH_TYPE_NSH);
    m->key.nsh_mdtype = 1;
    m->key.nsh_np = 1;
    m->key.nsh_ttl = 63;
    m->mask.nsh_mdtype = m->mask.nsh_np = m->mask.nsh_ttl = 0xff;
}

static void
match_mpls(struct flow_match *m, int n)
{
    match_type(m, ETH_TYPE_MPLS);
    for (int i = 0; i < n; i++) {
        m->key.mpls_lse[i] = htobe32(0x10000 | (i == n - 1 ? MPLS_BOS : 0));
        m->mask.mpls_lse[i] = 0xffffffff;
    }
}

// IPv4 unless the probe is about something else.
static void
build_match(enum probe p, struct flow_match *m)
{
    memset(m, 0, sizeof *m);
    m->key.recirc_id = htobe32(PROBE_RECIRC_ID);
    FLOW_MASK_EXACT(&m->mask, recirc_id);
    FLOW_MASK_EXACT(&m->mask, in_port);
    m->key.eth_src.b[0] = 2;
    m->key.eth_src.b[5] = p; // each flow its own key
    FLOW_MASK_EXACT(&m->mask, eth_src);
    match_type(m, ETH_TYPE_IP);
    switch (p) {
    case P_POP_MPLS:
    case P_MATCH_MPLS1:
        match_mpls(m, 1);
        break;
    case P_MATCH_MPLS2:
        match_mpls(m, 2);
        break;
    case P_MATCH_MPLS3:
        match_mpls(m, 3);
        break;
    case P_POP_NSH:
    case P_MATCH_NSH:
        match_nsh(m);
        break;
    case P_MATCH_DP_HASH:
        m->key.dp_hash = m->mask.dp_hash = htobe32(1);
        break;
    case P_MATCH_CT_STATE:
        m->key.ct_state = m->mask.ct_state = htobe32(FLOW_CT_TRK);
        break;
    case P_MATCH_CT_NAT:
        m->key.ct_state = m->mask.ct_state = htobe32(FLOW_CT_TRK | FLOW_CT_SNAT);
        break;
    case P_MATCH_CT_ZONE:
        m->key.ct_zone = m->mask.ct_zone = htobe16(1);
        break;
    case P_MATCH_CT_MARK:
        m->key.ct_mark = m->mask.ct_mark = htobe32(1);
        break;
    case P_MATCH_CT_LABEL:
        m->key.ct_label[15] = m->mask.ct_label[15] = 1;
        break;
    case P_MATCH_CT_TUPLE6:
        match_type(m, ETH_TYPE_IPV6);
        __attribute__((fallthrough));
    case P_MATCH_CT_TUPLE4:
        m->key.ct_state = m->mask.ct_state = htobe32(FLOW_CT_TRK);
        m->key.ct_nw_proto = IP_PROTO_UDP;
        m->mask.ct_nw_proto = 0xff;
        break;
    case P_MATCH_VLAN2:
        for (int i = 0; i < 2; i++) {
            m->key.vlan[i] = (struct flow_vlan){htobe16(ETH_TYPE_VLAN), htobe16(FLOW_VLAN_PRESENT)};
            m->mask.vlan[i] = (struct flow_vlan){0xffff, 0xffff};
        }
        break;
    default:
        break;
    }
    match_update_used(m);
}

static void
add_sample(struct dp_actions *acts, int depth)
{
    struct dp_act_sample *s;

    if (depth) {
        const size_t ofs = dp_actions_begin(acts, DP_ACT_SAMPLE, sizeof *s);
        s = (struct dp_act_sample *) (void *) (acts->data + ofs);
        s->probability = UINT32_MAX / 2;
        add_sample(acts, depth - 1);
        dp_actions_end(acts, ofs);
    } else {
        dp_actions_add_output(acts, 0);
    }
}

static void
add_nested(struct dp_actions *acts, enum dp_act_type type)
{
    const size_t ofs = dp_actions_begin(acts, type, dp_act_fixed_size(type));
    dp_actions_add_output(acts, 0);
    if (type == DP_ACT_CHECK_PKT_LEN) {
        struct dp_act_check_pkt_len *c =
            (struct dp_act_check_pkt_len *) (void *) (acts->data + ofs);
        c->pkt_len = 1500;
        c->greater_len = sizeof(struct dp_act_output);
    }
    dp_actions_end(acts, ofs);
}

static void
add_headers(enum probe p, struct dp_actions *acts)
{
    if (p == P_PUSH_MPLS) {
        struct dp_act_push_mpls *a = dp_actions_add(acts, DP_ACT_PUSH_MPLS, sizeof *a);
        a->lse = htobe32(0x10000 | MPLS_BOS);
        a->ethertype = htobe16(ETH_TYPE_MPLS);
    } else if (p == P_POP_MPLS) {
        struct dp_act_pop_mpls *a = dp_actions_add(acts, DP_ACT_POP_MPLS, sizeof *a);
        a->ethertype = htobe16(ETH_TYPE_IP);
    } else if (p == P_ETH) {
        dp_actions_add(acts, DP_ACT_POP_ETH, sizeof(struct dp_act));
        dp_actions_add(acts, DP_ACT_PUSH_ETH, sizeof(struct dp_act_push_eth));
    } else if (p == P_PUSH_NSH) {
        struct dp_act_push_nsh *a = dp_actions_add(acts, DP_ACT_PUSH_NSH, sizeof *a);
        a->mdtype = 1;
        a->np = 3;
        a->ttl = 63;
    } else {
        dp_actions_add(acts, DP_ACT_POP_NSH, sizeof(struct dp_act));
    }
}

static void
build_actions(enum probe p, struct dp_actions *acts)
{
    union field_value v;

    dp_actions_clear(acts);
    switch (p) {
    case P_MASKED_SET:
        field_value_from_u64(field_get(FIELD_NW_TTL), 1, &v);
        dp_actions_add_set(acts, field_get(FIELD_NW_TTL), &v, NULL);
        break;
    case P_TRUNC:
        dp_actions_add_u32(acts, DP_ACT_TRUNC, 64);
        break;
    case P_CLONE:
        add_nested(acts, DP_ACT_CLONE);
        break;
    case P_CT:
    case P_CT_TIMEOUT: {
        struct dp_act_ct *ct = dp_actions_add(acts, DP_ACT_CT, sizeof *ct);
        if (p == P_CT_TIMEOUT) {
            ct->flags = DP_CT_COMMIT;
            memcpy(ct->timeout, "fb_probe", sizeof "fb_probe");
        }
        break;
    }
    case P_CT_CLEAR:
        dp_actions_add(acts, DP_ACT_CT_CLEAR, sizeof(struct dp_act));
        break;
    case P_PUSH_MPLS:
    case P_POP_MPLS:
    case P_ETH:
    case P_PUSH_NSH:
    case P_POP_NSH:
        add_headers(p, acts);
        break;
    case P_HASH:
        dp_actions_add(acts, DP_ACT_HASH, sizeof(struct dp_act_hash));
        break;
    case P_METER:
        dp_actions_add_u32(acts, DP_ACT_METER, 1);
        break;
    case P_CHECK_PKT_LEN:
        add_nested(acts, DP_ACT_CHECK_PKT_LEN);
        break;
    case P_DEC_TTL:
        add_nested(acts, DP_ACT_DEC_TTL);
        break;
    case P_DROP:
        dp_actions_add(acts, DP_ACT_DROP, sizeof(struct dp_act_drop));
        break;
    default:
        if (p >= P_SAMPLE) {
            add_sample(acts, p - P_SAMPLE + 1);
        }
    }
}

static struct flow_id
probe_id(enum probe p)
{
    return (struct flow_id){{UINT64_C(0x46426c7770726f62), p}};
}

// Asks; took[p]: the kernel took probe p. 0 or -errno.
static int
ask(struct dp *dp, bool took[N_PROBES])
{
    struct nlk_result results[N_PROBES];
    const struct kd_act_context ctx = {
        .eth_type = htobe16(ETH_TYPE_IP), .user_pid = UINT32_MAX, .drop = true};
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct flow_match match;

    nlk_batch_clear(&dp->batch);
    for (enum probe p = 0; p < N_PROBES; p++) {
        const struct flow_id id = probe_id(p);
        struct kd_act_refusal refusal;
        build_match(p, &match);
        build_actions(p, &acts);
        kd_begin(&dp->batch, dp, dp->fam.flow, OVS_FLOW_CMD_NEW, NLM_F_CREATE);
        nlk_put(&dp->batch, OVS_FLOW_ATTR_UFID, &id, sizeof id);
        kd_match_put(&dp->batch, &match);
        kd_actions_put(&dp->batch, OVS_FLOW_ATTR_ACTIONS, &acts, &ctx, &refusal);
        nlk_put_flag(&dp->batch, OVS_FLOW_ATTR_PROBE);
    }
    dp_actions_free(&acts);
    int error = nlk_transact(dp->sock, &dp->batch, results, NULL, NULL);
    if (error) {
        return error;
    }
    nlk_batch_clear(&dp->batch);
    for (enum probe p = 0; p < N_PROBES; p++) {
        const struct flow_id id = probe_id(p);
        took[p] = !results[p].error || results[p].error == -EEXIST;
        LOG_DBG("%s: probe %d: %s%s%s", dp->name, (int) p, base_strerror(results[p].error),
                results[p].extack ? ": " : "", results[p].extack ? results[p].extack : "");
        if (took[p]) {
            kd_begin(&dp->batch, dp, dp->fam.flow, OVS_FLOW_CMD_DEL, 0);
            nlk_put(&dp->batch, OVS_FLOW_ATTR_UFID, &id, sizeof id);
        }
    }
    return dp->batch.n ? nlk_transact(dp->sock, &dp->batch, results, NULL, NULL) : 0;
}

static void
lack(struct field_set *s, enum field_id first, enum field_id last)
{
    for (enum field_id id = first; id <= last; id++) {
        s->w[id / 64] &= ~(UINT64_C(1) << (id % 64));
    }
}

static void
set_match(struct dp_features *f, const bool took[N_PROBES])
{
    kd_fields_supported(&f->match);
    if (!took[P_MATCH_DP_HASH]) {
        lack(&f->match, FIELD_DP_HASH, FIELD_DP_HASH);
    }
    if (!took[P_MATCH_CT_STATE]) {
        lack(&f->match, FIELD_CT_STATE, FIELD_CT_STATE);
    }
    if (!took[P_MATCH_CT_ZONE]) {
        lack(&f->match, FIELD_CT_ZONE, FIELD_CT_ZONE);
    }
    if (!took[P_MATCH_CT_MARK]) {
        lack(&f->match, FIELD_CT_MARK, FIELD_CT_MARK);
    }
    if (!took[P_MATCH_CT_LABEL]) {
        lack(&f->match, FIELD_CT_LABEL, FIELD_CT_LABEL);
    }
    f->ct_orig_tuple = took[P_MATCH_CT_TUPLE4] && took[P_MATCH_CT_TUPLE6];
    if (!f->ct_orig_tuple) {
        lack(&f->match, FIELD_CT_NW_PROTO, FIELD_CT_TP_DST);
    }
    if (!took[P_MATCH_VLAN2]) {
        lack(&f->match, FIELD_VLAN2_VID, FIELD_VLAN2_TPID);
    }
    f->max_vlans = took[P_MATCH_VLAN2] ? 2 : 1;
    f->max_mpls = took[P_MATCH_MPLS3] ? 3 : took[P_MATCH_MPLS2] ? 2 : took[P_MATCH_MPLS1] ? 1 : 0;
    if (f->max_mpls < 3) {
        lack(&f->match, f->max_mpls == 2 ? FIELD_MPLS3_LSE : FIELD_MPLS2_LSE, FIELD_MPLS3_LSE);
    }
    if (!f->max_mpls) {
        lack(&f->match, FIELD_MPLS_LABEL, FIELD_MPLS_TTL);
    }
    if (!took[P_MATCH_NSH]) {
        lack(&f->match, FIELD_NSH_FLAGS, FIELD_NSH_C4);
    }
    f->ct_state_nat = took[P_MATCH_CT_NAT];
}

static void
set_actions(struct dp_features *f, const bool took[N_PROBES])
{
    static const struct {
        enum probe probe;
        uint32_t acts;
    } map[] = {
        {P_TRUNC, 1u << DP_ACT_TRUNC},
        {P_CLONE, 1u << DP_ACT_CLONE},
        {P_CT, 1u << DP_ACT_CT},
        {P_CT_CLEAR, 1u << DP_ACT_CT_CLEAR},
        {P_PUSH_MPLS, 1u << DP_ACT_PUSH_MPLS},
        {P_POP_MPLS, 1u << DP_ACT_POP_MPLS},
        {P_ETH, 1u << DP_ACT_PUSH_ETH | 1u << DP_ACT_POP_ETH},
        {P_PUSH_NSH, 1u << DP_ACT_PUSH_NSH},
        {P_POP_NSH, 1u << DP_ACT_POP_NSH},
        {P_HASH, 1u << DP_ACT_HASH},
        {P_METER, 1u << DP_ACT_METER},
        {P_CHECK_PKT_LEN, 1u << DP_ACT_CHECK_PKT_LEN},
        {P_DEC_TTL, 1u << DP_ACT_DEC_TTL},
        {P_SAMPLE, 1u << DP_ACT_SAMPLE},
    };

    // Every kernel with masked flows has these; an explicit drop is an empty list where there is no
    // action for it.
    f->actions = 1u << DP_ACT_OUTPUT | 1u << DP_ACT_DROP | 1u << DP_ACT_USERSPACE |
                 1u << DP_ACT_SET | 1u << DP_ACT_PUSH_VLAN | 1u << DP_ACT_POP_VLAN |
                 1u << DP_ACT_SET_TUNNEL | 1u << DP_ACT_RECIRC;
    for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
        f->actions |= took[map[i].probe] ? map[i].acts : 0;
    }
    f->masked_set = took[P_MASKED_SET];
    f->ct_timeout = took[P_CT_TIMEOUT];
    f->check_pkt_len = took[P_CHECK_PKT_LEN];
    while (f->sample_nesting < MAX_SAMPLE_NESTING && took[P_SAMPLE + f->sample_nesting]) {
        f->sample_nesting++;
    }
}

const struct dp_features *
kd_features(struct dp *dp)
{
    bool took[N_PROBES] = {false};

    if (__atomic_load_n(&dp->probed, __ATOMIC_ACQUIRE)) {
        return &dp->features;
    }
    mutex_lock(&dp->probe_mutex);
    if (!dp->probed) {
        struct dp_features *f = &dp->features;
        int error = ask(dp, took);
        if (error) {
            LOG_WARN("%s: the kernel datapath's features could not be found out (%s): only the "
                     "oldest are used",
                     dp->name, base_strerror(error));
        }
        set_match(f, took);
        set_actions(f, took);
        f->ufid = f->recirc = true; // the probes had ids, and matched a recirculation id
        f->max_recirc_id = UINT32_MAX;
        f->per_cpu_upcalls = dp->user_features & OVS_DP_F_DISPATCH_UPCALL_PER_CPU;
        f->tc_recirc_sharing = dp->user_features & OVS_DP_F_TC_RECIRC_SHARING;
        dp->can_drop = took[P_DROP];
        __atomic_store_n(&dp->probed, true, __ATOMIC_RELEASE);
    }
    mutex_unlock(&dp->probe_mutex);
    return &dp->features;
}
