// SPDX-License-Identifier: Apache-2.0
// Transactions. Rows change in place, and each changed row has a record of how to take that back:
// what a transaction reads are simply the rows, an abort costs what was changed, and a commit knows
// the differences without looking for them. One transaction of a database at a time.
#ifndef OVSDB_TXN_H
#define OVSDB_TXN_H 1

#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/delta.h"

struct db_error;

enum db_change_kind {
    DB_CHANGE_MODIFY, // deltas may be empty: only looked at
    DB_CHANGE_INSERT,
    DB_CHANGE_DELETE, // the row is out of its table, with the values it had before the transaction;
                      // owned by the change
};

struct db_change {
    struct cds_list_head in_txn;
    struct hmap_node by_uuid; // in txn->deleted, of DELETE
    struct db_row *row;
    enum db_change_kind kind;
    bool gone; // inserted and deleted again: the row is freed at the end
    struct uuid old_version;
    uint32_t old_refs;
    struct db_delta *deltas; // MODIFY: one for each column touched
    uint32_t n_deltas, cap_deltas;
};

struct db_txn {
    struct db *db;
    struct cds_list_head changes; // struct db_change
    struct hmap deleted;          // struct db_change by_uuid
    struct str comment;
    bool is_replay; // of a file's record: ephemeral references to nothing are no error
    bool keeps;     // rows nobody refers to stay
    bool inserts;   // some row has come
    struct uuid id; // zero until the commit, unless it is a copy of another server's transaction
};

struct db_txn *db_txn_begin(struct db *);
void db_txn_abort(struct db_txn *); // and frees
// Checks all constraints, keeps the transaction in the file, tells the observers. Always frees.
// durable: returns when the changes are on disk. An error leaves the database as it was.
struct db_error *db_txn_commit(struct db_txn *, bool durable) FB_MUST_CHECK;
// The checks alone, for commit and for tests: completes the changes (garbage, weak references).
struct db_error *db_txn_check(struct db_txn *) FB_MUST_CHECK;

struct db_row *db_txn_insert(struct db_txn *, struct db_table *, const struct uuid *);
void db_txn_delete(struct db_txn *, struct db_row *);
// Has this transaction deleted a row of this uuid that was there before?
bool db_txn_has_deleted(const struct db_txn *, const struct db_table *, const struct uuid *);
// New value of a column (taken).
void db_txn_set(struct db_txn *, struct db_row *, const struct db_column_schema *,
                struct db_datum *take);
// Elements of a composite column: adds those missing (replace: and gives present keys the new
// value); removes those present (values are compared where `from` is a map).
void db_txn_add(struct db_txn *, struct db_row *, const struct db_column_schema *,
                const struct db_datum *);
void db_txn_remove(struct db_txn *, struct db_row *, const struct db_column_schema *,
                   const struct db_datum *from, bool from_is_map);

// What a change says about a column, NULL: nothing.
const struct db_delta *db_change_delta(const struct db_change *, unsigned column);
void db_change_free(struct db_change *, bool with_row); // with_row: of a DELETE
// True unless it is a MODIFY without effect.
bool db_change_counts(const struct db_change *);

#define DB_TXN_FOR_EACH(change, txn) cds_list_for_each_entry (change, &(txn)->changes, in_txn)

// --- between the files of the transaction ---
struct db_change *db_txn_touch(struct db_txn *, struct db_row *);

#endif
