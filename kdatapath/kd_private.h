// SPDX-License-Identifier: Apache-2.0
// Private to kdatapath: a datapath and its channels.
//
// Owners: struct dp is the main thread's, except what is constant after open (family numbers,
// index) and `user_pids`, which upcall_set() publishes. A channel and its sockets belong to one
// thread at a time; the upcall socket of a handler's channel is made by upcall_set() before the
// handler runs.
#ifndef KDATAPATH_KD_PRIVATE_H
#define KDATAPATH_KD_PRIVATE_H 1

#include <linux/genetlink.h>

#include "kdatapath/kd.h"
#include "kdatapath/kd_codec.h"
#include "lib/base/thread.h"
#include "lib/net/netlink.h"

struct kd_families { // numbers of generic netlink families
    uint16_t datapath, vport, flow, packet;
};

struct kd_user_pids { // where packets for user space go
    bool per_cpu;
    uint32_t n;
    uint32_t pids[];
};

struct dp {
    char name[16];
    int dp_ifindex;
    struct kd_families fam;
    uint32_t user_features; // OVS_DP_F_* in force
    struct nlk_sock *sock;
    struct nlk_batch batch;
    struct kd_user_pids *user_pids; // RCU-published; NULL: no handlers
    struct mutex probe_mutex;
    bool probed; // atomic
    bool can_drop;
    struct dp_features features; // constant once probed
};

struct dp_channel {
    struct dp *dp;
    struct nlk_sock *sock;
    struct nlk_batch batch;
    struct nlk_result *results; // of the batch's messages
    size_t *op_of;              // which operation a message is for
    size_t cap;                 // of both
    struct dp_actions acts;     // of the record at hand, or of the packet's upcall
    struct nlk_sock *upcall;    // NULL: receives none
    struct dp_actions upcall_acts[NLK_RECEIVE_MAX];
};

// Starts a message to a family about this datapath.
void kd_begin(struct nlk_batch *, const struct dp *, uint16_t family, uint8_t cmd, uint16_t flags);
// Attributes of an answer, behind its two headers. 0 or -EBADMSG.
int kd_parse(const struct nlk_msg *, struct nlk_attr table[], size_t n, uint8_t *cmd,
             int *dp_ifindex);

int kd_families_find(struct nlk_sock *, struct kd_families *);

// kd_dp.c
int kd_dp_open(const char *name, bool create, struct dp **);
void kd_dp_close(struct dp *);
int kd_dp_destroy(struct dp *);
int kd_dp_stats(struct dp *, struct dp_stats *);
// Sends OVS_DP_CMD_SET with these features and, when n, per-CPU pids. 0 or -errno.
int kd_dp_set(struct dp *, uint32_t features, const uint32_t *cpu_pids, size_t n);

// kd_vport.c
int kd_vport_add(struct dp *, const struct dp_port_spec *, uint32_t *port_no);
int kd_vport_del(struct dp *, uint32_t port_no);
int kd_vport_dump(struct dp *, dp_port_cb *, void *aux);
// Gives all ports these handlers.
int kd_vport_set_pids(struct dp *, const uint32_t *pids, size_t n);

// kd_flow.c
int kd_channel_open(struct dp *, struct dp_channel **);
void kd_channel_close(struct dp_channel *);
void kd_channel_reserve(struct dp_channel *, size_t n);
int kd_flow_apply(struct dp_channel *, struct dp_flow_op *, size_t n);
int kd_op_put(struct dp_channel *, struct dp_flow_op *); // one message more in the batch; 0 or -errno, also in op->error
void kd_op_done(struct dp_flow_op *, const struct nlk_result *);
int kd_flow_dump(struct dp_channel *, bool terse, dp_flow_cb *, void *aux);
int kd_flow_flush(struct dp_channel *);
// Context for actions of packets that come in by this port.
void kd_flow_act_context(struct dp *, be16_t eth_type, be32_t in_port, struct kd_act_context *);

// kd_execute.c
int kd_execute(struct dp_channel *, struct dp_execute *, size_t n);
int kd_apply_execute(struct dp_channel *, struct dp_flow_op *, size_t n_ops, struct dp_execute *, size_t n);

// kd_upcall.c
int kd_upcall_set(struct dp *, struct dp_channel *handlers[], size_t n);
int kd_upcall_fd(struct dp_channel *);
size_t kd_upcall_recv(struct dp_channel *, struct dp_upcall *, size_t max);

// kd_probe.c
const struct dp_features *kd_features(struct dp *);

#endif
