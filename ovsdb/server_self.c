// SPDX-License-Identifier: Apache-2.0
// The database _Server: what databases the server has (ovsdb-server(5)).
#include <stdlib.h>

#include "ovsdb/error.h"
#include "ovsdb/relay.h"
#include "ovsdb/server_priv.h"
#include "ovsdb/txn.h"

static const char schema_text[] = "{\"name\":\"_Server\",\"version\":\"1.2.0\",\"cksum\":"
                                  "\"3009684573 744\",\"tables\":{\"Database\":{\"columns\":{"
                                  "\"name\":{\"type\":\"string\"},"
                                  "\"model\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":["
                                  "\"set\",[\"clustered\",\"relay\",\"standalone\"]]}}},"
                                  "\"connected\":{\"type\":\"boolean\"},"
                                  "\"leader\":{\"type\":\"boolean\"},"
                                  "\"schema\":{\"type\":{\"key\":\"string\",\"min\":0}},"
                                  "\"cid\":{\"type\":{\"key\":\"uuid\",\"min\":0}},"
                                  "\"sid\":{\"type\":{\"key\":\"uuid\",\"min\":0}},"
                                  "\"index\":{\"type\":{\"key\":\"integer\",\"min\":0}}}}}}";

struct db *
db_self_new(void)
{
    struct db_schema *schema;
    struct db_error *e = db_schema_from_text(schema_text, &schema);
    if (e) { // it is ours
        abort();
    }
    return db_new(schema);
}

static void
set_string(struct db_txn *txn, struct db_row *row, const char *column, const char *value)
{
    struct db_datum d;
    db_datum_set_string(&d, value);
    db_txn_set(txn, row, db_table_schema_column(row->table->schema, column), &d);
}

static void
set_boolean(struct db_txn *txn, struct db_row *row, const char *column, bool value)
{
    struct db_datum d;
    db_datum_set_boolean(&d, value);
    db_txn_set(txn, row, db_table_schema_column(row->table->schema, column), &d);
}

static void
commit(struct db_txn *txn)
{
    db_error_free(db_txn_commit(txn, false)); // nothing that could be violated
}

static void
describe(struct db_txn *txn, struct db_row *row, const struct db_served *d)
{
    set_string(txn, row, "name", d->db->schema->name);
    set_string(txn, row, "model", d->relay ? "relay" : "standalone");
    set_boolean(txn, row, "connected", !d->relay || db_relay_is_connected(d->relay));
    set_boolean(txn, row, "leader", !d->relay);
    if (!d->relay || db_relay_has_copy(d->relay)) {
        struct str text = STR_INIT;
        json_t *schema = db_schema_to_json(d->db->schema);
        db_json_write(schema, &text);
        json_decref(schema);
        set_string(txn, row, "schema", str_get(&text));
        str_free(&text);
    }
}

void
db_self_add(struct db_server *s, struct db_served *d)
{
    struct db *self = s->self ? s->self->db : d->db;
    struct db_txn *txn = db_txn_begin(self);
    uuid_generate(&d->row);
    describe(txn, db_txn_insert(txn, self->tables[0], &d->row), d);
    commit(txn);
}

void
db_self_update(struct db_server *s, struct db_served *d)
{
    struct db_txn *txn = db_txn_begin(s->self->db);
    describe(txn, db_row_find(s->self->db->tables[0], &d->row), d);
    commit(txn);
}

void
db_self_remove(struct db_server *s, struct db_served *d)
{
    struct db_row *row = db_row_find(s->self->db->tables[0], &d->row);
    if (row) {
        struct db_txn *txn = db_txn_begin(s->self->db);
        db_txn_delete(txn, row);
        commit(txn);
    }
}
