// SPDX-License-Identifier: Apache-2.0
// Path-compressed binary trie of the prefixes of one field. Tells which prefix lengths match a value, and how many of its bits
// must be looked at to know. One writer, any number of RCU readers.
#ifndef LIB_FLOW_CLASSIFIER_TRIE_H
#define LIB_FLOW_CLASSIFIER_TRIE_H 1

#include "lib/base/util.h"

struct cls_trie_garbage;
struct cls_trie_node;

struct cls_trie {
    struct cls_trie_node *root;       // RCU
    struct cls_trie_garbage *garbage; // nodes to free after a grace period
};

// A value of up to 128 bits, most significant bit first, in host-order pieces.
struct cls_prefix {
    uint32_t w[4];
};

struct cls_trie_result {
    uint64_t plens[3];   // bit L: a prefix of length L matches
    uint8_t n_bits;      // that many leading bits tell
};

static inline bool
cls_trie_result_has(const struct cls_trie_result *r, unsigned plen)
{
    return r->plens[plen / 64] >> (plen % 64) & 1;
}

// p: the bytes of the value, n of them (4 or 16).
void cls_prefix_load(struct cls_prefix *, const void *p, size_t n);
void cls_trie_insert(struct cls_trie *, const struct cls_prefix *, unsigned plen);
void cls_trie_remove(struct cls_trie *, const struct cls_prefix *, unsigned plen); // must be in it
void cls_trie_lookup(const struct cls_trie *, const struct cls_prefix *, unsigned width,
                     struct cls_trie_result *);
// Takes the nodes of `by`, from which nothing was removed; its own go after a grace period.
void cls_trie_replace(struct cls_trie *, const struct cls_trie *by);
// Frees all nodes; no reader may be left.
void cls_trie_destroy(struct cls_trie *);

#endif
