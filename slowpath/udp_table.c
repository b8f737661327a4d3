// SPDX-License-Identifier: Apache-2.0
// Writers of the userspace datapath's flow table. See udp_table.h for what protects what.
#include "config.h"

#include "slowpath/udp_table.h"

#include <errno.h>
#include <stdlib.h>

#include "slowpath/udp_index.h"

#define BLOCK_BYTES (64 * 1024)
#define POOL_WORDS 4 // pools serve flows by multiples of so many words of key

static uint32_t
hash_of_key(const struct udp_flow *f)
{
    return f->hash;
}

static uint32_t
hash_of_id(const struct udp_flow *f)
{
    return (uint32_t) f->id.w[0];
}

// --- Memory of flows. ---

static struct udp_flow *
flow_alloc(struct udp_table *t, size_t n_words) REQUIRES(t->mutex)
{
    const size_t pool = n_words / POOL_WORDS;
    if (!t->free_flows[pool]) {
        const size_t size = sizeof(struct udp_flow) + (pool + 1) * POOL_WORDS * 8;
        uint8_t *block = base_calloc(1, BLOCK_BYTES);
        if (t->n_blocks == t->cap_blocks) {
            t->blocks = base_grow(t->blocks, &t->cap_blocks, sizeof *t->blocks);
        }
        t->blocks[t->n_blocks++] = block;
        for (size_t at = BLOCK_BYTES / size * size; at; at -= size) {
            struct udp_flow *f = (void *) (block + at - size);
            f->rcu.next.next = (void *) t->free_flows[pool];
            t->free_flows[pool] = f;
        }
    }
    struct udp_flow *f = t->free_flows[pool];
    t->free_flows[pool] = (void *) f->rcu.next.next;
    f->pool = (uint8_t) pool;
    f->table = t;
    return f;
}

static int
slot_alloc(struct udp_table *t, uint32_t *slot) REQUIRES(t->mutex)
{
    if (t->n_free_slots) {
        *slot = t->free_slots[--t->n_free_slots];
        return 0;
    }
    const uint32_t n = t->n_slots;
    if (n >> UDP_CHUNK_BITS >= UDP_N_CHUNKS) {
        return -ENOSPC;
    }
    if (!t->slots[n >> UDP_CHUNK_BITS]) {
        struct udp_slot *chunk = base_calloc(UDP_CHUNK, sizeof *chunk);
        __atomic_store_n(&t->slots[n >> UDP_CHUNK_BITS], chunk, __ATOMIC_RELEASE);
    }
    *slot = n;
    __atomic_store_n(&t->n_slots, n + 1, __ATOMIC_RELEASE);
    return 0;
}

static struct udp_slot *
slot_get(const struct udp_table *t, uint32_t slot)
{
    struct udp_slot *chunk = __atomic_load_n(&t->slots[slot >> UDP_CHUNK_BITS], __ATOMIC_ACQUIRE);
    return &chunk[slot & (UDP_CHUNK - 1)];
}

static void
clear_counts(struct udp_table *t, uint32_t slot)
{
    for (struct udp_counts *c = rcu_get(t->counts); c; c = c->next) {
        struct udp_count *chunk =
            __atomic_load_n(&c->chunks[slot >> UDP_CHUNK_BITS], __ATOMIC_ACQUIRE);
        if (chunk) { // nobody counts in a slot without a flow
            struct udp_count *n = &chunk[slot & (UDP_CHUNK - 1)];
            __atomic_store_n(&n->packets, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&n->bytes, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&n->used, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&n->tcp_flags, 0, __ATOMIC_RELAXED);
        }
    }
}

// --- Actions. ---

static struct udp_acts *
acts_get(struct udp_table *t, const struct dp_actions *acts) REQUIRES(t->mutex)
{
    const uint32_t hash = dp_actions_hash(acts, 0);
    struct udp_acts *a;
    HMAP_FOR_EACH_HASH(a, node, hash, &t->acts)
    {
        if (dp_actions_equal(&a->acts, acts)) {
            a->refs++;
            return a;
        }
    }
    a = base_calloc(1, sizeof *a);
    a->refs = 1;
    dp_actions_copy(&a->acts, acts);
    hmap_insert(&t->acts, &a->node, hash);
    return a;
}

static void
acts_free(struct rcu_head *head)
{
    struct udp_acts *a = caa_container_of(head, struct udp_acts, rcu);
    rcu_after_grace();
    dp_actions_free(&a->acts);
    free(a);
}

