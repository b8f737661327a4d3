// SPDX-License-Identifier: Apache-2.0
// What strangers write to a database: files, schemas, transactions, monitor requests. First byte:
// which of them. Texts go to the fast reader of requests, too, which must agree with jansson; and
// transactions run both ways, with the same replies.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "ovsdb/convert.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/file.h"
#include "ovsdb/monitor.h"
#include "tests/unit/ovsdb/tree_twins.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"tables\":{\"R\":{\"isRoot\":true,\"maxRows\":9,\"indexes\":[[\"s\"]],"
    "\"columns\":{"
    "\"s\":{\"type\":\"string\"},\"i\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-5},"
    "\"min\":0,\"max\":4}},"
    "\"f\":{\"type\":\"real\"},\"b\":{\"type\":\"boolean\",\"mutable\":false},"
    "\"k\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"K\"},\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"m\":{\"type\":{\"key\":\"string\",\"value\":{\"type\":\"uuid\",\"refTable\":\"K\","
    "\"refType\":\"weak\"},\"min\":0,\"max\":"
    "\"unlimited\"}}}},\"K\":{\"columns\":{\"s\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":["
    "\"set\",[\"\",\"a\",\"b\"]]}}},"
    "\"r\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"R\",\"refType\":\"weak\"},\"min\":"
    "1}}}}}}";

static struct db *
new_db(void)
{
    struct db_schema *schema;
    struct db_error *e = db_schema_from_text(schema_text, &schema);
    if (e) {
        abort();
    }
    return db_new(schema);
}

static void
fuzz_file(const uint8_t *data, size_t n)
{
    char path[64];
    struct db *db;
    struct db_file *file;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, n) != (ssize_t) n) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct db_error *e = db_file_open(path, false, &db, &file);
    db_error_free(e);
    if (!e) {
        db_free(db);
        db_file_close(file);
    }
    close(fd);
}

static void
fuzz_schema(const json_t *j)
{
    struct db_schema *schema, *again;
    struct db_error *e = db_schema_from_json(j, &schema);
    db_error_free(e);
    if (e) {
        return;
    }
    // What it prints reads back as the same.
    again = db_schema_clone(schema);
    if (!db_schema_equals(schema, again)) {
        abort();
    }
    struct db *db = new_db(), *new;
    e = db_convert(db, again, &new);
    db_error_free(e);
    if (!e) {
        db_free(new);
    }
    db_free(db);
    db_schema_free(schema);
}

static void
ignore(const char *text, size_t len, void *aux)
{
    json_t *j = json_loadb(text, len, 0, NULL);
    if (!j) {
        abort(); // an update must be JSON
    }
    json_decref(j);
}

// A client that reads now and then.
static bool
sometimes(void *n_asked)
{
    return ++*(unsigned *) n_asked % 3;
}

static struct str
try_out(struct db *db, struct db_value params)
{
    struct str reply = STR_INIT;
    struct db_exec x = {.db = db, .params = params, .dry_run = true};
    db_execute(&x, &reply);
    return reply;
}

// Once read by each of the readers, without effect; then for good.
static void
transact(struct db *db, const json_t *params, struct str *result)
{
    struct str text = STR_INIT;
    struct db_tree tree = {.nodes = NULL};
    struct db_exec x = {.db = db, .params = db_value_of(params)};
    char *dump = json_dumps(params, JSON_COMPACT);
    str_addf(&text, "{\"params\":%s}", dump ? dump : "");
    free(dump);
    if (db_tree_read(&tree, text.p, text.len) == text.len) {
        x.params = db_value_member(db_tree_root(&tree), "params");
        struct str a = try_out(db, db_value_of(params)), b = try_out(db, x.params);
        // New rows have random uuids, and in their order stand rows and members of sets.
        if (!strstr(text.p, "insert") && !strstr(text.p, "named-uuid") &&
            strcmp(str_get(&a), str_get(&b))) {
            fprintf(stderr, "%s\njansson: %s\nfast: %s\n", text.p, str_get(&a), str_get(&b));
            abort();
        }
        str_free(&a);
        str_free(&b);
    }
    db_execute(&x, result);
    db_tree_destroy(&tree);
    str_free(&text);
}

// An array of transactions and monitor requests, in turn on one database.
static void
fuzz_requests(const json_t *list)
{
    struct db *db = new_db();
    struct db_monitors *ms = db_monitors_new(db);
    struct db_monitor *monitors[16];
    size_t n_monitors = 0;
    unsigned n_asked = 0;
    json_t *id = json_integer(1);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *j = json_array_get(list, i);
        struct str result = STR_INIT;
        if (json_is_array(j)) {
            transact(db, j, &result);
        } else if (n_monitors < ARRAY_SIZE(monitors)) {
            struct db_monitor_args args = {.version = 1 + i % 3,
                                           .id = id,
                                           .requests = j,
                                           .send = ignore,
                                           .ready = sometimes,
                                           .aux = &n_asked};
            struct db_error *e = db_monitor_new(ms, &args, &monitors[n_monitors], &result);
            n_monitors += !e;
            db_error_free(e);
        } else {
            db_error_free(db_monitor_change(monitors[i % n_monitors], id, j));
        }
        if (n_monitors && i % 4 == 3) {
            db_monitor_flush(monitors[i % n_monitors]);
        }
        str_free(&result);
    }
    while (n_monitors) {
        db_monitor_free(monitors[--n_monitors]);
    }
    json_decref(id);
    db_monitors_free(ms);
    db_free(db);
}

static void
fuzz_json(const uint8_t *data, size_t n, void (*fn)(const json_t *))
{
    struct jsonrpc_parser *p = jsonrpc_parser_new();
    const char *error = NULL;
    for (size_t at = 0; at < n && !error;) {
        struct jsonrpc_text text;
        at += jsonrpc_parser_split(p, (const char *) data + at, n - at, &text, &error);
        if (text.p) {
            twins_read(text.p, text.n);
            json_t *j = jsonrpc_parser_value(text.p, text.n, &error);
            if (j) {
                fn(j);
            }
            json_decref(j);
        }
    }
    jsonrpc_parser_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static bool quiet;
    if (!quiet) {
        free(log_set_levels("any:any:off"));
        quiet = true;
    }
    if (!n) {
        return 0;
    }
    switch (data[0] % 3) {
    case 0:
        fuzz_file(data + 1, n - 1);
        break;
    case 1:
        fuzz_json(data + 1, n - 1, fuzz_schema);
        break;
    default:
        fuzz_json(data + 1, n - 1, fuzz_requests);
    }
    return 0;
}
