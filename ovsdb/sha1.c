// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/sha1.h"

#include <endian.h>
#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "lib/base/hex.h"

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

static void
blocks(uint32_t h[5], const uint8_t *p, size_t n)
{
    for (; n; n--, p += 64) {
        block(h, p);
    }
}

#ifdef __x86_64__
// Four rounds of group g; before them, from group 4 on, the group's words from the 16 before.
#define GROUP(g)                                                                                   \
    do {                                                                                           \
        if ((g) >= 4) {                                                                            \
            w[(g) % 4] = _mm_sha1msg2_epu32(                                                       \
                _mm_xor_si128(_mm_sha1msg1_epu32(w[(g) % 4], w[((g) + 1) % 4]), w[((g) + 2) % 4]), \
                w[((g) + 3) % 4]);                                                                 \
        }                                                                                          \
        __m128i e_w = (g) ? _mm_sha1nexte_epu32(e, w[(g) % 4]) : _mm_add_epi32(e, w[0]);           \
        e = abcd;                                                                                  \
        abcd = _mm_sha1rnds4_epu32(abcd, e_w, (g) / 5);                                            \
    } while (0)

#define FIVE_GROUPS(g)                                                                             \
    do {                                                                                           \
        GROUP(g);                                                                                  \
        GROUP((g) + 1);                                                                            \
        GROUP((g) + 2);                                                                            \
        GROUP((g) + 3);                                                                            \
        GROUP((g) + 4);                                                                            \
    } while (0)

// By the processor's own instructions.
static void __attribute__((target("sha,sse4.1")))
blocks_by_instructions(uint32_t h[5], const uint8_t *p, size_t n)
{
    const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) (const void *) h), 0x1b);
    __m128i e = _mm_set_epi32((int) h[4], 0, 0, 0);
    for (; n; n--, p += 64) {
        __m128i w[4], abcd_before = abcd, e_before = e;
        for (int i = 0; i < 4; i++) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) (const void *) (p + 16 * i)),
                                    order);
        }
        FIVE_GROUPS(0);
        FIVE_GROUPS(5);
        FIVE_GROUPS(10);
        FIVE_GROUPS(15);
        e = _mm_sha1nexte_epu32(e, e_before);
        abcd = _mm_add_epi32(abcd, abcd_before);
    }
    _mm_storeu_si128((__m128i *) (void *) h, _mm_shuffle_epi32(abcd, 0x1b));
    h[4] = (uint32_t) _mm_extract_epi32(e, 3);
}

static bool
has_instructions(void)
{
    enum { SHA = 1 << 29 };
    unsigned a, b, c, d;
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & SHA;
}
#endif

typedef void blocks_fn(uint32_t h[5], const uint8_t *, size_t);

static void
hex(const void *data, size_t n, char out[DB_SHA1_HEX + 1], blocks_fn *fn)
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    fn(h, data, n / 64);
    uint8_t tail[128] = {0};
    size_t left = n % 64, size = left < 56 ? 64 : 128;
    if (left) {
        memcpy(tail, (const uint8_t *) data + n - left, left);
    }
    tail[left] = 0x80;
    uint64_t bits = htobe64((uint64_t) n * 8);
    memcpy(tail + size - 8, &bits, 8);
    fn(h, tail, size / 64);
    for (int i = 0; i < 5; i++) {
        hex_format(h[i], out + 8 * i);
    }
    out[DB_SHA1_HEX] = '\0';
}

void
db_sha1_hex_plain(const void *data, size_t n, char out[DB_SHA1_HEX + 1])
{
    hex(data, n, out, blocks);
}

void
db_sha1_hex(const void *data, size_t n, char out[DB_SHA1_HEX + 1])
{
    static _Thread_local blocks_fn *best;
    if (!best) {
        best = blocks;
#ifdef __x86_64__
        if (has_instructions()) {
            best = blocks_by_instructions;
        }
#endif
    }
    hex(data, n, out, best);
}
