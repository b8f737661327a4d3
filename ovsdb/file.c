// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/delta.h"
#include "ovsdb/error.h"
#include "ovsdb/file_priv.h"
#include "ovsdb/journal.h"
#include "ovsdb/record.h"
#include "ovsdb/schema.h"
#include "ovsdb/txn.h"

LOG_MODULE(ovsdb_file);

#define MIN_COMPACT_SIZE (10 * 1024 * 1024)
#define MIN_COMPACT_COMMITS 100
#define MIN_COMPACT_MS (10 * 60 * 1000)
#define MAX_COMPACT_MS (24 * 3600 * 1000)

// --- reading ---

static struct db_error *
apply_column(struct db_row *row, const struct db_column_schema *c, const json_t *value, bool diff)
{
    struct db_datum d;
    struct db_datum *have = &row->data[c->index];
    diff = diff && db_type_is_composite(&c->type);
    struct db_error *e = diff ? db_datum_from_json_unsized(&d, &c->type, value, NULL)
                              : db_datum_from_json(&d, &c->type, value, NULL);
    if (e) {
        return e;
    }
    if (diff) {
        db_delta_apply_symmetric(have, &d, &c->type);
    } else {
        db_datum_swap(have, &d);
    }
    db_datum_destroy(&d, &c->type);
    return NULL;
}

static struct db_error *
apply_columns(struct db_row *row, const json_t *columns, bool diff, bool strict)
{
    const char *name;
    json_t *value;
    if (!json_is_object(columns)) {
        return db_error_syntax(columns, NULL, "row must be JSON object");
    }
    json_object_foreach((json_t *) columns, name, value)
    {
        const struct db_column_schema *c = db_table_schema_column(row->table->schema, name);
        if (c && c->index >= DB_N_STD_COLS) {
            struct db_error *e = apply_column(row, c, value, diff);
            if (e) {
                return e;
            }
        } else if (!c && strict) {
            return db_error_syntax(columns, "unknown column", "No column %s in table %s.", name,
                                   row->table->schema->name);
        }
    }
    return NULL;
}

static struct db_error *
apply_row(struct db_table *table, const char *name, const json_t *columns, bool diff, bool strict)
{
    struct uuid uuid;
    if (!uuid_parse(name, &uuid)) {
        return db_error_syntax(NULL, NULL, "\"%s\" is not a valid UUID", name);
    }
    struct db_row *row = db_row_find(table, &uuid);
    if (json_is_null(columns)) {
        if (!row) {
            return db_error_syntax(NULL, NULL, "transaction deletes row %s that does not exist",
                                   name);
        }
        db_row_unlink(row);
        db_row_free(row);
        return NULL;
    }
    bool fresh = !row;
    if (fresh) {
        row = db_row_new(table, &uuid);
    } else {
        db_row_unindex(row);
    }
    struct db_error *e = apply_columns(row, columns, diff && !fresh, strict);
    if (!fresh) {
        db_row_index(row);
    } else if (!e) {
        db_row_link(row);
    } else {
        db_row_free(row);
    }
    return e;
}

struct db_error *
db_file_apply(struct db *db, const json_t *record, bool strict)
{
    if (!json_is_object(record)) {
        return db_error_syntax(record, NULL, "object expected");
    }
    const char *name;
    json_t *rows;
    bool diff = json_is_true(json_object_get(record, "_is_diff"));
    json_object_foreach((json_t *) record, name, rows)
    {
        struct db_table *table = db_table_find(db, name);
        if (!table) {
            if (strict && name[0] != '_') {
                return db_error_syntax(record, "unknown table", "No table named %s.", name);
            }
            continue;
        }
        if (!json_is_object(rows)) {
            return db_error_syntax(rows, NULL, "object expected");
        }
        const char *uuid;
        json_t *columns;
        json_object_foreach(rows, uuid, columns)
        {
            struct db_error *e = apply_row(table, uuid, columns, diff, strict);
            if (e) {
                return e;
            }
        }
    }
    return NULL;
}

