// SPDX-License-Identifier: Apache-2.0
// struct dp_ops "tc". Operations become messages of one batch; the kernel works them off in order,
// so a device's filters change in the order that was asked for.
//
// A filter that the NIC refuses stays in software without a word from the driver. Where hardware is
// wanted, it is then asked for again with skip_sw: that brings either the hardware or the
// driver's errno and sentence, and the filter in software goes on meanwhile. The caller decides
// whether it stays there.
//
// Modifying an entry puts a second filter before the one that is there, and removes that one when
// nothing matches it any more: the kernel tells its last counters as it removes it, but never what
// a filter counted that is replaced under its own name. Only ethertypes without levels (see
// ofl_prio()) are replaced so, and lose what passes between the question for their counters and
// the replacement. Until the old filter is gone the table names it, and dumps count it. Where the
// NIC reports counters late, it is not removed but left to ofl_old.h, and so is the filter of a
// flow that leaves.
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "offload/ofl_old.h"

LOG_MODULE(offload);

// --- A batch. ---

enum what { SENT_QDISC, SENT_GET, SENT_NEW, SENT_DEL, SENT_OLD, SENT_PASS };

struct sent { // one message
    struct step *step;
    enum what what;
};

struct step { // one operation
    struct dp_flow_op *op;
    struct ofl_filter f;
    struct ofl_counts counts, old; // as told last; of what was replaced
    uint32_t flags;                // as told by the kernel
    bool was_there, wants_hw, sent;
    bool old_told, told;
    bool is_new;     // the flow had no filter; what is counted by now is all the flow's
    bool in_place;   // the filter is replaced under its own name
    bool no_qdisc;   // it was thought to be there
    bool believed;   // the NIC takes it, without a look
    uint32_t kind;   // see ofl_trust.c; 0: no matter
    bool wants_late; // dp_flow_op.late
    bool lingers;    // the filter that was replaced may still count
    bool passes;     // a filter that lets packets pass stands before the one that is to go
    bool again;      // deletion, without ado
    bool no_local;   // the chain for the internal port's copies is not there yet
};

struct round { // its memory stays with the channel
    struct dp_channel *c;
    struct step *steps; // cap_steps
    struct sent *sent;  // PER_STEP times as many, and of the results
    struct nlk_result *results;
    size_t n_steps, n_sent, n_new;
    size_t cap_steps;
    bool any_local;   // a step has no_local
    bool any_again;   // … again
    bool any_exposed; // a flow has left whose filter the NIC lets packets hit on
};

#define PER_STEP 3 // messages: qdisc, get, new

static void
round_free(struct round *r)
{
    free(r->steps);
    free(r->sent);
    free(r->results);
    free(r);
}

// For n operations.
static struct round *
round_begin(struct dp_channel *c, size_t n)
{
    struct round *r = c->round;
    if (!r || r->cap_steps < n) {
        if (r) {
            round_free(r);
        }
        c->round = r = base_calloc(1, sizeof *r);
        r->c = c;
        r->cap_steps = n;
        r->steps = base_calloc(n, sizeof *r->steps);
        r->sent = base_calloc(PER_STEP * n, sizeof *r->sent);
        r->results = base_calloc(PER_STEP * n, sizeof *r->results);
    }
    memset(r->steps, 0, n * sizeof *r->steps);
    r->n_steps = n;
    r->n_sent = r->n_new = 0;
    r->any_local = r->any_again = r->any_exposed = false;
    nlk_batch_clear(&c->batch);
    return r;
}

// --- The datapath. ---

static void
init_features(struct dp_features *f)
{
    static const enum field_id fields[] = {
        FIELD_IN_PORT,   FIELD_ETH_SRC,   FIELD_ETH_DST,     FIELD_ETH_TYPE,    FIELD_VLAN_VID,
        FIELD_VLAN_PCP,  FIELD_VLAN_TPID, FIELD_VLAN2_VID,   FIELD_VLAN2_PCP,   FIELD_VLAN2_TPID,
        FIELD_NW_SRC,    FIELD_NW_DST,    FIELD_IPV6_SRC,    FIELD_IPV6_DST,    FIELD_NW_PROTO,
        FIELD_NW_TOS,    FIELD_NW_TTL,    FIELD_IP_FRAG,     FIELD_ARP_OP,      FIELD_ARP_SPA,
        FIELD_ARP_TPA,   FIELD_ARP_SHA,   FIELD_ARP_THA,     FIELD_TCP_SRC,     FIELD_TCP_DST,
        FIELD_TCP_FLAGS, FIELD_UDP_SRC,   FIELD_UDP_DST,     FIELD_SCTP_SRC,    FIELD_SCTP_DST,
        FIELD_ICMP_TYPE, FIELD_ICMP_CODE, FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE,
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        field_set_add(&f->match, fields[i]);
    }
    f->actions = 1u << DP_ACT_OUTPUT | 1u << DP_ACT_DROP | 1u << DP_ACT_SET |
                 1u << DP_ACT_PUSH_VLAN | 1u << DP_ACT_POP_VLAN;
    f->max_vlans = 2;
    f->ufid = f->masked_set = true;
}

