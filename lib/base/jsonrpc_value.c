// SPDX-License-Identifier: Apache-2.0
// Messages as they usually are, from text to values: jansson's parser, which goes byte by byte,
// takes twice as long. It gets what is left.
#include "lib/base/jsonrpc_value.h"

#include "lib/base/json_scan.h"

enum { MAX_NAME = 128 };

static json_t *read_value(struct scan *);

static json_t *
read_string(struct scan *s)
{
    const char *text;
    size_t n;
    return scan_string(s, &text, &n) ? json_stringn_nocheck(text, n) : NULL;
}

static json_t *
read_number(struct scan *s)
{
    double real;
    int64_t integer;
    bool integral;
    if (!scan_number(s, &real, &integer, &integral)) {
        return NULL;
    }
    return integral ? json_integer(integer) : json_real(real);
}

static json_t *
read_array(struct scan *s)
{
    json_t *array = json_array();
    s->p++;
    if (scan_char(s, ']')) {
        return array;
    }
    do {
        json_t *value = read_value(s);
        if (!value || json_array_append_new(array, value)) {
            json_decref(array);
            return NULL;
        }
    } while (scan_char(s, ','));
    if (!scan_char(s, ']')) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *
read_object(struct scan *s)
{
    json_t *object = json_object();
    s->p++;
    if (scan_char(s, '}')) {
        return object;
    }
    do {
        char name[MAX_NAME];
        json_t *value = scan_name(s, name, sizeof name) ? read_value(s) : NULL;
        if (!value || json_object_set_new_nocheck(object, name, value)) {
            json_decref(object);
            return NULL;
        }
    } while (scan_char(s, ','));
    if (!scan_char(s, '}')) {
        json_decref(object);
        return NULL;
    }
    return object;
}

// Depth is the caller's care.
static json_t *
read_value(struct scan *s)
{
    bool b;
    scan_blanks(s);
    switch (*s->p) {
    case '{':
        return read_object(s);
    case '[':
        return read_array(s);
    case '"':
        return read_string(s);
    case 't':
    case 'f':
        return scan_boolean(s, &b) ? json_boolean(b) : NULL;
    case 'n':
        return scan_word(s, "null") ? json_null() : NULL;
    default:
        return read_number(s);
    }
}

json_t *
jsonrpc_read_value(const char *text, size_t n)
{
    struct scan s = {.p = text};
    json_t *value = read_value(&s);
    if (value && s.p != text + n) {
        json_decref(value);
        value = NULL;
    }
    scan_destroy(&s);
    return value;
}
