// SPDX-License-Identifier: Apache-2.0
#include "lib/base/str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

void
str_init(struct str *s)
{
    *s = (struct str) STR_INIT;
}

void
str_free(struct str *s)
{
    free(s->p);
    str_init(s);
}

void
str_clear(struct str *s)
{
    str_truncate(s, 0);
}

void
str_truncate(struct str *s, size_t len)
{
    if (len <= s->len && s->p) {
        s->len = len;
        s->p[len] = '\0';
    }
}

void
str_reserve(struct str *s, size_t extra)
{
    size_t need = s->len + extra + 1;
    if (need > s->cap) {
        s->cap = MAX(need, MAX(s->cap * 2, (size_t) 64));
        s->p = base_realloc(s->p, s->cap);
        s->p[s->len] = '\0';
    }
}

void
str_add_chars(struct str *s, char c, size_t n)
{
    str_reserve(s, n);
    memset(s->p + s->len, c, n);
    s->len += n;
    s->p[s->len] = '\0';
}

void
str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_addv(s, fmt, ap);
    va_end(ap);
}

void
str_add_hex(struct str *s, const void *data, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;
    str_reserve(s, n * 2);
    for (size_t i = 0; i < n; i++) {
        s->p[s->len++] = digits[p[i] >> 4];
        s->p[s->len++] = digits[p[i] & 15];
    }
    s->p[s->len] = '\0';
}

void
str_add_mac(struct str *s, const struct mac *m)
{
    for (int i = 0; i < 6; i++) {
        if (i) {
            str_add_char(s, ':');
        }
        str_add_hex(s, &m->b[i], 1);
    }
}

void
str_add_ip4(struct str *s, be32_t ip)
{
    const uint8_t *b = (const uint8_t *) &ip;
    str_addf(s, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

void
str_add_ip6(struct str *s, const uint8_t ip[16])
{
    char text[INET6_ADDRSTRLEN];
    str_add(s, inet_ntop(AF_INET6, ip, text, sizeof text));
}

void
str_chomp(struct str *s, const char *set)
{
    while (s->len && s->p[s->len - 1] && strchr(set, s->p[s->len - 1])) {
        s->len--;
    }
    if (s->p) {
        s->p[s->len] = '\0';
    }
}

const char *
str_get(const struct str *s)
{
    return s->p ? s->p : "";
}

char *
str_take(struct str *s)
{
    str_reserve(s, 0);
    char *p = s->p;
    str_init(s);
    return p;
}
