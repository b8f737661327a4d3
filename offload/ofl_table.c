// SPDX-License-Identifier: Apache-2.0
// The filters that are there, by flow id: what tc needs to name one (device, priority, handle), and
// what its counters are corrected by. Under dp's mutex.
#include "config.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "offload/ofl_private.h"

static uint32_t
hash_id(const struct flow_id *id)
{
    return hash_u64(id->w[0], 0);
}

struct ofl_flow *
ofl_table_find(struct dp *dp, const struct flow_id *id)
{
    struct ofl_flow *f;
    HMAP_FOR_EACH_HASH(f, by_id, hash_id(id), &dp->flows)
    {
        if (flow_id_equals(&f->id, id)) {
            return f;
        }
    }
    return NULL;
}

struct ofl_flow *
ofl_table_add(struct dp *dp, const struct flow_id *id, const struct ofl_filter *f)
{
    struct ofl_flow *flow = pool_alloc(&dp->flow_pool);
    flow->id = *id;
    flow->ifindex = f->ifindex;
    flow->handle = f->handle;
    flow->prio = f->prio;
    flow->protocol = f->protocol;
    flow->local = f->local;
    hmap_insert(&dp->flows, &flow->by_id, hash_id(id));
    // Handles of an earlier run stay theirs.
    if (f->handle >= dp->next_handle) {
        dp->next_handle = f->handle + 1;
    }
    return flow;
}

struct ofl_told *
ofl_told(struct ofl_flow *f)
{
    if (!f->told) {
        f->told = base_calloc(1, sizeof *f->told);
    }
    return f->told;
}

void
ofl_table_in_hw(struct ofl_flow *f, struct ofl_nic *nic)
{
    if (f->nic) {
        f->nic->rules--;
    }
    f->nic = nic;
    f->in_hw = nic != NULL;
    if (nic) {
        nic->rules++;
        if (nic->capacity && nic->rules > nic->capacity) {
            nic->capacity = 0; // it has grown: not known any more
        }
    }
}

void
ofl_table_remove(struct dp *dp, struct ofl_flow *f)
{
    ofl_table_in_hw(f, NULL);
    hmap_remove(&dp->flows, &f->by_id);
    free(f->told);
    pool_free(&dp->flow_pool, f);
}

uint32_t
ofl_table_handle(struct dp *dp)
{
    // 1 … 2^31: what flower's allocator is fast with; a wrap takes months, and meets -EEXIST then.
    if (dp->next_handle >= INT32_MAX || !dp->next_handle) {
        dp->next_handle = 1;
    }
    return dp->next_handle++;
}
