// SPDX-License-Identifier: Apache-2.0
// Random transactions on a small database with every kind of reference, against a model that keeps
// rows as JSON and checks constraints by looking at everything. After each transaction these must
// agree: whether it failed, the rows, the replicas of three monitors (versions 1, 2, 3), what a
// client gets that saw an older transaction last, and the rows that the file gives back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/exec.h"
#include "ovsdb/file.h"
#include "ovsdb/history.h"
#include "ovsdb/monitor.h"
#include "tests/unit/ovsdb/txn_model.h"

// --- the model: {"Root": {uuid: {column: value}}, "Kid": …} ---

static json_t *
rows_of(const json_t *state, const char *table)
{
    return json_object_get(state, table);
}

// Calls fn for each reference in the row; it returns true to remove the reference.
typedef bool ref_fn(const struct column *, const char *uuid, void *aux);

static void
each_ref(json_t *row, const char *table, ref_fn *fn, void *aux)
{
    FOR_COLUMNS(c, table)
    {
        const char *key;
        json_t *value;
        void *next;
        if (!c->ref) {
            continue;
        }
        json_object_foreach_safe(json_object_get(row, c->name), next, key, value)
        {
            if (fn(c, c->kind == MAP_UUID ? json_string_value(value) : key, aux)) {
                json_object_del(json_object_get(row, c->name), key);
            }
        }
    }
}

struct look {
    json_t *state, *old_row;
    json_t *counts;
    bool dangling;
};

static bool
count_strong(const struct column *c, const char *uuid, void *look_)
{
    struct look *look = look_;
    if (c->ref == STRONG) {
        json_t *n = json_object_get(look->counts, uuid);
        json_object_set_new(look->counts, uuid, json_integer(json_integer_value(n) + 1));
        look->dangling |= !json_object_get(rows_of(look->state, c->to), uuid);
    }
    return false;
}

// References that the transaction added must exist, whatever becomes of the row.
static bool
check_added(const struct column *c, const char *uuid, void *look_)
{
    struct look *look = look_;
    bool had = look->old_row && json_object_get(json_object_get(look->old_row, c->name), uuid);
    if (c->ref == STRONG && !had && !json_object_get(rows_of(look->state, c->to), uuid)) {
        look->dangling = true;
    }
    return false;
}

static bool
drop_weak(const struct column *c, const char *uuid, void *look_)
{
    struct look *look = look_;
    return c->ref == WEAK && !json_object_get(rows_of(look->state, c->to), uuid);
}

static void
each_row_ref(json_t *state, ref_fn *fn, struct look *look, const json_t *before)
{
    const char *table, *uuid;
    json_t *rows, *row;
    json_object_foreach(state, table, rows)
    {
        json_object_foreach(rows, uuid, row)
        {
            look->old_row = before ? json_object_get(rows_of(before, table), uuid) : NULL;
            if (!before || !look->old_row || !json_equal(look->old_row, row)) {
                each_ref(row, table, fn, look);
            }
        }
    }
}

static bool
unique(json_t *rows, const char *a, const char *b)
{
    const char *u, *v;
    json_t *x, *y;
    json_object_foreach(rows, u, x)
    {
        json_object_foreach(rows, v, y)
        {
            if (strcmp(u, v) < 0 && json_equal(json_object_get(x, a), json_object_get(y, a)) &&
                (!b || json_equal(json_object_get(x, b), json_object_get(y, b)))) {
                return false;
            }
        }
    }
    return true;
}

static bool
model_commit(json_t *state, const json_t *before)
{
    struct look look = {.state = state};
    each_row_ref(state, check_added, &look, before);
    if (look.dangling) {
        return false;
    }
    for (bool again = true; again;) {
        const char *uuid;
        json_t *row;
        void *next;
        again = false;
        look.counts = json_object();
        look.dangling = false;
        each_row_ref(state, count_strong, &look, NULL);
        json_object_foreach_safe(rows_of(state, "Kid"), next, uuid, row)
        {
            if (!json_object_get(look.counts, uuid)) {
                json_object_del(rows_of(state, "Kid"), uuid);
                again = true;
            }
        }
        json_decref(look.counts);
    }
    if (look.dangling) {
        return false;
    }
    each_row_ref(state, drop_weak, &look, NULL);
    return json_object_size(rows_of(state, "Root")) <= 6 &&
           unique(rows_of(state, "Root"), "name", NULL) &&
           unique(rows_of(state, "Kid"), "label", "n");
}

