// SPDX-License-Identifier: Apache-2.0
// What the files of ovsdb-client share.
#ifndef TOOLS_DBCLIENT_CLIENT_H
#define TOOLS_DBCLIENT_CLIENT_H 1

#include <jansson.h>

#include "lib/base/util.h"

struct db_datum;
struct db_error;
struct db_schema;
struct db_type;
struct jsonrpc_sync;
struct table;

// A command's arguments: the server and the database are taken off.
struct client {
    struct jsonrpc_sync *rpc;
    char *server;
    const char *database; // NULL: the command takes none
    int argc;
    char **argv; // what follows
    bool force;  // --force
    bool leader_only;
    bool change_aware;
};

// One or several names of servers, separated by commas.
bool client_is_server(const char *arg);
int client_open(struct client *);     // 0 or -errno
void client_connect(struct client *); // or ends the program with a sentence
// Calls; ends the program with a sentence on errors. To json_decref.
json_t *client_call(struct client *, const char *method, json_t *params_take);
struct db_schema *client_schema(struct client *, const char *database);
void client_check(struct db_error *);
void client_print_json(const json_t *);
void client_print_table(struct table *); // and frees it
void client_add_cell(struct table *, const struct db_datum *, const struct db_type *);
// For commands that go on until the connection ends. detach: what --detach and other options of daemons say, before the first
// request. stay: after the first output; serves a control socket then, and doesn't return.
void client_detach(void);
void client_stay(struct client *) FB_NORETURN;
void client_lost(struct client *, int error) FB_NORETURN;

// Commands.
void client_list_dbs(struct client *);
void client_get_schema(struct client *);
void client_get_schema_version(struct client *);
void client_get_schema_cksum(struct client *);
void client_list_tables(struct client *);
void client_list_columns(struct client *);
void client_dump(struct client *);
void client_transact(struct client *);
void client_query(struct client *);
void client_monitor(struct client *);
void client_monitor_cond(struct client *);
void client_monitor_cond_since(struct client *);
void client_wait(struct client *);
void client_lock(struct client *);
void client_steal(struct client *);
void client_unlock(struct client *);
void client_backup(struct client *);
void client_restore(struct client *);
void client_convert(struct client *);
void client_needs_conversion(struct client *);

#endif
