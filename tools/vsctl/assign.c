// SPDX-License-Identifier: Apache-2.0
// COLUMN[:KEY][OP VALUE]: parsed, applied to a row, compared with a row.
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/vsctl.h"

static const char *const operators[] = {"=",    "!=",  "<",   ">",    "<=",   ">=",   "{=}",
                                        "{!=}", "{<}", "{>}", "{<=}", "{>=}", "{in}", "{not-in}"};

#define TOKEN_ENDS ":=, []{}!<>"

// Longest operator that the text begins with, or -1.
static int
operator_at(const char *s, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        size_t len = strlen(operators[i]);
        if (!strncmp(s, operators[i], len) && (best < 0 || len > strlen(operators[best]))) {
            best = i;
        }
    }
    return best;
}

static void FB_NORETURN
no_operator(const char *arg, int n)
{
    struct str s = STR_INIT;
    for (int i = 0; i < n; i++) {
        str_addf(&s, "%s\"%s\"",
                 !i          ? ""
                 : i < n - 1 ? ", "
                 : n > 2     ? ", or "
                             : " or ",
                 operators[i]);
    }
    vsctl_fatal("%s: argument does not end in %s followed by a value.", arg, str_get(&s));
}

void
vsctl_assign_parse(unsigned table, const char *arg, enum vsctl_assign_form form,
                   struct vsctl_assign *a)
{
    const char *pos = arg;
    char *name, *error;
    int n_ops = form == VSCTL_CONDITION ? (int) ARRAY_SIZE(operators) : 1;
    memset(a, 0, sizeof *a);
    a->op = -1;
    if (!*pos || strchr(TOKEN_ENDS, *pos)) {
        vsctl_fatal("%s: missing column name", arg);
    }
    error = db_text_token(&pos, &name);
    if (error) {
        vsctl_fatal("%s", error);
    }
    a->column = vsctl_column(table, name, form == VSCTL_KEY_ONLY);
    free(name);
    if (*pos == ':') {
        pos++;
        error = NULL;
        if (!*pos || strchr(TOKEN_ENDS, *pos)) {
            a->key = base_strdup("");
        } else {
            error = db_text_token(&pos, &a->key);
        }
        if (error) {
            vsctl_fatal("%s", error);
        }
    }
    if (form == VSCTL_KEY_ONLY) {
        if (*pos) {
            vsctl_fatal("%s: trailing garbage \"%s\" in argument", arg, pos);
        }
        return;
    }
    a->op = operator_at(pos, n_ops);
    if (a->op < 0 || !pos[strlen(operators[a->op])]) {
        no_operator(arg, n_ops);
    }
    a->value = base_strdup(pos + strlen(operators[a->op]));
}

void
vsctl_assign_free(struct vsctl_assign *a)
{
    free(a->key);
    free(a->value);
}

void
vsctl_want_assign(struct vsctl *v, unsigned table, const char *arg, enum vsctl_assign_form form)
{
    struct vsctl_assign a;
    vsctl_assign_parse(table, arg, form, &a);
    if (a.column != VSCTL_UUID_COLUMN) {
        idl_want(v->idl, a.column, IDL_READ);
    }
    vsctl_assign_free(&a);
}

void
vsctl_check_mutable(const struct idl_row *row, unsigned column)
{
    // A row that this transaction makes may still be named.
    struct idl *idl = idl_row_idl(row);
    bool fresh = idl_txn_is_inserting(idl_open_txn(idl), row);
    if (!fresh && !idl_column_is_mutable(column)) {
        vsctl_fatal("cannot modify read-only column %s in table %s", idl_column_name(column),
                    idl_table_name(idl_row_table(row)));
    }
}

struct db_datum
vsctl_parse_value(const char *text, const struct db_type *type, struct db_symtab *symtab)
{
    struct db_datum d;
    char *error = db_datum_parse_text(&d, type, text, symtab);
    if (error) {
        vsctl_fatal("%s", error);
    }
    return d;
}

static void
parse_atom(union db_atom *atom, const struct db_base *base, const char *text,
           struct db_symtab *symtab)
{
    char *error = db_atom_parse_text(atom, base, text, symtab);
    if (error) {
        vsctl_fatal("%s", error);
    }
}

