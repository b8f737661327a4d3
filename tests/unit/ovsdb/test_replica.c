// SPDX-License-Identifier: Apache-2.0
// A copy of another server's database: updates of both kinds, tables that are left alone, updates
// that don't fit, and the whole contents once more after a lost connection; the roles of backup and
// active server.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/file.h"
#include "ovsdb/replica.h"
#include "ovsdb/replication.h"
#include "ovsdb/server.h"

#define SET "{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}}"
#define MAP "{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}"
#define REF "{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Kid\"},\"min\":0}}"

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{"
    "\"T\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"n\":{\"type\":\"integer\"},\"s\":" SET ",\"m\":" MAP ",\"kid\":" REF "}},"
    "\"Own\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"}}},"
    "\"Kid\":{\"columns\":{\"name\":{\"type\":\"string\"}}}}}";

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define K "00000000-0000-4000-8000-00000000000c"

static int n_synced;

int
fdatasync(int fd)
{
    n_synced++;
    return 0;
}

static struct db *
new_db(void)
{
    struct db_schema *schema;
    struct db_error *e = db_schema_from_text(schema_text, &schema);
    assert_null(e);
    return db_new(schema);
}

static json_t *
parse(const char *text)
{
    json_error_t e;
    json_t *j = json_loads(text, 0, &e);
    if (!j) {
        print_error("%s: %s\n", e.text, text);
    }
    assert_non_null(j);
    return j;
}

static bool
apply(struct db *db, struct db_replica_update u, const char *tables)
{
    json_t *j = parse(tables);
    u.tables = j;
    struct db_error *e = db_replica_apply(db, &u);
    bool ok = !e;
    if (e) {
        char *text = db_error_take_text(e);
        print_message("%s\n", text);
        free(text);
    }
    json_decref(j);
    return ok;
}

// Rows of T and Own as the operation select tells them must be these.
static void
expect(struct db *db, const char *t, const char *own)
{
    json_t *params =
        parse("[\"D\",{\"op\":\"select\",\"table\":\"T\",\"where\":[],\"columns\":[\"name\",\"n\","
              "\"s\",\"m\"]},{\"op\":\"select\",\"table\":\"Own\",\"where\":[],\"columns\":"
              "[\"name\"]}]");
    struct db_exec x = {.db = db, .params = db_value_of(params)};
    struct str result = STR_INIT;
    assert_true(db_execute(&x, &result));
    char *want_text = base_asprintf("[{\"rows\":%s},{\"rows\":%s}]", t, own);
    json_t *got = parse(str_get(&result)), *want = parse(want_text);
    if (!json_equal(got, want)) {
        print_error("got  %s\nwant %s\n", str_get(&result), want_text);
    }
    assert_true(json_equal(got, want));
    json_decref(got);
    json_decref(want);
    json_decref(params);
    free(want_text);
    str_free(&result);
}

#define ROW(NAME, N, S, M) "{\"name\":\"" NAME "\",\"n\":" N ",\"s\":" S ",\"m\":[\"map\",[" M "]]}"
#define NONE "[\"set\",[]]"

static void
test_values(void **state)
{
    struct db *db = new_db();
    struct db_replica_update u = {.whole = true};
    assert_true(apply(db, u,
                      "{\"T\":{\"" A "\":{\"new\":{\"name\":\"a\",\"n\":1,\"s\":[\"set\",[1,2]],"
                      "\"m\":[\"map\",[[\"k\",\"v\"]]]}}},\"Own\":{}}"));
    expect(db, "[" ROW("a", "1", "[\"set\",[1,2]]", "[\"k\",\"v\"]") "]", "[]");
    u.whole = false;
    assert_true(apply(db, u,
                      "{\"T\":{\"" A "\":{\"old\":{\"n\":1},\"new\":{\"name\":\"a\",\"n\":2,"
                      "\"s\":[\"set\",[]],\"m\":[\"map\",[]],\"_version\":[\"uuid\",\"" B
                      "\"]}}},\"Own\":{\"" B "\":{\"new\":{\"name\":\"b\"}}}}"));
    expect(db, "[" ROW("a", "2", NONE, "") "]", "[{\"name\":\"b\"}]");
    assert_true(apply(db, u, "{\"T\":{\"" A "\":{\"old\":{\"name\":\"a\"}}}}"));
    expect(db, "[]", "[{\"name\":\"b\"}]");
    db_free(db);
}

