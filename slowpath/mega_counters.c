// SPDX-License-Identifier: Apache-2.0
// Counters of cached flows, and what they are credited to. One rule: a place's counter only grows while the flow is there, so what is new since the last look is credited once; when the flow leaves the
// place its last counters are looked at once more and forgotten.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "ofproto/of_bridge.h"
#include "slowpath/bridge_state.h"
#include "slowpath/mega.h"
#include "slowpath/sp_config.h"

// mega_counters.slots
#define HELD(slot) (1u << (slot))                        // it is there
#define READING(slot) (1u << ((slot) + MEGA_N_SLOTS))    // its owner reads the counters there
#define OVERTAKEN(slot) (1u << ((slot) + 2 * MEGA_N_SLOTS)) // and a dump told of them meanwhile
#define ALL_OF(slot) (HELD(slot) | READING(slot) | OVERTAKEN(slot))
#define ALL_HELD (HELD(MEGA_N_SLOTS) - 1)

uint32_t
mega_time(int64_t ms)
{
    return (uint32_t) MAX(ms >> 4, 1);
}

int64_t
mega_time_ms(uint32_t t)
{
    return (int64_t) t << 4;
}

static void
add_chunk(struct mega_cache *c) REQUIRES(c->intern)
{
    struct mega_chunks *old = c->chunks;
    struct mega_chunks *new = base_malloc(sizeof *new + (old->n + 1) * sizeof new->p[0]);
    struct mega_chunk *chunk = aligned_alloc(64, sizeof *chunk);
    memset(chunk, 0, sizeof *chunk);
    const uint32_t first = (uint32_t) old->n * MEGA_CHUNK + 1;
    for (uint32_t i = 0; i < MEGA_CHUNK; i++) {
        chunk->ctr[i].next_free = i + 1 < MEGA_CHUNK ? first + i + 1 : 0;
    }
    c->free_counters = first;
    memcpy(new->p, old->p, old->n * sizeof new->p[0]);
    new->n = old->n + 1;
    new->p[old->n] = chunk;
    rcu_set(c->chunks, new);
    rcu_free_later(old);
}

struct mega_counters *
mega_counters_new(struct mega_cache *c)
{
    mutex_lock(&c->intern);
    if (!c->free_counters) {
        add_chunk(c);
    }
    const uint32_t i = c->free_counters - 1;
    struct mega_counters *ctr = &c->chunks->p[i / MEGA_CHUNK]->ctr[i % MEGA_CHUNK];
    c->free_counters = ctr->next_free;
    mutex_unlock(&c->intern);
    memset(ctr, 0, sizeof *ctr);
    ctr->next_free = i + 1;
    return ctr;
}

void
mega_counters_free(struct mega_cache *c, struct mega_counters *ctr)
{
    mutex_lock(&c->intern);
    const uint32_t self = ctr->next_free;
    ctr->next_free = c->free_counters;
    c->free_counters = self;
    mutex_unlock(&c->intern);
}

void
mega_counters_own(struct mega_cache *c, const struct mega_counters *ctr, struct mega *m)
{
    const uint32_t i = ctr->next_free - 1;
    rcu_set(rcu_get(c->chunks)->p[i / MEGA_CHUNK]->owner[i % MEGA_CHUNK], m);
}

static void
lock(struct mega_counters *ctr)
{
    while (__atomic_test_and_set(&ctr->lock, __ATOMIC_ACQUIRE)) {
        caa_cpu_relax();
    }
}

static void
unlock(struct mega_counters *ctr)
{
    __atomic_clear(&ctr->lock, __ATOMIC_RELEASE);
}

// --- Credit. ---

// Rules and tables: atomics only, so that it may run under the spin bit.
static void
credit_links(const struct mega_xlate *x, uint64_t packets, uint64_t bytes, int64_t used)
{
    for (size_t i = 0; i < x->n_links; i++) {
        const struct mega_link *l = &x->links[i];
        if (l->kind == XLATE_DEP_RULE) {
            struct of_rule *rule = (struct of_rule *) l->dep->rule;
            of_rule_credit(rule, packets, bytes, used);
            of_bridge_table_credit(rule->bridge, rule->table, packets, 0);
        } else if (l->kind == XLATE_DEP_MISS) {
            of_bridge_table_credit(l->dep->of, l->dep->table, 0, packets);
        }
    }
}

