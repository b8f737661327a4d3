// SPDX-License-Identifier: Apache-2.0
// Databases of the server, sessions, and the requests that are answered at once.
#include "ovsdb/server.h"

#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/loop.h"
#include "lib/base/stream.h"
#include "ovsdb/convert.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/history.h"
#include "ovsdb/relay.h"
#include "ovsdb/server_priv.h"

// --- databases ---

static void
on_timer(void *s)
{
    db_server_run_triggers(s);
}

static void
on_turn(void *s_)
{
    struct db_server *s = s_;
    uint64_t n = 0;
    struct db_served *d;
    cds_list_for_each_entry (d, &s->dbs, in_server) {
        n += d->db->n_commits;
    }
    if (n != s->commits_seen) {
        s->commits_seen = n;
        if (s->n_triggers) {
            db_server_run_triggers(s);
            loop_wake(s->loop); // what they changed may end others' waits
        }
    }
}

static void
attach(struct db_served *d, struct db *db)
{
    d->db = db;
    d->monitors = db_monitors_new(db);
    if (!db->history) {
        db_history_new(db);
    }
}

static struct db_served *
serve(struct db_server *s, struct db *db, struct db_file *file)
{
    struct db_served *d = base_calloc(1, sizeof *d);
    d->file = file;
    attach(d, db);
    cds_list_add_tail(&d->in_server, &s->dbs);
    return d;
}

struct db_server *
db_server_new(struct loop *loop)
{
    struct db_server *s = base_calloc(1, sizeof *s);
    s->loop = loop;
    CDS_INIT_LIST_HEAD(&s->dbs);
    CDS_INIT_LIST_HEAD(&s->sessions);
    CDS_INIT_LIST_HEAD(&s->triggers);
    hmap_init(&s->locks);
    uuid_generate(&s->id);
    s->hook = loop_hook_new(loop, on_turn, s);
    s->timer = loop_timer_new(loop, on_timer, s);
    s->self = serve(s, db_self_new(), NULL);
    s->self->db->read_only = true;
    db_self_add(s, s->self);
    return s;
}

static void
unserve(struct db_served *d)
{
    cds_list_del(&d->in_server);
    db_relay_free(d->relay);
    db_monitors_free(d->monitors);
    db_free(d->db);
    db_file_close(d->file);
    free(d);
}

void
db_server_free(struct db_server *s)
{
    struct db_session *session, *next_session;
    cds_list_for_each_entry_safe (session, next_session, &s->sessions, in_server) {
        db_session_free(session);
    }
    struct db_served *d, *next;
    cds_list_for_each_entry_safe (d, next, &s->dbs, in_server) {
        unserve(d);
    }
    hmap_destroy(&s->locks);
    loop_hook_free(s->hook);
    loop_timer_free(s->timer);
    str_free(&s->text);
    db_tree_destroy(&s->tree);
    free(s);
}

struct loop *
db_server_loop(const struct db_server *s)
{
    return s->loop;
}

static struct db_error *
add(struct db_server *s, struct db *db, struct db_file *file, struct db_relay *relay)
{
    if (db_server_find(s, db->schema->name)) {
        struct db_error *e =
            db_error_new("ovsdb error", "%s: duplicate database name", db->schema->name);
        db_free(db);
        db_file_close(file);
        return e;
    }
    struct db_served *d = serve(s, db, file);
    d->relay = relay;
    db_self_add(s, d);
    db_server_disconnect(s, false);
    return NULL;
}

struct db_error *
db_server_add(struct db_server *s, struct db *db, struct db_file *file)
{
    return add(s, db, file, NULL);
}

struct db_error *
db_server_add_relay(struct db_server *s, struct db *db, struct db_relay *relay,
                    struct db_served **d)
{
    struct db_error *e = add(s, db, NULL, relay);
    *d = e ? NULL : cds_list_entry(s->dbs.prev, struct db_served, in_server);
    return e;
}

void
db_server_remove(struct db_server *s, struct db_served *d)
{
    struct db_session *session;
    db_server_drop_triggers(s, NULL, d->db, true);
    cds_list_for_each_entry (session, &s->sessions, in_server) {
        db_session_drop_monitors(session, d->db, session->aware);
    }
    db_self_remove(s, d);
    unserve(d);
    db_server_disconnect(s, false);
}