static int
ofl_open(const char *name, bool create, struct dp **out)
{
    struct dp *dp = base_calloc(1, sizeof *dp);
    (void) name;
    (void) create;
    mutex_init(&dp->mutex);
    hmap_init(&dp->devs.by_port);
    hmap_init(&dp->devs.by_ifindex);
    ofl_old_init(dp);
    hmap_init(&dp->nics);
    mutex_lock(&dp->mutex);
    dp->next_handle = 1;
    mutex_unlock(&dp->mutex);
    dp->probe = ofl_probe_new();
    init_features(&dp->features);
    *out = dp;
    return 0;
}

static void
ofl_close(struct dp *dp) NO_THREAD_SAFETY
{
    ofl_table_free(dp);
    ofl_old_clear(dp); // while NICs are there
    struct ofl_dev *d;
    HMAP_FOR_EACH_SAFE (d, by_port, &dp->devs.by_port) {
        free(d);
    }
    struct ofl_nic *nic;
    HMAP_FOR_EACH_SAFE (nic, by_id, &dp->nics) {
        free(nic);
    }
    hmap_destroy(&dp->olds_by_id);
    free(dp->nic_list);
    hmap_destroy(&dp->devs.by_port);
    hmap_destroy(&dp->devs.by_ifindex);
    hmap_destroy(&dp->nics);
    free(dp->leaving);
    free(dp->locals);
    ofl_probe_free(dp->probe);
    mutex_destroy(&dp->mutex);
    free(dp);
}

static const struct dp_features *
ofl_features(struct dp *dp)
{
    return &dp->features;
}

static int
ofl_stats(struct dp *dp, struct dp_stats *s)
{
    memset(s, 0, sizeof *s);
    mutex_lock(&dp->mutex);
    s->flows = dp->flows.n;
    mutex_unlock(&dp->mutex);
    return 0;
}

void
ofl_set_policy(struct dp *dp, enum ofl_policy policy)
{
    mutex_lock(&dp->mutex);
    dp->policy = policy;
    mutex_unlock(&dp->mutex);
}

static int
ofl_channel_open(struct dp *dp, struct dp_channel **out)
{
    struct dp_channel *c = base_calloc(1, sizeof *c);
    int error = nlk_open(NLK_ROUTE, &c->sock);
    if (error) {
        free(c);
        return error;
    }
    c->dp = dp;
    nlk_batch_init(&c->batch);
    *out = c;
    return 0;
}

static void
ofl_channel_close(struct dp_channel *c)
{
    nlk_close(c->sock);
    nlk_batch_free(&c->batch);
    free(c->ready);
    if (c->round) {
        round_free(c->round);
    }
    free(c);
}

static int
ofl_destroy(struct dp *dp)
{
    struct dp_channel *c;
    int error = ofl_channel_open(dp, &c);
    if (!error) {
        error = ofl_flow_flush(c);
        ofl_channel_close(c);
    }
    ofl_close(dp);
    return error;
}

static void
put_qdisc(struct round *r, int ifindex)
{
    struct nlk_batch *b = &r->c->batch;
    struct tcmsg *t = nlk_begin(b, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, sizeof *t);
    t->tcm_ifindex = ifindex;
    t->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    t->tcm_parent = TC_H_CLSACT;
    nlk_put_str(b, TCA_KIND, "clsact");
    r->sent[r->n_sent++] = (struct sent){NULL, SENT_QDISC};
}

static void
refuse(struct step *s, int error)
{
    s->op->error = error;
    s->op->place = DP_PLACE_NONE;
}

