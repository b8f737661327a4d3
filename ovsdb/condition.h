// SPDX-License-Identifier: Apache-2.0
// Conditions on rows (RFC 7047 section 5.1 <condition>, with the extensions of ovsdb-server(7):
// booleans, and order relations on optional numbers).
#ifndef OVSDB_CONDITION_H
#define OVSDB_CONDITION_H 1

#include "ovsdb/db.h"

struct db_error;

enum db_function {
    DB_F_LT,
    DB_F_LE,
    DB_F_EQ,
    DB_F_NE,
    DB_F_GE,
    DB_F_GT,
    DB_F_EXCLUDES,
    DB_F_INCLUDES,
    DB_F_TRUE,
    DB_F_FALSE
};

struct db_clause {
    enum db_function function;
    const struct db_column_schema *column; // NULL for TRUE, FALSE
    struct db_datum arg;
    struct db_type type; // of arg; shares constraints with the column
};

struct db_condition {
    struct db_clause *clauses;
    size_t n;
};

struct db_error *db_condition_parse(struct db_condition *, const struct db_table_schema *,
                                    struct db_value, struct db_symtab *);
struct db_error *db_condition_from_json(struct db_condition *, const struct db_table_schema *,
                                        const json_t *, struct db_symtab *);
void db_condition_destroy(struct db_condition *);
// For operations: all clauses hold (none: true). data: the row's values by column index.
bool db_condition_all(const struct db_condition *, const struct db_datum data[]);
// For monitors: some clause holds (none: true).
bool db_condition_any(const struct db_condition *, const struct db_datum data[]);
bool db_condition_is_true(
    const struct db_condition *); // holds for every row, as db_condition_any() sees it
json_t *db_condition_to_json(const struct db_condition *);

// Calls fn for each row that the condition (all clauses) holds for, using uuid or an index where it
// can; fn may delete or change the row it gets. Stops when fn returns false.
void db_condition_each(const struct db_condition *, struct db_table *,
                       bool (*fn)(struct db_row *, void *), void *aux);

#endif
