// SPDX-License-Identifier: Apache-2.0
// What the files of the monitors share, and nobody else sees.
#ifndef OVSDB_MONITOR_PRIV_H
#define OVSDB_MONITOR_PRIV_H 1

#include "lib/base/str.h"
#include "ovsdb/condition.h"
#include "ovsdb/monitor.h"

struct db_change;
struct db_txn;

enum db_select {
    DB_SEL_INITIAL = 1,
    DB_SEL_INSERT = 2,
    DB_SEL_DELETE = 4,
    DB_SEL_MODIFY = 8,
    DB_SEL_ALL = 15
};

struct db_view_column {
    const struct db_column_schema *column;
    unsigned select; // enum db_select
};

struct db_view_table {
    struct db_table *table; // NULL: not watched
    struct db_view_column *columns;
    size_t n_columns;
    unsigned select; // of any column
    struct db_condition condition;
    bool all_rows; // the condition always holds
};

struct db_view {
    struct hmap_node by_key;
    char *key; // what makes it equal to another: canonical text
    struct db_monitors *owner;
    enum db_monitor_version version;
    struct db_view_table *tables; // [schema->n_tables]
    struct cds_list_head monitors;
    size_t n_monitors;
    struct str text; // update under construction
};

// monitor_parse.c: a view's tables from requests.
struct db_error *db_view_parse(struct db_view *, struct db *, const json_t *requests);
// Conditions of monitor_cond_change laid over those of `from`.
struct db_error *db_view_parse_change(struct db_view *, const struct db_view *from,
                                      const json_t *requests);
void db_view_make_key(struct db_view *);
void db_view_clear(struct db_view *); // frees tables and key

// monitor_write.c: updates as text.
// Opens and closes the object of tables while rows are added.
struct db_update {
    struct str *out;
    const struct db_table *last; // NULL: nothing yet
    size_t start;
};
void db_update_begin(struct db_update *, struct str *);
bool db_update_end(struct db_update *); // true when something was added
void db_view_write_initial(const struct db_view *, struct str *);
void db_view_write_change(const struct db_view *, const struct db_change *, struct db_update *);
// The row before the change was, and after it is, among those that the table's condition selects.
bool db_view_held_before(const struct db_view_table *, const struct db_change *);
bool db_view_holds_now(const struct db_view_table *, const struct db_change *);
// What the rows of the table are to a client that saw them through `old` and now sees them through
// `new`.
void db_view_write_switch(const struct db_view *old, const struct db_view *new, struct str *);

// monitor_wait.c: what a client doesn't know yet.
struct db_wait;
struct db_wait *db_wait_new(const struct db_view *);
void db_wait_free(struct db_wait *);
void db_wait_add(struct db_wait *, const struct db_txn *); // from within db_observer.committed
bool db_wait_write(struct db_wait *, struct str *);        // false: there is nothing to tell

#endif
