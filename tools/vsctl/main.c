// SPDX-License-Identifier: Apache-2.0
// ovs-vsctl(8): options, connection, and the life of a run:
//   parse ─▶ prepare (columns to read) ─▶ connect ─▶ run all commands in one transaction ─▶ commit
//              ▲                                         │ try again: when the database has changed
//   print ◀─ wait for ovs-vswitchd (cur_cfg ≥ next_cfg) ◀┘ success
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cmdline.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/table.h"
#include "ovsdb/columns.h"
#include "tools/vsctl/vsctl.h"

LOG_MODULE(vsctl);

enum {
    OPT_DB = 256,
    OPT_NO_WAIT,
    OPT_NO_SYSLOG,
    OPT_ONELINE,
    OPT_DRY_RUN,
    OPT_RETRY,
    OPT_COMMANDS,
    OPT_OPTIONS,
    OPT_SERVERS,
    OPT_LOCAL // command options given among the global ones: their index in locals[] is added
};

// Options of commands that may stand among the global ones, for the first command.
static const struct {
    const char *name;
    int has_arg;
} locals[] = {{"if-exists", no_argument},
              {"may-exist", no_argument},
              {"columns", required_argument},
              {"id", required_argument},
              {"all", no_argument},
              {"real", no_argument},
              {"fake", no_argument},
              {"with-iface", no_argument},
              {"fake-iface", no_argument},
              {"bootstrap", no_argument},
              {"inactivity-probe", required_argument}};

#define N_GLOBAL 13
static struct option options[N_GLOBAL + ARRAY_SIZE(locals) + 1] = {
    {"db", required_argument, NULL, OPT_DB},
    {"no-wait", no_argument, NULL, OPT_NO_WAIT},
    {"no-syslog", no_argument, NULL, OPT_NO_SYSLOG},
    {"oneline", no_argument, NULL, OPT_ONELINE},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"timeout", required_argument, NULL, 't'},
    {"retry", no_argument, NULL, OPT_RETRY},
    {"commands", no_argument, NULL, OPT_COMMANDS},
    {"options", no_argument, NULL, OPT_OPTIONS},
    // A server without clusters leads, and the order of servers is by chance only where the user
    // cares.
    {"leader-only", no_argument, NULL, OPT_SERVERS},
    {"no-leader-only", no_argument, NULL, OPT_SERVERS},
    {"shuffle-remotes", no_argument, NULL, OPT_SERVERS},
    {"no-shuffle-remotes", no_argument, NULL, OPT_SERVERS},
};

struct run {
    struct vsctl v;
    char *db, *args; // args: the command line, for logs
    bool retry;
    bool snapshot; // the replica is not kept up to date
    struct vsctl_option options[64];
    size_t n_options;
    struct vsctl_cmd *commands;
    size_t n;
};

// "[--may-exist] [--id=] "
static void
print_options_of(const struct vsctl_syntax *s)
{
    char *copy = base_strdup(s->options), *save = NULL;
    for (char *o = strtok_r(copy, " ", &save); o; o = strtok_r(NULL, " ", &save)) {
        o[strcspn(o, "?")] = '\0';
        printf("[%s] ", o);
    }
    free(copy);
}

static void
list_commands(void)
{
    for (size_t i = 0; vsctl_syntaxes[i]; i++) {
        for (const struct vsctl_syntax *s = vsctl_syntaxes[i]; s->name; s++) {
            print_options_of(s);
            printf(",%s,%s\n", s->name, s->args);
        }
    }
    exit(EXIT_SUCCESS);
}

static void
set_timeout(const char *arg)
{
    uint64_t seconds;
    if (!base_parse_uint(arg, UINT32_MAX, &seconds)) {
        vsctl_fatal("value %s on -t or --timeout is invalid", arg);
    }
    cmdline_set_timeout((unsigned) seconds);
}

