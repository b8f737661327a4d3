// SPDX-License-Identifier: Apache-2.0
// With each connection the other server's _Server is monitored. Once it says that it has the
// database, its schema is asked for (Open vSwitch's server goes on telling the old one in _Server
// after a conversion), the copy gets it and is brought up to date by monitor_cond_since, from the
// last transaction that we know of.
#include "ovsdb/relay.h"

#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "ovsdb/error.h"
#include "ovsdb/replica.h"
#include "ovsdb/server_priv.h"

LOG_MODULE(relay);

#define RETRY_MS 10000
#define ANEW_MS 100
#define PROBE_MS 60000

// A client's request on its way.
struct request {
    struct cds_list_head in_relay;
    struct db_session *session;
    char *method;
    json_t *id, *params;
    size_t charged;
    uint64_t sent; // id of ours; valid if is_sent
    bool is_sent;
};

struct db_relay {
    struct db_server *server;
    struct db_served *served;
    struct jsonrpc_session *session;
    char *remote;
    json_t *dbs;     // rows of _Server's table Database there, by uuid
    uint64_t self;   // request for them
    char *told;      // the schema there, as _Server told it when the real one was asked for
    uint64_t schema; // that request
    bool schema_awaited;
    bool has_copy, following, connected;
    bool awaited;     // the reply to monitor_cond_since
    uint64_t monitor; // that request
    char last_txn[UUID_LEN + 1];
    struct cds_list_head requests; // struct request, oldest first
    size_t n_requests;
    struct loop_timer *retry;
};

static const char zero_uuid[] = "00000000-0000-0000-0000-000000000000";

static const char *
name_of(const struct db_relay *r)
{
    return r->served->db->schema->name;
}

// --- requests of clients ---

static void
request_free(struct db_relay *r, struct request *q)
{
    cds_list_del(&q->in_relay);
    r->n_requests--;
    db_session_kept_over(q->session, q->charged);
    json_decref(q->id);
    json_decref(q->params);
    free(q->method);
    free(q);
}

static void
cancel(struct db_relay *r, struct request *q)
{
    db_reply_error_text(q->session, "canceled", q->id);
    request_free(r, q);
}

static void
send_request(struct db_relay *r, struct request *q)
{
    q->sent = jsonrpc_request(jsonrpc_session_conn(r->session), q->method, json_incref(q->params));
    q->is_sent = true;
}

// Those that came while the other server was away. What their clients may do was looked at then,
// and may be something else by now.
static void
send_requests(struct db_relay *r)
{
    struct request *q, *next;
    cds_list_for_each_entry_safe (q, next, &r->requests, in_relay) {
        const struct db_relayed relayed = {q->session, r->served, q->method, q->params, q->id};
        if (q->is_sent) {
            continue;
        }
        if (db_session_may_relay(&relayed)) {
            send_request(r, q);
        } else {
            request_free(r, q);
        }
    }
}

void
db_relay_forward(struct db_relay *r, struct db_session *session, const struct jsonrpc_msg *m)
{
    size_t charged;
    if (!db_session_keep(session, m, &charged)) {
        return;
    }
    struct request *q = base_calloc(1, sizeof *q);
    q->charged = charged;
    q->session = session;
    q->method = base_strdup(m->method);
    q->id = json_incref(m->id);
    q->params = json_incref(m->params);
    cds_list_add_tail(&q->in_relay, &r->requests);
    r->n_requests++;
    if (r->connected) {
        send_request(r, q);
    }
}

void
db_relay_drop(struct db_relay *r, const struct db_session *session)
{
    struct request *q, *next;
    cds_list_for_each_entry_safe (q, next, &r->requests, in_relay) {
        if (q->session == session) {
            request_free(r, q);
        }
    }
}

