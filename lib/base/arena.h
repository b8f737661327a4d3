// SPDX-License-Identifier: Apache-2.0
// Bump allocator for a batch: many small allocations, freed at once.
#ifndef LIB_BASE_ARENA_H
#define LIB_BASE_ARENA_H 1

#include "lib/base/util.h"

struct arena {
    struct arena_block *blocks;
    char *at, *end;
    size_t block_size;
};

void arena_init(struct arena *, size_t block_size); // block_size 0: 64 KiB
void arena_destroy(struct arena *);
void arena_reset(struct arena *); // keeps the first block
void *arena_alloc(struct arena *, size_t size); // 8-byte aligned, not zeroed
void *arena_zalloc(struct arena *, size_t size);
char *arena_strdup(struct arena *, const char *);
void *arena_memdup(struct arena *, const void *, size_t);

#endif
