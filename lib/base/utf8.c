// SPDX-License-Identifier: Apache-2.0
#include "lib/base/utf8.h"

#include "lib/base/str.h"

// Bytes of the sequence at s that may stand there. *n: how many it should have, 0 when none can
// begin so.
static size_t
good_bytes(const uint8_t *s, size_t *n)
{
    *n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    const uint8_t low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80; // not longer than needed
    const uint8_t high = s[0] == 0xed   ? 0x9f
                         : s[0] == 0xf4 ? 0x8f
                                        : 0xbf; // no surrogate, no more than there are
    if (!*n || s[1] < low || s[1] > high) {
        return *n ? 1 : 0;
    }
    size_t i = 2;
    while (i < *n && (s[i] & 0xc0) == 0x80) {
        i++;
    }
    return i;
}

size_t
utf8_sequence(const char *p)
{
    size_t n;
    return good_bytes((const uint8_t *) p, &n) == n ? n : 0;
}

char *
utf8_check(const char *s)
{
    for (const uint8_t *p = (const uint8_t *) s; *p;) {
        size_t n, good = *p < 0x80 ? (n = 1) : good_bytes(p, &n);
        if (n && good == n) {
            p += n;
            continue;
        }
        struct str text = STR_INIT;
        str_add(&text, "invalid UTF-8 sequence");
        for (size_t i = 0; i <= good; i++) {
            str_addf(&text, " 0x%02x", p[i]);
        }
        return str_take(&text);
    }
    return NULL;
}
