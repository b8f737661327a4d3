// SPDX-License-Identifier: Apache-2.0
// One pass over the text. Rows that are new are in their table at once; what the record does to
// rows that were there is kept until its end, for only the whole text says whether it is good and
// whether values are differences. Each row that the record names bears a mark in row->change, by
// which a second mention is found. Where the text ends, a NUL stands: no look at the next
// character needs a check of its own.
#include "ovsdb/record.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/delta.h"
#include "ovsdb/error.h"
#include "ovsdb/txn.h"

enum { MAX_NUMBER = 40, MAX_NAME = 128 };

// What a record does to a row that was there.
struct step {
    struct db_row *row;
    const struct db_column_schema *column; // NULL: only named, or deleted
    struct db_datum value;
    bool deletes;
};

struct db_record_reader {
    struct db *db;
    const char *p, *end;
    struct db_row **fresh;
    size_t n_fresh, fresh_cap;
    struct step *steps;
    size_t n_steps, steps_cap;
    struct db_datum set; // elements of the set or map that is being read
    uint32_t set_cap;
    struct str text;   // of a string with escapes
    uint32_t *columns; // [most columns of a table]: number of the row that named it last
    uint32_t row_no;
    uint8_t *tables; // [n_tables]: named in this record
    bool odd_size;   // some value has a number of elements that only a difference may have
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
        str_free(&r->text);
        free(r);
    }
}

// --- tokens ---

static inline void
skip_blanks(struct db_record_reader *r)
{
    while (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r') {
        r->p++;
    }
}

// The next character that isn't a blank, if it is this one.
static inline bool
take(struct db_record_reader *r, char c)
{
    if (*r->p != c) {
        skip_blanks(r);
        if (*r->p != c) {
            return false;
        }
    }
    r->p++;
    return true;
}

// Length of the UTF-8 sequence of several bytes at p, 0: none (RFC 3629).
static size_t
utf8_sequence(const char *p)
{
    const uint8_t *s = (const uint8_t *) p;
    size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    return overlong || surrogate || (s[0] == 0xf4 && s[1] > 0x8f) ? 0 : n;
}

// Whether the character stands for itself in a string.
static inline bool
is_plain(char c)
{
    return c != '"' && c != '\\' && (uint8_t) c >= 0x20 && (uint8_t) c < 0x80;
}

// The rest of a string behind its first escape, which is next.
static bool
take_escaped(struct db_record_reader *r, const char **s, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = r->p;
    str_clear(&r->text);
    str_add_n(&r->text, *s, p - *s);
    while (*p != '"') {
        const char *start = p;
        size_t len;
        while (is_plain(*p)) {
            p++;
        }
        str_add_n(&r->text, start, p - start);
        if (*p == '\\') {
            const char *which = p[1] ? strchr(from, p[1]) : NULL;
            if (!which) {
                return false;
            }
            str_add_char(&r->text, to[which - from]);
            p += 2;
        } else if (*p != '"') {
            len = utf8_sequence(p);
            if (!len) {
                return false;
            }
            str_add_n(&r->text, p, len);
            p += len;
        }
    }
    *s = str_get(&r->text);
    *n = r->text.len;
    r->p = p + 1;
    return true;
}

// A string; what it holds is good until the next one.
static bool
take_string(struct db_record_reader *r, const char **s, size_t *n)
{
    if (!take(r, '"')) {
        return false;
    }
    const char *p = *s = r->p;
    for (;;) {
        while (is_plain(*p)) {
            p++;
        }
        if (*p == '"') {
            *n = p - *s;
            r->p = p + 1;
            return true;
        } else if (*p == '\\') {
            r->p = p;
            return take_escaped(r, s, n);
        }
        size_t len = utf8_sequence(p);
        if (!len) {
            return false;
        }
        p += len;
    }
}

// A name of a table or column.
static bool
take_name(struct db_record_reader *r, char name[MAX_NAME])
{
    const char *s;
    size_t n;
    if (!take_string(r, &s, &n) || n >= MAX_NAME || !take(r, ':')) {
        return false;
    }
    memcpy(name, s, n);
    name[n] = '\0';
    return true;
}

static bool
take_word(struct db_record_reader *r, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(r);
    if (strncmp(r->p, word, n)) {
        return false;
    }
    r->p += n;
    return true;
}

static bool
take_boolean(struct db_record_reader *r, bool *b)
{
    *b = take_word(r, "true");
    return *b || take_word(r, "false");
}

static bool
take_integer(struct db_record_reader *r, int64_t *value)
{
    enum { SAFE_DIGITS = 18 };
    skip_blanks(r);
    const char *p = r->p;
    bool negative = *p == '-';
    p += negative;
    const char *first = p;
    int64_t v = 0;
    while (*p >= '0' && *p <= '9' && p - first < SAFE_DIGITS) {
        v = v * 10 + (*p++ - '0');
    }
    // A digit, a point or an exponent that follows is no end of a value: the caller sees it.
    if (p == first || (*first == '0' && p - first > 1)) {
        return false;
    }
    *value = negative ? -v : v;
    r->p = p;
    return true;
}

static const char *
skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

static bool
take_real(struct db_record_reader *r, double *value)
{
    int64_t whole;
    skip_blanks(r);
    const char *start = r->p;
    if (!take_integer(r, &whole)) {
        return false;
    }
    const char *p = r->p;
    if (*p != '.' && *p != 'e' && *p != 'E') {
        *value = (double) whole;
        return true;
    }
    if (*p == '.') {
        const char *digits = ++p;
        p = skip_digits(p);
        if (p == digits) {
            return false;
        }
    }
    if (*p == 'e' || *p == 'E') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        const char *digits = p;
        p = skip_digits(p);
        if (p == digits) {
            return false;
        }
    }
    char text[MAX_NUMBER];
    if ((size_t) (p - start) >= sizeof text) {
        return false;
    }
    memcpy(text, start, p - start);
    text[p - start] = '\0';
    char *end;
    *value = strtod(text, &end);
    r->p = p;
    return !*end && isfinite(*value);
}

