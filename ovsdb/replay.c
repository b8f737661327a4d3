// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/replay.h"

#include "ovsdb/db.h"
#include "ovsdb/delta.h"
#include "ovsdb/error.h"
#include "ovsdb/txn.h"

// One record; txn NULL: rows change without a trace.
struct replay {
    struct db *db;
    struct db_txn *txn;
    bool diff, strict;
};

// New value of the column.
static struct db_error *
parse_value(const struct replay *r, const struct db_row *row, const struct db_column_schema *c,
            const json_t *value, struct db_datum *out)
{
    const struct db_type *t = &c->type;
    if (!r->diff || !db_type_is_composite(t)) {
        return db_datum_from_json(out, t, value, NULL);
    }
    struct db_datum diff;
    struct db_error *e = db_datum_from_json_unsized(&diff, t, value, NULL);
    if (e) {
        return e;
    }
    db_datum_clone(out, &row->data[c->index], t);
    db_delta_apply_symmetric(out, &diff, t);
    db_datum_destroy(&diff, t);
    if (r->txn && (out->n < t->n_min || out->n > t->n_max)) {
        e = db_error_new("constraint violation",
                         "the difference makes column %s of a row have %u elements, which its type "
                         "doesn't allow",
                         c->name, out->n);
        db_datum_destroy(out, t);
    }
    return e;
}

static struct db_error *
apply_columns(const struct replay *r, struct db_row *row, const json_t *columns)
{
    const char *name;
    json_t *value;
    if (!json_is_object(columns)) {
        return db_error_syntax(columns, NULL, "row must be JSON object");
    }
    json_object_foreach((json_t *) columns, name, value)
    {
        const struct db_column_schema *c = db_table_schema_column(row->table->schema, name);
        struct db_datum d;
        if (!c && r->strict) {
            return db_error_syntax(columns, "unknown column", "No column %s in table %s.", name,
                                   row->table->schema->name);
        } else if (!c || c->index < DB_N_STD_COLS) {
            continue;
        }
        struct db_error *e = parse_value(r, row, c, value, &d);
        if (e) {
            return e;
        }
        if (r->txn) {
            db_txn_set(r->txn, row, c, &d);
        } else {
            db_datum_swap(&row->data[c->index], &d);
            db_datum_destroy(&d, &c->type);
        }
    }
    return NULL;
}

static void
delete_row(const struct replay *r, struct db_row *row)
{
    if (r->txn) {
        db_txn_delete(r->txn, row);
    } else {
        db_row_unlink(row);
        db_row_free(row);
    }
}

static struct db_error *
apply_row(const struct replay *r, struct db_table *table, const char *name, const json_t *columns)
{
    struct uuid uuid;
    struct db_error *e;
    if (!uuid_parse(name, &uuid)) {
        return db_error_syntax(NULL, NULL, "\"%s\" is not a valid UUID", name);
    }
    struct db_row *row = db_row_find(table, &uuid);
    if (json_is_null(columns)) {
        if (!row) {
            return db_error_syntax(NULL, NULL, "transaction deletes row %s that does not exist",
                                   name);
        }
        delete_row(r, row);
        return NULL;
    }
    const bool fresh = !row;
    struct replay to_row = *r;
    to_row.diff = r->diff && !fresh;
    if (r->txn) {
        row = fresh ? db_txn_insert(r->txn, table, &uuid) : row;
        return apply_columns(&to_row, row, columns);
    }
    if (fresh) {
        row = db_row_new(table, &uuid);
    } else {
        db_row_unindex(row);
    }
    e = apply_columns(&to_row, row, columns);
    if (!fresh) {
        db_row_index(row);
    } else if (!e) {
        db_row_link(row);
    } else {
        db_row_free(row);
    }
    return e;
}

static struct db_error *
apply(struct replay *r, const json_t *record)
{
    if (!json_is_object(record)) {
        return db_error_syntax(record, NULL, "object expected");
    }
    const char *name;
    json_t *rows;
    r->diff = json_is_true(json_object_get(record, "_is_diff"));
    json_object_foreach((json_t *) record, name, rows)
    {
        struct db_table *table = db_table_find(r->db, name);
        if (!table) {
            if (r->strict && name[0] != '_') {
                return db_error_syntax(record, "unknown table", "No table named %s.", name);
            }
            continue;
        }
        if (!json_is_object(rows)) {
            return db_error_syntax(rows, NULL, "object expected");
        }
        const char *uuid;
        json_t *columns;
        json_object_foreach(rows, uuid, columns)
        {
            struct db_error *e = apply_row(r, table, uuid, columns);
            if (e) {
                return e;
            }
        }
    }
    return NULL;
}

