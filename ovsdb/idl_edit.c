// SPDX-License-Identifier: Apache-2.0
// What the open transaction changes. Each row it touches has one idl_row_edit with a list of
// columns: replaced whole, or with elements to add and keys to delete. Rows show the result at
// once; idl_edit_undo() shows the server's values again.
#include <assert.h>
#include <stdlib.h>

#include "ovsdb/idl_private.h"

struct idl_edit_column *
idl_edit_find(const struct idl_row_edit *e, unsigned at)
{
    for (size_t i = 0; i < e->n_columns; i++) {
        if (e->columns[i].at == at) {
            return &e->columns[i];
        }
    }
    return NULL;
}

struct idl_row_edit *
idl_edit_get(struct idl_row *row)
{
    if (!row->edit) {
        struct idl_txn *txn = row->table->idl->open;
        assert(txn && txn->status == IDL_TXN_UNCOMMITTED);
        struct idl_row_edit *e = base_calloc(1, sizeof *e);
        e->row = row;
        e->txn = txn;
        cds_list_add_tail(&e->node, &txn->rows);
        row->edit = e;
    }
    return row->edit;
}

static void
destroy_column(struct idl_edit_column *c, const struct idl_column *meta)
{
    if (c->has_now) {
        db_datum_destroy(&c->now, &meta->wire);
    }
    db_datum_destroy(&c->add, &meta->wire);
    struct db_type keys = meta->wire;
    keys.value.type = DB_VOID;
    db_datum_destroy(&c->del, &keys);
}

static void
free_edit(struct idl_row_edit *e)
{
    unsigned first = e->row->table->meta->first;
    for (size_t i = 0; i < e->n_columns; i++) {
        destroy_column(&e->columns[i], idl_meta_column(first + e->columns[i].at));
    }
    cds_list_del(&e->node);
    e->row->edit = NULL;
    free(e->columns);
    free(e);
}

static void
undo_existing(struct idl_row_edit *e)
{
    struct idl_row *row = e->row;
    bool deleted = e->deleted;
    for (size_t i = 0; i < e->n_columns; i++) {
        uint8_t slot = row->table->slots[e->columns[i].at];
        idl_view_set(row, e->columns[i].at, slot == IDL_NO_SLOT ? NULL : &row->data[slot]);
    }
    free_edit(e);
    if (deleted && row->table->meta->key >= 0) {
        idl_row_index(row);
    }
}

// Its references are forgotten already.
static void
undo_inserted(struct idl_row_edit *e)
{
    struct idl_row *row = e->row;
    free_edit(e);
    idl_row_free(row);
}

void
idl_edit_undo(struct idl_row_edit *e)
{
    struct idl_row *row = e->row;
    if (!e->inserted) {
        undo_existing(e);
        return;
    }
    idl_view_forget(row);
    idl_row_unlink(row);
    row->is_deleted = true;
    if (row->n_refs) {
        idl_view_refresh(row->table->idl, row->table->id, true);
    }
    undo_inserted(e);
}

void
idl_edit_undo_all(struct idl_txn *txn)
{
    struct idl_row_edit *e, *next;
    cds_list_for_each_entry (e, &txn->rows, node) {
        if (e->inserted) {
            idl_row_unlink(e->row); // so that references to it no longer resolve
        }
    }
    cds_list_for_each_entry_safe (e, next, &txn->rows, node) {
        if (!e->inserted) {
            undo_existing(e);
        }
    }
    cds_list_for_each_entry (e, &txn->rows, node) {
        idl_view_forget(e->row);
    }
    cds_list_for_each_entry_safe (e, next, &txn->rows, node) {
        undo_inserted(e);
    }
}

static struct idl_edit_column *
column_get(struct idl_row_edit *e, unsigned at)
{
    struct idl_edit_column *c = idl_edit_find(e, at);
    if (!c) {
        if (e->n_columns == e->cap) {
            e->columns = base_grow(e->columns, &e->cap, sizeof *e->columns);
        }
        c = &e->columns[e->n_columns++];
        memset(c, 0, sizeof *c);
        c->at = at;
        db_datum_init_empty(&c->now);
        db_datum_init_empty(&c->add);
        db_datum_init_empty(&c->del);
    }
    return c;
}