static void
credit_patch(struct sp_bridge_state *from, uint32_t port, struct sp_bridge_state *to, uint32_t peer,
             const struct patch_counters *n)
{
    const struct patch_counters tx = {.tx_packets = n->tx_packets, .tx_bytes = n->tx_bytes},
                                rx = {.rx_packets = n->tx_packets, .rx_bytes = n->tx_bytes};
    sp_patch_credit(from, port, &tx);
    sp_patch_credit(to, peer, &rx);
}

static void
credit_learn(struct sp_bridge_state *state, const struct mac *mac, uint16_t vlan, uint32_t port, int64_t used)
{
    // Traffic keeps an address alive, and moves it; the limits are those of the bridge's present configuration.
    const struct mac_limits limits = {.aging_s = 300};
    sp_mac_learn(state, &limits, &(struct mac_seen){vlan, mac, port, used});
}

static void
credit_others(const struct mega_xlate *x, bool learn, uint64_t packets, uint64_t bytes, int64_t used)
{
    for (size_t i = 0; i < x->n_links; i++) {
        const struct mega_link *l = &x->links[i];
        if (l->kind == XLATE_DEP_LEARN && learn) {
            credit_learn(l->learn.bridge, &l->learn.mac, l->learn.vlan, l->learn.port, used);
        } else if (l->kind == XLATE_DEP_PATCH) {
            const struct patch_counters n = {.tx_packets = packets, .tx_bytes = bytes};
            credit_patch(l->patch.bridge, l->patch.port, l->patch.peer_bridge, l->patch.peer, &n);
        }
    }
}

void
xlate_credit(const struct xlate_out *out, uint64_t packets, uint64_t bytes, int64_t used)
{
    for (size_t i = 0; i < out->n_deps; i++) {
        const struct xlate_dep *d = &out->deps[i];
        if (d->kind == XLATE_DEP_RULE) {
            of_rule_credit((struct of_rule *) d->rule, packets, bytes, used);
            of_bridge_table_credit(d->rule->bridge, d->table, packets, 0);
        } else if (d->kind == XLATE_DEP_MISS) {
            of_bridge_table_credit(d->of, d->table, 0, packets);
        } else if (d->kind == XLATE_DEP_PATCH) {
            const struct patch_counters n = {.tx_packets = packets, .tx_bytes = bytes};
            credit_patch(d->bridge, d->port, d->peer_bridge, d->peer, &n);
        }
    }
}

// --- Merging. ---

// Adds what is new to the totals and credits it. Spin bit held on entry, released on return.
// past: the translation they went by, from which no address is learned; NULL: the present one.
static void
add_and_unlock(struct mega *m, const struct mega_xlate *past, const struct dp_flow_stats *n)
{
    struct mega_counters *ctr = m->ctr;
    const uint64_t packets = n->packets, bytes = n->bytes;
    const int64_t used = n->used;
    const uint32_t t = used ? mega_time(used) : 0;
    ctr->packets += packets;
    ctr->bytes += bytes;
    ctr->tcp_flags |= n->tcp_flags;
    if (t > ctr->used) {
        ctr->used = t;
    }
    if (!packets) {
        unlock(ctr);
        return;
    }
    const struct mega_xlate *x = past ? past : rcu_get(m->x);
    credit_links(x, packets, bytes, used);
    unlock(ctr);
    credit_others(x, !past, packets, bytes, used); // RCU keeps it
}

// The translation that tc still goes by, where that is a past one; else NULL. Under the lock.
static struct mega_xlate *
still_in_tc(const struct mega *m)
{
    struct mega_xlate *x = m->x->past;
    while (x && !x->in_tc) {
        x = x->past;
    }
    return x;
}