// --- random operations, on the wire and on the model ---

struct gen {
    json_t *state; // working copy
    json_t *ops;
    bool failed; // an operation must fail
};

static char *
new_uuid(char out[UUID_LEN + 1])
{
    struct uuid u;
    uuid_generate(&u);
    uuid_format(&u, out);
    return out;
}

// A row's uuid, now and then of no row.
static const char *
pick(const json_t *state, const char *table, char out[UUID_LEN + 1])
{
    json_t *rows = rows_of(state, table), *row;
    const char *uuid;
    size_t n = json_object_size(rows), i = n ? random_below(n) : 0;
    if (!n || !random_below(40)) {
        return new_uuid(out);
    }
    json_object_foreach(rows, uuid, row)
    {
        if (!i--) {
            return strcpy(out, uuid);
        }
    }
    return new_uuid(out);
}

static json_t *
random_value(struct gen *g, const struct column *c)
{
    char text[UUID_LEN + 1], value[UUID_LEN + 1];
    if (c->kind == INTEGER) {
        return json_integer(random_below(4));
    } else if (c->kind == STRING) {
        snprintf(text, sizeof text, "s%u", random_below(12));
        return json_string(text);
    }
    json_t *v = json_object();
    for (unsigned n = random_below(c->kind == OPT_UUID ? 2 : 4); n > 0; n--) {
        snprintf(text, sizeof text, "%s%u", c->kind == SET_INT ? "" : "k", random_below(5));
        if (c->kind == SET_INT) {
            json_object_set_new(v, text, json_true());
        } else if (c->kind == MAP_STRING) {
            snprintf(value, sizeof value, "v%u", random_below(3));
            json_object_set_new(v, text, json_string(value));
        } else if (c->kind == MAP_UUID) {
            json_object_set_new(v, text, json_string(pick(g->state, c->to, value)));
        } else {
            json_object_set_new(v, pick(g->state, c->to, value), json_true());
        }
    }
    return v;
}

static void
gen_insert(struct gen *g, const char *table)
{
    char uuid[UUID_LEN + 1];
    json_t *row = json_object(), *wire = json_object();
    FOR_COLUMNS(c, table)
    {
        json_t *v = random_below(2) ? random_value(g, c) : empty_value(c->kind);
        json_object_set_new(row, c->name, v);
        if (!json_equal(v, json_object_get(wire, c->name))) {
            json_object_set_new(wire, c->name, to_wire(v, c->kind));
        }
    }
    new_uuid(uuid);
    json_array_append_new(g->ops, json_pack("{s:s,s:s,s:s,s:o}", "op", "insert", "table", table,
                                            "uuid", uuid, "row", wire));
    json_object_set_new(rows_of(g->state, table), uuid, row);
    // Mostly somebody refers to a new kid.
    char root[UUID_LEN + 1];
    if (!strcmp(table, "Kid") && random_below(4)) {
        const char *parent = random_below(3) ? "Root" : "Kid";
        json_t *to = json_object_get(rows_of(g->state, parent), pick(g->state, parent, root));
        if (to) {
            json_object_set_new(json_object_get(to, "kids"), uuid, json_true());
            json_array_append_new(g->ops, json_pack("{s:s,s:s,s:[[s,s,[s,s]]],s:[[s,s,[s,s]]]}",
                                                    "op", "mutate", "table", parent, "where",
                                                    "_uuid", "==", "uuid", root, "mutations",
                                                    "kids", "insert", "uuid", uuid));
        }
    }
}

static bool
holds(size_t function, json_t *have, json_t *set)
{
    const char *key;
    json_t *value;
    size_t common = 0;
    json_object_foreach(set, key, value)
    {
        common += json_object_get(have, key) != NULL;
    }
    return function == 0   ? common == json_object_size(set)
           : function == 1 ? common == 0
                           : json_equal(have, set) == (function == 2);
}

