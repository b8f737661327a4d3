// SPDX-License-Identifier: Apache-2.0
// str_addf() against snprintf(), for every conversion that is done by hand and some that aren't.
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char want_[512];                                                                           \
        struct str got_ = STR_INIT;                                                                \
        str_add(&got_, "before:");                                                                 \
        snprintf(want_, sizeof want_, __VA_ARGS__);                                                \
        str_addf(&got_, __VA_ARGS__);                                                              \
        assert_string_equal(str_get(&got_) + 7, want_);                                            \
        assert_int_equal(got_.len, strlen(want_) + 7);                                             \
        str_free(&got_);                                                                           \
    } while (0)

static void
numbers(uint64_t v)
{
    const int i = (int) v;
    const unsigned u = (unsigned) v;
    SAME("%d|%i|%5d|%05d|%20d", i, i, i, i, i);
    SAME("%u|%3u|%03u|%016u", u, u, u, u);
    SAME("%x|%#x|%8x|%08x|%#10x|%#010x", u, u, u, u, u, u);
    SAME("%" PRIu64 "|%" PRIx64 "|%#" PRIx64 "|%016" PRIx64 "|%" PRId64, v, v, v, v, (int64_t) v);
    SAME("%zu|%zx|%08zx|%zd|%lu|%llu|%lld", (size_t) v, (size_t) v, (size_t) v, (ssize_t) v,
         (unsigned long) v, (unsigned long long) v, (long long) v);
    SAME("a=%u, b=0x%" PRIx64 ", c=%d%%, d=%c;", u, v, i, 'x');
}

static void
by_hand(void **state)
{
    (void) state;
    random_seed(7);
    const uint64_t edges[] = {0,          1,         9,          10,
                              15,         16,        255,        INT32_MAX,
                              UINT32_MAX, INT64_MAX, UINT64_MAX, (uint64_t) INT32_MIN};
    for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
        numbers(edges[i]);
    }
    for (int i = 0; i < 2000; i++) {
        numbers(random_u64() >> random_below(64));
    }
    SAME("%s|%10s|%3s|%c|%3c", "text", "text", "text", 'y', 'z');
    SAME("%s", "");
    SAME("100%%");
    SAME("%s%s%s", "a", "b", "c");
}

static void
by_library(void **state)
{
    (void) state;
    SAME("%s and %.2f", "text", 1.25);
    SAME("%-5s|%.3s|%*d|%+d", "ab", "abcdef", 6, 42, 42);
    SAME("%hhu %hx %p", (unsigned char) 200, (unsigned short) 7, (void *) 16);
    SAME("%5.1f%% of %u", 99.5, 7U);
    SAME("%X %o", 255U, 8U);
}

static void
empty(void **state)
{
    struct str s = STR_INIT;
    (void) state;
    str_addf(&s, "%s", "");
    assert_string_equal(str_get(&s), "");
    assert_int_equal(s.len, 0);
    str_free(&s);
}

static void
addresses(void **state)
{
    struct str s = STR_INIT;
    const struct mac mac = {{0, 0x1a, 0xff, 3, 4, 5}};
    (void) state;
    str_add_mac(&s, &mac);
    str_add_char(&s, ' ');
    str_add_ip4(&s, htobe32(0x0a00ff01));
    assert_string_equal(str_get(&s), "00:1a:ff:03:04:05 10.0.255.1");
    str_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(by_library),
        cmocka_unit_test(empty),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
