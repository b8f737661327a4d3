// SPDX-License-Identifier: Apache-2.0
// Types of columns: parse, print, compare (RFC 7047 section 3.2 <type>, <base-type>,
// <atomic-type>).
#include <float.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"
#include "ovsdb/parser.h"

static const char *const atomic_names[DB_N_ATOMIC] = {"void",    "integer", "real",
                                                      "boolean", "string",  "uuid"};

const char *
db_atomic_name(enum db_atomic t)
{
    return atomic_names[t];
}

bool
db_atomic_from_name(const char *s, enum db_atomic *t)
{
    for (int i = DB_VOID + 1; i < DB_N_ATOMIC; i++) {
        if (!strcmp(s, atomic_names[i])) {
            *t = i;
            return true;
        }
    }
    return false;
}

void
db_base_init(struct db_base *b, enum db_atomic t)
{
    *b = (struct db_base){.type = t,
                          .int_min = INT64_MIN,
                          .int_max = INT64_MAX,
                          .real_min = -DBL_MAX,
                          .real_max = DBL_MAX,
                          .len_max = UINT32_MAX};
}

static void
enum_type(const struct db_base *b, struct db_type *t)
{
    db_type_init(t, b->type);
    t->n_max = DB_UNLIMITED;
}

void
db_base_destroy(struct db_base *b)
{
    if (b->enum_) {
        struct db_type t;
        enum_type(b, &t);
        db_datum_destroy(b->enum_, &t);
        free(b->enum_);
    }
    free(b->ref_table);
    db_base_init(b, b->type);
}

void
db_base_clone(struct db_base *dst, const struct db_base *src)
{
    *dst = *src;
    if (src->enum_) {
        struct db_type t;
        enum_type(src, &t);
        dst->enum_ = base_malloc(sizeof *dst->enum_);
        db_datum_clone(dst->enum_, src->enum_, &t);
    }
    if (src->ref_table) {
        dst->ref_table = base_strdup(src->ref_table);
    }
}

bool
db_base_is_strong_ref(const struct db_base *b)
{
    return b->type == DB_UUID && b->ref_table && !b->ref_weak;
}

bool
db_base_is_weak_ref(const struct db_base *b)
{
    return b->type == DB_UUID && b->ref_table && b->ref_weak;
}

bool
db_base_has_constraints(const struct db_base *b)
{
    return b->enum_ || b->ref_table || b->int_min != INT64_MIN || b->int_max != INT64_MAX ||
           b->real_min != -DBL_MAX || b->real_max != DBL_MAX || b->len_min ||
           b->len_max != UINT32_MAX;
}

static struct db_error *
parse_atomic(enum db_atomic *t, const json_t *j)
{
    if (!json_is_string(j)) {
        return db_error_syntax(j, NULL, "atomic-type expected");
    }
    const char *s = json_string_value(j);
    return db_atomic_from_name(s, t) ? NULL
                                     : db_error_syntax(j, NULL, "\"%s\" is not an atomic-type", s);
}

static struct db_error *
parse_length(uint32_t *out, const json_t *j, const char *name)
{
    if (j) {
        json_int_t v = json_integer_value(j);
        if (v < 0 || v > UINT32_MAX) {
            return db_error_syntax(j, NULL, "%s out of valid range 0 to %u", name, UINT32_MAX);
        }
        *out = v;
    }
    return NULL;
}

static struct db_error *
parse_ref(struct db_base *b, struct db_parser *p)
{
    const json_t *table = db_parser_json(p, "refTable", DB_P_ID | DB_P_OPTIONAL);
    if (!table) {
        return NULL;
    }
    b->ref_table = base_strdup(json_string_value(table));
    const json_t *how = db_parser_json(p, "refType", DB_P_ID | DB_P_OPTIONAL);
    if (how) {
        const char *s = json_string_value(how);
        b->ref_weak = !strcmp(s, "weak");
        if (!b->ref_weak && strcmp(s, "strong")) {
            return db_error_syntax(p->value.json, NULL,
                                   "refType must be \"strong\" or \"weak\" (not \"%s\")", s);
        }
    }
    return NULL;
}

