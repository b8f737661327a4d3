// SPDX-License-Identifier: Apache-2.0
// The revalidator of a datapath: its thread and what is asked of it.
//
// A turn: (1) dirty entries (reval_dirty.c); (2) when due, a sweep (reval_sweep.c); (3) whoever
// waited is told through the main loop. The main thread uses the same functions through channels of
// its own for sp_reval_refresh() and sp_reval_drop_bridge().
//
// Ownership: an entry is claimed (MEGA_LIVE → MEGA_UPDATING or MEGA_DYING) before any datapath is
// called about it. Entries with a filter in tc are changed and removed there by the offload worker,
// which is asked.
#include "config.h"

#include "slowpath/reval.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "ofproto/of_bridge.h"
#include "slowpath/adopt.h"
#include "slowpath/place.h"
#include "slowpath/reval_private.h"

LOG_MODULE(revalidator);

#define DROP_MS 1000 // so long the main thread waits at most
#define PAUSE_MS 500 // between sweeps; longer, up to
#define PAUSE_MAX_MS 2000u
#define UPKEEP_SHARE 200 // so that they take a two hundredth of a processor,
#define MOST_SHARE 10    // and a tenth, however many flows there are;
#define PAUSE_EVER_MS 30000 // one that hung is no reason to rest for ever

