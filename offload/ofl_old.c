// SPDX-License-Identifier: Apache-2.0
// Filters that still count: see ofl_old.h.
#include "config.h"

#include "offload/ofl_old.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"

LOG_MODULE(offload_old);
COVERAGE(offload_exposed); // the NIC refused what was to stand before an old filter
COVERAGE(offload_gave_up); // … again and again; the old filter went, with counters

#define LINGER_MS 2500  // real NICs report within two seconds
#define EXPOSED_MS 500  // how long packets may go on by old actions for the counters' sake
#define RETRY_MS 8      // EXPOSED
#define TRIES_AT_ONCE 3 // EXPOSED: each time, unless they take long
#define LONG_US 20000
#define MIN_TRIES 24      // EXPOSED: not fewer, however slow the firmware is,
#define BROKEN 64         // unless the NIC refused so many in a row
#define REFUSALS_AFTER 64 // deletions before a NIC that cannot let packets pass is asked again
#define PROMPT 8          // filters under traffic that were not late: the NIC isn't
#define LOOK 32           // one of so many is looked at all the same
#define BATCH 64

static uint32_t
hash_id(const struct flow_id *id)
{
    return hash_u64(id->w[0], 1);
}

bool
ofl_nic_is_late(struct ofl_nic *nic)
{
    return nic && (nic->late || nic->prompt < PROMPT || ++nic->looks % LOOK == 0);
}

void
ofl_old_init(struct dp *dp) NO_THREAD_SAFETY
{
    CDS_INIT_LIST_HEAD(&dp->olds);
    CDS_INIT_LIST_HEAD(&dp->exposed);
    hmap_init(&dp->olds_by_id);
}

static bool
is_exposed(const struct ofl_old *o)
{
    return o->counts && o->mask;
}

// EXPOSED: it must go.
static bool
is_over(const struct ofl_old *o, int64_t now)
{
    return o->until <= now &&
           (!o->until || o->tries >= MIN_TRIES || (o->nic && o->nic->refused_in_a_row >= BROKEN));
}

static void
drop(struct dp *dp, struct ofl_old *o) REQUIRES(dp->mutex)
{
    if (o->nic) {
        o->nic->rules--;
    }
    cds_list_del(&o->in_order);
    hmap_remove(&dp->olds_by_id, &o->by_id);
    free(o->mask);
    free(o);
}

void
ofl_old_clear(struct dp *dp)
{
    struct ofl_old *o, *next;
    LIST_FOR_EACH_SAFE (o, next, in_order, &dp->olds) {
        drop(dp, o);
    }
    LIST_FOR_EACH_SAFE (o, next, in_order, &dp->exposed) {
        drop(dp, o);
    }
}

void
ofl_old_add(struct dp *dp, const struct ofl_old *new, const struct flow_match *match)
{
    struct minimask *mask = match ? minimask_new(&match->mask) : NULL;
    struct ofl_old *o = base_calloc(1, sizeof *o + (mask ? mask->n : 0) * sizeof o->key[0]);
    const int64_t now = clock_fresh();
    *o = *new;
    o->mask = mask;
    if (mask) {
        minikey_extract(mask, &match->key, o->key);
    }
    if (o->nic) {
        o->nic->rules++;
    }
    if (is_exposed(o)) {
        COVERAGE_INC(offload_exposed);
        o->due = now + RETRY_MS; // a moment for who has just been told of the refusal
        o->until = now + EXPOSED_MS;
        cds_list_add_tail(&o->in_order, &dp->exposed);
    } else if (o->due) {
        cds_list_add(&o->in_order, &dp->olds);
    } else {
        o->due = now + LINGER_MS;
        cds_list_add_tail(&o->in_order, &dp->olds);
    }
    hmap_insert(&dp->olds_by_id, &o->by_id, hash_id(&o->id));
}

// It waits from now on, behind all others.
static void
linger(struct dp *dp, struct ofl_old *o) REQUIRES(dp->mutex)
{
    if (o->counts) {
        free(o->mask);
        o->mask = NULL;
    }
    o->due = clock_fresh() + LINGER_MS;
    cds_list_del(&o->in_order);
    cds_list_add_tail(&o->in_order, &dp->olds);
}