static void
handle_option(int value, const char *arg, void *aux)
{
    struct run *r = aux;
    switch (value) {
    case OPT_DB:
        free(r->db);
        r->db = base_strdup(arg);
        break;
    case OPT_NO_WAIT:
        r->v.no_wait = true;
        break;
    case OPT_NO_SYSLOG:
        free(log_set_levels("vsctl:syslog:warn"));
        break;
    case OPT_ONELINE:
        r->v.oneline = true;
        break;
    case OPT_DRY_RUN:
        r->v.dry_run = true;
        break;
    case 't':
        set_timeout(arg);
        break;
    case OPT_RETRY:
        r->retry = true;
        break;
    case OPT_COMMANDS:
        list_commands();
        break;
    case OPT_OPTIONS:
        cmdline_print_options(options, N_GLOBAL, CMDLINE_LOG | CMDLINE_TABLE | CMDLINE_TLS);
        exit(EXIT_SUCCESS);
    case OPT_SERVERS:
        break;
    default:
        if (r->n_options == ARRAY_SIZE(r->options)) {
            vsctl_fatal("too many options");
        }
        r->options[r->n_options++] =
            (struct vsctl_option){base_asprintf("--%s", locals[value - OPT_LOCAL].name), arg};
    }
}

// --- who called: for the comment in the journal ---

static char *
parent_name(void)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long) getppid());
    FILE *f = fopen(path, "r");
    if (f) {
        size_t n = fread(line, 1, sizeof line - 1, f);
        line[n] = 0;
        fclose(f);
    }
    const char *slash = strrchr(line, '/');
    return base_strdup(slash ? slash + 1 : line);
}

static bool
is_plain(const char *s)
{
    return *s && !strpbrk(s, " \t\n\\'\"");
}

static char *
joined_args(int argc, char *argv[])
{
    struct str s = STR_INIT;
    for (int i = 0; i < argc; i++) {
        str_add(&s, i ? " " : "");
        if (is_plain(argv[i])) {
            str_add(&s, argv[i]);
        } else {
            str_add_json(&s, argv[i], strlen(argv[i]));
        }
    }
    return str_take(&s);
}

static void
add_comment(struct run *r)
{
    char *parent = parent_name();
    char *text = *parent && getppid() > 1
                     ? base_asprintf("%s (invoked by %s): %s", dirs_program(), parent, r->args)
                     : base_asprintf("%s: %s", dirs_program(), r->args);
    idl_txn_comment(r->v.txn, text);
    free(text);
    free(parent);
}

// --- one run of all commands ---

static void
check_symbols(struct vsctl *v)
{
    struct db_symbol *s;
    HMAP_FOR_EACH (s, by_name, &v->symtab.symbols) {
        if (!s->created) {
            vsctl_fatal("row id \"%s\" is referenced but never created (e.g. with \"-- --id=%s "
                        "create ...\")",
                        s->name, s->name);
        }
        if (!s->strong_ref) {
            LOG_WARN(s->weak_ref ? "row id \"%s\" was created but only a weak reference to it was "
                                   "inserted, so it will not "
                                   "actually appear in the database"
                                 : "row id \"%s\" was created but no reference to it was inserted, "
                                   "so it will not actually appear "
                                   "in the database",
                     s->name);
        }
    }
}

// Runs the commands; false: some command waits for a change.
static bool
run_commands(struct run *r)
{
    struct vsctl *v = &r->v;
    v->txn = idl_txn_new(v->idl);
    idl_txn_require_rows(v->txn);
    v->try_again = v->fakes_known = false;
    while (v->n_new_ports) { // of an earlier try
        free(v->new_ports[--v->n_new_ports]);
    }
    db_symtab_init(&v->symtab);
    add_comment(r);
    if (v->dry_run) {
        idl_txn_set_dry_run(v->txn);
    }
    vsctl_init_db(v);
    if (!v->no_wait) {
        idl_txn_increment(v->txn, &v->ovs->row, IDL_OPEN_VSWITCH_NEXT_CFG, false);
    }
    for (size_t i = 0; i < r->n; i++) {
        vsctl_cmd_reset(&r->commands[i]);
        r->commands[i].syntax->run(v, &r->commands[i]);
        if (v->try_again) {
            return false;
        }
    }
    check_symbols(v);
    return true;
}

