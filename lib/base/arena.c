// SPDX-License-Identifier: Apache-2.0
#include "lib/base/arena.h"

#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t size; // of data
    char data[] __attribute__((aligned(8)));
};

void
arena_init(struct arena *a, size_t block_size)
{
    *a = (struct arena) {NULL, NULL, NULL, block_size ? block_size : 64 * 1024};
}

void
arena_destroy(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena_init(a, a->block_size);
}

void
arena_reset(struct arena *a)
{
    struct arena_block *first = a->blocks;
    while (first && first->next) {
        struct arena_block *next = first->next;
        free(first);
        first = next;
    }
    a->blocks = first;
    a->at = first ? first->data : NULL;
    a->end = first ? first->data + first->size : NULL;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    size_t need = ROUND_UP(size, (size_t) 8);
    if (need > (size_t) (a->end - a->at)) {
        size_t room = MAX(need, a->block_size);
        struct arena_block *b = base_malloc(sizeof *b + room);
        b->size = room;
        b->next = a->blocks;
        a->blocks = b;
        a->at = b->data;
        a->end = b->data + room;
    }
    void *p = a->at;
    a->at += need;
    return p;
}

void *
arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

void *
arena_memdup(struct arena *a, const void *p, size_t n)
{
    void *copy = arena_alloc(a, n);
    if (n) {
        memcpy(copy, p, n);
    }
    return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_memdup(a, s, strlen(s) + 1);
}
