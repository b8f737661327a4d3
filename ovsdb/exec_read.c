// SPDX-License-Identifier: Apache-2.0
// Operations that read: select and wait. Both deal with sets of rows seen through some of their
// columns, without duplicates.
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "ovsdb/condition.h"
#include "ovsdb/error.h"
#include "ovsdb/exec_priv.h"

// Columns by name; NULL: all. to free.
struct columns {
    const struct db_column_schema **list;
    size_t n;
    bool has_uuid;
};

static struct db_error *
columns_parse(struct columns *cs, const struct db_table_schema *t, struct db_value names)
{
    const bool all = db_value_is_none(names);
    const size_t n = all ? t->n_columns : db_value_size(names);
    struct db_value_iter it = db_value_elements(names);
    *cs = (struct columns){base_calloc(n + 1, sizeof *cs->list), 0, all};
    for (size_t i = 0; i < n; i++) {
        const struct db_column_schema *c = all ? t->columns[i] : NULL;
        if (!all) {
            const char *name = db_value_string(db_value_next(&it));
            if (!name) {
                return db_error_value(names, NULL, "array of distinct column names expected");
            }
            c = db_table_schema_column(t, name);
            if (!c) {
                return db_error_value(names, NULL, "%s is not a valid column name", name);
            }
            for (size_t k = 0; k < cs->n; k++) {
                if (cs->list[k] == c) {
                    return db_error_value(names, NULL, "array of distinct column names expected");
                }
            }
        }
        cs->has_uuid |= c->index == DB_COL_UUID;
        cs->list[cs->n++] = c;
    }
    return NULL;
}

static uint32_t
hash_row(const struct columns *cs, const struct db_datum data[])
{
    uint32_t h = 0;
    for (size_t i = 0; i < cs->n; i++) {
        h = db_datum_hash(&data[cs->list[i]->index], &cs->list[i]->type, h);
    }
    return h;
}

static bool
same_row(const struct columns *cs, const struct db_datum a[], const struct db_datum b[])
{
    for (size_t i = 0; i < cs->n; i++) {
        unsigned c = cs->list[i]->index;
        if (!db_datum_equals(&a[c], &b[c], &cs->list[i]->type)) {
            return false;
        }
    }
    return true;
}

// Distinct rows.
struct row_set {
    const struct columns *cs;
    struct hmap map; // struct member
};

struct member {
    struct hmap_node node;
    const struct db_datum *data;
    bool matched;
};

static struct member *
set_find(const struct row_set *s, const struct db_datum data[])
{
    struct member *m;
    HMAP_FOR_EACH_HASH(m, node, hash_row(s->cs, data), &s->map)
    {
        if (same_row(s->cs, m->data, data)) {
            return m;
        }
    }
    return NULL;
}

static bool
set_add(struct row_set *s, const struct db_datum data[])
{
    if (set_find(s, data)) {
        return false;
    }
    struct member *m = base_calloc(1, sizeof *m);
    m->data = data;
    hmap_insert(&s->map, &m->node, hash_row(s->cs, data));
    return true;
}

static void
set_destroy(struct row_set *s)
{
    struct member *m;
    HMAP_FOR_EACH_SAFE (m, node, &s->map) {
        free(m);
    }
    hmap_destroy(&s->map);
}

// --- select ---

struct selection {
    const struct columns *cs;
    struct row_set seen;
    struct str *out;
    bool any;
};

static bool
select_row(struct db_row *row, void *sel_)
{
    struct selection *sel = sel_;
    if (!sel->cs->has_uuid && !set_add(&sel->seen, row->data)) {
        return true;
    }
    str_add(sel->out, sel->any ? ",{" : "{");
    for (size_t i = 0; i < sel->cs->n; i++) {
        const struct db_column_schema *c = sel->cs->list[i];
        str_add(sel->out, i ? ",\"" : "\"");
        str_add(sel->out, c->name);
        str_add(sel->out, "\":");
        db_datum_write_json(&row->data[c->index], &c->type, sel->out);
    }
    str_add_char(sel->out, '}');
    sel->any = true;
    return true;
}

struct db_error *
db_op_select(struct db_op *op, struct str *out)
{
    struct db_table *table = db_op_table(op, "table");
    struct db_value where = db_parser_member(&op->parser, "where", DB_P_ARRAY);
    struct db_value list = db_parser_member(&op->parser, "columns", DB_P_ARRAY | DB_P_OPTIONAL);
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    struct db_condition cond = {NULL, 0};
    struct columns cs = {NULL, 0, false};
    e = db_condition_parse(&cond, table->schema, where, op->symtab);
    e = e ? e : columns_parse(&cs, table->schema, list);
    if (!e) {
        struct selection sel = {.cs = &cs, .seen = {.cs = &cs}, .out = out};
        hmap_init(&sel.seen.map);
        str_add(out, "{\"rows\":[");
        db_condition_each(&cond, table, select_row, &sel);
        str_add(out, "]}");
        set_destroy(&sel.seen);
    }
    free(cs.list);
    db_condition_destroy(&cond);
    return e;
}

