// SPDX-License-Identifier: Apache-2.0
// What the files of placement share. A place is a datapath's way into tc: a worker thread for each
// NIC, and one (number 0) for what belongs to none: filters whose port has gone, and software
// filters where tc was asked for.
//
// WHO RUNS WHERE
//   main       follows the configuration and the devices; starts workers, tells them to end, joins
//   them any        queues ids of entries; what is wanted stands in the entry's flags (MEGA_QUEUED,
//   _REMOVE, _UPDATE) worker     owns its channels, its queue's taking end and struct place_policy;
//   claims entries before it moves them
//
// An entry that a worker has claimed stays valid, and its translation too, because only the owner
// of an entry changes or frees them: no RCU section spans a call to tc.
#ifndef SLOWPATH_PLACE_PRIVATE_H
#define SLOWPATH_PLACE_PRIVATE_H 1

#include <urcu.h>

#include "lib/base/hmap.h"
#include "lib/base/pool.h"
#include "lib/base/queue.h"
#include "lib/base/thread.h"
#include "offload/ofl.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/sp_private.h"

#define PLACE_WORKERS 64 // NICs beyond share
#define PLACE_BATCH 256

struct loop_timer;

struct place_port {
    uint32_t dp_port;
    uint32_t nic; // 0: none, because of `why`
    struct reason why;
};

struct place_ports { // immutable, sorted
    struct rcu_head rcu;
    size_t n;
    struct place_port p[];
};

struct place {
    struct sp_dp *dp;
    struct place_tc tc;                          // since the first use, until sp_place_free()
    struct place_ports *ports;                   // RCU; owner: main
    struct place_worker *workers[PLACE_WORKERS]; // atomic; owner: main
    bool active;                                 // atomic
    uint64_t adopted;                            // atomic: filters taken over at start
    uint64_t moved_in, moved_out;                // atomic
    // Owner: main.
    enum ofl_policy policy;      // of the filters that are there
    enum ofl_policy want_policy; // what the configuration says
    bool want;                   // the configuration says so
    size_t n_draining;           // workers that still take flows home
    uint32_t serial;             // of this place, among all that there were
    struct ofl_port *known;      // ports as told to the offload room
    size_t n_known;
    struct loop_timer *timer;
};

// --- Policy (place_policy.c): who gets a try, and when again. Owner: the worker. ---

struct place_policy {
    struct hmap flows; // place_flow.by_id: in tc, or waiting for a better time
    struct pool pool;  // of place_flow
    struct mutex mutex;
    struct hmap classes GUARDED_BY(mutex); // place_class.node: kinds of flows that were refused
    size_t n_waiting;
    int64_t next_scan, last_rates;   // ms
    uint16_t last_sweep;             // of last_rates
    int64_t next_probe, probe_delay; // full table: when to see whether it has grown
};

enum place_decision { PLACE_IN, PLACE_OUT, PLACE_CHANGE, PLACE_KILL };

struct place_order {
    struct flow_id id;
    enum place_decision what;
};

void sp_policy_init(struct place_policy *);
void sp_policy_destroy(struct place_policy *);
void sp_policy_reset(struct place_policy *); // something changed: forget refusals
// May it be tried now? False with the reason.
struct place_worker;
bool sp_policy_admit(struct place_worker *, const struct mega *, struct reason *);
void sp_policy_taken(struct place_worker *, struct mega *);
void sp_policy_refused(struct place_worker *, struct mega *, const struct reason *);
void sp_policy_gone(struct place_worker *, const struct flow_id *);
// What is remembered of such flows: a driver's refusal, or that the table is full. Any thread, in
// an RCU section.
struct place_memory {
    bool refused;         // before, because of `reason`
    bool full;            // because of `reason` there is no room
    int64_t wait;         // ms until the next such flow is tried; 0: at once
    struct reason reason; // when refused or full
};
void sp_policy_recall(struct place_worker *, const struct flow_mask *, const struct dp_actions *,
                      struct place_memory *);
// Orders that are due, at most max; outs come before ins.
size_t sp_policy_scan(struct place_worker *, struct place_order *, size_t max);
// ms until sp_policy_scan() has something to look at; -1: nothing.
int sp_policy_wait(const struct place_policy *, int64_t now);

// --- Workers (place_worker.c). ---

enum place_command { PLACE_RUN, PLACE_STOP, PLACE_DRAIN };

struct place_move { // an entry that this worker has claimed
    struct mega *m;
    enum place_decision what;
    bool done; // tc did what was asked for
    int error;
    enum dp_place place;
    struct reason reason;
    struct flow_match match;
};

struct place_later { // entries that are to be queued again
    struct flow_id *ids;
    size_t n, cap;
    int64_t due, delay; // ms
};

struct place_worker {
    struct place *place;
    struct sp_dp *dp;
    uint32_t nic;
    struct thread *thread;
    struct queue queue;
    int command; // atomic, enum place_command
    bool reset;  // atomic
    bool urged;  // atomic: urge_fd is readable, or about to be
    int urge_fd; // eventfd
    struct dp_channel *home, *tc;
    struct place_policy policy;
    struct place_move moves[PLACE_BATCH];
    size_t n_moves, since_reserve;
    struct dp_flow_op ops[PLACE_BATCH];
    struct place_move *op_of[PLACE_BATCH];
    struct place_later owned;  // could not be claimed
    struct place_later stuck;  // a change failed in both places
    int64_t us_per_move;       // of the last batches
    int64_t tokens, tokens_at; // other_config:offload-rate
};

struct place_worker *sp_worker_start(struct place *, uint32_t nic, int *error);
void sp_worker_tell(struct place_worker *, enum place_command);
void sp_worker_join(struct place_worker *); // and frees it after a grace period
void sp_worker_queue(struct place_worker *, const struct flow_id *);
void sp_worker_urge(struct place_worker *); // what was queued before: soon

// Main thread: one of the workers of the place with this serial, if there still is one, has no flow
// in tc any more.
void sp_place_drained(void *serial);
uint32_t sp_place_in_port(const struct mega *);
// To the worker of its port; what: enum mega_flags. RCU section.
void sp_place_queue(struct place *, struct mega *, uint8_t what);
// NULL: not a port of ours.
const struct place_port *sp_place_port(const struct place *, uint32_t dp_port);

#endif
