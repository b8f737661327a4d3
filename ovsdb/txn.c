// SPDX-License-Identifier: Apache-2.0
// In-place changes with their undo records.
#include "ovsdb/txn.h"

#include <stdlib.h>

#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/history.h"
#include "ovsdb/tlog.h"

struct db_txn *
db_txn_begin(struct db *db)
{
    struct db_txn *txn = base_calloc(1, sizeof *txn);
    txn->db = db;
    CDS_INIT_LIST_HEAD(&txn->changes);
    hmap_init(&txn->deleted);
    return txn;
}

struct db_change *
db_txn_touch(struct db_txn *txn, struct db_row *row)
{
    if (!row->change) {
        struct db_change *c = base_calloc(1, sizeof *c);
        c->row = row;
        c->old_version = row->version.uuid;
        c->old_refs = row->n_refs;
        row->change = c;
        cds_list_add_tail(&c->in_txn, &txn->changes);
    }
    return row->change;
}

static const struct db_type *
column_type(const struct db_row *row, unsigned column)
{
    return &row->table->schema->columns[column]->type;
}

const struct db_delta *
db_change_delta(const struct db_change *c, unsigned column)
{
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        if (c->deltas[i].column == column) {
            return &c->deltas[i];
        }
    }
    return NULL;
}

bool
db_change_counts(const struct db_change *c)
{
    return !c->gone && (c->kind != DB_CHANGE_MODIFY || c->n_deltas);
}

// The change's delta of the column; *fresh when it was made now.
static struct db_delta *
delta_of(struct db_change *c, unsigned column, bool *fresh)
{
    struct db_delta *d = (struct db_delta *) db_change_delta(c, column);
    *fresh = !d;
    if (!d) {
        if (c->n_deltas == c->cap_deltas) {
            c->cap_deltas = c->cap_deltas ? 2 * c->cap_deltas : 2;
            c->deltas = base_realloc(c->deltas, c->cap_deltas * sizeof *c->deltas);
        }
        d = &c->deltas[c->n_deltas++];
        *d = (struct db_delta){.column = column};
    }
    return d;
}

static void
undo_deltas(struct db_change *c)
{
    struct db_row *row = c->row;
    for (uint32_t i = c->n_deltas; i-- > 0;) {
        struct db_delta *d = &c->deltas[i];
        db_delta_undo(d, &row->data[d->column], column_type(row, d->column));
        db_delta_destroy(d, column_type(row, d->column));
    }
    c->n_deltas = 0;
}

struct db_row *
db_txn_insert(struct db_txn *txn, struct db_table *table, const struct uuid *uuid)
{
    struct db_row *row = db_row_new(table, uuid);
    txn->inserts = true;
    db_row_link(row);
    db_txn_touch(txn, row)->kind = DB_CHANGE_INSERT;
    return row;
}

void
db_txn_delete(struct db_txn *txn, struct db_row *row)
{
    struct db_change *c = db_txn_touch(txn, row);
    db_row_unlink(row);
    if (c->kind == DB_CHANGE_INSERT) {
        c->gone = true;
    } else {
        undo_deltas(c);
        row->version.uuid = c->old_version;
    }
    c->kind = DB_CHANGE_DELETE;
    hmap_insert(&txn->deleted, &c->by_uuid, uuid_hash(&row->uuid.uuid));
}

bool
db_txn_has_deleted(const struct db_txn *txn, const struct db_table *table, const struct uuid *uuid)
{
    const struct db_change *c;
    HMAP_FOR_EACH_HASH(c, by_uuid, uuid_hash(uuid), &txn->deleted)
    {
        if (c->row->table == table && !c->gone && uuid_equals(&c->row->uuid.uuid, uuid)) {
            return true;
        }
    }
    return false;
}

