// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/mutation.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ovsdb/error.h"
#include "ovsdb/txn.h"

enum { M_ADD, M_SUB, M_MUL, M_DIV, M_MOD, M_INSERT, M_DELETE };
static const char *const names[] = {"+=", "-=", "*=", "/=", "%=", "insert", "delete"};

static struct db_error *
mismatch(const struct db_mutation *m, struct db_value v)
{
    char *english = db_type_english(&m->column->type);
    struct db_error *e = db_error_value(
        v, NULL, "Type mismatch: \"%s\" operator may not be applied to column %s of type %s.",
        names[m->mutator], m->column->name, english);
    free(english);
    return e;
}

// Reads the argument; on success m->type is its type.
static struct db_error *
argument(struct db_mutation *m, struct db_value v, struct db_symtab *symtab)
{
    struct db_value arg = db_value_at(v, 2);
    m->type = m->column->type;
    if (m->mutator == M_INSERT || m->mutator == M_DELETE) {
        if (db_type_is_scalar(&m->type)) {
            return mismatch(m, v);
        }
        m->type.n_min = 0;
        if (m->mutator == M_INSERT) {
            return db_datum_from_value(&m->arg, &m->type, arg, symtab);
        }
        m->type.n_max = DB_UNLIMITED;
        struct db_error *e = db_datum_from_value(&m->arg, &m->type, arg, symtab);
        if (e && db_type_is_map(&m->type)) {
            db_error_free(e); // keys alone
            m->type.value.type = DB_VOID;
            m->type.value.enum_ = NULL;
            m->type.value.ref_table = NULL;
            e = db_datum_from_value(&m->arg, &m->type, arg, symtab);
        }
        return e;
    }
    bool integer = m->type.key.type == DB_INTEGER;
    if (db_type_is_map(&m->type) || (!integer && m->type.key.type != DB_REAL) ||
        (m->mutator == M_MOD && !integer)) {
        return mismatch(m, v);
    }
    // The operand needs no more than to be a number of the kind.
    db_type_init(&m->type, m->type.key.type);
    return db_datum_from_value(&m->arg, &m->type, arg, symtab);
}

static struct db_error *
parse_one(struct db_mutation *m, const struct db_table_schema *t, struct db_value v,
          struct db_symtab *symtab)
{
    const char *column = db_value_string(db_value_at(v, 0));
    const char *mutator = db_value_string(db_value_at(v, 1));
    if (db_value_size(v) != 3 || !column || !mutator) {
        return db_error_value(v, NULL, "Parse error in mutation.");
    }
    *m = (struct db_mutation){.column = db_table_schema_column(t, column)};
    if (!m->column) {
        return db_error_value(v, "unknown column", "No column %s in table %s.", column, t->name);
    }
    if (!m->column->mutable_) {
        return db_error_value(v, "constraint violation",
                              "Cannot mutate immutable column %s in table %s.", column, t->name);
    }
    for (m->mutator = 0; m->mutator < (int) ARRAY_SIZE(names); m->mutator++) {
        if (!strcmp(names[m->mutator], mutator)) {
            return argument(m, v, symtab);
        }
    }
    return db_error_new("unknown mutator", "No mutator named %s.", mutator);
}

struct db_error *
db_mutations_parse(struct db_mutations *ms, const struct db_table_schema *t, struct db_value v,
                   struct db_symtab *symtab)
{
    *ms = (struct db_mutations){NULL, 0};
    if (!db_value_is(v, JSON_ARRAY)) {
        return db_error_value(v, NULL, "array expected");
    }
    const size_t n = db_value_size(v);
    struct db_value_iter it = db_value_elements(v);
    ms->list = base_calloc(n + 1, sizeof *ms->list);
    for (size_t i = 0; i < n; i++) {
        struct db_error *e = parse_one(&ms->list[i], t, db_value_next(&it), symtab);
        if (e) {
            db_mutations_destroy(ms);
            return e;
        }
        ms->n++;
    }
    return NULL;
}

void
db_mutations_destroy(struct db_mutations *ms)
{
    for (size_t i = 0; i < ms->n; i++) {
        db_datum_destroy(&ms->list[i].arg, &ms->list[i].type);
    }
    free(ms->list);
    *ms = (struct db_mutations){NULL, 0};
}

static struct db_error *
range_error(int mutator)
{
    return db_error_new("range error", "Result of \"%s\" operation is out of range.",
                        names[mutator]);
}

