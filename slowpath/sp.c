// SPDX-License-Identifier: Apache-2.0
// The packet path as a whole: its datapaths, and what a new configuration means to them. Main thread.
#include "config.h"

#include "slowpath/sp.h"

#include <errno.h>
#include <stdlib.h>

#include "kdatapath/kd.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "ofproto/of_bridge.h"
#include "slowpath/bridge_state.h"
#include "slowpath/ctl_private.h"
#include "slowpath/handler.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/reval.h"

LOG_MODULE(slowpath);

static struct loop *main_loop;
static struct sp_dp *dps;

struct loop *
sp_loop(void)
{
    return main_loop;
}

struct sp_dp *
sp_dp_first(void)
{
    return dps;
}

void
sp_init(struct loop *loop)
{
    main_loop = loop;
    of_ops_register(&sp_of_ops);
    sp_trace_init();
    sp_ctl_init();
    sp_ctl_dp_init();
    sp_ctl_offload_init();
}

static void
mac_changed(void *dp, struct sp_bridge_state *state, uint16_t vlan, const struct mac *mac)
{
    mega_mac_changed(((struct sp_dp *) dp)->cache, state, vlan, mac);
}

static void
wake(void *dp)
{
    sp_reval_wake(((struct sp_dp *) dp)->reval);
}

static void
dp_free(struct sp_dp *dp, bool cleanup)
{
    sp_handlers_free(dp->handlers);
    sp_place_stop(dp, cleanup);
    sp_reval_free(dp->reval);
    sp_place_free(dp);
    if (dp->main_channel) {
        dp->ops->channel_close(dp->main_channel);
    }
    if (cleanup) {
        const int e = dp->ops->destroy(dp->dp);
        if (e && e != -ENODEV) { // somebody else may have deleted it
            LOG_WARN("datapath %s@ovs-%s stays: %s", dp->type, dp->type, base_strerror(e));
        }
    } else {
        dp->ops->close(dp->dp);
    }
    mega_cache_free(dp->cache);
    free(dp);
}

struct sp_dp *
sp_dp_get(const char *type, char **error)
{
    *error = NULL;
    for (struct sp_dp *dp = dps; dp; dp = dp->next) {
        if (!strcmp(dp->type, type)) {
            return dp;
        }
    }

    const struct dp_ops *ops = dp_ops_find(type);
    if (!ops) {
        *error = base_asprintf("there is no datapath type \"%s\"", type);
        return NULL;
    }
    struct sp_dp *dp = base_calloc(1, sizeof *dp);
    dp->type = ops->type;
    dp->ops = ops;
    dp->home = ops == &kd_dp_ops ? DP_PLACE_KERNEL : DP_PLACE_USER;
    char *name = base_asprintf("ovs-%s", type);
    int e = ops->open(name, true, &dp->dp);
    free(name);
    if (e) {
        *error = base_asprintf("the datapath of type \"%s\" cannot be opened: %s", type, base_strerror(e));
        free(dp);
        return NULL;
    }
    if (ops == &kd_dp_ops) {
        sp_place_left_note(dp->dp);
    }
    dp->cache = mega_cache_new(wake, dp);
    e = ops->channel_open(dp->dp, &dp->main_channel);
    if (!e) {
        dp->reval = sp_reval_new(dp, &e);
    }
    if (!e) {
        dp->handlers = sp_handlers_new(dp, 0, &e);
    }
    if (e) {
        *error = base_asprintf("the datapath of type \"%s\" cannot be served: %s", type, base_strerror(e));
        dp_free(dp, false);
        return NULL;
    }
    dp->next = dps;
    dps = dp;
    LOG_INFO("datapath %s@ovs-%s: %zu handlers", type, type, sp_handlers_n(dp->handlers));
    return dp;
}

void
sp_ready(void)
{
    const struct sp_config *config = sp_config_get();
    if (!config || config->restore_wait) {
        return;
    }
    sp_place_left_clean(config);
    for (struct sp_dp *dp = dps; dp; dp = dp->next) {
        if (!__atomic_exchange_n(&dp->ready, true, __ATOMIC_ACQ_REL)) {
            sp_reval_wake(dp->reval);
        }
    }
}

static bool
is_used(const struct sp_dp *dp, const struct sp_config *config)
{
    const struct sp_bridge *br;
    HMAP_FOR_EACH (br, by_name, &config->bridges) {
        if (br->dp == dp) {
            return true;
        }
    }
    return false;
}

void
sp_tidy(void)
{
    const struct sp_config *config = sp_config_get();
    struct sp_dp *gone = NULL;
    for (struct sp_dp **p = &dps; config && *p;) {
        struct sp_dp *dp = *p;
        if (is_used(dp, config)) {
            p = &dp->next;
        } else {
            *p = dp->next;
            dp->next = gone;
            gone = dp;
        }
    }
    if (gone) {
        rcu_wait(); // who looks at an earlier snapshot finds its datapath there
    }
    while (gone) {
        struct sp_dp *dp = gone;
        gone = dp->next;
        LOG_INFO("datapath %s@ovs-%s: removed, no bridge uses it any more", dp->type, dp->type);
        dp_free(dp, true);
    }
}

