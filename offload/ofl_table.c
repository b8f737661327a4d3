// SPDX-License-Identifier: Apache-2.0
// The filters that are there, by flow id: what tc needs to name one (device, priority, handle), and
// what its counters are corrected by. Under dp's mutex.
#include "config.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "offload/ofl_private.h"

#define BLOCK 1024
#define FIRST_BUCKETS 1024

static uint32_t
hash_id(const struct flow_id *id)
{
    return hash_u64(id->w[0], 0);
}

static struct ofl_flow *
flow_at(const struct ofl_table *t, uint32_t number)
{
    return &t->blocks[(number - 1) / BLOCK][(number - 1) % BLOCK];
}

// *at: its number, where there is one.
static inline struct ofl_flow *
find(const struct ofl_table *t, const struct flow_id *id, uint32_t *at)
{
    for (uint32_t i = t->n ? t->buckets[hash_id(id) & t->mask] : 0; i;) {
        struct ofl_flow *f = flow_at(t, i);
        if (flow_id_equals(&f->id, id)) {
            *at = i;
            return f;
        }
        i = f->next;
    }
    return NULL;
}

struct ofl_flow *
ofl_table_find(struct dp *dp, const struct flow_id *id)
{
    uint32_t at;
    return find(&dp->flows, id, &at);
}

struct ofl_flow *
ofl_table_find_next(struct dp *dp, const struct flow_id *id, uint32_t *at)
{
    const struct ofl_table *t = &dp->flows;
    struct ofl_flow *f = *at < t->n_used ? flow_at(t, ++*at) : NULL;
    if (!f || !f->ifindex || !flow_id_equals(&f->id, id)) {
        f = find(t, id, at);
    }
    return f;
}

struct ofl_flow *
ofl_table_each(struct dp *dp, uint32_t *pos)
{
    while (*pos < dp->flows.n_used) {
        struct ofl_flow *f = flow_at(&dp->flows, ++*pos);
        if (f->ifindex) {
            return f;
        }
    }
    return NULL;
}

static void
link_flow(struct ofl_table *t, uint32_t number)
{
    struct ofl_flow *f = flow_at(t, number);
    uint32_t *bucket = &t->buckets[hash_id(&f->id) & t->mask];
    f->next = *bucket;
    *bucket = number;
}

static void
grow_buckets(struct ofl_table *t)
{
    const uint32_t n = t->mask ? 2 * (t->mask + 1) : FIRST_BUCKETS;
    free(t->buckets);
    t->buckets = base_calloc(n, sizeof *t->buckets);
    t->mask = n - 1;
    for (uint32_t i = 1; i <= t->n_used; i++) {
        if (flow_at(t, i)->ifindex) {
            link_flow(t, i);
        }
    }
}

static uint32_t
take_number(struct ofl_table *t)
{
    uint32_t number = t->free;
    if (number) {
        t->free = flow_at(t, number)->next;
        return number;
    }
    if (t->n_used == t->n_blocks * BLOCK) {
        if (t->n_blocks == t->cap_blocks) {
            t->blocks = base_grow(t->blocks, &t->cap_blocks, sizeof(*t->blocks));
        }
        t->blocks[t->n_blocks++] = base_malloc(BLOCK * sizeof **t->blocks);
    }
    return ++t->n_used;
}

struct ofl_flow *
ofl_table_add(struct dp *dp, const struct flow_id *id, const struct ofl_filter *f)
{
    struct ofl_table *t = &dp->flows;
    const uint32_t number = take_number(t);
    struct ofl_flow *flow = flow_at(t, number);
    *flow = (struct ofl_flow){.id = *id,
                              .ifindex = f->ifindex,
                              .handle = f->handle,
                              .prio = f->prio,
                              .protocol = f->protocol,
                              .local = f->local};
    t->n++;
    if (!t->mask || t->n > 2 * t->mask) {
        grow_buckets(t); // it too
    } else {
        link_flow(t, number);
    }
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

uint32_t
ofl_table_next(const struct ofl_flow *f)
{
    return f->told ? f->told->next_handle : 0;
}

void
ofl_table_set_next(struct ofl_flow *f, uint32_t handle)
{
    if (handle || f->told) {
        ofl_told(f)->next_handle = handle;
    }
}

struct ofl_nic *
ofl_table_nic(struct dp *dp, const struct ofl_flow *f)
{
    return f->nic ? dp->nic_list[f->nic - 1] : NULL;
}

void
ofl_table_in_hw(struct dp *dp, struct ofl_flow *f, struct ofl_nic *nic)
{
    if (f->nic) {
        ofl_table_nic(dp, f)->rules--;
    }
    f->nic = nic ? (uint16_t) nic->number : 0;
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
    struct ofl_table *t = &dp->flows;
    uint32_t *at = &t->buckets[hash_id(&f->id) & t->mask];
    while (flow_at(t, *at) != f) {
        at = &flow_at(t, *at)->next;
    }
    const uint32_t number = *at;
    *at = f->next;
    ofl_table_in_hw(dp, f, NULL);
    free(f->told);
    f->ifindex = 0;
    f->next = t->free;
    t->free = number;
    t->n--;
}

void
ofl_table_free(struct dp *dp)
{
    struct ofl_flow *f;
    for (uint32_t pos = 0; (f = ofl_table_each(dp, &pos));) {
        ofl_table_remove(dp, f);
    }
    for (size_t i = 0; i < dp->flows.n_blocks; i++) {
        free(dp->flows.blocks[i]);
    }
    free(dp->flows.blocks);
    free(dp->flows.buckets);
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
