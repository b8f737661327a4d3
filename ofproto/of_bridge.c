// SPDX-License-Identifier: Apache-2.0
// Bridges: life, tables as the packet path reads them, OpenFlow ports, configuration.
//
// The main thread owns everything here. Handlers and revalidators call of_bridge_lookup(), of_bridge_table_miss(), of_bridge_table_credit() and
// of_bridge_packet_in() inside RCU sections. What caches flows may have counters to credit after the bridge has gone: it holds a reference.
#include "config.h"

#include "ofproto/of_bridge.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "ofproto/of_bridge_private.h"

// Before a packet path registers there is nothing to tell.
static void
no_bridge(struct of_bridge *br)
{
}

static void
no_rules_changed(struct of_bridge *br, const struct of_change *changes, size_t n)
{
}

static int
no_packet_out(struct of_bridge *br, const struct of_packet_out *po)
{
    return 0;
}

static int
no_port_stats(struct of_bridge *br, uint32_t port, struct of_port_stats *stats)
{
    memset(stats, 0xff, sizeof *stats);
    stats->created = clock_now();
    return 0;
}

static int
no_port_config(struct of_bridge *br, uint32_t port, uint32_t config)
{
    return 0;
}

static const struct of_ops no_path = {no_bridge,  no_bridge,     no_rules_changed, no_packet_out,
                                      no_bridge, no_port_stats, no_port_config,   no_bridge,        no_bridge};
const struct of_ops *of_path = &no_path;

static struct hmap bridges; // of_bridge.by_name; owner: main

void
of_ops_register(const struct of_ops *ops)
{
    of_path = ops;
}

static void
flush_hook(void *br_)
{
    struct of_bridge *br = br_;
    const bool wanted = of_async_wants_misses(br->conns);
    if (wanted != br->miss_wanted) {
        __atomic_store_n(&br->miss_wanted, wanted, __ATOMIC_RELAXED);
        of_path->retranslate(br);
    }
    of_bridge_flush_changes(br);
}

struct of_bridge *
of_bridge_new(struct loop *loop, const char *name, uint64_t dpid)
{
    if (!bridges.buckets && !bridges.n) {
        hmap_init(&bridges);
    }
    struct of_bridge *br = base_calloc(1, sizeof *br);
    br->name = base_strdup(name);
    br->refs = 1;
    br->loop = loop;
    br->dpid = dpid;
    br->version = CLS_VERSION_MIN;
    for (unsigned i = 0; i < OF_N_TABLES; i++) {
        br->tables[i].cls = cls_new();
        br->tables[i].max_flows = br->tables[i].config.max_flows = UINT32_MAX;
    }
    hmap_init(&br->ports);
    of_expire_init(br);
    of_notices_init(br);
    br->hook = loop_hook_new(loop, flush_hook, br);
    of_own_rules_add(br);
    br->conns = of_conns_new(br, loop);
    hmap_insert(&bridges, &br->by_name, hash_string(name, 0));
    of_path->bridge_attached(br);
    return br;
}

static bool
delete_any(struct cls_rule *cr, void *br)
{
    of_bridge_delete_rule(br, CONTAINER_OF(cr, struct of_rule, cr), OF_REMOVED_DELETE);
    return true;
}

void
of_bridge_free(struct of_bridge *br)
{
    if (!br) {
        return;
    }
    for (unsigned i = 0; i < OF_N_TABLES; i++) {
        of_evict_stop(br, (uint8_t) i);
        free(br->tables[i].config.groups);
        cls_for_each(br->tables[i].cls, NULL, br->version, delete_any, br);
    }
    of_bridge_flush_changes(br);
    of_path->bridge_detached(br);
    hmap_remove(&bridges, &br->by_name);
    loop_hook_free(br->hook);
    of_notices_close(br);
    of_conns_free(br->conns);
    of_expire_destroy(br);
    rcu_wait();
    for (unsigned i = 0; i < OF_N_TABLES; i++) {
        cls_free(br->tables[i].cls);
    }
    struct of_port *p;
    HMAP_FOR_EACH_SAFE (p, by_number, &br->ports) {
        free(p);
    }
    hmap_destroy(&br->ports);
    of_inband_free(br);
    free(br->cookies);
    free(br->changes);
    of_bridge_unref(br);
}

void
of_bridge_ref(struct of_bridge *br)
{
    __atomic_add_fetch(&br->refs, 1, __ATOMIC_RELAXED);
}

static void
free_last(void *br_)
{
    struct of_bridge *br = br_;
    of_notices_destroy(br);
    free(br->name);
    free(br);
}

void
of_bridge_unref(struct of_bridge *br)
{
    if (!__atomic_sub_fetch(&br->refs, 1, __ATOMIC_ACQ_REL)) {
        rcu_defer(free_last, br);
    }
}

char *
of_bridge_configure(struct of_bridge *br, const struct of_bridge_config *config)
{
    br->dpid = config->dpid;
    return of_conns_configure(br->conns, config);
}

const char *
of_bridge_name(const struct of_bridge *br)
{
    return br->name;
}

void *
of_bridge_path(const struct of_bridge *br)
{
    return br->path;
}

void
of_bridge_set_path(struct of_bridge *br, void *path)
{
    br->path = path;
}

