// SPDX-License-Identifier: Apache-2.0
// Where clients come from: listeners and active connections, named on the command line, at run
// time, or in the database.
#ifndef TOOLS_DBSERVER_REMOTE_H
#define TOOLS_DBSERVER_REMOTE_H 1

#include "lib/base/util.h"

struct db_server;
struct str;

struct remotes;

struct remotes *remotes_new(struct db_server *);
void remotes_free(struct remotes *);
// Adds a name: a connection method or "db:DB,TABLE,COLUMN". NULL, or a sentence to free. Present
// ones are fine.
char *remotes_add(struct remotes *, const char *name);
bool remotes_remove(struct remotes *, const char *name); // false: not there
// Names as added, one a line, sorted.
void remotes_list(const struct remotes *, struct str *);
// Brings listeners and connections in line with names and databases. A sentence to free about the
// first listener that could not be opened, or NULL.
char *remotes_reconfigure(struct remotes *);
void remotes_disconnect(struct remotes *);
size_t remotes_n_connections(const struct remotes *);
// Writes is_connected and status of the rows that remotes come from.
void remotes_update_status(struct remotes *);

#endif
