// SPDX-License-Identifier: Apache-2.0
// How a datapath that lives in this process ("netdev", "dummy") hands packets to the slow path: a synchronous call on the thread that polls it (or the main
// thread), instead of a socket that handlers read.
//
// The datapath registers an attach function once, in the composition root; the slow path calls it after dp_ops.open() with the function to call for
// misses and for DP_ACT_USERSPACE. Inside that function the slow path installs flows and executes packets through the channel it is given: dp_ops.flow_apply() and
// dp_ops.execute() must therefore not need a lock that the caller holds, and flows applied there are visible when the function returns.
#ifndef SLOWPATH_SP_UPCALL_H
#define SLOWPATH_SP_UPCALL_H 1

#include "lib/flow/dp_ops.h"

struct sp_upcall {
    enum dp_upcall_kind kind;
    struct packet *packet;                // borrowed for the call; may be changed
    const struct flow_key *key;           // extracted; in_port is the datapath's port number (big-endian), recirc_id set
    const struct dp_act_userspace *user;  // ACTION: what the action carried; else NULL
};

// `ch`: the calling thread's own channel. Up to SP_UPCALL_BATCH at once; give what is at hand rather than one by one. When it returns, the packets have
// been executed (they belong to the caller again).
#define SP_UPCALL_BATCH 64
typedef void sp_upcall_fn(void *aux, struct dp_channel *ch, struct sp_upcall *, size_t n);

// attach(dp, fn, aux): from now on; fn NULL: no more upcalls (none runs when attach returns). Main thread.
typedef void sp_upcall_attach_fn(struct dp *, sp_upcall_fn *, void *aux);
void sp_upcall_register(const char *dp_type, sp_upcall_attach_fn *);
sp_upcall_attach_fn *sp_upcall_find(const char *dp_type); // NULL: the type uses dp_ops.upcall_set

#endif
