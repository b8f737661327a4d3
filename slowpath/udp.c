// SPDX-License-Identifier: Apache-2.0
// The userspace datapath as struct dp_ops: datapaths by name, their ports, channels, and operations
// on flows. See udp_private.h.
#include "config.h"

#include "slowpath/udp.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "slowpath/udp_private.h"

LOG_MODULE(udp);

#define MAX_PORTS 65536

static struct dp *datapaths; // owner: main

struct dp *
udp_first(void)
{
    return datapaths;
}

void
udp_quiesce(struct dp *dp, const struct dp_channel *self)
{
    mutex_lock(&dp->mutex);
    for (struct dp_channel *ch = dp->channels; ch; ch = ch->next) {
        const uint64_t seq = __atomic_load_n(&ch->seq, __ATOMIC_SEQ_CST);
        if (ch == self || !(seq & 1)) {
            continue;
        }
        while (__atomic_load_n(&ch->seq, __ATOMIC_SEQ_CST) == seq) {
            sched_yield();
        }
    }
    mutex_unlock(&dp->mutex);
}

bool
udp_is_dummy(const struct dp_ops *ops)
{
    return ops == &udp_dummy_ops || ops == &udp_as_system_ops || ops == &udp_as_netdev_ops;
}

// --- Datapaths. ---

static int port_add(struct dp *, const struct dp_port_spec *, uint32_t *port_no);
static int port_del(struct dp *, uint32_t);

static int
open_any(const char *name, bool create, const struct dp_ops *ops, struct dp **out)
{
    for (struct dp *dp = datapaths; dp; dp = dp->next) {
        if (!strcmp(dp->name, name) && dp->ops == ops) {
            *out = dp;
            return 0;
        }
    }
    if (!create) {
        return -ENODEV;
    }
    struct dp *dp = base_calloc(1, sizeof *dp);
    dp->name = base_strdup(name);
    dp->ops = ops;
    dp->dummy = udp_is_dummy(ops);
    dp->ports = base_calloc(1, sizeof *dp->ports);
    mutex_init(&dp->mutex);
    udp_table_init(&dp->table);
    int error = dp->dummy ? ops->channel_open(dp, &dp->own) : udp_poller_new(dp);
    if (error) {
        udp_table_destroy(&dp->table);
        mutex_destroy(&dp->mutex);
        free(dp->ports);
        free(dp->name);
        free(dp);
        return error;
    }
    dp->next = datapaths;
    datapaths = dp;
    if (dp->dummy) { // its own, as every datapath of the stock switch has
        uint32_t number;
        port_add(dp, &(struct dp_port_spec){.name = name, .type = "internal", .port_no = 0}, &number);
    }
    *out = dp;
    return 0;
}

static int
open_netdev(const char *name, bool create, struct dp **out)
{
    return open_any(name, create, &udp_netdev_ops, out);
}

static int
open_dummy(const char *name, bool create, struct dp **out)
{
    return open_any(name, create, &udp_dummy_ops, out);
}

static int
open_as_system(const char *name, bool create, struct dp **out)
{
    return open_any(name, create, &udp_as_system_ops, out);
}

static int
open_as_netdev(const char *name, bool create, struct dp **out)
{
    return open_any(name, create, &udp_as_netdev_ops, out);
}

// In user space a datapath doesn't outlive its process: ports go either way.
static void
close_dp(struct dp *dp)
{
    struct dp **p = &datapaths;
    while (*p != dp) {
        p = &(*p)->next;
    }
    *p = dp->next;
    for (size_t i = dp->ports->n; i > 0; i--) {
        port_del(dp, (uint32_t) i - 1);
    }
    udp_poller_free(dp->poller);
    if (dp->own) {
        dp->ops->channel_close(dp->own);
    }
    rcu_drain();
    udp_table_destroy(&dp->table);
    mutex_destroy(&dp->mutex);
    free(dp->upcall);
    free(dp->ports);
    free(dp->name);
    free(dp);
}

static int
destroy_dp(struct dp *dp)
{
    close_dp(dp);
    return 0;
}

