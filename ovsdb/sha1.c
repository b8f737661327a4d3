// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/sha1.h"

#include <endian.h>

#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))

// Word i of the message schedule, of which the last sixteen are kept.
#define NEXT(i)                                                                                    \
    (w[(i) &15] = ROL(w[((i) + 13) & 15] ^ w[((i) + 8) & 15] ^ w[((i) + 2) & 15] ^ w[(i) &15], 1))

#define CHOOSE(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define PARITY(b, c, d) ((b) ^ (c) ^ (d))
#define MAJORITY(b, c, d) (((b) & (c)) | ((d) & ((b) | (c))))

// A round leaves the new `a` in e and turns b; five of them bring all letters back to their places.
#define ROUND(f, k, word, a, b, c, d, e)                                                           \
    do {                                                                                           \
        e += ROL(a, 5) + f(b, c, d) + (k) + (word);                                                \
        b = ROL(b, 30);                                                                            \
    } while (0)

#define FIVE(f, k, word, i)                                                                        \
    do {                                                                                           \
        ROUND(f, k, word(i), a, b, c, d, e);                                                       \
        ROUND(f, k, word((i) + 1), e, a, b, c, d);                                                 \
        ROUND(f, k, word((i) + 2), d, e, a, b, c);                                                 \
        ROUND(f, k, word((i) + 3), c, d, e, a, b);                                                 \
        ROUND(f, k, word((i) + 4), b, c, d, e, a);                                                 \
    } while (0)

#define TWENTY(f, k, i)                                                                            \
    do {                                                                                           \
        FIVE(f, k, NEXT, i);                                                                       \
        FIVE(f, k, NEXT, (i) + 5);                                                                 \
        FIVE(f, k, NEXT, (i) + 10);                                                                \
        FIVE(f, k, NEXT, (i) + 15);                                                                \
    } while (0)

#define FIRST(i) w[i]

static void
block(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[16];
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    memcpy(w, p, sizeof w);
    for (int i = 0; i < 16; i++) {
        w[i] = be32toh(w[i]);
    }
    FIVE(CHOOSE, 0x5a827999, FIRST, 0);
    FIVE(CHOOSE, 0x5a827999, FIRST, 5);
    FIVE(CHOOSE, 0x5a827999, FIRST, 10);
    ROUND(CHOOSE, 0x5a827999, w[15], a, b, c, d, e);
    ROUND(CHOOSE, 0x5a827999, NEXT(16), e, a, b, c, d);
    ROUND(CHOOSE, 0x5a827999, NEXT(17), d, e, a, b, c);
    ROUND(CHOOSE, 0x5a827999, NEXT(18), c, d, e, a, b);
    ROUND(CHOOSE, 0x5a827999, NEXT(19), b, c, d, e, a);
    TWENTY(PARITY, 0x6ed9eba1, 20);
    TWENTY(MAJORITY, 0x8f1bbcdc, 40);
    TWENTY(PARITY, 0xca62c1d6, 60);
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void
db_sha1_hex(const void *data, size_t n, char out[DB_SHA1_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = data;
    size_t left = n;
    for (; left >= 64; left -= 64, p += 64) {
        block(h, p);
    }
    uint8_t tail[128] = {0};
    memcpy(tail, p, left);
    tail[left] = 0x80;
    size_t size = left < 56 ? 64 : 128;
    uint64_t bits = htobe64((uint64_t) n * 8);
    memcpy(tail + size - 8, &bits, 8);
    block(h, tail);
    if (size == 128) {
        block(h, tail + 64);
    }
    for (int i = 0; i < DB_SHA1_HEX; i++) {
        out[i] = digits[h[i / 8] >> (28 - i % 8 * 4) & 15];
    }
    out[DB_SHA1_HEX] = '\0';
}
