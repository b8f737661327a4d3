// SPDX-License-Identifier: Apache-2.0
// Event counters for coverage/show, and memory/show reporters. Counting is a per-thread-friendly relaxed atomic add.
#ifndef LIB_BASE_COVERAGE_H
#define LIB_BASE_COVERAGE_H 1

#include "lib/base/util.h"

struct coverage_counter {
    struct coverage_counter *next;
    const char *name;
    uint64_t n; // atomic
    uint64_t last;
    uint32_t per_min[60 + 60]; // 5 s slots of the last minute and minutes of the last hour
};

void coverage_register(struct coverage_counter *);

#define COVERAGE(NAME)                                                                                                 \
    static struct coverage_counter coverage_##NAME = {NULL, #NAME, 0, 0, {0}};                                         \
    __attribute__((constructor)) static void coverage_register_##NAME(void)                                            \
    {                                                                                                                  \
        coverage_register(&coverage_##NAME);                                                                           \
    }                                                                                                                  \
    struct coverage_counter
#define COVERAGE_ADD(NAME, k) __atomic_fetch_add(&coverage_##NAME.n, k, __ATOMIC_RELAXED)
#define COVERAGE_INC(NAME) COVERAGE_ADD(NAME, 1)

struct loop;
// Starts sampling and registers coverage/show, coverage/read-counter and memory/show.
void coverage_init(struct loop *);
// A reporter adds "key:value" pairs with coverage_memory_add() when memory/show asks (main thread).
void coverage_memory_register(void (*report)(void *aux), void *aux);
void coverage_memory_add(const char *key, uint64_t value);

#endif
