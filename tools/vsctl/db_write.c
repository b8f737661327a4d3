// SPDX-License-Identifier: Apache-2.0
// set, add, remove, clear, create, destroy, comment.
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/vsctl.h"

LOG_MODULE(db_ctl_base);

static const struct idl_row *
record(struct vsctl *v, struct vsctl_cmd *c, unsigned table)
{
    return vsctl_record(v, table, c->argv[2], !vsctl_has(c, "--if-exists"));
}

static void
prepare_set(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    vsctl_want_record(v, table);
    for (int i = 3; i < c->argc; i++) {
        vsctl_want_assign(v, table, c->argv[i], VSCTL_VALUE);
    }
}

static void
run_set(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    const struct idl_row *row = record(v, c, table);
    for (int i = 3; row && i < c->argc; i++) {
        struct vsctl_assign a;
        vsctl_assign_parse(table, c->argv[i], VSCTL_VALUE, &a);
        vsctl_set(v, row, &a);
        vsctl_assign_free(&a);
    }
    v->fakes_known = false;
}

static void
prepare_column(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    vsctl_want_record(v, table);
    idl_want(v->idl, vsctl_column(table, c->argv[3], false), IDL_READ);
}

static void
run_add(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]), column = vsctl_column(table, c->argv[3], false);
    const struct db_type *type = idl_column_type(column);
    const struct idl_row *row = record(v, c, table);
    if (!row) {
        return;
    }
    vsctl_check_mutable(row, column);
    for (int i = 4; i < c->argc; i++) {
        struct db_type any;
        db_type_clone(&any, type);
        any.n_min = 1;
        any.n_max = DB_UNLIMITED;
        struct db_datum d = vsctl_parse_value(c->argv[i], &any, &v->symtab);
        db_type_destroy(&any);
        idl_row_insert_elements(row, column, &d, true);
    }
}

// Removes "key" whatever its value, or "key=value" when the column has it so.
static void
remove_from_map(struct vsctl *v, const struct idl_row *row, unsigned column, const char *text)
{
    const struct db_type *type = idl_column_type(column);
    const struct db_datum *have = idl_row_datum(row, column);
    struct db_datum keys, pairs;
    struct db_type pair_type;
    db_type_clone(&pair_type, type);
    pair_type.n_min = 1;
    pair_type.n_max = DB_UNLIMITED;
    db_datum_init_empty(&keys);
    char *error = db_datum_parse_text(&pairs, &pair_type, text, &v->symtab);
    if (error) {
        free(error);
        db_base_destroy(&pair_type.value);
        db_base_init(&pair_type.value, DB_VOID);
        keys = vsctl_parse_value(text, &pair_type, &v->symtab);
    } else {
        for (uint32_t i = 0; i < pairs.n; i++) {
            int64_t at = db_datum_find(have, &pairs.keys[i], type->key.type);
            if (at >= 0 && db_atom_equals(&have->values[at], &pairs.values[i], type->value.type)) {
                union db_atom key;
                db_atom_clone(&key, &pairs.keys[i], type->key.type);
                db_datum_push(&keys, &key, NULL);
            }
        }
        db_datum_destroy(&pairs, &pair_type);
    }
    db_type_destroy(&pair_type);
    idl_row_remove_elements(row, column, &keys);
}

static void
run_remove(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]), column = vsctl_column(table, c->argv[3], false);
    const struct db_type *type = idl_column_type(column);
    const struct idl_row *row = record(v, c, table);
    if (!row) {
        return;
    }
    vsctl_check_mutable(row, column);
    for (int i = 4; i < c->argc; i++) {
        if (db_type_is_map(type)) {
            remove_from_map(v, row, column, c->argv[i]);
            continue;
        }
        struct db_type any;
        db_type_clone(&any, type);
        any.n_min = 1;
        any.n_max = DB_UNLIMITED;
        struct db_datum d = vsctl_parse_value(c->argv[i], &any, &v->symtab);
        db_type_destroy(&any);
        idl_row_remove_elements(row, column, &d);
    }
}

static void
prepare_clear(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    vsctl_want_record(v, table);
    for (int i = 3; i < c->argc; i++) {
        idl_want(v->idl, vsctl_column(table, c->argv[i], false), IDL_READ);
    }
}

