// SPDX-License-Identifier: Apache-2.0
// Errors as objects: made where something is wrong, carried up, turned into JSON or a sentence at the edge.
#include "ovsdb/error.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "ovsdb/data.h"

static struct db_error *FB_PRINTF(2, 0)
error_newv(const char *code, const char *fmt, va_list args)
{
    struct db_error *e = base_calloc(1, sizeof *e);
    e->code = base_strdup(code);
    if (fmt) {
        struct str s = STR_INIT;
        str_addv(&s, fmt, args);
        e->details = str_take(&s);
    }
    return e;
}

struct db_error *
db_error_new(const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct db_error *e = error_newv(code, fmt, args);
    va_end(args);
    return e;
}

static struct db_error *FB_PRINTF(3, 0)
    syntaxv(struct db_value v, const char *code, const char *fmt, va_list args)
{
    struct db_error *e = error_newv(code ? code : "syntax error", fmt, args);
    if (!db_value_is_none(v)) {
        struct str s = STR_INIT;
        db_value_write(v, &s);
        e->syntax = str_take(&s);
    }
    return e;
}

struct db_error *
db_error_value(struct db_value v, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct db_error *e = syntaxv(v, code, fmt, args);
    va_end(args);
    return e;
}

struct db_error *
db_error_syntax(const json_t *json, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct db_error *e = syntaxv(db_value_of(json), code, fmt, args);
    va_end(args);
    return e;
}

struct db_error *
db_error_io(int error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct db_error *e = error_newv("I/O error", fmt, args);
    va_end(args);
    e->io_errno = error < 0 ? -error : error;
    return e;
}

void
db_error_free(struct db_error *e)
{
    if (e) {
        free(e->code);
        free(e->details);
        free(e->syntax);
        free(e);
    }
}

struct db_error *
db_error_wrap(struct db_error *e, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;
    va_start(args, fmt);
    str_addv(&s, fmt, args);
    va_end(args);
    if (e->details) {
        str_addf(&s, ": %s", e->details);
    }
    free(e->details);
    e->details = str_take(&s);
    return e;
}

json_t *
db_error_to_json(const struct db_error *e)
{
    json_t *j = json_object();
    json_object_set_new(j, "error", json_string(e->code));
    if (e->details) {
        json_object_set_new(j, "details", json_string(e->details));
    }
    if (e->syntax) {
        json_object_set_new(j, "syntax", json_string(e->syntax));
    }
    if (e->io_errno) {
        json_object_set_new(j, "io-error", json_string(base_strerror(e->io_errno)));
    }
    return j;
}

char *
db_error_text(const struct db_error *e)
{
    struct str s = STR_INIT;
    if (e->syntax) {
        str_addf(&s, "syntax \"%s\": ", e->syntax);
    }
    str_add(&s, e->code);
    if (e->details) {
        str_addf(&s, ": %s", e->details);
    }
    if (e->io_errno) {
        str_addf(&s, " (%s)", base_strerror(e->io_errno));
    }
    return str_take(&s);
}

char *
db_error_take_text(struct db_error *e)
{
    char *s = db_error_text(e);
    db_error_free(e);
    return s;
}