// The rows an operation is about: by uuid, by an indexed column, or by another. *where is the
// condition.
static json_t *
choose_rows(struct gen *g, const char *table, json_t **where)
{
    char uuid[UUID_LEN + 1];
    json_t *list = json_array(), *rows = rows_of(g->state, table), *row;
    const char *key, *column = !strcmp(table, "Root") ? "name" : "label";
    if (random_below(2)) {
        pick(g->state, table, uuid);
        *where = json_pack("[[s,s,[s,s]]]", "_uuid", "==", "uuid", uuid);
        if (json_object_get(rows, uuid)) {
            json_array_append_new(list, json_string(uuid));
        }
        return list;
    }
    if (!strcmp(table, "Root") && random_below(2)) {
        // Sets: a column that includes, excludes, or is these.
        static const struct column *const tags = &columns[6];
        static const char *const functions[] = {"includes", "excludes", "==", "!="};
        size_t f = random_below(4);
        json_t *set = random_value(g, tags);
        *where = json_pack("[[s,s,o]]", "tags", functions[f], to_wire(set, tags->kind));
        json_object_foreach(rows, key, row)
        {
            if (holds(f, json_object_get(row, "tags"), set)) {
                json_array_append_new(list, json_string(key));
            }
        }
        json_decref(set);
        return list;
    }
    json_t *value = random_below(2) ? json_integer(random_below(4)) : NULL;
    char text[8];
    snprintf(text, sizeof text, "s%u", random_below(12));
    *where = value ? json_pack("[[s,s,O]]", "n", random_below(2) ? "==" : "includes", value)
                   : json_pack("[[s,s,s]]", column, "==", text);
    json_object_foreach(rows, key, row)
    {
        json_t *have = json_object_get(row, value ? "n" : column);
        if (value ? json_equal(have, value) : !strcmp(json_string_value(have), text)) {
            json_array_append_new(list, json_string(key));
        }
    }
    json_decref(value);
    return list;
}

static const struct column *
random_column(const char *table)
{
    for (;;) {
        const struct column *c = &columns[random_below(ARRAY_SIZE(columns))];
        if (!strcmp(c->table, table)) {
            return c;
        }
    }
}

static void
gen_update(struct gen *g, const char *table)
{
    const struct column *c = random_column(table);
    json_t *where, *value = random_value(g, c), *uuids = choose_rows(g, table, &where), *u;
    size_t i;
    json_array_append_new(g->ops,
                          json_pack("{s:s,s:s,s:o,s:{s:o}}", "op", "update", "table", table,
                                    "where", where, "row", c->name, to_wire(value, c->kind)));
    json_array_foreach(uuids, i, u)
    {
        json_object_set_new(json_object_get(rows_of(g->state, table), json_string_value(u)),
                            c->name, json_deep_copy(value));
    }
    json_decref(value);
    json_decref(uuids);
}

static void
mutate_model(json_t *have, const json_t *arg, bool insert)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *) arg, key, value)
    {
        json_t *old = json_object_get(have, key);
        if (insert && !old) {
            json_object_set_new(have, key, json_deep_copy(value));
        } else if (!insert && old && json_equal(old, value)) {
            json_object_del(have, key);
        }
    }
}

static void
gen_mutate(struct gen *g, const char *table)
{
    const struct column *c = random_column(table);
    json_t *where, *value = random_value(g, c), *uuids, *u;
    size_t i;
    bool insert = random_below(3) > 0;
    if (c->kind == STRING || c->kind == OPT_UUID) {
        json_decref(value);
        return;
    }
    uuids = choose_rows(g, table, &where);
    const char *mutator = c->kind == INTEGER ? insert ? "+=" : "*=" : insert ? "insert" : "delete";
    json_array_append_new(g->ops, json_pack("{s:s,s:s,s:o,s:[[s,s,o]]}", "op", "mutate", "table",
                                            table, "where", where, "mutations", c->name, mutator,
                                            to_wire(value, c->kind)));
    json_array_foreach(uuids, i, u)
    {
        json_t *row = json_object_get(rows_of(g->state, table), json_string_value(u));
        json_t *have = json_object_get(row, c->name);
        if (c->kind == INTEGER) {
            json_int_t a = json_integer_value(have), b = json_integer_value(value);
            json_object_set_new(row, c->name, json_integer(insert ? a + b : a * b));
        } else {
            mutate_model(have, value, insert);
        }
    }
    json_decref(value);
    json_decref(uuids);
}

static void
gen_delete(struct gen *g, const char *table)
{
    json_t *where, *uuids = choose_rows(g, table, &where), *u;
    size_t i;
    json_array_append_new(
        g->ops, json_pack("{s:s,s:s,s:o}", "op", "delete", "table", table, "where", where));
    json_array_foreach(uuids, i, u)
    {
        json_object_del(rows_of(g->state, table), json_string_value(u));
    }
    json_decref(uuids);
}

