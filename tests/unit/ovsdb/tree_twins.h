// SPDX-License-Identifier: Apache-2.0
// The fast reader of requests beside jansson.
#ifndef TESTS_TREE_TWINS_H
#define TESTS_TREE_TWINS_H 1

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/tree.h"

// Every way to ask for what is in a value must give the same; aborts where the two disagree.
static void
twins_compare(struct db_value a, struct db_value b)
{
    const json_type t = json_typeof(b.json);
    bool same = db_value_is(a, t) && db_value_size(a) == db_value_size(b) &&
                db_value_n_members(a) == db_value_n_members(b) &&
                db_value_is_boolean(a) == db_value_is_boolean(b) &&
                db_value_number(a) == db_value_number(b) &&
                !db_value_string(a) == !db_value_string(b);
    if (same && t == JSON_STRING) {
        const size_t n = db_value_length(a);
        same = n == db_value_length(b) && strlen(db_value_string(a)) == n &&
               !memcmp(db_value_string(a), db_value_string(b), n);
    }
    struct db_value_iter ia = db_value_elements(a), ib = db_value_elements(b);
    struct db_value va, vb;
    for (size_t i = 0; same; i++) {
        va = db_value_next(&ia);
        vb = db_value_next(&ib);
        if (db_value_is_none(vb)) {
            same = db_value_is_none(va) && db_value_is_none(db_value_at(a, i));
            break;
        }
        same = !db_value_is_none(va) && (i > 8 || db_value_at(a, i).node == va.node);
        if (same) {
            twins_compare(va, vb);
        }
    }
    const char *na, *nb;
    ia = db_value_members(a);
    ib = db_value_members(b);
    while (same && db_value_next_member(&ib, &nb, &vb)) {
        same = db_value_next_member(&ia, &na, &va) && !strcmp(na, nb) &&
               db_value_member(a, nb).node == va.node;
        if (same) {
            twins_compare(va, vb);
        }
    }
    if (!same || db_value_next_member(&ia, &na, &va)) {
        fprintf(stderr, "a value of type %d differs\n", t);
        abort();
    }
}

// n bytes of text, behind which a NUL stands or whose last one ends the object. True: the fast
// reader took it.
static bool
twins_read(const char *s, size_t n)
{
    struct db_tree tree = {.nodes = NULL};
    const size_t used = db_tree_read(&tree, s, n);
    if (used) {
        struct str a = STR_INIT, b = STR_INIT;
        json_t *slow = json_loadb(s, used, 0, NULL);
        if (used > n || !slow) {
            fprintf(stderr, "%.*s\nis no JSON\n", (int) used, s);
            abort();
        }
        twins_compare(db_tree_root(&tree), db_value_of(slow));
        db_value_write(db_tree_root(&tree), &a);
        db_json_write(slow, &b);
        if (strcmp(str_get(&a), str_get(&b))) {
            fprintf(stderr, "fast: %s\nslow: %s\n", str_get(&a), str_get(&b));
            abort();
        }
        str_free(&a);
        str_free(&b);
        json_decref(slow);
    }
    db_tree_destroy(&tree);
    return used != 0;
}

#endif
