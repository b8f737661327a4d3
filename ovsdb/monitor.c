// SPDX-License-Identifier: Apache-2.0
// Views and the monitors that share them.
#include "ovsdb/monitor.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "ovsdb/error.h"
#include "ovsdb/history.h"
#include "ovsdb/monitor_priv.h"
#include "ovsdb/txn.h"

struct db_monitors {
    struct db *db;
    struct db_observer observer;
    struct hmap views; // struct db_view by_key
    size_t n;          // monitors
    struct str message;
};

struct db_monitor {
    struct cds_list_head in_view;
    struct db_view *view;
    char *prefix; // of its notifications, up to and with the comma behind the id
    db_monitor_send *send;
    bool (*ready)(void *aux);
    void *aux;
    struct db_wait *wait; // NULL: the client has been told all
};

// Tells one monitor of an update.
static void
notify(struct db_monitors *ms, struct db_monitor *m, const struct str *update)
{
    char id[UUID_LEN + 1];
    str_clear(&ms->message);
    str_add(&ms->message, m->prefix);
    if (m->view->version == DB_MONITOR_V3) {
        uuid_format(&ms->db->last_txn, id);
        str_add_char(&ms->message, '"');
        str_add_n(&ms->message, id, UUID_LEN);
        str_add(&ms->message, "\",");
    }
    str_add_n(&ms->message, update->p, update->len);
    str_add(&ms->message, "]}");
    m->send(ms->message.p, ms->message.len, m->aux);
}

// Lets the monitors whose clients aren't ready wait; true when there are others.
static bool
wait_or_tell(struct db_view *v, const struct db_txn *txn)
{
    bool any = false;
    struct db_monitor *m;
    cds_list_for_each_entry (m, &v->monitors, in_view) {
        if (!m->wait && m->ready && !m->ready(m->aux)) {
            m->wait = db_wait_new(v);
        }
        if (m->wait) {
            db_wait_add(m->wait, txn);
        } else {
            any = true;
        }
    }
    return any;
}

static void
committed(struct db_observer *o, const struct db_txn *txn)
{
    struct db_monitors *ms = CONTAINER_OF(o, struct db_monitors, observer);
    struct db_view *v;
    HMAP_FOR_EACH (v, by_key, &ms->views) {
        struct db_update u;
        const struct db_change *c;
        if (!wait_or_tell(v, txn)) {
            continue;
        }
        str_clear(&v->text);
        db_update_begin(&u, &v->text);
        for (size_t i = 0; i < ms->db->schema->n_tables; i++) {
            if (v->tables[i].table) {
                DB_TXN_FOR_EACH(c, txn)
                {
                    if (c->row->table->schema->index == i && db_change_counts(c)) {
                        db_view_write_change(v, c, &u);
                    }
                }
            }
        }
        if (db_update_end(&u)) {
            struct db_monitor *m;
            cds_list_for_each_entry (m, &v->monitors, in_view) {
                if (!m->wait) {
                    notify(ms, m, &v->text);
                }
            }
        }
    }
    if (ms->message.cap > 1024 * 1024) {
        str_free(&ms->message);
    }
}

struct db_monitors *
db_monitors_new(struct db *db)
{
    struct db_monitors *ms = base_calloc(1, sizeof *ms);
    ms->db = db;
    hmap_init(&ms->views);
    ms->observer.committed = committed;
    db_observe(db, &ms->observer);
    return ms;
}

void
db_monitors_free(struct db_monitors *ms)
{
    if (ms) {
        db_unobserve(&ms->observer);
        hmap_destroy(&ms->views);
        str_free(&ms->message);
        free(ms);
    }
}

size_t
db_monitors_count(const struct db_monitors *ms)
{
    return ms->n;
}

struct db *
db_monitors_db(const struct db_monitors *ms)
{
    return ms->db;
}

// The view, or one that was there already and equals it.
static struct db_view *
share(struct db_view *v)
{
    struct db_monitors *ms = v->owner;
    struct db_view *other;
    db_view_make_key(v);
    uint32_t hash = hash_string(v->key, 0);
    HMAP_FOR_EACH_HASH(other, by_key, hash, &ms->views)
    {
        if (!strcmp(other->key, v->key)) {
            db_view_clear(v);
            free(v);
            return other;
        }
    }
    CDS_INIT_LIST_HEAD(&v->monitors);
    hmap_insert(&ms->views, &v->by_key, hash);
    return v;
}

