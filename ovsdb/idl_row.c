// SPDX-License-Identifier: Apache-2.0
// Rows: made and freed, found by uuid and by key, iterated in the order in which they came, tracked
// while changed.
#include <assert.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "ovsdb/idl_private.h"

struct idl_row *
idl_row_new(struct idl_table *t, const struct uuid *uuid)
{
    struct idl_row *r = base_calloc(1, t->meta->row_size);
    r->uuid = *uuid;
    r->table = t;
    r->data = t->n_slots ? base_calloc(t->n_slots, sizeof *r->data) : NULL;
    for (unsigned i = 0; i < t->n_slots; i++) {
        db_datum_init_empty(&r->data[i]);
    }
    CDS_INIT_LIST_HEAD(&r->tracked);
    idl_view_init(r);
    hmap_insert(&t->rows, &r->by_uuid, uuid_hash(uuid));
    cds_list_add_tail(&r->all, &t->all);
    return r;
}

void
idl_row_unindex(struct idl_row *r)
{
    if (r->key) {
        hmap_remove(&r->table->keys, &r->by_key);
        r->key = NULL;
    }
}

void
idl_row_index(struct idl_row *r)
{
    struct idl_table *t = r->table;
    idl_row_unindex(r);
    const struct idl_column *c = idl_meta_column(t->meta->first + (unsigned) t->meta->key);
    bool known = t->slots[c->at] != IDL_NO_SLOT || (r->edit && idl_edit_find(r->edit, c->at));
    if (known && !r->is_deleted && !(r->edit && r->edit->deleted)) {
        r->key = *(const char **) (void *) ((char *) r + c->offset);
        hmap_insert(&t->keys, &r->by_key, hash_string(r->key, 0));
    }
}

void
idl_row_unlink(struct idl_row *r)
{
    idl_row_unindex(r);
    hmap_remove(&r->table->rows, &r->by_uuid);
    cds_list_del(&r->all);
}

void
idl_row_free(struct idl_row *r)
{
    cds_list_del(&r->tracked); // one of an unfinished transaction, too: what it refers to went first
    idl_view_free(r);
    for (unsigned at = 0; at < r->table->meta->n; at++) {
        uint8_t slot = r->table->slots[at];
        if (slot != IDL_NO_SLOT) {
            db_datum_destroy(&r->data[slot], &idl_meta_column(r->table->meta->first + at)->wire);
        }
    }
    free(r->data);
    free(r);
}

// Notes that columns of the row have changed.
void
idl_row_track(struct idl_row *r, uint64_t changed)
{
    r->changed |= changed;
    if (cds_list_empty(&r->tracked)) {
        cds_list_add_tail(&r->tracked, &r->table->tracked);
    }
}

void
idl_track_clear(struct idl *idl)
{
    for (unsigned t = 0; t < IDL_N_TABLES; t++) {
        struct idl_row *r, *next;
        cds_list_for_each_entry_safe (r, next, &idl->tables[t].tracked, tracked) {
            cds_list_del(&r->tracked);
            CDS_INIT_LIST_HEAD(&r->tracked);
            r->changed = 0;
            r->is_new = false;
            if (r->is_deleted) {
                idl_row_free(r);
            }
        }
    }
}

// Forgets every row, as if the replica had never been.
void
idl_rows_clear(struct idl *idl)
{
    idl_track_clear(idl);
    for (unsigned t = 0; t < IDL_N_TABLES; t++) {
        struct idl_row *r, *next;
        cds_list_for_each_entry_safe (r, next, &idl->tables[t].all, all) {
            idl_row_unlink(r);
            idl_row_free(r);
        }
        idl->tables[t].n_rows = 0;
    }
}

const struct db_datum *
idl_row_value(const struct idl_row *r, unsigned at)
{
    if (r->edit) {
        struct idl_edit_column *e = idl_edit_find(r->edit, at);
        if (e && e->has_now) {
            return &e->now;
        }
    }
    uint8_t slot = r->table->slots[at];
    return slot == IDL_NO_SLOT ? NULL : &r->data[slot];
}

const struct db_datum *
idl_row_datum(const struct idl_row *r, unsigned column)
{
    assert(idl_meta_column(column)->table == r->table->id);
    return idl_row_value(r, idl_meta_column(column)->at);
}

static struct idl_row *
skip_hidden(struct idl_table *t, struct cds_list_head *at)
{
    for (; at != &t->all; at = at->next) {
        struct idl_row *r = cds_list_entry(at, struct idl_row, all);
        if (!r->edit || !r->edit->deleted) {
            return r;
        }
    }
    return NULL;
}

struct idl_row *
idl_table_first(struct idl *idl, unsigned table)
{
    return skip_hidden(&idl->tables[table], idl->tables[table].all.next);
}

struct idl_row *
idl_table_next(const struct idl_row *r)
{
    return skip_hidden(r->table, r->all.next);
}

struct idl_row *
idl_tracked_first(struct idl *idl, unsigned table)
{
    struct cds_list_head *head = &idl->tables[table].tracked;
    return cds_list_empty(head) ? NULL : cds_list_entry(head->next, struct idl_row, tracked);
}

struct idl_row *
idl_tracked_next(const struct idl_row *r)
{
    struct cds_list_head *head = &r->table->tracked;
    return r->tracked.next == head ? NULL
                                   : cds_list_entry(r->tracked.next, struct idl_row, tracked);
}

struct idl_row *
idl_row_by_uuid(struct idl *idl, unsigned table, const struct uuid *uuid)
{
    struct idl_row *r;
    HMAP_FOR_EACH_HASH(r, by_uuid, uuid_hash(uuid), &idl->tables[table].rows)
    {
        if (uuid_equals(&r->uuid, uuid)) {
            return r;
        }
    }
    return NULL;
}

struct idl_row *
idl_row_by_key(struct idl *idl, unsigned table, const char *key)
{
    struct idl_row *r;
    HMAP_FOR_EACH_HASH(r, by_key, hash_string(key, 0), &idl->tables[table].keys)
    {
        if (!strcmp(r->key, key)) {
            return r;
        }
    }
    return NULL;
}

bool
idl_row_is_new(const struct idl_row *r)
{
    return r->is_new;
}

bool
idl_row_is_deleted(const struct idl_row *r)
{
    return r->is_deleted;
}

bool
idl_column_changed(const struct idl_row *r, unsigned column)
{
    return r->changed >> idl_meta_column(column)->at & 1;
}

uint64_t
idl_row_changes(const struct idl_row *r)
{
    return r->changed;
}

uint64_t
idl_table_seqno(const struct idl *idl, unsigned table)
{
    return idl->tables[table].seqno;
}

size_t
idl_table_count(const struct idl *idl, unsigned table)
{
    return idl->tables[table].n_rows;
}

unsigned
idl_row_table(const struct idl_row *r)
{
    return r->table->id;
}

struct idl *
idl_row_idl(const struct idl_row *r)
{
    return r->table->idl;
}
