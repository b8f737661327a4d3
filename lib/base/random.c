// SPDX-License-Identifier: Apache-2.0
// xoshiro256** with one state a thread; random_bytes() asks the kernel.
#include "lib/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static _Thread_local uint64_t state[4];
static _Thread_local bool seeded;

static uint64_t
rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

void
random_seed(uint64_t seed)
{
    for (int i = 0; i < 4; i++) { // splitmix64
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        state[i] = z ^ (z >> 31);
    }
    seeded = true;
}

uint64_t
random_u64(void)
{
    if (!seeded) {
        uint64_t seed;
        random_bytes(&seed, sizeof seed);
        random_seed(seed);
    }
    uint64_t result = rotl(state[1] * 5, 7) * 9;
    uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return result;
}

uint32_t
random_u32(void)
{
    return (uint32_t) (random_u64() >> 32);
}

uint32_t
random_below(uint32_t n)
{
    return (uint32_t) ((uint64_t) random_u32() * n >> 32);
}

void
random_bytes(void *p, size_t n)
{
    char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno != EINTR) {
            perror("getrandom");
            abort();
        }
        at += MAX(got, 0);
        n -= MAX(got, 0);
    }
}
