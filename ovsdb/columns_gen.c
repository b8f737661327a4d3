// SPDX-License-Identifier: Apache-2.0
// Program of the build: writes what is derived from columns.def.
//   columns_gen --schema   the schema file of the database, for ovsdb-tool create
//   columns_gen --page     ovs-vswitchd.conf.db(5) (columns_page.c)
//   columns_gen --header   idl_rows.h: column numbers, typed rows, accessors for the client library
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ovsdb/columns.h"
#include "ovsdb/columns_page.h"

enum shape { SHAPE_ONE, SHAPE_OPT, SHAPE_SET, SHAPE_MAP };

static enum shape
shape_of(const struct db_col_def *c)
{
    if (c->value.type != DB_COLT_NONE) {
        return SHAPE_MAP;
    }
    return c->n_max != 1 ? SHAPE_SET : c->n_min ? SHAPE_ONE : SHAPE_OPT;
}

static const char *
upper(const char *s, char out[64])
{
    size_t i;
    for (i = 0; s[i] && i < 63; i++) {
        out[i] = (char) toupper((unsigned char) s[i]);
    }
    out[i] = 0;
    return out;
}

// --- schema ---

static void
put_base(const struct db_col_base *b)
{
    static const char *const names[] = {"", "integer", "boolean", "string", "uuid"};
    bool bare = !b->has_min && !b->has_max && !b->enums && !b->ref;
    if (bare) {
        printf("\"%s\"", names[b->type]);
        return;
    }
    printf("{\"type\": \"%s\"", names[b->type]);
    if (b->has_min) {
        printf(", \"minInteger\": %" PRId64, b->min);
    }
    if (b->has_max) {
        printf(", \"maxInteger\": %" PRId64, b->max);
    }
    if (b->enums) {
        printf(", \"enum\": [\"set\", [");
        for (size_t i = 0; b->enums[i]; i++) {
            printf("%s\"%s\"", i ? ", " : "", b->enums[i]);
        }
        printf("]]");
    }
    if (b->ref) {
        for (size_t i = 0; i < db_n_table_defs; i++) {
            if (!strcmp(db_table_defs[i].id, b->ref)) {
                printf(", \"refTable\": \"%s\"", db_table_defs[i].name);
            }
        }
        printf("%s", b->weak ? ", \"refType\": \"weak\"" : "");
    }
    printf("}");
}

static void
put_column(const struct db_col_def *c)
{
    const struct db_col_base *k = &c->key;
    bool bare = !k->has_min && !k->has_max && !k->enums && !k->ref;
    printf("        \"%s\": {\"type\": ", c->name);
    if (shape_of(c) == SHAPE_ONE && bare) {
        put_base(k);
    } else {
        printf("{\"key\": ");
        put_base(k);
        if (c->value.type != DB_COLT_NONE) {
            printf(", \"value\": ");
            put_base(&c->value);
        }
        if (c->n_min != 1) {
            printf(", \"min\": %u", c->n_min);
        }
        if (!c->n_max) {
            printf(", \"max\": \"unlimited\"");
        } else if (c->n_max != 1) {
            printf(", \"max\": %u", c->n_max);
        }
        printf("}");
    }
    printf("%s%s}", c->flags & DB_COLF_EPHEMERAL ? ", \"ephemeral\": true" : "",
           c->flags & DB_COLF_IMMUTABLE ? ", \"mutable\": false" : "");
}

static void
put_schema(void)
{
    printf(
        "{\n  \"name\": \"%s\",\n  \"version\": \"%s\",\n  \"cksum\": \"%s\",\n  \"tables\": {\n",
        DB_SCHEMA_NAME, DB_SCHEMA_VERSION, DB_SCHEMA_CKSUM);
    for (size_t i = 0; i < db_n_table_defs; i++) {
        const struct db_table_def *t = &db_table_defs[i];
        printf("    \"%s\": {\n      \"columns\": {\n", t->name);
        for (size_t j = 0; j < t->n_columns; j++) {
            put_column(&t->columns[j]);
            printf("%s\n", j + 1 < t->n_columns ? "," : "");
        }
        printf("      }");
        if (t->root) {
            printf(",\n      \"isRoot\": true");
        }
        if (t->max_rows) {
            printf(",\n      \"maxRows\": %u", t->max_rows);
        }
        if (t->index[0]) {
            printf(",\n      \"indexes\": [[");
            for (size_t j = 0; t->index[j]; j++) {
                printf("%s\"%s\"", j ? ", " : "", t->index[j]);
            }
            printf("]]");
        }
        printf("\n    }%s\n", i + 1 < db_n_table_defs ? "," : "");
    }
    printf("  }\n}\n");
}

