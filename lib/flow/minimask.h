// SPDX-License-Identifier: Apache-2.0
// Sparse forms of a mask and of a masked key: only the words that aren't zero. They make rules small (a 5-tuple rule takes
// a few words instead of FLOW_WORDS) and hashing and comparing proportional to what is matched.
#ifndef LIB_FLOW_MINIMASK_H
#define LIB_FLOW_MINIMASK_H 1

#include "lib/flow/flow_key.h"

// Which words are present: bit i of map[i / 64].
struct flow_map {
    uint64_t bits[2];
};

struct minimask {
    struct flow_map map;
    uint16_t n;       // words
    uint16_t stage[FLOW_N_STAGES]; // stage[i]: number of words before the end of stage i
    uint64_t words[]; // masks of the words in the map, in order
};

// A key under a minimask: n words, in the order of its map. Meaningless without the mask.
struct minikey {
    uint64_t words[1];
};

struct minimask *minimask_new(const struct flow_mask *); // free()
bool minimask_equals(const struct minimask *, const struct minimask *);
uint32_t minimask_hash(const struct minimask *, uint32_t seed);
void minimask_expand(const struct minimask *, struct flow_mask *);
// dst |= mask, on words [from, to) of the sparse array.
void minimask_or_into(const struct minimask *, size_t from, size_t to, struct flow_mask *dst);
void minikey_extract(const struct minimask *, const struct flow_key *, uint64_t out[]);
void minikey_expand(const struct minimask *, const uint64_t words[], struct flow_key *);
// Hash of the words [from, to) of a full key under the mask, continuing `basis`.
uint32_t minimask_hash_key(const struct minimask *, const struct flow_key *, size_t from, size_t to, uint32_t basis);
// Does the key agree with `words` under the mask?
bool minimask_matches(const struct minimask *, const uint64_t words[], const struct flow_key *);

#define FLOW_MAP_FOR_EACH(i, map)                                                                                      \
    for (int half_ = 0; half_ < 2; half_++)                                                                            \
        for (uint64_t left_ = (map)->bits[half_]; left_ && ((i) = half_ * 64 + __builtin_ctzll(left_), true);          \
             left_ &= left_ - 1)

#endif
