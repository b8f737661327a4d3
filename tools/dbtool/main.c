// SPDX-License-Identifier: Apache-2.0
// ovsdb-tool: works on database files without a server (ovsdb-tool(1)).
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cmdline.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "ovsdb/convert.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/file.h"
#include "ovsdb/journal.h"
#include "tools/dbtool/show_log.h"

LOG_MODULE(ovsdb_tool);

static int show_more;

static void
usage(void)
{
    printf("%s: works on Open vSwitch database files\n"
           "usage: %s [OPTIONS] COMMAND [ARG...]\n"
           "  create [DB [SCHEMA]]               create DB with the given SCHEMA\n"
           "  compact [DB [DST]]                 compact DB in-place (or to DST)\n"
           "  convert [DB [SCHEMA [DST]]]        convert DB to SCHEMA (to DST)\n"
           "  db-name [DB]                       report name of the schema used by DB\n"
           "  db-version [DB]                    report version of the schema used by DB\n"
           "  db-cksum [DB]                      report checksum of the schema used by DB\n"
           "  db-is-standalone DB                tests if DB is standalone\n"
           "  db-is-clustered DB                 tests if DB is clustered\n"
           "  schema-name [SCHEMA]               report SCHEMA's name\n"
           "  schema-version [SCHEMA]            report SCHEMA's version\n"
           "  schema-cksum [SCHEMA]              report SCHEMA's checksum\n"
           "  needs-conversion [DB [SCHEMA]]     tell whether DB's schema differs from SCHEMA\n"
           "  compare-versions A OP B            compare OVSDB schema version numbers\n"
           "  query [DB] TRNS                    execute read-only transaction on DB\n"
           "  transact [DB] TRNS                 execute read/write transaction on DB\n"
           "  [-m]... show-log [DB]              print DB's log entries\n"
           "The default DB is %s/conf.db.\n"
           "The default SCHEMA is %s/vswitch.ovsschema.\n",
           dirs_program(), dirs_program(), dirs_db(), dirs_pkgdata());
    cmdline_usage_groups(CMDLINE_LOG);
    printf("\nOther options:\n"
           "  -m, --more                  increase show-log verbosity\n"
           "  --rbac-role=ROLE            role of query and transact\n"
           "  -h, --help                  display this help message\n"
           "  -V, --version               display version information\n");
}

static const char *rbac_role;

static void
handle(int value, const char *arg, void *aux)
{
    if (value == 'm') {
        show_more++;
    } else {
        rbac_role = arg;
    }
}

static void
check(struct db_error *e)
{
    if (e) {
        log_fatal(0, "%s", db_error_take_text(e));
    }
}

static char *
db_arg(const struct cmdline_ctx *ctx, int i)
{
    return i < ctx->argc ? base_strdup(ctx->argv[i]) : dirs_abs(dirs_db(), "conf.db");
}

static char *
schema_arg(const struct cmdline_ctx *ctx, int i)
{
    return i < ctx->argc ? base_strdup(ctx->argv[i])
                         : dirs_abs(dirs_pkgdata(), "vswitch.ovsschema");
}

static struct db_schema *
read_schema(const struct cmdline_ctx *ctx, int i)
{
    struct db_schema *schema;
    char *path = schema_arg(ctx, i);
    struct db_error *e = db_schema_from_file(path, &schema);
    free(path);
    check(e);
    return schema;
}

// The schema in a database file's first record.
static struct db_schema *
db_file_schema(const struct cmdline_ctx *ctx, int i)
{
    struct db_journal *j;
    struct db_schema *schema;
    json_t *json;
    char *path = db_arg(ctx, i);
    check(db_journal_open(path, DB_JOURNAL_READ, &j));
    check(db_journal_read(j, &json));
    if (!json) {
        log_fatal(0, "%s: database file contains no schema", path);
    }
    check(db_schema_from_json(json, &schema));
    json_decref(json);
    db_journal_close(j);
    free(path);
    return schema;
}

static void
cmd_create(struct cmdline_ctx *ctx)
{
    struct db_file *f;
    char *path = db_arg(ctx, 1);
    struct db_schema *schema = read_schema(ctx, 2);
    check(db_file_create(path, schema, &f));
    db_file_close(f);
    db_schema_free(schema);
    free(path);
}

// Writes the state of db to `target`, or in place of what file holds.
static void
write_out(struct db *db, struct db_file *file, const char *target, const char *comment)
{
    if (!target) {
        check(db_file_compact(file, db, comment));
        return;
    }
    if (!access(target, F_OK)) {
        log_fatal(0, "I/O error: %s: create failed (File exists)", target);
    }
    check(db_file_write_snapshot(target, db, comment));
}

