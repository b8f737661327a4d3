// SPDX-License-Identifier: Apache-2.0
// The Linux kernel's openvswitch datapath as a place for flows: struct dp_ops "system", over
// generic netlink (linux/openvswitch.h).
//
// The functions below go beyond dp_ops, for programs that look at datapaths from outside
// (ovs-dpctl, dpctl/* commands). They take the struct dp that kd_dp_ops.open() made, and are the
// main thread's.
#ifndef KDATAPATH_KD_H
#define KDATAPATH_KD_H 1

#include "lib/flow/dp_ops.h"

extern const struct dp_ops kd_dp_ops;

// Creates a datapath that must not be there yet. 0, -EEXIST or -errno.
int kd_dp_create(const char *name);
// Names of all datapaths. 0 or -errno (-ENOENT: the kernel has no openvswitch).
int kd_dp_for_each(void (*cb)(const char *name, void *aux), void *aux);
const char *kd_dp_name(const struct dp *);
// Entries of the kernel's mask cache, 0: switched off or unknown. Setting it: 0 or -errno; the kernel takes powers of two,
// the next one is set.
uint32_t kd_dp_mask_cache(struct dp *);
int kd_dp_set_mask_cache(struct dp *, uint32_t at_least);

struct kd_port {
    struct dp_port_info info;
    struct dp_port_counters counters;
    bool has_counters;
    uint16_t tp_dst;                    // tunnels; 0: none
    uint32_t n_upcall_pids, upcall_pid; // the first
};
// By name, or with name NULL by number. 0, -ENODEV, -errno.
int kd_port_get(struct dp *, const char *name, uint32_t port_no, struct kd_port *);
int kd_port_for_each(struct dp *, void (*cb)(const struct kd_port *, void *aux), void *aux);

// One flow, perhaps by its key rather than its id, as other programs install them. verb and results as in dp_ops, and every verb but CREATE fills
// stats. Main thread or the channel's.
struct kd_flow_request {
    struct dp_flow_op *op;
    bool by_key;                    // the id isn't sent
    bool may_create, clear;         // MODIFY: make it when it isn't there; counters start anew
    struct flow_match *got_match;   // what the kernel has, filled when not NULL
    struct dp_actions *got_actions; // the same, appended to
};
int kd_flow_request(struct dp_channel *, struct kd_flow_request *);

#endif
