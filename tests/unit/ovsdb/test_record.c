// SPDX-License-Identifier: Apache-2.0
// The fast reader of records against the general one: records as servers write them, which it must
// take; records with something unusual, and with damaged bytes, where it may give up but never
// come to something else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/random.h"
#include "tests/unit/ovsdb/record_twins.h"

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define KID "00000000-0000-4000-8000-000000000001"

static bool
apply(struct twins *t, const char *text)
{
    return twins_apply(t, text, strlen(text));
}

// --- what must be taken ---

static const char *const common[] = {
    "{\"R\":{\"" A "\":{\"s\":\"one\",\"i\":7,\"is\":[\"set\",[1,2,-3]],\"f\":1.5,\"b\":true,"
    "\"k\":[\"uuid\",\"" KID "\"],\"m\":[\"map\",[[\"a\",\"b\"],[\"c\",\"\"]]]}},"
    "\"K\":{\"" KID "\":{}},\"_date\":1700000000000,\"_is_diff\":true,\"_comment\":\"why\"}\n",
    "{\"_date\":1,\"R\":{\"" A "\":{\"is\":[\"set\",[]],\"m\":[\"map\",[[\"a\",\"z\"]]]}},"
    "\"_is_diff\":true}",
    "{\"R\":{\"" A "\":{\"is\":[\"set\",[1,2]],\"m\":[\"map\",[]]}}}",
    "{\"R\":{\"" A "\":{\"is\":4,\"fs\":[\"set\",[1e3,-0.25,7]],\"ob\":false,\"e\":\"gone\"}}}",
    "{\"R\":{\"" A "\":{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u0041\\u00E4\\u20ac\\ud83c\\udf3c "
                   "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\xbc\"}}}",
    " { \"R\" :\t{ \"" A "\" : { \"is\" : [ \"set\" , [ 1 , 2 ] ] } } } \r\n",
    "{\"R\":{\"" A "\":{},\"" B "\":{\"mi\":[\"map\",[[1,[\"uuid\",\"" A "\"]]]]}}}",
    "{\"R\":{\"" A "\":null}}",
    "{}",
    "{\"R\":{}}",
};

static void
test_common(void **state)
{
    struct twins t;
    twins_open(&t);
    for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
        if (!apply(&t, common[i])) {
            fail_msg("not taken: %s", common[i]);
        }
    }
    assert_int_equal(hmap_count(&db_table_find(t.fast, "R")->rows), 1);
    twins_close(&t);
}

// --- what must be left to the general reader ---

#define ROW(columns) "{\"R\":{\"" A "\":{" columns "}}}"

static const char *const uncommon[] = {
    ROW("\"s\":\"a\",\"s\":\"b\""), // the later one counts
    ROW("\"i\":1.0"),               // an integer
    ROW("\"s\":\"\\ud83c\""),       // half a pair
    ROW("\"s\":\"\\u0000\""),       // a NUL
    ROW("\"_uuid\":1"),             // left out
    "{\"R\":{\"" A "\":{\"s\":\"a\"},\"" A "\":{\"s\":\"b\"}}}",
    "{\"R\":{\"" A "\":null}}", // no such row
    "{\"R\":{},\"R\":{}}",
    "{\"_is_diff\":false,\"_is_diff\":true}",
    "{\"_x\":[1,{}],\"_y\":null,\"_z\":1.5}",
    "{\"X\":{}}",
    ROW("\"x\":1"),
    ROW("\"i\":-6"),
    ROW("\"i\":01"),
    ROW("\"i\":9223372036854775808"),
    ROW("\"i\":\"1\""),
    ROW("\"f\":1e999"),
    ROW("\"f\":.5"),
    ROW("\"f\":1."),
    ROW("\"b\":1"),
    ROW("\"b\":truer"),
    ROW("\"is\":[\"set\",[1,1]]"),       // the same twice
    ROW("\"is\":[\"set\",[1,2,3,4,5]]"), // too many
    ROW("\"is\":[\"map\",[]]"),
    ROW("\"k\":[\"set\",[]]"), // too few
    ROW("\"m\":[\"map\",[[\"a\",\"b\",\"c\"]]]"),
    ROW("\"m\":[\"map\",[[\"a\",\"b\"],[\"a\",\"c\"]]]"),
    ROW("\"u\":[\"uuid\",\"" A "0\"]"),
    ROW("\"u\":[\"named-uuid\",\"a\"]"),
    ROW("\"s\":\"\x01\""),
    ROW("\"s\":\"\xc0\x80\""),
    ROW("\"s\":\"\xed\xa0\x80\""),
    ROW("\"s\":\"\xf4\x90\x80\x80\""),
    ROW("\"s\":\"\xe0\x80\x80\""),
    ROW("\"s\":\"a\"") "x",
    ROW("\"s\":\"a\","),
    "{\"R\":{\"" A "\":{\"s\":\"a\"}",
    "{\"R\":{\"" A "\":{\"s\":\"a",
    "{\"R\":{\"00000000-0000-4000-8000\":{}}}",
    "{\"K\":{\"" A "\":{\"s\":\"c\"}}}",    // not in the enumeration
    "{\"K\":{\"" A "\":{\"l\":\"abcd\"}}}", // too long
    "[]",
    "",
};

