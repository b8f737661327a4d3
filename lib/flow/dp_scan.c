// SPDX-License-Identifier: Apache-2.0
// The scanner of datapath text: literals, numbers, bracketed values, Geneve options.
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"

bool
dp_scan(const char **p, const char *literal)
{
    const size_t n = strlen(literal);
    if (strncmp(*p, literal, n)) {
        return false;
    }
    *p += n;
    return true;
}

bool
dp_scan_uint(const char **p, uint64_t max, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char) **p)) {
        return false;
    }
    errno = 0;
    const unsigned long long v = strtoull(*p, &end, 0);
    if (errno || v > max) {
        return false;
    }
    *out = v;
    *p = end;
    return true;
}

const char *
dp_scan_until(const char **p, const char *stop, size_t *len)
{
    const char *start = *p, *s = start;
    for (int depth = 0; *s && (depth || !strchr(stop, *s)); s++) {
        depth += strchr("([{", *s) != NULL;
        depth -= strchr(")]}", *s) != NULL;
        if (depth < 0) {
            break;
        }
    }
    *len = (size_t) (s - start);
    *p = s;
    return start;
}

static bool
scan_option(const char **p, struct str *wire)
{
    uint64_t class, type, len;
    uint8_t data[124];
    if (!dp_scan(p, "{class=") || !dp_scan_uint(p, UINT16_MAX, &class) || !dp_scan(p, ",type=") ||
        !dp_scan_uint(p, UINT8_MAX, &type) || !dp_scan(p, ",len=") ||
        !dp_scan_uint(p, sizeof data, &len) || len % 4) {
        return false;
    }
    memset(data, 0, sizeof data);
    if (dp_scan(p, ",")) {
        size_t n;
        const char *digits = dp_scan_until(p, "}", &n);
        if (field_parse_number(digits, n, data, len) != FIELD_NUMBER_OK) {
            return false;
        }
    }
    const uint8_t head[4] = {(uint8_t) (class >> 8), (uint8_t) class, (uint8_t) type,
                             (uint8_t) (len / 4)};
    str_add_n(wire, head, sizeof head);
    str_add_n(wire, data, len);
    return dp_scan(p, "}");
}

bool
dp_scan_geneve(const char **p, struct str *wire)
{
    while (**p == '{') {
        if (!scan_option(p, wire) || wire->len > 252) {
            return false;
        }
    }
    return true;
}
