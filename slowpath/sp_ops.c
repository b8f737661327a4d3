// SPDX-License-Identifier: Apache-2.0
// What ofproto asks of the packet path (struct of_ops). Main thread.
#include "config.h"

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "ofproto/of_bridge.h"
#include "slowpath/bridge_state.h"
#include "slowpath/handler.h"
#include "slowpath/mega.h"
#include "slowpath/packet_out.h"
#include "slowpath/reval.h"
#include "slowpath/sp_private.h"

// Sweeps of this many flows are made whenever somebody asks; larger ones at most this often.
#define SMALL_CACHE 4096
#define REFRESH_MS 250

static const struct sp_bridge *
bridge_of(const struct of_bridge *of)
{
    const struct sp_config *config = sp_config_get();
    return config ? sp_config_bridge(config, of_bridge_name(of)) : NULL;
}

static void
bridge_attached(struct of_bridge *of)
{
}

static void
bridge_detached(struct of_bridge *of)
{
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        sp_reval_drop_bridge(dp->reval, of);
    }
}

static void
rules_changed(struct of_bridge *of, const struct of_change *changes, size_t n)
{
    // A bridge's rules are reached from its own datapath only: patch ports stay inside one.
    for (struct sp_dp *dp = sp_dp_first(); dp; dp = dp->next) {
        mega_rules_changed(dp->cache, changes, n);
    }
}

static int
packet_out(struct of_bridge *of, const struct of_packet_out *po)
{
    rcu_begin();
    const struct sp_bridge *br = bridge_of(of);
    int error = br ? sp_packet_out(br, po) : 0;
    rcu_end();
    return error;
}

static void
refresh_stats(struct of_bridge *of)
{
    static int64_t last;
    rcu_begin();
    const struct sp_bridge *br = bridge_of(of);
    struct sp_dp *dp = br ? br->dp : NULL;
    rcu_end();
    if (!dp) {
        return;
    }
    const int64_t now = clock_now_us() / 1000;
    if (__atomic_load_n(&dp->cache->n, __ATOMIC_RELAXED) <= SMALL_CACHE || now - last >= REFRESH_MS) {
        last = now;
        sp_reval_refresh(dp->reval);
    }
}

static sp_port_counters_cb *port_counters_cb;

void
sp_on_port_counters(sp_port_counters_cb *cb)
{
    port_counters_cb = cb;
}

// Patch ports are counted here; the others have devices, or their datapath counts.
static int
port_stats(struct of_bridge *of, uint32_t number, struct of_port_stats *s)
{
    int error = -ENODEV;
    rcu_begin();
    const struct sp_bridge *br = bridge_of(of);
    const struct sp_port *port = br ? sp_bridge_port(br, number) : NULL;
    if (port && port->kind == SP_PORT_PATCH) {
        struct patch_counters n;
        sp_patch_read(br->state, number, &n);
        memset(s, 0, offsetof(struct of_port_stats, created));
        s->rx_packets = n.rx_packets;
        s->rx_bytes = n.rx_bytes;
        s->tx_packets = n.tx_packets;
        s->tx_bytes = n.tx_bytes;
        error = 0;
    } else if (port && br->dp && br->dp->ops->port_state) {
        struct dp_port_state st;
        error = br->dp->ops->port_state(br->dp->dp, port->dp_port, &st);
        if (!error) {
            memcpy(s, &st.counters, sizeof st.counters);
        }
    }
    rcu_end();
    struct dp_port_counters n;
    if (error && port_counters_cb && !port_counters_cb(of, number, &n)) {
        memcpy(s, &n, sizeof n);
        error = 0;
    }
    return error;
}
_Static_assert(sizeof(struct dp_port_counters) == offsetof(struct of_port_stats, created), "same counters");

static sp_port_config_cb *port_config_cb;

void
sp_on_port_config(sp_port_config_cb *cb)
{
    port_config_cb = cb;
}

static int
port_config(struct of_bridge *of, uint32_t port, uint32_t config)
{
    return port_config_cb ? port_config_cb(of, port, config) : 0;
}

static void
flush(struct of_bridge *of)
{
    rcu_begin();
    const struct sp_bridge *br = bridge_of(of);
    if (br && br->state) {
        sp_mac_flush(br->state, MAC_NO_PORT);
    }
    struct sp_dp *dp = br ? br->dp : NULL;
    rcu_end();
    if (dp) {
        sp_reval_drop_bridge(dp->reval, of);
    }
}

static void
retranslate(struct of_bridge *of)
{
    rcu_begin();
    const struct sp_bridge *br = bridge_of(of);
    if (br && br->dp) {
        mega_bridges_changed(br->dp->cache, &br->number, 1, false);
    }
    rcu_end();
}

const struct of_ops sp_of_ops = {
    .bridge_attached = bridge_attached,
    .bridge_detached = bridge_detached,
    .rules_changed = rules_changed,
    .packet_out = packet_out,
    .refresh_stats = refresh_stats,
    .port_stats = port_stats,
    .port_config = port_config,
    .flush = flush,
    .retranslate = retranslate,
};
