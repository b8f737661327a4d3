// SPDX-License-Identifier: Apache-2.0
// Sparse masks and keys. See minimask.h.
#include "lib/flow/minimask.h"

#include <stdlib.h>

#include "lib/base/hash.h"

static const uint16_t stage_end[FLOW_N_STAGES] = {FLOW_STAGE_L2, FLOW_STAGE_L3, FLOW_STAGE_L4,
                                                  FLOW_WORDS};

struct minimask *
minimask_new(const struct flow_mask *mask)
{
    const uint64_t *w = flow_mask_words(mask);
    struct flow_map map = {{0, 0}};
    size_t n = 0;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (w[i]) {
            map.bits[i / 64] |= UINT64_C(1) << (i % 64);
            n++;
        }
    }

    struct minimask *m = base_malloc(sizeof *m + n * sizeof m->words[0]);
    m->map = map;
    m->n = n;
    n = 0;
    size_t from = 0;
    for (size_t s = 0; s < FLOW_N_STAGES; s++) {
        for (size_t i = from; i < stage_end[s]; i++) {
            if (w[i]) {
                m->words[n++] = w[i];
            }
        }
        from = stage_end[s];
        m->stage[s] = n;
    }
    return m;
}

bool
minimask_equals(const struct minimask *a, const struct minimask *b)
{
    return a->map.bits[0] == b->map.bits[0] && a->map.bits[1] == b->map.bits[1] &&
           !memcmp(a->words, b->words, a->n * sizeof a->words[0]);
}

uint32_t
minimask_hash(const struct minimask *m, uint32_t seed)
{
    return hash_words(m->words, m->n, hash_words(m->map.bits, 2, seed));
}

void
minimask_expand(const struct minimask *m, struct flow_mask *out)
{
    memset(out, 0, sizeof *out);
    minimask_or_into(m, 0, m->n, out);
}

void
minimask_or_into(const struct minimask *m, size_t from, size_t to, struct flow_mask *dst)
{
    uint64_t *d = flow_mask_words_mut(dst);
    size_t n = 0, i;
    FLOW_MAP_FOR_EACH (i, &m->map) {
        if (n >= to) {
            break;
        }
        if (n >= from) {
            d[i] |= m->words[n];
        }
        n++;
    }
}

void
minikey_extract(const struct minimask *m, const struct flow_key *key, uint64_t out[])
{
    const uint64_t *k = flow_key_words(key), *w = m->words;
    size_t i;
    FLOW_MAP_FOR_EACH (i, &m->map) {
        *out++ = k[i] & *w++;
    }
}

void
minikey_expand(const struct minimask *m, const uint64_t words[], struct flow_key *key)
{
    uint64_t *k = (uint64_t *) (void *) key;
    size_t i;
    memset(key, 0, sizeof *key);
    FLOW_MAP_FOR_EACH (i, &m->map) {
        k[i] = *words++;
    }
}

uint32_t
minimask_hash_key(const struct minimask *m, const struct flow_key *key, size_t from, size_t to,
                  uint32_t basis)
{
    const uint64_t *k = flow_key_words(key);
    uint32_t h = basis; // 32 bits from word to word, so that hashing may stop and go on anywhere
    size_t n = 0, i;
    FLOW_MAP_FOR_EACH (i, &m->map) {
        if (n >= to) {
            break;
        }
        if (n >= from) {
            h = (uint32_t) hash_mix64(h, k[i] & m->words[n]);
        }
        n++;
    }
    return h;
}

bool
minimask_matches(const struct minimask *m, const uint64_t words[], const struct flow_key *key)
{
    const uint64_t *k = flow_key_words(key), *w = m->words;
    size_t i;
    FLOW_MAP_FOR_EACH (i, &m->map) {
        if ((k[i] & *w++) != *words++) {
            return false;
        }
    }
    return true;
}
