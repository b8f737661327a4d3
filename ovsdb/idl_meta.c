// SPDX-License-Identifier: Apache-2.0
#include "ovsdb/idl_private.h"

#include "ovsdb/columns.h"

static struct idl_column columns[IDL_N_COLUMNS];
static struct idl_table_meta tables[IDL_N_TABLES];
static bool ready;

#define TABLE(id, name, root, max_rows, summary)
#define INDEX(id, ...)
#define COLUMN(id, name, arity, key, value, flags, summary) offsetof(struct idl_##id, name),
#define END(id)
static const size_t offsets[IDL_N_COLUMNS] = {
#include "ovsdb/columns.def"
};
#undef TABLE
#undef COLUMN
#undef END
#undef INDEX
#define TABLE(id, name, root, max_rows, summary) sizeof(struct idl_##id),
#define INDEX(id, ...)
#define COLUMN(id, name, arity, key, value, flags, summary)
#define END(id)
static const size_t row_sizes[IDL_N_TABLES] = {
#include "ovsdb/columns.def"
};

static int
table_by_id(const char *id)
{
    for (size_t i = 0; id && i < db_n_table_defs; i++) {
        if (!strcmp(db_table_defs[i].id, id)) {
            return (int) i;
        }
    }
    return -1;
}

static enum db_atomic
atomic_of(const struct db_col_base *b)
{
    switch (b->type) {
    case DB_COLT_INT:
        return DB_INTEGER;
    case DB_COLT_BOOL:
        return DB_BOOLEAN;
    case DB_COLT_STR:
        return DB_STRING;
    case DB_COLT_REF:
        return DB_UUID;
    case DB_COLT_NONE:
        break;
    }
    return DB_VOID;
}

static void
make_base(struct db_base *out, const struct db_col_base *b)
{
    db_base_init(out, atomic_of(b));
    if (b->has_min) {
        out->int_min = b->min;
    }
    if (b->has_max) {
        out->int_max = b->max;
    }
    if (b->enums) {
        struct db_type set;
        db_type_init(&set, DB_STRING);
        out->enum_ = base_malloc(sizeof *out->enum_);
        db_datum_init_empty(out->enum_);
        for (size_t i = 0; b->enums[i]; i++) {
            union db_atom a = {.string = db_string_new(b->enums[i], strlen(b->enums[i]))};
            db_datum_push(out->enum_, &a, NULL);
        }
        db_datum_sort(out->enum_, &set);
        db_type_destroy(&set);
    }
    if (b->ref) {
        out->ref_table = base_strdup(db_table_defs[table_by_id(b->ref)].name);
        out->ref_weak = b->weak;
    }
}

static void
make_column(struct idl_column *c, const struct db_col_def *def)
{
    c->name = def->name;
    c->mutable_ = !(def->flags & DB_COLF_IMMUTABLE);
    c->key_ref = table_by_id(def->key.ref);
    c->value_ref = table_by_id(def->value.ref);
    c->shape = def->value.type != DB_COLT_NONE ? IDL_SHAPE_MAP
               : def->n_max != 1               ? IDL_SHAPE_SET
               : def->n_min                    ? IDL_SHAPE_ONE
                                               : IDL_SHAPE_OPT;
    db_type_init(&c->type, atomic_of(&def->key));
    make_base(&c->type.key, &def->key);
    make_base(&c->type.value, &def->value);
    c->type.n_min = def->n_min;
    c->type.n_max = def->n_max ? def->n_max : DB_UNLIMITED;
    db_type_init(&c->wire, atomic_of(&def->key));
    db_base_init(&c->wire.value, atomic_of(&def->value));
    c->wire.n_min = 0;
    c->wire.n_max = c->type.n_max == 1 ? 1 : DB_UNLIMITED;
}

static void
init(void)
{
    unsigned id = 0;
    ready = true;
    for (unsigned t = 0; t < IDL_N_TABLES; t++) {
        const struct db_table_def *def = &db_table_defs[t];
        struct idl_table_meta *m = &tables[t];
        m->name = def->name;
        m->first = id;
        m->n = (unsigned) def->n_columns;
        m->row_size = row_sizes[t];
        m->is_root = def->root;
        m->key = -1;
        for (unsigned i = 0; i < m->n; i++, id++) {
            columns[id].table = t;
            columns[id].at = i;
            columns[id].offset = offsets[id];
            make_column(&columns[id], &def->columns[i]);
            if (def->index[0] && !def->index[1] && !strcmp(def->index[0], def->columns[i].name)) {
                m->key = (int) i;
            }
        }
    }
}

const struct idl_column *
idl_meta_column(unsigned column)
{
    if (!ready) {
        init();
    }
    return &columns[column];
}

const struct idl_table_meta *
idl_meta_table(unsigned table)
{
    if (!ready) {
        init();
    }
    return &tables[table];
}

const char *
idl_table_name(unsigned table)
{
    return idl_meta_table(table)->name;
}

unsigned
idl_table_first_column(unsigned table)
{
    return idl_meta_table(table)->first;
}

unsigned
idl_table_n_columns(unsigned table)
{
    return idl_meta_table(table)->n;
}

bool
idl_table_is_root(unsigned table)
{
    return idl_meta_table(table)->is_root;
}

const char *
idl_column_name(unsigned column)
{
    return idl_meta_column(column)->name;
}

unsigned
idl_column_table(unsigned column)
{
    return idl_meta_column(column)->table;
}

bool
idl_column_is_mutable(unsigned column)
{
    return idl_meta_column(column)->mutable_;
}

const struct db_type *
idl_column_type(unsigned column)
{
    return &idl_meta_column(column)->type;
}

int
idl_column_ref_table(unsigned column, bool of_value)
{
    const struct idl_column *c = idl_meta_column(column);
    return of_value ? c->value_ref : c->key_ref;
}
