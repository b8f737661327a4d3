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
#include "ovsdb/replay.h"
#include "ovsdb/schema.h"
#include "ovsdb/txn.h"

LOG_MODULE(ovsdb_file);

#define MIN_COMPACT_SIZE (10 * 1024 * 1024)
#define MIN_COMPACT_COMMITS 100
#define MIN_COMPACT_MS (10 * 60 * 1000)
#define MAX_COMPACT_MS (24 * 3600 * 1000)

static bool always_durable; // every commit, whatever the client asked for

// --- reading ---

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
apply_any(struct db_file *f, struct db *db, const char *text, size_t len, bool *odd)
{
    json_t *json;
    struct db_error *e = db_journal_parse(f->journal, text, len, &json);
    if (!e) {
        e = db_replay_apply(db, json, true);
        *odd = e != NULL;
        json_decref(json);
    }
    return e;
}

static void
count_record(struct db_file *f)
{
    if (!f->n_commits++) {
        f->base_size = db_journal_size(f->journal);
    }
}

// Each record is believed. odd: one cannot be, or all together make no sense. Any other error is
// damage.
static struct db_error *
read_quickly(struct db_file *f, struct db *db, bool *odd)
{
    struct db_record_reader *fast = db_record_reader_new(db);
    struct db_error *e, *wrong;
    const char *text;
    size_t len;
    bool slow = false; // some record had to take the longer way
    *odd = false;
    for (;;) {
        e = db_journal_read_text(f->journal, &text, &len);
        if (!e && text && !db_record_apply(fast, text, len)) {
            slow = true;
            e = apply_any(f, db, text, len, odd);
        }
        if (e || !text) {
            break;
        }
        count_record(f);
    }
    *odd |= !db_record_sizes_hold(fast) || (slow && !db_replay_sizes_hold(db));
    db_record_reader_free(fast);
    if (!*odd) {
        wrong = db_replay_settle(db);
        *odd = wrong != NULL;
        db_error_free(wrong);
    }
    return e;
}

static void
refuse(struct db_file *f, unsigned n, off_t at, struct db_error *take)
{
    static struct log_limit limit = LOG_LIMIT(60, 20);
    char *text = db_error_take_text(take);
    LOG_ERR_RL(&limit, "%s: record %u, at offset %lld, is refused and left out: %s",
               db_file_path(f), n, (long long) at, text);
    free(text);
    f->n_refused++;
}

// Each record is a transaction, and those that are refused are left out. (The stock server does so,
// too. What it appends then overwrites a part of some such records; what we append doesn't.)
static struct db_error *
read_carefully(struct db_file *f, struct db *db, bool whole)
{
    for (unsigned n = 1;; n++) {
        const off_t at = db_journal_size(f->journal);
        json_t *json;
        struct db_error *e = db_journal_read(f->journal, &json);
        if (e || !json) {
            return e;
        }
        e = db_replay_commit(db, json);
        json_decref(json);
        if (e && whole) {
            return db_error_wrap(
                e,
                "%s: record %u, at offset %lld, is refused (ovsdb-server serves the "
                "database without such records)",
                db_file_path(f), n, (long long) at);
        } else if (e) {
            refuse(f, n, at, e);
        }
        count_record(f);
    }
}

static struct db_error *
read_all(struct db_file *f, struct db **db, bool whole)
{
    bool odd;
    struct db_error *e = read_schema(f->journal, db);
    if (e) {
        return e;
    }
    struct db_error *damage = read_quickly(f, *db, &odd);
    if (odd) {
        db_error_free(damage);
        db_free(*db);
        *db = NULL;
        f->n_commits = 0;
        e = db_journal_rewind(f->journal);
        e = e ? e : read_schema(f->journal, db);
        if (e) {
            return e;
        }
        damage = read_carefully(f, *db, whole);
    }
    db_replay_collect(*db);
    if (damage && whole) {
        return db_journal_tell_loss(f->journal, damage, f->n_commits);
    } else if (damage) {
        warn_damage(f->journal, damage);
    }
    if (f->n_refused) {
        LOG_ERR("%s: records refused and left out: %u; they stay in the file, and when it is "
                "compacted, a copy with them is kept beside it",
                db_file_path(f), f->n_refused);
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
    e = e ? e : read_all(f, db, whole);
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
    size_t n = txn->db->schema->n_tables, first = n, end = 0;
    bool few[64] = {false}, *has = n <= ARRAY_SIZE(few) ? few : base_calloc(n, sizeof *has);
    DB_TXN_FOR_EACH(c, txn)
    {
        if (is_persistent(c)) {
            const size_t i = c->row->table->schema->index;
            has[i] = true;
            first = MIN(first, i);
            end = MAX(end, i + 1);
        }
    }
    for (size_t i = first; i < end; i++) {
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
    if (has != few) {
        free(has);
    }
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

static struct db_error *
tell_refused(struct db_error *take)
{
    static struct log_limit limit = LOG_LIMIT(6, 3);
    char *text = db_error_text(take);
    LOG_ERR_RL(&limit, "%s; the change is refused", text);
    free(text);
    return take;
}

struct db_error *
db_file_commit(struct db_file *f, const struct db_txn *txn, bool durable)
{
    struct str *s = &f->text;
    struct db_error *e = NULL;
    const off_t before = db_journal_size(f->journal);
    bool wrote = false;
    str_clear(s);
    str_add_char(s, '{');
    const bool diff = diffs_are_readable(txn);
    if (write_changes(s, txn, diff)) {
        end_record(s, txn->comment.p, txn->comment.len, diff);
        e = db_journal_append(f->journal, s->p, s->len);
        if (e) {
            return tell_refused(e);
        }
        wrote = true;
        durable |= always_durable;
    }
    if (durable) {
        e = db_file_sync(f);
        if (e && wrote) { // it is refused, and must not come back when the file is read
            db_journal_take_back(f->journal, before);
        }
    }
    if (wrote && !e) {
        f->n_commits++;
        db_compaction_note(f->compaction, s->p, s->len, durable);
    }
    if (s->cap > 4 * 1024 * 1024) {
        str_free(s);
    }
    return e ? tell_refused(e) : NULL;
}

void
db_file_set_always_durable(bool always)
{
    always_durable = always;
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

// A second name for the file that has records which were left out, or more behind damage, before
// the first one is another file's.
static struct db_error *
keep_original(struct db_file *f)
{
    char *kept = NULL;
    const char *why = f->n_refused                        ? "refused"
                      : db_journal_is_damaged(f->journal) ? "damaged"
                                                          : NULL;
    struct db_error *e = why ? db_journal_keep(f->journal, why, &kept) : NULL;
    if (kept) {
        LOG_WARN("%s: compacted without what was %s when it was read; the file as it was is "
                 "kept as %s",
                 db_file_path(f), why, kept);
        free(kept);
    }
    return e;
}

struct db_error *
db_file_replace_journal(struct db_file *f, struct db_journal *new, off_t base_size)
{
    struct db_error *e = keep_original(f);
    e = e ? e : db_journal_take_place(new, f->journal);
    if (!e) {
        f->n_refused = 0;
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
    // The new file stands. Whoever needs it to be on disk under its name syncs it again.
    e = db_journal_sync(f->journal);
    if (e) {
        char *text = db_error_take_text(e);
        LOG_ERR("%s: its new contents may not survive a loss of power: %s", db_file_path(f), text);
        free(text);
    }
    return NULL;
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