// Bracket around an edit of one column.
static struct db_change *
begin_edit(struct db_txn *txn, struct db_row *row, unsigned column)
{
    struct db_change *c = db_txn_touch(txn, row);
    if (c->kind == DB_CHANGE_MODIFY && !c->n_deltas) {
        uuid_generate(&row->version.uuid);
    }
    if (row->table->traits[column] & DB_TRAIT_INDEXED) {
        db_row_unindex(row);
    }
    return c;
}

static void
end_edit(struct db_row *row, unsigned column)
{
    if (row->table->traits[column] & DB_TRAIT_INDEXED) {
        db_row_index(row);
    }
}

void
db_txn_set(struct db_txn *txn, struct db_row *row, const struct db_column_schema *column,
           struct db_datum *new)
{
    const struct db_type *t = &column->type;
    struct db_datum *value = &row->data[column->index];
    if (db_datum_equals(value, new, t)) {
        db_datum_destroy(new, t);
        return;
    }
    struct db_change *c = begin_edit(txn, row, column->index);
    if (c->kind == DB_CHANGE_MODIFY) {
        bool fresh;
        struct db_delta *d = delta_of(c, column->index, &fresh);
        if (db_type_is_composite(t)) {
            struct db_delta step;
            db_delta_between(&step, value, new, t);
            db_delta_compose(d, &step, t);
            db_delta_destroy(&step, t);
        } else if (fresh) {
            db_datum_swap(&d->removed, value);
        }
    }
    db_datum_destroy(value, t);
    *value = *new;
    end_edit(row, column->index);
}

// One element comes, or gets another value.
static void
add_element(struct db_datum *value, const struct db_type *t, struct db_delta *d,
            const struct db_datum *from, uint32_t i)
{
    bool found;
    db_datum_seek(value, &from->keys[i], t->key.type, &found);
    if (found) {
        return; // a map's pair keeps its value (RFC 7047 section 5.1 <mutation>)
    }
    union db_atom k, v;
    db_atom_clone(&k, &from->keys[i], t->key.type);
    if (from->values) {
        db_atom_clone(&v, &from->values[i], t->value.type);
    }
    db_datum_insert(value, t, &k, from->values ? &v : NULL);
    if (d) {
        db_delta_add(d, t, &from->keys[i], from->values ? &from->values[i] : NULL);
    }
}

void
db_txn_add(struct db_txn *txn, struct db_row *row, const struct db_column_schema *column,
           const struct db_datum *from)
{
    const struct db_type *t = &column->type;
    if (!from->n) {
        return;
    }
    bool fresh;
    struct db_change *c = begin_edit(txn, row, column->index);
    struct db_delta *d = c->kind == DB_CHANGE_MODIFY ? delta_of(c, column->index, &fresh) : NULL;
    for (uint32_t i = 0; i < from->n; i++) {
        add_element(&row->data[column->index], t, d, from, i);
    }
    end_edit(row, column->index);
}

void
db_txn_remove(struct db_txn *txn, struct db_row *row, const struct db_column_schema *column,
              const struct db_datum *from, bool from_is_map)
{
    const struct db_type *t = &column->type;
    struct db_datum *value = &row->data[column->index];
    if (!from->n) {
        return;
    }
    bool fresh;
    struct db_change *c = begin_edit(txn, row, column->index);
    struct db_delta *d = c->kind == DB_CHANGE_MODIFY ? delta_of(c, column->index, &fresh) : NULL;
    for (uint32_t i = 0; i < from->n; i++) {
        int64_t at = db_datum_find(value, &from->keys[i], t->key.type);
        if (at < 0 ||
            (from_is_map && !db_atom_equals(&value->values[at], &from->values[i], t->value.type))) {
            continue;
        }
        if (d) {
            db_delta_remove(d, t, &value->keys[at], value->values ? &value->values[at] : NULL);
        }
        db_datum_remove_at(value, t, at);
    }
    end_edit(row, column->index);
}

