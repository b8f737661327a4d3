// SPDX-License-Identifier: Apache-2.0
// Sets and maps of atoms, sorted by key.
#include <config.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"

void
db_datum_init_empty(struct db_datum *d)
{
    *d = (struct db_datum) {0, 0, NULL, NULL};
}

static union db_atom *
clone_atoms(const union db_atom *a, uint32_t n, enum db_atomic t)
{
    union db_atom *copy = base_memdup(a, n * sizeof *a);
    if (t == DB_STRING) {
        for (uint32_t i = 0; i < n; i++) {
            db_string_ref(copy[i].string);
        }
    }
    return copy;
}

void
db_datum_own(struct db_datum *d, const struct db_type *t)
{
    if (d->n && !d->cap) {
        struct db_datum shared = *d;
        db_datum_clone(d, &shared, t);
    }
}

void
db_datum_reserve(struct db_datum *d, const struct db_type *t, uint32_t n)
{
    db_datum_own(d, t);
    if (n > d->cap) {
        uint32_t cap = MAX(n, d->cap ? d->cap + d->cap / 2 + 1 : 1);
        d->keys = base_realloc(d->keys, cap * sizeof *d->keys);
        if (db_type_is_map(t)) {
            d->values = base_realloc(d->values, cap * sizeof *d->values);
        }
        d->cap = cap;
    }
}

void
db_datum_init_default(struct db_datum *d, const struct db_type *t)
{
    db_datum_init_empty(d);
    if (t->n_min) {
        union db_atom k, v;
        db_atom_init_default(&k, t->key.type);
        db_atom_init_default(&v, t->value.type);
        db_datum_push(d, &k, db_type_is_map(t) ? &v : NULL);
    }
}

bool
db_datum_is_default(const struct db_datum *d, const struct db_type *t)
{
    if (d->n != t->n_min) {
        return false;
    }
    for (uint32_t i = 0; i < d->n; i++) {
        if (!db_atom_is_default(&d->keys[i], t->key.type)
            || (d->values && !db_atom_is_default(&d->values[i], t->value.type))) {
            return false;
        }
    }
    return true;
}

void
db_datum_clone(struct db_datum *dst, const struct db_datum *src, const struct db_type *t)
{
    *dst = (struct db_datum) {src->n, src->n, NULL, NULL};
    if (src->n) {
        dst->keys = clone_atoms(src->keys, src->n, t->key.type);
        dst->values = src->values ? clone_atoms(src->values, src->n, t->value.type) : NULL;
    }
}

static void
free_atoms(union db_atom *a, uint32_t n, enum db_atomic t)
{
    if (t == DB_STRING) {
        for (uint32_t i = 0; i < n; i++) {
            db_string_unref(a[i].string);
        }
    }
    free(a);
}

void
db_datum_destroy(struct db_datum *d, const struct db_type *t)
{
    if (d->cap) {
        free_atoms(d->keys, d->n, t->key.type);
        if (d->values) {
            free_atoms(d->values, d->n, t->value.type);
        }
    }
    db_datum_init_empty(d);
}

void
db_datum_swap(struct db_datum *a, struct db_datum *b)
{
    struct db_datum c = *a;
    *a = *b;
    *b = c;
}

