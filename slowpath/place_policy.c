// SPDX-License-Identifier: Apache-2.0
// Who gets into the NIC. While there is room, every flow that comes. What a NIC refuses is
// remembered by class (what is matched, which kinds of actions) and tried again later and later, or
// at once when something changed. When the table is full, the flows with the most packets hold it:
// a waiting one replaces the lightest one only when it is clearly heavier and the other one has had
// its time, so that nothing flaps. Now and then one insertion looks whether the table has grown.
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/rcu.h"
#include "slowpath/place_private.h"
#include "slowpath/reval.h"

#define SCAN_MS 500
#define RESIDENCE_MS 2000 // a flow that moved in stays at least so long
#define HEAVIER 2.0       // times as many packets as the one that it replaces
#define SWAPS 16          // of a scan
#define PROBE_MS 1000     // doubles up to
#define PROBE_MAX_MS 8000
#define REFUSED_MS 10000 // "cannot do this": doubles up to
#define REFUSED_MAX_MS 300000
#define FAILED_MS 500 // other errors: doubles up to
#define FAILED_MAX_MS 30000

struct place_flow {
    struct hmap_node by_id;
    struct flow_id id;
    uint32_t class;
    bool inside;
    int64_t since; // ms: when it moved
    uint64_t packets;
    double rate; // packets a second
};

struct place_class {
    struct hmap_node node; // by key
    uint32_t key;
    struct reason reason;
    int64_t retry_at, delay;
};

// --- Records. ---

static uint32_t
hash_id(const struct flow_id *id)
{
    return (uint32_t) id->w[0];
}

static struct place_flow *
flow_find(const struct place_policy *p, const struct flow_id *id)
{
    struct place_flow *f;
    HMAP_FOR_EACH_HASH(f, by_id, hash_id(id), &p->flows)
    {
        if (flow_id_equals(&f->id, id)) {
            return f;
        }
    }
    return NULL;
}

static void
flow_remove(struct place_policy *p, struct place_flow *f)
{
    p->n_waiting -= !f->inside;
    hmap_remove(&p->flows, &f->by_id);
    pool_free(&p->pool, f);
}

static struct place_class *
class_find(const struct place_policy *p, uint32_t key) REQUIRES(p->mutex)
{
    struct place_class *c;
    HMAP_FOR_EACH_HASH(c, node, key, &p->classes)
    {
        return c;
    }
    return NULL;
}

static bool
class_waits(struct place_policy *p, uint32_t key, int64_t now)
{
    mutex_lock(&p->mutex);
    const struct place_class *c = class_find(p, key);
    const bool waits = c && now < c->retry_at;
    mutex_unlock(&p->mutex);
    return waits;
}

// What makes a difference to a driver: the mask, kinds of actions, fields that are set, ports that
// are sent to.
static uint32_t
class_of(const struct minimask *mask, const struct dp_actions *acts)
{
    uint32_t h = minimask_hash(mask, 0);
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, acts->data, acts->len) {
        h = hash_u64(a->type, h);
        if (a->type == DP_ACT_SET) {
            h = hash_u64(((const struct dp_act_set *) (const void *) a)->field, h);
        } else if (a->type == DP_ACT_OUTPUT) {
            h = hash_u64(((const struct dp_act_output *) (const void *) a)->port, h);
        }
    }
    return h;
}

static uint32_t
class_of_flow(const struct mega *m)
{
    return class_of(m->mask->mask, &m->x->acts->acts);
}

static struct place_flow *
flow_get(struct place_policy *p, struct mega *m)
{
    struct place_flow *f = flow_find(p, &m->id);
    if (!f) {
        struct mega_counts n;
        mega_counts(m, &n);
        f = pool_alloc(&p->pool);
        f->id = m->id;
        f->packets = n.packets;
        f->since = clock_now();
        hmap_insert(&p->flows, &f->by_id, hash_id(&f->id));
        p->n_waiting++;
    }
    f->class = class_of_flow(m);
    return f;
}

void
sp_policy_init(struct place_policy *p) NO_THREAD_SAFETY // nobody else has it yet
{
    memset(p, 0, sizeof *p);
    hmap_init(&p->flows);
    pool_init(&p->pool, sizeof(struct place_flow));
    mutex_init(&p->mutex);
    hmap_init(&p->classes);
    p->probe_delay = PROBE_MS;
}

