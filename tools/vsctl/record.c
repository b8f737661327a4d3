// SPDX-License-Identifier: Apache-2.0
// Tables, columns and rows by the names people give them: unique abbreviations, any case, - for _;
// rows by uuid, by the first digits of it, or by what each table offers (`ids`).
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/log.h"
#include "tools/vsctl/vsctl.h"

// 0: no match; 1: abbreviation; 2: the same but for case and dashes; 3: the same.
static unsigned
score(const char *name, const char *abbrev)
{
    size_t i;
    if (!strcmp(name, abbrev)) {
        return 3;
    }
    for (i = 0; abbrev[i]; i++) {
        char a = (char) tolower((unsigned char) abbrev[i]),
             b = (char) tolower((unsigned char) name[i]);
        if (a != b && !(a == '-' && b == '_')) {
            return 0;
        }
    }
    return name[i] ? 1 : 2;
}

static int
compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

// "A, B, C" of the names, sorted; to free.
static char *
listed(const char **names, size_t n)
{
    struct str s = STR_INIT;
    qsort(names, n, sizeof *names, compare_strings);
    for (size_t i = 0; i < n; i++) {
        str_addf(&s, "%s%s", i ? ", " : "", names[i]);
    }
    return str_take(&s);
}

unsigned
vsctl_table(const char *name)
{
    const char *matches[IDL_N_TABLES];
    unsigned best = 0, best_score = 0;
    size_t n = 0;
    for (unsigned i = 0; i < IDL_N_TABLES; i++) {
        unsigned s = score(idl_table_name(i), name);
        if (s) {
            matches[n++] = idl_table_name(i);
        }
        if (s > best_score) {
            best = i;
            best_score = s;
        }
    }
    if (!n) {
        vsctl_fatal("unknown table \"%s\"", name);
    }
    if (best_score == 1 && n > 1) {
        vsctl_fatal("\"%s\" matches multiple table names: %s", name, listed(matches, n));
    }
    return best;
}

unsigned
vsctl_column(unsigned table, const char *name, bool allow_uuid)
{
    const char *matches[64];
    unsigned first = idl_table_first_column(table), best = 0, best_score = 0;
    size_t n = 0;
    if (allow_uuid && !strcasecmp(name, "_uuid")) {
        return VSCTL_UUID_COLUMN;
    }
    for (unsigned i = first; i < first + idl_table_n_columns(table); i++) {
        unsigned s = score(idl_column_name(i), name);
        if (s) {
            matches[n++] = idl_column_name(i);
        }
        if (s > best_score) {
            best = i;
            best_score = s;
        }
    }
    if (!n) {
        vsctl_fatal("%s does not contain a column whose name matches \"%s\"", idl_table_name(table),
                    name);
    }
    if (best_score == 1 && n > 1) {
        vsctl_fatal("%s contains more than one column whose name matches \"%s\": %s",
                    idl_table_name(table), name, listed(matches, n));
    }
    return best;
}

const char *
vsctl_column_name(unsigned column)
{
    return column == VSCTL_UUID_COLUMN ? "_uuid" : idl_column_name(column);
}

// Ways to name a row: by its own column; by the column of another table whose row has that name.
struct row_id {
    unsigned table;
    int name; // column with the name; -1: the only row is "."
    int via;  // column of the named row that refers to ours; -1: none
};

static const struct row_id ids[] = {
    {IDL_TABLE_AUTOATTACH, IDL_BRIDGE_NAME, IDL_BRIDGE_AUTO_ATTACH},
    {IDL_TABLE_BRIDGE, IDL_BRIDGE_NAME, -1},
    {IDL_TABLE_CONTROLLER, IDL_BRIDGE_NAME, IDL_BRIDGE_CONTROLLER},
    {IDL_TABLE_FLOW_SAMPLE_COLLECTOR_SET, IDL_FLOW_SAMPLE_COLLECTOR_SET_ID, -1},
    {IDL_TABLE_FLOW_TABLE, IDL_FLOW_TABLE_NAME, -1},
    {IDL_TABLE_IPFIX, IDL_BRIDGE_NAME, IDL_BRIDGE_IPFIX},
    {IDL_TABLE_INTERFACE, IDL_INTERFACE_NAME, -1},
    {IDL_TABLE_MANAGER, IDL_MANAGER_TARGET, -1},
    {IDL_TABLE_MIRROR, IDL_MIRROR_NAME, -1},
    {IDL_TABLE_NETFLOW, IDL_BRIDGE_NAME, IDL_BRIDGE_NETFLOW},
    {IDL_TABLE_OPEN_VSWITCH, -1, -1},
    {IDL_TABLE_PORT, IDL_PORT_NAME, -1},
    {IDL_TABLE_QOS, IDL_PORT_NAME, IDL_PORT_QOS},
    {IDL_TABLE_SSL, -1, -1},
    {IDL_TABLE_SFLOW, IDL_BRIDGE_NAME, IDL_BRIDGE_SFLOW},
};

