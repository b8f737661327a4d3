// SPDX-License-Identifier: Apache-2.0
// Schemas: JSON both ways, references between tables resolved.
#include "ovsdb/schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "ovsdb/error.h"
#include "ovsdb/parser.h"

static void
column_free(struct db_column_schema *c)
{
    if (c) {
        free(c->name);
        db_type_destroy(&c->type);
        free(c);
    }
}

static void
table_free(struct db_table_schema *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        column_free(t->columns[i]);
    }
    for (size_t i = 0; i < t->n_indexes; i++) {
        free(t->indexes[i].columns);
    }
    hmap_destroy(&t->columns_by_name);
    free(t->columns);
    free(t->indexes);
    free(t->name);
    free(t);
}

void
db_schema_free(struct db_schema *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->n_tables; i++) {
        table_free(s->tables[i]);
    }
    hmap_destroy(&s->tables_by_name);
    free(s->tables);
    free(s->name);
    free(s->version);
    free(s->cksum);
    free(s);
}

struct db_table_schema *
db_schema_table(const struct db_schema *s, const char *name)
{
    struct db_table_schema *t;
    HMAP_FOR_EACH_HASH (t, by_name, hash_string(name, 0), &s->tables_by_name) {
        if (!strcmp(t->name, name)) {
            return t;
        }
    }
    return NULL;
}

