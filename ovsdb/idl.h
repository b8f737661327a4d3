// SPDX-License-Identifier: Apache-2.0
// Client library for the Open_vSwitch database: a replica of chosen tables and columns as typed rows, kept up to date by
// the server (monitor_cond_since, or monitor_cond or monitor of older servers), and transactions that change the
// database as if they ran alone. Rows are generated from columns.def; see build-tree ovsdb/idl_rows.h.
//
// How a daemon uses it (one thread; everything happens on its loop):
//
//     struct idl *idl = idl_new(loop, "unix:/var/run/openvswitch/db.sock", &cbs, aux);
//     idl_want(idl, IDL_OPEN_VSWITCH_BRIDGES, IDL_READ);       // name each column it reads
//     idl_want(idl, IDL_BRIDGE_NAME, IDL_READ);
//     idl_want(idl, IDL_INTERFACE_OFPORT, IDL_READ | IDL_QUIET); // own status column: changes don't move the seqno
//     idl_set_lock(idl, "ovs_vswitchd");
//     idl_start(idl);
//     ... in cbs.changed():
//     if (!idl_is_synced(idl) || !idl_has_lock(idl)) return;
//     const struct idl_bridge *br;
//     IDL_BRIDGE_FOR_EACH(br, idl) {
//         for (size_t i = 0; i < br->n_ports; i++) use(br->ports[i]->name);           // references are pointers
//         const char *hw = idl_bridge_other_config_get(br, "hwaddr");                  // maps have _get
//         if (br->fail_mode && !strcmp(br->fail_mode, "secure")) ...                   // optional: NULL when unset
//     }
//     const struct idl_port *p;                                                        // or only what changed:
//     IDL_PORT_FOR_EACH_TRACKED(p, idl) {
//         if (idl_row_is_deleted(&p->row)) ... else if (idl_column_changed(&p->row, IDL_PORT_TAG)) ...
//     }
//     idl_track_clear(idl);                                                            // deleted rows are freed here
//
//     struct idl_txn *txn = idl_txn_new(idl);                                          // one at a time
//     int64_t ofport = 5;
//     idl_interface_set_ofport(iface, &ofport);                                        // setters act on the open transaction
//     idl_txn_commit(txn);                                                             // asynchronous: cbs.changed() comes
//     ... later: if ((st = idl_txn_status(txn)) != IDL_TXN_INCOMPLETE) { idl_txn_free(txn); ... retry on TRY_AGAIN }
//
// What is read, and when it changes: members of rows and what they point to are valid until the loop turns again (an
// update may come), except that deleted rows stay readable until idl_track_clear(). While a transaction is open, rows
// show the values it has set; idl_txn_commit() and idl_txn_free() take them back, and the server's update brings them
// for good (before the transaction's status becomes SUCCESS). Sets are sorted (numbers by value, text by bytes, references by uuid); pairs by
// key. A reference to a row that isn't in the replica is left out of its set and is NULL in an optional column; in a map the whole pair is left out.
// Columns that weren't asked for read as their default: 0, false, "", NULL, empty.
#ifndef OVSDB_IDL_H
#define OVSDB_IDL_H 1

#include "ovsdb/idl_core.h"
#include "ovsdb/idl_rows.h"

struct db_type;
struct loop;

struct idl_cbs {
    // The replica, the connection, the lock or a transaction's status has changed. From the loop, never from inside a call.
    void (*changed)(struct idl *, void *aux);
};

// --- connecting ---

// remotes: active connection methods separated by commas, tried in turn for ever with back-off. Nothing happens before
// idl_start(). idl_free() ends unfinished transactions as ABORTED (free them first).
struct idl *idl_new(struct loop *, const char *remotes, const struct idl_cbs *, void *aux);
void idl_free(struct idl *);
// One attempt only (idl_error() says how it failed), or, for a passive remote, waiting for the server to call. Before idl_start().
void idl_set_once(struct idl *);
// The replica stays as the server first tells it: no updates are sent. For one transaction that waits for nothing, when
// reading everything again after a failure is cheaper than hearing of its own changes. Before idl_start().
void idl_set_snapshot(struct idl *);
void idl_set_probe(struct idl *, int ms); // inactivity probe; 0: off
int idl_error(const struct idl *);        // idl_set_once(): 0 or the -errno (or EOF) that ended the connection
const char *idl_remotes(const struct idl *);
struct loop *idl_loop(const struct idl *);
// Other servers, keeping the replica until they answer.
void idl_set_remotes(struct idl *, const char *remotes);
void idl_reconnect(struct idl *);

enum idl_want_flags {
    IDL_READ = 1,  // keep the column in the replica
    IDL_QUIET = 2, // …without moving idl_seqno() when only such columns changed (columns the program itself writes)
};
// What is kept; before idl_start(). A table is kept when one of its columns is; idl_want_table() keeps the rows alone.
void idl_want(struct idl *, unsigned column, unsigned flags);
void idl_want_table(struct idl *, unsigned table);
void idl_want_all(struct idl *, unsigned table, unsigned flags); // all its columns
bool idl_wants(const struct idl *, unsigned column);
// Only rows that match any of the conditions are kept: column, function ("==", "!=", "<", "includes", "excludes" …), value in JSON text. May be
// called at any time; takes effect with the next update. idl_cond_none(): no rows at all; idl_cond_all(): all (default).
void idl_cond_add(struct idl *, unsigned column, const char *function, const char *json);
void idl_cond_none(struct idl *, unsigned table);
void idl_cond_all(struct idl *, unsigned table);

