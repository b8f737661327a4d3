// SPDX-License-Identifier: Apache-2.0
// Sweeps: a terse dump of each place, whose counters are merged; what is idle or unknown is
// evicted, what vanished is dropped.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/rcu.h"
#include "slowpath/bridge_state.h"
#include "slowpath/place.h"
#include "slowpath/reval_private.h"

COVERAGE(flow_evicted);
COVERAGE(flow_left_hardware);

#define OVERLOAD_IDLE_MS 100
#define SHARED_MIN 2048 // so many flows make it worth to wake helpers
#define BLOCK 512       // records that a helper is given at once
#define TC_LAG_MS 5000  // how late counters of hardware may be: no reason to evict

// Removes entries claimed as MEGA_DYING from the home place; their last counters are credited.
static void
remove_claimed(struct reval *r, struct reval_tools *t, size_t n)
{
    if (!n) {
        return;
    }
    int failed = r->dp->ops->flow_apply(t->home, t->ops, n);
    for (size_t i = 0; i < n; i++) {
        struct mega *m = t->op_of[i];
        const int error = failed ? failed : t->ops[i].error;
        mega_slot_end(m, MEGA_HOME, error ? NULL : &t->ops[i].stats);
        mega_kill(r->dp->cache, m);
    }
    COVERAGE_ADD(flow_evicted, n);
    __atomic_add_fetch(&r->dp->cache->evicted, n, __ATOMIC_RELAXED);
}

void
sp_reval_remove(struct reval *r, struct reval_tools *t, const struct flow_id *ids, size_t n)
{
    size_t n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        struct mega *m = mega_find(r->dp->cache, &ids[i]);
        if (!m) {
            continue;
        }
        if (!mega_claim(m, MEGA_UPDATING)) {
            if (mega_has(m, MEGA_TC)) {
                sp_place_remove(r->dp, m);
            }
            continue; // somebody works on it; the next sweep sees it again
        }
        // Only its owner knows for certain where it is.
        if (mega_has(m, MEGA_TC)) {
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            sp_place_remove(r->dp, m);
            continue;
        }
        mega_transition(m, MEGA_UPDATING, MEGA_DYING);
        t->op_of[n_ops] = m;
        t->ops[n_ops++] = (struct dp_flow_op){.verb = DP_FLOW_DELETE, .id = m->id};
        if (n_ops == REVAL_BATCH) {
            remove_claimed(r, t, n_ops);
            n_ops = 0;
        }
    }
    remove_claimed(r, t, n_ops);
}

// --- Sweeps. ---

// What one thread found.
struct slice {
    struct sweep *s;
    struct block *block; // being filled; owner: leader
    struct flow_id *victims, *foreign;
    size_t n_victims, cap_victims, n_foreign, cap_foreign, n_seen;
};

struct sweep {
    struct reval *r;
    struct reval_tools *t;
    uint16_t number;
    enum mega_slot slot;
    bool evict, purge;
    int64_t now, max_idle;
    struct slice *slices; // the first: the thread's that dumps
    size_t n_slices;
};

// Records of a dump, for a helper.
struct block {
    struct reval_job job;
    struct slice *slice;
    size_t n;
    struct record {
        struct flow_id id;
        enum dp_place place;
        uint32_t hint;
        struct dp_flow_stats stats;
    } records[BLOCK];
};

// A filter that was believed to be in hardware, or was there, and isn't any more: asking the driver
// anew brings it back, or the reason, and the flow home.
static inline void
check_place(const struct sweep *s, struct mega *m, enum dp_place place)
{
    if (place == DP_PLACE_TC_SW && __atomic_load_n(&m->now, __ATOMIC_ACQUIRE) == DP_PLACE_TC_HW) {
        COVERAGE_INC(flow_left_hardware);
        sp_place_update(s->r->dp, m);
    }
}

// m: NULL: nobody knows the flow, which is said by false. Most of what an idle switch does.
static inline __attribute__((always_inline)) bool
merge_record(struct slice *sl, struct mega *m, const struct flow_id *id, enum dp_place place,
             const struct dp_flow_stats *stats)
{
    const struct sweep *s = sl->s;
    if (!m) {
        // Stray filters in tc are the worker's business.
        if (s->evict && id && s->slot == MEGA_HOME) {
            if (sl->n_foreign == sl->cap_foreign) {
                sl->foreign = base_grow(sl->foreign, &sl->cap_foreign, sizeof *sl->foreign);
            }
            sl->foreign[sl->n_foreign++] = *id;
        }
        return false;
    }
    // Under way: the worker reads its counters itself, and what a dump says may be from before or
    // after.
    if (s->slot == MEGA_TC && __atomic_load_n(&m->state, __ATOMIC_SEQ_CST) == MEGA_MOVING) {
        return true;
    }
    mega_merge(m, s->slot, stats, s->number);
    if (!s->evict) {
        return true;
    }
    check_place(s, m, place);
    struct mega_counts counts;
    mega_counts(m, &counts);
    const int64_t max_idle = s->slot == MEGA_TC ? MAX(s->max_idle, TC_LAG_MS) : s->max_idle;
    if (s->purge || s->now - MAX(counts.used, mega_time_ms(m->created)) > max_idle) {
        if (sl->n_victims == sl->cap_victims) {
            sl->victims = base_grow(sl->victims, &sl->cap_victims, sizeof *sl->victims);
        }
        sl->victims[sl->n_victims++] = m->id;
    }
    return true;
}

