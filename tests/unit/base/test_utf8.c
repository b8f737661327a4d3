// SPDX-License-Identifier: Apache-2.0
// All sequences of up to three bytes, and those of four that matter, against the table of RFC 3629
// section 4.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/utf8.h"

static const struct {
    uint8_t first[2], second[2];
    size_t n;
} rfc[] = {
    {{0xc2, 0xdf}, {0x80, 0xbf}, 2}, {{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
    {{0xe1, 0xec}, {0x80, 0xbf}, 3}, {{0xed, 0xed}, {0x80, 0x9f}, 3},
    {{0xee, 0xef}, {0x80, 0xbf}, 3}, {{0xf0, 0xf0}, {0x90, 0xbf}, 4},
    {{0xf1, 0xf3}, {0x80, 0xbf}, 4}, {{0xf4, 0xf4}, {0x80, 0x8f}, 4},
};

static size_t
expected(const uint8_t *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(rfc); i++) {
        if (s[0] >= rfc[i].first[0] && s[0] <= rfc[i].first[1] && s[1] >= rfc[i].second[0] &&
            s[1] <= rfc[i].second[1]) {
            size_t k = 2;
            while (k < rfc[i].n && s[k] >= 0x80 && s[k] <= 0xbf) {
                k++;
            }
            return k == rfc[i].n ? k : 0;
        }
    }
    return 0;
}

static void
test_all(void **state)
{
    static const uint8_t last[] = {0, 0x28, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (uint32_t v = 0; v < 1u << 24; v++) {
        for (size_t i = 0; i < ((v >> 16) >= 0xf0 ? ARRAY_SIZE(last) : 1); i++) {
            const uint8_t s[] = {v >> 16, v >> 8, v, last[i], 0};
            if (utf8_sequence((const char *) s) != expected(s)) {
                fail_msg("%02x %02x %02x %02x", s[0], s[1], s[2], s[3]);
            }
        }
    }
}

static void
test_sentences(void **state)
{
    static const char *const rows[][2] = {
        // as the stock ovs-vsctl says them
        {"x\xff", "0xff"},
        {"\xe2\x28\xa1", "0xe2 0x28"},
        {"\xe2\x82", "0xe2 0x82 0x00"},
        {"\xc3", "0xc3 0x00"},
        {"\xed\xa0\x80", "0xed 0xa0"},
        {"\xf0\x90\x28", "0xf0 0x90 0x28"},
        {"\xc0\xaf", "0xc0"},
        {"a\xf4\x90\x80\x80", "0xf4 0x90"},
        {"\xc3\xa4\x80", "0x80"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *said = utf8_check(rows[i][0]),
             *want = base_asprintf("invalid UTF-8 sequence %s", rows[i][1]);
        assert_non_null(said);
        assert_string_equal(said, want);
        free(said);
        free(want);
    }
    assert_null(utf8_check(""));
    assert_null(utf8_check("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xbc\x7f"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