struct db_column_schema *
db_table_schema_column(const struct db_table_schema *t, const char *name)
{
    struct db_column_schema *c;
    HMAP_FOR_EACH_HASH (c, by_name, hash_string(name, 0), &t->columns_by_name) {
        if (!strcmp(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

bool
db_version_is_valid(const char *s)
{
    for (int part = 0; part < 3; part++) {
        if (!isdigit((uint8_t) *s)) {
            return false;
        }
        while (isdigit((uint8_t) *s)) {
            s++;
        }
        if (part < 2 && *s++ != '.') {
            return false;
        }
    }
    return !*s;
}

static struct db_column_schema *
add_column(struct db_table_schema *t, const char *name)
{
    struct db_column_schema *c = base_calloc(1, sizeof *c);
    c->name = base_strdup(name);
    c->index = t->n_columns;
    c->mutable_ = c->persistent = true;
    db_type_init(&c->type, DB_UUID);
    t->columns[t->n_columns++] = c;
    hmap_insert(&t->columns_by_name, &c->by_name, hash_string(name, 0));
    return c;
}

static struct db_error *
parse_column(struct db_column_schema *c, const json_t *j)
{
    struct db_parser p;
    db_parser_init(&p, db_value_of(j), "schema for column %s", c->name);
    const json_t *mutable = db_parser_json(&p, "mutable", DB_P_BOOLEAN | DB_P_OPTIONAL);
    const json_t *ephemeral = db_parser_json(&p, "ephemeral", DB_P_BOOLEAN | DB_P_OPTIONAL);
    const json_t *type = db_parser_json(&p, "type", DB_P_STRING | DB_P_OBJECT);
    struct db_error *e = db_parser_finish(&p);
    e = e ? e : db_type_from_json(&c->type, type);
    if (e) {
        return e;
    }
    // Deleting a row edits the weak references to it, whatever the schema says.
    bool weak = db_base_is_weak_ref(&c->type.key) || db_base_is_weak_ref(&c->type.value);
    c->mutable_ = !mutable || json_is_true(mutable) || weak;
    c->persistent = !ephemeral || json_is_false(ephemeral);
    return NULL;
}

static struct db_error *
parse_index(struct db_table_schema *t, const json_t *j, const json_t *table_json)
{
    struct db_index_schema *x = &t->indexes[t->n_indexes];
    size_t n = json_array_size(j);
    *x = (struct db_index_schema) {0, base_calloc(n ? n : 1, sizeof *x->columns)};
    t->n_indexes++;
    if (!json_is_array(j)) {
        return db_error_syntax(j, NULL, "array of distinct column names expected");
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(j, i));
        if (!name) {
            return db_error_syntax(j, NULL, "array of distinct column names expected");
        }
        struct db_column_schema *c = db_table_schema_column(t, name);
        if (!c) {
            return db_error_syntax(j, NULL, "%s is not a valid column name", name);
        }
        for (size_t k = 0; k < i; k++) {
            if (x->columns[k] == c) {
                return db_error_syntax(j, NULL, "array of distinct column names expected");
            }
        }
        x->columns[x->n++] = c;
    }
    if (!n) {
        return db_error_syntax(table_json, NULL, "index must have at least one column");
    }
    for (size_t i = 0; i < n; i++) {
        if (!x->columns[i]->persistent) {
            return db_error_syntax(table_json, NULL, "ephemeral columns (such as %s) may not be indexed",
                                   x->columns[i]->name);
        }
    }
    return NULL;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

// Names of an object's members, sorted; to free.
static const char **
sorted_names(const json_t *j, size_t *n)
{
    const char **names = base_calloc(json_object_size(j) + 1, sizeof *names);
    const char *name;
    json_t *value;
    *n = 0;
    json_object_foreach ((json_t *) j, name, value) {
        names[(*n)++] = name;
    }
    qsort(names, *n, sizeof *names, compare_names);
    return names;
}

static struct db_error *
parse_columns(struct db_table_schema *t, const json_t *columns, const json_t *j)
{
    size_t n;
    const char **names = sorted_names(columns, &n);
    struct db_error *e = n ? NULL : db_error_syntax(j, NULL, "table must have at least one column");
    t->columns = base_calloc(n + DB_N_STD_COLS, sizeof *t->columns);
    add_column(t, "_uuid")->mutable_ = false;
    struct db_column_schema *version = add_column(t, "_version");
    version->mutable_ = version->persistent = false;
    for (size_t i = 0; !e && i < n; i++) {
        if (names[i][0] == '_') {
            e = db_error_syntax(j, NULL, "names beginning with \"_\" are reserved");
        } else if (!db_is_id(names[i])) {
            e = db_error_syntax(j, NULL, "name must be a valid id");
        } else {
            e = parse_column(add_column(t, names[i]), json_object_get(columns, names[i]));
        }
    }
    free(names);
    return e;
}

static struct db_error *
parse_table(struct db_table_schema *t, const json_t *j)
{
    struct db_parser p;
    db_parser_init(&p, db_value_of(j), "table schema for table %s", t->name);
    const json_t *columns = db_parser_json(&p, "columns", DB_P_OBJECT);
    const json_t *max_rows = db_parser_json(&p, "maxRows", DB_P_INTEGER | DB_P_OPTIONAL);
    const json_t *is_root = db_parser_json(&p, "isRoot", DB_P_BOOLEAN | DB_P_OPTIONAL);
    const json_t *indexes = db_parser_json(&p, "indexes", DB_P_ARRAY | DB_P_OPTIONAL);
    struct db_error *e = db_parser_finish(&p);
    if (e) {
        return e;
    }
    if (max_rows && json_integer_value(max_rows) <= 0) {
        return db_error_syntax(j, NULL, "maxRows must be at least 1");
    }
    t->max_rows = max_rows ? MIN(json_integer_value(max_rows), DB_UNLIMITED) : DB_UNLIMITED;
    t->is_root = t->is_root_stated = json_is_true(is_root);
    e = parse_columns(t, columns, j);
    t->indexes = base_calloc(json_array_size(indexes) + 1, sizeof *t->indexes);
    for (size_t i = 0; !e && i < json_array_size(indexes); i++) {
        e = parse_index(t, json_array_get(indexes, i), j);
    }
    return e;
}

static struct db_error *
resolve(struct db_schema *s, const struct db_column_schema *c, struct db_base *b, const char *which)
{
    if (b->ref_table) {
        b->ref = db_schema_table(s, b->ref_table);
        if (!b->ref) {
            return db_error_syntax(NULL, NULL, "column %s %s refers to undefined table %s", c->name, which,
                                   b->ref_table);
        }
    }
    return NULL;
}

static struct db_error *
resolve_all(struct db_schema *s)
{
    bool any_root = false;
    for (size_t i = 0; i < s->n_tables; i++) {
        struct db_table_schema *t = s->tables[i];
        any_root |= t->is_root_stated;
        for (size_t k = DB_N_STD_COLS; k < t->n_columns; k++) {
            struct db_column_schema *c = t->columns[k];
            struct db_error *e = resolve(s, c, &c->type.key, "key");
            e = e ? e : resolve(s, c, &c->type.value, "value");
            if (e) {
                return e;
            }
        }
    }
    for (size_t i = 0; i < s->n_tables; i++) {
        s->tables[i]->is_root |= !any_root;
    }
    return NULL;
}

static struct db_error *
parse_tables(struct db_schema *s, const json_t *tables, const json_t *j)
{
    size_t n;
    const char **names = sorted_names(tables, &n);
    struct db_error *e = NULL;
    s->tables = base_calloc(n + 1, sizeof *s->tables);
    for (size_t i = 0; !e && i < n; i++) {
        if (names[i][0] == '_') {
            e = db_error_syntax(j, NULL, "names beginning with \"_\" are reserved");
        } else if (!db_is_id(names[i])) {
            e = db_error_syntax(j, NULL, "name must be a valid id");
        } else {
            struct db_table_schema *t = base_calloc(1, sizeof *t);
            t->name = base_strdup(names[i]);
            t->index = s->n_tables;
            hmap_init(&t->columns_by_name);
            s->tables[s->n_tables++] = t;
            hmap_insert(&s->tables_by_name, &t->by_name, hash_string(t->name, 0));
            e = parse_table(t, json_object_get(tables, names[i]));
        }
    }
    free(names);
    return e ? e : resolve_all(s);
}

struct db_error *
db_schema_from_json(const json_t *j, struct db_schema **out)
{
    struct db_parser p;
    *out = NULL;
    db_parser_init(&p, db_value_of(j), "database schema");
    const json_t *name = db_parser_json(&p, "name", DB_P_ID);
    const json_t *version = db_parser_json(&p, "version", DB_P_STRING | DB_P_OPTIONAL);
    const json_t *cksum = db_parser_json(&p, "cksum", DB_P_STRING | DB_P_OPTIONAL);
    const json_t *tables = db_parser_json(&p, "tables", DB_P_OBJECT);
    struct db_error *e = db_parser_finish(&p);
    if (e) {
        return e;
    }
    if (version && !db_version_is_valid(json_string_value(version))) {
        return db_error_syntax(j, NULL, "schema version \"%s\" not in format x.y.z", json_string_value(version));
    }
    struct db_schema *s = base_calloc(1, sizeof *s);
    s->name = base_strdup(json_string_value(name));
    s->version = base_strdup(version ? json_string_value(version) : "");
    s->cksum = base_strdup(cksum ? json_string_value(cksum) : "");
    hmap_init(&s->tables_by_name);
    e = parse_tables(s, tables, j);
    if (e) {
        db_schema_free(s);
        return e;
    }
    *out = s;
    return NULL;
}

static struct db_error *
from_loaded(json_t *j, const json_error_t *je, const char *what, struct db_schema **out)
{
    *out = NULL;
    if (!j) {
        return db_error_new("failed to read schema", "%s could not be read as JSON (line %d, column %d: %s)", what, je->line,
                            je->column, je->text);
    }
    struct db_error *e = db_schema_from_json(j, out);
    json_decref(j);
    return e;
}

struct db_error *
db_schema_from_file(const char *path, struct db_schema **out)
{
    json_error_t je;
    *out = NULL;
    errno = 0;
    FILE *f = fopen(path, "r");
    if (!f) {
        // No code in front: this is about the command line.
        return db_error_new("failed to read schema",
                            "\"%s\" could not be read as JSON (error opening \"%s\": %s)", path, path,
                            base_strerror(errno));
    }
    char *what = base_asprintf("\"%s\"", path);
    struct db_error *e = from_loaded(json_loadf(f, 0, &je), &je, what, out);
    if (e && strcmp(e->code, "failed to read schema")) {
        e = db_error_wrap(e, "failed to parse \"%s\" as ovsdb schema", path);
    }
    free(what);
    fclose(f);
    return e;
}

struct db_error *
db_schema_from_text(const char *text, struct db_schema **out)
{
    json_error_t je;
    return from_loaded(json_loads(text, 0, &je), &je, "schema", out);
}

static json_t *
column_to_json(const struct db_column_schema *c)
{
    json_t *j = json_object();
    if (!c->mutable_) {
        json_object_set_new(j, "mutable", json_false());
    }
    if (!c->persistent) {
        json_object_set_new(j, "ephemeral", json_true());
    }
    json_object_set_new(j, "type", db_type_to_json(&c->type));
    return j;
}

static json_t *
table_to_json(const struct db_table_schema *t, bool tell_root)
{
    json_t *j = json_object(), *columns = json_object();
    for (size_t i = DB_N_STD_COLS; i < t->n_columns; i++) {
        json_object_set_new(columns, t->columns[i]->name, column_to_json(t->columns[i]));
    }
    json_object_set_new(j, "columns", columns);
    if (t->max_rows != DB_UNLIMITED) {
        json_object_set_new(j, "maxRows", json_integer(t->max_rows));
    }
    if (t->is_root_stated && tell_root) {
        json_object_set_new(j, "isRoot", json_true());
    }
    if (t->n_indexes) {
        json_t *indexes = json_array();
        for (size_t i = 0; i < t->n_indexes; i++) {
            json_t *x = json_array();
            for (size_t k = 0; k < t->indexes[i].n; k++) {
                json_array_append_new(x, json_string(t->indexes[i].columns[k]->name));
            }
            json_array_append_new(indexes, x);
        }
        json_object_set_new(j, "indexes", indexes);
    }
    return j;
}

json_t *
db_schema_to_json(const struct db_schema *s)
{
    json_t *j = json_object(), *tables = json_object();
    json_object_set_new(j, "name", json_string(s->name));
    if (s->version[0]) {
        json_object_set_new(j, "version", json_string(s->version));
    }
    if (s->cksum[0]) {
        json_object_set_new(j, "cksum", json_string(s->cksum));
    }
    // Where all are roots, it goes without saying.
    bool tell_root = false;
    for (size_t i = 0; i < s->n_tables; i++) {
        tell_root |= !s->tables[i]->is_root;
    }
    for (size_t i = 0; i < s->n_tables; i++) {
        json_object_set_new(tables, s->tables[i]->name, table_to_json(s->tables[i], tell_root));
    }
    json_object_set_new(j, "tables", tables);
    return j;
}

struct db_schema *
db_schema_clone(const struct db_schema *s)
{
    json_t *j = db_schema_to_json(s);
    struct db_schema *copy;
    struct db_error *e = db_schema_from_json(j, &copy);
    json_decref(j);
    if (e) { // what we printed, we read
        abort();
    }
    return copy;
}

bool
db_schema_equals(const struct db_schema *a, const struct db_schema *b)
{
    json_t *ja = db_schema_to_json(a), *jb = db_schema_to_json(b);
    bool equal = json_equal(ja, jb);
    json_decref(ja);
    json_decref(jb);
    return equal;
}
