// SPDX-License-Identifier: Apache-2.0
// TLS options of the command line. Each is a value, or db:DB,TABLE,COLUMN: then the first string in
// that column that isn't empty counts, as long as the database says so.
#include <stdlib.h>

#include "lib/base/cmdline.h"
#include "lib/base/stream.h"
#include "ovsdb/db.h"
#include "ovsdb/server.h"
#include "tools/dbserver/remote_priv.h"

enum { N_VALUES = 6 };

static void
list_values(struct stream_tls *t, const char **values[N_VALUES])
{
    values[0] = &t->private_key;
    values[1] = &t->certificate;
    values[2] = &t->ca_cert;
    values[3] = &t->peer_ca_cert;
    values[4] = &t->protocols;
    values[5] = &t->ciphers;
}

static bool
in_db(const char *value)
{
    return value && !strncmp(value, "db:", 3);
}

static char *
find_column(struct db_server *server, const char *value, struct db_column_ref *ref)
{
    char *error = remote_db_column(server, value, ref);
    if (error) {
        return error;
    }
    if (db_type_is_map(&ref->column->type) || ref->column->type.key.type != DB_STRING) {
        return base_asprintf("\"%s\": table \"%s\" column \"%s\" is not string or set of strings",
                             value, ref->table->schema->name, ref->column->name);
    }
    return NULL;
}

char *
tls_db_check(struct db_server *server)
{
    struct stream_tls t = *cmdline_tls();
    const char **values[N_VALUES];
    list_values(&t, values);
    for (int i = 0; i < N_VALUES; i++) {
        struct db_column_ref ref;
        char *error = in_db(*values[i]) ? find_column(server, *values[i], &ref) : NULL;
        if (error && !ref.later) {
            return error;
        }
        free(error);
    }
    return NULL;
}

// The first string in the column that isn't empty, or "".
static const char *
read_column(const struct db_column_ref *ref)
{
    const struct db_row *row;
    HMAP_FOR_EACH (row, by_uuid, &ref->table->rows) {
        const struct db_datum *d = &row->data[ref->column->index];
        for (uint32_t i = 0; i < d->n; i++) {
            if (d->keys[i].string->len) {
                return d->keys[i].string->s;
            }
        }
    }
    return "";
}

void
tls_db_apply(struct db_server *server)
{
    static bool applied; // options without a database don't change
    struct stream_tls t = *cmdline_tls();
    const char **values[N_VALUES];
    list_values(&t, values);
    bool any = false;
    for (int i = 0; i < N_VALUES; i++) {
        if (in_db(*values[i])) {
            struct db_column_ref ref;
            char *error = find_column(server, *values[i], &ref);
            *values[i] = error ? "" : read_column(&ref);
            free(error); // the database is gone, and may come back
            any = true;
        }
    }
    if (any || !applied) {
        applied = true;
        stream_set_tls(&t);
    }
}
