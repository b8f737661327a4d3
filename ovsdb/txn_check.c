// SPDX-License-Identifier: Apache-2.0
// What must hold when a transaction ends (RFC 7047 section 3.2, 4.1.3): strong references exist,
// rows nobody refers to go away, weak references to nothing vanish, tables keep to their size,
// indexes are unique.
#include <stdlib.h>

#include "ovsdb/error.h"
#include "ovsdb/txn.h"

// Drops differences that cancel out.
static void
normalise(struct db_txn *txn)
{
    struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        uint32_t n = 0;
        for (uint32_t i = 0; i < c->n_deltas; i++) {
            struct db_delta *d = &c->deltas[i];
            const struct db_type *t = &c->row->table->schema->columns[d->column]->type;
            if (db_delta_is_empty(d, &c->row->data[d->column], t)) {
                db_delta_destroy(d, t);
            } else {
                c->deltas[n++] = *d;
            }
        }
        if (c->n_deltas && !n) {
            c->row->version.uuid = c->old_version;
        }
        c->n_deltas = n;
    }
}

// --- strong references ---

static struct db_row *
find_deleted(const struct db_txn *txn, const struct db_table *table, const struct uuid *uuid)
{
    struct db_change *c;
    HMAP_FOR_EACH_HASH(c, by_uuid, uuid_hash(uuid), &txn->deleted)
    {
        if (c->row->table == table && uuid_equals(&c->row->uuid.uuid, uuid)) {
            return c->row;
        }
    }
    return NULL;
}

static struct db_error *
no_such_row(const struct db_row *src, const struct db_column_schema *c, const struct db_base *b,
            const struct uuid *uuid)
{
    char from[UUID_LEN + 1], to[UUID_LEN + 1];
    uuid_format(&src->uuid.uuid, from);
    uuid_format(uuid, to);
    return db_error_new("referential integrity violation",
                        "Table %s column %s row %s references nonexistent row %s in table %s.",
                        src->table->schema->name, c->name, from, to, b->ref_table);
}

struct side {
    struct db_txn *txn;
    const struct db_row *src;
    const struct db_column_schema *column;
    int sign;
};

static struct db_error *
count_atoms(const struct side *s, const struct db_base *b, const union db_atom *atoms, uint32_t n)
{
    if (!db_base_is_strong_ref(b)) {
        return NULL;
    }
    const struct db_table *table = s->txn->db->tables[b->ref->index];
    for (uint32_t i = 0; i < n; i++) {
        struct db_row *dst = db_row_find(table, &atoms[i].uuid);
        if (!dst && s->sign < 0) {
            dst = find_deleted(s->txn, table, &atoms[i].uuid);
            if (!dst) {
                continue; // see resolve_strong()
            }
        }
        if (!dst && s->txn->is_replay && !s->column->persistent) {
            continue; // as there
        }
        if (!dst) {
            return no_such_row(s->src, s->column, b, &atoms[i].uuid);
        }
        db_txn_touch(s->txn, dst);
        dst->n_refs += s->sign;
    }
    return NULL;
}

static struct db_error *
count_datum(const struct side *s, const struct db_datum *d)
{
    struct db_error *e = count_atoms(s, &s->column->type.key, d->keys, d->n);
    return e ? e : count_atoms(s, &s->column->type.value, d->values, d->n);
}

// Counts what the change of one row does to the rows it refers to.
static struct db_error *
count_change(struct db_txn *txn, struct db_change *c)
{
    struct db_row *row = c->row;
    if (!(row->table->all_traits & DB_TRAIT_STRONG) || c->gone) {
        return NULL;
    }
    struct db_error *e = NULL;
    for (size_t i = DB_N_STD_COLS; !e && i < row->table->schema->n_columns; i++) {
        if (!(row->table->traits[i] & DB_TRAIT_STRONG)) {
            continue;
        }
        const struct db_column_schema *column = row->table->schema->columns[i];
        const struct db_delta *d = db_change_delta(c, i);
        if (c->kind != DB_CHANGE_MODIFY) {
            int sign = c->kind == DB_CHANGE_INSERT ? 1 : -1;
            e = count_datum(&(struct side){txn, row, column, sign}, &row->data[i]);
        } else if (d) {
            bool composite = db_type_is_composite(&column->type);
            e = count_datum(&(struct side){txn, row, column, 1},
                            composite ? &d->added : &row->data[i]);
            e = e ? e : count_datum(&(struct side){txn, row, column, -1}, &d->removed);
        }
    }
    return e;
}

// Deletes a row that nobody refers to. All it refers to now has been counted.
static struct db_error *
collect(struct db_txn *txn, struct db_row *row)
{
    struct db_error *e = NULL;
    for (size_t i = DB_N_STD_COLS; !e && i < row->table->schema->n_columns; i++) {
        if (row->table->traits[i] & DB_TRAIT_STRONG) {
            e = count_datum(&(struct side){txn, row, row->table->schema->columns[i], -1},
                            &row->data[i]);
        }
    }
    if (!e) {
        db_txn_delete(txn, row);
    }
    return e;
}

