// SPDX-License-Identifier: Apache-2.0
// Sessions end in the loop (jsonrpc's closed callback, or a call put off), never from inside a
// request.
#include "tools/dbserver/remote.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"
#include "ovsdb/db.h"
#include "ovsdb/server.h"
#include "tools/dbserver/remote_priv.h"

LOG_MODULE(ovsdb_jsonrpc_server);

#define OVSDB_PORT 6640
#define PROBE_MS 5000
#define STATUS_MS 2500

// --- clients ---

// An end that the server has put off until the loop turns; by then the client may be gone by itself.
struct farewell {
    struct conn *conn; // NULL: gone
};

static void
conn_free(struct conn *c)
{
    struct remote *r = c->remote;
    if (c->farewell) {
        c->farewell->conn = NULL;
    }
    db_session_free(c->session);
    if (r->session) {
        r->active_conn = NULL;
    } else {
        cds_list_del(&c->in_remote);
        r->n_conns--;
        jsonrpc_free(c->rpc);
    }
    r->disconnected_at = clock_now();
    r->owner->status_wanted = true;
    free(c);
}

static void
end_conn(void *farewell_)
{
    struct farewell *farewell = farewell_;
    struct conn *c = farewell->conn;
    free(farewell);
    if (!c) {
        return;
    }
    c->farewell = NULL;
    if (c->remote->session) {
        struct jsonrpc_session *s = c->remote->session;
        conn_free(c);
        jsonrpc_session_reconnect(s);
    } else {
        conn_free(c);
    }
}

static void
on_disconnect(struct db_session *session, void *c_)
{
    struct conn *c = c_;
    if (!c->farewell) {
        c->farewell = base_calloc(1, sizeof *c->farewell);
        c->farewell->conn = c;
        loop_call(db_server_loop(c->remote->owner->server), end_conn, c->farewell);
    }
}

static const struct db_session_cbs session_cbs = {on_disconnect};

static struct conn *
conn_new(struct remote *r)
{
    struct conn *c = base_calloc(1, sizeof *c);
    c->remote = r;
    r->connected_at = clock_now();
    r->owner->status_wanted = true;
    return c;
}

static void
conn_start(struct conn *c, struct jsonrpc *rpc)
{
    c->rpc = rpc;
    c->session = db_session_new(c->remote->owner->server, rpc, &session_cbs, c);
    db_session_set_read_only(c->session, c->remote->options.read_only);
    db_session_set_role(c->session, c->remote->options.role);
}

static void
on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *c_)
{
    struct conn *c = c_;
    db_session_message(c->session, m);
}

static void
on_closed(struct jsonrpc *rpc, int error, void *c_)
{
    struct conn *c = c_;
    if (error) {
        jsonrpc_log_dropped(rpc, error);
    }
    c->remote->last_error = error;
    conn_free(c);
}

// Local clients need no probes: when they go, the socket says so.
static int
probe_of(const struct remote *r)
{
    if (r->options.probe_ms >= 0) {
        return r->options.probe_ms;
    }
    return strncmp(r->name, "punix:", 6) && strncmp(r->name, "unix:", 5) ? PROBE_MS : 0;
}

static void
on_accept(struct stream *stream, void *r_)
{
    static const struct jsonrpc_cbs cbs = {.message = on_message, .closed = on_closed};
    struct remote *r = r_;
    struct conn *c = conn_new(r);
    conn_start(c, jsonrpc_new(db_server_loop(r->owner->server), stream, &cbs, c));
    jsonrpc_set_probe(c->rpc, probe_of(r));
    cds_list_add_tail(&c->in_remote, &r->conns);
    r->n_conns++;
}

// --- active connections ---

static void
on_session_message(struct jsonrpc_session *s, const struct jsonrpc_msg *m, void *r_)
{
    struct remote *r = r_;
    if (r->active_conn) {
        db_session_message(r->active_conn->session, m);
    }
}

