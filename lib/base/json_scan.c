// SPDX-License-Identifier: Apache-2.0
#include "lib/base/json_scan.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/utf8.h"

void
scan_destroy(struct scan *s)
{
    str_free(&s->text);
}

const bool scan_special[256] = {
    [0 ... 0x1f] = true,
    ['"'] = true,
    ['\\'] = true,
    [0x80 ... 0xff] = true,
};

// The number behind "\\u", or -1.
static int
four_digits(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) {
            return -1;
        }
        value = value << 4 | d;
    }
    return value;
}

static void
add_utf8(struct str *out, uint32_t c)
{
    if (c < 0x80) {
        str_add_char(out, (char) c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    str_add_char(out, (char) ((0xf80 >> more & 0xf0) | c >> 6 * more));
    while (more--) {
        str_add_char(out, (char) (0x80 | (c >> 6 * more & 0x3f)));
    }
}

// The escape at p; returns its length, 0: not a good one, or of a NUL.
static size_t
take_escape(const char *p, struct str *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p[1] == 'u') {
        int c = four_digits(p + 2), low = -1;
        if (c >= 0xd800 && c < 0xdc00 && p[6] == '\\' && p[7] == 'u') {
            low = four_digits(p + 8);
        }
        bool pair = low >= 0xdc00 && low < 0xe000;
        if (c <= 0 || (c >= 0xd800 && c < 0xe000 && !pair)) {
            return 0;
        }
        add_utf8(out,
                 pair ? 0x10000 + ((uint32_t) (c - 0xd800) << 10 | (low - 0xdc00)) : (uint32_t) c);
        return pair ? 12 : 6;
    }
    const char *which = p[1] ? strchr(from, p[1]) : NULL;
    if (which) {
        str_add_char(out, to[which - from]);
    }
    return which ? 2 : 0;
}

// The rest of a string behind its first escape, which is next.
static bool
take_escaped(struct scan *s, const char **text, size_t *n)
{
    const char *p = s->p;
    str_clear(&s->text);
    str_add_n(&s->text, *text, p - *text);
    while (*p != '"') {
        const char *start = p;
        while (scan_is_plain(*p)) {
            p++;
        }
        str_add_n(&s->text, start, p - start);
        if (*p == '\\') {
            size_t len = take_escape(p, &s->text);
            if (!len) {
                return false;
            }
            p += len;
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
        while (scan_is_plain(*p)) {
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
