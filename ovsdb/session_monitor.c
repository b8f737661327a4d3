// SPDX-License-Identifier: Apache-2.0
// Monitors of sessions, by the id that the client chose; and what becomes of a session whose client
// reads slower than we write. Beyond some backlog its requests aren't read any more and its updates
// wait, merged (ovsdb/monitor.h). When all has left, one update a monitor follows. So a client
// costs the backlog and once what it monitors. Replies and notifications that come up meanwhile (of
// transactions that waited, of locks) push the waiting updates out in front of them.
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/jsonrpc.h"
#include "ovsdb/error.h"
#include "ovsdb/server_priv.h"

#define BACKLOG_MAX (256 * 1024) // bytes

struct session_monitor {
    struct hmap_node by_id;
    json_t *id;
    struct db_monitor *monitor;
};

static uint32_t
id_hash(const json_t *id)
{
    struct str s = STR_INIT;
    db_json_write(id, &s);
    uint32_t h = hash_bytes(s.p, s.len, 0);
    str_free(&s);
    return h;
}

static struct session_monitor *
find(const struct db_session *session, const json_t *id)
{
    struct session_monitor *sm;
    if (!id) {
        return NULL;
    }
    HMAP_FOR_EACH_HASH(sm, by_id, id_hash(id), &session->monitors)
    {
        if (json_equal(sm->id, id)) {
            return sm;
        }
    }
    return NULL;
}

static void
send_update(const char *text, size_t len, void *session_)
{
    struct db_session *session = session_;
    jsonrpc_send_raw(session->conn, text, len);
}

bool
db_session_ready(void *session_)
{
    struct db_session *session = session_;
    if (!session->congested && jsonrpc_backlog(session->conn) > BACKLOG_MAX) {
        session->congested = true;
        jsonrpc_pause(session->conn, true);
    }
    return !session->congested;
}

void
db_session_flush(struct db_session *session)
{
    struct session_monitor *sm;
    if (!session->congested) {
        return;
    }
    HMAP_FOR_EACH (sm, by_id, &session->monitors) {
        db_monitor_flush(sm->monitor);
    }
}

void
db_session_drained(void *session_)
{
    struct db_session *session = session_;
    if (!session->congested) {
        return;
    }
    db_session_flush(session);
    session->congested = false;
    if (db_session_ready(session)) {
        jsonrpc_pause(session->conn, false);
    }
}

static void
session_monitor_free(struct db_session *session, struct session_monitor *sm)
{
    hmap_remove(&session->monitors, &sm->by_id);
    db_monitor_free(sm->monitor);
    json_decref(sm->id);
    free(sm);
}

void
db_session_monitor(struct db_session *session, const struct jsonrpc_msg *m,
                   enum db_monitor_version version)
{
    struct db_served *d = db_session_database(session, m);
    if (!d) {
        return;
    }
    size_t want = version == DB_MONITOR_V3 ? 4 : 3;
    const json_t *id = json_array_get(m->params, 1), *last = json_array_get(m->params, 3);
    struct db_error *e = NULL;
    if (json_array_size(m->params) != want) {
        e = db_error_syntax(m->params, NULL, "invalid parameters");
    } else if (find(session, id)) {
        e = db_error_syntax(id, NULL, "duplicate monitor ID");
    } else if (last && !json_is_string(last)) {
        e = db_error_syntax(last, NULL, "last-txn-id must be string");
    }
    if (e) {
        db_reply_error(session, e, m->id);
        return;
    }
    struct db_monitor_args args = {.version = version,
                                   .id = id,
                                   .requests = json_array_get(m->params, 2),
                                   .last_txn = last,
                                   .send = send_update,
                                   .ready = db_session_ready,
                                   .aux = session};
    struct db_monitor *monitor;
    e = db_monitor_new(d->monitors, &args, &monitor, db_reply_begin(session));
    if (e) {
        db_reply_error(session, e, m->id);
        return;
    }
    struct session_monitor *sm = base_calloc(1, sizeof *sm);
    sm->id = json_incref((json_t *) id);
    sm->monitor = monitor;
    hmap_insert(&session->monitors, &sm->by_id, id_hash(id));
    db_reply_send(session, m->id);
}

void
db_session_monitor_change(struct db_session *session, const struct jsonrpc_msg *m)
{
    json_t *id = json_array_get(m->params, 0), *new_id = json_array_get(m->params, 1);
    struct session_monitor *sm = find(session, id);
    struct db_error *e;
    if (json_array_size(m->params) != 3) {
        e = db_error_syntax(m->params, NULL, "invalid parameters");
    } else if (!sm) {
        e = db_error_syntax(id, NULL, "unknown monitor session");
    } else if (!json_equal(id, new_id) && find(session, new_id)) {
        e = db_error_syntax(new_id, NULL, "duplicate monitor ID");
    } else if (db_monitor_version(sm->monitor) == DB_MONITOR_V1) {
        e = db_error_syntax(id, NULL, "monitor session has no conditions");
    } else {
        e = db_monitor_change(sm->monitor, new_id, json_array_get(m->params, 2));
    }
    if (e) {
        db_reply_error(session, e, m->id);
        return;
    }
    hmap_remove(&session->monitors, &sm->by_id);
    json_incref(new_id);
    json_decref(sm->id);
    sm->id = new_id;
    hmap_insert(&session->monitors, &sm->by_id, id_hash(new_id));
    str_add(db_reply_begin(session), "{}");
    db_reply_send(session, m->id);
}

void
db_session_monitor_cancel(struct db_session *session, const struct jsonrpc_msg *m)
{
    struct session_monitor *sm = find(session, json_array_get(m->params, 0));
    if (json_array_size(m->params) != 1) {
        db_reply_error_text(session, "invalid parameters", m->id);
    } else if (!sm) {
        db_reply_error_text(session, "unknown monitor", m->id);
    } else {
        session_monitor_free(session, sm);
        str_add(db_reply_begin(session), "{}");
        db_reply_send(session, m->id);
    }
}

void
db_session_drop_monitors(struct db_session *session, const struct db *db, bool notify)
{
    struct session_monitor *sm;
    HMAP_FOR_EACH_SAFE (sm, by_id, &session->monitors) {
        if (db && db_monitor_db(sm->monitor) != db) {
            continue;
        }
        if (notify) {
            db_monitor_flush(sm->monitor);
            jsonrpc_notify(session->conn, "monitor_canceled", json_pack("[O]", sm->id));
        }
        session_monitor_free(session, sm);
    }
}
