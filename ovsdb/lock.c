// SPDX-License-Identifier: Apache-2.0
// Locks (RFC 7047 section 4.1.8 to 4.1.10). Each has a queue of sessions, the first owns it. A lock
// that was stolen stays in its victim's hands as a wait at the queue's second place, until the
// thief lets go or the victim unlocks.
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/jsonrpc.h"
#include "ovsdb/error.h"
#include "ovsdb/parser.h"
#include "ovsdb/server_priv.h"

struct lock {
    struct hmap_node by_name;
    char *name;
    struct cds_list_head queue; // struct waiter, the owner first
};

struct waiter {
    struct cds_list_head in_lock, in_session;
    struct lock *lock;
    struct db_session *session;
};

static struct lock *
find_lock(struct db_server *s, const char *name, bool create)
{
    struct lock *l;
    uint32_t hash = hash_string(name, 0);
    HMAP_FOR_EACH_HASH(l, by_name, hash, &s->locks)
    {
        if (!strcmp(l->name, name)) {
            return l;
        }
    }
    if (!create) {
        return NULL;
    }
    l = base_calloc(1, sizeof *l);
    l->name = base_strdup(name);
    CDS_INIT_LIST_HEAD(&l->queue);
    hmap_insert(&s->locks, &l->by_name, hash);
    return l;
}

static struct waiter *
owner(const struct lock *l)
{
    return cds_list_empty((struct cds_list_head *) &l->queue)
               ? NULL
               : cds_list_first_entry(&l->queue, struct waiter, in_lock);
}

static struct waiter *
find_waiter(const struct db_session *session, const char *name)
{
    struct waiter *w;
    cds_list_for_each_entry (w, &session->waiters, in_session) {
        if (!strcmp(w->lock->name, name)) {
            return w;
        }
    }
    return NULL;
}

static void
notify(struct waiter *w, const char *method)
{
    db_session_flush(w->session); // what the owner before it did
    jsonrpc_notify(w->session->conn, method, json_pack("[s]", w->lock->name));
}

static void
release(struct waiter *w)
{
    struct lock *l = w->lock;
    bool owned = owner(l) == w;
    cds_list_del(&w->in_lock);
    cds_list_del(&w->in_session);
    struct db_server *s = w->session->server;
    free(w);
    if (cds_list_empty(&l->queue)) {
        hmap_remove(&s->locks, &l->by_name);
        free(l->name);
        free(l);
    } else if (owned) {
        notify(owner(l), "locked");
    }
}

static const char *
lock_name(struct db_session *session, const struct jsonrpc_msg *m)
{
    if (session->read_only || session->server->read_only) {
        db_reply_error_text(session, "lock and unlock methods not allowed, DB server is read only.",
                            m->id);
        return NULL;
    }
    const char *name = json_string_value(json_array_get(m->params, 0));
    if (json_array_size(m->params) != 1 || !name || !db_is_id(name)) {
        db_reply_error(
            session, db_error_syntax(m->params, NULL, "%s request params must be <id>", m->method),
            m->id);
        return NULL;
    }
    return name;
}

void
db_session_lock(struct db_session *session, const struct jsonrpc_msg *m, bool steal)
{
    const char *name = lock_name(session, m);
    if (!name) {
        return;
    }
    if (find_waiter(session, name)) {
        db_reply_error(
            session,
            db_error_syntax(m->params, NULL, "must issue \"unlock\" before new \"%s\"", m->method),
            m->id);
        return;
    }
    struct waiter *w = base_calloc(1, sizeof *w);
    w->lock = find_lock(session->server, name, true);
    w->session = session;
    cds_list_add_tail(&w->in_session, &session->waiters);
    struct waiter *victim = owner(w->lock);
    if (steal) {
        cds_list_add(&w->in_lock, &w->lock->queue);
    } else {
        cds_list_add_tail(&w->in_lock, &w->lock->queue);
    }
    bool locked = steal || !victim;
    str_add(db_reply_begin(session), locked ? "{\"locked\":true}" : "{\"locked\":false}");
    db_reply_send(session, m->id);
    if (steal && victim) {
        notify(victim, "stolen");
    }
}

void
db_session_unlock(struct db_session *session, const struct jsonrpc_msg *m)
{
    const char *name = lock_name(session, m);
    if (!name) {
        return;
    }
    struct waiter *w = find_waiter(session, name);
    if (!w) {
        db_reply_error(
            session,
            db_error_syntax(m->params, NULL, "unlock: \"unlock\" without \"lock\" or \"steal\""),
            m->id);
        return;
    }
    release(w);
    str_add(db_reply_begin(session), "{}");
    db_reply_send(session, m->id);
}

bool
db_session_owns(const char *name, void *session)
{
    const struct waiter *w = find_waiter(session, name);
    return w && owner(w->lock) == w;
}

void
db_session_drop_locks(struct db_session *session)
{
    struct waiter *w, *next;
    cds_list_for_each_entry_safe (w, next, &session->waiters, in_session) {
        release(w);
    }
}

char *
db_session_locks(const struct db_session *session, bool held)
{
    struct str s = STR_INIT;
    struct waiter *w;
    cds_list_for_each_entry (w, &session->waiters, in_session) {
        if ((owner(w->lock) == w) == held) {
            str_addf(&s, "%s%s", s.len ? " " : "", w->lock->name);
        }
    }
    return str_take(&s);
}
