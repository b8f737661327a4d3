// SPDX-License-Identifier: Apache-2.0
// A database on disk: first record the schema, each further record one transaction (ovsdb(5)).
// Compaction writes the whole state as one transaction into a new file, in a child process, while
// the old file goes on taking commits.
#ifndef OVSDB_FILE_H
#define OVSDB_FILE_H 1

#include <jansson.h>
#include <sys/types.h>

#include "lib/base/util.h"

struct db;
struct db_error;
struct db_file;
struct db_journal;
struct db_schema;
struct db_txn;
struct loop;

// Creates the file; it must not exist.
struct db_error *db_file_create(const char *path, const struct db_schema *, struct db_file **);
// Opens and reads. Damage behind the schema is a warning in the log, and the state before it
// counts; what is whole behind it is kept beside the file before the next commit takes its place.
// Records that as transactions would be refused are left out, and told in the log; a copy of the
// file is kept when compaction would drop them. write: locked, for db_file_commit().
struct db_error *db_file_open(const char *path, bool write, struct db **, struct db_file **);
// The same, but damage or a refused record is an error that says what is lost.
struct db_error *db_file_open_whole(const char *path, bool write, struct db **, struct db_file **);
void db_file_close(struct db_file *); // NULL allowed; waits for a compaction under way
const char *db_file_path(const struct db_file *);
off_t db_file_size(const struct db_file *);

// Keeps the persistent part of a transaction; nothing to keep is fine.
struct db_error *db_file_commit(struct db_file *, const struct db_txn *, bool durable);
// From now on commits to any file are on disk when they return, durable or not.
void db_file_set_always_durable(bool);
// Returns when all that was kept is on disk.
struct db_error *db_file_sync(struct db_file *) FB_MUST_CHECK;

// Writes schema (of db, or another) and state to a new file `path`, with this comment.
struct db_error *db_file_write_snapshot(const char *path, struct db *, const char *comment);
// Replaces the file's contents by the state of db, now; returns when it is on disk.
struct db_error *db_file_compact(struct db_file *, struct db *, const char *comment);
// The same without stopping: `done` is told from the loop. -EBUSY while one runs.
typedef void db_file_done(struct db_error *take, void *aux);
int db_file_compact_start(struct db_file *, struct db *, struct loop *, db_file_done *, void *aux);
// True when by the rules of ovsdb-server(1) it is time to compact.
bool db_file_wants_compaction(const struct db_file *);

#endif
