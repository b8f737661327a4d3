// SPDX-License-Identifier: Apache-2.0
// Learned state of bridges. See bridge_state.h for threads.
//
// MAC entries hang in a cds_lfht by (VLAN, address) for readers and in a list by time of use for ageing. An entry's port and time are atomics: a refresh that changes
// neither port nor (within REFRESH_MS) time writes nothing, so that a table in steady use costs no cache line transfers.
#include "config.h"

#include "slowpath/bridge_state.h"

#include <stdlib.h>
#include <stdio.h>
#include <urcu.h>
#include <urcu/rculfhash.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/hmap.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "ofproto/of_act.h"
#include "slowpath/sp.h"

#define DEFAULT_MAX_ENTRIES 8192
#define REFRESH_MS 250

struct mac_entry {
    struct cds_lfht_node node;
    struct cds_list_head by_use; // mutex
    uint64_t id;                 // VLAN << 48 | address
    int64_t used;                // atomic, ms
    uint32_t port;               // atomic, OpenFlow number
    bool is_static;              // atomic: fdb/add; in `statics` instead of `by_use`
};

struct patch_port {
    struct hmap_node node;
    uint32_t port;
    struct patch_counters n;
};

struct sp_bridge_state {
    char *name;
    unsigned refs; // atomic
    mac_changed_cb *changed; // atomic
    void *changed_aux;       // atomic
    struct cds_lfht *macs; // mac_entry.node
    struct mutex mutex;
    struct cds_list_head by_use GUARDED_BY(mutex); // mac_entry.by_use, least recently used first
    struct cds_list_head statics GUARDED_BY(mutex); // mac_entry.by_use: those that neither age nor move
    size_t n;                                      // atomic, written under mutex
    struct mac_stats stats GUARDED_BY(mutex);
    struct hmap patches GUARDED_BY(mutex);         // patch_port.node
};

struct sp_bridge_state *
sp_bridge_state_new(const char *name)
{
    struct sp_bridge_state *s = base_calloc(1, sizeof *s);
    s->name = base_strdup(name);
    s->refs = 1;
    s->macs = cds_lfht_new(2048, 1, 0, CDS_LFHT_AUTO_RESIZE, NULL);
    mutex_init(&s->mutex);
    mutex_lock(&s->mutex);
    CDS_INIT_LIST_HEAD(&s->by_use);
    CDS_INIT_LIST_HEAD(&s->statics);
    hmap_init(&s->patches);
    mutex_unlock(&s->mutex);
    return s;
}

struct sp_bridge_state *
sp_bridge_state_ref(struct sp_bridge_state *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

static void
state_free(void *s_) NO_THREAD_SAFETY
{
    struct sp_bridge_state *s = s_;
    struct mac_entry *e, *tmp;
    cds_list_splice(&s->statics, &s->by_use);
    LIST_FOR_EACH_SAFE (e, tmp, by_use, &s->by_use) {
        cds_lfht_del(s->macs, &e->node);
        free(e);
    }
    cds_lfht_destroy(s->macs, NULL);
    struct patch_port *p;
    HMAP_FOR_EACH_SAFE (p, node, &s->patches) {
        free(p);
    }
    hmap_destroy(&s->patches);
    mutex_destroy(&s->mutex);
    free(s->name);
    free(s);
}

void
sp_bridge_state_unref(struct sp_bridge_state *s)
{
    if (s && !__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL)) {
        rcu_defer(state_free, s);
    }
}

void
sp_bridge_state_on_change(struct sp_bridge_state *s, mac_changed_cb *cb, void *aux)
{
    __atomic_store_n(&s->changed_aux, aux, __ATOMIC_RELAXED);
    __atomic_store_n(&s->changed, cb, __ATOMIC_RELEASE);
}

static uint64_t
mac_id(uint16_t vlan, const struct mac *mac)
{
    uint64_t id = vlan;
    for (size_t i = 0; i < 6; i++) {
        id = id << 8 | mac->b[i];
    }
    return id;
}

static struct mac
mac_of_id(uint64_t id)
{
    struct mac mac;
    for (int i = 5; i >= 0; i--, id >>= 8) {
        mac.b[i] = (uint8_t) id;
    }
    return mac;
}

static int
mac_match(struct cds_lfht_node *node, const void *key)
{
    rcu_after_grace(); // what mac_add() wrote before it put the entry here
    return caa_container_of(node, struct mac_entry, node)->id == *(const uint64_t *) key;
}

static struct mac_entry *
mac_find(const struct sp_bridge_state *s, uint64_t id)
{
    struct cds_lfht_iter iter;
    cds_lfht_lookup(s->macs, hash_u64(id, 0), mac_match, &id, &iter);
    struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
    return node ? caa_container_of(node, struct mac_entry, node) : NULL;
}

static void
tell(struct sp_bridge_state *s, uint64_t id)
{
    mac_changed_cb *cb = __atomic_load_n(&s->changed, __ATOMIC_ACQUIRE);
    if (cb) {
        struct mac mac = mac_of_id(id);
        cb(__atomic_load_n(&s->changed_aux, __ATOMIC_RELAXED), s, (uint16_t) (id >> 48), &mac);
    }
}

