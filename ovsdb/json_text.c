// SPDX-License-Identifier: Apache-2.0
// JSON as text in the one form that everything of the database prints: members sorted by name.
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/data_priv.h"
#include "ovsdb/value.h"

struct member {
    const char *name;
    struct db_value value;
};

static int
compare_members(const void *a_, const void *b_)
{
    const struct member *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

static void write_value(struct db_value, int indent, struct str *);

static void
newline(int indent, struct str *out)
{
    if (indent >= 0) {
        str_add_char(out, '\n');
        str_add_chars(out, ' ', indent);
    }
}

static void
write_object(struct db_value v, int indent, struct str *out)
{
    size_t n = db_value_n_members(v), i = 0;
    struct member few[16], *m = n <= ARRAY_SIZE(few) ? few : base_malloc(n * sizeof *m);
    struct db_value_iter it = db_value_members(v);
    while (db_value_next_member(&it, &m[i].name, &m[i].value)) {
        i++;
    }
    qsort(m, n, sizeof *m, compare_members);
    int inner = indent < 0 ? -1 : indent + 2;
    str_add_char(out, '{');
    for (i = 0; i < n; i++) {
        newline(inner, out);
        str_add_json(out, m[i].name, strlen(m[i].name));
        str_add(out, indent < 0 ? ":" : ": ");
        write_value(m[i].value, inner, out);
        if (i + 1 < n) {
            str_add_char(out, ',');
        }
    }
    if (n) {
        newline(indent, out);
    }
    str_add_char(out, '}');
    if (m != few) {
        free(m);
    }
}

static void
write_array(struct db_value v, int indent, struct str *out)
{
    size_t n = db_value_size(v);
    int inner = indent < 0 ? -1 : indent + 2;
    struct db_value_iter it = db_value_elements(v);
    str_add_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        newline(inner, out);
        write_value(db_value_next(&it), inner, out);
        if (i + 1 < n) {
            str_add_char(out, ',');
        }
    }
    if (n) {
        newline(indent, out);
    }
    str_add_char(out, ']');
}

static void
write_number(struct db_value v, struct str *out)
{
    int64_t integer;
    if (db_value_as_integer(v, &integer)) {
        str_add_int(out, integer);
    } else {
        str_add_real(out, db_value_real(v));
    }
}

static void
write_value(struct db_value v, int indent, struct str *out)
{
    switch (v.node ? v.node->type : json_typeof(v.json)) {
    case JSON_OBJECT:
        write_object(v, indent, out);
        break;
    case JSON_ARRAY:
        write_array(v, indent, out);
        break;
    case JSON_STRING:
        str_add_json(out, db_value_string(v), db_value_length(v));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        write_number(v, out);
        break;
    case JSON_TRUE:
        str_add(out, "true");
        break;
    case JSON_FALSE:
        str_add(out, "false");
        break;
    case JSON_NULL:
        str_add(out, "null");
        break;
    }
}

void
db_value_write(struct db_value v, struct str *out)
{
    write_value(v, -1, out);
}

void
db_json_write(const json_t *j, struct str *out)
{
    write_value(db_value_of(j), -1, out);
}

void
db_json_write_pretty(const json_t *j, struct str *out)
{
    write_value(db_value_of(j), 0, out);
}
