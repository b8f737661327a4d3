// SPDX-License-Identifier: Apache-2.0
// Two databases that should never differ: one reads records with the fast reader where it takes
// them, the other always by way of JSON values.
#ifndef TESTS_RECORD_TWINS_H
#define TESTS_RECORD_TWINS_H 1

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/record.h"
#include "ovsdb/replay.h"

static const char twins_schema[] =
    "{\"name\":\"T\",\"tables\":{\"R\":{\"isRoot\":true,\"indexes\":[[\"s\"],[\"i\",\"b\"]],"
    "\"columns\":{\"s\":{\"type\":\"string\"},"
    "\"i\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-5}}},"
    "\"is\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":4}},"
    "\"f\":{\"type\":\"real\"},\"fs\":{\"type\":{\"key\":\"real\",\"min\":0,\"max\":\"unlimited\"}}"
    ","
    "\"b\":{\"type\":\"boolean\"},\"ob\":{\"type\":{\"key\":\"boolean\",\"min\":0}},"
    "\"e\":{\"type\":\"string\",\"ephemeral\":true},\"u\":{\"type\":\"uuid\"},"
    "\"k\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"K\"},\"min\":1,\"max\":"
    "\"unlimited\"}},\"m\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":"
    "\"unlimited\"}},\"mi\":{\"type\":{\"key\":{\"type\":\"integer\",\"maxInteger\":99},"
    "\"value\":\"uuid\",\"min\":0,\"max\":3}}}},"
    "\"K\":{\"columns\":{\"s\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[\"\","
    "\"a\",\"b\"]]}}},\"l\":{\"type\":{\"key\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":"
    "3},\"min\":0,\"max\":2}}}}}}";

struct twins {
    struct db *fast, *slow;
    struct db_record_reader *reader;
};

static void
twins_open(struct twins *t)
{
    struct db_schema *schema;
    struct db_error *e = db_schema_from_text(twins_schema, &schema);
    if (e) {
        fprintf(stderr, "%s\n", db_error_take_text(e));
        abort();
    }
    t->slow = db_new(db_schema_clone(schema));
    t->fast = db_new(schema);
    t->reader = db_record_reader_new(t->fast);
}

static void
twins_close(struct twins *t)
{
    db_record_reader_free(t->reader);
    db_free(t->fast);
    db_free(t->slow);
}

static int
twins_compare_rows(const void *a_, const void *b_)
{
    struct db_row *const *a = a_, *const *b = b_;
    return uuid_compare(&(*a)->uuid.uuid, &(*b)->uuid.uuid);
}

// Every index finds each of the table's rows, and holds no more.
static void
twins_check_indexes(const struct db_table *t)
{
    struct db_row *row;
    for (size_t i = 0; i < t->schema->n_indexes; i++) {
        const struct db_index_schema *x = &t->schema->indexes[i];
        size_t n = 0;
        HMAP_FOR_EACH (row, by_uuid, &t->rows) {
            const struct db_datum *values[2];
            const struct db_row *found = NULL;
            for (size_t k = 0; k < x->n; k++) {
                values[k] = &row->data[x->columns[k]->index];
            }
            while ((found = db_index_find(t, i, values, found)) && found != row) {
            }
            n += found == row;
        }
        if (n != hmap_count(&t->rows) || n != hmap_count(&t->indexes[i])) {
            fprintf(stderr, "index %zu of %s is wrong\n", i, t->schema->name);
            abort();
        }
    }
}

// All that the database holds, in one order.
static void
twins_print(const struct db *db, struct str *out)
{
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_table *t = db->tables[i];
        struct db_row **rows = base_calloc(hmap_count(&t->rows) + 1, sizeof *rows), *row;
        size_t n = 0;
        twins_check_indexes(t);
        HMAP_FOR_EACH (row, by_uuid, &t->rows) {
            rows[n++] = row;
        }
        qsort(rows, n, sizeof *rows, twins_compare_rows);
        for (size_t k = 0; k < n; k++) {
            char u[UUID_LEN + 1];
            uuid_format(&rows[k]->uuid.uuid, u);
            str_addf(out, "%s %s%s", t->schema->name, u, rows[k]->change ? " marked" : "");
            for (size_t c = DB_N_STD_COLS; c < t->schema->n_columns; c++) {
                str_add_char(out, ' ');
                db_datum_write_json(&rows[k]->data[c], &t->schema->columns[c]->type, out);
            }
            str_add_char(out, '\n');
        }
        free(rows);
    }
}

static struct str
twins_text(const struct db *db)
{
    struct str s = STR_INIT;
    twins_print(db, &s);
    return s;
}

static void
twins_must_equal(struct str a, struct str b, const char *what, const char *record)
{
    if (strcmp(str_get(&a), str_get(&b))) {
        fprintf(stderr, "%s after\n%s\n--- one:\n%s--- other:\n%s", what, record, str_get(&a),
                str_get(&b));
        abort();
    }
    str_free(&a);
    str_free(&b);
}

// One record for both. True: the fast reader took it. Aborts where they disagree. A record that
// is an error leaves both empty.
static bool
twins_apply(struct twins *t, const char *text, size_t n)
{
    json_t *json = json_loadb(text, n, JSON_ALLOW_NUL, NULL);
    struct str before = twins_text(t->fast);
    bool taken = db_record_apply(t->reader, text, n);
    if (taken) {
        str_free(&before);
    } else {
        twins_must_equal(before, twins_text(t->fast), "rows changed by a refused record", text);
    }
    struct db_error *e =
        json ? db_replay_apply(t->slow, json, true) : db_error_new("syntax error", "no JSON");
    if (taken && e) {
        fprintf(stderr, "%s: taken by the fast reader alone:\n%s\n", db_error_text(e), text);
        abort();
    }
    if (!taken && !e) {
        db_error_free(db_replay_apply(t->fast, json, true));
    }
    json_decref(json);
    if (e) {
        db_error_free(e);
        twins_close(t);
        twins_open(t);
    } else {
        twins_must_equal(twins_text(t->fast), twins_text(t->slow), "twins differ", text);
    }
    return taken;
}

#endif
