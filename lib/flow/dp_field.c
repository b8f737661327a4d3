// SPDX-License-Identifier: Apache-2.0
// One field of datapath flow text: its names, and its value with a mask.
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"
#include "lib/net/packet_headers.h"

#define ODP(group, member)                                                                         \
    {                                                                                              \
        group, member, group, member                                                               \
    }
#define ODP_EITHER(g4, m4, g6, m6)                                                                 \
    {                                                                                              \
        g4, m4, g6, m6                                                                             \
    }
#define ODP_NONE                                                                                   \
    {                                                                                              \
        NULL, NULL, NULL, NULL                                                                     \
    }
static const struct {
    const char *group4, *member4, *group6, *member6;
} names[FIELD_COUNT] = {
#define FIELD(ID, NAME_, AT_, RULES_, OXM_, KERNEL_, FLOWER_, PEDIT_, ODP_) [FIELD_##ID] = ODP_,
#include "lib/flow/fields.def"
#undef FIELD
};

const char *
dp_field_group(enum field_id id, bool v6)
{
    return v6 ? names[id].group6 : names[id].group4;
}

const char *
dp_field_member(enum field_id id, bool v6)
{
    return v6 ? names[id].member6 : names[id].member4;
}

// Significant bits of the member: those of the OpenFlow value where the member is wider (ICMP
// types), and the other way round (ARP operations).
static unsigned
n_bits(const struct field_info *f)
{
    return MIN(f->n_bits, f->width);
}