void
sp_policy_reset(struct place_policy *p)
{
    struct place_class *c;
    mutex_lock(&p->mutex);
    HMAP_FOR_EACH_SAFE (c, node, &p->classes) {
        hmap_remove(&p->classes, &c->node);
        free(c);
    }
    mutex_unlock(&p->mutex);
    p->next_probe = 0;
    p->probe_delay = PROBE_MS;
    p->next_scan = 0;
}

void
sp_policy_destroy(struct place_policy *p) NO_THREAD_SAFETY // nobody else has it any more
{
    struct place_flow *f;
    sp_policy_reset(p);
    HMAP_FOR_EACH_SAFE (f, by_id, &p->flows) {
        flow_remove(p, f);
    }
    hmap_destroy(&p->flows);
    pool_destroy(&p->pool);
    hmap_destroy(&p->classes);
    mutex_destroy(&p->mutex);
}

// --- What happened. ---

static uint64_t
room(const struct place_worker *w)
{
    uint64_t rules = 0, capacity = 0;
    if (!ofl_nic_room(w->place->tc.dp, w->nic, &rules, &capacity) || !capacity) {
        return UINT64_MAX;
    }
    return capacity - MIN(rules, capacity);
}

// What is known of such flows before one is tried.
static void
recall(struct place_worker *w, uint32_t class, struct place_memory *known)
{
    struct place_policy *p = &w->policy;
    const int64_t now = clock_now();
    *known = (struct place_memory){.wait = 0};
    mutex_lock(&p->mutex);
    const struct place_class *c = class_find(p, class);
    if (c) {
        known->refused = true;
        known->reason = c->reason;
        known->wait = MAX(c->retry_at - now, 0);
    }
    mutex_unlock(&p->mutex);
    if (!known->wait && !room(w)) {
        known->full = true;
        reason_set(&known->reason, REASON_HW_NO_SPACE, FIELD_COUNT, ENOSPC, NULL);
    }
}

void
sp_policy_recall(struct place_worker *w, const struct flow_mask *wc, const struct dp_actions *acts,
                 struct place_memory *known)
{
    struct minimask *mask = minimask_new(wc);
    recall(w, class_of(mask, acts), known);
    free(mask);
}

bool
sp_policy_admit(struct place_worker *w, const struct mega *m, struct reason *why)
{
    struct place_memory known;
    recall(w, class_of_flow(m), &known);
    if (!known.wait && !known.full) {
        return true;
    }
    *why = known.reason;
    flow_get(&w->policy, (struct mega *) m);
    return false;
}

void
sp_policy_taken(struct place_worker *w, struct mega *m)
{
    struct place_policy *p = &w->policy;
    struct place_flow *f = flow_get(p, m);
    p->n_waiting -= !f->inside;
    f->inside = true;
    f->since = clock_now();
    mutex_lock(&p->mutex);
    struct place_class *c = class_find(p, f->class);
    if (c) {
        hmap_remove(&p->classes, &c->node);
        free(c);
    }
    mutex_unlock(&p->mutex);
    if (room(w)) {
        p->probe_delay = PROBE_MS;
    }
}

static bool
is_final(const struct reason *r)
{
    switch (reason_get(r->code)->stage) {
    case REASON_STAGE_MATCH:
    case REASON_STAGE_ACTION:
    case REASON_STAGE_CHAIN:
    case REASON_STAGE_PORT:
        return true; // of the flow or its ports: nothing that time changes
    default:
        return false;
    }
}

void
sp_policy_refused(struct place_worker *w, struct mega *m, const struct reason *r)
{
    struct place_policy *p = &w->policy;
    const int64_t now = clock_now();
    if (is_final(r)) {
        sp_policy_gone(w, &m->id);
        return;
    }
    struct place_flow *f = flow_get(p, m);
    if (f->inside) {
        f->inside = false;
        p->n_waiting++;
    }
    f->since = now;
    if (r->code == REASON_HW_NO_SPACE) {
        p->next_probe = now + p->probe_delay;
        p->probe_delay = MIN(p->probe_delay * 2, PROBE_MAX_MS);
        return;
    }
    if (reason_get(r->code)->stage == REASON_STAGE_POLICY) {
        return;
    }
    mutex_lock(&p->mutex);
    struct place_class *c = class_find(p, f->class);
    const bool cannot = r->error == EOPNOTSUPP || r->error == EINVAL;
    if (!c) {
        c = base_calloc(1, sizeof *c);
        c->key = f->class;
        c->delay = cannot ? REFUSED_MS : FAILED_MS;
        hmap_insert(&p->classes, &c->node, c->key);
    } else {
        c->delay = MIN(c->delay * 2, cannot ? REFUSED_MAX_MS : FAILED_MAX_MS);
    }
    c->reason = *r;
    c->retry_at = now + c->delay;
    mutex_unlock(&p->mutex);
}

