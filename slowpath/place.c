// SPDX-License-Identifier: Apache-2.0
// Placement as the rest of the packet path sees it: which worker an entry belongs to, and the life
// of the workers with the configuration. See place.h; threads in place_private.h.
#include "config.h"

#include "slowpath/place.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "slowpath/place_private.h"
#include "slowpath/sp_config.h"
#include "slowpath/xlate.h"

LOG_MODULE(place);

#define REFRESH_MS 2000 // between looks at modes and features of devices, of which nobody tells

// --- Any thread. ---

const struct place_tc *
sp_place_tc(const struct sp_dp *dp)
{
    const struct place *p = rcu_get(dp->place);
    return p ? &p->tc : NULL;
}

static bool
is_active(const struct place *p)
{
    return p && __atomic_load_n(&p->active, __ATOMIC_ACQUIRE);
}

uint32_t
sp_place_in_port(const struct mega *m)
{
    // The word of in_port in the sparse key: as many words as the map has bits before it.
    enum { WORD = offsetof(struct flow_key, in_port) / 8 };
    const struct flow_map *map = &m->mask->mask->map;
    if (!(map->bits[WORD / 64] >> (WORD % 64) & 1)) {
        return DP_PORT_NONE;
    }
    unsigned n =
        (unsigned) __builtin_popcountll(map->bits[WORD / 64] & ((UINT64_C(1) << (WORD % 64)) - 1));
    if (WORD >= 64) {
        n += (unsigned) __builtin_popcountll(map->bits[0]);
    }
    be32_t port;
    memcpy(&port, (const uint8_t *) &m->key[n] + offsetof(struct flow_key, in_port) % 8,
           sizeof port);
    return be32toh(port);
}

