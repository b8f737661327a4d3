// SPDX-License-Identifier: Apache-2.0
// What the files of the revalidator share.
#ifndef SLOWPATH_REVAL_PRIVATE_H
#define SLOWPATH_REVAL_PRIVATE_H 1

#include "lib/base/thread.h"
#include "slowpath/mega.h"
#include "slowpath/reval.h"
#include "slowpath/sp_private.h"

#define REVAL_BATCH 64

// One thread's means: channels and scratch memory.
struct reval_tools {
    struct dp_channel *home, *tc;
    struct xlate_out out;
    struct dp_flow_op ops[REVAL_BATCH];
    struct mega *op_of[REVAL_BATCH];
    struct flow_match matches[REVAL_BATCH];
};

struct request;

struct reval {
    struct sp_dp *dp;
    int efd;
    uint32_t sweep; // atomic
    bool stop;      // atomic
    struct thread *thread;
    struct reval_tools own, main; // owner: the thread; the main thread
    int64_t last_macs;            // owner: thread
    int64_t next_sweep;           // owner: thread; real time, µs
    unsigned dump_ms;             // atomic
    uint64_t sweeps;              // atomic
    struct mutex mutex;
    struct request *requests GUARDED_BY(mutex);
};

// The tc channel, once there is a tc to talk to; or NULL.
struct dp_channel *sp_reval_tc_channel(struct reval *, struct reval_tools *);

// reval_dirty.c: everything that is dirty.
void sp_reval_do_dirty(struct reval *, struct reval_tools *);

// reval_sweep.c
void sp_reval_do_sweep(struct reval *, struct reval_tools *, bool evict, bool purge);
// Removes those entries that nobody owns from where they are. In an RCU section.
void sp_reval_remove(struct reval *, struct reval_tools *, const struct flow_id *, size_t n);

#endif
