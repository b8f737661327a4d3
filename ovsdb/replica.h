// SPDX-License-Identifier: Apache-2.0
// Brings rows of a database in line with what another server tells of its own, each message as one
// transaction.
#ifndef OVSDB_REPLICA_H
#define OVSDB_REPLICA_H 1

#include "ovsdb/db.h"

struct db_error;

struct db_replica_update {
    const json_t *tables; // <table-updates>, or <table-updates2> (ovsdb-server(7))
    bool differences;     // <table-updates2>
    bool whole;           // rows of the tables in `covered` that aren't named don't exist
    const bool *covered;  // [schema->n_tables]; NULL: all
    struct uuid txn;      // id that the transaction shall have; zero: a new one
};

struct db_error *db_replica_apply(struct db *, const struct db_replica_update *) FB_MUST_CHECK;

#endif
