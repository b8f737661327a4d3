// SPDX-License-Identifier: Apache-2.0
// Single values.
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "ovsdb/data.h"
#include "ovsdb/data_priv.h"
#include "ovsdb/error.h"
#include "ovsdb/parser.h"

struct db_string *
db_string_new(const char *s, size_t len)
{
    struct db_string *d = base_malloc(sizeof *d + len + 1);
    d->refs = 1;
    d->len = len;
    memcpy(d->s, s, len);
    d->s[len] = '\0';
    return d;
}

void
db_string_unref(struct db_string *s)
{
    if (!--s->refs) {
        free(s);
    }
}

// Default values of strings share one object.
static struct db_string *
empty_string(void)
{
    static _Thread_local struct db_string *empty;
    if (!empty) {
        empty = db_string_new("", 0);
    }
    return db_string_ref(empty);
}

void
db_atom_init_default(union db_atom *a, enum db_atomic t)
{
    memset(a, 0, sizeof *a);
    if (t == DB_STRING) {
        a->string = empty_string();
    }
}

bool
db_atom_is_default(const union db_atom *a, enum db_atomic t)
{
    switch (t) {
    case DB_INTEGER:
        return a->integer == 0;
    case DB_REAL:
        return a->real == 0;
    case DB_BOOLEAN:
        return !a->boolean;
    case DB_STRING:
        return a->string->len == 0;
    case DB_UUID:
        return uuid_is_zero(&a->uuid);
    default:
        return true;
    }
}

void
db_atom_clone(union db_atom *dst, const union db_atom *src, enum db_atomic t)
{
    *dst = *src;
    if (t == DB_STRING) {
        db_string_ref(dst->string);
    }
}

void
db_atom_destroy(union db_atom *a, enum db_atomic t)
{
    if (t == DB_STRING) {
        db_string_unref(a->string);
    }
}

static int
compare_strings(const struct db_string *a, const struct db_string *b)
{
    if (a == b) {
        return 0;
    }
    int cmp = memcmp(a->s, b->s, MIN(a->len, b->len));
    return cmp ? cmp : a->len < b->len ? -1 : a->len > b->len;
}

int
db_atom_compare(const union db_atom *a, const union db_atom *b, enum db_atomic t)
{
    switch (t) {
    case DB_INTEGER:
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    case DB_REAL:
        return a->real < b->real ? -1 : a->real > b->real;
    case DB_BOOLEAN:
        return a->boolean - b->boolean;
    case DB_STRING:
        return compare_strings(a->string, b->string);
    case DB_UUID:
        return uuid_compare(&a->uuid, &b->uuid);
    default:
        return 0;
    }
}

uint32_t
db_atom_hash(const union db_atom *a, enum db_atomic t, uint32_t seed)
{
    switch (t) {
    case DB_INTEGER:
        return hash_u64(a->integer, seed);
    case DB_REAL: {
        double d = a->real == 0 ? 0 : a->real; // -0 equals 0
        uint64_t w;
        memcpy(&w, &d, sizeof w);
        return hash_u64(w, seed);
    }
    case DB_BOOLEAN:
        return hash_u64(a->boolean, seed);
    case DB_STRING:
        return hash_bytes(a->string->s, a->string->len, seed);
    case DB_UUID:
        return hash_u64((uint64_t) a->uuid.w[0] << 32 | a->uuid.w[3], seed);
    default:
        return seed;
    }
}

uint32_t
db_utf8_length(const char *s, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++) {
        n += ((uint8_t) s[i] & 0xc0) != 0x80;
    }
    return n;
}

static struct db_error *
check_enum(const union db_atom *a, const struct db_base *b)
{
    if (db_datum_find(b->enum_, a, b->type) >= 0) {
        return NULL;
    }
    struct str v = STR_INIT, all = STR_INIT;
    struct db_type t;
    db_type_init(&t, b->type);
    t.n_max = DB_UNLIMITED;
    db_atom_format_text(a, b->type, &v);
    db_datum_format_text(b->enum_, &t, &all);
    struct db_error *e
        = db_error_new("constraint violation", "%s is not one of the allowed values (%s)", str_get(&v), str_get(&all));
    str_free(&v);
    str_free(&all);
    return e;
}

static struct db_error *
check_length(const union db_atom *a, const struct db_base *b)
{
    if (!b->len_min && a->string->len <= b->len_max) {
        return NULL;
    }
    uint32_t n = db_utf8_length(a->string->s, a->string->len);
    if (n < b->len_min) {
        return db_error_new("constraint violation", "\"%s\" length %u is less than minimum allowed length %u",
                            a->string->s, n, b->len_min);
    }
    if (n > b->len_max) {
        return db_error_new("constraint violation", "\"%s\" length %u is greater than maximum allowed length %u",
                            a->string->s, n, b->len_max);
    }
    return NULL;
}

// `v` is below or above; `lo` and `hi` are texts, NULL where there is no bound.
static struct db_error *
range_error(const char *v, const char *lo, const char *hi)
{
    static const char code[] = "constraint violation";
    if (lo && hi) {
        return db_error_new(code, "%s is not in the valid range %s to %s (inclusive)", v, lo, hi);
    } else if (lo) {
        return db_error_new(code, "%s is less than minimum allowed value %s", v, lo);
    }
    return db_error_new(code, "%s is greater than maximum allowed value %s", v, hi);
}