void
vsctl_set(struct vsctl *v, const struct idl_row *row, const struct vsctl_assign *a)
{
    const struct db_type *type = idl_column_type(a->column);
    vsctl_check_mutable(row, a->column);
    if (!a->key) {
        struct db_datum d = vsctl_parse_value(a->value, type, &v->symtab);
        idl_row_write(row, a->column, &d);
        return;
    }
    if (!db_type_is_map(type)) {
        vsctl_fatal("cannot specify key to set for non-map column %s", idl_column_name(a->column));
    }
    union db_atom key, value;
    struct db_datum d;
    parse_atom(&key, &type->key, a->key, &v->symtab);
    parse_atom(&value, &type->value, a->value, &v->symtab);
    db_datum_init_empty(&d);
    db_datum_push(&d, &key, &value);
    idl_row_insert_elements(row, a->column, &d, true);
}

// --- conditions ---

static bool
compare_order(int cmp, int op)
{
    switch (op) {
    case VSCTL_EQ:
        return cmp == 0;
    case VSCTL_NE:
        return cmp != 0;
    case VSCTL_LT:
        return cmp < 0;
    case VSCTL_GT:
        return cmp > 0;
    case VSCTL_LE:
        return cmp <= 0;
    default:
        return cmp >= 0;
    }
}

static bool
compare_sets(const struct db_datum *a, const struct db_datum *b, const struct db_type *type, int op)
{
    switch (op) {
    case VSCTL_SET_EQ:
        return db_datum_equals(a, b, type);
    case VSCTL_SET_NE:
        return !db_datum_equals(a, b, type);
    case VSCTL_SET_LT:
        return a->n < b->n && db_datum_includes_all(b, a, type);
    case VSCTL_SET_GT:
        return a->n > b->n && db_datum_includes_all(a, b, type);
    case VSCTL_SET_LE:
    case VSCTL_SET_IN:
        return db_datum_includes_all(b, a, type);
    case VSCTL_SET_GE:
        return db_datum_includes_all(a, b, type);
    case VSCTL_SET_NOT_IN:
        return db_datum_excludes_all(a, b, type);
    default:
        return compare_order(db_datum_compare(a, b, type), op);
    }
}

static bool
matches_key(const struct vsctl_assign *a, const struct db_datum *have, struct db_symtab *symtab)
{
    const struct db_type *type = idl_column_type(a->column);
    if (!db_type_is_map(type)) {
        vsctl_fatal("cannot specify key to check for non-map column %s",
                    idl_column_name(a->column));
    }
    union db_atom key;
    parse_atom(&key, &type->key, a->key, symtab);
    int64_t at = db_datum_find(have, &key, type->key.type);
    db_atom_destroy(&key, type->key.type);
    struct db_type value_type;
    db_type_clone(&value_type, type);
    db_base_destroy(&value_type.key);
    db_base_clone(&value_type.key, &type->value);
    db_base_destroy(&value_type.value);
    db_base_init(&value_type.value, DB_VOID);
    struct db_datum want = vsctl_parse_value(a->value, &value_type, symtab), found = {0};
    if (at >= 0) {
        found.n = 1;
        found.keys = &have->values[at];
    }
    bool ok =
        a->op >= VSCTL_SET_EQ
            ? compare_sets(&found, &want, &value_type, a->op)
            : at >= 0 && want.n == 1 &&
                  compare_order(db_atom_compare(&found.keys[0], &want.keys[0], value_type.key.type),
                                a->op);
    db_datum_destroy(&want, &value_type);
    db_type_destroy(&value_type);
    return ok;
}

bool
vsctl_matches(const struct idl_row *row, unsigned table, const char *condition,
              struct db_symtab *symtab)
{
    struct vsctl_assign a;
    vsctl_assign_parse(table, condition, VSCTL_CONDITION, &a);
    const struct db_datum *have = idl_row_datum(row, a.column);
    bool ok;
    if (a.key) {
        ok = matches_key(&a, have, symtab);
    } else {
        const struct db_type *type = idl_column_type(a.column);
        struct db_datum want = vsctl_parse_value(a.value, type, symtab);
        ok = compare_sets(have, &want, type, a.op);
        db_datum_destroy(&want, type);
    }
    vsctl_assign_free(&a);
    return ok;
}
