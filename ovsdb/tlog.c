// SPDX-License-Identifier: Apache-2.0
// The words are those of the stock server, columns in the order of the schema.
#include "ovsdb/tlog.h"

#include "lib/base/log.h"
#include "ovsdb/txn.h"

LOG_MODULE(transaction);

static struct log_limit limit = LOG_LIMIT(30, 60);

static void
log_row(const struct db_row *row, enum db_change_kind kind)
{
    static const char *const verbs[] = {[DB_CHANGE_MODIFY] = "updated",
                                        [DB_CHANGE_INSERT] = "inserted",
                                        [DB_CHANGE_DELETE] = "deleted"};
    const struct db_table_schema *s = row->table->schema;
    struct str text = STR_INIT;
    str_addf(&text, "table:%s,op:%s", s->name, verbs[kind]);
    for (size_t i = 0; i < s->n_columns; i++) {
        str_addf(&text, ",%s:", s->columns[i]->name);
        db_datum_format_text(&row->data[i], &s->columns[i]->type, &text);
    }
    LOG_INFO_RL(&limit, "%s", str_get(&text));
    str_free(&text);
}

void
db_tlog(const struct db_txn *txn)
{
    const struct db_change *c;
    if (!log_enabled(LOG_LEVEL_INFO)) {
        return;
    }
    DB_TXN_FOR_EACH(c, txn)
    {
        if (c->row->table->tlog && !c->gone && db_change_counts(c)) {
            log_row(c->row, c->kind);
        }
    }
}
