// SPDX-License-Identifier: Apache-2.0
// With each connection: get_server_id (not ourselves?), list_dbs, then for each database that both
// have get_schema (can ours hold it?) and monitor_cond, or monitor where the active server is old.
// The reply replaces what we have, updates follow.
//
// What goes wrong with one database is said once and leaves the server a backup that only reads: a
// backup that takes changes because it lost its way is worse than one that is behind. It tries
// again after RETRY_MS, with all databases.
#include "ovsdb/replication.h"

#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/replica.h"
#include "ovsdb/server_priv.h"

LOG_MODULE(replication);

#define RETRY_MS 10000
#define PROBE_MS 60000

struct excluded {
    struct cds_list_head in_replication;
    char *db, *table;
};

// A database that both servers have.
struct pair {
    struct cds_list_head in_replication;
    char *name;
    uint64_t request;    // awaited: schema, then monitor
    const struct db *db; // whose tables are covered
    bool *covered;       // [n_tables]; NULL: the schema is not here yet
    json_t *monitor;     // <monitor-requests>
    bool differences;    // monitor_cond
    bool ready;
};

enum state { CONNECTING, SERVER_ID, LIST_DBS, DATABASES };

struct db_replication {
    struct db_server *server;
    char *remote;
    int probe_ms;
    struct cds_list_head excluded;   // struct excluded, in the order of names
    struct jsonrpc_session *session; // NULL: active
    char *session_remote;
    enum state state;
    uint64_t request; // awaited, in SERVER_ID and LIST_DBS
    struct cds_list_head pairs;
    char *error;              // what stands in the way; NULL: nothing
    char *last_error;         // as it was logged
    struct loop_timer *retry; // drops the connection, to begin anew
};

// --- databases ---

static void
pair_free(struct pair *p)
{
    cds_list_del(&p->in_replication);
    json_decref(p->monitor);
    free(p->covered);
    free(p->name);
    free(p);
}

static void
reset(struct db_replication *r)
{
    struct pair *p, *next;
    cds_list_for_each_entry_safe (p, next, &r->pairs, in_replication) {
        pair_free(p);
    }
    r->state = CONNECTING;
    free(r->error);
    r->error = NULL;
    loop_timer_cancel(r->retry);
}

// Something went wrong; the sentence is taken.
static void
fail(struct db_replication *r, char *why)
{
    if (!r->last_error || strcmp(r->last_error, why)) {
        LOG_WARN("%s: %s", r->session_remote, why);
        free(r->last_error);
        r->last_error = base_strdup(why);
    }
    free(r->error);
    r->error = why;
    loop_timer_set(r->retry, RETRY_MS);
}

static bool
is_excluded(const struct db_replication *r, const char *db, const char *table)
{
    const struct excluded *x;
    cds_list_for_each_entry (x, &r->excluded, in_replication) {
        if (!strcmp(x->db, db) && !strcmp(x->table, table)) {
            return true;
        }
    }
    return false;
}

static bool
types_equal(const struct db_type *a, const struct db_type *b)
{
    json_t *ja = db_type_to_json(a), *jb = db_type_to_json(b);
    bool equal = json_equal(ja, jb);
    json_decref(ja);
    json_decref(jb);
    return equal;
}

// What of the active server's table has no place in ours: a sentence to free, or NULL.
static char *
table_misfit(const struct db_table_schema *theirs, const struct db_table_schema *ours)
{
    if (!ours) {
        return base_asprintf("there is no table %s here", theirs->name);
    }
    for (size_t i = DB_N_STD_COLS; i < theirs->n_columns; i++) {
        const struct db_column_schema *c = theirs->columns[i];
        const struct db_column_schema *own = db_table_schema_column(ours, c->name);
        if (!own) {
            return base_asprintf("table %s has no column %s here", theirs->name, c->name);
        }
        if (!types_equal(&c->type, &own->type)) {
            return base_asprintf("column %s of table %s has another type here", c->name,
                                 theirs->name);
        }
    }
    return NULL;
}

