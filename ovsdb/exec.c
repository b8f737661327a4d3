// SPDX-License-Identifier: Apache-2.0
// Operations write their results as text right away; the transaction's outcome is known when all
// have run.
#include "ovsdb/exec.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/str.h"
#include "ovsdb/condition.h"
#include "ovsdb/error.h"
#include "ovsdb/exec_priv.h"
#include "ovsdb/mutation.h"
#include "ovsdb/parser.h"

struct db_table *
db_op_table(struct db_op *op, const char *member)
{
    const char *name = db_value_string(db_parser_member(&op->parser, member, DB_P_ID));
    if (!name) {
        return NULL;
    }
    struct db_table *t = db_table_find(op->x->db, name);
    if (!t) {
        db_parser_fail(&op->parser, db_error_value(op->parser.value, NULL,
                                                   "Parsing %s failed: No table named %s.",
                                                   db_parser_name(&op->parser), name));
    }
    return t;
}

// "row" of insert and update: the columns that it names, with their values.
struct row_values {
    struct db_table *table;
    struct db_datum *data; // [n_columns]
    bool *given;           // [n_columns]
};

static void
row_values_destroy(struct row_values *r)
{
    for (size_t i = 0; r->given && i < r->table->schema->n_columns; i++) {
        if (r->given[i]) {
            db_datum_destroy(&r->data[i], &r->table->schema->columns[i]->type);
        }
    }
    free(r->data);
    free(r->given);
}

static struct db_error *
row_values_parse(struct row_values *r, struct db_table *table, struct db_value row,
                 struct db_symtab *symtab)
{
    const struct db_table_schema *s = table->schema;
    const char *name;
    struct db_value value;
    struct db_value_iter it = db_value_members(row);
    *r = (struct row_values){table, base_calloc(s->n_columns, sizeof *r->data),
                             base_calloc(s->n_columns, sizeof *r->given)};
    while (db_value_next_member(&it, &name, &value)) {
        const struct db_column_schema *c = db_table_schema_column(s, name);
        if (!c) {
            return db_error_value(row, "unknown column", "No column %s in table %s.", name,
                                  s->name);
        }
        struct db_error *e = db_datum_from_value(&r->data[c->index], &c->type, value, symtab);
        if (e) {
            return e;
        }
        r->given[c->index] = true;
    }
    return NULL;
}

// --- insert ---

struct insert_id {
    struct db_value name, uuid;
};

static struct db_error *
choose_uuid(struct db_op *op, const struct insert_id *id, const struct db_table *table,
            struct uuid *uuid)
{
    uuid_generate(uuid);
    if (!db_value_is_none(id->uuid)) {
        if (!uuid_parse(db_value_string(id->uuid), uuid)) {
            return db_error_value(id->uuid, NULL, "bad uuid");
        }
        if (db_row_find(table, uuid) || db_txn_has_deleted(op->txn, table, uuid)) {
            return db_error_value(id->uuid, "duplicate uuid",
                                  "This UUID would duplicate a UUID already present within the "
                                  "table or deleted within the same transaction.");
        }
    }
    if (!db_value_is_none(id->name)) {
        struct db_symbol *s = db_symtab_intern(op->symtab, db_value_string(id->name));
        if (s->created) {
            return db_error_value(
                id->name, "duplicate uuid-name",
                "This \"uuid-name\" appeared on an earlier \"insert\" operation.");
        }
        if (!db_value_is_none(id->uuid)) {
            s->uuid = *uuid;
        }
        *uuid = s->uuid;
        s->created = true;
    }
    return NULL;
}

static struct db_error *
check_inserted(struct db_op *op, const struct db_row *row)
{
    struct db_rbac rbac;
    struct db_error *e = db_rbac_begin(&rbac, &op->x->client, row->table, DB_RBAC_INSERT);
    return e ? e : db_rbac_check_row(&rbac, row);
}

static void
add_count(struct str *out, size_t n)
{
    str_add(out, "{\"count\":");
    str_add_int(out, (int64_t) n);
    str_add_char(out, '}');
}

