// SPDX-License-Identifier: Apache-2.0
// Prefix tries. See classifier_trie.h.
//
// A node has the whole prefix from the root, so that a node never changes when one is put above it
// or taken away. Readers follow child pointers, which are set as the last step; nodes taken out are
// freed after a grace period, in batches.
#include "lib/flow/classifier_trie.h"

#include <stdlib.h>

#include "lib/base/rcu.h"

struct cls_trie_node {
    struct cls_trie_node *child[2]; // RCU; by the bit that follows the prefix
    uint32_t info;                  // bits of the prefix << 24 | prefixes that end here (atomic)
    uint32_t prefix[];              // the words that hold those bits
};

#define COUNT_MASK 0xffffff
#define GARBAGE_BATCH 125

struct cls_trie_garbage {
    uint32_t n;
    struct cls_trie_node *nodes[GARBAGE_BATCH];
};

void
cls_prefix_load(struct cls_prefix *out, const void *p, size_t n)
{
    memset(out, 0, sizeof *out);
    memcpy(out, p, n);
    for (size_t i = 0; i < n / 4; i++) {
        out->w[i] = be32toh(out->w[i]);
    }
}

static inline unsigned
length(const struct cls_trie_node *n)
{
    return __atomic_load_n(&n->info, __ATOMIC_RELAXED) >> 24;
}

static inline uint32_t
count(const struct cls_trie_node *n)
{
    return __atomic_load_n(&n->info, __ATOMIC_RELAXED) & COUNT_MASK;
}

static inline unsigned
bit_at(const uint32_t *w, unsigned ofs)
{
    return w[ofs / 32] >> (31 - ofs % 32) & 1;
}

// How many leading bits agree, at most `max`; those before `from` are known to.
static inline unsigned
common_bits(const uint32_t *a, const uint32_t *b, unsigned from, unsigned max)
{
    for (unsigned i = from / 32; i * 32 < max; i++) {
        if (a[i] != b[i]) {
            unsigned n = i * 32 + __builtin_clz(a[i] ^ b[i]);
            return MIN(n, max);
        }
    }
    return max;
}

static struct cls_trie_node *
node_new(const struct cls_prefix *p, unsigned len, uint32_t n_rules)
{
    size_t words = DIV_ROUND_UP(len, 32);
    struct cls_trie_node *n = base_malloc(sizeof *n + words * sizeof n->prefix[0]);
    n->child[0] = n->child[1] = NULL;
    n->info = len << 24 | n_rules;
    memcpy(n->prefix, p->w, words * sizeof n->prefix[0]);
    return n;
}

static void
garbage_free(void *g_)
{
    struct cls_trie_garbage *g = g_;
    for (uint32_t i = 0; i < g->n; i++) {
        free(g->nodes[i]);
    }
    free(g);
}

static void
free_later(struct cls_trie *t, struct cls_trie_node *n)
{
    if (!t->garbage) {
        t->garbage = base_malloc(sizeof *t->garbage);
        t->garbage->n = 0;
    }
    t->garbage->nodes[t->garbage->n++] = n;
    if (t->garbage->n == GARBAGE_BATCH) {
        rcu_defer(garbage_free, t->garbage);
        t->garbage = NULL;
    }
}

void
cls_trie_insert(struct cls_trie *t, const struct cls_prefix *p, unsigned plen)
{
    struct cls_trie_node **edge = &t->root, *node;
    unsigned ofs = 0;

    while ((node = *edge)) {
        unsigned len = length(node);
        ofs = common_bits(node->prefix, p->w, ofs, MIN(len, plen));
        if (ofs < len) {
            break;
        }
        if (ofs == plen) {
            __atomic_store_n(&node->info, node->info + 1, __ATOMIC_RELAXED);
            return;
        }
        edge = &node->child[bit_at(p->w, ofs)];
    }

    struct cls_trie_node *leaf = node_new(p, plen, 1), *top = leaf;
    if (node && ofs < plen) { // the paths part here
        top = node_new(p, ofs, 0);
        top->child[bit_at(p->w, ofs)] = leaf;
    }
    if (node) {
        top->child[bit_at(node->prefix, ofs)] = node;
    }
    rcu_set(*edge, top);
}

void
cls_trie_remove(struct cls_trie *t, const struct cls_prefix *p, unsigned plen)
{
    struct cls_trie_node **edge = &t->root, **parent = NULL, *node;

    while ((node = *edge) && length(node) < plen) {
        parent = edge;
        edge = &node->child[bit_at(p->w, length(node))];
    }
    if (!node) {
        return;
    }
    __atomic_store_n(&node->info, node->info - 1, __ATOMIC_RELAXED);
    if (count(node) || (node->child[0] && node->child[1])) {
        return;
    }
    rcu_set(*edge, node->child[0] ? node->child[0] : node->child[1]);
    free_later(t, node);
    // A parent that was only there to part two paths goes with one of them.
    node = *edge || !parent ? NULL : *parent;
    if (node && !count(node)) {
        rcu_set(*parent, node->child[0] ? node->child[0] : node->child[1]);
        free_later(t, node);
    }
}

void
cls_trie_lookup(const struct cls_trie *t, const struct cls_prefix *p, unsigned width,
                struct cls_trie_result *r)
{
    const struct cls_trie_node *node = rcu_get(t->root);
    unsigned ofs = 0;

    memset(r, 0, sizeof *r);
    while (node) {
        unsigned len = length(node);
        ofs = common_bits(node->prefix, p->w, ofs, len);
        if (ofs < len) {
            r->n_bits = ofs + 1;
            return;
        }
        if (count(node)) {
            r->plens[ofs / 64] |= UINT64_C(1) << (ofs % 64);
        }
        if (ofs >= width) {
            break;
        }
        unsigned bit = bit_at(p->w, ofs);
        const struct cls_trie_node *next = rcu_get(node->child[bit]);
        if (!next && rcu_get(node->child[!bit])) {
            ofs++; // this bit told
        }
        node = next;
    }
    r->n_bits = ofs;
}

static void
destroy_below(struct cls_trie_node *node)
{
    if (node) {
        destroy_below(node->child[0]);
        destroy_below(node->child[1]);
        free(node);
    }
}

void
cls_trie_destroy(struct cls_trie *t)
{
    destroy_below(t->root);
    if (t->garbage) {
        garbage_free(t->garbage);
    }
    t->root = NULL;
    t->garbage = NULL;
}

static void
destroy_later(void *node)
{
    destroy_below(node);
}

void
cls_trie_replace(struct cls_trie *t, const struct cls_trie *by)
{
    struct cls_trie_node *old = t->root;
    rcu_set(t->root, by->root);
    if (old) {
        rcu_defer(destroy_later, old);
    }
}
