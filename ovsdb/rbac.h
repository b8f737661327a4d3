// SPDX-License-Identifier: Apache-2.0
// Role-based access control (ovsdb-server(7) section 3.2): what a client with a role may change, as
// the tables RBAC_Role and the one of permissions in the database itself say.
#ifndef OVSDB_RBAC_H
#define OVSDB_RBAC_H 1

#include "ovsdb/db.h"

struct db_error;

enum db_rbac_verb { DB_RBAC_INSERT, DB_RBAC_DELETE, DB_RBAC_UPDATE, DB_RBAC_MUTATE };

// Who asks. Borrowed; role NULL or "": everything is allowed.
struct db_rbac_client {
    const char *role;
    const char *id; // common name of its certificate, NULL: has none, and may change nothing
};

// Permissions of the client on one table.
struct db_rbac {
    const struct db_rbac_client *client;
    const struct db_table *table;
    enum db_rbac_verb verb;
    const struct db_row *permission; // NULL: no control
};

// May the client give the database another schema (which could have other roles, or none)?
struct db_error *db_rbac_check_convert(const struct db_rbac_client *,
                                       const struct db *) FB_MUST_CHECK;
// Prepares the check, or says at once that no row of the table may be changed in this way.
struct db_error *db_rbac_begin(struct db_rbac *, const struct db_rbac_client *,
                               const struct db_table *, enum db_rbac_verb) FB_MUST_CHECK;
// Is the row the client's, and may rows come and go (INSERT, DELETE)?
struct db_error *db_rbac_check_row(const struct db_rbac *, const struct db_row *) FB_MUST_CHECK;
// May it change this column of its rows (UPDATE, MUTATE)?
struct db_error *db_rbac_check_column(const struct db_rbac *,
                                      const struct db_column_schema *) FB_MUST_CHECK;

#endif