static struct db_error *
op_insert(struct db_op *op, struct str *out)
{
    struct db_table *table = db_op_table(op, "table");
    struct insert_id id = {.uuid =
                               db_parser_member(&op->parser, "uuid", DB_P_STRING | DB_P_OPTIONAL)};
    id.name = db_parser_member(&op->parser, "uuid-name", DB_P_ID | DB_P_OPTIONAL);
    struct db_value row_json = db_parser_member(&op->parser, "row", DB_P_OBJECT);
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    struct uuid uuid;
    struct db_row *row = NULL;
    struct row_values values = {table, NULL, NULL};
    e = choose_uuid(op, &id, table, &uuid);
    e = e ? e : row_values_parse(&values, table, row_json, op->symtab);
    if (!e) {
        // A column that may not be empty must not keep a default that its constraints forbid.
        const struct db_table_schema *s = table->schema;
        for (size_t i = DB_N_STD_COLS; !e && i < s->n_columns; i++) {
            if (!values.given[i] && s->columns[i]->type.n_min) {
                e = db_datum_check(&table->defaults[i], &s->columns[i]->type);
            }
        }
    }
    if (!e) {
        // _uuid and _version are the server's to give: what the row says of them is not looked at.
        row = db_txn_insert(op->txn, table, &uuid);
        for (size_t i = DB_N_STD_COLS; i < table->schema->n_columns; i++) {
            if (values.given[i]) {
                db_txn_set(op->txn, row, table->schema->columns[i], &values.data[i]);
                values.given[i] = false;
            }
        }
    }
    e = e ? e : check_inserted(op, row);
    if (!e) {
        str_add(out, "{\"uuid\":");
        db_atom_write_json(&(union db_atom){.uuid = uuid}, DB_UUID, out);
        str_add_char(out, '}');
    }
    row_values_destroy(&values);
    return e;
}

// --- update, mutate, delete ---

struct edit {
    struct db_op *op;
    struct row_values *values;
    struct db_mutations *mutations;
    struct db_rbac rbac;
    struct db_error *error;
    unsigned long n;
};

static bool
update_row(struct db_row *row, void *edit_)
{
    struct edit *edit = edit_;
    edit->n++;
    edit->error = db_rbac_check_row(&edit->rbac, row);
    for (size_t i = DB_N_STD_COLS; !edit->error && i < row->table->schema->n_columns; i++) {
        if (edit->values->given[i]) {
            edit->error = db_rbac_check_column(&edit->rbac, row->table->schema->columns[i]);
        }
    }
    if (edit->error) {
        return false;
    }
    for (size_t i = DB_N_STD_COLS; i < row->table->schema->n_columns; i++) {
        if (edit->values->given[i]) {
            struct db_datum copy;
            db_datum_clone(&copy, &edit->values->data[i], &row->table->schema->columns[i]->type);
            db_txn_set(edit->op->txn, row, row->table->schema->columns[i], &copy);
        }
    }
    return true;
}

static struct db_error *
check_mutable(const struct row_values *v, struct db_value operation)
{
    for (size_t i = 0; i < v->table->schema->n_columns; i++) {
        const struct db_column_schema *c = v->table->schema->columns[i];
        if (v->given[i] && !c->mutable_) {
            return db_error_value(operation, "constraint violation",
                                  "Cannot update immutable column %s in table %s.", c->name,
                                  v->table->schema->name);
        }
    }
    return NULL;
}

static struct db_error *
op_update(struct db_op *op, struct str *out)
{
    struct db_table *table = db_op_table(op, "table");
    struct db_value where = db_parser_member(&op->parser, "where", DB_P_ARRAY);
    struct db_value row_json = db_parser_member(&op->parser, "row", DB_P_OBJECT);
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    struct row_values values;
    struct db_condition cond = {NULL, 0};
    e = row_values_parse(&values, table, row_json, op->symtab);
    e = e ? e : check_mutable(&values, op->parser.value);
    e = e ? e : db_condition_parse(&cond, table->schema, where, op->symtab);
    struct edit edit = {.op = op, .values = &values};
    e = e ? e : db_rbac_begin(&edit.rbac, &op->x->client, table, DB_RBAC_UPDATE);
    if (!e) {
        db_condition_each(&cond, table, update_row, &edit);
        e = edit.error;
        if (!e) {
            add_count(out, edit.n);
        }
    }
    db_condition_destroy(&cond);
    row_values_destroy(&values);
    return e;
}