void
ofl_old_cover(struct dp *dp, const struct flow_id *id, unsigned level)
{
    struct ofl_old *o;
    bool any = false;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, id) && is_exposed(o) &&
            ofl_level(o->prio, o->protocol) < level) {
            linger(dp, o);
            any = true;
        }
    }
    if (!any) {
        return;
    }
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, id) && !o->counts) { // goes after what it stands before
            linger(dp, o);
        }
    }
}

bool
ofl_old_exposed(struct dp *dp, const struct flow_id *id)
{
    const struct ofl_old *o;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, id) && is_exposed(o)) {
            return true;
        }
    }
    return false;
}

void
ofl_old_count(const struct ofl_counts *n, be16_t protocol, uint64_t *packets, uint64_t *bytes)
{
    const uint64_t software = n->packets - MIN(n->packets, n->hw_packets);
    *packets = n->packets;
    *bytes = n->bytes + software * ofl_head_bytes(protocol);
}

uint32_t
ofl_old_serial(struct dp *dp)
{
    dp->next_serial = dp->next_serial == UINT32_MAX ? 1 : dp->next_serial + 1;
    return dp->next_serial;
}

struct ofl_nic *
ofl_old_nic(struct dp *dp, const struct flow_id *id)
{
    const struct ofl_old *o;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, id) && !o->left) {
            return o->nic;
        }
    }
    return NULL;
}

uint8_t
ofl_old_top(struct dp *dp, const struct flow_id *id)
{
    const struct ofl_old *o;
    unsigned top = 0;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, id)) {
            top = MAX(top, ofl_level(o->prio, o->protocol) + 1u);
        }
    }
    return (uint8_t) top;
}

// Are there packets that both match?
static bool
overlap(const struct ofl_old *o, const struct flow_match *m)
{
    const uint64_t *mask = flow_mask_words(&m->mask), *key = flow_key_words(&m->key);
    size_t n = 0;
    int i;
    FLOW_MAP_FOR_EACH(i, &o->mask->map)
    {
        if ((o->key[n] ^ key[i]) & o->mask->words[n] & mask[i]) {
            return false;
        }
        n++;
    }
    return true;
}

uint8_t
ofl_old_passes(struct dp *dp, int ifindex, const struct flow_match *m)
{
    const struct ofl_old *o;
    unsigned top = 0;
    LIST_FOR_EACH (o, in_order, &dp->olds) {
        if (o->ifindex == ifindex && !o->counts && ofl_level(o->prio, o->protocol) >= top &&
            overlap(o, m)) {
            top = ofl_level(o->prio, o->protocol) + 1;
        }
    }
    return (uint8_t) top;
}

void
ofl_old_leave(struct dp *dp, const struct dp_channel *c, const struct flow_id *id, uint32_t serial)
{
    struct ofl_old *o;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, id)) {
            o->left = true;
            o->due = is_exposed(o) ? clock_fresh() : o->due;
            // Another thread's tell their counters to that one, who knows nothing of this number.
            o->serial = o->serial || o->owner != c ? o->serial : serial;
        }
    }
}

static bool
any_on(const struct cds_list_head *list, int ifindex)
{
    const struct ofl_old *o;
    LIST_FOR_EACH (o, in_order, list) {
        if (o->ifindex == ifindex) {
            return true;
        }
    }
    return false;
}

bool
ofl_old_on(struct dp *dp, int ifindex)
{
    return any_on(&dp->olds, ifindex) || any_on(&dp->exposed, ifindex);
}

// What it counted since it was replaced.
static void
take(struct ofl_old *o, const struct ofl_counts *n, struct ofl_late *late)
{
    uint64_t packets, bytes;
    ofl_old_count(n, o->protocol, &packets, &bytes);
    *late = (struct ofl_late){.serial = o->serial, .id = o->id};
    if (!o->counts || packets < o->packets || bytes < o->bytes) {
        return;
    }
    late->packets = packets - o->packets;
    late->bytes = bytes - o->bytes;
    if (late->packets && o->nic) {
        o->nic->late = true;
    }
}

