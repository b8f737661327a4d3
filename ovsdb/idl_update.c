// SPDX-License-Identifier: Apache-2.0
// Brings the server's updates into the replica: RFC 7047 <table-updates>, and the difference form
// (ovsdb-server(7), update2 and update3). First all rows come and go, then references are resolved,
// so that rows of one update may refer to each other in any order.
#include <stdlib.h>

#include "lib/base/log.h"
#include "ovsdb/error.h"
#include "ovsdb/idl_private.h"

LOG_MODULE(ovsdb_idl);

struct row_update {
    struct idl_row *row;
    const json_t *columns;  // object: column → value or difference
    bool is_diff, is_whole; // whole: columns left out have their default
};

struct batch {
    struct idl *idl;
    struct row_update *updates;
    size_t n, cap;
    bool inserted[IDL_N_TABLES],
        lingering[IDL_N_TABLES]; // lingering: deleted rows that are still referred to
    struct idl_row **deleted;
    size_t n_deleted, deleted_cap;
    bool loud; // something the program wants to hear of
};

static struct log_limit limit = LOG_LIMIT(5, 5);

static int
table_by_name(const char *name)
{
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        if (!strcmp(idl_table_name(i), name)) {
            return (int) i;
        }
    }
    return -1;
}

// Columns of a table stand in order of name.
static const struct idl_column *
column_by_name(const struct idl_table_meta *m, const char *name)
{
    unsigned lo = 0, hi = m->n;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        const struct idl_column *c = idl_meta_column(m->first + mid);
        int d = strcmp(name, c->name);
        if (!d) {
            return c;
        }
        if (d < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return NULL;
}

static void
add_update(struct batch *b, struct idl_row *row, const json_t *columns, bool is_diff)
{
    if (b->n == b->cap) {
        b->updates = base_grow(b->updates, &b->cap, sizeof *b->updates);
    }
    b->updates[b->n++] = (struct row_update){row, columns, is_diff, !is_diff};
}

static void
add_row(struct batch *b, struct idl_table *t, const struct uuid *uuid, const json_t *columns)
{
    struct idl_row *row = idl_row_by_uuid(b->idl, t->id, uuid);
    if (!row) {
        row = idl_row_new(t, uuid);
        row->is_new = true;
        t->n_rows++;
        b->inserted[t->id] = b->loud = true;
    }
    row->is_phantom = false;
    idl_row_track(row, 0);
    add_update(b, row, columns, false);
}

static void
delete_row(struct batch *b, struct idl_row *row)
{
    if (row->edit) {
        idl_edit_undo(row->edit);
    }
    idl_row_unlink(row);
    row->is_deleted = true;
    row->table->n_rows--;
    idl_view_forget(row);
    idl_row_track(row, 0);
    if (b->n_deleted == b->deleted_cap) {
        b->deleted = base_grow(b->deleted, &b->deleted_cap, sizeof(struct idl_row *));
    }
    b->deleted[b->n_deleted++] = row;
    b->loud = true;
}

// One row of update2: {"initial": row}, {"insert": row}, {"delete": null}, {"modify": differences}.
static bool
collect_v2(struct batch *b, struct idl_table *t, const struct uuid *uuid, const json_t *update)
{
    const json_t *columns;
    if ((columns = json_object_get(update, "initial")) ||
        (columns = json_object_get(update, "insert"))) {
        if (json_is_object(columns)) {
            add_row(b, t, uuid, columns);
        }
        return json_is_object(columns);
    }
    struct idl_row *row = idl_row_by_uuid(b->idl, t->id, uuid);
    if (!row) {
        LOG_WARN_RL(&limit, "server changed a row of table %s that the replica doesn't have",
                    t->meta->name);
        return true;
    }
    columns = json_object_get(update, "modify");
    if (columns) {
        if (json_is_object(columns)) {
            add_update(b, row, columns, true);
        }
        return json_is_object(columns);
    }
    delete_row(b, row);
    return true;
}

// One row of update: {"old": …, "new": row}; without "new" it is deleted.
static bool
collect_v1(struct batch *b, struct idl_table *t, const struct uuid *uuid, const json_t *update)
{
    const json_t *columns = json_object_get(update, "new");
    if (columns) {
        if (json_is_object(columns)) {
            add_row(b, t, uuid, columns);
        }
        return json_is_object(columns);
    }
    struct idl_row *row = idl_row_by_uuid(b->idl, t->id, uuid);
    if (row) {
        delete_row(b, row);
    }
    return true;
}

static bool
collect(struct batch *b, const json_t *updates, enum idl_update_form form)
{
    const char *name, *id;
    json_t *rows, *update;
    json_object_foreach((json_t *) updates, name, rows)
    {
        int table = table_by_name(name);
        if (table < 0 || !json_is_object(rows)) {
            return false;
        }
        struct idl_table *t = &b->idl->tables[table];
        json_object_foreach(rows, id, update)
        {
            struct uuid uuid;
            if (!uuid_parse(id, &uuid) || !json_is_object(update)) {
                return false;
            }
            if (!(form == IDL_UPDATE_V1 ? collect_v1 : collect_v2)(b, t, &uuid, update)) {
                return false;
            }
        }
    }
    return true;
}

// --- values ---

static void
xor_element(struct db_datum *d, const struct idl_column *c, const struct db_datum *diff, uint32_t i)
{
    const struct db_type *type = &c->wire;
    bool found;
    uint32_t at = db_datum_seek(d, &diff->keys[i], type->key.type, &found);
    union db_atom key, value;
    if (found) {
        bool same =
            !d->values || db_atom_equals(&d->values[at], &diff->values[i], type->value.type);
        db_datum_remove_at(d, type, at);
        if (same) {
            return;
        }
    }
    db_atom_clone(&key, &diff->keys[i], type->key.type);
    if (db_type_is_map(type)) {
        db_atom_clone(&value, &diff->values[i], type->value.type);
    }
    db_datum_insert(d, type, &key, db_type_is_map(type) ? &value : NULL);
}

// A difference: for scalars the new value; for sets the elements that came or went; for maps also
// pairs with a new value.
void
idl_datum_apply_diff(struct db_datum *d, const struct idl_column *c, struct db_datum *diff)
{
    if (!db_type_is_composite(&c->type)) {
        db_datum_swap(d, diff);
    } else if (!d->n) {
        db_datum_swap(d, diff);
    } else {
        for (uint32_t i = 0; i < diff->n; i++) {
            xor_element(d, c, diff, i);
        }
    }
    db_datum_destroy(diff, &c->wire);
}

// The common change of a large set: one reference more. The typed member follows in place.
static bool
grew_by_one(struct idl_row *row, const struct idl_column *c, struct db_datum *diff)
{
    struct db_datum *d = &row->data[row->table->slots[c->at]];
    bool found;
    if (c->key_ref < 0 || c->shape != IDL_SHAPE_SET || diff->n != 1 || row->edit) {
        return false;
    }
    uint32_t at = db_datum_seek(d, &diff->keys[0], DB_UUID, &found);
    if (found) {
        return false;
    }
    union db_atom key = diff->keys[0];
    db_datum_insert(d, &c->wire, &key, NULL);
    if (!idl_view_insert_ref(row, c->at, d, at)) {
        idl_view_reset(row, c->at);
    }
    db_datum_destroy(diff, &c->wire);
    return true;
}

static bool
apply_column(struct batch *b, const struct row_update *u, const struct idl_column *c,
             const json_t *value)
{
    struct idl_row *row = u->row;
    struct idl_table *t = row->table;
    uint8_t slot = t->slots[c->at];
    struct db_datum d;
    if (slot == IDL_NO_SLOT) {
        return true;
    }
    if (value) {
        struct db_error *e = db_datum_from_json_unsized(&d, &c->wire, value, NULL);
        if (e) {
            char *text = db_error_take_text(e);
            LOG_WARN_RL(&limit, "server sent a wrong value for column %s of table %s: %s", c->name,
                        t->meta->name, text);
            free(text);
            return false;
        }
    } else {
        db_datum_init_default(&d, &c->type);
    }
    if (u->is_diff) {
        if (!grew_by_one(row, c, &d)) {
            idl_datum_apply_diff(&row->data[slot], c, &d);
            idl_view_reset(row, c->at);
        }
    } else {
        bool same = db_datum_equals(&row->data[slot], &d, &c->wire);
        db_datum_swap(&row->data[slot], &d);
        idl_view_reset(row, c->at);
        db_datum_destroy(&d, &c->wire);
        if (same) {
            return true;
        }
    }
    idl_row_track(row, UINT64_C(1) << c->at);
    if (!(t->quiet >> c->at & 1)) {
        b->loud = true;
        t->seqno = b->idl->seqno + 1;
    }
    return true;
}

static bool
apply_row(struct batch *b, const struct row_update *u)
{
    const struct idl_table_meta *m = u->row->table->meta;
    bool ok = true;
    if (u->row->is_deleted) {
        return true;
    }
    if (u->is_whole) {
        for (unsigned i = 0; i < m->n; i++) {
            const struct idl_column *c = idl_meta_column(m->first + i);
            ok = apply_column(b, u, c, json_object_get(u->columns, c->name)) && ok;
        }
        return ok;
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *) u->columns, name, value)
    {
        const struct idl_column *c = column_by_name(m, name);
        ok = (!c || apply_column(b, u, c, value)) && ok;
    }
    return ok;
}

