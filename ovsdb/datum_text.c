// SPDX-License-Identifier: Apache-2.0
// Values as people write them: the text form of ovs-vsctl(8), "Database Values".
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "ovsdb/data.h"
#include "ovsdb/data_priv.h"
#include "ovsdb/error.h"

bool
db_text_is_plain(const char *s, size_t len)
{
    struct uuid u;
    if (!len || (!isalpha((uint8_t) s[0]) && s[0] != '_')) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((uint8_t) s[i]) && s[i] != '_' && s[i] != '-' && s[i] != '.') {
            return false;
        }
    }
    return strcmp(s, "true") && strcmp(s, "false") && !uuid_parse(s, &u);
}

void
db_atom_format_text(const union db_atom *a, enum db_atomic t, struct str *out)
{
    if (t == DB_STRING && !db_text_is_plain(a->string->s, a->string->len)) {
        str_add_json(out, a->string->s, a->string->len);
    } else {
        db_atom_format_bare(a, t, out);
    }
}

void
db_atom_format_bare(const union db_atom *a, enum db_atomic t, struct str *out)
{
    char buf[UUID_LEN + 1];
    switch (t) {
    case DB_STRING:
        str_add_n(out, a->string->s, a->string->len);
        break;
    case DB_REAL:
        str_addf(out, "%.15g", a->real == 0 ? 0 : a->real);
        break;
    case DB_UUID:
        uuid_format(&a->uuid, buf);
        str_add(out, buf);
        break;
    default:
        db_atom_write_json(a, t, out);
        break;
    }
}

void
db_datum_format_text(const struct db_datum *d, const struct db_type *t, struct str *out)
{
    bool map = db_type_is_map(t), brackets = t->n_max > 1 || d->n == 0;
    if (brackets) {
        str_add_char(out, map ? '{' : '[');
    }
    for (uint32_t i = 0; i < d->n; i++) {
        if (i) {
            str_add(out, ", ");
        }
        db_atom_format_text(&d->keys[i], t->key.type, out);
        if (map) {
            str_add_char(out, '=');
            db_atom_format_text(&d->values[i], t->value.type, out);
        }
    }
    if (brackets) {
        str_add_char(out, map ? '}' : ']');
    }
}

void
db_datum_format_bare(const struct db_datum *d, const struct db_type *t, struct str *out)
{
    for (uint32_t i = 0; i < d->n; i++) {
        if (i) {
            str_add_char(out, ' ');
        }
        db_atom_format_bare(&d->keys[i], t->key.type, out);
        if (db_type_is_map(t)) {
            str_add_char(out, '=');
            db_atom_format_bare(&d->values[i], t->value.type, out);
        }
    }
}

static bool
parse_boolean(const char *s, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no",
                                                                                "off", "0"};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
            *out = !strcmp(s, yes[i]);
            return true;
        }
    }
    return false;
}

static char *
parse_string(union db_atom *a, const char *s)
{
    if (!*s) {
        return base_strdup(
            "An empty string is not valid as input; use \"\" to represent the empty string");
    }
    char *error = utf8_check(s);
    if (error) {
        char *text = base_asprintf("constraint violation: not a valid UTF-8 string: %s", error);
        free(error);
        return text;
    }
    if (*s != '"') {
        a->string = db_string_new(s, strlen(s));
        return NULL;
    }
    size_t len = strlen(s);
    if (len < 2 || s[len - 1] != '"') {
        return base_asprintf("%s: missing quote at end of quoted string", s);
    }
    json_error_t je;
    json_t *j = json_loadb(s, len, JSON_DECODE_ANY, &je);
    if (!json_is_string(j)) {
        json_decref(j);
        return base_asprintf("%s: %s", s, je.text);
    }
    a->string = db_string_new(json_string_value(j), json_string_length(j));
    json_decref(j);
    return NULL;
}

static char *
parse_uuid(union db_atom *a, const struct db_base *b, const char *s, struct db_symtab *symtab)
{
    if (*s == '@' && symtab) {
        struct db_symbol *sym = db_symtab_intern(symtab, s);
        sym->strong_ref |= db_base_is_strong_ref(b);
        sym->weak_ref |= db_base_is_weak_ref(b);
        a->uuid = sym->uuid;
        return NULL;
    }
    return uuid_parse(s, &a->uuid) ? NULL : base_asprintf("\"%s\" is not a valid UUID", s);
}