static void
on_session_state(struct jsonrpc_session *s, bool connected, void *r_)
{
    struct remote *r = r_;
    if (connected) {
        r->active_conn = conn_new(r);
        conn_start(r->active_conn, jsonrpc_session_conn(s));
    } else if (r->active_conn) {
        conn_free(r->active_conn);
    }
}

// --- remotes ---

struct remote *
remote_find(const struct remotes *rs, const char *name)
{
    struct remote *r;
    HMAP_FOR_EACH_HASH(r, by_name, hash_string(name, 0), &rs->all)
    {
        if (!strcmp(r->name, name)) {
            return r;
        }
    }
    return NULL;
}

static void
remote_free(struct remote *r)
{
    struct conn *c, *next;
    hmap_remove(&r->owner->all, &r->by_name);
    cds_list_for_each_entry_safe (c, next, &r->conns, in_remote) {
        conn_free(c);
    }
    if (r->active_conn) {
        conn_free(r->active_conn);
    }
    stream_listener_free(r->listener);
    jsonrpc_session_free(r->session);
    free(r->name);
    free(r);
}

static void
apply_options(struct remote *r)
{
    struct conn *c;
    cds_list_for_each_entry (c, &r->conns, in_remote) {
        jsonrpc_set_probe(c->rpc, probe_of(r));
        db_session_set_read_only(c->session, r->options.read_only);
        db_session_set_role(c->session, r->options.role);
    }
    if (r->session) {
        jsonrpc_session_set_probe(r->session, probe_of(r));
        if (r->options.max_backoff > 0) {
            jsonrpc_session_set_backoff(r->session, MIN(1000, r->options.max_backoff),
                                        r->options.max_backoff);
        }
    }
    if (r->active_conn) {
        db_session_set_read_only(r->active_conn->session, r->options.read_only);
        db_session_set_role(r->active_conn->session, r->options.role);
    }
}

// Opens what is not open yet. 0 or -errno.
static int
remote_open(struct remote *r)
{
    static const struct jsonrpc_session_cbs cbs = {on_session_message, on_session_state};
    struct loop *loop = db_server_loop(r->owner->server);
    if (r->listener || r->session) {
        return 0;
    }
    if (stream_name_is_active(r->name)) {
        r->session = jsonrpc_session_new(loop, r->name, &cbs, r);
        apply_options(r);
        return 0;
    }
    if (!stream_name_is_passive(r->name)) {
        return -EAFNOSUPPORT;
    }
    return stream_listen(loop, r->name, OVSDB_PORT, 0, on_accept, r, &r->listener);
}

void
remote_want(struct remotes *rs, const char *name, const struct remote_options *options)
{
    struct remote *r = remote_find(rs, name);
    if (!r) {
        r = base_calloc(1, sizeof *r);
        r->owner = rs;
        r->name = base_strdup(name);
        CDS_INIT_LIST_HEAD(&r->conns);
        hmap_insert(&rs->all, &r->by_name, hash_string(name, 0));
        r->options = *options;
    } else if (!r->wanted && memcmp(&r->options, options, sizeof *options)) {
        r->options = *options;
        apply_options(r);
    }
    r->wanted = true;
}

char *
remotes_reconfigure(struct remotes *rs)
{
    struct name *n;
    struct remote *r;
    char *error = NULL;
    tls_db_apply(rs->server);
    HMAP_FOR_EACH (r, by_name, &rs->all) {
        r->wanted = false;
    }
    cds_list_for_each_entry (n, &rs->names, in_remotes) {
        static const struct remote_options none = {.probe_ms = -1};
        struct db_column_ref ref;
        if (strncmp(n->text, "db:", 3)) {
            remote_want(rs, n->text, &none);
        } else {
            char *e = remote_db_parse(rs->server, n->text, &ref);
            if (!e) {
                remote_db_want(rs, &ref);
            }
            free(e); // its database is gone, and may come back
        }
    }
    HMAP_FOR_EACH_SAFE (r, by_name, &rs->all) {
        if (!r->wanted) {
            remote_free(r);
        }
    }
    HMAP_FOR_EACH (r, by_name, &rs->all) {
        int e = remote_open(r);
        if (e && !error) {
            error = base_asprintf("%s: %s failed: %s", r->name,
                                  e == -EAFNOSUPPORT ? "opening the connection method" : "listen",
                                  base_strerror(e));
        }
        if (e && !r->failed) {
            LOG_ERR("%s: cannot listen or connect there (%s)", r->name, base_strerror(e));
        }
        r->failed = e != 0;
        if (e) {
            r->last_error = e;
        }
    }
    return error;
}