void
sp_policy_gone(struct place_worker *w, const struct flow_id *id)
{
    struct place_flow *f = flow_find(&w->policy, id);
    if (f) {
        flow_remove(&w->policy, f);
    }
}

// --- Scans. ---

struct list {
    struct place_flow **f;
    size_t n, cap;
};

static void
list_add(struct list *l, struct place_flow *f)
{
    if (l->n == l->cap) {
        l->f = base_grow(l->f, &l->cap, sizeof *l->f);
    }
    l->f[l->n++] = f;
}

static int
by_rate_up(const void *a, const void *b)
{
    const double x = (*(struct place_flow *const *) a)->rate,
                 y = (*(struct place_flow *const *) b)->rate;
    return (x > y) - (x < y);
}

static int
by_rate_down(const void *a, const void *b)
{
    return by_rate_up(b, a);
}

// Brings rates up to date, when counters were read since the last time; forgets flows that are no
// more; sorts the others.
static void
survey(struct place_worker *w, int64_t now, struct list *inside, struct list *waiting)
{
    struct place_policy *p = &w->policy;
    const double seconds = (double) MAX(now - p->last_rates, 1) / 1000;
    const uint16_t sweep = sp_reval_sweep(w->dp->reval);
    const bool rates = !p->last_rates || !w->dp->reval || sweep != p->last_sweep;
    struct place_flow *f;
    rcu_begin();
    HMAP_FOR_EACH_SAFE (f, by_id, &p->flows) {
        struct mega *m = mega_find(w->dp->cache, &f->id);
        if (!m) {
            flow_remove(p, f);
            continue;
        }
        if (rates) {
            struct mega_counts n;
            mega_counts(m, &n);
            if (p->last_rates) {
                f->rate =
                    f->rate / 2 + (double) (n.packets - MIN(n.packets, f->packets)) / seconds / 2;
            }
            f->packets = n.packets;
        }
        if (f->inside) {
            list_add(inside, f);
        } else if (!class_waits(p, f->class, now)) {
            list_add(waiting, f);
        }
    }
    rcu_end();
    if (rates) {
        p->last_rates = now;
        p->last_sweep = sweep;
    }
    if (inside->n) {
        qsort(inside->f, inside->n, sizeof *inside->f, by_rate_up);
    }
    if (waiting->n) {
        qsort(waiting->f, waiting->n, sizeof *waiting->f, by_rate_down);
    }
}

// Pairs of the heaviest outside and the lightest inside.
static size_t
swaps(const struct list *inside, const struct list *waiting, int64_t now, size_t max)
{
    size_t n = 0;
    while (n < max && n < inside->n && n < waiting->n &&
           waiting->f[n]->rate > HEAVIER * inside->f[n]->rate + 1 &&
           now - inside->f[n]->since >= RESIDENCE_MS) {
        n++;
    }
    return n;
}

size_t
sp_policy_scan(struct place_worker *w, struct place_order *orders, size_t max)
{
    struct place_policy *p = &w->policy;
    const int64_t now = clock_now();
    struct list inside = {0}, waiting = {0};
    size_t n = 0, n_in, n_swaps = 0;
    if (now < p->next_scan || !p->n_waiting) {
        return 0;
    }
    p->next_scan = now + SCAN_MS;
    survey(w, now, &inside, &waiting);
    const uint64_t space = room(w);
    n_in = (size_t) MIN(MIN(space, (uint64_t) waiting.n), (uint64_t) max);
    if (!space && waiting.n && now >= p->next_probe) {
        n_in = 1; // has it grown?
    } else if (!space) {
        n_swaps = swaps(&inside, &waiting, now, MIN((size_t) SWAPS, max / 2));
    }
    for (size_t i = 0; i < n_swaps; i++) {
        orders[n++] = (struct place_order){inside.f[i]->id, PLACE_OUT};
    }
    for (size_t i = 0; i < n_in + n_swaps; i++) {
        orders[n++] = (struct place_order){waiting.f[i]->id, PLACE_IN};
    }
    if (n_in == max) {
        p->next_scan = now; // the rest at once
    }
    free(inside.f);
    free(waiting.f);
    return n;
}

int
sp_policy_wait(const struct place_policy *p, int64_t now)
{
    return !p->n_waiting ? -1 : now >= p->next_scan ? 0 : (int) (p->next_scan - now);
}