static const struct dp_features *
features(struct dp *dp)
{
    static struct dp_features f = {
        .actions = 1u << DP_ACT_OUTPUT | 1u << DP_ACT_DROP | 1u << DP_ACT_USERSPACE |
                   1u << DP_ACT_SET | 1u << DP_ACT_PUSH_VLAN | 1u << DP_ACT_POP_VLAN |
                   1u << DP_ACT_PUSH_MPLS | 1u << DP_ACT_POP_MPLS | 1u << DP_ACT_PUSH_ETH |
                   1u << DP_ACT_POP_ETH | 1u << DP_ACT_RECIRC | 1u << DP_ACT_HASH |
                   1u << DP_ACT_TRUNC | 1u << DP_ACT_SAMPLE | 1u << DP_ACT_CLONE |
                   1u << DP_ACT_CHECK_PKT_LEN | 1u << DP_ACT_DEC_TTL,
        .max_vlans = FLOW_N_VLANS,
        .max_mpls = FLOW_N_MPLS,
        .ufid = true,
        .recirc = true,
        .masked_set = true,
        .check_pkt_len = true,
        .max_recirc_id = UINT32_MAX,
        .sample_nesting = 10,
    };
    memset(&f.match, 0xff, sizeof f.match); // keys are compared as a whole
    return &f;
}

static int
stats(struct dp *dp, struct dp_stats *s)
{
    *s = (struct dp_stats){.flows = __atomic_load_n(&dp->table.n_flows, __ATOMIC_RELAXED)};
    mutex_lock(&dp->mutex);
    s->hit = dp->gone_hit;
    s->missed = dp->gone_missed;
    s->lost = dp->gone_lost;
    s->mask_hit = dp->gone_tried;
    s->cache_hit = dp->gone_cached;
    for (const struct dp_channel *ch = dp->channels; ch; ch = ch->next) {
        s->hit += __atomic_load_n(&ch->hit, __ATOMIC_RELAXED);
        s->missed += __atomic_load_n(&ch->missed, __ATOMIC_RELAXED);
        s->lost += __atomic_load_n(&ch->lost, __ATOMIC_RELAXED);
        s->mask_hit += __atomic_load_n(&ch->tried, __ATOMIC_RELAXED);
        s->cache_hit += __atomic_load_n(&ch->cached, __ATOMIC_RELAXED);
    }
    mutex_unlock(&dp->mutex);
    rcu_begin();
    s->masks = (uint32_t) rcu_get(dp->table.subtables)->n;
    rcu_end();
    return 0;
}

void
udp_attach(struct dp *dp, sp_upcall_fn *fn, void *aux)
{
    struct udp_upcall_target *old = dp->upcall, *now = NULL;
    if (fn) {
        now = base_calloc(1, sizeof *now);
        *now = (struct udp_upcall_target){fn, aux};
    }
    rcu_set(dp->upcall, now);
    udp_quiesce(dp, NULL);
    rcu_free_later(old);
}

// --- Ports. ---

struct udp_port *
udp_port_find(const struct dp *dp, const char *name)
{
    for (size_t i = 0; i < dp->ports->n; i++) {
        if (dp->ports->by_number[i] && !strcmp(dp->ports->by_number[i]->name, name)) {
            return dp->ports->by_number[i];
        }
    }
    return NULL;
}

// Publishes the table of ports with `number` being `port` (NULL: none).
static void
ports_set(struct dp *dp, uint32_t number, struct udp_port *port)
{
    struct udp_ports *old = dp->ports;
    const size_t n = MAX(old->n, (size_t) number + 1);
    struct udp_ports *now = base_calloc(1, sizeof *now + 2 * n * sizeof now->by_number[0]);
    now->n = n;
    now->polled = &now->by_number[n];
    memcpy(now->by_number, old->by_number, old->n * sizeof old->by_number[0]);
    now->by_number[number] = port;
    for (size_t i = 0; i < n; i++) {
        if (now->by_number[i] && now->by_number[i]->fd >= 0) {
            now->polled[now->n_polled++] = now->by_number[i];
        }
    }
    rcu_set(dp->ports, now);
    rcu_free_later(old);
    udp_poller_wake(dp->poller);
}

static bool
taken(const struct dp *dp, uint32_t number)
{
    return number < dp->ports->n && dp->ports->by_number[number];
}

static uint32_t
choose_number(const struct dp *dp, const struct dp_port_spec *spec)
{
    if (spec->port_no != DP_PORT_NONE) {
        return spec->port_no;
    }
    if (dp->dummy) { // numbers that tests can count on: the one in the name; of bridges from 100
        const uint32_t start = strncmp(spec->name, "br", 2) ? 0 : 100;
        const char *digits = spec->name;
        while (*digits && !isdigit((unsigned char) *digits)) {
            digits++;
        }
        const uint32_t number = start + (uint32_t) strtoul(*digits ? digits : "0", NULL, 10);
        if (*digits && number > 0 && number < MAX_PORTS && !taken(dp, number)) {
            return number;
        }
    }
    uint32_t number = 1;
    while (taken(dp, number)) {
        number++;
    }
    return number;
}