static void
test_uncommon(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(uncommon); i++) {
        struct twins t;
        twins_open(&t);
        if (apply(&t, uncommon[i])) {
            fail_msg("taken: %s", uncommon[i]);
        }
        twins_close(&t);
    }
}

// A number of elements that only a difference may have: the text says at its end which it is.
static void
test_odd_sizes(void **state)
{
    struct twins t;
    twins_open(&t);
    assert_true(apply(&t, ROW("\"is\":[\"set\",[1,2,3,4]],\"k\":[\"uuid\",\"" KID "\"]")));
    assert_true(apply(&t, "{\"R\":{\"" A "\":{\"is\":[\"set\",[1,2,3,4,5]],\"k\":[\"set\",[]]}},"
                          "\"_is_diff\":true}"));
    assert_int_equal(db_table_find(t.fast, "R")->rows.n, 1);
    assert_false(apply(&t, ROW("\"is\":[\"set\",[1,2,3,4,5]]")));
    twins_close(&t);
}

// --- random records ---

static bool
one_in(unsigned n)
{
    return !random_below(n);
}

struct writer {
    struct str s;
    bool odd; // now and then something that servers don't write
};

static void
blanks(struct writer *w)
{
    while (w->odd && one_in(40)) {
        str_add_char(&w->s, " \n\t\r"[random_below(4)]);
    }
}

static void
add(struct writer *w, const char *s)
{
    blanks(w);
    str_add(&w->s, s);
    blanks(w);
}

static void
write_uuid(struct writer *w, bool tagged)
{
    str_addf(&w->s,
             tagged ? "[\"uuid\",\"00000000-0000-4000-8000-%012x\"]"
                    : "\"00000000-0000-4000-8000-%012x\"",
             random_below(12));
}

static void
write_string(struct writer *w)
{
    static const char *const parts[] = {"a",        "b",    "xyz", "\\\"", "\\n",
                                        "\xc3\xa4", "\\\\", " ",   "/"};
    static const char *const odd[] = {"\\u00e4", "\\u0000",        "\x02",
                                      "\xff",    "\\ud83c\\udf3c", "\\x"};
    str_add_char(&w->s, '"');
    for (unsigned n = random_below(4); n; n--) {
        str_add(&w->s, w->odd && one_in(20) ? odd[random_below(ARRAY_SIZE(odd))]
                                            : parts[random_below(ARRAY_SIZE(parts))]);
    }
    str_add_char(&w->s, '"');
}

static void
write_number(struct writer *w, bool real)
{
    static const char *const odd[] = {"-0",
                                      "00",
                                      "-",
                                      "1e2",
                                      "1E+2",
                                      "2.5e-1",
                                      "-1.0",
                                      "1.",
                                      "1e",
                                      "1e999",
                                      "1e-999",
                                      "9223372036854775807",
                                      "-9223372036854775808",
                                      "9223372036854775808",
                                      "123456789012345678901234567890",
                                      "0.1000000000000000055511151231257827021181583404541015625"};
    if (w->odd && one_in(8)) {
        str_add(&w->s, odd[random_below(ARRAY_SIZE(odd))]);
    } else if (real && one_in(2)) {
        str_add_real(&w->s, (double) random_below(1000) / 64 - 5);
    } else {
        str_addf(&w->s, "%d", (int) random_below(8) - (w->odd ? 5 : 3));
    }
}

static void
write_atom(struct writer *w, const struct db_base *b)
{
    enum db_atomic type = w->odd && one_in(40) ? 1 + random_below(5) : b->type;
    if (b->enum_ && !(w->odd && one_in(10))) {
        str_add(&w->s, one_in(2) ? "\"a\"" : "\"b\"");
    } else if (b->len_min) {
        str_addf(&w->s, "\"%.*s\"", 2 + (int) random_below(w->odd ? 3 : 2), "abcd");
    } else if (type == DB_STRING) {
        write_string(w);
    } else if (type == DB_UUID) {
        write_uuid(w, true);
    } else if (type == DB_BOOLEAN) {
        str_add(&w->s, one_in(2) ? "true" : "false");
    } else {
        write_number(w, type == DB_REAL);
    }
}

// The value as a server writes it (keys are distinct), or one with distinct keys only by luck.
static void
write_value(struct writer *w, const struct db_type *t)
{
    uint32_t most = MIN(t->n_max, 4u), n = t->n_min + random_below(most - t->n_min + 1);
    bool map = db_type_is_map(t);
    if (w->odd && one_in(15)) {
        n = random_below(6);
    }
    if (!map && n == 1 && !(w->odd && one_in(4))) {
        write_atom(w, &t->key);
        return;
    }
    add(w, map && !(w->odd && one_in(30)) ? "[\"map\",[" : "[\"set\",[");
    for (uint32_t i = 0; i < n; i++) {
        str_add(&w->s, i ? "," : "");
        str_add(&w->s, map ? "[" : "");
        if (w->odd) {
            write_atom(w, &t->key);
        } else if (t->key.type == DB_UUID) {
            str_addf(&w->s, "[\"uuid\",\"00000000-0000-4000-8000-%012x\"]", i);
        } else if (t->key.type == DB_STRING) {
            str_addf(&w->s, "\"k%u\"", i);
        } else {
            str_addf(&w->s, "%u", i);
        }
        if (map) {
            add(w, ",");
            write_atom(w, &t->value);
            add(w, "]");
        }
    }
    add(w, "]]");
}