struct db_served *
db_server_find(const struct db_server *s, const char *name)
{
    struct db_served *d;
    cds_list_for_each_entry (d, &s->dbs, in_server) {
        if (!strcmp(d->db->schema->name, name)) {
            return d;
        }
    }
    return NULL;
}

struct cds_list_head *
db_server_list(struct db_server *s)
{
    return &s->dbs;
}

bool
db_server_is_read_only(const struct db_server *s)
{
    return s->read_only;
}

size_t
db_server_n_sessions(const struct db_server *s)
{
    size_t n = 0;
    struct db_session *session;
    cds_list_for_each_entry (session, &s->sessions, in_server) {
        n++;
    }
    return n;
}

size_t
db_server_n_triggers(const struct db_server *s)
{
    size_t n = s->n_triggers;
    const struct db_served *d;
    cds_list_for_each_entry (d, &s->dbs, in_server) {
        n += d->relay ? db_relay_n_requests(d->relay) : 0;
    }
    return n;
}

void
db_server_disable_monitor_cond(struct db_server *s)
{
    s->monitor_cond_disabled = true;
}

static void
leave(struct db_session *session)
{
    if (!session->leaving) {
        session->leaving = true;
        session->cbs->disconnect(session, session->aux);
    }
}

void
db_server_disconnect(struct db_server *s, bool aware_too)
{
    struct db_session *session, *next;
    cds_list_for_each_entry_safe (session, next, &s->sessions, in_server) {
        if (aware_too || !session->aware) {
            leave(session);
        }
    }
}

// --- sessions ---

// Messages that need no jansson values.
static size_t
take_text(const char *text, size_t n, void *session_)
{
    struct db_session *session = session_;
    struct db_tree *tree = &session->server->tree;
    const size_t used = session->leaving ? 0 : db_tree_read(tree, text, n);
    const bool done = used && db_session_transact_value(session, db_tree_root(tree));
    db_tree_trim(tree);
    if (done) {
        db_session_ready(session); // no more requests from one that doesn't read the replies
    }
    return done ? used : 0;
}

struct db_session *
db_session_new(struct db_server *s, struct jsonrpc *conn, const struct db_session_cbs *cbs,
               void *aux)
{
    struct db_session *session = base_calloc(1, sizeof *session);
    session->server = s;
    session->conn = conn;
    session->cbs = cbs;
    session->aux = aux;
    hmap_init(&session->monitors);
    CDS_INIT_LIST_HEAD(&session->waiters);
    jsonrpc_on_drained(conn, db_session_drained, session);
    jsonrpc_on_text(conn, take_text, session);
    cds_list_add_tail(&session->in_server, &s->sessions);
    return session;
}

void
db_session_free(struct db_session *session)
{
    struct db_served *d;
    db_server_drop_triggers(session->server, session, NULL, false);
    cds_list_for_each_entry (d, &session->server->dbs, in_server) {
        if (d->relay) {
            db_relay_drop(d->relay, session);
        }
    }
    db_session_drop_monitors(session, NULL, false);
    db_session_drop_locks(session);
    hmap_destroy(&session->monitors);
    cds_list_del(&session->in_server);
    free(session->role);
    free(session);
}

void
db_session_set_read_only(struct db_session *session, bool read_only)
{
    session->read_only = read_only;
}

struct db_rbac_client
db_session_client(const struct db_session *session)
{
    return (struct db_rbac_client){session->role, stream_peer_id(jsonrpc_stream(session->conn))};
}

void
db_session_set_role(struct db_session *session, const char *role)
{
    free(session->role);
    session->role = role ? base_strdup(role) : NULL;
}

struct str *
db_reply_begin(struct db_session *session)
{
    struct str *s = &session->server->text;
    str_clear(s);
    str_add(s, "{\"result\":");
    return s;
}

static void
send_reply(struct db_session *session, struct db_value id)
{
    struct str *s = &session->server->text;
    str_add(s, "\"id\":");
    db_value_write(id, s);
    str_add_char(s, '}');
    db_session_flush(session);
    jsonrpc_send_raw(session->conn, s->p, s->len);
    if (s->cap > 4 * 1024 * 1024) {
        str_free(s);
    }
}

