// SPDX-License-Identifier: Apache-2.0
// Flat list of typed records in 8-byte units: each starts with struct flat_item, nested records follow their parent inside its length. No
// pointers inside, so a list can be hashed, compared and moved as bytes. OpenFlow actions and datapath actions are such lists.
#ifndef LIB_BASE_FLAT_H
#define LIB_BASE_FLAT_H 1

#include "lib/base/util.h"

struct flat_item {
    uint16_t type;
    uint16_t flags;
    uint32_t len; // bytes, this header and everything nested included; multiple of 8
};

struct flat {
    uint8_t *data; // 8-byte aligned
    uint32_t len;  // bytes
    uint32_t cap;
};

#define FLAT_INIT                                                                                                      \
    {                                                                                                                  \
        NULL, 0, 0                                                                                                     \
    }

void flat_free(struct flat *);
void flat_clear(struct flat *);
void flat_copy(struct flat *dst, const struct flat *src);
bool flat_equal(const struct flat *, const struct flat *);
uint32_t flat_hash(const struct flat *, uint32_t seed);
// Appends `size` zeroed bytes (rounded up to 8) with a header; valid until the next append.
void *flat_add(struct flat *, uint16_t type, size_t size);
// Appends raw items.
void flat_append(struct flat *, const void *items, size_t len);
// Nesting: ofs = flat_begin(…); append children; flat_end(…, ofs).
size_t flat_begin(struct flat *, uint16_t type, size_t size);
void flat_end(struct flat *, size_t ofs);

static inline const struct flat_item *
flat_next(const struct flat_item *i)
{
    return (const struct flat_item *) (const void *) ((const uint8_t *) i + i->len);
}

#define FLAT_FOR_EACH(i, data_, len_)                                                                                  \
    for ((i) = (const struct flat_item *) (const void *) (data_);                                                      \
         (len_) && (const uint8_t *) (i) < (const uint8_t *) (data_) + (len_); (i) = flat_next(i))

#endif
