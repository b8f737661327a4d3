// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/delta.h"

#include <stdlib.h>

void
db_delta_destroy(struct db_delta *d, const struct db_type *t)
{
    db_datum_destroy(&d->removed, t);
    db_datum_destroy(&d->added, t);
}

static void
put(struct db_datum *d, const struct db_type *t, const union db_atom *key,
    const union db_atom *value)
{
    union db_atom k, v;
    db_atom_clone(&k, key, t->key.type);
    if (value) {
        db_atom_clone(&v, value, t->value.type);
    }
    db_datum_insert(d, t, &k, value ? &v : NULL);
}

static const union db_atom *
value_at(const struct db_datum *d, uint32_t i)
{
    return d->values ? &d->values[i] : NULL;
}

// Both are sorted, so what is appended is too.
static void
append(struct db_datum *d, const struct db_type *t, const struct db_datum *src, uint32_t i)
{
    union db_atom k, v;
    db_atom_clone(&k, &src->keys[i], t->key.type);
    if (src->values) {
        db_atom_clone(&v, &src->values[i], t->value.type);
    }
    db_datum_push(d, &k, src->values ? &v : NULL);
}

void
db_delta_between(struct db_delta *d, const struct db_datum *old, const struct db_datum *new,
                 const struct db_type *t)
{
    uint32_t i = 0, k = 0;
    db_datum_init_empty(&d->removed);
    db_datum_init_empty(&d->added);
    while (i < old->n || k < new->n) {
        int cmp = i >= old->n   ? 1
                  : k >= new->n ? -1
                                : db_atom_compare(&old->keys[i], &new->keys[k], t->key.type);
        if (cmp < 0) {
            append(&d->removed, t, old, i++);
        } else if (cmp > 0) {
            append(&d->added, t, new, k++);
        } else {
            if (old->values && !db_atom_equals(&old->values[i], &new->values[k], t->value.type)) {
                append(&d->removed, t, old, i);
                append(&d->added, t, new, k);
            }
            i++;
            k++;
        }
    }
}

bool
db_delta_is_empty(const struct db_delta *d, const struct db_datum *new, const struct db_type *t)
{
    return db_type_is_composite(t) ? !d->removed.n && !d->added.n
                                   : db_datum_equals(&d->removed, new, t);
}

void
db_delta_remove(struct db_delta *d, const struct db_type *t, const union db_atom *key,
                const union db_atom *value)
{
    int64_t i = db_datum_find(&d->added, key, t->key.type);
    if (i >= 0) {
        db_datum_remove_at(&d->added, t, i);
    } else {
        put(&d->removed, t, key, value);
    }
}

void
db_delta_add(struct db_delta *d, const struct db_type *t, const union db_atom *key,
             const union db_atom *value)
{
    int64_t i = db_datum_find(&d->removed, key, t->key.type);
    if (i >= 0 && (!value || db_atom_equals(value, &d->removed.values[i], t->value.type))) {
        db_datum_remove_at(&d->removed, t, i);
    } else {
        put(&d->added, t, key, value);
    }
}

void
db_delta_compose(struct db_delta *a, const struct db_delta *b, const struct db_type *t)
{
    if (!db_type_is_composite(t)) {
        return; // the older old value stands
    }
    for (uint32_t i = 0; i < b->removed.n; i++) {
        db_delta_remove(a, t, &b->removed.keys[i], value_at(&b->removed, i));
    }
    for (uint32_t i = 0; i < b->added.n; i++) {
        db_delta_add(a, t, &b->added.keys[i], value_at(&b->added, i));
    }
}

static void
take_back(const struct db_delta *d, struct db_datum *value, const struct db_type *t)
{
    for (uint32_t i = 0; i < d->added.n; i++) {
        int64_t at = db_datum_find(value, &d->added.keys[i], t->key.type);
        if (at >= 0) {
            db_datum_remove_at(value, t, at);
        }
    }
    for (uint32_t i = 0; i < d->removed.n; i++) {
        put(value, t, &d->removed.keys[i], value_at(&d->removed, i));
    }
}

void
db_delta_old(const struct db_delta *d, const struct db_datum *new, const struct db_type *t,
             struct db_datum *old)
{
    if (!db_type_is_composite(t)) {
        db_datum_clone(old, &d->removed, t);
        return;
    }
    db_datum_clone(old, new, t);
    take_back(d, old, t);
}

void
db_delta_undo(struct db_delta *d, struct db_datum *value, const struct db_type *t)
{
    if (db_type_is_composite(t)) {
        take_back(d, value, t);
    } else {
        db_datum_swap(&d->removed, value);
    }
}

void
db_delta_symmetric(const struct db_delta *d, const struct db_type *t, struct db_datum *out)
{
    uint32_t i = 0, k = 0;
    db_datum_init_empty(out);
    while (i < d->removed.n || k < d->added.n) {
        int cmp = i >= d->removed.n ? 1
                  : k >= d->added.n
                      ? -1
                      : db_atom_compare(&d->removed.keys[i], &d->added.keys[k], t->key.type);
        if (cmp < 0) {
            append(out, t, &d->removed, i++);
        } else {
            append(out, t, &d->added, k++);
            i += cmp == 0;
        }
    }
}

void
db_delta_apply_symmetric(struct db_datum *value, const struct db_datum *diff,
                         const struct db_type *t)
{
    for (uint32_t i = 0; i < diff->n; i++) {
        int64_t at = db_datum_find(value, &diff->keys[i], t->key.type);
        if (at < 0) {
            put(value, t, &diff->keys[i], value_at(diff, i));
        } else if (diff->values &&
                   !db_atom_equals(&value->values[at], &diff->values[i], t->value.type)) {
            db_datum_own(value, t);
            db_atom_destroy(&value->values[at], t->value.type);
            db_atom_clone(&value->values[at], &diff->values[i], t->value.type);
        } else {
            db_datum_remove_at(value, t, at);
        }
    }
}
