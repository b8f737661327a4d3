// SPDX-License-Identifier: Apache-2.0
// Which filters need no look. Where a filter went is told by an echo of all of it, which costs
// nearly as much as the filter itself. A NIC that took many in a row, has room, and has had one of
// the same kind is believed to take the next one, too; one of every few is looked at all the same.
//
// Who was believed wrongly is found by the next dump, which comes for the counters anyway: it says
// of each filter where it is. Until then such a flow is forwarded by tc's software.
//
// Under dp's mutex.
#include "config.h"

#include "lib/base/hash.h"
#include "offload/ofl_private.h"

#define ENOUGH 64  // in a row
#define LOOK 16    // one of so many
#define MARGIN 512 // rules below a known capacity: rules of a batch are counted when it is done

// What decides for a NIC whether it can: fields and actions, and of the values those that say which
// headers there are. Never 0.
uint32_t
ofl_trust_kind(const struct flow_match *m, const struct dp_actions *acts)
{
    const uint64_t *words = flow_mask_words(&m->mask);
    uint32_t h = hash_u64((uint64_t) m->key.eth_type << 32 | (uint64_t) m->key.vlan[0].tpid << 16 |
                              m->key.vlan[1].tpid,
                          m->key.nw_proto);
    h = hash_u64((uint64_t) m->key.in_port << 32 | m->key.nw_frag, h);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (words[i]) {
            h = hash_u64(words[i] ^ i, h);
        }
    }
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, acts->data, acts->len) {
        h = hash_u64(a->type, h);
        if (a->type == DP_ACT_OUTPUT) {
            h = hash_u64(((const struct dp_act_output *) (const void *) a)->port, h);
        } else if (a->type == DP_ACT_SET) {
            h = hash_u64(((const struct dp_act_set *) (const void *) a)->field, h);
        }
    }
    return h ? h : 1;
}

static uint32_t *
kind_slot(struct ofl_nic *nic, uint32_t kind)
{
    return &nic->kinds[kind % ARRAY_SIZE(nic->kinds)];
}

bool
ofl_trust(struct ofl_nic *nic, uint32_t kind)
{
    return nic->in_a_row >= ENOUGH && *kind_slot(nic, kind) == kind &&
           (!nic->capacity || nic->rules + MARGIN < nic->capacity) && ++nic->taken % LOOK;
}

void
ofl_trust_learn(struct ofl_nic *nic, uint32_t kind, bool in_hw)
{
    if (in_hw) {
        nic->in_a_row = (uint16_t) MIN(nic->in_a_row + 1, ENOUGH);
        *kind_slot(nic, kind) = kind;
    } else {
        nic->in_a_row = 0;
        *kind_slot(nic, kind) = 0;
    }
}

void
ofl_trust_lost(struct ofl_nic *nic)
{
    nic->in_a_row = 0;
    memset(nic->kinds, 0, sizeof nic->kinds);
}
