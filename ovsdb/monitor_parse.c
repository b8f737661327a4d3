// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "ovsdb/error.h"
#include "ovsdb/monitor_priv.h"
#include "ovsdb/parser.h"

static bool
selected(struct db_parser *p, const char *name, bool def)
{
    const json_t *j = db_parser_json(p, name, DB_P_BOOLEAN | DB_P_OPTIONAL);
    return j ? json_is_true(j) : def;
}

static struct db_error *
parse_select(const json_t *j, const char *table, unsigned *select)
{
    struct db_parser p;
    *select = DB_SEL_ALL;
    if (!j) {
        return NULL;
    }
    db_parser_init(&p, db_value_of(j), "table %s select", table);
    *select = (selected(&p, "initial", true) ? DB_SEL_INITIAL : 0) |
              (selected(&p, "insert", true) ? DB_SEL_INSERT : 0) |
              (selected(&p, "delete", true) ? DB_SEL_DELETE : 0) |
              (selected(&p, "modify", true) ? DB_SEL_MODIFY : 0);
    return db_parser_finish(&p);
}

static struct db_error *
add_column(struct db_view_table *vt, const struct db_column_schema *c, unsigned select,
           const json_t *names)
{
    for (size_t i = 0; i < vt->n_columns; i++) {
        if (vt->columns[i].column == c) {
            return db_error_syntax(names, NULL, "column %s mentioned more than once", c->name);
        }
    }
    vt->columns[vt->n_columns++] = (struct db_view_column){c, select};
    vt->select |= select;
    return NULL;
}

static struct db_error *
parse_columns(struct db_view_table *vt, const json_t *columns, unsigned select)
{
    const struct db_table_schema *t = vt->table->schema;
    if (!columns) {
        for (size_t i = 0; i < t->n_columns; i++) {
            if (i != DB_COL_UUID) {
                struct db_error *e = add_column(vt, t->columns[i], select, NULL);
                if (e) {
                    return e;
                }
            }
        }
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *name = json_string_value(json_array_get(columns, i));
        if (!name) {
            return db_error_syntax(columns, NULL, "array of column names expected");
        }
        const struct db_column_schema *c = db_table_schema_column(t, name);
        if (!c) {
            return db_error_syntax(columns, NULL, "%s is not a valid column name", name);
        }
        struct db_error *e = add_column(vt, c, select, columns);
        if (e) {
            return e;
        }
    }
    vt->select |= select; // a request without columns still tells of rows
    return NULL;
}

static struct db_error *
parse_where(struct db_view_table *vt, const json_t *where)
{
    struct db_condition cond;
    struct db_error *e = db_condition_from_json(&cond, vt->table->schema, where, NULL);
    if (e) {
        return e;
    }
    db_condition_destroy(&vt->condition);
    vt->condition = cond;
    vt->all_rows = db_condition_is_true(&cond);
    return NULL;
}

static struct db_error *
parse_request(struct db_view *v, struct db_view_table *vt, const json_t *j)
{
    struct db_parser p;
    db_parser_init(&p, db_value_of(j), "table %s", vt->table->schema->name);
    const json_t *where = v->version == DB_MONITOR_V1
                              ? NULL
                              : db_parser_json(&p, "where", DB_P_ARRAY | DB_P_OPTIONAL);
    const json_t *columns = db_parser_json(&p, "columns", DB_P_ARRAY | DB_P_OPTIONAL);
    const json_t *select_json = db_parser_json(&p, "select", DB_P_OBJECT | DB_P_OPTIONAL);
    unsigned select;
    struct db_error *e = db_parser_finish(&p);
    e = e ? e : parse_select(select_json, vt->table->schema->name, &select);
    e = e || !where ? e : parse_where(vt, where);
    return e ? e : parse_columns(vt, columns, select);
}

// One request, or an array of them.
static const json_t *
nth_request(const json_t *j, size_t i)
{
    return json_is_array(j) ? json_array_get(j, i) : i ? NULL : j;
}

static struct db_error *
find_table(struct db *db, const char *name, struct db_table **t)
{
    *t = db_table_find(db, name);
    return *t ? NULL : db_error_syntax(NULL, NULL, "no table named %s", name);
}

