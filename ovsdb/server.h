// SPDX-License-Identifier: Apache-2.0
// The protocol's server side (RFC 7047 section 4, ovsdb-server(7)): databases, and sessions of
// clients that transact, monitor and lock. Connections belong to the program; it hands messages in.
#ifndef OVSDB_SERVER_H
#define OVSDB_SERVER_H 1

#include <jansson.h>

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/util.h"
#include "lib/base/uuid.h"

struct db;
struct db_error;
struct db_file;
struct db_relay;
struct db_session;
struct jsonrpc;
struct jsonrpc_msg;
struct loop;

struct db_server;

// A database that is served. The server owns it and its file.
struct db_served {
    struct cds_list_head in_server;
    struct db *db;
    struct db_file *file; // NULL: in memory
    struct db_monitors *monitors;
    struct uuid row;        // in _Server
    struct db_relay *relay; // where it comes from; NULL: it is our own
};

struct db_server *db_server_new(struct loop *);
void db_server_free(struct db_server *);
struct loop *db_server_loop(const struct db_server *);

// Takes both. An error when a database of this name is served already (they are freed).
struct db_error *db_server_add(struct db_server *, struct db *, struct db_file *);
// Ends the monitors on it and waiting transactions; clients that don't know better are
// disconnected.
void db_server_remove(struct db_server *, struct db_served *);
struct db_served *db_server_find(const struct db_server *, const char *name); // NULL: none
struct cds_list_head *db_server_list(struct db_server *); // struct db_served, _Server among them

struct db_session_cbs {
    void (*disconnect)(struct db_session *, void *aux); // soon, not from inside
};
// A client on an open connection (borrowed).
struct db_session *db_session_new(struct db_server *, struct jsonrpc *,
                                  const struct db_session_cbs *, void *aux);
void db_session_free(struct db_session *);
void db_session_message(struct db_session *, const struct jsonrpc_msg *);
void db_session_set_read_only(struct db_session *, bool);
void db_session_set_role(struct db_session *, const char *); // copied; NULL: none
// Names of locks held and waited for, separated by blanks; to free.
char *db_session_locks(const struct db_session *, bool held);
bool db_server_is_read_only(const struct db_server *); // a backup
size_t db_server_n_sessions(const struct db_server *);
size_t db_server_n_triggers(const struct db_server *);
// Makes all clients reconnect, or those that aren't aware of changes of databases.
void db_server_disconnect(struct db_server *, bool aware_too);
// Program's part of monitor_cond switched off (ovsdb-server/disable-monitor-cond).
void db_server_disable_monitor_cond(struct db_server *);

#endif