static void
acts_put(struct udp_table *t, struct udp_acts *a) REQUIRES(t->mutex)
{
    if (!--a->refs) {
        hmap_remove(&t->acts, &a->node);
        rcu_call(&a->rcu, acts_free);
    }
}

// --- Masks. ---

static struct udp_subtable *
subtable_get(struct udp_table *t, const struct flow_match *match) REQUIRES(t->mutex)
{
    struct udp_subtables *all = t->subtables;
    for (size_t i = 0; i < all->n; i++) {
        if (!memcmp(&all->s[i]->full, &match->mask, sizeof match->mask)) {
            return all->s[i];
        }
    }
    struct udp_subtable *s = base_calloc(1, sizeof *s);
    udp_index_init(&s->flows);
    s->mask = minimask_new(&match->mask);
    s->full = match->mask;
    s->used = match->used;
    s->table = t;

    struct udp_subtables *more = base_malloc(sizeof *more + (all->n + 1) * sizeof more->s[0]);
    more->n = all->n + 1;
    memcpy(more->s, all->s, all->n * sizeof more->s[0]);
    more->s[all->n] = s;
    rcu_set(t->subtables, more);
    rcu_free_later(all);
    return s;
}

static void
subtable_free(struct udp_subtable *s)
{
    udp_index_destroy(&s->flows);
    free(s->mask);
    free(s);
}

static void
subtable_free_rcu(struct rcu_head *head)
{
    rcu_after_grace();
    subtable_free(caa_container_of(head, struct udp_subtable, rcu));
}

// An empty one goes when its last flow's memory has become free: flows point to masks.
static void
subtable_drop(struct udp_table *t, struct udp_subtable *s) REQUIRES(t->mutex)
{
    struct udp_subtables *all = t->subtables;
    struct udp_subtables *less = base_malloc(sizeof *less + all->n * sizeof less->s[0]);
    less->n = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->s[i] != s) {
            less->s[less->n++] = all->s[i];
        }
    }
    rcu_set(t->subtables, less);
    rcu_free_later(all);
    rcu_call(&s->rcu, subtable_free_rcu);
}

static int
by_hits(const void *a_, const void *b_)
{
    struct udp_subtable *const *a = a_, *const *b = b_;
    const uint64_t x = __atomic_load_n(&(*a)->hits, __ATOMIC_RELAXED),
                   y = __atomic_load_n(&(*b)->hits, __ATOMIC_RELAXED);
    return x < y ? 1 : x > y ? -1 : 0;
}

void
udp_table_sort(struct udp_table *t)
{
    mutex_lock(&t->mutex);
    struct udp_subtables *all = t->subtables;
    if (all->n > 1) {
        const size_t size = sizeof *all + all->n * sizeof all->s[0];
        struct udp_subtables *sorted = base_memdup(all, size);
        qsort(sorted->s, sorted->n, sizeof sorted->s[0], by_hits);
        for (size_t i = 0; i < all->n; i++) { // the past counts less and less
            __atomic_store_n(&all->s[i]->hits,
                             __atomic_load_n(&all->s[i]->hits, __ATOMIC_RELAXED) / 2,
                             __ATOMIC_RELAXED);
        }
        rcu_set(t->subtables, sorted);
        rcu_free_later(all);
    }
    mutex_unlock(&t->mutex);
}

// --- Flows. ---

static struct udp_flow *
find(struct udp_table *t, const struct flow_id *id) REQUIRES(t->mutex)
{
    struct udp_flow *f;
    UDP_INDEX_FOR_EACH(f, &t->by_id, (uint32_t) id->w[0])
    {
        if (flow_id_equals(&f->id, id)) {
            return f;
        }
    }
    return NULL;
}

static int
create(struct udp_table *t, const struct dp_flow_op *op) REQUIRES(t->mutex)
{
    uint32_t slot;
    int error = slot_alloc(t, &slot);
    if (error) {
        return error;
    }
    struct udp_subtable *s = subtable_get(t, op->match);
    struct udp_flow *f = flow_alloc(t, s->mask->n);
    f->mask = s->mask;
    f->subtable = s;
    f->slot = slot;
    f->id = op->id;
    f->acts = acts_get(t, op->actions);
    minikey_extract(s->mask, &op->match->key, f->key);
    f->hash = udp_hash_words(f->key, s->mask->n);
    clear_counts(t, slot);

    struct udp_slot *place = slot_get(t, slot);
    place->id = op->id;
    __atomic_store_n(&place->aux, op->aux, __ATOMIC_RELAXED); // read ahead of flow: a hint
    rcu_set(place->flow, f);
    __atomic_store_n(&f->live, 1, __ATOMIC_RELEASE);
    udp_index_add(&t->by_id, f, hash_of_id(f), hash_of_id);
    udp_index_add(&s->flows, f, f->hash, hash_of_key);
    __atomic_store_n(&t->n_flows, t->n_flows + 1, __ATOMIC_RELAXED);
    return 0;
}