struct of_bridge *
of_bridge_find(const char *name)
{
    struct of_bridge *br;
    HMAP_FOR_EACH_HASH (br, by_name, hash_string(name, 0), &bridges) {
        if (!strcmp(br->name, name)) {
            return br;
        }
    }
    return NULL;
}

void
of_bridge_reconnect(struct of_bridge *br)
{
    of_conns_reconnect(br->conns);
}

void
of_bridge_refresh_stats(struct of_bridge *br)
{
    of_bridge_flush_changes(br);
    of_path->refresh_stats(br);
}

size_t
of_bridge_controller_status(const struct of_bridge *br, struct of_controller_status status[], size_t max)
{
    return of_conns_status(br->conns, status, max);
}

size_t
of_bridge_n_rules(const struct of_bridge *br)
{
    return br->n_rules - br->n_hidden;
}

size_t
of_bridge_n_hidden(const struct of_bridge *br)
{
    return br->n_hidden;
}

struct walk {
    struct of_rule **rules;
    size_t n;
};

static bool
walk_rule(struct cls_rule *cr, void *w_)
{
    struct walk *w = w_;
    w->rules[w->n++] = CONTAINER_OF(cr, struct of_rule, cr);
    return true;
}

void
of_bridge_for_each_rule(struct of_bridge *br, bool (*cb)(struct of_rule *, void *aux), void *aux)
{
    struct walk w = {.rules = base_calloc(br->n_rules + 1, sizeof(struct of_rule *))};
    for (unsigned i = 0; i < OF_N_TABLES; i++) {
        if (cls_count(br->tables[i].cls)) {
            cls_for_each(br->tables[i].cls, NULL, br->version, walk_rule, &w);
        }
    }
    of_rules_sort(br, w.rules, w.n);
    for (size_t i = 0; i < w.n && cb(w.rules[i], aux); i++) {
    }
    free(w.rules);
}

// --- Tables, any thread. ---

uint64_t
of_bridge_version(const struct of_bridge *br)
{
    return __atomic_load_n(&br->version, __ATOMIC_ACQUIRE);
}

const struct of_rule *
of_bridge_lookup(const struct of_bridge *br, uint64_t version, uint8_t table, const struct flow_key *key,
                 struct flow_mask *wc)
{
    if (table >= OF_N_TABLES) {
        return NULL;
    }
    const struct cls_rule *cr = cls_lookup(br->tables[table].cls, version, key, wc);
    return cr ? CONTAINER_OF(cr, const struct of_rule, cr) : NULL;
}

enum of_frags
of_bridge_frags(const struct of_bridge *br)
{
    return (enum of_frags) __atomic_load_n(&br->frags, __ATOMIC_RELAXED);
}

enum of_table_miss
of_bridge_table_miss(const struct of_bridge *br, uint8_t table)
{
    if (table >= OF_N_TABLES) {
        return OF_MISS_DROP;
    }
    const enum of_table_miss miss = __atomic_load_n(&br->tables[table].miss, __ATOMIC_RELAXED);
    return miss != OF_MISS_DEFAULT                                  ? miss
           : __atomic_load_n(&br->miss_wanted, __ATOMIC_RELAXED) ? OF_MISS_CONTROLLER
                                                                    : OF_MISS_DROP;
}

void
of_bridge_table_credit(struct of_bridge *br, uint8_t table, uint64_t hits, uint64_t misses)
{
    if (table < OF_N_TABLES) {
        __atomic_fetch_add(&br->tables[table].lookups, hits + misses, __ATOMIC_RELAXED);
        __atomic_fetch_add(&br->tables[table].matches, hits, __ATOMIC_RELAXED);
    }
}

// --- Ports. ---

static struct of_port *
find_port(const struct of_bridge *br, uint32_t number)
{
    struct of_port *p;
    HMAP_FOR_EACH_HASH (p, by_number, hash_u64(number, 0), &br->ports) {
        if (p->desc.port == number) {
            return p;
        }
    }
    return NULL;
}

void
of_bridge_port_add(struct of_bridge *br, const struct of_port_desc *desc)
{
    struct of_port *p = base_calloc(1, sizeof *p);
    p->desc = *desc;
    p->created = clock_now();
    hmap_insert(&br->ports, &p->by_number, hash_u64(desc->port, 0));
    of_conns_port_status(br->conns, OF_PORT_ADDED, desc);
}

void
of_bridge_port_update(struct of_bridge *br, const struct of_port_desc *desc)
{
    struct of_port *p = find_port(br, desc->port);
    if (p && memcmp(&p->desc, desc, sizeof *desc)) {
        p->desc = *desc;
        of_conns_port_status(br->conns, OF_PORT_MODIFIED, desc);
    }
}

void
of_bridge_port_del(struct of_bridge *br, uint32_t number)
{
    struct of_port *p = find_port(br, number);
    if (p) {
        hmap_remove(&br->ports, &p->by_number);
        of_conns_port_status(br->conns, OF_PORT_DELETED, &p->desc);
        free(p);
    }
}

const struct of_port_desc *
of_bridge_port(const struct of_bridge *br, uint32_t number)
{
    const struct of_port *p = find_port(br, number);
    return p ? &p->desc : NULL;
}