void
db_reply_send_to(struct db_session *session, struct db_value id)
{
    str_add(&session->server->text, ",\"error\":null,");
    send_reply(session, id);
}

void
db_reply_send(struct db_session *session, const json_t *id)
{
    db_reply_send_to(session, db_value_of(id));
}

void
db_reply_error(struct db_session *session, struct db_error *take, const json_t *id)
{
    struct str *s = &session->server->text;
    json_t *j = db_error_to_json(take);
    str_clear(s);
    str_add(s, "{\"error\":");
    db_json_write(j, s);
    str_add_char(s, ',');
    send_reply(session, db_value_of(id));
    json_decref(j);
    db_error_free(take);
}

void
db_reply_error_text(struct db_session *session, const char *text, const json_t *id)
{
    struct str *s = &session->server->text;
    str_clear(s);
    str_add(s, "{\"error\":");
    str_add_json(s, text, strlen(text));
    str_add_char(s, ',');
    send_reply(session, db_value_of(id));
}

void
db_reply_error_json(struct db_session *session, const json_t *error, const json_t *id)
{
    struct str *s = &session->server->text;
    str_clear(s);
    str_add(s, "{\"error\":");
    db_json_write(error, s);
    str_add_char(s, ',');
    send_reply(session, db_value_of(id));
}

struct db_served *
db_session_database(struct db_session *session, const struct jsonrpc_msg *m)
{
    const char *name = json_string_value(json_array_get(m->params, 0));
    struct db_error *e;
    if (!name) {
        e = db_error_syntax(m->params, NULL, "%s request params must begin with <db-name>",
                            m->method);
    } else {
        struct db_served *d = db_server_find(session->server, name);
        if (d && (!d->relay || db_relay_has_copy(d->relay))) {
            return d;
        }
        e = d ? db_error_new("database not available",
                             "%s request specifies database %s which is not yet available because "
                             "it has not completed joining its cluster",
                             m->method, name)
              : db_error_syntax(m->params, "unknown database",
                                "%s request specifies unknown database %s", m->method, name);
    }
    db_reply_error(session, e, m->id);
    return NULL;
}

// --- requests ---

static void
do_list_dbs(struct db_session *session, const struct jsonrpc_msg *m)
{
    struct str *s = db_reply_begin(session);
    struct db_served *d;
    bool any = false;
    str_add_char(s, '[');
    // In the order of their names.
    const char *last = "";
    for (;;) {
        const char *next = NULL;
        cds_list_for_each_entry (d, &session->server->dbs, in_server) {
            const char *name = d->db->schema->name;
            if (strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0)) {
                next = name;
            }
        }
        if (!next) {
            break;
        }
        str_addf(s, "%s\"%s\"", any ? "," : "", next);
        any = true;
        last = next;
    }
    str_add_char(s, ']');
    db_reply_send(session, m->id);
}

static void
do_get_schema(struct db_session *session, const struct jsonrpc_msg *m)
{
    struct db_served *d = db_session_database(session, m);
    if (d) {
        json_t *j = db_schema_to_json(d->db->schema);
        db_json_write(j, db_reply_begin(session));
        json_decref(j);
        db_reply_send(session, m->id);
    }
}

static void
do_get_server_id(struct db_session *session, const struct jsonrpc_msg *m)
{
    char id[UUID_LEN + 1];
    uuid_format(&session->server->id, id);
    str_addf(db_reply_begin(session), "\"%s\"", id);
    db_reply_send(session, m->id);
}

static void
do_set_aware(struct db_session *session, const struct jsonrpc_msg *m)
{
    const json_t *aware = json_array_get(m->params, 0);
    if (json_array_size(m->params) != 1 || !json_is_boolean(aware)) {
        db_reply_error(
            session,
            db_error_syntax(m->params, NULL, "%s: true or false parameter expected", m->method),
            m->id);
        return;
    }
    session->aware = json_is_true(aware);
    str_add(db_reply_begin(session), "{}");
    db_reply_send(session, m->id);
}

void
db_server_replace(struct db_server *s, struct db_served *d, struct db *new)
{
    struct db_session *session;
    db_server_drop_triggers(s, NULL, d->db, true);
    cds_list_for_each_entry (session, &s->sessions, in_server) {
        db_session_drop_monitors(session, d->db, session->aware);
    }
    db_monitors_free(d->monitors);
    db_free(d->db);
    new->file = d->file;
    attach(d, new);
    db_self_update(s, d);
}

