// SPDX-License-Identifier: Apache-2.0
// The two hash tables of a subtable, with open addressing, for one writer and RCU readers: rules by the hash of their key,
// and counted hashes of the key's first stages. A table that is full is replaced by a copy.
#ifndef LIB_FLOW_CLASSIFIER_TABLE_H
#define LIB_FLOW_CLASSIFIER_TABLE_H 1

#include "lib/base/util.h"

struct cls_rule;

struct cls_slot {
    struct cls_rule *rule; // NULL: never used; CLS_TOMB: no longer used; else the first rule of a key
    uint32_t hash;
    int32_t priority; // of the rule (a copy, for scans)
};
#define CLS_TOMB ((struct cls_rule *) (uintptr_t) 1)

struct cls_table {
    uint32_t mask;   // slots - 1
    uint32_t n_used; // slots that are not NULL (writer)
    uint32_t n_live; // slots with a rule (writer)
    struct cls_slot slots[];
};

// Finds the next slot with `hash`: start with i = hash. False: there is none; after true, continue with i + 1.
static inline bool
cls_table_next(const struct cls_table *t, uint32_t hash, uint32_t *i, struct cls_rule **rule)
{
    for (;; ++*i) {
        const struct cls_slot *s = &t->slots[*i & t->mask];
        struct cls_rule *r = __atomic_load_n(&s->rule, __ATOMIC_ACQUIRE);
        if (!r) {
            return false;
        }
        if (r != CLS_TOMB && __atomic_load_n(&s->hash, __ATOMIC_RELAXED) == hash) {
            *rule = r;
            return true;
        }
    }
}

// Puts a rule into a free slot; *table is replaced when it is full.
void cls_table_insert(struct cls_table **table, struct cls_rule *, uint32_t hash, int32_t priority);
// Empties slot i; replaces a table that became much too big when `may_shrink`.
void cls_table_remove(struct cls_table **table, uint32_t i, bool may_shrink);

static inline void
cls_table_set(struct cls_table *t, uint32_t i, struct cls_rule *rule, int32_t priority)
{
    struct cls_slot *s = &t->slots[i & t->mask];
    __atomic_store_n(&s->priority, priority, __ATOMIC_RELAXED);
    __atomic_store_n(&s->rule, rule, __ATOMIC_RELEASE);
}

struct cls_index_slot {
    uint32_t hash;  // 0: never used
    uint32_t count; // 0: no longer used
};

struct cls_index {
    uint32_t mask;
    uint32_t n_used;
    uint32_t n_live;
    struct cls_index_slot slots[];
};

static inline bool
cls_index_has(const struct cls_index *t, uint32_t hash)
{
    hash += !hash;
    for (uint32_t i = hash;; i++) {
        const struct cls_index_slot *s = &t->slots[i & t->mask];
        uint32_t h = __atomic_load_n(&s->hash, __ATOMIC_ACQUIRE);
        if (h == hash) {
            return __atomic_load_n(&s->count, __ATOMIC_RELAXED);
        }
        if (!h) {
            return false;
        }
    }
}

void cls_index_add(struct cls_index **, uint32_t hash);
void cls_index_remove(struct cls_index *, uint32_t hash); // must be in it

#endif