struct mega_xlate *
mega_xlate_swap(struct mega *m, struct mega_xlate *x)
{
    struct mega_xlate *old = m->x;
    lock(m->ctr);
    if (old->in_tc && old->acts == x->acts) {
        old->in_tc = false;
        x->in_tc = true;
    }
    const bool keep = old->late || (old->in_tc && m->ctr->slots & HELD(MEGA_TC));
    x->past = keep ? old : old->past;
    rcu_set(m->x, x);
    if (!keep) {
        old->past = NULL;
    }
    unlock(m->ctr);
    return keep ? NULL : old;
}

// Under the lock.
static struct mega_xlate *
take_out(struct mega *m, struct mega_xlate *x)
{
    struct mega_xlate **p = &m->x->past;
    while (*p != x) {
        p = &(*p)->past;
    }
    *p = x->past;
    x->past = NULL;
    return x;
}

struct mega_xlate *
mega_xlate_left(struct mega *m, uint32_t late)
{
    lock(m->ctr);
    struct mega_xlate *x = still_in_tc(m), *done = NULL;
    x = x ? x : m->x;
    x->in_tc = false;
    if (late) {
        x->late_from = x->late ? x->late_from : late;
        x->late = late;
        x->n_late++;
    } else if (x != m->x && !x->late) {
        done = take_out(m, x);
    }
    m->x->in_tc = m->ctr->slots & HELD(MEGA_TC);
    unlock(m->ctr);
    return done;
}

struct mega_xlate *
mega_xlate_end(struct mega *m)
{
    lock(m->ctr);
    struct mega_xlate *past = m->x->past;
    m->x->past = NULL;
    unlock(m->ctr);
    return past;
}

// The translation that a number is of. NULL: none. Under the lock.
static struct mega_xlate *
of_number(struct mega *m, uint32_t late)
{
    struct mega_xlate *x = m->x;
    while (x && (!x->late || late - x->late_from > x->late - x->late_from)) {
        x = x->past;
    }
    return x;
}

bool
mega_awaits(struct mega *m, uint32_t late)
{
    lock(m->ctr);
    const struct mega_xlate *x = late ? of_number(m, late) : m->x;
    while (x && !x->late) {
        x = x->past;
    }
    unlock(m->ctr);
    return x;
}

struct mega_xlate *
mega_xlate_add_late(struct mega *m, const struct mega_late *late)
{
    struct mega_xlate *done = NULL;
    lock(m->ctr);
    struct mega_xlate *x = of_number(m, late->number);
    if (x && late->last && !--x->n_late) {
        x->late = 0;
        if (x != m->x && !x->in_tc) {
            done = take_out(m, x);
        }
    }
    const struct dp_flow_stats n = {.packets = late->packets,
                                    .bytes = late->bytes,
                                    .used = late->packets ? clock_now() : 0};
    add_and_unlock(m, x ? x : m->x, &n); // an address is not learned by what is long ago
    return done;
}

static void
merge_and_unlock(struct mega *m, enum mega_slot slot, const struct dp_flow_stats *s)
{
    struct mega_counters *ctr = m->ctr;
    // A smaller number means that the place began anew.
    const bool anew = s->packets < ctr->last[slot].packets;
    const uint64_t packets = s->packets - (anew ? 0 : ctr->last[slot].packets);
    const uint64_t bytes = s->bytes - (anew ? 0 : MIN(ctr->last[slot].bytes, s->bytes));
    ctr->last[slot].packets = s->packets;
    ctr->last[slot].bytes = s->bytes;
    // Places that don't know when (tc's terse dumps): now, if something moved.
    const struct dp_flow_stats new = {.packets = packets,
                                      .bytes = bytes,
                                      .tcp_flags = s->tcp_flags,
                                      .used = s->used ? s->used : packets ? clock_now() : 0};
    add_and_unlock(m, slot == MEGA_TC && packets ? still_in_tc(m) : NULL, &new);
}

void
mega_slot_begin(struct mega *m, enum mega_slot slot, uint16_t sweep)
{
    lock(m->ctr);
    m->ctr->last[slot].packets = m->ctr->last[slot].bytes = 0;
    m->ctr->since[slot] = sweep;
    m->ctr->slots = (uint8_t) ((m->ctr->slots & ~ALL_OF(slot)) | HELD(slot));
    m->x->in_tc |= slot == MEGA_TC;
    unlock(m->ctr);
}

