// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/columns.h"

#define ONE 1, 1
#define OPT 0, 1
#define SET 0, 0
#define SOME 1, 0
#define UPTO(n) 0, n
#define NONE                                                                                       \
    {                                                                                              \
        .type = DB_COLT_NONE                                                                       \
    }
#define INT                                                                                        \
    {                                                                                              \
        .type = DB_COLT_INT                                                                        \
    }
#define INT_MIN(a)                                                                                 \
    {                                                                                              \
        .type = DB_COLT_INT, .has_min = true, .min = (a)                                           \
    }
#define INT_RANGE(a, b)                                                                            \
    {                                                                                              \
        .type = DB_COLT_INT, .has_min = true, .min = (a), .has_max = true, .max = (b)              \
    }
#define BOOL                                                                                       \
    {                                                                                              \
        .type = DB_COLT_BOOL                                                                       \
    }
#define STR                                                                                        \
    {                                                                                              \
        .type = DB_COLT_STR                                                                        \
    }
#define ENUM(...)                                                                                  \
    {                                                                                              \
        .type = DB_COLT_STR, .enums = (const char *const[])                                        \
        {                                                                                          \
            __VA_ARGS__, NULL                                                                      \
        }                                                                                          \
    }
#define REF(table)                                                                                 \
    {                                                                                              \
        .type = DB_COLT_REF, .ref = #table                                                         \
    }
#define WEAK(table)                                                                                \
    {                                                                                              \
        .type = DB_COLT_REF, .ref = #table, .weak = true                                           \
    }
#define EPHEMERAL DB_COLF_EPHEMERAL
#define IMMUTABLE DB_COLF_IMMUTABLE

// First reading: one array of columns a table.
#define TABLE(id, name, root, max_rows, summary) static const struct db_col_def columns_##id[] = {
#define INDEX(id, ...)
#define COLUMN(id, name, arity, key, value, flags, summary)                                        \
    {#name, arity, key, value, flags, summary},
#define END(id)                                                                                    \
    }                                                                                              \
    ;
#include "ovsdb/columns.def"
#undef TABLE
#undef INDEX
#undef COLUMN
#undef END

// Second reading: the tables.
#define TABLE(id, name, root, max_rows, summary)                                                   \
    {                                                                                              \
#id, name, root, max_rows, summary,
#define INDEX(id, ...) .index = {__VA_ARGS__},
#define COLUMN(id, name, arity, key, value, flags, summary)
#define END(id)                                                                                    \
    .columns = columns_##id, .n_columns = sizeof columns_##id / sizeof columns_##id[0]             \
    }                                                                                              \
    ,
const struct db_table_def db_table_defs[] = {
#include "ovsdb/columns.def"
};
const size_t db_n_table_defs = sizeof db_table_defs / sizeof db_table_defs[0];
