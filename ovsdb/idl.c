// SPDX-License-Identifier: Apache-2.0
// The client's connection: which protocol the server speaks, what is monitored, the lock, and the
// way of messages to updates and transactions. References: RFC 7047 section 4; ovsdb-server(7) for
// monitor_cond, monitor_cond_since and update2, update3.
//
//   connected ─▶ monitor_cond_since ─(unknown method)─▶ monitor_cond ─(unknown method)─▶ monitor
//                     │ (unknown table or column: get_schema, leave it out, again)
//                     ▼ reply
//                  SYNCED ◀─ update3 / update2 / update; monitor_cond_change when conditions change
//                     │ monitor_canceled: the database was converted, or removed; from the start
//                     ▼
#include "ovsdb/idl.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"
#include "ovsdb/columns.h"
#include "ovsdb/idl_private.h"

LOG_MODULE(ovsdb_idl);

#define OVSDB_PORT 6640
static const char *const methods[] = {"monitor_cond_since", "monitor_cond", "monitor"};
static const char *const update_methods[] = {"update3", "update2", "update"};

// --- set up ---

struct idl *
idl_new(struct loop *loop, const char *remotes, const struct idl_cbs *cbs, void *aux)
{
    struct idl *idl = base_calloc(1, sizeof *idl);
    idl->loop = loop;
    idl->remotes = base_strdup(remotes);
    idl->cbs = cbs;
    idl->aux = aux;
    idl->probe_ms = -1;
    CDS_INIT_LIST_HEAD(&idl->pending);
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        struct idl_table *t = &idl->tables[i];
        t->idl = idl;
        t->id = i;
        t->meta = idl_meta_table(i);
        memset(t->slots, IDL_NO_SLOT, sizeof t->slots);
        hmap_init(&t->rows);
        hmap_init(&t->keys);
        CDS_INIT_LIST_HEAD(&t->all);
        CDS_INIT_LIST_HEAD(&t->tracked);
    }
    return idl;
}

static void
disconnect(struct idl *idl)
{
    if (idl->session) {
        jsonrpc_session_free(idl->session);
    }
    if (idl->ours) {
        jsonrpc_free(idl->ours);
    }
    if (idl->listener) {
        stream_listener_free(idl->listener);
    }
    idl->session = NULL;
    idl->conn = idl->ours = NULL;
    idl->listener = NULL;
}

void
idl_free(struct idl *idl)
{
    struct idl_txn *txn, *next;
    if (!idl) {
        return;
    }
    if (idl->open) {
        idl_txn_finish(idl->open, IDL_TXN_ABORTED);
    }
    cds_list_for_each_entry_safe (txn, next, &idl->pending, node) {
        idl_txn_finish(txn, IDL_TXN_ABORTED);
    }
    disconnect(idl);
    idl_rows_clear(idl);
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        hmap_destroy(&idl->tables[i].rows);
        hmap_destroy(&idl->tables[i].keys);
        json_decref(idl->tables[i].cond);
        json_decref(idl->tables[i].sent_cond);
    }
    free(idl->lock_name);
    free(idl->remotes);
    free(idl);
}

void
idl_set_snapshot(struct idl *idl)
{
    idl->snapshot = true;
}

void
idl_set_once(struct idl *idl)
{
    idl->once = true;
}

void
idl_set_probe(struct idl *idl, int ms)
{
    idl->probe_ms = ms;
    if (idl->session) {
        jsonrpc_session_set_probe(idl->session, ms);
    }
}

int
idl_error(const struct idl *idl)
{
    return idl->error;
}

const char *
idl_remotes(const struct idl *idl)
{
    return idl->remotes;
}

struct loop *
idl_loop(const struct idl *idl)
{
    return idl->loop;
}

void
idl_want_table(struct idl *idl, unsigned table)
{
    assert(idl->state == IDL_IDLE);
    idl->tables[table].wanted = true;
}

void
idl_want(struct idl *idl, unsigned column, unsigned flags)
{
    const struct idl_column *c = idl_meta_column(column);
    struct idl_table *t = &idl->tables[c->table];
    idl_want_table(idl, c->table);
    if (t->slots[c->at] == IDL_NO_SLOT) {
        t->slots[c->at] = (uint8_t) t->n_slots++;
    }
    if (flags & IDL_QUIET) {
        t->quiet |= UINT64_C(1) << c->at;
    } else {
        t->quiet &= ~(UINT64_C(1) << c->at);
    }
}

