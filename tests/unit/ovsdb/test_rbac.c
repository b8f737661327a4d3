// SPDX-License-Identifier: Apache-2.0
// What clients with a role may change (ovsdb-server(7) section 3.2), operation by operation, on
// tables with every kind of permission.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/rbac.h"

static const char schema_text[] =
    "{\"name\":\"Farm\",\"version\":\"1.0.0\",\"tables\":{"
    "\"RBAC_Role\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"permissions\":{\"type\":{\"key\":\"string\",\"value\":{\"type\":\"uuid\","
    "\"refTable\":\"RBAC_Permission\",\"refType\":\"weak\"},\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"RBAC_Permission\":{\"isRoot\":true,\"columns\":{\"table\":{\"type\":\"string\"},"
    "\"authorization\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"insert_delete\":{\"type\":\"boolean\"},"
    "\"update\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"Plot\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"owner\":{\"type\":\"string\"},\"owners\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":9}}"
    ","
    "\"maybe\":{\"type\":{\"key\":\"string\",\"min\":0}},"
    "\"ids\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"crop\":{\"type\":\"string\"},\"size\":{\"type\":\"integer\"}}},"
    "\"Silo\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"full\":{\"type\":\"boolean\"}}},"
    "\"Barn\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"}}}}}";

#define FARMER "farmer"

static struct db *
new_db(const char *schema_json)
{
    struct db_schema *schema;
    struct db_error *e = db_schema_from_text(schema_json, &schema);
    assert_null(e);
    return db_new(schema);
}

// The reply as text, to free. ops: "{…},{…}".
static char *
transact(struct db *db, const char *role, const char *id, const char *ops)
{
    char *text = base_asprintf("[\"Farm\",%s]", ops);
    json_t *params = json_loads(text, 0, NULL);
    struct db_exec x = {.db = db, .params = db_value_of(params), .client = {role, id}};
    struct str result = STR_INIT;
    if (!params) {
        print_error("no JSON: %s\n", text);
    }
    assert_non_null(params);
    db_execute(&x, &result);
    free(text);
    json_decref(params);
    return str_take(&result);
}

// Amy owns "mine" by each of the columns that count, "hers" by the map, "his" not at all.
static const char fill[] =
    "{\"op\":\"insert\",\"table\":\"RBAC_Permission\",\"uuid-name\":\"p\",\"row\":{"
    "\"table\":\"Plot\",\"authorization\":[\"set\",[\"owner\",\"ids:who\",\"maybe\",\"owners\","
    "\"none\",\"size\",\"crop:x\"]],\"insert_delete\":true,"
    "\"update\":[\"set\",[\"crop\",\"size\"]]}},"
    "{\"op\":\"insert\",\"table\":\"RBAC_Permission\",\"uuid-name\":\"s\",\"row\":{"
    "\"table\":\"Silo\",\"authorization\":\"\",\"insert_delete\":false,\"update\":\"full\"}},"
    "{\"op\":\"insert\",\"table\":\"RBAC_Role\",\"row\":{\"name\":\"farmer\",\"permissions\":"
    "[\"map\",[[\"Plot\",[\"named-uuid\",\"p\"]],[\"Silo\",[\"named-uuid\",\"s\"]]]]}},"
    "{\"op\":\"insert\",\"table\":\"Plot\",\"row\":{\"name\":\"mine\",\"owner\":\"amy\"}},"
    "{\"op\":\"insert\",\"table\":\"Plot\",\"row\":{\"name\":\"hers\",\"owner\":\"bo\","
    "\"ids\":[\"map\",[[\"who\",\"amy\"]]]}},"
    "{\"op\":\"insert\",\"table\":\"Plot\",\"row\":{\"name\":\"perhaps\",\"maybe\":\"amy\"}},"
    "{\"op\":\"insert\",\"table\":\"Plot\",\"row\":{\"name\":\"his\",\"owner\":\"bo\","
    "\"owners\":\"amy\",\"ids\":[\"map\",[[\"amy\",\"who\"]]],\"crop\":\"amy\"}},"
    "{\"op\":\"insert\",\"table\":\"Silo\",\"row\":{\"name\":\"s\"}},"
    "{\"op\":\"insert\",\"table\":\"Barn\",\"row\":{\"name\":\"b\"}}";

