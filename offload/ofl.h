// SPDX-License-Identifier: Apache-2.0
// tc flower as a place for flows: struct dp_ops "tc", in the NIC (DP_PLACE_TC_HW) or in the
// kernel's software classifier (DP_PLACE_TC_SW). Ports are those of the kernel datapath, told by
// ifindex; one channel belongs to one worker thread.
#ifndef OFFLOAD_OFL_H
#define OFFLOAD_OFL_H 1

#include "lib/flow/dp_ops.h"

struct loop;

extern const struct dp_ops ofl_dp_ops;

// A datapath port as the offload room needs it. Main thread; replaces what was known under this
// number. ifindex 0: gone.
struct ofl_port {
    uint32_t dp_port;
    int ifindex;
    bool internal;
    bool up; // internal ones
    char name[16];
};
void ofl_port_set(struct dp *, const struct ofl_port *);
// Looks at all devices again (mode, hw-tc-offload …). True: something changed. Main thread.
bool ofl_refresh(struct dp *);
// The NIC (a number from 1, stable while the datapath is open) that filters of this port go to; 0:
// none, with *why. Any thread.
uint32_t ofl_port_nic(struct dp *, uint32_t dp_port, struct reason *why);
// Room in a NIC's table: number of filters in hardware, and the capacity (0: not met yet). False:
// no such NIC. Any thread.
bool ofl_nic_room(struct dp *, uint32_t nic, uint64_t *rules, uint64_t *capacity);
// Removes clsact from devices that left and hold no filters any more. The thread that owns the
// channel.
void ofl_tidy(struct dp_channel *);
// Removes filters that the table lacks from devices that joined since the last full dump (an earlier switch left them), or where
// the answer about one was lost. Filters that a full dump has shown are the caller's to keep or remove. The thread that owns the
// channel, and that alone installs filters at the ports of which is_mine() is true: else it took a new one for a stray.
// False: the kernel did not tell all of some device; to be called again after a while.
bool ofl_remove_strays(struct dp_channel *, bool (*is_mine)(uint32_t dp_port, void *aux), void *aux);

// Removes what a switch's earlier run left in tc of these devices, which are no ports of an open datapath. Number of filters.
size_t ofl_clean_devices(const int *ifindexes, size_t n);

// Are there chains for copies to internal ports (see ofl_local.c)? Packets may be on their way there
// for a moment after the last flow has left. Any thread.
bool ofl_has_locals(struct dp *);

// Counters of filters that went: see ofl_old.c. Gives what came since, and removes what is due, of
// what went through this channel. The thread that owns the channel.
struct ofl_late {
    uint32_t serial; // dp_flow_op.late
    struct flow_id id;
    uint64_t packets, bytes; // to be added to what was told
    bool last;               // of this number
};
typedef void ofl_late_cb(const struct ofl_late *, void *aux);
void ofl_collect(struct dp_channel *, ofl_late_cb *, void *aux);
// ms until something is due; -1: nothing will be.
int ofl_collect_wait(struct dp_channel *);

enum ofl_policy {
    OFL_POLICY_NONE,
    OFL_POLICY_SKIP_SW,
    OFL_POLICY_SKIP_HW
}; // other_config:tc-policy
void ofl_set_policy(struct dp *, enum ofl_policy);

// Dry run (any thread): would this flow be taken? True: in `place`; false: `reason` says why not.
// text (may be NULL) gains the tc filter as `tc filter show` words it.
struct str;
struct ofl_verdict {
    enum dp_place place;
    struct reason reason;
    struct str *text; // the caller's
};
bool ofl_explain(struct dp *, const struct flow_match *, const struct dp_actions *,
                 struct ofl_verdict *);

// What is known of each NIC (eswitch) and port, for `ovs-offload status` and `ports`: text for
// people is made by the program.
struct ofl_port_info {
    uint32_t dp_port;
    char name[16];
    int ifindex;
    char flavour[16]; // "physical", "pcivf", "pcipf", "pcisf", "virtual"; "" without devlink
    int pf, vf, sf, controller;              // -1: none
    char switch_id[68];                      // hex; "": none
    char devlink[64];                        // "pci/0000:03:00.0", "netdevsim/…", "": none
    char eswitch_mode[16];                   // "switchdev", "legacy", "": none
    char driver[32], firmware[32], rdma[32]; // rdma "none" where there is no device
    int rdma_port;                           // 0: none
    unsigned mtu;
    uint8_t mac[6];
    bool hw_tc_offload;
    struct reason reason; // why not offloadable
};
typedef void ofl_port_cb(const struct ofl_port_info *, void *aux);
void ofl_for_each_port(struct dp *, ofl_port_cb *, void *aux);

struct ofl_nic_stats { // by switch id
    char switch_id[68];
    uint32_t number;          // 1 …
    uint64_t rules, capacity; // capacity: learned from -ENOSPC; 0: not met yet
    uint64_t inserts, failures;
    uint64_t insert_us_p99;
};
typedef void ofl_nic_cb(const struct ofl_nic_stats *, void *aux);
void ofl_for_each_nic(struct dp *, ofl_nic_cb *, void *aux);

#endif
