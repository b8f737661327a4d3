// SPDX-License-Identifier: Apache-2.0
#include "lib/base/uuid.h"

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

bool
uuid_parse(const char *s, struct uuid *u)
{
    if (uuid_parse_prefix(s, u) == UUID_LEN && !s[UUID_LEN]) {
        return true;
    }
    memset(u, 0, sizeof *u);
    return false;
}

void
uuid_format(const struct uuid *u, char out[UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            *p++ = '-';
        }
        *p++ = digits[u->w[i / 8] >> (28 - i % 8 * 4) & 15];
    }
    *p = '\0';
}