static const struct udp_port_class *
class_of(const struct dp *dp, const char *type)
{
    if (dp->dummy) {
        const bool stands_in = dp_ops_find("system") == &udp_as_system_ops;
        return !strcmp(type, "internal")              ? &udp_dummy_internal_class
               : !strcmp(type, "dummy")               ? &udp_dummy_class
               : !strcmp(type, "system") && stands_in ? &udp_dummy_system_class
                                                      : NULL;
    }
    if (!strcmp(type, "internal") || !strcmp(type, "tap")) {
        return &udp_tap_class;
    }
    return !strcmp(type, "system") || !*type ? &udp_packet_class : NULL;
}

// The device may have gone, and another come under its name.
static bool
is_stale(const struct udp_port *port)
{
    return port->ifindex && (int) if_nametoindex(port->name) != port->ifindex;
}

static int
port_add(struct dp *dp, const struct dp_port_spec *spec, uint32_t *port_no)
{
    const struct udp_port_class *class = class_of(dp, spec->type);
    if (!class) {
        return -EAFNOSUPPORT;
    }
    struct udp_port *same = udp_port_find(dp, spec->name);
    if (same && is_stale(same)) {
        port_del(dp, same->number);
        same = NULL;
    }
    const uint32_t number = choose_number(dp, spec);
    if (same) {
        return -EEXIST;
    }
    if (number >= MAX_PORTS) {
        return -EFBIG;
    }
    if (taken(dp, number)) {
        return -EBUSY;
    }
    struct udp_port *port = base_calloc(1, sizeof *port);
    snprintf(port->name, sizeof port->name, "%.15s", spec->name);
    port->dp = dp;
    port->class = class;
    port->number = number;
    port->fd = -1;
    int error = class->open(port);
    if (error) {
        free(port);
        return error;
    }
    ports_set(dp, number, port);
    *port_no = number;
    return 0;
}

static int
port_del(struct dp *dp, uint32_t number)
{
    if (!taken(dp, number)) {
        return -ENOENT;
    }
    struct udp_port *port = dp->ports->by_number[number];
    ports_set(dp, number, NULL);
    udp_quiesce(dp, NULL);
    udp_poller_sync(dp->poller);
    port->class->close(port);
    rcu_free_later(port);
    return 0;
}

static int
port_dump(struct dp *dp, dp_port_cb *cb, void *aux)
{
    for (size_t i = 0; i < dp->ports->n; i++) {
        const struct udp_port *port = dp->ports->by_number[i];
        if (port && !is_stale(port)) {
            struct dp_port_info info = {.port_no = port->number, .ifindex = port->ifindex};
            snprintf(info.name, sizeof info.name, "%s", port->name);
            snprintf(info.type, sizeof info.type, "%s", port->class->type);
            cb(&info, aux);
        }
    }
    return 0;
}

static int
port_state(struct dp *dp, uint32_t number, struct dp_port_state *s)
{
    return !taken(dp, number) || !dp->dummy ? -ENODEV
                                            : udp_dummy_state(dp->ports->by_number[number], s);
}

static int
port_drops(struct dp *dp, uint32_t number, struct dp_port_drops *d)
{
    struct udp_port *port = taken(dp, number) ? dp->ports->by_number[number] : NULL;
    if (!port || !port->class->overrun) {
        return -ENODEV;
    }
    port->rx_dropped += port->class->overrun(port);
    d->rx = port->rx_dropped;
    d->tx = __atomic_load_n(&port->tx_dropped, __ATOMIC_RELAXED);
    return 0;
}

static int
port_set(struct dp *dp, uint32_t number, const struct mac *mac, unsigned mtu)
{
    return !taken(dp, number) || !dp->dummy ? -ENODEV
                                            : udp_dummy_set(dp->ports->by_number[number], mac, mtu);
}

// --- Channels. ---

static int
channel_open(struct dp *dp, struct dp_channel **out)
{
    struct dp_channel *ch = base_calloc(1, sizeof *ch);
    ch->dp = dp;
    ch->counts = udp_counts_get(&dp->table);
    mutex_lock(&dp->mutex);
    ch->next = dp->channels;
    dp->channels = ch;
    mutex_unlock(&dp->mutex);
    *out = ch;
    return 0;
}

