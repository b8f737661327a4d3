// SPDX-License-Identifier: Apache-2.0
// Private to this room: pieces of text that fields, matches and datapath flows have in common.
#ifndef LIB_FLOW_FIELD_TEXT_H
#define LIB_FLOW_FIELD_TEXT_H 1

#include "lib/flow/field.h"

struct str;

// Named bits: "+syn-ack" (masked), "syn|ack" (exact), "0x12/0x3f".
struct field_flags {
    const char *what;         // "TCP flag", for sentences
    const char *const *names; // of bit 0, 1 …; NULL-terminated; bits without a name are "[200]"
    uint32_t all;             // bits that may be used
};
extern const struct field_flags field_flags_tcp, field_flags_ct, field_flags_tun,
    field_flags_tun_public;

// NULL, or an error sentence to free.
char *field_flags_parse(const struct field_flags *, const char *text, uint32_t *flags,
                        uint32_t *mask);
// mask == all: exact. "0" when exact and none is set.
void field_flags_format(const struct field_flags *, uint32_t flags, uint32_t mask, struct str *);
// "+syn-ack", whether all bits are in the mask or not.
void field_flags_signed(const struct field_flags *, uint32_t flags, uint32_t mask, struct str *);
// The exact form, joined by `separator`.
void field_flags_list(const struct field_flags *, uint32_t flags, char separator, struct str *);

// "value", or "value/mask" when the mask isn't all ones. Masks as prefix lengths where they are.
void field_format_mac(const struct mac *, const struct mac *mask, struct str *);
void field_format_ip4(be32_t, be32_t mask, struct str *);
void field_format_ip6(const uint8_t[16], const uint8_t mask[16], struct str *);
// Hexadecimal of any length, "0" for zero.
void field_format_hex(const uint8_t *, size_t n, struct str *);
// Prefix length of a mask, or -1.
int field_prefix_len(const uint8_t *mask, size_t n);

// "(1,0x800)".
void field_format_packet_type(uint32_t type, struct str *);

// Each takes the first `len` characters of the text as a whole.
bool field_parse_mac(const char *, size_t len, struct mac *);
bool field_parse_ip4(const char *, size_t len, be32_t *);
bool field_parse_ip6(const char *, size_t len, uint8_t[16]);
// Decimal, octal, 0x hexadecimal of any length, into n big-endian bytes.
enum field_number { FIELD_NUMBER_OK, FIELD_NUMBER_SYNTAX, FIELD_NUMBER_TOO_LARGE };
enum field_number field_parse_number(const char *, size_t len, uint8_t *out, size_t n);

// "first", "later" … of nw_frag bits; false: no such word.
bool field_parse_frag(const char *, uint8_t *value, uint8_t *mask);
void field_format_frag(uint8_t value, uint8_t mask, struct str *);

#endif