// Makes the request for the tables that are replicated; a sentence to free when that cannot be.
static char *
plan(struct db_replication *r, struct pair *p, const struct db_schema *theirs)
{
    const struct db_served *d = db_server_find(r->server, p->name);
    if (!d || d->relay) {
        return base_asprintf("database %s is gone here", p->name);
    }
    p->db = d->db;
    p->covered = base_calloc(d->db->schema->n_tables + 1, sizeof *p->covered);
    p->monitor = json_object();
    for (size_t i = 0; i < theirs->n_tables; i++) {
        const struct db_table_schema *t = theirs->tables[i];
        const struct db_table_schema *own = db_schema_table(d->db->schema, t->name);
        if (is_excluded(r, p->name, t->name)) {
            continue;
        }
        char *misfit = table_misfit(t, own);
        if (misfit) {
            char *why = base_asprintf("%s cannot be replicated: %s", p->name, misfit);
            free(misfit);
            return why;
        }
        p->covered[own->index] = true;
        json_object_set_new(p->monitor, t->name, json_pack("[{}]"));
    }
    if (strcmp(theirs->version, d->db->schema->version)) {
        LOG_INFO("%s: schema version is %s there and %s here; %s can be replicated",
                 r->session_remote, theirs->version, d->db->schema->version, p->name);
    }
    return NULL;
}

static void
ask_monitor(struct db_replication *r, struct pair *p, bool differences)
{
    p->differences = differences;
    p->request =
        jsonrpc_request(jsonrpc_session_conn(r->session), differences ? "monitor_cond" : "monitor",
                        json_pack("[s,s,O]", p->name, p->name, p->monitor));
}

static void
apply(struct db_replication *r, struct pair *p, const json_t *tables, bool whole)
{
    struct db_served *d = db_server_find(r->server, p->name);
    if (!d || d->db != p->db) {
        loop_timer_set(r->retry, 0);
        return;
    }
    const struct db_replica_update u = {tables, p->differences, whole, p->covered, {{0}}};
    struct db_error *e = db_replica_apply(d->db, &u);
    if (e) {
        char *text = db_error_take_text(e);
        p->ready = false; // updates mean nothing any more
        fail(r, base_asprintf("%s cannot be replicated: %s", p->name, text));
        free(text);
    } else if (whole) {
        p->ready = true;
        LOG_INFO("%s: database %s is a copy of that one now", r->session_remote, p->name);
    }
}

// --- messages ---

static void
got_list(struct db_replication *r, const json_t *list)
{
    const json_t *name;
    size_t i;
    json_array_foreach((json_t *) list, i, name)
    {
        const char *s = json_string_value(name);
        const struct db_served *d = s && s[0] != '_' ? db_server_find(r->server, s) : NULL;
        if (!d || d->relay) {
            continue;
        }
        struct pair *p = base_calloc(1, sizeof *p);
        p->name = base_strdup(s);
        p->request =
            jsonrpc_request(jsonrpc_session_conn(r->session), "get_schema", json_pack("[s]", s));
        cds_list_add_tail(&p->in_replication, &r->pairs);
    }
    r->state = DATABASES;
    if (cds_list_empty(&r->pairs)) {
        fail(r, base_strdup("nothing to replicate: it has no database that is here too"));
    }
}

static void
got_server_id(struct db_replication *r, const json_t *id)
{
    struct uuid uuid;
    if (json_is_string(id) && uuid_parse(json_string_value(id), &uuid) &&
        uuid_equals(&uuid, &r->server->id)) {
        fail(r, base_strdup("that is this server: a server cannot replicate itself"));
        return;
    }
    r->state = LIST_DBS;
    r->request = jsonrpc_request(jsonrpc_session_conn(r->session), "list_dbs", json_array());
}

static void
got_schema(struct db_replication *r, struct pair *p, const json_t *schema)
{
    struct db_schema *theirs;
    struct db_error *e = db_schema_from_json(schema, &theirs);
    if (e) {
        char *text = db_error_take_text(e);
        fail(r, base_asprintf("%s cannot be replicated: bad schema: %s", p->name, text));
        free(text);
        return;
    }
    char *why = plan(r, p, theirs);
    db_schema_free(theirs);
    if (why) {
        fail(r, why);
    } else {
        ask_monitor(r, p, true);
    }
}