static bool
mutate_row(struct db_row *row, void *edit_)
{
    struct edit *edit = edit_;
    edit->n++;
    edit->error = db_rbac_check_row(&edit->rbac, row);
    for (size_t i = 0; !edit->error && i < edit->mutations->n; i++) {
        edit->error = db_rbac_check_column(&edit->rbac, edit->mutations->list[i].column);
    }
    if (!edit->error) {
        edit->error = db_mutations_run(edit->mutations, edit->op->txn, row);
    }
    return !edit->error;
}

static struct db_error *
op_mutate(struct db_op *op, struct str *out)
{
    struct db_table *table = db_op_table(op, "table");
    struct db_value where = db_parser_member(&op->parser, "where", DB_P_ARRAY);
    struct db_value list = db_parser_member(&op->parser, "mutations", DB_P_ARRAY);
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    struct db_mutations mutations = {NULL, 0};
    struct db_condition cond = {NULL, 0};
    e = db_mutations_parse(&mutations, table->schema, list, op->symtab);
    e = e ? e : db_condition_parse(&cond, table->schema, where, op->symtab);
    struct edit edit = {.op = op, .mutations = &mutations};
    e = e ? e : db_rbac_begin(&edit.rbac, &op->x->client, table, DB_RBAC_MUTATE);
    if (!e) {
        db_condition_each(&cond, table, mutate_row, &edit);
        e = edit.error;
        if (!e) {
            add_count(out, edit.n);
        }
    }
    db_condition_destroy(&cond);
    db_mutations_destroy(&mutations);
    return e;
}

static bool
delete_row(struct db_row *row, void *edit_)
{
    struct edit *edit = edit_;
    edit->n++;
    edit->error = db_rbac_check_row(&edit->rbac, row);
    if (!edit->error) {
        db_txn_delete(edit->op->txn, row);
    }
    return !edit->error;
}

static struct db_error *
op_delete(struct db_op *op, struct str *out)
{
    struct db_value where = db_parser_member(&op->parser, "where", DB_P_ARRAY);
    struct db_table *table = db_op_table(op, "table");
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    struct db_condition cond = {NULL, 0};
    struct edit edit = {.op = op};
    e = db_condition_parse(&cond, table->schema, where, op->symtab);
    e = e ? e : db_rbac_begin(&edit.rbac, &op->x->client, table, DB_RBAC_DELETE);
    if (!e) {
        db_condition_each(&cond, table, delete_row, &edit);
        e = edit.error;
        if (!e) {
            add_count(out, edit.n);
        }
    }
    db_condition_destroy(&cond);
    return e;
}

// --- commit, abort, comment, assert ---

static struct db_error *
op_commit(struct db_op *op, struct str *out)
{
    struct db_value durable = db_parser_member(&op->parser, "durable", DB_P_BOOLEAN);
    struct db_error *e = db_op_parsed(op);
    if (!e) {
        op->x->durable |= db_value_is(durable, JSON_TRUE);
        str_add(out, "{}");
    }
    return e;
}

static struct db_error *
op_abort(struct db_op *op, struct str *out)
{
    struct db_error *e = db_op_parsed(op);
    return e ? e : db_error_new("aborted", "aborted by request");
}

static struct db_error *
op_comment(struct db_op *op, struct str *out)
{
    struct db_value comment = db_parser_member(&op->parser, "comment", DB_P_STRING);
    struct db_error *e = db_op_parsed(op);
    if (!e) {
        if (op->txn->comment.len) {
            str_add_char(&op->txn->comment, '\n');
        }
        str_add_n(&op->txn->comment, db_value_string(comment), db_value_length(comment));
        str_add(out, "{}");
    }
    return e;
}

static struct db_error *
op_assert(struct db_op *op, struct str *out)
{
    const char *lock = db_value_string(db_parser_member(&op->parser, "lock", DB_P_ID));
    struct db_error *e = db_op_parsed(op);
    if (e) {
        return e;
    }
    if (!op->x->owns_lock || !op->x->owns_lock(lock, op->x->aux)) {
        return db_error_new("not owner", "Asserted lock %s not held.", lock);
    }
    str_add(out, "{}");
    return NULL;
}

