// SPDX-License-Identifier: Apache-2.0
// The rows of columns.def as C data, without any dependency: for the build's generator (columns_gen.c) and for the
// client library's own tables (idl_meta.c).
#ifndef OVSDB_COLUMNS_H
#define OVSDB_COLUMNS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_col_type { DB_COLT_NONE, DB_COLT_INT, DB_COLT_BOOL, DB_COLT_STR, DB_COLT_REF };
enum db_col_flags { DB_COLF_EPHEMERAL = 1, DB_COLF_IMMUTABLE = 2 };

struct db_col_base {
    enum db_col_type type;
    bool has_min, has_max;    // INT: whether min, max are given
    int64_t min, max;         // INT
    const char *const *enums; // STR: NULL, or the allowed values, sorted, ended by NULL
    const char *ref;          // REF: id of the table
    bool weak;                // REF
};

struct db_col_def {
    const char *name;
    unsigned n_min, n_max; // elements; n_max 0: no limit
    struct db_col_base key, value; // value.type DB_COLT_NONE: not a map
    unsigned flags;                // enum db_col_flags
    const char *summary;           // one sentence for people
};

struct db_table_def {
    const char *id;   // "flow_table": the name in C
    const char *name; // "Flow_Table"
    bool root;
    unsigned max_rows; // 0: no limit
    const char *summary;
    const struct db_col_def *columns;
    size_t n_columns;
    const char *index[4]; // columns of the one unique index, ended by NULL; empty: none
};

#define DB_SCHEMA_NAME "Open_vSwitch"
#define DB_SCHEMA_VERSION "8.3.1"
// Tools tell schemas apart by this value; files made by the stock tools carry the same.
#define DB_SCHEMA_CKSUM "3012963480 26720"

extern const struct db_table_def db_table_defs[]; // in the order of columns.def
extern const size_t db_n_table_defs;

#endif