void
sp_exit(bool cleanup)
{
    sp_target_exit();
    while (dps) {
        struct sp_dp *dp = dps;
        dps = dp->next;
        dp_free(dp, cleanup);
    }
}

const char *
sp_dp_type(const struct sp_dp *dp)
{
    return dp->type;
}

const struct dp_ops *
sp_dp_ops(const struct sp_dp *dp)
{
    return dp->ops;
}

struct dp *
sp_dp_handle(struct sp_dp *dp)
{
    return dp->dp;
}

const struct dp_features *
sp_dp_features(const struct sp_dp *dp)
{
    return dp->ops->features(dp->dp);
}

// --- New snapshots. ---

static bool
bundles_equal(const struct sp_bundle *a, const struct sp_bundle *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (strcmp(a->name, b->name) || a->vlan_mode != b->vlan_mode || a->tag != b->tag ||
        a->priority_tags != b->priority_tags || a->protect != b->protect || a->n_ports != b->n_ports ||
        !a->trunks != !b->trunks) {
        return false;
    }
    return !a->trunks || !memcmp(a->trunks, b->trunks, 4096 / 8);
}

static bool
ports_equal(const struct sp_port *a, const struct sp_port *b)
{
    return a->kind == b->kind && a->dp_port == b->dp_port && a->of_config == b->of_config && a->up == b->up &&
           !a->peer == !b->peer && (!a->peer || !strcmp(a->peer->name, b->peer->name)) &&
           bundles_equal(a->bundle, b->bundle);
}

// Would any packet be translated differently?
static bool
bridges_equal(const struct sp_bridge *a, const struct sp_bridge *b)
{
    if (a->of != b->of || a->dp != b->dp || a->state != b->state || a->forward_bpdu != b->forward_bpdu ||
        a->secure != b->secure || hmap_count(&a->ports) != hmap_count(&b->ports) || !a->flood_vlans != !b->flood_vlans ||
        (a->flood_vlans && memcmp(a->flood_vlans, b->flood_vlans, 4096 / 8))) {
        return false;
    }
    const struct sp_port *p;
    HMAP_FOR_EACH (p, by_ofp, &a->ports) {
        const struct sp_port *q = sp_bridge_port(b, p->ofp_port);
        if (!q || !ports_equal(p, q)) {
            return false;
        }
    }
    return true;
}

// other_config:n-handler-threads; 0: one for each processor.
static void
configure_handlers(struct sp_dp *dp, const struct sp_config *now)
{
    const size_t have = sp_handlers_n(dp->handlers), want = now->n_handlers ? now->n_handlers : thread_n_cores();
    int error = 0;
    if (!have || have == want) {
        return; // upcalls are synchronous, or there are as many as wanted
    }
    sp_handlers_free(dp->handlers);
    dp->handlers = sp_handlers_new(dp, (unsigned) want, &error);
    if (dp->handlers) {
        LOG_INFO("datapath %s@ovs-%s: %zu handlers", dp->type, dp->type, want);
        return;
    }
    LOG_ERR("datapath %s@ovs-%s: %zu handlers could not be started (%s); going on with %zu", dp->type, dp->type, want,
            base_strerror(error), have);
    dp->handlers = sp_handlers_new(dp, (unsigned) have, &error);
}

// other_config:n-revalidator-threads; 0: as many as the stock switch makes.
static unsigned
n_revalidators(const struct sp_config *now)
{
    const unsigned cores = thread_n_cores();
    if (now->n_revalidators) {
        return now->n_revalidators;
    }
    if (now->n_handlers) {
        return cores > now->n_handlers ? cores - now->n_handlers : 1;
    }
    return cores / 4 + 1;
}

void
sp_config_changed(const struct sp_config *old, const struct sp_config *now)
{
    uint32_t *numbers = base_calloc((old ? hmap_count(&old->bridges) : 0) + hmap_count(&now->bridges) + 1,
                                    sizeof *numbers);
    size_t n = 0;
    const struct sp_bridge *br;
    HMAP_FOR_EACH (br, by_name, &now->bridges) {
        const struct sp_bridge *was = old ? sp_config_bridge(old, br->name) : NULL;
        if (!was || !bridges_equal(was, br)) {
            numbers[n++] = br->number;
        }
        if (br->dp && br->state) {
            sp_bridge_state_on_change(br->state, mac_changed, br->dp);
        }
    }
    if (old) {
        HMAP_FOR_EACH (br, by_name, &old->bridges) {
            if (!sp_config_bridge(now, br->name)) {
                numbers[n++] = br->number;
            }
        }
    }
    for (struct sp_dp *dp = dps; dp; dp = dp->next) {
        if (n) {
            mega_bridges_changed(dp->cache, numbers, n, false);
        }
        configure_handlers(dp, now);
        sp_reval_set_threads(dp->reval, n_revalidators(now));
        sp_place_configure(dp, now);
    }
    free(numbers);
}
