// SPDX-License-Identifier: Apache-2.0
// The revalidator of a datapath: merges counters, translates dirty entries again, evicts idle ones,
// ages MAC tables.
#ifndef SLOWPATH_REVAL_H
#define SLOWPATH_REVAL_H 1

#include "lib/base/util.h"

struct reval;
struct sp_dp;

struct reval *sp_reval_new(struct sp_dp *, int *error); // the cache exists already
void sp_reval_free(struct reval *);
// Dirty entries wait. Any thread.
void sp_reval_wake(void *reval);
// Number of the sweep that is under way or came last.
uint16_t sp_reval_sweep(const struct reval *);
// Runs done(aux) on the main loop after everything that is dirty now was handled and a whole sweep
// was made; `purge`: the sweep removes every flow.
void sp_reval_request(struct reval *, bool purge, void (*done)(void *aux), void *aux);
// Main thread: counters of all places as they are now, credited. May take as long as a dump.
void sp_reval_refresh(struct reval *);
// Removes every entry that depends on this bridge's tables, before it returns. Main thread.
struct of_bridge;
void sp_reval_drop_bridge(struct reval *, const struct of_bridge *);

#define REVAL_MAX_THREADS 128
// So many threads, at least one. Returns at once; the change is made between two turns of the
// revalidator. Main thread.
void sp_reval_set_threads(struct reval *, unsigned n);

struct reval_stats {
    unsigned dump_ms; // of the last sweep
    uint64_t sweeps;
    unsigned n_threads;
    // Flows by slices of their ids: whose counters each thread merges, when helpers do.
    size_t keys[REVAL_MAX_THREADS];
};
void sp_reval_stats(const struct reval *, struct reval_stats *);

#endif
