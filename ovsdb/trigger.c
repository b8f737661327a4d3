// SPDX-License-Identifier: Apache-2.0
// Transactions of sessions. One whose "wait" doesn't hold yet is kept as a trigger and runs again
// after each change, until its time is over.
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/loop.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/relay.h"
#include "ovsdb/server_priv.h"

struct trigger {
    struct cds_list_head in_server;
    struct db_session *session;
    struct db *db;
    json_t *id, *params;
    int64_t created;  // ms
    int64_t deadline; // ms; INT64_MAX: none
};

static struct db_exec
exec_of(struct db_session *session, struct db *db, const json_t *params)
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
run(struct db_session *session, struct db_exec *x, const json_t *id)
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
    db_reply_send(session, id);
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
    cds_list_del(&t->in_server);
    json_decref(t->id);
    json_decref(t->params);
    free(t);
}

// The other server knows nothing of our clients' roles: they are looked at here, on the copy.
static void
relay(struct db_session *session, struct db_served *d, const struct jsonrpc_msg *m)
{
    if (session->role && session->role[0] && db_table_find(d->db, "RBAC_Role")) {
        struct db_exec x = exec_of(session, d->db, m->params);
        struct str result = STR_INIT;
        x.dry_run = true;
        x.may_wait = false;
        if (!db_execute(&x, &result) || x.failed) {
            str_add_n(db_reply_begin(session), result.p, result.len);
            db_reply_send(session, m->id);
            str_free(&result);
            return;
        }
        str_free(&result);
    }
    db_relay_forward(d->relay, session, m);
}

void
db_session_transact(struct db_session *session, const struct jsonrpc_msg *m)
{
    struct db_served *d = db_session_database(session, m);
    if (!d) {
        return;
    }
    struct db_exec x = exec_of(session, d->db, m->params);
    if (d->relay && !x.read_only && db_exec_changes(m->params)) {
        relay(session, d, m);
        return;
    }
    if (!run(session, &x, m->id)) {
        struct db_server *s = session->server;
        struct trigger *t = base_calloc(1, sizeof *t);
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

void
db_server_run_triggers(struct db_server *s)
{
    struct trigger *t, *next;
    cds_list_for_each_entry_safe (t, next, &s->triggers, in_server) {
        struct db_exec x = exec_of(t->session, t->db, t->params);
        x.elapsed_ms = clock_now() - t->created;
        if (run(t->session, &x, t->id)) {
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