struct db_error *
db_atom_check(const union db_atom *a, const struct db_base *b)
{
    if (b->enum_) {
        return check_enum(a, b);
    }
    char v[64], lo[64], hi[64];
    switch (b->type) {
    case DB_INTEGER:
        if (a->integer >= b->int_min && a->integer <= b->int_max) {
            return NULL;
        }
        snprintf(v, sizeof v, "%" PRId64, a->integer);
        snprintf(lo, sizeof lo, "%" PRId64, b->int_min);
        snprintf(hi, sizeof hi, "%" PRId64, b->int_max);
        return range_error(v, b->int_min != INT64_MIN ? lo : NULL, b->int_max != INT64_MAX ? hi : NULL);
    case DB_REAL:
        if (a->real >= b->real_min && a->real <= b->real_max) {
            return NULL;
        }
        snprintf(v, sizeof v, "%.15g", a->real);
        snprintf(lo, sizeof lo, "%.15g", b->real_min);
        snprintf(hi, sizeof hi, "%.15g", b->real_max);
        return range_error(v, b->real_min > -1.7e308 ? lo : NULL, b->real_max < 1.7e308 ? hi : NULL);
    case DB_STRING:
        return check_length(a, b);
    default:
        return NULL;
    }
}

static struct db_error *
uuid_from_value(struct uuid *u, const struct db_base *b, struct db_value v,
                struct db_symtab *symtab)
{
    const char *tag = db_value_string(db_value_at(v, 0));
    const char *value = db_value_string(db_value_at(v, 1));
    if (!tag || !value || db_value_size(v) != 2) {
        return db_error_value(v, NULL, "expected [\"uuid\", <string>]");
    }
    if (!strcmp(tag, "uuid")) {
        return uuid_parse(value, u) ? NULL
                                    : db_error_value(v, NULL, "\"%s\" is not a valid UUID", value);
    }
    if (strcmp(tag, "named-uuid") || !symtab) {
        return db_error_value(v, NULL, "expected [\"uuid\", <string>]");
    }
    if (!db_is_id(value)) {
        return db_error_value(v, NULL, "named-uuid string is not a valid <id>");
    }
    struct db_symbol *s = db_symtab_intern(symtab, value);
    s->strong_ref |= db_base_is_strong_ref(b);
    s->weak_ref |= db_base_is_weak_ref(b);
    *u = s->uuid;
    return NULL;
}

struct db_error *
db_atom_from_value(union db_atom *a, const struct db_base *b, struct db_value v,
                   struct db_symtab *symtab)
{
    memset(a, 0, sizeof *a);
    struct db_error *e = NULL;
    bool ok = false;
    switch (b->type) {
    case DB_INTEGER:
        ok = db_value_as_integer(v, &a->integer);
        break;
    case DB_REAL:
        ok = db_value_is(v, JSON_REAL) || db_value_is(v, JSON_INTEGER);
        a->real = db_value_number(v);
        break;
    case DB_BOOLEAN:
        ok = db_value_is_boolean(v);
        a->boolean = db_value_is(v, JSON_TRUE);
        break;
    case DB_STRING:
        ok = db_value_is(v, JSON_STRING);
        if (ok) {
            a->string = db_string_new(db_value_string(v), db_value_length(v));
        }
        break;
    case DB_UUID:
        return uuid_from_value(&a->uuid, b, v, symtab);
    default:
        break;
    }
    if (!ok) {
        return db_error_value(v, NULL, "expected %s", db_atomic_name(b->type));
    }
    e = db_atom_check(a, b);
    if (e) {
        db_atom_destroy(a, b->type);
    }
    return e;
}

json_t *
db_atom_to_json(const union db_atom *a, enum db_atomic t)
{
    switch (t) {
    case DB_INTEGER:
        return json_integer(a->integer);
    case DB_REAL:
        return a->real == 0 ? json_integer(0) : json_real(a->real);
    case DB_BOOLEAN:
        return json_boolean(a->boolean);
    case DB_STRING:
        return json_stringn_nocheck(a->string->s, a->string->len);
    case DB_UUID: {
        char u[UUID_LEN + 1];
        uuid_format(&a->uuid, u);
        return json_pack("[ss]", "uuid", u);
    }
    default:
        return json_null();
    }
}

void
db_atom_write_json(const union db_atom *a, enum db_atomic t, struct str *out)
{
    switch (t) {
    case DB_INTEGER:
        str_add_int(out, a->integer);
        break;
    case DB_REAL:
        str_add_real(out, a->real);
        break;
    case DB_BOOLEAN:
        str_add(out, a->boolean ? "true" : "false");
        break;
    case DB_STRING:
        str_add_json(out, a->string->s, a->string->len);
        break;
    case DB_UUID: {
        char buf[9 + UUID_LEN + 3] = "[\"uuid\",\"";
        uuid_format(&a->uuid, buf + 9);
        buf[9 + UUID_LEN] = '"';
        buf[9 + UUID_LEN + 1] = ']';
        str_add_n(out, buf, 9 + UUID_LEN + 2);
        break;
    }
    default:
        str_add(out, "null");
        break;
    }
}
