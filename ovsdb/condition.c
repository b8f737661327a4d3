// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/condition.h"

#include <stdlib.h>

#include "ovsdb/error.h"

static const char *const names[] = {"<", "<=", "==", "!=", ">=", ">", "excludes", "includes"};

static bool
is_order(enum db_function f)
{
    return f == DB_F_LT || f == DB_F_LE || f == DB_F_GE || f == DB_F_GT;
}

// Type of the argument of a function on a column. Constraints are borrowed.
static struct db_error *
argument_type(struct db_clause *c, struct db_value v)
{
    c->type = c->column->type;
    if (is_order(c->function)) {
        bool number = c->type.key.type == DB_INTEGER || c->type.key.type == DB_REAL;
        if (!number || c->type.n_max != 1 || db_type_is_map(&c->type)) {
            char *english = db_type_english(&c->column->type);
            struct db_error *e = db_error_value(
                v, NULL,
                "Type mismatch: \"%s\" operator may not be applied to column %s of type %s.",
                names[c->function], c->column->name, english);
            free(english);
            return e;
        }
        c->type.n_min = 1;
    } else if (c->function == DB_F_INCLUDES || c->function == DB_F_EXCLUDES) {
        if (!db_type_is_scalar(&c->type)) {
            c->type.n_min = 0;
            if (c->function == DB_F_EXCLUDES) {
                c->type.n_max = DB_UNLIMITED;
            }
        }
    }
    return NULL;
}

static struct db_error *
parse_clause(struct db_clause *c, const struct db_table_schema *t, struct db_value v,
             struct db_symtab *symtab)
{
    *c = (struct db_clause){.function = DB_F_FALSE};
    if (db_value_is_boolean(v)) {
        c->function = db_value_is(v, JSON_TRUE) ? DB_F_TRUE : DB_F_FALSE;
        return NULL;
    }
    const char *column = db_value_string(db_value_at(v, 0));
    const char *function = db_value_string(db_value_at(v, 1));
    if (db_value_size(v) != 3 || !column || !function) {
        return db_error_value(v, NULL, "Parse error in condition.");
    }
    const struct db_column_schema *found = db_table_schema_column(t, column);
    if (!found) {
        return db_error_value(v, "unknown column", "No column %s in table %s.", column, t->name);
    }
    size_t f = 0;
    while (f < ARRAY_SIZE(names) && strcmp(names[f], function)) {
        f++;
    }
    if (f == ARRAY_SIZE(names)) {
        return db_error_new("unknown function", "No function named %s.", function);
    }
    c->function = f;
    c->column = found;
    struct db_error *e = argument_type(c, v);
    e = e ? e : db_datum_from_value(&c->arg, &c->type, db_value_at(v, 2), symtab);
    if (e) {
        c->column = NULL;
        c->function = DB_F_FALSE;
    }
    return e;
}

struct db_error *
db_condition_parse(struct db_condition *cond, const struct db_table_schema *t, struct db_value v,
                   struct db_symtab *symtab)
{
    *cond = (struct db_condition){NULL, 0};
    if (!db_value_is(v, JSON_ARRAY)) {
        return db_error_value(v, NULL, "array expected");
    }
    const size_t n = db_value_size(v);
    struct db_value_iter it = db_value_elements(v);
    cond->clauses = n ? base_calloc(n, sizeof *cond->clauses) : NULL;
    for (size_t i = 0; i < n; i++) {
        struct db_error *e = parse_clause(&cond->clauses[i], t, db_value_next(&it), symtab);
        if (e) {
            db_condition_destroy(cond);
            return e;
        }
        cond->n++;
    }
    return NULL;
}

struct db_error *
db_condition_from_json(struct db_condition *cond, const struct db_table_schema *t, const json_t *j,
                       struct db_symtab *symtab)
{
    return db_condition_parse(cond, t, db_value_of(j), symtab);
}

void
db_condition_destroy(struct db_condition *cond)
{
    for (size_t i = 0; i < cond->n; i++) {
        if (cond->clauses[i].column) {
            db_datum_destroy(&cond->clauses[i].arg, &cond->clauses[i].type);
        }
    }
    free(cond->clauses);
    *cond = (struct db_condition){NULL, 0};
}

