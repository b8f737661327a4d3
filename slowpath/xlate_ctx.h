// SPDX-License-Identifier: Apache-2.0
// The state of one translation, shared by xlate_*.c only.
//
// Where a bit of the key comes from. The packet has gone through actions that change it, but the datapath changes it only when it is about to be sent ("commit"). So there are two keys:
//
//     flow  what the OpenFlow tables see now        known       bits of it that were written: same value for every packet of this entry
//     base  what the datapath's packet is like now  base_known  likewise
//
// A bit outside `known` still is the original packet's. Reading such a bit puts it into the match (wc); reading a known bit costs nothing. Commit compares bit by bit:
//
//     flow known, base known      rewrite when they differ
//     flow known, base original   rewrite, unless the bit is matched already and has the wanted value
//     flow original, base known   (after a patch port or clone undid changes) the original value must be written back: match it, then as above
//
// That keeps the match minimal: setting a field does not match it. VLAN tags, whose number changes, are always matched once touched.
#ifndef SLOWPATH_XLATE_CTX_H
#define SLOWPATH_XLATE_CTX_H 1

#include "lib/flow/match.h"
#include "ofproto/of_bridge.h"
#include "slowpath/xlate.h"
#include "slowpath/xlate_trace.h"

#define XLATE_MAX_DEPTH 64
#define XLATE_MAX_RESUBMITS 4096

struct xlate_ctx {
    const struct xlate_in *in;
    struct xlate_out *out;
    const struct sp_bridge *br;
    uint64_t version; // of br's tables
    struct flow_key flow, base;
    struct flow_mask known, base_known;
    struct flow_mask scratch;
    uint16_t rewritten;  // 1 << enum xlate_group
    bool headers_known;  // known has header bits: lookups must be filtered
    bool uncommitted;    // flow and base may differ
    bool vlan_touched;   // flow.vlan and base.vlan may differ; both are matched
    bool exit;           // exit action, or an error: nothing more happens
    bool stop_list;      // the present action list ends here (dead TTL)
    bool missed;         // no rule took the packet: what goes to controllers now says so
    bool in_action_set;  // the action set's own list runs
    unsigned depth, n_resubmits;
    uint8_t table;
    be64_t last_cookie;         // of the rule that the pipeline came to last: the action set's
    const struct of_rule *rule; // whose actions run; NULL in packet-out and the action set of none
    struct flat action_set;     // items of write_actions
    struct flat stack;          // push, pop: struct flow_stack_item
};

#define XTRACE(c, kind, ...)                                                                                           \
    do {                                                                                                               \
        if ((c)->in->trace) {                                                                                          \
            xlate_trace_add((c)->in->trace, kind, __VA_ARGS__);                                                        \
        }                                                                                                              \
    } while (0)

// xlate.c
struct xlate_dep *xlate_add_dep(struct xlate_ctx *, enum xlate_dep_kind);
void xlate_fail(struct xlate_ctx *, enum xlate_error, const char *what);
// A bridge's whole pipeline from table 0, its action set included.
void xlate_pipeline(struct xlate_ctx *, uint8_t table);
// One table: its winner's actions. `miss`: what the table does on a miss counts (goto_table, table 0, output:TABLE).
void xlate_table(struct xlate_ctx *, uint8_t table, bool miss);
// The same, looked up as if the packet had come in by another port; the actions see the real one.
void xlate_table_as(struct xlate_ctx *, uint8_t table, uint32_t in_port, bool miss);
// The action set in the order in which it is executed; empty when nothing in it sends the packet anywhere. flat_free().
struct flat xlate_action_set(const struct xlate_ctx *);
void xlate_to_controller(struct xlate_ctx *, const struct of_act_controller *, enum of_packet_in_reason);

// Actions on a copy of the packet and of the pipeline's state, the copy's action set last. Tells them beside the present action.
void xlate_clone(struct xlate_ctx *, const void *items, size_t len);

// xlate_commit.c
void xlate_commit(struct xlate_ctx *);
// Matches the present tag(s), before something depends on them.
void xlate_read_vlan(struct xlate_ctx *, uint16_t tci_bits);
void xlate_touch_vlan(struct xlate_ctx *);
void xlate_push_vlan(struct xlate_ctx *, be16_t tpid, be16_t tci);
void xlate_pop_vlan(struct xlate_ctx *);
// The packet's own bits among `mask` are matched.
void xlate_read(struct xlate_ctx *, const struct flow_mask *mask);
// Value under mask into a field, as known bits. False: prerequisites not met, nothing done.
bool xlate_write(struct xlate_ctx *, const struct field_info *, const union field_value *value, const union field_value *mask);

// xlate_act.c
void xlate_actions(struct xlate_ctx *, const void *items, size_t len);

// xlate_port.c
struct xlate_saved;
// What a copy of the packet may change and the original must not see; the copy starts with an empty action set and stack, or with copies of them.
struct xlate_saved *xlate_save(struct xlate_ctx *, bool with_set);
void xlate_restore_take(struct xlate_ctx *, struct xlate_saved *);
void xlate_output(struct xlate_ctx *, uint32_t port, uint32_t max_len);
void xlate_output_port(struct xlate_ctx *, const struct sp_port *);

// xlate_normal.c
void xlate_normal(struct xlate_ctx *);

#endif