// --- all of them ---

struct operation {
    const char *name;
    bool changes;
    struct db_error *(*run)(struct db_op *, struct str *);
};

static const struct operation operations[] = {
    {"insert", true, op_insert},  {"select", false, db_op_select}, {"update", true, op_update},
    {"mutate", true, op_mutate},  {"delete", true, op_delete},     {"wait", false, db_op_wait},
    {"commit", true, op_commit},  {"abort", false, op_abort},      {"comment", false, op_comment},
    {"assert", false, op_assert},
};

struct db_error *
db_op_parsed(struct db_op *op)
{
    struct db_error *e = db_parser_finish(&op->parser);
    op->finished = true;
    return e;
}

static struct db_error *
run_operation(struct db_op *op, struct db_value v, struct str *out)
{
    db_parser_init_operation(&op->parser, v, op->number, op->total);
    op->finished = false;
    const char *name = db_value_string(db_parser_member(&op->parser, "op", DB_P_ID));
    if (!name) {
        return db_op_parsed(op);
    }
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        const struct operation *o = &operations[i];
        if (o->name[0] != name[0] || strcmp(o->name, name)) {
            continue;
        }
        if (o->changes && op->x->read_only) {
            db_parser_abandon(&op->parser);
            return db_error_new(
                "not allowed", "%s operation not allowed when database server is in read only mode",
                o->name);
        }
        return o->run(op, out);
    }
    struct db_error *e = db_error_value(v, NULL, "Parsing %s failed: No operation \"%s\"",
                                        db_parser_name(&op->parser), name);
    db_parser_abandon(&op->parser);
    return e;
}

bool
db_exec_changes(struct db_value params)
{
    struct db_value_iter it = db_value_elements(params);
    struct db_value v = db_value_next(&it);
    while (v = db_value_next(&it), !db_value_is_none(v)) {
        const char *name = db_value_string(db_value_member(v, "op"));
        for (size_t j = 0; name && j < ARRAY_SIZE(operations); j++) {
            if (operations[j].changes && !strcmp(operations[j].name, name)) {
                return true;
            }
        }
    }
    return false;
}

static void
add_error(struct str *out, struct db_error *e)
{
    json_t *j = db_error_to_json(e);
    db_json_write(j, out);
    json_decref(j);
    db_error_free(e);
}

static bool
request_error(struct str *out, struct db_error *e)
{
    add_error(out, e);
    return false;
}

bool
db_execute(struct db_exec *x, struct str *result)
{
    const size_t n = db_value_size(x->params);
    struct db_value_iter it = db_value_elements(x->params);
    const char *name = db_value_string(db_value_next(&it));
    if (!name || strcmp(name, x->db->schema->name)) {
        return request_error(
            result,
            db_error_value(x->params, NULL, "transact request params must begin with <db-name>"));
    }
    struct db_symtab symtab;
    db_symtab_init(&symtab);
    struct db_op op = {.x = x, .txn = db_txn_begin(x->db), .symtab = &symtab, .total = n - 1};
    struct db_error *e = NULL;
    size_t start = result->len;
    x->waiting = x->durable = false;
    x->timeout_ms = INT64_MAX;
    str_add_char(result, '[');
    for (size_t i = 1; !e && i < n; i++) {
        if (i > 1) {
            str_add_char(result, ',');
        }
        op.number = i;
        e = run_operation(&op, db_value_next(&it), result);
        if (e) {
            if (x->waiting) {
                break;
            }
            add_error(result, e);
            for (; i + 1 < n; i++) {
                str_add(result, ",null");
            }
        }
    }
    x->failed = e != NULL;
    if (e) {
        db_txn_abort(op.txn);
        if (x->waiting) {
            db_error_free(e);
            str_truncate(result, start);
            db_symtab_destroy(&symtab);
            return true;
        }
    } else if (x->dry_run) {
        db_txn_abort(op.txn);
    } else {
        e = db_txn_commit(op.txn, x->durable);
        if (e) {
            x->failed = true;
            str_add(result, n > 1 ? "," : "");
            add_error(result, e);
        }
    }
    str_add_char(result, ']');
    db_symtab_destroy(&symtab);
    return true;
}
