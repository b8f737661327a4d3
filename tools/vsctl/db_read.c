// SPDX-License-Identifier: Apache-2.0
// list, find, get, wait-until.
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/table.h"
#include "tools/vsctl/vsctl.h"

// Columns to print: those of --columns, else _uuid and all.
static size_t
chosen_columns(const struct vsctl_cmd *c, unsigned table, unsigned out[64])
{
    const struct vsctl_option *o = vsctl_option(c, "--columns");
    size_t n = 0;
    if (!o) {
        out[n++] = VSCTL_UUID_COLUMN;
        for (unsigned i = 0; i < idl_table_n_columns(table); i++) {
            out[n++] = idl_table_first_column(table) + i;
        }
        return n;
    }
    char *copy = base_strdup(o->arg), *save;
    for (char *p = strtok_r(copy, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
        if (n == 64) {
            vsctl_fatal("too many columns in \"%s\"", o->arg);
        }
        out[n++] = vsctl_column(table, p, true);
    }
    free(copy);
    if (!n) {
        vsctl_fatal("must specify at least one column name");
    }
    return n;
}

static void
want_columns(struct vsctl *v, const struct vsctl_cmd *c, unsigned table)
{
    unsigned columns[64];
    size_t n = chosen_columns(c, table, columns);
    for (size_t i = 0; i < n; i++) {
        if (columns[i] != VSCTL_UUID_COLUMN) {
            idl_want(v->idl, columns[i], IDL_READ);
        }
    }
}

static void
add_cell(struct table *t, const struct db_datum *d, const struct db_type *type)
{
    struct str s = STR_INIT;
    if (table_style.cell == TABLE_CELL_BARE) {
        db_datum_format_bare(d, type, &s);
    } else {
        db_datum_format_text(d, type, &s);
    }
    bool json = table_style.cell == TABLE_CELL_JSON || table_style.format == TABLE_JSON;
    table_add_cell(t, str_get(&s), json ? db_datum_to_json(d, type) : NULL);
    str_free(&s);
}

static void
add_row(struct table *t, const struct idl_row *row, const unsigned *columns, size_t n)
{
    table_add_row(t);
    for (size_t i = 0; i < n; i++) {
        if (columns[i] == VSCTL_UUID_COLUMN) {
            union db_atom a = {.uuid = row->uuid};
            struct db_datum d = {.n = 1, .keys = &a};
            struct db_type type;
            db_type_init(&type, DB_UUID);
            add_cell(t, &d, &type);
            db_type_destroy(&type);
        } else {
            add_cell(t, idl_row_datum(row, columns[i]), idl_column_type(columns[i]));
        }
    }
}

static void
start_table(struct vsctl_cmd *c, const unsigned *columns, size_t n)
{
    c->table = table_new();
    for (size_t i = 0; i < n; i++) {
        table_add_column(c->table, vsctl_column_name(columns[i]));
    }
}

static void
prepare_list(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    idl_want_table(v->idl, table);
    if (c->argc > 2) {
        vsctl_want_record(v, table);
    }
    want_columns(v, c, table);
}

static void
run_list(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]), columns[64];
    size_t n = chosen_columns(c, table, columns);
    start_table(c, columns, n);
    for (int i = 2; i < c->argc; i++) {
        const struct idl_row *row =
            vsctl_record(v, table, c->argv[i], !vsctl_has(c, "--if-exists"));
        if (row) {
            add_row(c->table, row, columns, n);
        }
    }
    for (const struct idl_row *r = c->argc == 2 ? idl_table_first(v->idl, table) : NULL; r;
         r = idl_table_next(r)) {
        add_row(c->table, r, columns, n);
    }
}

static void
prepare_find(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    idl_want_table(v->idl, table);
    want_columns(v, c, table);
    for (int i = 2; i < c->argc; i++) {
        vsctl_want_assign(v, table, c->argv[i], VSCTL_CONDITION);
    }
}

static bool
matches_all(struct vsctl *v, const struct idl_row *r, unsigned table, char **conditions, int n)
{
    for (int i = 0; i < n; i++) {
        if (!vsctl_matches(r, table, conditions[i], &v->symtab)) {
            return false;
        }
    }
    return true;
}