// --- what the server's side says ---

static json_t *
state_of(struct db *db, bool with_ephemeral)
{
    json_t *state = json_object();
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const char *table = db->schema->tables[i]->name;
        json_t *rows = json_object();
        const struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            char u[UUID_LEN + 1];
            json_t *values = json_object();
            FOR_COLUMNS(c, table)
            {
                const struct db_column_schema *cs =
                    db_table_schema_column(row->table->schema, c->name);
                json_t *wire = db_datum_to_json(&row->data[cs->index], &cs->type);
                bool keep = with_ephemeral || !c->ephemeral;
                json_object_set_new(values, c->name,
                                    keep ? from_wire(wire, c->kind) : json_integer(0));
                json_decref(wire);
            }
            uuid_format(&row->uuid.uuid, u);
            json_object_set_new(rows, u, values);
        }
        json_object_set_new(state, table, rows);
    }
    return state;
}

static void
print_difference(const char *what, const json_t *want, const json_t *got)
{
    char *a = json_dumps(want, JSON_SORT_KEYS | JSON_INDENT(1)),
         *b = json_dumps(got, JSON_SORT_KEYS | JSON_INDENT(1));
    fprintf(stderr, "%s\nwanted %s\ngot %s\n", what, a, b);
    free(a);
    free(b);
}

static void
check_equal(const char *what, const json_t *want, json_t *got)
{
    if (!json_equal(want, got)) {
        print_difference(what, want, got);
    }
    assert_true(json_equal(want, got));
    json_decref(got);
}

// A replica that a monitor keeps.
struct replica {
    int version;
    json_t *state;
    struct db_monitor *monitor;
    char last[UUID_LEN + 1];
    bool asleep; // its updates wait
    int above;   // sees rows whose n is greater
    int n_updates;
};

#define ALL (-1000) // less than any n

static void
replica_set(json_t *row, const char *table, const json_t *values, bool difference)
{
    FOR_COLUMNS(c, table)
    {
        json_t *wire = json_object_get(values, c->name);
        if (!wire) {
            continue;
        }
        json_t *v = from_wire(wire, c->kind);
        if (difference && c->kind != STRING && c->kind != INTEGER && c->kind != OPT_UUID) {
            json_t *have = json_object_get(row, c->name), *value;
            const char *key;
            json_object_foreach(v, key, value)
            {
                json_t *old = json_object_get(have, key);
                if (old && json_equal(old, value)) {
                    json_object_del(have, key);
                } else {
                    json_object_set(have, key, value);
                }
            }
            json_decref(v);
        } else {
            json_object_set_new(row, c->name, v);
        }
    }
}

static json_t *
default_row(const char *table)
{
    json_t *row = json_object();
    FOR_COLUMNS(c, table)
    {
        json_object_set_new(row, c->name, empty_value(c->kind));
    }
    return row;
}

static void
replica_row(struct replica *r, const char *table, const char *uuid, const json_t *update)
{
    json_t *rows = rows_of(r->state, table), *have = json_object_get(rows, uuid), *values;
    if (r->version == 1) {
        values = json_object_get(update, "new");
        // The old values must be what the replica has.
        json_t *old = json_object_get(update, "old");
        FOR_COLUMNS(c, table)
        {
            json_t *wire = json_object_get(old, c->name);
            if (wire) {
                json_t *v = from_wire(wire, c->kind);
                assert_true(json_equal(v, json_object_get(have, c->name)));
                json_decref(v);
            }
        }
        if (!values) {
            assert_int_equal(json_object_del(rows, uuid), 0);
            return;
        }
        assert_true(!old == !have);
        json_t *row = default_row(table);
        replica_set(row, table, values, false);
        json_object_set_new(rows, uuid, row);
        return;
    }
    values = json_object_get(update, "modify");
    if (values) {
        assert_non_null(have);
        replica_set(have, table, values, true);
    } else if (json_object_get(update, "delete")) {
        assert_int_equal(json_object_del(rows, uuid), 0);
    } else {
        assert_null(have);
        json_t *row = default_row(table);
        values = json_object_get(update, "insert");
        replica_set(row, table, values ? values : json_object_get(update, "initial"), false);
        json_object_set_new(rows, uuid, row);
    }
}

