// SPDX-License-Identifier: Apache-2.0
// Packets executed by the datapath, or, where it lacks one of their actions (the kernel sets no
// ARP, ND or ICMP field), here, with the datapath only sending what results.
#ifndef SLOWPATH_EXECUTE_DP_H
#define SLOWPATH_EXECUTE_DP_H 1

#include "lib/flow/dp_ops.h"

// As dp_ops.execute(). The channel is the calling thread's.
int sp_execute_dp(const struct dp_ops *, struct dp_channel *, struct dp_execute *, size_t n);

// Flows and the packets that go after them, in one go where the datapath can. Each gets its own result; 0, or -errno when the channel failed.
struct execute_batch {
    struct dp_flow_op *ops;
    size_t n_ops;
    struct dp_execute *packets;
    size_t n;
};
int sp_apply_execute_dp(const struct dp_ops *, struct dp_channel *, const struct execute_batch *);

#endif
