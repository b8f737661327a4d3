// SPDX-License-Identifier: Apache-2.0
// Hash tables of subtables. See classifier_table.h.
#include "lib/flow/classifier_table.h"

#include <stdlib.h>

#include "lib/base/rcu.h"

#define MIN_SLOTS 4

static uint32_t
capacity_for(uint32_t n)
{
    uint32_t cap = MIN_SLOTS;
    while (cap < n * 2) {
        cap *= 2;
    }
    return cap;
}

static struct cls_slot *
free_slot(struct cls_table *t, uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        struct cls_slot *s = &t->slots[i & t->mask];
        if (!s->rule || s->rule == CLS_TOMB) {
            return s;
        }
    }
}

// A copy with room for n rules takes the place of *table.
static void
table_replace(struct cls_table **table, uint32_t n)
{
    struct cls_table *old = *table;
    uint32_t cap = capacity_for(n);
    struct cls_table *t = base_calloc(1, sizeof *t + cap * sizeof t->slots[0]);
    t->mask = cap - 1;
    for (uint32_t i = 0; old && i <= old->mask; i++) {
        const struct cls_slot *s = &old->slots[i];
        if (s->rule && s->rule != CLS_TOMB) {
            *free_slot(t, s->hash) = *s;
            t->n_live++;
        }
    }
    t->n_used = t->n_live;
    rcu_set(*table, t);
    rcu_free_later(old);
}

void
cls_table_insert(struct cls_table **table, struct cls_rule *rule, uint32_t hash, int32_t priority)
{
    struct cls_table *t = *table;
    if (!t || (t->n_used + 1) * 4 > (t->mask + 1) * 3) {
        table_replace(table, t ? t->n_live + 1 : 1);
        t = *table;
    }
    struct cls_slot *s = free_slot(t, hash);
    t->n_used += !s->rule;
    t->n_live++;
    __atomic_store_n(&s->hash, hash, __ATOMIC_RELAXED);
    __atomic_store_n(&s->priority, priority, __ATOMIC_RELAXED);
    __atomic_store_n(&s->rule, rule, __ATOMIC_RELEASE);
}

void
cls_table_remove(struct cls_table **table, uint32_t i, bool may_shrink)
{
    struct cls_table *t = *table;
    __atomic_store_n(&t->slots[i & t->mask].rule, CLS_TOMB, __ATOMIC_RELEASE);
    t->n_live--;
    if (may_shrink && t->mask > 63 && t->n_live * 16 < t->mask) {
        table_replace(table, t->n_live);
    }
}

static struct cls_index_slot *
index_slot(struct cls_index *t, uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        struct cls_index_slot *s = &t->slots[i & t->mask];
        if (!s->hash || s->hash == hash) {
            return s;
        }
    }
}

static void
index_replace(struct cls_index **index)
{
    struct cls_index *old = *index;
    uint32_t cap = capacity_for(old ? old->n_live + 1 : 1);
    struct cls_index *t = base_calloc(1, sizeof *t + cap * sizeof t->slots[0]);
    t->mask = cap - 1;
    for (uint32_t i = 0; old && i <= old->mask; i++) {
        if (old->slots[i].count) {
            *index_slot(t, old->slots[i].hash) = old->slots[i];
            t->n_live++;
        }
    }
    t->n_used = t->n_live;
    rcu_set(*index, t);
    rcu_free_later(old);
}

void
cls_index_add(struct cls_index **index, uint32_t hash)
{
    hash += !hash;
    struct cls_index_slot *s = *index ? index_slot(*index, hash) : NULL;
    if (!s || (!s->hash && ((*index)->n_used + 1) * 4 > ((*index)->mask + 1) * 3)) {
        index_replace(index);
        s = index_slot(*index, hash);
    }
    (*index)->n_live += !s->count;
    (*index)->n_used += !s->hash;
    __atomic_store_n(&s->count, s->count + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&s->hash, hash, __ATOMIC_RELEASE);
}

void
cls_index_remove(struct cls_index *t, uint32_t hash)
{
    hash += !hash;
    struct cls_index_slot *s = index_slot(t, hash);
    __atomic_store_n(&s->count, s->count - 1, __ATOMIC_RELAXED);
    t->n_live -= !s->count;
}