static void
replica_apply(struct replica *r, const json_t *updates)
{
    const char *table, *uuid;
    json_t *rows, *update;
    json_object_foreach((json_t *) updates, table, rows)
    {
        json_object_foreach(rows, uuid, update)
        {
            replica_row(r, table, uuid, update);
        }
    }
}

static void
on_update(const char *text, size_t len, void *r_)
{
    struct replica *r = r_;
    r->n_updates++;
    json_t *m = json_loadb(text, len, 0, NULL), *params = json_object_get(m, "params");
    assert_non_null(m);
    if (r->version == 3) {
        snprintf(r->last, sizeof r->last, "%s", json_string_value(json_array_get(params, 1)));
    }
    replica_apply(r, json_array_get(params, r->version == 3 ? 2 : 1));
    json_decref(m);
}

static bool
is_reading(void *r)
{
    return !((struct replica *) r)->asleep;
}

static json_t *
requests_above(int above)
{
    return above == ALL ? json_pack("{s:{},s:{}}", "Root", "Kid")
                        : json_pack("{s:{s:[[ssi]]},s:{s:[[ssi]]}}", "Root", "where", "n", ">",
                                    above, "Kid", "where", "n", ">", above);
}

// version, state and above are set.
static void
replica_begin(struct replica *r, struct db_monitors *ms, const char *since)
{
    struct str result = STR_INIT;
    json_t *requests = requests_above(r->above), *id = json_string("m"),
           *last = since ? json_string(since) : NULL;
    struct db_monitor_args args = {.version = r->version,
                                   .id = id,
                                   .requests = requests,
                                   .last_txn = last,
                                   .send = on_update,
                                   .aux = r,
                                   .ready = is_reading};
    assert_null(db_monitor_new(ms, &args, &r->monitor, &result));
    json_t *j = json_loadb(result.p, result.len, 0, NULL);
    assert_non_null(j);
    if (r->version == 3) {
        assert_true(!since || json_is_true(json_array_get(j, 0)));
        snprintf(r->last, sizeof r->last, "%s", json_string_value(json_array_get(j, 1)));
    }
    replica_apply(r, r->version == 3 ? json_array_get(j, 2) : j);
    json_decref(j);
    json_decref(requests);
    json_decref(id);
    json_decref(last);
    str_free(&result);
}

static void
replica_start(struct replica *r, struct db_monitors *ms, int version, const char *since,
              json_t *state)
{
    *r = (struct replica){.version = version, .state = state, .above = ALL};
    replica_begin(r, ms, since);
}

// The client reads all there is: it must see what it would have seen awake.
static void
replica_wake(struct replica *r, const json_t *state)
{
    static const char *const tables[] = {"Root", "Kid"};
    json_t *want = json_deep_copy(state), *row;
    const char *uuid;
    void *next;
    int before = r->n_updates;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        json_object_foreach_safe(rows_of(want, tables[i]), next, uuid, row)
        {
            if (json_integer_value(json_object_get(row, "n")) <= r->above) {
                json_object_del(rows_of(want, tables[i]), uuid);
            }
        }
    }
    bool had = json_equal(want, r->state);
    db_monitor_flush(r->monitor);
    assert_in_range(r->n_updates - before, !had, 1);
    if (!json_equal(want, r->state)) {
        print_difference("a replica that was asleep", want, r->state);
    }
    assert_true(json_equal(want, r->state));
    json_decref(want);
}

// New conditions, awake or asleep.
static void
replica_change(struct replica *r, int above)
{
    json_t *id = json_string("m"), *requests = requests_above(above);
    assert_null(db_monitor_change(r->monitor, id, requests));
    r->above = above;
    json_decref(id);
    json_decref(requests);
}

static void
replica_end(struct replica *r)
{
    db_monitor_free(r->monitor);
    json_decref(r->state);
}

static json_t *
new_state(void)
{
    return json_pack("{s:{},s:{}}", "Root", "Kid");
}

static json_t *
without_ephemeral(const json_t *state)
{
    json_t *copy = json_deep_copy(state), *row;
    const char *uuid;
    json_object_foreach(rows_of(copy, "Root"), uuid, row)
    {
        json_object_set_new(row, "eph", json_integer(0));
    }
    return copy;
}

static void
check_file(const char *path, const json_t *want)
{
    struct db *db;
    struct db_file *file;
    struct db_error *e = db_file_open(path, false, &db, &file);
    assert_null(e);
    check_equal("the file's rows", want, state_of(db, false));
    db_free(db);
    db_file_close(file);
}

