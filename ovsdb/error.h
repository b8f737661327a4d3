// SPDX-License-Identifier: Apache-2.0
// Database errors (RFC 7047 section 3.1 <error>): a code that programs test, details for people, the offending JSON.
#ifndef OVSDB_ERROR_H
#define OVSDB_ERROR_H 1

#include "ovsdb/value.h"

struct str;

struct db_error {
    char *code;    // "constraint violation", "syntax error", …
    char *details; // NULL: none
    char *syntax;  // JSON text the error is about; NULL: none
    int io_errno;  // for code "I/O error", else 0
};

struct db_error *db_error_new(const char *code, const char *fmt, ...) FB_PRINTF(2, 3);
// code NULL: "syntax error".
struct db_error *db_error_value(struct db_value, const char *code, const char *fmt, ...)
    FB_PRINTF(3, 4);
struct db_error *db_error_syntax(const json_t *, const char *code, const char *fmt, ...) FB_PRINTF(3, 4);
struct db_error *db_error_io(int error, const char *fmt, ...) FB_PRINTF(2, 3);
void db_error_free(struct db_error *); // NULL allowed
// Puts a sentence in front of the details: "context: details"; the code becomes `code` unless NULL.
struct db_error *db_error_wrap(struct db_error *take, const char *fmt, ...) FB_PRINTF(2, 3);
json_t *db_error_to_json(const struct db_error *);
// "syntax "…": code: details (strerror)", to free. db_error_take_text() frees the error too.
char *db_error_text(const struct db_error *);
char *db_error_take_text(struct db_error *take);

#endif