struct request {
    struct request *next;
    void (*done)(void *aux);
    void *aux;
    bool purge;
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
struct dp_channel *
sp_reval_tc_channel(struct reval *r, struct reval_tools *t)
{
    const struct place_tc *tc = sp_place_tc(r->dp);
    if (tc && !t->tc && tc->ops->channel_open(tc->dp, &t->tc)) {
        t->tc = NULL;
    }
    return t->tc;
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
resize(struct reval *r, unsigned n)
{
    sp_reval_crew_fit(r, n - 1);
    __atomic_store_n(&r->n_threads, (unsigned) r->n_helpers + 1, __ATOMIC_RELAXED);
    LOG_INFO("datapath %s@ovs-%s: %zu revalidators", r->dp->type, r->dp->type, r->n_helpers + 1);
}

// Do many flows wait for a place in tc? Who gets one is decided by what sweeps tell.
static bool
is_crowded(const struct mega_cache *c, enum dp_place home)
{
    const size_t in_tc = __atomic_load_n(&c->places[DP_PLACE_TC_HW], __ATOMIC_RELAXED) +
                         __atomic_load_n(&c->places[DP_PLACE_TC_SW], __ATOMIC_RELAXED);
    return in_tc && __atomic_load_n(&c->places[home], __ATOMIC_RELAXED) > in_tc / 4;
}

// How long to rest after a sweep. Who asks for counters is told what they are then
// (sp_reval_refresh()), and changes are looked at when they come: what waits is the end of idle
// flows. So upkeep may take little of a processor, and rests longer when there are many flows.
static int64_t
pause_us(const struct reval *r)
{
    const int64_t cost = __atomic_load_n(&r->dump_us, __ATOMIC_RELAXED);
    const struct mega_cache *c = r->dp->cache;
    int64_t pause = PAUSE_MS * INT64_C(1000);
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    if (config && config->max_revalidator_ms) {
        pause = config->max_revalidator_ms * INT64_C(1000);
    } else if (config && !is_crowded(c, r->dp->home) &&
               __atomic_load_n(&c->n, __ATOMIC_RELAXED) < sp_config_flow_limit(config)) {
        const int64_t longest = MIN(PAUSE_MAX_MS, config->max_idle_ms / 5) * INT64_C(1000);
        pause = MAX(pause, MIN(cost * UPKEEP_SHARE, longest));
    }
    rcu_end();
    return MAX(pause, MIN(cost * MOST_SHARE, PAUSE_EVER_MS * INT64_C(1000)));
}

static void
run(void *r_)
{
    struct reval *r = r_;
    struct pollfd fd = {.fd = r->efd, .events = POLLIN};
    bool adopted = false;
    unsigned n_asked = 1;
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
        const unsigned n_wanted = __atomic_load_n(&r->n_wanted, __ATOMIC_RELAXED);
        if (n_wanted != n_asked) { // once: what cannot be started isn't tried again each turn
            n_asked = n_wanted;
            resize(r, n_wanted);
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
            sp_reval_do_dirty(r, &r->own);
        }
        if (ready && (requests || clock_now_us() >= r->next_sweep)) {
            sp_reval_do_sweep(r, &r->own, true, purge);
            sp_reval_do_dirty(r, &r->own); // MAC addresses that aged
            r->next_sweep = clock_now_us() + pause_us(r);
        }
        while (requests) {
            struct request *q = requests;
            requests = q->next;
            loop_call(sp_loop(), q->done, q->aux);
            free(q);
        }
    }
}

int
sp_reval_tools_open(struct sp_dp *dp, struct reval_tools *t)
{
    xlate_out_init(&t->out);
    return dp->ops->channel_open(dp->dp, &t->home);
}

void
sp_reval_tools_close(struct sp_dp *dp, struct reval_tools *t)
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
    mutex_init(&r->dumps);
    r->efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = r->efd < 0 ? -errno : sp_reval_tools_open(dp, &r->own);
    if (!*error) {
        *error = sp_reval_tools_open(dp, &r->main);
    }
    if (*error) {
        sp_reval_free(r);
        return NULL;
    }
    r->n_wanted = r->n_threads = 1;
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
    sp_reval_crew_fit(r, 0);
    free(r->helpers);
    sp_reval_tools_close(r->dp, &r->own);
    sp_reval_tools_close(r->dp, &r->main);
    if (r->efd >= 0) {
        close(r->efd);
    }
    mutex_lock(&r->mutex);
    struct request *q = r->requests;
    mutex_unlock(&r->mutex);
    while (q) { // no flows are left to be looked at
        struct request *next = q->next;
        q->done(q->aux);
        free(q);
        q = next;
    }
    mutex_destroy(&r->mutex);
    mutex_destroy(&r->dumps);
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
sp_reval_set_threads(struct reval *r, unsigned n)
{
    n = MIN(MAX(n, 1u), (unsigned) REVAL_MAX_THREADS);
    if (n != __atomic_load_n(&r->n_wanted, __ATOMIC_RELAXED)) {
        __atomic_store_n(&r->n_wanted, n, __ATOMIC_RELAXED);
        sp_reval_wake(r);
    }
}

void
sp_reval_refresh(struct reval *r)
{
    sp_reval_do_sweep(r, &r->main, false, false);
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
    // What another thread owns at the moment is looked for again: it is released within a batch. A
    // NIC may be slow: its worker goes on, and so do the counters of the bridge (of_bridge_ref()).
    const int64_t until = clock_now_us() + DROP_MS * INT64_C(1000);
    for (int pause = 1;; pause = MIN(pause * 2, 50)) {
        struct drop d = {.r = r, .of = of};
        rcu_begin();
        mega_for_each(r->dp->cache, depends_on_bridge, &d);
        for (size_t i = 0; i < d.n; i += REVAL_BATCH) {
            sp_reval_remove(r, &r->main, d.ids + i, MIN(d.n - i, (size_t) REVAL_BATCH));
        }
        rcu_end();
        free(d.ids);
        if (!d.n || clock_now_us() >= until) {
            return;
        }
        poll(NULL, 0, pause);
    }
}

struct keys {
    size_t *count;
    unsigned n;
};

static bool
count_key(struct mega *m, void *k_)
{
    struct keys *k = k_;
    k->count[sp_reval_slice(&m->id, k->n)]++;
    return true;
}

void
sp_reval_stats(const struct reval *r, struct reval_stats *s)
{
    *s = (struct reval_stats){.dump_ms = __atomic_load_n(&r->dump_us, __ATOMIC_RELAXED) / 1000,
                              .sweeps = __atomic_load_n(&r->sweeps, __ATOMIC_RELAXED),
                              .n_threads = __atomic_load_n(&r->n_threads, __ATOMIC_RELAXED)};
    if (s->n_threads == 1) {
        s->keys[0] = __atomic_load_n(&r->dp->cache->n, __ATOMIC_RELAXED);
        return;
    }
    struct keys k = {s->keys, s->n_threads};
    rcu_begin();
    mega_for_each(r->dp->cache, count_key, &k);
    rcu_end();
}
