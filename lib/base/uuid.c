// SPDX-License-Identifier: Apache-2.0
#include "lib/base/uuid.h"

#include "lib/base/hex.h"
#include "lib/base/random.h"

// A pool of random bytes, so that one system call serves many UUIDs.
static _Thread_local struct uuid pool[32];
static _Thread_local unsigned pool_left;

void
uuid_generate(struct uuid *u)
{
    if (!pool_left) {
        random_bytes(pool, sizeof pool);
        pool_left = ARRAY_SIZE(pool);
    }
    *u = pool[--pool_left];
    u->w[1] = (u->w[1] & ~0xf000u) | 0x4000;         // version 4
    u->w[2] = (u->w[2] & ~0xc0000000u) | 0x80000000; // RFC 4122 variant
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int
uuid_parse_prefix(const char *s, struct uuid *u)
{
    int n_digits = 0;
    int i;
    memset(u, 0, sizeof *u);
    for (i = 0; i < UUID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s[i] != '-') {
                break;
            }
            continue;
        }
        int d = hex_digit(s[i]);
        if (d < 0) {
            break;
        }
        u->w[n_digits / 8] |= (uint32_t) d << (28 - n_digits % 8 * 4);
        n_digits++;
    }
    return i;
}

// Values of digits, with a bit that tells them from other characters.
enum { DIGIT = 0x10 };
static const uint8_t digit[256] = {
    ['0'] = DIGIT,      ['1'] = DIGIT | 1,  ['2'] = DIGIT | 2,  ['3'] = DIGIT | 3,
    ['4'] = DIGIT | 4,  ['5'] = DIGIT | 5,  ['6'] = DIGIT | 6,  ['7'] = DIGIT | 7,
    ['8'] = DIGIT | 8,  ['9'] = DIGIT | 9,  ['a'] = DIGIT | 10, ['b'] = DIGIT | 11,
    ['c'] = DIGIT | 12, ['d'] = DIGIT | 13, ['e'] = DIGIT | 14, ['f'] = DIGIT | 15,
    ['A'] = DIGIT | 10, ['B'] = DIGIT | 11, ['C'] = DIGIT | 12, ['D'] = DIGIT | 13,
    ['E'] = DIGIT | 14, ['F'] = DIGIT | 15,
};

static uint32_t
four_digits(const char *s, uint8_t *all)
{
    uint8_t a = digit[(uint8_t) s[0]], b = digit[(uint8_t) s[1]];
    uint8_t c = digit[(uint8_t) s[2]], d = digit[(uint8_t) s[3]];
    *all &= a & b & c & d;
    return (a & 15u) << 12 | (b & 15u) << 8 | (c & 15u) << 4 | (d & 15u);
}

bool
uuid_parse_n(const char *s, size_t n, struct uuid *u)
{
    uint8_t all = DIGIT;
    if (n != UUID_LEN || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-') {
        memset(u, 0, sizeof *u);
        return false;
    }
    u->w[0] = four_digits(s, &all) << 16 | four_digits(s + 4, &all);
    u->w[1] = four_digits(s + 9, &all) << 16 | four_digits(s + 14, &all);
    u->w[2] = four_digits(s + 19, &all) << 16 | four_digits(s + 24, &all);
    u->w[3] = four_digits(s + 28, &all) << 16 | four_digits(s + 32, &all);
    if (!(all & DIGIT)) {
        memset(u, 0, sizeof *u);
        return false;
    }
    return true;
}

bool
uuid_parse(const char *s, struct uuid *u)
{
    return uuid_parse_n(s, strnlen(s, UUID_LEN + 1), u);
}

void
uuid_format(const struct uuid *u, char out[UUID_LEN + 1])
{
    char w[4][8];
    for (int i = 0; i < 4; i++) {
        hex_format(u->w[i], w[i]);
    }
    memcpy(out, w[0], 8);
    memcpy(out + 9, w[1], 4);
    memcpy(out + 14, w[1] + 4, 4);
    memcpy(out + 19, w[2], 4);
    memcpy(out + 24, w[2] + 4, 4);
    memcpy(out + 28, w[3], 8);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[UUID_LEN] = '\0';
}