// --- header ---

// C type of one element as kept in arrays and passed as parameter.
static void
elem_type(const struct db_col_base *b, char out[96])
{
    switch (b->type) {
    case DB_COLT_INT:
        strcpy(out, "int64_t ");
        break;
    case DB_COLT_BOOL:
        strcpy(out, "bool ");
        break;
    case DB_COLT_REF:
        snprintf(out, 96, "const struct idl_%s *", b->ref);
        break;
    case DB_COLT_STR:
    case DB_COLT_NONE:
        strcpy(out, "const char *");
        break;
    }
}

static char
type_letter(const struct db_col_base *b)
{
    return " ibsr"[b->type];
}

// Name of a map's pair type: key and value letters, and the table of a reference:
// idl_pair_ir_queue.
static void
pair_type(const struct db_col_def *c, char out[96])
{
    bool ref = c->value.type == DB_COLT_REF;
    snprintf(out, 96, "struct idl_pair_%c%c%s%s ", type_letter(&c->key), type_letter(&c->value),
             ref ? "_" : "", ref ? c->value.ref : "");
}

static void
put_pair_types(void)
{
    char seen[32][96];
    size_t n_seen = 0;
    for (size_t i = 0; i < db_n_table_defs; i++) {
        for (size_t j = 0; j < db_table_defs[i].n_columns; j++) {
            const struct db_col_def *c = &db_table_defs[i].columns[j];
            if (shape_of(c) != SHAPE_MAP) {
                continue;
            }
            char name[96], k[96], v[96];
            pair_type(c, name);
            size_t s = 0;
            while (s < n_seen && strcmp(seen[s], name)) {
                s++;
            }
            if (s < n_seen || n_seen == 32) {
                continue;
            }
            strcpy(seen[n_seen++], name);
            elem_type(&c->key, k);
            elem_type(&c->value, v);
            printf("%s{\n    %skey;\n    %svalue;\n};\n", name, k, v);
        }
    }
}

static void
put_member(const struct db_col_def *c)
{
    char t[96];
    elem_type(&c->key, t);
    switch (shape_of(c)) {
    case SHAPE_ONE:
        printf("    %s%s; // %s\n", t, c->name, c->summary);
        break;
    case SHAPE_OPT:
        if (c->key.type == DB_COLT_INT || c->key.type == DB_COLT_BOOL) {
            printf("    const %s*%s; // NULL: unset. %s\n", t, c->name, c->summary);
        } else {
            printf("    %s%s; // NULL: unset. %s\n", t, c->name, c->summary);
        }
        break;
    case SHAPE_SET:
        printf("    size_t n_%s; // %s\n", c->name, c->summary);
        if (c->key.type == DB_COLT_INT) {
            printf("    const int64_t *%s;\n", c->name);
        } else {
            printf("    %sconst *%s;\n", t, c->name);
        }
        break;
    case SHAPE_MAP:
        pair_type(c, t);
        printf("    size_t n_%s; // %s\n    const %s*%s;\n", c->name, c->summary, t, c->name);
        break;
    }
}

static void
put_struct(const struct db_table_def *t)
{
    printf("\n// %s: %s\nstruct idl_%s {\n    struct idl_row row;\n", t->name, t->summary, t->id);
    for (size_t j = 0; j < t->n_columns; j++) {
        put_member(&t->columns[j]);
    }
    printf("};\n");
}