// The device and the flags that a new filter gets. NULL: refused.
static struct ofl_dev *
find_device(struct dp *dp, struct step *s) REQUIRES(dp->mutex)
{
    struct dp_flow_op *op = s->op;
    struct ofl_dev *in = ofl_dev_by_port(&dp->devs, be32toh(op->match->key.in_port));
    s->wants_hw = dp->policy != OFL_POLICY_SKIP_HW;
    if (!in || !in->port.ifindex) {
        reason_set(&op->reason, REASON_PORT_NO_IFINDEX, FIELD_COUNT, 0, NULL);
        return NULL;
    }
    if (s->wants_hw && in->info.reason.code != REASON_NONE) {
        op->reason = in->info.reason;
        return NULL;
    }
    if (in->port.internal) {
        reason_set(&op->reason, REASON_PORT_NOT_SWITCHDEV, FIELD_COUNT, 0, "%s", in->port.name);
        return NULL;
    }
    s->f.ifindex = in->port.ifindex;
    s->f.flags = dp->policy == OFL_POLICY_SKIP_HW   ? TCA_CLS_FLAGS_SKIP_HW
                 : dp->policy == OFL_POLICY_SKIP_SW ? TCA_CLS_FLAGS_SKIP_SW
                                                    : 0;
    return in;
}

static void
put_get(struct round *r, struct step *s, const struct ofl_flow *flow)
{
    ofl_filter_name(&r->c->batch, RTM_GETTFILTER, 0, flow);
    r->sent[r->n_sent++] = (struct sent){s, SENT_GET};
}

static struct ofl_nic *
nic_of(struct dp *dp, const struct step *s) REQUIRES(dp->mutex)
{
    const struct ofl_dev *in = ofl_dev_by_ifindex(&dp->devs, s->f.ifindex);
    return in ? in->nic : NULL;
}

// Is it known without a look where the filter will be?
static bool
believe(struct dp *dp, struct step *s, const struct ofl_flow *flow) REQUIRES(dp->mutex)
{
    struct ofl_nic *nic = nic_of(dp, s);
    s->kind = s->wants_hw && nic ? ofl_trust_kind(s->op->match, s->op->actions) : 0;
    s->believed = s->kind && !flow && !s->f.flags && !s->no_qdisc &&
                  !ofl_old_exposed(dp, &s->op->id) && ofl_trust(nic, s->kind);
    return s->believed;
}

// May its counter move when it matches nothing any more?
static bool
counts_late(struct dp *dp, const struct ofl_flow *flow) REQUIRES(dp->mutex)
{
    return flow->in_hw && ofl_has_levels(flow->protocol) &&
           ofl_nic_is_late(ofl_table_nic(dp, flow));
}

// Before what there is of the flow's, and what lets its packets pass. False: they came so fast that
// no level is left before old filters that have counters to tell; better without tc for a moment.
static bool
choose_level(struct dp *dp, struct step *s, const struct ofl_flow *flow) REQUIRES(dp->mutex)
{
    enum { LEVELS = OFL_LEVELS - 8 }; // room for what will let packets pass this one
    const struct dp_flow_op *op = s->op;
    const unsigned level =
        flow ? ofl_next_level(dp, &op->id, flow) : ofl_old_passes(dp, s->f.ifindex, op->match);
    if (level < LEVELS && (level || !flow)) {
        s->f.level = (uint8_t) level;
        return true;
    }
    s->f.level = 0;
    return flow && !(s->wants_late && (counts_late(dp, flow) || ofl_old_top(dp, &op->id)));
}

// A new filter; for a flow that has one, to take its place.
static bool
put_filter(struct dp *dp, struct round *r, struct step *s, struct ofl_flow *flow)
    REQUIRES(dp->mutex)
{
    const struct dp_flow_op *op = s->op;
    const struct ofl_spec spec = {op->match, op->actions, &op->id, &dp->devs, s->wants_hw, false};
    s->was_there = flow != NULL;
    s->old_told = false;
    s->is_new = s->is_new || !flow;
    s->in_place = flow && !ofl_has_levels(flow->protocol);
    s->f.level = 0;
    s->f.handle = s->in_place ? flow->handle : ofl_table_handle(dp);
    if (!s->in_place && !choose_level(dp, s, flow)) {
        s->was_there = false; // nothing takes its place
        reason_set(&s->op->reason, REASON_POLICY_RATE_LIMITED, FIELD_COUNT, 0, NULL);
        return false;
    }
    if (s->in_place) {
        put_get(r, s, flow);
    } else if (flow) {
        ofl_table_set_next(flow, s->f.handle);
    }
    const bool look = !believe(dp, s, flow);
    const uint16_t flags =
        (uint16_t) (NLM_F_CREATE | (look ? NLM_F_ECHO : 0) | (s->in_place ? 0 : NLM_F_EXCL));
    if (!ofl_filter_put(&r->c->batch, &spec, flags, &s->f, &s->op->reason)) {
        if (flow) {
            ofl_table_set_next(flow, 0);
        }
        return false;
    }
    r->sent[r->n_sent++] = (struct sent){s, SENT_NEW};
    return true;
}

