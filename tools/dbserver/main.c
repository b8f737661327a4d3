// SPDX-License-Identifier: Apache-2.0
// ovsdb-server: serves database files to clients (ovsdb-server(1)).
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cmdline.h"
#include "lib/base/coverage.h"
#include "lib/base/daemon.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/relay.h"
#include "ovsdb/replication.h"
#include "ovsdb/server.h"
#include "tools/dbserver/ovsdb_server.h"
#include "tools/dbserver/remote.h"

LOG_MODULE(ovsdb_server);

struct ovsdb_server ovsdb_server;

static struct {
    char *unixctl_path, *run, *sync_from, *sync_exclude;
    bool active;
    char **remotes;
    size_t n_remotes, cap_remotes;
} opt;

enum {
    OPT_REMOTE = 256,
    OPT_UNIXCTL,
    OPT_RUN,
    OPT_NO_DIFF,
    OPT_SYNC_FROM,
    OPT_SYNC_EXCLUDE,
    OPT_ACTIVE,
    OPT_REPLAY,
    OPT_DURABLE
};

static const struct option options[] = {
    {"remote", required_argument, NULL, OPT_REMOTE},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"run", required_argument, NULL, OPT_RUN},
    {"disable-file-column-diff", no_argument, NULL, OPT_NO_DIFF},
    {"sync-from", required_argument, NULL, OPT_SYNC_FROM},
    {"sync-exclude-tables", required_argument, NULL, OPT_SYNC_EXCLUDE},
    {"active", no_argument, NULL, OPT_ACTIVE},
    {"durable", no_argument, NULL, OPT_DURABLE},
    {"record", optional_argument, NULL, OPT_REPLAY},
    {"replay", optional_argument, NULL, OPT_REPLAY},
    {NULL, 0, NULL, 0},
};

static void
usage(void)
{
    printf("%s: Open vSwitch database server\n"
           "usage: %s [OPTIONS] [DATABASE...]\n"
           "where each DATABASE is a database file, or relay:DB:REMOTE\n"
           "      (default: %s/conf.db).\n"
           "\nConnections (any number):\n"
           "  --remote=REMOTE         connect to or listen on REMOTE: tcp:HOST:PORT, "
           "ssl:HOST:PORT, unix:FILE,\n"
           "                          ptcp:[PORT][:IP], pssl:[PORT][:IP], punix:FILE, "
           "db:DB,TABLE,COLUMN\n",
           dirs_program(), dirs_program(), dirs_db());
    cmdline_usage_groups(CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS);
    printf("\nOther options:\n"
           "  --sync-from=SERVER      be a backup of SERVER: copy its databases, and only read\n"
           "  --sync-exclude-tables=DB:TABLE,...\n"
           "                          leave these tables alone\n"
           "  --active                with --sync-from: be no backup yet\n"
           "  --durable               reply to a change when it is on the disk, as if all asked "
           "for that\n"
           "  --run=COMMAND           run COMMAND in a shell, then exit\n"
           "  --unixctl=SOCKET        override default control socket name\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n");
}

static void
handle_option(int value, const char *arg, void *aux)
{
    switch (value) {
    case OPT_REMOTE:
        if (opt.n_remotes == opt.cap_remotes) {
            opt.remotes = base_grow(opt.remotes, &opt.cap_remotes, sizeof *opt.remotes);
        }
        opt.remotes[opt.n_remotes++] = base_strdup(arg);
        break;
    case OPT_UNIXCTL:
        opt.unixctl_path = base_strdup(arg);
        break;
    case OPT_RUN:
        opt.run = base_strdup(arg);
        break;
    case OPT_NO_DIFF:
        log_fatal(0, "--disable-file-column-diff: files are written in the form of Open vSwitch "
                     "2.17 and later only");
    case OPT_SYNC_FROM:
        opt.sync_from = base_strdup(arg);
        break;
    case OPT_SYNC_EXCLUDE:
        opt.sync_exclude = base_strdup(arg);
        break;
    case OPT_DURABLE:
        db_file_set_always_durable(true);
        break;
    case OPT_ACTIVE:
        opt.active = true;
        break;
    case OPT_REPLAY:
        log_fatal(0, "recording and replay of connections is not supported");
    }
}

struct db_error *
ovsdb_server_add_file(const char *path)
{
    struct db *db;
    struct db_file *file;
    if (!strncmp(path, "relay:", 6)) {
        return db_relay_add(ovsdb_server.server, path);
    }
    struct db_error *e = db_file_open(path, true, &db, &file);
    return e ? e : db_server_add(ovsdb_server.server, db, file);
}

