// SPDX-License-Identifier: Apache-2.0
// ovsdb-tool show-log: the records of a file, with a name for each row where it has one.
#include "tools/dbtool/show_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/delta.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/journal.h"
#include "ovsdb/replay.h"

// The column that names rows: that of an index, or `name`; NULL: none.
static const struct db_column_schema *
naming_column(const struct db_table_schema *t)
{
    for (size_t i = 0; i < t->n_indexes; i++) {
        if (t->indexes[i].n == 1) {
            return t->indexes[i].columns[0];
        }
    }
    return db_table_schema_column(t, "name");
}

// A row's name and the first digits of its uuid. A new row has a name if its columns say one.
static void
add_row_name(struct str *s, const struct db_row *row, const char *uuid, const json_t *new_columns)
{
    const struct db_column_schema *c = row ? naming_column(row->table->schema) : NULL;
    const struct db_datum *d = c ? &row->data[c->index] : NULL;
    bool named = d && d->n == 1 && (!new_columns || json_object_get(new_columns, c->name));
    if (!named) {
        str_addf(s, "%.8s", uuid);
    } else if (c->type.key.type == DB_STRING) {
        str_add_json(s, d->keys[0].string->s, d->keys[0].string->len);
    } else {
        db_datum_format_text(d, &c->type, s);
    }
    if (named || !new_columns) {
        str_addf(s, " (%.8s)", uuid);
    }
}

static void
show_columns(const struct db_table *t, const json_t *columns, bool diff)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *) columns, name, value)
    {
        const struct db_column_schema *c = db_table_schema_column(t->schema, name);
        struct str s = STR_INIT;
        struct db_datum d;
        struct db_error *e = !c     ? NULL
                             : diff ? db_datum_from_json_unsized(&d, &c->type, value, NULL)
                                    : db_datum_from_json(&d, &c->type, value, NULL);
        if (!c || e) {
            char *text = e ? db_error_take_text(e) : base_strdup("unknown column");
            str_addf(&s, "%s", text);
            free(text);
        } else {
            db_datum_format_text(&d, &c->type, &s);
            db_datum_destroy(&d, &c->type);
        }
        printf("    %s=%s\n", name, str_get(&s));
        str_free(&s);
    }
}

static void
show_row(const struct db_table *t, const char *uuid_text, const json_t *columns, bool diff,
         int more)
{
    struct uuid uuid;
    struct db_row *row = uuid_parse(uuid_text, &uuid) ? db_row_find(t, &uuid) : NULL;
    bool fresh = !row;
    struct db_row *shown = row;
    if (fresh && json_is_object(columns)) {
        // Its name is among what comes.
        shown = db_row_new((struct db_table *) t, &uuid);
        const char *name;
        json_t *value;
        json_object_foreach((json_t *) columns, name, value)
        {
            const struct db_column_schema *c = db_table_schema_column(t->schema, name);
            struct db_datum d;
            struct db_error *e = c ? db_datum_from_json(&d, &c->type, value, NULL) : NULL;
            if (c && !e) {
                db_datum_swap(&d, &shown->data[c->index]);
                db_datum_destroy(&d, &c->type);
            }
            db_error_free(e);
        }
    }
    struct str name = STR_INIT;
    add_row_name(&name, shown, uuid_text, fresh ? columns : NULL);
    printf("  table %s", t->schema->name);
    if (fresh && !json_is_null(columns)) {
        printf(" insert");
    }
    printf(" row %s%s:\n", str_get(&name), diff && !fresh ? " diff" : "");
    if (json_is_null(columns)) {
        puts("    delete row");
    } else if (more > 1) {
        show_columns(t, columns, diff && !fresh);
    }
    str_free(&name);
    if (fresh) {
        db_row_free(shown);
    }
}

static void
show_rows(struct db *db, const json_t *record, int more)
{
    const char *name, *uuid;
    json_t *rows, *columns;
    bool diff = json_is_true(json_object_get(record, "_is_diff"));
    json_object_foreach((json_t *) record, name, rows)
    {
        const struct db_table *t = db_table_find(db, name);
        if (t) {
            json_object_foreach(rows, uuid, columns)
            {
                show_row(t, uuid, columns, diff, more);
            }
        }
    }
}

static void
show_head(const json_t *record)
{
    const json_t *date = json_object_get(record, "_date"),
                 *comment = json_object_get(record, "_comment");
    if (json_is_integer(date)) {
        char text[64];
        int64_t t = json_integer_value(date);
        // Old files count seconds.
        clock_format(text, sizeof text, "%Y-%m-%d %H:%M:%S.###",
                     t < INT64_C(1) << 34 ? t * 1000 : t, true);
        printf(" %s", text);
    }
    if (json_is_string(comment)) {
        printf(" \"%s\"", json_string_value(comment));
    }
}

struct db_error *
dbtool_show_log(const char *path, int more)
{
    struct db_journal *j;
    struct db *db = NULL;
    struct db_error *e = db_journal_open(path, DB_JOURNAL_READ, &j);
    for (unsigned n = 0; !e; n++) {
        json_t *record;
        e = db_journal_read(j, &record);
        e = e && n ? db_journal_tell_loss(j, e, n - 1) : e;
        if (e || !record) {
            break;
        }
        printf("record %u:", n);
        if (!n) {
            struct db_schema *schema;
            e = db_schema_from_json(record, &schema);
            if (!e) {
                printf(" \"%s\" schema, version=\"%s\", cksum=\"%s\"\n", schema->name,
                       schema->version, schema->cksum);
                db = db_new(schema);
            }
        } else {
            show_head(record);
            putchar('\n');
            if (more) {
                show_rows(db, record, more);
            }
            e = db_replay_apply(db, record, false);
        }
        if (!n || more) {
            putchar('\n');
        }
        json_decref(record);
    }
    db_free(db);
    db_journal_close(j);
    return e;
}
