// SPDX-License-Identifier: Apache-2.0
// The revalidator. One thread a datapath, with its own channels; the main thread uses the same
// functions through a channel of its own for sp_reval_refresh().
//
// A turn: (1) dirty entries, in batches: read their counters (credited to the old translation),
// translate again, change or remove what differs; (2) when due, a sweep: terse dump of each place,
// merge, evict what is idle or unknown, drop what vanished; (3) whoever waited is told through the
// main loop.
//
// Ownership: an entry is claimed (MEGA_LIVE → MEGA_UPDATING or MEGA_DYING) before any datapath is
// called about it. Entries with a filter in tc are changed and removed there by the offload worker,
// which is asked.
#include "config.h"

#include "slowpath/reval.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "ofproto/of_bridge.h"
#include "slowpath/adopt.h"
#include "slowpath/bridge_state.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/sp_private.h"

LOG_MODULE(revalidator);
COVERAGE(flow_retranslated);
COVERAGE(flow_evicted);

#define BATCH 64
#define OVERLOAD_IDLE_MS 100
#define TC_LAG_MS 5000 // how late counters of hardware may be: no reason to evict

// One thread's means: channels and scratch memory.
struct tools {
    struct dp_channel *home, *tc;
    struct xlate_out out;
    struct dp_flow_op ops[BATCH];
    struct mega *op_of[BATCH];
    struct flow_match matches[BATCH];
    struct flow_id victims[BATCH];
    size_t n_victims;
};

struct request {
    struct request *next;
    void (*done)(void *aux);
    void *aux;
    bool purge;
};

struct reval {
    struct sp_dp *dp;
    int efd;
    uint32_t sweep; // atomic
    bool stop;      // atomic
    struct thread *thread;
    struct tools own, main; // owner: the thread; the main thread
    int64_t last_macs;      // owner: thread
    int64_t next_sweep;     // owner: thread; real time, µs
    unsigned dump_ms;       // atomic
    uint64_t sweeps;        // atomic
    struct mutex mutex;
    struct request *requests GUARDED_BY(mutex);
};

void
sp_reval_wake(void *r_)
{
    struct reval *r = r_;
    const uint64_t one = 1;
    if (r && write(r->efd, &one, sizeof one) < 0 && errno != EAGAIN) {
        LOG_ERR("revalidator cannot be woken: %s", base_strerror(errno));
    }
}

uint16_t
sp_reval_sweep(const struct reval *r)
{
    return r ? (uint16_t) __atomic_load_n(&r->sweep, __ATOMIC_ACQUIRE) : 0;
}

// The tc channel, once there is a tc to talk to.
static struct dp_channel *
tc_channel(struct reval *r, struct tools *t)
{
    const struct place_tc *tc = sp_place_tc(r->dp);
    if (tc && !t->tc && tc->ops->channel_open(tc->dp, &t->tc)) {
        t->tc = NULL;
    }
    return t->tc;
}

// --- Removal. ---

// Removes entries claimed as MEGA_DYING from the home place; their last counters are credited.
static void
remove_claimed(struct reval *r, struct tools *t, size_t n)
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

static void
remove_ids(struct reval *r, struct tools *t, const struct flow_id *ids, size_t n)
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
        if (n_ops == BATCH) {
            remove_claimed(r, t, n_ops);
            n_ops = 0;
        }
    }
    remove_claimed(r, t, n_ops);
}

// --- Retranslation. ---

static bool
same_dep(const struct mega_link *l, const struct xlate_dep *d)
{
    if (l->kind != d->kind) {
        return false;
    }
    switch ((enum xlate_dep_kind) l->kind) {
    case XLATE_DEP_RULE:
        return l->dep->rule == d->rule && l->rewritten == d->rewritten && l->in_port == d->in_port;
    case XLATE_DEP_MISS:
        return l->dep->of == d->of && l->dep->table == d->table && l->rewritten == d->rewritten;
    case XLATE_DEP_MAC:
        // Same address and same answer (else the actions differ).
        return l->dep->bridge == d->bridge;
    case XLATE_DEP_LEARN:
        return l->learn.bridge == d->bridge && l->learn.vlan == d->vlan && l->learn.port == d->port;
    case XLATE_DEP_PATCH:
        return l->patch.bridge == d->bridge && l->patch.port == d->port && l->patch.peer == d->peer;
    case XLATE_DEP_STATE:
        return l->frozen == d->state;
    }
    return false;
}

