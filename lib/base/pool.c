// SPDX-License-Identifier: Apache-2.0
// Objects of one size in blocks. See pool.h.
#include "lib/base/pool.h"

#include <stdlib.h>

#define BLOCK_BYTES (64 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define SEPARATE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEPARATE 1
#endif
#endif
#ifndef SEPARATE
#define SEPARATE 0
#endif

struct pool_free {
    struct pool_free *next;
};

struct pool_block {
    struct pool_block *next;
    uint64_t data[];
};

void
pool_init(struct pool *p, size_t size)
{
    *p = (struct pool){.size = ROUND_UP(MAX(size, sizeof(struct pool_free)), 8)};
}

void
pool_destroy(struct pool *p)
{
    while (p->blocks) {
        struct pool_block *b = p->blocks;
        p->blocks = b->next;
        free(b);
    }
    pool_init(p, p->size);
}

static void *
from_block(struct pool *p)
{
    if ((size_t) (p->end - p->at) < p->size) {
        const size_t bytes = MAX((size_t) BLOCK_BYTES / p->size, (size_t) 1) * p->size;
        struct pool_block *b = base_malloc(sizeof *b + bytes);
        b->next = p->blocks;
        p->blocks = b;
        p->at = (char *) b->data;
        p->end = p->at + bytes;
    }
    void *object = p->at;
    p->at += p->size;
    return object;
}

void *
pool_alloc(struct pool *p)
{
    if (SEPARATE) {
        return base_calloc(1, p->size);
    }
    void *object = p->free;
    if (object) {
        p->free = p->free->next;
    } else {
        object = from_block(p);
    }
    return memset(object, 0, p->size);
}

void
pool_free(struct pool *p, void *object)
{
    if (SEPARATE) {
        free(object);
    } else if (object) {
        struct pool_free *f = object;
        f->next = p->free;
        p->free = f;
    }
}
