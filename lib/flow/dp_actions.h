// SPDX-License-Identifier: Apache-2.0
// Datapath actions: a flat array of typed actions in 8-byte units. A nested list (clone, sample, check_pkt_len, recirculation-free
// branches) follows its parent inside the parent's length. The array holds no pointers: it can be hashed, compared and moved as bytes.
#ifndef LIB_FLOW_DP_ACTIONS_H
#define LIB_FLOW_DP_ACTIONS_H 1

#include "lib/flow/field.h"

struct str;

enum dp_act_type {
    DP_ACT_OUTPUT,       // struct dp_act_output
    DP_ACT_DROP,         // struct dp_act_drop: explicit drop with a reason (an empty list drops too)
    DP_ACT_USERSPACE,    // struct dp_act_userspace
    DP_ACT_SET,          // struct dp_act_set: one field, masked
    DP_ACT_PUSH_VLAN,    // struct dp_act_push_vlan
    DP_ACT_POP_VLAN,     // struct dp_act
    DP_ACT_PUSH_MPLS,    // struct dp_act_push_mpls
    DP_ACT_POP_MPLS,     // struct dp_act_pop_mpls
    DP_ACT_PUSH_ETH,     // struct dp_act_push_eth
    DP_ACT_POP_ETH,      // struct dp_act
    DP_ACT_PUSH_NSH,     // struct dp_act_push_nsh
    DP_ACT_POP_NSH,      // struct dp_act
    DP_ACT_SET_TUNNEL,   // struct dp_act_set_tunnel: metadata for the tunnel port that follows
    DP_ACT_RECIRC,       // struct dp_act_u32
    DP_ACT_HASH,         // struct dp_act_hash
    DP_ACT_CT,           // struct dp_act_ct
    DP_ACT_CT_CLEAR,     // struct dp_act
    DP_ACT_METER,        // struct dp_act_u32
    DP_ACT_TRUNC,        // struct dp_act_u32: maximum length
    DP_ACT_SAMPLE,       // struct dp_act_sample + nested
    DP_ACT_CLONE,        // struct dp_act + nested
    DP_ACT_CHECK_PKT_LEN, // struct dp_act_check_pkt_len + nested ×2
    DP_ACT_DEC_TTL,      // struct dp_act + nested (actions for expired packets)
    DP_ACT_LB_OUTPUT,    // struct dp_act_u32: bond id
    DP_ACT_COUNT
};

struct dp_act {
    uint16_t type;  // enum dp_act_type
    uint16_t flags; // DP_SET_IPV6, else 0
    uint32_t len;   // bytes, this header and all nested actions included; multiple of 8
};

struct dp_act_output {
    struct dp_act a;
    uint32_t port; // datapath port, host order
    uint32_t pad;
};

struct dp_act_drop {
    struct dp_act a;
    uint32_t reason;
    uint32_t pad;
};

struct dp_act_u32 {
    struct dp_act a;
    uint32_t value;
    uint32_t pad;
};

enum dp_userspace_kind { // first member of what travels with a packet to user space
    DP_USER_SLOW_PATH,   // translate and execute there; `arg`: why, enum dp_slow_path
    DP_USER_CONTROLLER,  // to an OpenFlow controller
    DP_USER_SFLOW,
    DP_USER_FLOW_SAMPLE, // sample() action: IPFIX
    DP_USER_IPFIX,
    DP_USER_RAW // another program's: `arg` bytes of it follow the structure, zero-padded to 8
};

// Why the slow path: bits of `arg`.
enum dp_slow_path {
    DP_SLOW_CFM = 0x01,
    DP_SLOW_BFD = 0x02,
    DP_SLOW_LACP = 0x04,
    DP_SLOW_STP = 0x08,
    DP_SLOW_LLDP = 0x10,
    DP_SLOW_ACTION = 0x20, // an action that the datapath lacks
    DP_SLOW_MATCH = 0x40   // a field that the datapath lacks
};

struct dp_act_userspace {
    struct dp_act a;
    uint32_t pid;    // netlink port id, 0: the datapath's own choice
    uint32_t egress_port; // UINT32_MAX: none
    uint8_t kind;    // enum dp_userspace_kind
    uint8_t has_actions; // also send the actions (sFlow)
    uint16_t pad;
    uint32_t arg;    // per kind: slow-path reason bits; controller: packet-in reason << 16 | max_len …
    uint32_t ofp_in_port; // slow path, controller
    uint32_t ofproto; // number of the bridge (slowpath's), for kinds that need it
    uint64_t cookie; // controller: cookie of the rule; sample: observation ids
    uint32_t recirc_id;
    uint16_t controller_id;
    uint16_t pad2;
};

#define DP_USER_DONT_SEND 1 // flag of a userspace action of kind controller: only said, in a trace

#define DP_SET_IPV6 1 // flag of a set: the packet is IPv6. Tells nw_tos and nw_ttl of both apart

struct dp_act_set {
    struct dp_act a;
    uint32_t field; // enum field_id; never a tunnel field
    uint32_t n_bytes;
    uint8_t value[16]; // big-endian, left-aligned n_bytes
    uint8_t mask[16];
};

struct dp_act_push_vlan {
    struct dp_act a;
    be16_t tpid;
    be16_t tci; // with FLOW_VLAN_PRESENT
    uint32_t pad;
};

struct dp_act_push_mpls {
    struct dp_act a;
    be32_t lse;
    be16_t ethertype;
    uint16_t pad;
};