static bool
same_deps(const struct mega_xlate *x, const struct xlate_out *out)
{
    if (x->n_links != out->n_deps || out->to_controller) {
        return false;
    }
    for (size_t i = 0; i < x->n_links; i++) {
        if (!same_dep(&x->links[i], &out->deps[i])) {
            return false;
        }
    }
    return true;
}

static bool
mask_suffices(const struct mega *m, const struct flow_mask *wc)
{
    struct flow_mask have;
    minimask_expand(m->mask->mask, &have);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (flow_mask_words(wc)[i] & ~flow_mask_words(&have)[i]) {
            return false;
        }
    }
    return true;
}

enum verdict { SAME, RELINK, CHANGE, REMOVE };

static enum verdict
judge(const struct mega *m, const struct xlate_out *out)
{
    const struct mega_xlate *x = rcu_get(m->x);
    if (!mask_suffices(m, &out->wc) || out->n_deps > UINT8_MAX) {
        return REMOVE;
    }
    if (!dp_actions_equal(&x->acts->acts, &out->acts)) {
        return CHANGE;
    }
    return same_deps(x, out) ? SAME : RELINK;
}

// Translates one claimed entry again. Returns what has to be done in the home place: DP_FLOW_MODIFY
// or DP_FLOW_DELETE, or DP_FLOW_GET for nothing.
static enum dp_flow_verb
retranslate(struct reval *r, struct tools *t, struct mega *m)
{
    struct mega_cache *c = r->dp->cache;
    struct flow_key key;
    struct flow_mask mask;
    mega_key(m, &key);
    minimask_expand(m->mask->mask, &mask);
    __atomic_and_fetch(&m->flags, (uint8_t) ~MEGA_DIRTY, __ATOMIC_SEQ_CST);
    const uint64_t seq = __atomic_load_n(&c->seq, __ATOMIC_SEQ_CST);
    const struct xlate_in in = {
        .config = sp_config_get(), .dp = r->dp, .key = &key, .prefer = &mask, .now = clock_now()};
    xlate_flow(&in, &t->out);
    COVERAGE_INC(flow_retranslated);
    __atomic_add_fetch(&c->retranslated, 1, __ATOMIC_RELAXED);

    switch (judge(m, &t->out)) {
    case SAME:
        return DP_FLOW_GET;
    case RELINK:
        mega_replace(c, m, &t->out, seq);
        return DP_FLOW_GET;
    case CHANGE:
        mega_replace(c, m, &t->out, seq);
        __atomic_add_fetch(&c->changed, 1, __ATOMIC_RELAXED);
        return DP_FLOW_MODIFY;
    case REMOVE:
        return DP_FLOW_DELETE;
    }
    return DP_FLOW_GET;
}

// Reads the present counters of claimed entries, so that they are credited to what was true until
// now.
static void
read_counters(struct reval *r, struct tools *t, size_t n, struct mega *const claimed[])
{
    struct dp_channel *tc = tc_channel(r, t);
    for (int slot = 0; slot < MEGA_N_SLOTS; slot++) {
        size_t n_ops = 0;
        for (size_t i = 0; i < n; i++) {
            if (mega_has(claimed[i], (enum mega_slot) slot) && (slot == MEGA_HOME || tc)) {
                t->op_of[n_ops] = claimed[i];
                t->ops[n_ops++] = (struct dp_flow_op){.verb = DP_FLOW_GET, .id = claimed[i]->id};
            }
        }
        if (!n_ops) {
            continue;
        }
        const struct dp_ops *ops = slot == MEGA_HOME ? r->dp->ops : sp_place_tc(r->dp)->ops;
        int failed = ops->flow_apply(slot == MEGA_HOME ? t->home : tc, t->ops, n_ops);
        for (size_t i = 0; i < n_ops && !failed; i++) {
            if (!t->ops[i].error) {
                mega_merge_now(t->op_of[i], (enum mega_slot) slot, &t->ops[i].stats,
                               sp_reval_sweep(r));
            }
        }
    }
}

