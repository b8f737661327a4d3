// SPDX-License-Identifier: Apache-2.0
// The small database of test_txn.c, and its values as JSON that compares: strings and integers as
// they are; sets as objects with true for each element (in text), maps as objects.
#ifndef TESTS_UNIT_OVSDB_TXN_MODEL_H
#define TESTS_UNIT_OVSDB_TXN_MODEL_H 1

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/util.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{"
    "\"Root\":{\"isRoot\":true,\"maxRows\":6,\"indexes\":[[\"name\"]],\"columns\":{"
    "\"name\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},\"eph\":{\"type\":\"integer\","
    "\"ephemeral\":true},"
    "\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"one\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0}},"
    "\"opts\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"tags\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"Kid\":{\"indexes\":[[\"label\",\"n\"]],\"columns\":{"
    "\"label\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},"
    "\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"roots\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Root\",\"refType\":\"weak\"},"
    "\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"best\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\",\"refType\":\"weak\"},"
    "\"min\":0}},"
    "\"named\":{\"type\":{\"key\":\"string\",\"value\":{\"type\":\"uuid\",\"refTable\":\"Kid\","
    "\"refType\":\"weak\"},"
    "\"min\":0,\"max\":\"unlimited\"}}}}}}";

enum kind { STRING, INTEGER, SET_INT, SET_UUID, OPT_UUID, MAP_STRING, MAP_UUID };
enum ref { NO_REF, STRONG, WEAK };

struct column {
    const char *table, *name;
    enum kind kind;
    enum ref ref;
    const char *to;
    bool ephemeral;
};

static const struct column columns[] = {
    {"Root", "name", STRING, NO_REF, NULL, false},
    {"Root", "n", INTEGER, NO_REF, NULL, false},
    {"Root", "eph", INTEGER, NO_REF, NULL, true},
    {"Root", "kids", SET_UUID, STRONG, "Kid", false},
    {"Root", "one", OPT_UUID, STRONG, "Kid", false},
    {"Root", "opts", MAP_STRING, NO_REF, NULL, false},
    {"Root", "tags", SET_INT, NO_REF, NULL, false},
    {"Kid", "label", STRING, NO_REF, NULL, false},
    {"Kid", "n", INTEGER, NO_REF, NULL, false},
    {"Kid", "kids", SET_UUID, STRONG, "Kid", false},
    {"Kid", "roots", SET_UUID, WEAK, "Root", false},
    {"Kid", "best", OPT_UUID, WEAK, "Kid", false},
    {"Kid", "named", MAP_UUID, WEAK, "Kid", false},
};

#define FOR_COLUMNS(c, table_)                                                                     \
    for (const struct column *c = columns; c < columns + ARRAY_SIZE(columns); c++)                 \
        if (!strcmp(c->table, table_))

// The model: {"Root": {uuid: {column: value}}, "Kid": …}. Values: strings and integers as they are;
// sets as objects with true for each element (in text), maps as objects.
static json_t *
empty_value(enum kind k)
{
    return k == STRING ? json_string("") : k == INTEGER ? json_integer(0) : json_object();
}

static bool
is_uuid_kind(enum kind k)
{
    return k == SET_UUID || k == OPT_UUID || k == MAP_UUID;
}

// RFC 7047 <value> → model value.
static const char *
atom_text(const json_t *j, char buf[40])
{
    if (json_is_integer(j)) {
        snprintf(buf, 40, "%lld", (long long) json_integer_value(j));
        return buf;
    }
    return json_is_array(j) ? json_string_value(json_array_get(j, 1)) : json_string_value(j);
}

static void
from_wire_element(json_t *out, const json_t *e, enum kind k)
{
    char a[40], b[40];
    if (k == MAP_STRING || k == MAP_UUID) {
        json_object_set_new(out, atom_text(json_array_get(e, 0), a),
                            json_string(atom_text(json_array_get(e, 1), b)));
    } else {
        json_object_set_new(out, atom_text(e, a), json_true());
    }
}

static json_t *
from_wire(const json_t *j, enum kind k)
{
    if (k == STRING || k == INTEGER) {
        return json_incref((json_t *) j);
    }
    json_t *out = json_object(), *e;
    const char *tag = json_string_value(json_array_get(j, 0));
    size_t i;
    if (tag && (!strcmp(tag, "set") || !strcmp(tag, "map"))) {
        json_array_foreach(json_array_get(j, 1), i, e)
        {
            from_wire_element(out, e, k);
        }
    } else {
        from_wire_element(out, j, k);
    }
    return out;
}

static json_t *
atom_to_wire(const char *text, enum kind k)
{
    return k == SET_INT      ? json_integer(atoi(text))
           : is_uuid_kind(k) ? json_pack("[ss]", "uuid", text)
                             : json_string(text);
}

static json_t *
to_wire(const json_t *v, enum kind k)
{
    if (k == STRING || k == INTEGER) {
        return json_incref((json_t *) v);
    }
    json_t *list = json_array(), *value;
    const char *key;
    bool map = k == MAP_STRING || k == MAP_UUID;
    json_object_foreach((json_t *) v, key, value)
    {
        json_array_append_new(
            list, map ? json_pack("[so]", key, atom_to_wire(json_string_value(value), k))
                      : atom_to_wire(key, k));
    }
    return json_pack("[so]", map ? "map" : "set", list);
}

#endif
