// SPDX-License-Identifier: Apache-2.0
// Hash functions: fast, seeded, not cryptographic. Values may change between releases and machines.
#ifndef LIB_BASE_HASH_H
#define LIB_BASE_HASH_H 1

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_u128;

// All bits of the result depend on all bits of v: the upper ones, which are where numbers in network
// byte order differ, on the lower half of the product no less than the lower ones on the upper half.
static inline uint64_t
hash_mix64(uint64_t h, uint64_t v)
{
    const hash_u128 product = (hash_u128) (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint32_t
hash_u64(uint64_t v, uint32_t seed)
{
    return (uint32_t) hash_mix64(hash_mix64(seed, v), UINT64_C(0xd6e8feb86659fd93));
}

// Hashes n words of 8 bytes.
static inline uint32_t
hash_words(const uint64_t *w, size_t n, uint32_t seed)
{
    uint64_t h = seed ^ (n * UINT64_C(0xff51afd7ed558ccd));
    for (size_t i = 0; i < n; i++) {
        h = hash_mix64(h, w[i]);
    }
    return (uint32_t) hash_mix64(h, h >> 29);
}

uint32_t hash_bytes(const void *p, size_t n, uint32_t seed);

static inline uint32_t
hash_string(const char *s, uint32_t seed)
{
    return hash_bytes(s, strlen(s), seed);
}

#endif
