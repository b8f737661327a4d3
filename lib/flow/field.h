// SPDX-License-Identifier: Apache-2.0
// The field table: one row for each field of ovs-fields(7), with every language as a column, kept in fields.def. The
// codecs of all edges (OXM/NXM, text, kernel netlink, tc flower and pedit) and the offloadability check are derived from it.
#ifndef LIB_FLOW_FIELD_H
#define LIB_FLOW_FIELD_H 1

#include "lib/flow/flow_key.h"

struct str;

// Ids in the order of fields.def: FIELD_IN_PORT, FIELD_ETH_SRC, FIELD_REG0 …
enum field_id {
#define FIELD(ID, ...) FIELD_##ID,
#include "lib/flow/fields.def"
#undef FIELD
    FIELD_COUNT
};

struct field_set {
    uint64_t w[(FIELD_COUNT + 63) / 64];
};

static inline void
field_set_add(struct field_set *s, enum field_id f)
{
    s->w[f / 64] |= UINT64_C(1) << (f % 64);
}

static inline bool
field_set_has(const struct field_set *s, enum field_id f)
{
    return s->w[f / 64] >> (f % 64) & 1;
}

// First field of a that is not in b, or FIELD_COUNT.
static inline enum field_id
field_set_first_missing(const struct field_set *a, const struct field_set *b)
{
    for (size_t i = 0; i < ARRAY_SIZE(a->w); i++) {
        uint64_t d = a->w[i] & ~b->w[i];
        if (d) {
            return (enum field_id)(i * 64 + __builtin_ctzll(d));
        }
    }
    return FIELD_COUNT;
}

// Walks the fields of a set in the table's order; the set may change meanwhile, this walk doesn't.
#define FIELD_SET_FOR_EACH(id, set)                                                                                    \
    for (struct field_set left_ = *(set), *once_ = &left_; once_; once_ = NULL)                                        \
        for (enum field_id id; (id = field_set_take_first(&left_)) < FIELD_COUNT;)

// Removes the first field of the set and returns it, or FIELD_COUNT.
static inline enum field_id
field_set_take_first(struct field_set *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(s->w); i++) {
        if (s->w[i]) {
            enum field_id id = (enum field_id) (i * 64 + __builtin_ctzll(s->w[i]));
            s->w[i] &= s->w[i] - 1;
            return id;
        }
    }
    return FIELD_COUNT;
}

enum field_masking { FIELD_EXACT_ONLY, FIELD_MASKABLE };

enum field_access {
    FIELD_RW,
    FIELD_RO,
    FIELD_INTERNAL // no OpenFlow form: second VLAN tag, tunnel ports …; field_by_name() doesn't find it
};

// How a row relates to its member of struct flow_key.
enum field_place {
    FIELD_AT,     // owns its bits
    FIELD_SHARED, // owns them when its prerequisites hold: tcp_src, udp_src, icmp_type …
    FIELD_VIEW    // bits that other rows own: never in field_set
};

enum field_format { // text forms of ovs-ofctl
    FIELD_FMT_DECIMAL,
    FIELD_FMT_HEX,
    FIELD_FMT_CT_STATE,
    FIELD_FMT_ETHERNET,
    FIELD_FMT_IPV4,
    FIELD_FMT_IPV6,
    FIELD_FMT_OFP10_PORT,
    FIELD_FMT_OFP_PORT,
    FIELD_FMT_FRAG,
    FIELD_FMT_TNL_FLAGS,
    FIELD_FMT_TCP_FLAGS,
    FIELD_FMT_PACKET_TYPE
};

enum field_prereq {
    FIELD_PRE_NONE,
    FIELD_PRE_ETHERNET,
    FIELD_PRE_ARP,
    FIELD_PRE_VLAN_VID,
    FIELD_PRE_IPV4,
    FIELD_PRE_IPV6,
    FIELD_PRE_IP_ANY,
    FIELD_PRE_NSH,
    FIELD_PRE_CT_VALID,
    FIELD_PRE_CT_IPV4, // that, and IPv4
    FIELD_PRE_CT_IPV6,
    FIELD_PRE_MPLS,
    FIELD_PRE_TCP,
    FIELD_PRE_UDP,
    FIELD_PRE_SCTP,
    FIELD_PRE_ICMPV4,
    FIELD_PRE_IGMP,
    FIELD_PRE_ICMPV6,
    FIELD_PRE_ND,
    FIELD_PRE_ND_SOLICIT,
    FIELD_PRE_ND_ADVERT
};

// A value, big-endian, right-aligned: an n-byte field occupies the last n bytes; the bytes before are 0.
union field_value {
    uint8_t b[128];
    be64_t be64[16];
};
#define FIELD_VALUE_BYTES 128