char *
db_atom_parse_text(union db_atom *a, const struct db_base *b, const char *s,
                   struct db_symtab *symtab)
{
    memset(a, 0, sizeof *a);
    char *error = NULL, *end;
    switch (b->type) {
    case DB_INTEGER:
        if (!base_parse_int(s, &a->integer)) {
            error = base_asprintf("\"%s\" is not a valid integer or range", s);
        }
        break;
    case DB_REAL:
        errno = 0;
        a->real = strtod(s, &end);
        if (end == s || *end || !isfinite(a->real)) {
            error = base_asprintf("\"%s\" is not a valid real number", s);
        } else if (a->real == 0) {
            a->real = 0;
        }
        break;
    case DB_BOOLEAN:
        if (!parse_boolean(s, &a->boolean)) {
            error = base_asprintf("\"%s\" is not a valid boolean (use \"true\" or \"false\")", s);
        }
        break;
    case DB_STRING:
        error = parse_string(a, s);
        break;
    case DB_UUID:
        error = parse_uuid(a, b, s, symtab);
        break;
    default:
        error = base_strdup("a value is not expected here");
        break;
    }
    if (!error) {
        struct db_error *e = db_atom_check(a, b);
        if (e) {
            db_atom_destroy(a, b->type);
            error = db_error_take_text(e);
        }
    }
    return error;
}

static bool
is_delimiter(char c)
{
    return strchr(":=, []{}!<>", c) != NULL; // the end of the text too
}

// A word up to a delimiter, which a quoted string at its beginning may contain; may be empty.
static char *
scan_word(const char **pos, char **out)
{
    const char *start = *pos, *p = start;
    *out = NULL;
    if (*p == '"') {
        for (p++; *p != '"'; p++) {
            p += *p == '\\' && p[1];
            if (!*p) {
                return base_asprintf("%s: quoted string extends past end of argument", start);
            }
        }
        p++;
    }
    while (!is_delimiter(*p)) {
        p++;
    }
    *out = base_strndup(start, p - start);
    *pos = p;
    return NULL;
}

char *
db_text_token(const char **pos, char **out)
{
    const char *start = *pos;
    if (is_delimiter(*start)) {
        *out = NULL;
        return *start ? base_asprintf("%s: unexpected \"%c\" parsing key", start, *start)
                      : base_strdup("unexpected end of input");
    }
    return scan_word(pos, out);
}

static const char *
skip_blanks(const char *p)
{
    while (*p == ' ') {
        p++;
    }
    return p;
}

// What a parse goes through with.
struct text_parse {
    const char *text, *p;
    struct db_datum *d;
    const struct db_type *t;
    struct db_symtab *symtab;
};

// A range of integers this wide is a mistake, whatever the column takes.
#define MAX_RANGE (1 << 20)

// "5-8" where integers are wanted: both ends, checked; *is_range false when it is no range.
static char *
parse_range(const struct text_parse *tp, const char *word, int64_t *first, int64_t *last)
{
    long long a, b;
    int used = 0;
    union db_atom end;
    *first = 0;
    *last = -1;
    if (tp->t->key.type != DB_INTEGER || sscanf(word, "%lld-%lld%n", &a, &b, &used) != 2 ||
        word[used]) {
        return NULL;
    }
    if (b < a) {
        return base_asprintf("\"%s\" is not a valid range. Range end cannot be before start.",
                             word);
    }
    const int64_t ends[] = {a, b};
    for (int i = 0; i < 2; i++) {
        end.integer = ends[i];
        struct db_error *e = db_atom_check(&end, &tp->t->key);
        if (e) {
            return db_error_take_text(e);
        }
    }
    if ((uint64_t) b - (uint64_t) a >= MAX_RANGE) {
        return base_asprintf("\"%s\" is a range of more than %d values", word, MAX_RANGE);
    }
    *first = a;
    *last = b;
    return NULL;
}

