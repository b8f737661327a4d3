// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hmap.h"

#include <stdlib.h>

void
hmap_init(struct hmap *m)
{
    memset(m, 0, sizeof *m);
}

void
hmap_destroy(struct hmap *m)
{
    free(m->buckets);
    hmap_init(m);
}

static struct hmap_node **
buckets_of(struct hmap *m)
{
    return m->mask ? m->buckets : &m->one;
}

static void
resize(struct hmap *m, size_t n_buckets)
{
    struct hmap new = {NULL, NULL, n_buckets - 1, m->n};
    if (n_buckets > 1) {
        new.buckets = base_calloc(n_buckets, sizeof *new.buckets);
    }
    struct hmap_node **from = buckets_of(m);
    struct hmap_node **to = buckets_of(&new);
    for (size_t i = 0; i <= m->mask; i++) {
        for (struct hmap_node *node = from[i], *next; node; node = next) {
            next = node->next;
            struct hmap_node **b = &to[node->hash & new.mask];
            node->next = *b;
            *b = node;
        }
    }
    free(m->buckets);
    *m = new;
}

static size_t
buckets_for(size_t n)
{
    size_t buckets = 1;
    while (buckets < n) {
        buckets *= 2;
    }
    return buckets;
}

void
hmap_reserve(struct hmap *m, size_t n)
{
    size_t buckets = buckets_for(n);
    if (buckets > m->mask + 1) {
        resize(m, buckets);
    }
}

void
hmap_grow(struct hmap *m)
{
    resize(m, MAX((m->mask + 1) * 4, (size_t) 8));
}

void
hmap_shrink(struct hmap *m)
{
    size_t buckets = buckets_for(m->n);
    if (buckets < m->mask + 1) {
        resize(m, buckets);
    }
}

void
hmap_clear(struct hmap *m)
{
    m->n = 0;
    m->one = NULL;
    if (m->mask) {
        memset(m->buckets, 0, (m->mask + 1) * sizeof *m->buckets);
    }
}

void
hmap_swap(struct hmap *a, struct hmap *b)
{
    struct hmap tmp = *a;
    *a = *b;
    *b = tmp;
}

struct hmap_node *
hmap_next(const struct hmap *m, const struct hmap_node *node)
{
    size_t i = 0;
    if (node) {
        if (node->next) {
            return node->next;
        }
        i = (node->hash & m->mask) + 1;
    }
    struct hmap_node *const *buckets = m->mask ? m->buckets : &m->one;
    for (; i <= m->mask; i++) {
        if (buckets[i]) {
            return buckets[i];
        }
    }
    return NULL;
}
