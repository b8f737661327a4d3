// SPDX-License-Identifier: Apache-2.0
// Small things every room uses: allocation that cannot fail, array and member macros, byte order types.
#ifndef LIB_BASE_UTIL_H
#define LIB_BASE_UTIL_H 1

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Big-endian integers. Convert with be16toh(), htobe16() and friends from <endian.h>.
typedef uint16_t be16_t;
typedef uint32_t be32_t;
typedef uint64_t be64_t;

struct mac {
    uint8_t b[6];
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *) (void *) ((char *) (ptr) -offsetof(type, member)))
#define MEMBER_SIZE(type, member) sizeof(((type *) NULL)->member)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, y) (((x) + (y) -1) / (y) * (y))
#define DIV_ROUND_UP(x, y) (((x) + (y) -1) / (y))
#define FB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define FB_UNUSED __attribute__((unused))
#define FB_MUST_CHECK __attribute__((warn_unused_result))
#define FB_NORETURN __attribute__((noreturn))

#if defined(__SANITIZE_THREAD__)
#define FB_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FB_TSAN 1
#endif
#endif
#ifndef FB_TSAN
#define FB_TSAN 0
#endif

// Allocate; abort the program with one line when memory is exhausted. Free with free().
void *base_malloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *base_calloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void *base_realloc(void *p, size_t size) __attribute__((alloc_size(2)));
char *base_strdup(const char *s) __attribute__((malloc));
char *base_strndup(const char *s, size_t n) __attribute__((malloc));
void *base_memdup(const void *p, size_t size) __attribute__((malloc));
char *base_asprintf(const char *fmt, ...) FB_PRINTF(1, 2) __attribute__((malloc));

// Doubles the capacity of an array: *cap elements of `size` bytes at p; returns the new array.
void *base_grow(void *p, size_t *cap, size_t size);

// Strict number parsing: the whole string, decimal or 0x hex (0 octal accepted when base is 0). False: not a number or out of range.
bool base_parse_uint(const char *s, uint64_t max, uint64_t *out);
bool base_parse_int(const char *s, int64_t *out);

// Text of an errno value; for 0 "success". Thread-safe; accepts either sign.
const char *base_strerror(int error);

static inline bool
base_is_pow2(uint64_t x)
{
    return x && !(x & (x - 1));
}

#endif
