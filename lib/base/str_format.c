// SPDX-License-Identifier: Apache-2.0
// Formatted text for growing strings. Dumps of a million flows are mostly small numbers and words,
// for which vsnprintf() is slow; so the conversions that occur there (%s %c %d %u %x with length,
// zero-padding and #) are done by hand, and a format with any other goes to vsnprintf() as a whole.
#include "lib/base/str.h"

#include <stdio.h>

struct spec {
    char conversion; // s c d u x; 0: not one of these
    bool zero, alt;
    uint8_t width;
    uint8_t size; // bytes of the argument
};

// Reads the conversion after a % sign and returns what follows it.
static const char *
parse_spec(const char *f, struct spec *sp)
{
    *sp = (struct spec){.size = sizeof(int)};
    for (; *f == '0' || *f == '#'; f++) {
        sp->zero |= *f == '0';
        sp->alt |= *f == '#';
    }
    for (; *f >= '0' && *f <= '9' && sp->width < 20; f++) {
        sp->width = sp->width * 10 + (*f - '0');
    }
    if (f[0] == 'l' && f[1] == 'l') {
        f += 2;
        sp->size = sizeof(long long);
    } else if (*f == 'l') {
        f++;
        sp->size = sizeof(long);
    } else if (*f == 'z') {
        f++;
        sp->size = sizeof(size_t);
    }
    const char c = *f == 'i' ? 'd' : *f;
    const bool text = c == 's' || c == 'c';
    if ((c == 'd' || c == 'u' || c == 'x' || text) && sp->width <= 20 &&
        !(text && (sp->zero || sp->alt || sp->size == 8))) {
        sp->conversion = c;
        return f + 1;
    }
    return f;
}

static void
pad(struct str *s, const struct spec *sp, size_t len)
{
    if (sp->width > len) {
        str_add_chars(s, sp->zero ? '0' : ' ', sp->width - len);
    }
}

static void
add_number(struct str *s, const struct spec *sp, uint64_t v, bool negative)
{
    char digits[24], *end = digits + sizeof digits, *p = end;
    if (sp->conversion == 'x') {
        const bool prefix = sp->alt && v;
        do {
            *--p = "0123456789abcdef"[v & 15];
            v >>= 4;
        } while (v);
        if (prefix && sp->zero) {
            str_add_n(s, "0x", 2);
        } else if (prefix) {
            *--p = 'x';
            *--p = '0';
        }
        pad(s, sp, end - p + (prefix && sp->zero ? 2 : 0));
    } else {
        do {
            *--p = '0' + v % 10;
            v /= 10;
        } while (v);
        if (negative && sp->zero) {
            str_add_char(s, '-');
            pad(s, sp, end - p + 1);
        } else {
            if (negative) {
                *--p = '-';
            }
            pad(s, sp, end - p);
        }
    }
    str_add_n(s, p, end - p);
}

static void
add_text(struct str *s, const struct spec *sp, const char *text)
{
    const size_t len = strlen(text);
    pad(s, sp, len);
    str_add_n(s, text, len);
}

// False: there is a conversion that isn't done here; what was added is to be taken back. The copy
// of the caller's list is used up.
static bool
add_simple(struct str *s, const char *fmt, va_list ap)
{
    for (const char *f = fmt;;) {
        const char *percent = strchrnul(f, '%');
        str_add_n(s, f, percent - f);
        if (!*percent) {
            return true;
        }
        if (percent[1] == '%') {
            str_add_char(s, '%');
            f = percent + 2;
            continue;
        }
        struct spec sp;
        f = parse_spec(percent + 1, &sp);
        if (sp.conversion == 's') {
            const char *text = va_arg(ap, const char *);
            add_text(s, &sp, text ? text : "(null)");
        } else if (sp.conversion == 'c') {
            pad(s, &sp, 1);
            str_add_char(s, (char) va_arg(ap, int));
        } else if (sp.conversion == 'd') {
            const int64_t v = sp.size == 8 ? va_arg(ap, int64_t) : va_arg(ap, int);
            add_number(s, &sp, v < 0 ? -(uint64_t) v : (uint64_t) v, v < 0);
        } else if (sp.conversion) {
            add_number(s, &sp, sp.size == 8 ? va_arg(ap, uint64_t) : va_arg(ap, unsigned), false);
        } else {
            return false;
        }
    }
}

void
str_addv(struct str *s, const char *fmt, va_list ap)
{
    const size_t before = s->len;
    va_list again;
    va_copy(again, ap);
    const bool done = add_simple(s, fmt, again);
    va_end(again);
    if (done) {
        return;
    }
    s->len = before;
    va_copy(again, ap);
    str_reserve(s, 0);
    const size_t room = s->cap - s->len;
    const int n = vsnprintf(s->p + s->len, room, fmt, ap);
    if (n > 0 && (size_t) n >= room) {
        str_reserve(s, n);
        vsnprintf(s->p + s->len, n + 1, fmt, again);
    }
    va_end(again);
    s->len += MAX(n, 0);
    s->p[s->len] = '\0';
}
