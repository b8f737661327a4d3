// SPDX-License-Identifier: Apache-2.0
// Fast reader of a database file's records: from the text straight to rows, without a tree of JSON
// values between. It knows the records that servers write and gives up at all others, however
// little is wrong or unusual; db_replay_apply() is the judge of those, and has the words for
// errors.
#ifndef OVSDB_RECORD_H
#define OVSDB_RECORD_H 1

#include <stddef.h>

#include "lib/base/util.h"

struct db;
struct db_record_reader;

struct db_record_reader *db_record_reader_new(struct db *);
void db_record_reader_free(struct db_record_reader *);
// Applies the record (n bytes, text[n] is NUL) to the rows: true. False: the rows are as before,
// and the text may mean anything.
bool db_record_apply(struct db_record_reader *, const char *text, size_t n) FB_MUST_CHECK;
// False: a difference has given some column a number of elements that its type doesn't allow.
bool db_record_sizes_hold(const struct db_record_reader *);

#endif
