// SPDX-License-Identifier: Apache-2.0
// From the edits of a transaction to the text of its request (RFC 7047 section 4.1.3, 5.2).
//
// Order of operations: assert (lock), wait (what was verified), changes row by row, mutate and
// select (increment), comment, abort (dry run). References to rows that the transaction inserts are
// written as named-uuid. Names of tables and columns are <id>s, which need no escapes.
#include <inttypes.h>
#include <string.h>

#include "lib/base/str.h"
#include "ovsdb/columns.h"
#include "ovsdb/idl_private.h"

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
static void
write_uuid(struct str *out, struct idl *idl, int table, const struct uuid *uuid)
{
    const struct idl_row *row = table >= 0 ? idl_row_by_uuid(idl, (unsigned) table, uuid) : NULL;
    if (row && row->edit && row->edit->inserted && !row->edit->explicit_uuid) {
        char text[UUID_LEN + 4];
        str_add(out, "[\"named-uuid\",\"");
        str_add(out, symbol_name(uuid, text));
        str_add(out, "\"]");
    } else {
        db_atom_write_json(&(union db_atom){.uuid = *uuid}, DB_UUID, out);
    }
}

static void
write_atom(struct str *out, struct idl *idl, const union db_atom *a, enum db_atomic type, int ref)
{
    if (type == DB_UUID) {
        write_uuid(out, idl, ref, &a->uuid);
    } else {
        db_atom_write_json(a, type, out);
    }
}

// keys_only: d has no values although the column is a map.
static void
write_datum(struct str *out, struct idl *idl, const struct db_datum *d, const struct idl_column *c,
            bool keys_only)
{
    bool is_map = db_type_is_map(&c->wire) && !keys_only;
    if (d->n == 1 && !is_map) {
        write_atom(out, idl, &d->keys[0], c->wire.key.type, c->key_ref);
        return;
    }
    str_add(out, is_map ? "[\"map\",[" : "[\"set\",[");
    for (uint32_t i = 0; i < d->n; i++) {
        str_add(out, i ? "," : "");
        str_add(out, is_map ? "[" : "");
        write_atom(out, idl, &d->keys[i], c->wire.key.type, c->key_ref);
        if (is_map) {
            str_add_char(out, ',');
            write_atom(out, idl, &d->values[i], c->wire.value.type, c->value_ref);
            str_add_char(out, ']');
        }
    }
    str_add(out, "]]");
}

// {"op":NAME,"table":NAME — the caller goes on with a comma, or closes it. Returns its index.
static size_t
begin_op(struct idl_txn *txn, struct str *out, const char *op, const char *table)
{
    str_add(out, ",{\"op\":\"");
    str_add(out, op);
    if (table) {
        str_add(out, "\",\"table\":\"");
        str_add(out, table);
    }
    str_add_char(out, '"');
    return txn->n_ops++;
}

static size_t
begin_row_op(struct idl_txn *txn, struct str *out, const char *op, const struct idl_row *row)
{
    size_t n = begin_op(txn, out, op, row->table->meta->name);
    str_add(out, ",\"where\":[[\"_uuid\",\"==\",");
    write_uuid(out, txn->idl, (int) row->table->id, &row->uuid);
    str_add(out, "]]");
    return n;
}

// "NAME": with a comma in front of all but the first.
static void
write_name(struct str *out, const char *name, bool *any)
{
    str_add(out, *any ? ",\"" : "\"");
    str_add(out, name);
    str_add(out, "\":");
    *any = true;
}

static bool
is_verified(const struct idl_row_edit *e, unsigned at)
{
    const struct idl_table *t = e->row->table;
    return e->verify >> at & 1 && t->slots[at] != IDL_NO_SLOT && !(t->absent_columns >> at & 1);
}

static void
write_wait(struct idl_txn *txn, struct str *out, const struct idl_row_edit *e)
{
    const struct idl_row *row = e->row;
    unsigned n = row->table->meta->n, first = row->table->meta->first;
    bool any = false;
    begin_row_op(txn, out, "wait", row);
    str_add(out, ",\"timeout\":0,\"until\":\"==\",\"columns\":[");
    for (unsigned at = 0; at < n; at++) {
        if (is_verified(e, at)) {
            str_add(out, any ? ",\"" : "\"");
            str_add(out, idl_meta_column(first + at)->name);
            str_add_char(out, '"');
            any = true;
        }
    }
    str_add(out, any ? "],\"rows\":[{" : "\"_uuid\"],\"rows\":[{\"_uuid\":");
    if (!any) {
        write_uuid(out, txn->idl, -1, &row->uuid);
    }
    any = false;
    for (unsigned at = 0; at < n; at++) {
        if (is_verified(e, at)) {
            const struct idl_column *c = idl_meta_column(first + at);
            write_name(out, c->name, &any);
            write_datum(out, txn->idl, &row->data[row->table->slots[at]], c, false);
        }
    }
    str_add(out, "}]}");
}