// --- values ---

// What follows `["uuid"`.
static bool
take_rest_of_uuid(struct db_record_reader *r, struct uuid *u)
{
    const char *s;
    size_t n;
    return take(r, ',') && take_string(r, &s, &n) && uuid_parse_n(s, n, u) && take(r, ']');
}

static bool
take_tag(struct db_record_reader *r, const char *tag)
{
    const char *s;
    size_t n;
    return take_string(r, &s, &n) && n == strlen(tag) && !memcmp(s, tag, n);
}

static bool
take_atom(struct db_record_reader *r, const struct db_base *b, union db_atom *a)
{
    const char *s;
    size_t n;
    bool ok = false;
    memset(a, 0, sizeof *a);
    switch (b->type) {
    case DB_INTEGER:
        ok = take_integer(r, &a->integer);
        break;
    case DB_REAL:
        ok = take_real(r, &a->real);
        break;
    case DB_BOOLEAN:
        ok = take_boolean(r, &a->boolean);
        break;
    case DB_STRING:
        ok = take_string(r, &s, &n);
        if (ok) {
            a->string = db_string_new(s, n);
        }
        break;
    case DB_UUID:
        return take(r, '[') && take_tag(r, "uuid") && take_rest_of_uuid(r, &a->uuid);
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
    if ((map && !take(r, '[')) || !take_atom(r, &t->key, &key)) {
        return false;
    }
    if (map && (!take(r, ',') || !take_atom(r, &t->value, &value))) {
        db_atom_destroy(&key, t->key.type);
        return false;
    }
    add_element(r, &key, &value);
    return !map || take(r, ']');
}

static bool
take_elements(struct db_record_reader *r, const struct db_type *t)
{
    if (!take(r, ',') || !take(r, '[')) {
        return false;
    }
    if (!take(r, ']')) {
        do {
            if (!take_element(r, t)) {
                return false;
            }
        } while (take(r, ','));
        if (!take(r, ']')) {
            return false;
        }
    }
    return take(r, ']');
}

// All elements into r->set; the caller destroys what is there after a failure.
static bool
take_set(struct db_record_reader *r, const struct db_type *t)
{
    const char *s;
    size_t n;
    if (db_type_is_map(t)) {
        return take(r, '[') && take_tag(r, "map") && take_elements(r, t);
    }
    skip_blanks(r);
    if (*r->p != '[') {
        return take_element(r, t);
    }
    r->p++;
    if (!take_string(r, &s, &n)) {
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
    if (!take_name(r, name)) {
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
    if (!take(r, '{')) {
        return false;
    }
    if (take(r, '}')) {
        return true;
    }
    do {
        if (!take_column(r, row, fresh)) {
            return false;
        }
    } while (take(r, ','));
    return take(r, '}');
}

static bool
take_row(struct db_record_reader *r, struct db_table *table)
{
    struct uuid uuid;
    const char *s;
    size_t n;
    if (!take_string(r, &s, &n) || !uuid_parse_n(s, n, &uuid) || !take(r, ':')) {
        return false;
    }
    struct db_row *row = db_row_find(table, &uuid);
    if (row) {
        if (row->change) {
            return false; // named twice
        }
        row->change = &in_record;
        struct step *step = add_step(r, row);
        step->deletes = take_word(r, "null");
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
    if (r->tables[table->schema->index]++ || !take(r, '{')) {
        return false; // or: named twice
    }
    if (take(r, '}')) {
        return true;
    }
    do {
        if (!take_row(r, table)) {
            return false;
        }
    } while (take(r, ','));
    return take(r, '}');
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
        return first && take_boolean(r, &b) && (*is_diff = 1 + b);
    }
    skip_blanks(r);
    return *r->p == '"' ? take_string(r, &s, &n) : take_boolean(r, &b) || take_integer(r, &i);
}

static bool
take_record(struct db_record_reader *r, bool *is_diff)
{
    int diff = 0;
    if (!take(r, '{')) {
        return false;
    }
    bool more = !take(r, '}');
    while (more) {
        char name[MAX_NAME];
        if (!take_name(r, name)) {
            return false;
        }
        struct db_table *table = db_table_find(r->db, name);
        if (!(table ? take_rows(r, table) : take_remark(r, name, &diff))) {
            return false;
        }
        more = take(r, ',');
        if (!more && !take(r, '}')) {
            return false;
        }
    }
    *is_diff = diff == 2;
    skip_blanks(r);
    return r->p == r->end && (*is_diff || !r->odd_size);
}

// --- the whole record ---

static void
run_step(struct step *s, bool is_diff)
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
    r->p = text;
    r->end = text + n;
    r->n_fresh = r->n_steps = 0;
    r->odd_size = false;
    memset(r->tables, 0, r->db->schema->n_tables);
    bool ok = take_record(r, &is_diff);
    for (size_t i = 0; i < r->n_fresh; i++) {
        r->fresh[i]->change = NULL;
        if (!ok) {
            db_row_unlink(r->fresh[i]);
            db_row_free(r->fresh[i]);
        }
    }
    for (size_t i = 0; i < r->n_steps; i++) {
        if (ok) {
            run_step(&r->steps[i], is_diff);
        } else {
            drop_step(&r->steps[i]);
        }
    }
    return ok;
}
