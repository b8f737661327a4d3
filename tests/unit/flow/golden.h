// SPDX-License-Identifier: Apache-2.0
// Golden files of pairs: "> input" and "< answer of the stock program".
#ifndef TESTS_UNIT_FLOW_GOLDEN_H
#define TESTS_UNIT_FLOW_GOLDEN_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/str.h"

// Runs every pair of tests/golden/flow/<name>; shows all that differ.
static inline void
golden_each(const char *name, void (*make)(const char *input, struct str *out))
{
    const char *src = getenv("top_srcdir");
    char *path = base_asprintf("%s/tests/golden/flow/%s", src ? src : ".", name);
    FILE *f = fopen(path, "r");
    char *line = NULL, *input = NULL;
    size_t cap = 0;
    int n = 0, bad = 0;
    assert_non_null(f);
    for (ssize_t len; (len = getline(&line, &cap, f)) > 0;) {
        line[len - 1] = '\0'; // the newline
        if (line[0] == '>') {
            free(input);
            input = base_strdup(line + 2);
        } else if (line[0] == '<') {
            struct str out = STR_INIT;
            assert_non_null(input);
            make(input, &out);
            if (strcmp(str_get(&out), line + 2)) {
                print_message("%s\n  expected %s\n       got %s\n", input, line + 2, str_get(&out));
                bad++;
            }
            str_free(&out);
            n++;
        }
    }
    fclose(f);
    free(line);
    free(input);
    free(path);
    assert_true(n > 20);
    assert_int_equal(bad, 0);
}

static inline void
golden_error(struct str *out, char *error)
{
    str_addf(out, "error: %s", error);
    free(error);
}

#endif