static void
modify(struct udp_table *t, struct udp_flow *f, const struct dp_actions *acts) REQUIRES(t->mutex)
{
    struct udp_acts *old = f->acts, *now = acts_get(t, acts);
    rcu_set(f->acts, now);
    acts_put(t, old);
}

int
udp_table_apply(struct udp_table *t, struct dp_flow_op *op)
{
    int error = 0;
    mutex_lock(&t->mutex);
    struct udp_flow *f = find(t, &op->id);
    switch (op->verb) {
    case DP_FLOW_CREATE:
        error = f ? -EEXIST : create(t, op);
        break;
    case DP_FLOW_PUT:
        if (!f) {
            error = create(t, op);
            break;
        }
        __attribute__((fallthrough));
    case DP_FLOW_MODIFY:
        if (f) {
            modify(t, f, op->actions);
        } else {
            error = -ENOENT;
        }
        break;
    case DP_FLOW_GET:
        if (f) {
            udp_table_stats(t, f->slot, &op->stats);
        } else {
            error = -ENOENT;
        }
        break;
    case DP_FLOW_DELETE:
        error = -EINVAL; // udp_table_unlink()
        break;
    }
    mutex_unlock(&t->mutex);
    return error;
}

struct udp_flow *
udp_table_unlink(struct udp_table *t, const struct flow_id *id)
{
    mutex_lock(&t->mutex);
    struct udp_flow *f = find(t, id);
    if (f) {
        __atomic_store_n(&f->live, 0, __ATOMIC_RELEASE);
        rcu_set(slot_get(t, f->slot)->flow, NULL);
        udp_index_del(&t->by_id, f, hash_of_id(f));
        udp_index_del(&f->subtable->flows, f, f->hash);
        __atomic_store_n(&t->n_flows, t->n_flows - 1, __ATOMIC_RELAXED);
        if (!f->subtable->flows.n) {
            subtable_drop(t, f->subtable);
        }
    }
    mutex_unlock(&t->mutex);
    return f;
}

static void
flow_free(struct rcu_head *head)
{
    struct udp_flow *f = caa_container_of(head, struct udp_flow, rcu);
    struct udp_table *t = f->table;
    rcu_after_grace();
    mutex_lock(&t->mutex);
    if (t->n_free_slots == t->cap_free_slots) {
        t->free_slots = base_grow(t->free_slots, &t->cap_free_slots, sizeof *t->free_slots);
    }
    t->free_slots[t->n_free_slots++] = f->slot;
    f->rcu.next.next = (void *) t->free_flows[f->pool];
    t->free_flows[f->pool] = f;
    mutex_unlock(&t->mutex);
    rcu_before_grace(); // for who drains before it destroys the table
}

void
udp_table_release(struct udp_table *t, struct udp_flow *f)
{
    mutex_lock(&t->mutex);
    acts_put(t, f->acts);
    mutex_unlock(&t->mutex);
    rcu_call(&f->rcu, flow_free);
}

void
udp_table_init(struct udp_table *t)
{
    *t = (struct udp_table){.subtables = base_calloc(1, sizeof *t->subtables)};
    mutex_init(&t->mutex);
    udp_index_init(&t->by_id);
    hmap_init(&t->acts);
}

void
udp_table_destroy(struct udp_table *t) NO_THREAD_SAFETY
{
    for (uint32_t i = 0; i < t->n_slots; i++) {
        struct udp_flow *f = slot_get(t, i)->flow;
        struct udp_flow *gone = f ? udp_table_unlink(t, &f->id) : NULL;
        if (gone) {
            udp_table_release(t, gone);
        }
    }
    rcu_drain();
    for (size_t i = 0; i < UDP_N_CHUNKS; i++) {
        free(t->slots[i]);
    }
    while (t->counts) {
        struct udp_counts *c = t->counts;
        t->counts = c->next;
        for (size_t i = 0; i < UDP_N_CHUNKS; i++) {
            free(c->chunks[i]);
        }
        free(c);
    }
    for (size_t i = 0; i < t->n_blocks; i++) {
        free(t->blocks[i]);
    }
    free(t->blocks);
    free(t->free_slots);
    free(t->subtables);
    udp_index_destroy(&t->by_id);
    hmap_destroy(&t->acts);
    mutex_destroy(&t->mutex);
}