struct db_error *
db_view_parse(struct db_view *v, struct db *db, const json_t *requests)
{
    const char *name;
    json_t *list;
    v->tables = base_calloc(db->schema->n_tables + 1, sizeof *v->tables);
    if (!json_is_object(requests)) {
        return db_error_syntax(requests, NULL, "monitor-requests must be object");
    }
    json_object_foreach((json_t *) requests, name, list)
    {
        struct db_table *t;
        struct db_error *e = find_table(db, name, &t);
        if (e) {
            return e;
        }
        struct db_view_table *vt = &v->tables[t->schema->index];
        vt->table = t;
        vt->all_rows = true;
        size_t n = json_is_array(list) ? json_array_size(list) : 1;
        vt->columns = base_calloc(n * t->schema->n_columns + 1, sizeof *vt->columns);
        for (size_t i = 0; !e && i < n; i++) {
            // Each column may be named once, so what is written stays within one schema's width.
            e = parse_request(v, vt, nth_request(list, i));
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

static void
copy_table(struct db_view_table *dst, const struct db_view_table *src)
{
    *dst = *src;
    dst->columns = base_memdup(src->columns, (src->n_columns + 1) * sizeof *src->columns);
    json_t *where = db_condition_to_json(&src->condition);
    struct db_error *e = db_condition_from_json(&dst->condition, src->table->schema, where, NULL);
    json_decref(where);
    if (e) { // what we printed, we read
        abort();
    }
}

static struct db_error *
parse_change_request(struct db_view_table *vt, const json_t *j)
{
    struct db_parser p;
    db_parser_init(&p, db_value_of(j), "table %s", vt->table->schema->name);
    db_parser_json(&p, "columns", DB_P_ARRAY | DB_P_OPTIONAL);
    const json_t *where = db_parser_json(&p, "where", DB_P_ARRAY | DB_P_OPTIONAL);
    struct db_error *e = db_parser_finish(&p);
    return e || !where ? e : parse_where(vt, where);
}

struct db_error *
db_view_parse_change(struct db_view *v, const struct db_view *from, const json_t *requests)
{
    struct db *db = db_monitors_db(from->owner);
    const char *name;
    json_t *list;
    v->version = from->version;
    v->tables = base_calloc(db->schema->n_tables + 1, sizeof *v->tables);
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        if (from->tables[i].table) {
            copy_table(&v->tables[i], &from->tables[i]);
        }
    }
    if (!json_is_object(requests)) {
        return db_error_syntax(NULL, NULL, "monitor-cond-change-requests must be object");
    }
    json_object_foreach((json_t *) requests, name, list)
    {
        struct db_table *t;
        struct db_error *e = find_table(db, name, &t);
        if (!e && !v->tables[t->schema->index].table) {
            e = db_error_syntax(NULL, NULL, "no table named %s in monitor session", name);
        }
        size_t n = json_is_array(list) ? json_array_size(list) : 1;
        for (size_t i = 0; !e && i < n; i++) {
            e = parse_change_request(&v->tables[t->schema->index], nth_request(list, i));
        }
        if (e) {
            return e;
        }
    }
    return NULL;
}

static int
compare_columns(const void *a_, const void *b_)
{
    const struct db_view_column *a = a_, *b = b_;
    return a->column->index < b->column->index ? -1 : a->column->index > b->column->index;
}

void
db_view_make_key(struct db_view *v)
{
    struct str s = STR_INIT;
    struct db *db = db_monitors_db(v->owner);
    str_addf(&s, "%d", v->version);
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        struct db_view_table *vt = &v->tables[i];
        if (!vt->table) {
            continue;
        }
        qsort(vt->columns, vt->n_columns, sizeof *vt->columns, compare_columns);
        str_addf(&s, "|%zu.%u", i, vt->select);
        for (size_t k = 0; k < vt->n_columns; k++) {
            str_addf(&s, ",%u.%u", vt->columns[k].column->index, vt->columns[k].select);
        }
        json_t *where = db_condition_to_json(&vt->condition);
        db_json_write(where, &s);
        json_decref(where);
    }
    v->key = str_take(&s);
}

void
db_view_clear(struct db_view *v)
{
    struct db *db = db_monitors_db(v->owner);
    for (size_t i = 0; v->tables && i < db->schema->n_tables; i++) {
        db_condition_destroy(&v->tables[i].condition);
        free(v->tables[i].columns);
    }
    free(v->tables);
    free(v->key);
    str_free(&v->text);
}