static void
put_new(struct dp *dp, struct round *r, struct step *s) REQUIRES(dp->mutex)
{
    struct dp_flow_op *op = s->op;
    struct ofl_flow *flow = ofl_table_find(dp, &op->id);
    if (flow && op->verb == DP_FLOW_CREATE) {
        refuse(s, -EEXIST);
        return;
    }
    if (!flow && op->verb == DP_FLOW_MODIFY) {
        refuse(s, -ENOENT);
        return;
    }
    struct ofl_dev *in = find_device(dp, s);
    if (!in) {
        refuse(s, -EOPNOTSUPP);
        return;
    }
    const size_t before = r->c->batch.n;
    if (!in->qdisc) {
        put_qdisc(r, s->f.ifindex);
    }
    const bool ok = put_filter(dp, r, s, flow);
    s->no_local = ok && s->f.local && !ofl_local_ready(dp, &s->f);
    if (!ok || s->no_local) {
        r->any_local |= s->no_local;
        r->n_sent -= r->c->batch.n - before;
        if (flow) {
            ofl_table_set_next(flow, 0); // put, but not sent
        }
        while (r->c->batch.n > before) {
            nlk_cancel(&r->c->batch);
        }
        refuse(s, -EOPNOTSUPP);
        return;
    }
    in->qdisc = true;
    s->sent = true;
    r->n_new++;
}

// Instead of removing the flow's filter: one before it that lets packets pass. False: it cannot be.
static bool
put_pass(struct dp *dp, struct round *r, struct step *s, const struct ofl_flow *flow)
    REQUIRES(dp->mutex)
{
    const struct dp_flow_op *op = s->op;
    // In software, perhaps behind it one that was in hardware.
    struct ofl_nic *nic = flow->in_hw ? ofl_table_nic(dp, flow) : ofl_old_nic(dp, &op->id);
    if (!s->wants_late || !op->match || !nic || !ofl_has_levels(flow->protocol) ||
        !ofl_nic_is_late(nic)) {
        return false;
    }
    if (nic->no_pass) {
        nic->no_pass--;
        return false;
    }
    const struct ofl_spec spec = {op->match, NULL, &op->id, &dp->devs, true, true};
    s->f = (struct ofl_filter){.ifindex = flow->ifindex,
                               .handle = ofl_table_handle(dp),
                               .level = ofl_next_level(dp, &op->id, flow)};
    if (!s->f.level || !ofl_filter_put(&r->c->batch, &spec, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO,
                                       &s->f, &s->op->reason)) {
        reason_clear(&s->op->reason);
        return false;
    }
    r->sent[r->n_sent++] = (struct sent){s, SENT_PASS};
    put_get(r, s, flow);
    return true;
}

static void
put_delete(struct dp *dp, struct round *r, struct step *s, const struct ofl_flow *flow)
    REQUIRES(dp->mutex)
{
    if (put_pass(dp, r, s, flow)) {
        return;
    }
    if (ofl_old_nic(dp, &s->op->id)) {
        s->again = r->any_again = true; // those first
        return;
    }
    ofl_filter_name(&r->c->batch, RTM_DELTFILTER, NLM_F_ECHO, flow);
    r->sent[r->n_sent++] = (struct sent){s, SENT_DEL};
}

static void
put_step(struct dp *dp, struct round *r, struct step *s) REQUIRES(dp->mutex)
{
    struct dp_flow_op *op = s->op;
    const struct ofl_flow *flow;

    switch (op->verb) {
    case DP_FLOW_CREATE:
    case DP_FLOW_MODIFY:
    case DP_FLOW_PUT:
        put_new(dp, r, s);
        return;
    case DP_FLOW_DELETE:
    case DP_FLOW_GET:
        flow = ofl_table_find(dp, &op->id);
        if (!flow) {
            refuse(s, -ENOENT);
            return;
        }
        s->sent = true;
        if (op->verb == DP_FLOW_GET) {
            put_get(r, s, flow);
            return;
        }
        put_delete(dp, r, s, flow);
        return;
    }
}

