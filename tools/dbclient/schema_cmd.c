// SPDX-License-Identifier: Apache-2.0
// Commands about schemas and contents: list-dbs, get-schema*, list-tables, list-columns, dump,
// convert, needs-conversion.
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/table.h"
#include "ovsdb/data.h"
#include "ovsdb/error.h"
#include "ovsdb/schema.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
client_list_dbs(struct client *c)
{
    json_t *dbs = client_call(c, "list_dbs", json_array());
    size_t n = 0;
    const char **names = base_calloc(json_array_size(dbs) + 1, sizeof *names);
    for (size_t i = 0; i < json_array_size(dbs); i++) {
        const char *name = json_string_value(json_array_get(dbs, i));
        if (!name) {
            log_fatal(0, "list_dbs response is not array of strings");
        }
        names[n++] = name;
    }
    qsort(names, n, sizeof *names, compare_texts);
    for (size_t i = 0; i < n; i++) {
        puts(names[i]);
    }
    free(names);
    json_decref(dbs);
}

void
client_get_schema(struct client *c)
{
    struct db_schema *schema = client_schema(c, c->database);
    json_t *j = db_schema_to_json(schema);
    client_print_json(j);
    json_decref(j);
    db_schema_free(schema);
}

void
client_get_schema_version(struct client *c)
{
    struct db_schema *schema = client_schema(c, c->database);
    puts(schema->version);
    db_schema_free(schema);
}

void
client_get_schema_cksum(struct client *c)
{
    struct db_schema *schema = client_schema(c, c->database);
    puts(schema->cksum);
    db_schema_free(schema);
}

void
client_list_tables(struct client *c)
{
    struct db_schema *schema = client_schema(c, c->database);
    struct table *t = table_new();
    table_add_column(t, "Table");
    for (size_t i = 0; i < schema->n_tables; i++) {
        table_add_row(t);
        table_add_cell(t, schema->tables[i]->name, NULL);
    }
    client_print_table(t);
    db_schema_free(schema);
}

void
client_list_columns(struct client *c)
{
    struct db_schema *schema = client_schema(c, c->database);
    const char *only = c->argc ? c->argv[0] : NULL;
    struct table *t = table_new();
    if (!only) {
        table_add_column(t, "Table");
    }
    table_add_column(t, "Column");
    table_add_column(t, "Type");
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct db_table_schema *ts = schema->tables[i];
        if (only && strcmp(only, ts->name)) {
            continue;
        }
        for (size_t k = 0; k < ts->n_columns; k++) {
            struct str s = STR_INIT;
            json_t *type = db_type_to_json(&ts->columns[k]->type);
            db_json_write(type, &s);
            table_add_row(t);
            if (!only) {
                table_add_cell(t, ts->name, NULL);
            }
            table_add_cell(t, ts->columns[k]->name, NULL);
            table_add_cell(t, str_get(&s), type);
            str_free(&s);
        }
    }
    client_print_table(t);
    db_schema_free(schema);
}

// --- dump ---

static int
compare_column_names(const void *a, const void *b)
{
    return strcmp((*(const struct db_column_schema *const *) a)->name,
                  (*(const struct db_column_schema *const *) b)->name);
}

// Columns to show: of the arguments, or all, sorted by name.
static const struct db_column_schema **
dump_columns(struct client *c, const struct db_table_schema *ts, size_t *n)
{
    const struct db_column_schema **columns =
        base_calloc(ts->n_columns + c->argc + 1, sizeof *columns);
    *n = 0;
    if (c->argc > 1) {
        for (int i = 1; i < c->argc; i++) {
            const struct db_column_schema *column = db_table_schema_column(ts, c->argv[i]);
            if (!column) {
                log_fatal(0, "Table \"%s\" has no column %s.", ts->name, c->argv[i]);
            } else if (column->index != DB_COL_VERSION) { // means nothing to people
                columns[(*n)++] = column;
            }
        }
    } else {
        for (size_t i = 0; i < ts->n_columns; i++) {
            if (i != DB_COL_VERSION) {
                columns[(*n)++] = ts->columns[i];
            }
        }
    }
    qsort(columns, *n, sizeof *columns, compare_column_names);
    return columns;
}

struct sort_row {
    struct db_datum *data;
    const struct db_column_schema **columns;
    size_t n;
};

