// SPDX-License-Identifier: Apache-2.0
// A ring of transactions with their changes. A change points to its row, which lives in its table
// or, once deleted, in the DELETE change that comes later in the ring; so changes must go oldest
// first.
#include "ovsdb/history.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "ovsdb/monitor_priv.h"
#include "ovsdb/txn.h"

#define FREE_AT_ONCE 256 // changes: some 50 µs

struct entry {
    struct uuid before; // the transaction in front of it
    struct cds_list_head changes;
};

struct db_history {
    struct entry ring[DB_HISTORY_TXNS];
    size_t first, n;
    struct cds_list_head leaving; // changes older than the ring, oldest first
    struct uuid last;
};

struct db_history *
db_history_new(struct db *db)
{
    struct db_history *h = base_calloc(1, sizeof *h);
    h->last = db->last_txn;
    CDS_INIT_LIST_HEAD(&h->leaving);
    db->history = h;
    return h;
}

static struct entry *
nth(const struct db_history *h, size_t i)
{
    return (struct entry *) &h->ring[(h->first + i) % DB_HISTORY_TXNS];
}

static void
drop_first(struct db_history *h)
{
    struct cds_list_head *changes = &nth(h, 0)->changes, *last = changes->prev;
    if (last != changes) { // they go behind those that are leaving
        struct cds_list_head *tail = h->leaving.prev;
        tail->next = changes->next;
        changes->next->prev = tail;
        last->next = &h->leaving;
        h->leaving.prev = last;
    }
    h->first = (h->first + 1) % DB_HISTORY_TXNS;
    h->n--;
}

// Frees the oldest of what is leaving: not more than max, for somebody waits.
static void
free_some(struct db_history *h, size_t max)
{
    while (max-- && !cds_list_empty(&h->leaving)) {
        struct db_change *c = cds_list_first_entry(&h->leaving, struct db_change, in_txn);
        cds_list_del(&c->in_txn);
        db_change_free(c, true);
    }
}

void
db_history_free(struct db_history *h)
{
    if (h) {
        while (h->n) {
            drop_first(h);
        }
        free_some(h, SIZE_MAX);
        free(h);
    }
}

void
db_history_take(struct db_history *h, struct db_txn *txn)
{
    if (h->n == DB_HISTORY_TXNS) {
        drop_first(h);
    }
    struct entry *e = nth(h, h->n++);
    e->before = h->last;
    CDS_INIT_LIST_HEAD(&e->changes);
    h->last = txn->id;
    struct db_change *c, *next;
    size_t n = 0;
    cds_list_for_each_entry_safe (c, next, &txn->changes, in_txn) {
        if (db_change_counts(c)) {
            cds_list_del(&c->in_txn);
            cds_list_add_tail(&c->in_txn, &e->changes);
            n++;
        }
    }
    free_some(h, FREE_AT_ONCE + 2 * n); // faster than they come
}

bool
db_history_has(const struct db *db, const struct uuid *since)
{
    const struct db_history *h = db->history;
    if (!h) {
        return false;
    }
    if (uuid_equals(since, &h->last)) {
        return true;
    }
    for (size_t i = 0; i < h->n; i++) {
        if (uuid_equals(since, &nth(h, i)->before)) {
            return true;
        }
    }
    return false;
}

// What happened to one row since.
struct net {
    struct hmap_node by_uuid;
    struct db_change change;  // deltas are its own
    const struct db_row *was; // deleted, and another row with its uuid came later
    union db_atom old_version;
};

static struct net *
net_of(struct hmap *nets, const struct db_row *row)
{
    struct net *n;
    uint32_t hash = uuid_hash(&row->uuid.uuid);
    HMAP_FOR_EACH_HASH(n, by_uuid, hash, nets)
    {
        if (n->change.row->table == row->table &&
            uuid_equals(&n->change.row->uuid.uuid, &row->uuid.uuid)) {
            return n;
        }
    }
    n = base_calloc(1, sizeof *n);
    n->change.row = (struct db_row *) row;
    hmap_insert(nets, &n->by_uuid, hash);
    return n;
}

static struct db_delta *
net_delta(struct db_change *c, unsigned column)
{
    struct db_delta *d = (struct db_delta *) db_change_delta(c, column);
    if (!d) {
        c->deltas = base_realloc(c->deltas, (c->n_deltas + 1) * sizeof *c->deltas);
        d = &c->deltas[c->n_deltas++];
        *d = (struct db_delta){.column = column};
    }
    return d;
}

