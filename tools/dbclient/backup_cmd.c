// SPDX-License-Identifier: Apache-2.0
// backup: contents as a database file. restore: replaces the contents by those of such a file, in
// one transaction; rows get new uuids, and references between them follow.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "ovsdb/db.h"
#include "ovsdb/error.h"
#include "ovsdb/file.h"
#include "ovsdb/journal.h"
#include "tools/dbclient/client.h"

LOG_MODULE(ovsdb_client);

static void
print_record(const json_t *j)
{
    struct str text = STR_INIT, record = STR_INIT;
    db_json_write(j, &text);
    db_journal_format(text.p, text.len, &record);
    if (fwrite(record.p, 1, record.len, stdout) != record.len || fflush(stdout)) {
        log_fatal(errno, "cannot write the snapshot");
    }
    str_free(&text);
    str_free(&record);
}

// Moves a row of a select's result to where a file has it.
static void
add_row(json_t *rows, json_t *row)
{
    const char *uuid = json_string_value(json_array_get(json_object_get(row, "_uuid"), 1));
    if (!uuid) {
        log_fatal(0, "a row in the server's reply has no _uuid");
    }
    json_t *copy = json_copy(row);
    json_object_set_new(rows, uuid, copy);
    json_object_del(copy, "_uuid");
    json_object_del(copy, "_version");
}

void
client_backup(struct client *c)
{
    if (isatty(STDOUT_FILENO)) {
        log_fatal(0, "not writing backup to a terminal; please redirect stdout to a file");
    }
    struct db_schema *schema = client_schema(c, c->database);
    json_t *txn = json_pack("[s]", c->database);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct db_table_schema *ts = schema->tables[i];
        json_t *columns = json_pack("[s]", "_uuid");
        for (size_t k = DB_N_STD_COLS; k < ts->n_columns; k++) {
            if (ts->columns[k]->persistent) {
                json_array_append_new(columns, json_string(ts->columns[k]->name));
            }
        }
        json_array_append_new(txn, json_pack("{s:s,s:s,s:[],s:o}", "op", "select", "table",
                                             ts->name, "where", "columns", columns));
    }
    json_t *results = client_call(c, "transact", txn), *schema_json = db_schema_to_json(schema);
    json_t *record = json_pack("{s:I,s:s,s:b}", "_date", (json_int_t) clock_wall(), "_comment",
                               "produced by \"ovsdb-client backup\"", "_is_diff", 1);
    for (size_t i = 0; i < schema->n_tables; i++) {
        json_t *rows = json_object_get(json_array_get(results, i), "rows"), *out = json_object();
        for (size_t k = 0; k < json_array_size(rows); k++) {
            add_row(out, json_array_get(rows, k));
        }
        if (json_object_size(out)) {
            json_object_set(record, schema->tables[i]->name, out);
        }
        json_decref(out);
    }
    print_record(schema_json);
    print_record(record);
    json_decref(schema_json);
    json_decref(record);
    json_decref(results);
    db_schema_free(schema);
}

// --- restore ---

static char *
copy_stdin(void)
{
    char *path = base_strdup("/tmp/ovsdb-client.XXXXXX");
    int fd = mkstemp(path);
    char buf[65536];
    size_t n;
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) {
        log_fatal(errno, "cannot make a temporary file in /tmp");
    }
    while ((n = fread(buf, 1, sizeof buf, stdin)) > 0) {
        if (fwrite(buf, 1, n, f) != n) {
            log_fatal(errno, "%s: cannot write", path);
        }
    }
    if (fclose(f)) {
        log_fatal(errno, "%s: cannot write", path);
    }
    return path;
}

// "row" and the uuid, as an identifier.
static json_t *
row_name(const struct uuid *uuid)
{
    char text[3 + UUID_LEN + 1] = "row";
    uuid_format(uuid, text + 3);
    for (char *p = text; *p; p++) {
        *p = *p == '-' ? '_' : *p;
    }
    return json_string(text);
}

