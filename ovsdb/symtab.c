// SPDX-License-Identifier: Apache-2.0
// Names of rows that don't exist yet.
#include <stdlib.h>

#include "lib/base/hash.h"
#include "ovsdb/data.h"

void
db_symtab_init(struct db_symtab *t)
{
    hmap_init(&t->symbols);
}

void
db_symtab_destroy(struct db_symtab *t)
{
    struct db_symbol *s;
    HMAP_FOR_EACH_SAFE (s, by_name, &t->symbols) {
        hmap_remove(&t->symbols, &s->by_name);
        free(s->name);
        free(s);
    }
    hmap_destroy(&t->symbols);
}

struct db_symbol *
db_symtab_find(const struct db_symtab *t, const char *name)
{
    struct db_symbol *s;
    HMAP_FOR_EACH_HASH (s, by_name, hash_string(name, 0), &t->symbols) {
        if (!strcmp(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

struct db_symbol *
db_symtab_intern(struct db_symtab *t, const char *name)
{
    struct db_symbol *s = db_symtab_find(t, name);
    if (!s) {
        s = base_calloc(1, sizeof *s);
        s->name = base_strdup(name);
        uuid_generate(&s->uuid);
        hmap_insert(&t->symbols, &s->by_name, hash_string(name, 0));
    }
    return s;
}
