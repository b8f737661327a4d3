// SPDX-License-Identifier: Apache-2.0
// Active-backup replication (ovsdb(7)): a server in the role of the backup only reads, and keeps
// its databases as those of the same names on the active server are.
#ifndef OVSDB_REPLICATION_H
#define OVSDB_REPLICATION_H 1

#include "lib/base/util.h"

struct db_replication;
struct db_server;
struct str;

// In the active role, with nothing to connect to.
struct db_replication *db_replication_new(struct db_server *);
void db_replication_free(struct db_replication *);

// The active server, NULL or a connection method (copied); counts from the next
// db_replication_start() on.
void db_replication_set_remote(struct db_replication *, const char *);
const char *db_replication_remote(const struct db_replication *); // NULL: none
// Time between probes of the connection; 0: none are sent.
void db_replication_set_probe(struct db_replication *, int ms);
// Tables that are left alone: DB:TABLE[,DB:TABLE]…. A sentence to free, or NULL.
char *db_replication_set_excluded(struct db_replication *, const char *);
void db_replication_write_excluded(const struct db_replication *, struct str *);

// Becomes backup (with a remote only) or active: all clients have to connect anew.
void db_replication_start(struct db_replication *);
void db_replication_stop(struct db_replication *);
// Databases have come or gone: begins anew, if backup.
void db_replication_restart(struct db_replication *);
// The text of ovsdb-server/sync-status.
void db_replication_write_status(const struct db_replication *, struct str *);

#endif