static int
compare_rows(const void *a_, const void *b_)
{
    // By contents; by uuid only where those are the same.
    const struct sort_row *a = a_, *b = b_;
    int by_uuid = 0;
    for (size_t i = 0; i < a->n; i++) {
        int cmp = db_datum_compare(&a->data[i], &b->data[i], &a->columns[i]->type);
        if (cmp && a->columns[i]->index != DB_COL_UUID) {
            return cmp;
        }
        by_uuid = cmp ? cmp : by_uuid;
    }
    return by_uuid;
}

static void
dump_table(struct client *c, const struct db_table_schema *ts, const json_t *rows)
{
    size_t n;
    const struct db_column_schema **columns = dump_columns(c, ts, &n);
    size_t n_rows = json_array_size(rows);
    struct sort_row *sorted = base_calloc(n_rows + 1, sizeof *sorted);
    struct table *t = table_new();
    char *caption = base_asprintf("%s table", ts->name);
    table_set_caption(t, caption);
    free(caption);
    for (size_t i = 0; i < n; i++) {
        table_add_column(t, columns[i]->name);
    }
    for (size_t i = 0; i < n_rows; i++) {
        sorted[i] = (struct sort_row){base_calloc(n + 1, sizeof *sorted[i].data), columns, n};
        for (size_t k = 0; k < n; k++) {
            const json_t *v = json_object_get(json_array_get(rows, i), columns[k]->name);
            if (!v) {
                log_fatal(0, "column \"%s\" is missing in the server's reply", columns[k]->name);
            }
            client_check(db_datum_from_json(&sorted[i].data[k], &columns[k]->type, v, NULL));
        }
    }
    qsort(sorted, n_rows, sizeof *sorted, compare_rows);
    for (size_t i = 0; i < n_rows; i++) {
        table_add_row(t);
        for (size_t k = 0; k < n; k++) {
            client_add_cell(t, &sorted[i].data[k], &columns[k]->type);
            db_datum_destroy(&sorted[i].data[k], &columns[k]->type);
        }
        free(sorted[i].data);
    }
    client_print_table(t);
    free(sorted);
    free(columns);
}

void
client_dump(struct client *c)
{
    struct db_schema *schema = client_schema(c, c->database);
    const struct db_table_schema *only = NULL;
    if (c->argc) {
        only = db_schema_table(schema, c->argv[0]);
        if (!only) {
            log_fatal(0, "No table \"%s\" found.", c->argv[0]);
        }
    }
    json_t *txn = json_pack("[s]", c->database);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct db_table_schema *ts = schema->tables[i];
        if (only && ts != only) {
            continue;
        }
        size_t n;
        const struct db_column_schema **columns = dump_columns(c, ts, &n);
        json_t *list = json_array();
        for (size_t k = 0; k < n; k++) {
            json_array_append_new(list, json_string(columns[k]->name));
        }
        json_array_append_new(txn, json_pack("{s:s, s:s, s:[], s:o}", "op", "select", "table",
                                             ts->name, "where", "columns", list));
        free(columns);
    }
    json_t *results = client_call(c, "transact", txn);
    for (size_t i = 0, r = 0; i < schema->n_tables; i++) {
        if (only && schema->tables[i] != only) {
            continue;
        }
        const json_t *rows = json_object_get(json_array_get(results, r), "rows");
        if (!json_is_array(rows)) {
            struct str s = STR_INIT;
            db_json_write(json_array_get(results, r), &s);
            log_fatal(0, "%s table reply is not an object with a \"rows\" member array: %s",
                      schema->tables[i]->name, str_get(&s));
        }
        r++;
        dump_table(c, schema->tables[i], rows);
    }
    json_decref(results);
    db_schema_free(schema);
}

// --- conversion ---

void
client_convert(struct client *c)
{
    struct db_schema *schema;
    client_check(db_schema_from_file(c->argv[0], &schema));
    json_decref(
        client_call(c, "convert", json_pack("[so]", schema->name, db_schema_to_json(schema))));
    db_schema_free(schema);
}

void
client_needs_conversion(struct client *c)
{
    struct db_schema *new;
    client_check(db_schema_from_file(c->argv[0], &new));
    struct db_schema *old = client_schema(c, new->name);
    puts(db_schema_equals(new, old) ? "no" : "yes");
    db_schema_free(new);
    db_schema_free(old);
}
