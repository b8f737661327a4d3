// SPDX-License-Identifier: Apache-2.0
// OpenFlow values of fields as text (ovs-fields(7)): what "set_field:VALUE->FIELD" and
// "FIELD=VALUE" contain.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/field_text.h"

// The last n bytes of a value.
static uint8_t *
tail(union field_value *v, size_t n)
{
    return v->b + FIELD_VALUE_BYTES - n;
}

static const uint8_t *
ctail(const union field_value *v, size_t n)
{
    return v->b + FIELD_VALUE_BYTES - n;
}

static size_t
value_bytes(const struct field_info *f)
{
    return f->id >= FIELD_TUN_MD0 && f->id <= FIELD_TUN_MD63 ? field_value_bits(f) / 8 : f->n_bytes;
}

static char *
parse_integer(const struct field_info *f, const char *text, union field_value *value,
              union field_value *mask)
{
    const size_t n = value_bytes(f), len = strcspn(text, "/");
    enum field_number r = field_parse_number(text, len, tail(value, n), n);
    const char *part = "value";
    if (r == FIELD_NUMBER_OK && text[len]) {
        part = "mask";
        r = field_parse_number(text + len + 1, strlen(text + len + 1), tail(mask, n), n);
    }
    switch (r) {
    case FIELD_NUMBER_SYNTAX:
        return base_asprintf("%s: bad syntax for %s %s", text, f->name, part);
    case FIELD_NUMBER_TOO_LARGE:
        return base_asprintf("%s: %s too large for %zu-byte field %s", text, part, n, f->name);
    case FIELD_NUMBER_OK:
        break;
    }
    return NULL;
}

static char *
parse_ethernet(const char *text, union field_value *value, union field_value *mask)
{
    const size_t len = strcspn(text, "/");
    struct mac mac, m;
    if (!field_parse_mac(text, len, &mac) ||
        (text[len] && !field_parse_mac(text + len + 1, strlen(text + len + 1), &m))) {
        return base_asprintf("%s: invalid Ethernet address", text);
    }
    memcpy(tail(value, 6), &mac, 6);
    if (text[len]) {
        memcpy(tail(mask, 6), &m, 6);
    }
    return NULL;
}

// "/24": to mask bytes. An error when it isn't a number in range.
static char *
parse_prefix(const char *text, const char *prefix, const char *family, uint8_t *mask, size_t n)
{
    char *end;
    const long bits = strtol(prefix, &end, 10);
    if (*end || end == prefix || bits < 0 || bits > (long) n * 8) {
        return base_asprintf("%s: %s network prefix bits not between 0 and %zu, inclusive", text,
                             family, n * 8);
    }
    for (size_t i = 0; i < n; i++) {
        const long left = bits - (long) i * 8;
        mask[i] = left >= 8 ? 0xff : left <= 0 ? 0 : (uint8_t) (0xff00 >> left);
    }
    return NULL;
}

static char *
parse_ipv4(const char *text, union field_value *value, union field_value *mask)
{
    const size_t len = strcspn(text, "/");
    const char *m = text[len] ? text + len + 1 : NULL;
    be32_t ip, bits;
    if (!field_parse_ip4(text, len, &ip) || (m && !*m)) {
        return base_asprintf("%s: invalid IP address", text);
    }
    memcpy(tail(value, 4), &ip, 4);
    if (m && field_parse_ip4(m, strlen(m), &bits)) {
        memcpy(tail(mask, 4), &bits, 4);
    } else if (m && strspn(m, "-0123456789") == strlen(m)) {
        return parse_prefix(text, m, "IPv4", tail(mask, 4), 4);
    } else if (m) {
        return base_asprintf("%s: invalid IP address", text);
    }
    return NULL;
}