static void
run_block(struct reval_job *job, struct reval_tools *t)
{
    struct block *b = CONTAINER_OF(job, struct block, job);
    size_t n_seen = 0;
    clock_hold();
    rcu_begin();
    for (size_t i = 0; i < b->n; i++) {
        const struct record *rec = &b->records[i];
        struct mega *m = mega_at(b->slice->s->r->dp->cache, rec->hint, &rec->id);
        n_seen += merge_record(b->slice, m, &rec->id, rec->place, &rec->stats);
    }
    rcu_end();
    clock_let_go();
    b->slice->n_seen += n_seen;
    free(b);
}

static void
send_block(struct slice *sl)
{
    struct sweep *s = sl->s;
    if (sl->block) {
        sp_reval_crew_give(s->r, (size_t) (sl - s->slices) - 1, &sl->block->job);
        sl->block = NULL;
    }
}

// A record that the thread which dumps merges itself.
static bool
own_record(const struct dp_flow_record *rec, void *sl_)
{
    struct slice *sl = sl_;
    const struct flow_id *id = rec->has_id ? &rec->id : NULL;
    // The userspace datapath gives back what the handler put in. It lives: an entry is freed a
    // grace period after its flow was removed, and the dump is an RCU section.
    struct mega *m = rec->aux ? rec->aux : id ? mega_at(sl->s->r->dp->cache, rec->hint, id) : NULL;
    sl->n_seen += merge_record(sl, m, id, rec->place, &rec->stats);
    return true;
}

static bool
deal_record(const struct dp_flow_record *rec, void *s_)
{
    struct sweep *s = s_;
    // One that brings its entry is merged sooner than it is handed over.
    const size_t i = rec->has_id && !rec->aux ? sp_reval_slice(&rec->id, s->n_slices) : 0;
    struct slice *sl = &s->slices[i];
    if (!i) {
        return own_record(rec, sl);
    }
    if (!sl->block) {
        sl->block = base_malloc(sizeof *sl->block);
        sl->block->job.run = run_block;
        sl->block->slice = sl;
        sl->block->n = 0;
    }
    sl->block->records[sl->block->n++] = (struct record){rec->id, rec->place, rec->hint, rec->stats};
    if (sl->block->n == BLOCK) {
        send_block(sl);
    }
    return true;
}

// Dumps a place. true: flows that should be there were not.
static bool
dump_place(struct sweep *s, enum mega_slot slot, size_t expected)
{
    struct reval *r = s->r;
    const struct dp_ops *ops = slot == MEGA_HOME ? r->dp->ops : sp_place_tc(r->dp)->ops;
    s->slot = slot;
    for (size_t i = 0; i < s->n_slices; i++) {
        s->slices[i].n_seen = 0;
    }
    struct dp_channel *ch = slot == MEGA_HOME ? s->t->home : s->t->tc;
    int error;
    if (s->n_slices == 1) {
        error = ops->flow_dump(ch, true, own_record, s->slices);
    } else {
        error = ops->flow_dump(ch, true, deal_record, s);
        for (size_t i = 1; i < s->n_slices; i++) {
            send_block(&s->slices[i]);
        }
        sp_reval_crew_join(r);
    }
    size_t n_seen = 0;
    for (size_t i = 0; i < s->n_slices; i++) {
        n_seen += s->slices[i].n_seen;
    }
    return !error && s->evict && n_seen < expected;
}

static bool
find_vanished(struct mega *m, void *s_)
{
    struct sweep *s = s_;
    if (!mega_slot_vanished(m, s->slot, s->number)) {
        return true;
    }
    // Who owns it reads its last counters.
    if (!mega_claim(m, MEGA_UPDATING)) {
        return true;
    }
    const bool vanished = mega_slot_vanished(m, s->slot, s->number);
    if (vanished) {
        mega_slot_end(m, s->slot, NULL);
    }
    if (vanished && !mega_has(m, MEGA_TC)) {
        mega_transition(m, MEGA_UPDATING, MEGA_DYING);
        mega_kill(s->r->dp->cache, m);
    } else {
        mega_release(s->r->dp->cache, m, MEGA_UPDATING);
    }
    return true;
}

