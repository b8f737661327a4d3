// SPDX-License-Identifier: Apache-2.0
// Runs the operations of a "transact" request (RFC 7047 section 4.1.3, 5.2).
#ifndef OVSDB_EXEC_H
#define OVSDB_EXEC_H 1

#include "ovsdb/db.h"
#include "ovsdb/rbac.h"

struct str;

struct db_exec {
    struct db *db;
    struct db_value params;       // ["db", op, …]
    bool read_only;               // refuse operations that change rows
    bool dry_run;                 // keep nothing
    bool may_wait;                // a "wait" that doesn't hold yet may hold later
    int64_t elapsed_ms;           // since the request came
    struct db_rbac_client client; // whose rights hold
    // Asked by "assert": does the session own this lock? NULL: no.
    bool (*owns_lock)(const char *name, void *aux);
    void *aux;
    // Results:
    bool waiting;       // nothing was done: run again after the next change, or when…
    int64_t timeout_ms; // …so many ms after the request (INT64_MAX: never)
    bool durable;       // as asked by "commit"
    bool failed;        // some operation or the commit failed
};

// Appends the reply's result as JSON text ("[…]"), unless the transaction waits. False (a JSON
// error object is appended instead) when the request has no form at all.
bool db_execute(struct db_exec *, struct str *result);
// Is there an operation that changes rows, or wants them on the disk?
bool db_exec_changes(struct db_value params);

#endif