static void
test_differences(void **state)
{
    struct db *db = new_db();
    struct db_replica_update u = {.differences = true, .whole = true};
    assert_true(apply(db, u,
                      "{\"T\":{\"" A "\":{\"initial\":{\"name\":\"a\",\"s\":[\"set\",[1,2]],"
                      "\"m\":[\"map\",[[\"k\",\"v\"],[\"l\",\"w\"]]]}}}}"));
    u.whole = false;
    // What a set or map has both before and in the difference goes; a map's value is replaced.
    assert_true(apply(db, u,
                      "{\"T\":{\"" A "\":{\"modify\":{\"n\":5,\"s\":[\"set\",[2,3]],"
                      "\"m\":[\"map\",[[\"k\",\"v\"],[\"l\",\"x\"],[\"z\",\"\"]]]}}}}"));
    expect(db, "[" ROW("a", "5", "[\"set\",[1,3]]", "[\"l\",\"x\"],[\"z\",\"\"]") "]", "[]");
    // A row that is told again has the default in what isn't told.
    assert_true(apply(db, u, "{\"T\":{\"" A "\":{\"insert\":{\"name\":\"b\"}}}}"));
    expect(db, "[" ROW("b", "0", NONE, "") "]", "[]");
    assert_true(apply(db, u, "{\"T\":{\"" A "\":{\"delete\":null},\"" B "\":{\"delete\":null}}}"));
    expect(db, "[]", "[]");
    db_free(db);
}

static void
fill(struct db *db)
{
    struct db_replica_update u = {.differences = true};
    assert_true(apply(db, u,
                      "{\"T\":{\"" A "\":{\"insert\":{\"name\":\"a\",\"kid\":[\"uuid\",\"" K
                      "\"]}}},\"Kid\":{\"" K "\":{\"insert\":{\"name\":\"k\"}}},\"Own\":{\"" B
                      "\":{\"insert\":{\"name\":\"own\"}}}}"));
}

// Tables that aren't covered keep their rows when the whole contents come.
static void
test_excluded(void **state)
{
    struct db *db = new_db();
    bool covered[3] = {false};
    struct db_replica_update u = {.differences = true, .whole = true, .covered = covered};
    fill(db);
    covered[db_schema_table(db->schema, "T")->index] = true;
    assert_true(apply(db, u, "{\"T\":{\"" B "\":{\"initial\":{\"name\":\"x\"}}}}"));
    expect(db, "[" ROW("x", "0", NONE, "") "]", "[{\"name\":\"own\"}]");
    assert_true(apply(db, u, "{}"));
    expect(db, "[]", "[{\"name\":\"own\"}]");
    u.covered = NULL;
    assert_true(apply(db, u, "{}"));
    expect(db, "[]", "[]");
    db_free(db);
}

// An update that doesn't fit changes nothing at all.
static void
test_misfits(void **state)
{
    static const struct {
        bool differences;
        const char *tables;
    } bad[] = {
        {true, "{\"None\":{}}"},
        {true, "{\"T\":[]}"},
        {true, "[]"},
        {true, "{\"T\":{\"" A "\":1}}"},
        {true, "{\"T\":{\"x\":{\"delete\":null}}}"},
        {true, "{\"T\":{\"" A "\":{}}}"},
        {true, "{\"T\":{\"" B "\":{\"modify\":{\"n\":1}}}}"},
        {true, "{\"T\":{\"" A "\":{\"modify\":{\"extra\":1}}}}"},
        {true, "{\"T\":{\"" A "\":{\"modify\":{\"n\":\"x\"}}}}"},
        {true, "{\"T\":{\"" A "\":{\"modify\":{\"n\":9}},\"" B "\":{\"insert\":{\"extra\":1}}}}"},
        {true, "{\"T\":{\"" B "\":{\"insert\":{\"kid\":[\"uuid\",\"" B "\"]}}}}"},
        {true, "{\"Own\":{\"" B "\":{\"delete\":null}},\"T\":{\"" A "\":{\"modify\":{\"n\":[]}}}}"},
        {false, "{\"T\":{\"" A "\":{}}}"},
        {false, "{\"T\":{\"" A "\":{\"new\":{\"extra\":1}}}}"},
    };
    struct db *db = new_db();
    fill(db);
    const uint64_t commits = db->n_commits;
    const struct uuid last = db->last_txn;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct db_replica_update u = {.differences = bad[i].differences};
        if (apply(db, u, bad[i].tables)) {
            print_error("taken: %s\n", bad[i].tables);
            fail();
        }
        expect(db, "[" ROW("a", "0", NONE, "") "]", "[{\"name\":\"own\"}]");
        assert_int_equal(db->n_commits, commits);
        assert_true(uuid_equals(&db->last_txn, &last));
    }
    db_free(db);
}