// --- wait ---

struct wait_args {
    struct db_value timeout, where, columns, until, rows;
};

static bool
collect_row(struct db_row *row, void *set)
{
    set_add(set, row->data);
    return true;
}

// Rows given in the request: of columns that are asked for only, others default.
static struct db_error *
parse_rows(struct db_op *op, struct db_table *table, struct db_value rows, struct db_row **given)
{
    struct db_value_iter list = db_value_elements(rows);
    for (size_t i = 0; i < db_value_size(rows); i++) {
        struct db_value v = db_value_next(&list), value;
        struct db_value_iter it = db_value_members(v);
        const char *name;
        struct uuid zero = {{0}};
        if (!db_value_is(v, JSON_OBJECT)) {
            return db_error_value(v, NULL, "row must be JSON object");
        }
        struct db_row *row = given[i] = db_row_new(table, &zero);
        row->version.uuid = zero;
        while (db_value_next_member(&it, &name, &value)) {
            const struct db_column_schema *c = db_table_schema_column(table->schema, name);
            if (!c) {
                return db_error_value(v, "unknown column", "No column %s in table %s.", name,
                                      table->schema->name);
            }
            struct db_datum d;
            struct db_error *e = db_datum_from_value(&d, &c->type, value, op->symtab);
            if (e) {
                return e;
            }
            if (c->index < DB_N_STD_COLS) {
                row->data[c->index].keys[0] = d.keys[0];
            } else {
                db_datum_swap(&row->data[c->index], &d);
            }
            db_datum_destroy(&d, &c->type);
        }
    }
    return NULL;
}

// Same sets?
static bool
sets_equal(const struct row_set *a, const struct row_set *b)
{
    const struct member *m;
    if (hmap_count(&a->map) != hmap_count(&b->map)) {
        return false;
    }
    HMAP_FOR_EACH (m, node, &a->map) {
        if (!set_find(b, m->data)) {
            return false;
        }
    }
    return true;
}

static struct db_error *
not_yet(struct db_op *op, struct db_value timeout)
{
    int64_t limit = INT64_MAX;
    (void) db_value_as_integer(timeout, &limit);
    if (op->x->may_wait && op->x->elapsed_ms < limit) {
        op->x->waiting = true;
        op->x->timeout_ms = limit;
        return db_error_new("waiting", NULL);
    }
    if (limit == 0 || !op->x->may_wait) {
        return db_error_new("timed out", "\"where\" clause test failed");
    }
    return db_error_new("timed out", "\"wait\" timed out after %lld ms",
                        (long long) op->x->elapsed_ms);
}

struct db_error *
db_op_wait(struct db_op *op, struct str *out)
{
    struct wait_args a;
    a.timeout = db_parser_member(&op->parser, "timeout", DB_P_INTEGER | DB_P_OPTIONAL);
    a.where = db_parser_member(&op->parser, "where", DB_P_ARRAY);
    a.columns = db_parser_member(&op->parser, "columns", DB_P_ARRAY | DB_P_OPTIONAL);
    a.until = db_parser_member(&op->parser, "until", DB_P_STRING);
    a.rows = db_parser_member(&op->parser, "rows", DB_P_ARRAY);
    struct db_table *table = db_op_table(op, "table");
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    bool equal = !strcmp(db_value_string(a.until), "==");
    int64_t timeout;
    struct db_condition cond = {NULL, 0};
    struct columns cs = {NULL, 0, false};
    struct db_row **given = base_calloc(db_value_size(a.rows) + 1, sizeof *given);
    e = db_condition_parse(&cond, table->schema, a.where, op->symtab);
    e = e ? e : columns_parse(&cs, table->schema, a.columns);
    if (!e && db_value_as_integer(a.timeout, &timeout) && timeout < 0) {
        e = db_error_value(a.timeout, NULL, "timeout must be nonnegative");
    }
    if (!e && !equal && strcmp(db_value_string(a.until), "!=")) {
        e = db_error_value(a.until, NULL, "\"until\" must be \"==\" or \"!=\"");
    }
    e = e ? e : parse_rows(op, table, a.rows, given);
    if (!e) {
        struct row_set have = {.cs = &cs}, want = {.cs = &cs};
        hmap_init(&have.map);
        hmap_init(&want.map);
        db_condition_each(&cond, table, collect_row, &have);
        for (size_t i = 0; i < db_value_size(a.rows); i++) {
            set_add(&want, given[i]->data);
        }
        if (sets_equal(&have, &want) != equal) {
            e = not_yet(op, a.timeout);
        } else {
            str_add(out, "{}");
        }
        set_destroy(&have);
        set_destroy(&want);
    }
    for (size_t i = 0; i < db_value_size(a.rows); i++) {
        db_row_free(given[i]);
    }
    free(given);
    free(cs.list);
    db_condition_destroy(&cond);
    return e;
}