static void
told(size_t i, const struct nlk_msg *m, void *r_)
{
    struct round *r = r_;
    struct ofl_record rec;
    struct step *s = r->sent[i].step;
    if (!s || !ofl_filter_parse(m, &rec)) {
        return;
    }
    if (r->sent[i].what == SENT_OLD ||
        (r->sent[i].what == SENT_GET && s->op->verb != DP_FLOW_GET)) {
        s->old = rec.counts;
        s->old_told = true;
        return;
    }
    s->counts = rec.counts;
    s->flags = rec.f.flags;
    s->told = true;
}

static int
transact(struct round *r)
{
    return r->n_sent ? nlk_transact(r->c->sock, &r->c->batch, r->results, told, r) : 0;
}

// --- What came of it. ---

static enum dp_place
place_of(const struct ofl_flow *flow)
{
    return flow->in_hw ? DP_PLACE_TC_HW : DP_PLACE_TC_SW;
}

// What the filter counted that was replaced; of one that has vanished, what was told last.
static void
carry(struct ofl_flow *flow, const struct step *s)
{
    struct dp_flow_stats stats;
    if (s->old_told) {
        ofl_counts_stats(&s->old, flow, &stats);
    }
    if (flow->told) {
        flow->told->packets = flow->told->told_packets;
        flow->told->bytes = flow->told->told_bytes;
    }
}

// Where it is, but not all of it.
static void
say_local(struct dp *dp, struct step *s) REQUIRES(dp->mutex)
{
    const struct ofl_dev *to = ofl_dev_by_ifindex(&dp->devs, s->f.local);
    reason_set(&s->op->reason, REASON_PORT_LOCAL, FIELD_COUNT, 0, "%s", to ? to->port.name : "");
}

static void
learn(struct ofl_nic *nic, const struct step *s, bool in_hw)
{
    if (nic && s->kind) {
        ofl_trust_learn(nic, s->kind, in_hw);
    }
}

static void
done_new(struct dp *dp, struct step *s, const struct nlk_result *res, int64_t us)
    REQUIRES(dp->mutex)
{
    struct dp_flow_op *op = s->op;
    struct ofl_flow *flow = ofl_table_find(dp, &op->id);
    struct ofl_nic *nic = nic_of(dp, s);
    if (flow && res->error) {
        ofl_table_set_next(flow, 0);
    }
    if (res->error) {
        const bool skip_sw = s->f.flags & TCA_CLS_FLAGS_SKIP_SW;
        if (skip_sw) {
            learn(nic, s, false);
        }
        ofl_refuse_kernel(&op->reason, res->error, res->extack, skip_sw);
        if (skip_sw && nic) {
            ofl_nic_failed(nic, res->error);
            nic->no_split |= s->f.local && res->error == -EOPNOTSUPP;
        }
        struct ofl_dev *in = ofl_dev_by_ifindex(&dp->devs, s->f.ifindex);
        if (in && (res->error == -ENOBUFS || res->error == -ETIMEDOUT)) {
            in->looked = false; // the answer was lost: it may be there
        }
        // Somebody removed the qdisc, and all filters with it.
        if (in && res->extack && strstr(res->extack, "disc")) {
            s->no_qdisc = in->qdisc;
            in->qdisc = false;
        }
        refuse(s, res->error);
        return;
    }
    const bool in_hw = nic && (s->believed || s->flags & TCA_CLS_FLAGS_IN_HW);
    if (!s->believed) {
        learn(nic, s, in_hw);
    }
    op->error = 0;
    op->place = in_hw ? DP_PLACE_TC_HW : DP_PLACE_TC_SW;
    if (in_hw) {
        ofl_nic_inserted(nic, us);
        if (!s->believed) {
            ofl_old_cover(dp, &op->id, s->f.level);
        }
        if (s->f.local) {
            say_local(dp, s);
        }
    }
    if (s->was_there && flow && !s->in_place) {
        return; // the rest when the old one is gone
    }
    if (!flow) {
        flow = ofl_table_add(dp, &op->id, &s->f);
    } else if (s->was_there) {
        carry(flow, s);
        flow->local = s->f.local;
    }
    flow->hint = op->hint;
    ofl_table_in_hw(dp, flow, in_hw ? nic : NULL);
    ofl_counts_stats(&s->counts, flow, &op->stats);
}