bool
idl_edit_changes(const struct idl_row_edit *e)
{
    if (e->deleted) {
        return e->row->table->meta->is_root; // others go with the last reference to them
    }
    if (e->inserted) {
        return true;
    }
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct idl_edit_column *c = &e->columns[i];
        uint8_t slot = e->row->table->slots[c->at];
        const struct idl_column *meta = idl_meta_column(e->row->table->meta->first + c->at);
        if (!c->replaced) {
            if (c->add.n || c->del.n) {
                return true;
            }
        } else if (slot == IDL_NO_SLOT ||
                   !db_datum_equals(&e->row->data[slot], &c->now, &meta->wire)) {
            return true;
        }
    }
    return false;
}

static struct idl_row *
own(const struct idl_row *row, unsigned column, const struct idl_column **meta)
{
    *meta = idl_meta_column(column);
    assert((*meta)->table == row->table->id && !row->is_deleted);
    return (struct idl_row *) row;
}

void
idl_row_write(const struct idl_row *row_, unsigned column, struct db_datum *take)
{
    const struct idl_column *meta;
    struct idl_row *row = own(row_, column, &meta);
    struct idl_table *t = row->table;
    uint8_t slot = t->slots[meta->at];
    struct idl_edit_column *c = row->edit ? idl_edit_find(row->edit, meta->at) : NULL;
    // Columns that only this program writes: the same value again is no change.
    if (!c && slot != IDL_NO_SLOT && (t->quiet >> meta->at & 1) &&
        db_datum_equals(&row->data[slot], take, &meta->wire)) {
        db_datum_destroy(take, &meta->wire);
        return;
    }
    c = column_get(idl_edit_get(row), meta->at);
    db_datum_swap(&c->now, take);
    if (c->has_now) {
        db_datum_destroy(take, &meta->wire);
    }
    c->has_now = c->replaced = true;
    idl_view_set(row, meta->at, &c->now);
}

// Makes `now` ready for a change of single elements; NULL when the value isn't known (column not
// kept).
static struct db_datum *
prepare(struct idl_row *row, const struct idl_column *meta, struct idl_edit_column *c)
{
    uint8_t slot = row->table->slots[meta->at];
    if (!c->has_now) {
        if (row->edit->inserted) {
            c->replaced = true;
        } else if (slot == IDL_NO_SLOT) {
            return NULL;
        } else {
            db_datum_clone(&c->now, &row->data[slot], &meta->wire);
        }
        c->has_now = true;
        idl_view_set(row, meta->at, &c->now);
    }
    return &c->now;
}

static void
insert_clone(struct db_datum *d, const struct idl_column *meta, const struct db_datum *from,
             uint32_t i)
{
    union db_atom key, value;
    bool is_map = db_type_is_map(&meta->wire);
    db_atom_clone(&key, &from->keys[i], meta->wire.key.type);
    if (is_map) {
        db_atom_clone(&value, &from->values[i], meta->wire.value.type);
    }
    db_datum_insert(d, &meta->wire, &key, is_map ? &value : NULL);
}

// Removes a key; true when it was there. keys_only: d has no values.
static bool
remove_key(struct db_datum *d, const struct idl_column *meta, const union db_atom *key,
           bool keys_only)
{
    struct db_type type = meta->wire;
    bool found;
    if (keys_only) {
        type.value.type = DB_VOID;
    }
    uint32_t at = db_datum_seek(d, key, type.key.type, &found);
    if (found) {
        db_datum_remove_at(d, &type, at);
    }
    return found;
}

static void
note_deleted(struct idl_edit_column *c, const struct idl_column *meta, const union db_atom *key)
{
    struct db_type keys = meta->wire;
    union db_atom copy;
    keys.value.type = DB_VOID;
    db_atom_clone(&copy, key, keys.key.type);
    db_datum_insert(&c->del, &keys, &copy, NULL);
}