// A code point of OXM or NXM.
struct field_oxm {
    const char *name;      // "OXM_OF_ETH_SRC"; NULL: none
    uint16_t oxm_class;    // 0xffff with an experimenter
    uint8_t number;        // 0 … 127
    uint8_t version;       // first OpenFlow version that has it (3: 1.2 … 6: 1.5); 0: Nicira extension
    uint32_t experimenter; // 0: none
};
#define FIELD_MAX_OXM 3

struct field_info {
    enum field_id id;
    const char *name;  // as ovs-ofctl prints it
    const char *alias; // other name, or NULL
    uint16_t n_bytes;  // of the OpenFlow value
    uint16_t n_bits;   // significant bits of the OpenFlow value
    uint16_t offset;   // of the member in struct flow_key, bytes
    uint16_t size;     // of the member, bytes
    uint8_t shift;     // of the field's lowest bit in the member (a big-endian number)
    uint16_t width;    // bits it has in the member
    enum field_place place;
    enum field_masking masking;
    enum field_format format;
    enum field_prereq prereq;
    enum field_access access;
    struct field_oxm oxm[FIELD_MAX_OXM]; // preferred first
};

const struct field_info *field_get(enum field_id);
// By name, alias or name of a code point ("NXM_OF_ETH_SRC"), or NULL.
const struct field_info *field_by_name(const char *name, size_t len);
// By class, field number and experimenter (0 when the class isn't 0xffff), or NULL. Constant time.
const struct field_info *field_by_oxm(uint16_t oxm_class, uint8_t number, uint32_t experimenter);

static inline bool
field_is_view(const struct field_info *f)
{
    return f->place == FIELD_VIEW;
}

// The OpenFlow value of a field in a key, and back, irregular fields included: in_port in 16 bits, vlan_vid with its
// present bit (0x1000), nw_tos without ECN. The table's other edges (kernel, flower) convert members, not OpenFlow values.
void field_read(const struct field_info *, const struct flow_key *, union field_value *out);
void field_write(const struct field_info *, struct flow_key *, const union field_value *);
void field_read_mask(const struct field_info *, const struct flow_mask *, union field_value *out);
void field_write_mask(const struct field_info *, struct flow_mask *, const union field_value *);
// mask |= all bits of the field.
void field_mask_exact(const struct field_info *, struct flow_mask *);
// key.field = (key.field & ~mask) | (value & mask).
void field_write_masked(const struct field_info *, struct flow_key *, const union field_value *value,
                        const union field_value *mask);
bool field_value_is_zero(const struct field_info *, const union field_value *);
bool field_value_is_exact(const struct field_info *, const union field_value *);
// Bits a value or mask may use: n_bits, and for vlan_vid also the present bit.
unsigned field_value_bits(const struct field_info *);
// All those bits.
void field_value_exact(const struct field_info *, union field_value *);
void field_value_from_u64(const struct field_info *, uint64_t, union field_value *);
uint64_t field_value_to_u64(const struct field_info *, const union field_value *); // low 64 bits
// Does the packet have what the field needs? The bits looked at are added to *wc, which may be NULL.
bool field_prereqs_met(const struct field_info *, const struct flow_key *, struct flow_mask *wc);

// Where the bytes of tun_metadataN are in flow_key.tun_md: a bridge's TLV table, in force for a thread between two
// calls. NULL (the start): four bytes each.
struct field_tun_md {
    uint16_t ofs; // in tun_md
    uint8_t len;  // bytes; 0: not mapped
};
struct field_tun_md_map {
    struct field_tun_md md[FLOW_N_TUN_MD];
};
const struct field_tun_md_map *field_tun_md_use(const struct field_tun_md_map *); // returns the one before
bool field_tun_md_find(unsigned n, struct field_tun_md *);

// Part of a field, as "NXM_NX_REG0[0..15]", "reg0[0..15]", "eth_src" in actions.
struct subfield {
    enum field_id field;
    uint16_t ofs;
    uint16_t n_bits;
};

// Text forms (ovs-fields(7)). parse: NULL, or an error sentence to free. Port names are resolved through `ports`.
struct field_port_names {
    const char *(*name)(uint32_t ofp_port, void *aux); // NULL: no name
    bool (*port)(const char *name, uint32_t *ofp_port, void *aux);
    void *aux;
};
char *field_parse(const struct field_info *, const char *text, const struct field_port_names *, union field_value *value,
                  union field_value *mask);
void field_format(const struct field_info *, const union field_value *value, const union field_value *mask,
                  const struct field_port_names *, struct str *out);
char *subfield_parse(const char **text, struct subfield *); // advances *text
void subfield_format(const struct subfield *, struct str *out);
void subfield_read(const struct subfield *, const struct flow_key *, union field_value *out);
void subfield_write(const struct subfield *, struct flow_key *, const union field_value *);

// OpenFlow port numbers by keyword ("LOCAL", "IN_PORT", "controller" …), number or name. False: none of these.
bool field_parse_port(const char *text, const struct field_port_names *, uint32_t *ofp_port);
void field_format_port(uint32_t ofp_port, const struct field_port_names *, struct str *out);

#endif
