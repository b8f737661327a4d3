// SPDX-License-Identifier: Apache-2.0
// Transactions: from edits to the operations of RFC 7047 section 5.2, and from the reply to a
// status.
//
// Order of operations: assert (lock), wait (what was verified), changes row by row, mutate and
// select (increment), comment, abort (dry run). References to rows that the transaction inserts are
// written as named-uuid.
#include <assert.h>
#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "ovsdb/columns.h"
#include "ovsdb/idl_private.h"

LOG_MODULE(ovsdb_idl);

const char *
idl_txn_status_name(enum idl_txn_status status)
{
    static const char *const names[] = {"uncommitted", "unchanged", "incomplete", "aborted",
                                        "success",     "try again", "not locked", "error"};
    return names[status];
}

struct idl_txn *
idl_txn_new(struct idl *idl)
{
    struct idl_txn *txn = base_calloc(1, sizeof *txn);
    assert(!idl->open);
    txn->idl = idl;
    txn->status = IDL_TXN_UNCOMMITTED;
    CDS_INIT_LIST_HEAD(&txn->rows);
    idl->open = txn;
    return txn;
}

// Leaves the open or the pending state.
static void
settle(struct idl_txn *txn, enum idl_txn_status status)
{
    if (txn->status == IDL_TXN_INCOMPLETE) {
        cds_list_del(&txn->node);
    } else if (txn->status == IDL_TXN_UNCOMMITTED) {
        idl_edit_undo_all(txn);
        txn->idl->open = NULL;
    }
    txn->status = status;
}

void
idl_txn_finish(struct idl_txn *txn, enum idl_txn_status status)
{
    settle(txn, status);
}

void
idl_txn_free(struct idl_txn *txn)
{
    if (!txn) {
        return;
    }
    settle(txn, IDL_TXN_ABORTED);
    free(txn->comment);
    free(txn->error);
    free(txn->inserted);
    free(txn);
}

void
idl_txn_abort(struct idl_txn *txn)
{
    if (txn->status == IDL_TXN_UNCOMMITTED || txn->status == IDL_TXN_INCOMPLETE) {
        settle(txn, IDL_TXN_ABORTED);
    }
}

void
idl_txn_comment(struct idl_txn *txn, const char *text)
{
    char *joined = txn->comment ? base_asprintf("%s\n%s", txn->comment, text) : base_strdup(text);
    free(txn->comment);
    txn->comment = joined;
}

void
idl_txn_require_rows(struct idl_txn *txn)
{
    txn->requires_rows = true;
}

void
idl_txn_set_dry_run(struct idl_txn *txn)
{
    txn->dry_run = true;
}

void
idl_txn_increment(struct idl_txn *txn, const struct idl_row *row, unsigned column, bool force)
{
    assert(!txn->inc_row && txn->status == IDL_TXN_UNCOMMITTED);
    txn->inc_row = row;
    txn->inc_column = column;
    txn->inc_force = force;
    idl_edit_get(
        (struct idl_row *) row); // so that the row going away ends the transaction's hold on it
}

int64_t
idl_txn_increment_result(const struct idl_txn *txn)
{
    return txn->inc_result;
}

enum idl_txn_status
idl_txn_status(const struct idl_txn *txn)
{
    return txn->status;
}

const char *
idl_txn_error(const struct idl_txn *txn)
{
    return txn->error ? txn->error : idl_txn_status_name(txn->status);
}

struct idl_txn *
idl_open_txn(struct idl *idl)
{
    return idl->open;
}

const struct uuid *
idl_txn_inserted(const struct idl_txn *txn, const struct uuid *provisional)
{
    for (size_t i = 0; txn->status == IDL_TXN_SUCCESS && i < txn->n_inserted; i++) {
        if (uuid_equals(&txn->inserted[i].provisional, provisional)) {
            return &txn->inserted[i].real;
        }
    }
    return NULL;
}

// --- writing operations ---

static char *
symbol_name(const struct uuid *uuid, char out[UUID_LEN + 4])
{
    memcpy(out, "row", 3);
    uuid_format(uuid, out + 3);
    for (char *p = out + 3; *p; p++) {
        if (*p == '-') {
            *p = '_';
        }
    }
    return out;
}

