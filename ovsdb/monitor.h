// SPDX-License-Identifier: Apache-2.0
// Monitors (RFC 7047 section 4.1.5 and its extensions monitor_cond, monitor_cond_since in
// ovsdb-server(7)).
//
// A view says which columns of which rows are watched and in which form changes are told; monitors
// of any number of clients that ask for the same share one, and each change is put into words once
// a view.
//
// A monitor whose client isn't ready for more waits: it keeps, for each row that changed since,
// what the client saw of it, and later tells the whole difference at once (monitor_wait.c).
#ifndef OVSDB_MONITOR_H
#define OVSDB_MONITOR_H 1

#include "ovsdb/db.h"

struct db_error;
struct db_monitors;
struct str;

enum db_monitor_version { DB_MONITOR_V1 = 1, DB_MONITOR_V2, DB_MONITOR_V3 };

// Where updates go: complete JSON-RPC notifications.
typedef void db_monitor_send(const char *text, size_t len, void *aux);

struct db_monitor;

// All monitors of one database.
struct db_monitors *db_monitors_new(struct db *);
void db_monitors_free(struct db_monitors *); // its monitors must be gone
size_t db_monitors_count(const struct db_monitors *);
struct db *db_monitors_db(const struct db_monitors *);

struct db_monitor_args {
    enum db_monitor_version version;
    const json_t *id;       // as updates name it
    const json_t *requests; // table: <monitor-request> or an array of them
    const json_t *last_txn; // V3: string
    db_monitor_send *send;
    bool (*ready)(void *aux); // may an update be sent now? NULL: always
    void *aux;
};

// Starts a monitor; the reply's result goes to `result` as text.
struct db_error *db_monitor_new(struct db_monitors *, const struct db_monitor_args *,
                                struct db_monitor **, struct str *result);
void db_monitor_free(struct db_monitor *);
// Sends what waits, ready or not.
void db_monitor_flush(struct db_monitor *);
// New conditions (monitor_cond_change): sends the difference as an update. new_id replaces the
// monitor's.
struct db_error *db_monitor_change(struct db_monitor *, const json_t *new_id,
                                   const json_t *requests);
struct db *db_monitor_db(const struct db_monitor *);
enum db_monitor_version db_monitor_version(const struct db_monitor *);

#endif
