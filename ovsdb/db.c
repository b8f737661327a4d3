// SPDX-License-Identifier: Apache-2.0
// Tables and rows. A row is one block: header, data of its columns, nodes of its indexes.
#include "ovsdb/db.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "ovsdb/error.h"
#include "ovsdb/history.h"

static uint8_t
base_traits(const struct db_base *b)
{
    return db_base_is_strong_ref(b) ? DB_TRAIT_STRONG : db_base_is_weak_ref(b) ? DB_TRAIT_WEAK : 0;
}

static struct db_table *
table_new(struct db *db, const struct db_table_schema *schema)
{
    struct db_table *t = base_calloc(1, sizeof *t);
    t->db = db;
    t->schema = schema;
    hmap_init(&t->rows);
    t->traits = base_calloc(schema->n_columns, 1);
    t->defaults = base_calloc(schema->n_columns, sizeof *t->defaults);
    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct db_column_schema *c = schema->columns[i];
        t->traits[i] = base_traits(&c->type.key) | base_traits(&c->type.value) |
                       (c->persistent && i >= DB_N_STD_COLS ? DB_TRAIT_PERSISTENT : 0);
        db_datum_init_default(&t->defaults[i], &c->type);
        t->defaults[i].cap = 0; // rows share it
    }
    t->indexes = base_calloc(schema->n_indexes + 1, sizeof *t->indexes);
    for (size_t i = 0; i < schema->n_indexes; i++) {
        hmap_init(&t->indexes[i]);
        for (size_t k = 0; k < schema->indexes[i].n; k++) {
            t->traits[schema->indexes[i].columns[k]->index] |= DB_TRAIT_INDEXED;
        }
    }
    for (size_t i = 0; i < schema->n_columns; i++) {
        t->all_traits |= t->traits[i];
    }
    return t;
}

static void
table_free(struct db_table *t)
{
    struct db_row *row;
    HMAP_FOR_EACH_SAFE (row, by_uuid, &t->rows) {
        db_row_free(row);
    }
    hmap_destroy(&t->rows);
    for (size_t i = 0; i < t->schema->n_indexes; i++) {
        hmap_destroy(&t->indexes[i]);
    }
    for (size_t i = 0; i < t->schema->n_columns; i++) {
        t->defaults[i].cap = t->defaults[i].n;
        db_datum_destroy(&t->defaults[i], &t->schema->columns[i]->type);
    }
    free(t->indexes);
    free(t->traits);
    free(t->defaults);
    free(t);
}

struct db *
db_new(struct db_schema *schema)
{
    struct db *db = base_calloc(1, sizeof *db);
    db->schema = schema;
    CDS_INIT_LIST_HEAD(&db->observers);
    uuid_generate(&db->last_txn);
    db->tables = base_calloc(schema->n_tables + 1, sizeof *db->tables);
    for (size_t i = 0; i < schema->n_tables; i++) {
        db->tables[i] = table_new(db, schema->tables[i]);
    }
    return db;
}

void
db_free(struct db *db)
{
    if (!db) {
        return;
    }
    db_history_free(db->history);
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        table_free(db->tables[i]);
    }
    free(db->tables);
    db_schema_free(db->schema);
    free(db);
}

struct db_table *
db_table_find(const struct db *db, const char *name)
{
    const struct db_table_schema *t = db_schema_table(db->schema, name);
    return t ? db->tables[t->index] : NULL;
}