static bool
clause_holds(const struct db_clause *c, const struct db_datum data[])
{
    if (!c->column) {
        return c->function == DB_F_TRUE;
    }
    const struct db_type *t = &c->column->type;
    const struct db_datum *d = &data[c->column->index], *arg = &c->arg;
    if (is_order(c->function)) {
        if (!d->n) {
            return false;
        }
        int cmp = db_atom_compare(&d->keys[0], &arg->keys[0], t->key.type);
        return c->function == DB_F_LT   ? cmp < 0
               : c->function == DB_F_LE ? cmp <= 0
               : c->function == DB_F_GE ? cmp >= 0
                                        : cmp > 0;
    }
    switch (c->function) {
    case DB_F_EQ:
        return db_datum_equals(d, arg, t);
    case DB_F_NE:
        return !db_datum_equals(d, arg, t);
    case DB_F_INCLUDES:
        return db_datum_includes_all(d, arg, t);
    default:
        return db_datum_excludes_all(d, arg, t);
    }
}

bool
db_condition_all(const struct db_condition *cond, const struct db_datum data[])
{
    for (size_t i = 0; i < cond->n; i++) {
        if (!clause_holds(&cond->clauses[i], data)) {
            return false;
        }
    }
    return true;
}

bool
db_condition_any(const struct db_condition *cond, const struct db_datum data[])
{
    for (size_t i = 0; i < cond->n; i++) {
        if (clause_holds(&cond->clauses[i], data)) {
            return true;
        }
    }
    return !cond->n;
}

bool
db_condition_is_true(const struct db_condition *cond)
{
    for (size_t i = 0; i < cond->n; i++) {
        if (cond->clauses[i].function == DB_F_TRUE) {
            return true;
        }
    }
    return !cond->n;
}

json_t *
db_condition_to_json(const struct db_condition *cond)
{
    json_t *j = json_array();
    for (size_t i = 0; i < cond->n; i++) {
        const struct db_clause *c = &cond->clauses[i];
        json_array_append_new(j, c->column ? json_pack("[sso]", c->column->name, names[c->function],
                                                       db_datum_to_json(&c->arg, &c->type))
                                           : json_boolean(c->function == DB_F_TRUE));
    }
    return j;
}

// --- finding rows ---

static const struct db_clause *
equality(const struct db_condition *cond, const struct db_column_schema *column)
{
    for (size_t i = 0; i < cond->n; i++) {
        const struct db_clause *c = &cond->clauses[i];
        // On a scalar "includes" its one value is "==".
        if (c->column == column && (c->function == DB_F_EQ || (c->function == DB_F_INCLUDES &&
                                                               db_type_is_scalar(&column->type)))) {
            return c;
        }
    }
    return NULL;
}

#define MAX_KEY 8

// The index whose columns the condition fixes all; its number or -1, and the values.
static int
usable_index(const struct db_condition *cond, const struct db_table_schema *t,
             const struct db_datum *values[MAX_KEY])
{
    for (size_t i = 0; i < t->n_indexes; i++) {
        size_t k = 0, n = t->indexes[i].n;
        for (; n <= MAX_KEY && k < n; k++) {
            const struct db_clause *c = equality(cond, t->indexes[i].columns[k]);
            if (!c) {
                break;
            }
            values[k] = &c->arg;
        }
        if (k == n) {
            return i;
        }
    }
    return -1;
}

void
db_condition_each(const struct db_condition *cond, struct db_table *table,
                  bool (*fn)(struct db_row *, void *), void *aux)
{
    const struct db_clause *by_uuid = equality(cond, table->schema->columns[DB_COL_UUID]);
    if (by_uuid) {
        struct db_row *row = db_row_find(table, &by_uuid->arg.keys[0].uuid);
        if (row && db_condition_all(cond, row->data)) {
            fn(row, aux);
        }
        return;
    }
    const struct db_datum *values[MAX_KEY];
    int x = usable_index(cond, table->schema, values);
    if (x >= 0) {
        // More than one only inside a transaction that is about to fail, or to repair it.
        size_t n = 0, cap = 0;
        struct db_row **rows = NULL;
        for (struct db_row *row = db_index_find(table, x, values, NULL); row;
             row = db_index_find(table, x, values, row)) {
            if (n == cap) {
                rows = base_grow(rows, &cap, sizeof *rows);
            }
            rows[n++] = row;
        }
        for (size_t i = 0; i < n; i++) {
            if (db_condition_all(cond, rows[i]->data) && !fn(rows[i], aux)) {
                break;
            }
        }
        free(rows);
        return;
    }
    struct db_row *row;
    HMAP_FOR_EACH_SAFE (row, by_uuid, &table->rows) {
        if (db_condition_all(cond, row->data) && !fn(row, aux)) {
            break;
        }
    }
}
