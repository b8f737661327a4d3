// SPDX-License-Identifier: Apache-2.0
// What the files of the operations share, and nobody else sees.
#ifndef OVSDB_EXEC_PRIV_H
#define OVSDB_EXEC_PRIV_H 1

#include "ovsdb/exec.h"
#include "ovsdb/parser.h"
#include "ovsdb/txn.h"

// One operation while it runs.
struct db_op {
    struct db_exec *x;
    struct db_txn *txn;
    struct db_symtab *symtab;
    struct db_parser parser;
    bool finished;        // the parser
    size_t number, total; // of the operation in the request, from 1
};

struct db_table *db_op_table(struct db_op *, const char *member);
// Ends parsing: the first error, or NULL.
struct db_error *db_op_parsed(struct db_op *);
struct db_error *db_op_select(struct db_op *, struct str *out);
struct db_error *db_op_wait(struct db_op *, struct str *out);

#endif
