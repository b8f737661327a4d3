// SPDX-License-Identifier: Apache-2.0
// What every typed row of the client library shares: the functions that the generated accessors of idl_rows.h call.
// Programs include ovsdb/idl.h and use the typed forms; these generic forms serve tools that take table and column
// names from people. Contracts that need more than a line are in ovsdb/idl.h.
#ifndef OVSDB_IDL_CORE_H
#define OVSDB_IDL_CORE_H 1

#include <urcu/list.h>

#include "lib/base/hmap.h"
#include "lib/base/util.h"
#include "lib/base/uuid.h"

struct db_datum;
struct idl;
struct idl_pair_ss;
struct idl_row_edit;
struct idl_table;
struct idl_txn;

// First member of every typed row. `uuid` is for everyone (that of a row inserted by an unfinished transaction is
// provisional, see idl_txn_inserted()); the rest belongs to the library.
struct idl_row {
    struct uuid uuid;
    struct idl_table *table;
    struct hmap_node by_uuid;         // in table->rows, while the row exists
    struct hmap_node by_key;          // in table->keys, while key isn't NULL
    const char *key;                  // of tables with a key column: its value as indexed
    struct cds_list_head all;         // in table->all
    struct cds_list_head tracked;     // in table->tracked, while changed and not cleared
    struct db_datum *data;            // [table->n_slots]: the columns that are monitored, as the server has them
    struct idl_row_edit *edit;        // what the open transaction does to it, or NULL
    uint64_t changed;                 // bit per column of the table: changed since idl_track_clear()
    uint32_t n_refs;                  // resolved references to it in other rows
    bool is_new, is_deleted, is_phantom;
};

// Iteration: rows of the replica and those inserted by the open transaction, without the ones it deletes.
struct idl_row *idl_table_first(struct idl *, unsigned table);
struct idl_row *idl_table_next(const struct idl_row *);
struct idl_row *idl_tracked_first(struct idl *, unsigned table);
struct idl_row *idl_tracked_next(const struct idl_row *);
struct idl_row *idl_row_by_uuid(struct idl *, unsigned table, const struct uuid *);
struct idl_row *idl_row_by_key(struct idl *, unsigned table, const char *key);

// Changes; only while a transaction is open. uuid NULL: chosen by the server.
struct idl_row *idl_row_insert(struct idl_txn *, unsigned table, const struct uuid *);
void idl_row_delete(const struct idl_row *);
void idl_set_ints(const struct idl_row *, unsigned column, const int64_t *, size_t n);
void idl_set_bool(const struct idl_row *, unsigned column, const bool *);
void idl_set_strings(const struct idl_row *, unsigned column, const char *const *, size_t n);
void idl_set_refs(const struct idl_row *, unsigned column, const void *rows, size_t n); // array of n pointers to rows
void idl_set_map(const struct idl_row *, unsigned column, const void *pairs, size_t n); // array of idl_pair_..
void idl_refs_add(const struct idl_row *, unsigned column, const struct idl_row *);
void idl_refs_remove(const struct idl_row *, unsigned column, const struct idl_row *);
void idl_map_put(const struct idl_row *, unsigned column, const char *key, const char *value);
void idl_map_del(const struct idl_row *, unsigned column, const char *key);
void idl_verify(const struct idl_row *, unsigned column);

// Value of the key in sorted pairs, or NULL.
const char *idl_pairs_get(const struct idl_pair_ss *, size_t n, const char *key);

#endif
