// SPDX-License-Identifier: Apache-2.0
// Changes in words. Version 1 tells old and new values, versions 2 and 3 differences.
#include <stdlib.h>

#include "ovsdb/monitor_priv.h"
#include "ovsdb/txn.h"

void
db_update_begin(struct db_update *u, struct str *out)
{
    *u = (struct db_update){out, NULL, out->len};
    str_add_char(out, '{');
}

bool
db_update_end(struct db_update *u)
{
    str_add(u->out, u->last ? "}}" : "}");
    return u->last != NULL;
}

static void
open_row(struct db_update *u, const struct db_row *row)
{
    char uuid[UUID_LEN + 1];
    if (u->last != row->table) {
        str_add(u->out, u->last ? "},\"" : "\"");
        str_add(u->out, row->table->schema->name);
        str_add(u->out, "\":{\"");
        u->last = row->table;
    } else {
        str_add(u->out, ",\"");
    }
    uuid_format(&row->uuid.uuid, uuid);
    str_add_n(u->out, uuid, UUID_LEN);
    str_add(u->out, "\":");
}

static void
add_member(struct str *s, bool *any, const char *name)
{
    str_add(s, *any ? ",\"" : "\"");
    str_add(s, name);
    str_add(s, "\":");
    *any = true;
}

// {column: value…} of the columns selected for `select`. skip_default: leaves out those that are.
static void
write_row(struct str *s, const struct db_view_table *vt, const struct db_datum data[],
          unsigned select, bool skip_default)
{
    bool any = false;
    str_add_char(s, '{');
    for (size_t i = 0; i < vt->n_columns; i++) {
        const struct db_column_schema *c = vt->columns[i].column;
        if (vt->columns[i].select & select &&
            !(skip_default && db_datum_is_default(&data[c->index], &c->type))) {
            add_member(s, &any, c->name);
            db_datum_write_json(&data[c->index], &c->type, s);
        }
    }
    str_add_char(s, '}');
}

static void
write_whole(const struct db_view *v, const struct db_view_table *vt, const struct db_row *row,
            unsigned select, struct db_update *u)
{
    open_row(u, row);
    if (v->version == DB_MONITOR_V1) {
        str_add(u->out, "{\"new\":");
        write_row(u->out, vt, row->data, select, false);
    } else {
        str_add(u->out, select == DB_SEL_INITIAL ? "{\"initial\":" : "{\"insert\":");
        write_row(u->out, vt, row->data, select, true);
    }
    str_add_char(u->out, '}');
}

void
db_view_write_initial(const struct db_view *v, struct str *out)
{
    struct db_update u;
    struct db *db = db_monitors_db(v->owner);
    db_update_begin(&u, out);
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_view_table *vt = &v->tables[i];
        if (!vt->table || !(vt->select & DB_SEL_INITIAL)) {
            continue;
        }
        const struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &vt->table->rows) {
            if (vt->all_rows || db_condition_any(&vt->condition, row->data)) {
                write_whole(v, vt, row, DB_SEL_INITIAL, &u);
            }
        }
    }
    db_update_end(&u);
}

// The row's values before the change; columns without a difference are shared with the row.
static struct db_datum *
old_data(const struct db_change *c, union db_atom *version)
{
    const struct db_row *row = c->row;
    struct db_datum *old = base_memdup(row->data, row->table->schema->n_columns * sizeof *old);
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        unsigned col = c->deltas[i].column;
        db_delta_old(&c->deltas[i], &row->data[col], &row->table->schema->columns[col]->type,
                     &old[col]);
    }
    version->uuid = c->old_version;
    old[DB_COL_VERSION].keys = version;
    return old;
}

static void
old_data_free(const struct db_change *c, struct db_datum *old)
{
    for (uint32_t i = 0; i < c->n_deltas; i++) {
        unsigned col = c->deltas[i].column;
        db_datum_destroy(&old[col], &c->row->table->schema->columns[col]->type);
    }
    free(old);
}

bool
db_view_held_before(const struct db_view_table *vt, const struct db_change *c)
{
    union db_atom version;
    if (vt->all_rows) {
        return true;
    }
    struct db_datum *old = old_data(c, &version);
    bool held = db_condition_any(&vt->condition, old);
    old_data_free(c, old);
    return held;
}

bool
db_view_holds_now(const struct db_view_table *vt, const struct db_change *c)
{
    return c->kind != DB_CHANGE_DELETE &&
           (vt->all_rows || db_condition_any(&vt->condition, c->row->data));
}