static void
print_one(const struct vsctl *v, struct vsctl_cmd *c)
{
    if (c->table) {
        struct str s = STR_INIT;
        table_print(c->table, &table_style, &s);
        fwrite(str_get(&s), 1, s.len, stdout);
        str_free(&s);
    } else if (v->oneline) {
        str_chomp(&c->out, "\n");
        for (const char *p = str_get(&c->out); *p; p++) {
            if (*p == '\n' || *p == '\\') {
                putchar('\\');
                putchar(*p == '\n' ? 'n' : '\\');
            } else {
                putchar(*p);
            }
        }
        putchar('\n');
    } else {
        fwrite(str_get(&c->out), 1, c->out.len, stdout);
    }
}

static void
check_connection(const struct run *r)
{
    int error = idl_error(r->v.idl);
    if (error) {
        vsctl_fatal("%s: database connection failed (%s)", r->db, base_strerror(error));
    }
}

static void
turn(const struct run *r)
{
    check_connection(r);
    loop_turn(idl_loop(r->v.idl), -1);
    check_connection(r);
}

// Tells the errors that ovs-vswitchd has found with new ports.
static void
tell_port_errors(struct vsctl *v)
{
    bool told = false;
    for (size_t i = 0; i < v->n_new_ports; i++) {
        const struct idl_port *port = idl_port_by_name(v->idl, v->new_ports[i]);
        for (size_t j = 0; port && j < port->n_interfaces; j++) {
            const struct idl_interface *iface = port->interfaces[j];
            if (!iface->ofport || *iface->ofport == -1) { // none: its bridge could not be set up
                fprintf(stderr,
                        "%s: Error detected while setting up '%s'%s%s.  See ovs-vswitchd log for "
                        "details.\n",
                        dirs_program(), iface->name, iface->error ? ": " : "",
                        iface->error ? iface->error : "");
                told = true;
            }
        }
    }
    if (told) {
        fprintf(stderr, "%s: The default log directory is \"%s\".\n", dirs_program(), dirs_log());
    }
}

static void
wait_for_switch(struct run *r, int64_t cfg)
{
    for (;;) {
        const struct idl_open_vswitch *ovs = idl_open_vswitch_first(r->v.idl);
        if (ovs && ovs->cur_cfg >= cfg) {
            break;
        }
        turn(r);
    }
    tell_port_errors(&r->v);
}

// Ends the transaction: true when the commands are done, false when they must run again.
static bool
finish(struct run *r, uint64_t seqno)
{
    struct vsctl *v = &r->v;
    enum idl_txn_status status = idl_txn_commit_block(v->txn);
    if (status == IDL_TXN_TRY_AGAIN ||
        (status == IDL_TXN_ERROR && (r->snapshot || idl_seqno(v->idl) != seqno))) {
        return false; // lost a race: somebody changed what this was built on
    }
    if (status != IDL_TXN_SUCCESS && status != IDL_TXN_UNCHANGED) {
        vsctl_fatal("transaction error: %s", idl_txn_error(v->txn));
    }
    for (size_t i = 0; i < r->n; i++) {
        if (r->commands[i].syntax->done) {
            r->commands[i].syntax->done(v, &r->commands[i]);
        }
        print_one(v, &r->commands[i]);
    }
    fflush(stdout);
    if (!v->no_wait && !v->dry_run && status == IDL_TXN_SUCCESS) {
        wait_for_switch(r, idl_txn_increment_result(v->txn));
    }
    return true;
}

static void
prepare(struct run *r)
{
    struct vsctl *v = &r->v;
    idl_want_table(v->idl, IDL_TABLE_OPEN_VSWITCH);
    if (!v->no_wait) {
        idl_want(v->idl, IDL_OPEN_VSWITCH_CUR_CFG, IDL_READ);
    }
    for (size_t i = 0; i < r->n; i++) {
        r->commands[i].syntax->prepare(v, &r->commands[i]);
    }
    if (!v->no_wait && idl_wants(v->idl, IDL_PORT_INTERFACES)) {
        idl_want(v->idl, IDL_INTERFACE_NAME, IDL_READ);
        idl_want(v->idl, IDL_INTERFACE_OFPORT, IDL_READ);
        idl_want(v->idl, IDL_INTERFACE_ERROR, IDL_READ);
    }
    if (v->lean) {
        vsctl_lean_want(v, r->commands, r->n);
    }
}

