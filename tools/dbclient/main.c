// SPDX-License-Identifier: Apache-2.0
// ovsdb-client: asks a database server (ovsdb-client(1)).
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cmdline.h"
#include "lib/base/daemon.h"
#include "lib/base/dirs.h"
#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/stream.h"
#include "lib/base/table.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"
#include "ovsdb/schema.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

static bool force, any_server, change_aware = true;

static void
usage(void)
{
    printf(
        "%s: Open vSwitch database JSON-RPC client\n"
        "usage: %s [OPTIONS] COMMAND [ARG...]\n"
        "\nCommands:\n"
        "  list-dbs [SERVER]                            names of the databases\n"
        "  get-schema [SERVER] [DATABASE]               schema as JSON\n"
        "  get-schema-version [SERVER] [DATABASE]       its version\n"
        "  get-schema-cksum [SERVER] [DATABASE]         its checksum\n"
        "  list-tables [SERVER] [DATABASE]              tables of the schema\n"
        "  list-columns [SERVER] [DATABASE] [TABLE]     columns of a table or all\n"
        "  transact [SERVER] TRANSACTION                run it, print the results as JSON\n"
        "  query [SERVER] TRANSACTION                   the same without changing anything\n"
        "  monitor [SERVER] [DATABASE] TABLE [COLUMN,...]...\n"
        "  monitor [SERVER] [DATABASE] ALL              print contents and changes; COLUMNs may\n"
        "                                               include !initial !insert !delete !modify\n"
        "  monitor-cond [SERVER] [DATABASE] CONDITION TABLE [COLUMN,...]...\n"
        "  monitor-cond-since [SERVER] [DATABASE] [LASTID] CONDITION TABLE [COLUMN,...]...\n"
        "  wait [SERVER] DATABASE STATE                 until it is added, connected or removed\n"
        "  dump [SERVER] [DATABASE] [TABLE [COLUMN]...] contents\n"
        "  backup [SERVER] [DATABASE] > SNAPSHOT        contents as a database file\n"
        "  [--force] restore [SERVER] [DATABASE] < SNAPSHOT\n"
        "  convert [SERVER] SCHEMA                      change the database's schema\n"
        "  needs-conversion [SERVER] SCHEMA             tell whether it differs\n"
        "  lock|steal|unlock [SERVER] LOCK              and tell what happens to the lock\n"
        "\nThe default SERVER is unix:%s/db.sock, the default DATABASE Open_vSwitch, or the only "
        "one.\n",
        dirs_program(), dirs_program(), dirs_run());
    cmdline_usage_groups(CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS | CMDLINE_TABLE);
    printf(
        "\nOther options:\n"
        "  -t, --timeout=SECS          give up after SECS seconds\n"
        "  --timestamp                 say when a monitor printed each table\n"
        "  --force                     restore a snapshot of another schema\n"
        "  --no-leader-only            of several SERVERs take any, not just a cluster's leader\n"
        "  --no-db-change-aware        let the server end the connection when its databases "
        "change\n"
        "  -h, --help                  display this help message\n"
        "  -V, --version               display version information\n");
}

static void
handle(int value, const char *arg, void *aux)
{
    uint64_t seconds;
    if (value == 'F') {
        force = true;
    } else if (value == 'T') {
        table_style.timestamp = true;
    } else if (value == 'l' || value == 'n') {
        any_server = value == 'n';
    } else if (value == 'a' || value == 'A') {
        change_aware = value == 'a';
    } else if (!base_parse_uint(arg, 86400 * 365, &seconds) || !seconds) {
        log_fatal(0, "value %s on -t or --timeout is invalid", arg);
    } else {
        cmdline_set_timeout(seconds);
    }
}

void
client_check(struct db_error *e)
{
    if (e) {
        log_fatal(0, "%s", db_error_take_text(e));
    }
}

void
client_lost(struct client *c, int error)
{
    log_fatal(0, "%s: receive failed (%s)", c->server,
              error == -ECONNRESET || !error ? "End of file" : base_strerror(error));
}

json_t *
client_call(struct client *c, const char *method, json_t *params)
{
    json_t *result, *error;
    int rc = jsonrpc_sync_call(c->rpc, method, params, &result, &error);
    if (rc) {
        log_fatal(0, "transaction failed (%s)",
                  rc == -ECONNRESET ? "End of file" : base_strerror(rc));
    }
    if (error) {
        struct str s = STR_INIT;
        db_json_write(error, &s);
        log_fatal(0, "transaction returned error: %s", str_get(&s));
    }
    return result;
}

struct db_schema *
client_schema(struct client *c, const char *database)
{
    struct db_schema *schema;
    json_t *j = client_call(c, "get_schema", json_pack("[s]", database));
    client_check(db_schema_from_json(j, &schema));
    json_decref(j);
    return schema;
}

void
client_print_json(const json_t *j)
{
    struct str s = STR_INIT;
    table_json_add(&s, j, table_style.json_flags);
    puts(str_get(&s));
    str_free(&s);
}

void
client_print_table(struct table *t)
{
    struct str s = STR_INIT;
    table_print(t, &table_style, &s);
    fputs(str_get(&s), stdout);
    fflush(stdout);
    str_free(&s);
    table_free(t);
}

void
client_add_cell(struct table *t, const struct db_datum *d, const struct db_type *type)
{
    struct str s = STR_INIT;
    if (table_style.cell == TABLE_CELL_BARE) {
        db_datum_format_bare(d, type, &s);
    } else {
        db_datum_format_text(d, type, &s);
    }
    bool json = table_style.cell == TABLE_CELL_JSON || table_style.format == TABLE_JSON;
    table_add_cell(t, str_get(&s), json ? db_datum_to_json(d, type) : NULL);
    str_free(&s);
}

