// SPDX-License-Identifier: Apache-2.0
// OpenFlow actions and instructions as typed C: a flat list (lib/base/flat.h) of structs below, the
// same for every OpenFlow version and the Nicira extensions; wire and text forms are converted at
// the edges. One row an action in of_acts.def; codec, parse and format functions in of_act_*.c.
// Instructions (meter, clear, write, write_metadata, goto_table) are items of the same list;
// apply_actions is the plain sequence itself.
//
// Source: OpenFlow 1.0 to 1.5 specifications; ovs-actions(7).
#ifndef OFPROTO_OF_ACT_H
#define OFPROTO_OF_ACT_H 1

#include "lib/base/flat.h"
#include "lib/flow/field.h"
#include "ofproto/of_version.h"

struct str;

enum of_act_type {
#define OF_ACT(ID, ...) OF_ACT_##ID,
#include "ofproto/of_acts.def"
#undef OF_ACT
    OF_ACT_COUNT
};

const char *of_act_name(enum of_act_type); // "output", "mod_nw_src" …

// Ports: 32-bit OpenFlow 1.1+ numbers everywhere inside.
#define OF_PORT_MAX UINT32_C(0xffffff00)
#define OF_PORT_UNSET UINT32_C(0xfffffff7)
#define OF_PORT_IN_PORT UINT32_C(0xfffffff8)
#define OF_PORT_TABLE UINT32_C(0xfffffff9)
#define OF_PORT_NORMAL UINT32_C(0xfffffffa)
#define OF_PORT_FLOOD UINT32_C(0xfffffffb)
#define OF_PORT_ALL UINT32_C(0xfffffffc)
#define OF_PORT_CONTROLLER UINT32_C(0xfffffffd)
#define OF_PORT_LOCAL UINT32_C(0xfffffffe)
#define OF_PORT_ANY UINT32_C(0xffffffff)

struct of_actions {
    struct flat list;
};

#define OF_ACTIONS_INIT                                                                            \
    {                                                                                              \
        FLAT_INIT                                                                                  \
    }

struct of_act_plain { // STRIP_VLAN, DEC_MPLS_TTL, POP_QUEUE, EXIT, CT_CLEAR, CLEAR_ACTIONS …
    struct flat_item i;
};

struct of_act_output { // OUTPUT; OUTPUT_TRUNC: max_len is the truncation
    struct flat_item i;
    uint32_t port;
    uint32_t max_len; // to controllers
};

struct of_act_output_reg {
    struct flat_item i;
    struct subfield src;
    uint16_t max_len;
    uint16_t pad[3];
};

struct of_act_controller {
    struct flat_item i;
    uint16_t max_len;
    uint16_t controller_id;
    uint8_t reason; // enum of_packet_in_reason
    bool pause;
    uint16_t userdata_len;
    uint32_t meter_id; // OF_METER_NONE: none
    uint32_t pad;
    uint8_t userdata[]; // padded
};
#define OF_METER_NONE UINT32_C(0)

// SET_FIELD: set_field, load and what becomes them. `i.flags` keeps the form, for text and wire.
// LOAD2: Nicira's load that says an OXM; in text it is a set_field.
enum of_set_field_form { OF_SET_FIELD_STD, OF_SET_FIELD_LOAD, OF_SET_FIELD_LOAD2 };

struct of_act_set_field {
    struct flat_item i; // flags: enum of_set_field_form
    uint16_t field;     // enum field_id
    uint16_t n_bytes;
    uint16_t has_vlan; // vlan_vid and vlan_pcp: the flow is known to carry a tag
    uint16_t pad;
    uint8_t data[]; // value then mask, n_bytes each, big-endian
};

static inline const uint8_t *
of_act_set_field_mask(const struct of_act_set_field *a)
{
    return a->data + a->n_bytes;
}

// Right-aligned copies, as the functions of lib/flow/field.h take them.
void of_act_set_field_value(const struct of_act_set_field *, union field_value *value,
                            union field_value *mask);

