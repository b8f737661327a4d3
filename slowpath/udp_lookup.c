// SPDX-License-Identifier: Apache-2.0
// Readers of the userspace datapath's flow table: lookups through the masks, dumps, sums of
// counters. See udp_table.h.
#include "config.h"

#include <stdlib.h>

#include "slowpath/udp_index.h"
#include "slowpath/udp_table.h"

#define AHEAD 8 // slots

struct udp_flow *
udp_table_lookup(const struct udp_table *t, const struct flow_key *key, uint64_t *tried)
{
    const struct udp_subtables *all = rcu_get(t->subtables);
    uint64_t words[FLOW_WORDS];
    for (size_t i = 0; i < all->n; i++) {
        struct udp_subtable *s = all->s[i];
        const struct minimask *m = s->mask;
        minikey_extract(m, key, words);
        const uint32_t hash = udp_hash_words(words, m->n);
        struct udp_flow *f;
        UDP_INDEX_FOR_EACH(f, &s->flows, hash)
        {
            if (f->hash == hash && __atomic_load_n(&f->live, __ATOMIC_ACQUIRE) &&
                !memcmp(f->key, words, m->n * sizeof words[0])) {
                __atomic_store_n(&s->hits, __atomic_load_n(&s->hits, __ATOMIC_RELAXED) + 1,
                                 __ATOMIC_RELAXED);
                *tried += i + 1;
                return f;
            }
        }
    }
    *tried += all->n;
    return NULL;
}

void
udp_table_stats(const struct udp_table *t, uint32_t slot, struct dp_flow_stats *s)
{
    memset(s, 0, sizeof *s);
    for (const struct udp_counts *c = rcu_get(t->counts); c; c = c->next) {
        const struct udp_count *chunk =
            __atomic_load_n(&c->chunks[slot >> UDP_CHUNK_BITS], __ATOMIC_ACQUIRE);
        if (!chunk) {
            continue;
        }
        const struct udp_count *n = &chunk[slot & (UDP_CHUNK - 1)];
        s->packets += __atomic_load_n(&n->packets, __ATOMIC_RELAXED);
        s->bytes += __atomic_load_n(&n->bytes, __ATOMIC_RELAXED);
        s->used = MAX(s->used, __atomic_load_n(&n->used, __ATOMIC_RELAXED));
        s->tcp_flags |= __atomic_load_n(&n->tcp_flags, __ATOMIC_RELAXED);
    }
}

void
udp_table_dump(struct udp_table *t, bool terse, dp_flow_cb *cb, void *aux)
{
    struct flow_match *match = terse ? NULL : base_malloc(sizeof *match);
    const uint32_t n = __atomic_load_n(&t->n_slots, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++) {
        const struct udp_slot *chunk =
            __atomic_load_n(&t->slots[i >> UDP_CHUNK_BITS], __ATOMIC_ACQUIRE);
        const struct udp_slot *slot = &chunk[i & (UDP_CHUNK - 1)];
        const struct udp_flow *f = rcu_get(slot->flow);
        if (!f) {
            continue;
        }
        struct dp_flow_record rec = {
            .id = slot->id, .has_id = true, .place = DP_PLACE_USER, .aux = slot->aux};
        if ((i & (UDP_CHUNK - 1)) + AHEAD < UDP_CHUNK) {
            // Who takes the record will want it. A slot ahead may be filled meanwhile.
            __builtin_prefetch(__atomic_load_n(&slot[AHEAD].aux, __ATOMIC_RELAXED));
        }
        udp_table_stats(t, i, &rec.stats);
        if (!terse) {
            minikey_expand(f->mask, f->key, &match->key);
            match->mask = f->subtable->full;
            match->used = f->subtable->used;
            rec.match = match;
            rec.actions = &rcu_get(f->acts)->acts;
        }
        if (!cb(&rec, aux)) {
            break;
        }
    }
    free(match);
}

// --- Counters. ---

struct udp_counts *
udp_counts_get(struct udp_table *t)
{
    mutex_lock(&t->mutex);
    struct udp_counts *c = t->counts;
    while (c && c->taken) {
        c = c->next;
    }
    if (!c) {
        c = base_calloc(1, sizeof *c);
        c->next = t->counts;
        rcu_set(t->counts, c);
    }
    c->taken = true;
    mutex_unlock(&t->mutex);
    return c;
}

void
udp_counts_put(struct udp_table *t, struct udp_counts *c)
{
    mutex_lock(&t->mutex);
    c->taken = false;
    mutex_unlock(&t->mutex);
}

struct udp_count *
udp_counts_chunk(struct udp_counts *c, uint32_t slot)
{
    struct udp_count *chunk = base_calloc(UDP_CHUNK, sizeof *chunk);
    __atomic_store_n(&c->chunks[slot >> UDP_CHUNK_BITS], chunk, __ATOMIC_RELEASE);
    return chunk;
}