// --- commands and what they need ---

enum need { NEED_NONE, NEED_SERVER, NEED_DATABASE };

struct command {
    const char *name;
    enum need need;
    int min_args, max_args;
    void (*run)(struct client *);
};

static const struct command commands[] = {
    {"list-dbs", NEED_SERVER, 0, 0, client_list_dbs},
    {"get-schema", NEED_DATABASE, 0, 0, client_get_schema},
    {"get-schema-version", NEED_DATABASE, 0, 0, client_get_schema_version},
    {"get-schema-cksum", NEED_DATABASE, 0, 0, client_get_schema_cksum},
    {"list-tables", NEED_DATABASE, 0, 0, client_list_tables},
    {"list-columns", NEED_DATABASE, 0, 1, client_list_columns},
    {"transact", NEED_SERVER, 1, 1, client_transact},
    {"query", NEED_SERVER, 1, 1, client_query},
    {"monitor", NEED_DATABASE, 1, INT_MAX, client_monitor},
    {"monitor-cond", NEED_DATABASE, 2, INT_MAX, client_monitor_cond},
    {"monitor-cond-since", NEED_DATABASE, 2, INT_MAX, client_monitor_cond_since},
    {"wait", NEED_NONE, 2, 2, client_wait},
    {"dump", NEED_DATABASE, 0, INT_MAX, client_dump},
    {"backup", NEED_DATABASE, 0, 0, client_backup},
    {"restore", NEED_DATABASE, 0, 0, client_restore},
    {"convert", NEED_SERVER, 1, 1, client_convert},
    {"needs-conversion", NEED_SERVER, 1, 1, client_needs_conversion},
    {"lock", NEED_SERVER, 1, 1, client_lock},
    {"steal", NEED_SERVER, 1, 1, client_steal},
    {"unlock", NEED_SERVER, 1, 1, client_unlock},
};

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
    }
    log_fatal(0, "unknown command '%s'; use --help for help", name);
}

static bool
has_string(const json_t *array, const char *s)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *) array, i, v)
    {
        if (json_is_string(v) && !strcmp(json_string_value(v), s)) {
            return true;
        }
    }
    return false;
}

// The one that doesn't begin with an underscore, to free; NULL: none or several.
static char *
only_one(const json_t *dbs)
{
    size_t i, n = 0;
    json_t *v, *found = NULL;
    json_array_foreach((json_t *) dbs, i, v)
    {
        if (json_is_string(v) && json_string_value(v)[0] != '_') {
            found = v;
            n++;
        }
    }
    return n == 1 ? base_strdup(json_string_value(found)) : NULL;
}

// Takes the database's name off the arguments where it is given, else the default.
static void
choose_database(struct client *c)
{
    json_t *dbs = client_call(c, "list_dbs", json_array());
    if (c->argc && has_string(dbs, c->argv[0])) {
        c->database = c->argv[0];
        c->argv++;
        c->argc--;
    } else {
        static char *only; // until the end
        only = only_one(dbs);
        c->database = has_string(dbs, "Open_vSwitch") ? "Open_vSwitch" : only;
    }
    if (!c->database) {
        log_fatal(0, "could not find a default database, please specify a database name");
    }
    json_decref(dbs);
}

int
main(int argc, char *argv[])
{
    static const struct option own[] = {
        {"timeout", required_argument, NULL, 't'},      {"force", no_argument, NULL, 'F'},
        {"timestamp", no_argument, NULL, 'T'},          {"leader-only", no_argument, NULL, 'l'},
        {"no-leader-only", no_argument, NULL, 'n'},     {"db-change-aware", no_argument, NULL, 'a'},
        {"no-db-change-aware", no_argument, NULL, 'A'}, {0}};
    static const struct cmdline cmdline = {.own = own,
                                           .own_short = "t:",
                                           .groups = CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS |
                                                     CMDLINE_TABLE,
                                           .mixed = true,
                                           .usage = usage,
                                           .handle = handle};
    struct client c = {0};
    dirs_set_program(argv[0]);
    rcu_start();
    cmdline_set_timeout(0);
    int first = cmdline_parse(&cmdline, argc, argv);
    if (first >= argc) {
        log_fatal(0, "missing command name; use --help for help");
    }
    if (!strcmp(argv[first], "help")) {
        usage();
        return 0;
    }
    const struct command *command = find_command(argv[first]);
    c.argc = argc - first - 1;
    c.argv = argv + first + 1;
    c.force = force;
    c.leader_only = !any_server;
    c.change_aware = change_aware;
    if (c.argc && client_is_server(c.argv[0])) {
        c.server = base_strdup(c.argv[0]);
        c.argv++;
        c.argc--;
    } else {
        c.server = base_asprintf("unix:%s/db.sock", dirs_run());
    }
    if (command->need != NEED_NONE) {
        client_connect(&c);
    }
    if (command->need == NEED_DATABASE) {
        choose_database(&c);
    }
    if (c.argc < command->min_args || c.argc > command->max_args) {
        log_fatal(0, "invalid syntax for '%s' (use --help for help)", command->name);
    }
    table_style.timestamp &= !strncmp(command->name, "monitor", 7);
    command->run(&c);
    jsonrpc_sync_free(c.rpc);
    free(c.server);
    return 0;
}
