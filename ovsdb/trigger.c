// SPDX-License-Identifier: Apache-2.0
// Transactions of sessions. One whose "wait" doesn't hold yet is kept as a trigger and runs again
// after each change, until its time is over. What waits costs memory, so that a session may have
// only so much of it: one request, or KEPT_MAX bytes of them, of which each counts KEPT_EACH at
// least.
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/loop.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/relay.h"
#include "ovsdb/server_priv.h"

#define KEPT_MAX ((size_t) 8 << 20)
#define KEPT_EACH 1024

struct trigger {
    struct cds_list_head in_server;
    struct db_session *session;
    struct db *db;
    json_t *id, *params;
    size_t charged;
    int64_t created;  // ms
    int64_t deadline; // ms; INT64_MAX: none
};

static struct db_exec
exec_of(struct db_session *session, struct db *db, struct db_value params)
{
    return (struct db_exec){.db = db,
                            .params = params,
                            .read_only =
                                session->read_only || session->server->read_only || db->read_only,
                            .may_wait = true,
                            .client = db_session_client(session),
                            .owns_lock = db_session_owns,
                            .aux = session};
}

// Runs; false when it waits.
static bool
run(struct db_session *session, struct db_exec *x, struct db_value id)
{
    // Updates that the commit causes are sent from inside; they have buffers of their own.
    struct str result = session->server->text;
    str_init(&session->server->text);
    str_clear(&result);
    str_add(&result, "{\"result\":");
    db_execute(x, &result);
    str_free(&session->server->text);
    session->server->text = result;
    if (x->waiting) {
        return false;
    }
    db_reply_send_to(session, id);
    return true;
}

static void
set_timer(struct db_server *s)
{
    int64_t first = INT64_MAX;
    struct trigger *t;
    cds_list_for_each_entry (t, &s->triggers, in_server) {
        first = MIN(first, t->deadline);
    }
    if (first == INT64_MAX) {
        loop_timer_cancel(s->timer);
    } else {
        loop_timer_set(s->timer, MAX(first - clock_now(), 0));
    }
}

static void
trigger_free(struct trigger *t)
{
    t->session->server->n_triggers--;
    db_session_kept_over(t->session, t->charged);
    cds_list_del(&t->in_server);
    json_decref(t->id);
    json_decref(t->params);
    free(t);
}

bool
db_session_keep(struct db_session *session, const struct jsonrpc_msg *m, size_t *charged)
{
    *charged = MAX(m->bytes, (size_t) KEPT_EACH);
    if (!session->waiting || session->waiting + *charged <= KEPT_MAX) {
        session->waiting += *charged;
        return true;
    }
    // As if the first operation had failed: RFC 7047 section 4.1.3.
    struct db_error *e = db_error_new("resources exhausted",
                                      "too many transactions of this client are waiting already");
    if (strcmp(m->method, "transact")) {
        db_reply_error(session, e, m->id);
        return false;
    }
    json_t *j = db_error_to_json(e);
    struct str *s = db_reply_begin(session);
    str_add_char(s, '[');
    db_json_write(j, s);
    for (size_t i = 2; i < json_array_size(m->params); i++) {
        str_add(s, ",null");
    }
    str_add_char(s, ']');
    db_reply_send(session, m->id);
    json_decref(j);
    db_error_free(e);
    return false;
}

void
db_session_kept_over(struct db_session *session, size_t charged)
{
    session->waiting -= charged;
}

// The other server knows nothing of our clients' roles: they are looked at here, on the copy.
bool
db_session_may_relay(const struct db_relayed *q)
{
    struct db_session *session = q->session;
    const struct db_rbac_client client = db_session_client(session);
    if (strcmp(q->method, "transact")) {
        struct db_error *e = db_rbac_check_convert(&client, q->served->db);
        if (e) {
            db_reply_error(session, e, q->id);
        }
        return !e;
    }
    struct db_exec x = exec_of(session, q->served->db, db_value_of(q->params));
    if (!x.read_only &&
        (!client.role || !client.role[0] || !db_table_find(q->served->db, "RBAC_Role"))) {
        return true;
    }
    struct str result = STR_INIT;
    x.dry_run = true;
    x.may_wait = false;
    bool may = db_execute(&x, &result) && !x.failed;
    if (!may) {
        str_add_n(db_reply_begin(session), result.p, result.len);
        db_reply_send(session, q->id);
    }
    str_free(&result);
    return may;
}

