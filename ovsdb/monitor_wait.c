// SPDX-License-Identifier: Apache-2.0
// What a client doesn't know yet: a monitor that waits keeps, for each row that changed, what the
// client last saw. For a row that it saw, those are the old values of the columns that changed
// since (all that the view shows, once the row is deleted); for one that it didn't, nothing. The
// rows themselves are looked up when the client is told, so what waits is never more than the rows
// that the client sees, or saw, however often they change.
#include <stdlib.h>

#include "ovsdb/monitor_priv.h"
#include "ovsdb/txn.h"

struct saved {
    unsigned column;
    struct db_datum value;
};

struct entry {
    struct hmap_node by_uuid;
    struct uuid uuid;
    bool known;              // the client saw the row
    struct uuid old_version; // known: as it saw it
    struct saved *saved;     // known: columns that may be different now
    uint32_t n_saved;
};

struct db_wait {
    const struct db_view *view;
    size_t n_tables;
    struct hmap tables[]; // struct entry, by_uuid
};

struct db_wait *
db_wait_new(const struct db_view *v)
{
    size_t n = db_monitors_db(v->owner)->schema->n_tables;
    struct db_wait *w = base_calloc(1, sizeof *w + n * sizeof w->tables[0]);
    w->view = v;
    w->n_tables = n;
    for (size_t i = 0; i < n; i++) {
        hmap_init(&w->tables[i]);
    }
    return w;
}

static void
entry_free(struct db_wait *w, size_t table, struct entry *e)
{
    hmap_remove(&w->tables[table], &e->by_uuid);
    for (uint32_t i = 0; i < e->n_saved; i++) {
        const struct db_table_schema *s = w->view->tables[table].table->schema;
        db_datum_destroy(&e->saved[i].value, &s->columns[e->saved[i].column]->type);
    }
    free(e->saved);
    free(e);
}

void
db_wait_free(struct db_wait *w)
{
    if (!w) {
        return;
    }
    for (size_t i = 0; i < w->n_tables; i++) {
        struct entry *e;
        HMAP_FOR_EACH_SAFE (e, by_uuid, &w->tables[i]) {
            entry_free(w, i, e);
        }
        hmap_destroy(&w->tables[i]);
    }
    free(w);
}

// --- as transactions come ---

static bool
shows(const struct db_view_table *vt, unsigned column)
{
    for (size_t i = 0; i < vt->n_columns; i++) {
        if (vt->columns[i].column->index == column) {
            return true;
        }
    }
    return false;
}

// What the client sees depends on the column.
static bool
matters(const struct db_view_table *vt, unsigned column)
{
    for (size_t i = 0; !vt->all_rows && i < vt->condition.n; i++) {
        const struct db_column_schema *c = vt->condition.clauses[i].column;
        if (c && c->index == column) {
            return true;
        }
    }
    return shows(vt, column);
}

static bool
touches(const struct db_view_table *vt, const struct db_change *c)
{
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        if (matters(vt, c->deltas[i].column)) {
            return true;
        }
    }
    return shows(vt, DB_COL_VERSION);
}

static struct entry *
find(const struct hmap *entries, const struct uuid *uuid)
{
    struct entry *e;
    HMAP_FOR_EACH_HASH(e, by_uuid, uuid_hash(uuid), entries)
    {
        if (uuid_equals(&e->uuid, uuid)) {
            return e;
        }
    }
    return NULL;
}

static bool
has_saved(const struct entry *e, unsigned column)
{
    for (uint32_t i = 0; i < e->n_saved; i++) {
        if (e->saved[i].column == column) {
            return true;
        }
    }
    return false;
}

// Keeps the column's value from before the change, unless an older one is kept.
static void
save(struct entry *e, const struct db_view_table *vt, const struct db_change *c, unsigned column)
{
    if (column < DB_N_STD_COLS || has_saved(e, column) || !matters(vt, column)) {
        return;
    }
    const struct db_type *t = &c->row->table->schema->columns[column]->type;
    const struct db_delta *d = db_change_delta(c, column);
    e->saved = base_realloc(e->saved, (e->n_saved + 1) * sizeof *e->saved);
    struct saved *s = &e->saved[e->n_saved++];
    s->column = column;
    if (d) {
        db_delta_old(d, &c->row->data[column], t, &s->value);
    } else {
        db_datum_clone(&s->value, &c->row->data[column], t);
    }
}

