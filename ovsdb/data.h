// SPDX-License-Identifier: Apache-2.0
// Database values (RFC 7047 section 3.2, 5.1): atoms, types with their constraints, and data (sorted sets and maps of
// atoms), with their JSON form and the text form of ovs-vsctl(8).
//
// A datum with n_max 1 and n_min 1 is a scalar, n_min 0 an optional scalar, otherwise a set; with a value type, a map.
// Keys are sorted by db_atom_compare() and unique in every datum that a function here returns, unless it says otherwise.
#ifndef OVSDB_DATA_H
#define OVSDB_DATA_H 1

#include "lib/base/hmap.h"
#include "lib/base/util.h"
#include "lib/base/uuid.h"
#include "ovsdb/value.h"

struct db_error;
struct db_symtab;
struct str;

enum db_atomic { DB_VOID, DB_INTEGER, DB_REAL, DB_BOOLEAN, DB_STRING, DB_UUID, DB_N_ATOMIC };

// Shared immutable string.
struct db_string {
    uint32_t refs; // not atomic: one thread owns a database
    uint32_t len;  // bytes, without the NUL
    char s[];
};

union db_atom {
    int64_t integer;
    double real;
    bool boolean;
    struct db_string *string;
    struct uuid uuid;
};

struct db_datum {
    uint32_t n;
    uint32_t cap;           // of keys and values; 0: they are NULL, or shared: functions here copy before they change them
    union db_atom *keys;    // [n]
    union db_atom *values;  // [n]; NULL unless a map
};

#define DB_UNLIMITED UINT32_MAX

// An atom's type with its constraints.
struct db_base {
    enum db_atomic type;
    struct db_datum *enum_; // allowed values (a set), or NULL
    int64_t int_min, int_max;
    double real_min, real_max;  // -DBL_MAX, DBL_MAX: none
    uint32_t len_min, len_max;  // strings, in characters (UTF-8)
    char *ref_table;            // uuid: name of the table it refers to, or NULL
    bool ref_weak;
    struct db_table_schema *ref; // resolved by the schema; NULL until then
};

struct db_type {
    struct db_base key, value; // value.type DB_VOID: not a map
    uint32_t n_min, n_max;     // n_min is 0 or 1
};

static inline bool
db_type_is_map(const struct db_type *t)
{
    return t->value.type != DB_VOID;
}

static inline bool
db_type_is_scalar(const struct db_type *t)
{
    return t->value.type == DB_VOID && t->n_min == 1 && t->n_max == 1;
}

static inline bool
db_type_is_optional_scalar(const struct db_type *t)
{
    return t->value.type == DB_VOID && t->n_min == 0 && t->n_max == 1;
}

// A set of more than one possible element, or a map: the ones whose changes travel as differences.
static inline bool
db_type_is_composite(const struct db_type *t)
{
    return t->n_max > 1;
}

// Strings.
struct db_string *db_string_new(const char *s, size_t len);
static inline struct db_string *
db_string_ref(struct db_string *s)
{
    s->refs++;
    return s;
}
void db_string_unref(struct db_string *);

// Types.
const char *db_atomic_name(enum db_atomic);
bool db_atomic_from_name(const char *, enum db_atomic *);
void db_base_init(struct db_base *, enum db_atomic); // without constraints
void db_base_destroy(struct db_base *);
void db_base_clone(struct db_base *, const struct db_base *);
struct db_error *db_base_from_json(struct db_base *, const json_t *);
json_t *db_base_to_json(const struct db_base *);
bool db_base_has_constraints(const struct db_base *);
bool db_base_is_strong_ref(const struct db_base *);
bool db_base_is_weak_ref(const struct db_base *);
void db_type_init(struct db_type *, enum db_atomic key); // a scalar
void db_type_destroy(struct db_type *);
void db_type_clone(struct db_type *, const struct db_type *);
struct db_error *db_type_from_json(struct db_type *, const json_t *);
json_t *db_type_to_json(const struct db_type *);
// "set of up to 4 integers", "map of string-string pairs" … for people; to free.
char *db_type_english(const struct db_type *);

// Atoms. A union db_atom that holds a string owns one reference.
void db_atom_init_default(union db_atom *, enum db_atomic);
bool db_atom_is_default(const union db_atom *, enum db_atomic);
void db_atom_clone(union db_atom *, const union db_atom *, enum db_atomic);
void db_atom_destroy(union db_atom *, enum db_atomic);
int db_atom_compare(const union db_atom *, const union db_atom *, enum db_atomic);
uint32_t db_atom_hash(const union db_atom *, enum db_atomic, uint32_t seed);
static inline bool
db_atom_equals(const union db_atom *a, const union db_atom *b, enum db_atomic t)
{
    return db_atom_compare(a, b, t) == 0;
}
// symtab: resolves ["named-uuid", …]; NULL: they are errors. Checks the constraints of the base.
struct db_error *db_atom_from_value(union db_atom *, const struct db_base *, struct db_value,
                                    struct db_symtab *);
