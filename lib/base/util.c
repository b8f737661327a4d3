// SPDX-License-Identifier: Apache-2.0
// Allocation that cannot fail, number parsing, errno texts.
#include "lib/base/util.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void FB_NORETURN
out_of_memory(void)
{
    fputs("virtual memory exhausted\n", stderr);
    abort();
}

void *
base_malloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
base_calloc(size_t n, size_t size)
{
    // glibc's calloc() passes by the pieces that a thread has just freed; malloc() takes them
    // first.
    enum { SMALL = 1024 };
    size_t bytes;
    if (!__builtin_mul_overflow(n, size, &bytes) && bytes <= SMALL) {
        return memset(base_malloc(bytes), 0, bytes);
    }
    void *p = calloc(n, size);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
base_realloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
base_memdup(const void *p, size_t size)
{
    void *copy = base_malloc(size);
    if (size) {
        memcpy(copy, p, size);
    }
    return copy;
}

char *
base_strdup(const char *s)
{
    return base_memdup(s, strlen(s) + 1);
}

char *
base_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = base_malloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *
base_asprintf(const char *fmt, ...)
{
    char *s;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        out_of_memory();
    }
    return s;
}

void *
base_grow(void *p, size_t *cap, size_t size)
{
    size_t n = *cap ? *cap * 2 : 4;
    if (n > SIZE_MAX / size) {
        out_of_memory();
    }
    *cap = n;
    return base_realloc(p, n * size);
}

bool
base_parse_uint(const char *s, uint64_t max, uint64_t *out)
{
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    const char *digits = hex ? s + 2 : s;
    if (!(hex ? isxdigit((unsigned char) *digits) : isdigit((unsigned char) *digits))) {
        return false; // strtoull() would take signs and blanks
    }
    char *end;
    errno = 0;
    unsigned long long v = strtoull(digits, &end, hex ? 16 : 10);
    if (errno || *end || v > max) {
        return false;
    }
    *out = v;
    return true;
}

bool
base_parse_int(const char *s, int64_t *out)
{
    bool negative = *s == '-';
    const char *digits = negative || *s == '+' ? s + 1 : s;
    uint64_t v;
    if (!base_parse_uint(digits, (uint64_t) INT64_MAX + negative, &v)) {
        return false;
    }
    *out = negative ? (int64_t) -v : (int64_t) v;
    return true;
}

const char *
base_strerror(int error)
{
    static _Thread_local char unknown[32];
    if (!error) {
        return "success";
    }
    unsigned e = error < 0 ? -(unsigned) error : (unsigned) error;
    const char *s = e <= INT_MAX ? strerrordesc_np((int) e) : NULL;
    if (!s) {
        snprintf(unknown, sizeof unknown, "Unknown error %u", e);
        s = unknown;
    }
    return s;
}
