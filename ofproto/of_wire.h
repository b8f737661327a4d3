// SPDX-License-Identifier: Apache-2.0
// Big-endian numbers in byte buffers: a reader that remembers that it ran out, a writer on struct
// str.
#ifndef OFPROTO_OF_WIRE_H
#define OFPROTO_OF_WIRE_H 1

#include "lib/base/str.h"

struct of_reader {
    const uint8_t *p;
    size_t left;
    bool bad; // something was asked for that isn't there; all such reads give 0
};

static inline const uint8_t *
of_get(struct of_reader *r, size_t n)
{
    if (n > r->left) {
        r->bad = true;
        r->left = 0;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

static inline uint8_t
of_get8(struct of_reader *r)
{
    const uint8_t *p = of_get(r, 1);
    return p ? *p : 0;
}

static inline uint16_t
of_get16(struct of_reader *r)
{
    const uint8_t *p = of_get(r, 2);
    return p ? (uint16_t) (p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
of_get32(struct of_reader *r)
{
    const uint8_t *p = of_get(r, 4);
    be32_t x = 0;
    if (p) {
        memcpy(&x, p, 4);
    }
    return be32toh(x);
}

static inline be64_t
of_get_be64(struct of_reader *r)
{
    const uint8_t *p = of_get(r, 8);
    be64_t x = 0;
    if (p) {
        memcpy(&x, p, 8);
    }
    return x;
}

static inline uint64_t
of_get64(struct of_reader *r)
{
    return be64toh(of_get_be64(r));
}

static inline void
of_get_copy(struct of_reader *r, void *to, size_t n)
{
    const uint8_t *p = of_get(r, n);
    if (p) {
        memcpy(to, p, n);
    } else {
        memset(to, 0, n);
    }
}

// Most calls have room: these are hot.
static inline void
of_put(struct str *out, const void *p, size_t n)
{
    if (out->cap - out->len > n) {
        memcpy(out->p + out->len, p, n);
        out->len += n;
        out->p[out->len] = '\0';
    } else {
        str_add_n(out, p, n);
    }
}

static inline void
of_put8(struct str *out, uint8_t x)
{
    of_put(out, &x, 1);
}

static inline void
of_put16(struct str *out, uint16_t x)
{
    be16_t b = htobe16(x);
    of_put(out, &b, 2);
}

static inline void
of_put32(struct str *out, uint32_t x)
{
    be32_t b = htobe32(x);
    of_put(out, &b, 4);
}

static inline void
of_put_be64(struct str *out, be64_t x)
{
    of_put(out, &x, 8);
}

static inline void
of_put64(struct str *out, uint64_t x)
{
    of_put_be64(out, htobe64(x));
}

static inline void
of_put_zeros(struct str *out, size_t n)
{
    static const uint8_t zeros[16];
    if (n <= sizeof zeros) {
        of_put(out, zeros, n);
    } else {
        str_add_chars(out, '\0', n);
    }
}

// Pads what was written since `start` to a multiple of 8.
static inline void
of_put_pad8(struct str *out, size_t start)
{
    of_put_zeros(out, -(out->len - start) & 7);
}

// Overwrites two bytes written before.
static inline void
of_set16(struct str *out, size_t at, uint16_t x)
{
    be16_t b = htobe16(x);
    memcpy(out->p + at, &b, 2);
}

#endif
