// SPDX-License-Identifier: Apache-2.0
// Remotes that the database names: db:DB,TABLE,COLUMN, where the column holds strings, or refers to
// rows with a column `target` and options; and what the server writes back into those rows.
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/relay.h"
#include "ovsdb/server.h"
#include "ovsdb/txn.h"
#include "tools/dbserver/remote_priv.h"

char *
remote_db_column(struct db_server *server, const char *name, struct db_column_ref *ref)
{
    ref->later = false;
    char *copy = base_strdup(name + 3), *save = NULL, *error = NULL;
    const char *db = strtok_r(copy, ",", &save), *table = strtok_r(NULL, ",", &save);
    const char *column = strtok_r(NULL, ",", &save);
    if (!db || !table || !column || strtok_r(NULL, ",", &save)) {
        error = base_asprintf("\"%s\": invalid syntax, must be db:DATABASE,TABLE,COLUMN", name);
    } else if (!(ref->served = db_server_find(server, db))) {
        error = base_asprintf("\"%s\": no database named %s", name, db);
    } else if (ref->served->relay && !db_relay_has_copy(ref->served->relay)) {
        error = base_asprintf("\"%s\": database %s is not here yet", name, db);
        ref->later = true;
    } else if (!(ref->table = db_table_find(ref->served->db, table))) {
        error = base_asprintf("\"%s\": no table named %s", name, table);
    } else if (!(ref->column = db_table_schema_column(ref->table->schema, column))) {
        error = base_asprintf("\"%s\": table \"%s\" has no column \"%s\"", name, table, column);
    }
    free(copy);
    return error;
}

char *
remote_db_parse(struct db_server *server, const char *name, struct db_column_ref *ref)
{
    char *error = remote_db_column(server, name, ref);
    if (!error && (db_type_is_map(&ref->column->type) ||
                   (ref->column->type.key.type != DB_STRING && !ref->column->type.key.ref))) {
        error = base_asprintf("\"%s\": column \"%s\" must hold strings or references", name,
                              ref->column->name);
    }
    return error;
}

// Value of a column with at most one element of the type, or NULL.
static const union db_atom *
read_one(const struct db_row *row, const char *column, enum db_atomic type)
{
    const struct db_column_schema *c = db_table_schema_column(row->table->schema, column);
    if (!c || c->type.key.type != type || db_type_is_map(&c->type) || c->type.n_max > 1 ||
        !row->data[c->index].n) {
        return NULL;
    }
    return &row->data[c->index].keys[0];
}

static void
want_row(struct remotes *rs, const struct db_row *row)
{
    const union db_atom *target = read_one(row, "target", DB_STRING);
    const union db_atom *probe = read_one(row, "inactivity_probe", DB_INTEGER);
    const union db_atom *backoff = read_one(row, "max_backoff", DB_INTEGER);
    const union db_atom *read_only = read_one(row, "read_only", DB_BOOLEAN);
    const union db_atom *role = read_one(row, "role", DB_STRING);
    if (target && target->string->len) {
        struct remote_options o = {.probe_ms = -1};
        if (probe) {
            o.probe_ms = MAX(0, MIN(probe->integer, INT32_MAX));
        }
        o.max_backoff = backoff ? MAX(0, MIN(backoff->integer, INT32_MAX)) : 0;
        o.read_only = read_only && read_only->boolean;
        if (role) {
            snprintf(o.role, sizeof o.role, "%s", role->string->s);
        }
        remote_want(rs, target->string->s, &o);
    }
}

static struct db_row *
referred(const struct db_column_ref *ref, const union db_atom *atom)
{
    return db_row_find(ref->served->db->tables[ref->column->type.key.ref->index], &atom->uuid);
}

void
remote_db_want(struct remotes *rs, const struct db_column_ref *ref)
{
    static const struct remote_options none = {.probe_ms = -1};
    const struct db_row *row;
    HMAP_FOR_EACH (row, by_uuid, &ref->table->rows) {
        const struct db_datum *d = &row->data[ref->column->index];
        for (uint32_t i = 0; i < d->n; i++) {
            if (ref->column->type.key.type == DB_STRING) {
                remote_want(rs, d->keys[i].string->s, &none);
            } else {
                const struct db_row *to = referred(ref, &d->keys[i]);
                if (to) {
                    want_row(rs, to);
                }
            }
        }
    }
}

