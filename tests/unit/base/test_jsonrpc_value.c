// SPDX-License-Identifier: Apache-2.0
// The fast reader of messages against jansson: usual messages, which it must take; unusual ones,
// wrong ones and damaged ones, where it may give up but never come to something else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "tests/unit/base/value_twins.h"

static const char *const usual[] = {
    "[]",
    "{}",
    "[{}]",
    "{\"id\":1,\"method\":\"transact\",\"params\":[\"db\",{\"op\":\"insert\",\"row\":{\"a\":1}}]}",
    " [ 1 , 2.5 , -3e2 , 0 , -0 , true , false , null , \"x\" ] ",
    "{\"a\":{\"b\":[[[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]]]},\"\":\"\"}",
    "[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xbc\x7f\",123456789012345678,-999999999999999999]",
    "[\"\\u0041\\u007f\\u0080\\u07FF\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff\"]",
    "{\"a\":1,\"b\":2,\"a\":3}", // the last one counts, in the first one's place
    "[0.1,1e-7,1E+5,-0.0,1.5e300]",
};

static const char *const unusual[] = {
    "[1234567890123456789]",
    "[9223372036854775808]",
    "[\"\\u004\"]",
    "[\"\\ud800\"]",
    "[\"\\udf3c\"]",
    "[\"\\ud83c\\ud83c\"]",
    "[\"\\ud83c\\u004\"]",
    "[\"\\ud83c\\n\"]",
    "[\"\\u0000\"]",
    "[01]",
    "[1.]",
    "[.5]",
    "[-]",
    "[+1]",
    "[1e]",
    "[1e999]",
    "[tru]",
    "[truer]",
    "[nul]",
    "[1 2]",
    "[1,]",
    "[,1]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "[\"\x01\"]",
    "[\"\xff\"]",
    "[\"\xc0\x80\"]",
    "[\"\xed\xa0\x80\"]",
    "[\"\\x\"]",
    "[}",
    "{]",
    "[\"a\":1]",
    "[\v]",
};

static void
test_usual(void **state)
{
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        size_t start = usual[i][0] == ' ', n = strlen(usual[i]) - 2 * start;
        if (!twins_read(usual[i] + start, n)) {
            fail_msg("not taken: %s", usual[i]);
        }
    }
}

static void
test_unusual(void **state)
{
    for (size_t i = 0; i < sizeof unusual / sizeof *unusual; i++) {
        if (twins_read(unusual[i], strlen(unusual[i]))) {
            fail_msg("taken: %s", unusual[i]);
        }
    }
}

static void
test_long_name(void **state)
{
    struct str s = STR_INIT;
    for (size_t n = 120; n < 140; n++) {
        str_clear(&s);
        str_add(&s, "{\"");
        str_add_chars(&s, 'x', n);
        str_add(&s, "\":1}");
        assert_int_equal(twins_read(s.p, s.len), n < 128);
    }
    str_free(&s);
}

static void
blanks(struct str *s)
{
    while (!random_below(30)) {
        str_add_char(s, " \n\t\r"[random_below(4)]);
    }
}

static void
write_random(struct str *s, unsigned depth)
{
    static const char *const atoms[] = {
        "0",
        "-1",
        "17",
        "2.5",
        "-1e3",
        "1E-2",
        "0.0",
        "12345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        "\"b\\n\"",
        "007",
        "\"\\u00e4\"",
        "\"\\ud83c\\udf3c\"",
        "\"\\u0000\"",
        "\"\xc3\xa4\"",
        "\"\\\"]\"",
        "\"[{\"",
        "1.5e",
        "-",
        "nil",
    };
    unsigned kind = depth ? random_below(4) : 0;
    blanks(s);
    if (kind < 2) {
        // The last few are wrong or unusual: seldom.
        str_add(s, atoms[random_below(random_below(20) ? 14 : sizeof atoms / sizeof *atoms)]);
    } else {
        str_add_char(s, kind == 2 ? '[' : '{');
        for (unsigned n = random_below(4), i = 0; i < n; i++) {
            str_add(s, i ? "," : "");
            if (kind == 3) {
                blanks(s);
                str_addf(s, "\"k%u\"", random_below(4));
                blanks(s);
                str_add_char(s, ':');
            }
            write_random(s, depth - 1);
        }
        str_add_char(s, kind == 2 ? ']' : '}');
    }
    blanks(s);
}

static void
damage(struct str *s)
{
    static const char chars[] = "{}[],:\"\\0129.-+eEtruefalsn u\x7f\x80\xc3\xed\xf0";
    for (unsigned n = 1 + random_below(2); n && s->len > 2; n--) {
        size_t at = 1 + random_below(s->len - 2);
        if (random_below(2)) {
            s->p[at] = chars[random_below(sizeof chars)]; // the NUL too
        } else {
            memmove(s->p + at, s->p + at + 1, s->len - at - 1);
            str_truncate(s, s->len - 1);
        }
    }
}

static void
test_random(void **state)
{
    struct str s = STR_INIT;
    unsigned taken = 0, balanced = 0;
    for (unsigned i = 0; i < 40000; i++) {
        str_clear(&s);
        str_add_char(&s, '[');
        write_random(&s, 5);
        str_add_char(&s, ']');
        if (i % 2) {
            damage(&s);
        }
        // Exactly these bytes, so that a sanitizer sees reads past the end.
        char *text = base_memdup(s.p, s.len);
        balanced += twins_balance(text, s.len);
        taken += twins_read(text, s.len);
        free(text);
    }
    print_message("taken: %u of %u\n", taken, balanced);
    assert_in_range(taken, 15000, 39000);
    str_free(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_unusual),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_random),
    };
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
    print_message("SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