static void
channel_close(struct dp_channel *ch)
{
    struct dp *dp = ch->dp;
    mutex_lock(&dp->mutex);
    struct dp_channel **p = &dp->channels;
    while (*p != ch) {
        p = &(*p)->next;
    }
    *p = ch->next;
    dp->gone_hit += ch->hit;
    dp->gone_missed += ch->missed;
    dp->gone_lost += ch->lost;
    dp->gone_tried += ch->tried;
    dp->gone_cached += ch->cached;
    mutex_unlock(&dp->mutex);
    udp_counts_put(&dp->table, ch->counts);
    udp_channel_free_parts(ch);
    free(ch);
}

static int
flow_apply(struct dp_channel *ch, struct dp_flow_op *ops, size_t n)
{
    struct udp_table *t = &ch->dp->table;
    struct udp_flow *gone[64];
    for (size_t from = 0, to; from < n; from = to) {
        to = MIN(n, from + ARRAY_SIZE(gone));
        bool any = false;
        rcu_begin();
        for (size_t i = from; i < to; i++) {
            ops[i].place = DP_PLACE_USER;
            ops[i].reason = (struct reason){.code = REASON_NONE, .field = FIELD_COUNT};
            gone[i - from] = NULL;
            if (ops[i].verb == DP_FLOW_DELETE) {
                gone[i - from] = udp_table_unlink(t, &ops[i].id);
                ops[i].error = gone[i - from] ? 0 : -ENOENT;
                any |= gone[i - from] != NULL;
            } else {
                ops[i].error = udp_table_apply(t, &ops[i]);
            }
        }
        if (any) { // last counters: nobody may be counting any more
            udp_quiesce(ch->dp, ch);
        }
        for (size_t i = from; i < to && any; i++) {
            if (gone[i - from]) {
                udp_table_stats(t, gone[i - from]->slot, &ops[i].stats);
                udp_table_release(t, gone[i - from]);
            }
        }
        rcu_end();
    }
    return 0;
}

static int
flow_dump(struct dp_channel *ch, bool terse, dp_flow_cb *cb, void *aux)
{
    rcu_begin();
    udp_table_dump(&ch->dp->table, terse, cb, aux);
    rcu_end();
    return 0;
}

struct ids {
    struct dp_flow_op *ops;
    size_t n, cap;
};

static bool
collect(const struct dp_flow_record *rec, void *ids_)
{
    struct ids *ids = ids_;
    if (ids->n == ids->cap) {
        ids->ops = base_grow(ids->ops, &ids->cap, sizeof *ids->ops);
    }
    ids->ops[ids->n++] = (struct dp_flow_op){.verb = DP_FLOW_DELETE, .id = rec->id};
    return true;
}

static int
flow_flush(struct dp_channel *ch)
{
    struct ids ids = {NULL, 0, 0};
    flow_dump(ch, true, collect, &ids);
    flow_apply(ch, ids.ops, ids.n);
    free(ids.ops);
    return 0;
}

static int
execute(struct dp_channel *ch, struct dp_execute *e, size_t n)
{
    udp_enter(ch);
    for (size_t i = 0; i < n; i++) {
        e[i].error = 0;
        if (!e[i].probe) {
            udp_execute(ch, e[i].packet, e[i].key, e[i].actions);
        }
    }
    udp_leave(ch);
    return 0;
}

#define COMMON_OPS                                                                                 \
    .close = close_dp, .destroy = destroy_dp, .features = features, .stats = stats,                \
    .port_add = port_add, .port_del = port_del, .port_dump = port_dump, .port_state = port_state,  \
    .port_set = port_set, .port_drops = port_drops, .channel_open = channel_open,                  \
    .channel_close = channel_close, .flow_apply = flow_apply, .flow_dump = flow_dump,              \
    .flow_flush = flow_flush, .execute = execute

const struct dp_ops udp_netdev_ops = {.type = "netdev", .open = open_netdev, COMMON_OPS};
const struct dp_ops udp_as_system_ops = {.type = "system", .open = open_as_system, COMMON_OPS};
const struct dp_ops udp_as_netdev_ops = {.type = "netdev", .open = open_as_netdev, COMMON_OPS};
const struct dp_ops udp_dummy_ops = {.type = "dummy", .open = open_dummy, COMMON_OPS};
