// SPDX-License-Identifier: Apache-2.0
// Database schemas (RFC 7047 section 3.2): databases, tables, columns, indexes; JSON both ways.
#ifndef OVSDB_SCHEMA_H
#define OVSDB_SCHEMA_H 1

#include <jansson.h>

#include "lib/base/hmap.h"
#include "lib/base/util.h"
#include "ovsdb/data.h"

struct db_error;
struct str;

// Columns every table has, in front of its own.
enum { DB_COL_UUID, DB_COL_VERSION, DB_N_STD_COLS };

struct db_column_schema {
    struct hmap_node by_name; // in its table
    unsigned index;           // position in the table's columns[]
    char *name;
    bool mutable_;
    bool persistent; // not ephemeral
    struct db_type type;
};

struct db_index_schema {
    size_t n;
    struct db_column_schema **columns; // in the order of the schema
};

struct db_table_schema {
    struct hmap_node by_name; // in its schema
    unsigned index;           // position in the schema's tables[]
    char *name;
    struct db_column_schema **columns; // [n_columns]: _uuid, _version, then the rest sorted by name
    size_t n_columns;
    struct hmap columns_by_name;
    bool is_root;        // as effective: a schema without any root table has only root tables
    bool is_root_stated; // as written
    uint32_t max_rows;   // DB_UNLIMITED: none
    struct db_index_schema *indexes;
    size_t n_indexes;
};

struct db_schema {
    char *name, *version, *cksum; // version "" when absent
    struct db_table_schema **tables; // [n_tables] sorted by name
    size_t n_tables;
    struct hmap tables_by_name;
};

struct db_error *db_schema_from_json(const json_t *, struct db_schema **);
struct db_error *db_schema_from_file(const char *path, struct db_schema **);
struct db_error *db_schema_from_text(const char *text, struct db_schema **);
json_t *db_schema_to_json(const struct db_schema *);
struct db_schema *db_schema_clone(const struct db_schema *);
void db_schema_free(struct db_schema *);
bool db_schema_equals(const struct db_schema *, const struct db_schema *);
struct db_table_schema *db_schema_table(const struct db_schema *, const char *name);           // NULL: none
struct db_column_schema *db_table_schema_column(const struct db_table_schema *, const char *name); // NULL: none
bool db_version_is_valid(const char *); // x.y.z

#endif