// A filter that went with its device, or by somebody's hand: the worker puts it back, or the flow
// home.
static bool
find_vanished_tc(struct mega *m, void *s_)
{
    struct sweep *s = s_;
    if (mega_slot_vanished(m, MEGA_TC, s->number)) {
        sp_place_update(s->r->dp, m);
    }
    return true;
}

// Flows nobody knows: left by an earlier run or put there by hand. An entry may have been made
// since the dump: look again.
static void
remove_foreign(const struct sweep *s, const struct slice *sl)
{
    for (size_t i = 0; i < sl->n_foreign;) {
        size_t n = 0;
        for (; i < sl->n_foreign && n < REVAL_BATCH; i++) {
            if (!mega_find(s->r->dp->cache, &sl->foreign[i])) {
                s->t->ops[n++] = (struct dp_flow_op){.verb = DP_FLOW_DELETE, .id = sl->foreign[i]};
            }
        }
        if (n) {
            s->r->dp->ops->flow_apply(s->t->home, s->t->ops, n);
        }
    }
}

static void
remove_batch(struct reval *r, struct reval_tools *t, const struct flow_id *ids, size_t n)
{
    rcu_begin();
    sp_reval_remove(r, t, ids, n);
    rcu_end();
}

static void
age_macs(struct reval *r, const struct sp_config *config, int64_t now)
{
    if (!config || now - r->last_macs < 1000) {
        return;
    }
    r->last_macs = now;
    const struct sp_bridge *br;
    HMAP_FOR_EACH (br, by_name, &config->bridges) {
        if (br->dp == r->dp && br->state) {
            const struct mac_limits limits = {br->mac_aging_s, br->mac_table_size};
            sp_mac_expire(br->state, &limits, now);
        }
    }
}

static void
slices_init(struct sweep *s, size_t n_flows)
{
    // Helpers are not woken for a few flows; the main thread has none.
    s->n_slices = s->t == &s->r->own && n_flows >= SHARED_MIN ? 1 + s->r->n_helpers : 1;
    s->slices = base_calloc(s->n_slices, sizeof *s->slices);
    for (size_t i = 0; i < s->n_slices; i++) {
        s->slices[i].s = s;
    }
}

static void
slices_free(struct sweep *s)
{
    for (size_t i = 0; i < s->n_slices; i++) {
        free(s->slices[i].victims);
        free(s->slices[i].foreign);
    }
    free(s->slices);
}

void
sp_reval_do_sweep(struct reval *r, struct reval_tools *t, bool evict, bool purge)
{
    clock_hold();
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const struct mega_cache *c = r->dp->cache;
    const int64_t began = clock_now_us();
    struct sweep s = {.r = r, .t = t, .evict = evict, .purge = purge, .now = clock_now()};
    s.max_idle = config ? config->max_idle_ms : 10000;
    if (config && __atomic_load_n(&c->n, __ATOMIC_RELAXED) > sp_config_flow_limit(config)) {
        s.max_idle = OVERLOAD_IDLE_MS;
    }
    mutex_lock(&r->dumps);
    s.number = (uint16_t) __atomic_add_fetch(&r->sweep, 1, __ATOMIC_ACQ_REL);
    slices_init(&s, __atomic_load_n(&c->n, __ATOMIC_RELAXED));
    if (dump_place(&s, MEGA_HOME, __atomic_load_n(&c->places[r->dp->home], __ATOMIC_RELAXED))) {
        mega_for_each(r->dp->cache, find_vanished, &s);
    }
    if (sp_reval_tc_channel(r, t)) {
        const size_t in_tc = __atomic_load_n(&c->places[DP_PLACE_TC_HW], __ATOMIC_RELAXED) +
                             __atomic_load_n(&c->places[DP_PLACE_TC_SW], __ATOMIC_RELAXED);
        if (dump_place(&s, MEGA_TC, in_tc)) {
            mega_for_each(r->dp->cache, find_vanished_tc, &s);
        }
    }
    mutex_unlock(&r->dumps);
    if (evict) {
        for (size_t i = 0; i < s.n_slices; i++) {
            sp_reval_each_batch(r, t, s.slices[i].victims, s.slices[i].n_victims, remove_batch);
            remove_foreign(&s, &s.slices[i]);
        }
        age_macs(r, config, s.now);
    }
    slices_free(&s);
    rcu_end();
    clock_let_go();
    __atomic_store_n(&r->dump_us, (unsigned) (clock_now_us() - began), __ATOMIC_RELAXED);
    __atomic_add_fetch(&r->sweeps, 1, __ATOMIC_RELAXED);
}
