// SPDX-License-Identifier: Apache-2.0
// Flat lists: see the header.
#include "config.h"

#include "lib/base/flat.h"

#include <stdlib.h>

#include "lib/base/hash.h"

void
flat_free(struct flat *f)
{
    free(f->data);
    *f = (struct flat) FLAT_INIT;
}

void
flat_clear(struct flat *f)
{
    f->len = 0;
}

static uint8_t *
flat_extend(struct flat *f, size_t n)
{
    if (f->len + n > f->cap) {
        f->cap = MAX(f->cap * 2, ROUND_UP(f->len + n, 64));
        f->data = base_realloc(f->data, f->cap);
    }
    uint8_t *p = f->data + f->len;
    f->len += n;
    return p;
}

void
flat_append(struct flat *f, const void *items, size_t len)
{
    if (len) {
        memcpy(flat_extend(f, len), items, len);
    }
}

void
flat_copy(struct flat *dst, const struct flat *src)
{
    flat_clear(dst);
    flat_append(dst, src->data, src->len);
}

bool
flat_equal(const struct flat *a, const struct flat *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

uint32_t
flat_hash(const struct flat *f, uint32_t seed)
{
    return hash_words((const uint64_t *) (const void *) f->data, f->len / 8, seed);
}

void *
flat_add(struct flat *f, uint16_t type, size_t size)
{
    size = ROUND_UP(size, 8);
    struct flat_item *i = (void *) flat_extend(f, size);
    memset(i, 0, size);
    i->type = type;
    i->len = size;
    return i;
}

size_t
flat_begin(struct flat *f, uint16_t type, size_t size)
{
    size_t ofs = f->len;
    flat_add(f, type, size);
    return ofs;
}

void
flat_end(struct flat *f, size_t ofs)
{
    struct flat_item *i = (void *) (f->data + ofs);
    i->len = f->len - ofs;
}
