// SPDX-License-Identifier: Apache-2.0
// Intrusive hash map with chaining, for one thread (or under the owner's lock). A node costs 16 bytes; a map grows by
// itself. Concurrent readers need liburcu's cds_lfht instead.
//
//     struct port { struct hmap_node by_no; uint32_t no; };
//     struct port *p;
//     HMAP_FOR_EACH_HASH (p, by_no, hash_u64(no, 0), &map) if (p->no == no) return p;
#ifndef LIB_BASE_HMAP_H
#define LIB_BASE_HMAP_H 1

#include "lib/base/util.h"

struct hmap_node {
    struct hmap_node *next;
    uint32_t hash;
};

struct hmap {
    struct hmap_node **buckets;
    struct hmap_node *one; // the only bucket of a small map
    size_t mask;           // number of buckets - 1
    size_t n;              // nodes
};

void hmap_init(struct hmap *);
// Frees the buckets; the nodes belong to the caller, who has removed or forgotten them.
void hmap_destroy(struct hmap *);
void hmap_reserve(struct hmap *, size_t n);
void hmap_grow(struct hmap *);
void hmap_shrink(struct hmap *);
// Empties the map without touching nodes.
void hmap_clear(struct hmap *);
void hmap_swap(struct hmap *, struct hmap *);
struct hmap_node *hmap_next(const struct hmap *, const struct hmap_node *);

static inline struct hmap_node **
hmap_bucket(const struct hmap *m, uint32_t hash)
{
    return m->mask ? &m->buckets[hash & m->mask] : (struct hmap_node **) &m->one;
}

static inline size_t
hmap_count(const struct hmap *m)
{
    return m->n;
}

static inline void
hmap_insert(struct hmap *m, struct hmap_node *node, uint32_t hash)
{
    if (m->n > m->mask * 2) {
        hmap_grow(m);
    }
    struct hmap_node **b = hmap_bucket(m, hash);
    node->hash = hash;
    node->next = *b;
    *b = node;
    m->n++;
}

static inline void
hmap_remove(struct hmap *m, struct hmap_node *node)
{
    struct hmap_node **b = hmap_bucket(m, node->hash);
    while (*b != node) {
        b = &(*b)->next;
    }
    *b = node->next;
    m->n--;
}

static inline struct hmap_node *
hmap_hash_next(struct hmap_node *n, uint32_t hash)
{
    while (n && n->hash != hash) {
        n = n->next;
    }
    return n;
}

static inline struct hmap_node *
hmap_first(const struct hmap *m)
{
    return hmap_next(m, NULL);
}

#define HMAP_NODE_OF(node, pos, member)                                                                                \
    ((node) ? (__typeof__(pos)) (void *) ((char *) (node) -offsetof(__typeof__(*(pos)), member)) : NULL)

// All nodes with this hash; compare keys in the body. Don't remove inside, except right before leaving the loop.
#define HMAP_FOR_EACH_HASH(pos, member, hash_, map)                                                                    \
    for (struct hmap_node *hn_ = hmap_hash_next(*hmap_bucket(map, hash_), hash_);                                      \
         ((pos) = HMAP_NODE_OF(hn_, pos, member)) != NULL; hn_ = hmap_hash_next(hn_->next, hash_))

// All nodes in no order. Removing inside needs the SAFE form.
#define HMAP_FOR_EACH(pos, member, map)                                                                                \
    for (struct hmap_node *hn_ = hmap_first(map); ((pos) = HMAP_NODE_OF(hn_, pos, member)) != NULL;                    \
         hn_ = hmap_next(map, hn_))

#define HMAP_FOR_EACH_SAFE(pos, member, map)                                                                           \
    for (struct hmap_node *hn_ = hmap_first(map), *hx_;                                                                \
         ((pos) = HMAP_NODE_OF(hn_, pos, member)) != NULL && (hx_ = hmap_next(map, hn_), true); hn_ = hx_)

#endif
