// SPDX-License-Identifier: Apache-2.0
// The writer's side of the classifier: subtables, insertion, removal, walks, publication. See
// classifier.h, classifier_private.h.
#include "lib/flow/classifier.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/flow/classifier_private.h"

// Each insertion or removal pays for looking at this many slots.
#define SCAN_CREDIT 16

struct cls *
cls_new(void)
{
    static const enum field_id prefixes[] = {FIELD_NW_DST, FIELD_NW_SRC, FIELD_IPV6_DST,
                                             FIELD_IPV6_SRC};
    struct cls *cls = base_calloc(1, sizeof *cls);
    hmap_init(&cls->by_mask);
    cls_set_prefix_fields(cls, prefixes, ARRAY_SIZE(prefixes));
    return cls;
}

static void
subtable_free(void *st_)
{
    struct cls_subtable *st = st_;
    cls_mask_unref(st->mask);
    free(st->table);
    for (size_t s = 0; s < FLOW_N_STAGES - 1; s++) {
        free(st->index[s]);
    }
    free(st);
}

static void
free_all(void *cls_)
{
    struct cls *cls = cls_;
    struct cls_subtable *st;
    HMAP_FOR_EACH_SAFE (st, by_mask, &cls->by_mask) {
        subtable_free(st);
    }
    hmap_destroy(&cls->by_mask);
    for (uint32_t i = 0; i < cls->n_prefixes; i++) {
        cls_trie_destroy(&cls->prefixes[i].trie);
    }
    free(cls->vec);
    free(cls->gone);
    free(cls);
}

void
cls_free(struct cls *cls)
{
    if (cls) {
        rcu_defer(free_all, cls);
    }
}

size_t
cls_count(const struct cls *cls)
{
    return cls->n_rules;
}

size_t
cls_n_subtables(const struct cls *cls)
{
    return cls->n_subtables;
}

// The readers' view.

static int
compare_entries(const void *a_, const void *b_)
{
    const struct cls_vec_entry *a = a_, *b = b_;
    if (a->bound != b->bound) {
        return a->bound < b->bound ? 1 : -1;
    }
    uint32_t x = a->subtable->by_mask.hash, y = b->subtable->by_mask.hash;
    return x < y ? -1 : x > y;
}

static void
vec_publish(struct cls *cls, struct cls_vec *vec)
{
    struct cls_vec *old = cls->vec;
    rcu_set(cls->vec, vec);
    rcu_free_later(old);
}

// Forgets subtables without rules.
static void
drop_empty(struct cls *cls)
{
    struct cls_subtable *st;
    HMAP_FOR_EACH_SAFE (st, by_mask, &cls->by_mask) {
        if (!st->n_rules) {
            hmap_remove(&cls->by_mask, &st->by_mask);
            rcu_defer(subtable_free, st);
        }
    }
    hmap_shrink(&cls->by_mask);
}

// Empty subtables stay in the readers' view until they are many.
static bool
many_empty(const struct cls *cls)
{
    return hmap_count(&cls->by_mask) - cls->n_subtables > cls->n_subtables + 8;
}

static void
vec_rebuild(struct cls *cls)
{
    struct cls_vec *vec = base_malloc(sizeof *vec + cls->n_subtables * sizeof vec->e[0]);
    struct cls_subtable *st;
    vec->n = 0;
    HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
        if (st->n_rules) {
            vec->e[vec->n++] = (struct cls_vec_entry){st->max | CLS_BOUND_STEP, st->max, st};
        }
    }
    qsort(vec->e, vec->n, sizeof vec->e[0], compare_entries);
    vec_publish(cls, vec);
    drop_empty(cls); // nobody can find them any more
    cls->dirty = false;
}