const struct place_port *
sp_place_port(const struct place *p, uint32_t dp_port)
{
    const struct place_ports *ports = rcu_get(p->ports);
    size_t from = 0, to = ports ? ports->n : 0;
    while (from < to) {
        const size_t mid = (from + to) / 2;
        if (ports->p[mid].dp_port == dp_port) {
            return &ports->p[mid];
        }
        if (ports->p[mid].dp_port < dp_port) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return NULL;
}

static struct place_worker *
worker_of(struct place *p, uint32_t dp_port)
{
    const struct place_port *port = sp_place_port(p, dp_port);
    struct place_worker *w = rcu_get(p->workers[port ? port->nic % PLACE_WORKERS : 0]);
    return w ? w : rcu_get(p->workers[0]); // until that one is there
}

void
sp_place_queue(struct place *p, struct mega *m, uint8_t what)
{
    struct place_worker *w = worker_of(p, sp_place_in_port(m));
    if (!w) {
        return;
    }
    if (!(__atomic_fetch_or(&m->flags, (uint8_t) (what | MEGA_QUEUED), __ATOMIC_SEQ_CST) &
          MEGA_QUEUED)) {
        sp_worker_queue(w, &m->id);
    }
    if (what) { // old actions, and flows that should go, don't wait for company
        sp_worker_urge(w);
    }
}

void
sp_place_consider(struct sp_dp *dp, struct mega *m, const struct sp_config *config)
{
    static const struct reason pending = {.code = REASON_PENDING, .field = FIELD_COUNT};
    struct place *p = rcu_get(dp->place);
    (void) config;
    if (!is_active(p)) {
        return;
    }
    const struct place_port *port = sp_place_port(p, sp_place_in_port(m));
    if (p->policy != OFL_POLICY_SKIP_HW && (!port || !port->nic)) {
        if (port) {
            mega_set_reason(m, &port->why);
        }
        return;
    }
    mega_set_reason(m, &pending);
    sp_place_queue(p, m, 0);
}

void
sp_place_update(struct sp_dp *dp, struct mega *m)
{
    struct place *p = rcu_get(dp->place);
    if (p) {
        sp_place_queue(p, m, MEGA_UPDATE);
    }
}

void
sp_place_remove(struct sp_dp *dp, struct mega *m)
{
    struct place *p = rcu_get(dp->place);
    if (p) {
        sp_place_queue(p, m, MEGA_REMOVE);
    }
}

void
sp_place_forecast(const struct sp_dp *dp, const struct xlate_out *x, const struct flow_key *key,
                  struct place_forecast *f)
{
    struct place *p = rcu_get(dp->place);
    f->place = dp->home;
    f->refused = f->unasked = false;
    f->again_ms = 0;
    reason_clear(&f->why);
    if (!is_active(p)) {
        reason_set(&f->why, dp->home == DP_PLACE_USER ? REASON_POLICY_USERSPACE : REASON_POLICY_OFF,
                   FIELD_COUNT, 0, NULL);
        return;
    }
    struct flow_match m;
    match_init(&m, key, &x->wc);
    struct ofl_verdict v = {.text = f->filter};
    if (ofl_explain(p->tc.dp, &m, &x->acts, &v)) {
        f->place = v.place;
    }
    f->why = v.reason;
    struct place_worker *w =
        f->place == DP_PLACE_TC_HW ? worker_of(p, be32toh(key->in_port)) : NULL;
    if (!w) {
        return;
    }
    // Only an insertion asks the driver; what it said then of such flows is remembered.
    struct place_memory known;
    sp_policy_recall(w, &x->wc, &x->acts, &known);
    f->unasked = !known.refused && !known.full;
    f->refused = known.refused && !known.full;
    f->again_ms = known.wait;
    if (!f->unasked) {
        f->place = dp->home;
        f->why = known.reason;
    }
}

// --- Ports. Main thread from here on. ---

static int
by_dp_port(const void *a, const void *b)
{
    const uint32_t x = ((const struct ofl_port *) a)->dp_port,
                   y = ((const struct ofl_port *) b)->dp_port;
    return (x > y) - (x < y);
}

static struct ofl_port *
collect_ports(const struct place *p, const struct sp_config *config, size_t *n)
{
    struct ofl_port *ports = base_calloc(hmap_count(&config->dp_ports) + 1, sizeof *ports);
    const struct sp_port *port;
    *n = 0;
    HMAP_FOR_EACH (port, by_dp, &config->dp_ports) {
        if (port->bridge->dp == p->dp && port->ifindex) {
            struct ofl_port *o = &ports[(*n)++];
            o->dp_port = port->dp_port;
            o->ifindex = port->ifindex;
            o->internal = port->kind == SP_PORT_INTERNAL;
            o->up = o->internal && port->up;
            snprintf(o->name, sizeof o->name, "%s", port->name);
        }
    }
    qsort(ports, *n, sizeof *ports, by_dp_port);
    return ports;
}

// Tells the offload room what is new. True: something was.
static bool
tell_ports(struct place *p, const struct sp_config *config)
{
    size_t n;
    struct ofl_port *now = collect_ports(p, config, &n);
    size_t i = 0, j = 0;
    bool changed = false;
    while (i < p->n_known || j < n) {
        const struct ofl_port *old = i < p->n_known ? &p->known[i] : NULL,
                              *new = j < n ? &now[j] : NULL;
        if (!new || (old && old->dp_port < new->dp_port)) {
            const struct ofl_port gone = {.dp_port = old->dp_port};
            ofl_port_set(p->tc.dp, &gone);
            changed = true;
            i++;
        } else {
            const bool same = old && old->dp_port == new->dp_port;
            if (!same || memcmp(old, new, sizeof *old)) {
                ofl_port_set(p->tc.dp, new);
                changed = true;
            }
            i += same;
            j++;
        }
    }
    free(p->known);
    p->known = now;
    p->n_known = n;
    return changed;
}

static void
publish_ports(struct place *p)
{
    struct place_ports *ports = base_calloc(1, sizeof *ports + p->n_known * sizeof ports->p[0]);
    for (size_t i = 0; i < p->n_known; i++) {
        struct place_port *port = &ports->p[ports->n++];
        port->dp_port = p->known[i].dp_port;
        reason_clear(&port->why);
        port->nic =
            p->policy == OFL_POLICY_SKIP_HW ? 0 : ofl_port_nic(p->tc.dp, port->dp_port, &port->why);
    }
    struct place_ports *old = p->ports;
    rcu_set(p->ports, ports);
    rcu_free_later(old);
}

// --- Workers. ---

static void
start_worker(struct place *p, uint32_t nic)
{
    int error;
    if (p->workers[nic % PLACE_WORKERS]) {
        return;
    }
    struct place_worker *w = sp_worker_start(p, nic, &error);
    if (!w) {
        LOG_ERR("the offload worker of NIC %u cannot start: %s", nic, base_strerror(error));
        return;
    }
    rcu_set(p->workers[nic % PLACE_WORKERS], w);
}

// One for each NIC that ports are on; those whose NIC has gone go on, they cost nothing.
static void
start_workers(struct place *p)
{
    start_worker(p, 0);
    for (size_t i = 0; i < p->ports->n; i++) {
        start_worker(p, p->ports->p[i].nic);
    }
}

static void
tell_workers(struct place *p, enum place_command c)
{
    for (size_t i = 0; i < PLACE_WORKERS; i++) {
        if (p->workers[i]) {
            sp_worker_tell(p->workers[i], c);
        }
    }
}

static void
join_workers(struct place *p)
{
    for (size_t i = 0; i < PLACE_WORKERS; i++) {
        struct place_worker *w = p->workers[i];
        if (w) {
            rcu_set(p->workers[i], NULL);
            sp_worker_join(w);
        }
    }
}

static void
flush(struct place *p)
{
    struct dp_channel *c;
    if (!p->tc.ops->channel_open(p->tc.dp, &c)) {
        int error = p->tc.ops->flow_flush(c);
        if (error) {
            LOG_WARN("filters may be left in tc: %s", base_strerror(error));
        }
        p->tc.ops->channel_close(c);
    }
}

// Ports came, went, or are not what they were: what was refused may be taken now.
static void
ports_changed(struct place *p)
{
    publish_ports(p);
    start_workers(p);
    for (size_t i = 0; i < PLACE_WORKERS; i++) {
        if (p->workers[i]) {
            __atomic_store_n(&p->workers[i]->reset, true, __ATOMIC_RELEASE);
            sp_worker_tell(p->workers[i], PLACE_RUN);
        }
    }
}

// Devices may have changed their mode or features.
static void
refresh(void *p_)
{
    struct place *p = p_;
    if (is_active(p) && ofl_refresh(p->tc.dp)) {
        ports_changed(p);
    }
    loop_timer_set(p->timer, REFRESH_MS);
}

static void
start(struct place *p)
{
    p->policy = p->want_policy;
    ofl_set_policy(p->tc.dp, p->policy);
    publish_ports(p);
    __atomic_store_n(&p->active, true,
                     __ATOMIC_RELEASE); // before: they look at all flows once, as they start
    start_workers(p);
    loop_timer_set(p->timer, REFRESH_MS);
    LOG_INFO("hardware offload is on");
}

// What could not be taken home: its filter has gone now, the next packet makes it anew.
static bool
kill_left(struct mega *m, void *c)
{
    if (mega_has(m, MEGA_TC) && mega_claim(m, MEGA_DYING)) {
        mega_slot_end(m, MEGA_TC, NULL);
        mega_kill(c, m);
    }
    return true;
}

static struct place *
place_of_serial(uint32_t serial)
{
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        if (dp->place && dp->place->serial == serial) {
            return dp->place;
        }
    }
    return NULL;
}

