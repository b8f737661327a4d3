// SPDX-License-Identifier: Apache-2.0
// Commands of the control socket about the roles of active server and backup, and those that have
// a meaning on the stock server only (ovsdb-server(1)).
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "ovsdb/replication.h"
#include "tools/dbserver/ovsdb_server.h"

#define MIN_PROBE_MS 1000

static void
cmd_set_active(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    db_replication_set_remote(ovsdb_server.replication, argv[1]);
    unixctl_reply(conn, NULL);
}

static void
cmd_get_active(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    unixctl_reply(conn, db_replication_remote(ovsdb_server.replication));
}

static void
cmd_connect_active(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    if (!db_replication_remote(ovsdb_server.replication)) {
        unixctl_reply(conn, "Unable to connect: active server is not specified.\n");
        return;
    }
    db_replication_start(ovsdb_server.replication);
    unixctl_reply(conn, NULL);
}

static void
cmd_disconnect_active(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    db_replication_stop(ovsdb_server.replication);
    unixctl_reply(conn, NULL);
}

static void
cmd_set_probe(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *end;
    long ms = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end || ms < 0 || ms > INT32_MAX) {
        unixctl_reply(conn, "Invalid probe interval, integer value expected\n");
        return;
    }
    db_replication_set_probe(ovsdb_server.replication, ms ? MAX((int) ms, MIN_PROBE_MS) : 0);
    unixctl_reply(conn, NULL);
}

static void
cmd_set_excluded(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    unixctl_reply_outcome(conn, db_replication_set_excluded(ovsdb_server.replication, argv[1]));
}

static void
cmd_get_excluded(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    db_replication_write_excluded(ovsdb_server.replication, &s);
    unixctl_reply_text(conn, &s);
}

static void
cmd_sync_status(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    db_replication_write_status(ovsdb_server.replication, &s);
    unixctl_reply_text(conn, &s);
}

static void
cmd_perf_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    unixctl_reply(conn, "performance counter is not supported on this platform\n");
}

static void
cmd_nothing(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    unixctl_reply(conn, NULL);
}

static void
cmd_no_clusters(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    unixctl_reply_error(conn, "clustered databases are not supported: this server has only "
                              "standalone ones");
}

void
ovsdb_server_control_backup_init(void)
{
    static const char *const cluster[] = {"cid",          "sid",
                                          "status",       "leave",
                                          "kick",         "change-election-timer",
                                          "failure-test", "set-backlog-threshold"};
    unixctl_register("ovsdb-server/set-active-ovsdb-server", "SERVER", 1, 1, cmd_set_active, NULL);
    unixctl_register("ovsdb-server/get-active-ovsdb-server", "", 0, 0, cmd_get_active, NULL);
    unixctl_register("ovsdb-server/connect-active-ovsdb-server", "", 0, 0, cmd_connect_active,
                     NULL);
    unixctl_register("ovsdb-server/disconnect-active-ovsdb-server", "", 0, 0, cmd_disconnect_active,
                     NULL);
    unixctl_register("ovsdb-server/set-active-ovsdb-server-probe-interval", "MS", 1, 1,
                     cmd_set_probe, NULL);
    unixctl_register("ovsdb-server/set-sync-exclude-tables", "[DB:TABLE[,DB:TABLE]...]", 1, 1,
                     cmd_set_excluded, NULL);
    unixctl_register("ovsdb-server/get-sync-exclude-tables", "", 0, 0, cmd_get_excluded, NULL);
    unixctl_register("ovsdb-server/sync-status", "", 0, 0, cmd_sync_status, NULL);
    unixctl_register("ovsdb-server/perf-counters-show", "", 0, 0, cmd_perf_show, NULL);
    unixctl_register("ovsdb-server/perf-counters-clear", "", 0, 0, cmd_nothing, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cluster); i++) {
        char *name = base_asprintf("cluster/%s", cluster[i]);
        unixctl_register(name, "DB ...", 0, INT32_MAX, cmd_no_clusters, NULL);
        free(name);
    }
}