static struct db_error *
parse_numbers(struct db_base *b, struct db_parser *p)
{
    if (b->type == DB_INTEGER) {
        const json_t *lo = db_parser_json(p, "minInteger", DB_P_INTEGER | DB_P_OPTIONAL);
        const json_t *hi = db_parser_json(p, "maxInteger", DB_P_INTEGER | DB_P_OPTIONAL);
        b->int_min = lo ? json_integer_value(lo) : INT64_MIN;
        b->int_max = hi ? json_integer_value(hi) : INT64_MAX;
        return b->int_min > b->int_max
                   ? db_error_syntax(p->value.json, NULL, "minInteger exceeds maxInteger")
                   : NULL;
    }
    const json_t *lo = db_parser_json(p, "minReal", DB_P_NUMBER | DB_P_OPTIONAL);
    const json_t *hi = db_parser_json(p, "maxReal", DB_P_NUMBER | DB_P_OPTIONAL);
    b->real_min = lo ? json_number_value(lo) : -DBL_MAX;
    b->real_max = hi ? json_number_value(hi) : DBL_MAX;
    return b->real_min > b->real_max
               ? db_error_syntax(p->value.json, NULL, "minReal exceeds maxReal")
               : NULL;
}

// The members that a base type's atomic type allows.
static struct db_error *
parse_constraints(struct db_base *b, struct db_parser *p)
{
    const json_t *set = db_parser_json(p, "enum", DB_P_ANY | DB_P_OPTIONAL);
    if (set) {
        struct db_type t;
        enum_type(b, &t);
        struct db_datum *d = base_malloc(sizeof *d);
        struct db_error *e = db_datum_from_json(d, &t, set, NULL);
        if (e) {
            free(d);
            return e;
        }
        b->enum_ = d;
        return NULL;
    }
    switch (b->type) {
    case DB_INTEGER:
    case DB_REAL:
        return parse_numbers(b, p);
    case DB_STRING: {
        const json_t *lo = db_parser_json(p, "minLength", DB_P_INTEGER | DB_P_OPTIONAL);
        const json_t *hi = db_parser_json(p, "maxLength", DB_P_INTEGER | DB_P_OPTIONAL);
        struct db_error *e = parse_length(&b->len_min, lo, "minLength");
        e = e ? e : parse_length(&b->len_max, hi, "maxLength");
        return e ? e
               : b->len_min > b->len_max
                   ? db_error_syntax(p->value.json, NULL, "minLength exceeds maxLength")
                   : NULL;
    }
    case DB_UUID:
        return parse_ref(b, p);
    default:
        return NULL;
    }
}

struct db_error *
db_base_from_json(struct db_base *b, const json_t *j)
{
    db_base_init(b, DB_VOID);
    if (json_is_string(j)) {
        return parse_atomic(&b->type, j);
    }
    struct db_parser p;
    db_parser_init(&p, db_value_of(j), "ovsdb type");
    const json_t *type = db_parser_json(&p, "type", DB_P_STRING);
    struct db_error *e = type ? parse_atomic(&b->type, type) : NULL;
    if (!e && !db_parser_failed(&p)) {
        e = parse_constraints(b, &p);
    }
    if (e) {
        db_parser_fail(&p, e);
    }
    e = db_parser_finish(&p);
    if (e) {
        db_base_destroy(b);
        b->type = DB_VOID;
    }
    return e;
}

json_t *
db_base_to_json(const struct db_base *b)
{
    const char *name = db_atomic_name(b->type);
    if (!db_base_has_constraints(b)) {
        return json_string(name);
    }
    json_t *j = json_object();
    json_object_set_new(j, "type", json_string(name));
    if (b->enum_) {
        struct db_type t;
        enum_type(b, &t);
        json_object_set_new(j, "enum", db_datum_to_json(b->enum_, &t));
    }
    if (b->int_min != INT64_MIN) {
        json_object_set_new(j, "minInteger", json_integer(b->int_min));
    }
    if (b->int_max != INT64_MAX) {
        json_object_set_new(j, "maxInteger", json_integer(b->int_max));
    }
    if (b->real_min != -DBL_MAX) {
        json_object_set_new(j, "minReal", json_real(b->real_min));
    }
    if (b->real_max != DBL_MAX) {
        json_object_set_new(j, "maxReal", json_real(b->real_max));
    }
    if (b->len_min) {
        json_object_set_new(j, "minLength", json_integer(b->len_min));
    }
    if (b->len_max != UINT32_MAX) {
        json_object_set_new(j, "maxLength", json_integer(b->len_max));
    }
    if (b->ref_table) {
        json_object_set_new(j, "refTable", json_string(b->ref_table));
        if (b->ref_weak) {
            json_object_set_new(j, "refType", json_string("weak"));
        }
    }
    return j;
}

