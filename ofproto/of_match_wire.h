// SPDX-License-Identifier: Apache-2.0
// Fields and matches as OpenFlow says them on the wire: OXM and NXM type-length-values, and the
// fixed matches of OpenFlow 1.0 and 1.1. Derived from the rows of lib/flow/fields.def; the
// irregular fields (ports, VLAN, TOS, tunnel metadata) have a small function each in
// of_match_wire.c.
//
// Decoders return 0 or an error of OpenFlow (enum of_error). Encoders append to a byte buffer.
//
// Reference: OpenFlow 1.0 section 5.2.3, 1.1 section A.2.3, 1.5 section 7.2.3; ovs-fields(7).
#ifndef OFPROTO_OF_MATCH_WIRE_H
#define OFPROTO_OF_MATCH_WIRE_H 1

#include "lib/flow/match.h"
#include "ofproto/of_version.h"

struct str;

// --- One field. ---

// The code point by which a version names a field: its first one that the version has (OpenFlow 1.0
// and 1.1: Nicira's), else the last there is. NULL: the field has none (dl_vlan, tun_ttl …).
const struct field_oxm *of_oxm_for(const struct field_info *, enum of_version);

// The header alone, for move, push, learn, table features …: 4 bytes, 8 with an experimenter.
void of_oxm_header_encode(const struct field_info *, bool has_mask, enum of_version,
                          struct str *out);
// Reads a header at *p and advances. OF_ERROR_BMC_BAD_LEN, OF_ERROR_BMC_BAD_FIELD, …_BAD_MASK.
int of_oxm_header_decode(const uint8_t **p, size_t *len, const struct field_info **,
                         bool *has_mask);

struct of_oxm {
    const struct field_info *field;
    bool has_mask;
    union field_value value; // right-aligned
    union field_value mask;  // all bits of the field when there was none on the wire
};

// Header and value; and mask unless it is NULL.
void of_oxm_encode(const struct field_info *, const union field_value *value,
                   const union field_value *mask, enum of_version, struct str *out);
// Header, value and mask at *p; advances past them. On OF_ERROR_BMC_BAD_FIELD too (unknown fields
// can be skipped) when the whole was there.
// OF_ERROR_BMC_BAD_MASK: the field can't be matched in part, all else is well (actions may write it
// in part).
int of_oxm_decode(const uint8_t **p, size_t *len, struct of_oxm *);

// --- Matches. ---

struct of_cookie {
    be64_t value, mask;
};

enum of_oxm_unknown { OF_OXM_REFUSE_UNKNOWN, OF_OXM_SKIP_UNKNOWN }; // skip: also no prerequisites

// A list of OXMs or NXMs, without header or padding. `cookie` (may be NULL) takes Nicira's cookie
// field, whose absence leaves it 0.
int of_oxm_match_decode(const void *data, size_t len, enum of_oxm_unknown, struct flow_match *,
                        struct of_cookie *);
// Returns the number of bytes appended; no padding. A cookie is said unless it is NULL or its mask
// 0.
size_t of_oxm_match_encode(const struct flow_match *, enum of_version,
                           const struct of_cookie *cookie, struct str *out);

#define OF10_MATCH_LEN 40
#define OF11_MATCH_LEN 88

void of_match10_decode(const void *data, struct flow_match *); // OF10_MATCH_LEN bytes; cannot fail
void of_match10_encode(const struct flow_match *, struct str *out);

// struct ofp_match of OpenFlow 1.1 and later, padding included; advances. OpenFlow 1.1's own form
// is read in every version.
int of_match_decode(const uint8_t **p, size_t *len, enum of_oxm_unknown, struct flow_match *);
// In the form of the version (1.0 to 1.5).
void of_match_encode(const struct flow_match *, enum of_version, struct str *out);
// As OXM in OpenFlow 1.1 too: what is told about rules may need more than that version's own form.
void of_match_encode_oxm(const struct flow_match *, enum of_version, struct str *out);

// --- Ports. ---

// 16-bit ports of OpenFlow 1.0 and 32-bit ports: reserved ones differ by their upper half.
static inline uint32_t
of_port_from_10(uint16_t port)
{
    return port >= 0xff00 ? port | UINT32_C(0xffff0000) : port;
}
// 0, or OF_ERROR_BAC_BAD_OUT_PORT: not a number that 16 bits can say.
int of_port_from_11(uint32_t wire, uint32_t *port);
static inline uint16_t
of_port_to_10(uint32_t port)
{
    return (uint16_t) port;
}

#endif