static void
write_delete(const struct db_view *v, const struct db_view_table *vt, const struct db_change *c,
             struct db_update *u)
{
    union db_atom version;
    open_row(u, c->row);
    if (v->version != DB_MONITOR_V1) {
        str_add(u->out, "{\"delete\":null}");
        return;
    }
    struct db_datum *old = old_data(c, &version);
    str_add(u->out, "{\"old\":");
    write_row(u->out, vt, old, DB_SEL_DELETE, false);
    str_add_char(u->out, '}');
    old_data_free(c, old);
}

// The old value of a changed column, as version 1 tells it.
static void
write_old(struct str *s, const struct db_change *c, const struct db_column_schema *column,
          const struct db_delta *d)
{
    if (column->index == DB_COL_VERSION) {
        union db_atom a = {.uuid = c->old_version};
        db_atom_write_json(&a, DB_UUID, s);
        return;
    }
    struct db_datum old;
    db_delta_old(d, &c->row->data[column->index], &column->type, &old);
    db_datum_write_json(&old, &column->type, s);
    db_datum_destroy(&old, &column->type);
}

static void
write_difference(struct str *s, const struct db_change *c, const struct db_column_schema *column,
                 const struct db_delta *d)
{
    const struct db_datum *value = &c->row->data[column->index];
    if (!d || !db_type_is_composite(&column->type)) {
        db_datum_write_json(value, &column->type, s);
        return;
    }
    struct db_datum diff;
    db_delta_symmetric(d, &column->type, &diff);
    db_datum_write_json(&diff, &column->type, s);
    db_datum_destroy(&diff, &column->type);
}

static void
write_modify(const struct db_view *v, const struct db_view_table *vt, const struct db_change *c,
             struct db_update *u)
{
    bool any = false, v1 = v->version == DB_MONITOR_V1;
    for (size_t i = 0; i < vt->n_columns; i++) {
        const struct db_column_schema *column = vt->columns[i].column;
        const struct db_delta *d = db_change_delta(c, column->index);
        if (!(vt->columns[i].select & DB_SEL_MODIFY) || (!d && column->index != DB_COL_VERSION)) {
            continue;
        }
        if (!any) {
            open_row(u, c->row);
            str_add(u->out, v1 ? "{\"old\":{" : "{\"modify\":{");
        }
        add_member(u->out, &any, column->name);
        v1 ? write_old(u->out, c, column, d) : write_difference(u->out, c, column, d);
    }
    if (any && v1) {
        str_add(u->out, "},\"new\":");
        write_row(u->out, vt, c->row->data, DB_SEL_MODIFY, false);
        str_add_char(u->out, '}');
    } else if (any) {
        str_add(u->out, "}}");
    }
}

void
db_view_write_change(const struct db_view *v, const struct db_change *c, struct db_update *u)
{
    const struct db_view_table *vt = &v->tables[c->row->table->schema->index];
    if (!vt->table) {
        return;
    }
    bool now = db_view_holds_now(vt, c);
    bool before = c->kind != DB_CHANGE_INSERT && db_view_held_before(vt, c);
    if (now && !before && vt->select & DB_SEL_INSERT) {
        write_whole(v, vt, c->row, DB_SEL_INSERT, u);
    } else if (!now && before && vt->select & DB_SEL_DELETE) {
        write_delete(v, vt, c, u);
    } else if (now && before && vt->select & DB_SEL_MODIFY) {
        write_modify(v, vt, c, u);
    }
}

void
db_view_write_switch(const struct db_view *old, const struct db_view *new, struct str *out)
{
    struct db_update u;
    struct db *db = db_monitors_db(old->owner);
    db_update_begin(&u, out);
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        const struct db_view_table *was = &old->tables[i], *is = &new->tables[i];
        if (!was->table || (was->all_rows && is->all_rows)) {
            continue;
        }
        const struct db_row *row;
        HMAP_FOR_EACH (row, by_uuid, &was->table->rows) {
            bool before = db_condition_any(&was->condition, row->data);
            bool now = db_condition_any(&is->condition, row->data);
            if (now && !before && is->select & DB_SEL_INSERT) {
                write_whole(new, is, row, DB_SEL_INSERT, &u);
            } else if (before && !now && is->select & DB_SEL_DELETE) {
                struct db_change c = {.row = (struct db_row *) row, .kind = DB_CHANGE_DELETE};
                write_delete(new, is, &c, &u);
            }
        }
    }
    db_update_end(&u);
}
