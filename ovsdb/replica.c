// SPDX-License-Identifier: Apache-2.0
// Only what differs from the present rows becomes part of the transaction: a whole database that
// comes again after a lost connection costs the clients' monitors nothing if nothing has changed.
//
// A copied transaction is kept like that of a client that doesn't ask for durability: written, but
// nobody waits until it is on disk. The other server doesn't tell which were durable there, and
// still has them all: what a power failure takes from the copy is copied again. A backup that
// becomes active gets its files to disk first (replication.c).
#include "ovsdb/replica.h"

#include "ovsdb/error.h"
#include "ovsdb/txn.h"

struct edit {
    struct db_txn *txn;
    struct db_table *table;
    struct uuid uuid;
    struct db_row *row; // NULL: not there
};

static bool
is_std(const char *column)
{
    return !strcmp(column, "_uuid") || !strcmp(column, "_version");
}

// One column gets its value, or the difference to it.
static struct db_error *
set_column(const struct edit *edit, const struct db_column_schema *c, const json_t *value,
           bool difference)
{
    struct db_datum d;
    struct db_error *e;
    if (!difference || !db_type_is_composite(&c->type)) {
        e = db_datum_from_json(&d, &c->type, value, NULL);
    } else {
        struct db_datum diff;
        e = db_datum_from_json_unsized(&diff, &c->type, value, NULL);
        if (!e) {
            db_datum_clone(&d, &edit->row->data[c->index], &c->type);
            db_delta_apply_symmetric(&d, &diff, &c->type);
            db_datum_destroy(&diff, &c->type);
        }
    }
    if (!e) {
        db_txn_set(edit->txn, edit->row, c, &d);
    }
    return e;
}

static struct db_error *
set_columns(const struct edit *edit, const json_t *columns, bool difference)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *) columns, name, value)
    {
        const struct db_column_schema *c = db_table_schema_column(edit->table->schema, name);
        if (is_std(name)) {
            continue;
        }
        struct db_error *e =
            c ? set_column(edit, c, value, difference)
              : db_error_syntax(columns, "unknown column", "No column %s in table %s.", name,
                                edit->table->schema->name);
        if (e) {
            return e;
        }
    }
    return NULL;
}

// The row with these columns, and the default in all others (defaults: as differences are told).
static struct db_error *
put_row(struct edit *edit, const json_t *columns, bool defaults)
{
    const struct db_table_schema *s = edit->table->schema;
    if (!edit->row) {
        edit->row = db_txn_insert(edit->txn, edit->table, &edit->uuid);
    } else if (defaults) {
        for (size_t i = DB_N_STD_COLS; i < s->n_columns; i++) {
            if (!json_object_get(columns, s->columns[i]->name)) {
                struct db_datum d;
                db_datum_clone(&d, &edit->table->defaults[i], &s->columns[i]->type);
                db_txn_set(edit->txn, edit->row, s->columns[i], &d);
            }
        }
    }
    return set_columns(edit, columns, false);
}

static struct db_error *
apply_differences(struct edit *edit, const json_t *update)
{
    const json_t *new = json_object_get(update, "initial");
    new = new ? new : json_object_get(update, "insert");
    const json_t *modify = json_object_get(update, "modify");
    if (json_is_object(new)) {
        return put_row(edit, new, true);
    }
    if (json_object_get(update, "delete")) {
        if (edit->row) {
            db_txn_delete(edit->txn, edit->row);
        }
        return NULL;
    }
    if (!json_is_object(modify)) {
        return db_error_syntax(update, NULL, "<row-update2> expected");
    }
    if (!edit->row) {
        return db_error_syntax(update, NULL, "the row that is modified doesn't exist here");
    }
    return set_columns(edit, modify, true);
}

static struct db_error *
apply_values(struct edit *edit, const json_t *update)
{
    const json_t *new = json_object_get(update, "new");
    if (json_is_object(new)) {
        return put_row(edit, new, false);
    }
    if (!json_object_get(update, "old")) {
        return db_error_syntax(update, NULL, "<row-update> expected");
    }
    if (edit->row) {
        db_txn_delete(edit->txn, edit->row);
    }
    return NULL;
}

static struct db_error *
apply_table(struct edit *edit, const json_t *rows, bool differences)
{
    const char *uuid;
    json_t *update;
    json_object_foreach((json_t *) rows, uuid, update)
    {
        if (!uuid_parse(uuid, &edit->uuid) || !json_is_object(update)) {
            return db_error_syntax(rows, NULL, "<table-update> expected");
        }
        edit->row = db_row_find(edit->table, &edit->uuid);
        struct db_error *e =
            differences ? apply_differences(edit, update) : apply_values(edit, update);
        if (e) {
            return e;
        }
    }
    return NULL;
}

static void
delete_unnamed(struct db_txn *txn, struct db_table *table, const json_t *rows)
{
    struct db_row *row;
    HMAP_FOR_EACH_SAFE (row, by_uuid, &table->rows) {
        char uuid[UUID_LEN + 1];
        uuid_format(&row->uuid.uuid, uuid);
        if (!json_object_get(rows, uuid)) {
            db_txn_delete(txn, row);
        }
    }
}

static struct db_error *
apply(struct db_txn *txn, const struct db_replica_update *u)
{
    struct db *db = txn->db;
    const char *name;
    json_t *rows;
    for (size_t i = 0; u->whole && i < db->schema->n_tables; i++) {
        if (!u->covered || u->covered[i]) {
            delete_unnamed(txn, db->tables[i],
                           json_object_get(u->tables, db->schema->tables[i]->name));
        }
    }
    json_object_foreach((json_t *) u->tables, name, rows)
    {
        struct edit edit = {.txn = txn, .table = db_table_find(db, name)};
        if (!edit.table || !json_is_object(rows)) {
            return db_error_syntax(u->tables, NULL, "no table %s to update", name);
        }
        struct db_error *e = apply_table(&edit, rows, u->differences);
        if (e) {
            return e;
        }
    }
    return NULL;
}

struct db_error *
db_replica_apply(struct db *db, const struct db_replica_update *u)
{
    struct db_txn *txn = db_txn_begin(db);
    struct db_error *e = json_is_object(u->tables)
                             ? apply(txn, u)
                             : db_error_syntax(u->tables, NULL, "<table-updates> expected");
    if (e) {
        db_txn_abort(txn);
        return e;
    }
    txn->id = u->txn;
    return db_txn_commit(txn, false);
}
