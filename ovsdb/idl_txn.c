// SPDX-License-Identifier: Apache-2.0
// Transactions: their life, and from the server's reply to a status. ovsdb/idl_ops.c writes them.
#include <assert.h>
#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
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

// --- commit ---

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
        struct str request = STR_INIT;
        txn->request_id = jsonrpc_next_id(idl->conn);
        idl_ops_write(txn, &request);
        char *error = utf8_check(str_get(&request));
        if (error) { // the server would end the connection
            free(txn->error);
            txn->error = base_asprintf("constraint violation: not a valid UTF-8 string: %s", error);
            free(error);
            str_free(&request);
            settle(txn, IDL_TXN_ERROR);
            return txn->status;
        }
        jsonrpc_send_raw(idl->conn, request.p, request.len);
        str_free(&request);
        idl_edit_undo_all(txn);
        idl->open = NULL;
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