// ["uuid", …], or ["named-uuid", …] for a row that this transaction inserts.
static json_t *
uuid_json(struct idl *idl, int table, const struct uuid *uuid)
{
    char text[UUID_LEN + 4];
    const struct idl_row *row = table >= 0 ? idl_row_by_uuid(idl, (unsigned) table, uuid) : NULL;
    if (row && row->edit && row->edit->inserted && !row->edit->explicit_uuid) {
        return json_pack("[ss]", "named-uuid", symbol_name(uuid, text));
    }
    uuid_format(uuid, text);
    return json_pack("[ss]", "uuid", text);
}

static json_t *
atom_json(struct idl *idl, const union db_atom *a, enum db_atomic type, int ref)
{
    return type == DB_UUID ? uuid_json(idl, ref, &a->uuid) : db_atom_to_json(a, type);
}

// keys_only: d has no values although the column is a map.
static json_t *
datum_json(struct idl *idl, const struct db_datum *d, const struct idl_column *c, bool keys_only)
{
    bool is_map = db_type_is_map(&c->wire) && !keys_only;
    if (d->n == 1 && !is_map) {
        return atom_json(idl, &d->keys[0], c->wire.key.type, c->key_ref);
    }
    json_t *items = json_array();
    for (uint32_t i = 0; i < d->n; i++) {
        json_t *item = atom_json(idl, &d->keys[i], c->wire.key.type, c->key_ref);
        if (is_map) {
            json_t *value = atom_json(idl, &d->values[i], c->wire.value.type, c->value_ref);
            item = json_pack("[oo]", item, value);
        }
        json_array_append_new(items, item);
    }
    return json_pack("[so]", is_map ? "map" : "set", items);
}

static json_t *
where_uuid(const struct idl_row *row)
{
    return json_pack("[[sso]]", "_uuid",
                     "==", uuid_json(row->table->idl, (int) row->table->id, &row->uuid));
}

static size_t
add_op(struct idl_txn *txn, json_t *ops, json_t *op)
{
    json_array_append_new(ops, op);
    return txn->n_ops++;
}

static void
add_wait(struct idl_txn *txn, json_t *ops, const struct idl_row_edit *e)
{
    const struct idl_row *row = e->row;
    json_t *columns = json_array(), *values = json_object();
    for (unsigned at = 0; at < row->table->meta->n; at++) {
        uint8_t slot = row->table->slots[at];
        if (!(e->verify >> at & 1) || slot == IDL_NO_SLOT) {
            continue;
        }
        const struct idl_column *c = idl_meta_column(row->table->meta->first + at);
        json_array_append_new(columns, json_string(c->name));
        json_object_set_new(values, c->name, datum_json(txn->idl, &row->data[slot], c, false));
    }
    if (!json_array_size(columns)) {
        json_array_append_new(columns, json_string("_uuid"));
        json_object_set_new(values, "_uuid", uuid_json(txn->idl, -1, &row->uuid));
    }
    add_op(txn, ops,
           json_pack("{sssssisosssos[o]}", "op", "wait", "table", row->table->meta->name, "timeout",
                     0, "where", where_uuid(row), "until", "==", "columns", columns, "rows",
                     values));
}

static void
add_insert(struct idl_txn *txn, json_t *ops, struct idl_row_edit *e)
{
    char name[UUID_LEN + 4];
    json_t *values = json_object();
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct idl_column *c = idl_meta_column(e->row->table->meta->first + e->columns[i].at);
        if (e->columns[i].has_now && !db_datum_is_default(&e->columns[i].now, &c->type)) {
            json_object_set_new(values, c->name,
                                datum_json(txn->idl, &e->columns[i].now, c, false));
        }
    }
    json_t *op =
        json_pack("{ssssso}", "op", "insert", "table", e->row->table->meta->name, "row", values);
    if (e->explicit_uuid) {
        uuid_format(&e->row->uuid, name);
        json_object_set_new(op, "uuid", json_string(name));
    } else {
        json_object_set_new(op, "uuid-name", json_string(symbol_name(&e->row->uuid, name)));
    }
    if (txn->n_inserted == txn->inserted_cap) {
        txn->inserted = base_grow(txn->inserted, &txn->inserted_cap, sizeof *txn->inserted);
    }
    struct idl_inserted *in = &txn->inserted[txn->n_inserted++];
    in->provisional = e->row->uuid;
    in->op = add_op(txn, ops, op);
}