static void
fatal_error(struct db_error *e)
{
    log_fatal(0, "%s", db_error_take_text(e));
}

static void
stop(void *aux)
{
    ovsdb_server.exiting = true;
}

// --- --run ---

static pid_t run_pid;

static void
on_child(void *aux)
{
    int status;
    if (run_pid && waitpid(run_pid, &status, WNOHANG) == run_pid) {
        run_pid = 0;
        ovsdb_server.exit_status = WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : 1;
        ovsdb_server.exiting = true;
        if (ovsdb_server.exit_status) {
            LOG_WARN("%s: child %s %d", opt.run,
                     WIFSIGNALED(status) ? "was killed by signal" : "exited, status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
}

static void
start_run(void)
{
    run_pid = fork();
    if (run_pid < 0) {
        log_fatal(errno, "%s: cannot start", opt.run);
    } else if (!run_pid) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        execl("/bin/sh", "sh", "-c", opt.run, (char *) NULL);
        _exit(127);
    }
}

static void
add_remotes(void)
{
    for (size_t i = 0; i < opt.n_remotes; i++) {
        char *error = remotes_add(ovsdb_server.remotes, opt.remotes[i]);
        if (error) {
            log_fatal(0, "%s", error);
        }
    }
    char *error = remotes_reconfigure(ovsdb_server.remotes);
    if (error) {
        LOG_ERR("%s", error);
        free(error);
    }
}

static void
open_databases(int argc, char *argv[])
{
    for (int i = 0; i < argc; i++) {
        struct db_error *e = ovsdb_server_add_file(argv[i]);
        if (e) {
            fatal_error(e);
        }
    }
    if (!argc) {
        char *path = dirs_abs(dirs_db(), "conf.db");
        struct db_error *e = ovsdb_server_add_file(path);
        if (e) {
            fatal_error(e);
        }
        free(path);
    }
}

static void
start_replication(void)
{
    struct db_replication *r = ovsdb_server.replication;
    char *error = opt.sync_exclude ? db_replication_set_excluded(r, opt.sync_exclude) : NULL;
    if (error) {
        log_fatal(0, "--sync-exclude-tables: %s", error);
    }
    db_replication_set_remote(r, opt.sync_from);
    if (opt.sync_from && !opt.active) {
        db_replication_start(r);
    }
}

int
main(int argc, char *argv[])
{
    dirs_set_program(argv[0]);
    rcu_start();
    const struct cmdline cl = {.own = options,
                               .groups = CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS,
                               .own_tls = true, // remotes see to it
                               .mixed = true,
                               .usage = usage,
                               .handle = handle_option};
    log_enable_daemon(); // -v has the last word
    int first = cmdline_parse(&cl, argc, argv);
    daemon_start(true);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a limit on files' sizes is an error of a write
    ovsdb_server.loop = loop_new();
    struct loop_signal *term = loop_signal_new(ovsdb_server.loop, SIGTERM, stop, NULL);
    struct loop_signal *intr = loop_signal_new(ovsdb_server.loop, SIGINT, stop, NULL);
    struct loop_signal *chld = loop_signal_new(ovsdb_server.loop, SIGCHLD, on_child, NULL);
    ovsdb_server.server = db_server_new(ovsdb_server.loop);
    open_databases(argc - first, argv + first);
    // From here on clients wait. What is freed is put together at once, not tens of thousands of
    // pieces at some moment.
    mallopt(M_MXFAST, 0);
    ovsdb_server.remotes = remotes_new(ovsdb_server.server);
    add_remotes();
    ovsdb_server.replication = db_replication_new(ovsdb_server.server);
    start_replication();
    struct unixctl_server *ctl = NULL;
    int error = unixctl_server_new(ovsdb_server.loop, opt.unixctl_path, &ctl);
    if (error) {
        log_fatal(-error, "could not listen on its control socket");
    }
    log_unixctl_init();
    coverage_init(ovsdb_server.loop);
    ovsdb_server_control_init();
    if (opt.run) {
        start_run();
    }
    daemon_ready();
    LOG_INFO("%s (Open vSwitch) 3.1.0, Flowerbed " PACKAGE_VERSION, dirs_program());
    while (!ovsdb_server.exiting) {
        loop_turn(ovsdb_server.loop, -1);
    }
    loop_turn(ovsdb_server.loop, 0); // the last reply
    db_replication_free(ovsdb_server.replication);
    remotes_free(ovsdb_server.remotes);
    db_server_free(ovsdb_server.server);
    unixctl_server_free(ctl);
    loop_signal_free(term);
    loop_signal_free(intr);
    loop_signal_free(chld);
    return ovsdb_server.exit_status;
}