static void
on_reply(struct db_replication *r, const struct jsonrpc_msg *m)
{
    uint64_t id = (uint64_t) json_integer_value(m->id);
    struct pair *p;
    if (r->state == SERVER_ID && id == r->request) {
        got_server_id(r, m->result); // an old server doesn't know
        return;
    }
    if (r->state == LIST_DBS && id == r->request) {
        if (m->type == JSONRPC_REPLY) {
            got_list(r, m->result);
        } else {
            fail(r, base_strdup("it does not list its databases"));
        }
        return;
    }
    cds_list_for_each_entry (p, &r->pairs, in_replication) {
        if (p->request != id || p->ready) {
            continue;
        }
        if (m->type == JSONRPC_REPLY) {
            p->covered ? apply(r, p, m->result, true) : got_schema(r, p, m->result);
        } else if (p->covered && p->differences) {
            ask_monitor(r, p, false);
        } else {
            fail(r, base_asprintf("%s cannot be replicated: request refused", p->name));
        }
        return;
    }
}

static void
on_notify(struct db_replication *r, const struct jsonrpc_msg *m)
{
    const char *name = json_string_value(json_array_get(m->params, 0));
    bool update = !strcmp(m->method, "update") || !strcmp(m->method, "update2");
    struct pair *p;
    if (!name || (!update && strcmp(m->method, "monitor_canceled"))) {
        return;
    }
    cds_list_for_each_entry (p, &r->pairs, in_replication) {
        if (!strcmp(p->name, name)) {
            if (!update) {
                loop_timer_set(r->retry, 0);
            } else if (p->ready) {
                apply(r, p, json_array_get(m->params, 1), false);
            }
            return;
        }
    }
}

static void
on_message(struct jsonrpc_session *s, const struct jsonrpc_msg *m, void *r_)
{
    struct db_replication *r = r_;
    if (m->type == JSONRPC_NOTIFY) {
        on_notify(r, m);
    } else if (m->type != JSONRPC_REQUEST) {
        on_reply(r, m);
    }
}

static void
on_state(struct jsonrpc_session *s, bool connected, void *r_)
{
    struct db_replication *r = r_;
    reset(r);
    if (connected) {
        r->state = SERVER_ID;
        r->request = jsonrpc_request(jsonrpc_session_conn(s), "get_server_id", json_array());
    }
}

static void
on_retry(void *r_)
{
    struct db_replication *r = r_;
    if (r->session) {
        jsonrpc_session_reconnect(r->session);
    }
}

// --- what the program asks for ---

struct db_replication *
db_replication_new(struct db_server *server)
{
    struct db_replication *r = base_calloc(1, sizeof *r);
    r->server = server;
    r->probe_ms = PROBE_MS;
    CDS_INIT_LIST_HEAD(&r->excluded);
    CDS_INIT_LIST_HEAD(&r->pairs);
    r->retry = loop_timer_new(db_server_loop(server), on_retry, r);
    return r;
}

static void
drop_excluded(struct cds_list_head *list)
{
    struct excluded *x, *next;
    cds_list_for_each_entry_safe (x, next, list, in_replication) {
        cds_list_del(&x->in_replication);
        free(x->db);
        free(x->table);
        free(x);
    }
}

static void
hang_up(struct db_replication *r)
{
    reset(r);
    jsonrpc_session_free(r->session);
    r->session = NULL;
    free(r->session_remote);
    r->session_remote = NULL;
    free(r->last_error);
    r->last_error = NULL;
}

void
db_replication_free(struct db_replication *r)
{
    if (r) {
        if (r->session) {
            hang_up(r);
        }
        drop_excluded(&r->excluded);
        loop_timer_free(r->retry);
        free(r->remote);
        free(r);
    }
}

void
db_replication_set_remote(struct db_replication *r, const char *remote)
{
    free(r->remote);
    r->remote = remote ? base_strdup(remote) : NULL;
}

const char *
db_replication_remote(const struct db_replication *r)
{
    return r->remote;
}

void
db_replication_set_probe(struct db_replication *r, int ms)
{
    r->probe_ms = ms;
    if (r->session) {
        jsonrpc_session_set_probe(r->session, ms);
    }
}

