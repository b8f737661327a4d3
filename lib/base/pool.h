// SPDX-License-Identifier: Apache-2.0
// Many objects of one size, close together, for one thread (or under the owner's lock). What is
// freed is used again; the memory goes back when the pool is destroyed. Under AddressSanitizer each
// object is an allocation of its own.
//
//     struct pool pool;
//     pool_init(&pool, sizeof(struct flow));
//     struct flow *f = pool_alloc(&pool);
//     pool_free(&pool, f);
//     pool_destroy(&pool);
#ifndef LIB_BASE_POOL_H
#define LIB_BASE_POOL_H 1

#include "lib/base/util.h"

struct pool {
    size_t size;               // of an object, bytes
    struct pool_block *blocks; // owned
    struct pool_free *free;    // to be used again
    char *at, *end;            // what is left of the latest block
};

void pool_init(struct pool *, size_t size); // size > 0, bytes
void pool_destroy(struct pool *);           // its objects have been freed
void *pool_alloc(struct pool *);            // zeroed, 8-byte aligned; never NULL
void pool_free(struct pool *, void *);      // NULL allowed

#endif