static void
do_convert(struct db_session *session, const struct jsonrpc_msg *m)
{
    struct db_schema *schema;
    struct db *new = NULL;
    struct db_served *d = db_session_database(session, m);
    if (!d) {
        return;
    }
    if (json_array_size(m->params) != 2) {
        db_reply_error(session, db_error_syntax(m->params, NULL, "array expected"), m->id);
        return;
    }
    const struct db_rbac_client client = db_session_client(session);
    struct db_error *e = db_rbac_check_convert(&client, d->db);
    if (e) {
        db_reply_error(session, e, m->id);
        return;
    }
    if (d->relay && !session->read_only && !session->server->read_only) {
        db_relay_forward(d->relay, session, m);
        return;
    }
    e = session->read_only || session->server->read_only || d->db->read_only
            ? db_error_new("not allowed", "convert request not allowed: the database is read-only")
            : db_schema_from_json(json_array_get(m->params, 1), &schema);
    if (!e && strcmp(schema->name, d->db->schema->name)) {
        db_schema_free(schema);
        e = db_error_syntax(m->params, "invalid parameters", "schema's name must be %s",
                            d->db->schema->name);
    }
    e = e ? e : db_convert(d->db, schema, &new);
    if (!e && d->file) {
        e = db_file_compact(d->file, new, "converted by ovsdb-server");
    }
    if (e) {
        db_free(new);
        db_reply_error(session, e, m->id);
        return;
    }
    db_server_replace(session->server, d, new);
    str_add(db_reply_begin(session), "{}");
    db_reply_send(session, m->id);
    db_server_disconnect(session->server, false);
}

static void
do_transact(struct db_session *s, const struct jsonrpc_msg *m)
{
    db_session_transact(s, m);
}

static void
do_monitor(struct db_session *s, const struct jsonrpc_msg *m)
{
    db_session_monitor(s, m, DB_MONITOR_V1);
}

static void
do_monitor_cond(struct db_session *s, const struct jsonrpc_msg *m)
{
    db_session_monitor(s, m, DB_MONITOR_V2);
}

static void
do_monitor_cond_since(struct db_session *s, const struct jsonrpc_msg *m)
{
    db_session_monitor(s, m, DB_MONITOR_V3);
}

static void
do_lock(struct db_session *s, const struct jsonrpc_msg *m)
{
    db_session_lock(s, m, false);
}

static void
do_steal(struct db_session *s, const struct jsonrpc_msg *m)
{
    db_session_lock(s, m, true);
}

struct method {
    const char *name;
    void (*run)(struct db_session *, const struct jsonrpc_msg *);
    bool conditional; // can be switched off
};

static const struct method methods[] = {
    {"transact", do_transact, false},
    {"monitor", do_monitor, false},
    {"monitor_cond", do_monitor_cond, true},
    {"monitor_cond_since", do_monitor_cond_since, true},
    {"monitor_cond_change", db_session_monitor_change, true},
    {"monitor_cancel", db_session_monitor_cancel, false},
    {"lock", do_lock, false},
    {"steal", do_steal, false},
    {"unlock", db_session_unlock, false},
    {"list_dbs", do_list_dbs, false},
    {"get_schema", do_get_schema, false},
    {"get_server_id", do_get_server_id, false},
    {"set_db_change_aware", do_set_aware, false},
    {"convert", do_convert, false},
};

void
db_session_message(struct db_session *session, const struct jsonrpc_msg *m)
{
    if (session->leaving) {
        return;
    }
    if (m->type == JSONRPC_NOTIFY) {
        if (!strcmp(m->method, "cancel") && json_array_size(m->params) == 1) {
            db_session_cancel(session, json_array_get(m->params, 0));
        }
        return;
    }
    if (m->type != JSONRPC_REQUEST) {
        return; // a reply to nothing we asked
    }
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!strcmp(methods[i].name, m->method) &&
            !(methods[i].conditional && session->server->monitor_cond_disabled)) {
            methods[i].run(session, m);
            db_session_ready(session); // no more requests from one that doesn't read the replies
            return;
        }
    }
    db_reply_error_text(session, "unknown method", m->id);
}