// A copy of the readers' view in which st stands where its bound belongs.
static void
vec_place(struct cls *cls, struct cls_subtable *st)
{
    const struct cls_vec *old = cls->vec;
    uint32_t n_old = old ? old->n : 0;
    struct cls_vec *vec = base_malloc(sizeof *vec + (n_old + 1) * sizeof vec->e[0]);
    struct cls_vec_entry e = {st->max | CLS_BOUND_STEP, st->max, st};
    bool placed = false;

    vec->n = 0;
    for (uint32_t i = 0; i < n_old; i++) {
        if (old->e[i].subtable == st) {
            continue;
        }
        if (!placed && old->e[i].bound <= e.bound) {
            vec->e[vec->n++] = e;
            placed = true;
        }
        vec->e[vec->n++] = old->e[i];
    }
    if (!placed) {
        vec->e[vec->n++] = e;
    }
    vec_publish(cls, vec);
}

static struct cls_vec_entry *
vec_find(struct cls *cls, struct cls_subtable *st)
{
    struct cls_vec *vec = cls->vec;
    if (!vec || (st->pos < vec->n && vec->e[st->pos].subtable == st)) {
        return vec ? &vec->e[st->pos] : NULL;
    }
    for (uint32_t i = 0; i < vec->n; i++) {
        if (vec->e[i].subtable == st) {
            st->pos = i;
            return &vec->e[i];
        }
    }
    return NULL;
}

static void
set_max(struct cls *cls, struct cls_subtable *st, int32_t max)
{
    // Behind those that have this one already, or, coming from above, in front of them.
    const uint32_t n = max > st->max ? ++cls->n_raised : ++cls->n_lowered;
    st->place = max > st->max ? (int32_t) (n & INT32_MAX) : -(int32_t) (n & INT32_MAX);
    st->max = max;
    struct cls_vec_entry *e = vec_find(cls, st);
    if (e) {
        __atomic_store_n(&e->max, max, __ATOMIC_RELAXED);
    }
    if (max < 0 || (e && max <= e->bound)) {
        return;
    }
    if (cls->deferred) {
        cls->dirty = true;
    } else {
        vec_place(cls, st);
    }
}

// Prefixes.

// Where a tracked field's mask is a prefix: its length; else 0.
static unsigned
prefix_length(const struct minimask *mask, const struct cls_prefix_field *f)
{
    struct flow_mask full;
    struct cls_prefix p;
    minimask_expand(mask, &full);
    cls_prefix_load(&p, (const uint8_t *) &full + f->offset, f->size);
    unsigned n = 0;
    while (n < f->size * 8u && p.w[n / 32] >> (31 - n % 32) & 1) {
        n++;
    }
    for (unsigned i = n; i < f->size * 8u; i++) {
        if (p.w[i / 32] >> (31 - i % 32) & 1) {
            return 0;
        }
    }
    return n;
}

// The field's bytes in a sparse key.
static void
rule_prefix(const struct cls_subtable *st, const uint64_t *key, const struct cls_prefix_field *f,
            struct cls_prefix *out)
{
    uint64_t words[3] = {0, 0, 0};
    unsigned first = f->offset / 8, last = (f->offset + f->size - 1) / 8;
    for (unsigned i = 0; i < st->n; i++) {
        if (st->words[i] >= first && st->words[i] <= last) {
            words[st->words[i] - first] = key[i];
        }
    }
    cls_prefix_load(out, (const uint8_t *) words + f->offset % 8, f->size);
}

static void
forget_gone(struct cls *cls)
{
    free(cls->gone);
    cls->gone = NULL;
    cls->n_gone = cls->cap_gone = 0;
}

static void
update_tries(struct cls *cls, const struct cls_rule *r, bool insert)
{
    const struct cls_subtable *st = r->subtable;
    for (uint32_t i = 0; i < cls->n_prefixes; i++) {
        if (st->plen[i]) {
            struct cls_prefix p;
            rule_prefix(st, r->key, &cls->prefixes[i], &p);
            if (insert) {
                cls_trie_insert(&cls->prefixes[i].trie, &p, st->plen[i]);
            } else {
                cls_trie_remove(&cls->prefixes[i].trie, &p, st->plen[i]);
            }
        }
    }
}