static void
add_changes(struct idl_txn *txn, json_t *ops, const struct idl_row_edit *e)
{
    const struct idl_row *row = e->row;
    json_t *values = json_object(), *mutations = json_array();
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct idl_edit_column *ec = &e->columns[i];
        const struct idl_column *c = idl_meta_column(row->table->meta->first + ec->at);
        if (ec->replaced) {
            json_object_set_new(values, c->name, datum_json(txn->idl, &ec->now, c, false));
            continue;
        }
        if (ec->del.n) {
            json_t *keys = datum_json(txn->idl, &ec->del, c, true);
            json_array_append_new(mutations, json_pack("[sso]", c->name, "delete", keys));
        }
        if (ec->add.n) {
            json_t *elements = datum_json(txn->idl, &ec->add, c, false);
            json_array_append_new(mutations, json_pack("[sso]", c->name, "insert", elements));
        }
    }
    if (json_object_size(values)) {
        add_op(txn, ops,
               json_pack("{sssssoso}", "op", "update", "table", row->table->meta->name, "where",
                         where_uuid(row), "row", json_incref(values)));
    }
    if (json_array_size(mutations)) {
        add_op(txn, ops,
               json_pack("{sssssoso}", "op", "mutate", "table", row->table->meta->name, "where",
                         where_uuid(row), "mutations", json_incref(mutations)));
    }
    json_decref(values);
    json_decref(mutations);
}

static void
add_increment(struct idl_txn *txn, json_t *ops)
{
    const char *table = txn->inc_row->table->meta->name, *column = idl_column_name(txn->inc_column);
    add_op(txn, ops,
           json_pack("{sssssos[[ssi]]}", "op", "mutate", "table", table, "where",
                     where_uuid(txn->inc_row), "mutations", column, "+=", 1));
    txn->inc_op = add_op(txn, ops,
                         json_pack("{sssssos[s]}", "op", "select", "table", table, "where",
                                   where_uuid(txn->inc_row), "columns", column));
}

static json_t *
operations(struct idl_txn *txn)
{
    struct idl *idl = txn->idl;
    struct idl_row_edit *e;
    json_t *ops = json_array();
    json_array_append_new(ops, json_string(DB_SCHEMA_NAME));
    if (idl->lock_name) {
        add_op(txn, ops, json_pack("{ssss}", "op", "assert", "lock", idl->lock_name));
    }
    cds_list_for_each_entry (e, &txn->rows, node) {
        bool required = txn->requires_rows && !e->inserted && !e->deleted && idl_edit_changes(e);
        if (e->verify || required) {
            add_wait(txn, ops, e);
        }
    }
    cds_list_for_each_entry (e, &txn->rows, node) {
        if (e->deleted) {
            // Rows that aren't of the root set go by themselves with the last reference to them.
            if (e->row->table->meta->is_root) {
                add_op(txn, ops,
                       json_pack("{ssssso}", "op", "delete", "table", e->row->table->meta->name,
                                 "where", where_uuid(e->row)));
            }
        } else if (e->inserted) {
            add_insert(txn, ops, e);
        } else {
            add_changes(txn, ops, e);
        }
    }
    if (txn->inc_row) {
        add_increment(txn, ops);
    }
    if (txn->comment) {
        add_op(txn, ops, json_pack("{ssss}", "op", "comment", "comment", txn->comment));
    }
    if (txn->dry_run) {
        add_op(txn, ops, json_pack("{ss}", "op", "abort"));
    }
    return ops;
}

static bool
has_changes(const struct idl_txn *txn)
{
    const struct idl_row_edit *e;
    if (txn->inc_row && txn->inc_force) {
        return true;
    }
    cds_list_for_each_entry (e, &txn->rows, node) {
        if (idl_edit_changes(e)) {
            return true;
        }
    }
    return false;
}

