// SPDX-License-Identifier: Apache-2.0
// One pass. Strings are copied, so that a NUL can stand behind them: all of them together are
// shorter than the text.
#include "ovsdb/tree.h"

#include <stdlib.h>

enum {
    MAX_DEPTH = 64,
    MAX_MEMBERS = 64, // of an object: each is compared with those before it
    KEEP = 64 * 1024  // bytes
};

static bool read_value(struct db_tree *, int depth);

void
db_tree_destroy(struct db_tree *t)
{
    free(t->nodes);
    free(t->strings);
    scan_destroy(&t->scan);
    memset(t, 0, sizeof *t);
}

// Good until the next one is added.
static inline struct db_node *
add_node(struct db_tree *t, json_type type)
{
    if (t->n_nodes == t->cap_nodes) {
        t->cap_nodes = t->cap_nodes ? 2 * t->cap_nodes : 64;
        t->nodes = base_realloc(t->nodes, t->cap_nodes * sizeof *t->nodes);
    }
    struct db_node *node = &t->nodes[t->n_nodes++];
    node->type = type;
    node->skip = 1;
    return node;
}

// A string without anything special in it; its length. SIZE_MAX: leaves it to scan_string().
static size_t
copy_plain(struct db_tree *t, char *to)
{
    scan_blanks(&t->scan);
    const char *p = t->scan.p + 1;
    size_t n = 0;
    if (p[-1] != '"') {
        return SIZE_MAX;
    }
    while (scan_is_plain(p[n])) {
        to[n] = p[n];
        n++;
    }
    if (p[n] != '"') {
        return SIZE_MAX;
    }
    t->scan.p = p + n + 1;
    return n;
}

static bool
read_string(struct db_tree *t)
{
    char *copy = t->strings + t->used;
    size_t n = copy_plain(t, copy);
    if (n == SIZE_MAX) {
        const char *s;
        if (!scan_string(&t->scan, &s, &n)) {
            return false;
        }
        memcpy(copy, s, n);
    }
    if (n > UINT32_MAX) {
        return false;
    }
    copy[n] = '\0';
    t->used += n + 1;
    struct db_node *node = add_node(t, JSON_STRING);
    node->string = copy;
    node->n = n;
    return true;
}

static bool
read_number(struct db_tree *t)
{
    double real;
    int64_t integer;
    bool integral;
    if (!scan_number(&t->scan, &real, &integer, &integral)) {
        return false;
    }
    struct db_node *node = add_node(t, integral ? JSON_INTEGER : JSON_REAL);
    if (integral) {
        node->integer = integer;
    } else {
        node->real = real;
    }
    return true;
}

static bool
read_word(struct db_tree *t, const char *word, json_type type)
{
    add_node(t, type);
    return scan_word(&t->scan, word);
}

static void
close_node(struct db_tree *t, size_t at, uint32_t n)
{
    t->nodes[at].n = n;
    t->nodes[at].skip = t->n_nodes - at;
}

static bool
read_array(struct db_tree *t, int depth)
{
    const size_t at = t->n_nodes;
    uint32_t n = 0;
    add_node(t, JSON_ARRAY);
    t->scan.p++;
    if (!scan_char(&t->scan, ']')) {
        do {
            if (!read_value(t, depth)) {
                return false;
            }
            n++;
        } while (scan_char(&t->scan, ','));
        if (!scan_char(&t->scan, ']')) {
            return false;
        }
    }
    close_node(t, at, n);
    return true;
}

// Has the object (its node is `at`) a member of the name that node `name` is?
static bool
is_twin(const struct db_tree *t, size_t at, size_t name)
{
    const struct db_node *new = &t->nodes[name];
    for (const struct db_node *old = &t->nodes[at + 1]; old < new; old += 1 + old[1].skip) {
        if (old->n == new->n && !memcmp(old->string, new->string, old->n)) {
            return true;
        }
    }
    return false;
}

static bool
read_object(struct db_tree *t, int depth)
{
    const size_t at = t->n_nodes;
    uint32_t n = 0;
    add_node(t, JSON_OBJECT);
    t->scan.p++;
    if (!scan_char(&t->scan, '}')) {
        do {
            const size_t name = t->n_nodes;
            if (n++ == MAX_MEMBERS || !read_string(t) || is_twin(t, at, name) ||
                !scan_char(&t->scan, ':') || !read_value(t, depth)) {
                return false;
            }
        } while (scan_char(&t->scan, ','));
        if (!scan_char(&t->scan, '}')) {
            return false;
        }
    }
    close_node(t, at, n);
    return true;
}

static bool
read_value(struct db_tree *t, int depth)
{
    scan_blanks(&t->scan);
    switch (*t->scan.p) {
    case '{':
        return depth < MAX_DEPTH && read_object(t, depth + 1);
    case '[':
        return depth < MAX_DEPTH && read_array(t, depth + 1);
    case '"':
        return read_string(t);
    case 't':
        return read_word(t, "true", JSON_TRUE);
    case 'f':
        return read_word(t, "false", JSON_FALSE);
    case 'n':
        return read_word(t, "null", JSON_NULL);
    default:
        return read_number(t);
    }
}

size_t
db_tree_read(struct db_tree *t, const char *text, size_t n)
{
    if (n >= t->cap) {
        free(t->strings);
        t->cap = n + 1;
        t->strings = base_malloc(t->cap);
    }
    t->used = t->n_nodes = 0;
    t->scan.p = text;
    scan_blanks(&t->scan);
    if (*t->scan.p != '{' || !read_value(t, 0)) {
        return 0;
    }
    return t->scan.p - text;
}

void
db_tree_trim(struct db_tree *t)
{
    if (t->cap_nodes * sizeof *t->nodes + t->cap > KEEP) {
        db_tree_destroy(t);
    }
}

struct db_value
db_tree_root(const struct db_tree *t)
{
    return (struct db_value){t->nodes, NULL};
}