// before: packets that were known before its counters were read. covered: the NIC has what stands
// before it.
static void
add_old(struct dp *dp, const struct round *r, const struct ofl_flow *flow, const struct step *s,
        uint64_t before, bool covered) REQUIRES(dp->mutex)
{
    struct ofl_old o = {.id = flow->id,
                        .owner = r->c,
                        .nic = ofl_table_nic(dp, flow),
                        .ifindex = flow->ifindex,
                        .handle = flow->handle,
                        .prio = flow->prio,
                        .protocol = flow->protocol,
                        .counts = true,
                        .serial = s->op->late,
                        .active = flow->told && flow->told->told_packets > before};
    ofl_old_count(&s->old, flow->protocol, &o.packets, &o.bytes);
    ofl_old_add(dp, &o, covered || !flow->in_hw ? NULL : s->op->match);
}

// The filter that lets packets pass. at_once: it has no use.
static void
add_pass(struct dp *dp, struct dp_channel *c, const struct ofl_flow *flow, const struct step *s,
         bool at_once) REQUIRES(dp->mutex)
{
    const bool in_hw = s->flags & TCA_CLS_FLAGS_IN_HW;
    const struct ofl_old o = {.id = flow->id,
                              .owner = c,
                              .nic = in_hw ? nic_of(dp, s) : NULL,
                              .ifindex = s->f.ifindex,
                              .handle = s->f.handle,
                              .prio = s->f.prio,
                              .protocol = s->f.protocol,
                              .due = at_once};
    ofl_old_add(dp, &o, s->op->match);
}

// Packets pass the flow's filter, at least in software; what that one knew is told now, the rest
// later.
static void
done_leave(struct dp *dp, struct round *r, struct step *s, const struct nlk_result *res)
    REQUIRES(dp->mutex)
{
    struct dp_flow_op *op = s->op;
    struct ofl_flow *flow = ofl_table_find(dp, &op->id);
    if (!flow) {
        op->error = -ENOENT;
        return;
    }
    if (!s->passes || res->error || !s->old_told) {
        if (s->passes) {
            add_pass(dp, r->c, flow, s, true);
        }
        s->again = r->any_again = true;
        return;
    }
    const bool in_hw = s->flags & TCA_CLS_FLAGS_IN_HW;
    const uint64_t before = flow->told ? flow->told->told_packets : 0;
    ofl_counts_stats(&s->old, flow, &op->stats);
    if (in_hw) {
        ofl_old_cover(dp, &op->id, s->f.level);
    }
    add_old(dp, r, flow, s, before, in_hw);
    add_pass(dp, r->c, flow, s, false);
    op->late = ofl_old_serial(dp);
    ofl_old_leave(dp, r->c, &op->id, op->late);
    r->any_exposed |= ofl_old_exposed(dp, &op->id);
    op->place = place_of(flow);
    ofl_table_remove(dp, flow);
}

// The old filter has gone, or lingers; the new one has its place.
static void
done_old(struct dp *dp, const struct round *r, struct step *s, int error) REQUIRES(dp->mutex)
{
    struct ofl_flow *flow = ofl_table_find(dp, &s->op->id);
    if (!flow) {
        return;
    }
    const uint64_t before = flow->told ? flow->told->told_packets : 0;
    const bool stays = s->lingers ? !error || !ofl_is_gone(error) : error && !ofl_is_gone(error);
    if (stays && !s->old_told && flow->told) { // nobody answered: it counted at least this much
        s->old = (struct ofl_counts){.packets = before - flow->told->packets,
                                     .bytes = flow->told->told_bytes - flow->told->bytes};
        s->old.hw_packets = s->old.packets; // bytes are whole frames' already
    }
    carry(flow, s);
    if (stays) {
        s->op->late = s->wants_late ? ofl_old_serial(dp) : 0;
        add_old(dp, r, flow, s, before, s->flags & TCA_CLS_FLAGS_IN_HW);
    }
    flow->handle = s->f.handle;
    flow->prio = s->f.prio;
    flow->protocol = s->f.protocol;
    flow->hint = s->op->hint;
    ofl_table_set_next(flow, 0);
    flow->local = s->f.local;
    ofl_table_in_hw(dp, flow, s->flags & TCA_CLS_FLAGS_IN_HW ? nic_of(dp, s) : NULL);
    ofl_counts_stats(&s->counts, flow, &s->op->stats);
}

