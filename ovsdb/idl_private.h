// SPDX-License-Identifier: Apache-2.0
// Inside of the client library: tables, rows, edits, and the seams between its files:
//   idl_meta.c  columns and their types, from columns.def
//   idl_view.c  typed members of rows, made from their data
//   idl_row.c   rows of the replica: found, inserted, deleted, iterated, tracked
//   idl_update.c  the server's updates (update, update2, update3) brought into the replica
//   idl_edit.c  what the open transaction changes, column by column
//   idl_txn.c   transactions: operations written, replies read
//   idl.c       connection, monitor and lock
// owner of everything: the one thread that turns the loop.
#ifndef OVSDB_IDL_PRIVATE_H
#define OVSDB_IDL_PRIVATE_H 1

#include <jansson.h>

#include "ovsdb/data.h"
#include "ovsdb/idl.h"

enum idl_shape { IDL_SHAPE_ONE, IDL_SHAPE_OPT, IDL_SHAPE_SET, IDL_SHAPE_MAP };

struct idl_column {
    const char *name;
    unsigned table;      // enum idl_table_id
    unsigned at;         // position in its table
    size_t offset;       // of the member in the typed row; a set's or map's count stands 8 bytes before
    enum idl_shape shape;
    bool mutable_;
    int key_ref, value_ref; // tables referred to, or -1
    struct db_type type;    // as in the schema
    struct db_type wire;    // without constraints: what a newer or older server may send
};

struct idl_table_meta {
    const char *name;
    unsigned first, n; // columns: enum idl_column_id
    size_t row_size;
    bool is_root;
    int key; // position of the text column that is a unique index by itself, or -1
};

const struct idl_column *idl_meta_column(unsigned column);
const struct idl_table_meta *idl_meta_table(unsigned table);

#define IDL_NO_SLOT 0xff

struct idl_table {
    struct idl *idl;
    unsigned id;
    const struct idl_table_meta *meta;
    bool wanted;
    bool dangling;            // some view had to leave out a reference into this table
    uint8_t slots[64];        // by column position: place in row->data, or IDL_NO_SLOT
    uint64_t quiet;           // bit per column
    bool absent;              // the server's schema doesn't have it (known once it has refused)
    uint64_t absent_columns;  // bit per column: nor these, which read as their defaults
    unsigned n_slots;
    uint64_t seqno;
    struct hmap rows;         // idl_row by_uuid, those of the open transaction included
    struct hmap keys;         // idl_row by_key
    struct cds_list_head all; // idl_row all, same rows
    struct cds_list_head tracked;
    size_t n_rows;            // rows of the server
    json_t *cond;             // array of clauses; NULL: every row
    json_t *sent_cond;
};

enum idl_method { IDL_COND_SINCE, IDL_COND, IDL_PLAIN };
enum idl_state { IDL_IDLE, IDL_CONNECTING, IDL_SCHEMA, IDL_MONITORING, IDL_SYNCED };

struct idl {
    struct loop *loop;
    char *remotes;
    const struct idl_cbs *cbs;
    void *aux;
    struct idl_table tables[IDL_N_TABLES];

    bool once, snapshot;
    int error, probe_ms;
    struct jsonrpc_session *session;
    struct stream_listener *listener;
    struct jsonrpc *conn; // NULL: not connected
    struct jsonrpc *ours; // idl_set_once(): the connection, also while it is being made
    const char *rest;     // idl_set_once(): what of `remotes` was not tried yet

    enum idl_state state;
    enum idl_method method;
    bool was_synced, pruned;
    bool aware; // the server tells when the database is converted or removed, and does not drop us
    uint64_t request_id;         // of the monitor or get_schema request under way
    char last_id[UUID_LEN + 1];  // last transaction seen; "" none
    uint64_t seqno;
    bool cond_dirty;
    uint64_t cond_request;

    char *lock_name;
    bool has_lock, lock_contended;
    uint64_t lock_request;

    struct idl_txn *open;         // UNCOMMITTED one
    struct cds_list_head pending; // idl_txn node: INCOMPLETE
};

// One column that the open transaction changes.
struct idl_edit_column {
    unsigned at;       // position in its table
    bool replaced;     // `now` is written whole; else add and del are
    bool has_now;      // the value is known: written, or the kept one changed
    struct db_datum now;
    struct db_datum add, del; // elements; del: keys
};

struct idl_row_edit {
    struct cds_list_head node; // in txn->rows
    struct idl_row *row;
    struct idl_txn *txn;
    bool inserted, deleted, explicit_uuid;
    uint64_t verify; // bit per column
    size_t n_columns, cap;
    struct idl_edit_column *columns;
    size_t op; // index of the insert operation
};

struct idl_inserted {
    struct uuid provisional, real;
    size_t op;
};

struct idl_txn {
    struct idl *idl;
    struct cds_list_head node; // in idl->pending
    enum idl_txn_status status;
    struct cds_list_head rows; // idl_row_edit
    char *comment, *error;
    bool dry_run;
    bool requires_rows;
    const struct idl_row *inc_row;
    unsigned inc_column;
    bool inc_force;
    size_t inc_op; // index of the select operation
    int64_t inc_result;
    uint64_t request_id;
    size_t n_ops;
    struct idl_inserted *inserted;
    size_t n_inserted, inserted_cap;
};

// idl_view.c
void idl_view_init(struct idl_row *);                            // defaults
void idl_view_set(struct idl_row *, unsigned at, const struct db_datum *); // NULL: default
void idl_view_reset(struct idl_row *, unsigned at);              // from edit or data
void idl_view_forget(struct idl_row *);                          // row deleted: others are no longer referred to by it
void idl_view_free(struct idl_row *);                            // arrays only
// The set of references `d` has just got element i: true when the view followed without a rebuild.
bool idl_view_insert_ref(struct idl_row *, unsigned at, const struct db_datum *d, uint32_t i);
void idl_view_refresh(struct idl *, unsigned target, bool deleted); // rows that refer into the table
const struct db_datum *idl_row_value(const struct idl_row *, unsigned at);

// idl_row.c
struct idl_row *idl_row_new(struct idl_table *, const struct uuid *);
void idl_row_index(struct idl_row *);   // (re)hashes by key
void idl_row_unindex(struct idl_row *);
void idl_row_unlink(struct idl_row *);  // from hashes and lists, except tracked
void idl_row_free(struct idl_row *);
void idl_row_track(struct idl_row *, uint64_t changed);
void idl_rows_clear(struct idl *);

// idl_update.c. False: malformed.
enum idl_update_form { IDL_UPDATE_V1, IDL_UPDATE_V2 };
bool idl_update_apply(struct idl *, const json_t *updates, enum idl_update_form, bool replace);
void idl_datum_apply_diff(struct db_datum *, const struct idl_column *, struct db_datum *diff_take);

// idl_edit.c
struct idl_edit_column *idl_edit_find(const struct idl_row_edit *, unsigned at);
struct idl_row_edit *idl_edit_get(struct idl_row *); // made when missing; needs an open transaction
void idl_edit_undo(struct idl_row_edit *);           // row shows the server's values again; frees
void idl_edit_undo_all(struct idl_txn *);
bool idl_edit_changes(const struct idl_row_edit *);  // would change the database

// idl_ops.c. Appends the request with txn->request_id; notes which operations have the results.
void idl_ops_write(struct idl_txn *, struct str *out);

// idl_txn.c
void idl_txn_finish(struct idl_txn *, enum idl_txn_status);
void idl_txn_reply(struct idl_txn *, const json_t *result, const json_t *error);

// idl.c
void idl_notify(struct idl *);

#endif