bool
ofl_old_known(struct dp *dp, const struct ofl_record *rec)
{
    const struct ofl_old *o;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(&rec->id), &dp->olds_by_id)
    {
        if (o->ifindex == rec->f.ifindex && o->handle == rec->f.handle && o->prio == rec->f.prio) {
            return true;
        }
    }
    return false;
}

// --- Removing them. ---

struct removal {
    struct ofl_old *olds[BATCH];
    struct ofl_counts counts[BATCH];
    bool told[BATCH];
    struct ofl_late lates[BATCH];
    struct nlk_result results[BATCH];
    size_t n;
};

static void
told(size_t i, const struct nlk_msg *m, void *r_)
{
    struct removal *r = r_;
    struct ofl_record rec;
    if (ofl_filter_parse(m, &rec)) {
        r->counts[i] = rec.counts;
        r->told[i] = true;
    }
}

static bool
has_serial(struct dp *dp, const struct ofl_late *late) REQUIRES(dp->mutex)
{
    const struct ofl_old *o;
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(&late->id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, &late->id) && o->serial == late->serial) {
            return true;
        }
    }
    return false;
}

// Those of r, which this thread has marked; in order, so that what lets packets pass goes after
// what it stands before.
static void
remove_marked(struct dp_channel *c, struct removal *r)
{
    struct dp *dp = c->dp;
    struct nlk_batch b;
    nlk_batch_init(&b);
    for (size_t i = 0; i < r->n; i++) {
        const struct ofl_old *o = r->olds[i];
        const struct ofl_flow name = {
            .ifindex = o->ifindex, .handle = o->handle, .prio = o->prio, .protocol = o->protocol};
        ofl_filter_name(&b, RTM_DELTFILTER, NLM_F_ECHO, &name);
        r->told[i] = false;
    }
    nlk_transact(c->sock, &b, r->results, told, r);
    nlk_batch_free(&b);
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n; i++) {
        struct ofl_old *o = r->olds[i];
        if (r->results[i].error && !ofl_is_gone(r->results[i].error)) { // later, then
            r->lates[i] = (struct ofl_late){0};
            o->leaving = false;
            linger(dp, o);
            continue;
        }
        r->lates[i] = (struct ofl_late){.serial = o->serial, .id = o->id};
        if (r->told[i]) {
            take(o, &r->counts[i], &r->lates[i]);
        }
        // It had the time to be late, and was not.
        if (o->nic && o->active && !is_exposed(o) && o->due <= clock_fresh() &&
            !r->lates[i].packets && o->nic->prompt < PROMPT) {
            o->nic->prompt++;
        }
        drop(dp, o);
        r->lates[i].last = !has_serial(dp, &r->lates[i]);
    }
    mutex_unlock(&dp->mutex);
    for (size_t i = 0; i < r->n; i++) {
        if (!r->lates[i].serial) {
            continue;
        }
        if (c->n_ready == c->cap_ready) {
            c->ready = base_grow(c->ready, &c->cap_ready, sizeof *c->ready);
        }
        c->ready[c->n_ready++] = r->lates[i];
    }
}

void
ofl_collect(struct dp_channel *c, ofl_late_cb *cb, void *aux)
{
    struct dp *dp = c->dp;
    struct removal r;
    ofl_old_retry(c);
    do {
        const int64_t now = clock_fresh();
        struct ofl_old *o;
        r.n = 0;
        mutex_lock(&dp->mutex);
        LIST_FOR_EACH (o, in_order, &dp->olds) {
            if (o->due > now || r.n == BATCH) {
                break;
            }
            if (o->owner == c && !o->leaving) {
                o->leaving = true;
                r.olds[r.n++] = o;
            }
        }
        mutex_unlock(&dp->mutex);
        if (r.n) {
            remove_marked(c, &r);
        }
    } while (r.n == BATCH);
    for (size_t i = 0; i < c->n_ready; i++) {
        cb(&c->ready[i], aux);
    }
    c->n_ready = 0;
}

