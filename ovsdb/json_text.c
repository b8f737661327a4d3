// SPDX-License-Identifier: Apache-2.0
// JSON as text in the one form that everything of the database prints: members sorted by name.
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/data_priv.h"

struct member {
    const char *name;
    const json_t *value;
};

static int
compare_members(const void *a_, const void *b_)
{
    const struct member *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

static void write_value(const json_t *, int indent, struct str *);

static void
newline(int indent, struct str *out)
{
    if (indent >= 0) {
        str_add_char(out, '\n');
        str_add_chars(out, ' ', indent);
    }
}

static void
write_object(const json_t *j, int indent, struct str *out)
{
    size_t n = json_object_size(j), i = 0;
    struct member few[16], *m = n <= ARRAY_SIZE(few) ? few : base_malloc(n * sizeof *m);
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) j, key, value) {
        m[i++] = (struct member) {key, value};
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
write_array(const json_t *j, int indent, struct str *out)
{
    size_t n = json_array_size(j);
    int inner = indent < 0 ? -1 : indent + 2;
    str_add_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        newline(inner, out);
        write_value(json_array_get(j, i), inner, out);
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
write_value(const json_t *j, int indent, struct str *out)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        write_object(j, indent, out);
        break;
    case JSON_ARRAY:
        write_array(j, indent, out);
        break;
    case JSON_STRING:
        str_add_json(out, json_string_value(j), json_string_length(j));
        break;
    case JSON_INTEGER:
        str_addf(out, "%" PRId64, (int64_t) json_integer_value(j));
        break;
    case JSON_REAL:
        str_add_real(out, json_real_value(j));
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
db_json_write(const json_t *j, struct str *out)
{
    write_value(j, -1, out);
}

void
db_json_write_pretty(const json_t *j, struct str *out)
{
    write_value(j, 0, out);
}