static void
insert_element(struct idl_row *row, const struct idl_column *meta, struct idl_edit_column *c,
               const struct db_datum *from, uint32_t i)
{
    bool is_map = db_type_is_map(&meta->wire), found = false;
    struct db_datum *now = prepare(row, meta, c);
    uint32_t at = 0;
    if (now) {
        at = db_datum_seek(now, &from->keys[i], meta->wire.key.type, &found);
        if (found && is_map &&
            !db_atom_equals(&now->values[at], &from->values[i], meta->wire.value.type)) {
            db_datum_remove_at(now, &meta->wire, at);
            found = false;
        }
        if (!found) {
            insert_clone(now, meta, from, i);
            if (now->n == 1 || !idl_view_insert_ref(row, meta->at, now, at)) {
                idl_view_set(row, meta->at, now);
            }
        }
    }
    if (!c->replaced) {
        remove_key(&c->add, meta, &from->keys[i], false);
        if (is_map) {
            note_deleted(c, meta, &from->keys[i]);
        } else {
            remove_key(&c->del, meta, &from->keys[i], true);
        }
        insert_clone(&c->add, meta, from, i);
    }
}

void
idl_row_insert_elements(const struct idl_row *row_, unsigned column, struct db_datum *take,
                        bool replace)
{
    const struct idl_column *meta;
    struct idl_row *row = own(row_, column, &meta);
    struct idl_edit_column *c = column_get(idl_edit_get(row), meta->at);
    for (uint32_t i = 0; i < take->n; i++) {
        if (!replace && prepare(row, meta, c) &&
            db_datum_find(&c->now, &take->keys[i], meta->wire.key.type) >= 0) {
            continue;
        }
        insert_element(row, meta, c, take, i);
    }
    db_datum_destroy(take, &meta->wire);
}

void
idl_row_remove_elements(const struct idl_row *row_, unsigned column, struct db_datum *take)
{
    const struct idl_column *meta;
    struct idl_row *row = own(row_, column, &meta);
    struct idl_edit_column *c = column_get(idl_edit_get(row), meta->at);
    struct db_datum *now = prepare(row, meta, c);
    struct db_type keys = meta->wire;
    bool changed = false;
    keys.value.type = DB_VOID;
    for (uint32_t i = 0; i < take->n; i++) {
        bool had = !now || remove_key(now, meta, &take->keys[i], false);
        changed = changed || (had && now);
        if (!c->replaced) {
            remove_key(&c->add, meta, &take->keys[i], false);
            if (had) {
                note_deleted(c, meta, &take->keys[i]);
            }
        }
    }
    if (changed) {
        idl_view_set(row, meta->at, now);
    }
    db_datum_destroy(take, &keys);
}

void
idl_verify(const struct idl_row *row_, unsigned column)
{
    const struct idl_column *meta;
    struct idl_row *row = own(row_, column, &meta);
    if ((row->edit && row->edit->inserted) || row->table->slots[meta->at] == IDL_NO_SLOT) {
        return;
    }
    idl_edit_get(row)->verify |= UINT64_C(1) << meta->at;
}

struct idl_row *
idl_row_insert(struct idl_txn *txn, unsigned table, const struct uuid *uuid)
{
    struct uuid own_uuid;
    assert(txn->status == IDL_TXN_UNCOMMITTED);
    if (!uuid) {
        uuid_generate(&own_uuid);
    }
    struct idl_row *row = idl_row_new(&txn->idl->tables[table], uuid ? uuid : &own_uuid);
    for (unsigned at = 0; at < row->table->meta->n; at++) {
        if (row->table->slots[at] != IDL_NO_SLOT) {
            db_datum_init_default(&row->data[row->table->slots[at]], &idl_meta_column(row->table->meta->first + at)->type);
        }
    }
    struct idl_row_edit *e = idl_edit_get(row);
    e->inserted = true;
    e->explicit_uuid = uuid != NULL;
    return row;
}

struct idl_row *
idl_txn_insert_as(struct idl_txn *txn, unsigned table, const struct uuid *provisional)
{
    struct idl_row *row = idl_row_insert(txn, table, provisional);
    row->edit->explicit_uuid = false;
    return row;
}

bool
idl_txn_is_inserting(const struct idl_txn *txn, const struct idl_row *row)
{
    return row->edit && row->edit->txn == txn && row->edit->inserted;
}

