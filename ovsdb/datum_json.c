// SPDX-License-Identifier: Apache-2.0
// Sets and maps as JSON (RFC 7047 section 5.1 <value>, <set>, <map>, <pair>).
#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"

struct db_error *
db_datum_check(const struct db_datum *d, const struct db_type *t)
{
    if (d->n < t->n_min || d->n > t->n_max) {
        char *english = db_type_english(t);
        struct db_error *e
            = db_error_new("constraint violation", "Attempted to store %u elements in %s.", d->n, english);
        free(english);
        return e;
    }
    for (uint32_t i = 0; i < d->n; i++) {
        struct db_error *e = db_atom_check(&d->keys[i], &t->key);
        if (!e && d->values) {
            e = db_atom_check(&d->values[i], &t->value);
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

static struct db_error *
count_error(struct db_value v, const struct db_type *t, size_t n)
{
    const char *class = db_type_is_map(t) ? "map" : "set";
    if (t->n_min == 1 && t->n_max == 1) {
        return db_error_value(v, NULL, "%s must have exactly one member but %zu are present", class,
                              n);
    }
    return db_error_value(v, NULL, "%s must have %u to %u members but %zu are present", class,
                          t->n_min, t->n_max, n);
}

// What an array begins with, if that is a string.
static const char *
tag_of(struct db_value v)
{
    return db_value_string(db_value_at(v, 0));
}

static struct db_error *
push_element(struct db_datum *d, const struct db_type *t, struct db_value v,
             struct db_symtab *symtab)
{
    union db_atom key, value;
    if (!db_type_is_map(t)) {
        struct db_error *e = db_atom_from_value(&key, &t->key, v, symtab);
        if (!e) {
            db_datum_push(d, &key, NULL);
        }
        return e;
    }
    if (db_value_size(v) != 2) {
        return db_error_value(v, NULL, "expected 2-element array");
    }
    struct db_error *e = db_atom_from_value(&key, &t->key, db_value_at(v, 0), symtab);
    if (e) {
        return e;
    }
    e = db_atom_from_value(&value, &t->value, db_value_at(v, 1), symtab);
    if (e) {
        db_atom_destroy(&key, t->key.type);
        return e;
    }
    db_datum_push(d, &key, &value);
    return NULL;
}

struct db_error *
db_datum_from_value(struct db_datum *d, const struct db_type *t, struct db_value v,
                    struct db_symtab *symtab)
{
    const char *class = db_type_is_map(t) ? "map" : "set";
    const char *tag = tag_of(v);
    db_datum_init_empty(d);
    struct db_error *e;
    if (db_type_is_map(t) || (tag && !strcmp(tag, "set"))) {
        const bool tagged = tag && db_value_size(v) == 2 && !strcmp(tag, class);
        struct db_value list = tagged ? db_value_at(v, 1) : DB_NO_VALUE;
        if (!db_value_is(list, JSON_ARRAY)) {
            return db_error_value(v, NULL, "expected [\"%s\", <array>]", class);
        }
        size_t n = db_value_size(list);
        if (n < t->n_min || n > t->n_max) {
            return count_error(v, t, n);
        }
        db_datum_reserve(d, t, n);
        struct db_value_iter it = db_value_elements(list);
        for (size_t i = 0; i < n; i++) {
            e = push_element(d, t, db_value_next(&it), symtab);
            if (e) {
                db_datum_destroy(d, t);
                return e;
            }
        }
        if (db_datum_sort(d, t)) {
            db_datum_destroy(d, t);
            return db_error_new("ovsdb error", db_type_is_map(t) ? "map contains duplicate key"
                                                                 : "set contains duplicate");
        }
        return NULL;
    }
    return push_element(d, t, v, symtab);
}

struct db_error *
db_datum_from_json(struct db_datum *d, const struct db_type *t, const json_t *j,
                   struct db_symtab *symtab)
{
    return db_datum_from_value(d, t, db_value_of(j), symtab);
}

struct db_error *
db_datum_from_json_unsized(struct db_datum *d, const struct db_type *t, const json_t *j, struct db_symtab *symtab)
{
    struct db_type any = *t;
    any.n_min = 0;
    any.n_max = DB_UNLIMITED;
    return db_datum_from_json(d, &any, j, symtab);
}

json_t *
db_datum_to_json(const struct db_datum *d, const struct db_type *t)
{
    if (!db_type_is_map(t) && d->n == 1) {
        return db_atom_to_json(&d->keys[0], t->key.type);
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < d->n; i++) {
        json_t *e = db_atom_to_json(&d->keys[i], t->key.type);
        if (db_type_is_map(t)) {
            e = json_pack("[oo]", e, db_atom_to_json(&d->values[i], t->value.type));
        }
        json_array_append_new(list, e);
    }
    return json_pack("[so]", db_type_is_map(t) ? "map" : "set", list);
}

void
db_datum_write_json(const struct db_datum *d, const struct db_type *t, struct str *out)
{
    bool map = db_type_is_map(t);
    if (!map && d->n == 1) {
        db_atom_write_json(&d->keys[0], t->key.type, out);
        return;
    }
    str_add(out, map ? "[\"map\",[" : "[\"set\",[");
    for (uint32_t i = 0; i < d->n; i++) {
        if (i) {
            str_add_char(out, ',');
        }
        if (map) {
            str_add_char(out, '[');
        }
        db_atom_write_json(&d->keys[i], t->key.type, out);
        if (map) {
            str_add_char(out, ',');
            db_atom_write_json(&d->values[i], t->value.type, out);
            str_add_char(out, ']');
        }
    }
    str_add(out, "]]");
}
