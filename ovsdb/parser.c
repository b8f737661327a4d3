// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/parser.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/error.h"

const char *
db_parser_name(struct db_parser *p)
{
    if (!p->name) {
        p->name = base_asprintf("ovsdb operation %zu of %zu", p->nth, p->total);
    }
    return p->name;
}

static void
expect_object(struct db_parser *p)
{
    if (!db_value_is(p->value, JSON_OBJECT)) {
        db_parser_fail(p, db_error_new("syntax error", "Parsing %s failed: Object expected.",
                                       db_parser_name(p)));
    }
}

void
db_parser_init(struct db_parser *p, struct db_value value, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;
    va_start(args, fmt);
    str_addv(&s, fmt, args);
    va_end(args);
    *p = (struct db_parser){.value = value, .name = str_take(&s)};
    expect_object(p);
}

void
db_parser_init_operation(struct db_parser *p, struct db_value value, size_t nth, size_t total)
{
    *p = (struct db_parser){.value = value, .nth = nth, .total = total};
    expect_object(p);
}

bool
db_is_id(const char *s)
{
    if (!isalpha((uint8_t) *s) && *s != '_') {
        return false;
    }
    while (isalnum((uint8_t) *s) || *s == '_') {
        s++;
    }
    return !*s;
}

static bool
type_matches(struct db_value v, unsigned types)
{
    switch (v.node ? v.node->type : json_typeof(v.json)) {
    case JSON_OBJECT:
        return types & DB_P_OBJECT;
    case JSON_ARRAY:
        return types & DB_P_ARRAY;
    case JSON_STRING:
        return types & DB_P_STRING || (types & DB_P_ID && db_is_id(db_value_string(v)));
    case JSON_INTEGER:
        return types & (DB_P_INTEGER | DB_P_NUMBER);
    case JSON_REAL: // 1e3 is an integer as well as 1000 is
        return types & DB_P_NUMBER || (types & DB_P_INTEGER && db_value_is_integral(v));
    case JSON_TRUE:
    case JSON_FALSE:
        return types & DB_P_BOOLEAN;
    case JSON_NULL:
        return types & DB_P_NULL;
    }
    return false;
}

struct db_value
db_parser_member(struct db_parser *p, const char *name, unsigned types)
{
    struct db_value v = db_value_member(p->value, name);
    if (db_value_is_none(v)) {
        if (!(types & DB_P_OPTIONAL)) {
            db_parser_fail(p, db_error_value(p->value, NULL,
                                             "Parsing %s failed: Required '%s' member is missing.",
                                             db_parser_name(p), name));
        }
        return v;
    }
    if (p->n_used < ARRAY_SIZE(p->used)) {
        p->used[p->n_used++] = name;
    }
    if (!type_matches(v, types)) {
        db_parser_fail(p, db_error_value(p->value, NULL,
                                         "Parsing %s failed: Type mismatch for member '%s'.",
                                         db_parser_name(p), name));
        return DB_NO_VALUE;
    }
    return v;
}

void
db_parser_fail(struct db_parser *p, struct db_error *e)
{
    if (p->error) {
        db_error_free(e);
    } else {
        p->error = e;
    }
}

bool
db_parser_failed(const struct db_parser *p)
{
    return p->error != NULL;
}

static bool
was_used(const struct db_parser *p, const char *name)
{
    for (size_t i = 0; i < p->n_used; i++) {
        if (!strcmp(p->used[i], name)) {
            return true;
        }
    }
    return false;
}

// Complains of the members that nobody asked for, by the name of the first.
static void
refuse_others(struct db_parser *p)
{
    const char *name, *first = NULL;
    struct db_value value;
    struct db_value_iter it = db_value_members(p->value);
    size_t n = 0;
    while (db_value_next_member(&it, &name, &value)) {
        if (!was_used(p, name)) {
            first = n++ && strcmp(first, name) < 0 ? first : name;
        }
    }
    if (n == 1) {
        db_parser_fail(
            p, db_error_value(p->value, NULL,
                              "Parsing %s failed: Member '%s' is present but not allowed here.",
                              db_parser_name(p), first));
    } else if (n) {
        db_parser_fail(p, db_error_value(p->value, NULL,
                                         "Parsing %s failed: Member '%s' and %zu other member%s "
                                         "are present but not allowed here.",
                                         db_parser_name(p), first, n - 1, n > 2 ? "s" : ""));
    }
}

struct db_error *
db_parser_finish(struct db_parser *p)
{
    if (!p->error && db_value_n_members(p->value) > p->n_used) {
        refuse_others(p);
    }
    struct db_error *e = p->error;
    free(p->name);
    return e;
}

void
db_parser_abandon(struct db_parser *p)
{
    db_error_free(p->error);
    free(p->name);
}
