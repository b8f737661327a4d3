// SPDX-License-Identifier: Apache-2.0
// Relay databases (ovsdb(7)): a copy in memory of another server's database. Clients read and
// monitor the copy; what changes it goes on to the other server, and its answer comes back.
#ifndef OVSDB_RELAY_H
#define OVSDB_RELAY_H 1

#include <jansson.h>

#include "lib/base/util.h"

struct db_error;
struct db_relay;
struct db_server;
struct db_session;
struct jsonrpc_msg;

// Serves the database of "relay:DB:REMOTE[,REMOTE]…".
struct db_error *db_relay_add(struct db_server *, const char *spec);
void db_relay_free(struct db_relay *); // NULL allowed; what waits is answered "canceled"

// The other server is in reach and the copy is as it is there.
bool db_relay_is_connected(const struct db_relay *);
// There is a copy at all, perhaps an old one.
bool db_relay_has_copy(const struct db_relay *);
// Sends a request on. The answer follows when the other server is in reach; "canceled", when the
// connection breaks with the request under way. Refused (and answered) when too much of the
// session waits.
void db_relay_forward(struct db_relay *, struct db_session *, const struct jsonrpc_msg *);
// The session's requests are forgotten.
void db_relay_drop(struct db_relay *, const struct db_session *);
// The request of this id is taken back, and answered "canceled". False: there is none.
bool db_relay_cancel(struct db_relay *, const struct db_session *, const json_t *id);
size_t db_relay_n_requests(const struct db_relay *);

#endif
