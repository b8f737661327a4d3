// SPDX-License-Identifier: Apache-2.0
// monitor, monitor-cond, monitor-cond-since: contents and changes as tables, one for each table and
// update.
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/table.h"
#include "ovsdb/condition.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"
#include "ovsdb/schema.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

// One table that is watched.
struct watched {
    const struct db_table_schema *schema;
    const struct db_column_schema **columns; // in the order of printing
    size_t n_columns;
};

struct monitor {
    struct client *client;
    struct db_schema *schema;
    struct watched *tables;
    size_t n_tables, cap_tables;
    int version;
    bool captions; // more than one table
};

static struct watched *
watch(struct monitor *m, const char *name)
{
    const struct db_table_schema *ts = db_schema_table(m->schema, name);
    if (!ts) {
        log_fatal(0, "%s: %s does not have a table named \"%s\"", m->client->server,
                  m->schema->name, name);
    }
    for (size_t i = 0; i < m->n_tables; i++) {
        if (m->tables[i].schema == ts) {
            return &m->tables[i];
        }
    }
    if (m->n_tables == m->cap_tables) {
        m->tables = base_grow(m->tables, &m->cap_tables, sizeof *m->tables);
    }
    struct watched *w = &m->tables[m->n_tables++];
    *w = (struct watched){ts, base_calloc(ts->n_columns + 1, sizeof *w->columns), 0};
    return w;
}

static void
add_column(struct monitor *m, struct watched *w, const struct db_column_schema *c, json_t *names)
{
    for (size_t i = 0; i < w->n_columns; i++) {
        if (w->columns[i] == c) {
            log_fatal(0, "%s: column \"%s\" mentioned multiple times", m->client->server, c->name);
        }
    }
    w->columns[w->n_columns++] = c;
    json_array_append_new(names, json_string(c->name));
}

static void
add_named_column(struct monitor *m, struct watched *w, const char *name, json_t *names)
{
    const struct db_column_schema *c = db_table_schema_column(w->schema, name);
    if (!c) {
        log_fatal(0, "%s: table \"%s\" in %s does not have a column named \"%s\"",
                  m->client->server, w->schema->name, m->schema->name, name);
    }
    add_column(m, w, c, names);
}

// Columns in the order of their names, _version last, without _uuid.
static void
add_all_columns(struct monitor *m, struct watched *w, json_t *names)
{
    for (size_t i = DB_N_STD_COLS; i < w->schema->n_columns; i++) {
        add_column(m, w, w->schema->columns[i], names);
    }
    add_column(m, w, w->schema->columns[DB_COL_VERSION], names);
}

// "!initial" and its kin: an event's name, else NULL.
static const char *
unwanted_event(const char *word)
{
    static const char *const events[] = {"initial", "insert", "delete", "modify"};
    for (size_t i = 0; *word == '!' && i < ARRAY_SIZE(events); i++) {
        if (!strcmp(events[i], word + 1)) {
            return events[i];
        }
    }
    return NULL;
}

// "COLUMN,!modify…" as a <monitor-request>.
static json_t *
make_request(struct monitor *m, struct watched *w, const char *spec, const json_t *where)
{
    json_t *names = json_array(), *select = json_object(), *request = json_object();
    char *copy = base_strdup(spec ? spec : ""), *save = NULL;
    bool any = false;
    for (char *word, *p = copy; (word = strtok_r(p, ", ", &save)); p = NULL) {
        const char *event = unwanted_event(word);
        if (event) {
            json_object_set_new(select, event, json_false());
        } else {
            add_named_column(m, w, word, names);
            any = true;
        }
    }
    if (!any) {
        add_all_columns(m, w, names);
    }
    json_object_set_new(request, "columns", names);
    json_object_set_new(request, "select", select);
    if (where) {
        struct db_condition condition;
        client_check(db_condition_from_json(&condition, w->schema, where, NULL));
        db_condition_destroy(&condition);
        json_object_set_new(request, "where", json_deep_copy(where));
    }
    free(copy);
    return request;
}

// TABLE [COLUMN,…]… as <monitor-requests>.
static json_t *
make_requests(struct monitor *m, int argc, char *argv[], const json_t *where)
{
    json_t *requests = json_object();
    if (argc == 1 && !strcmp(argv[0], "ALL")) {
        for (size_t i = 0; i < m->schema->n_tables; i++) {
            struct watched *w = watch(m, m->schema->tables[i]->name);
            json_object_set_new(requests, w->schema->name,
                                json_pack("[o]", make_request(m, w, NULL, where)));
        }
        m->captions = true;
        return requests;
    }
    struct watched *w = watch(m, argv[0]);
    json_t *list = json_array();
    for (int i = 1; i < MAX(argc, 2); i++) {
        json_array_append_new(list, make_request(m, w, i < argc ? argv[i] : NULL, where));
    }
    json_object_set_new(requests, argv[0], list);
    return requests;
}

// --- output ---

struct line {
    const char *uuid, *action;
    const json_t *row;
};

static void
add_line(struct monitor *m, struct table *t, const struct watched *w, const struct line *l)
{
    table_add_row(t);
    table_add_cell(t, l->uuid, NULL);
    table_add_cell(t, l->action, NULL);
    for (size_t i = 0; i < w->n_columns; i++) {
        const json_t *v = json_object_get(l->row, w->columns[i]->name);
        if (!v) {
            table_add_cell(t, "", json_null());
            continue;
        }
        struct db_datum d;
        client_check(db_datum_from_json_unsized(&d, &w->columns[i]->type, v, NULL));
        client_add_cell(t, &d, &w->columns[i]->type);
        db_datum_destroy(&d, &w->columns[i]->type);
    }
}