static struct db_error *
read_schema(struct db_journal *j, struct db **out)
{
    json_t *json;
    struct db_schema *schema;
    struct db_error *e = db_journal_read(j, &json);
    if (!e && !json) {
        e = db_error_io(0, "%s: database file contains no schema", db_journal_path(j));
    }
    if (e) {
        return e;
    }
    e = db_schema_from_json(json, &schema);
    json_decref(json);
    if (e) {
        return db_error_wrap(e, "%s: failed to parse as schema", db_journal_path(j));
    }
    *out = db_new(schema);
    return NULL;
}

static void
warn_damage(const struct db_journal *j, struct db_error *take)
{
    char *text = db_error_take_text(take);
    LOG_WARN("%s; using the state of its %lld good bytes", text, (long long) db_journal_size(j));
    free(text);
}

// The record read last, by way of JSON values.
static struct db_error *
apply_any(struct db_file *f, struct db *db, const char *text, size_t len, bool *half)
{
    json_t *json;
    struct db_error *e = db_journal_parse(f->journal, text, len, &json);
    if (!e) {
        e = db_file_apply(db, json, true);
        *half = e != NULL;
        json_decref(json);
    }
    return e;
}

static struct db_error *
read_transactions(struct db_file *f, struct db *db, bool whole)
{
    struct db_record_reader *fast = db_record_reader_new(db);
    struct db_error *e;
    bool half = false;
    for (;;) {
        const char *text;
        size_t len;
        e = db_journal_read_text(f->journal, &text, &len);
        if (!e && text && !db_record_apply(fast, text, len)) {
            e = apply_any(f, db, text, len, &half);
        }
        if (e || !text) {
            break;
        }
        if (!f->n_commits++) {
            f->base_size = db_journal_size(f->journal);
        }
    }
    db_record_reader_free(fast);
    if (half) { // no state to go on with
        return db_error_wrap(e, "%s: transaction cannot be applied", db_journal_path(f->journal));
    } else if (e && whole) {
        return db_journal_tell_loss(f->journal, e, f->n_commits);
    } else if (e) {
        warn_damage(f->journal, e);
    }
    return NULL;
}

static struct db_error *
open_file(const char *path, bool write, bool whole, struct db **db, struct db_file **out)
{
    struct db_file *f = base_calloc(1, sizeof *f);
    *db = NULL;
    *out = NULL;
    struct db_error *e =
        db_journal_open(path, write ? DB_JOURNAL_WRITE : DB_JOURNAL_READ, &f->journal);
    e = e ? e : read_schema(f->journal, db);
    e = e ? e : read_transactions(f, *db, whole);
    e = e ? e : db_resolve_all(*db);
    if (e) {
        db_free(*db);
        *db = NULL;
        db_file_close(f);
        return e;
    }
    if (!f->base_size) {
        f->base_size = db_journal_size(f->journal);
    }
    f->compacted = clock_now();
    *out = f;
    if (write) {
        (*db)->file = f;
    }
    return NULL;
}

struct db_error *
db_file_open(const char *path, bool write, struct db **db, struct db_file **out)
{
    return open_file(path, write, false, db, out);
}

struct db_error *
db_file_open_whole(const char *path, bool write, struct db **db, struct db_file **out)
{
    return open_file(path, write, true, db, out);
}

static struct db_error *
append_schema(struct db_journal *j, const struct db_schema *schema)
{
    struct str s = STR_INIT;
    json_t *json = db_schema_to_json(schema);
    db_json_write(json, &s);
    json_decref(json);
    struct db_error *e = db_journal_append(j, s.p, s.len);
    str_free(&s);
    return e;
}

struct db_error *
db_file_create(const char *path, const struct db_schema *schema, struct db_file **out)
{
    struct db_file *f = base_calloc(1, sizeof *f);
    *out = NULL;
    struct db_error *e = db_journal_open(path, DB_JOURNAL_CREATE, &f->journal);
    e = e ? e : append_schema(f->journal, schema);
    e = e ? e : db_journal_sync(f->journal);
    if (e) {
        db_file_close(f);
        return e;
    }
    f->base_size = db_journal_size(f->journal);
    f->compacted = clock_now();
    *out = f;
    return NULL;
}

const char *
db_file_path(const struct db_file *f)
{
    return db_journal_path(f->journal);
}

off_t
db_file_size(const struct db_file *f)
{
    return db_journal_size(f->journal);
}

// --- writing ---