void
idl_want_all(struct idl *idl, unsigned table, unsigned flags)
{
    const struct idl_table_meta *m = idl_meta_table(table);
    for (unsigned i = 0; i < m->n; i++) {
        idl_want(idl, m->first + i, flags);
    }
}

bool
idl_wants(const struct idl *idl, unsigned column)
{
    const struct idl_column *c = idl_meta_column(column);
    return idl->tables[c->table].slots[c->at] != IDL_NO_SLOT;
}

bool
idl_is_connected(const struct idl *idl)
{
    return idl->conn != NULL;
}

bool
idl_is_synced(const struct idl *idl)
{
    return idl->state == IDL_SYNCED;
}

bool
idl_was_synced(const struct idl *idl)
{
    return idl->was_synced;
}

uint64_t
idl_seqno(const struct idl *idl)
{
    return idl->seqno;
}

void
idl_notify(struct idl *idl)
{
    if (idl->cbs && idl->cbs->changed) {
        idl->cbs->changed(idl, idl->aux);
    }
}

// --- monitoring ---

static json_t *
monitor_id(void)
{
    return json_pack("[ss]", "monid", DB_SCHEMA_NAME);
}

// Conditions as RFC 7047 extensions write them: no clause is [false]; every row: member left out.
static void
add_where(const struct idl_table *t, json_t *request)
{
    if (t->cond) {
        json_object_set_new(request, "where",
                            json_array_size(t->cond) ? json_deep_copy(t->cond)
                                                     : json_pack("[b]", 0));
    }
}

static json_t *
monitor_requests(struct idl *idl)
{
    json_t *tables = json_object();
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        struct idl_table *t = &idl->tables[i];
        if (!t->wanted || t->absent) {
            continue;
        }
        json_t *columns = json_array(), *request = json_object();
        for (unsigned at = 0; at < t->meta->n; at++) {
            if (t->slots[at] != IDL_NO_SLOT && !(t->absent_columns >> at & 1)) {
                json_array_append_new(columns, json_string(idl_column_name(t->meta->first + at)));
            }
        }
        json_object_set_new(request, "columns", columns);
        if (idl->snapshot) {
            json_object_set_new(request, "select",
                                json_pack("{sbsbsb}", "insert", 0, "delete", 0, "modify", 0));
        }
        if (idl->method != IDL_PLAIN) {
            add_where(t, request);
            json_decref(t->sent_cond);
            t->sent_cond = json_deep_copy(t->cond);
        }
        json_object_set_new(tables, t->meta->name, json_pack("[o]", request));
    }
    return tables;
}

static void
send_monitor(struct idl *idl)
{
    json_t *params = json_pack("[soo]", DB_SCHEMA_NAME, monitor_id(), monitor_requests(idl));
    if (idl->method == IDL_COND_SINCE) {
        const char *none = "00000000-0000-0000-0000-000000000000";
        json_array_append_new(params, json_string(idl->last_id[0] ? idl->last_id : none));
    }
    idl->cond_dirty = false;
    idl->cond_request = 0;
    idl->state = IDL_MONITORING;
    idl->request_id = jsonrpc_request(idl->conn, methods[idl->method], params);
}

// Whatever the server's schema has.
static void
monitor_anew(struct idl *idl)
{
    idl->method = IDL_COND_SINCE;
    idl->pruned = false;
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        idl->tables[i].absent = false;
        idl->tables[i].absent_columns = 0;
    }
    send_monitor(idl);
}

static void
send_conditions(struct idl *idl)
{
    json_t *tables = json_object();
    if (!idl->cond_dirty || idl->state != IDL_SYNCED || idl->method == IDL_PLAIN ||
        idl->cond_request) {
        json_decref(tables);
        return;
    }
    idl->cond_dirty = false;
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        struct idl_table *t = &idl->tables[i];
        if (t->wanted && !t->absent && !json_equal(t->cond, t->sent_cond) &&
            (t->cond || t->sent_cond)) {
            json_t *request = json_object();
            add_where(t, request);
            if (!t->cond) {
                json_object_set_new(request, "where", json_pack("[b]", 1));
            }
            json_object_set_new(tables, t->meta->name, json_pack("[o]", request));
            json_decref(t->sent_cond);
            t->sent_cond = json_deep_copy(t->cond);
        }
    }
    if (json_object_size(tables)) {
        idl->last_id[0] = 0; // differences since then would be of other conditions
        idl->cond_request = jsonrpc_request(idl->conn, "monitor_cond_change",
                                            json_pack("[ooO]", monitor_id(), monitor_id(), tables));
    }
    json_decref(tables);
}

