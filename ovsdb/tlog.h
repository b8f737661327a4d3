// SPDX-License-Identifier: Apache-2.0
// Transactions in the daemon's log (ovsdb-server/tlog-set): one line for each row that a commit
// changed in a table that asks for it.
#ifndef OVSDB_TLOG_H
#define OVSDB_TLOG_H 1

struct db_txn;

void db_tlog(const struct db_txn *); // committed; before its change records go

#endif