// Runs ops; true when the whole transaction succeeded.
static bool
execute(struct db *db, const json_t *ops, json_t **reply)
{
    struct str result = STR_INIT;
    struct db_exec x = {.db = db, .params = db_value_of(ops)};
    assert_true(db_execute(&x, &result));
    json_t *j = json_loadb(result.p, result.len, 0, NULL);
    assert_non_null(j);
    assert_true(json_array_size(j) >= json_array_size(ops) - 1);
    str_free(&result);
    reply ? (void) (*reply = j) : json_decref(j);
    return !x.failed;
}

#define PAST 40

struct world {
    char *path;
    struct db *db;
    struct db_file *file;
    struct db_monitors *monitors;
    struct replica replicas[3];
    struct replica sleepers[5];
    json_t *state;
    struct {
        char id[UUID_LEN + 1];
        json_t *state;
    } past[PAST];
    size_t n_past;
    json_t *persistent; // array: each state the file has gone through
    off_t sizes[4096];  // and its size then
    int n_ok, n_failed;
};

static void
world_start(struct world *w)
{
    struct db_schema *schema;
    memset(w, 0, sizeof *w);
    w->path = base_asprintf("/tmp/test_txn.%d.db", (int) getpid());
    unlink(w->path);
    assert_null(db_schema_from_text(schema_text, &schema));
    assert_null(db_file_create(w->path, schema, &w->file));
    db_schema_free(schema);
    db_file_close(w->file);
    assert_null(db_file_open(w->path, true, &w->db, &w->file));
    db_history_new(w->db);
    w->monitors = db_monitors_new(w->db);
    w->state = new_state();
    w->persistent = json_array();
    for (int i = 0; i < 3; i++) {
        replica_start(&w->replicas[i], w->monitors, i + 1, NULL, new_state());
    }
    for (size_t i = 0; i < ARRAY_SIZE(w->sleepers); i++) {
        struct replica *r = &w->sleepers[i];
        r->version = i < 3 ? i + 1 : i - 1;
        r->state = new_state();
        r->above = i < 3 ? ALL : 0;
        replica_begin(r, w->monitors, NULL);
    }
}