static void
apply_changes(struct reval *r, struct tools *t, size_t n)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    if (!n) {
        return;
    }
    int failed = r->dp->ops->flow_apply(t->home, t->ops, n);
    for (size_t i = 0; i < n; i++) {
        struct mega *m = t->op_of[i];
        const int error = failed ? failed : t->ops[i].error;
        if (t->ops[i].verb == DP_FLOW_DELETE) {
            mega_slot_end(m, MEGA_HOME, error ? NULL : &t->ops[i].stats);
            mega_kill(r->dp->cache, m);
        } else if (error) {
            // Not there any more: the next packet makes it anew.
            LOG_WARN_RL(&limit, "%s: a flow could not be changed: %s", r->dp->type,
                        base_strerror(error));
            mega_slot_end(m, MEGA_HOME, NULL);
            if (mega_transition(m, MEGA_UPDATING, MEGA_DYING)) {
                mega_kill(r->dp->cache, m);
            }
        } else {
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            // Other actions: a higher place may take it now. Not ours any more, but the RCU section
            // keeps it.
            sp_place_consider(r->dp, m, sp_config_get());
        }
    }
}

static void
retranslate_batch(struct reval *r, struct tools *t, const struct flow_id *ids, size_t n)
{
    struct mega *claimed[BATCH];
    size_t n_claimed = 0, n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        struct mega *m = mega_find(r->dp->cache, &ids[i]);
        // An entry that somebody owns comes back when it is released.
        if (m && __atomic_load_n(&m->flags, __ATOMIC_SEQ_CST) & MEGA_DIRTY &&
            mega_claim(m, MEGA_UPDATING)) {
            claimed[n_claimed++] = m;
        }
    }
    read_counters(r, t, n_claimed, claimed);
    for (size_t i = 0; i < n_claimed; i++) {
        struct mega *m = claimed[i];
        const enum dp_flow_verb verb = retranslate(r, t, m);
        if (mega_has(m, MEGA_TC)) {
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            if (verb == DP_FLOW_DELETE) {
                sp_place_remove(r->dp, m);
            } else if (verb == DP_FLOW_MODIFY) {
                sp_place_update(r->dp, m);
            }
            continue;
        }
        if (verb == DP_FLOW_GET) {
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            continue;
        }
        if (verb == DP_FLOW_DELETE && !mega_transition(m, MEGA_UPDATING, MEGA_DYING)) {
            abort();
        }
        mega_match(m, &t->matches[n_ops]);
        t->op_of[n_ops] = m;
        t->ops[n_ops] = (struct dp_flow_op){
            .verb = verb, .id = m->id, .match = &t->matches[n_ops], .actions = &m->x->acts->acts};
        n_ops++;
    }
    apply_changes(r, t, n_ops);
}

static void
do_dirty(struct reval *r, struct tools *t)
{
    size_t n;
    struct flow_id *ids;
    while ((ids = mega_take_dirty(r->dp->cache, &n))) {
        for (size_t i = 0; i < n; i += BATCH) {
            clock_hold();
            rcu_begin();
            retranslate_batch(r, t, ids + i, MIN(n - i, (size_t) BATCH));
            rcu_end();
            clock_let_go();
        }
        free(ids);
    }
}

// --- Sweeps. ---