void
mega_slot_adopt(struct mega *m, enum mega_slot slot, const struct dp_flow_stats *s)
{
    mega_slot_begin(m, slot, 0);
    lock(m->ctr);
    m->ctr->last[slot].packets = s->packets;
    m->ctr->last[slot].bytes = s->bytes;
    unlock(m->ctr);
}

bool
mega_has(struct mega *m, enum mega_slot slot)
{
    lock(m->ctr);
    const bool has = m->ctr->slots & HELD(slot);
    unlock(m->ctr);
    return has;
}

bool
mega_read_begin(struct mega *m, enum mega_slot slot)
{
    lock(m->ctr);
    const bool has = m->ctr->slots & HELD(slot);
    if (has) {
        m->ctr->slots = (uint8_t) ((m->ctr->slots & ~OVERTAKEN(slot)) | READING(slot));
    }
    unlock(m->ctr);
    return has;
}

void
mega_merge(struct mega *m, enum mega_slot slot, const struct dp_flow_stats *s, uint16_t sweep)
{
    lock(m->ctr);
    // A record of a dump that was under way when the flow came to the place may tell of an earlier stay.
    if (!(m->ctr->slots & HELD(slot)) || (int16_t) (m->ctr->since[slot] - sweep) >= 0) {
        unlock(m->ctr);
        return;
    }
    if (m->ctr->slots & READING(slot)) {
        m->ctr->slots |= OVERTAKEN(slot);
    }
    m->ctr->since[slot] = (uint16_t) (sweep - 1); // also: seen by this one
    merge_and_unlock(m, slot, s);
}

void
mega_merge_now(struct mega *m, enum mega_slot slot, const struct dp_flow_stats *s, uint16_t sweep)
{
    lock(m->ctr);
    const uint8_t slots = m->ctr->slots;
    m->ctr->slots &= (uint8_t) ~(READING(slot) | OVERTAKEN(slot));
    if (!(slots & HELD(slot)) || !s ||
        (slots & OVERTAKEN(slot) && s->packets < m->ctr->last[slot].packets)) {
        unlock(m->ctr);
        return;
    }
    m->ctr->since[slot] = sweep;
    merge_and_unlock(m, slot, s);
}

void
mega_slot_end(struct mega *m, enum mega_slot slot, const struct dp_flow_stats *last)
{
    lock(m->ctr);
    if (!(m->ctr->slots & HELD(slot))) {
        unlock(m->ctr);
        return;
    }
    m->ctr->slots &= (uint8_t) ~ALL_OF(slot);
    if (last) {
        merge_and_unlock(m, slot, last);
    } else {
        unlock(m->ctr);
    }
}

void
mega_add(struct mega *m, uint64_t packets, uint64_t bytes, uint16_t tcp_flags, int64_t now)
{
    lock(m->ctr);
    add_and_unlock(m, NULL,
                   &(struct dp_flow_stats){.packets = packets, .bytes = bytes, .tcp_flags = tcp_flags, .used = now});
}

bool
mega_slot_vanished(struct mega *m, enum mega_slot slot, uint16_t sweep)
{
    lock(m->ctr);
    const bool vanished = m->ctr->slots & HELD(slot) && (int16_t) (m->ctr->since[slot] - (uint16_t) (sweep - 1)) < 0;
    unlock(m->ctr);
    return vanished;
}

void
mega_counts(struct mega *m, struct mega_counts *out)
{
    lock(m->ctr);
    *out = (struct mega_counts){m->ctr->packets,
                                m->ctr->bytes,
                                {m->ctr->last[0].packets, m->ctr->last[1].packets},
                                {m->ctr->last[0].bytes, m->ctr->last[1].bytes},
                                m->ctr->used ? mega_time_ms(m->ctr->used) : 0,
                                m->ctr->tcp_flags,
                                m->ctr->slots & ALL_HELD};
    unlock(m->ctr);
}
