// SPDX-License-Identifier: Apache-2.0
// Commands of the control socket about the log of transactions (ovsdb/tlog.h).
#include <stdlib.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/base/unixctl.h"
#include "ovsdb/db.h"
#include "ovsdb/server.h"
#include "tools/dbserver/ovsdb_server.h"

// "DB:TABLE": NULL and a sentence, if there is no such table.
static struct db_table *
find_table(const char *text, const char **error)
{
    char *copy = base_strdup(text), *save = NULL;
    const char *db = strtok_r(copy, ":", &save), *name = strtok_r(NULL, ":", &save);
    struct db_table *table = NULL;
    if (!db || !name || strtok_r(NULL, ":", &save)) {
        *error = "invalid DB:TABLE argument";
    } else {
        const struct db_served *d = db_server_find(ovsdb_server.server, db);
        table = d ? db_table_find(d->db, name) : NULL;
        *error = !d ? "no such database" : "no such table";
    }
    free(copy);
    return table;
}

static void
cmd_tlog_set(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    const char *error = "invalid command argument";
    bool on = !strcasecmp(argv[2], "on"), off = !strcasecmp(argv[2], "off");
    struct db_table *table = on || off ? find_table(argv[1], &error) : NULL;
    if (!table) {
        unixctl_reply_error(conn, error);
        return;
    }
    table->tlog = on;
    unixctl_reply(conn, NULL);
}

static int
compare_tables(const void *a_, const void *b_)
{
    const struct db_table *const *a = a_, *const *b = b_;
    return strcmp((*a)->schema->name, (*b)->schema->name);
}

static void
list_tables(const struct db *db, struct str *out)
{
    size_t n = db->schema->n_tables;
    struct db_table **tables = base_calloc(n + 1, sizeof *tables);
    for (size_t i = 0; i < n; i++) {
        tables[i] = db->tables[i];
    }
    qsort(tables, n, sizeof *tables, compare_tables);
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "%16s%-27s %s\n", "", tables[i]->schema->name,
                 tables[i]->tlog ? "ON" : "OFF");
    }
    free(tables);
}

static void
cmd_tlog_list(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    size_t n;
    struct db_served **dbs = ovsdb_server_sorted_dbs(&n);
    str_addf(&s, "%-15s %-27s logging\n%-15s %-27s -------\n", "database", "table", "--------",
             "-----");
    for (size_t i = 0; i < n; i++) {
        str_addf(&s, "%-16s \n", dbs[i]->db->schema->name);
        list_tables(dbs[i]->db, &s);
    }
    unixctl_reply_text(conn, &s);
    free(dbs);
}

void
ovsdb_server_control_log_init(void)
{
    unixctl_register("ovsdb-server/tlog-set", "DB:TABLE on|off", 2, 2, cmd_tlog_set, NULL);
    unixctl_register("ovsdb-server/tlog-list", "", 0, 0, cmd_tlog_list, NULL);
}
