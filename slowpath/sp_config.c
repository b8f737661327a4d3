// SPDX-License-Identifier: Apache-2.0
// Configuration snapshots: building, looking up, publishing. See sp_config.h.
//
// The main thread builds a snapshot and publishes it; from then on nobody changes it, and it goes a grace period after the next one was published. The packet path hears of each change
// through sp_config_changed() (sp_config_diff.h), with both snapshots at hand.
#include "config.h"

#include "slowpath/sp_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/rcu.h"
#include "ofproto/of_act.h"
#include "slowpath/bridge_state.h"
#include "slowpath/sp_private.h"

static struct sp_config *current; // RCU
static uint64_t last_seq;         // owner: main

struct sp_config *
sp_config_new(void)
{
    struct sp_config *c = base_calloc(1, sizeof *c);
    hmap_init(&c->bridges);
    hmap_init(&c->dp_ports);
    hmap_init(&c->names);
    c->max_idle_ms = 10000;
    c->flow_limit = 200000;
    return c;
}

static uint32_t
dp_port_hash(const struct sp_dp *dp, uint32_t dp_port)
{
    return hash_u64((uint64_t) (uintptr_t) dp ^ dp_port, 0);
}

static void
bundle_free(struct sp_bundle *b)
{
    free(b->trunks);
    free(b->ports);
    free(b);
}

void
sp_config_free(struct sp_config *c)
{
    if (!c) {
        return;
    }
    struct sp_bridge *br;
    HMAP_FOR_EACH_SAFE (br, by_name, &c->bridges) {
        struct sp_port *p;
        HMAP_FOR_EACH_SAFE (p, by_ofp, &br->ports) {
            free(p);
        }
        hmap_destroy(&br->ports);
        free(br->by_number);
        for (size_t i = 0; i < br->n_bundles; i++) {
            bundle_free(br->bundles[i]);
        }
        sp_bridge_state_unref(br->state);
        free(br->bundles);
        free(br->flood_vlans);
        free(br);
    }
    hmap_destroy(&c->bridges);
    hmap_destroy(&c->dp_ports);
    hmap_destroy(&c->names);
    free(c);
}

struct sp_bridge *
sp_config_add_bridge(struct sp_config *c, const char *name)
{
    struct sp_bridge *br = base_calloc(1, sizeof *br);
    snprintf(br->name, sizeof br->name, "%s", name);
    hmap_init(&br->ports);
    br->mac_aging_s = 300;
    br->mac_table_size = 8192;
    br->config = c;
    hmap_insert(&c->bridges, &br->by_name, hash_string(br->name, 0));
    return br;
}

struct sp_bundle *
sp_config_add_bundle(struct sp_bridge *br, const char *name)
{
    struct sp_bundle *b = base_calloc(1, sizeof *b);
    snprintf(b->name, sizeof b->name, "%s", name);
    b->vlan_mode = SP_VLAN_TRUNK;
    b->tag = -1;
    b->bridge = br;
    br->bundles = base_realloc(br->bundles, (br->n_bundles + 1) * sizeof *br->bundles);
    br->bundles[br->n_bundles++] = b;
    return b;
}

struct sp_port *
sp_config_add_port(struct sp_bridge *br, struct sp_bundle *bundle, const char *name, uint32_t ofp_port, uint32_t dp_port)
{
    struct sp_port *p = base_calloc(1, sizeof *p);
    struct sp_config *c = br->config;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->bridge = br;
    p->bundle = bundle;
    p->ofp_port = ofp_port;
    p->dp_port = dp_port;
    p->up = true;
    p->kind = dp_port == DP_PORT_NONE ? SP_PORT_PATCH : SP_PORT_DEVICE;
    hmap_insert(&br->ports, &p->by_ofp, hash_u64(ofp_port, 0));
    hmap_insert(&c->names, &p->by_name, hash_string(p->name, 0));
    if (dp_port != DP_PORT_NONE) {
        hmap_insert(&c->dp_ports, &p->by_dp, dp_port_hash(br->dp, dp_port));
    }
    br->by_number = base_realloc(br->by_number, (br->n_ports + 1) * sizeof *br->by_number);
    br->by_number[br->n_ports++] = p;
    if (bundle) {
        bundle->ports = base_realloc(bundle->ports, (bundle->n_ports + 1) * sizeof *bundle->ports);
        bundle->ports[bundle->n_ports++] = p;
    }
    return p;
}