static void
run_find(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]), columns[64];
    size_t n = chosen_columns(c, table, columns);
    start_table(c, columns, n);
    for (const struct idl_row *r = idl_table_first(v->idl, table); r; r = idl_table_next(r)) {
        if (matches_all(v, r, table, c->argv + 2, c->argc - 2)) {
            add_row(c->table, r, columns, n);
        }
    }
}

static void
prepare_get(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    if (vsctl_has(c, "--id") && vsctl_has(c, "--if-exists")) {
        vsctl_fatal("--if-exists and --id may not be specified together");
    }
    vsctl_want_record(v, table);
    for (int i = 3; i < c->argc; i++) {
        if (!strncasecmp(c->argv[i], "_uuid:", 6)) {
            vsctl_column(table, "_uuid", false); // it has no keys: refused
        }
        vsctl_want_assign(v, table, c->argv[i], VSCTL_KEY_ONLY);
    }
}

static void
get_column(struct vsctl *v, struct vsctl_cmd *c, const struct idl_row *row, const char *arg)
{
    struct vsctl_assign a;
    unsigned table = idl_row_table(row);
    vsctl_assign_parse(table, arg, VSCTL_KEY_ONLY, &a);
    if (a.column == VSCTL_UUID_COLUMN) {
        union db_atom atom = {.uuid = row->uuid};
        db_atom_format_text(&atom, DB_UUID, &c->out);
    } else if (!a.key) {
        db_datum_format_text(idl_row_datum(row, a.column), idl_column_type(a.column), &c->out);
    } else {
        const struct db_type *type = idl_column_type(a.column);
        const struct db_datum *d = idl_row_datum(row, a.column);
        union db_atom key;
        if (!db_type_is_map(type)) {
            vsctl_fatal("cannot specify key to get for non-map column %s",
                        idl_column_name(a.column));
        }
        char *error = db_atom_parse_text(&key, &type->key, a.key, &v->symtab);
        if (error) {
            vsctl_fatal("%s", error);
        }
        int64_t at = db_datum_find(d, &key, type->key.type);
        db_atom_destroy(&key, type->key.type);
        if (at >= 0) {
            db_atom_format_text(&d->values[at], type->value.type, &c->out);
        } else if (!vsctl_has(c, "--if-exists")) {
            vsctl_fatal("no key \"%s\" in %s record \"%s\" column %s", a.key, idl_table_name(table),
                        c->argv[2], idl_column_name(a.column));
        }
    }
    str_add_char(&c->out, '\n');
    vsctl_assign_free(&a);
}

static void
run_get(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    const struct idl_row *row = vsctl_record(v, table, c->argv[2], !vsctl_has(c, "--if-exists"));
    const struct vsctl_option *id = vsctl_option(c, "--id");
    if (!row) {
        return;
    }
    if (id) {
        bool is_new;
        struct db_symbol *s = vsctl_symbol(v, id->arg, &is_new);
        if (!is_new) {
            vsctl_fatal("row id \"%s\" specified on \"get\" command was used before it was defined",
                        id->arg);
        }
        s->uuid = row->uuid;
        s->strong_ref = true; // the row is there already
    }
    for (int i = 3; i < c->argc; i++) {
        get_column(v, c, row, c->argv[i]);
    }
}

static void
prepare_wait(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    vsctl_want_record(v, table);
    for (int i = 3; i < c->argc; i++) {
        vsctl_want_assign(v, table, c->argv[i], VSCTL_CONDITION);
    }
}

static void
run_wait(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    const struct idl_row *row = vsctl_record(v, table, c->argv[2], false);
    if (!row || !matches_all(v, row, table, c->argv + 3, c->argc - 3)) {
        v->try_again = true;
    }
}

const struct vsctl_syntax vsctl_db_read_syntax[] = {
    {"list", "!TABLE *RECORD", 1, INT_MAX, "--if-exists --columns=", prepare_list, run_list, NULL},
    {"find", "!TABLE *COLUMN?:KEY=VALUE", 1, INT_MAX, "--columns=", prepare_find, run_find, NULL},
    {"get", "!TABLE !RECORD *COLUMN?:KEY", 2, INT_MAX, "--if-exists --id=", prepare_get, run_get,
     NULL},
    {"wait-until", "!TABLE !RECORD *COLUMN?:KEY=VALUE", 2, INT_MAX, "", prepare_wait, run_wait,
     NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