struct db_error *
db_replay_apply(struct db *db, const json_t *record, bool strict)
{
    return apply(&(struct replay){.db = db, .strict = strict}, record);
}

// Rows nobody refers to become part of the transaction, which deletes them unless it keeps them.
static void
touch_orphans(struct db_txn *txn)
{
    const struct db *db = txn->db;
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        struct db_row *row;
        if (db->schema->tables[i]->is_root) {
            continue;
        }
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            if (!row->n_refs) {
                db_txn_touch(txn, row);
            }
        }
    }
}

static struct db_error *
commit(struct db *db, const json_t *record, bool keeps)
{
    struct db_txn *txn = db_txn_begin(db);
    txn->is_replay = true;
    txn->keeps = keeps;
    if (!keeps) {
        touch_orphans(txn);
    }
    struct db_error *e = apply(&(struct replay){.db = db, .txn = txn, .strict = true}, record);
    if (e) {
        db_txn_abort(txn);
        return e;
    }
    return db_txn_commit(txn, false);
}

struct db_error *
db_replay_commit(struct db *db, const json_t *record)
{
    struct db_error *e = commit(db, record, true);
    if (e) { // rows nobody refers to may stand in its way
        db_error_free(e);
        e = commit(db, record, false);
    }
    return e;
}

void
db_replay_collect(struct db *db)
{
    struct db_txn *txn = db_txn_begin(db);
    touch_orphans(txn);
    // Where a weak reference that must be there would go with them, all stay.
    struct db_error *e = db_txn_commit(txn, false);
    db_error_free(e);
}

// --- all records together ---

static bool
has_dangling(const struct db_row *row, const struct db_base *b, const union db_atom *atoms,
             uint32_t n)
{
    for (uint32_t i = 0; db_base_is_weak_ref(b) && i < n; i++) {
        if (!db_row_find(row->table->db->tables[b->ref->index], &atoms[i].uuid)) {
            return true;
        }
    }
    return false;
}

static struct db_error *
check_row(const struct db_row *row)
{
    const struct db_table_schema *s = row->table->schema;
    const unsigned kept =
        DB_TRAIT_WEAK | DB_TRAIT_PERSISTENT; // an ephemeral value isn't the file's
    for (size_t i = DB_N_STD_COLS; row->table->all_traits & DB_TRAIT_WEAK && i < s->n_columns;
         i++) {
        const struct db_type *t = &s->columns[i]->type;
        const struct db_datum *d = &row->data[i];
        if ((row->table->traits[i] & kept) == kept &&
            (has_dangling(row, &t->key, d->keys, d->n) ||
             has_dangling(row, &t->value, d->values, d->n))) {
            return db_error_new("constraint violation",
                                "Table %s column %s has a weak reference to nothing.", s->name,
                                s->columns[i]->name);
        }
    }
    for (size_t i = 0; i < s->n_indexes; i++) {
        if (db_row_twin(row, i)) {
            return db_error_new("constraint violation",
                                "Rows of table %s have equal values in an index.", s->name);
        }
    }
    return NULL;
}

bool
db_replay_sizes_hold(const struct db *db)
{
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table_schema *s = db->schema->tables[i];
        const struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            for (size_t k = DB_N_STD_COLS; k < s->n_columns; k++) {
                const struct db_type *t = &s->columns[k]->type;
                if (row->data[k].n < t->n_min || row->data[k].n > t->n_max) {
                    return false;
                }
            }
        }
    }
    return true;
}

struct db_error *
db_replay_settle(struct db *db)
{
    struct db_error *e = db_resolve_all(db);
    for (size_t i = 0; !e && i < db->schema->n_tables; i++) {
        const struct db_row *row;
        if (hmap_count(&db->tables[i]->rows) > db->schema->tables[i]->max_rows) {
            return db_error_new("constraint violation", "Table %s has too many rows.",
                                db->schema->tables[i]->name);
        }
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            e = check_row(row);
            if (e) {
                break;
            }
        }
    }
    return e;
}
