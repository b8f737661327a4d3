// SPDX-License-Identifier: Apache-2.0
// The last transactions of a database, so that a client which comes back after a lost connection
// gets what it missed and not everything (monitor_cond_since).
#ifndef OVSDB_HISTORY_H
#define OVSDB_HISTORY_H 1

#include "lib/base/util.h"

struct db;
struct db_history;
struct db_txn;
struct db_view;
struct str;
struct uuid;

#define DB_HISTORY_TXNS 100

struct db_history *db_history_new(struct db *);
void db_history_free(struct db_history *);
// Takes the changes (and deleted rows) of a committed transaction; ms are left in the transaction's
// list that don't matter.
void db_history_take(struct db_history *, struct db_txn *);
// Is the state after this transaction one that we can tell the way from?
bool db_history_has(const struct db *, const struct uuid *since);
// Writes that way, as the view sees it.
void db_history_write(const struct db *, const struct uuid *since, const struct db_view *,
                      struct str *);

#endif