static char *
parse_ipv6(const char *text, union field_value *value, union field_value *mask)
{
    const size_t len = strcspn(text, "/");
    const char *m = text[len] ? text + len + 1 : NULL;
    if (!field_parse_ip6(text, len, tail(value, 16)) || (m && !*m)) {
        return base_asprintf("%s: invalid IPv6 address", text);
    }
    if (!m || field_parse_ip6(m, strlen(m), tail(mask, 16))) {
        return NULL;
    }
    if (strspn(m, "-0123456789") == strlen(m)) {
        return parse_prefix(text, m, "IPv6", tail(mask, 16), 16);
    }
    return base_asprintf("%s: invalid IPv6 address", text);
}

static char *
parse_port(const struct field_info *f, const char *text, const struct field_port_names *names,
           union field_value *value)
{
    uint32_t port;
    if (!field_parse_port(text, names, &port)) {
        return f->format == FIELD_FMT_OFP10_PORT
                   ? base_asprintf("%s: invalid or unknown port for %s", text, f->name)
                   : base_asprintf("%s: port value out of range for %s", text, f->name);
    }
    field_value_from_u64(f, port, value);
    return NULL;
}

static char *
parse_flags(const struct field_info *f, const struct field_flags *set, const char *text,
            union field_value *value, union field_value *mask)
{
    uint32_t flags, m;
    char *error = field_flags_parse(set, text, &flags, &m);
    if (!error) {
        field_value_from_u64(f, flags, value);
        if (m != set->all) {
            field_value_from_u64(f, m, mask);
        }
    }
    return error;
}

static bool
parse_uint16(const char **p, uint32_t *out)
{
    char *end;
    if (!isdigit((unsigned char) **p)) {
        return false;
    }
    const unsigned long v = strtoul(*p, &end, 0);
    *p = end;
    *out = (uint32_t) v;
    return v <= UINT16_MAX;
}

// "(namespace,type)".
static char *
parse_packet_type(const struct field_info *f, const char *text, union field_value *value)
{
    const char *at = text, *p = text, *wrong = NULL;
    uint32_t ns, type = 0;
    if (*p != '(') {
        wrong = "missing '('";
    } else if (at = ++p, !parse_uint16(&p, &ns)) {
        wrong = "ns";
    } else if (*p != ',') {
        wrong = "missing ','";
    } else if (at = ++p, !parse_uint16(&p, &type)) {
        wrong = "ns_type";
    } else if (*p != ')') {
        wrong = "missing ')'";
    } else {
        field_value_from_u64(f, ns << 16 | type, value);
        return NULL;
    }
    return base_asprintf("%s: bad syntax for packet type %s", at, wrong);
}

static char *
parse_frag(const struct field_info *f, const char *text, union field_value *value,
           union field_value *mask)
{
    uint8_t v, m;
    if (!field_parse_frag(text, &v, &m)) {
        // The parenthesis stays open, as scripts that compare with the stock switch expect.
        return base_asprintf(
            "%s: unknown fragment type (valid types are \"no\", \"yes\", \"first\", \"later\", "
            "\"not_later\"",
            text);
    }
    field_value_from_u64(f, v, value);
    field_value_from_u64(f, m, mask);
    return NULL;
}

static char *
parse_format(const struct field_info *f, const char *text, const struct field_port_names *names,
             union field_value *value, union field_value *mask)
{
    switch (f->format) {
    case FIELD_FMT_DECIMAL:
    case FIELD_FMT_HEX:
        return parse_integer(f, text, value, mask);
    case FIELD_FMT_ETHERNET:
        return parse_ethernet(text, value, mask);
    case FIELD_FMT_IPV4:
        return parse_ipv4(text, value, mask);
    case FIELD_FMT_IPV6:
        return parse_ipv6(text, value, mask);
    case FIELD_FMT_OFP10_PORT:
    case FIELD_FMT_OFP_PORT:
        return parse_port(f, text, names, value);
    case FIELD_FMT_FRAG:
        return parse_frag(f, text, value, mask);
    case FIELD_FMT_CT_STATE:
        return parse_flags(f, &field_flags_ct, text, value, mask);
    case FIELD_FMT_TCP_FLAGS:
        return parse_flags(f, &field_flags_tcp, text, value, mask);
    case FIELD_FMT_TNL_FLAGS:
        return parse_flags(f, &field_flags_tun_public, text, value, mask);
    case FIELD_FMT_PACKET_TYPE:
        return parse_packet_type(f, text, value);
    }
    return base_asprintf("%s: %s has no text form", text, f->name);
}