static void
cmd_compact(struct cmdline_ctx *ctx)
{
    struct db *db;
    struct db_file *file;
    char *path = db_arg(ctx, 1);
    const char *target = ctx->argc > 2 ? ctx->argv[2] : NULL;
    check(db_file_open_whole(path, !target, &db, &file));
    write_out(db, file, target, "compacted by ovsdb-tool " PACKAGE_VERSION);
    db_free(db);
    db_file_close(file);
    free(path);
}

static void
cmd_convert(struct cmdline_ctx *ctx)
{
    struct db *db, *new;
    struct db_file *file;
    char *path = db_arg(ctx, 1);
    const char *target = ctx->argc > 3 ? ctx->argv[3] : NULL;
    struct db_schema *schema = read_schema(ctx, 2);
    check(db_file_open_whole(path, !target, &db, &file));
    check(db_convert(db, schema, &new));
    write_out(new, file, target, "converted by ovsdb-tool " PACKAGE_VERSION);
    db_free(db);
    db_free(new);
    db_file_close(file);
    free(path);
}

static void
cmd_needs_conversion(struct cmdline_ctx *ctx)
{
    struct db_schema *a = db_file_schema(ctx, 1), *b = read_schema(ctx, 2);
    puts(db_schema_equals(a, b) ? "no" : "yes");
    db_schema_free(a);
    db_schema_free(b);
}

static void
print_name(struct db_schema *take)
{
    puts(take->name);
    db_schema_free(take);
}

static void
print_version(struct db_schema *take)
{
    puts(take->version);
    db_schema_free(take);
}

static void
print_cksum(struct db_schema *take)
{
    puts(take->cksum);
    db_schema_free(take);
}

static void
cmd_db_name(struct cmdline_ctx *ctx)
{
    print_name(db_file_schema(ctx, 1));
}

static void
cmd_db_version(struct cmdline_ctx *ctx)
{
    print_version(db_file_schema(ctx, 1));
}

static void
cmd_db_cksum(struct cmdline_ctx *ctx)
{
    print_cksum(db_file_schema(ctx, 1));
}

static void
cmd_schema_name(struct cmdline_ctx *ctx)
{
    print_name(read_schema(ctx, 1));
}

static void
cmd_schema_version(struct cmdline_ctx *ctx)
{
    print_version(read_schema(ctx, 1));
}

static void
cmd_schema_cksum(struct cmdline_ctx *ctx)
{
    print_cksum(read_schema(ctx, 1));
}

static void
require_kind(const char *path, const char *wanted)
{
    const char *kind;
    check(db_journal_kind(path, &kind));
    if (strcmp(kind, wanted)) {
        exit(2);
    }
}

static void
cmd_is_standalone(struct cmdline_ctx *ctx)
{
    require_kind(ctx->argv[1], "standalone");
}

static void
cmd_is_clustered(struct cmdline_ctx *ctx)
{
    require_kind(ctx->argv[1], "clustered");
}

static void
cmd_no_clusters(struct cmdline_ctx *ctx)
{
    log_fatal(0,
              "%s: clustered databases are not supported, only standalone ones; for clusters use "
              "Open vSwitch's own "
              "ovsdb-tool",
              ctx->argv[0]);
}

static void
cmd_compare_versions(struct cmdline_ctx *ctx)
{
    unsigned a[3], b[3];
    const char *op = ctx->argv[2];
    static const char *const ops[] = {"<", "<=", "==", ">=", ">", "!="};
    size_t o = 0;
    int cmp = 0;
    if (!db_version_is_valid(ctx->argv[1]) ||
        sscanf(ctx->argv[1], "%u.%u.%u", &a[0], &a[1], &a[2]) != 3) {
        log_fatal(0, "%s: not an OVSDB version number in format x.y.z", ctx->argv[1]);
    }
    if (!db_version_is_valid(ctx->argv[3]) ||
        sscanf(ctx->argv[3], "%u.%u.%u", &b[0], &b[1], &b[2]) != 3) {
        log_fatal(0, "%s: not an OVSDB version number in format x.y.z", ctx->argv[3]);
    }
    while (o < ARRAY_SIZE(ops) && strcmp(ops[o], op)) {
        o++;
    }
    if (o == ARRAY_SIZE(ops)) {
        log_fatal(0, "%s: not a relational operator", op);
    }
    for (int i = 0; !cmp && i < 3; i++) {
        cmp = a[i] < b[i] ? -1 : a[i] > b[i];
    }
    const bool holds[] = {cmp<0, cmp <= 0, cmp == 0, cmp >= 0, cmp> 0, cmp != 0};
    exit(holds[o] ? 0 : 2);
}

static void
print_json(const json_t *j)
{
    struct str s = STR_INIT;
    db_json_write(j, &s);
    puts(str_get(&s));
    str_free(&s);
}

