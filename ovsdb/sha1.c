// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/sha1.h"

#include <endian.h>

static inline uint32_t
rol(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void
block(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[80];
    for (int i = 0; i < 16; i++) {
        uint32_t v;
        memcpy(&v, p + 4 * i, 4);
        w[i] = be32toh(v);
    }
    for (int i = 16; i < 80; i++) {
        w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t t = rol(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = rol(b, 30);
        b = a;
        a = t;
    }
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
