// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/parser.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/error.h"

void
db_parser_init(struct db_parser *p, const json_t *json, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;
    va_start(args, fmt);
    str_addv(&s, fmt, args);
    va_end(args);
    *p = (struct db_parser) {.json = json, .name = str_take(&s)};
    if (!json_is_object(json)) {
        db_parser_fail(p, db_error_new("syntax error", "Parsing %s failed: Object expected.", p->name));
    }
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
type_matches(const json_t *j, unsigned types)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        return types & DB_P_OBJECT;
    case JSON_ARRAY:
        return types & DB_P_ARRAY;
    case JSON_STRING:
        return types & DB_P_STRING || (types & DB_P_ID && db_is_id(json_string_value(j)));
    case JSON_INTEGER:
        return types & (DB_P_INTEGER | DB_P_NUMBER);
    case JSON_REAL:
        return types & DB_P_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return types & DB_P_BOOLEAN;
    case JSON_NULL:
        return types & DB_P_NULL;
    }
    return false;
}

const json_t *
db_parser_member(struct db_parser *p, const char *name, unsigned types)
{
    if (!json_is_object(p->json)) {
        return NULL;
    }
    const json_t *j = json_object_get(p->json, name);
    if (!j) {
        if (!(types & DB_P_OPTIONAL)) {
            db_parser_fail(p, db_error_syntax(p->json, NULL, "Parsing %s failed: Required '%s' member is missing.",
                                              p->name, name));
        }
        return NULL;
    }
    if (p->n_used < ARRAY_SIZE(p->used)) {
        p->used[p->n_used++] = name;
    }
    if (!type_matches(j, types)) {
        db_parser_fail(
            p, db_error_syntax(p->json, NULL, "Parsing %s failed: Type mismatch for member '%s'.", p->name, name));
        return NULL;
    }
    return j;
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
    json_t *value;
    size_t n = 0;
    json_object_foreach ((json_t *) p->json, name, value) {
        if (!was_used(p, name)) {
            first = n++ && strcmp(first, name) < 0 ? first : name;
        }
    }
    if (n == 1) {
        db_parser_fail(p, db_error_syntax(p->json, NULL,
                                          "Parsing %s failed: Member '%s' is present but not allowed here.", p->name,
                                          first));
    } else if (n) {
        db_parser_fail(
            p, db_error_syntax(p->json, NULL,
                               "Parsing %s failed: Member '%s' and %zu other member%s are present but not allowed here.",
                               p->name, first, n - 1, n > 2 ? "s" : ""));
    }
}

struct db_error *
db_parser_finish(struct db_parser *p)
{
    if (!p->error && json_object_size(p->json) > p->n_used) {
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