int
ofl_collect_wait(struct dp_channel *c)
{
    struct dp *dp = c->dp;
    const struct ofl_old *o;
    int64_t due = INT64_MAX;
    mutex_lock(&dp->mutex);
    LIST_FOR_EACH (o, in_order, &dp->olds) {
        if (o->owner == c) {
            due = o->due;
            break;
        }
    }
    LIST_FOR_EACH (o, in_order, &dp->exposed) {
        due = o->owner == c ? MIN(due, o->due) : due;
    }
    mutex_unlock(&dp->mutex);
    return c->n_ready ? 0 : due == INT64_MAX ? -1 : (int) MAX(due - clock_fresh(), INT64_C(0)) + 1;
}

void
ofl_old_remove_of(struct dp_channel *c, const struct flow_id *id)
{
    struct dp *dp = c->dp;
    struct removal r;
    do {
        struct ofl_old *o;
        r.n = 0;
        mutex_lock(&dp->mutex);
        HMAP_FOR_EACH_HASH(o, by_id, hash_id(id), &dp->olds_by_id)
        {
            if (r.n < BATCH && flow_id_equals(&o->id, id) && !o->left && !o->leaving) {
                o->leaving = true;
                r.olds[r.n++] = o;
            }
        }
        mutex_unlock(&dp->mutex);
        if (r.n) {
            remove_marked(c, &r);
        }
    } while (r.n == BATCH);
}

// --- Covering what is exposed. ---

struct trial {                   // of a filter that lets packets pass, for each flow
    struct ofl_old *olds[BATCH]; // those that they are to cover, marked as leaving
    struct flow_match matches[BATCH];
    struct ofl_filter f[BATCH];
    struct nlk_result results[BATCH];
    size_t n;
};

static bool
in_trial(const struct trial *t, const struct flow_id *id)
{
    for (size_t i = 0; i < t->n; i++) {
        if (flow_id_equals(&t->olds[i]->id, id)) {
            return true;
        }
    }
    return false;
}

static void
put_trial(struct dp *dp, struct nlk_batch *b, struct trial *t, struct ofl_old *o)
    REQUIRES(dp->mutex)
{
    const struct ofl_flow *flow = ofl_table_find(dp, &o->id);
    const uint8_t level = flow ? ofl_next_level(dp, &o->id, flow) : ofl_old_top(dp, &o->id);
    struct flow_match *match = &t->matches[t->n];
    const struct ofl_spec spec = {match, NULL, &o->id, &dp->devs, true, true};
    // In software something stands before it already. Here the driver says why not.
    struct ofl_filter f = {.ifindex = o->ifindex, .level = level, .flags = TCA_CLS_FLAGS_SKIP_SW};
    struct reason why;
    minikey_expand(o->mask, o->key, &match->key);
    minimask_expand(o->mask, &match->mask);
    match_update_used(match);
    f.handle = ofl_table_handle(dp);
    if (!level || level >= OFL_LEVELS ||
        !ofl_filter_put(b, &spec, NLM_F_CREATE | NLM_F_EXCL, &f, &why)) {
        o->until = 0;
        return;
    }
    o->leaving = true;
    t->olds[t->n] = o;
    t->f[t->n++] = f;
}

static void
taken(struct dp *dp, const struct ofl_old *o, const struct ofl_filter *f,
      const struct flow_match *match) REQUIRES(dp->mutex)
{
    const struct ofl_old pass = {.id = o->id,
                                 .owner = o->owner,
                                 .nic = o->nic,
                                 .ifindex = f->ifindex,
                                 .handle = f->handle,
                                 .prio = f->prio,
                                 .protocol = f->protocol,
                                 .left = o->left};
    ofl_old_cover(dp, &pass.id, ofl_level(f->prio, f->protocol));
    ofl_old_add(dp, &pass, match);
    if (pass.nic) {
        pass.nic->refused_in_a_row = 0;
    }
}