void
sp_place_drained(void *serial)
{
    struct place *p = place_of_serial((uint32_t) (uintptr_t) serial);
    if (!p || !p->n_draining || --p->n_draining) {
        return;
    }
    join_workers(p);
    flush(p);
    rcu_begin();
    mega_for_each(p->dp->cache, kill_left, p->dp->cache);
    mega_forget_late(p->dp->cache); // whoever was to tell has gone
    rcu_end();
    LOG_INFO("hardware offload is off; all flows are back");
    if (p->want) {
        start(p);
    }
}

static void
stop(struct place *p)
{
    __atomic_store_n(&p->active, false, __ATOMIC_RELEASE);
    loop_timer_cancel(p->timer);
    for (size_t i = 0; i < PLACE_WORKERS; i++) {
        p->n_draining += p->workers[i] != NULL;
    }
    tell_workers(p, PLACE_DRAIN);
}

static struct place *
place_new(struct sp_dp *dp)
{
    static uint32_t last_serial; // main thread
    struct place *p = base_calloc(1, sizeof *p);
    p->dp = dp;
    p->serial = ++last_serial;
    p->tc.ops = &ofl_dp_ops;
    int error = p->tc.ops->open("tc", true, &p->tc.dp);
    if (error) {
        LOG_ERR("hardware offload cannot be had: %s", base_strerror(error));
        free(p);
        return NULL;
    }
    p->timer = loop_timer_new(sp_loop(), refresh, p);
    return p;
}

void
sp_place_configure(struct sp_dp *dp, const struct sp_config *config)
{
    struct place *p = dp->place;
    if (dp->home != DP_PLACE_KERNEL || (!p && !config->hw_offload)) {
        return;
    }
    if (!p) {
        p = place_new(dp);
        if (!p) {
            return;
        }
        rcu_set(dp->place, p);
    }
    p->want = config->hw_offload;
    p->want_policy = config->tc_policy == SP_TC_SKIP_SW   ? OFL_POLICY_SKIP_SW
                     : config->tc_policy == SP_TC_SKIP_HW ? OFL_POLICY_SKIP_HW
                                                          : OFL_POLICY_NONE;
    const bool other_ports = tell_ports(p, config);
    if (is_active(p) && (!p->want || p->want_policy != p->policy)) {
        stop(p); // and on again, when all filters of the old policy have gone
    }
    if (is_active(p)) {
        if (other_ports) {
            ports_changed(p);
        }
    } else if (p->want && !p->n_draining) {
        start(p);
    }
}

void
sp_place_stop(struct sp_dp *dp, bool remove)
{
    struct place *p = dp->place;
    if (!p) {
        return;
    }
    __atomic_store_n(&p->active, false, __ATOMIC_RELEASE);
    tell_workers(p, PLACE_STOP);
    join_workers(p);
    if (remove) {
        flush(p);
    }
}

void
sp_place_free(struct sp_dp *dp)
{
    struct place *p = dp->place;
    if (!p) {
        return;
    }
    rcu_set(dp->place, NULL);
    loop_timer_free(p->timer);
    p->tc.ops->close(p->tc.dp);
    rcu_free_later(p->ports);
    free(p->known);
    rcu_free_later(p);
}

void
sp_place_stats(const struct sp_dp *dp, struct place_stats *s)
{
    const struct place *p = dp->place;
    memset(s, 0, sizeof *s);
    if (!p) {
        return;
    }
    s->active = is_active(p);
    for (size_t i = 1; i < PLACE_WORKERS; i++) {
        s->n_workers += p->workers[i] != NULL;
    }
    s->adopted = __atomic_load_n(&p->adopted, __ATOMIC_RELAXED);
    s->moved_in = __atomic_load_n(&p->moved_in, __ATOMIC_RELAXED);
    s->moved_out = __atomic_load_n(&p->moved_out, __ATOMIC_RELAXED);
}