void
db_type_init(struct db_type *t, enum db_atomic key)
{
    db_base_init(&t->key, key);
    db_base_init(&t->value, DB_VOID);
    t->n_min = t->n_max = 1;
}

void
db_type_destroy(struct db_type *t)
{
    db_base_destroy(&t->key);
    db_base_destroy(&t->value);
}

void
db_type_clone(struct db_type *dst, const struct db_type *src)
{
    db_base_clone(&dst->key, &src->key);
    db_base_clone(&dst->value, &src->value);
    dst->n_min = src->n_min;
    dst->n_max = src->n_max;
}

static struct db_error *
parse_count(uint32_t *out, const json_t *j)
{
    if (!j) {
        return NULL;
    }
    if (json_is_integer(j) && json_integer_value(j) >= 0 && json_integer_value(j) < DB_UNLIMITED) {
        *out = json_integer_value(j);
        return NULL;
    }
    if (json_is_string(j) && !strcmp(json_string_value(j), "unlimited")) {
        *out = DB_UNLIMITED;
        return NULL;
    }
    return db_error_syntax(j, NULL, "bad min or max value");
}

static struct db_error *
parse_type_object(struct db_type *t, const json_t *j)
{
    struct db_parser p;
    db_parser_init(&p, db_value_of(j), "ovsdb type");
    const json_t *key = db_parser_json(&p, "key", DB_P_STRING | DB_P_OBJECT);
    const json_t *value = db_parser_json(&p, "value", DB_P_STRING | DB_P_OBJECT | DB_P_OPTIONAL);
    const json_t *min = db_parser_json(&p, "min", DB_P_INTEGER | DB_P_OPTIONAL);
    const json_t *max = db_parser_json(&p, "max", DB_P_INTEGER | DB_P_STRING | DB_P_OPTIONAL);
    struct db_error *e = db_parser_finish(&p);
    e = e ? e : db_base_from_json(&t->key, key);
    e = e || !value ? e : db_base_from_json(&t->value, value);
    e = e ? e : parse_count(&t->n_min, min);
    e = e ? e : parse_count(&t->n_max, max);
    if (!e && (t->n_min > 1 || t->n_max < 1)) {
        e = db_error_syntax(j, NULL, "ovsdb type fails constraint checks");
    }
    return e;
}

struct db_error *
db_type_from_json(struct db_type *t, const json_t *j)
{
    db_type_init(t, DB_VOID);
    struct db_error *e =
        json_is_string(j) ? db_base_from_json(&t->key, j) : parse_type_object(t, j);
    if (e) {
        db_type_destroy(t);
        db_type_init(t, DB_VOID);
    }
    return e;
}

json_t *
db_type_to_json(const struct db_type *t)
{
    if (db_type_is_scalar(t) && !db_base_has_constraints(&t->key)) {
        return db_base_to_json(&t->key);
    }
    json_t *j = json_object();
    json_object_set_new(j, "key", db_base_to_json(&t->key));
    if (db_type_is_map(t)) {
        json_object_set_new(j, "value", db_base_to_json(&t->value));
    }
    if (t->n_min != 1) {
        json_object_set_new(j, "min", json_integer(t->n_min));
    }
    if (t->n_max == DB_UNLIMITED) {
        json_object_set_new(j, "max", json_string("unlimited"));
    } else if (t->n_max != 1) {
        json_object_set_new(j, "max", json_integer(t->n_max));
    }
    return j;
}

char *
db_type_english(const struct db_type *t)
{
    const char *key = db_atomic_name(t->key.type);
    const char *value = db_atomic_name(t->value.type);
    if (db_type_is_scalar(t)) {
        return base_strdup(key);
    }
    struct str s = STR_INIT;
    str_add(&s, db_type_is_map(t) ? "map of" : "set of");
    if (t->n_max == DB_UNLIMITED) {
        str_add(&s, t->n_min ? " 1 or more" : "");
    } else if (t->n_min) {
        str_addf(&s, " %u to %u", t->n_min, t->n_max);
    } else {
        str_addf(&s, " up to %u", t->n_max);
    }
    if (db_type_is_map(t)) {
        str_addf(&s, " (%s, %s) pairs", key, value);
    } else {
        str_addf(&s, " %ss", key);
    }
    return str_take(&s);
}
