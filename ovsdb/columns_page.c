// SPDX-License-Identifier: Apache-2.0
// Of the build's generator: ovs-vswitchd.conf.db(5) from columns.def, with keys from
// column_keys.def.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ovsdb/columns.h"
#include "ovsdb/columns_page.h"

static const struct key {
    const char *table, *column, *key, *text;
} keys[] = {
#define KEY(TABLE, COLUMN, NAME, TEXT) {#TABLE, #COLUMN, NAME, TEXT},
#define STORED_TABLE(TABLE)
#define STORED(TABLE, COLUMN)
#include "ovsdb/column_keys.def"
#undef KEY
#undef STORED_TABLE
#undef STORED
};

static const struct stored {
    const char *table, *column; // column NULL: the whole table
} stored[] = {
#define KEY(TABLE, COLUMN, NAME, TEXT)
#define STORED_TABLE(TABLE) {#TABLE, NULL},
#define STORED(TABLE, COLUMN) {#TABLE, #COLUMN},
#include "ovsdb/column_keys.def"
#undef KEY
#undef STORED_TABLE
#undef STORED
};

static bool
is_stored(const char *table, const char *column)
{
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        const struct stored *s = &stored[i];
        if (!strcmp(s->table, table) &&
            (!s->column ? !column : column && !strcmp(s->column, column))) {
            return true;
        }
    }
    return false;
}

static void
put_text(const char *s)
{
    for (; *s; s++) {
        if (*s == '-') {
            fputs("\\-", stdout);
        } else if (*s == '\\') {
            fputs("\\e", stdout);
        } else {
            putchar(*s);
        }
    }
}

static const char *
table_name(const char *id)
{
    for (size_t i = 0; i < db_n_table_defs; i++) {
        if (!strcmp(db_table_defs[i].id, id)) {
            return db_table_defs[i].name;
        }
    }
    return id;
}

static void
put_base(const struct db_col_base *b)
{
    static const char *const names[] = {"", "integer", "boolean", "string", "reference"};
    if (b->ref) {
        printf("%sreference to %s", b->weak ? "weak " : "", table_name(b->ref));
        return;
    }
    if (b->enums) {
        for (size_t i = 0; b->enums[i]; i++) {
            printf("%s", !i ? "" : b->enums[i + 1] ? ", " : " or ");
            put_text(b->enums[i]);
        }
        return;
    }
    printf("%s", names[b->type]);
    if (b->has_min && b->has_max) {
        printf(" from %" PRId64 " to %" PRId64, b->min, b->max);
    } else if (b->has_min) {
        printf(" from %" PRId64, b->min);
    }
}

static void
put_type(const struct db_col_def *c)
{
    const bool map = c->value.type != DB_COLT_NONE;
    if (c->n_min == 0 && c->n_max == 1) {
        printf("optional ");
    } else if (c->n_max != 1) {
        printf("%s", map ? "map of " : "set of ");
        if (c->n_max) {
            printf("at most %u: ", c->n_max);
        } else if (c->n_min) {
            printf("at least %u: ", c->n_min);
        }
    }
    put_base(&c->key);
    if (map) {
        printf(" to ");
        put_base(&c->value);
    }
    printf("%s%s", c->flags & DB_COLF_EPHEMERAL ? "; not kept on disk" : "",
           c->flags & DB_COLF_IMMUTABLE ? "; set once, when the record is made" : "");
}

static void
put_column(const struct db_table_def *t, const struct db_col_def *c)
{
    printf(".TP\n\\fB%s\\fR: ", c->name);
    put_type(c);
    putchar('\n');
    put_text(c->summary);
    if (is_stored(t->id, c->name)) {
        printf("\n.B Not acted upon yet.");
    }
    putchar('\n');
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!strcmp(keys[i].table, t->id) && !strcmp(keys[i].column, c->name)) {
            printf(".RS\n.TP\n\\fB%s:", c->name);
            put_text(keys[i].key);
            printf("\\fR\n");
            put_text(keys[i].text);
            printf("\n.RE\n");
        }
    }
}

static const char head[] =
    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
    ".\\\" Made by ovsdb/columns_gen from columns.def and column_keys.def: don't edit.\n"
    ".TH ovs\\-vswitchd.conf.db 5 \"\" Flowerbed \"Flowerbed Manual\"\n"
    ".SH NAME\n"
    "ovs\\-vswitchd.conf.db \\- the database that configures ovs\\-vswitchd\n"
    ".SH DESCRIPTION\n"
    "The switch is configured by the records of the database\n"
    ".BR Open_vSwitch ,\n"
    "kept by\n"
    ".BR ovsdb\\-server (1)\n"
    "and changed by\n"
    ".BR ovs\\-vsctl (8)\n"
    "or any program that speaks the OVSDB protocol (RFC 7047).\n"
    ".BR ovs\\-vswitchd (8)\n"
    "follows each change and writes back what became of it. This is schema "
    "version " DB_SCHEMA_VERSION ": every table and column of\n"
    "Open vSwitch 3.1 is there, so that other programs find them. Those that this switch does not "
    "use yet are marked\n"
    ".BR \"not acted upon yet\" .\n"
    ".PP\n"
    "A record that nothing refers to is removed by the database, in all tables but those marked as "
    "roots.\n"
    ".SH TABLES\n";

void
columns_page(void)
{
    fputs(head, stdout);
    for (size_t i = 0; i < db_n_table_defs; i++) {
        const struct db_table_def *t = &db_table_defs[i];
        printf(".TP\n.B %s\n", t->name);
        put_text(t->summary);
        putchar('\n');
    }
    for (size_t i = 0; i < db_n_table_defs; i++) {
        const struct db_table_def *t = &db_table_defs[i];
        printf(".SH \"TABLE %s\"\n", t->name);
        put_text(t->summary);
        printf("%s\n", t->root ? " A root: records live without being referred to." : "");
        if (t->max_rows) {
            printf("At most %u record.\n", t->max_rows);
        }
        if (t->index[0]) {
            printf("No two records have the same\n");
            for (size_t j = 0; t->index[j]; j++) {
                printf("%s.B %s\n", j ? "and\n" : "", t->index[j]);
            }
            printf(".br\n");
        }
        if (is_stored(t->id, NULL)) {
            printf(".B Not acted upon yet.\n");
        }
        for (size_t j = 0; j < t->n_columns; j++) {
            put_column(t, &t->columns[j]);
        }
    }
    printf(".SH \"SEE ALSO\"\n.BR ovs\\-vsctl (8),\n.BR ovs\\-vswitchd (8),\n.BR ovsdb\\-server "
           "(1)\n");
}