static struct db_error *
mutate_integer(int64_t *x, int mutator, int64_t y)
{
    bool overflow = false;
    switch (mutator) {
    case M_ADD:
        overflow = __builtin_add_overflow(*x, y, x);
        break;
    case M_SUB:
        overflow = __builtin_sub_overflow(*x, y, x);
        break;
    case M_MUL:
        overflow = __builtin_mul_overflow(*x, y, x);
        break;
    default:
        if (!y) {
            return db_error_new("domain error", "Division by zero.");
        }
        overflow = mutator == M_DIV && *x == INT64_MIN && y == -1;
        if (!overflow) {
            *x = mutator == M_DIV ? *x / y : y == -1 ? 0 : *x % y;
        }
    }
    return overflow ? range_error(mutator) : NULL;
}

static struct db_error *
mutate_real(double *x, int mutator, double y)
{
    switch (mutator) {
    case M_ADD:
        *x += y;
        break;
    case M_SUB:
        *x -= y;
        break;
    case M_MUL:
        *x *= y;
        break;
    default:
        if (y == 0) {
            return db_error_new("domain error", "Division by zero.");
        }
        *x /= y;
    }
    return isfinite(*x) ? NULL : range_error(mutator);
}

static struct db_error *
run_arithmetic(const struct db_mutation *m, struct db_txn *txn, struct db_row *row)
{
    const struct db_type *t = &m->column->type;
    struct db_datum new;
    struct db_error *e = NULL;
    db_datum_clone(&new, &row->data[m->column->index], t);
    for (uint32_t i = 0; !e && i < new.n; i++) {
        e = t->key.type == DB_INTEGER
                ? mutate_integer(&new.keys[i].integer, m->mutator, m->arg.keys[0].integer)
                : mutate_real(&new.keys[i].real, m->mutator, m->arg.keys[0].real);
        e = e ? e : db_atom_check(&new.keys[i], &t->key);
    }
    if (!e && db_datum_sort(&new, t)) {
        e = db_error_new("constraint violation", "Result of \"%s\" operation contains duplicates.",
                         names[m->mutator]);
    }
    if (e) {
        db_datum_destroy(&new, t);
        return e;
    }
    db_txn_set(txn, row, m->column, &new);
    return NULL;
}

static struct db_error *
check_count(uint32_t n, const struct db_type *t)
{
    if (n >= t->n_min && n <= t->n_max) {
        return NULL;
    }
    char *english = db_type_english(t);
    struct db_error *e =
        db_error_new("constraint violation", "Attempted to store %u elements in %s.", n, english);
    free(english);
    return e;
}

// Insert and delete on a column that holds at most one element.
static struct db_error *
run_on_optional(const struct db_mutation *m, struct db_txn *txn, struct db_row *row)
{
    const struct db_type *t = &m->column->type;
    struct db_datum new;
    db_datum_clone(&new, &row->data[m->column->index], t);
    if (m->mutator == M_INSERT) {
        db_datum_union(&new, &m->arg, t, false);
    } else {
        db_datum_subtract(&new, t, &m->arg, &m->type);
    }
    struct db_error *e = check_count(new.n, t);
    if (e) {
        db_datum_destroy(&new, t);
        return e;
    }
    db_txn_set(txn, row, m->column, &new);
    return NULL;
}

static struct db_error *
run_one(const struct db_mutation *m, struct db_txn *txn, struct db_row *row)
{
    if (m->mutator < M_INSERT) {
        return run_arithmetic(m, txn, row);
    }
    if (!db_type_is_composite(&m->column->type)) {
        return run_on_optional(m, txn, row);
    }
    if (m->mutator == M_INSERT) {
        db_txn_add(txn, row, m->column, &m->arg);
    } else {
        db_txn_remove(txn, row, m->column, &m->arg, db_type_is_map(&m->type));
    }
    const struct db_type *t = &m->column->type;
    uint32_t n = row->data[m->column->index].n;
    if (n < t->n_min || n > t->n_max) {
        char *english = db_type_english(t);
        struct db_error *e = db_error_new("constraint violation",
                                          "Attempted to store %u elements in %s.", n, english);
        free(english);
        return e;
    }
    return NULL;
}

struct db_error *
db_mutations_run(const struct db_mutations *ms, struct db_txn *txn, struct db_row *row)
{
    for (size_t i = 0; i < ms->n; i++) {
        struct db_error *e = run_one(&ms->list[i], txn, row);
        if (e) {
            return e;
        }
    }
    return NULL;
}