struct sweep {
    struct reval *r;
    struct tools *t;
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
    // The userspace datapath gives back what the handler put in. It lives: an entry is freed a grace period after its flow was removed, and this is an RCU section.
    struct mega *m = rec->aux ? rec->aux : rec->has_id ? mega_find(s->r->dp->cache, &rec->id) : NULL;
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
    // Under way: the worker reads its counters itself, and what a dump says may be from before or after.
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
        for (; i < s->n_foreign && n < BATCH; i++) {
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

static void
sweep(struct reval *r, struct tools *t, bool evict, bool purge)
{
    clock_hold();
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const int64_t began = clock_now_us();
    struct sweep s = {.r = r, .t = t, .evict = evict, .purge = purge, .now = clock_now()};
    s.max_idle = config ? config->max_idle_ms : 10000;
    if (config && __atomic_load_n(&r->dp->cache->n, __ATOMIC_RELAXED) > sp_config_flow_limit(config)) {
        s.max_idle = OVERLOAD_IDLE_MS;
    }
    s.number = (uint16_t) __atomic_add_fetch(&r->sweep, 1, __ATOMIC_ACQ_REL);
    const size_t expected = __atomic_load_n(&r->dp->cache->places[r->dp->home], __ATOMIC_RELAXED);
    int error = r->dp->ops->flow_dump(t->home, true, sweep_record, &s);
    if (!error && evict && s.n_seen < expected) {
        mega_for_each(r->dp->cache, find_vanished, &s);
    }
    if (tc_channel(r, t)) {
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
        remove_ids(r, t, s.victims, s.n_victims);
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

// --- Flows of an earlier run. ---

static bool
learn_record(const struct dp_flow_record *rec, void *a)
{
    sp_adopt_learn(a, rec);
    return true;
}

static bool
adopt_record(const struct dp_flow_record *rec, void *a)
{
    sp_adopt_flow(a, rec); // the next sweep removes what the cache doesn't know
    return true;
}

static void
adopt(struct reval *r)
{
    struct adoption a;
    sp_adopt_begin(&a, r->dp, MEGA_HOME);
    rcu_begin();
    r->dp->ops->flow_dump(r->own.home, false, learn_record, &a);
    r->dp->ops->flow_dump(r->own.home, false, adopt_record, &a);
    rcu_end();
    sp_adopt_end(&a);
}

// --- The thread. ---

static void
run(void *r_)
{
    struct reval *r = r_;
    struct pollfd fd = {.fd = r->efd, .events = POLLIN};
    bool adopted = false;
    while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
        const int64_t now = clock_now_us();
        if (!__atomic_load_n(&r->dp->ready, __ATOMIC_ACQUIRE)) {
            poll(&fd, 1, -1);
        } else if (now < r->next_sweep) {
            // Whole milliseconds, rounded up.
            poll(&fd, 1, (int) ((r->next_sweep - now + 999) / 1000));
        }
        uint64_t n;
        if (read(r->efd, &n, sizeof n) < 0 && errno != EAGAIN) {
            LOG_ERR("revalidator cannot be woken: %s", base_strerror(errno));
        }
        mutex_lock(&r->mutex);
        struct request *requests = r->requests;
        r->requests = NULL;
        mutex_unlock(&r->mutex);

        const bool ready = __atomic_load_n(&r->dp->ready, __ATOMIC_ACQUIRE);
        if (ready && !adopted) {
            adopted = true;
            adopt(r);
            r->next_sweep = 0;
        }
        bool purge = false;
        for (const struct request *q = requests; q; q = q->next) {
            purge |= q->purge;
        }
        if (ready) {
            mega_cache_fit(r->dp->cache);
            do_dirty(r, &r->own);
        }
        if (ready && (requests || clock_now_us() >= r->next_sweep)) {
            sweep(r, &r->own, true, purge);
            do_dirty(r, &r->own); // MAC addresses that aged
            rcu_begin();
            const struct sp_config *config = sp_config_get();
            const unsigned period =
                config && config->max_revalidator_ms ? config->max_revalidator_ms : 500;
            rcu_end();
            // At most a tenth of a processor, however many flows there are.
            const unsigned dump_ms = __atomic_load_n(&r->dump_ms, __ATOMIC_RELAXED);
            r->next_sweep = clock_now_us() + (int64_t) MAX(period, 10 * dump_ms) * 1000;
        }
        while (requests) {
            struct request *q = requests;
            requests = q->next;
            loop_call(sp_loop(), q->done, q->aux);
            free(q);
        }
    }
}

static int
tools_open(struct sp_dp *dp, struct tools *t)
{
    xlate_out_init(&t->out);
    return dp->ops->channel_open(dp->dp, &t->home);
}

static void
tools_close(struct sp_dp *dp, struct tools *t)
{
    if (t->home) {
        dp->ops->channel_close(t->home);
    }
    if (t->tc) {
        sp_place_tc(dp)->ops->channel_close(t->tc);
    }
    xlate_out_destroy(&t->out);
}

struct reval *
sp_reval_new(struct sp_dp *dp, int *error)
{
    struct reval *r = base_calloc(1, sizeof *r);
    r->dp = dp;
    mutex_init(&r->mutex);
    r->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = r->efd < 0 ? -errno : tools_open(dp, &r->own);
    if (!*error) {
        *error = tools_open(dp, &r->main);
    }
    if (*error) {
        sp_reval_free(r);
        return NULL;
    }
    r->next_sweep = clock_now_us() + 500000;
    r->thread = thread_start("revalidator1", run, r);
    return r;
}

void
sp_reval_free(struct reval *r)
{
    if (!r) {
        return;
    }
    __atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
    if (r->thread) {
        sp_reval_wake(r);
        thread_join(r->thread);
    }
    tools_close(r->dp, &r->own);
    tools_close(r->dp, &r->main);
    if (r->efd >= 0) {
        close(r->efd);
    }
    mutex_destroy(&r->mutex);
    free(r);
}

void
sp_reval_request(struct reval *r, bool purge, void (*done)(void *aux), void *aux)
{
    struct request *q = base_calloc(1, sizeof *q);
    q->purge = purge;
    q->done = done;
    q->aux = aux;
    mutex_lock(&r->mutex);
    q->next = r->requests;
    r->requests = q;
    mutex_unlock(&r->mutex);
    sp_reval_wake(r);
}

void
sp_reval_refresh(struct reval *r)
{
    sweep(r, &r->main, false, false);
}

struct drop {
    struct reval *r;
    const struct of_bridge *of;
    struct flow_id *ids;
    size_t n, cap;
};

static bool
depends_on_bridge(struct mega *m, void *d_)
{
    struct drop *d = d_;
    const struct mega_xlate *x = rcu_get(m->x);
    bool hit = false;
    for (size_t i = 0; i < x->n_links && !hit; i++) {
        const struct mega_link *l = &x->links[i];
        hit = (l->kind == XLATE_DEP_RULE && l->dep->rule->bridge == d->of) ||
              (l->kind == XLATE_DEP_MISS && l->dep->of == d->of);
    }
    if (hit) {
        if (d->n == d->cap) {
            d->ids = base_grow(d->ids, &d->cap, sizeof *d->ids);
        }
        d->ids[d->n++] = m->id;
    }
    return true;
}

void
sp_reval_drop_bridge(struct reval *r, const struct of_bridge *of)
{
    // What another thread owns at the moment is looked for again: it is released within a batch.
    for (;;) {
        struct drop d = {.r = r, .of = of};
        rcu_begin();
        mega_for_each(r->dp->cache, depends_on_bridge, &d);
        for (size_t i = 0; i < d.n; i += BATCH) {
            remove_ids(r, &r->main, d.ids + i, MIN(d.n - i, (size_t) BATCH));
        }
        rcu_end();
        free(d.ids);
        if (!d.n) {
            return;
        }
        sched_yield();
    }
}

void
sp_reval_stats(const struct reval *r, struct reval_stats *s)
{
    s->dump_ms = __atomic_load_n(&r->dump_ms, __ATOMIC_RELAXED);
    s->sweeps = __atomic_load_n(&r->sweeps, __ATOMIC_RELAXED);
}