struct of_act_u32 { // GROUP, METER, SET_QUEUE, GOTO_TABLE, SET_VLAN_VID, SET_VLAN_PCP, SET_IP_*,
                    // SET_L4_*, SET_MPLS_*
    struct flat_item i; // SET_VLAN_*: flags OF_VLAN_PUSH, OF_VLAN_KNOWN
    uint32_t value;     // host order; SET_IP_DSCP: the whole TOS octet (DSCP << 2)
    uint32_t aux;       // SET_L4_*: IP protocol of the match, 0 when unknown
};
#define OF_VLAN_PUSH 1  // push a tag when there is none (OpenFlow 1.0 semantics)
#define OF_VLAN_KNOWN 2 // the flow is known to carry a tag

struct of_act_u64 { // SET_TUNNEL; flags 1: the 64-bit form was asked for
    struct flat_item i;
    uint64_t value;
};

struct of_act_mac { // SET_ETH_SRC, SET_ETH_DST
    struct flat_item i;
    struct mac mac;
    uint16_t pad;
};

struct of_act_ipv4 { // SET_IPV4_SRC, SET_IPV4_DST
    struct flat_item i;
    be32_t addr;
    uint32_t pad;
};

struct of_act_move {
    struct flat_item i;
    struct subfield src, dst;
};

struct of_act_stack { // STACK_PUSH, STACK_POP
    struct flat_item i;
    struct subfield sub;
};

struct of_act_push { // PUSH_VLAN, PUSH_MPLS, POP_MPLS: ethertype
    struct flat_item i;
    be16_t ethertype;
    uint16_t pad[3];
};

struct of_act_field { // DELETE_FIELD
    struct flat_item i;
    uint32_t field; // enum field_id
    uint32_t pad;
};

struct of_act_ids { // DEC_TTL: controllers to tell; flags 1: ids were given
    struct flat_item i;
    uint32_t n;
    uint32_t pad;
    uint16_t ids[]; // padded
};

struct of_act_write_metadata {
    struct flat_item i;
    be64_t metadata, mask;
};

struct of_act_resubmit {
    struct flat_item i;
    uint32_t in_port; // OF_PORT_IN_PORT: as it is
    uint8_t table;    // 0xff: present table
    bool with_ct;     // resubmit(…,ct)
    bool with_table;  // the form with a table was used
    uint8_t pad;
};

struct of_act_nest { // WRITE_ACTIONS, CLONE: nested list follows
    struct flat_item i;
};

struct of_act_enqueue {
    struct flat_item i;
    uint32_t port, queue;
};

struct of_act_fin_timeout {
    struct flat_item i;
    uint16_t idle_timeout, hard_timeout; // s
    uint32_t pad;
};

struct of_act_conjunction {
    struct flat_item i;
    uint32_t id;
    uint8_t clause;    // from 0
    uint8_t n_clauses; // 2 … 64
    uint16_t pad;
};

// What multipath and bundles hash.
enum of_hash_fields {
    OF_HASH_ETH_SRC,
    OF_HASH_SYMMETRIC_L4,
    OF_HASH_SYMMETRIC_L3L4,
    OF_HASH_SYMMETRIC_L3L4_UDP,
    OF_HASH_NW_SRC,
    OF_HASH_NW_DST,
    OF_HASH_SYMMETRIC_L3,
    OF_N_HASH_FIELDS
};

enum of_multipath_alg { OF_MP_MODULO_N, OF_MP_HASH_THRESHOLD, OF_MP_HRW, OF_MP_ITER_HASH };

struct of_act_multipath {
    struct flat_item i;
    uint16_t fields; // enum of_hash_fields
    uint16_t basis;
    uint16_t algorithm; // enum of_multipath_alg
    uint16_t max_link;  // number of links - 1
    uint32_t arg;
    uint32_t pad;
    struct subfield dst;
};

enum of_bundle_alg { OF_BUNDLE_ACTIVE_BACKUP, OF_BUNDLE_HRW };

struct of_act_bundle { // bundle and bundle_load
    struct flat_item i;
    uint16_t fields; // enum of_hash_fields
    uint16_t basis;
    uint16_t algorithm; // enum of_bundle_alg
    uint16_t n_members;
    struct subfield dst; // n_bits 0: output
    uint32_t members[];  // OpenFlow ports; padded
};

