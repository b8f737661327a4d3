// SPDX-License-Identifier: Apache-2.0
// Rules: life, counters, and what is said when one is gone.
//
// A rule is made by the main thread, read by all, and freed a grace period after its last
// reference. The table holds one reference, and so does every cached flow that credits the rule:
// when the last one goes, its counters are final, and that is when a flow-removed message is due.
// The drop may happen on any thread, so the rule travels to the main thread as a notice. Packets
// for controllers travel the same way.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "ofproto/of_bridge_private.h"

enum notice_kind { NOTICE_REMOVED, NOTICE_PACKET_IN };

struct of_notice {
    struct queue_node node;
    enum notice_kind kind;
    struct of_rule *rule; // removed: no references left
    struct of_packet_in pin;
    struct flow_key metadata;
    uint8_t data[]; // packet, then userdata
};

// More packets than this waiting for the main loop are dropped: a controller that slow has lost
// them anyway.
#define MAX_WAITING_PACKET_INS 4096

struct of_rule_actions *
of_rule_actions_new(const struct of_actions *acts)
{
    struct of_rule_actions *ra = base_calloc(1, sizeof *ra);
    ra->refs = 1;
    // Exactly as large as needed: rules live long.
    ra->acts.list.len = ra->acts.list.cap = acts->list.len;
    ra->acts.list.data = acts->list.len ? base_memdup(acts->list.data, acts->list.len) : NULL;
    const struct flat_item *a;
    OF_ACT_FOR_EACH (a, acts) {
        ra->has_meter |= a->type == OF_ACT_METER;
        ra->has_learn |= a->type == OF_ACT_LEARN;
    }
    return ra;
}

static void
actions_free(void *ra_)
{
    struct of_rule_actions *ra = ra_;
    of_actions_free(&ra->acts);
    free(ra);
}

static bool
actions_unref(struct of_rule_actions *ra)
{
    return __atomic_sub_fetch(&ra->refs, 1, __ATOMIC_ACQ_REL) == 0;
}

void
of_rule_actions_unref_later(struct of_rule_actions *ra)
{
    if (actions_unref(ra)) {
        rcu_defer(actions_free, ra);
    }
}

struct of_rule *
of_rule_new(struct of_bridge *br, const struct of_flow_mod *fm, int priority)
{
    struct of_rule *rule = base_calloc(1, sizeof *rule);
    cls_rule_init(&rule->cr, &fm->match, priority);
    rule->bridge = br;
    rule->actions = of_rule_actions_new(&fm->actions);
    CDS_INIT_LIST_HEAD(&rule->expirable);
    rule->cookie = fm->new_cookie;
    rule->created = rule->modified = rule->used = clock_now();
    rule->refs = 1;
    rule->idle_timeout = fm->idle_timeout;
    rule->hard_timeout = fm->hard_timeout;
    rule->importance = fm->importance;
    rule->flags = fm->flags & (OF_FLOW_SEND_REM | OF_FLOW_RESET_COUNTS | OF_FLOW_CHECK_OVERLAP |
                               OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS | OF_FLOW_HIDDEN);
    rule->table = fm->table;
    return rule;
}

static void
rule_free(void *rule_)
{
    struct of_rule *rule = rule_;
    cls_rule_destroy(&rule->cr);
    if (actions_unref(rule->actions)) { // rules modified together share them
        actions_free(rule->actions);
    }
    free(rule);
}

void
of_rule_ref(const struct of_rule *rule)
{
    __atomic_add_fetch(&((struct of_rule *) rule)->refs, 1, __ATOMIC_RELAXED);
}

