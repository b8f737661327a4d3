// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_DBSERVER_H
#define TOOLS_DBSERVER_H 1

#include "lib/base/util.h"

struct db_error;
struct db_replication;
struct db_served;
struct db_server;
struct loop;
struct remotes;

// The program's state; owner: the main thread.
struct ovsdb_server {
    struct loop *loop;
    struct db_server *server;
    struct remotes *remotes;
    struct db_replication *replication;
    bool exiting;
    int exit_status;
};

extern struct ovsdb_server ovsdb_server;

struct db_error *ovsdb_server_add_file(const char *path);
void ovsdb_server_control_init(void);                  // control.c
struct db_served **ovsdb_server_sorted_dbs(size_t *n); // by name, to free
void ovsdb_server_control_backup_init(void);           // control_backup.c
void ovsdb_server_control_log_init(void);              // control_log.c

#endif