static void
run_clear(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    const struct idl_row *row = record(v, c, table);
    for (int i = 3; row && i < c->argc; i++) {
        unsigned column = vsctl_column(table, c->argv[i], false);
        vsctl_check_mutable(row, column);
        if (idl_column_type(column)->n_min > 0) {
            vsctl_fatal("\"clear\" operation cannot be applied to column %s of table %s, which is "
                        "not allowed to be empty",
                        idl_column_name(column), idl_table_name(table));
        }
        struct db_datum d;
        db_datum_init_empty(&d);
        idl_row_write(row, column, &d);
    }
    v->fakes_known = false;
}

static void
prepare_create(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    idl_want_table(v->idl, table);
    if (!vsctl_has(c, "--id") && !idl_table_is_root(table)) {
        LOG_WARN("applying \"create\" command to table %s without --id option will have no effect",
                 idl_table_name(table));
    }
    for (int i = 2; i < c->argc; i++) {
        vsctl_want_assign(v, table, c->argv[i], VSCTL_VALUE);
    }
}

static void
run_create(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    const struct vsctl_option *id = vsctl_option(c, "--id");
    const struct idl_row *row;
    struct uuid uuid;
    if (id && id->arg[0] != '@' && uuid_parse(id->arg, &uuid)) {
        row = idl_row_insert(v->txn, table, &uuid);
    } else if (id) {
        bool is_new;
        struct db_symbol *s = vsctl_symbol(v, id->arg, &is_new);
        if (idl_table_is_root(table)) {
            s->strong_ref = true; // stays without being referred to
        }
        row = idl_txn_insert_as(v->txn, table, &s->uuid);
    } else {
        row = idl_row_insert(v->txn, table, NULL);
    }
    for (int i = 2; i < c->argc; i++) {
        struct vsctl_assign a;
        vsctl_assign_parse(table, c->argv[i], VSCTL_VALUE, &a);
        vsctl_set(v, row, &a);
        vsctl_assign_free(&a);
    }
    c->created = row->uuid;
    str_addf(&c->out, "%08x\n", 0); // replaced when the server has told the uuid
    v->fakes_known = false;
}

static void
done_create(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct uuid *real = idl_txn_inserted(v->txn, &c->created);
    char text[UUID_LEN + 1];
    uuid_format(real ? real : &c->created, text);
    str_clear(&c->out);
    str_addf(&c->out, "%s\n", text);
}

static void
prepare_destroy(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    bool all = vsctl_has(c, "--all");
    if (all && c->argc > 2) {
        vsctl_fatal("--all and records argument should not be specified together");
    }
    if (all && vsctl_has(c, "--if-exists")) {
        vsctl_fatal("--all and --if-exists should not be specified together");
    }
    if (!all && c->argc == 2) {
        LOG_WARN("either --all or records argument should be specified");
    }
    vsctl_want_record(v, table);
}

static void
run_destroy(struct vsctl *v, struct vsctl_cmd *c)
{
    unsigned table = vsctl_table(c->argv[1]);
    if (vsctl_has(c, "--all")) {
        const struct idl_row *r, *next;
        for (r = idl_table_first(v->idl, table); r; r = next) {
            next = idl_table_next(r);
            idl_row_delete(r);
        }
        return;
    }
    for (int i = 2; i < c->argc; i++) {
        const struct idl_row *row =
            vsctl_record(v, table, c->argv[i], !vsctl_has(c, "--if-exists"));
        if (row) {
            idl_row_delete(row);
        }
    }
}

static void
nothing(struct vsctl *v, struct vsctl_cmd *c)
{
}

const struct vsctl_syntax vsctl_db_write_syntax[] = {
    {"set", "!TABLE !RECORD +COLUMN?:KEY=VALUE", 3, INT_MAX, "--if-exists", prepare_set, run_set,
     NULL},
    {"add", "!TABLE !RECORD !COLUMN +?KEY=VALUE", 4, INT_MAX, "--if-exists", prepare_column,
     run_add, NULL},
    {"remove", "!TABLE !RECORD !COLUMN +KEY|VALUE|KEY=VALUE", 4, INT_MAX, "--if-exists",
     prepare_column, run_remove, NULL},
    {"clear", "!TABLE !RECORD +COLUMN", 3, INT_MAX, "--if-exists", prepare_clear, run_clear, NULL},
    {"create", "!TABLE +COLUMN?:KEY=VALUE", 2, INT_MAX, "--id=", prepare_create, run_create,
     done_create},
    {"destroy", "!TABLE *RECORD", 1, INT_MAX, "--if-exists --all", prepare_destroy, run_destroy,
     NULL},
    {"comment", "*ARG", 0, INT_MAX, "", nothing, nothing, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
