// SPDX-License-Identifier: Apache-2.0
// One pass over the text. Rows that are new are in their table at once; what the record does to
// rows that were there is kept until its end, for only the whole text says whether it is good and
// whether values are differences. Each row that the record names bears a mark in row->change, by
// which a second mention is found. Where the text ends, a NUL stands: no look at the next
// character needs a check of its own.
#include "ovsdb/record.h"

#include <stdlib.h>

#include "lib/base/json_scan.h"
#include "ovsdb/db.h"
#include "ovsdb/delta.h"
#include "ovsdb/error.h"
#include "ovsdb/txn.h"

enum { MAX_NAME = 128 };

// What a record does to a row that was there.
struct step {
    struct db_row *row;
    const struct db_column_schema *column; // NULL: only named, or deleted
    struct db_datum value;
    bool deletes;
};

struct db_record_reader {
    struct db *db;
    struct scan scan;
    struct db_row **fresh;
    size_t n_fresh, fresh_cap;
    struct step *steps;
    size_t n_steps, steps_cap;
    struct db_datum set; // elements of the set or map that is being read
    uint32_t set_cap;
    uint32_t *columns; // [most columns of a table]: number of the row that named it last
    uint32_t row_no;
    uint8_t *tables; // [n_tables]: named in this record
    bool odd_size;   // some value has a number of elements that only a difference may have
    bool wrong_size; // some difference gave a column a number of elements that it may not have
};

// The mark.
static struct db_change in_record;

struct db_record_reader *
db_record_reader_new(struct db *db)
{
    struct db_record_reader *r = base_calloc(1, sizeof *r);
    size_t n = 0;
    r->db = db;
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        n = MAX(n, db->schema->tables[i]->n_columns);
    }
    r->columns = base_calloc(n + 1, sizeof *r->columns);
    r->tables = base_calloc(db->schema->n_tables + 1, 1);
    return r;
}

void
db_record_reader_free(struct db_record_reader *r)
{
    if (r) {
        free(r->fresh);
        free(r->steps);
        free(r->set.keys);
        free(r->set.values);
        free(r->columns);
        free(r->tables);
        scan_destroy(&r->scan);
        free(r);
    }
}

// --- values ---

// What follows `["uuid"`.
static bool
take_rest_of_uuid(struct db_record_reader *r, struct uuid *u)
{
    const char *s;
    size_t n;
    return scan_char(&r->scan, ',') && scan_string(&r->scan, &s, &n) && uuid_parse_n(s, n, u) &&
           scan_char(&r->scan, ']');
}

static bool
take_tag(struct db_record_reader *r, const char *tag)
{
    const char *s;
    size_t n;
    return scan_string(&r->scan, &s, &n) && n == strlen(tag) && !memcmp(s, tag, n);
}

static bool
take_atom(struct db_record_reader *r, const struct db_base *b, union db_atom *a)
{
    const char *s;
    size_t n;
    int64_t whole;
    bool ok = false, integral;
    memset(a, 0, sizeof *a);
    switch (b->type) {
    case DB_INTEGER:
        ok = scan_integer(&r->scan, &a->integer);
        break;
    case DB_REAL:
        ok = scan_number(&r->scan, &a->real, &whole, &integral);
        break;
    case DB_BOOLEAN:
        ok = scan_boolean(&r->scan, &a->boolean);
        break;
    case DB_STRING:
        ok = scan_string(&r->scan, &s, &n);
        if (ok) {
            a->string = db_string_new(s, n);
        }
        break;
    case DB_UUID:
        return scan_char(&r->scan, '[') && take_tag(r, "uuid") && take_rest_of_uuid(r, &a->uuid);
    default:
        break;
    }
    struct db_error *e = ok ? db_atom_check(a, b) : NULL;
    if (e) {
        db_error_free(e);
        db_atom_destroy(a, b->type);
        return false;
    }
    return ok;
}

static void
add_element(struct db_record_reader *r, const union db_atom *key, const union db_atom *value)
{
    if (r->set.n == r->set_cap) {
        r->set_cap = r->set_cap ? 2 * r->set_cap : 16;
        r->set.keys = base_realloc(r->set.keys, r->set_cap * sizeof *r->set.keys);
        r->set.values = base_realloc(r->set.values, r->set_cap * sizeof *r->set.values);
    }
    r->set.keys[r->set.n] = *key;
    r->set.values[r->set.n++] = *value;
}

