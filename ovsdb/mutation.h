// SPDX-License-Identifier: Apache-2.0
// Mutations (RFC 7047 section 5.1 <mutation>).
#ifndef OVSDB_MUTATION_H
#define OVSDB_MUTATION_H 1

#include "ovsdb/db.h"

struct db_error;
struct db_txn;

struct db_mutation {
    const struct db_column_schema *column;
    int mutator; // index in the table of mutators
    struct db_datum arg;
    struct db_type type; // of arg; shares constraints with the column
};

struct db_mutations {
    struct db_mutation *list;
    size_t n;
};

struct db_error *db_mutations_parse(struct db_mutations *, const struct db_table_schema *,
                                    struct db_value, struct db_symtab *);
void db_mutations_destroy(struct db_mutations *);
struct db_error *db_mutations_run(const struct db_mutations *, struct db_txn *, struct db_row *);

#endif