static void
done_name(struct dp *dp, struct step *s, enum what what, const struct nlk_result *res)
    REQUIRES(dp->mutex)
{
    struct dp_flow_op *op = s->op;
    struct ofl_flow *flow = ofl_table_find(dp, &op->id);
    op->error = res->error;
    if (!flow) {
        op->error = -ENOENT;
        return;
    }
    op->place = place_of(flow);
    if (!res->error && s->told) {
        ofl_counts_stats(&s->counts, flow, &op->stats);
    } else if (!res->error && flow->told) { // the answer was lost
        op->stats.packets = flow->told->told_packets;
        op->stats.bytes = flow->told->told_bytes;
    } else if (res->error && ofl_is_gone(res->error)) {
        // Gone with its device, its qdisc, or by somebody's hand.
        op->error = -ENOENT;
        op->place = DP_PLACE_NONE;
    } else if (res->error) {
        return;
    }
    if (what == SENT_DEL || op->error) {
        ofl_table_remove(dp, flow);
    }
}

static void
done(struct round *r, int64_t us)
{
    struct dp *dp = r->c->dp;
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n_sent; i++) {
        struct step *s = r->sent[i].step;
        const enum what what = r->sent[i].what;
        if (what == SENT_NEW) {
            done_new(dp, s, &r->results[i], us);
        } else if (what == SENT_PASS) {
            s->passes = !r->results[i].error;
        } else if (what == SENT_GET && s->op->verb == DP_FLOW_DELETE) {
            done_leave(dp, r, s, &r->results[i]);
        } else if (what == SENT_DEL || (what == SENT_GET && s->op->verb == DP_FLOW_GET)) {
            done_name(dp, s, what, &r->results[i]);
        }
    }
    mutex_unlock(&dp->mutex);
}

// Removes filters whose place has been taken.
static int
remove_old(struct round *r)
{
    struct dp *dp = r->c->dp;
    nlk_batch_clear(&r->c->batch);
    r->n_sent = 0;
    for (size_t i = 0; i < r->n_steps; i++) {
        if (r->steps[i].was_there && !r->steps[i].f.level) {
            ofl_old_remove_of(r->c, &r->steps[i].op->id); // the new one stands behind them
        }
    }
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n_steps; i++) {
        struct step *s = &r->steps[i];
        const struct ofl_flow *flow = s->was_there ? ofl_table_find(dp, &s->op->id) : NULL;
        if (flow && ofl_table_next(flow) && ofl_table_next(flow) == s->f.handle) {
            s->old_told = false;
            s->lingers = s->f.level && s->wants_late && counts_late(dp, flow);
            ofl_filter_name(&r->c->batch, s->lingers ? RTM_GETTFILTER : RTM_DELTFILTER,
                            s->lingers ? 0 : NLM_F_ECHO, flow);
            r->sent[r->n_sent++] = (struct sent){s, SENT_OLD};
        }
    }
    mutex_unlock(&dp->mutex);
    const int error = transact(r);
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n_sent; i++) {
        done_old(dp, r, r->sent[i].step, r->results[i].error);
    }
    mutex_unlock(&dp->mutex);
    return error;
}

// --- Asking the driver. ---

static bool
ask_again(const struct step *s)
{
    if (s->no_qdisc) {
        return true;
    }
    return s->sent && s->wants_hw && !s->op->error && s->op->place == DP_PLACE_TC_SW &&
           (s->op->verb == DP_FLOW_CREATE || s->op->verb == DP_FLOW_MODIFY ||
            s->op->verb == DP_FLOW_PUT);
}

static void
put_again(struct dp *dp, struct round *r, struct step *s) REQUIRES(dp->mutex)
{
    struct ofl_flow *flow = ofl_table_find(dp, &s->op->id);
    if (s->no_qdisc) {
        put_qdisc(r, s->f.ifindex);
    } else if (flow) {
        s->f.flags = TCA_CLS_FLAGS_SKIP_SW;
    } else {
        return;
    }
    put_filter(dp, r, s, flow);
}

// A refusal leaves the filter as it was: in software.
static void
done_again(struct dp *dp, struct step *s, const struct nlk_result *res, int64_t us)
    REQUIRES(dp->mutex)
{
    const bool first = s->no_qdisc;
    s->no_qdisc = false;
    if (first) {
        reason_clear(&s->op->reason);
    }
    done_new(dp, s, res, us);
    if (!res->error && first) {
        s->sent = true;
        struct ofl_dev *in = ofl_dev_by_ifindex(&dp->devs, s->f.ifindex);
        if (in) {
            in->qdisc = true;
        }
    } else if (res->error && !first) {
        s->op->error = 0;
        s->op->place = DP_PLACE_TC_SW;
    }
}