static json_t *
atom_json(const struct db *db, const union db_atom *a, const struct db_base *b)
{
    if (b->ref && db_row_find(db->tables[b->ref->index], &a->uuid)) {
        return json_pack("[so]", "named-uuid", row_name(&a->uuid));
    }
    return db_atom_to_json(a, b->type);
}

static json_t *
datum_json(const struct db *db, const struct db_datum *d, const struct db_type *t)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < d->n; i++) {
        json_t *key = atom_json(db, &d->keys[i], &t->key);
        json_array_append_new(
            list,
            d->values ? json_pack("[oo]", key, atom_json(db, &d->values[i], &t->value)) : key);
    }
    return json_pack("[so]", db_type_is_map(t) ? "map" : "set", list);
}

static json_t *
insert_op(const struct db *db, const struct db_row *row)
{
    const struct db_table_schema *ts = row->table->schema;
    json_t *columns = json_object();
    for (size_t i = DB_N_STD_COLS; i < ts->n_columns; i++) {
        const struct db_type *t = &ts->columns[i]->type;
        if (!db_datum_is_default(&row->data[i], t)) {
            json_object_set_new(columns, ts->columns[i]->name, datum_json(db, &row->data[i], t));
        }
    }
    return json_pack("{s:s,s:s,s:o,s:o}", "op", "insert", "table", ts->name, "uuid-name",
                     row_name(&row->uuid.uuid), "row", columns);
}

static void
check_results(const json_t *results)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *r = json_array_get(results, i);
        if (json_object_get(r, "error")) {
            struct str s = STR_INIT;
            db_json_write(r, &s);
            log_fatal(0, "restore failed, the database is unchanged: %s", str_get(&s));
        }
    }
}

static void
compare_schemas(const struct client *c, const struct db_schema *server,
                const struct db_schema *backup)
{
    if (db_schema_equals(server, backup)) {
        return;
    }
    char *how = strcmp(backup->version, server->version)
                    ? base_asprintf(
                          "backup schema has version \"%s\" but database schema has version \"%s\"",
                          backup->version, server->version)
                    : base_asprintf(
                          "backup schema and database schema are both version %s but still differ",
                          backup->version);
    if (!c->force) {
        log_fatal(0,
                  "%s (use --force to override differences, or \"ovsdb-client convert\" to change "
                  "the schema)",
                  how);
    }
    LOG_INFO("%s", how);
    free(how);
    if (strcmp(server->name, backup->name)) {
        log_fatal(0, "backup schema has name \"%s\" but server schema has name \"%s\"",
                  backup->name, server->name);
    }
}

void
client_restore(struct client *c)
{
    struct db *db;
    struct db_file *file;
    if (isatty(STDIN_FILENO)) {
        log_fatal(0, "not reading backup from a terminal; please redirect stdin from a file");
    }
    char *path = copy_stdin();
    struct db_error *e = db_file_open_whole(path, false, &db, &file);
    unlink(path);
    if (e) {
        char *text = db_error_take_text(e), *name = strstr(text, path);
        log_fatal(0, "%.*s/dev/stdin%s", (int) (name ? name - text : 0), text,
                  name ? name + strlen(path) : text);
    }
    struct db_schema *schema = client_schema(c, c->database);
    compare_schemas(c, schema, db->schema);
    json_t *txn = json_pack("[s]", c->database);
    for (size_t i = 0; i < schema->n_tables; i++) {
        json_array_append_new(txn, json_pack("{s:s,s:s,s:[]}", "op", "delete", "table",
                                             schema->tables[i]->name, "where"));
    }
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &db->tables[i]->rows) {
            json_array_append_new(txn, insert_op(db, row));
        }
    }
    json_array_append_new(
        txn, json_pack("{s:s,s:s}", "op", "comment", "comment", "ovsdb-client: restoring backup"));
    json_array_append_new(txn, json_pack("{s:s,s:b}", "op", "commit", "durable", 1));
    json_t *results = client_call(c, "transact", txn);
    check_results(results);
    json_decref(results);
    db_schema_free(schema);
    db_free(db);
    db_file_close(file);
    free(path);
}
