// SPDX-License-Identifier: Apache-2.0
// Placement: the highest place that takes a flow. Decides which entries are handed to the offload
// worker, and speaks for them to the rest of the packet path.
//
// Any thread, inside an RCU section, unless said otherwise. Nothing here waits for tc.
#ifndef SLOWPATH_PLACE_H
#define SLOWPATH_PLACE_H 1

#include "lib/flow/dp_ops.h"

struct mega;
struct sp_config;
struct sp_dp;

// tc as a place of this datapath's flows.
struct place_tc {
    const struct dp_ops *ops;
    struct dp *dp;
};

const struct place_tc *sp_place_tc(const struct sp_dp *); // NULL: not in use
// A new entry rests at home: would a higher place take it? Queues it if so; else notes the reason.
void sp_place_consider(struct sp_dp *, struct mega *, const struct sp_config *);
// Where a flow with this key and translation would be put, and why not higher. in_port: datapath
// port.
struct xlate_out;
struct flow_key;
struct str;
struct place_forecast {
    enum dp_place place;
    struct reason why;  // why not higher
    bool unasked;       // the driver has the last word, and will be asked when the flow comes
    bool refused;       // `why` is what it said of such a flow before
    int64_t again_ms;   // refused: until the next such flow is tried; 0: at once
    struct str *filter; // gains the tc filter; may be NULL
};
void sp_place_forecast(const struct sp_dp *, const struct xlate_out *, const struct flow_key *,
                       struct place_forecast *);
// The entry has a filter in tc and needs new actions there, or must go. Asynchronous.
void sp_place_update(struct sp_dp *, struct mega *);
void sp_place_remove(struct sp_dp *, struct mega *);

// Follows the configuration: starts and stops the worker. Main thread.
void sp_place_configure(struct sp_dp *, const struct sp_config *);
void sp_place_stop(struct sp_dp *, bool remove); // at exit; remove: filters go
void sp_place_free(struct sp_dp *);              // after the last user of sp_place_tc() ended

// Filters that an earlier run left where this one offloads nothing (see place_left.c). Main thread. note: as the kernel's
// datapath is opened, before its ports change. clean: once, when the tables hold what the configuration says.
void sp_place_left_note(struct dp *kernel);
void sp_place_left_clean(const struct sp_config *);

// What is going on, for people. Main thread.
struct place_stats {
    bool active;
    size_t n_workers;
    uint64_t adopted, moved_in, moved_out;
};
void sp_place_stats(const struct sp_dp *, struct place_stats *);

#endif