void
of_rule_unref(const struct of_rule *rule_)
{
    struct of_rule *rule = (struct of_rule *) rule_;
    if (!rule || __atomic_sub_fetch(&rule->refs, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    if (rule->flags & OF_FLOW_SEND_REM && rule->bridge) {
        struct of_notice *n = base_calloc(1, sizeof *n);
        n->kind = NOTICE_REMOVED;
        n->rule = rule;
        queue_put(&rule->bridge->notices, &n->node);
    } else {
        rcu_defer(rule_free, rule);
    }
}

void
of_rule_retire(struct of_rule *rule, enum of_removed_reason reason)
{
    rule->removed_reason = reason;
    rule->ended = clock_now(); // its last packets may be heard of later
    __atomic_store_n(&rule->removed, true, __ATOMIC_RELEASE);
    of_rule_unref(rule);
}

void
of_rule_stats(const struct of_rule *rule, struct of_flow_stats *fs)
{
    int64_t now = clock_now();
    int64_t age = (rule->ended ? rule->ended : now) - rule->created;
    cls_rule_match(&rule->cr, &fs->match);
    fs->priority = MIN(rule->cr.priority, UINT16_MAX);
    fs->table = rule->table;
    fs->flags = rule->flags & ~OF_FLOW_HIDDEN;
    fs->cookie = rule->cookie;
    fs->packets = __atomic_load_n(&rule->packets, __ATOMIC_RELAXED);
    fs->bytes = __atomic_load_n(&rule->bytes, __ATOMIC_RELAXED);
    fs->duration_s = age / 1000;
    fs->duration_ns = age % 1000 * 1000000;
    fs->idle_timeout = rule->idle_timeout;
    fs->hard_timeout = rule->hard_timeout;
    fs->importance = rule->importance;
    fs->idle_age = (now - __atomic_load_n(&rule->used, __ATOMIC_RELAXED)) / 1000;
    fs->hard_age = (now - rule->modified) / 1000;
    fs->actions.list = rule->actions->acts.list; // borrowed
}

void
of_rule_format(const struct of_rule *rule, struct str *out)
{
    struct flow_match match;
    cls_rule_match(&rule->cr, &match);
    str_addf(out, "duration=%llds, n_packets=%llu, n_bytes=%llu, ",
             (long long) ((clock_now() - rule->created) / 1000),
             (unsigned long long) __atomic_load_n(&rule->packets, __ATOMIC_RELAXED),
             (unsigned long long) __atomic_load_n(&rule->bytes, __ATOMIC_RELAXED));
    match_format(&match, NULL, rule->cr.priority, out);
    str_add(out, ",actions=");
    of_actions_format(&rule->actions->acts, NULL, out);
}

void
of_rule_credit(struct of_rule *rule, uint64_t packets, uint64_t bytes, int64_t used)
{
    // no_packet_counts and no_byte_counts are advice that nothing is gained by: ovs-ofctl(8).
    __atomic_fetch_add(&rule->packets, packets, __ATOMIC_RELAXED);
    __atomic_fetch_add(&rule->bytes, bytes, __ATOMIC_RELAXED);
    int64_t old = __atomic_load_n(&rule->used, __ATOMIC_RELAXED);
    while (used > old && !__atomic_compare_exchange_n(&rule->used, &old, used, true,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

void
of_bridge_packet_in(struct of_bridge *br, const struct of_packet_in *pin)
{
    if (__atomic_fetch_add(&br->waiting_packet_ins, 1, __ATOMIC_RELAXED) >=
        MAX_WAITING_PACKET_INS) {
        __atomic_fetch_sub(&br->waiting_packet_ins, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&br->dropped_packet_ins, 1, __ATOMIC_RELAXED);
        return;
    }
    struct of_notice *n = base_malloc(sizeof *n + pin->len + pin->userdata_len);
    *n = (struct of_notice){.kind = NOTICE_PACKET_IN, .pin = *pin, .metadata = *pin->metadata};
    memcpy(n->data, pin->data, pin->len);
    n->pin.data = n->data;
    n->pin.metadata = &n->metadata;
    if (pin->userdata_len) {
        memcpy(n->data + pin->len, pin->userdata, pin->userdata_len);
        n->pin.userdata = n->data + pin->len;
    }
    queue_put(&br->notices, &n->node);
}

static void
notice_free(struct of_notice *n)
{
    if (n->kind == NOTICE_REMOVED) {
        rcu_defer(rule_free, n->rule);
    }
    free(n);
}

static struct of_notice *
notice_take(struct of_bridge *br)
{
    struct queue_node *q = queue_take(&br->notices);
    return q ? CONTAINER_OF(q, struct of_notice, node) : NULL;
}

static void
take_notices(void *br_, int events)
{
    struct of_bridge *br = br_;
    queue_clear_wakeup(&br->notices);
    for (struct of_notice *n; (n = notice_take(br));) {
        if (n->kind == NOTICE_REMOVED) {
            of_conns_flow_removed(br->conns, n->rule, n->rule->removed_reason);
        } else {
            __atomic_fetch_sub(&br->waiting_packet_ins, 1, __ATOMIC_RELAXED);
            of_conns_packet_in(br->conns, &n->pin);
        }
        notice_free(n);
    }
}

void
of_notices_init(struct of_bridge *br)
{
    int error = queue_init(&br->notices);
    if (error) {
        log_fatal(-error, "bridge %s: no event descriptor for its notices", br->name);
    }
    br->notices_io = loop_io_new(br->loop, queue_fd(&br->notices), LOOP_READ, take_notices, br);
}

void
of_notices_close(struct of_bridge *br)
{
    take_notices(br, 0);
    loop_io_free(br->notices_io);
}

void
of_notices_destroy(struct of_bridge *br)
{
    for (struct of_notice *n; (n = notice_take(br));) {
        notice_free(n);
    }
    queue_destroy(&br->notices);
}