static void
connect_to(struct run *r, struct loop *loop)
{
    r->v.idl = idl_new(loop, r->db, NULL, NULL);
    if (!r->retry) {
        idl_set_once(r->v.idl);
    }
    if (r->snapshot) {
        idl_set_snapshot(r->v.idl);
    }
    prepare(r);
    idl_start(r->v.idl);
}

// The whole replica, kept up to date, instead of what was thought to suffice.
static void
start_over(struct run *r)
{
    struct loop *loop = idl_loop(r->v.idl);
    idl_free(r->v.idl);
    r->v.lean = r->snapshot = false;
    connect_to(r, loop);
}

static void
run_until_done(struct run *r)
{
    struct vsctl *v = &r->v;
    for (;;) {
        while (!idl_is_synced(v->idl)) {
            turn(r);
        }
        if (v->lean && !vsctl_lean_holds(v, r->commands, r->n)) {
            start_over(r);
            continue;
        }
        uint64_t seqno = idl_seqno(v->idl);
        bool done = run_commands(r) && finish(r, seqno);
        idl_txn_free(v->txn);
        v->txn = NULL;
        db_symtab_destroy(&v->symtab);
        if (done) {
            return;
        }
        if (r->snapshot) {
            // The commands have given their warnings.
            free(log_set_levels("vsctl:off"));
            free(log_set_levels("db_ctl_base:off"));
            start_over(r);
            continue;
        }
        while (idl_seqno(v->idl) == seqno) {
            turn(r);
        }
    }
}

// The system's log is for what may have changed something, not for scripts that look every second.
static bool
only_reads(const struct run *r)
{
    static const char *const readers[] = {"get",     "list",     "find",       "show",
                                          "comment", "br-to-",   "wait-until", "br-exists",
                                          "br-get-", "port-to-", "iface-to-"};
    for (size_t i = 0; i < r->n; i++) {
        size_t k = 0;
        while (k < ARRAY_SIZE(readers) &&
               strncmp(r->commands[i].syntax->name, readers[k], strlen(readers[k]))) {
            k++;
        }
        if (k == ARRAY_SIZE(readers)) {
            return false;
        }
    }
    return true;
}

int
main(int argc, char *argv[])
{
    static struct run r;
    char *version;
    dirs_set_program(argv[0]);
    for (size_t i = 0; i < ARRAY_SIZE(locals); i++) {
        options[N_GLOBAL + i] =
            (struct option){locals[i].name, locals[i].has_arg, NULL, OPT_LOCAL + (int) i};
    }
    table_style.format = TABLE_LIST;
    version =
        base_asprintf("%s (Open vSwitch) 3.1.0\nDB Schema %s\nFlowerbed " PACKAGE_VERSION "\n",
                      dirs_program(), DB_SCHEMA_VERSION);
    struct cmdline cmdline = {.own = options,
                              .own_short = "t:",
                              .groups = CMDLINE_LOG | CMDLINE_TLS | CMDLINE_TABLE,
                              .version = version,
                              .usage = vsctl_usage,
                              .handle = handle_option,
                              .aux = &r};
    int first = cmdline_parse(&cmdline, argc, argv);
    free(version);
    if (!r.db) {
        r.db = base_asprintf("unix:%s/db.sock", dirs_run());
    }
    r.args = joined_args(argc, argv);
    r.commands = vsctl_parse(argc - first, argv + first, r.options, r.n_options, &r.n);
    LOG_AT(only_reads(&r) ? LOG_LEVEL_DBG : LOG_LEVEL_INFO, "Called as %s", r.args);

    // A passive remote can't be asked to call twice.
    bool may_start_over = r.db[0] != 'p' && !r.retry;
    r.v.lean = may_start_over && vsctl_lean_suits(r.commands, r.n);
    r.snapshot = may_start_over && r.v.no_wait;
    connect_to(&r, loop_new());
    run_until_done(&r);
    // The process ends here: freeing thousands of rows one by one would only cost time.
    return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
