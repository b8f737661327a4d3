// SPDX-License-Identifier: Apache-2.0
// Values as people write them: the text form of ovs-vsctl(8), "Database Values".
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/str.h"
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
        db_json_write_string(a->string->s, a->string->len, out);
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
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
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
        return base_strdup("An empty string is not valid as input; use \"\" to represent the empty string");
    }
    if (*s != '"') {
        a->string = db_string_new(s, strlen(s));
        return NULL;
    }
    size_t len = strlen(s);
    if (len < 2 || s[len - 1] != '"') {
        return base_asprintf("%s: missing quote at end of quoted string", s);
    }
    json_error_t error;
    json_t *j = json_loadb(s, len, JSON_DECODE_ANY, &error);
    if (!json_is_string(j)) {
        json_decref(j);
        return base_asprintf("%s: %s", s, error.text);
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
db_atom_parse_text(union db_atom *a, const struct db_base *b, const char *s, struct db_symtab *symtab)
{
    memset(a, 0, sizeof *a);
    char *error = NULL, *end;
    switch (b->type) {
    case DB_INTEGER:
        if (!base_parse_int(s, &a->integer)) {
            error = base_asprintf("\"%s\" is not a valid integer", s);
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

// A quoted string with its quotes, or everything up to a delimiter.
char *
db_text_token(const char **pos, char **out)
{
    const char *start = *pos, *p = start;
    *out = NULL;
    if (*p == '"') {
        for (p++; *p != '"'; p++) {
            if (*p == '\\' && p[1]) {
                p++;
            } else if (!*p) {
                return base_asprintf("%s: missing quote at end of quoted string", start);
            }
        }
        p++;
    } else {
        while (*p && !strchr(":=, []{}!<>", *p)) {
            p++;
        }
        if (p == start) {
            return *p ? base_asprintf("%s: unexpected \"%c\" parsing key", start, *p)
                      : base_strdup("unexpected end of input");
        }
    }
    *out = base_strndup(start, p - start);
    *pos = p;
    return NULL;
}

// Like db_text_token() where ':' and the operators don't end a word: elements of sets and map values.
static char *
element_token(const char **pos, bool key, char **out)
{
    const char *start = *pos, *p = start;
    if (*p == '"') {
        return db_text_token(pos, out);
    }
    *out = NULL;
    while (*p && !isspace((uint8_t) *p) && !strchr(",[]{}", *p) && !(key && *p == '=')) {
        p++;
    }
    if (p == start) {
        return *p ? base_asprintf("%s: unexpected \"%c\" parsing %s", start, *p, key ? "key" : "value")
                  : base_asprintf("%s: unexpected end of input", start);
    }
    *out = base_strndup(start, p - start);
    *pos = p;
    return NULL;
}

static char *
parse_element(struct db_datum *d, const struct db_type *t, const char **pos, struct db_symtab *symtab)
{
    union db_atom key, value;
    char *word = NULL;
    char *error = element_token(pos, db_type_is_map(t), &word);
    error = error ? error : db_atom_parse_text(&key, &t->key, word, symtab);
    free(word);
    if (error || !db_type_is_map(t)) {
        if (!error) {
            db_datum_push(d, &key, NULL);
        }
        return error;
    }
    if (**pos != '=') {
        db_atom_destroy(&key, t->key.type);
        return base_asprintf("%s: syntax error at \"%c\" expecting \"=\"", *pos, **pos);
    }
    ++*pos;
    word = NULL;
    error = element_token(pos, false, &word);
    error = error ? error : db_atom_parse_text(&value, &t->value, word, symtab);
    free(word);
    if (error) {
        db_atom_destroy(&key, t->key.type);
        return error;
    }
    db_datum_push(d, &key, &value);
    return NULL;
}

static const char *
skip_blanks(const char *p)
{
    while (isspace((uint8_t) *p)) {
        p++;
    }
    return p;
}

static char *
parse_elements(struct db_datum *d, const struct db_type *t, const char *s, struct db_symtab *symtab)
{
    bool map = db_type_is_map(t);
    char close = 0;
    const char *p = skip_blanks(s);
    if (*p == (map ? '{' : '[')) {
        close = map ? '}' : ']';
        p = skip_blanks(p + 1);
    }
    while (*p && *p != close) {
        char *error = parse_element(d, t, &p, symtab);
        if (error) {
            return error;
        }
        const char *q = skip_blanks(p);
        if (*q == ',') {
            q = skip_blanks(q + 1);
        } else if (*q && *q != close && q == p) {
            return base_asprintf("%s: syntax error at \"%c\"", s, *q);
        }
        p = q;
    }
    if (close) {
        if (*p != close) {
            return base_asprintf("%s: missing \"%c\" at end of %s", s, close, map ? "map" : "set");
        }
        p = skip_blanks(p + 1);
        if (*p) {
            return base_asprintf("%s: trailing garbage after %s", s, map ? "map" : "set");
        }
    }
    return NULL;
}

char *
db_datum_parse_text(struct db_datum *d, const struct db_type *t, const char *s, struct db_symtab *symtab)
{
    db_datum_init_empty(d);
    if (db_type_is_scalar(t)) {
        union db_atom key;
        char *error = db_atom_parse_text(&key, &t->key, s, symtab);
        if (!error) {
            db_datum_push(d, &key, NULL);
        }
        return error;
    }
    char *error = parse_elements(d, t, s, symtab);
    if (!error && db_datum_sort(d, t)) {
        error = base_asprintf("%s: %s", s, db_type_is_map(t) ? "map contains duplicate key" : "set contains duplicate value");
    }
    if (!error && (d->n < t->n_min || d->n > t->n_max)) {
        const char *what = db_type_is_map(t) ? "pair(s)" : "value(s)";
        error = d->n > t->n_max ? base_asprintf("%s: more than %u %s but the maximum number is %u", s, d->n - 1, what,
                                                t->n_max)
                                : base_asprintf("%s: %u %s specified but the minimum number is %u", s, d->n, what,
                                                t->n_min);
    }
    if (error) {
        db_datum_destroy(d, t);
    }
    return error;
}
