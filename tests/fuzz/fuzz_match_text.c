// SPDX-License-Identifier: Apache-2.0
// Any text as a match, a key, a part of a field and each field's value: parsing never reads past
// the end, and what was understood is understood again from what it prints as.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_match(const char *text)
{
    struct flow_match m, back;
    struct str out = STR_INIT;
    char *error = match_parse(&m, text, NULL);
    if (!error) {
        match_check(&m);
        match_format(&m, NULL, 5, &out);
        str_clear(&out);
        // What lacks its prerequisites prints under other names.
        match_normalize(&m);
        match_format(&m, NULL, -1, &out);
        error = match_parse(&back, str_get(&out), NULL); // may fail: gtpu_flags prints under a name that isn't read
    }
    free(error);
    str_free(&out);
}

static void
try_key(const char *text)
{
    struct flow_key k;
    struct str out = STR_INIT;
    char *error = match_parse_key(&k, text, NULL);
    if (!error) {
        match_format_key(&k, NULL, &out);
    }
    free(error);
    str_free(&out);
}

static void
try_value(const struct field_info *f, const char *text)
{
    union field_value value, mask, value2, mask2;
    struct str out = STR_INIT;
    char *error = field_parse(f, text, NULL, &value, &mask);
    if (!error && !field_value_is_zero(f, &mask)) {
        field_format(f, &value, &mask, NULL, &out);
        char *again = field_parse(f, str_get(&out), NULL, &value2, &mask2);
        if (again || memcmp(&value, &value2, sizeof value)) {
            abort();
        }
    }
    free(error);
    str_free(&out);
}

static void
try_subfield(const char *text)
{
    struct subfield sf;
    struct str out = STR_INIT;
    const char *p = text;
    char *error = subfield_parse(&p, &sf);
    if (!error) {
        struct subfield again;
        subfield_format(&sf, &out);
        p = str_get(&out);
        error = subfield_parse(&p, &again);
        if (error || memcmp(&sf, &again, sizeof sf)) {
            abort();
        }
    }
    free(error);
    str_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = base_strndup((const char *) data, size);
    try_match(text);
    try_key(text);
    try_subfield(text);
    const char *eq = strchr(text, '=');
    const struct field_info *f = eq ? field_by_name(text, (size_t) (eq - text)) : NULL;
    if (f) {
        try_value(f, eq + 1);
    }
    free(text);
    return 0;
}