static void
change_conditions(struct idl *idl)
{
    idl->cond_dirty = true;
    send_conditions(idl);
}

void
idl_cond_add(struct idl *idl, unsigned column, const char *function, const char *json)
{
    const struct idl_column *c = idl_meta_column(column);
    struct idl_table *t = &idl->tables[c->table];
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert(value);
    if (!t->cond) {
        t->cond = json_array();
    }
    json_array_append_new(t->cond, json_pack("[sso]", c->name, function, value));
    change_conditions(idl);
}

void
idl_cond_none(struct idl *idl, unsigned table)
{
    json_decref(idl->tables[table].cond);
    idl->tables[table].cond = json_array();
    change_conditions(idl);
}

void
idl_cond_all(struct idl *idl, unsigned table)
{
    json_decref(idl->tables[table].cond);
    idl->tables[table].cond = NULL;
    change_conditions(idl);
}

// --- lock ---

static void
send_lock(struct idl *idl, const char *method)
{
    uint64_t id = jsonrpc_request(idl->conn, method, json_pack("[s]", idl->lock_name));
    idl->lock_request = !strcmp(method, "lock") ? id : 0;
}

static void
set_lock_state(struct idl *idl, bool has, bool contended)
{
    if (has && !idl->has_lock) {
        idl->seqno++;
    }
    idl->has_lock = has;
    idl->lock_contended = contended;
}

void
idl_set_lock(struct idl *idl, const char *name)
{
    if (idl->lock_name && name && !strcmp(idl->lock_name, name)) {
        return;
    }
    if (idl->lock_name && idl->conn) {
        send_lock(idl, "unlock");
    }
    free(idl->lock_name);
    idl->lock_name = name ? base_strdup(name) : NULL;
    set_lock_state(idl, false, false);
    if (idl->lock_name && idl->conn) {
        send_lock(idl, "lock");
    }
}

bool
idl_has_lock(const struct idl *idl)
{
    return idl->has_lock;
}

bool
idl_is_lock_contended(const struct idl *idl)
{
    return idl->lock_contended;
}

static void
lock_notification(struct idl *idl, const struct jsonrpc_msg *m)
{
    const char *name = json_string_value(json_array_get(m->params, 0));
    if (name && idl->lock_name && !strcmp(name, idl->lock_name)) {
        bool has = !strcmp(m->method, "locked");
        set_lock_state(idl, has, !has);
        idl_notify(idl);
    }
}

// --- messages ---

// The server doesn't know what was asked for: ask what it has.
static void
fall_back(struct idl *idl, const json_t *error)
{
    const json_t *text = json_is_string(error) ? error : json_object_get(error, "error");
    const char *code = json_string_value(text);
    if (code && !strcmp(code, "unknown method") && idl->method != IDL_PLAIN) {
        idl->method++;
        send_monitor(idl);
    } else if (!idl->pruned) {
        idl->pruned = true;
        idl->state = IDL_SCHEMA;
        idl->request_id =
            jsonrpc_request(idl->conn, "get_schema", json_pack("[s]", DB_SCHEMA_NAME));
    } else if (idl->aware) {
        idl_reconnect(idl); // not aware, it is dropped when the database is there again
    } else {
        struct str s = STR_INIT;
        db_json_write(error, &s);
        LOG_WARN("%s: server refuses to be monitored: %s", idl->remotes, str_get(&s));
        str_free(&s);
        idl->error = -EPROTO;
        idl->state = IDL_CONNECTING;
    }
}

// What the server's schema doesn't have is not asked for.
static void
prune(struct idl *idl, const json_t *schema)
{
    const json_t *tables = json_object_get(schema, "tables");
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        struct idl_table *t = &idl->tables[i];
        const json_t *columns = json_object_get(json_object_get(tables, t->meta->name), "columns");
        if (t->wanted && !columns) {
            LOG_WARN("%s database lacks %s table (database needs upgrade?)", DB_SCHEMA_NAME,
                     t->meta->name);
            t->absent = true;
        }
        for (unsigned at = 0; t->wanted && columns && at < t->meta->n; at++) {
            const char *name = idl_column_name(t->meta->first + at);
            if (t->slots[at] != IDL_NO_SLOT && !json_object_get(columns, name)) {
                LOG_WARN("%s table in %s database lacks %s column (database needs upgrade?)",
                         t->meta->name, DB_SCHEMA_NAME, name);
                t->absent_columns |= UINT64_C(1) << at;
            }
        }
    }
}