static void
print_error(struct db_error *take)
{
    json_t *j = db_error_to_json(take);
    print_json(j);
    json_decref(j);
    db_error_free(take);
}

static void
run_transaction(struct cmdline_ctx *ctx, bool write)
{
    struct db *db;
    struct db_file *file;
    struct str result = STR_INIT;
    json_error_t je;
    static char *path; // still known where the program ends with an error
    path = ctx->argc > 2 ? base_strdup(ctx->argv[1]) : dirs_abs(dirs_db(), "conf.db");
    const char *text = ctx->argv[ctx->argc - 1];
    json_t *params = json_loads(text, 0, &je);
    if (!params) {
        log_fatal(0, "\"%s\": syntax error in the transaction's JSON (%s)", text, je.text);
    }
    check(db_file_open_whole(path, write, &db, &file));
    const char *name = json_string_value(json_array_get(params, 0));
    if (!json_is_array(params)) {
        print_error(db_error_syntax(params, NULL, "array expected"));
    } else if (!name || strcmp(name, db->schema->name)) {
        print_error(db_error_syntax(params, NULL, "database name expected as first parameter"));
    } else {
        struct db_exec x = {.db = db, .params = db_value_of(params), .client = {.role = rbac_role}};
        db_execute(&x, &result);
        json_t *sorted = json_loads(str_get(&result), JSON_ALLOW_NUL, NULL);
        print_json(sorted);
        json_decref(sorted);
    }
    str_free(&result);
    json_decref(params);
    db_free(db);
    db_file_close(file);
    free(path);
}

static void
cmd_query(struct cmdline_ctx *ctx)
{
    run_transaction(ctx, false);
}

static void
cmd_transact(struct cmdline_ctx *ctx)
{
    run_transaction(ctx, true);
}

static void
cmd_show_log(struct cmdline_ctx *ctx)
{
    char *path = db_arg(ctx, 1);
    check(dbtool_show_log(path, show_more));
    free(path);
}

static void
cmd_help(struct cmdline_ctx *ctx)
{
    usage();
}

int
main(int argc, char *argv[])
{
    static const struct option own[] = {
        {"more", no_argument, NULL, 'm'}, {"rbac-role", required_argument, NULL, 256}, {0}};
    static const struct cmdline cmdline = {.own = own,
                                           .own_short = "m",
                                           .groups = CMDLINE_LOG,
                                           .mixed = true,
                                           .usage = usage,
                                           .handle = handle};
    static const struct cmdline_command commands[] = {
        {"create", "[db [schema]]", 0, 2, cmd_create},
        {"compact", "[db [dst]]", 0, 2, cmd_compact},
        {"convert", "[db [schema [dst]]]", 0, 3, cmd_convert},
        {"needs-conversion", "[db [schema]]", 0, 2, cmd_needs_conversion},
        {"db-name", "[db]", 0, 1, cmd_db_name},
        {"db-version", "[db]", 0, 1, cmd_db_version},
        {"db-cksum", "[db]", 0, 1, cmd_db_cksum},
        {"db-is-standalone", "db", 1, 1, cmd_is_standalone},
        {"db-is-clustered", "db", 1, 1, cmd_is_clustered},
        {"schema-name", "[schema]", 0, 1, cmd_schema_name},
        {"schema-version", "[schema]", 0, 1, cmd_schema_version},
        {"schema-cksum", "[schema]", 0, 1, cmd_schema_cksum},
        {"compare-versions", "a op b", 3, 3, cmd_compare_versions},
        {"query", "[db] trns", 1, 2, cmd_query},
        {"transact", "[db] trns", 1, 2, cmd_transact},
        {"show-log", "[db]", 0, 1, cmd_show_log},
        {"create-cluster", "db contents local", 0, INT_MAX, cmd_no_clusters},
        {"join-cluster", "db name local remote...", 0, INT_MAX, cmd_no_clusters},
        {"cluster-to-standalone", "db clusterdb", 0, INT_MAX, cmd_no_clusters},
        {"db-cid", "db", 0, INT_MAX, cmd_no_clusters},
        {"db-sid", "db", 0, INT_MAX, cmd_no_clusters},
        {"db-local-address", "db", 0, INT_MAX, cmd_no_clusters},
        {"check-cluster", "db...", 0, INT_MAX, cmd_no_clusters},
        {"help", "", 0, INT_MAX, cmd_help},
        {NULL, NULL, 0, 0, NULL},
    };
    dirs_set_program(argv[0]);
    rcu_start();
    int first = cmdline_parse(&cmdline, argc, argv);
    if (first >= argc) {
        log_fatal(0, "missing command name; use --help for help");
    }
    struct cmdline_ctx ctx = {argc - first, argv + first, NULL};
    cmdline_run(commands, &ctx);
    return 0;
}
