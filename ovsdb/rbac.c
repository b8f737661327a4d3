// SPDX-License-Identifier: Apache-2.0
// Permissions are looked up for each operation: the tables are small, and what they say holds from
// the next operation on.
#include "ovsdb/rbac.h"

#include "lib/base/log.h"
#include "ovsdb/error.h"

LOG_MODULE(ovsdb_rbac);

static struct log_limit limit = LOG_LIMIT(5, 5);

static struct db_error *
denied(const struct db_rbac *r)
{
    static const char *const verbs[] = {
        [DB_RBAC_INSERT] = "row insertion into",
        [DB_RBAC_DELETE] = "row deletion from",
        [DB_RBAC_UPDATE] = "modification of",
        [DB_RBAC_MUTATE] = "mutate operation on",
    };
    return db_error_new("permission error",
                        "RBAC rules for client \"%s\" role \"%s\" prohibit %s table \"%s\".",
                        r->client->id ? r->client->id : "(null)", r->client->role, verbs[r->verb],
                        r->table->schema->name);
}

// Value of the column where its elements have these types, or NULL.
static const struct db_datum *
value_of(const struct db_row *row, const char *name, enum db_atomic key, enum db_atomic value)
{
    const struct db_column_schema *c = db_table_schema_column(row->table->schema, name);
    return c && c->type.key.type == key && c->type.value.type == value ? &row->data[c->index]
                                                                       : NULL;
}

static const struct db_row *
find_role(const struct db_table *roles, const char *name)
{
    const struct db_row *row;
    HMAP_FOR_EACH (row, by_uuid, &roles->rows) {
        const struct db_datum *d = value_of(row, "name", DB_STRING, DB_VOID);
        if (d && d->n == 1 && !strcmp(d->keys[0].string->s, name)) {
            return row;
        }
    }
    LOG_INFO_RL(&limit, "rbac: role \"%s\" not found in rbac roles table", name);
    return NULL;
}

static const struct db_row *
find_permission(const struct db_row *role, const char *table)
{
    const struct db_column_schema *c = db_table_schema_column(role->table->schema, "permissions");
    if (!c || c->type.key.type != DB_STRING || c->type.value.type != DB_UUID ||
        !c->type.value.ref) {
        LOG_INFO_RL(&limit,
                    "rbac: table %s has no column permissions that maps names of tables to rows",
                    role->table->schema->name);
        return NULL;
    }
    const struct db_datum *d = &role->data[c->index];
    for (uint32_t i = 0; i < d->n; i++) {
        if (!strcmp(d->keys[i].string->s, table)) {
            return db_row_find(role->table->db->tables[c->type.value.ref->index],
                               &d->values[i].uuid);
        }
    }
    return NULL;
}

struct db_error *
db_rbac_begin(struct db_rbac *r, const struct db_rbac_client *client, const struct db_table *table,
              enum db_rbac_verb verb)
{
    const struct db_table *roles =
        client->role && client->role[0] ? db_table_find(table->db, "RBAC_Role") : NULL;
    *r = (struct db_rbac){client, table, verb, NULL};
    if (!roles) {
        return NULL;
    }
    if (!client->id) {
        return denied(r);
    }
    const struct db_row *role = find_role(roles, client->role);
    r->permission = role ? find_permission(role, table->schema->name) : NULL;
    return r->permission ? NULL : denied(r);
}

struct db_error *
db_rbac_check_convert(const struct db_rbac_client *client, const struct db *db)
{
    if (!client->role || !client->role[0] || !db_table_find(db, "RBAC_Role")) {
        return NULL;
    }
    return db_error_new(
        "permission error",
        "RBAC rules for client \"%s\" role \"%s\" prohibit \"convert\" of database %s "
        "(only the root role may convert databases)",
        client->id ? client->id : "(null)", client->role, db->schema->name);
}

// Sets of names don't count, even with only one element.
static const struct db_datum *
single_string(const struct db_row *row, const char *name)
{
    const struct db_column_schema *c = db_table_schema_column(row->table->schema, name);
    return c && c->type.n_max == 1 ? value_of(row, name, DB_STRING, DB_VOID) : NULL;
}

// "", COLUMN or COLUMN:KEY: does the row name the client there?
static bool
names_client(const struct db_rbac *r, const char *where, const struct db_row *row)
{
    const char *colon = strchr(where, ':');
    const struct db_datum *d;
    if (!where[0]) {
        return true;
    }
    if (!colon) {
        d = single_string(row, where);
        return d && d->n && !strcmp(d->keys[0].string->s, r->client->id);
    }
    char *column = base_asprintf("%.*s", (int) (colon - where), where);
    d = value_of(row, column, DB_STRING, DB_STRING);
    free(column);
    const struct db_string *s = d ? db_datum_find_string(d, colon + 1) : NULL;
    return s && !strcmp(s->s, r->client->id);
}

static bool
may_insert_delete(const struct db_rbac *r)
{
    const struct db_datum *d = value_of(r->permission, "insert_delete", DB_BOOLEAN, DB_VOID);
    return d && d->n == 1 && d->keys[0].boolean;
}

struct db_error *
db_rbac_check_row(const struct db_rbac *r, const struct db_row *row)
{
    if (!r->permission) {
        return NULL;
    }
    if ((r->verb == DB_RBAC_INSERT || r->verb == DB_RBAC_DELETE) && !may_insert_delete(r)) {
        return denied(r);
    }
    const struct db_datum *d = value_of(r->permission, "authorization", DB_STRING, DB_VOID);
    for (uint32_t i = 0; d && i < d->n; i++) {
        if (names_client(r, d->keys[i].string->s, row)) {
            return NULL;
        }
    }
    return denied(r);
}

struct db_error *
db_rbac_check_column(const struct db_rbac *r, const struct db_column_schema *column)
{
    if (!r->permission) {
        return NULL;
    }
    const struct db_datum *d = value_of(r->permission, "update", DB_STRING, DB_VOID);
    for (uint32_t i = 0; d && i < d->n; i++) {
        if (!strcmp(d->keys[i].string->s, column->name)) {
            return NULL;
        }
    }
    return denied(r);
}
