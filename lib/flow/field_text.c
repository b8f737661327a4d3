// SPDX-License-Identifier: Apache-2.0
// Parts of values as text: numbers of any length, Ethernet, IPv4 and IPv6 addresses with masks,
// kinds of fragments.
#include "lib/flow/field_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"

int
field_prefix_len(const uint8_t *mask, size_t n)
{
    size_t i = 0;
    int bits = 0;
    for (; i < n && mask[i] == 0xff; i++) {
        bits += 8;
    }
    if (i < n) {
        uint8_t b = mask[i++];
        for (; b & 0x80; b = (uint8_t) (b << 1)) {
            bits++;
        }
        if (b) {
            return -1;
        }
    }
    for (; i < n; i++) {
        if (mask[i]) {
            return -1;
        }
    }
    return bits;
}

void
field_format_mac(const struct mac *mac, const struct mac *mask, struct str *out)
{
    str_add_mac(out, mac);
    if (mask && field_prefix_len(mask->b, 6) != 48) {
        str_add_char(out, '/');
        str_add_mac(out, mask);
    }
}

void
field_format_ip4(be32_t ip, be32_t mask, struct str *out)
{
    const int len = field_prefix_len((const uint8_t *) &mask, 4);
    str_add_ip4(out, ip);
    if (len < 0) {
        str_add_char(out, '/');
        str_add_ip4(out, mask);
    } else if (len < 32) {
        str_addf(out, "/%d", len);
    }
}

void
field_format_ip6(const uint8_t ip[16], const uint8_t mask[16], struct str *out)
{
    const int len = mask ? field_prefix_len(mask, 16) : 128;
    str_add_ip6(out, ip);
    if (len < 0) {
        str_add_char(out, '/');
        str_add_ip6(out, mask);
    } else if (len < 128) {
        str_addf(out, "/%d", len);
    }
}

void
field_format_hex(const uint8_t *p, size_t n, struct str *out)
{
    while (n && !*p) {
        p++, n--;
    }
    if (!n) {
        str_add_char(out, '0');
        return;
    }
    str_addf(out, "0x%x", *p);
    str_add_hex(out, p + 1, n - 1);
}

void
field_format_packet_type(uint32_t type, struct str *out)
{
    str_addf(out, (type & 0xffff) < 10 ? "(%u,%u)" : "(%u,%#x)", type >> 16, type & 0xffff);
}

bool
field_parse_mac(const char *s, size_t len, struct mac *mac)
{
    const char *end = s + len;
    for (int i = 0; i < 6; i++) {
        char *next;
        if (s >= end || !isxdigit((unsigned char) *s)) {
            return false;
        }
        const unsigned long v = strtoul(s, &next, 16);
        if (next - s > 2 || (i < 5 ? *next != ':' : next != end)) {
            return false;
        }
        mac->b[i] = (uint8_t) v;
        s = next + 1;
    }
    return true;
}

static bool
parse_ip(int family, const char *s, size_t len, void *out)
{
    char text[INET6_ADDRSTRLEN];
    if (!len || len >= sizeof text) {
        return false;
    }
    memcpy(text, s, len);
    text[len] = '\0';
    return inet_pton(family, text, out) == 1;
}

bool
field_parse_ip4(const char *s, size_t len, be32_t *ip)
{
    return parse_ip(AF_INET, s, len, ip);
}

bool
field_parse_ip6(const char *s, size_t len, uint8_t ip[16])
{
    return parse_ip(AF_INET6, s, len, ip);
}

static enum field_number
parse_hex(const char *s, size_t len, uint8_t *out, size_t n)
{
    memset(out, 0, n);
    for (size_t i = 0; i < len; i++) {
        if (!isxdigit((unsigned char) s[i])) {
            return FIELD_NUMBER_SYNTAX;
        }
    }
    for (; len && *s == '0'; s++, len--) {
    }
    if (len > 2 * n) {
        return FIELD_NUMBER_TOO_LARGE;
    }
    for (size_t i = 0; i < len; i++) {
        const char c = (char) tolower((unsigned char) s[len - 1 - i]);
        const unsigned digit = (unsigned) (isdigit((unsigned char) c) ? c - '0' : c - 'a' + 10);
        out[n - 1 - i / 2] |= (uint8_t) (i % 2 ? digit << 4 : digit);
    }
    return FIELD_NUMBER_OK;
}

enum field_number
field_parse_number(const char *s, size_t len, uint8_t *out, size_t n)
{
    if (len >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        return parse_hex(s + 2, len - 2, out, n);
    }
    const size_t sign = len && (*s == '-' || *s == '+');
    if (len == sign || !isdigit((unsigned char) s[sign])) {
        return FIELD_NUMBER_SYNTAX;
    }
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (end != s + len) {
        return FIELD_NUMBER_SYNTAX;
    }
    if (errno) {
        return FIELD_NUMBER_TOO_LARGE;
    }
    memset(out, 0, n);
    for (size_t i = n; i-- > 0; v >>= 8) {
        out[i] = (uint8_t) v;
    }
    return v ? FIELD_NUMBER_TOO_LARGE : FIELD_NUMBER_OK;
}

static const struct {
    const char *name;
    uint8_t value, mask;
} frags[] = {
    {"no", 0, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
    {"yes", FLOW_FRAG_ANY, FLOW_FRAG_ANY},
    {"first", FLOW_FRAG_ANY, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
    {"later", FLOW_FRAG_ANY | FLOW_FRAG_LATER, FLOW_FRAG_ANY | FLOW_FRAG_LATER},
    {"not_later", 0, FLOW_FRAG_LATER},
};

bool
field_parse_frag(const char *text, uint8_t *value, uint8_t *mask)
{
    for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
        if (!strcasecmp(text, frags[i].name)) {
            *value = frags[i].value;
            *mask = frags[i].mask;
            return true;
        }
    }
    return false;
}

void
field_format_frag(uint8_t value, uint8_t mask, struct str *out)
{
    mask &= FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
        if (frags[i].value == (value & mask) && frags[i].mask == mask) {
            str_add(out, frags[i].name);
            return;
        }
    }
    str_addf(out, "%#x/%#x", value & mask, mask); // other bits: nothing that a packet can be
}
