// SPDX-License-Identifier: Apache-2.0
// OpenFlow port numbers as text: keywords of reserved ports, numbers of OpenFlow 1.0 (16 bits) and
// later ones, and names of a bridge's ports, in double quotes where they aren't words.
#include "lib/flow/field.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/str.h"

#define OFP_MAX 0xffffff00u // first reserved number
#define OFP10_MAX 0xff00u   // the same in OpenFlow 1.0
#define OFP10_TO_OFP 0xffff0000u

static const struct {
    const char *name;
    uint32_t port;
} reserved[] = {
    {"UNSET", 0xfffffff7},      {"IN_PORT", 0xfffffff8}, {"TABLE", 0xfffffff9},
    {"NORMAL", 0xfffffffa},     {"FLOOD", 0xfffffffb},   {"ALL", 0xfffffffc},
    {"CONTROLLER", 0xfffffffd}, {"LOCAL", 0xfffffffe},   {"ANY", 0xffffffff},
    {"NONE", 0xffffffff},
};

static bool
parse_number(const char *text, uint32_t *port)
{
    char *end;
    if (!isdigit((unsigned char) text[0]) && text[0] != '+') {
        return false;
    }
    const uint64_t n = strtoull(text, &end, 10);
    if (*end || n > UINT32_MAX || (n > UINT16_MAX && n < OFP_MAX)) {
        return false;
    }
    *port = (uint32_t) (n >= OFP10_MAX && n <= UINT16_MAX ? n + OFP10_TO_OFP : n);
    return true;
}

// The string inside double quotes, with JSON's simple escapes. NULL: not such a string.
static char *
unquote(const char *text)
{
    struct str s = STR_INIT;
    for (const char *p = text + 1; *p; p++) {
        if (*p == '"' && !p[1]) {
            return str_take(&s);
        }
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\' || p[1] == '/')) {
            p++;
        } else if (*p == '"' || *p == '\\') {
            break;
        }
        str_add_char(&s, *p);
    }
    str_free(&s);
    return NULL;
}

bool
field_parse_port(const char *text, const struct field_port_names *names, uint32_t *ofp_port)
{
    if (text[0] == '"') {
        char *name = unquote(text);
        const bool found = name && names && names->port && names->port(name, ofp_port, names->aux);
        free(name);
        return found;
    }
    if (parse_number(text, ofp_port)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (!strcasecmp(text, reserved[i].name)) {
            *ofp_port = reserved[i].port;
            return true;
        }
    }
    return names && names->port && names->port(text, ofp_port, names->aux);
}

static bool
is_word(const char *s)
{
    if (!isalpha((unsigned char) *s) && *s != '_') {
        return false;
    }
    for (; *s; s++) {
        if (!isalnum((unsigned char) *s) && !strchr("_-.", *s)) {
            return false;
        }
    }
    return true;
}

void
field_format_port(uint32_t ofp_port, const struct field_port_names *names, struct str *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (reserved[i].port == ofp_port) {
            str_add(out, reserved[i].name);
            return;
        }
    }
    const char *name = names && names->name ? names->name(ofp_port, names->aux) : NULL;
    if (!name) {
        str_addf(out, "%u", ofp_port >= OFP_MAX ? ofp_port - OFP10_TO_OFP : ofp_port);
    } else if (is_word(name)) {
        str_add(out, name);
    } else {
        str_add_char(out, '"');
        for (; *name; name++) {
            if (*name == '"' || *name == '\\') {
                str_add_char(out, '\\');
            }
            str_add_char(out, *name);
        }
        str_add_char(out, '"');
    }
}