static void
write_row(struct writer *w, const struct db_table *t)
{
    const char *comma = "";
    add(w, "{");
    for (size_t i = DB_N_STD_COLS; i < t->schema->n_columns; i++) {
        const struct db_column_schema *c = t->schema->columns[i];
        for (unsigned n = one_in(2) + (w->odd && one_in(40)); n; n--) {
            add(w, comma);
            str_addf(&w->s, "\"%s\"", w->odd && one_in(80) ? "nonsense" : c->name);
            add(w, ":");
            write_value(w, &c->type);
            comma = ",";
        }
    }
    add(w, "}");
}

static void
write_table(struct writer *w, const struct db_table *t)
{
    const char *comma = "";
    str_addf(&w->s, "\"%s\":", t->schema->name);
    add(w, "{");
    for (unsigned i = 0; i < 12; i++) {
        struct uuid u = {{0, 0x00004000, 0x80000000, i}};
        struct db_row *row = db_row_find(t, &u);
        if (!one_in(4)) {
            continue;
        }
        str_addf(&w->s, "%s\"00000000-0000-4000-8000-%012x\":", comma,
                 w->odd && one_in(50) ? random_below(12) : i);
        if (row ? one_in(4) : w->odd && one_in(60)) {
            add(w, "null");
        } else {
            write_row(w, t);
        }
        comma = ",";
    }
    add(w, "}");
}

static void
write_record(struct writer *w, const struct db *db)
{
    const char *diff = one_in(2) ? "\"_is_diff\":true," : one_in(2) ? "\"_is_diff\":false," : "";
    bool last = one_in(2);
    str_clear(&w->s);
    add(w, "{");
    str_add(&w->s, last ? "" : diff);
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        for (unsigned n = one_in(2) + (w->odd && one_in(60)); n; n--) {
            write_table(w, db->tables[i]);
            add(w, ",");
        }
    }
    str_add(&w->s, last ? diff : "");
    add(w, "\"_comment\":\"x\",\"_date\":");
    str_add(&w->s, w->odd && one_in(20) ? "1.5}" : "1700000000000}");
    blanks(w);
}

static void
damage(struct str *s)
{
    static const char chars[] = "{}[],:\"\\0129.-+eEtruefalsn u\x7f\x80\xc3\xed\xf0";
    for (unsigned n = 1 + random_below(3); n && s->len > 1; n--) {
        size_t at = random_below(s->len), len = 1 + random_below(12);
        char c = chars[random_below(sizeof chars)]; // the NUL too
        if (one_in(3)) {
            s->p[at] = c;
        } else if (one_in(2)) {
            len = MIN(len, s->len - at);
            memmove(s->p + at, s->p + at + len, s->len - at - len);
            str_truncate(s, s->len - len);
        } else if (one_in(8)) {
            str_truncate(s, at);
        } else {
            str_add_char(s, '\0');
            memmove(s->p + at + 1, s->p + at, s->len - at - 1);
            s->p[at] = c;
        }
    }
}

static void
run(bool odd, bool damaged, unsigned rounds, unsigned *taken)
{
    struct twins t;
    struct writer w = {STR_INIT, odd};
    twins_open(&t);
    *taken = 0;
    for (unsigned i = 0; i < rounds; i++) {
        write_record(&w, t.fast);
        if (damaged && one_in(2)) {
            damage(&w.s);
        }
        // Exactly these bytes and a NUL, so that a sanitizer sees reads past the end.
        char *text = base_memdup(str_get(&w.s), w.s.len + 1);
        bool ok = twins_apply(&t, text, w.s.len);
        if (!odd && !damaged && !ok) {
            fail_msg("not taken: %s", text);
        }
        *taken += ok;
        free(text);
    }
    str_free(&w.s);
    twins_close(&t);
}

// A value of the wrong size where it isn't a difference would be refused: sizes are right here.
static void
test_random(void **state)
{
    unsigned taken;
    run(false, false, 2000, &taken);
    assert_int_equal(taken, 2000);
}

static void
test_odd(void **state)
{
    unsigned taken;
    run(true, false, 6000, &taken);
    print_message("taken: %u of 6000\n", taken);
    assert_in_range(taken, 100, 5900);
}

static void
test_damaged(void **state)
{
    unsigned taken;
    run(false, true, 6000, &taken);
    print_message("taken: %u of 6000\n", taken);
    assert_in_range(taken, 2500, 5900);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common),    cmocka_unit_test(test_uncommon),
        cmocka_unit_test(test_odd_sizes), cmocka_unit_test(test_random),
        cmocka_unit_test(test_odd),       cmocka_unit_test(test_damaged),
    };
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
    print_message("SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