static void
world_end(struct world *w)
{
    char *lock = base_asprintf("/tmp/.test_txn.%d.db.~lock~", (int) getpid());
    for (int i = 0; i < 3; i++) {
        replica_end(&w->replicas[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(w->sleepers); i++) {
        replica_end(&w->sleepers[i]);
    }
    for (size_t i = 0; i < MIN(w->n_past, (size_t) PAST); i++) {
        json_decref(w->past[i].state);
    }
    db_monitors_free(w->monitors);
    db_free(w->db);
    db_file_close(w->file);
    unlink(w->path);
    unlink(lock);
    free(lock);
    free(w->path);
    json_decref(w->state);
    json_decref(w->persistent);
}

// A client that comes back and saw one of the past transactions last.
static void
check_return(struct world *w)
{
    struct replica r;
    if (!w->n_past) {
        return;
    }
    size_t i = random_below(MIN(w->n_past, (size_t) PAST));
    replica_start(&r, w->monitors, 3, w->past[i].id, json_deep_copy(w->past[i].state));
    if (!json_equal(w->state, r.state)) {
        print_difference("a client that came back", w->state, r.state);
    }
    assert_true(json_equal(w->state, r.state));
    replica_end(&r);
}

static void
remember(struct world *w)
{
    size_t at = w->n_past++ % PAST;
    json_decref(w->past[at].state);
    w->past[at].state = json_deep_copy(w->state);
    uuid_format(&w->db->last_txn, w->past[at].id);
    w->sizes[json_array_size(w->persistent)] = db_file_size(w->file);
    json_array_append_new(w->persistent, without_ephemeral(w->state));
}

// Clients that read now and then.
static void
sleep_or_wake(struct world *w)
{
    for (size_t i = 0; i < ARRAY_SIZE(w->sleepers); i++) {
        struct replica *r = &w->sleepers[i];
        if (i >= 3 && !random_below(10)) {
            replica_change(r, (int) random_below(5) - 1);
        }
        if (!r->asleep || !random_below(8)) {
            replica_wake(r, w->state);
            r->asleep = random_below(2);
        }
    }
}

static void
step(struct world *w)
{
    static void (*const generators[])(struct gen *, const char *) = {
        gen_insert, gen_insert, gen_update, gen_update, gen_mutate, gen_mutate, gen_delete};
    struct gen g = {.state = json_deep_copy(w->state), .ops = json_pack("[s]", "T")};
    for (unsigned n = 1 + random_below(6); n > 0; n--) {
        generators[random_below(ARRAY_SIZE(generators))](&g, random_below(2) ? "Root" : "Kid");
    }
    bool want = model_commit(g.state, w->state);
    json_t *reply;
    bool got = execute(w->db, g.ops, &reply);
    if (want != got) {
        print_difference(want ? "should have succeeded" : "should have failed", g.ops, reply);
    }
    json_decref(reply);
    assert_int_equal(want, got);
    if (want) {
        json_decref(w->state);
        w->state = json_incref(g.state);
    }
    check_equal("rows", w->state, state_of(w->db, true));
    for (int i = 0; i < 3; i++) {
        if (!json_equal(w->state, w->replicas[i].state)) {
            print_difference("a monitor's replica", w->state, w->replicas[i].state);
            print_difference("after the operations", g.ops, NULL);
        }
        assert_true(json_equal(w->state, w->replicas[i].state));
    }
    want ? w->n_ok++ : w->n_failed++;
    if (want) {
        remember(w);
    }
    check_return(w);
    sleep_or_wake(w);
    json_decref(g.state);
    json_decref(g.ops);
}

static void
random_transactions(void **unused)
{
    struct world w;
    world_start(&w);
    for (int i = 0; i < 3000; i++) {
        step(&w);
        if (i % 50 == 0) {
            json_t *want = without_ephemeral(w.state);
            check_file(w.path, want);
            json_decref(want);
        }
        if (i % 700 == 699) {
            json_t *want = without_ephemeral(w.state);
            assert_null(db_file_compact(w.file, w.db, "test"));
            check_file(w.path, want);
            json_decref(want);
        }
    }
    print_message("%d transactions succeeded, %d failed; %zu rows\n", w.n_ok, w.n_failed,
                  db_n_rows(w.db));
    assert_true(w.n_ok > 300 && w.n_failed > 300);
    world_end(&w);
}

// A file that ends anywhere gives the last state whose record is whole; appending then goes on from
// there.
static void
torn_files(void **unused)
{
    struct world w;
    char *torn = base_asprintf("/tmp/test_txn.%d.torn.db", (int) getpid());
    char *lock = base_asprintf("/tmp/.test_txn.%d.torn.db.~lock~", (int) getpid());
    world_start(&w);
    off_t first = db_file_size(w.file);
    for (int i = 0; i < 300; i++) {
        step(&w);
    }
    size_t n = json_array_size(w.persistent);
    for (int i = 0; i < 300; i++) {
        off_t at = first + random_below(db_file_size(w.file) - first + 1);
        char *command = base_asprintf("head -c %lld %s > %s", (long long) at, w.path, torn);
        assert_int_equal(system(command), 0);
        free(command);
        if (i % 3 == 0) { // noise instead of nothing
            FILE *f = fopen(torn, "a");
            fprintf(f, "OVSDB JSON 12 0123456789012345678901234567890123456789\nnot so\n\n");
            fclose(f);
        }
        json_t *want = new_state(), *add;
        for (size_t k = 0; k < n && w.sizes[k] <= at; k++) {
            json_decref(want);
            want = json_incref(json_array_get(w.persistent, k));
        }
        struct db *db;
        struct db_file *file;
        assert_null(db_file_open(torn, true, &db, &file));
        check_equal("rows of a torn file", want, state_of(db, false));
        add = json_loads("[\"T\",{\"op\":\"insert\",\"table\":\"Kid\",\"row\":{\"label\":\"after\"}"
                         "},{\"op\":\"comment\","
                         "\"comment\":\"x\"},{\"op\":\"update\",\"table\":\"Root\",\"where\":[],"
                         "\"row\":{\"n\":77}},{\"op\":"
                         "\"commit\",\"durable\":true}]",
                         0, NULL);
        assert_true(execute(db, add, NULL));
        json_decref(add);
        json_decref(want);
        want = state_of(db, false);
        db_free(db);
        db_file_close(file);
        check_file(torn, want);
        json_decref(want);
    }
    unlink(torn);
    unlink(lock);
    free(torn);
    free(lock);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_transactions),
                                       cmocka_unit_test(torn_files)};
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
    print_message("seed %llu\n", (unsigned long long) seed);
    random_seed(seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