// --- status ---

static void
put(struct db_datum *map, const char *key, const char *value)
{
    union db_atom k = {.string = db_string_new(key, strlen(key))},
                  v = {.string = db_string_new(value, strlen(value))};
    db_datum_push(map, &k, &v);
}

static void
put_number(struct db_datum *map, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long) value);
    put(map, key, text);
}

static void
put_locks(struct db_datum *map, const struct db_session *session, bool held)
{
    char *names = db_session_locks(session, held);
    if (names[0]) {
        put(map, held ? "locks_held" : "locks_waiting", names);
    }
    free(names);
}

static bool
is_connected(const struct remote *r)
{
    return r->active_conn || r->n_conns;
}

static void
status_of(const struct remote *r, struct db_datum *map)
{
    const struct conn *c = r->active_conn;
    if (!c && r->n_conns) {
        c = cds_list_first_entry((struct cds_list_head *) &r->conns, struct conn, in_remote);
    }
    if (r->session || r->failed) {
        put(map, "state", c ? "ACTIVE" : "BACKOFF");
        if (r->last_error && !c) {
            put(map, "last_error", base_strerror(r->last_error));
        }
    }
    if (r->listener && stream_listener_port(r->listener)) {
        put_number(map, "bound_port", stream_listener_port(r->listener));
    }
    if (r->n_conns > 1) {
        put_number(map, "n_connections", r->n_conns);
    }
    if (c && r->connected_at) {
        put_number(map, "sec_since_connect", (clock_now() - r->connected_at) / 1000);
    }
    if (r->disconnected_at) {
        put_number(map, "sec_since_disconnect", (clock_now() - r->disconnected_at) / 1000);
    }
    if (c) {
        put_locks(map, c->session, true);
        put_locks(map, c->session, false);
    }
}

static void
update_row(struct remotes *rs, struct db_txn *txn, struct db_row *row)
{
    const union db_atom *target = read_one(row, "target", DB_STRING);
    const struct remote *r = target ? remote_find(rs, target->string->s) : NULL;
    const struct db_column_schema *connected =
        db_table_schema_column(row->table->schema, "is_connected");
    const struct db_column_schema *status = db_table_schema_column(row->table->schema, "status");
    if (!r) {
        return;
    }
    if (connected && connected->type.key.type == DB_BOOLEAN &&
        db_type_is_scalar(&connected->type)) {
        struct db_datum d;
        db_datum_set_boolean(&d, is_connected(r));
        db_txn_set(txn, row, connected, &d);
    }
    if (status && status->type.key.type == DB_STRING && status->type.value.type == DB_STRING) {
        struct db_datum d;
        db_datum_init_empty(&d);
        status_of(r, &d);
        db_datum_sort(&d, &status->type);
        db_txn_set(txn, row, status, &d);
    }
}

void
remotes_update_status(struct remotes *rs)
{
    struct name *n;
    if (db_server_is_read_only(rs->server)) {
        return; // the rows say what the active server writes
    }
    cds_list_for_each_entry (n, &rs->names, in_remotes) {
        struct db_column_ref ref;
        char *error = strncmp(n->text, "db:", 3) ? base_strdup("")
                                                 : remote_db_parse(rs->server, n->text, &ref);
        bool usable = !error && !ref.served->relay && ref.column->type.key.ref;
        free(error);
        if (!usable) {
            continue;
        }
        struct db_txn *txn = db_txn_begin(ref.served->db);
        struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &ref.table->rows) {
            const struct db_datum *d = &row->data[ref.column->index];
            for (uint32_t i = 0; i < d->n; i++) {
                struct db_row *to = referred(&ref, &d->keys[i]);
                if (to) {
                    update_row(rs, txn, to);
                }
            }
        }
        db_error_free(db_txn_commit(txn, false));
    }
}