bool
db_relay_cancel(struct db_relay *r, const struct db_session *session, const json_t *id)
{
    struct request *q;
    cds_list_for_each_entry (q, &r->requests, in_relay) {
        if (q->session == session && json_equal(q->id, id)) {
            struct jsonrpc *conn = jsonrpc_session_conn(r->session);
            if (q->is_sent && conn) {
                jsonrpc_notify(conn, "cancel", json_pack("[I]", (json_int_t) q->sent));
            }
            cancel(r, q);
            return true;
        }
    }
    return false;
}

size_t
db_relay_n_requests(const struct db_relay *r)
{
    return r->n_requests;
}

static bool
answer(struct db_relay *r, const struct jsonrpc_msg *m)
{
    struct request *q;
    cds_list_for_each_entry (q, &r->requests, in_relay) {
        if (!q->is_sent || q->sent != (uint64_t) json_integer_value(m->id)) {
            continue;
        }
        if (m->type == JSONRPC_REPLY) {
            db_json_write(m->result, db_reply_begin(q->session));
            db_reply_send(q->session, q->id);
        } else {
            db_reply_error_json(q->session, m->error, q->id);
        }
        request_free(r, q);
        return true;
    }
    return false;
}

// --- the copy ---

static void
set_connected(struct db_relay *r, bool connected)
{
    if (r->connected != connected) {
        r->connected = connected;
        db_self_update(r->server, r->served);
    }
}

static void
trouble(struct db_relay *r, char *why_take)
{
    LOG_WARN("%s: database %s cannot be relayed: %s", r->remote, name_of(r), why_take);
    free(why_take);
    strcpy(r->last_txn, zero_uuid);
    r->following = false;
    set_connected(r, false);
    loop_timer_set(r->retry, RETRY_MS);
}

// Asks for the contents, and all that happens from then on.
static void
follow(struct db_relay *r)
{
    const struct db_schema *s = r->served->db->schema;
    json_t *requests = json_object();
    for (size_t i = 0; i < s->n_tables; i++) {
        json_object_set_new(requests, s->tables[i]->name, json_pack("[{}]"));
    }
    r->following = r->awaited = true;
    r->monitor = jsonrpc_request(
        jsonrpc_session_conn(r->session), "monitor_cond_since",
        json_pack("[s,[s,s],o,s]", s->name, "monid", s->name, requests, r->last_txn));
}

static void
apply(struct db_relay *r, const char *txn, const json_t *tables, bool whole)
{
    struct db_replica_update u = {.tables = tables, .differences = true, .whole = whole};
    if (!txn || !uuid_parse(txn, &u.txn)) {
        trouble(r, base_strdup("its updates have no transaction id"));
        return;
    }
    if (!whole && uuid_equals(&u.txn, &r->served->db->last_txn)) {
        memset(&u.txn, 0, sizeof u.txn); // ids are of one transaction here
    }
    struct db_error *e = db_replica_apply(r->served->db, &u);
    if (e) {
        trouble(r, db_error_take_text(e));
    } else {
        strcpy(r->last_txn, txn);
    }
}

static void
got_contents(struct db_relay *r, const struct jsonrpc_msg *m)
{
    const json_t *found = json_array_get(m->result, 0);
    r->awaited = false;
    if (m->type != JSONRPC_REPLY || !json_is_boolean(found)) {
        trouble(r, base_strdup("it does not know monitor_cond_since"));
        return;
    }
    apply(r, json_string_value(json_array_get(m->result, 1)), json_array_get(m->result, 2),
          !json_is_true(found));
    if (r->following) {
        set_connected(r, true);
        send_requests(r);
    }
}

// --- what the other server has ---

static void
got_row(struct db_relay *r, const char *uuid, const json_t *update)
{
    json_t *row = json_object_get(r->dbs, uuid), *new = json_object_get(update, "initial");
    json_t *modify = json_object_get(update, "modify");
    new = new ? new : json_object_get(update, "insert");
    if (json_is_object(new)) {
        json_object_set_new(r->dbs, uuid, json_deep_copy(new));
    } else if (json_is_object(modify) && row) {
        json_object_update(row, modify);
    } else {
        json_object_del(r->dbs, uuid);
    }
}