void
db_session_transact(struct db_session *session, const struct jsonrpc_msg *m)
{
    struct db_served *d = db_session_database(session, m);
    if (!d) {
        return;
    }
    struct db_exec x = exec_of(session, d->db, db_value_of(m->params));
    if (d->relay && !x.read_only && db_exec_changes(x.params)) {
        const struct db_relayed q = {session, d, m->method, m->params, m->id};
        if (db_session_may_relay(&q)) {
            db_relay_forward(d->relay, session, m);
        }
        return;
    }
    size_t charged;
    if (!run(session, &x, db_value_of(m->id)) && db_session_keep(session, m, &charged)) {
        struct db_server *s = session->server;
        struct trigger *t = base_calloc(1, sizeof *t);
        t->charged = charged;
        t->session = session;
        t->db = d->db;
        t->id = json_incref(m->id);
        t->params = json_incref(m->params);
        t->created = clock_now();
        t->deadline = x.timeout_ms > INT64_MAX - t->created ? INT64_MAX : t->created + x.timeout_ms;
        cds_list_add_tail(&t->in_server, &s->triggers);
        s->n_triggers++;
        set_timer(s);
    }
}

// What waits is kept as jansson values: it runs once more then, to wait.
bool
db_session_transact_value(struct db_session *session, struct db_value message)
{
    struct db_value id = db_value_member(message, "id");
    struct db_value params = db_value_member(message, "params");
    const char *method = db_value_string(db_value_member(message, "method"));
    const char *name = db_value_string(db_value_at(params, 0));
    if (!method || strcmp(method, "transact") || !name || db_value_is_none(id) ||
        db_value_is(id, JSON_NULL) || db_value_n_members(message) != 3) {
        return false;
    }
    const struct db_served *d = db_server_find(session->server, name);
    if (!d || d->relay) {
        return false;
    }
    struct db_exec x = exec_of(session, d->db, params);
    return run(session, &x, id);
}

void
db_server_run_triggers(struct db_server *s)
{
    struct trigger *t, *next;
    cds_list_for_each_entry_safe (t, next, &s->triggers, in_server) {
        struct db_exec x = exec_of(t->session, t->db, db_value_of(t->params));
        x.elapsed_ms = clock_now() - t->created;
        if (run(t->session, &x, db_value_of(t->id))) {
            trigger_free(t);
        } else {
            t->deadline =
                x.timeout_ms > INT64_MAX - t->created ? INT64_MAX : t->created + x.timeout_ms;
        }
    }
    set_timer(s);
}

static void
cancel(struct trigger *t)
{
    db_reply_error_text(t->session, "canceled", t->id);
    trigger_free(t);
}

void
db_session_cancel(struct db_session *session, const json_t *id)
{
    struct trigger *t, *next;
    struct db_served *d;
    cds_list_for_each_entry (d, &session->server->dbs, in_server) {
        if (d->relay && db_relay_cancel(d->relay, session, id)) {
            return;
        }
    }
    cds_list_for_each_entry_safe (t, next, &session->server->triggers, in_server) {
        if (t->session == session && json_equal(t->id, id)) {
            cancel(t);
        }
    }
}

void
db_server_drop_triggers(struct db_server *s, const struct db_session *session, const struct db *db,
                        bool reply)
{
    struct trigger *t, *next;
    cds_list_for_each_entry_safe (t, next, &s->triggers, in_server) {
        if ((!session || t->session == session) && (!db || t->db == db)) {
            reply ? cancel(t) : trigger_free(t);
        }
    }
}
