// SPDX-License-Identifier: Apache-2.0
// Filters that match nothing any more, because another one stands before them, but whose counters
// may still move: NICs read their counters in the background and report them seconds late. What
// replaced such a filter, or leads packets past it to the flow's new place, is there at once; the
// filter itself stays until its counter has surely been reported, is removed then, and tells its
// last counters as it goes.
//
//     a flow gets new actions   its old filter lingers
//     a flow leaves tc          a filter before it lets packets pass to the kernel datapath; both
//                               linger
//
// What they still tell is given to whoever changed the flow or took it out, under a number (struct
// ofl_late): what it was done by are the old rules.
//
// Whether a NIC is late is learned: a counter that moves when nothing can match any more is late. A
// NIC whose first ones under traffic all stayed where they were pays no more, but for a look now
// and then. Flows without traffic don't linger.
//
// The thread that replaced or took out a filter removes it, by the same channel. The list is under
// dp's mutex.
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "offload/ofl_private.h"

#define LINGER_MS 2500 // real NICs report within two seconds
#define PROMPT 8       // filters under traffic that were not late: the NIC isn't
#define LOOK 32        // one of so many is looked at all the same
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
    hmap_init(&dp->olds_by_id);
}

static void
drop(struct dp *dp, struct ofl_old *o) REQUIRES(dp->mutex)
{
    if (o->nic) {
        o->nic->rules--;
    }
    cds_list_del(&o->in_order);
    hmap_remove(&dp->olds_by_id, &o->by_id);
    free(o);
}

void
ofl_old_clear(struct dp *dp)
{
    struct ofl_old *o, *next;
    LIST_FOR_EACH_SAFE (o, next, in_order, &dp->olds) {
        drop(dp, o);
    }
}

void
ofl_old_add(struct dp *dp, const struct ofl_old *new)
{
    struct ofl_old *o = base_calloc(1, sizeof *o);
    *o = *new;
    if (o->nic) {
        o->nic->rules++;
    }
    if (o->due) {
        cds_list_add(&o->in_order, &dp->olds);
    } else {
        o->due = clock_now() + LINGER_MS;
        cds_list_add_tail(&o->in_order, &dp->olds);
    }
    hmap_insert(&dp->olds_by_id, &o->by_id, hash_id(&o->id));
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

uint8_t
ofl_old_passes(struct dp *dp, int ifindex)
{
    const struct ofl_old *o;
    unsigned top = 0;
    LIST_FOR_EACH (o, in_order, &dp->olds) {
        if (o->ifindex == ifindex && !o->counts) {
            top = MAX(top, ofl_level(o->prio, o->protocol) + 1u);
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
            // Another thread's tell their counters to that one, who knows nothing of this number.
            o->serial = o->serial || o->owner != c ? o->serial : serial;
        }
    }
}

bool
ofl_old_on(struct dp *dp, int ifindex)
{
    const struct ofl_old *o;
    LIST_FOR_EACH (o, in_order, &dp->olds) {
        if (o->ifindex == ifindex) {
            return true;
        }
    }
    return false;
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
            o->due = clock_now() + LINGER_MS;
            cds_list_del(&o->in_order);
            cds_list_add_tail(&o->in_order, &dp->olds);
            continue;
        }
        r->lates[i] = (struct ofl_late){.serial = o->serial, .id = o->id};
        if (r->told[i]) {
            take(o, &r->counts[i], &r->lates[i]);
        }
        if (o->nic && o->active && !r->lates[i].packets && o->nic->prompt < PROMPT) {
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
    do {
        const int64_t now = clock_now();
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
    int wait = c->n_ready ? 0 : -1;
    mutex_lock(&dp->mutex);
    LIST_FOR_EACH (o, in_order, &dp->olds) {
        if (o->owner == c && wait < 0) {
            wait = (int) MAX(o->due - clock_now(), INT64_C(0)) + 1;
            break;
        }
    }
    mutex_unlock(&dp->mutex);
    return wait;
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
        LIST_FOR_EACH (o, in_order, &dp->olds) {
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
