// SPDX-License-Identifier: Apache-2.0
// show: the database as a tree. Each table has a line with its name column and, indented, the
// columns listed here: references as subtrees, other values unless they are the default.
#include "tools/vsctl/vsctl.h"

struct shown {
    unsigned table;
    int name; // column of the row's own line; -1: none, the uuid
    int columns[5];
};

static const struct shown shown[] = {
    {IDL_TABLE_OPEN_VSWITCH,
     -1,
     {IDL_OPEN_VSWITCH_MANAGER_OPTIONS, IDL_OPEN_VSWITCH_BRIDGES, IDL_OPEN_VSWITCH_OVS_VERSION,
      -1}},
    {IDL_TABLE_BRIDGE,
     IDL_BRIDGE_NAME,
     {IDL_BRIDGE_CONTROLLER, IDL_BRIDGE_FAIL_MODE, IDL_BRIDGE_DATAPATH_TYPE, IDL_BRIDGE_PORTS, -1}},
    {IDL_TABLE_PORT, IDL_PORT_NAME, {IDL_PORT_TAG, IDL_PORT_TRUNKS, IDL_PORT_INTERFACES, -1}},
    {IDL_TABLE_INTERFACE,
     IDL_INTERFACE_NAME,
     {IDL_INTERFACE_TYPE, IDL_INTERFACE_OPTIONS, IDL_INTERFACE_ERROR, -1}},
    {IDL_TABLE_CONTROLLER, IDL_CONTROLLER_TARGET, {IDL_CONTROLLER_IS_CONNECTED, -1}},
    {IDL_TABLE_MANAGER, IDL_MANAGER_TARGET, {IDL_MANAGER_IS_CONNECTED, -1}},
};

static const struct shown *
shown_table(int table)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        if ((int) shown[i].table == table) {
            return &shown[i];
        }
    }
    return NULL;
}

static void
prepare(struct vsctl *v, struct vsctl_cmd *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        idl_want_table(v->idl, shown[i].table);
        if (shown[i].name >= 0) {
            idl_want(v->idl, (unsigned) shown[i].name, IDL_READ);
        }
        for (const int *col = shown[i].columns; *col >= 0; col++) {
            idl_want(v->idl, (unsigned) *col, IDL_READ);
        }
    }
}

// Level 0 is printed by its caller; rows nest at most 4 deep.
static void
show_row(struct vsctl *v, struct vsctl_cmd *c, const struct idl_row *row, size_t level)
{
    const struct shown *s = shown_table((int) idl_row_table(row));
    str_add_chars(&c->out, ' ', level * 4);
    if (s->name < 0) {
        char text[UUID_LEN + 1];
        uuid_format(&row->uuid, text);
        str_add(&c->out, text);
    } else {
        str_addf(&c->out, "%s ", idl_table_name(s->table));
        db_datum_format_text(idl_row_datum(row, (unsigned) s->name),
                             idl_column_type((unsigned) s->name), &c->out);
    }
    str_add_char(&c->out, '\n');
    for (const int *p = s->columns; *p >= 0; p++) {
        unsigned column = (unsigned) *p;
        const struct db_datum *d = idl_row_datum(row, column);
        int ref = idl_column_ref_table(column, false);
        if (ref >= 0 && shown_table(ref)) {
            for (uint32_t i = 0; i < d->n; i++) {
                const struct idl_row *r = idl_row_by_uuid(v->idl, (unsigned) ref, &d->keys[i].uuid);
                if (r) {
                    show_row(v, c, r, level + 1);
                }
            }
        } else if (!db_datum_is_default(d, idl_column_type(column))) {
            str_add_chars(&c->out, ' ', (level + 1) * 4);
            str_addf(&c->out, "%s: ", idl_column_name(column));
            db_datum_format_text(d, idl_column_type(column), &c->out);
            str_add_char(&c->out, '\n');
        }
    }
}

static void
show(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_row *r;
    for (r = idl_table_first(v->idl, IDL_TABLE_OPEN_VSWITCH); r; r = idl_table_next(r)) {
        show_row(v, c, r, 0);
    }
}

const struct vsctl_syntax vsctl_show_syntax[] = {
    {"show", "", 0, 0, "", prepare, show, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