static struct db_error *
still_referenced(const struct db_row *row)
{
    char u[UUID_LEN + 1];
    uuid_format(&row->uuid.uuid, u);
    return db_error_new("referential integrity violation",
                        "cannot delete %s row %s because of %u remaining reference(s)",
                        row->table->schema->name, u, row->n_refs);
}

static struct db_error *
check_strong(struct db_txn *txn)
{
    struct db_error *e;
    struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        e = count_change(txn, c);
        if (e) {
            return e;
        }
    }
    // Rows that lost their last reference take others with them; touched ones come to the list's
    // end, but one may lose its last reference after it was passed.
    for (bool again = !txn->keeps; again;) {
        again = false;
        DB_TXN_FOR_EACH(c, txn)
        {
            struct db_row *row = c->row;
            if (c->kind != DB_CHANGE_DELETE && !row->table->schema->is_root && !row->n_refs) {
                e = collect(txn, row);
                if (e) {
                    return e;
                }
                again = true;
            }
        }
    }
    DB_TXN_FOR_EACH(c, txn)
    {
        if (c->kind == DB_CHANGE_DELETE && !c->gone && c->row->n_refs) {
            return still_referenced(c->row);
        }
    }
    return NULL;
}

// --- weak references ---

// zero: a reference was all zeros, as it is by default.
static struct db_error *
emptied(const struct db_row *row, const struct db_column_schema *column, uint32_t n_gone, bool zero)
{
    const bool is_new = row->change && row->change->kind == DB_CHANGE_INSERT;
    char u[UUID_LEN + 1];
    uuid_format(&row->uuid.uuid, u);
    struct str s = STR_INIT;
    if (zero) {
        str_addf(&s, "Weak reference column \"%s\" in", column->name);
    } else {
        str_addf(&s,
                 "Deletion of %u weak reference(s) to deleted (or never-existing) rows from column "
                 "\"%s\" in",
                 n_gone, column->name);
    }
    str_addf(&s, " \"%s\" row %s%s %s", row->table->schema->name, u,
             is_new ? " (inserted within this transaction)" : "",
             zero
                 ? "contained all-zeros UUID (probably as the default value for this column) but "
                   "deleting this value caused a constraint volation because this column is not "
                   "allowed to be empty." // the stock server's spelling
                 : "caused this column to become empty, but constraints on this column disallow an "
                   "empty column.");
    struct db_error *e = db_error_new("constraint violation", "%s", str_get(&s));
    str_free(&s);
    return e;
}

// Removes the elements that refer weakly to rows that don't exist (any), or to one row that is
// being deleted.
static struct db_error *
drop_dangling(struct db_txn *txn, struct db_row *row, const struct db_column_schema *column,
              const struct uuid *only)
{
    const struct db_type *t = &column->type;
    const struct db_datum *d = &row->data[column->index];
    struct db_datum new;
    db_datum_init_empty(&new);
    const struct db_table *tk =
        db_base_is_weak_ref(&t->key) ? txn->db->tables[t->key.ref->index] : NULL;
    const struct db_table *tv =
        db_base_is_weak_ref(&t->value) ? txn->db->tables[t->value.ref->index] : NULL;
    uint32_t n_gone = 0;
    bool zero = false;
    for (uint32_t i = 0; i < d->n; i++) {
        bool gone = (tk && (!only || uuid_equals(only, &d->keys[i].uuid)) &&
                     !db_row_find(tk, &d->keys[i].uuid)) ||
                    (tv && (!only || uuid_equals(only, &d->values[i].uuid)) &&
                     !db_row_find(tv, &d->values[i].uuid));
        n_gone += gone;
        zero |= (tk && uuid_is_zero(&d->keys[i].uuid)) || (tv && uuid_is_zero(&d->values[i].uuid));
        if (!gone) {
            union db_atom k, v;
            db_atom_clone(&k, &d->keys[i], t->key.type);
            if (d->values) {
                db_atom_clone(&v, &d->values[i], t->value.type);
            }
            db_datum_push(&new, &k, d->values ? &v : NULL);
        }
    }
    if (!n_gone) {
        db_datum_destroy(&new, t);
        return NULL;
    }
    uint32_t left = new.n;
    db_txn_set(txn, row, column, &new);
    if (left < t->n_min) {
        return emptied(row, column, n_gone, zero);
    }
    return NULL;
}

