// SPDX-License-Identifier: Apache-2.0
// The contract of every place that can hold cached flows: the userspace datapath, the kernel datapath, tc (software and hardware).
// All structures are typed (struct flow_match, struct dp_actions); netlink stays inside the implementations.
//
// Threads: open, close and port functions are called by the main thread. flow_apply, flow_dump and execute may be called by any one thread at a
// time per `struct dp_channel`; each handler, revalidator and worker opens its own channel.
#ifndef LIB_FLOW_DP_OPS_H
#define LIB_FLOW_DP_OPS_H 1

#include "lib/flow/dp_actions.h"
#include "lib/flow/match.h"
#include "lib/flow/packet.h"
#include "lib/flow/reason.h"

enum dp_place { DP_PLACE_NONE, DP_PLACE_USER, DP_PLACE_KERNEL, DP_PLACE_TC_SW, DP_PLACE_TC_HW, DP_N_PLACES };
const char *dp_place_name(enum dp_place); // "none" "user" "kernel" "tc" "hardware"

// Identity of a cached flow: the kernel's UFID and the tc action cookie.
struct flow_id {
    uint64_t w[2];
};

static inline bool
flow_id_equals(const struct flow_id *a, const struct flow_id *b)
{
    return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

struct dp_flow_stats {
    uint64_t packets;
    uint64_t bytes; // whole frames, Ethernet header included, FCS not
    int64_t used;   // ms on clock_now()'s scale; 0: never
    uint16_t tcp_flags;
};

#define DP_PORT_NONE UINT32_MAX

struct dp_port_spec {
    const char *name;
    const char *type;  // "system", "internal", "vxlan" …: Interface.type
    uint32_t port_no;  // wanted; DP_PORT_NONE: any
    uint16_t tp_dst;   // tunnels: UDP port, host order
    uint32_t exts;     // tunnels: extension bits (gbp …)
};

struct dp_port_info {
    char name[16];
    char type[16];
    uint32_t port_no;
    int ifindex; // 0: none
};

struct dp_port_counters {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors, rx_frame_err, rx_over_err, rx_crc_err,
        collisions;
};

// What a port without a Linux device (dummy) knows of itself; the others are asked through lib/net/link.h.
struct dp_port_state {
    struct mac mac;
    unsigned mtu;
    bool up, carrier;
    struct dp_port_counters counters;
};

// Frames lost between a device and the datapath, which the device's own counters don't tell of.
struct dp_port_drops {
    uint64_t rx, tx;
};

enum dp_flow_verb {
    DP_FLOW_CREATE, // -EEXIST when there
    DP_FLOW_MODIFY, // new actions, counters continue; -ENOENT when not there
    DP_FLOW_PUT,    // create or modify
    DP_FLOW_DELETE, // fills stats
    DP_FLOW_GET     // fills stats
};

struct dp_flow_op {
    enum dp_flow_verb verb;
    struct flow_id id;
    const struct flow_match *match;    // not needed for DELETE, GET
    const struct dp_actions *actions;  // CREATE, MODIFY, PUT
    // Results.
    int error;                  // 0 or -errno
    enum dp_place place;        // where it is now (tc: TC_SW or TC_HW)
    struct dp_flow_stats stats; // DELETE: last counters; GET: present ones
    struct reason reason;       // why it was refused, or why not in hardware
    // MODIFY, PUT, DELETE. In: not 0: the caller takes counters of what was there that come later, from a
    // place that may not know all of them yet. Out: 0, or the number that they come under (tc: ofl_collect()).
    uint32_t late;
    void *aux;                  // the caller's; CREATE in the userspace datapath: comes back in dumps
    uint32_t hint;              // the caller's; CREATE, PUT, MODIFY in tc: comes back in dumps
};

struct dp_flow_record { // of a dump
    struct flow_id id;
    bool has_id;
    enum dp_place place;
    struct dp_flow_stats stats;
    const struct flow_match *match;   // NULL in terse dumps
    const struct dp_actions *actions; // NULL in terse dumps
    uint32_t mark;
    void *aux; // of the operation that made the flow, where the place keeps it; else NULL
    uint32_t hint; // the same; else 0. Of an earlier flow with this id, perhaps: to be checked
};

enum dp_upcall_kind { DP_UPCALL_MISS, DP_UPCALL_ACTION };

struct dp_upcall {
    enum dp_upcall_kind kind;
    struct packet packet; // borrowed from the channel until the next receive
    struct flow_key key;  // as the datapath saw it, in_port its port number
    struct flow_id id;    // UFID the datapath computed, when it does
    struct dp_act_userspace user; // ACTION: what the action carried
    const struct dp_actions *actions; // ACTION with has_actions
    uint32_t egress_port;
    uint32_t mru;
};

struct dp_execute {
    struct packet *packet; // may be changed
    const struct flow_key *key; // metadata (in_port, tunnel, marks, ct) and parsed headers
    const struct dp_actions *actions;
    bool probe;
    uint32_t mtu;
    int error; // result
};

struct dp_features {
    struct field_set match;      // fields a match may use
    uint32_t actions;            // bits 1 << enum dp_act_type
    uint8_t max_vlans, max_mpls;
    bool ufid, recirc, masked_set, ct_state_nat, ct_orig_tuple, ct_timeout, check_pkt_len, tc_recirc_sharing, per_cpu_upcalls;
    uint32_t max_recirc_id, sample_nesting;
};

struct dp_stats {
    uint64_t hit, missed, lost, mask_hit, cache_hit;
    uint64_t flows;
    uint32_t masks;
};

struct dp;         // one datapath, made by open()
struct dp_channel; // one thread's access to it
typedef bool dp_flow_cb(const struct dp_flow_record *, void *aux); // false ends the dump
typedef void dp_port_cb(const struct dp_port_info *, void *aux);

struct dp_ops {
    const char *type; // "system", "netdev", "dummy", "tc"

    // A datapath by name, made when missing and `create`. 0 or -errno.
    int (*open)(const char *name, bool create, struct dp **);
    void (*close)(struct dp *);
    int (*destroy)(struct dp *); // removes it with its ports and flows; frees dp
    const struct dp_features *(*features)(struct dp *);
    int (*stats)(struct dp *, struct dp_stats *);

    // NULL where a place has no ports of its own (tc).
    int (*port_add)(struct dp *, const struct dp_port_spec *, uint32_t *port_no);
    int (*port_del)(struct dp *, uint32_t port_no);
    int (*port_dump)(struct dp *, dp_port_cb *, void *aux);
    // State of a port that has no Linux device; NULL, or -ENODEV, where lib/net/link.h knows. set: MAC and MTU as configured.
    int (*port_state)(struct dp *, uint32_t port_no, struct dp_port_state *);
    int (*port_set)(struct dp *, uint32_t port_no, const struct mac *, unsigned mtu);
    // 0 or -errno; NULL where nothing is lost there. Main thread.
    int (*port_drops)(struct dp *, uint32_t port_no, struct dp_port_drops *);

    int (*channel_open)(struct dp *, struct dp_channel **);
    void (*channel_close)(struct dp_channel *);
    // Applies n operations in order, in as few system calls as it can. Each op gets its own result. 0, or -errno when the channel itself failed.
    int (*flow_apply)(struct dp_channel *, struct dp_flow_op *, size_t n);
    // terse: ids and counters only.
    int (*flow_dump)(struct dp_channel *, bool terse, dp_flow_cb *, void *aux);
    int (*flow_flush)(struct dp_channel *);
    // NULL where a place cannot.
    int (*execute)(struct dp_channel *, struct dp_execute *, size_t n);
    // flow_apply and then execute in one go, where that takes fewer system calls. NULL: call them one after the other.
    int (*apply_execute)(struct dp_channel *, struct dp_flow_op *, size_t n_ops, struct dp_execute *, size_t n);

    // Upcalls: n_handlers channels receive; each reads its own descriptor. NULL where a place has none.
    int (*upcall_set)(struct dp *, struct dp_channel *handlers[], size_t n);
    int (*upcall_fd)(struct dp_channel *);
    // Up to max upcalls without blocking; number received. Packets are valid until the channel's next call.
    size_t (*upcall_recv)(struct dp_channel *, struct dp_upcall *, size_t max);
};

// Registered by name, in the program's composition root.
void dp_ops_register(const struct dp_ops *);
const struct dp_ops *dp_ops_find(const char *type);

#endif