// The whole contents once more: what is as it was isn't touched.
static void
test_again(void **state)
{
    struct db *db = new_db();
    struct db_replica_update u = {.differences = true, .whole = true};
    const char *tables = "{\"T\":{\"" A "\":{\"initial\":{\"name\":\"a\",\"kid\":[\"uuid\",\"" K
                         "\"]}}},\"Kid\":{\"" K "\":{\"initial\":{\"name\":\"k\"}}},\"Own\":{\"" B
                         "\":{\"initial\":{\"name\":\"own\"}}}}";
    struct uuid id;
    fill(db);
    assert_true(uuid_parse(A, &id));
    const struct db_row *a = db_row_find(db_table_find(db, "T"), &id);
    const uint64_t commits = db->n_commits;
    struct uuid version = a->version.uuid;
    assert_true(apply(db, u, tables));
    assert_int_equal(db->n_commits, commits);
    assert_true(uuid_equals(&a->version.uuid, &version));
    // One row differs: it alone has a new version. The transaction has the id it is told.
    uuid_parse(K, &u.txn);
    assert_true(apply(db, u,
                      "{\"T\":{\"" A "\":{\"initial\":{\"name\":\"a\",\"kid\":[\"uuid\",\"" K
                      "\"]}}},\"Kid\":{\"" K "\":{\"initial\":{\"name\":\"k\"}}},\"Own\":{\"" B
                      "\":{\"initial\":{\"name\":\"other\"}}}}"));
    assert_int_equal(db->n_commits, commits + 1);
    assert_true(uuid_equals(&a->version.uuid, &version));
    assert_true(uuid_equals(&db->last_txn, &u.txn));
    expect(db, "[" ROW("a", "0", NONE, "") "]", "[{\"name\":\"other\"}]");
    db_free(db);
}

static void
expect_status(struct db_replication *r, const char *want)
{
    struct str s = STR_INIT;
    db_replication_write_status(r, &s);
    assert_string_equal(str_get(&s), want);
    str_free(&s);
}

static void
expect_excluded(struct db_replication *r, const char *want)
{
    struct str s = STR_INIT;
    db_replication_write_excluded(r, &s);
    assert_string_equal(str_get(&s), want);
    str_free(&s);
}

static void
test_excluded_names(void **state)
{
    static const char *const bad[] = {"T", "D:", ":T", "D:T,x", "D:T :"};
    struct loop *loop = loop_new();
    struct db_server *server = db_server_new(loop);
    struct db_replication *r = db_replication_new(server);
    assert_null(db_replication_set_excluded(r, "b:T a:T,a:S"));
    expect_excluded(r, "a:S,a:T,b:T");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error = db_replication_set_excluded(r, bad[i]);
        assert_non_null(error);
        free(error);
        expect_excluded(r, "a:S,a:T,b:T"); // as it was
    }
    assert_null(db_replication_set_excluded(r, ""));
    expect_excluded(r, "");
    db_replication_free(r);
    db_server_free(server);
    loop_free(loop);
}

// A backup only reads. What it copied is on disk when it becomes active.
static void
test_roles(void **state)
{
    char path[64];
    struct db_file *file;
    struct db *made = new_db(), *db;
    struct loop *loop = loop_new();
    struct db_server *server = db_server_new(loop);
    snprintf(path, sizeof path, "/tmp/flowerbed-test.%d.db", (int) getpid());
    unlink(path);
    struct db_error *e = db_file_create(path, made->schema, &file);
    assert_null(e);
    db_file_close(file);
    db_free(made);
    e = db_file_open(path, true, &db, &file);
    assert_null(e);
    db->file = file;
    e = db_server_add(server, db, file);
    assert_null(e);
    struct db_replication *r = db_replication_new(server);
    expect_status(r, "state: active\n");
    db_replication_start(r); // nothing to be a backup of
    expect_status(r, "state: active\n");
    db_replication_set_remote(r, "unix:/nonexistent/socket");
    db_replication_start(r);
    expect_status(r, "state: backup\nconnecting: unix:/nonexistent/socket\n");
    assert_true(db_server_is_read_only(server));
    fill(db); // as if it came from there
    n_synced = 0;
    for (int i = 0; i < 3; i++) {
        loop_turn(loop, 0);
    }
    expect_status(r, "state: backup\nconnecting: unix:/nonexistent/socket\n");
    assert_int_equal(n_synced, 0);
    db_replication_stop(r);
    expect_status(r, "state: active\n");
    assert_false(db_server_is_read_only(server));
    assert_int_equal(n_synced, 1);
    db_replication_stop(r);
    assert_int_equal(n_synced, 1);
    db_replication_free(r);
    db_server_free(server);
    loop_free(loop);
    unlink(path);
}

int
main(void)
{
    rcu_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_differences),
        cmocka_unit_test(test_excluded), cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_again),    cmocka_unit_test(test_excluded_names),
        cmocka_unit_test(test_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