enum idl_txn_status
idl_txn_commit(struct idl_txn *txn)
{
    struct idl *idl = txn->idl;
    if (txn->status != IDL_TXN_UNCOMMITTED) {
        return txn->status;
    }
    if (idl->lock_name && !idl->has_lock) {
        settle(txn, IDL_TXN_NOT_LOCKED);
    } else if (!has_changes(txn)) {
        settle(txn, IDL_TXN_UNCHANGED);
    } else if (!idl->conn || idl->state != IDL_SYNCED) {
        settle(txn, IDL_TXN_TRY_AGAIN);
    } else {
        json_t *ops = operations(txn);
        idl_edit_undo_all(txn);
        idl->open = NULL;
        txn->request_id = jsonrpc_request(idl->conn, "transact", ops);
        txn->status = IDL_TXN_INCOMPLETE;
        cds_list_add_tail(&txn->node, &idl->pending);
    }
    return txn->status;
}

enum idl_txn_status
idl_txn_commit_block(struct idl_txn *txn)
{
    idl_txn_commit(txn);
    while (txn->status == IDL_TXN_INCOMPLETE) {
        loop_turn(txn->idl->loop, -1);
    }
    return txn->status;
}

// --- reading the reply ---

static void
set_error(struct idl_txn *txn, const json_t *error)
{
    struct str s = STR_INIT;
    db_json_write(error, &s);
    free(txn->error);
    txn->error = str_take(&s);
}

static enum idl_txn_status
status_of_error(struct idl_txn *txn, const json_t *result)
{
    const char *code = json_string_value(json_object_get(result, "error"));
    if (code && !strcmp(code, "timed out")) {
        return IDL_TXN_TRY_AGAIN;
    }
    if (code && !strcmp(code, "not owner")) {
        return IDL_TXN_NOT_LOCKED;
    }
    if (code && !strcmp(code, "aborted") && txn->dry_run) {
        return IDL_TXN_SUCCESS;
    }
    set_error(txn, result);
    return IDL_TXN_ERROR;
}

static bool
read_inserted(struct idl_txn *txn, const json_t *results)
{
    for (size_t i = 0; i < txn->n_inserted; i++) {
        const json_t *uuid = json_object_get(json_array_get(results, txn->inserted[i].op), "uuid");
        const char *text = json_string_value(json_array_get(uuid, 1));
        if (!text || !uuid_parse(text, &txn->inserted[i].real)) {
            return false;
        }
    }
    return true;
}

static bool
read_increment(struct idl_txn *txn, const json_t *results)
{
    const json_t *rows = json_object_get(json_array_get(results, txn->inc_op), "rows");
    const json_t *value =
        json_object_get(json_array_get(rows, 0), idl_column_name(txn->inc_column));
    txn->inc_result = json_integer_value(value);
    return json_is_integer(value);
}

static enum idl_txn_status
read_results(struct idl_txn *txn, const json_t *results)
{
    // An operation that failed has an error; those after it are null, and a commit that failed
    // comes behind the last.
    bool ok = json_array_size(results) >= txn->n_ops;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *r = json_array_get(results, i);
        if (json_object_get(r, "error")) {
            return status_of_error(txn, r);
        } else if (json_is_null(r)) {
            ok = false;
        }
    }
    if (ok && (!read_inserted(txn, results) || (txn->inc_row && !read_increment(txn, results)))) {
        ok = false;
    }
    if (!ok) {
        free(txn->error);
        txn->error = base_strdup("malformed reply from the database server");
        return IDL_TXN_ERROR;
    }
    return IDL_TXN_SUCCESS;
}

void
idl_txn_reply(struct idl_txn *txn, const json_t *result, const json_t *error)
{
    enum idl_txn_status status;
    if (error && !json_is_null(error)) {
        set_error(txn, error);
        status = IDL_TXN_ERROR;
    } else {
        status = read_results(txn, result);
    }
    if (status == IDL_TXN_ERROR && !txn->idl->snapshot) { // else another try tells
        LOG_WARN("transaction error: %s", txn->error);
    }
    settle(txn, status);
}
