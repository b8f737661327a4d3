// SPDX-License-Identifier: Apache-2.0
// What stands in the way: from a field, an action, or the kernel's answer to a code, a name and a
// sentence.
#include "config.h"

#include <errno.h>

#include "offload/ofl_private.h"

bool
ofl_refuse_field(struct reason *r, enum reason_code code, enum field_id field, const char *detail)
{
    reason_set(r, code, field, 0, "%s", detail);
    return false;
}

static enum reason_code
code_of_field(enum field_id f)
{
    switch (f) {
    case FIELD_PKT_MARK:
        return REASON_MATCH_SKB_MARK;
    case FIELD_DP_HASH:
        return REASON_MATCH_DP_HASH;
    case FIELD_CT_NW_PROTO:
    case FIELD_CT_NW_SRC:
    case FIELD_CT_NW_DST:
    case FIELD_CT_IPV6_SRC:
    case FIELD_CT_IPV6_DST:
    case FIELD_CT_TP_SRC:
    case FIELD_CT_TP_DST:
        return REASON_MATCH_CT_ORIG_TUPLE;
    case FIELD_ND_TARGET:
    case FIELD_ND_SLL:
    case FIELD_ND_TLL:
    case FIELD_ND_RESERVED:
    case FIELD_ND_OPTIONS_TYPE:
        return REASON_MATCH_ND;
    case FIELD_IGMP_TYPE:
    case FIELD_IGMP_CODE:
    case FIELD_IGMP_GROUP:
        return REASON_MATCH_IGMP;
    case FIELD_MPLS2_LSE:
    case FIELD_MPLS3_LSE:
        return REASON_MATCH_MPLS_DEPTH;
    case FIELD_RECIRC_ID:
        return REASON_CHAIN_PARENT_NOT_OFFLOADED;
    default:
        return f >= FIELD_TUN_GBP_ID && f <= FIELD_TUN_MD63 ? REASON_MATCH_TUNNEL_OPT
                                                            : REASON_MATCH_UNSUPPORTED_FIELD;
    }
}

static bool
has_bits(const struct flow_mask *left, const struct field_info *f)
{
    const uint8_t *b = (const uint8_t *) left + f->offset;
    for (size_t i = 0; i < f->size; i++) {
        if (b[i]) {
            return true;
        }
    }
    return false;
}

bool
ofl_refuse_match(const struct flow_match *m, const struct flow_mask *left, struct reason *r)
{
    enum field_id found = FIELD_COUNT;
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct field_info *f = field_get((enum field_id) i);
        if (field_is_view(f) || !has_bits(left, f)) {
            continue;
        }
        if (field_prereqs_met(f, &m->key, NULL)) {
            found = f->id;
            break;
        }
        if (found == FIELD_COUNT) {
            found = f->id;
        }
    }
    reason_set(r, found == FIELD_COUNT ? REASON_MATCH_UNSUPPORTED_FIELD : code_of_field(found),
               found, 0, NULL);
    return false;
}

// --- Actions. ---

static const struct {
    enum reason_code code;
    const char *name;
} actions[DP_ACT_COUNT] = {
    [DP_ACT_SET] = {REASON_ACT_SET_FIELD, "set"},
    [DP_ACT_PUSH_MPLS] = {REASON_ACT_UNSUPPORTED, "push_mpls"},
    [DP_ACT_POP_MPLS] = {REASON_ACT_UNSUPPORTED, "pop_mpls"},
    [DP_ACT_PUSH_ETH] = {REASON_ACT_UNSUPPORTED, "push_eth"},
    [DP_ACT_POP_ETH] = {REASON_ACT_UNSUPPORTED, "pop_eth"},
    [DP_ACT_PUSH_NSH] = {REASON_ACT_NSH, "push_nsh"},
    [DP_ACT_POP_NSH] = {REASON_ACT_NSH, "pop_nsh"},
    [DP_ACT_SET_TUNNEL] = {REASON_ACT_UNSUPPORTED, "set(tunnel)"},
    [DP_ACT_RECIRC] = {REASON_ACT_UNSUPPORTED, "recirc"},
    [DP_ACT_HASH] = {REASON_ACT_HASH, "hash"},
    [DP_ACT_CT] = {REASON_ACT_UNSUPPORTED, "ct"},
    [DP_ACT_CT_CLEAR] = {REASON_ACT_UNSUPPORTED, "ct_clear"},
    [DP_ACT_METER] = {REASON_ACT_UNSUPPORTED, "meter"},
    [DP_ACT_TRUNC] = {REASON_ACT_TRUNC, "trunc"},
    [DP_ACT_SAMPLE] = {REASON_ACT_SAMPLE, "sample"},
    [DP_ACT_CLONE] = {REASON_ACT_CLONE, "clone"},
    [DP_ACT_CHECK_PKT_LEN] = {REASON_ACT_UNSUPPORTED, "check_pkt_len"},
    [DP_ACT_DEC_TTL] = {REASON_ACT_UNSUPPORTED, "dec_ttl"},
    [DP_ACT_LB_OUTPUT] = {REASON_ACT_HASH, "lb_output"},
};

bool
ofl_refuse_action(struct reason *r, const struct dp_act *a)
{
    if (a->type == DP_ACT_USERSPACE) {
        const struct dp_act_userspace *u = (const struct dp_act_userspace *) (const void *) a;
        switch (u->kind) {
        case DP_USER_SLOW_PATH:
            return ofl_refuse_field(r, REASON_ACT_SLOW_PATH, FIELD_COUNT, "");
        case DP_USER_CONTROLLER:
            return ofl_refuse_field(r, REASON_ACT_CONTROLLER, FIELD_COUNT, "");
        case DP_USER_SFLOW:
            return ofl_refuse_field(r, REASON_ACT_SAMPLE, FIELD_COUNT, "sFlow");
        case DP_USER_FLOW_SAMPLE:
        case DP_USER_IPFIX:
            return ofl_refuse_field(r, REASON_ACT_SAMPLE, FIELD_COUNT, "IPFIX");
        default:
            return ofl_refuse_field(r, REASON_ACT_USERSPACE, FIELD_COUNT, "");
        }
    }
    const bool known = a->type < DP_ACT_COUNT && actions[a->type].name;
    return ofl_refuse_field(r, known ? actions[a->type].code : REASON_ACT_UNSUPPORTED, FIELD_COUNT,
                            known ? actions[a->type].name : "unknown action");
}

// --- The kernel's answer. ---

static const struct {
    const char *words;
    enum reason_code code;
} missing[] = {
    {"TC classifier not found", REASON_KERNEL_NO_FLOWER},
    {"Failed to load TC action module", REASON_KERNEL_REJECTED},
    {"Specified qdisc kind is unknown", REASON_KERNEL_NO_CLSACT},
};

void
ofl_refuse_kernel(struct reason *r, int error, const char *extack, bool hw)
{
    const char *words = extack ? extack : "";
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
        if (strstr(words, missing[i].words)) {
            reason_set(r, missing[i].code, FIELD_COUNT, error, "%s", words);
            return;
        }
    }
    if (error == -ENOENT && !extack) {
        reason_set(r, REASON_KERNEL_NO_FLOWER, FIELD_COUNT, error, NULL);
        return;
    }
    const enum reason_code code =
        hw ? error == -ENOSPC ? REASON_HW_NO_SPACE : REASON_HW_REJECTED : REASON_KERNEL_REJECTED;
    reason_set(r, code, FIELD_COUNT, error, "%s", words);
}