json_t *db_atom_to_json(const union db_atom *, enum db_atomic);
void db_atom_write_json(const union db_atom *, enum db_atomic, struct str *); // same as text
struct db_error *db_atom_check(const union db_atom *, const struct db_base *);
// Text forms. parse returns NULL or a sentence to free; "@name" is a symbol where symtab isn't NULL.
void db_atom_format_text(const union db_atom *, enum db_atomic, struct str *);
void db_atom_format_bare(const union db_atom *, enum db_atomic, struct str *);
char *db_atom_parse_text(union db_atom *, const struct db_base *, const char *, struct db_symtab *);

// Data.
void db_datum_init_empty(struct db_datum *);
void db_datum_init_default(struct db_datum *, const struct db_type *);
bool db_datum_is_default(const struct db_datum *, const struct db_type *);
void db_datum_clone(struct db_datum *, const struct db_datum *, const struct db_type *);
void db_datum_destroy(struct db_datum *, const struct db_type *);
void db_datum_own(struct db_datum *, const struct db_type *); // copies shared atoms, so that they may be written
void db_datum_swap(struct db_datum *, struct db_datum *);
bool db_datum_equals(const struct db_datum *, const struct db_datum *, const struct db_type *);
int db_datum_compare(const struct db_datum *, const struct db_datum *, const struct db_type *);
uint32_t db_datum_hash(const struct db_datum *, const struct db_type *, uint32_t seed);
// Index of the key, or -1. db_datum_seek() gives the place where it would be inserted.
int64_t db_datum_find(const struct db_datum *, const union db_atom *key, enum db_atomic);
uint32_t db_datum_seek(const struct db_datum *, const union db_atom *key, enum db_atomic, bool *found);
const struct db_string *db_datum_find_string(const struct db_datum *map, const char *key); // string-string map: its value or NULL
// Edits that keep the order. insert takes the atoms (value NULL: a set); false, and atoms destroyed, when the key exists.
bool db_datum_insert(struct db_datum *, const struct db_type *, union db_atom *key, union db_atom *value);
void db_datum_remove_at(struct db_datum *, const struct db_type *, uint32_t i);
// Building, from an empty one: add in any order (takes the atoms), then sort. db_datum_sort() drops the later ones of equal keys and returns how many.
void db_datum_push(struct db_datum *, union db_atom *key, union db_atom *value);
uint32_t db_datum_sort(struct db_datum *, const struct db_type *);
void db_datum_reserve(struct db_datum *, const struct db_type *, uint32_t n);
// a becomes a ∪ b (replace: b's values win for keys of both) or a ∖ b; true when a changed.
bool db_datum_union(struct db_datum *a, const struct db_datum *b, const struct db_type *, bool replace);
bool db_datum_subtract(struct db_datum *a, const struct db_type *, const struct db_datum *b, const struct db_type *b_type);
// a has all, or none, of the elements of b.
bool db_datum_includes_all(const struct db_datum *a, const struct db_datum *b, const struct db_type *);
bool db_datum_excludes_all(const struct db_datum *a, const struct db_datum *b, const struct db_type *);
// Convenience for one-element data of scalar columns.
void db_datum_set_integer(struct db_datum *, int64_t);
void db_datum_set_boolean(struct db_datum *, bool);
void db_datum_set_string(struct db_datum *, const char *);
void db_datum_set_uuid(struct db_datum *, const struct uuid *);

// JSON form (RFC 7047 section 5.1 <value>); constraints and number of elements are checked.
struct db_error *db_datum_from_value(struct db_datum *, const struct db_type *, struct db_value,
                                     struct db_symtab *);
struct db_error *db_datum_from_json(struct db_datum *, const struct db_type *, const json_t *, struct db_symtab *);
// As above without checking the number of elements (differences, mutation arguments).
struct db_error *db_datum_from_json_unsized(struct db_datum *, const struct db_type *, const json_t *, struct db_symtab *);
json_t *db_datum_to_json(const struct db_datum *, const struct db_type *);
void db_datum_write_json(const struct db_datum *, const struct db_type *, struct str *);
struct db_error *db_datum_check(const struct db_datum *, const struct db_type *);
// Text form: "a", [a, b], {k=v, k2=v2}; parse takes commas or spaces between elements, brackets optional.
void db_datum_format_text(const struct db_datum *, const struct db_type *, struct str *);
void db_datum_format_bare(const struct db_datum *, const struct db_type *, struct str *); // a b, k=v k2=v2
char *db_datum_parse_text(struct db_datum *, const struct db_type *, const char *, struct db_symtab *);
// Parses one "key" or "key=value" at *pos, leaving *pos behind it (value may be absent when the column is a map and
// want_value is NULL). For commands such as remove and "column:key".
char *db_text_token(const char **pos, char **out);

// Symbols: names of rows that don't exist yet (named-uuid, @name).
struct db_symbol {
    struct hmap_node by_name;
    char *name;
    struct uuid uuid;
    bool created;               // a row with this uuid is inserted
    bool strong_ref, weak_ref;  // some column refers to it
};

struct db_symtab {
    struct hmap symbols;
};

void db_symtab_init(struct db_symtab *);
void db_symtab_destroy(struct db_symtab *);
struct db_symbol *db_symtab_find(const struct db_symtab *, const char *name);
struct db_symbol *db_symtab_intern(struct db_symtab *, const char *name); // found, or made with a new uuid

// JSON text as the field writes it: object members sorted, no blanks; pretty: indented by 2.
void db_json_write(const json_t *, struct str *);
void db_json_write_pretty(const json_t *, struct str *);

#endif