struct dp_act_pop_mpls {
    struct dp_act a;
    be16_t ethertype;
    uint16_t pad[3];
};

struct dp_act_push_eth {
    struct dp_act a;
    struct mac dst, src;
    uint32_t pad;
};

struct dp_act_push_nsh {
    struct dp_act a;
    uint8_t flags, ttl, mdtype, np;
    be32_t path;
    be32_t context[4];
};

struct dp_act_set_tunnel {
    struct dp_act a;
    struct flow_tunnel tun; // with FLOW_TUN_KEY in flags when the id counts
    uint64_t tun_md_present;
    uint8_t opts_len; // bytes of Geneve options that follow, in wire format, multiple of 4
    uint8_t pad[7];
    uint8_t opts[];   // padded to 8
};

struct dp_act_hash {
    struct dp_act a;
    uint32_t alg; // 0: L4, 1: symmetric L4
    uint32_t basis;
};

enum dp_ct_flags {
    DP_CT_COMMIT = 1,
    DP_CT_FORCE = 2,
    DP_CT_SNAT = 4,
    DP_CT_DNAT = 8,
    DP_CT_NAT = 16, // "nat" without direction
    DP_CT_PERSISTENT = 32,
    DP_CT_HASH = 64,
    DP_CT_RANDOM = 128
};

struct dp_act_ct {
    struct dp_act a;
    uint16_t zone; // host order
    uint16_t flags; // enum dp_ct_flags
    be32_t mark, mark_mask; // mask 0: not set
    uint32_t pad;
    uint8_t label[16], label_mask[16];
    uint8_t nat_family; // 0 none, 4, 6
    uint8_t pad2[3];
    uint16_t nat_port_min, nat_port_max; // host order, 0: none
    uint8_t nat_min[16], nat_max[16];    // IPv4 in the first four bytes
    char helper[16];  // "" none
    char timeout[32]; // "" none
};

struct dp_act_sample {
    struct dp_act a;
    uint32_t probability; // of UINT32_MAX
    uint32_t pad;
};

struct dp_act_check_pkt_len {
    struct dp_act a;
    uint32_t pkt_len;
    uint32_t greater_len; // bytes of the first nested list (packet longer); the other one follows
};

struct dp_actions {
    uint8_t *data; // 8-byte aligned
    uint32_t len;  // bytes
    uint32_t cap;
};

#define DP_ACTIONS_INIT                                                                                                \
    {                                                                                                                  \
        NULL, 0, 0                                                                                                     \
    }

void dp_actions_init(struct dp_actions *);
void dp_actions_free(struct dp_actions *);
void dp_actions_clear(struct dp_actions *);
void dp_actions_copy(struct dp_actions *dst, const struct dp_actions *src);
bool dp_actions_equal(const struct dp_actions *, const struct dp_actions *);
uint32_t dp_actions_hash(const struct dp_actions *, uint32_t seed);

// Appends a zeroed action of `size` bytes (rounded up to 8) and returns it; valid until the next append.
void *dp_actions_add(struct dp_actions *, enum dp_act_type, size_t size);
void dp_actions_add_output(struct dp_actions *, uint32_t port);
void dp_actions_add_u32(struct dp_actions *, enum dp_act_type, uint32_t value);
void dp_actions_add_set(struct dp_actions *, const struct field_info *, const union field_value *value,
                        const union field_value *mask);
// Nesting: ofs = dp_actions_begin(…); append children; dp_actions_end(…, ofs).
size_t dp_actions_begin(struct dp_actions *, enum dp_act_type, size_t size);
void dp_actions_end(struct dp_actions *, size_t ofs);

static inline const struct dp_act *
dp_act_next(const struct dp_act *a)
{
    return (const struct dp_act *) (const void *) ((const uint8_t *) a + a->len);
}

// Walks `len` bytes of actions at `data` (top level).
#define DP_ACT_FOR_EACH(a, data_, len_)                                                                                \
    for ((a) = (const struct dp_act *) (const void *) (data_);                                                         \
         (const uint8_t *) (a) < (const uint8_t *) (data_) + (len_); (a) = dp_act_next(a))

// Bytes of the fixed part of an action type: nested actions start there.
size_t dp_act_fixed_size(enum dp_act_type);

// The text that ovs-dpctl and ovs-appctl print: "push_vlan(vid=10,pcp=0),2", "drop". Port names through port_name (may be NULL: numbers).
typedef const char *dp_port_namer(uint32_t port, void *aux);
void dp_actions_format(const struct dp_actions *, dp_port_namer *, void *aux, struct str *out);
// NULL, or an error sentence to free. port_by_name may be NULL.
typedef bool dp_port_finder(const char *name, uint32_t *port, void *aux);
char *dp_actions_parse(const char *text, dp_port_finder *, void *aux, struct dp_actions *);

// Datapath flow text: "recirc_id(0),in_port(2),eth(src=…,dst=…),eth_type(0x0800),ipv4(frag=no)". verbose (-m): all fields, wildcards spelled out.
struct flow_match;
void dp_match_format(const struct flow_match *, bool verbose, dp_port_namer *, void *aux, struct str *out);
// The same with metadata in the kernel datapath's order, as flows of "system" datapaths are told.
void dp_match_format_kernel(const struct flow_match *, bool verbose, dp_port_namer *, void *aux, struct str *out);
char *dp_match_parse(const char *text, dp_port_finder *, void *aux, struct flow_match *);

#endif