static void
exclude(struct cds_list_head *list, char *db_take, const char *table)
{
    struct excluded *x, *new = base_calloc(1, sizeof *new);
    *new = (struct excluded){.db = db_take, .table = base_strdup(table)};
    struct cds_list_head *before = list;
    cds_list_for_each_entry (x, list, in_replication) {
        int d = strcmp(x->db, new->db);
        if (d > 0 || (!d && strcmp(x->table, table) > 0)) {
            before = &x->in_replication;
            break;
        }
    }
    cds_list_add_tail(&new->in_replication, before);
}

char *
db_replication_set_excluded(struct db_replication *r, const char *text)
{
    char *copy = base_strdup(text), *save = NULL, *error = NULL;
    struct cds_list_head list;
    CDS_INIT_LIST_HEAD(&list);
    for (char *p = copy, *word; (word = strtok_r(p, ", ", &save)); p = NULL) {
        char *colon = strchr(word, ':');
        if (!colon || colon == word || !colon[1]) {
            error = base_asprintf("\"%s\": a table to exclude must be DB:TABLE", word);
            break;
        }
        exclude(&list, base_asprintf("%.*s", (int) (colon - word), word), colon + 1);
    }
    free(copy);
    if (error) {
        drop_excluded(&list);
        return error;
    }
    drop_excluded(&r->excluded);
    cds_list_splice(&list, &r->excluded);
    db_replication_restart(r);
    return NULL;
}

void
db_replication_write_excluded(const struct db_replication *r, struct str *out)
{
    const struct excluded *x;
    const char *comma = "";
    cds_list_for_each_entry (x, &r->excluded, in_replication) {
        str_addf(out, "%s%s:%s", comma, x->db, x->table);
        comma = ",";
    }
}

void
db_replication_start(struct db_replication *r)
{
    static const struct jsonrpc_session_cbs cbs = {on_message, on_state};
    if (!r->remote) {
        return;
    }
    bool was = r->session != NULL;
    if (was) {
        hang_up(r);
    }
    r->session_remote = base_strdup(r->remote);
    r->session = jsonrpc_session_new(db_server_loop(r->server), r->remote, &cbs, r);
    jsonrpc_session_set_probe(r->session, r->probe_ms);
    r->server->read_only = true;
    if (!was) {
        LOG_INFO("this server is a backup of %s now", r->remote);
        db_server_disconnect(r->server, true);
    }
}

// From now on, what was copied may exist here only.
static void
sync_files(struct db_replication *r)
{
    struct db_served *d;
    cds_list_for_each_entry (d, db_server_list(r->server), in_server) {
        struct db_error *e = d->file && d->db->n_commits ? db_file_sync(d->file) : NULL;
        if (e) {
            char *text = db_error_take_text(e);
            LOG_ERR("%s: its copied contents may not be on disk: %s", d->db->schema->name, text);
            free(text);
        }
    }
}

void
db_replication_stop(struct db_replication *r)
{
    if (r->session) {
        LOG_INFO("this server is active now, no backup of %s any more", r->session_remote);
        hang_up(r);
        sync_files(r);
        r->server->read_only = false;
        db_server_disconnect(r->server, true);
    }
}

void
db_replication_restart(struct db_replication *r)
{
    if (r->session) {
        jsonrpc_session_reconnect(r->session);
    }
}

void
db_replication_write_status(const struct db_replication *r, struct str *out)
{
    const char *before = "database: ";
    const struct pair *p;
    if (!r->session) {
        str_add(out, "state: active\n");
        return;
    }
    bool all = r->state == DATABASES;
    cds_list_for_each_entry (p, &r->pairs, in_replication) {
        all = all && p->ready;
    }
    str_add(out, "state: backup\n");
    if (r->error) {
        str_addf(out, "error: %s: %s\n", r->session_remote, r->error);
        return;
    }
    str_addf(out, "%s: %s\n", all ? "replicating" : "connecting", r->session_remote);
    if (!all) {
        return;
    }
    cds_list_for_each_entry (p, &r->pairs, in_replication) {
        str_addf(out, "%s%s", before, p->name);
        before = ", ";
    }
    str_add_char(out, '\n');
    if (!cds_list_empty((struct cds_list_head *) &r->excluded)) {
        str_add(out, "exclude: ");
        db_replication_write_excluded(r, out);
        str_add_char(out, '\n');
    }
}
