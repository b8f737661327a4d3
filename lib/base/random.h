// SPDX-License-Identifier: Apache-2.0
// Pseudo-random numbers, one state a thread; seeded by getrandom() unless a test seeds.
#ifndef LIB_BASE_RANDOM_H
#define LIB_BASE_RANDOM_H 1

#include "lib/base/util.h"

void random_seed(uint64_t);
uint32_t random_u32(void);
uint64_t random_u64(void);
uint32_t random_below(uint32_t n); // 0 ≤ result < n
void random_bytes(void *, size_t); // cryptographic: getrandom()

#endif
