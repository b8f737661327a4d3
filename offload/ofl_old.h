// SPDX-License-Identifier: Apache-2.0
// Filters that match nothing any more, because another one stands before them, but whose counters
// may still move: NICs read their counters in the background and report them seconds late, and what
// a filter has not reported when it is removed is lost. So a filter is removed when its counter was
// read after the last packet that hit it can have been reported, and not before:
//
//     SERVING   the flow's filter, in the table (ofl_table.c)
//        │ new actions: another filter is put before it
//        │ the flow leaves tc: a filter that lets packets pass to the datapath is put before it
//        │
//        ├── the NIC took that one ──────────▶ COVERED, for LINGER_MS (later than any report)
//        │                                        │
//        │                                        └─▶ removed; the kernel tells its last counters
//        │
//        └── the NIC refused it ─▶ EXPOSED
//               In tc's software the new one stands before the old one; in the NIC packets still
//               hit the old one, and go on by its actions. What lets packets pass is put before it
//               again, at once and every RETRY_MS, or anything else the flow gets (it comes back to
//               the NIC) that the NIC takes:
//                ├── taken ─▶ COVERED, from now on
//                └── refused for EXPOSED_MS, and MIN_TRIES times if the NIC takes anything at all; or
//                    with an error that says never (the NIC can't let packets pass) or that
//                    waiting makes worse (no room) ─▶ removed at once: what the rules say comes
//                    before counters. What it had not reported is lost; the log says so.
//
// Whether an old filter waits at all is the caller's wish (dp_flow_op.late): a flow that got no
// packet for longer than reports take is removed at once. Where a NIC is not late, priorities begin
// anew after OFL_LEVELS filters for the same packets (ofl_next_level() is 0), and old filters go at
// once, because what takes their place stands behind them; where it is, the flow waits outside tc.
//
// What old filters still tell is given to whoever changed the flow or took it out, under a number
// (struct ofl_late): what it was done by are the old rules. Each number is told to its end, `last`,
// whatever became of its filters.
//
// Whether a NIC is late is learned: a counter that moves when nothing can match any more is late. A
// NIC whose first ones under traffic all stayed where they were for LINGER_MS pays no more, but for
// a look now and then. Flows without traffic don't linger.
//
// The thread that replaced or took out a filter removes it, by the same channel. The lists are under
// dp's mutex.
#ifndef OFFLOAD_OFL_OLD_H
#define OFFLOAD_OFL_OLD_H 1

#include "lib/flow/minimask.h"
#include "offload/ofl_private.h"

struct ofl_old {
    struct hmap_node by_id;
    struct cds_list_head in_order; // dp.olds, dp.exposed
    struct flow_id id;
    struct dp_channel *owner; // whose thread removes it
    struct ofl_nic *nic;      // NULL: in software
    int ifindex;
    uint32_t handle;
    uint16_t prio;
    be16_t protocol;
    uint64_t packets, bytes; // that were told of it
    int64_t due;             // ms: when it can go, or (EXPOSED) is tried to be covered
    int64_t until;           // ms: EXPOSED: when it must go; 0: now
    uint8_t tries;           // EXPOSED: that were refused
    uint32_t serial;         // what comes is told under it
    bool left;               // the flow has left
    bool counts;             // false: it only lets packets pass
    bool active;             // it counted shortly before
    bool leaving;            // its owner works on it
    struct minimask *mask;   // NULL: it counts, and is covered
    uint64_t key[];          // under the mask
};

void ofl_old_init(struct dp *dp);
void ofl_old_clear(struct dp *dp) REQUIRES(dp->mutex);
bool ofl_nic_is_late(struct ofl_nic *); // may its counters be?

// Copies; due: 0: later, else at once. match: what it matches, of one that lets packets pass, and of one
// that is EXPOSED; NULL: it is COVERED.
void ofl_old_add(struct dp *dp, const struct ofl_old *, const struct flow_match *match)
    REQUIRES(dp->mutex);
// A filter of this flow is in the NIC, at this level: those behind it are covered.
void ofl_old_cover(struct dp *dp, const struct flow_id *, unsigned level) REQUIRES(dp->mutex);
bool ofl_old_exposed(struct dp *dp, const struct flow_id *) REQUIRES(dp->mutex);
// The flow leaves: what had no number comes under this one, where this channel removes it.
void ofl_old_leave(struct dp *dp, const struct dp_channel *, const struct flow_id *,
                   uint32_t serial) REQUIRES(dp->mutex);
// Covers what this channel's flows have exposed, if it is due. No lock.
void ofl_old_retry(struct dp_channel *);
// All of a flow that is there, at once. No lock.
void ofl_old_remove_of(struct dp_channel *, const struct flow_id *);

uint32_t ofl_old_serial(struct dp *dp) REQUIRES(dp->mutex); // a new one
struct ofl_nic *ofl_old_nic(struct dp *dp, const struct flow_id *)
    REQUIRES(dp->mutex); // NULL: none
// One more than the highest level of an id's; 0: none.
uint8_t ofl_old_top(struct dp *dp, const struct flow_id *) REQUIRES(dp->mutex);
// The same of those that let packets pass, of a device, and that packets of this match may be among.
uint8_t ofl_old_passes(struct dp *dp, int ifindex, const struct flow_match *) REQUIRES(dp->mutex);
bool ofl_old_on(struct dp *dp, int ifindex) REQUIRES(dp->mutex);
// A dump shows a filter: one of these?
bool ofl_old_known(struct dp *dp, const struct ofl_record *) REQUIRES(dp->mutex);
void ofl_old_count(const struct ofl_counts *, be16_t protocol, uint64_t *packets, uint64_t *bytes);

#endif
