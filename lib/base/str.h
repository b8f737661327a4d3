// SPDX-License-Identifier: Apache-2.0
// Growing string: always NUL-terminated once something was added; may hold NULs.
#ifndef LIB_BASE_STR_H
#define LIB_BASE_STR_H 1

#include <stdarg.h>
#include <string.h>

#include "lib/base/util.h"

struct str {
    char *p; // NULL while empty and unused
    size_t len;
    size_t cap;
};

#define STR_INIT                                                                                                       \
    {                                                                                                                  \
        NULL, 0, 0                                                                                                     \
    }

void str_init(struct str *);
void str_free(struct str *);
void str_clear(struct str *);
void str_truncate(struct str *, size_t len);
void str_reserve(struct str *, size_t extra);
static inline void
str_add_n(struct str *s, const void *p, size_t n)
{
    if (s->len + n >= s->cap) {
        str_reserve(s, n);
    }
    if (n) {
        memcpy(s->p + s->len, p, n);
    }
    s->len += n;
    s->p[s->len] = '\0';
}
static inline void
str_add(struct str *s, const char *text)
{
    str_add_n(s, text, strlen(text));
}
static inline void
str_add_char(struct str *s, char c)
{
    str_add_n(s, &c, 1);
}
void str_add_chars(struct str *, char c, size_t n);
void str_add_int(struct str *, int64_t); // decimal
void str_addf(struct str *, const char *fmt, ...) FB_PRINTF(2, 3);
void str_addv(struct str *, const char *fmt, va_list) FB_PRINTF(2, 0);
void str_add_hex(struct str *, const void *p, size_t n); // lower-case digits without separators
void str_add_mac(struct str *, const struct mac *);       // 00:11:22:33:44:55
void str_add_ip4(struct str *, be32_t);
void str_add_ip6(struct str *, const uint8_t[16]);
// As JSON: n bytes as a quoted string, a number in the fewest digits that read back the same.
void str_add_json(struct str *, const char *s, size_t n);
void str_add_real(struct str *, double);
// Strips the last characters that are in `set`.
void str_chomp(struct str *, const char *set);
const char *str_get(const struct str *); // "" when empty; valid until the next change
// Hands the text (never NULL) to the caller, who frees it; the string is empty afterwards.
char *str_take(struct str *);

#endif