static void
got_dbs(struct db_relay *r, const json_t *tables)
{
    const char *uuid;
    json_t *update;
    json_object_foreach(json_object_get(tables, "Database"), uuid, update)
    {
        got_row(r, uuid, update);
    }
}

// Schema of the database there as text, or NULL: not there, or out of reach.
static const char *
their_schema(const struct db_relay *r)
{
    const char *uuid;
    json_t *row;
    json_object_foreach(r->dbs, uuid, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        if (name && !strcmp(name, name_of(r))) {
            return json_is_true(json_object_get(row, "connected"))
                       ? json_string_value(json_object_get(row, "schema"))
                       : NULL;
        }
    }
    return NULL;
}

static void
look(struct db_relay *r)
{
    const char *text = their_schema(r);
    if (!text) { // the monitor lives on, should it come back as it was
        set_connected(r, false);
    } else if (!r->told || strcmp(r->told, text) != 0) {
        free(r->told);
        r->told = base_strdup(text);
        r->schema_awaited = true;
        r->schema = jsonrpc_request(jsonrpc_session_conn(r->session), "get_schema",
                                    json_pack("[s]", name_of(r)));
    } else if (!r->schema_awaited && r->following && !r->awaited) {
        set_connected(r, true);
        send_requests(r);
    }
}

static void
got_schema(struct db_relay *r, const struct jsonrpc_msg *m)
{
    struct db_schema *schema;
    r->schema_awaited = false;
    if (m->type != JSONRPC_REPLY) {
        trouble(r, base_strdup("it does not tell its schema"));
        return;
    }
    struct db_error *e = db_schema_from_json(m->result, &schema);
    if (e) {
        trouble(r, db_error_take_text(e));
    } else if (strcmp(schema->name, name_of(r))) {
        db_schema_free(schema);
        trouble(r, base_strdup("its schema has another name"));
    } else if (r->has_copy && db_schema_equals(schema, r->served->db->schema)) {
        db_schema_free(schema);
        if (!r->following) {
            follow(r);
        } else if (!r->awaited) {
            set_connected(r, true);
            send_requests(r);
        }
    } else {
        LOG_INFO("%s: database %s has schema version %s", r->remote, name_of(r), schema->version);
        strcpy(r->last_txn, zero_uuid);
        r->connected = false;
        r->has_copy = true;
        db_server_replace(r->server, r->served, db_new(schema));
        db_server_disconnect(r->server, false);
        follow(r);
    }
}

// --- messages ---

static void
on_notify(struct db_relay *r, const struct jsonrpc_msg *m)
{
    const json_t *id = json_array_get(m->params, 0);
    const char *db = json_string_value(json_array_get(id, 1));
    if (!db) {
        return;
    }
    if (!strcmp(db, "_Server")) {
        if (!strcmp(m->method, "update2")) {
            got_dbs(r, json_array_get(m->params, 1));
            look(r);
        }
    } else if (!strcmp(m->method, "update3")) {
        if (r->following && !r->awaited) {
            apply(r, json_string_value(json_array_get(m->params, 1)), json_array_get(m->params, 2),
                  false);
        }
    } else if (!strcmp(m->method, "monitor_canceled")) {
        loop_timer_set(r->retry,
                       ANEW_MS); // it goes, or comes with another schema: all from the start
    }
}