static void
remember_id(struct idl *idl, const json_t *id)
{
    const char *text = json_string_value(id);
    if (text && strlen(text) == UUID_LEN) {
        memcpy(idl->last_id, text, UUID_LEN + 1);
    }
}

static bool
read_monitor_reply(struct idl *idl, const json_t *result)
{
    if (idl->method == IDL_COND_SINCE) {
        bool found = json_is_true(json_array_get(result, 0));
        remember_id(idl, json_array_get(result, 1));
        return idl_update_apply(idl, json_array_get(result, 2), IDL_UPDATE_V2, !found);
    }
    return idl_update_apply(idl, result, idl->method == IDL_COND ? IDL_UPDATE_V2 : IDL_UPDATE_V1,
                            true);
}

static void
malformed(struct idl *idl, const char *what)
{
    LOG_WARN("%s: server sent a malformed %s: connecting again", idl->remotes, what);
    idl->last_id[0] = 0;
    idl->error = -EPROTO;
    idl_reconnect(idl);
}

static void
monitor_reply(struct idl *idl, const struct jsonrpc_msg *m)
{
    idl->request_id = 0;
    if (m->type == JSONRPC_ERROR) {
        fall_back(idl, m->error);
        return;
    }
    if (idl->state == IDL_SCHEMA) {
        prune(idl, m->result);
        send_monitor(idl);
        return;
    }
    idl->state = IDL_SYNCED;
    if (!read_monitor_reply(idl, m->result)) {
        malformed(idl, "reply");
        return;
    }
    idl->was_synced = true;
    idl->seqno++;
    if (idl->session && !idl->aware) {
        idl->aware = true;
        jsonrpc_request(idl->conn, "set_db_change_aware", json_pack("[b]", 1));
    }
    send_conditions(idl);
    idl_notify(idl);
}

// Of the present monitor: what has been asked for since then is of the new database.
static void
canceled(struct idl *idl, const json_t *id)
{
    json_t *ours = monitor_id();
    if (json_equal(id, ours) && idl->state == IDL_SYNCED) {
        idl->last_id[0] = 0;
        monitor_anew(idl);
    }
    json_decref(ours);
}

static void
update_notification(struct idl *idl, const struct jsonrpc_msg *m)
{
    if (strcmp(m->method, update_methods[idl->method]) || idl->state != IDL_SYNCED) {
        return;
    }
    size_t at = 1;
    if (idl->method == IDL_COND_SINCE) {
        remember_id(idl, json_array_get(m->params, at++));
    }
    if (!idl_update_apply(idl, json_array_get(m->params, at),
                          idl->method == IDL_PLAIN ? IDL_UPDATE_V1 : IDL_UPDATE_V2, false)) {
        malformed(idl, m->method);
        return;
    }
    idl_notify(idl);
}

static void
reply(struct idl *idl, const struct jsonrpc_msg *m)
{
    uint64_t id = (uint64_t) json_integer_value(m->id);
    struct idl_txn *txn;
    if (!json_is_integer(m->id)) {
        return;
    }
    if (id == idl->request_id) {
        monitor_reply(idl, m);
    } else if (id == idl->lock_request) {
        bool has = m->type == JSONRPC_REPLY && json_is_true(json_object_get(m->result, "locked"));
        idl->lock_request = 0;
        set_lock_state(idl, has, !has);
        idl_notify(idl);
    } else if (id == idl->cond_request) {
        idl->cond_request = 0;
        send_conditions(idl);
    } else {
        cds_list_for_each_entry (txn, &idl->pending, node) {
            if (txn->request_id == id) {
                idl_txn_reply(txn, m->result, m->error);
                idl_notify(idl);
                break;
            }
        }
    }
}

static void
receive(struct idl *idl, const struct jsonrpc_msg *m)
{
    if (m->type == JSONRPC_NOTIFY) {
        if (!strcmp(m->method, "locked") || !strcmp(m->method, "stolen")) {
            lock_notification(idl, m);
        } else if (!strcmp(m->method, "monitor_canceled")) {
            canceled(idl, json_array_get(m->params, 0));
        } else {
            update_notification(idl, m);
        }
    } else if (m->type != JSONRPC_REQUEST) {
        reply(idl, m);
    } else {
        jsonrpc_reply_error(idl->conn, json_string("unknown method"), m->id);
    }
}

// --- connection ---