static bool
take_element(struct db_record_reader *r, const struct db_type *t)
{
    union db_atom key, value = {.integer = 0};
    bool map = db_type_is_map(t);
    if ((map && !scan_char(&r->scan, '[')) || !take_atom(r, &t->key, &key)) {
        return false;
    }
    if (map && (!scan_char(&r->scan, ',') || !take_atom(r, &t->value, &value))) {
        db_atom_destroy(&key, t->key.type);
        return false;
    }
    add_element(r, &key, &value);
    return !map || scan_char(&r->scan, ']');
}

static bool
take_elements(struct db_record_reader *r, const struct db_type *t)
{
    if (!scan_char(&r->scan, ',') || !scan_char(&r->scan, '[')) {
        return false;
    }
    if (!scan_char(&r->scan, ']')) {
        do {
            if (!take_element(r, t)) {
                return false;
            }
        } while (scan_char(&r->scan, ','));
        if (!scan_char(&r->scan, ']')) {
            return false;
        }
    }
    return scan_char(&r->scan, ']');
}

// All elements into r->set; the caller destroys what is there after a failure.
static bool
take_set(struct db_record_reader *r, const struct db_type *t)
{
    const char *s;
    size_t n;
    if (db_type_is_map(t)) {
        return scan_char(&r->scan, '[') && take_tag(r, "map") && take_elements(r, t);
    }
    scan_blanks(&r->scan);
    if (*r->scan.p != '[') {
        return take_element(r, t);
    }
    r->scan.p++;
    if (!scan_string(&r->scan, &s, &n)) {
        return false;
    }
    if (n == 3 && !memcmp(s, "set", 3)) {
        return take_elements(r, t);
    }
    union db_atom key = {.integer = 0}, none = {.integer = 0};
    if (t->key.type != DB_UUID || n != 4 || memcmp(s, "uuid", 4) ||
        !take_rest_of_uuid(r, &key.uuid)) {
        return false;
    }
    add_element(r, &key, &none);
    return true;
}

// The elements read, in memory of their own.
static void
hand_over(struct db_record_reader *r, const struct db_type *t, struct db_datum *d)
{
    uint32_t n = r->set.n;
    *d = (struct db_datum){n, n, NULL, NULL};
    if (n) {
        d->keys = base_memdup(r->set.keys, n * sizeof *d->keys);
        d->values = db_type_is_map(t) ? base_memdup(r->set.values, n * sizeof *d->values) : NULL;
    }
    r->set.n = 0;
}

// may_differ: the value may be a difference, of any number of elements.
static bool
take_value(struct db_record_reader *r, const struct db_type *t, bool may_differ, struct db_datum *d)
{
    bool ok = take_set(r, t);
    hand_over(r, t, d);
    bool odd = d->n < t->n_min || d->n > t->n_max;
    if (!ok || (odd && !may_differ) || db_datum_sort(d, t)) {
        db_datum_destroy(d, t);
        return false;
    }
    r->odd_size |= odd;
    return true;
}

// --- rows ---

static struct step *
add_step(struct db_record_reader *r, struct db_row *row)
{
    if (r->n_steps == r->steps_cap) {
        r->steps = base_grow(r->steps, &r->steps_cap, sizeof *r->steps);
    }
    struct step *s = &r->steps[r->n_steps++];
    *s = (struct step){.row = row};
    return s;
}

static bool
take_column(struct db_record_reader *r, struct db_row *row, bool fresh)
{
    char name[MAX_NAME];
    if (!scan_name(&r->scan, name, sizeof name)) {
        return false;
    }
    const struct db_column_schema *c = db_table_schema_column(row->table->schema, name);
    if (!c || c->index < DB_N_STD_COLS || r->columns[c->index] == r->row_no) {
        return false;
    }
    r->columns[c->index] = r->row_no;
    struct db_datum d;
    if (!take_value(r, &c->type, !fresh && db_type_is_composite(&c->type), &d)) {
        return false;
    }
    if (fresh) {
        row->data[c->index] = d; // a shared default was there
    } else {
        struct step *s = add_step(r, row);
        s->column = c;
        s->value = d;
    }
    return true;
}

static bool
take_columns(struct db_record_reader *r, struct db_row *row, bool fresh)
{
    if (!++r->row_no) {
        return false; // after 4 billion rows the numbers tell nothing
    }
    if (!scan_char(&r->scan, '{')) {
        return false;
    }
    if (scan_char(&r->scan, '}')) {
        return true;
    }
    do {
        if (!take_column(r, row, fresh)) {
            return false;
        }
    } while (scan_char(&r->scan, ','));
    return scan_char(&r->scan, '}');
}