static void
open_row(struct str *s, const struct db_row *row, const struct db_table **last)
{
    char u[UUID_LEN + 1];
    if (*last != row->table) {
        if (*last) {
            str_add(s, "},");
        }
        str_add_char(s, '"');
        str_add(s, row->table->schema->name);
        str_add(s, "\":{");
        *last = row->table;
    } else {
        str_add_char(s, ',');
    }
    uuid_format(&row->uuid.uuid, u);
    str_add_char(s, '"');
    str_add_n(s, u, UUID_LEN);
    str_add(s, "\":");
}

// Does the stock server read the difference of a set or map as we do? It wants values of the
// column, reads nothing where the difference is the default, and takes it for the new value where
// the old one was.
static bool
is_readable(const struct db_change *c, const struct db_delta *d)
{
    const struct db_type *t = &c->row->table->schema->columns[d->column]->type;
    struct db_datum diff, old;
    if (!db_type_is_composite(t) || (t->n_max == DB_UNLIMITED && !t->n_min)) {
        return true;
    }
    db_delta_symmetric(d, t, &diff);
    bool is = diff.n <= t->n_max && !db_datum_is_default(&diff, t);
    db_datum_destroy(&diff, t);
    if (t->n_min) {
        db_delta_old(d, &c->row->data[d->column], t, &old);
        is = is && !db_datum_is_default(&old, t);
        db_datum_destroy(&old, t);
    }
    return is;
}

// Else the whole record goes without differences.
static bool
diffs_are_readable(const struct db_txn *txn)
{
    const struct db_change *c;
    DB_TXN_FOR_EACH(c, txn)
    {
        for (uint32_t i = 0; c->kind == DB_CHANGE_MODIFY && i < c->n_deltas; i++) {
            if (!is_readable(c, &c->deltas[i])) {
                return false;
            }
        }
    }
    return true;
}

static void
write_deltas(struct str *s, const struct db_change *c, bool diff)
{
    const struct db_row *row = c->row;
    bool any = false;
    str_add_char(s, '{');
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        const struct db_delta *d = &c->deltas[i];
        const struct db_type *t = &row->table->schema->columns[d->column]->type;
        if (!(row->table->traits[d->column] & DB_TRAIT_PERSISTENT)) {
            continue;
        }
        str_add(s, any ? ",\"" : "\"");
        str_add(s, row->table->schema->columns[d->column]->name);
        str_add(s, "\":");
        if (diff && db_type_is_composite(t)) {
            struct db_datum change;
            db_delta_symmetric(d, t, &change);
            db_datum_write_json(&change, t, s);
            db_datum_destroy(&change, t);
        } else {
            db_datum_write_json(&row->data[d->column], t, s);
        }
        any = true;
    }
    str_add_char(s, '}');
}

static bool
is_persistent(const struct db_change *c)
{
    if (!db_change_counts(c)) {
        return false;
    }
    if (c->kind != DB_CHANGE_MODIFY) {
        return true;
    }
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        if (c->row->table->traits[c->deltas[i].column] & DB_TRAIT_PERSISTENT) {
            return true;
        }
    }
    return false;
}

// Rows of one table must stand together; tables come in the order they first occur.
static bool
write_changes(struct str *s, const struct db_txn *txn, bool diff)
{
    const struct db_table *last = NULL;
    const struct db_change *c;
    size_t n = txn->db->schema->n_tables;
    bool *has = base_calloc(n + 1, sizeof *has);
    DB_TXN_FOR_EACH(c, txn)
    {
        has[c->row->table->schema->index] |= is_persistent(c);
    }
    for (size_t i = 0; i < n; i++) {
        if (!has[i]) {
            continue;
        }
        DB_TXN_FOR_EACH(c, txn)
        {
            if (c->row->table->schema->index != i || !is_persistent(c)) {
                continue;
            }
            open_row(s, c->row, &last);
            if (c->kind == DB_CHANGE_DELETE) {
                str_add(s, "null");
            } else if (c->kind == DB_CHANGE_INSERT) {
                db_row_write_json(c->row, s);
            } else {
                write_deltas(s, c, diff);
            }
        }
    }
    free(has);
    if (last) {
        str_add_char(s, '}');
    }
    return last != NULL;
}