char *
field_parse(const struct field_info *f, const char *text, const struct field_port_names *names,
            union field_value *value, union field_value *mask)
{
    memset(value, 0, sizeof *value);
    field_value_exact(f, mask);
    char *error = parse_format(f, text, names, value, mask);
    if (!error && f->masking == FIELD_EXACT_ONLY && !field_value_is_zero(f, mask) &&
        !field_value_is_exact(f, mask)) {
        error = base_asprintf("%s: invalid mask for field %s", text, f->name);
    }
    return error;
}

static void
format_integer(const struct field_info *f, const union field_value *value,
               const union field_value *mask, struct str *out)
{
    const size_t n = f->n_bytes;
    if (f->format == FIELD_FMT_DECIMAL && n <= 8) {
        str_addf(out, "%llu", (unsigned long long) field_value_to_u64(f, value));
    } else {
        field_format_hex(ctail(value, n), n, out);
    }
    if (mask) {
        str_add_char(out, '/');
        field_format_hex(ctail(mask, n), n, out);
    }
}

static void
format_flags(const struct field_info *f, const struct field_flags *set,
             const union field_value *value, const union field_value *mask, struct str *out)
{
    const uint32_t flags = (uint32_t) field_value_to_u64(f, value);
    field_flags_format(set, flags, mask ? (uint32_t) field_value_to_u64(f, mask) : set->all, out);
}

// mask NULL: exact.
static void
format_value(const struct field_info *f, const union field_value *value,
             const union field_value *mask, const struct field_port_names *names, struct str *out)
{
    struct mac mac, mac_mask;
    be32_t ip, ip_mask = UINT32_MAX;
    uint32_t n = (uint32_t) field_value_to_u64(f, value);
    switch (f->format) {
    case FIELD_FMT_DECIMAL:
    case FIELD_FMT_HEX:
        format_integer(f, value, mask, out);
        break;
    case FIELD_FMT_ETHERNET:
        memcpy(&mac, ctail(value, 6), 6);
        memcpy(&mac_mask, ctail(mask ? mask : value, 6), 6);
        field_format_mac(&mac, mask ? &mac_mask : NULL, out);
        break;
    case FIELD_FMT_IPV4:
        memcpy(&ip, ctail(value, 4), 4);
        if (mask) {
            memcpy(&ip_mask, ctail(mask, 4), 4);
        }
        field_format_ip4(ip, ip_mask, out);
        break;
    case FIELD_FMT_IPV6:
        field_format_ip6(ctail(value, 16), mask ? ctail(mask, 16) : NULL, out);
        break;
    case FIELD_FMT_OFP10_PORT:
        field_format_port(n >= 0xff00 ? n | 0xffff0000 : n, names, out);
        break;
    case FIELD_FMT_OFP_PORT:
        field_format_port(n, names, out);
        break;
    case FIELD_FMT_FRAG:
        field_format_frag((uint8_t) n, mask ? (uint8_t) field_value_to_u64(f, mask) : 3, out);
        break;
    case FIELD_FMT_CT_STATE:
        format_flags(f, &field_flags_ct, value, mask, out);
        break;
    case FIELD_FMT_TCP_FLAGS:
        format_flags(f, &field_flags_tcp, value, mask, out);
        break;
    case FIELD_FMT_TNL_FLAGS:
        format_flags(f, &field_flags_tun_public, value, mask, out);
        break;
    case FIELD_FMT_PACKET_TYPE:
        field_format_packet_type(n, out);
        break;
    }
}

void
field_format(const struct field_info *f, const union field_value *value,
             const union field_value *mask, const struct field_port_names *names, struct str *out)
{
    if (mask && field_value_is_zero(f, mask)) {
        str_add(out, "ANY");
    } else {
        format_value(f, value, mask && field_value_is_exact(f, mask) ? NULL : mask, names, out);
    }
}
