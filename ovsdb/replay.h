// SPDX-License-Identifier: Apache-2.0
// What a database file's records do to the rows: quickly, each believed, or one by one as
// transactions, when something in the file doesn't hold.
#ifndef OVSDB_REPLAY_H
#define OVSDB_REPLAY_H 1

#include <jansson.h>

#include "lib/base/util.h"

struct db;
struct db_error;

// A record applied to rows, unchecked: references and indexes wait for db_replay_settle(), and
// after an error the rows are in no state to go on with. strict: unknown tables and columns are
// errors, else they are left out.
struct db_error *db_replay_apply(struct db *, const json_t *record, bool strict) FB_MUST_CHECK;
// False: a difference has given some column a number of elements that its type doesn't allow.
bool db_replay_sizes_hold(const struct db *);
// After the last of these: counts references, and says what a transaction would have been refused
// for. NULL: as transactions would have left it, except for rows nobody refers to.
struct db_error *db_replay_settle(struct db *) FB_MUST_CHECK;

// A record as a transaction, checked; an error: the rows are as before. Instead of the two above.
// Rows nobody refers to stay, unless it would be refused because of them.
struct db_error *db_replay_commit(struct db *, const json_t *record) FB_MUST_CHECK;

// Rows nobody refers to go away, in memory only: those that an ephemeral column referred to, which
// later records may still tell of. Hence not before the last record, if it can be helped.
void db_replay_collect(struct db *);

#endif