// A key leaves its subtable.
static void
forget_prefixes(struct cls *cls, const struct cls_rule *r)
{
    const struct cls_subtable *st = r->subtable;
    if (!cls->deferred) {
        update_tries(cls, r, false);
        return;
    }
    if (!cls->stale && cls->n_gone > cls->n_rules) {
        cls->stale = true;
        forget_gone(cls);
    }
    for (uint32_t i = 0; !cls->stale && i < cls->n_prefixes; i++) {
        if (st->plen[i]) {
            if (cls->n_gone == cls->cap_gone) {
                cls->gone = base_grow(cls->gone, &cls->cap_gone, sizeof *cls->gone);
            }
            struct cls_gone *g = &cls->gone[cls->n_gone++];
            g->plen = st->plen[i];
            g->field = (uint8_t) i;
            rule_prefix(st, r->key, &cls->prefixes[i], &g->prefix);
        }
    }
}

// The tries hold each key of a subtable once, however many rules have it.
static void
add_keys(const struct cls_subtable *st, const struct cls_prefix_field *f, unsigned plen,
         struct cls_trie *trie)
{
    for (uint32_t i = 0; plen && st->table && i <= st->table->mask; i++) {
        const struct cls_rule *r = st->table->slots[i].rule;
        if (r && r != CLS_TOMB) {
            struct cls_prefix p;
            rule_prefix(st, r->key, f, &p);
            cls_trie_insert(trie, &p, plen);
        }
    }
}

static void
add_subtable_to_trie(struct cls *cls, struct cls_subtable *st, uint32_t f)
{
    unsigned plen = prefix_length(st->mask, &cls->prefixes[f]);
    add_keys(st, &cls->prefixes[f], plen, &cls->prefixes[f].trie);
    __atomic_store_n(&st->plen[f], plen, __ATOMIC_RELEASE);
}

// Has the tries hold what the subtables hold: without what is gone, or anew.
static void
settle_tries(struct cls *cls)
{
    for (size_t i = 0; i < cls->n_gone; i++) {
        const struct cls_gone *g = &cls->gone[i];
        cls_trie_remove(&cls->prefixes[g->field].trie, &g->prefix, g->plen);
    }
    forget_gone(cls);
    for (uint32_t f = 0; cls->stale && f < cls->n_prefixes; f++) {
        struct cls_trie fresh = {NULL, NULL};
        struct cls_subtable *st;
        HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
            add_keys(st, &cls->prefixes[f], st->plen[f], &fresh);
        }
        cls_trie_replace(&cls->prefixes[f].trie, &fresh);
    }
    cls->stale = false;
}

void
cls_defer(struct cls *cls)
{
    cls->deferred = true;
}

void
cls_publish(struct cls *cls)
{
    cls->deferred = false;
    settle_tries(cls);
    if (cls->dirty || (many_empty(cls) && !cls->walking)) {
        vec_rebuild(cls);
    }
}

void
cls_set_prefix_fields(struct cls *cls, const enum field_id fields[], size_t n)
{
    struct cls_subtable *st;
    HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
        for (uint32_t i = 0; i < CLS_MAX_PREFIX_FIELDS; i++) {
            __atomic_store_n(&st->plen[i], 0, __ATOMIC_RELAXED);
        }
    }
    if (cls->vec) {
        rcu_wait(); // no reader uses the tries any more, nor what has left them
    }
    for (uint32_t i = 0; i < cls->n_prefixes; i++) {
        cls_trie_destroy(&cls->prefixes[i].trie);
    }
    forget_gone(cls);
    cls->stale = false;
    cls->n_prefixes = 0;
    for (size_t i = 0; i < n && cls->n_prefixes < CLS_MAX_PREFIX_FIELDS; i++) {
        const struct field_info *f = field_get(fields[i]);
        if ((f->size == 4 || f->size == 16) && !f->shift) {
            cls->prefixes[cls->n_prefixes++] =
                (struct cls_prefix_field){.offset = f->offset, .size = f->size};
        }
    }
    HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
        for (uint32_t i = 0; i < cls->n_prefixes; i++) {
            add_subtable_to_trie(cls, st, i);
        }
    }
}

