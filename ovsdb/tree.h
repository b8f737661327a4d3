// SPDX-License-Identifier: Apache-2.0
// Fast reader of JSON text: into nodes in a row (ovsdb/value.h), without a piece of memory for each
// value. It knows what programs send and gives up at all else (\u0000, long numbers, a member given
// twice), however little is wrong or unusual; jansson is the judge of that.
#ifndef OVSDB_TREE_H
#define OVSDB_TREE_H 1

#include "lib/base/json_scan.h"
#include "ovsdb/value.h"

// All zeros: empty. May be used again and again.
struct db_tree {
    struct db_node *nodes;
    size_t n_nodes, cap_nodes;
    char *strings;
    size_t used, cap; // of strings
    struct scan scan;
};

void db_tree_destroy(struct db_tree *);
// Keeps no more memory until the next time than most need. What was read is of no use any more.
void db_tree_trim(struct db_tree *);
// Reads the object that the text begins with; returns how many of its n bytes, 0: gives up. What
// stands at text[n] is a NUL, or text[n - 1] is the bracket that ends the object.
size_t db_tree_read(struct db_tree *, const char *text, size_t n);
// What was read, good until the next time.
struct db_value db_tree_root(const struct db_tree *);

#endif