#define INSERT(T, ROW) "{\"op\":\"insert\",\"table\":\"" T "\",\"row\":{" ROW "}}"
#define UPDATE(T, NAME, ROW)                                                                       \
    "{\"op\":\"update\",\"table\":\"" T "\",\"where\":[[\"name\",\"==\",\"" NAME                   \
    "\"]],\"row\":{" ROW "}}"
#define MUTATE(T, NAME, M)                                                                         \
    "{\"op\":\"mutate\",\"table\":\"" T "\",\"where\":[[\"name\",\"==\",\"" NAME                   \
    "\"]],\"mutations\":[" M "]}"
#define DELETE(T, NAME)                                                                            \
    "{\"op\":\"delete\",\"table\":\"" T "\",\"where\":[[\"name\",\"==\",\"" NAME "\"]]}"

struct rule {
    const char *role, *id, *ops;
    const char *denied; // what the error says; NULL: it may
};

static const struct rule rules[] = {
    // Rows come and go where insert_delete says so, and only the client's own.
    {FARMER, "amy", INSERT("Plot", "\"name\":\"x\",\"owner\":\"amy\""), NULL},
    {FARMER, "amy", INSERT("Plot", "\"name\":\"x\",\"owner\":\"bo\""), "row insertion into"},
    {FARMER, "amy", INSERT("Plot", "\"name\":\"x\""), "row insertion into"},
    {FARMER, "amy", INSERT("Silo", "\"name\":\"x\""), "row insertion into"},
    {FARMER, "amy", INSERT("Barn", "\"name\":\"x\""), "row insertion into"},
    {FARMER, "amy", DELETE("Plot", "mine"), NULL},
    {FARMER, "amy", DELETE("Plot", "his"), "row deletion from"},
    {FARMER, "amy", DELETE("Plot", "nobody's"), NULL},
    {FARMER, "amy", DELETE("Silo", "s"), "row deletion from"},
    {FARMER, "amy", DELETE("Barn", "b"), "row deletion from"},
    // Ownership: a string, an optional string, a value of a map. No set, no key, no other type.
    {FARMER, "amy", UPDATE("Plot", "mine", "\"crop\":\"rye\""), NULL},
    {FARMER, "amy", UPDATE("Plot", "hers", "\"crop\":\"rye\""), NULL},
    {FARMER, "amy", UPDATE("Plot", "perhaps", "\"crop\":\"rye\""), NULL},
    {FARMER, "amy", UPDATE("Plot", "his", "\"crop\":\"rye\""), "modification of"},
    {FARMER, "bo", UPDATE("Plot", "his", "\"crop\":\"rye\""), NULL},
    {FARMER, "bo", UPDATE("Plot", "mine", "\"crop\":\"rye\""), "modification of"},
    {FARMER, "", UPDATE("Plot", "mine", "\"crop\":\"rye\""), "modification of"},
    {FARMER, "cy", UPDATE("Silo", "s", "\"full\":true"), NULL},
    // Columns.
    {FARMER, "amy", UPDATE("Plot", "mine", "\"owner\":\"bo\""), "modification of"},
    {FARMER, "amy", UPDATE("Plot", "mine", "\"size\":1,\"crop\":\"rye\""), NULL},
    {FARMER, "amy", UPDATE("Plot", "mine", "\"size\":1,\"name\":\"x\""), "modification of"},
    {FARMER, "amy", UPDATE("Silo", "s", "\"name\":\"x\""), "modification of"},
    {FARMER, "amy", UPDATE("Barn", "b", "\"name\":\"x\""), "modification of"},
    {FARMER, "amy", MUTATE("Plot", "mine", "[\"size\",\"+=\",1]"), NULL},
    {FARMER, "amy", MUTATE("Plot", "his", "[\"size\",\"+=\",1]"), "mutate operation on"},
    {FARMER, "amy", MUTATE("Plot", "mine", "[\"owners\",\"insert\",\"x\"]"), "mutate operation on"},
    // The whole transaction stands or falls.
    {FARMER, "amy", UPDATE("Plot", "mine", "\"size\":7") "," DELETE("Silo", "s"),
     "row deletion from"},
    // Reading is free; so are clients without a role.
    {FARMER, "amy", "{\"op\":\"select\",\"table\":\"Barn\",\"where\":[]}", NULL},
    {FARMER, NULL, "{\"op\":\"select\",\"table\":\"Barn\",\"where\":[]}", NULL},
    {FARMER, NULL, UPDATE("Silo", "s", "\"full\":true"), "modification of"},
    {NULL, NULL, DELETE("Barn", "b"), NULL},
    {"", NULL, DELETE("Barn", "b"), NULL},
    {"stranger", "amy", UPDATE("Silo", "s", "\"full\":true"), "modification of"},
};