// Subtables.

static struct cls_subtable *
subtable_find(const struct cls *cls, const struct minimask *mask, uint32_t hash)
{
    struct cls_subtable *st;
    HMAP_FOR_EACH_HASH(st, by_mask, hash, &cls->by_mask)
    {
        if (st->mask == mask || minimask_equals(st->mask, mask)) {
            return st;
        }
    }
    return NULL;
}

static struct cls_subtable *
subtable_new(struct cls *cls, const struct minimask *mask, uint32_t hash)
{
    struct cls_subtable *st = base_calloc(1, sizeof *st + mask->n);
    st->mask = cls_mask_ref(mask);
    st->max = -1;
    st->n = mask->n;
    for (size_t s = 0; s < FLOW_N_STAGES; s++) {
        st->stage_end[s] = mask->stage[s];
    }
    size_t n = 0, i;
    FLOW_MAP_FOR_EACH(i, &mask->map)
    {
        st->words[n++] = i;
    }
    for (uint32_t f = 0; f < cls->n_prefixes; f++) {
        st->plen[f] = prefix_length(mask, &cls->prefixes[f]);
    }
    hmap_insert(&cls->by_mask, &st->by_mask, hash);
    return st;
}

// Is there something to index after stage s: words so far, and words to come?
static bool
stage_tells(const struct cls_subtable *st, size_t s)
{
    return st->stage_end[s] > (s ? st->stage_end[s - 1] : 0) && st->stage_end[s] < st->n;
}

static void
update_indexes(struct cls_subtable *st, const uint64_t *key, bool insert)
{
    uint32_t h = 0;
    size_t i = 0;
    for (size_t s = 0; s < FLOW_N_STAGES - 1; s++) {
        for (; i < st->stage_end[s]; i++) {
            h = (uint32_t) hash_mix64(h, key[i]);
        }
        if (stage_tells(st, s)) {
            if (insert) {
                cls_index_add(&st->index[s], h);
            } else {
                cls_index_remove(st->index[s], h);
            }
        }
    }
}

static inline bool
same_key(const struct cls_rule *a, const struct cls_rule *b)
{
    return !memcmp(a->key, b->key, a->mask->n * sizeof a->key[0]);
}

// The slot of the rules with r's key. False: none.
static bool
find_slot(const struct cls_subtable *st, const struct cls_rule *r, uint32_t *i,
          struct cls_rule **head)
{
    *i = r->hash;
    for (; st->table && cls_table_next(st->table, r->hash, i, head); ++*i) {
        if (same_key(*head, r)) {
            return true;
        }
    }
    return false;
}

// Finds the highest priority of a subtable anew.
static void
find_max(struct cls *cls, struct cls_subtable *st)
{
    const struct cls_table *t = st->table;
    int32_t max = -1;
    for (uint32_t i = 0; i <= t->mask && max < st->max; i++) {
        const struct cls_slot *s = &t->slots[i];
        if (s->rule && s->rule != CLS_TOMB) {
            max = MAX(max, s->priority);
        }
    }
    st->loose = false;
    if (max != st->max) {
        set_max(cls, st, max);
    }
}

// The same, when the operations so far have paid for it.
static void
lower_max(struct cls *cls, struct cls_subtable *st)
{
    const struct cls_table *t = st->table;
    if (st->credit <= t->mask) {
        st->loose = true;
        return;
    }
    st->credit -= t->mask + 1;
    find_max(cls, st);
}

void
cls_settle(struct cls *cls)
{
    struct cls_subtable *st;
    HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
        if (st->loose && st->n_rules) {
            find_max(cls, st);
        }
    }
}