// again: ms until it is tried again.
static void
refused(struct dp *dp, const struct ofl_old *as, int error, int again) REQUIRES(dp->mutex)
{
    const bool never = error == -EOPNOTSUPP || error == -ENOSPC || ofl_is_gone(error);
    struct ofl_old *o;
    if (as->nic) {
        ofl_nic_failed(as->nic, error);
        as->nic->no_pass = error == -EOPNOTSUPP ? REFUSALS_AFTER : as->nic->no_pass;
        as->nic->refused_in_a_row = (uint8_t) MIN(as->nic->refused_in_a_row + 1, BROKEN);
    }
    HMAP_FOR_EACH_HASH(o, by_id, hash_id(&as->id), &dp->olds_by_id)
    {
        if (flow_id_equals(&o->id, &as->id) && is_exposed(o)) {
            o->until = never ? 0 : o->until;
            o->tries++;
            o->due = clock_fresh() + again;
            cds_list_del(&o->in_order); // others have their turn
            cds_list_add_tail(&o->in_order, &dp->exposed);
        }
    }
}

// How many were refused.
static size_t
try_once(struct dp_channel *c, struct trial *t, int again)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    struct dp *dp = c->dp;
    struct ofl_old *o;
    struct nlk_batch b;
    size_t n_refused = 0;
    nlk_batch_init(&b);
    t->n = 0;
    mutex_lock(&dp->mutex);
    const int64_t now = clock_fresh();
    LIST_FOR_EACH (o, in_order, &dp->exposed) {
        if (o->owner == c && o->due <= now && !is_over(o, now) && !o->leaving && t->n < BATCH &&
            !in_trial(t, &o->id)) {
            put_trial(dp, &b, t, o);
        }
    }
    mutex_unlock(&dp->mutex);
    if (t->n) {
        nlk_transact(c->sock, &b, t->results, NULL, NULL);
    }
    nlk_batch_free(&b);
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < t->n; i++) {
        const struct nlk_result *res = &t->results[i];
        t->olds[i]->leaving = false;
        if (res->error) {
            LOG_DBG_RL(&limit, "a NIC refuses what is to let packets pass an old filter: %s",
                       res->extack ? res->extack : base_strerror(res->error));
            refused(dp, t->olds[i], res->error, again);
            n_refused++;
        } else {
            taken(dp, t->olds[i], &t->f[i], &t->matches[i]);
        }
    }
    mutex_unlock(&dp->mutex);
    return n_refused;
}

static void
give_up(struct dp_channel *c)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    struct dp *dp = c->dp;
    struct removal r;
    do {
        struct ofl_old *o;
        bool late = false;
        r.n = 0;
        mutex_lock(&dp->mutex);
        LIST_FOR_EACH (o, in_order, &dp->exposed) {
            if (r.n == BATCH) {
                break;
            }
            if (o->owner == c && is_over(o, clock_fresh()) && !o->leaving) {
                o->leaving = true;
                if (o->nic && o->nic->refused_in_a_row >= BROKEN) {
                    o->nic->no_pass = REFUSALS_AFTER;
                }
                late |= o->nic && o->nic->late;
                r.olds[r.n++] = o;
            }
        }
        mutex_unlock(&dp->mutex);
        if (r.n) {
            COVERAGE_ADD(offload_gave_up, r.n);
            if (late) {
                LOG_WARN_RL(&limit,
                            "a NIC that reports counters late takes nothing instead of %zu filters "
                            "that had to go: what they counted in the last seconds is lost",
                            r.n);
            }
            remove_marked(c, &r);
        }
    } while (r.n == BATCH);
}

static bool
any_exposed(struct dp_channel *c)
{
    const struct ofl_old *o;
    bool any = false;
    mutex_lock(&c->dp->mutex);
    LIST_FOR_EACH (o, in_order, &c->dp->exposed) {
        any |= o->owner == c;
    }
    mutex_unlock(&c->dp->mutex);
    return any;
}

void
ofl_old_retry(struct dp_channel *c)
{
    if (!any_exposed(c)) {
        return;
    }
    struct trial *t = base_malloc(sizeof *t);
    const int64_t began = clock_now_us();
    int again = 0;
    for (int i = 1; i <= TRIES_AT_ONCE && !again; i++) {
        again = i == TRIES_AT_ONCE || clock_now_us() - began > LONG_US ? RETRY_MS : 0;
        if (!try_once(c, t, again)) {
            break;
        }
    }
    free(t);
    give_up(c);
}
