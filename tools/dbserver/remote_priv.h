// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_DBSERVER_REMOTE_PRIV_H
#define TOOLS_DBSERVER_REMOTE_PRIV_H 1

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/uuid.h"
#include "tools/dbserver/remote.h"

struct jsonrpc;
struct jsonrpc_session;
struct stream_listener;

// What a row may say about a remote.
struct remote_options {
    int probe_ms;    // -1: default
    int max_backoff; // 0: default
    bool read_only;
    char role[128]; // "": none
};

// One listener or active connection.
struct remote {
    struct hmap_node by_name; // in remotes->all
    char *name;
    struct remotes *owner;
    struct remote_options options;
    bool wanted; // while reconfiguring
    bool failed; // its listener could not be opened: said once
    struct stream_listener *listener;
    struct jsonrpc_session *session; // active
    struct conn *active_conn;
    struct cds_list_head conns; // struct conn, accepted
    size_t n_conns;
    int last_error;
    int64_t connected_at, disconnected_at; // ms; 0: never
};

// One client.
struct conn {
    struct cds_list_head in_remote;
    struct remote *remote;
    struct jsonrpc *rpc;
    struct db_session *session;
    struct farewell *farewell; // put off by the server; NULL: none
};

struct name {
    struct cds_list_head in_remotes;
    char *text;
};

struct remotes {
    struct db_server *server;
    struct cds_list_head names; // struct name
    struct hmap all;            // struct remote by name
    struct loop_hook *hook;
    struct loop_timer *status_timer;
    uint64_t commits_seen;
    bool status_wanted, own_commit;
};

struct remote *remote_find(const struct remotes *, const char *name);
// A remote that should exist with these options.
void remote_want(struct remotes *, const char *name, const struct remote_options *);

// remote_db.c: the names in a database column.
struct db_served;
struct db_column_ref {
    struct db_served *served;
    struct db_table *table;
    const struct db_column_schema *column;
    bool later; // an error now, but the database may come
};
// Resolves "db:DB,TABLE,COLUMN". A sentence to free, or NULL.
char *remote_db_column(struct db_server *, const char *name, struct db_column_ref *);
// The same, of a column that can name remotes.
char *remote_db_parse(struct db_server *, const char *name, struct db_column_ref *);
void remote_db_want(struct remotes *, const struct db_column_ref *);

// tls_db.c: TLS options, which a database may say, too.
// Checks options of the form db:DB,TABLE,COLUMN. A sentence to free, or NULL.
char *tls_db_check(struct db_server *);
// Sets what the options say, or what the databases do now.
void tls_db_apply(struct db_server *);

#endif
