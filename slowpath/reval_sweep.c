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

#define OVERLOAD_IDLE_MS 100
#define TC_LAG_MS 5000 // how late counters of hardware may be: no reason to evict

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
        if (mega_has(m, MEGA_TC)) {
            sp_place_remove(r->dp, m);
            continue;
        }
        if (!mega_claim(m, MEGA_DYING)) {
            continue; // somebody works on it; the next sweep sees it again
        }
        t->op_of[n_ops] = m;
        t->ops[n_ops++] = (struct dp_flow_op){.verb = DP_FLOW_DELETE, .id = m->id};
        if (n_ops == REVAL_BATCH) {
            remove_claimed(r, t, n_ops);
            n_ops = 0;
        }
    }
    remove_claimed(r, t, n_ops);
}

struct sweep {
    struct reval *r;
    struct reval_tools *t;
    uint16_t number;
    enum mega_slot slot;
    bool evict, purge;
    int64_t now, max_idle;
    struct flow_id *victims, *foreign;
    size_t n_victims, cap_victims, n_foreign, cap_foreign, n_seen;
};

static bool
sweep_record(const struct dp_flow_record *rec, void *s_)
{
    struct sweep *s = s_;
    // The userspace datapath gives back what the handler put in. It lives: an entry is freed a
    // grace period after its flow was removed, and this is an RCU section.
    struct mega *m = rec->aux      ? rec->aux
                     : rec->has_id ? mega_find(s->r->dp->cache, &rec->id)
                                   : NULL;
    if (!m) {
        if (s->evict && rec->has_id) {
            if (s->n_foreign == s->cap_foreign) {
                s->foreign = base_grow(s->foreign, &s->cap_foreign, sizeof *s->foreign);
            }
            s->foreign[s->n_foreign++] = rec->id;
        }
        return true;
    }
    s->n_seen++;
    // Under way: the worker reads its counters itself, and what a dump says may be from before or
    // after.
    if (s->slot == MEGA_TC && __atomic_load_n(&m->state, __ATOMIC_SEQ_CST) == MEGA_MOVING) {
        return true;
    }
    mega_merge(m, s->slot, &rec->stats, s->number);
    if (!s->evict) {
        return true;
    }
    struct mega_counts counts;
    mega_counts(m, &counts);
    const int64_t max_idle = s->slot == MEGA_TC ? MAX(s->max_idle, TC_LAG_MS) : s->max_idle;
    if (s->purge || s->now - MAX(counts.used, mega_time_ms(m->created)) > max_idle) {
        if (s->n_victims == s->cap_victims) {
            s->victims = base_grow(s->victims, &s->cap_victims, sizeof *s->victims);
        }
        s->victims[s->n_victims++] = m->id;
    }
    return true;
}

static bool
find_vanished(struct mega *m, void *s_)
{
    struct sweep *s = s_;
    if (!mega_slot_vanished(m, s->slot, s->number)) {
        return true;
    }
    if (mega_has(m, MEGA_TC)) {
        // Who moves it reads its last counters.
        if (mega_claim(m, MEGA_UPDATING)) {
            if (mega_slot_vanished(m, s->slot, s->number)) {
                mega_slot_end(m, s->slot, NULL);
            }
            mega_release(s->r->dp->cache, m, MEGA_UPDATING);
        }
    } else if (mega_claim(m, MEGA_DYING)) {
        mega_slot_end(m, s->slot, NULL);
        mega_kill(s->r->dp->cache, m);
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
remove_foreign(struct sweep *s)
{
    for (size_t i = 0; i < s->n_foreign;) {
        size_t n = 0;
        for (; i < s->n_foreign && n < REVAL_BATCH; i++) {
            if (!mega_find(s->r->dp->cache, &s->foreign[i])) {
                s->t->ops[n++] = (struct dp_flow_op){.verb = DP_FLOW_DELETE, .id = s->foreign[i]};
            }
        }
        if (n) {
            s->r->dp->ops->flow_apply(s->t->home, s->t->ops, n);
        }
    }
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

void
sp_reval_do_sweep(struct reval *r, struct reval_tools *t, bool evict, bool purge)
{
    clock_hold();
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const int64_t began = clock_now_us();
    struct sweep s = {.r = r, .t = t, .evict = evict, .purge = purge, .now = clock_now()};
    s.max_idle = config ? config->max_idle_ms : 10000;
    if (config &&
        __atomic_load_n(&r->dp->cache->n, __ATOMIC_RELAXED) > sp_config_flow_limit(config)) {
        s.max_idle = OVERLOAD_IDLE_MS;
    }
    s.number = (uint16_t) __atomic_add_fetch(&r->sweep, 1, __ATOMIC_ACQ_REL);
    const size_t expected = __atomic_load_n(&r->dp->cache->places[r->dp->home], __ATOMIC_RELAXED);
    int error = r->dp->ops->flow_dump(t->home, true, sweep_record, &s);
    if (!error && evict && s.n_seen < expected) {
        mega_for_each(r->dp->cache, find_vanished, &s);
    }
    if (sp_reval_tc_channel(r, t)) {
        s.slot = MEGA_TC;
        const size_t n_foreign = s.n_foreign, before = s.n_seen;
        const size_t in_tc =
            __atomic_load_n(&r->dp->cache->places[DP_PLACE_TC_HW], __ATOMIC_RELAXED) +
            __atomic_load_n(&r->dp->cache->places[DP_PLACE_TC_SW], __ATOMIC_RELAXED);
        error = sp_place_tc(r->dp)->ops->flow_dump(t->tc, true, sweep_record, &s);
        s.n_foreign = n_foreign; // stray filters are the worker's business
        if (!error && evict && s.n_seen - before < in_tc) {
            mega_for_each(r->dp->cache, find_vanished_tc, &s);
        }
    }
    if (evict) {
        sp_reval_remove(r, t, s.victims, s.n_victims);
        remove_foreign(&s);
        age_macs(r, config, s.now);
    }
    free(s.victims);
    free(s.foreign);
    rcu_end();
    clock_let_go();
    __atomic_store_n(&r->dump_ms, (unsigned) ((clock_now_us() - began) / 1000), __ATOMIC_RELAXED);
    __atomic_add_fetch(&r->sweeps, 1, __ATOMIC_RELAXED);
}