static bool
take_row(struct db_record_reader *r, struct db_table *table)
{
    struct uuid uuid;
    const char *s;
    size_t n;
    if (!scan_string(&r->scan, &s, &n) || !uuid_parse_n(s, n, &uuid) || !scan_char(&r->scan, ':')) {
        return false;
    }
    struct db_row *row = db_row_find(table, &uuid);
    if (row) {
        if (row->change) {
            return false; // named twice
        }
        row->change = &in_record;
        struct step *step = add_step(r, row);
        step->deletes = scan_word(&r->scan, "null");
        return step->deletes || take_columns(r, row, false);
    }
    row = db_row_new(table, &uuid);
    if (!take_columns(r, row, true)) {
        db_row_free(row);
        return false;
    }
    if (r->n_fresh == r->fresh_cap) {
        r->fresh = base_grow(r->fresh, &r->fresh_cap, sizeof(struct db_row *));
    }
    r->fresh[r->n_fresh++] = row;
    row->change = &in_record;
    db_row_link(row);
    return true;
}

static bool
take_rows(struct db_record_reader *r, struct db_table *table)
{
    if (r->tables[table->schema->index]++ || !scan_char(&r->scan, '{')) {
        return false; // or: named twice
    }
    if (scan_char(&r->scan, '}')) {
        return true;
    }
    do {
        if (!take_row(r, table)) {
            return false;
        }
    } while (scan_char(&r->scan, ','));
    return scan_char(&r->scan, '}');
}

// _date, _comment and the like; *is_diff: 0 unknown, 1 false, 2 true.
static bool
take_remark(struct db_record_reader *r, const char *name, int *is_diff)
{
    const char *s;
    size_t n;
    int64_t i;
    bool b;
    if (name[0] != '_') {
        return false;
    }
    if (!strcmp(name, "_is_diff")) {
        bool first = !*is_diff;
        return first && scan_boolean(&r->scan, &b) && (*is_diff = 1 + b);
    }
    scan_blanks(&r->scan);
    return *r->scan.p == '"' ? scan_string(&r->scan, &s, &n)
                             : scan_boolean(&r->scan, &b) || scan_integer(&r->scan, &i);
}

static bool
take_record(struct db_record_reader *r, const char *end, bool *is_diff)
{
    int diff = 0;
    if (!scan_char(&r->scan, '{')) {
        return false;
    }
    bool more = !scan_char(&r->scan, '}');
    while (more) {
        char name[MAX_NAME];
        if (!scan_name(&r->scan, name, sizeof name)) {
            return false;
        }
        struct db_table *table = db_table_find(r->db, name);
        if (!(table ? take_rows(r, table) : take_remark(r, name, &diff))) {
            return false;
        }
        more = scan_char(&r->scan, ',');
        if (!more && !scan_char(&r->scan, '}')) {
            return false;
        }
    }
    *is_diff = diff == 2;
    scan_blanks(&r->scan);
    return r->scan.p == end && (*is_diff || !r->odd_size);
}

// --- the whole record ---

static void
run_step(struct db_record_reader *r, struct step *s, bool is_diff)
{
    struct db_row *row = s->row;
    row->change = NULL;
    if (s->deletes) {
        db_row_unlink(row);
        db_row_free(row);
    } else if (s->column) {
        const struct db_type *t = &s->column->type;
        struct db_datum *value = &row->data[s->column->index];
        bool indexed = row->table->traits[s->column->index] & DB_TRAIT_INDEXED;
        if (indexed) {
            db_row_unindex(row);
        }
        if (is_diff && db_type_is_composite(t)) {
            db_delta_apply_symmetric(value, &s->value, t);
            r->wrong_size |= value->n < t->n_min || value->n > t->n_max;
        } else {
            db_datum_swap(value, &s->value);
        }
        db_datum_destroy(&s->value, t);
        if (indexed) {
            db_row_index(row);
        }
    }
}

static void
drop_step(struct step *s)
{
    s->row->change = NULL;
    if (s->column) {
        db_datum_destroy(&s->value, &s->column->type);
    }
}

bool
db_record_apply(struct db_record_reader *r, const char *text, size_t n)
{
    bool is_diff = false;
    r->scan.p = text;
    r->n_fresh = r->n_steps = 0;
    r->odd_size = false;
    memset(r->tables, 0, r->db->schema->n_tables);
    bool ok = take_record(r, text + n, &is_diff);
    for (size_t i = 0; i < r->n_fresh; i++) {
        r->fresh[i]->change = NULL;
        if (!ok) {
            db_row_unlink(r->fresh[i]);
            db_row_free(r->fresh[i]);
        }
    }
    for (size_t i = 0; i < r->n_steps; i++) {
        if (ok) {
            run_step(r, &r->steps[i], is_diff);
        } else {
            drop_step(&r->steps[i]);
        }
    }
    return ok;
}

bool
db_record_sizes_hold(const struct db_record_reader *r)
{
    return !r->wrong_size;
}