const struct sp_config *
sp_config_get(void)
{
    return rcu_get(current);
}

const struct sp_port *
sp_config_dp_port(const struct sp_config *c, const struct sp_dp *dp, uint32_t dp_port)
{
    const struct sp_port *p;
    HMAP_FOR_EACH_HASH (p, by_dp, dp_port_hash(dp, dp_port), &c->dp_ports) {
        if (p->dp_port == dp_port && p->bridge->dp == dp) {
            return p;
        }
    }
    return NULL;
}

const struct sp_bridge *
sp_config_bridge(const struct sp_config *c, const char *name)
{
    const struct sp_bridge *br;
    HMAP_FOR_EACH_HASH (br, by_name, hash_string(name, 0), &c->bridges) {
        if (!strcmp(br->name, name)) {
            return br;
        }
    }
    return NULL;
}

const struct sp_bridge *
sp_config_bridge_number(const struct sp_config *c, uint32_t number)
{
    const struct sp_bridge *br;
    HMAP_FOR_EACH (br, by_name, &c->bridges) {
        if (br->number == number) {
            return br;
        }
    }
    return NULL;
}

const struct sp_port *
sp_bridge_port(const struct sp_bridge *br, uint32_t ofp_port)
{
    const struct sp_port *p;
    HMAP_FOR_EACH_HASH (p, by_ofp, hash_u64(ofp_port, 0), &br->ports) {
        if (p->ofp_port == ofp_port) {
            return p;
        }
    }
    return NULL;
}

static void
free_old(void *c)
{
    sp_config_free(c);
}

static int
port_order(const struct sp_port *a, const struct sp_port *b)
{
    const bool a_local = a->ofp_port == OF_PORT_LOCAL, b_local = b->ofp_port == OF_PORT_LOCAL;
    return a_local != b_local ? (a_local ? -1 : 1) : a->ofp_port < b->ofp_port ? -1 : a->ofp_port > b->ofp_port;
}

static int
compare_ports(const void *a, const void *b)
{
    return port_order(*(struct sp_port *const *) a, *(struct sp_port *const *) b);
}

static int
compare_bundles(const void *a_, const void *b_)
{
    const struct sp_bundle *a = *(struct sp_bundle *const *) a_, *b = *(struct sp_bundle *const *) b_;
    return a->n_ports && b->n_ports ? port_order(a->ports[0], b->ports[0]) : (b->n_ports != 0) - (a->n_ports != 0);
}

static void
sort(struct sp_config *c)
{
    struct sp_bridge *br;
    HMAP_FOR_EACH (br, by_name, &c->bridges) {
        if (br->n_ports) {
            qsort(br->by_number, br->n_ports, sizeof *br->by_number, compare_ports);
        }
        if (br->n_bundles) {
            qsort(br->bundles, br->n_bundles, sizeof *br->bundles, compare_bundles);
        }
    }
}

static unsigned flow_limit; // atomic: upcall/set-flow-limit; 0: the configuration's

void
sp_config_set_flow_limit(unsigned limit)
{
    __atomic_store_n(&flow_limit, limit, __ATOMIC_RELAXED);
}

unsigned
sp_config_flow_limit(const struct sp_config *c)
{
    const unsigned limit = __atomic_load_n(&flow_limit, __ATOMIC_RELAXED);
    return limit ? limit : c && c->flow_limit ? c->flow_limit : 200000;
}

void
sp_config_publish(struct sp_config *take)
{
    struct sp_config *old = current;
    sort(take);
    take->seq = ++last_seq;
    rcu_set(current, take);
    sp_config_changed(old, take);
    if (old) {
        rcu_defer(free_old, old);
    }
}
