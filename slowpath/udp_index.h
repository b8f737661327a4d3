// SPDX-License-Identifier: Apache-2.0
// Hash table of tagged pointers to flows: one reader loop without locks, writers under the table's
// mutex. See udp_table.h.
#ifndef SLOWPATH_UDP_INDEX_H
#define SLOWPATH_UDP_INDEX_H 1

#include "slowpath/udp_table.h"

#define UDP_PTR_BITS 48
#define UDP_PTR_MASK ((UINT64_C(1) << UDP_PTR_BITS) - 1)

// Pointers of user space fit 48 bits on all 64-bit Linux machines unless more is asked for.
static inline uint64_t
udp_tagged(const struct udp_flow *f, uint32_t hash)
{
    return (uint64_t) (uintptr_t) f | (uint64_t) (hash >> 16) << UDP_PTR_BITS;
}

static inline struct udp_flow *
udp_untagged(uint64_t e)
{
    return (struct udp_flow *) (uintptr_t) (e & UDP_PTR_MASK);
}

void udp_index_init(struct udp_index *);
void udp_index_destroy(struct udp_index *); // at once: no readers
void udp_index_add(struct udp_index *, struct udp_flow *, uint32_t hash,
                   uint32_t (*hash_of)(const struct udp_flow *));
void udp_index_del(struct udp_index *, struct udp_flow *, uint32_t hash);

// All flows whose tag agrees; the body compares.
#define UDP_INDEX_FOR_EACH(f, index, hash_)                                                        \
    for (struct {                                                                                  \
             const struct udp_index_array *a;                                                      \
             size_t i;                                                                             \
             uint64_t e;                                                                           \
         } it_ = {rcu_get((index)->a), (hash_), 0};                                                \
         ((f) = udp_index_next(it_.a, &it_.i, hash_)) != NULL;)

static inline struct udp_flow *
udp_index_next(const struct udp_index_array *a, size_t *i, uint32_t hash)
{
    for (;;) {
        const uint64_t e = __atomic_load_n(&a->e[(*i)++ & a->mask], __ATOMIC_ACQUIRE);
        if (!e) {
            return NULL;
        }
        if (e >> UDP_PTR_BITS == hash >> 16 && e != 1) {
            return udp_untagged(e);
        }
    }
}

#endif
