// SPDX-License-Identifier: Apache-2.0
// A database in memory: tables of rows, found by uuid and by the columns of their indexes. What is
// here reads; only ovsdb/txn.h (clients) and ovsdb/file.h (what the file says) change rows. Owner:
// one thread.
#ifndef OVSDB_DB_H
#define OVSDB_DB_H 1

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/util.h"
#include "lib/base/uuid.h"
#include "ovsdb/data.h"
#include "ovsdb/schema.h"

struct db;
struct db_change;
struct db_file;
struct db_history;
struct db_row;
struct db_txn;

// A row's place in one index of its table.
struct db_index_node {
    struct hmap_node node;
    struct db_row *row;
};

// Weak references from other rows: one entry for each column of each row that names this one.
struct db_weak {
    struct db_weak *next;
    struct db_row *src;
    const struct db_column_schema *column;
};

struct db_row {
    struct hmap_node by_uuid; // in table->rows, unless deleted
    struct db_table *table;
    struct db_change *change;    // what the open transaction does to it, or NULL
    struct db_weak *weak;        // who refers weakly to it, as committed
    struct db_index_node *index; // [table->schema->n_indexes], behind data
    uint32_t n_refs;             // strong references to it
    union db_atom uuid, version; // values of the first two columns
    struct db_datum data[];      // [table->schema->n_columns]
};

// What a column has to do with, worked out once.
enum db_column_traits {
    DB_TRAIT_INDEXED = 1,
    DB_TRAIT_STRONG = 2,
    DB_TRAIT_WEAK = 4,
    DB_TRAIT_PERSISTENT = 8
};

struct db_table {
    struct db *db;
    const struct db_table_schema *schema;
    struct hmap rows;     // struct db_row, by_uuid
    struct hmap *indexes; // [schema->n_indexes] of struct db_index_node; may hold equal rows while
                          // a transaction is open
    uint8_t *traits;      // [schema->n_columns] enum db_column_traits
    uint8_t all_traits;
    struct db_datum *defaults; // [schema->n_columns]; rows share these atoms until they change
    bool tlog;                 // its changes go to the log (ovsdb/tlog.h)
};

// Is told of each commit, before the rows' change records go away, in the order of registration.
struct db_observer {
    struct cds_list_head in_db;
    void (*committed)(struct db_observer *, const struct db_txn *);
};

struct db {
    struct db_schema *schema;
    struct db_table **tables; // [schema->n_tables]
    struct cds_list_head observers;
    struct db_file *file;       // where commits are kept, or NULL: in memory only
    struct db_history *history; // owned; NULL: none is kept
    struct uuid last_txn;       // id of the last transaction
    bool read_only;             // refuses changes from clients
    uint64_t n_commits;         // counts changes
};

struct db *db_new(struct db_schema *take);
void db_free(struct db *);                                           // the file stays the caller's
struct db_table *db_table_find(const struct db *, const char *name); // NULL: none
struct db_row *db_row_find(const struct db_table *, const struct uuid *);
size_t db_n_rows(const struct db *);
size_t db_n_cells(const struct db *); // atoms in all rows, for memory/show

void db_observe(struct db *, struct db_observer *);
void db_unobserve(struct db_observer *);

// Rows outside of any table. data is empty in db_row_alloc(), default values in db_row_new().
struct db_row *db_row_alloc(struct db_table *);
struct db_row *db_row_new(struct db_table *, const struct uuid *);
void db_row_free(struct db_row *);
// Puts a row into its table and its indexes, or takes it out.
void db_row_link(struct db_row *);
void db_row_unlink(struct db_row *);
void db_row_index(struct db_row *);
void db_row_unindex(struct db_row *);
// Another row of the table with the same values in index i, or NULL.
struct db_row *db_row_twin(const struct db_row *, size_t i);
// First row whose index i has these values (one datum a column of the index); next with the row
// found before.
struct db_row *db_index_find(const struct db_table *, size_t i,
                             const struct db_datum *const values[], const struct db_row *after);

// Notes or forgets all weak references in the column of the row (committed state).
void db_weak_add(struct db_row *src, const struct db_column_schema *, const struct db_datum *);
void db_weak_remove(struct db_row *src, const struct db_column_schema *, const struct db_datum *);
// Counts the strong references and notes the weak ones of all rows, after loading. A sentence about
// the first dangling strong reference, or NULL.
struct db_error *db_resolve_all(struct db *);

// {"column":value,…} of the persistent columns that aren't default (diff NULL).
void db_row_write_json(const struct db_row *, struct str *);

#endif
