// SPDX-License-Identifier: Apache-2.0
// Requests read without jansson's values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/ovsdb/tree_twins.h"

static const char *const taken[] = {
    "{}",
    " \t\r\n{ } ",
    "{\"a\":[]}",
    "{\"id\": 7, \"method\": \"transact\", \"params\": [\"D\", {\"op\": \"mutate\", \"where\": [], "
    "\"mutations\": [[\"n\", \"+=\", 1]], \"table\": \"T\"}]}",
    "{\"a\":{\"b\":{\"c\":{}}},\"d\":[[[[]]],[],{}]}",
    "{\"n\":[0,-0,1,-1,123456789012345678,-123456789012345678,0.5,-0.25,1e3,1E-3,2.5e+10]}",
    "{\"w\":[true,false,null]}",
    "{\"\":\"\",\"\\u0041\":\"\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t \xc3\xa9 "
    "\xf0\x9f\x98\x80\"}",
    "{\"a\":1}{\"a\":2}", // the first one
    "{\"a\":1} trash",
};

static const char *const left[] = {
    "",
    " ",
    "[]",
    "1",
    "\"a\"",
    "{",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1 2]}",
    "{\"a\" 1}",
    "{a:1}",
    "{\"a\":tru}",
    "{\"a\":01}",
    "{\"a\":1.}",
    "{\"a\":.5}",
    "{\"a\":+1}",
    "{\"a\":1e}",
    "{\"a\":1e999}",
    "{\"a\":1234567890123456789}", // more digits than it cares for
    "{\"a\":\"\\u0000\"}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\xff\"}",
    "{\"a\":\"\xc0\x80\"}",
    "{\"a\":\"b",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"b\":2,\"\\u0061\":3}", // which of the two is jansson's to say
    "{\"a\":nul}",
    "{\"a\":]}",
    "{\"a\":[}",
    "{\"a\":[1}",
    "{\"a\":{\"b\":1]}",
};

static void
test_taken(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
        assert_true(twins_read(taken[i], strlen(taken[i])));
    }
}

static void
test_left(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        assert_false(twins_read(left[i], strlen(left[i])));
    }
}

// The text of `depth` arrays, or of an object of n members.
static void
test_limits(void **state)
{
    static const struct {
        size_t depth, members;
        bool ok;
    } limits[] = {{63, 1, true}, {64, 1, false}, {1, 64, true}, {1, 65, false}};
    for (size_t k = 0; k < ARRAY_SIZE(limits); k++) {
        struct str s = STR_INIT;
        str_add_char(&s, '{');
        for (size_t i = 0; i < limits[k].members; i++) {
            str_addf(&s, "%s\"m%zu\":", i ? "," : "", i);
            str_add_chars(&s, '[', limits[k].depth);
            str_add_chars(&s, ']', limits[k].depth);
        }
        str_add_char(&s, '}');
        assert_int_equal(twins_read(s.p, s.len), limits[k].ok);
        str_free(&s);
    }
}

static uint32_t
roll(uint32_t n)
{
    return (uint32_t) random() % n;
}

static void
add_random(struct str *s, int depth)
{
    static const char *const scalars[] = {"0",    "-1",      "17",          "1.5",  "true",
                                          "null", "\"\"",    "\"uuid\"",    "1e2",  "\"\\n\"",
                                          "[]",   "\"set\"", "\"\\u00e9\"", "false"};
    const uint32_t kind = depth ? roll(4) : 3, n = roll(5);
    str_add_chars(s, ' ', roll(8) ? 0 : 2);
    if (kind >= 2) {
        str_add(s, scalars[roll(ARRAY_SIZE(scalars))]);
        return;
    }
    str_add_char(s, kind ? '[' : '{');
    for (uint32_t i = 0; i < n; i++) {
        str_add(s, i ? "," : "");
        if (!kind) {
            str_addf(s, "\"m%u\":", roll(50) ? i : roll(5)); // now and then one twice
        }
        add_random(s, depth - 1);
    }
    str_add_char(s, kind ? ']' : '}');
}

// Good texts, also with one byte changed, and cut anywhere.
static void
test_random(void **state)
{
    const unsigned seed = (unsigned) time(NULL);
    size_t n_taken = 0;
    printf("seed %u\n", seed);
    srandom(seed);
    for (int i = 0; i < 20000; i++) {
        struct str s = STR_INIT;
        str_add(&s, "{\"id\":1,\"params\":");
        add_random(&s, 5);
        str_add_char(&s, '}');
        n_taken += twins_read(s.p, s.len);
        s.p[roll(s.len)] = "{}[]\",:0e-\\ \0u\xc3"[roll(15)];
        twins_read(s.p, s.len);
        str_truncate(&s, roll(s.len));
        twins_read(s.p, s.len);
        str_free(&s);
    }
    assert_in_range(n_taken, 10000, 20000);
}

// Used again and again, for little and much.
static void
test_reuse(void **state)
{
    struct db_tree tree = {.nodes = NULL};
    for (size_t n = 1; n < 100000; n *= 7) {
        struct str s = STR_INIT;
        str_add(&s, "{\"a\":[0");
        for (size_t i = 1; i < n; i++) {
            str_add(&s, ",\"x\"");
        }
        str_add(&s, "]}");
        assert_int_equal(db_tree_read(&tree, s.p, s.len), s.len);
        assert_int_equal(db_value_size(db_value_member(db_tree_root(&tree), "a")), n);
        str_free(&s);
        if (n % 2) {
            db_tree_trim(&tree);
        }
        assert_int_equal(db_tree_read(&tree, "{\"b\":\"c\"}", 9), 9);
        assert_string_equal(db_value_string(db_value_member(db_tree_root(&tree), "b")), "c");
        assert_true(db_value_is_none(db_value_member(db_tree_root(&tree), "a")));
    }
    db_tree_destroy(&tree);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),  cmocka_unit_test(test_left),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_random), cmocka_unit_test(test_reuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
