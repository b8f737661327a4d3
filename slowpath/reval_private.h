// SPDX-License-Identifier: Apache-2.0
// What the files of the revalidator share.
//
// WHO RUNS WHERE
//   leader        turns (reval.c), dumps, and a share of everything below; it alone starts and ends
//                 helpers, between turns, when nothing is under way
//   helper × m-1  what the leader gives them (reval_crew.c): batches of dirty entries, records of a
//                 dump whose entries must be looked up (the kernel's, tc's), batches of flows to
//                 evict; asleep otherwise
// The leader waits for the helpers at the end of each step, so a turn is a whole as with one
// thread.
//
// WHO GETS WHAT
//   Dirty and evicted entries go to whoever is free: who claims one owns it.
//   Records of a dump go by the flow's id: two records of one flow (a dump may bring it twice while
//   a table is rearranged) are merged in the order they were read, or its counters would go back.
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

struct reval_helper;
struct request;

struct reval {
    struct sp_dp *dp;
    int efd;
    uint32_t sweep; // atomic
    bool stop;      // atomic
    struct thread *thread;
    struct reval_tools own, main;  // owner: the thread; the main thread
    struct reval_helper **helpers; // owner: thread
    size_t n_helpers, cap_helpers; // owner: thread
    unsigned n_wanted, n_threads;  // atomic; writer: main; thread
    int64_t last_macs;             // owner: thread
    int64_t next_sweep;            // owner: thread; real time, µs
    unsigned dump_us;              // atomic: of the last sweep
    uint64_t sweeps;               // atomic
    // Held from a sweep's number to the end of its dumps: of two dumps at a time, the main thread's
    // and the leader's, what one read first may be merged last.
    struct mutex dumps;
    struct mutex mutex;
    struct request *requests GUARDED_BY(mutex);
};

// The tc channel, once there is a tc to talk to; or NULL.
struct dp_channel *sp_reval_tc_channel(struct reval *, struct reval_tools *);

int sp_reval_tools_open(struct sp_dp *, struct reval_tools *); // 0 or -errno
void sp_reval_tools_close(struct sp_dp *, struct reval_tools *);

// reval_crew.c. Leader only.

struct reval_job {
    struct reval_job *next;                                // the crew's
    void (*run)(struct reval_job *, struct reval_tools *); // may free the job
};
// Starts or ends helpers until there are n: fewer if they cannot be started, which is logged.
void sp_reval_crew_fit(struct reval *, size_t n);
// Helper i runs the job after those it was given before.
void sp_reval_crew_give(struct reval *, size_t i, struct reval_job *);
void sp_reval_crew_join(struct reval *); // until all jobs are done
// fn for all ids, in batches, by the leader and what helpers it takes; returns when all are done.
// With other means than the leader's: by the calling thread.
typedef void reval_batch_fn(struct reval *, struct reval_tools *, const struct flow_id *, size_t n);
void sp_reval_each_batch(struct reval *, struct reval_tools *, const struct flow_id *, size_t n,
                         reval_batch_fn *);
// Which of n threads merges a flow's counters.
static inline size_t
sp_reval_slice(const struct flow_id *id, size_t n)
{
    return id->w[1] % n;
}

// reval_dirty.c: everything that is dirty.
void sp_reval_do_dirty(struct reval *, struct reval_tools *);

// reval_sweep.c
void sp_reval_do_sweep(struct reval *, struct reval_tools *, bool evict, bool purge);
// Removes those entries that nobody owns from where they are. In an RCU section.
void sp_reval_remove(struct reval *, struct reval_tools *, const struct flow_id *, size_t n);

#endif
