// SPDX-License-Identifier: Apache-2.0
// Commands of the control socket (ovsdb-server(1), runtime management commands).
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/monitor.h"
#include "ovsdb/replication.h"
#include "ovsdb/server.h"
#include "tools/dbserver/ovsdb_server.h"
#include "tools/dbserver/remote.h"

LOG_MODULE(ovsdb_server);

static struct loop_timer *compact_timer;
static bool trims; // what a compaction leaves unused goes back to the system

#define COMPACT_CHECK_MS 10000

static void
cmd_exit(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    ovsdb_server.exiting = true;
    unixctl_reply(conn, NULL);
    loop_wake(ovsdb_server.loop);
}

// --- compaction ---

// One request may compact several databases: it is answered when all are done.
struct request {
    struct unixctl_conn *conn; // NULL: by itself
    unsigned pending;
    struct str errors;
};

// Apart: gcc -O3 doesn't see that "pending" says which call is the last.
static void __attribute__((noinline)) request_done(struct request *r)
{
    if (--r->pending) {
        return;
    }
    if (r->conn && r->errors.len) {
        unixctl_reply_error(r->conn, str_get(&r->errors));
    } else if (r->conn) {
        unixctl_reply(r->conn, NULL);
    }
    str_free(&r->errors);
    free(r);
}

static void
compacted(struct db_error *e, void *r_)
{
    struct request *r = r_;
    if (e) {
        char *text = db_error_take_text(e);
        LOG_ERR("compaction failed: %s", text);
        str_addf(&r->errors, "%s\n", text);
        free(text);
    } else if (trims) {
        malloc_trim(0);
    }
    request_done(r);
}

static void
compact(struct db_served *d, struct request *r)
{
    int error = db_file_compact_start(d->file, d->db, ovsdb_server.loop, compacted, r);
    r->pending++;
    if (error) {
        str_addf(&r->errors, "%s: %s\n", d->db->schema->name,
                 error == -EBUSY ? "a compaction is under way already" : base_strerror(error));
        request_done(r);
    }
}

static void
cmd_compact(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct request *r = base_calloc(1, sizeof *r);
    struct db_served *d;
    bool any = false;
    if (argc > 1 && argv[1][0] == '_') {
        free(r);
        unixctl_reply_error(conn, "cannot compact built-in databases");
        return;
    }
    r->conn = conn;
    r->pending = 1;
    cds_list_for_each_entry (d, db_server_list(ovsdb_server.server), in_server) {
        const char *name = d->db->schema->name;
        if (argc > 1 ? strcmp(name, argv[1]) != 0 : name[0] == '_') {
            continue;
        }
        any = true;
        if (d->file) {
            LOG_INFO("compacting %s database by user request", name);
            compact(d, r);
        }
    }
    if (!any && argc > 1) {
        str_add(&r->errors, "no database by that name");
    }
    request_done(r);
}

static void
cmd_trim(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    if (strcmp(argv[1], "on") != 0 && strcmp(argv[1], "off") != 0) {
        unixctl_reply_error(conn, "invalid argument");
        return;
    }
    trims = !strcmp(argv[1], "on");
    LOG_INFO("memory trimming after compaction %s.", trims ? "enabled" : "disabled");
    unixctl_reply(conn, NULL);
}

static void
on_compact_timer(void *aux)
{
    struct db_served *d;
    cds_list_for_each_entry (d, db_server_list(ovsdb_server.server), in_server) {
        if (d->file && db_file_wants_compaction(d->file)) {
            struct request *r = base_calloc(1, sizeof *r);
            r->pending = 1;
            LOG_INFO("compacting %s database automatically", d->db->schema->name);
            compact(d, r);
            request_done(r);
        }
    }
    loop_timer_set(compact_timer, COMPACT_CHECK_MS);
}

// --- remotes ---

static void
cmd_add_remote(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *error = remotes_add(ovsdb_server.remotes, argv[1]);
    if (!error) {
        free(remotes_reconfigure(ovsdb_server.remotes));
    }
    unixctl_reply_outcome(conn, error);
}

static void
cmd_remove_remote(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    if (!remotes_remove(ovsdb_server.remotes, argv[1])) {
        unixctl_reply_error(conn, "no such remote");
        return;
    }
    free(remotes_reconfigure(ovsdb_server.remotes));
    unixctl_reply(conn, NULL);
}

static void
cmd_list_remotes(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    remotes_list(ovsdb_server.remotes, &s);
    unixctl_reply_text(conn, &s);
}

static void
cmd_reconnect(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    remotes_disconnect(ovsdb_server.remotes);
    unixctl_reply(conn, NULL);
}

// --- databases ---

static void
cmd_add_db(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct db_error *e = ovsdb_server_add_file(argv[1]);
    if (!e) {
        free(remotes_reconfigure(ovsdb_server.remotes));
        db_replication_restart(ovsdb_server.replication);
    }
    unixctl_reply_outcome(conn, e ? db_error_take_text(e) : NULL);
}

