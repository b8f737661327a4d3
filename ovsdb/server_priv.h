// SPDX-License-Identifier: Apache-2.0
// What the files of the server share, and nobody else sees.
#ifndef OVSDB_SERVER_PRIV_H
#define OVSDB_SERVER_PRIV_H 1

#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/monitor.h"
#include "ovsdb/rbac.h"
#include "ovsdb/server.h"
#include "ovsdb/tree.h"

struct loop_hook;
struct loop_timer;

struct db_server {
    struct loop *loop;
    struct cds_list_head dbs;      // struct db_served
    struct cds_list_head sessions; // struct db_session
    struct hmap locks;             // struct lock by name
    struct uuid id;
    struct db_served *self;        // _Server
    struct cds_list_head triggers; // struct trigger, of all sessions, oldest first
    size_t n_triggers;
    struct loop_hook *hook;
    struct loop_timer *timer; // next timeout of a trigger
    uint64_t commits_seen;    // sum over databases when the triggers last ran
    bool monitor_cond_disabled;
    bool read_only;      // a backup
    struct str text;     // reply under construction
    struct db_tree tree; // the request that is being answered
};

struct db_session {
    struct cds_list_head in_server;
    struct db_server *server;
    struct jsonrpc *conn;
    const struct db_session_cbs *cbs;
    void *aux;
    struct hmap monitors;         // struct session_monitor by id's text
    struct cds_list_head waiters; // struct waiter: its locks
    bool read_only, aware, leaving;
    bool congested; // its input pauses and its updates wait until all output has left
    char *role;     // NULL: may do everything
    size_t waiting; // bytes of its transactions that wait
};

// Who it is for roles; borrowed.
struct db_rbac_client db_session_client(const struct db_session *);

// --- replies ---
// Starts a reply with this result to come: write the result into the string, then send.
struct str *db_reply_begin(struct db_session *);
void db_reply_send(struct db_session *, const json_t *id);
void db_reply_send_to(struct db_session *, struct db_value id);
void db_reply_error(struct db_session *, struct db_error *take, const json_t *id);
void db_reply_error_text(struct db_session *, const char *, const json_t *id);
void db_reply_error_json(struct db_session *, const json_t *, const json_t *id);

// --- transactions (trigger.c) ---
// Before a request of the session is kept: false when too much of it waits, which is answered.
// Charges what db_session_kept_over() gives back.
bool db_session_keep(struct db_session *, const struct jsonrpc_msg *, size_t *charged);
void db_session_kept_over(struct db_session *, size_t charged);
// Whether the request may go on to the other server, as far as our side says; else it is answered.
struct db_relayed {
    struct db_session *session;
    const struct db_served *served;
    const char *method;
    json_t *params, *id;
};
bool db_session_may_relay(const struct db_relayed *);
void db_session_transact(struct db_session *, const struct jsonrpc_msg *);
// A whole message. False: it is to come as struct jsonrpc_msg; nothing has been done.
bool db_session_transact_value(struct db_session *, struct db_value message);
void db_session_cancel(struct db_session *, const json_t *id);
// Of one session or database (NULL: any): waiting transactions end, answered "canceled" when reply.
void db_server_drop_triggers(struct db_server *, const struct db_session *, const struct db *,
                             bool reply);
void db_server_run_triggers(struct db_server *);

// --- monitors (session_monitor.c) ---
void db_session_monitor(struct db_session *, const struct jsonrpc_msg *, enum db_monitor_version);
void db_session_monitor_change(struct db_session *, const struct jsonrpc_msg *);
void db_session_monitor_cancel(struct db_session *, const struct jsonrpc_msg *);
void db_session_drop_monitors(struct db_session *, const struct db *, bool notify); // NULL: all
// May more be sent without limit? Not to a client that doesn't read: then the session is congested.
bool db_session_ready(void *session);
void db_session_drained(void *session);
// Updates that wait leave now, in front of what must not overtake them.
void db_session_flush(struct db_session *);

// --- locks (lock.c) ---
void db_session_lock(struct db_session *, const struct jsonrpc_msg *, bool steal);
void db_session_unlock(struct db_session *, const struct jsonrpc_msg *);
bool db_session_owns(const char *name, void *session);
void db_session_drop_locks(struct db_session *);

// The database named by the first parameter, or NULL with an error answered.
struct db_served *db_session_database(struct db_session *, const struct jsonrpc_msg *);

// --- the database _Server (server_self.c) ---
struct db *db_self_new(void);
void db_self_add(struct db_server *, struct db_served *);
void db_self_remove(struct db_server *, struct db_served *);
void db_self_update(struct db_server *, struct db_served *); // schema, connected

// --- databases (server.c) ---
struct db_relay;
// As db_server_add(); the relay is taken only if there is no error.
struct db_error *db_server_add_relay(struct db_server *, struct db *take,
                                     struct db_relay *take_relay, struct db_served **);
// Another database of the same name in this one's place, with its file.
void db_server_replace(struct db_server *, struct db_served *, struct db *take);

#endif
