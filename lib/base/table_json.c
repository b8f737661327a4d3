// SPDX-License-Identifier: Apache-2.0
// JSON text for people and scripts: keys sorted, compact or indented in the layout that OVSDB tools
// print (closing brackets stay on the last line of what they close).
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/base/table.h"

static void
add_scalar(struct str *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        str_add_json(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        str_addf(out, "%lld", (long long) json_integer_value(value));
        break;
    case JSON_REAL:
        str_add_real(out, json_real_value(value));
        break;
    default:
        str_add(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    }
}

static void
new_line(struct str *out, int depth)
{
    str_add_char(out, '\n');
    str_add_chars(out, ' ', depth * 2);
}

static void add(struct str *, json_t *, bool pretty, int depth);

static void
add_array(struct str *out, json_t *array, bool pretty, int depth)
{
    size_t n = json_array_size(array);
    str_add_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) {
            str_add_char(out, ',');
        }
        if (pretty) {
            new_line(out, depth + 1);
        }
        add(out, json_array_get(array, i), pretty, depth + 1);
    }
    str_add_char(out, ']');
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
add_object(struct str *out, json_t *object, bool pretty, int depth)
{
    size_t n = 0;
    const char **keys = base_calloc(json_object_size(object), sizeof *keys), *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        keys[n++] = key;
    }
    qsort(keys, n, sizeof *keys, compare);
    str_add_char(out, '{');
    if (pretty && !n) {
        new_line(out, depth + 1);
    }
    for (size_t i = 0; i < n; i++) {
        if (i) {
            str_add_char(out, ',');
        }
        if (pretty) {
            new_line(out, depth + 1);
        }
        str_add_json(out, keys[i], strlen(keys[i]));
        str_add(out, pretty ? ": " : ":");
        add(out, json_object_get(object, keys[i]), pretty, depth + 1);
    }
    str_add_char(out, '}');
    free(keys);
}

static void
add(struct str *out, json_t *value, bool pretty, int depth)
{
    if (json_is_array(value)) {
        add_array(out, value, pretty, depth);
    } else if (json_is_object(value)) {
        add_object(out, value, pretty, depth);
    } else {
        add_scalar(out, value);
    }
}

void
table_json_add(struct str *out, const json_t *value, int flags)
{
    add(out, (json_t *) value, flags & TABLE_JSON_PRETTY, 0);
}