void
idl_row_delete(const struct idl_row *row_)
{
    struct idl_row *row = (struct idl_row *) row_;
    struct idl_row_edit *e = idl_edit_get(row);
    if (e->inserted) {
        idl_edit_undo(e); // never was
        return;
    }
    e->deleted = true;
    idl_row_unindex(row);
}

// --- typed setters ---

static void
take_key(struct db_datum *d, union db_atom key)
{
    db_datum_push(d, &key, NULL);
}

static union db_atom
string_atom(const char *s)
{
    return (union db_atom){.string = db_string_new(s, strlen(s))};
}

static void
finish(const struct idl_row *row, unsigned column, struct db_datum *d)
{
    if (d->n > 1) {
        db_datum_sort(d, &idl_meta_column(column)->wire);
    }
    idl_row_write(row, column, d);
}

void
idl_set_ints(const struct idl_row *row, unsigned column, const int64_t *v, size_t n)
{
    struct db_datum d;
    db_datum_init_empty(&d);
    for (size_t i = 0; i < n; i++) {
        take_key(&d, (union db_atom){.integer = v[i]});
    }
    finish(row, column, &d);
}

void
idl_set_bool(const struct idl_row *row, unsigned column, const bool *v)
{
    struct db_datum d;
    db_datum_init_empty(&d);
    if (v) {
        take_key(&d, (union db_atom){.boolean = *v});
    }
    finish(row, column, &d);
}

void
idl_set_strings(const struct idl_row *row, unsigned column, const char *const *v, size_t n)
{
    struct db_datum d;
    db_datum_init_empty(&d);
    for (size_t i = 0; i < n; i++) {
        take_key(&d, string_atom(v[i]));
    }
    finish(row, column, &d);
}

void
idl_set_refs(const struct idl_row *row, unsigned column, const void *rows, size_t n)
{
    const struct idl_row *const *v = rows;
    struct db_datum d;
    db_datum_init_empty(&d);
    for (size_t i = 0; i < n; i++) {
        take_key(&d, (union db_atom){.uuid = v[i]->uuid});
    }
    finish(row, column, &d);
}

static union db_atom
pair_atom(const struct idl_column *c, bool is_value, const void *slot)
{
    const struct db_base *base = is_value ? &c->wire.value : &c->wire.key;
    switch (base->type) {
    case DB_STRING:
        return string_atom(*(const char *const *) slot);
    case DB_UUID:
        return (union db_atom){.uuid = (*(const struct idl_row *const *) slot)->uuid};
    default:
        return (union db_atom){.integer = *(const int64_t *) slot};
    }
}

void
idl_set_map(const struct idl_row *row, unsigned column, const void *pairs, size_t n)
{
    const struct idl_column *c = idl_meta_column(column);
    const struct idl_pair_si *v = pairs; // all pairs: two members of 8 bytes
    struct db_datum d;
    db_datum_init_empty(&d);
    for (size_t i = 0; i < n; i++) {
        union db_atom key = pair_atom(c, false, &v[i].key), value = pair_atom(c, true, &v[i].value);
        db_datum_push(&d, &key, &value);
    }
    finish(row, column, &d);
}

void
idl_refs_add(const struct idl_row *row, unsigned column, const struct idl_row *ref)
{
    struct db_datum d;
    db_datum_init_empty(&d);
    take_key(&d, (union db_atom){.uuid = ref->uuid});
    idl_row_insert_elements(row, column, &d, true);
}

void
idl_refs_remove(const struct idl_row *row, unsigned column, const struct idl_row *ref)
{
    struct db_datum d;
    db_datum_init_empty(&d);
    take_key(&d, (union db_atom){.uuid = ref->uuid});
    idl_row_remove_elements(row, column, &d);
}

void
idl_map_put(const struct idl_row *row, unsigned column, const char *key, const char *value)
{
    struct db_datum d;
    union db_atom k = string_atom(key), v = string_atom(value);
    db_datum_init_empty(&d);
    db_datum_push(&d, &k, &v);
    idl_row_insert_elements(row, column, &d, true);
}

void
idl_map_del(const struct idl_row *row, unsigned column, const char *key)
{
    struct db_datum d;
    db_datum_init_empty(&d);
    take_key(&d, string_atom(key));
    idl_row_remove_elements(row, column, &d);
}