// NULL: that there is none is answered.
static struct db_served *
find_db(struct unixctl_conn *conn, const char *name)
{
    struct db_served *d = db_server_find(ovsdb_server.server, name);
    if (!d) {
        unixctl_reply_error(conn, "Failed to find the database.");
    }
    return d;
}

static void
cmd_remove_db(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct db_served *d = find_db(conn, argv[1]);
    if (d && argv[1][0] == '_') {
        unixctl_reply_error(conn, "Cannot remove reserved database.");
    } else if (d) {
        db_server_remove(ovsdb_server.server, d);
        db_replication_restart(ovsdb_server.replication);
        free(remotes_reconfigure(ovsdb_server.remotes));
        unixctl_reply(conn, NULL);
    }
}

static int
compare_names(const void *a_, const void *b_)
{
    const struct db_served *const *a = a_, *const *b = b_;
    return strcmp((*a)->db->schema->name, (*b)->db->schema->name);
}

struct db_served **
ovsdb_server_sorted_dbs(size_t *n)
{
    struct db_served *d, **all = NULL;
    size_t cap = 0;
    *n = 0;
    cds_list_for_each_entry (d, db_server_list(ovsdb_server.server), in_server) {
        if (*n == cap) {
            all = base_grow(all, &cap, sizeof *all);
        }
        all[(*n)++] = d;
    }
    qsort(all, *n, sizeof *all, compare_names); // _Server is always there
    return all;
}

static void
cmd_list_dbs(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    size_t n;
    struct db_served **dbs = ovsdb_server_sorted_dbs(&n);
    for (size_t i = 0; i < n; i++) {
        str_addf(&s, "%s\n", dbs[i]->db->schema->name);
    }
    unixctl_reply_text(conn, &s);
    free(dbs);
}

static void
cmd_storage_status(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    if (find_db(conn, argv[1])) {
        unixctl_reply(conn, "status: ok");
    }
}

static void
cmd_disable_monitor_cond(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    db_server_disable_monitor_cond(ovsdb_server.server);
    remotes_disconnect(ovsdb_server.remotes);
    unixctl_reply(conn, NULL);
}

static void
report_memory(void *aux)
{
    size_t cells = 0, atoms = 0, monitors = 0;
    struct db_served *d;
    cds_list_for_each_entry (d, db_server_list(ovsdb_server.server), in_server) {
        if (d->db->schema->name[0] == '_') {
            continue;
        }
        for (size_t i = 0; i < d->db->schema->n_tables; i++) {
            const struct db_table *t = d->db->tables[i];
            cells += hmap_count(&t->rows) * t->schema->n_columns;
        }
        atoms += db_n_cells(d->db);
        monitors += db_monitors_count(d->monitors);
    }
    coverage_memory_add("atoms", atoms);
    coverage_memory_add("cells", cells);
    coverage_memory_add("monitors", monitors);
    coverage_memory_add("sessions", db_server_n_sessions(ovsdb_server.server));
    coverage_memory_add("triggers", db_server_n_triggers(ovsdb_server.server));
}

void
ovsdb_server_control_init(void)
{
    unixctl_register("exit", "", 0, 0, cmd_exit, NULL);
    unixctl_register("ovsdb-server/compact", "", 0, 1, cmd_compact, NULL);
    unixctl_register("ovsdb-server/memory-trim-on-compaction", "on|off", 1, 1, cmd_trim, NULL);
    unixctl_register("ovsdb-server/reconnect", "", 0, 0, cmd_reconnect, NULL);
    unixctl_register("ovsdb-server/add-remote", "REMOTE", 1, 1, cmd_add_remote, NULL);
    unixctl_register("ovsdb-server/remove-remote", "REMOTE", 1, 1, cmd_remove_remote, NULL);
    unixctl_register("ovsdb-server/list-remotes", "", 0, 0, cmd_list_remotes, NULL);
    unixctl_register("ovsdb-server/add-db", "DB", 1, 1, cmd_add_db, NULL);
    unixctl_register("ovsdb-server/remove-db", "DB", 1, 1, cmd_remove_db, NULL);
    unixctl_register("ovsdb-server/list-dbs", "", 0, 0, cmd_list_dbs, NULL);
    unixctl_register("ovsdb-server/get-db-storage-status", "DB", 1, 1, cmd_storage_status, NULL);
    unixctl_register("ovsdb-server/disable-monitor-cond", "", 0, 0, cmd_disable_monitor_cond, NULL);
    ovsdb_server_control_backup_init();
    ovsdb_server_control_log_init();
    coverage_memory_register(report_memory, NULL);
    compact_timer = loop_timer_new(ovsdb_server.loop, on_compact_timer, NULL);
    loop_timer_set(compact_timer, COMPACT_CHECK_MS);
}