struct of_act_note {
    struct flat_item i;
    uint32_t n;
    uint32_t pad;
    uint8_t data[]; // padded
};

enum of_sample_direction { OF_SAMPLE_DEFAULT, OF_SAMPLE_INGRESS, OF_SAMPLE_EGRESS };

struct of_act_sample {
    struct flat_item i;   // flags: the wire form (1, 2, 3) it came in, 0: any
    uint16_t probability; // of 65535
    uint16_t direction;   // enum of_sample_direction
    uint32_t collector_set_id, obs_domain_id, obs_point_id;
    uint32_t sampling_port; // UINT32_MAX … OF_PORT_ANY: none
    uint32_t pad;
};

#define OF_CT_COMMIT 1
#define OF_CT_FORCE 2
#define OF_CT_NO_RECIRC 0xff

struct of_act_ct { // nested list (NAT; SET_FIELD of ct_mark and ct_label; REG_MOVE to them) follows
    struct flat_item i;
    struct subfield zone_src; // n_bits 0: zone_imm
    uint16_t flags;           // OF_CT_*
    uint16_t zone_imm;
    uint16_t alg;         // TCP or UDP port of the helper: 21 ftp, 69 tftp; 0 none
    uint8_t recirc_table; // OF_CT_NO_RECIRC: none
    uint8_t pad;
};

enum of_nat_flags {
    OF_NAT_SRC = 1,
    OF_NAT_DST = 2,
    OF_NAT_PERSISTENT = 4,
    OF_NAT_HASH = 8,
    OF_NAT_RANDOM = 16
};

struct of_act_nat {
    struct flat_item i;
    uint16_t flags;              // enum of_nat_flags
    uint16_t family;             // 0 no range, 4, 6
    uint16_t port_min, port_max; // host order; 0: none
    uint8_t min[16], max[16];    // IPv4 in the first four bytes; max all zero: none
};

enum of_learn_flags {
    OF_LEARN_SEND_REM = 1,
    OF_LEARN_DELETE_LEARNED = 2,
    OF_LEARN_WRITE_RESULT = 4
};
enum of_learn_src { OF_LEARN_SRC_FIELD, OF_LEARN_SRC_IMM };
enum of_learn_dst { OF_LEARN_DST_MATCH, OF_LEARN_DST_LOAD, OF_LEARN_DST_OUTPUT };

// One specification; follows struct of_act_learn and its like. Advance by of_learn_spec_next().
struct of_learn_spec {
    struct subfield src; // OF_LEARN_SRC_FIELD
    struct subfield dst; // not for OF_LEARN_DST_OUTPUT
    uint16_t n_bits;
    uint8_t src_type; // enum of_learn_src
    uint8_t dst_type; // enum of_learn_dst
    uint16_t
        imm_len; // bytes of imm: whole 16-bit units that hold n_bits; 0 unless OF_LEARN_SRC_IMM
    uint16_t pad;
    uint8_t imm[]; // big-endian, right-aligned; padded to 8
};

struct of_act_learn {
    struct flat_item i;
    uint16_t idle_timeout, hard_timeout;
    uint16_t priority;
    uint16_t flags; // enum of_learn_flags
    be64_t cookie;
    uint16_t fin_idle_timeout, fin_hard_timeout;
    uint32_t limit;             // flows; 0: none
    struct subfield result_dst; // 1 bit; with OF_LEARN_WRITE_RESULT
    uint32_t specs_len;         // bytes
    uint8_t table;
    uint8_t pad[3];
    // struct of_learn_spec …
};

static inline const struct of_learn_spec *
of_learn_spec_first(const struct of_act_learn *a)
{
    return (const struct of_learn_spec *) (const void *) (a + 1);
}

static inline const struct of_learn_spec *
of_learn_spec_next(const struct of_learn_spec *s)
{
    return (const struct of_learn_spec *) (const void *) (s->imm + ROUND_UP(s->imm_len, 8));
}