uint64_t
cls_rule_group(const struct cls_rule *r)
{
    return (uint64_t) (INT32_MAX - r->subtable->max) << 32 | ((uint32_t) r->subtable->place ^ 0x80000000u);
}

// Insertion and removal.

// Links r into the list at *head by priority, in front of its equals; the visible equal it replaces
// is taken out and returned.
static struct cls_rule *
link_rule(struct cls_subtable *st, struct cls_rule *r, uint32_t slot, struct cls_rule *head)
{
    struct cls_rule *prev = NULL, *at = head, *old = NULL;
    while (at && at->priority > r->priority) {
        prev = at;
        at = at->next;
    }
    struct cls_rule *before = NULL;
    for (old = at; old && old->priority == r->priority; old = old->next) {
        if (cls_rule_visible(old, r->added)) {
            break;
        }
        before = old;
    }
    old = old && old->priority == r->priority ? old : NULL;
    r->next = old == at && old ? old->next : at;
    if (prev) {
        rcu_set(prev->next, r);
    } else {
        cls_table_set(st->table, slot, r, r->priority);
    }
    if (old && before) {
        rcu_set(before->next, old->next);
    }
    return old;
}

struct cls_rule *
cls_insert(struct cls *cls, struct cls_rule *r, uint64_t version)
{
    uint32_t mask_hash = minimask_hash(r->mask, 0), slot;
    struct cls_subtable *st = subtable_find(cls, r->mask, mask_hash);
    struct cls_rule *head, *old = NULL;

    if (!st) {
        st = subtable_new(cls, r->mask, mask_hash);
    } else if (st->mask != r->mask) {
        cls_mask_unref(r->mask);
        r->mask = cls_mask_ref(st->mask);
    }
    r->next = NULL;
    __atomic_store_n(&r->added, version, __ATOMIC_RELAXED);
    __atomic_store_n(&r->removed, CLS_VERSION_NEVER, __ATOMIC_RELAXED);
    r->subtable = st;

    // The ways to it first, then the rule.
    if (find_slot(st, r, &slot, &head)) {
        if (r->priority > st->max) {
            set_max(cls, st, r->priority);
        }
        old = link_rule(st, r, slot, head);
    } else {
        update_tries(cls, r, true);
        update_indexes(st, r->key, true);
        cls_table_insert(&st->table, r, r->hash, r->priority);
        if (r->priority > st->max) {
            set_max(cls, st, r->priority);
        }
    }
    st->credit += SCAN_CREDIT;
    if (old) {
        old->subtable = NULL;
        return old;
    }
    if (!st->n_rules) {
        cls->n_subtables++;
        st->loose = false;
    }
    st->n_rules++;
    cls->n_rules++;
    return NULL;
}

void
cls_remove(struct cls *cls, struct cls_rule *r)
{
    struct cls_subtable *st = r->subtable;
    struct cls_rule *head;
    uint32_t slot;

    if (!st || !find_slot(st, r, &slot, &head)) {
        return;
    }
    if (head != r) {
        struct cls_rule *prev = head;
        while (prev->next != r) {
            prev = prev->next;
        }
        rcu_set(prev->next, r->next);
    } else if (r->next) {
        cls_table_set(st->table, slot, r->next, r->next->priority);
    } else {
        cls_table_remove(&st->table, slot, !cls->walking);
        update_indexes(st, r->key, false);
        forget_prefixes(cls, r);
    }
    r->subtable = NULL;
    cls->n_rules--;
    st->credit += SCAN_CREDIT;
    if (!--st->n_rules) {
        cls->n_subtables--;
        set_max(cls, st, -1);
        if (many_empty(cls) && !cls->walking && !cls->deferred) {
            vec_rebuild(cls);
        }
    } else if (r->priority == st->max) {
        lower_max(cls, st);
    }
}

void
cls_hide(struct cls *cls, struct cls_rule *r, uint64_t version)
{
    __atomic_store_n(&r->removed, version, __ATOMIC_RELAXED);
}

