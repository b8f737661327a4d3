// SPDX-License-Identifier: Apache-2.0
// Translation: what the OpenFlow tables do with a packet, as a match with as few bits as can be, datapath actions, and the list of what the result depends on and credits.
//
// Any thread, inside one RCU section; writes nothing shared, except that with `learn` the MAC table learns. The same call serves misses (packet at hand), revalidation (the
// entry's masked key), ofproto/trace and explain (with a `trace` text), and packet-out (an action list to start with).
#ifndef SLOWPATH_XLATE_H
#define SLOWPATH_XLATE_H 1

#include "lib/base/flat.h"
#include "lib/base/str.h"
#include "lib/flow/dp_actions.h"
#include "lib/flow/flow_key.h"
#include "ofproto/of_act.h"
#include "slowpath/sp_config.h"

struct of_actions;
struct of_rule;
struct xlate_trace;

// Groups of key members, for "was rewritten before this table": 16 bits an entry's link can afford. See xlate_group_mask().
enum xlate_group {
    XLATE_G_ETH_DST,
    XLATE_G_ETH_SRC,
    XLATE_G_VLAN,
    XLATE_G_NW_SRC,
    XLATE_G_NW_DST,
    XLATE_G_IPV6_SRC,
    XLATE_G_IPV6_DST,
    XLATE_G_L3_OTHER,
    XLATE_G_L4,
    XLATE_G_METADATA,
    XLATE_G_REGS_0, // reg0 … reg3
    XLATE_G_REGS_4,
    XLATE_G_REGS_8,
    XLATE_G_REGS_12,
    XLATE_G_TUNNEL, // and marks
    XLATE_G_OTHER,
    XLATE_N_GROUPS
};
// Bits of the members of a set of groups (1 << enum xlate_group).
void xlate_groups_mask(uint16_t groups, struct flow_mask *);

enum xlate_dep_kind {
    XLATE_DEP_RULE,  // the winner of a lookup: dependency and credit
    XLATE_DEP_MISS,  // no winner in a table: dependency and credit of the table
    XLATE_DEP_MAC,   // the MAC table's answer for a destination (also "unknown")
    XLATE_DEP_LEARN, // credit: the source address was seen again
    XLATE_DEP_PATCH, // credit: a patch port's counters; `port` sent, `peer` received
    XLATE_DEP_STATE  // a frozen pipeline state (xlate_state.h) that the actions name
};

struct xlate_dep {
    uint8_t kind;
    uint8_t table;      // RULE, MISS
    uint16_t rewritten; // RULE, MISS: groups whose values no longer are the packet's
    uint32_t in_port;   // RULE, MISS: OpenFlow port at the lookup
    union {
        const struct of_rule *rule;     // RULE
        struct of_bridge *of;           // MISS
        struct sp_bridge_state *bridge; // MAC, LEARN, PATCH: of `port`
    };
    union {
        struct {
            struct mac mac; // MAC, LEARN
            uint16_t vlan;
            uint32_t port; // MAC: the answer (MAC_NO_PORT); LEARN: where it was seen; PATCH
        };
        uint32_t state; // STATE
    };
    struct sp_bridge_state *peer_bridge; // PATCH
    uint32_t peer;
    uint32_t bridge_number; // where it happened
};

// Why a translation ended early, or went another way than the tables say. XLATE_OK: it didn't.
enum xlate_error {
    XLATE_OK,
    XLATE_NO_PORT,        // the datapath port belongs to no bridge
    XLATE_NO_BRIDGE,      // no OpenFlow tables behind it
    XLATE_TOO_DEEP,       // 64 nested resubmits
    XLATE_TOO_MANY,       // 4096 resubmits
    XLATE_UNSUPPORTED,    // an action that isn't translated yet: packets are dropped, `error_text` names it
    XLATE_N_ERRORS
};
const char *xlate_error_text(enum xlate_error); // one sentence

struct xlate_in {
    const struct sp_config *config;
    const struct sp_dp *dp;
    const struct flow_key *key;     // in_port: datapath port; with `bridge`: OpenFlow port of it
    const struct sp_bridge *bridge; // packet-out, trace: start here; NULL: by datapath port
    const struct of_actions *actions; // packet-out: instead of table 0; NULL: tables
    const struct flow_mask *prefer;   // bits that are matched anyway: few others are added to them; NULL: none
    bool learn;         // the packet is real: MAC learning now
    int64_t now;        // ms
    struct xlate_trace *trace; // xlate_trace.h; NULL: none
};

struct xlate_out {
    struct flow_mask wc;        // in_port in the datapath's numbers
    struct dp_actions acts;
    struct xlate_dep *deps;
    size_t n_deps, cap_deps;
    enum xlate_error error;
    char error_text[64];        // XLATE_UNSUPPORTED: the action
    bool to_controller, slow;   // has a DP_ACT_USERSPACE of such a kind
    const struct sp_bridge *bridge; // of the input port, NULL
    uint32_t ofp_in_port;
    struct flow_key final;      // trace: the key at the end
};

// Off: every flow matches all that its packet has (upcall/disable-megaflows). Any thread.
void xlate_set_megaflows(bool on);
void xlate_out_init(struct xlate_out *);
void xlate_out_destroy(struct xlate_out *); // also drops references to frozen states
// Translates; `out` is initialised and may be used again and again (memory is kept).
void xlate_flow(const struct xlate_in *, struct xlate_out *);
// Is an action of this type translated? Others drop the packet: XLATE_UNSUPPORTED.
bool xlate_does(enum of_act_type);

#endif
