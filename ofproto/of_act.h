// SPDX-License-Identifier: Apache-2.0
// OpenFlow actions and instructions as typed C: a flat list (lib/base/flat.h) of structs below, the same for every OpenFlow version and the Nicira
// extensions; wire and text forms are converted at the edges. One row an action in of_acts.def; codec, parse and format functions
// in of_act_*.c. Instructions (meter, apply, clear, write, write_metadata, goto_table) are items of the same list, in this order;
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

struct of_act_plain { // POP_VLAN, DEC_TTL without ids, STRIP_VLAN, EXIT, CT_CLEAR, DEC_NSH_TTL, CLEAR_ACTIONS, POP_QUEUE …
    struct flat_item i;
};

struct of_act_output {
    struct flat_item i;
    uint32_t port;
    uint16_t max_len; // to controllers; or truncation (OUTPUT_TRUNC)
    uint16_t pad;
};

struct of_act_output_reg {
    struct flat_item i;
    struct subfield src;
    uint16_t max_len;
};

struct of_act_controller {
    struct flat_item i;
    uint16_t max_len;
    uint16_t controller_id;
    uint8_t reason;
    bool pause;
    uint16_t userdata_len;
    uint32_t meter_id;
    uint8_t userdata[]; // padded
};

struct of_act_set_field { // set_field, load (reg_load), mod_* forms: `flags` of the item keeps which text/wire form it had
    struct flat_item i;
    uint16_t field; // enum field_id
    uint16_t n_bytes;
    uint32_t pad;
    uint8_t data[]; // value then mask, n_bytes each, big-endian
};

struct of_act_move {
    struct flat_item i;
    struct subfield src, dst;
};

struct of_act_stack { // push, pop
    struct flat_item i;
    struct subfield sub;
};

struct of_act_push { // PUSH_VLAN, PUSH_MPLS, POP_MPLS: ethertype
    struct flat_item i;
    be16_t ethertype;
    uint16_t pad[3];
};

struct of_act_u32 { // SET_QUEUE, GROUP, METER, SET_TUNNEL's short forms, GOTO_TABLE, mod_vlan_vid …
    struct flat_item i;
    uint32_t value;
    uint32_t pad;
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
    uint16_t pad;
};

struct of_act_nest { // WRITE_ACTIONS, CLONE: nested list follows
    struct flat_item i;
};

struct of_act_enqueue {
    struct flat_item i;
    uint32_t port, queue;
};

// Further structs (learn, ct, nat, multipath, bundle, conjunction, sample, fin_timeout, note, check_pkt_larger, dec_ttl ids, encap …) stand in of_act_more.h.

#define OF_ACT_FOR_EACH(a, acts) FLAT_FOR_EACH (a, (acts)->list.data, (acts)->list.len)

void of_actions_free(struct of_actions *);
void of_actions_copy(struct of_actions *dst, const struct of_actions *src);
bool of_actions_equal(const struct of_actions *, const struct of_actions *);

// Text of ovs-ofctl(8). parse: NULL, or an error sentence to free. `usable` loses the protocols that cannot carry what was parsed (bit per enum of_version, see of_version.h).
char *of_actions_parse(const char *text, const struct field_port_names *, bool instructions, struct of_actions *,
                       uint32_t *usable);
void of_actions_format(const struct of_actions *, const struct field_port_names *, struct str *out);

// Wire. `len` bytes at `data`; 0 or an OpenFlow error (enum of_error, of_error.h).
int of_actions_decode(const void *data, size_t len, enum of_version, struct of_actions *);
int of_instructions_decode(const void *data, size_t len, enum of_version, struct of_actions *);
// Appends to `out` as a byte buffer.
void of_actions_encode(const struct of_actions *, enum of_version, struct str *out);
void of_instructions_encode(const struct of_actions *, enum of_version, struct str *out);

// Consistency for a flow with this match (prerequisites, ports below max_ports, tables …): 0 or enum of_error.
struct flow_match;
int of_actions_check(const struct of_actions *, const struct flow_match *, uint32_t max_ports, uint8_t table,
                     unsigned n_tables, enum of_version);
bool of_actions_output_to(const struct of_actions *, uint32_t port); // for out_port filters
bool of_actions_has_group(const struct of_actions *, uint32_t group);

#endif