static uint64_t
ones(unsigned n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

static uint64_t
get(const struct field_info *f, const void *base)
{
    const uint8_t *p = (const uint8_t *) base + f->offset;
    uint64_t v = 0;
    for (size_t i = 0; i < f->size; i++) {
        v = v << 8 | p[i];
    }
    return v >> f->shift & ones(f->width);
}

static void
put(const struct field_info *f, void *base, uint64_t value)
{
    uint8_t *p = (uint8_t *) base + f->offset;
    const uint64_t bits = ones(f->width);
    uint64_t v = 0;
    for (size_t i = 0; i < f->size; i++) {
        v = v << 8 | p[i];
    }
    v = (v & ~(bits << f->shift)) | (value & bits) << f->shift;
    for (size_t i = f->size; i-- > 0; v >>= 8) {
        p[i] = (uint8_t) v;
    }
}

static bool
is_big(const struct field_info *f)
{
    return f->size > 8;
}

bool
dp_field_is_used(enum field_id id, const struct flow_mask *mask)
{
    const struct field_info *f = field_get(id);
    if (is_big(f)) {
        const uint8_t *p = (const uint8_t *) mask + f->offset;
        for (size_t i = 0; i < f->size; i++) {
            if (p[i]) {
                return true;
            }
        }
        return false;
    }
    return get(f, mask) & ones(n_bits(f));
}

static bool
is_hex(const struct field_info *f)
{
    return f->format == FIELD_FMT_HEX || f->id == FIELD_NW_TOS || f->id == FIELD_TUN_TOS ||
           f->id == FIELD_RECIRC_ID;
}

static void
format_number(const struct field_info *f, uint64_t value, uint64_t mask, struct str *out)
{
    const uint64_t all = ones(n_bits(f));
    const bool padded = f->id == FIELD_ND_RESERVED || f->id == FIELD_NSH_SPI ||
                        (f->id >= FIELD_NSH_C1 && f->id <= FIELD_NSH_C4); // "0x0"
    str_addf(out,
             padded      ? "0x%llx"
             : is_hex(f) ? "%#llx"
                         : "%llu",
             (unsigned long long) (value & all));
    if ((mask & all) != all) {
        str_addf(out, "/%#llx", (unsigned long long) (mask & all));
    }
}

// Unlike OpenFlow's, datapath text doesn't shorten masks to prefixes.
static void
format_address(const struct field_info *f, const uint8_t *value, const uint8_t *mask,
               struct str *out)
{
    const bool exact = field_prefix_len(mask, f->size) == f->size * 8;
    for (int i = 0; i < (exact ? 1 : 2); i++) {
        const uint8_t *p = i ? mask : value;
        struct mac mac;
        be32_t ip;
        if (i) {
            str_add_char(out, '/');
        }
        switch (f->format) {
        case FIELD_FMT_ETHERNET:
            memcpy(&mac, p, sizeof mac);
            str_add_mac(out, &mac);
            break;
        case FIELD_FMT_IPV4:
            memcpy(&ip, p, sizeof ip);
            str_add_ip4(out, ip);
            break;
        case FIELD_FMT_IPV6:
            str_add_ip6(out, p);
            break;
        default:
            field_format_hex(p, f->size, out);
            break;
        }
    }
}

void
dp_field_format(enum field_id id, const struct flow_key *key, const struct flow_mask *mask,
                struct str *out)
{
    const struct field_info *f = field_get(id);
    const uint8_t *k = (const uint8_t *) key + f->offset, *m = (const uint8_t *) mask + f->offset;
    switch (f->format) {
    case FIELD_FMT_ETHERNET:
    case FIELD_FMT_IPV4:
    case FIELD_FMT_IPV6:
        format_address(f, k, m, out);
        break;
    case FIELD_FMT_FRAG:
        field_format_frag((uint8_t) get(f, key), 3, out);
        break;
    case FIELD_FMT_TCP_FLAGS:
        field_flags_format(&field_flags_tcp, (uint32_t) get(f, key),
                           (uint32_t) get(f, mask) & 0xfff, out);
        break;
    default:
        if (is_big(f)) {
            format_address(f, k, m, out);
        } else {
            format_number(f, get(f, key), get(f, mask), out);
        }
        break;
    }
}

static bool
parse_part(const struct field_info *f, const char *s, size_t len, uint8_t *out)
{
    struct mac mac;
    be32_t ip;
    switch (f->format) {
    case FIELD_FMT_ETHERNET:
        return field_parse_mac(s, len, &mac) && memcpy(out, &mac, sizeof mac);
    case FIELD_FMT_IPV4:
        return field_parse_ip4(s, len, &ip) && memcpy(out, &ip, sizeof ip);
    case FIELD_FMT_IPV6:
        return field_parse_ip6(s, len, out);
    default:
        return field_parse_number(s, len, out, f->size) == FIELD_NUMBER_OK;
    }
}

static bool
parse_flags(const struct field_info *f, const char *text, size_t len, struct flow_match *m)
{
    char *copy = base_strndup(text, len);
    uint32_t flags, mask;
    char *error = field_flags_parse(&field_flags_tcp, copy, &flags, &mask);
    free(copy);
    free(error);
    if (error) {
        return false;
    }
    put(f, &m->key, flags & mask);
    put(f, &m->mask, mask);
    return true;
}

static bool
parse_frag(const struct field_info *f, const char *text, size_t len, struct flow_match *m)
{
    uint8_t value, mask;
    char *copy = base_strndup(text, len);
    const bool ok = field_parse_frag(copy, &value, &mask) && mask == 3;
    free(copy);
    if (ok) {
        put(f, &m->key, value);
        put(f, &m->mask, 0xff);
    }
    return ok;
}

// A number that fits the field.
static bool
parse_number(const struct field_info *f, const char *text, size_t len, uint64_t *out)
{
    uint8_t b[8];
    if (field_parse_number(text, len, b, sizeof b) != FIELD_NUMBER_OK) {
        return false;
    }
    memcpy(out, b, sizeof b);
    *out = be64toh(*out);
    return !(*out & ~ones(MAX(n_bits(f), f->n_bytes * 8u)));
}

bool
dp_field_parse(enum field_id id, const char *text, size_t len, struct flow_match *m)
{
    const struct field_info *f = field_get(id);
    if (f->format == FIELD_FMT_TCP_FLAGS) {
        return parse_flags(f, text, len, m);
    } else if (f->format == FIELD_FMT_FRAG) {
        return parse_frag(f, text, len, m);
    }
    const char *slash = memchr(text, '/', len), *rest = slash ? slash + 1 : NULL;
    const size_t value_len = slash ? (size_t) (slash - text) : len,
                 mask_len = slash ? len - value_len - 1 : 0;
    if (f->format == FIELD_FMT_ETHERNET || f->format == FIELD_FMT_IPV4 || is_big(f)) {
        uint8_t v[16], w[16];
        memset(w, 0xff, sizeof w);
        if (!parse_part(f, text, value_len, v) || (slash && !parse_part(f, rest, mask_len, w))) {
            return false;
        }
        for (size_t i = 0; i < f->size; i++) {
            ((uint8_t *) &m->key)[f->offset + i] = v[i] & w[i];
            ((uint8_t *) &m->mask)[f->offset + i] = w[i];
        }
        return true;
    }
    uint64_t value, mask = UINT64_MAX;
    if (!parse_number(f, text, value_len, &value) ||
        (slash && !parse_number(f, rest, mask_len, &mask))) {
        return false;
    }
    if ((mask & ones(n_bits(f))) == ones(n_bits(f))) {
        mask = f->masking == FIELD_EXACT_ONLY ? UINT64_MAX : ones(n_bits(f)); // as match_set() has it
    }
    put(f, &m->key, value & mask);
    put(f, &m->mask, mask);
    return true;
}