// Accessors that are the same for every table.
static const char table_text[] =
    "\n// --- @ ---\n"
    "#define IDL_%_FOR_EACH(r, idl)"
    " for ((r) = idl_@_first(idl); (r); (r) = idl_@_next(r))\n"
    "#define IDL_%_FOR_EACH_SAFE(r, nx, idl)"
    " for ((r) = idl_@_first(idl); (r) && ((nx) = idl_@_next(r), true); (r) = (nx))\n"
    "#define IDL_%_FOR_EACH_TRACKED(r, idl)"
    " for ((r) = idl_@_tracked_first(idl); (r); (r) = idl_@_tracked_next(r))\n"
    "static inline const struct idl_@ *\nidl_@_of(const struct idl_row *r)\n"
    "{\n    return (const struct idl_@ *) (const void *) r;\n}\n"
    "static inline const struct idl_@ *\nidl_@_first(struct idl *i)\n"
    "{\n    return idl_@_of(idl_table_first(i, IDL_TABLE_%));\n}\n"
    "static inline const struct idl_@ *\nidl_@_next(const struct idl_@ *r)\n"
    "{\n    return idl_@_of(idl_table_next(&r->row));\n}\n"
    "static inline const struct idl_@ *\nidl_@_tracked_first(struct idl *i)\n"
    "{\n    return idl_@_of(idl_tracked_first(i, IDL_TABLE_%));\n}\n"
    "static inline const struct idl_@ *\nidl_@_tracked_next(const struct idl_@ *r)\n"
    "{\n    return idl_@_of(idl_tracked_next(&r->row));\n}\n"
    "static inline const struct idl_@ *\nidl_@_by_uuid(struct idl *i, const struct uuid *u)\n"
    "{\n    return idl_@_of(idl_row_by_uuid(i, IDL_TABLE_%, u));\n}\n"
    "static inline const struct idl_@ *\nidl_@_insert(struct idl_txn *t)\n"
    "{\n    return idl_@_of(idl_row_insert(t, IDL_TABLE_%, NULL));\n}\n"
    "static inline void\nidl_@_delete(const struct idl_@ *r)\n"
    "{\n    idl_row_delete(&r->row);\n}\n";

static const char key_text[] =
    "static inline const struct idl_@ *\nidl_@_by_^(struct idl *i, const char *key)\n"
    "{\n    return idl_@_of(idl_row_by_key(i, IDL_TABLE_%, key));\n}\n";

// Writes text with @ = id of the table, % = the same in capitals, ^ = column, $ = column in
// capitals, ~ = C type.
static void
expand(const char *text, const char *id, const char *column, const char *type)
{
    char up[64];
    for (; *text; text++) {
        switch (*text) {
        case '@':
            printf("%s", id);
            break;
        case '%':
            printf("%s", upper(id, up));
            break;
        case '^':
            printf("%s", column);
            break;
        case '$':
            printf("%s", upper(column, up));
            break;
        case '~':
            printf("%s", type);
            break;
        default:
            putchar(*text);
        }
    }
}

#define SETTER_HEAD "static inline void\nidl_@_set_^(const struct idl_@ *r, "

static void
put_scalar_setter(const struct db_table_def *t, const struct db_col_def *c)
{
    bool opt = shape_of(c) == SHAPE_OPT;
    const char *text = "";
    switch (c->key.type) {
    case DB_COLT_INT:
        text = opt ? SETTER_HEAD
                   "const int64_t *v)\n{\n    idl_set_ints(&r->row, IDL_%_$, v, v ? 1 : 0);\n}\n"
                   : SETTER_HEAD "int64_t v)\n{\n    idl_set_ints(&r->row, IDL_%_$, &v, 1);\n}\n";
        break;
    case DB_COLT_BOOL:
        text = opt ? SETTER_HEAD "const bool *v)\n{\n    idl_set_bool(&r->row, IDL_%_$, v);\n}\n"
                   : SETTER_HEAD "bool v)\n{\n    idl_set_bool(&r->row, IDL_%_$, &v);\n}\n";
        break;
    case DB_COLT_STR:
        text = SETTER_HEAD
            "const char *v)\n{\n    idl_set_strings(&r->row, IDL_%_$, &v, v ? 1 : 0);\n}\n";
        break;
    case DB_COLT_REF:
        text = SETTER_HEAD
            "~v)\n{\n    idl_set_refs(&r->row, IDL_%_$, v ? &v : NULL, v ? 1 : 0);\n}\n";
        break;
    case DB_COLT_NONE:
        break;
    }
    char e[96];
    elem_type(&c->key, e);
    expand(text, t->id, c->name, e);
}

static void
put_set_setters(const struct db_table_def *t, const struct db_col_def *c)
{
    static const char ints[] = SETTER_HEAD
        "const int64_t *v, size_t n)\n{\n    idl_set_ints(&r->row, IDL_%_$, v, n);\n}\n";
    static const char strings[] = SETTER_HEAD
        "const char *const *v, size_t n)\n{\n    idl_set_strings(&r->row, IDL_%_$, v, n);\n}\n";
    static const char refs[] =
        SETTER_HEAD "~const *v, size_t n)\n{\n    idl_set_refs(&r->row, IDL_%_$, v, n);\n}\n"
                    "static inline void\nidl_@_^_add(const struct idl_@ *r, ~v)\n"
                    "{\n    idl_refs_add(&r->row, IDL_%_$, &v->row);\n}\n"
                    "static inline void\nidl_@_^_remove(const struct idl_@ *r, ~v)\n"
                    "{\n    idl_refs_remove(&r->row, IDL_%_$, &v->row);\n}\n";
    char e[96];
    elem_type(&c->key, e);
    expand(c->key.type == DB_COLT_INT   ? ints
           : c->key.type == DB_COLT_REF ? refs
                                        : strings,
           t->id, c->name, e);
}