// A row of version 1: what it was and is.
static void
add_update(struct monitor *m, struct table *t, const struct watched *w, const struct line *l,
           bool initial)
{
    const json_t *old = json_object_get(l->row, "old"), *new = json_object_get(l->row, "new");
    if (old && new) {
        add_line(m, t, w, &(struct line){l->uuid, "old", old});
        add_line(m, t, w, &(struct line){"", "new", new});
    } else if (old) {
        add_line(m, t, w, &(struct line){l->uuid, "delete", old});
    } else {
        add_line(m, t, w, &(struct line){l->uuid, initial ? "initial" : "insert", new});
    }
}

static void
add_update2(struct monitor *m, struct table *t, const struct watched *w, const struct line *l)
{
    static const char *const actions[] = {"initial", "insert", "delete", "modify"};
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        const json_t *row = json_object_get(l->row, actions[i]);
        if (row) {
            add_line(m, t, w, &(struct line){l->uuid, actions[i], row});
        }
    }
}

static void
print_updates(struct monitor *m, const json_t *updates, bool initial)
{
    for (size_t i = 0; i < m->n_tables; i++) {
        const struct watched *w = &m->tables[i];
        const json_t *rows = json_object_get(updates, w->schema->name);
        if (!json_object_size(rows)) {
            continue;
        }
        struct table *t = table_new();
        if (m->captions) {
            table_set_caption(t, w->schema->name);
        }
        table_add_column(t, "row");
        table_add_column(t, "action");
        for (size_t k = 0; k < w->n_columns; k++) {
            table_add_column(t, w->columns[k]->name);
        }
        const char *uuid;
        json_t *row;
        json_object_foreach((json_t *) rows, uuid, row)
        {
            struct line l = {uuid, NULL, row};
            m->version == 1 ? add_update(m, t, w, &l, initial) : add_update2(m, t, w, &l);
        }
        client_print_table(t);
    }
}

static void
on_notify(const char *method, json_t *params, void *m_)
{
    struct monitor *m = m_;
    if (!strcmp(method, "monitor_canceled")) {
        log_fatal(0, "%s: %s database was removed", m->client->server, m->schema->name);
    } else if (m->version == 3 && !strcmp(method, "update3")) {
        printf("\nlast_id: %s", json_string_value(json_array_get(params, 1)));
        print_updates(m, json_array_get(params, 2), false);
    } else if (!strcmp(method, m->version == 1 ? "update" : "update2")) {
        print_updates(m, json_array_get(params, 1), false);
    }
}

static void
run(struct monitor *m, const char *method, json_t *params)
{
    struct client *c = m->client;
    jsonrpc_sync_on_notify(c->rpc, on_notify, m);
    json_t *result = client_call(c, method, params);
    if (m->version == 3) {
        printf("found: %s, last_id: %s\n",
               json_is_true(json_array_get(result, 0)) ? "true" : "false",
               json_string_value(json_array_get(result, 1)));
        print_updates(m, json_array_get(result, 2), true);
    } else {
        print_updates(m, result, true);
    }
    fflush(stdout);
    json_decref(result);
    client_stay(c);
}

static void
start(struct monitor *m, struct client *c, int version)
{
    client_detach();
    *m = (struct monitor){.client = c, .schema = client_schema(c, c->database), .version = version};
    if (c->change_aware) {
        // A server that doesn't know of this ends the connection when a database changes.
        json_t *result, *error;
        if (!jsonrpc_sync_call(c->rpc, "set_db_change_aware", json_pack("[b]", 1), &result,
                               &error)) {
            json_decref(result);
            json_decref(error);
        }
    }
}

static json_t *
parse_condition(const char *text)
{
    json_error_t e;
    json_t *j = json_loads(text, 0, &e);
    if (!j) {
        log_fatal(0, "\"%s\": %s", text, e.text);
    }
    return j;
}

void
client_monitor(struct client *c)
{
    struct monitor m;
    start(&m, c, 1);
    run(&m, "monitor", json_pack("[sno]", c->database, make_requests(&m, c->argc, c->argv, NULL)));
}

void
client_monitor_cond(struct client *c)
{
    struct monitor m;
    json_t *where = parse_condition(c->argv[0]);
    start(&m, c, 2);
    run(&m, "monitor_cond",
        json_pack("[sno]", c->database, make_requests(&m, c->argc - 1, c->argv + 1, where)));
}

void
client_monitor_cond_since(struct client *c)
{
    struct monitor m;
    const char *last = "00000000-0000-0000-0000-000000000000";
    struct uuid uuid;
    if (uuid_parse(c->argv[0], &uuid)) {
        last = *c->argv++;
        c->argc--;
    }
    if (c->argc < 2) {
        log_fatal(0, "invalid syntax for 'monitor-cond-since' (use --help for help)");
    }
    json_t *where = parse_condition(c->argv[0]);
    start(&m, c, 3);
    run(&m, "monitor_cond_since",
        json_pack("[snos]", c->database, make_requests(&m, c->argc - 1, c->argv + 1, where), last));
}