static const struct row_id *
id_of(unsigned table)
{
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        if (ids[i].table == table) {
            return &ids[i];
        }
    }
    return NULL;
}

void
vsctl_want_record(struct vsctl *v, unsigned table)
{
    const struct row_id *id = id_of(table);
    idl_want_table(v->idl, table);
    if (id && id->name >= 0) {
        idl_want(v->idl, (unsigned) id->name, IDL_READ);
    }
    if (id && id->via >= 0) {
        idl_want(v->idl, (unsigned) id->via, IDL_READ);
    }
}

static bool
row_has_name(const struct idl_row *row, unsigned column, const char *name)
{
    const struct db_datum *d = idl_row_datum(row, column);
    if (!d || d->n != 1) {
        return false;
    }
    if (idl_column_type(column)->key.type == DB_STRING) {
        return !strcmp(d->keys[0].string->s, name);
    }
    struct str s = STR_INIT;
    db_atom_format_text(&d->keys[0], idl_column_type(column)->key.type, &s);
    bool same = !strcmp(str_get(&s), name);
    str_free(&s);
    return same;
}

static const struct idl_row *
named_row(struct vsctl *v, unsigned table, unsigned column, const char *name)
{
    const struct idl_row *found = NULL, *r;
    if (table == IDL_TABLE_BRIDGE || table == IDL_TABLE_PORT || table == IDL_TABLE_INTERFACE ||
        table == IDL_TABLE_MANAGER) {
        return idl_row_by_key(v->idl, table, name);
    }
    for (r = idl_table_first(v->idl, table); r; r = idl_table_next(r)) {
        if (row_has_name(r, column, name)) {
            if (found) {
                vsctl_fatal("multiple rows in %s match \"%s\"", idl_table_name(table), name);
            }
            found = r;
        }
    }
    return found;
}

static const struct idl_row *
by_name(struct vsctl *v, const struct row_id *id, const char *name)
{
    if (id->name < 0) {
        return !strcmp(name, ".") ? idl_table_first(v->idl, id->table) : NULL;
    }
    const struct idl_row *row =
        named_row(v, idl_column_table((unsigned) id->name), (unsigned) id->name, name);
    if (row && id->via >= 0) {
        const struct db_datum *d = idl_row_datum(row, (unsigned) id->via);
        return d && d->n == 1 ? idl_row_by_uuid(v->idl, id->table, &d->keys[0].uuid) : NULL;
    }
    return row;
}

static const struct idl_row *
by_prefix(struct vsctl *v, unsigned table, const char *name)
{
    const struct idl_row *found = NULL, *r = idl_table_first(v->idl, table);
    if (!strcmp(name, ".")) { // the only row
        return r && !idl_table_next(r) ? r : NULL;
    }
    size_t len = strlen(name);
    if (len < 4 || strspn(name, "0123456789abcdefABCDEF-") != len) {
        return NULL;
    }
    for (r = idl_table_first(v->idl, table); r; r = idl_table_next(r)) {
        char text[UUID_LEN + 1];
        uuid_format(&r->uuid, text);
        if (!strncasecmp(text, name, len)) {
            if (found) {
                vsctl_fatal("%s contains 2 or more rows whose UUIDs begin with %s: at least "
                            "%s",
                            idl_table_name(table), name, text);
            }
            found = r;
        }
    }
    return found;
}

const struct idl_row *
vsctl_record(struct vsctl *v, unsigned table, const char *name, bool must_exist)
{
    const struct row_id *id = id_of(table);
    const struct idl_row *row = NULL;
    struct uuid uuid;
    if (uuid_parse(name, &uuid)) {
        row = idl_row_by_uuid(v->idl, table, &uuid);
    }
    if (!row && id) {
        row = by_name(v, id, name);
    }
    if (!row) {
        row = by_prefix(v, table, name);
    }
    if (!row && must_exist) {
        vsctl_fatal("no row \"%s\" in table %s", name, idl_table_name(table));
    }
    return row;
}

struct db_symbol *
vsctl_symbol(struct vsctl *v, const char *name, bool *is_new)
{
    if (name[0] != '@') {
        vsctl_fatal("row id \"%s\" does not begin with \"@\"", name);
    }
    *is_new = !db_symtab_find(&v->symtab, name);
    struct db_symbol *s = db_symtab_intern(&v->symtab, name);
    if (s->created) {
        vsctl_fatal("row id \"%s\" may only be specified on one --id option", name);
    }
    s->created = true;
    return s;
}
