// SPDX-License-Identifier: Apache-2.0
// The fast reader of messages beside jansson.
#ifndef TESTS_VALUE_TWINS_H
#define TESTS_VALUE_TWINS_H 1

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/jsonrpc_value.h"

// What the reader asks for: brackets outside of strings balance at the last byte, not earlier.
static bool
twins_balance(const char *s, size_t n)
{
    int depth = 0;
    bool string = false;
    if (!n || (s[0] != '{' && s[0] != '[')) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (string && s[i] == '\\') {
            i++;
        } else if (s[i] == '"') {
            string = !string;
        } else if (!string && (s[i] == '{' || s[i] == '[')) {
            depth++;
        } else if (!string && (s[i] == '}' || s[i] == ']') && !--depth) {
            return i == n - 1;
        }
        if (depth > 1000) {
            return false;
        }
    }
    return false;
}

// Aborts where the two disagree. True: the fast reader took it.
static bool
twins_read(const char *s, size_t n)
{
    if (!twins_balance(s, n)) {
        return false;
    }
    json_t *fast = jsonrpc_read_value(s, n), *slow = json_loadb(s, n, 0, NULL);
    bool taken = fast != NULL;
    if (fast) {
        // As text too: with the order of members and all digits.
        char *a = json_dumps(fast, 0), *b = slow ? json_dumps(slow, 0) : NULL;
        if (!slow || !json_equal(fast, slow) || !a || !b || strcmp(a, b)) {
            fprintf(stderr, "%.*s\nfast: %s\nslow: %s\n", (int) n, s, a, b ? b : "error");
            abort();
        }
        free(a);
        free(b);
    }
    json_decref(fast);
    json_decref(slow);
    return taken;
}

#endif
