// SPDX-License-Identifier: Apache-2.0
// JSON as the database reads it: a value is a jansson value, or a node of text that was read
// without making such values (ovsdb/tree.h). What reads operations, conditions and data asks here,
// and doesn't see which of the two it is.
#ifndef OVSDB_VALUE_H
#define OVSDB_VALUE_H 1

#include <jansson.h>
#include <string.h>

#include "lib/base/util.h"

struct str;

// A node stands in a row of them, in front of what is in it: the elements of an array, the members
// of an object, each of which is its name (a string) and its value.
struct db_node {
    json_type type;
    uint32_t n;    // elements, members, or bytes of a string
    uint32_t skip; // nodes from this one to what comes behind it
    union {
        const char *string; // with a NUL behind it
        int64_t integer;
        double real;
    };
};

// Borrowed. Both NULL: no value.
struct db_value {
    const struct db_node *node;
    const json_t *json;
};

#define DB_NO_VALUE ((struct db_value){NULL, NULL})

static inline struct db_value
db_value_of(const json_t *json)
{
    return (struct db_value){NULL, json};
}

static inline bool
db_value_is_none(struct db_value v)
{
    return !v.node && !v.json;
}

static inline bool
db_value_is(struct db_value v, json_type t)
{
    return v.node ? v.node->type == t : v.json && json_typeof(v.json) == t;
}

static inline bool
db_value_is_boolean(struct db_value v)
{
    return db_value_is(v, JSON_TRUE) || db_value_is(v, JSON_FALSE);
}

// NULL: no string.
static inline const char *
db_value_string(struct db_value v)
{
    return !db_value_is(v, JSON_STRING) ? NULL
           : v.node                     ? v.node->string
                                        : json_string_value(v.json);
}

// Bytes of a string.
static inline size_t
db_value_length(struct db_value v)
{
    return v.node ? v.node->n : json_string_length(v.json);
}

static inline int64_t
db_value_integer(struct db_value v)
{
    return v.node ? v.node->integer : json_integer_value(v.json);
}

static inline double
db_value_real(struct db_value v)
{
    return v.node ? v.node->real : json_real_value(v.json);
}

// Of an integer or a real; else 0.
static inline double
db_value_number(struct db_value v)
{
    return db_value_is(v, JSON_INTEGER) ? (double) db_value_integer(v)
           : db_value_is(v, JSON_REAL)  ? db_value_real(v)
                                        : 0;
}

// JSON doesn't tell 1 from 1.0: a number without a fraction is an integer where it fits.
bool db_value_as_integer(struct db_value, int64_t *);
static inline bool
db_value_is_integral(struct db_value v)
{
    int64_t ignored;
    return db_value_as_integer(v, &ignored);
}

// Elements of an array; 0 for other values.
static inline size_t
db_value_size(struct db_value v)
{
    return !db_value_is(v, JSON_ARRAY) ? 0 : v.node ? v.node->n : json_array_size(v.json);
}

// Walks through an array's elements or an object's members.
struct db_value_iter {
    struct db_value of;
    const struct db_node *node; // the next one
    size_t left;                // nodes
    size_t i;
    void *member; // jansson's
};

struct db_value_iter db_value_elements(struct db_value array); // none of other values
struct db_value_iter db_value_members(struct db_value object);
// The next element; no value: that was all.
struct db_value db_value_next(struct db_value_iter *);
// The next member; false: that was all.
bool db_value_next_member(struct db_value_iter *, const char **name, struct db_value *);

// The element of this number, which costs as much as it is great; no value: not that many.
struct db_value db_value_at(struct db_value array, size_t i);
struct db_value db_value_member_n(struct db_value object, const char *name, size_t n);
static inline struct db_value
db_value_member(struct db_value object, const char *name)
{
    return db_value_member_n(object, name, strlen(name));
}
size_t db_value_n_members(struct db_value object);
// As text, like db_json_write().
void db_value_write(struct db_value, struct str *);

#endif
