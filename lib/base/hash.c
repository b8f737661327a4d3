// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hash.h"

uint32_t
hash_bytes(const void *data, size_t n, uint32_t seed)
{
    const unsigned char *p = data;
    uint64_t h = seed ^ (n * UINT64_C(0xff51afd7ed558ccd));
    uint64_t w;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = hash_mix64(h, w);
    }
    if (n) {
        w = 0;
        memcpy(&w, p, n);
        h = hash_mix64(h, w);
    }
    return (uint32_t) hash_mix64(h, h >> 29);
}
