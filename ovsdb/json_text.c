// SPDX-License-Identifier: Apache-2.0
// JSON as text in the one form that everything of the database prints: members sorted by name.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/data_priv.h"

void
db_json_write_string(const char *s, size_t len, struct str *out)
{
    static const char digits[] = "0123456789abcdef";
    str_add_char(out, '"');
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = s[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        str_add_n(out, s + start, i - start);
        start = i + 1;
        const char *esc = c == '"'    ? "\\\""
                          : c == '\\' ? "\\\\"
                          : c == '\b' ? "\\b"
                          : c == '\f' ? "\\f"
                          : c == '\n' ? "\\n"
                          : c == '\r' ? "\\r"
                          : c == '\t' ? "\\t"
                                      : NULL;
        if (esc) {
            str_add(out, esc);
        } else {
            char u[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            str_add_n(out, u, sizeof u);
        }
    }
    str_add_n(out, s + start, len - start);
    str_add_char(out, '"');
}

// The shortest of 15 or 17 digits that reads back as the same number.
void
db_real_write(double d, struct str *out)
{
    char buf[64];
    if (d == 0) {
        str_add_char(out, '0');
        return;
    }
    snprintf(buf, sizeof buf, "%.15g", d);
    if (strtod(buf, NULL) != d) {
        snprintf(buf, sizeof buf, "%.17g", d);
    }
    str_add(out, buf);
}

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
        db_json_write_string(m[i].name, strlen(m[i].name), out);
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
        db_json_write_string(json_string_value(j), json_string_length(j), out);
        break;
    case JSON_INTEGER:
        str_addf(out, "%" PRId64, (int64_t) json_integer_value(j));
        break;
    case JSON_REAL:
        db_real_write(json_real_value(j), out);
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