static size_t
count(struct db *db, const char *table)
{
    return hmap_count(&db_table_find(db, table)->rows);
}

static void
test_rules(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const struct rule *r = &rules[i];
        struct db *db = new_db(schema_text);
        free(transact(db, NULL, NULL, fill));
        const uint64_t commits = db->n_commits;
        char *reply = transact(db, r->role, r->id, r->ops);
        bool denied = strstr(reply, "\"permission error\"") != NULL;
        if (denied != (r->denied != NULL) || (denied && !strstr(reply, r->denied))) {
            print_error("%s as %s: %s\n", r->ops, r->id ? r->id : "nobody", reply);
        }
        assert_int_equal(denied, r->denied != NULL);
        if (denied) {
            assert_non_null(strstr(reply, r->denied));
            assert_int_equal(db->n_commits, commits);
            assert_int_equal(count(db, "Plot"), 4);
        } else {
            assert_null(strstr(reply, "error"));
        }
        free(reply);
        db_free(db);
    }
}

// What the tables say holds from the next operation on, within a transaction too.
static void
test_rules_change(void **state)
{
    struct db *db = new_db(schema_text);
    const char *op = UPDATE("Plot", "mine", "\"crop\":\"rye\"");
    free(transact(db, NULL, NULL, fill));
    char *reply = transact(db, FARMER, "amy", op);
    assert_string_equal(reply, "[{\"count\":1}]");
    free(reply);
    free(transact(db, NULL, NULL,
                  "{\"op\":\"update\",\"table\":\"RBAC_Role\",\"where\":[],\"row\":{"
                  "\"permissions\":[\"map\",[]]}}"));
    reply = transact(db, FARMER, "amy", op);
    assert_non_null(strstr(reply, "permission error"));
    free(reply);
    // The permission's row is gone, and with it the weak reference.
    free(transact(db, NULL, NULL, "{\"op\":\"delete\",\"table\":\"RBAC_Role\",\"where\":[]}"));
    free(transact(db, NULL, NULL, fill));
    free(
        transact(db, NULL, NULL, "{\"op\":\"delete\",\"table\":\"RBAC_Permission\",\"where\":[]}"));
    reply = transact(db, FARMER, "amy", op);
    assert_non_null(strstr(reply, "permission error"));
    free(reply);
    db_free(db);
}

static bool
may_convert(const struct db *db, const char *role, const char *id)
{
    const struct db_rbac_client client = {role, id};
    struct db_error *e = db_rbac_check_convert(&client, db);
    bool may = !e;
    db_error_free(e);
    return may;
}

// Another schema could have other rules.
static void
test_convert(void **state)
{
    struct db *db = new_db(schema_text);
    assert_false(may_convert(db, FARMER, "amy"));
    assert_false(may_convert(db, "stranger", NULL));
    assert_true(may_convert(db, NULL, "amy"));
    assert_true(may_convert(db, "", NULL));
    db_free(db);
    db = new_db("{\"name\":\"Farm\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{"
                "\"name\":{\"type\":\"string\"}},\"isRoot\":true}}}");
    assert_true(may_convert(db, FARMER, "amy"));
    char *reply = transact(db, FARMER, NULL, INSERT("T", "\"name\":\"x\""));
    assert_null(strstr(reply, "error")); // no table of roles: no control
    free(reply);
    db_free(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_rules_change),
        cmocka_unit_test(test_convert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