// Stores one key, or all of a range, with this value.
static char *
store(struct text_parse *tp, const char *word, const union db_atom *value)
{
    int64_t first, last;
    union db_atom key, copy;
    bool map = db_type_is_map(tp->t);
    char *error = parse_range(tp, word, &first, &last);
    if (error) {
        return error;
    }
    if (first > last) {
        error = db_atom_parse_text(&key, &tp->t->key, word, tp->symtab);
        if (!error) {
            if (map) {
                db_atom_clone(&copy, value, tp->t->value.type);
            }
            db_datum_push(tp->d, &key, map ? &copy : NULL);
        }
        return error;
    }
    for (int64_t i = first; i <= last; i++) {
        key.integer = i;
        if (map) {
            db_atom_clone(&copy, value, tp->t->value.type);
        }
        db_datum_push(tp->d, &key, map ? &copy : NULL);
    }
    return NULL;
}

// The "=value" behind a key.
static char *
parse_value(struct text_parse *tp, union db_atom *value)
{
    char *word = NULL;
    tp->p = skip_blanks(tp->p);
    if (*tp->p != '=') {
        return base_asprintf("%s: syntax error at \"%c\" expecting \"=\"", tp->text, *tp->p);
    }
    tp->p = skip_blanks(tp->p + 1);
    char *error = scan_word(&tp->p, &word);
    error = error ? error : db_atom_parse_text(value, &tp->t->value, word, tp->symtab);
    free(word);
    return error;
}

static char *
parse_element(struct text_parse *tp)
{
    union db_atom value;
    char *word = NULL;
    bool map = db_type_is_map(tp->t), has_value = false;
    if (is_delimiter(*tp->p)) {
        char *english = db_type_english(tp->t);
        char *error = base_asprintf("%s: unexpected \"%c\" parsing %s", tp->text, *tp->p, english);
        free(english);
        return error;
    }
    char *error = scan_word(&tp->p, &word);
    if (!error && map) {
        // A key that is wrong is told before what follows it.
        union db_atom key;
        int64_t first, last;
        error = parse_range(tp, word, &first, &last);
        if (!error && first > last) {
            error = db_atom_parse_text(&key, &tp->t->key, word, tp->symtab);
            if (!error) {
                db_atom_destroy(&key, tp->t->key.type);
            }
        }
        error = error ? error : parse_value(tp, &value);
        has_value = !error;
    }
    error = error ? error : store(tp, word, &value);
    if (has_value) {
        db_atom_destroy(&value, tp->t->value.type);
    }
    free(word);
    return error;
}

static char *
parse_elements(struct text_parse *tp)
{
    bool map = db_type_is_map(tp->t);
    char close = 0;
    tp->p = skip_blanks(tp->text);
    if (*tp->p == (map ? '{' : '[')) {
        close = map ? '}' : ']';
        tp->p = skip_blanks(tp->p + 1);
    }
    while (*tp->p && *tp->p != close) {
        char *error = parse_element(tp);
        if (error) {
            return error;
        }
        tp->p = skip_blanks(tp->p);
        if (*tp->p == ',') {
            tp->p = skip_blanks(tp->p + 1);
        }
    }
    if (close) {
        if (*tp->p != close) {
            return base_asprintf("%s: missing \"%c\" at end of data", tp->text, close);
        }
        tp->p = skip_blanks(tp->p + 1);
        if (*tp->p) {
            return base_asprintf("%s: trailing garbage after \"%c\"", tp->text, close);
        }
    }
    return NULL;
}

char *
db_datum_parse_text(struct db_datum *d, const struct db_type *t, const char *s,
                    struct db_symtab *symtab)
{
    struct text_parse tp = {.text = s, .d = d, .t = t, .symtab = symtab};
    db_datum_init_empty(d);
    char *error = parse_elements(&tp);
    uint32_t n = d->n;
    if (!error && db_datum_sort(d, t)) {
        error = base_asprintf("%s: %s", s,
                              db_type_is_map(t) ? "map contains duplicate key"
                                                : "set contains duplicate value");
    }
    if (!error && (n < t->n_min || n > t->n_max)) {
        error =
            base_asprintf("%s: %u %s specified but the %s number is %u", s, n,
                          db_type_is_map(t) ? "pair(s)" : "value(s)",
                          n > t->n_max ? "maximum" : "minimum", n > t->n_max ? t->n_max : t->n_min);
    }
    if (error) {
        db_datum_destroy(d, t);
    }
    return error;
}