struct db_row *
db_row_find(const struct db_table *t, const struct uuid *uuid)
{
    struct db_row *row;
    HMAP_FOR_EACH_HASH(row, by_uuid, uuid_hash(uuid), &t->rows)
    {
        if (uuid_equals(&row->uuid.uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

size_t
db_n_rows(const struct db *db)
{
    size_t n = 0;
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        n += hmap_count(&db->tables[i]->rows);
    }
    return n;
}

size_t
db_n_cells(const struct db *db)
{
    size_t n = 0;
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            for (size_t k = 0; k < row->table->schema->n_columns; k++) {
                n += row->data[k].n * (row->data[k].values ? 2 : 1);
            }
        }
    }
    return n;
}

void
db_observe(struct db *db, struct db_observer *o)
{
    cds_list_add_tail(&o->in_db, &db->observers);
}

void
db_unobserve(struct db_observer *o)
{
    cds_list_del(&o->in_db);
}

// --- rows ---

struct db_row *
db_row_alloc(struct db_table *t)
{
    size_t head = sizeof(struct db_row) + t->schema->n_columns * sizeof(struct db_datum);
    struct db_row *row = base_calloc(1, head + t->schema->n_indexes * sizeof(struct db_index_node));
    row->table = t;
    row->index = (struct db_index_node *) (void *) ((char *) row + head);
    row->data[DB_COL_UUID] = (struct db_datum){1, 0, &row->uuid, NULL};
    row->data[DB_COL_VERSION] = (struct db_datum){1, 0, &row->version, NULL};
    for (size_t i = 0; i < t->schema->n_indexes; i++) {
        row->index[i].row = row;
    }
    return row;
}

struct db_row *
db_row_new(struct db_table *t, const struct uuid *uuid)
{
    struct db_row *row = db_row_alloc(t);
    row->uuid.uuid = *uuid;
    uuid_generate(&row->version.uuid);
    memcpy(row->data + DB_N_STD_COLS, t->defaults + DB_N_STD_COLS,
           (t->schema->n_columns - DB_N_STD_COLS) * sizeof *row->data);
    return row;
}

void
db_row_free(struct db_row *row)
{
    if (!row) {
        return;
    }
    const struct db_table_schema *s = row->table->schema;
    for (size_t i = DB_N_STD_COLS; i < s->n_columns; i++) {
        db_datum_destroy(&row->data[i], &s->columns[i]->type);
    }
    while (row->weak) {
        struct db_weak *w = row->weak;
        row->weak = w->next;
        free(w);
    }
    free(row);
}

static uint32_t
index_hash(const struct db_index_schema *x, const struct db_datum *const values[])
{
    uint32_t h = 0;
    for (size_t k = 0; k < x->n; k++) {
        h = db_datum_hash(values[k], &x->columns[k]->type, h);
    }
    return h;
}

static uint32_t
row_index_hash(const struct db_row *row, const struct db_index_schema *x)
{
    uint32_t h = 0;
    for (size_t k = 0; k < x->n; k++) {
        h = db_datum_hash(&row->data[x->columns[k]->index], &x->columns[k]->type, h);
    }
    return h;
}

void
db_row_index(struct db_row *row)
{
    for (size_t i = 0; i < row->table->schema->n_indexes; i++) {
        hmap_insert(&row->table->indexes[i], &row->index[i].node,
                    row_index_hash(row, &row->table->schema->indexes[i]));
    }
}

void
db_row_unindex(struct db_row *row)
{
    for (size_t i = 0; i < row->table->schema->n_indexes; i++) {
        hmap_remove(&row->table->indexes[i], &row->index[i].node);
    }
}

void
db_row_link(struct db_row *row)
{
    hmap_insert(&row->table->rows, &row->by_uuid, uuid_hash(&row->uuid.uuid));
    db_row_index(row);
}

void
db_row_unlink(struct db_row *row)
{
    hmap_remove(&row->table->rows, &row->by_uuid);
    db_row_unindex(row);
}

static bool
same_values(const struct db_row *row, const struct db_index_schema *x,
            const struct db_datum *const values[])
{
    for (size_t k = 0; k < x->n; k++) {
        if (!db_datum_equals(&row->data[x->columns[k]->index], values[k], &x->columns[k]->type)) {
            return false;
        }
    }
    return true;
}

struct db_row *
db_row_twin(const struct db_row *row, size_t i)
{
    const struct db_index_schema *x = &row->table->schema->indexes[i];
    struct db_index_node *n;
    HMAP_FOR_EACH_HASH(n, node, row->index[i].node.hash, &row->table->indexes[i])
    {
        if (n->row == row) {
            continue;
        }
        bool same = true;
        for (size_t k = 0; same && k < x->n; k++) {
            unsigned c = x->columns[k]->index;
            same = db_datum_equals(&row->data[c], &n->row->data[c], &x->columns[k]->type);
        }
        if (same) {
            return n->row;
        }
    }
    return NULL;
}

struct db_row *
db_index_find(const struct db_table *t, size_t i, const struct db_datum *const values[],
              const struct db_row *after)
{
    const struct db_index_schema *x = &t->schema->indexes[i];
    uint32_t hash = after ? after->index[i].node.hash : index_hash(x, values);
    struct hmap_node *n = hmap_hash_next(
        after ? after->index[i].node.next : *hmap_bucket(&t->indexes[i], hash), hash);
    for (; n; n = hmap_hash_next(n->next, hash)) {
        struct db_row *row = CONTAINER_OF(n, struct db_index_node, node)->row;
        if (same_values(row, x, values)) {
            return row;
        }
    }
    return NULL;
}

// --- references ---

static void
weak_add_one(struct db_row *src, const struct db_column_schema *c, const struct db_base *b,
             const union db_atom *a)
{
    struct db_row *dst = db_row_find(src->table->db->tables[b->ref->index], &a->uuid);
    if (dst) {
        struct db_weak *w = base_malloc(sizeof *w);
        *w = (struct db_weak){dst->weak, src, c};
        dst->weak = w;
    }
}

static void
weak_remove_one(struct db_row *src, const struct db_column_schema *c, const struct db_base *b,
                const union db_atom *a)
{
    struct db_row *dst = db_row_find(src->table->db->tables[b->ref->index], &a->uuid);
    for (struct db_weak **p = dst ? &dst->weak : NULL; p && *p; p = &(*p)->next) {
        if ((*p)->src == src && (*p)->column == c) {
            struct db_weak *w = *p;
            *p = w->next;
            free(w);
            return;
        }
    }
}

typedef void weak_fn(struct db_row *, const struct db_column_schema *, const struct db_base *,
                     const union db_atom *);

static void
weak_each(struct db_row *src, const struct db_column_schema *c, const struct db_datum *d,
          weak_fn *fn)
{
    for (uint32_t i = 0; i < d->n; i++) {
        if (db_base_is_weak_ref(&c->type.key)) {
            fn(src, c, &c->type.key, &d->keys[i]);
        }
        if (db_base_is_weak_ref(&c->type.value)) {
            fn(src, c, &c->type.value, &d->values[i]);
        }
    }
}

void
db_weak_add(struct db_row *src, const struct db_column_schema *c, const struct db_datum *d)
{
    weak_each(src, c, d, weak_add_one);
}

void
db_weak_remove(struct db_row *src, const struct db_column_schema *c, const struct db_datum *d)
{
    weak_each(src, c, d, weak_remove_one);
}

// What a row of a file refers to. The value of an ephemeral column has gone, and its default may
// refer to nothing until somebody sets it.
static struct db_error *
resolve_strong(struct db_row *src, const struct db_column_schema *c, const struct db_base *b,
               const union db_atom *atoms)
{
    for (uint32_t i = 0; db_base_is_strong_ref(b) && i < src->data[c->index].n; i++) {
        struct db_row *dst = db_row_find(src->table->db->tables[b->ref->index], &atoms[i].uuid);
        if (!dst && !(src->table->traits[c->index] & DB_TRAIT_PERSISTENT)) {
            continue;
        }
        if (!dst) {
            char from[UUID_LEN + 1], to[UUID_LEN + 1];
            uuid_format(&src->uuid.uuid, from);
            uuid_format(&atoms[i].uuid, to);
            return db_error_new(
                "referential integrity violation",
                "Table %s column %s row %s references nonexistent row %s in table %s.",
                src->table->schema->name, c->name, from, to, b->ref_table);
        }
        dst->n_refs++;
    }
    return NULL;
}

static struct db_error *
resolve_row(struct db_row *row)
{
    struct db_table *t = row->table;
    for (size_t i = DB_N_STD_COLS; i < t->schema->n_columns; i++) {
        const struct db_column_schema *c = t->schema->columns[i];
        if (t->traits[i] & DB_TRAIT_STRONG) {
            struct db_error *e = resolve_strong(row, c, &c->type.key, row->data[i].keys);
            e = e ? e : resolve_strong(row, c, &c->type.value, row->data[i].values);
            if (e) {
                return e;
            }
        }
        if (t->traits[i] & DB_TRAIT_WEAK) {
            db_weak_add(row, c, &row->data[i]);
        }
    }
    return NULL;
}

struct db_error *
db_resolve_all(struct db *db)
{
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        struct db_row *row;
        if (!(db->tables[i]->all_traits & (DB_TRAIT_STRONG | DB_TRAIT_WEAK))) {
            continue;
        }
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            struct db_error *e = resolve_row(row);
            if (e) {
                return e;
            }
        }
    }
    return NULL;
}

void
db_row_write_json(const struct db_row *row, struct str *out)
{
    const struct db_table *t = row->table;
    bool any = false;
    str_add_char(out, '{');
    for (size_t i = DB_N_STD_COLS; i < t->schema->n_columns; i++) {
        const struct db_type *type = &t->schema->columns[i]->type;
        if (t->traits[i] & DB_TRAIT_PERSISTENT && !db_datum_is_default(&row->data[i], type)) {
            str_add(out, any ? ",\"" : "\"");
            str_add(out, t->schema->columns[i]->name);
            str_add(out, "\":");
            db_datum_write_json(&row->data[i], type, out);
            any = true;
        }
    }
    str_add_char(out, '}');
}