static void
write_insert(struct idl_txn *txn, struct str *out, const struct idl_row_edit *e)
{
    char name[UUID_LEN + 4];
    const struct idl_row *row = e->row;
    bool any = false;
    size_t op = begin_op(txn, out, "insert", row->table->meta->name);
    if (e->explicit_uuid) {
        uuid_format(&row->uuid, name);
        str_add(out, ",\"uuid\":\"");
        str_add(out, name);
    } else {
        str_add(out, ",\"uuid-name\":\"");
        str_add(out, symbol_name(&row->uuid, name));
    }
    str_add(out, "\",\"row\":{");
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct idl_column *c = idl_meta_column(row->table->meta->first + e->columns[i].at);
        if (e->columns[i].has_now && !db_datum_is_default(&e->columns[i].now, &c->type)) {
            write_name(out, c->name, &any);
            write_datum(out, txn->idl, &e->columns[i].now, c, false);
        }
    }
    str_add(out, "}}");
    if (txn->n_inserted == txn->inserted_cap) {
        txn->inserted = base_grow(txn->inserted, &txn->inserted_cap, sizeof *txn->inserted);
    }
    struct idl_inserted *in = &txn->inserted[txn->n_inserted++];
    in->provisional = row->uuid;
    in->op = op;
}

static void
write_update(struct idl_txn *txn, struct str *out, const struct idl_row_edit *e)
{
    bool any = false;
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct idl_edit_column *ec = &e->columns[i];
        const struct idl_column *c = idl_meta_column(e->row->table->meta->first + ec->at);
        if (ec->replaced) {
            if (!any) {
                begin_row_op(txn, out, "update", e->row);
                str_add(out, ",\"row\":{");
            }
            write_name(out, c->name, &any);
            write_datum(out, txn->idl, &ec->now, c, false);
        }
    }
    str_add(out, any ? "}}" : "");
}

static void
write_mutate(struct idl_txn *txn, struct str *out, const struct idl_row_edit *e)
{
    bool any = false;
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct idl_edit_column *ec = &e->columns[i];
        const struct idl_column *c = idl_meta_column(e->row->table->meta->first + ec->at);
        for (int add = 0; add < 2 && !ec->replaced; add++) {
            const struct db_datum *d = add ? &ec->add : &ec->del;
            if (!d->n) {
                continue;
            }
            if (!any) {
                begin_row_op(txn, out, "mutate", e->row);
            }
            str_add(out, any ? ",[\"" : ",\"mutations\":[[\"");
            str_add(out, c->name);
            str_add(out, add ? "\",\"insert\"," : "\",\"delete\",");
            write_datum(out, txn->idl, d, c, !add);
            str_add_char(out, ']');
            any = true;
        }
    }
    str_add(out, any ? "]}" : "");
}

static void
write_increment(struct idl_txn *txn, struct str *out)
{
    const char *column = idl_column_name(txn->inc_column);
    begin_row_op(txn, out, "mutate", txn->inc_row);
    str_addf(out, ",\"mutations\":[[\"%s\",\"+=\",1]]}", column);
    txn->inc_op = begin_row_op(txn, out, "select", txn->inc_row);
    str_addf(out, ",\"columns\":[\"%s\"]}", column);
}

static void
write_text_op(struct idl_txn *txn, struct str *out, const char *op, const char *text)
{
    begin_op(txn, out, op, NULL);
    str_addf(out, ",\"%s\":", !strcmp(op, "assert") ? "lock" : op);
    str_add_json(out, text, strlen(text));
    str_add_char(out, '}');
}

static void
write_waits(struct idl_txn *txn, struct str *out)
{
    const struct idl_row_edit *e;
    cds_list_for_each_entry (e, &txn->rows, node) {
        bool required = txn->requires_rows && !e->inserted && !e->deleted && idl_edit_changes(e);
        if (e->verify || required) {
            write_wait(txn, out, e);
        }
    }
}

static void
write_changes(struct idl_txn *txn, struct str *out)
{
    const struct idl_row_edit *e;
    cds_list_for_each_entry (e, &txn->rows, node) {
        if (e->inserted && !e->deleted) {
            write_insert(txn, out, e);
        } else if (!e->deleted) {
            write_update(txn, out, e);
            write_mutate(txn, out, e);
        } else if (e->row->table->meta->is_root) {
            // The others go by themselves with the last reference to them.
            begin_row_op(txn, out, "delete", e->row);
            str_add_char(out, '}');
        }
    }
}

void
idl_ops_write(struct idl_txn *txn, struct str *out)
{
    str_addf(out, "{\"id\":%" PRIu64 ",\"method\":\"transact\",\"params\":[\"%s\"", txn->request_id,
             DB_SCHEMA_NAME);
    if (txn->idl->lock_name) {
        write_text_op(txn, out, "assert", txn->idl->lock_name);
    }
    write_waits(txn, out);
    write_changes(txn, out);
    if (txn->inc_row) {
        write_increment(txn, out);
    }
    if (txn->comment) {
        write_text_op(txn, out, "comment", txn->comment);
    }
    if (txn->dry_run) {
        begin_op(txn, out, "abort", NULL);
        str_add_char(out, '}');
    }
    str_add(out, "]}");
}