static void
on_message(struct jsonrpc_session *s, const struct jsonrpc_msg *m, void *r_)
{
    struct db_relay *r = r_;
    uint64_t id = (uint64_t) json_integer_value(m->id);
    if (m->type == JSONRPC_NOTIFY) {
        on_notify(r, m);
    } else if (m->type == JSONRPC_REQUEST || answer(r, m)) {
        return;
    } else if (id == r->self) {
        if (m->type == JSONRPC_REPLY) {
            got_dbs(r, m->result);
            look(r);
        } else {
            trouble(r, base_strdup("it has no database _Server"));
        }
    } else if (r->schema_awaited && id == r->schema) {
        got_schema(r, m);
    } else if (r->awaited && id == r->monitor) {
        got_contents(r, m);
    }
}

static void
on_state(struct jsonrpc_session *s, bool connected, void *r_)
{
    struct db_relay *r = r_;
    struct request *q, *next;
    json_object_clear(r->dbs);
    r->following = r->awaited = r->schema_awaited = false;
    free(r->told);
    r->told = NULL;
    loop_timer_cancel(r->retry);
    set_connected(r, false);
    cds_list_for_each_entry_safe (q, next, &r->requests, in_relay) {
        if (q->is_sent) {
            cancel(r, q); // nobody knows whether it happened
        }
    }
    if (connected) {
        struct jsonrpc *conn = jsonrpc_session_conn(s);
        jsonrpc_request(conn, "set_db_change_aware", json_pack("[b]", 1));
        r->self =
            jsonrpc_request(conn, "monitor_cond",
                            json_pack("[s,[s,s],{s:[{s:[s,s,s]}]}]", "_Server", "monid", "_Server",
                                      "Database", "columns", "name", "connected", "schema"));
    }
}

static void
on_retry(void *r_)
{
    struct db_relay *r = r_;
    jsonrpc_session_reconnect(r->session);
}

// --- as a whole ---

bool
db_relay_is_connected(const struct db_relay *r)
{
    return r->connected;
}

bool
db_relay_has_copy(const struct db_relay *r)
{
    return r->has_copy;
}

// Stands in for the database until its schema is known.
static struct db *
empty_db(const char *name)
{
    struct db_schema *schema;
    json_t *j = json_pack("{s:s,s:s,s:{}}", "name", name, "version", "0.0.0", "tables");
    struct db_error *e = db_schema_from_json(j, &schema);
    json_decref(j);
    db_error_free(e);
    return e ? NULL : db_new(schema);
}

struct db_error *
db_relay_add(struct db_server *server, const char *spec)
{
    static const struct jsonrpc_session_cbs cbs = {on_message, on_state};
    const char *name = spec + strlen("relay:"), *colon = strchr(name, ':');
    if (!colon || colon == name || !colon[1]) {
        return db_error_new("ovsdb error", "%s: invalid syntax", spec);
    }
    char *copy = base_asprintf("%.*s", (int) (colon - name), name);
    struct db *db = empty_db(copy);
    free(copy);
    if (!db) {
        return db_error_new("ovsdb error", "%s: not a valid database name", spec);
    }
    struct db_relay *r = base_calloc(1, sizeof *r);
    r->server = server;
    r->dbs = json_object();
    strcpy(r->last_txn, zero_uuid);
    CDS_INIT_LIST_HEAD(&r->requests);
    struct db_error *e = db_server_add_relay(server, db, r, &r->served);
    if (e) {
        json_decref(r->dbs);
        free(r);
        return e;
    }
    r->retry = loop_timer_new(db_server_loop(server), on_retry, r);
    r->remote = base_strdup(colon + 1);
    r->session = jsonrpc_session_new(db_server_loop(server), colon + 1, &cbs, r);
    jsonrpc_session_set_probe(r->session, PROBE_MS);
    return NULL;
}

void
db_relay_free(struct db_relay *r)
{
    struct request *q, *next;
    if (!r) {
        return;
    }
    cds_list_for_each_entry_safe (q, next, &r->requests, in_relay) {
        cancel(r, q);
    }
    jsonrpc_session_free(r->session);
    loop_timer_free(r->retry);
    json_decref(r->dbs);
    free(r->told);
    free(r->remote);
    free(r);
}
