// SPDX-License-Identifier: Apache-2.0
// A database file, as the functions that write it and the compaction in the background share it.
#ifndef OVSDB_FILE_PRIV_H
#define OVSDB_FILE_PRIV_H 1

#include <sys/types.h>

#include "lib/base/str.h"
#include "ovsdb/file.h"

struct db_compaction;

struct db_file {
    struct db_journal *journal;
    unsigned n_commits;               // since the last compaction
    unsigned n_refused;               // records of the file that were left out
    off_t base_size;                  // after the last compaction
    int64_t compacted;                // ms, when
    struct db_compaction *compaction; // under way, or NULL
    struct str text;                  // record under construction
};

// Where the next file is written; to free.
char *db_file_temporary_name(const struct db_file *);
// The journal of the temporary file, which is on disk, takes the place of the file's.
struct db_error *db_file_replace_journal(struct db_file *, struct db_journal *new_take,
                                         off_t base_size);

// A record that was appended to the old file; compaction NULL: nothing to do.
void db_compaction_note(struct db_compaction *, const char *text, size_t len, bool durable);
// What was noted has to be on disk by now: in the new file, too, before it takes the place of the
// old one.
void db_compaction_note_sync(struct db_compaction *);
// Waits for the end of a compaction, if one is under way.
void db_compaction_settle(struct db_file *);

#endif