static void
came_up(struct idl *idl, struct jsonrpc *conn)
{
    idl->conn = conn;
    idl->error = 0;
    idl->aware = false;
    monitor_anew(idl);
    if (idl->lock_name) {
        send_lock(idl, "lock");
    }
}

static void
went_down(struct idl *idl)
{
    struct idl_txn *txn, *next;
    idl->conn = NULL;
    idl->request_id = idl->lock_request = idl->cond_request = 0;
    if (idl->state != IDL_IDLE) {
        idl->state = IDL_CONNECTING;
    }
    set_lock_state(idl, false, false);
    cds_list_for_each_entry_safe (txn, next, &idl->pending, node) {
        idl_txn_finish(txn, IDL_TXN_TRY_AGAIN);
    }
    idl_notify(idl);
}

static void
session_message(struct jsonrpc_session *session, const struct jsonrpc_msg *m, void *aux)
{
    receive(aux, m);
}

static void
session_state(struct jsonrpc_session *session, bool connected, void *aux)
{
    struct idl *idl = aux;
    if (connected) {
        came_up(idl, jsonrpc_session_conn(session));
    } else {
        went_down(idl);
    }
}

static const struct jsonrpc_session_cbs session_cbs = {session_message, session_state};

static void
conn_message(struct jsonrpc *conn, const struct jsonrpc_msg *m, void *aux)
{
    receive(aux, m);
}

static void connect_once(struct idl *);

static void
conn_connected(struct jsonrpc *conn, int error, void *aux)
{
    struct idl *idl = aux;
    if (error && *idl->rest) {
        jsonrpc_free(conn);
        idl->ours = NULL;
        connect_once(idl);
        error = idl->error;
        conn = NULL;
    }
    if (error) {
        idl->error = error;
        idl_notify(idl);
    } else if (conn) {
        came_up(idl, conn);
    }
}

static void
conn_closed(struct jsonrpc *conn, int error, void *aux)
{
    struct idl *idl = aux;
    jsonrpc_free(conn);
    idl->ours = NULL;
    idl->error = error ? error : EOF;
    went_down(idl);
}

static const struct jsonrpc_cbs conn_cbs = {conn_message, conn_connected, conn_closed};

// A server that calls us (passive remote).
static void
accepted(struct stream *stream, void *aux)
{
    struct idl *idl = aux;
    if (idl->ours) {
        stream_free(stream);
        return;
    }
    idl->ours = jsonrpc_new(idl->loop, stream, &conn_cbs, idl);
    if (stream_is_connected(stream)) { // else it says so when TLS is through
        came_up(idl, idl->ours);
    }
}

static int
try_remote(struct idl *idl, const char *name)
{
    struct stream *stream;
    if (stream_name_is_passive(name)) {
        return stream_listen(idl->loop, name, OVSDB_PORT, 0, accepted, idl, &idl->listener);
    }
    int error = stream_open(idl->loop, name, OVSDB_PORT, 0, &stream);
    if (!error) {
        idl->ours = jsonrpc_new(idl->loop, stream, &conn_cbs, idl);
    }
    return error;
}

// The next of the remotes, separated by commas.
static void
connect_once(struct idl *idl)
{
    do {
        idl->rest += strspn(idl->rest, ",");
        const size_t len = strcspn(idl->rest, ",");
        char *name = base_strndup(idl->rest, len);
        idl->rest += len;
        idl->rest += strspn(idl->rest, ",");
        idl->error = try_remote(idl, name);
        free(name);
    } while (idl->error && *idl->rest);
}

void
idl_start(struct idl *idl)
{
    idl->state = IDL_CONNECTING;
    if (idl->once) {
        idl->rest = idl->remotes;
        connect_once(idl);
        return;
    }
    idl->session = jsonrpc_session_new(idl->loop, idl->remotes, &session_cbs, idl);
    if (idl->probe_ms >= 0) {
        jsonrpc_session_set_probe(idl->session, idl->probe_ms);
    }
}

void
idl_set_remotes(struct idl *idl, const char *remotes)
{
    if (!strcmp(remotes, idl->remotes)) {
        return;
    }
    free(idl->remotes);
    idl->remotes = base_strdup(remotes);
    if (idl->state != IDL_IDLE) {
        disconnect(idl);
        went_down(idl);
        idl_start(idl);
    }
}

void
idl_reconnect(struct idl *idl)
{
    if (idl->session) {
        jsonrpc_session_reconnect(idl->session);
    }
}
