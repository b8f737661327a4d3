// SPDX-License-Identifier: Apache-2.0
// Typed members of rows. Text and optional numbers point into the datum they were made from; sets
// and maps are arrays of our own. References are pointers to rows, each counted in the row it
// points to, so that a deleted row that somebody still points to is noticed.
#include <stdlib.h>

#include "ovsdb/idl_private.h"

struct pair_ref { // idl_pair_ir_…, idl_pair_sr_…
    union {
        int64_t i;
        const char *s;
    } key;
    union {
        int64_t i;
        const char *s;
        struct idl_row *r;
    } value;
};
_Static_assert(sizeof(struct pair_ref) == sizeof(struct idl_pair_ss), "pairs have one layout");
_Static_assert(sizeof(struct pair_ref) == sizeof(struct idl_pair_si), "pairs have one layout");

static void *
member(const struct idl_row *row, const struct idl_column *c)
{
    return (char *) (void *) row + c->offset;
}

static size_t *
count(const struct idl_row *row, const struct idl_column *c)
{
    return (size_t *) (void *) ((char *) (void *) row + c->offset - sizeof(size_t));
}

static void **
array(const struct idl_row *row, const struct idl_column *c)
{
    return (void **) member(row, c);
}

// Room for n references: the next power of two, so that idl_view_insert_ref() knows when it is used
// up.
static size_t
ref_room(size_t n)
{
    size_t room = 1;
    while (room < n) {
        room *= 2;
    }
    return room;
}

static struct idl_row *
resolve(struct idl *idl, int table, const struct uuid *uuid)
{
    struct idl_table *t = &idl->tables[table];
    struct idl_row *r = idl_row_by_uuid(idl, (unsigned) table, uuid);
    if (!r && t->wanted) {
        t->dangling = true;
    }
    return r;
}

static void
unref(struct idl_row *r)
{
    if (r) {
        r->n_refs--;
    }
}

// Takes back the counts of what the member refers to.
static void
drop_refs(struct idl_row *row, const struct idl_column *c)
{
    if (c->key_ref >= 0 && c->shape != IDL_SHAPE_MAP) {
        if (c->shape == IDL_SHAPE_SET) {
            struct idl_row **refs = *array(row, c);
            for (size_t i = 0; i < *count(row, c); i++) {
                unref(refs[i]);
            }
        } else {
            unref(*(struct idl_row **) member(row, c));
        }
    } else if (c->value_ref >= 0) {
        const struct pair_ref *p = *array(row, c);
        for (size_t i = 0; i < *count(row, c); i++) {
            unref(p[i].value.r);
        }
    }
}

static void
set_single(struct idl_row *row, const struct idl_column *c, const struct db_datum *d)
{
    const union db_atom *a = d && d->n ? &d->keys[0] : NULL;
    bool opt = c->shape == IDL_SHAPE_OPT;
    void *m = member(row, c);
    switch (c->type.key.type) {
    case DB_INTEGER:
        if (opt) {
            *(const int64_t **) m = a ? &a->integer : NULL;
        } else {
            *(int64_t *) m = a ? a->integer : 0;
        }
        break;
    case DB_BOOLEAN:
        if (opt) {
            *(const bool **) m = a ? &a->boolean : NULL;
        } else {
            *(bool *) m = a && a->boolean;
        }
        break;
    case DB_STRING:
        *(const char **) m = a ? a->string->s : opt ? NULL : "";
        break;
    case DB_UUID: {
        struct idl_row *r = a ? resolve(row->table->idl, c->key_ref, &a->uuid) : NULL;
        *(struct idl_row **) m = r;
        if (r) {
            r->n_refs++;
        }
        break;
    }
    case DB_VOID:
    case DB_REAL:
    case DB_N_ATOMIC:
        break;
    }
}

static void
set_set(struct idl_row *row, const struct idl_column *c, const struct db_datum *d)
{
    size_t n = 0, max = d ? d->n : 0;
    void **out = array(row, c);
    if (!max) {
        free(*out);
        *out = NULL;
    } else if (c->type.key.type == DB_INTEGER) {
        int64_t *v = *out = base_realloc(*out, max * sizeof *v);
        for (; n < max; n++) {
            v[n] = d->keys[n].integer;
        }
    } else if (c->type.key.type == DB_STRING) {
        const char **v = *out = base_realloc(*out, max * sizeof *v);
        for (; n < max; n++) {
            v[n] = d->keys[n].string->s;
        }
    } else {
        struct idl_row **v = *out = base_realloc(*out, ref_room(max) * sizeof *v);
        for (size_t i = 0; i < max; i++) {
            struct idl_row *r = resolve(row->table->idl, c->key_ref, &d->keys[i].uuid);
            if (r) {
                r->n_refs++;
                v[n++] = r;
            }
        }
    }
    *count(row, c) = n;
}

