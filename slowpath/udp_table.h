// SPDX-License-Identifier: Apache-2.0
// The flow table of the userspace datapath: tuple space over masks, flows by id, and counters by
// thread.
//
// WHO: writers (create, modify, delete; any thread) take `mutex` for short sections and never call
// out under it. Readers look up and dump inside RCU sections, without locks.
//
// MEMORY OF FLOWS IS TYPE-STABLE: it comes from pools by size, goes back there a grace period after
// the flow was removed, and to the system only with the table. A thread's signature cache
// (udp_lookup.h) may therefore keep pointers without references: inside an RCU section, a flow that
// says `live` and agrees with the packet is a right answer, even if it isn't the flow that was
// remembered. Flows of one table never overlap: the first that matches is the only one.
//
// COUNTERS: each thread counts in an array of its own, by the flow's slot: dense, single writer,
// relaxed atomics. Sums are made when somebody reads. They are final after a removed flow was
// awaited (udp_quiesce() in udp_private.h).
#ifndef SLOWPATH_UDP_TABLE_H
#define SLOWPATH_UDP_TABLE_H 1

#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "lib/flow/dp_ops.h"
#include "lib/flow/minimask.h"

#define UDP_CHUNK_BITS 12
#define UDP_CHUNK (1u << UDP_CHUNK_BITS) // slots
#define UDP_N_CHUNKS 1024

struct udp_acts { // shared by all flows with the same ones
    struct hmap_node node;
    struct rcu_head rcu;
    uint32_t refs;
    struct dp_actions acts;
};

struct udp_flow {
    const struct minimask *mask; // of its subtable
    struct udp_acts *acts;       // RCU
    struct udp_subtable *subtable;
    uint32_t slot;
    uint32_t hash; // of the key under the mask
    uint8_t live;  // atomic; set last when made, cleared first when removed
    uint8_t pool;
    struct flow_id id;
    struct udp_table *table;
    struct rcu_head rcu; // also the list of free ones: next
    uint64_t key[];      // mask->n words
};

// Hash table of tagged pointers, open addressing; replaced as a whole when it grows.
struct udp_index_array {
    struct rcu_head rcu;
    size_t mask;
    uint64_t e[]; // atomic: 0 empty, 1 removed, else 16 bits of the hash over a pointer
};

struct udp_index {
    struct udp_index_array *a; // RCU
    size_t n, used;            // owner: table.mutex; used: removed ones included
};

struct udp_subtable {
    struct udp_index flows;
    struct minimask *mask;
    uint64_t hits; // atomic: lookups that ended here
    struct flow_mask full;
    struct field_set used;
    struct udp_table *table;
    struct rcu_head rcu;
};

struct udp_subtables { // most used first
    struct rcu_head rcu;
    size_t n;
    struct udp_subtable *s[];
};

struct udp_count {
    uint64_t packets, bytes;
    int64_t used; // ms
    uint16_t tcp_flags;
    uint16_t pad[3];
};
_Static_assert(sizeof(struct udp_count) == 32, "two in a cache line");

struct udp_counts { // one thread's; lives as long as the table
    struct udp_counts *next;
    bool taken;                             // owner: table.mutex
    struct udp_count *chunks[UDP_N_CHUNKS]; // atomic pointers; made by the thread that counts
};

struct udp_slot {
    struct flow_id id;
    struct udp_flow *flow; // RCU; NULL: none
    void *aux;             // dp_flow_op.aux of who made it
};

#define UDP_N_POOLS 32

struct udp_table {
    struct udp_subtables *subtables;      // RCU
    struct udp_counts *counts;            // RCU list, only grows
    struct udp_slot *slots[UDP_N_CHUNKS]; // atomic pointers
    uint32_t n_slots;                     // atomic: slots ever used
    size_t n_flows;                       // atomic
    struct mutex mutex;
    struct udp_index by_id GUARDED_BY(mutex);
    struct hmap acts GUARDED_BY(mutex);
    struct udp_flow *free_flows[UDP_N_POOLS] GUARDED_BY(mutex);
    uint32_t *free_slots GUARDED_BY(mutex);
    size_t n_free_slots GUARDED_BY(mutex), cap_free_slots GUARDED_BY(mutex);
    void **blocks GUARDED_BY(mutex);
    size_t n_blocks GUARDED_BY(mutex), cap_blocks GUARDED_BY(mutex);
};

void udp_table_init(struct udp_table *);
void udp_table_destroy(struct udp_table *); // no thread uses it any more

// RCU sections.
// DP_FLOW_CREATE, MODIFY, PUT, GET: 0 or -errno; GET fills op->stats.
int udp_table_apply(struct udp_table *, struct dp_flow_op *);
// Removes from all lookups; NULL: not there. After udp_quiesce(): udp_table_stats(),
// udp_table_release().
struct udp_flow *udp_table_unlink(struct udp_table *, const struct flow_id *);
void udp_table_stats(const struct udp_table *, uint32_t slot, struct dp_flow_stats *);
void udp_table_release(struct udp_table *, struct udp_flow *);
void udp_table_dump(struct udp_table *, bool terse, dp_flow_cb *, void *aux);
// Puts the most used masks first. Now and then, any thread.
void udp_table_sort(struct udp_table *);

struct udp_counts *udp_counts_get(struct udp_table *);
void udp_counts_put(struct udp_table *, struct udp_counts *);
struct udp_count *udp_counts_chunk(struct udp_counts *, uint32_t slot); // makes it

static inline void
udp_count_add(struct udp_counts *c, uint32_t slot, uint32_t bytes, uint16_t tcp_flags, int64_t now)
{
    struct udp_count *chunk = c->chunks[slot >> UDP_CHUNK_BITS];
    if (__builtin_expect(!chunk, 0)) {
        chunk = udp_counts_chunk(c, slot);
    }
    struct udp_count *n = &chunk[slot & (UDP_CHUNK - 1)];
    __atomic_store_n(&n->packets, n->packets + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&n->bytes, n->bytes + bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&n->used, now, __ATOMIC_RELAXED);
    if (tcp_flags & ~n->tcp_flags) {
        __atomic_store_n(&n->tcp_flags, n->tcp_flags | tcp_flags, __ATOMIC_RELAXED);
    }
}

// --- Lookups. RCU sections. ---

// Of a key under a mask.
static inline uint32_t
udp_hash_words(const uint64_t *w, size_t n)
{
    uint64_t h = n;
    for (size_t i = 0; i < n; i++) {
        h = hash_mix64(h, w[i]);
    }
    return (uint32_t) hash_mix64(h, h >> 29);
}

static inline bool
udp_flow_matches(const struct udp_flow *f, const struct flow_key *key)
{
    return __atomic_load_n(&f->live, __ATOMIC_ACQUIRE) && minimask_matches(f->mask, f->key, key);
}

// Through all masks; *tried counts them.
struct udp_flow *udp_table_lookup(const struct udp_table *, const struct flow_key *,
                                  uint64_t *tried);

#endif