static struct db_error *
check_weak(struct db_txn *txn)
{
    struct db_change *c;
    struct db_error *e = NULL;
    DB_TXN_FOR_EACH(c, txn)
    {
        struct db_row *row = c->row;
        if (c->kind == DB_CHANGE_DELETE) {
            for (struct db_weak *w = row->weak; !e && w; w = w->next) {
                if (!w->src->change || w->src->change->kind != DB_CHANGE_DELETE) {
                    e = drop_dangling(txn, w->src, w->column, &row->uuid.uuid);
                }
            }
        } else if (row->table->all_traits & DB_TRAIT_WEAK) {
            for (size_t i = DB_N_STD_COLS; !e && i < row->table->schema->n_columns; i++) {
                if (row->table->traits[i] & DB_TRAIT_WEAK &&
                    (!txn->is_replay || row->table->traits[i] & DB_TRAIT_PERSISTENT) &&
                    (c->kind == DB_CHANGE_INSERT || db_change_delta(c, i))) {
                    e = drop_dangling(txn, row, row->table->schema->columns[i], NULL);
                }
            }
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

// --- sizes and indexes ---

static struct db_error *
check_max_rows(struct db_txn *txn)
{
    for (size_t i = 0; txn->inserts && i < txn->db->schema->n_tables; i++) {
        const struct db_table *t = txn->db->tables[i];
        if (hmap_count(&t->rows) > t->schema->max_rows) {
            return db_error_new(
                "constraint violation",
                "transaction causes \"%s\" table to contain %zu rows, greater than the "
                "schema-defined limit of %u row(s)",
                t->schema->name, hmap_count(&t->rows), t->schema->max_rows);
        }
    }
    return NULL;
}

// What stands before item k of n: "a", "a and b", "a, b, and c".
static const char *
before_item(size_t k, size_t n)
{
    return !k ? "" : k + 1 < n ? ", " : n > 2 ? ", and " : " and ";
}

static bool
changes_index(const struct db_change *c, const struct db_index_schema *x)
{
    for (size_t k = 0; k < x->n; k++) {
        const struct db_column_schema *column = x->columns[k];
        const struct db_delta *d = db_change_delta(c, column->index);
        if (d && !db_delta_is_empty(d, &c->row->data[column->index], &column->type)) {
            return true;
        }
    }
    return false;
}

static void
describe_row(struct str *s, const struct db_row *row, const struct db_index_schema *x)
{
    char u[UUID_LEN + 1];
    const struct db_change *c = row->change;
    uuid_format(&row->uuid.uuid, u);
    str_addf(s, "with UUID %s, ", u);
    if (c && c->kind == DB_CHANGE_INSERT) {
        str_add(s, "was inserted by this transaction");
    } else if (c && c->n_deltas && !changes_index(c, x)) {
        str_add(s,
                "existed in the database before this transaction, which modified some of the row's "
                "columns but not any columns in this index");
    } else if (c && c->n_deltas) {
        str_add(s, "had the following index values before the transaction: ");
        for (size_t k = 0; k < x->n; k++) {
            const struct db_column_schema *column = x->columns[k];
            const struct db_delta *d = db_change_delta(c, column->index);
            struct db_datum old;
            if (d) {
                db_delta_old(d, &row->data[column->index], &column->type, &old);
            } else {
                db_datum_clone(&old, &row->data[column->index], &column->type);
            }
            str_add(s, before_item(k, x->n));
            db_datum_format_text(&old, &column->type, s);
            db_datum_destroy(&old, &column->type);
        }
    } else {
        str_add(s, "existed in the database before this transaction and was not modified by the "
                   "transaction");
    }
    str_add(s, ".");
}

static struct db_error *
duplicate(const struct db_index_schema *x, const struct db_row *a, const struct db_row *b)
{
    struct str s = STR_INIT;
    str_addf(&s, "Transaction causes multiple rows in \"%s\" table to have identical values (",
             a->table->schema->name);
    for (size_t k = 0; k < x->n; k++) {
        str_add(&s, before_item(k, x->n));
        db_datum_format_text(&a->data[x->columns[k]->index], &x->columns[k]->type, &s);
    }
    str_addf(&s, ") for index on column%s ", x->n > 1 ? "s" : "");
    for (size_t k = 0; k < x->n; k++) {
        str_addf(&s, "%s\"%s\"", before_item(k, x->n), x->columns[k]->name);
    }
    str_add(&s, ".  First row, ");
    describe_row(&s, a, x);
    str_add(&s, "  Second row, ");
    describe_row(&s, b, x);
    struct db_error *e = db_error_new("constraint violation", "%s", str_get(&s));
    str_free(&s);
    return e;
}

static struct db_error *
check_indexes(struct db_txn *txn)
{
    struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        if (c->kind == DB_CHANGE_DELETE || !db_change_counts(c)) {
            continue;
        }
        for (size_t i = 0; i < c->row->table->schema->n_indexes; i++) {
            const struct db_row *twin = db_row_twin(c->row, i);
            if (twin) {
                return duplicate(&c->row->table->schema->indexes[i], c->row, twin);
            }
        }
    }
    return NULL;
}

struct db_error *
db_txn_check(struct db_txn *txn)
{
    normalise(txn);
    struct db_error *e = check_strong(txn);
    e = e ? e : check_max_rows(txn);
    e = e ? e : check_weak(txn);
    if (!e) {
        normalise(txn);
        e = check_indexes(txn);
    }
    return e;
}