static inline const struct of_learn_spec *
of_learn_spec_end(const struct of_act_learn *a)
{
    return (const struct of_learn_spec *) (const void *) ((const uint8_t *) (a + 1) + a->specs_len);
}

struct of_encap_tlv { // NSH TLV; follows struct of_act_encap
    be16_t class_;
    uint8_t type;
    uint8_t len;
    uint32_t pad;
    uint8_t data[]; // padded to 8
};

struct of_act_encap {
    struct flat_item i;
    uint32_t packet_type; // of the new header, host order: 0 ethernet, 0x1894f NSH, 0x18847 MPLS,
                          // 0x18848 MPLS multicast
    uint16_t hdr_size;
    uint8_t md_type; // NSH: 0 unset, 1, 2
    uint8_t n_tlvs;
    // struct of_encap_tlv …
};

struct of_act_decap {
    struct flat_item i;
    uint32_t packet_type; // host order; OF_DECAP_ANY: the switch's choice
    uint32_t pad;
};
#define OF_DECAP_ANY UINT32_C(0xfffe)

struct of_act_check_pkt_larger {
    struct flat_item i;
    struct subfield dst; // 1 bit
    uint16_t pkt_len;
    uint16_t pad[3];
};

#define OF_ACT_FOR_EACH(a, acts) FLAT_FOR_EACH(a, (acts)->list.data, (acts)->list.len)
// Children of an item whose own struct has `size` bytes.
#define OF_ACT_FOR_EACH_NESTED(a, parent, size)                                                    \
    FLAT_FOR_EACH(a, (const uint8_t *) (parent) + (size), (parent)->len - (size))

void of_actions_free(struct of_actions *);
void of_actions_clear(struct of_actions *); // empty, keeps the memory
void of_actions_copy(struct of_actions *dst, const struct of_actions *src);
bool of_actions_equal(const struct of_actions *, const struct of_actions *);
// Appends an item of the struct's size; valid until the next append.
void *of_actions_add(struct of_actions *, enum of_act_type, size_t size);
void of_actions_add_output(struct of_actions *, uint32_t port, uint32_t max_len);

// Text of ovs-ofctl(8). parse: appends; NULL, or an error sentence to free. `usable` loses the
// protocols (OF_PROTO_*, of_version.h) that cannot carry what was parsed. `instructions`:
// goto_table, write_actions … are allowed.
char *of_actions_parse(const char *text, const struct field_port_names *, bool instructions,
                       struct of_actions *, uint32_t *usable);
void of_actions_format(const struct of_actions *, const struct field_port_names *, struct str *out);

// Wire. `len` bytes at `data`; appends to the list; 0 or an OpenFlow error (enum of_error,
// of_error.h). What a flow does is read as instructions in OpenFlow 1.0, too: its lists of actions
// hold some (Nicira's write_metadata) that packet-outs may not have.
int of_actions_decode(const void *data, size_t len, enum of_version, struct of_actions *);
int of_instructions_decode(const void *data, size_t len, enum of_version, struct of_actions *);
// Appends to `out` as a byte buffer.
void of_actions_encode(const struct of_actions *, enum of_version, struct str *out);
void of_instructions_encode(const struct of_actions *, enum of_version, struct str *out);

// Consistency for a flow with this match (prerequisites, ports below max_ports, tables …): 0 or
// enum of_error. Notes in the list what the match tells about VLAN tags and IP protocols, which
// encoders for OpenFlow 1.1+ need. Only the match's key is looked at.
struct flow_match;
struct of_act_place { // where the flow is going to be
    uint32_t max_ports;
    uint8_t table; // OF_TABLE_ALL: any
    unsigned n_tables;
    enum of_version version; // 1.0 forgives modifications of headers that aren't there
};
int of_actions_check(struct of_actions *, const struct flow_match *, const struct of_act_place *);
bool of_actions_output_to(const struct of_actions *, uint32_t port); // for out_port filters
bool of_actions_has_group(const struct of_actions *, uint32_t group); // OF_GROUP_ANY: any
bool of_actions_has_meter(const struct of_actions *);

#endif