struct cls_rule *
cls_find(const struct cls *cls, const struct cls_rule *target, uint64_t version)
{
    struct cls_subtable *st = subtable_find(cls, target->mask, minimask_hash(target->mask, 0));
    struct cls_rule *r;
    uint32_t slot;

    if (!st || !find_slot(st, target, &slot, &r)) {
        return NULL;
    }
    for (; r && r->priority >= target->priority; r = r->next) {
        if (r->priority == target->priority && cls_rule_visible(r, version)) {
            return r;
        }
    }
    return NULL;
}

// Walks.

// Do the keys agree on the bits that both masks have?
static bool
agree(const struct minimask *a, const uint64_t *a_key, const struct flow_match *b)
{
    const uint64_t *key = flow_key_words(&b->key), *mask = flow_mask_words(&b->mask);
    size_t n = 0, i;
    FLOW_MAP_FOR_EACH(i, &a->map)
    {
        if ((a_key[n] ^ key[i]) & a->words[n] & mask[i]) {
            return false;
        }
        n++;
    }
    return true;
}

bool
cls_overlaps(const struct cls *cls, const struct cls_rule *target, uint64_t version)
{
    struct flow_match match;
    struct cls_subtable *st;
    minimask_expand(target->mask, &match.mask);
    minikey_expand(target->mask, target->key, &match.key);
    HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
        if (st->max < target->priority) {
            continue;
        }
        for (uint32_t i = 0; i <= st->table->mask; i++) {
            const struct cls_rule *r = st->table->slots[i].rule;
            if (!r || r == CLS_TOMB || st->table->slots[i].priority < target->priority ||
                !agree(st->mask, r->key, &match)) {
                continue;
            }
            for (; r; r = r->next) {
                if (r != target && r->priority == target->priority &&
                    cls_rule_visible(r, version)) {
                    return true;
                }
            }
        }
    }
    return false;
}

// Has the subtable all bits of the target's mask?
static bool
covers(const struct minimask *mask, const struct flow_match *target)
{
    const uint64_t *t = flow_mask_words(&target->mask);
    size_t n = 0, i = 0;
    for (size_t w = 0; w < FLOW_WORDS; w++) {
        bool there = mask->map.bits[w / 64] >> (w % 64) & 1;
        i = n;
        n += there;
        if (t[w] & ~(there ? mask->words[i] : 0)) {
            return false;
        }
    }
    return true;
}

typedef bool walk_cb(struct cls_rule *, void *aux);

// The rules of one key. A callback may remove the rule it gets.
static bool
walk_list(struct cls_rule *r, uint64_t version, walk_cb *cb, void *aux)
{
    for (struct cls_rule *next; r; r = next) {
        next = r->next;
        if (cls_rule_visible(r, version) && !cb(r, aux)) {
            return false;
        }
    }
    return true;
}

static bool
walk_subtable(struct cls_subtable *st, const struct flow_match *target, uint64_t version,
              walk_cb *cb, void *aux)
{
    struct cls_table *t = st->table;
    for (uint32_t i = 0; t && i <= t->mask; i++) {
        struct cls_rule *r = t->slots[i].rule;
        if (r && r != CLS_TOMB && (!target || agree(st->mask, r->key, target)) &&
            !walk_list(r, version, cb, aux)) {
            return false;
        }
    }
    return true;
}

void
cls_for_each(const struct cls *cls_, const struct flow_match *target, uint64_t version, walk_cb *cb,
             void *aux)
{
    struct cls *cls = (struct cls *) (uintptr_t) cls_;
    struct cls_subtable *st;
    cls->walking++;
    HMAP_FOR_EACH (st, by_mask, &cls->by_mask) {
        if (st->n_rules && (!target || covers(st->mask, target)) &&
            !walk_subtable(st, target, version, cb, aux)) {
            break;
        }
    }
    cls->walking--;
}
