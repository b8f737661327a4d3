// SPDX-License-Identifier: Apache-2.0
// Tokens of JSON text, for fast readers that know what should come. A function that returns false
// says "not this", of text that is wrong as well as of text that is only unusual (\u0000, long
// numbers): the reader then leaves the text to a general parser, and the scan is of no use any
// more.
//
// Nothing here looks beyond the first character that cannot belong to a token. The text needs one
// such at its end: a NUL behind it, or the bracket that closes its value.
#ifndef LIB_BASE_JSON_SCAN_H
#define LIB_BASE_JSON_SCAN_H 1

#include "lib/base/str.h"
#include "lib/base/util.h"

struct scan {
    const char *p;   // what comes next
    struct str text; // of a string with escapes
};

void scan_destroy(struct scan *);

static inline void
scan_blanks(struct scan *s)
{
    while (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r') {
        s->p++;
    }
}

// Does the character stand for itself in a string? Not a quote, an escape, a control, a part of a
// longer one.
extern const bool scan_special[256];
static inline bool
scan_is_plain(char c)
{
    return !scan_special[(uint8_t) c];
}

// The next character that isn't a blank, if it is this one.
static inline bool
scan_char(struct scan *s, char c)
{
    if (*s->p != c) {
        scan_blanks(s);
        if (*s->p != c) {
            return false;
        }
    }
    s->p++;
    return true;
}

// A string of valid UTF-8; *text is good until the next one.
bool scan_string(struct scan *, const char **text, size_t *n);
// A string of less than `size` bytes and a colon: a member's name.
bool scan_name(struct scan *, char *name, size_t size);
bool scan_word(struct scan *, const char *word); // true, false, null
bool scan_boolean(struct scan *, bool *);
// Up to 18 digits. What follows may show that it was only the beginning of a number.
bool scan_integer(struct scan *, int64_t *);
// A number with a fraction, an exponent, or neither (*integral).
bool scan_number(struct scan *, double *, int64_t *, bool *integral);

#endif
