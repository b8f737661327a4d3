// SPDX-License-Identifier: Apache-2.0
// Strings and numbers in the one JSON form that everything of the database prints.
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"

void
str_add_json(struct str *out, const char *s, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    str_add_char(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = s[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        str_add_n(out, s + start, i - start);
        start = i + 1;
        const char *esc = c == '"'    ? "\\\""
                          : c == '\\' ? "\\\\"
                          : c == '\b' ? "\\b"
                          : c == '\f' ? "\\f"
                          : c == '\n' ? "\\n"
                          : c == '\r' ? "\\r"
                          : c == '\t' ? "\\t"
                                      : NULL;
        if (esc) {
            str_add(out, esc);
        } else {
            char u[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            str_add_n(out, u, sizeof u);
        }
    }
    str_add_n(out, s + start, n - start);
    str_add_char(out, '"');
}

void
str_add_int(struct str *out, int64_t v)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char buf[24], *p = buf + sizeof buf;
    uint64_t u = v < 0 ? -(uint64_t) v : (uint64_t) v;
    for (; u >= 100; u /= 100) {
        p -= 2;
        memcpy(p, pairs + u % 100 * 2, 2);
    }
    do {
        *--p = '0' + u % 10;
    } while (u /= 10);
    if (v < 0) {
        *--p = '-';
    }
    str_add_n(out, p, buf + sizeof buf - p);
}

// The shortest of 15 or 17 digits.
void
str_add_real(struct str *out, double d)
{
    char buf[64];
    if (d == 0) {
        str_add_char(out, '0');
        return;
    }
    snprintf(buf, sizeof buf, "%.15g", d);
    if (strtod(buf, NULL) != d) {
        snprintf(buf, sizeof buf, "%.17g", d);
    }
    str_add(out, buf);
}
