// SPDX-License-Identifier: Apache-2.0
// Building, copying and comparing arrays of datapath actions. See dp_actions.h.
#include "lib/flow/dp_actions.h"

#include <stdlib.h>

#include "lib/base/hash.h"

void
dp_actions_init(struct dp_actions *acts)
{
    *acts = (struct dp_actions) DP_ACTIONS_INIT;
}

void
dp_actions_free(struct dp_actions *acts)
{
    free(acts->data);
    dp_actions_init(acts);
}

void
dp_actions_clear(struct dp_actions *acts)
{
    acts->len = 0;
}

void
dp_actions_copy(struct dp_actions *dst, const struct dp_actions *src)
{
    dst->data = src->len ? base_memdup(src->data, src->len) : NULL;
    dst->len = dst->cap = src->len;
}

bool
dp_actions_equal(const struct dp_actions *a, const struct dp_actions *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

uint32_t
dp_actions_hash(const struct dp_actions *acts, uint32_t seed)
{
    return hash_words((const uint64_t *) (const void *) acts->data, acts->len / 8, seed);
}

void *
dp_actions_add(struct dp_actions *acts, enum dp_act_type type, size_t size)
{
    size = ROUND_UP(size, 8);
    if (acts->cap - acts->len < size) {
        acts->cap = MAX(acts->cap * 2, ROUND_UP(acts->len + (uint32_t) size, 64));
        acts->data = base_realloc(acts->data, acts->cap);
    }
    struct dp_act *a = (struct dp_act *) (void *) (acts->data + acts->len);
    memset(a, 0, size);
    a->type = type;
    a->len = size;
    acts->len += size;
    return a;
}

void
dp_actions_add_output(struct dp_actions *acts, uint32_t port)
{
    struct dp_act_output *a = dp_actions_add(acts, DP_ACT_OUTPUT, sizeof *a);
    a->port = port;
}

void
dp_actions_add_u32(struct dp_actions *acts, enum dp_act_type type, uint32_t value)
{
    struct dp_act_u32 *a = dp_actions_add(acts, type, sizeof *a);
    a->value = value;
}

void
dp_actions_add_set(struct dp_actions *acts, const struct field_info *f,
                   const union field_value *value, const union field_value *mask)
{
    struct dp_act_set *a = dp_actions_add(acts, DP_ACT_SET, sizeof *a);
    const size_t n = MIN(f->n_bytes, sizeof a->value), skip = FIELD_VALUE_BYTES - n;
    union field_value exact;

    field_value_exact(f, &exact);
    a->field = f->id;
    a->n_bytes = n;
    for (size_t i = 0; i < n; i++) {
        a->mask[i] = exact.b[skip + i] & (mask ? mask->b[skip + i] : 0xff);
        a->value[i] = value->b[skip + i] & a->mask[i];
    }
}

size_t
dp_actions_begin(struct dp_actions *acts, enum dp_act_type type, size_t size)
{
    size_t ofs = acts->len;
    dp_actions_add(acts, type, size);
    return ofs;
}

void
dp_actions_end(struct dp_actions *acts, size_t ofs)
{
    struct dp_act *a = (struct dp_act *) (void *) (acts->data + ofs);
    a->len = acts->len - ofs;
}

size_t
dp_act_fixed_size(enum dp_act_type type)
{
    static const uint8_t sizes[DP_ACT_COUNT] = {
        [DP_ACT_OUTPUT] = sizeof(struct dp_act_output),
        [DP_ACT_DROP] = sizeof(struct dp_act_drop),
        [DP_ACT_USERSPACE] = sizeof(struct dp_act_userspace),
        [DP_ACT_SET] = sizeof(struct dp_act_set),
        [DP_ACT_PUSH_VLAN] = sizeof(struct dp_act_push_vlan),
        [DP_ACT_POP_VLAN] = sizeof(struct dp_act),
        [DP_ACT_PUSH_MPLS] = sizeof(struct dp_act_push_mpls),
        [DP_ACT_POP_MPLS] = sizeof(struct dp_act_pop_mpls),
        [DP_ACT_PUSH_ETH] = sizeof(struct dp_act_push_eth),
        [DP_ACT_POP_ETH] = sizeof(struct dp_act),
        [DP_ACT_PUSH_NSH] = sizeof(struct dp_act_push_nsh),
        [DP_ACT_POP_NSH] = sizeof(struct dp_act),
        [DP_ACT_SET_TUNNEL] = sizeof(struct dp_act_set_tunnel),
        [DP_ACT_RECIRC] = sizeof(struct dp_act_u32),
        [DP_ACT_HASH] = sizeof(struct dp_act_hash),
        [DP_ACT_CT] = sizeof(struct dp_act_ct),
        [DP_ACT_CT_CLEAR] = sizeof(struct dp_act),
        [DP_ACT_METER] = sizeof(struct dp_act_u32),
        [DP_ACT_TRUNC] = sizeof(struct dp_act_u32),
        [DP_ACT_SAMPLE] = sizeof(struct dp_act_sample),
        [DP_ACT_CLONE] = sizeof(struct dp_act),
        [DP_ACT_CHECK_PKT_LEN] = sizeof(struct dp_act_check_pkt_len),
        [DP_ACT_DEC_TTL] = sizeof(struct dp_act),
        [DP_ACT_LB_OUTPUT] = sizeof(struct dp_act_u32),
    };
    return (unsigned) type < DP_ACT_COUNT ? sizes[type] : sizeof(struct dp_act);
}