uint32_t
sp_mac_lookup(const struct sp_bridge_state *s, uint16_t vlan, const struct mac *mac)
{
    const struct mac_entry *e = mac_find(s, mac_id(vlan, mac));
    return e ? __atomic_load_n(&e->port, __ATOMIC_RELAXED) : MAC_NO_PORT;
}

static void
mac_drop(struct sp_bridge_state *s, struct mac_entry *e) REQUIRES(s->mutex)
{
    cds_lfht_del(s->macs, &e->node);
    cds_list_del(&e->by_use);
    __atomic_store_n(&s->n, s->n - 1, __ATOMIC_RELAXED);
    rcu_free_later(e);
}

// Adds an address that isn't there; returns the id that had to go to make room, or 0.
static uint64_t
mac_add(struct sp_bridge_state *s, unsigned max, uint64_t id, uint32_t port, int64_t now) REQUIRES(s->mutex)
{
    uint64_t evicted = 0;
    if (s->n >= max && !cds_list_empty(&s->by_use)) {
        struct mac_entry *oldest = cds_list_entry(s->by_use.next, struct mac_entry, by_use);
        evicted = oldest->id;
        mac_drop(s, oldest);
        s->stats.evicted++;
    }
    struct mac_entry *e = base_calloc(1, sizeof *e);
    s->stats.learned++;
    e->id = id;
    e->port = port;
    e->used = now;
    rcu_before_grace();
    cds_lfht_add(s->macs, hash_u64(id, 0), &e->node);
    cds_list_add_tail(&e->by_use, &s->by_use);
    __atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELAXED);
    return evicted;
}

bool
sp_mac_learn(struct sp_bridge_state *s, const struct mac_limits *limits, const struct mac_seen *seen)
{
    const uint64_t id = mac_id(seen->vlan, seen->mac);
    const uint32_t ofp_port = seen->ofp_port;
    const int64_t now = seen->now;
    struct mac_entry *e = mac_find(s, id);
    if (e && __atomic_load_n(&e->is_static, __ATOMIC_RELAXED)) {
        return false;
    }
    if (e && __atomic_load_n(&e->port, __ATOMIC_RELAXED) == ofp_port &&
        now - __atomic_load_n(&e->used, __ATOMIC_RELAXED) < REFRESH_MS) {
        return false;
    }

    uint64_t evicted = 0;
    bool changed = true;
    mutex_lock(&s->mutex);
    e = mac_find(s, id);
    if (e && e->is_static) {
        changed = false;
    } else if (e) {
        changed = e->port != ofp_port;
        // A credit that arrives late (from a flow of the old place) must not take the address back.
        if (changed && now < e->used) {
            mutex_unlock(&s->mutex);
            return false;
        }
        s->stats.moved += changed;
        __atomic_store_n(&e->port, ofp_port, __ATOMIC_RELAXED);
        if (now > e->used) {
            __atomic_store_n(&e->used, now, __ATOMIC_RELAXED);
            cds_list_del(&e->by_use);
            cds_list_add_tail(&e->by_use, &s->by_use);
        }
    } else {
        evicted = mac_add(s, limits->max_entries ? limits->max_entries : DEFAULT_MAX_ENTRIES, id, ofp_port, now);
    }
    mutex_unlock(&s->mutex);
    if (changed) {
        tell(s, id);
    }
    if (evicted) {
        tell(s, evicted);
    }
    return changed;
}

// Removes entries for which the arguments hold, telling of each. In portions, so that nothing is told under the mutex.
static size_t
mac_remove(struct sp_bridge_state *s, uint32_t port, int64_t used_before)
{
    uint64_t ids[64];
    size_t n, total = 0;
    do {
        n = 0;
        mutex_lock(&s->mutex);
        struct mac_entry *e, *tmp;
        LIST_FOR_EACH_SAFE (e, tmp, by_use, &s->by_use) {
            if (e->used >= used_before || n == ARRAY_SIZE(ids)) {
                break;
            }
            if (port == MAC_NO_PORT || e->port == port) {
                ids[n++] = e->id;
                mac_drop(s, e);
            }
        }
        mutex_unlock(&s->mutex);
        for (size_t i = 0; i < n; i++) {
            tell(s, ids[i]);
        }
        total += n;
    } while (n == ARRAY_SIZE(ids));
    return total;
}

uint32_t
sp_mac_add_static(struct sp_bridge_state *s, uint16_t vlan, const struct mac *mac, uint32_t ofp_port)
{
    const uint64_t id = mac_id(vlan, mac);
    uint32_t was = MAC_NO_PORT;
    rcu_begin();
    mutex_lock(&s->mutex);
    struct mac_entry *e = mac_find(s, id);
    if (e) {
        was = e->is_static && e->port != ofp_port ? e->port : MAC_NO_PORT;
        cds_list_del(&e->by_use);
    } else {
        e = base_calloc(1, sizeof *e);
        e->id = id;
        cds_lfht_add(s->macs, hash_u64(id, 0), &e->node);
        __atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELAXED);
    }
    cds_list_add_tail(&e->by_use, &s->statics);
    __atomic_store_n(&e->is_static, true, __ATOMIC_RELAXED);
    __atomic_store_n(&e->port, ofp_port, __ATOMIC_RELAXED);
    mutex_unlock(&s->mutex);
    tell(s, id);
    rcu_end();
    return was;
}

