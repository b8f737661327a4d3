// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/convert.h"

#include "ovsdb/error.h"
#include "ovsdb/txn.h"

static struct db_error *
convert_row(struct db_txn *txn, struct db_table *table, const struct db_row *from)
{
    const struct db_table_schema *old = from->table->schema, *new = table->schema;
    struct db_row *row = db_txn_insert(txn, table, &from->uuid.uuid);
    for (size_t i = DB_N_STD_COLS; i < new->n_columns; i++) {
        const struct db_column_schema *to = new->columns[i];
        const struct db_column_schema *c = db_table_schema_column(old, to->name);
        if (!c) {
            continue;
        }
        struct db_datum d;
        json_t *j = db_datum_to_json(&from->data[c->index], &c->type);
        struct db_error *e = db_datum_from_json(&d, &to->type, j, NULL);
        json_decref(j);
        if (e) {
            return e;
        }
        db_txn_set(txn, row, to, &d);
    }
    return NULL;
}

struct db_error *
db_convert(const struct db *from, struct db_schema *schema, struct db **out)
{
    struct db *db = db_new(schema);
    struct db_txn *txn = db_txn_begin(db);
    struct db_error *e = NULL;
    *out = NULL;
    for (size_t i = 0; !e && i < from->schema->n_tables; i++) {
        struct db_table *t = db_table_find(db, from->schema->tables[i]->name);
        const struct db_row *row;
        if (!t) {
            continue;
        }
        HMAP_FOR_EACH (row, by_uuid, &from->tables[i]->rows) {
            e = convert_row(txn, t, row);
            if (e) {
                break;
            }
        }
    }
    if (e) {
        db_txn_abort(txn);
    } else {
        e = db_txn_commit(txn, false);
    }
    if (e) {
        db_free(db);
        return e;
    }
    *out = db;
    return NULL;
}
