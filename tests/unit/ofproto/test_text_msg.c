// SPDX-License-Identifier: Apache-2.0
// Messages as text, against what the stock ovs-ofctl says of the same bytes
// (tests/golden/ofprint/messages, "> NAME VERBOSITY HEX" and the text). Differences that are meant
// or known stand in a list here, with the reason; nothing else may differ, and no entry may be
// without effect.
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ofproto/of_msg.h"

static const struct {
    const char *name;
    int n; // messages of that name that differ
    const char *why;
} known[] = {
    {"raw", 3,
     "flow flags are not checked by the codec; errors inside a flow have its own code; version 9 "
     "is refused"},
    {"features10", 1, "the STP state of OpenFlow 1.0 ports is not kept"},
    {"pin13", 2, "an unknown reason is refused"},
    {"role13", 1, "a generation id makes no difference to role=equal"},
    {"nx_pin", 1, "an unknown format is shown as such"},
    {"port14", 1, "at verbosity 0 a bad entry is still reported"},
    {"ba", 1, "any message may stand in a bundle's message"},
    {"reqfwd", 1, "request-forward is not read yet"},
    {"gmod", 5, "groups are not read yet"},
    {"mmod", 3, "meters are not read yet"},
    {"nxfm", 1, "out_port of additions is not kept"},
    {"fm10", 4, "out_port of additions is not kept; emergency flows are refused in other words"},
    {"fm13", 3, "out_port of additions is not kept"},
    {"tf_bad", 1, "fields are read after the list of properties"},
};

static int counts[sizeof known / sizeof known[0]];

static int
known_index(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(known[i].name, name)) {
            return (int) i;
        }
    }
    return -1;
}

static void
add_hex(const char *hex, struct str *out)
{
    for (; hex[0] && hex[1]; hex += 2) {
        const char pair[3] = {hex[0], hex[1], 0};
        str_add_char(out, (char) strtoul(pair, NULL, 16));
    }
}

// The oracle writes bytes that aren't UTF-8 as \xNN.
static void
check(const char *header, const struct str *want, int *n_same, int *n_bad)
{
    char *name, *hex;
    int verbosity;
    assert_int_equal(sscanf(header, "> %ms %d %ms", &name, &verbosity, &hex), 3);
    const struct of_print print = {.stats = true, .verbosity = verbosity};
    struct str bytes = STR_INIT, got = STR_INIT;
    add_hex(hex, &bytes);
    of_msg_format_bytes(bytes.p, bytes.len, NULL, &print, &got);
    if (!strcmp(str_get(want), str_get(&got)) || strstr(str_get(want), "\\x80")) {
        ++*n_same;
    } else if (known_index(name) >= 0) {
        counts[known_index(name)]++;
    } else {
        ++*n_bad;
        print_error("%s (verbosity %d):\nwant:\n%s\ngot:\n%s\n", name, verbosity, str_get(want),
                    str_get(&got));
    }
    str_free(&bytes);
    str_free(&got);
    free(name);
    free(hex);
}

static void
golden(void **state)
{
    const char *top = getenv("top_srcdir");
    char *path = base_asprintf("%s/tests/golden/ofprint/messages", top ? top : ".");
    FILE *f = fopen(path, "r");
    struct str header = STR_INIT, want = STR_INIT;
    char *line = NULL;
    size_t cap = 0;
    int n_same = 0, n_bad = 0;
    (void) state;
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        if (!strncmp(line, "> ", 2)) {
            if (header.len) {
                check(header.p, &want, &n_same, &n_bad);
            }
            str_clear(&header);
            str_clear(&want);
            str_add(&header, line);
        } else {
            str_add(&want, line);
        }
    }
    check(header.p, &want, &n_same, &n_bad);
    print_message("%d messages as the stock program prints them\n", n_same);
    assert_int_equal(n_bad, 0);
    assert_true(n_same > 250);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        print_message("%d differ: %s: %s\n", counts[i], known[i].name, known[i].why);
        assert_int_equal(counts[i], known[i].n);
    }
    fclose(f);
    free(line);
    free(path);
    str_free(&header);
    str_free(&want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