static void
set_map(struct idl_row *row, const struct idl_column *c, const struct db_datum *d)
{
    size_t n = 0, max = d ? d->n : 0;
    void **out = array(row, c);
    struct pair_ref *v = NULL;
    if (max) {
        v = base_realloc(*out, max * sizeof *v);
    } else {
        free(*out);
    }
    *out = v;
    for (size_t i = 0; i < max; i++) {
        const union db_atom *val = &d->values[i];
        if (c->type.key.type == DB_STRING) {
            v[n].key.s = d->keys[i].string->s;
        } else {
            v[n].key.i = d->keys[i].integer;
        }
        if (c->value_ref >= 0) {
            struct idl_row *r = resolve(row->table->idl, c->value_ref, &val->uuid);
            if (!r) {
                continue;
            }
            r->n_refs++;
            v[n].value.r = r;
        } else if (c->type.value.type == DB_STRING) {
            v[n].value.s = val->string->s;
        } else {
            v[n].value.i = val->integer;
        }
        n++;
    }
    *count(row, c) = n;
}

void
idl_view_set(struct idl_row *row, unsigned at, const struct db_datum *d)
{
    const struct idl_column *c = idl_meta_column(row->table->meta->first + at);
    drop_refs(row, c);
    if (c->shape == IDL_SHAPE_MAP) {
        set_map(row, c, d);
    } else if (c->shape == IDL_SHAPE_SET) {
        set_set(row, c, d);
    } else {
        set_single(row, c, d);
    }
    if ((int) at == row->table->meta->key) {
        idl_row_index(row);
    }
}

bool
idl_view_insert_ref(struct idl_row *row, unsigned at, const struct db_datum *d, uint32_t i)
{
    const struct idl_column *c = idl_meta_column(row->table->meta->first + at);
    if (c->shape != IDL_SHAPE_SET || c->key_ref < 0 || *count(row, c) + 1 != d->n) {
        return false;
    }
    struct idl_row *r = resolve(row->table->idl, c->key_ref, &d->keys[i].uuid);
    if (!r) {
        return false;
    }
    struct idl_row **v = *array(row, c);
    size_t n = *count(row, c);
    if (ref_room(n) < n + 1 || !n) {
        v = *array(row, c) = base_realloc(v, ref_room(n + 1) * sizeof *v);
    }
    memmove(&v[i + 1], &v[i], (n - i) * sizeof *v);
    v[i] = r;
    r->n_refs++;
    *count(row, c) = n + 1;
    return true;
}

void
idl_view_init(struct idl_row *row)
{
    for (unsigned i = 0; i < row->table->meta->n; i++) {
        const struct idl_column *c = idl_meta_column(row->table->meta->first + i);
        if (c->shape == IDL_SHAPE_ONE && c->type.key.type == DB_STRING) {
            *(const char **) member(row, c) = "";
        }
    }
}

void
idl_view_reset(struct idl_row *row, unsigned at)
{
    idl_view_set(row, at, idl_row_value(row, at));
}

void
idl_view_forget(struct idl_row *row)
{
    for (unsigned i = 0; i < row->table->meta->n; i++) {
        drop_refs(row, idl_meta_column(row->table->meta->first + i));
    }
}

void
idl_view_free(struct idl_row *row)
{
    for (unsigned i = 0; i < row->table->meta->n; i++) {
        const struct idl_column *c = idl_meta_column(row->table->meta->first + i);
        if (c->shape == IDL_SHAPE_SET || c->shape == IDL_SHAPE_MAP) {
            free(*array(row, c));
        }
    }
}

static bool
refers_to_deleted(const struct idl_row *row, const struct idl_column *c)
{
    if (c->shape == IDL_SHAPE_MAP) {
        const struct pair_ref *p = *array(row, c);
        for (size_t i = 0; i < *count(row, c); i++) {
            if (p[i].value.r->is_deleted) {
                return true;
            }
        }
        return false;
    }
    if (c->shape == IDL_SHAPE_SET) {
        struct idl_row *const *refs = *array(row, c);
        for (size_t i = 0; i < *count(row, c); i++) {
            if (refs[i]->is_deleted) {
                return true;
            }
        }
        return false;
    }
    const struct idl_row *r = *(struct idl_row **) member(row, c);
    return r && r->is_deleted;
}

static bool
is_incomplete(const struct idl_row *row, const struct idl_column *c)
{
    const struct db_datum *d = idl_row_value(row, c->at);
    if (!d || !d->n) {
        return false;
    }
    return c->shape == IDL_SHAPE_SET || c->shape == IDL_SHAPE_MAP
               ? *count(row, c) != d->n
               : !*(struct idl_row **) member(row, c);
}

// Makes anew the members that refer into the table and are out of date: to deleted rows (deleted),
// or left incomplete.
void
idl_view_refresh(struct idl *idl, unsigned target, bool deleted)
{
    for (unsigned id = 0; id < IDL_N_COLUMNS; id++) {
        const struct idl_column *c = idl_meta_column(id);
        if (c->key_ref != (int) target && c->value_ref != (int) target) {
            continue;
        }
        struct idl_row *row;
        cds_list_for_each_entry (row, &idl->tables[c->table].all, all) {
            if (deleted ? refers_to_deleted(row, c) : is_incomplete(row, c)) {
                idl_view_reset(row, c->at);
                idl_row_track(row, UINT64_C(1) << c->at);
            }
        }
    }
}

const char *
idl_pairs_get(const struct idl_pair_ss *pairs, size_t n, const char *key)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int d = strcmp(key, pairs[mid].key);
        if (!d) {
            return pairs[mid].value;
        }
        if (d < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return NULL;
}
