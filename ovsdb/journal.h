// SPDX-License-Identifier: Apache-2.0
// Database files (ovsdb(5)): a sequence of records, each a line "OVSDB JSON LENGTH SHA1" and LENGTH
// bytes of JSON with a newline. A record that is cut off or damaged ends the file: what comes after
// it was never acknowledged, or cannot be told from noise; the next append overwrites it. If
// further records seem to follow, the file as it was is kept as "FILE.damaged" first.
#ifndef OVSDB_JOURNAL_H
#define OVSDB_JOURNAL_H 1

#include <jansson.h>
#include <sys/types.h>

#include "lib/base/util.h"

struct db_error;
struct db_journal;
struct str;

enum db_journal_mode {
    DB_JOURNAL_READ,
    DB_JOURNAL_WRITE,   // existing file, locked against other writers
    DB_JOURNAL_CREATE,  // new file, locked
    DB_JOURNAL_REPLACE, // new or emptied file, without a lock of its own
    DB_JOURNAL_CONTINUE // existing file, without a lock of its own
};

struct db_error *db_journal_open(const char *path, enum db_journal_mode, struct db_journal **);
void db_journal_close(struct db_journal *); // NULL allowed
// Next record. NULL with *json NULL: the end. An error: the file is damaged from here on.
struct db_error *db_journal_read(struct db_journal *, json_t **json);
// The same in two steps: the record as text (text[len] is NUL; good until the next call), NULL at
// the end; and its JSON.
struct db_error *db_journal_read_text(struct db_journal *, const char **text, size_t *len);
struct db_error *db_journal_parse(struct db_journal *, const char *text, size_t len, json_t **);
// Adds to such an error what is lost with it; n: whole transactions before.
struct db_error *db_journal_tell_loss(const struct db_journal *, struct db_error *take, size_t n);
// Begins again with the first record.
struct db_error *db_journal_rewind(struct db_journal *) FB_MUST_CHECK;
// Gives the file a second name, "FILE.WHY" (with a number, if there is one already); *name: to
// free.
struct db_error *db_journal_keep(const struct db_journal *, const char *why,
                                 char **name) FB_MUST_CHECK;
// Forgets the record read last (its contents make no sense): appends overwrite it and all behind
// it.
void db_journal_unread(struct db_journal *);
// Forgets what was appended behind `end`.
void db_journal_take_back(struct db_journal *, off_t end);
// Do whole records seem to follow damage? The next append would keep a copy.
bool db_journal_is_damaged(const struct db_journal *);
// Goes behind the last byte without reading: for a file this program has just written.
struct db_error *db_journal_seek_end(struct db_journal *);
// Appends one record; text is JSON without the newline. All or nothing.
struct db_error *db_journal_append(struct db_journal *, const char *text, size_t len);
// Appends whole records in the file's form.
struct db_error *db_journal_append_raw(struct db_journal *, const char *records, size_t len);
// The record as it stands in the file.
void db_journal_format(const char *text, size_t len, struct str *out);
// What was appended is on disk, under the name the journal has.
struct db_error *db_journal_sync(struct db_journal *);
off_t db_journal_size(const struct db_journal *); // end of the last good record
// The file takes the name (and the lock) of another one, which closes. The name is on disk once
// the journal is synced, or the directory is and the journal is told.
struct db_error *db_journal_take_place(struct db_journal *new, struct db_journal *old_take);
struct db_error *db_journal_sync_directory(const char *path); // of the file
void db_journal_name_is_synced(struct db_journal *);
int db_journal_fd(const struct db_journal *);
const char *db_journal_path(const struct db_journal *);
// Kind of file: reads its first line. "standalone", "clustered", or an error.
struct db_error *db_journal_kind(const char *path, const char **kind);

#endif