void
db_change_free(struct db_change *c, bool with_row)
{
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        db_delta_destroy(&c->deltas[i], column_type(c->row, c->deltas[i].column));
    }
    if (with_row && c->kind == DB_CHANGE_DELETE) {
        db_row_free(c->row);
    }
    free(c->deltas);
    free(c);
}

static void
take_back(struct db_change *c)
{
    struct db_row *row = c->row;
    row->change = NULL;
    row->n_refs = c->old_refs;
    if (c->gone) {
        db_row_free(row);
    } else if (c->kind == DB_CHANGE_INSERT) {
        db_row_unlink(row);
        db_row_free(row);
    } else if (c->kind == DB_CHANGE_DELETE) {
        db_row_link(row);
    } else if (c->n_deltas) {
        db_row_unindex(row);
        undo_deltas(c);
        db_row_index(row);
        row->version.uuid = c->old_version;
    }
    c->n_deltas = 0;
    free(c->deltas);
    free(c);
}

void
db_txn_abort(struct db_txn *txn)
{
    struct db_change *c, *next;
    cds_list_for_each_entry_safe (c, next, &txn->changes, in_txn) {
        take_back(c);
    }
    hmap_destroy(&txn->deleted);
    str_free(&txn->comment);
    free(txn);
}

static bool
counts(const struct db_txn *txn)
{
    const struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        if (db_change_counts(c)) {
            return true;
        }
    }
    return false;
}

// Ends a transaction whose changes stand.
static void
finish(struct db_txn *txn)
{
    struct db_change *c, *next;
    DB_TXN_FOR_EACH(c, txn)
    {
        c->row->change = NULL;
    }
    if (txn->db->history && counts(txn)) {
        db_history_take(txn->db->history, txn);
    }
    cds_list_for_each_entry_safe (c, next, &txn->changes, in_txn) {
        db_change_free(c, true);
    }
    hmap_destroy(&txn->deleted);
    str_free(&txn->comment);
    free(txn);
}

// Weak references as committed, brought up to date: first forget, then note, so that rows of both
// kinds are found.
static void
update_weak(struct db_txn *txn, bool note)
{
    struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        struct db_row *row = c->row;
        if (!(row->table->all_traits & DB_TRAIT_WEAK) || c->gone) {
            continue;
        }
        const struct db_table_schema *s = row->table->schema;
        for (size_t i = DB_N_STD_COLS; i < s->n_columns; i++) {
            if (!(row->table->traits[i] & DB_TRAIT_WEAK)) {
                continue;
            }
            const struct db_column_schema *col = s->columns[i];
            const struct db_delta *d = db_change_delta(c, i);
            bool composite = db_type_is_composite(&col->type);
            if (c->kind == DB_CHANGE_DELETE) {
                note ? (void) 0 : db_weak_remove(row, col, &row->data[i]);
            } else if (note && c->kind == DB_CHANGE_INSERT) {
                db_weak_add(row, col, &row->data[i]);
            } else if (d && note) {
                db_weak_add(row, col, composite ? &d->added : &row->data[i]);
            } else if (d) {
                db_weak_remove(row, col, &d->removed);
            }
        }
    }
}

struct db_error *
db_txn_commit(struct db_txn *txn, bool durable)
{
    struct db *db = txn->db;
    struct db_error *e = db_txn_check(txn);
    if (!e) {
        if (uuid_is_zero(&txn->id)) {
            uuid_generate(&txn->id);
        }
        e = db->file ? db_file_commit(db->file, txn, durable) : NULL;
    }
    if (e) {
        db_txn_abort(txn);
        return e;
    }
    if (counts(txn)) {
        update_weak(txn, false);
        update_weak(txn, true);
        db_tlog(txn);
        db->last_txn = txn->id;
        db->n_commits++;
        struct db_observer *o, *next;
        cds_list_for_each_entry_safe (o, next, &db->observers, in_db) {
            o->committed(o, txn);
        }
    }
    finish(txn);
    return NULL;
}
