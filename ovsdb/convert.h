// SPDX-License-Identifier: Apache-2.0
// A database's rows under another schema.
#ifndef OVSDB_CONVERT_H
#define OVSDB_CONVERT_H 1

struct db;
struct db_error;
struct db_schema;

// Makes a database of the new schema with the rows of the old one. Tables and columns that only one
// of them has are left out or default; all constraints of the new schema are checked. Takes the
// schema, also on errors.
struct db_error *db_convert(const struct db *, struct db_schema *take, struct db **);

#endif
