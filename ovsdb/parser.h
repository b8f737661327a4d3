// SPDX-License-Identifier: Apache-2.0
// Reads the members of a JSON object, and says in the field's words which one is missing, wrong or too much.
#ifndef OVSDB_PARSER_H
#define OVSDB_PARSER_H 1

#include "ovsdb/value.h"

struct db_error;

enum db_parser_types {
    DB_P_NULL = 1,
    DB_P_BOOLEAN = 2,
    DB_P_OBJECT = 4,
    DB_P_ARRAY = 8,
    DB_P_INTEGER = 16,
    DB_P_NUMBER = 32,
    DB_P_STRING = 64,
    DB_P_ID = 128, // a string that is an identifier (RFC 7047 section 3.1)
    DB_P_ANY = 127,
    DB_P_OPTIONAL = 256
};

struct db_parser {
    struct db_value value;
    char *name; // NULL: operation number `nth` of `total`
    size_t nth, total;
    struct db_error *error; // the first one
    const char *used[16];
    size_t n_used;
};

void db_parser_init(struct db_parser *, struct db_value, const char *fmt, ...) FB_PRINTF(3, 4);
// The same, named "ovsdb operation NTH of TOTAL".
void db_parser_init_operation(struct db_parser *, struct db_value, size_t nth, size_t total);
// The member, or none (absent, or wrong: the error is noted).
struct db_value db_parser_member(struct db_parser *, const char *name, unsigned types);
static inline const json_t *
db_parser_json(struct db_parser *p, const char *name, unsigned types)
{
    return db_parser_member(p, name, types).json;
}
// As messages name what is parsed; good as long as the parser.
const char *db_parser_name(struct db_parser *);
void db_parser_fail(struct db_parser *, struct db_error *take);
bool db_parser_failed(const struct db_parser *);
// Ends: the first error, or one about members nobody asked for, or NULL.
struct db_error *db_parser_finish(struct db_parser *);
// Ends without looking.
void db_parser_abandon(struct db_parser *);
bool db_is_id(const char *);

#endif