static void
save_all(struct entry *e, const struct db_view_table *vt, const struct db_change *c)
{
    if (c->kind == DB_CHANGE_DELETE) {
        for (unsigned i = 0; i < c->row->table->schema->n_columns; i++) {
            save(e, vt, c, i);
        }
    } else if (c->kind == DB_CHANGE_MODIFY) {
        for (uint32_t i = 0; i < c->n_deltas; i++) {
            save(e, vt, c, c->deltas[i].column);
        }
    } // INSERT: all was saved when its predecessor went
}

static void
add(struct db_wait *w, const struct db_change *c)
{
    size_t table = c->row->table->schema->index;
    const struct db_view_table *vt = &w->view->tables[table];
    struct entry *e = find(&w->tables[table], &c->row->uuid.uuid);
    bool now = db_view_holds_now(vt, c);
    if (!e) {
        bool known = c->kind != DB_CHANGE_INSERT && db_view_held_before(vt, c);
        if ((!known && !now) || (known && now && !touches(vt, c))) {
            return;
        }
        e = base_calloc(1, sizeof *e);
        e->uuid = c->row->uuid.uuid;
        e->known = known;
        e->old_version = c->old_version;
        hmap_insert(&w->tables[table], &e->by_uuid, uuid_hash(&e->uuid));
    }
    if (e->known) {
        save_all(e, vt, c);
    } else if (!now) {
        entry_free(w, table, e); // came and went
    }
}

void
db_wait_add(struct db_wait *w, const struct db_txn *txn)
{
    const struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        if (w->view->tables[c->row->table->schema->index].table && db_change_counts(c)) {
            add(w, c);
        }
    }
}

// --- when the client is told ---

// The way from what was saved to what the row is.
static void
write_modify(const struct db_view *v, const struct entry *e, struct db_row *row,
             struct db_update *u)
{
    struct db_change c = {.row = row, .kind = DB_CHANGE_MODIFY, .old_version = e->old_version};
    c.deltas = base_calloc(e->n_saved + 1, sizeof *c.deltas);
    for (uint32_t i = 0; i < e->n_saved; i++) {
        const struct saved *s = &e->saved[i];
        const struct db_type *t = &row->table->schema->columns[s->column]->type;
        struct db_delta *d = &c.deltas[c.n_deltas];
        *d = (struct db_delta){.column = s->column};
        if (db_datum_equals(&s->value, &row->data[s->column], t)) {
            continue;
        }
        if (db_type_is_composite(t)) {
            db_delta_between(d, &s->value, &row->data[s->column], t);
            d->column = s->column;
        } else {
            db_datum_clone(&d->removed, &s->value, t);
        }
        c.n_deltas++;
    }
    db_view_write_change(v, &c, u);
    for (uint32_t i = 0; i < c.n_deltas; i++) {
        db_delta_destroy(&c.deltas[i], &row->table->schema->columns[c.deltas[i].column]->type);
    }
    free(c.deltas);
}

static void
write_delete(const struct db_view *v, struct db_table *table, struct entry *e, struct db_update *u)
{
    struct db_row *row = db_row_alloc(table);
    struct db_change c = {.row = row, .kind = DB_CHANGE_DELETE, .old_version = e->old_version};
    row->uuid.uuid = e->uuid;
    row->version.uuid = e->old_version;
    for (uint32_t i = 0; i < e->n_saved; i++) {
        db_datum_swap(&row->data[e->saved[i].column], &e->saved[i].value);
    }
    db_view_write_change(v, &c, u);
    db_row_free(row);
}

bool
db_wait_write(struct db_wait *w, struct str *out)
{
    struct db_update u;
    db_update_begin(&u, out);
    for (size_t i = 0; i < w->n_tables; i++) {
        struct entry *e;
        HMAP_FOR_EACH (e, by_uuid, &w->tables[i]) {
            struct db_table *table = w->view->tables[i].table;
            struct db_row *row = db_row_find(table, &e->uuid);
            if (!e->known && row) {
                struct db_change c = {.row = row, .kind = DB_CHANGE_INSERT};
                db_view_write_change(w->view, &c, &u);
            } else if (row) {
                write_modify(w->view, e, row, &u);
            } else if (e->known) {
                write_delete(w->view, table, e, &u);
            }
        }
    }
    return db_update_end(&u);
}