void idl_start(struct idl *);
bool idl_is_connected(const struct idl *);
bool idl_is_synced(const struct idl *);    // the replica has been complete once and a connection is up
bool idl_was_synced(const struct idl *);   // the replica has been complete once
// Grows with every change that the program sees: rows, connection, lock. 0 before the replica is complete.
uint64_t idl_seqno(const struct idl *);

// Lock of the server; transactions hold only while owning it. NULL: none. May change at any time.
void idl_set_lock(struct idl *, const char *name);
bool idl_has_lock(const struct idl *);
bool idl_is_lock_contended(const struct idl *); // asked for, and someone else has it

// --- rows beyond the typed accessors ---

// Change tracking: what changed since idl_track_clear().
bool idl_row_is_new(const struct idl_row *);
bool idl_row_is_deleted(const struct idl_row *);
bool idl_column_changed(const struct idl_row *, unsigned column);
uint64_t idl_row_changes(const struct idl_row *); // bit i: i-th column of its table
void idl_track_clear(struct idl *);
uint64_t idl_table_seqno(const struct idl *, unsigned table); // idl_seqno() of its last change
size_t idl_table_count(const struct idl *, unsigned table);   // rows of the replica

// Names and types.
const char *idl_table_name(unsigned table);     // "Flow_Table"
unsigned idl_table_first_column(unsigned table); // columns of a table are numbered in sequence, sorted by name
unsigned idl_table_n_columns(unsigned table);
bool idl_table_is_root(unsigned table);
const char *idl_column_name(unsigned column);
unsigned idl_column_table(unsigned column);
bool idl_column_is_mutable(unsigned column);
const struct db_type *idl_column_type(unsigned column);
int idl_column_ref_table(unsigned column, bool of_value); // table referred to, or -1
unsigned idl_row_table(const struct idl_row *);
struct idl *idl_row_idl(const struct idl_row *);
// Value of a column (as the open transaction shows it); NULL when the column isn't kept. Valid like a member.
const struct db_datum *idl_row_datum(const struct idl_row *, unsigned column);
// Replaces the value; takes the datum. Not checked: the server does.
void idl_row_write(const struct idl_row *, unsigned column, struct db_datum *take);
// Adds elements to (or removes them from) a set or map without sending the rest: no conflict with other writers. Takes
// the datum; replace: values of keys that exist already are replaced; remove: keys (of a map too).
void idl_row_insert_elements(const struct idl_row *, unsigned column, struct db_datum *take, bool replace);
void idl_row_remove_elements(const struct idl_row *, unsigned column, struct db_datum *take);

// --- transactions ---

enum idl_txn_status {
    IDL_TXN_UNCOMMITTED, // still being put together
    IDL_TXN_UNCHANGED,   // nothing to do: no request was sent
    IDL_TXN_INCOMPLETE,  // under way
    IDL_TXN_ABORTED,     // idl_txn_abort()
    IDL_TXN_SUCCESS,
    IDL_TXN_TRY_AGAIN,   // lost a race (or the connection): wait until idl_seqno() moves, read again, build it anew
    IDL_TXN_NOT_LOCKED,  // the lock isn't ours
    IDL_TXN_ERROR        // see idl_txn_error()
};
const char *idl_txn_status_name(enum idl_txn_status); // "try again"

struct idl_txn *idl_txn_new(struct idl *); // at most one is open (UNCOMMITTED) at a time; earlier ones may be INCOMPLETE
void idl_txn_free(struct idl_txn *);       // aborts it unless committed; the reply of an incomplete one is ignored
void idl_txn_comment(struct idl_txn *, const char *); // kept with the record in the database's journal
void idl_txn_set_dry_run(struct idl_txn *);           // the server checks everything, then changes nothing
// Adds 1 to an integer column; the new value is idl_txn_increment_result() after SUCCESS.
// force: also when the transaction has nothing else to do.
void idl_txn_increment(struct idl_txn *, const struct idl_row *, unsigned column, bool force);
int64_t idl_txn_increment_result(const struct idl_txn *);
// The transaction holds only if the rows that it changes still exist; else TRY_AGAIN. Otherwise changes of a row that has
// gone meanwhile are for nothing, and no error. (idl_…_verify_COLUMN(): only if the column still has the value in the replica.)
void idl_txn_require_rows(struct idl_txn *);

// True for a row that the (open) transaction inserts.
bool idl_txn_is_inserting(const struct idl_txn *, const struct idl_row *);
// Inserts a row under a provisional uuid that other columns may refer to already.
struct idl_row *idl_txn_insert_as(struct idl_txn *, unsigned table, const struct uuid *provisional);

enum idl_txn_status idl_txn_commit(struct idl_txn *); // sends it the first time; then tells the status
enum idl_txn_status idl_txn_commit_block(struct idl_txn *); // for tools: turns the loop until it is no longer INCOMPLETE
enum idl_txn_status idl_txn_status(const struct idl_txn *);
void idl_txn_abort(struct idl_txn *);
const char *idl_txn_error(const struct idl_txn *); // JSON text of the server's error, or a sentence
// After SUCCESS: the real uuid of a row that the transaction inserted with this provisional uuid, or NULL.
const struct uuid *idl_txn_inserted(const struct idl_txn *, const struct uuid *provisional);
struct idl_txn *idl_open_txn(struct idl *); // the UNCOMMITTED one or NULL

#endif