static void
end_record(struct str *s, const char *comment, size_t len, bool diff)
{
    str_add(s, s->p[s->len - 1] == '{' ? "\"_date\":" : ",\"_date\":");
    str_add_int(s, clock_wall());
    str_add(s, diff ? ",\"_is_diff\":true" : "");
    if (len) {
        str_add(s, ",\"_comment\":");
        str_add_json(s, comment, len);
    }
    str_add_char(s, '}');
}

struct db_error *
db_file_commit(struct db_file *f, const struct db_txn *txn, bool durable)
{
    struct str *s = &f->text;
    struct db_error *e = NULL;
    str_clear(s);
    str_add_char(s, '{');
    const bool diff = diffs_are_readable(txn);
    if (write_changes(s, txn, diff)) {
        end_record(s, txn->comment.p, txn->comment.len, diff);
        e = db_journal_append(f->journal, s->p, s->len);
        if (e) {
            return e;
        }
        f->n_commits++;
        db_compaction_note(f->compaction, s->p, s->len, durable);
    }
    if (s->cap > 4 * 1024 * 1024) {
        str_free(s);
    }
    return durable ? db_file_sync(f) : NULL;
}

struct db_error *
db_file_sync(struct db_file *f)
{
    db_compaction_note_sync(f->compaction);
    return db_journal_sync(f->journal);
}

static struct db_error *
write_state(struct db_journal *j, struct db *db, const char *comment)
{
    struct str s = STR_INIT;
    const struct db_table *last = NULL;
    struct db_error *e = append_schema(j, db->schema);
    if (e) {
        return e;
    }
    str_add_char(&s, '{');
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            open_row(&s, row, &last);
            db_row_write_json(row, &s);
        }
    }
    if (last) {
        str_add_char(&s, '}');
    }
    end_record(&s, comment, comment ? strlen(comment) : 0, true);
    e = db_journal_append(j, s.p, s.len);
    str_free(&s);
    return e;
}

struct db_error *
db_file_write_snapshot(const char *path, struct db *db, const char *comment)
{
    struct db_journal *j;
    struct db_error *e = db_journal_open(path, DB_JOURNAL_REPLACE, &j);
    if (e) {
        return e;
    }
    e = write_state(j, db, comment);
    e = e ? e : db_journal_sync(j);
    db_journal_close(j);
    return e;
}

// --- compaction ---

char *
db_file_temporary_name(const struct db_file *f)
{
    char *real = realpath(db_file_path(f), NULL);
    char *name = base_asprintf("%s.tmp", real ? real : db_file_path(f));
    free(real);
    return name;
}

struct db_error *
db_file_replace_journal(struct db_file *f, struct db_journal *new, off_t base_size)
{
    struct db_error *e = db_journal_take_place(new, f->journal);
    if (!e) {
        f->journal = new;
        f->base_size = base_size;
        f->n_commits = 0;
        f->compacted = clock_now();
    }
    return e;
}

// The finished temporary file takes the database file's place.
static struct db_error *
switch_over(struct db_file *f, const char *tmp)
{
    struct db_journal *j;
    struct db_error *e = db_journal_open(tmp, DB_JOURNAL_CONTINUE, &j);
    if (e) {
        return e;
    }
    e = db_journal_seek_end(j);
    e = e ? e : db_file_replace_journal(f, j, db_journal_size(j));
    if (e) {
        db_journal_close(j);
        return e;
    }
    return db_journal_sync(f->journal);
}

struct db_error *
db_file_compact(struct db_file *f, struct db *db, const char *comment)
{
    db_compaction_settle(f);
    char *tmp = db_file_temporary_name(f);
    struct db_error *e = db_file_write_snapshot(tmp, db, comment);
    e = e ? e : switch_over(f, tmp);
    if (e) {
        unlink(tmp);
    }
    free(tmp);
    return e;
}

bool
db_file_wants_compaction(const struct db_file *f)
{
    int64_t age = clock_now() - f->compacted;
    off_t size = db_file_size(f);
    return !f->compaction && f->n_commits >= MIN_COMPACT_COMMITS && age >= MIN_COMPACT_MS &&
           (age >= MAX_COMPACT_MS || (size >= MIN_COMPACT_SIZE && size >= 2 * f->base_size));
}

void
db_file_close(struct db_file *f)
{
    if (!f) {
        return;
    }
    db_compaction_settle(f);
    db_journal_close(f->journal);
    str_free(&f->text);
    free(f);
}