int
db_datum_compare(const struct db_datum *a, const struct db_datum *b, const struct db_type *t)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        int cmp = db_atom_compare(&a->keys[i], &b->keys[i], t->key.type);
        if (cmp) {
            return cmp;
        }
    }
    for (uint32_t i = 0; db_type_is_map(t) && i < a->n; i++) {
        int cmp = db_atom_compare(&a->values[i], &b->values[i], t->value.type);
        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

bool
db_datum_equals(const struct db_datum *a, const struct db_datum *b, const struct db_type *t)
{
    return !db_datum_compare(a, b, t);
}

uint32_t
db_datum_hash(const struct db_datum *d, const struct db_type *t, uint32_t seed)
{
    uint32_t h = hash_u64(d->n, seed);
    for (uint32_t i = 0; i < d->n; i++) {
        h = db_atom_hash(&d->keys[i], t->key.type, h);
        if (d->values) {
            h = db_atom_hash(&d->values[i], t->value.type, h);
        }
    }
    return h;
}

uint32_t
db_datum_seek(const struct db_datum *d, const union db_atom *key, enum db_atomic t, bool *found)
{
    uint32_t lo = 0, hi = d->n;
    *found = false;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int cmp = db_atom_compare(key, &d->keys[mid], t);
        if (!cmp) {
            *found = true;
            return mid;
        } else if (cmp < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

int64_t
db_datum_find(const struct db_datum *d, const union db_atom *key, enum db_atomic t)
{
    bool found;
    uint32_t i = db_datum_seek(d, key, t, &found);
    return found ? (int64_t) i : -1;
}

const struct db_string *
db_datum_find_string(const struct db_datum *map, const char *key)
{
    // Few pairs: walking beats making a key.
    for (uint32_t i = 0; i < map->n; i++) {
        if (!strcmp(map->keys[i].string->s, key)) {
            return map->values[i].string;
        }
    }
    return NULL;
}

bool
db_datum_insert(struct db_datum *d, const struct db_type *t, union db_atom *key, union db_atom *value)
{
    bool found;
    uint32_t i = db_datum_seek(d, key, t->key.type, &found);
    if (found) {
        db_atom_destroy(key, t->key.type);
        if (value) {
            db_atom_destroy(value, t->value.type);
        }
        return false;
    }
    db_datum_reserve(d, t, d->n + 1);
    memmove(&d->keys[i + 1], &d->keys[i], (d->n - i) * sizeof *d->keys);
    d->keys[i] = *key;
    if (value) {
        memmove(&d->values[i + 1], &d->values[i], (d->n - i) * sizeof *d->values);
        d->values[i] = *value;
    }
    d->n++;
    return true;
}

void
db_datum_remove_at(struct db_datum *d, const struct db_type *t, uint32_t i)
{
    db_datum_own(d, t);
    db_atom_destroy(&d->keys[i], t->key.type);
    memmove(&d->keys[i], &d->keys[i + 1], (d->n - i - 1) * sizeof *d->keys);
    if (d->values) {
        db_atom_destroy(&d->values[i], t->value.type);
        memmove(&d->values[i], &d->values[i + 1], (d->n - i - 1) * sizeof *d->values);
    }
    d->n--;
}

void
db_datum_push(struct db_datum *d, union db_atom *key, union db_atom *value)
{
    if (d->n >= d->cap) {
        d->cap = d->cap ? d->cap + d->cap / 2 + 1 : 1;
        d->keys = base_realloc(d->keys, d->cap * sizeof *d->keys);
        if (value) {
            d->values = base_realloc(d->values, d->cap * sizeof *d->values);
        }
    }
    d->keys[d->n] = *key;
    if (value) {
        d->values[d->n] = *value;
    }
    d->n++;
}

struct pair {
    union db_atom key, value;
    uint32_t order;
};

static int
compare_pairs(const void *a_, const void *b_, void *t_)
{
    const struct pair *a = a_, *b = b_;
    const struct db_type *t = t_;
    int cmp = db_atom_compare(&a->key, &b->key, t->key.type);
    return cmp ? cmp : a->order < b->order ? -1 : 1;
}

static bool
is_sorted(const struct db_datum *d, enum db_atomic t)
{
    for (uint32_t i = 1; i < d->n; i++) {
        if (db_atom_compare(&d->keys[i - 1], &d->keys[i], t) >= 0) {
            return false;
        }
    }
    return true;
}

uint32_t
db_datum_sort(struct db_datum *d, const struct db_type *t)
{
    if (is_sorted(d, t->key.type)) {
        return 0;
    }
    db_datum_own(d, t);
    struct pair *p = base_malloc(d->n * sizeof *p);
    for (uint32_t i = 0; i < d->n; i++) {
        p[i].key = d->keys[i];
        p[i].value = d->values ? d->values[i] : (union db_atom) {.integer = 0};
        p[i].order = i;
    }
    qsort_r(p, d->n, sizeof *p, compare_pairs, (void *) t);
    uint32_t n = 0, dropped = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        if (n && db_atom_equals(&d->keys[n - 1], &p[i].key, t->key.type)) {
            db_atom_destroy(&p[i].key, t->key.type);
            if (d->values) {
                db_atom_destroy(&p[i].value, t->value.type);
            }
            dropped++;
            continue;
        }
        d->keys[n] = p[i].key;
        if (d->values) {
            d->values[n] = p[i].value;
        }
        n++;
    }
    d->n = n;
    free(p);
    return dropped;
}

bool
db_datum_union(struct db_datum *a, const struct db_datum *b, const struct db_type *t, bool replace)
{
    bool changed = false;
    for (uint32_t i = 0; i < b->n; i++) {
        bool found;
        uint32_t j = db_datum_seek(a, &b->keys[i], t->key.type, &found);
        if (!found) {
            union db_atom k, v;
            db_atom_clone(&k, &b->keys[i], t->key.type);
            if (b->values) {
                db_atom_clone(&v, &b->values[i], t->value.type);
            }
            db_datum_insert(a, t, &k, b->values ? &v : NULL);
            changed = true;
        } else if (replace && b->values && !db_atom_equals(&a->values[j], &b->values[i], t->value.type)) {
            db_datum_own(a, t);
            db_atom_destroy(&a->values[j], t->value.type);
            db_atom_clone(&a->values[j], &b->values[i], t->value.type);
            changed = true;
        }
    }
    return changed;
}

bool
db_datum_subtract(struct db_datum *a, const struct db_type *t, const struct db_datum *b, const struct db_type *b_type)
{
    bool changed = false, pairs = db_type_is_map(t) && db_type_is_map(b_type);
    for (uint32_t i = 0; i < b->n; i++) {
        int64_t j = db_datum_find(a, &b->keys[i], t->key.type);
        if (j >= 0 && (!pairs || db_atom_equals(&a->values[j], &b->values[i], t->value.type))) {
            db_datum_remove_at(a, t, j);
            changed = true;
        }
    }
    return changed;
}

static bool
has_pair(const struct db_datum *b, const struct db_datum *a, uint32_t i, const struct db_type *t)
{
    int64_t j = db_datum_find(b, &a->keys[i], t->key.type);
    return j >= 0 && (!db_type_is_map(t) || db_atom_equals(&a->values[i], &b->values[j], t->value.type));
}

bool
db_datum_includes_all(const struct db_datum *a, const struct db_datum *b, const struct db_type *t)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (!has_pair(a, b, i, t)) {
            return false;
        }
    }
    return true;
}

bool
db_datum_excludes_all(const struct db_datum *a, const struct db_datum *b, const struct db_type *t)
{
    for (uint32_t i = 0; i < b->n; i++) {
        if (has_pair(a, b, i, t)) {
            return false;
        }
    }
    return true;
}

static void
set_one(struct db_datum *d, union db_atom key)
{
    db_datum_init_empty(d);
    db_datum_push(d, &key, NULL);
}

void
db_datum_set_integer(struct db_datum *d, int64_t v)
{
    set_one(d, (union db_atom) {.integer = v});
}

void
db_datum_set_boolean(struct db_datum *d, bool v)
{
    set_one(d, (union db_atom) {.boolean = v});
}

void
db_datum_set_string(struct db_datum *d, const char *s)
{
    set_one(d, (union db_atom) {.string = db_string_new(s, strlen(s))});
}

void
db_datum_set_uuid(struct db_datum *d, const struct uuid *u)
{
    set_one(d, (union db_atom) {.uuid = *u});
}