bool
sp_mac_del_static(struct sp_bridge_state *s, uint16_t vlan, const struct mac *mac)
{
    const uint64_t id = mac_id(vlan, mac);
    rcu_begin();
    mutex_lock(&s->mutex);
    struct mac_entry *e = mac_find(s, id);
    const bool found = e && e->is_static;
    if (found) {
        mac_drop(s, e);
    }
    mutex_unlock(&s->mutex);
    if (found) {
        tell(s, id);
    }
    rcu_end();
    return found;
}

size_t
sp_mac_expire(struct sp_bridge_state *s, const struct mac_limits *limits, int64_t now)
{
    const size_t n = mac_remove(s, MAC_NO_PORT, now - (int64_t) limits->aging_s * 1000);
    if (n) {
        mutex_lock(&s->mutex);
        s->stats.expired += n;
        mutex_unlock(&s->mutex);
    }
    return n;
}

size_t
sp_mac_flush(struct sp_bridge_state *s, uint32_t ofp_port)
{
    return mac_remove(s, ofp_port, INT64_MAX);
}

size_t
sp_mac_count(const struct sp_bridge_state *s)
{
    return __atomic_load_n(&s->n, __ATOMIC_RELAXED);
}

void
sp_mac_stats(struct sp_bridge_state *s, struct mac_stats *out)
{
    mutex_lock(&s->mutex);
    *out = s->stats;
    struct mac_entry *e;
    LIST_FOR_EACH (e, by_use, &s->statics) {
        out->n_static++;
    }
    mutex_unlock(&s->mutex);
}

void
sp_mac_stats_clear(struct sp_bridge_state *s)
{
    mutex_lock(&s->mutex);
    memset(&s->stats, 0, sizeof s->stats);
    mutex_unlock(&s->mutex);
}

struct format {
    int64_t now;
    const char *(*port_name)(uint32_t ofp_port, void *aux);
    void *aux;
    struct str *out;
};

static void
format_entry(const struct format *f, const struct mac_entry *e)
{
    const struct mac mac = mac_of_id(e->id);
    const char *name = f->port_name ? f->port_name(e->port, f->aux) : NULL;
    char number[16];
    snprintf(number, sizeof number, "%u", e->port);
    str_addf(f->out, "%5s  %4u  ", name ? name : e->port == OF_PORT_LOCAL ? "LOCAL" : number, (unsigned) (e->id >> 48));
    str_add_mac(f->out, &mac);
    if (e->is_static) {
        str_add(f->out, "  static\n");
    } else {
        str_addf(f->out, "  %3lld\n", (long long) (f->now - e->used) / 1000);
    }
}

void
sp_mac_format(struct sp_bridge_state *s, int64_t now, const char *(*port_name)(uint32_t ofp_port, void *aux), void *aux,
              struct str *out)
{
    const struct format f = {now, port_name, aux, out};
    str_add(out, " port  VLAN  MAC                Age\n");
    mutex_lock(&s->mutex);
    struct mac_entry *e;
    LIST_FOR_EACH (e, by_use, &s->statics) {
        format_entry(&f, e);
    }
    LIST_FOR_EACH (e, by_use, &s->by_use) {
        format_entry(&f, e);
    }
    mutex_unlock(&s->mutex);
}

static struct patch_port *
patch_find(struct sp_bridge_state *s, uint32_t port) REQUIRES(s->mutex)
{
    struct patch_port *p;
    HMAP_FOR_EACH_HASH (p, node, hash_u64(port, 0), &s->patches) {
        if (p->port == port) {
            return p;
        }
    }
    return NULL;
}

void
sp_patch_credit(struct sp_bridge_state *s, uint32_t ofp_port, const struct patch_counters *add)
{
    mutex_lock(&s->mutex);
    struct patch_port *p = patch_find(s, ofp_port);
    if (!p) {
        p = base_calloc(1, sizeof *p);
        p->port = ofp_port;
        hmap_insert(&s->patches, &p->node, hash_u64(ofp_port, 0));
    }
    p->n.rx_packets += add->rx_packets;
    p->n.rx_bytes += add->rx_bytes;
    p->n.tx_packets += add->tx_packets;
    p->n.tx_bytes += add->tx_bytes;
    mutex_unlock(&s->mutex);
}

void
sp_patch_read(struct sp_bridge_state *s, uint32_t ofp_port, struct patch_counters *out)
{
    mutex_lock(&s->mutex);
    const struct patch_port *p = patch_find(s, ofp_port);
    *out = p ? p->n : (struct patch_counters){0, 0, 0, 0};
    mutex_unlock(&s->mutex);
}
