// SPDX-License-Identifier: Apache-2.0
// Values of options of ofproto/trace. See trace_options.h.
#include "config.h"

#include "slowpath/trace_options.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/flow/field_text.h"

#define MAX_L7 64000 // bytes of made-up payload

enum { CT_NEW, CT_EST, CT_REL, CT_RPL, CT_INV, CT_TRK };
#define BIT(i) (UINT32_C(1) << (i))

// One word of a list, or NULL at its end.
static char *
take_word(const char **text)
{
    const char *from = *text + strspn(*text, ", ");
    const size_t len = strcspn(from, ", ");
    *text = from + len;
    return len ? base_asprintf("%.*s", (int) len, from) : NULL;
}

static bool
flag_of(const char *word, uint32_t *flags)
{
    for (size_t i = 0; field_flags_ct.names[i]; i++) {
        if (!strcmp(field_flags_ct.names[i], word)) {
            *flags |= BIT(i);
            return true;
        }
    }
    return false;
}

// Can a connection be in that state? NULL: it can.
static const char *
contradiction(uint32_t flags)
{
    if (flags && !(flags & BIT(CT_TRK))) {
        return "If \"trk\" is unset, no other flags are set";
    }
    if (flags & BIT(CT_INV) && flags & ~(BIT(CT_INV) | BIT(CT_TRK))) {
        return "when \"inv\" is set, only \"trk\" may also be set";
    }
    if (flags & BIT(CT_NEW) && flags & BIT(CT_EST)) {
        return "\"new\" and \"est\" are mutually exclusive";
    }
    if (flags & BIT(CT_NEW) && flags & BIT(CT_RPL)) {
        return "\"new\" and \"rpy\" are mutually exclusive";
    }
    return NULL;
}

static char *
check_ct_state(const char *text)
{
    uint32_t flags = 0;
    char *word;
    while ((word = take_word(&text))) {
        if (!flag_of(word, &flags)) {
            char *error = base_asprintf("%s: unknown connection tracking state flag", word);
            free(word);
            return error;
        }
        free(word);
    }
    const char *why = contradiction(flags);
    if (!why) {
        return NULL;
    }
    struct str s = STR_INIT;
    field_flags_list(&field_flags_ct, flags, '|', &s);
    char *error = base_asprintf("%s: invalid connection state: %s", str_get(&s), why);
    str_free(&s);
    return error;
}

static char *
check_payload(const char *hex)
{
    size_t digits = 0;
    for (; *hex; hex++) {
        if (!isxdigit((unsigned char) *hex) &&
            !(digits % 2 == 0 && isspace((unsigned char) *hex))) {
            break;
        }
        digits += isxdigit((unsigned char) *hex) != 0;
    }
    return *hex || digits % 2 ? base_strdup("Trailing garbage in packet data") : NULL;
}

static char *
check_length(const char *text)
{
    const long n = strtol(text, NULL, 10);
    return n < 0 || n > MAX_L7 ? base_asprintf("%s: too much L7 data", text) : NULL;
}

bool
sp_trace_option(const char *name, const char *value, char **error)
{
    static const struct {
        const char *name;
        char *(*check)(const char *value);
    } options[] = {
        {"--ct-next", check_ct_state}, {"--l7", check_payload}, {"--l7-len", check_length}};
    *error = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (!strcmp(options[i].name, name)) {
            *error = value ? options[i].check(value)
                           : base_asprintf("Missing argument for option %s", name);
            return true;
        }
    }
    return false;
}
