// SPDX-License-Identifier: Apache-2.0
#include "lib/base/json_scan.h"

#include <math.h>
#include <stdlib.h>

void
scan_destroy(struct scan *s)
{
    str_free(&s->text);
}

// Length of the UTF-8 sequence of several bytes at p, 0: none (RFC 3629).
static size_t
utf8_sequence(const char *p)
{
    const uint8_t *s = (const uint8_t *) p;
    size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    return overlong || surrogate || (s[0] == 0xf4 && s[1] > 0x8f) ? 0 : n;
}

// Whether the character stands for itself in a string.
static inline bool
is_plain(char c)
{
    return c != '"' && c != '\\' && (uint8_t) c >= 0x20 && (uint8_t) c < 0x80;
}

// The rest of a string behind its first escape, which is next.
static bool
take_escaped(struct scan *s, const char **text, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = s->p;
    str_clear(&s->text);
    str_add_n(&s->text, *text, p - *text);
    while (*p != '"') {
        const char *start = p;
        while (is_plain(*p)) {
            p++;
        }
        str_add_n(&s->text, start, p - start);
        if (*p == '\\') {
            const char *which = p[1] ? strchr(from, p[1]) : NULL;
            if (!which) {
                return false;
            }
            str_add_char(&s->text, to[which - from]);
            p += 2;
        } else if (*p != '"') {
            size_t len = utf8_sequence(p);
            if (!len) {
                return false;
            }
            str_add_n(&s->text, p, len);
            p += len;
        }
    }
    *text = str_get(&s->text);
    *n = s->text.len;
    s->p = p + 1;
    return true;
}

bool
scan_string(struct scan *s, const char **text, size_t *n)
{
    if (!scan_char(s, '"')) {
        return false;
    }
    const char *p = *text = s->p;
    for (;;) {
        while (is_plain(*p)) {
            p++;
        }
        if (*p == '"') {
            *n = p - *text;
            s->p = p + 1;
            return true;
        } else if (*p == '\\') {
            s->p = p;
            return take_escaped(s, text, n);
        }
        size_t len = utf8_sequence(p);
        if (!len) {
            return false;
        }
        p += len;
    }
}

bool
scan_name(struct scan *s, char *name, size_t size)
{
    const char *text;
    size_t n;
    if (!scan_string(s, &text, &n) || n >= size || !scan_char(s, ':')) {
        return false;
    }
    memcpy(name, text, n);
    name[n] = '\0';
    return true;
}

bool
scan_word(struct scan *s, const char *word)
{
    scan_blanks(s);
    const char *p = s->p;
    while (*word && *p == *word) {
        p++;
        word++;
    }
    if (*word) {
        return false;
    }
    s->p = p;
    return true;
}

bool
scan_boolean(struct scan *s, bool *b)
{
    *b = scan_word(s, "true");
    return *b || scan_word(s, "false");
}

bool
scan_integer(struct scan *s, int64_t *value)
{
    enum { SAFE_DIGITS = 18 };
    scan_blanks(s);
    const char *p = s->p;
    bool negative = *p == '-';
    p += negative;
    const char *first = p;
    int64_t v = 0;
    while (*p >= '0' && *p <= '9' && p - first < SAFE_DIGITS) {
        v = v * 10 + (*p++ - '0');
    }
    if (p == first || (*first == '0' && p - first > 1)) {
        return false;
    }
    *value = negative ? -v : v;
    s->p = p;
    return true;
}

// A dot, an `e` and the like, with at least one digit behind.
static const char *
skip_part(const char *p)
{
    const char *digits = p;
    while (*p >= '0' && *p <= '9') {
        p++;
    }
    return p == digits ? NULL : p;
}

bool
scan_number(struct scan *s, double *real, int64_t *integer, bool *integral)
{
    enum { MAX_NUMBER = 40 };
    scan_blanks(s);
    const char *start = s->p;
    if (!scan_integer(s, integer)) {
        return false;
    }
    const char *p = s->p;
    *integral = *p != '.' && *p != 'e' && *p != 'E';
    if (*integral) {
        *real = (double) *integer;
        return true;
    }
    if (*p == '.') {
        p = skip_part(p + 1);
    }
    if (p && (*p == 'e' || *p == 'E')) {
        p = skip_part(p + (p[1] == '+' || p[1] == '-' ? 2 : 1));
    }
    char text[MAX_NUMBER];
    if (!p || (size_t) (p - start) >= sizeof text) {
        return false;
    }
    memcpy(text, start, p - start);
    text[p - start] = '\0';
    char *end;
    *real = strtod(text, &end);
    s->p = p;
    return !*end && isfinite(*real);
}
