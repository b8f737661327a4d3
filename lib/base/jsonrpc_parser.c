// SPDX-License-Identifier: Apache-2.0
// Splits a byte stream into JSON values. A small automaton finds where a value ends (outside of
// strings, when the brackets balance); a fast reader then parses it, or jansson, without a copy
// when it came in one piece.
#include <errno.h>
#include <stdlib.h>

#include "lib/base/jsonrpc.h"
#include "lib/base/jsonrpc_value.h"
#include "lib/base/str.h"

#define MAX_DEPTH 1000
#define KEEP (16 * 1024) // bytes of room for what comes in pieces, while nothing does

struct jsonrpc_parser {
    struct str partial; // of a value that came in pieces
    size_t limit;       // bytes of a value
    int depth;
    bool in_string, escaped;
    bool gone; // what is in `partial` has been handed out
};

struct jsonrpc_parser *
jsonrpc_parser_new(void)
{
    struct jsonrpc_parser *p = base_calloc(1, sizeof *p);
    p->limit = JSONRPC_MAX_MESSAGE;
    return p;
}

void
jsonrpc_parser_set_limit(struct jsonrpc_parser *p, size_t bytes)
{
    p->limit = bytes;
}

void
jsonrpc_parser_free(struct jsonrpc_parser *p)
{
    if (p) {
        str_free(&p->partial);
        free(p);
    }
}

static size_t
skip_blanks(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t')) {
        i++;
    }
    return i;
}

// True for the bytes that matter to the automaton, outside and inside strings.
static const unsigned char special[256] = {
    ['"'] = 3, ['\\'] = 2, ['{'] = 1, ['}'] = 1, ['['] = 1, [']'] = 1,
};

// Returns bytes up to and with the end of the value (*done), or n.
static size_t
scan(struct jsonrpc_parser *p, const char *s, size_t n, bool *done)
{
    size_t i = 0;
    if (p->escaped && n) {
        p->escaped = false;
        i = 1;
    }
    while (i < n) {
        unsigned char mask = p->in_string ? 2 : 1;
        while (i < n && !(special[(unsigned char) s[i]] & mask)) {
            i++;
        }
        if (i == n) {
            break;
        }
        char c = s[i++];
        if (c == '"') {
            p->in_string = !p->in_string;
        } else if (c == '\\') {
            if (i == n) {
                p->escaped = true;
                break;
            }
            i++;
        } else if (c == '{' || c == '[') {
            if (++p->depth > MAX_DEPTH) {
                break;
            }
        } else if (!--p->depth) {
            *done = true;
            break;
        }
    }
    return i;
}

static size_t
span(const char *s, size_t n, const char *set)
{
    size_t i = 0;
    while (i < n && s[i] && strchr(set, s[i])) {
        i++;
    }
    return i;
}

static bool
overflows(const char *s, size_t n)
{
    char *text = base_strndup(s, n);
    errno = 0;
    strtoll(text, NULL, 10);
    free(text);
    return errno == ERANGE;
}

// Integers beyond 64 bits become reals, as RFC 7047 peers expect: "1…0" is written "1…0e0".
static void
make_reals(const char *s, size_t n, struct str *out)
{
    bool in_string = false;
    for (size_t i = 0; i < n;) {
        const size_t len = in_string ? 0 : span(s + i, n - i, "-+.0123456789eE");
        if (len) {
            const bool integer = span(s + i, len, "-0123456789") == len;
            str_add_n(out, s + i, len);
            if (integer && overflows(s + i, len)) {
                str_add(out, "e0");
            }
            i += len;
            continue;
        }
        in_string ^= s[i] == '"';
        if (in_string && s[i] == '\\' && i + 1 < n) {
            str_add_char(out, s[i++]);
        }
        str_add_char(out, s[i++]);
    }
}

json_t *
jsonrpc_parser_value(const char *s, size_t n, const char **error)
{
    json_error_t e;
    *error = NULL;
    json_t *value = jsonrpc_read_value(s, n);
    if (value) {
        return value;
    }
    value = json_loadb(s, n, 0, &e);
    if (!value && json_error_code(&e) == json_error_numeric_overflow) {
        struct str reals = {0};
        make_reals(s, n, &reals);
        value = json_loadb(reals.p, reals.len, 0, &e);
        str_free(&reals);
    }
    if (!value) {
        *error = json_error_code(&e) == json_error_null_character
                     ? "null bytes are not supported in JSON strings"
                     : "syntax error in JSON";
    }
    return value;
}

bool
jsonrpc_parser_is_between(const struct jsonrpc_parser *p)
{
    return !p->depth;
}

void
jsonrpc_parser_forget(struct jsonrpc_parser *p)
{
    if (p->gone && p->partial.cap > KEEP) {
        str_free(&p->partial);
    } else if (p->gone) {
        str_clear(&p->partial);
    }
    p->gone = false;
}

size_t
jsonrpc_parser_split(struct jsonrpc_parser *p, const char *data, size_t len,
                     struct jsonrpc_text *text, const char **error)
{
    *text = (struct jsonrpc_text){NULL, 0};
    *error = NULL;
    size_t start = 0;
    jsonrpc_parser_forget(p);
    if (!p->depth) {
        start = skip_blanks(data, len);
        if (start == len) {
            return len;
        }
        if (data[start] != '{' && data[start] != '[') {
            *error = "syntax error at beginning of input";
            return start;
        }
    }
    bool done = false;
    size_t n = scan(p, data + start, len - start, &done);
    if (p->depth > MAX_DEPTH) {
        *error = "input exceeds maximum nesting depth 1000";
        p->depth = 0;
    } else if (p->partial.len + n > p->limit) {
        *error = "input is longer than any message may be";
        p->depth = 0;
        p->in_string = p->escaped = false;
        str_free(&p->partial);
        return start + n;
    } else if (!done || p->partial.len) {
        str_add_n(&p->partial, data + start, n);
    }
    if (done && p->partial.len) {
        *text = (struct jsonrpc_text){p->partial.p, p->partial.len};
        p->gone = true;
    } else if (done) {
        *text = (struct jsonrpc_text){data + start, n};
    }
    return start + n;
}

size_t
jsonrpc_parser_feed(struct jsonrpc_parser *p, const char *data, size_t len, json_t **value,
                    const char **error)
{
    struct jsonrpc_text text;
    const size_t used = jsonrpc_parser_split(p, data, len, &text, error);
    *value = text.p ? jsonrpc_parser_value(text.p, text.n, error) : NULL;
    jsonrpc_parser_forget(p);
    return used;
}