static void
view_free(struct db_view *v)
{
    db_view_clear(v);
    free(v);
}

static void
enter(struct db_monitor *m, struct db_view *v)
{
    m->view = v;
    v->n_monitors++;
    cds_list_add_tail(&m->in_view, &v->monitors);
}

static void
leave(struct db_monitor *m)
{
    struct db_view *v = m->view;
    cds_list_del(&m->in_view);
    if (!--v->n_monitors) {
        hmap_remove(&v->owner->views, &v->by_key);
        view_free(v);
    }
}

static void
set_id(struct db_monitor *m, enum db_monitor_version version, const json_t *id)
{
    struct str s = STR_INIT;
    str_addf(&s, "{\"id\":null,\"method\":\"update%s\",\"params\":[",
             version == DB_MONITOR_V1   ? ""
             : version == DB_MONITOR_V2 ? "2"
                                        : "3");
    db_json_write(id, &s);
    str_add_char(&s, ',');
    free(m->prefix);
    m->prefix = str_take(&s);
}

static void
write_result(struct db_monitors *ms, const struct db_view *v, const json_t *last_txn,
             struct str *out)
{
    struct uuid since;
    char id[UUID_LEN + 1];
    if (v->version != DB_MONITOR_V3) {
        db_view_write_initial(v, out);
        return;
    }
    const char *text = json_string_value(last_txn);
    bool found = text && uuid_parse(text, &since) && db_history_has(ms->db, &since);
    uuid_format(&ms->db->last_txn, id);
    str_addf(out, "[%s,\"%s\",", found ? "true" : "false", id);
    if (found) {
        db_history_write(ms->db, &since, v, out);
    } else {
        db_view_write_initial(v, out);
    }
    str_add_char(out, ']');
}

struct db_error *
db_monitor_new(struct db_monitors *ms, const struct db_monitor_args *args, struct db_monitor **out,
               struct str *result)
{
    struct db_view *v = base_calloc(1, sizeof *v);
    *out = NULL;
    v->owner = ms;
    v->version = args->version;
    struct db_error *e = db_view_parse(v, ms->db, args->requests);
    if (e) {
        view_free(v);
        return e;
    }
    struct db_monitor *m = base_calloc(1, sizeof *m);
    m->send = args->send;
    m->ready = args->ready;
    m->aux = args->aux;
    set_id(m, args->version, args->id);
    enter(m, share(v));
    ms->n++;
    write_result(ms, m->view, args->last_txn, result);
    *out = m;
    return NULL;
}

void
db_monitor_free(struct db_monitor *m)
{
    if (m) {
        m->view->owner->n--;
        db_wait_free(m->wait);
        leave(m);
        free(m->prefix);
        free(m);
    }
}

void
db_monitor_flush(struct db_monitor *m)
{
    struct str text = STR_INIT;
    if (!m->wait) {
        return;
    }
    if (db_wait_write(m->wait, &text)) {
        notify(m->view->owner, m, &text);
    }
    str_free(&text);
    db_wait_free(m->wait);
    m->wait = NULL;
}

struct db_error *
db_monitor_change(struct db_monitor *m, const json_t *new_id, const json_t *requests)
{
    struct db_monitors *ms = m->view->owner;
    struct db_view *v = base_calloc(1, sizeof *v);
    v->owner = ms;
    struct db_error *e = db_view_parse_change(v, m->view, requests);
    if (e) {
        view_free(v);
        return e;
    }
    db_monitor_flush(m);
    struct str text = STR_INIT;
    db_view_write_switch(m->view, v, &text);
    leave(m);
    enter(m, share(v));
    set_id(m, m->view->version, new_id);
    if (text.len > 2) {
        notify(ms, m, &text);
    }
    str_free(&text);
    return NULL;
}

struct db *
db_monitor_db(const struct db_monitor *m)
{
    return m->view->owner->db;
}

enum db_monitor_version
db_monitor_version(const struct db_monitor *m)
{
    return m->view->version;
}