static void
mark_all(struct idl *idl, bool phantom)
{
    for (unsigned t = 0; t < IDL_N_TABLES; t++) {
        struct idl_row *r;
        cds_list_for_each_entry (r, &idl->tables[t].all, all) {
            r->is_phantom = phantom && !(r->edit && r->edit->inserted);
        }
    }
}

static void
delete_phantoms(struct batch *b)
{
    for (unsigned t = 0; t < IDL_N_TABLES; t++) {
        struct idl_row *r, *next;
        cds_list_for_each_entry_safe (r, next, &b->idl->tables[t].all, all) {
            if (r->is_phantom) {
                delete_row(b, r);
            }
        }
    }
}

static void
settle_references(struct batch *b)
{
    for (size_t i = 0; i < b->n_deleted; i++) {
        if (b->deleted[i]->n_refs) {
            b->lingering[b->deleted[i]->table->id] = true;
        }
        b->deleted[i]->table->seqno = b->idl->seqno + 1;
    }
    for (unsigned t = 0; t < IDL_N_TABLES; t++) {
        if (b->lingering[t]) {
            idl_view_refresh(b->idl, t, true);
        }
        if (b->inserted[t]) {
            b->idl->tables[t].seqno = b->idl->seqno + 1;
            if (b->idl->tables[t].dangling) {
                b->idl->tables[t].dangling = false;
                idl_view_refresh(b->idl, t, false);
            }
        }
    }
}

bool
idl_update_apply(struct idl *idl, const json_t *updates, enum idl_update_form form, bool replace)
{
    struct batch b = {.idl = idl};
    bool ok;
    if (!json_is_object(updates)) {
        return false;
    }
    if (replace) {
        mark_all(idl, true);
    }
    ok = collect(&b, updates, form);
    if (replace && ok) {
        delete_phantoms(&b);
    } else if (replace) {
        mark_all(idl, false);
    }
    for (size_t i = 0; i < b.n; i++) {
        ok = apply_row(&b, &b.updates[i]) && ok;
    }
    settle_references(&b);
    if (b.loud) {
        idl->seqno++;
    }
    free(b.updates);
    free(b.deleted);
    return ok;
}