static void
put_map_setters(const struct db_table_def *t, const struct db_col_def *c)
{
    char p[96];
    pair_type(c, p);
    expand(SETTER_HEAD "const ~*v, size_t n)\n{\n    idl_set_map(&r->row, IDL_%_$, v, n);\n}\n",
           t->id, c->name, p);
    if (c->key.type == DB_COLT_STR && c->value.type == DB_COLT_STR) {
        expand("// Value of the key, or NULL.\n"
               "static inline const char *\nidl_@_^_get(const struct idl_@ *r, const char *key)\n"
               "{\n    return idl_pairs_get(r->^, r->n_^, key);\n}\n"
               "static inline void\nidl_@_^_put(const struct idl_@ *r, const char *key, const char "
               "*value)\n"
               "{\n    idl_map_put(&r->row, IDL_%_$, key, value);\n}\n"
               "static inline void\nidl_@_^_del(const struct idl_@ *r, const char *key)\n"
               "{\n    idl_map_del(&r->row, IDL_%_$, key);\n}\n",
               t->id, c->name, p);
    }
}

static void
put_column_enum(void)
{
    char up[64], up2[64];
    printf("enum idl_table_id {\n");
    for (size_t i = 0; i < db_n_table_defs; i++) {
        printf("    IDL_TABLE_%s,\n", upper(db_table_defs[i].id, up));
    }
    printf("    IDL_N_TABLES\n};\n\nenum idl_column_id {\n");
    for (size_t i = 0; i < db_n_table_defs; i++) {
        const struct db_table_def *t = &db_table_defs[i];
        for (size_t j = 0; j < t->n_columns; j++) {
            printf("    IDL_%s_%s,\n", upper(t->id, up), upper(t->columns[j].name, up2));
        }
    }
    printf("    IDL_N_COLUMNS\n};\n\n");
}

static void
put_header(void)
{
    printf("// SPDX-License-Identifier: Apache-2.0\n"
           "// Made by columns_gen from columns.def: don't edit. Included by ovsdb/idl.h.\n"
           "#ifndef OVSDB_IDL_ROWS_H\n#define OVSDB_IDL_ROWS_H 1\n\n"
           "#include \"ovsdb/idl_core.h\"\n\n");
    put_column_enum();
    for (size_t i = 0; i < db_n_table_defs; i++) {
        printf("struct idl_%s;\n", db_table_defs[i].id);
    }
    printf("\n");
    put_pair_types();
    for (size_t i = 0; i < db_n_table_defs; i++) {
        put_struct(&db_table_defs[i]);
    }
    for (size_t i = 0; i < db_n_table_defs; i++) {
        const struct db_table_def *t = &db_table_defs[i];
        expand(table_text, t->id, "", "");
        if (t->index[0] && !t->index[1]) {
            expand(key_text, t->id, t->index[0], "");
        }
        for (size_t j = 0; j < t->n_columns; j++) {
            const struct db_col_def *c = &t->columns[j];
            enum shape shape = shape_of(c);
            if (shape == SHAPE_MAP) {
                put_map_setters(t, c);
            } else if (shape == SHAPE_SET) {
                put_set_setters(t, c);
            } else {
                put_scalar_setter(t, c);
            }
            expand("static inline void\nidl_@_verify_^(const struct idl_@ *r)\n"
                   "{\n    idl_verify(&r->row, IDL_%_$);\n}\n",
                   t->id, c->name, "");
        }
    }
    printf("\n#endif\n");
}

int
main(int argc, char *argv[])
{
    if (argc == 2 && !strcmp(argv[1], "--schema")) {
        put_schema();
    } else if (argc == 2 && !strcmp(argv[1], "--header")) {
        put_header();
    } else if (argc == 2 && !strcmp(argv[1], "--page")) {
        columns_page();
    } else {
        fprintf(stderr, "usage: columns_gen --schema | --header | --page\n");
        return 1;
    }
    return fflush(stdout) ? 1 : 0;
}