static uint64_t
commits(const struct remotes *rs)
{
    uint64_t n = 0;
    struct db_served *d;
    cds_list_for_each_entry (d, db_server_list(rs->server), in_server) {
        n += d->db->n_commits;
    }
    return n;
}

static void
on_turn(void *rs_)
{
    struct remotes *rs = rs_;
    uint64_t n = commits(rs);
    if (n != rs->commits_seen) {
        rs->commits_seen = n;
        free(remotes_reconfigure(rs));
    }
    if (rs->status_wanted) {
        rs->status_wanted = false;
        remotes_update_status(rs);
    }
}

static void
on_status_timer(void *rs_)
{
    struct remotes *rs = rs_;
    rs->status_wanted = true;
    loop_timer_set(rs->status_timer, STATUS_MS);
}

struct remotes *
remotes_new(struct db_server *server)
{
    struct remotes *rs = base_calloc(1, sizeof *rs);
    rs->server = server;
    char *error = tls_db_check(server);
    if (error) {
        log_fatal(0, "%s", error);
    }
    CDS_INIT_LIST_HEAD(&rs->names);
    hmap_init(&rs->all);
    rs->hook = loop_hook_new(db_server_loop(server), on_turn, rs);
    rs->status_timer = loop_timer_new(db_server_loop(server), on_status_timer, rs);
    loop_timer_set(rs->status_timer, STATUS_MS);
    return rs;
}

void
remotes_free(struct remotes *rs)
{
    struct remote *r;
    HMAP_FOR_EACH_SAFE (r, by_name, &rs->all) {
        remote_free(r);
    }
    hmap_destroy(&rs->all);
    struct name *n, *next;
    cds_list_for_each_entry_safe (n, next, &rs->names, in_remotes) {
        free(n->text);
        free(n);
    }
    loop_hook_free(rs->hook);
    loop_timer_free(rs->status_timer);
    free(rs);
}

static struct name *
find_name(const struct remotes *rs, const char *text)
{
    struct name *n;
    cds_list_for_each_entry (n, &rs->names, in_remotes) {
        if (!strcmp(n->text, text)) {
            return n;
        }
    }
    return NULL;
}

char *
remotes_add(struct remotes *rs, const char *text)
{
    if (!strncmp(text, "db:", 3)) {
        struct db_column_ref ref;
        char *error = remote_db_parse(rs->server, text, &ref);
        if (error && !ref.later) {
            return error;
        }
        free(error);
    }
    if (!find_name(rs, text)) {
        struct name *n = base_calloc(1, sizeof *n);
        n->text = base_strdup(text);
        cds_list_add_tail(&n->in_remotes, &rs->names);
    }
    return NULL;
}

bool
remotes_remove(struct remotes *rs, const char *text)
{
    struct name *n = find_name(rs, text);
    if (n) {
        cds_list_del(&n->in_remotes);
        free(n->text);
        free(n);
    }
    return n != NULL;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
remotes_list(const struct remotes *rs, struct str *out)
{
    const char **texts = NULL;
    size_t n = 0, cap = 0;
    struct name *name;
    cds_list_for_each_entry (name, &rs->names, in_remotes) {
        if (n == cap) {
            texts = base_grow(texts, &cap, sizeof *texts);
        }
        texts[n++] = name->text;
    }
    if (n) {
        qsort(texts, n, sizeof *texts, compare_texts);
    }
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "%s\n", texts[i]);
    }
    free(texts);
}

void
remotes_disconnect(struct remotes *rs)
{
    db_server_disconnect(rs->server, true);
}

size_t
remotes_n_connections(const struct remotes *rs)
{
    return db_server_n_sessions(rs->server);
}
