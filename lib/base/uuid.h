// SPDX-License-Identifier: Apache-2.0
// RFC 4122 UUIDs, version 4.
#ifndef LIB_BASE_UUID_H
#define LIB_BASE_UUID_H 1

#include "lib/base/util.h"

#define UUID_LEN 36

struct uuid {
    uint32_t w[4]; // host order: w[0] prints as the first 8 digits
};

void uuid_generate(struct uuid *);
bool uuid_parse(const char *s, struct uuid *); // exactly 36 characters
bool uuid_parse_n(const char *s, size_t n, struct uuid *); // the same of n bytes
int uuid_parse_prefix(const char *s, struct uuid *); // length parsed, 36 when whole
void uuid_format(const struct uuid *, char out[UUID_LEN + 1]);

static inline bool
uuid_equals(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

static inline bool
uuid_is_zero(const struct uuid *a)
{
    return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

static inline int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
    for (int i = 0; i < 4; i++) {
        if (a->w[i] != b->w[i]) {
            return a->w[i] < b->w[i] ? -1 : 1;
        }
    }
    return 0;
}

static inline uint32_t
uuid_hash(const struct uuid *u)
{
    return u->w[0];
}

#endif