// Makes the chains that were missing; what needs them is put again.
static void
make_locals(struct round *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        struct step *s = &r->steps[i];
        if (!s->no_local) {
            continue;
        }
        s->no_local = false;
        int error = ofl_local_make(r->c, &s->f, &s->op->reason);
        if (error) {
            refuse(s, error);
        } else {
            s->no_qdisc = true;
        }
    }
}

static int
ask_driver(struct round *r)
{
    struct dp *dp = r->c->dp;
    nlk_batch_clear(&r->c->batch);
    r->n_sent = 0;
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n_steps; i++) {
        if (ask_again(&r->steps[i])) {
            put_again(dp, r, &r->steps[i]);
        }
    }
    mutex_unlock(&dp->mutex);
    if (!r->n_sent) {
        return 0;
    }
    const int64_t began = clock_now_us();
    int error = transact(r);
    const int64_t us = (clock_now_us() - began) / (int64_t) r->n_sent;
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n_sent; i++) {
        if (r->sent[i].what == SENT_NEW) {
            done_again(dp, r->sent[i].step, &r->results[i], us);
        }
    }
    mutex_unlock(&dp->mutex);
    return error;
}

// Flows whose filters go without ado, and first what stands behind them.
static int
delete_again(struct round *r)
{
    struct dp *dp = r->c->dp;
    nlk_batch_clear(&r->c->batch);
    r->n_sent = 0;
    for (size_t i = 0; i < r->n_steps; i++) {
        if (r->steps[i].again) {
            ofl_old_remove_of(r->c, &r->steps[i].op->id);
        }
    }
    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < r->n_steps; i++) {
        struct step *s = &r->steps[i];
        const struct ofl_flow *flow = s->again ? ofl_table_find(dp, &s->op->id) : NULL;
        if (flow) {
            ofl_filter_name(&r->c->batch, RTM_DELTFILTER, NLM_F_ECHO, flow);
            r->sent[r->n_sent++] = (struct sent){s, SENT_DEL};
        }
    }
    mutex_unlock(&dp->mutex);
    const int error = transact(r);
    done(r, 0);
    return error;
}

static int
ofl_flow_apply(struct dp_channel *c, struct dp_flow_op *ops, size_t n)
{
    struct dp *dp = c->dp;
    struct round *r = round_begin(c, n);

    mutex_lock(&dp->mutex);
    for (size_t i = 0; i < n; i++) {
        r->steps[i].op = &ops[i];
        ops[i].error = 0;
        ops[i].place = DP_PLACE_NONE;
        ops[i].stats = (struct dp_flow_stats){0};
        reason_clear(&ops[i].reason);
        r->steps[i].wants_late = ops[i].late;
        ops[i].late = 0;
        put_step(dp, r, &r->steps[i]);
    }
    mutex_unlock(&dp->mutex);

    const int64_t began = clock_now_us();
    int error = transact(r);
    done(r, r->n_new ? (clock_now_us() - began) / (int64_t) r->n_new : 0);
    const int old_error = remove_old(r); // of those that went well, whatever became of the others
    error = error ? error : old_error;
    if (r->any_local) {
        make_locals(r);
    }
    error = error ? error : ask_driver(r);
    error = error ? error : remove_old(r);
    if (r->any_local) {
        error = error ? error : ask_driver(r);
        error = error ? error : remove_old(r);
    }
    if (r->any_again) {
        error = error ? error : delete_again(r);
    }
    if (r->any_exposed) {
        ofl_old_retry(c);
    }
    for (size_t i = 0; i < n; i++) {
        if (error && r->steps[i].again) {
            refuse(&r->steps[i], error); // its turn did not come
        }
        if (r->steps[i].is_new) {
            ops[i].stats = (struct dp_flow_stats){0}; // dumps tell
        }
    }
    return error;
}

const struct dp_ops ofl_dp_ops = {
    .type = "tc",
    .open = ofl_open,
    .close = ofl_close,
    .destroy = ofl_destroy,
    .features = ofl_features,
    .stats = ofl_stats,
    .channel_open = ofl_channel_open,
    .channel_close = ofl_channel_close,
    .flow_apply = ofl_flow_apply,
    .flow_dump = ofl_flow_dump,
    .flow_flush = ofl_flow_flush,
};
