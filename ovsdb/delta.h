// SPDX-License-Identifier: Apache-2.0
// Differences between two values of a column. A set or map that may be large
// (db_type_is_composite()) changes by what left it and what came; other columns by their old value.
// Differences in sequence compose, so that a row's way from any past state to the present is one
// difference.
#ifndef OVSDB_DELTA_H
#define OVSDB_DELTA_H 1

#include "ovsdb/data.h"

struct db_delta {
    unsigned column;
    struct db_datum
        removed; // composite: elements that left (maps: with their old values); else: the old value
    struct db_datum added; // composite: elements that came; else empty
};

void db_delta_destroy(struct db_delta *, const struct db_type *);
// Difference of two values of a composite column.
void db_delta_between(struct db_delta *, const struct db_datum *old, const struct db_datum *new,
                      const struct db_type *);
// Nothing has changed (composite). Others: compare `removed` with the new value.
bool db_delta_is_empty(const struct db_delta *, const struct db_datum *new, const struct db_type *);
// An element left or came (atoms are copied; value NULL: a set).
void db_delta_remove(struct db_delta *, const struct db_type *, const union db_atom *key,
                     const union db_atom *value);
void db_delta_add(struct db_delta *, const struct db_type *, const union db_atom *key,
                  const union db_atom *value);
// first becomes first-then-second.
void db_delta_compose(struct db_delta *first, const struct db_delta *second,
                      const struct db_type *);
// Value from before: *old is made from the new one.
void db_delta_old(const struct db_delta *, const struct db_datum *new, const struct db_type *,
                  struct db_datum *old);
// Takes the difference back in place.
void db_delta_undo(struct db_delta *, struct db_datum *, const struct db_type *);
// The difference as RFC 7047's extension and the file write it: elements in one of both values,
// changed pairs with their new value. Shares atoms with the delta: destroy it.
void db_delta_symmetric(const struct db_delta *, const struct db_type *, struct db_datum *);
// Applies such a difference to a composite value.
void db_delta_apply_symmetric(struct db_datum *, const struct db_datum *diff,
                              const struct db_type *);

#endif
