// SPDX-License-Identifier: Apache-2.0
// What the files of the packet path share: one datapath with its cache, threads and worker; hooks between snapshot, tables and cache.
#ifndef SLOWPATH_SP_PRIVATE_H
#define SLOWPATH_SP_PRIVATE_H 1

#include "lib/base/hmap.h"
#include "slowpath/sp.h"

struct handlers;
struct mega_cache;
struct of_ops;
struct place;
struct reval;
struct sp_upcall;

struct sp_dp {
    struct sp_dp *next; // owner: main; all datapaths
    const char *type;
    const struct dp_ops *ops;
    struct dp *dp;
    enum dp_place home;         // DP_PLACE_KERNEL or DP_PLACE_USER
    struct dp_channel *main_channel; // owner: main
    struct mega_cache *cache;
    struct handlers *handlers;  // NULL where upcalls are synchronous
    struct reval *reval;
    struct place *place; // RCU; NULL until something is to be offloaded; owner: main
    uint64_t n_upcalls, n_slow;  // atomic
    bool ready;                  // atomic: sp_ready()
    bool edited; // owner: main; dpctl/* changed flows: the datapath may differ from the cache
};

struct sp_dp *sp_dp_first(void); // main thread
struct loop *sp_loop(void);

// The new snapshot is visible already. Main thread.
void sp_config_changed(const struct sp_config *old, const struct sp_config *now);

// sp_ops.c: what ofproto calls.
extern const struct of_ops sp_of_ops;
// trace.c, ctl_*.c
void sp_trace_init(void);
void sp_ctl_init(void);
void sp_ctl_dp_init(void);
void sp_ctl_offload_init(void);

#endif
