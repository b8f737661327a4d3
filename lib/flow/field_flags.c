// SPDX-License-Identifier: Apache-2.0
// Sets of named bits as text: TCP flags, connection states, tunnel flags.
#include "lib/flow/field_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

static const char *const tcp_names[] = {"fin", "syn", "rst", "psh", "ack",
                                        "urg", "ece", "cwr", "ns",  NULL};
static const char *const ct_names[] = {"new", "est",  "rel",  "rpl", "inv",
                                       "trk", "snat", "dnat", NULL};
static const char *const tun_names[] = {"df", "csum", "key", "oam", NULL};
static const char *const tun_public_names[] = {"oam", NULL};

const struct field_flags field_flags_tcp = {"TCP flag", tcp_names, 0xfff};
const struct field_flags field_flags_ct = {"ct_state flag", ct_names, 0xff};
const struct field_flags field_flags_tun = {"tunnel flag", tun_names, 0xf};
const struct field_flags field_flags_tun_public = {"tunnel flag", tun_public_names, 1};

static size_t
n_names(const struct field_flags *f)
{
    size_t n = 0;
    while (f->names[n]) {
        n++;
    }
    return n;
}

// The bit of a name of `len` characters, or 0.
static uint32_t
flag_by_name(const struct field_flags *f, const char *name, size_t len)
{
    const size_t n = n_names(f);
    for (size_t i = 0; i < n; i++) {
        if (strlen(f->names[i]) == len && !memcmp(f->names[i], name, len)) {
            return 1u << i;
        }
    }
    if (len >= 3 && name[0] == '[' && name[len - 1] == ']') {
        char *end;
        const unsigned long v = strtoul(name + 1, &end, 16);
        if (end == name + len - 1 && v <= UINT32_MAX && base_is_pow2(v) && v & f->all &&
            v >= 1ul << n) {
            return (uint32_t) v;
        }
    }
    return 0;
}

static char *
unknown(const struct field_flags *f, const char *text)
{
    return base_asprintf("%s: unknown %s(s)", text, f->what);
}

// "0x12" or "0x12/0x3f".
static char *
parse_numbers(const struct field_flags *f, const char *text, uint32_t *flags, uint32_t *mask)
{
    char *end;
    const unsigned long long value = strtoull(text, &end, 0);
    unsigned long long m = f->all;
    if (*end == '/' && isdigit((unsigned char) end[1])) {
        m = strtoull(end + 1, &end, 0);
    }
    if (*end || value & ~(unsigned long long) f->all || m & ~(unsigned long long) f->all) {
        return unknown(f, text);
    }
    *flags = (uint32_t) value;
    *mask = (uint32_t) m;
    return NULL;
}

// "+syn-ack": only these.
static char *
parse_signed(const struct field_flags *f, const char *text, uint32_t *flags, uint32_t *mask)
{
    *flags = *mask = 0;
    for (const char *p = text; *p;) {
        const bool on = *p++ == '+';
        const size_t len = strcspn(p, "+-");
        const uint32_t bit = flag_by_name(f, p, len);
        if (!bit) {
            char *name = base_strndup(p, len), *error = unknown(f, name);
            free(name);
            return error;
        }
        if (*mask & bit) {
            return base_asprintf("%.*s: Each %s can be specified only once", (int) len, p, f->what);
        }
        *mask |= bit;
        *flags |= on ? bit : 0;
        p += len;
    }
    return NULL;
}

// "syn|ack": these and no others.
static char *
parse_exact(const struct field_flags *f, const char *text, uint32_t *flags, uint32_t *mask)
{
    *flags = 0;
    *mask = f->all;
    for (const char *p = text; *p;) {
        const size_t len = strcspn(p, "|");
        const uint32_t bit = flag_by_name(f, p, len);
        if (!bit) {
            return unknown(f, text);
        }
        *flags |= bit;
        p += len;
        p += *p == '|';
    }
    return NULL;
}

char *
field_flags_parse(const struct field_flags *f, const char *text, uint32_t *flags, uint32_t *mask)
{
    if (*text == '+' || *text == '-') {
        return parse_signed(f, text, flags, mask);
    }
    return isdigit((unsigned char) *text) ? parse_numbers(f, text, flags, mask)
                                          : parse_exact(f, text, flags, mask);
}

static void
add_flag(const struct field_flags *f, unsigned bit, struct str *out)
{
    if (bit < n_names(f)) {
        str_add(out, f->names[bit]);
    } else {
        str_addf(out, "[%x]", 1u << bit);
    }
}

void
field_flags_list(const struct field_flags *f, uint32_t flags, char separator, struct str *out)
{
    if (!flags) {
        str_add_char(out, '0');
    }
    for (bool first = true; flags; flags &= flags - 1, first = false) {
        if (!first) {
            str_add_char(out, separator);
        }
        add_flag(f, (unsigned) __builtin_ctz(flags), out);
    }
}

void
field_flags_signed(const struct field_flags *f, uint32_t flags, uint32_t mask, struct str *out)
{
    for (; mask; mask &= mask - 1) {
        const unsigned bit = (unsigned) __builtin_ctz(mask);
        str_add_char(out, flags >> bit & 1 ? '+' : '-');
        add_flag(f, bit, out);
    }
}

void
field_flags_format(const struct field_flags *f, uint32_t flags, uint32_t mask, struct str *out)
{
    if ((mask & f->all) == f->all) {
        field_flags_list(f, flags, '|', out);
    } else {
        field_flags_signed(f, flags, mask, out);
    }
}