static void
add_deltas(struct db_change *net, const struct db_change *c)
{
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        const struct db_delta *d = &c->deltas[i];
        const struct db_type *t = &c->row->table->schema->columns[d->column]->type;
        bool fresh = !db_change_delta(net, d->column);
        struct db_delta *nd = net_delta(net, d->column);
        if (db_type_is_composite(t)) {
            db_delta_compose(nd, d, t);
        } else if (fresh) {
            db_datum_clone(&nd->removed, &d->removed, t);
        }
    }
}

static void
add_change(struct hmap *nets, const struct db_change *c)
{
    struct net *n = net_of(nets, c->row);
    bool fresh = uuid_is_zero(&n->change.old_version);
    if (fresh) {
        n->change.old_version = c->old_version;
        n->change.kind = c->kind;
    } else if (c->kind == DB_CHANGE_DELETE) {
        // Inserted since and gone again: as if nothing had been.
        n->change.gone = n->change.kind == DB_CHANGE_INSERT;
        n->change.kind = DB_CHANGE_DELETE;
    } else if (c->kind == DB_CHANGE_INSERT) {
        if (n->change.gone) {
            n->change.kind = DB_CHANGE_INSERT;
            n->change.gone = false;
        } else {
            n->was = n->was ? n->was : n->change.row;
            n->change.kind = DB_CHANGE_MODIFY;
        }
        n->change.row = c->row;
    }
    if (!n->was && n->change.kind != DB_CHANGE_INSERT) {
        add_deltas(&n->change, c);
    }
}

// A row that was replaced by another of the same uuid: the difference of all their columns.
static void
compare_replaced(struct net *n)
{
    const struct db_table_schema *s = n->change.row->table->schema;
    for (size_t i = DB_N_STD_COLS; i < s->n_columns; i++) {
        const struct db_type *t = &s->columns[i]->type;
        struct db_datum old;
        const struct db_delta *had = db_change_delta(&n->change, i);
        if (had) {
            db_delta_old(had, &n->was->data[i], t, &old);
        } else {
            db_datum_clone(&old, &n->was->data[i], t);
        }
        struct db_delta *d = net_delta(&n->change, i);
        db_delta_destroy(d, t);
        if (db_type_is_composite(t)) {
            db_delta_between(d, &old, &n->change.row->data[i], t);
            db_datum_destroy(&old, t);
        } else {
            d->removed = old;
        }
    }
}

static void
drop_empty(struct db_change *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        const struct db_type *t = &c->row->table->schema->columns[c->deltas[i].column]->type;
        if (c->kind == DB_CHANGE_MODIFY &&
            db_delta_is_empty(&c->deltas[i], &c->row->data[c->deltas[i].column], t)) {
            db_delta_destroy(&c->deltas[i], t);
        } else {
            c->deltas[n++] = c->deltas[i];
        }
    }
    c->n_deltas = n;
}

void
db_history_write(const struct db *db, const struct uuid *since, const struct db_view *v,
                 struct str *out)
{
    const struct db_history *h = db->history;
    struct hmap nets;
    size_t i = 0;
    hmap_init(&nets);
    while (i < h->n && !uuid_equals(&nth(h, i)->before, since)) {
        i++;
    }
    for (; i < h->n; i++) {
        const struct db_change *c;
        cds_list_for_each_entry (c, &nth(h, i)->changes, in_txn) {
            add_change(&nets, c);
        }
    }
    struct db_update u;
    struct net *n;
    HMAP_FOR_EACH (n, by_uuid, &nets) {
        if (n->was && n->change.kind == DB_CHANGE_MODIFY) {
            compare_replaced(n);
        } else if (n->was) {
            n->change.row = (struct db_row *) n->was;
        }
        drop_empty(&n->change);
    }
    db_update_begin(&u, out);
    for (size_t t = 0; t < db->schema->n_tables; t++) {
        HMAP_FOR_EACH (n, by_uuid, &nets) {
            if (n->change.row->table->schema->index == t && db_change_counts(&n->change)) {
                db_view_write_change(v, &n->change, &u);
            }
        }
    }
    db_update_end(&u);
    HMAP_FOR_EACH_SAFE (n, by_uuid, &nets) {
        for (uint32_t k = 0; k < n->change.n_deltas; k++) {
            struct db_delta *d = &n->change.deltas[k];
            db_delta_destroy(d, &n->change.row->table->schema->columns[d->column]->type);
        }
        free(n->change.deltas);
        free(n);
    }
    hmap_destroy(&nets);
}
