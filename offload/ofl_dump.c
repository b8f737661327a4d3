// SPDX-License-Identifier: Apache-2.0
// Dumps: terse ones for counters (tc gives id, counters and flags only), full ones to adopt and
// verify. Also: removing everything.
//
// A filter belongs to a switch when its first action has a cookie of 16 bytes; everything else is
// somebody else's, and left alone.
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "offload/ofl_old.h"

#define TRIES 3 // a dump that changes interrupted is made again

struct walk {
    struct dp_channel *c;
    bool (*cb)(const struct ofl_record *, void *aux);
    void *aux;
    bool stopped;
};

static bool
entry(const struct nlk_msg *m, void *w_)
{
    struct walk *w = w_;
    struct ofl_record rec;
    if (ofl_filter_parse(m, &rec) && rec.f.handle && !w->cb(&rec, w->aux)) {
        w->stopped = true;
        return false;
    }
    return true;
}

int
ofl_dump_device(struct dp_channel *c, int ifindex, bool terse,
                bool (*cb)(const struct ofl_record *, void *aux), void *aux)
{
    struct walk w = {.c = c, .cb = cb, .aux = aux};
    struct nlk_batch b;
    nlk_batch_init(&b);
    struct tcmsg *t = nlk_begin(&b, RTM_GETTFILTER, 0, sizeof *t);
    t->tcm_ifindex = ifindex;
    t->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    if (terse) {
        const struct nla_bitfield32 flags = {TCA_DUMP_FLAGS_TERSE, TCA_DUMP_FLAGS_TERSE};
        nlk_put(&b, TCA_DUMP_FLAGS, &flags, sizeof flags);
    }
    int error = nlk_dump(c->sock, &b, entry, &w);
    nlk_batch_free(&b);
    // No such device, no clsact: nothing there.
    return ofl_is_gone(error) ? 0 : error;
}

// --- Flows. ---

struct dump {
    struct dp_channel *c;
    bool terse, go_on;
    dp_flow_cb *cb;
    void *aux;
    struct flow_match match;
    struct dp_actions actions;
    uint32_t at;            // number of the flow that was told last
    struct ofl_flow *stray; // records of filters whose id stands elsewhere, too
    size_t n_stray, cap_stray;
};

static void
keep_stray(struct dump *d, const struct ofl_record *rec)
{
    if (d->n_stray == d->cap_stray) {
        d->stray = base_grow(d->stray, &d->cap_stray, sizeof *d->stray);
    }
    d->stray[d->n_stray++] = (struct ofl_flow){.ifindex = rec->f.ifindex,
                                               .handle = rec->f.handle,
                                               .prio = rec->f.prio,
                                               .protocol = rec->f.protocol};
}

// The table's entry for a record; a full dump makes one for what it finds. NULL: not ours, or a
// second one with this id.
static struct ofl_flow *
flow_of(struct dump *d, const struct ofl_record *rec) NO_THREAD_SAFETY
{
    struct dp *dp = d->c->dp;
    struct ofl_flow *f = ofl_table_find_next(dp, &rec->id, &d->at);
    if (!f) {
        if (d->terse || ofl_old_known(dp, rec)) {
            return NULL;
        }
        f = ofl_table_add(dp, &rec->id, &rec->f);
    } else if (f->ifindex != rec->f.ifindex || f->handle != rec->f.handle ||
               f->prio != rec->f.prio) {
        if (!ofl_old_known(dp, rec) && !d->terse && ofl_table_next(f) != rec->f.handle) {
            keep_stray(d, rec);
        }
        return NULL;
    }
    struct ofl_dev *in = ofl_dev_by_ifindex(&dp->devs, rec->f.ifindex);
    if (in) {
        in->qdisc = true; // an earlier run of the switch may have made it
    }
    const bool in_hw = rec->f.flags & TCA_CLS_FLAGS_IN_HW;
    if (in_hw != f->in_hw) {
        if (!in_hw && f->nic) {
            ofl_trust_lost(ofl_table_nic(dp, f));
        }
        ofl_table_in_hw(dp, f, in_hw && in ? in->nic : NULL);
        f->in_hw = in_hw;
    }
    return f;
}

static bool
record(const struct ofl_record *rec, void *d_)
{
    struct dump *d = d_;
    struct dp *dp = d->c->dp;
    if (rec->local && !d->terse) {
        mutex_lock(&dp->mutex);
        ofl_local_seen(dp, rec);
        mutex_unlock(&dp->mutex);
    }
    if (!rec->has_id) {
        return true;
    }
    struct dp_flow_record out = {.id = rec->id, .has_id = true};
    mutex_lock(&dp->mutex);
    struct ofl_flow *f = flow_of(d, rec);
    if (f) {
        out.hint = f->hint;
        out.place = f->in_hw ? DP_PLACE_TC_HW : DP_PLACE_TC_SW;
        ofl_counts_stats(&rec->counts, f, &out.stats);
        if (!d->terse && ofl_filter_decode(rec, &dp->devs, &d->match, &d->actions)) {
            out.match = &d->match;
            out.actions = &d->actions;
        }
    }
    mutex_unlock(&dp->mutex);
    d->go_on = !f || d->cb(&out, d->aux);
    return d->go_on;
}

static int *
devices(struct dp *dp, size_t *n)
{
    mutex_lock(&dp->mutex);
    int *all = base_calloc(hmap_count(&dp->devs.by_port) + dp->n_leaving + 1, sizeof *all);
    struct ofl_dev *d;
    *n = 0;
    HMAP_FOR_EACH (d, by_port, &dp->devs.by_port) {
        if (!d->port.internal) {
            all[(*n)++] = d->port.ifindex;
        }
    }
    for (size_t i = 0; i < dp->n_leaving; i++) {
        all[(*n)++] = dp->leaving[i];
    }
    mutex_unlock(&dp->mutex);
    return all;
}

static void
remove_filters(struct dp_channel *c, const struct ofl_flow *flows, size_t n)
{
    enum { PIECE = 256 };
    struct nlk_result results[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        nlk_batch_clear(&c->batch);
        for (size_t j = i; j < n && j < i + PIECE; j++) {
            ofl_filter_name(&c->batch, RTM_DELTFILTER, 0, &flows[j]);
        }
        nlk_transact(c->sock, &c->batch, results, NULL, NULL);
    }
}

static void
set_looked(struct dp *dp, int ifindex, bool looked)
{
    mutex_lock(&dp->mutex);
    struct ofl_dev *dev = ofl_dev_by_ifindex(&dp->devs, ifindex);
    if (dev) {
        dev->looked = looked;
    }
    mutex_unlock(&dp->mutex);
}

static void
set_qdisc(struct dp *dp, int ifindex)
{
    mutex_lock(&dp->mutex);
    struct ofl_dev *dev = ofl_dev_by_ifindex(&dp->devs, ifindex);
    if (dev) {
        dev->qdisc = true;
    }
    mutex_unlock(&dp->mutex);
}

int
ofl_flow_dump(struct dp_channel *c, bool terse, dp_flow_cb *cb, void *aux)
{
    struct dump d = {.c = c, .terse = terse, .go_on = true, .cb = cb, .aux = aux};
    size_t n;
    int *all = devices(c->dp, &n), error = 0;
    for (size_t i = 0; i < n && d.go_on && !error; i++) {
        for (int try = 0; try < TRIES; try++) {
            error = ofl_dump_device(c, all[i], terse, record, &d);
            if (error != -EINTR) {
                break;
            }
        }
        if (!terse && !error && d.go_on) {
            set_looked(c->dp, all[i], true);
        }
    }
    remove_filters(c, d.stray, d.n_stray);
    free(d.stray);
    free(all);
    dp_actions_free(&d.actions);
    return error;
}

// --- Removing everything. ---

struct found {
    struct ofl_flow *ours;
    size_t n, cap, others;
    struct ofl_filter *locals; // they do nothing by themselves
    size_t n_locals, cap_locals;
};

static void
found_free(struct found *f)
{
    free(f->ours);
    free(f->locals);
}

static bool
find(const struct ofl_record *rec, void *f_)
{
    struct found *f = f_;
    if (rec->local) {
        if (f->n_locals == f->cap_locals) {
            f->locals = base_grow(f->locals, &f->cap_locals, sizeof *f->locals);
        }
        f->locals[f->n_locals++] = rec->f;
        return true;
    }
    if (!rec->has_id) {
        f->others++;
        return true;
    }
    if (f->n == f->cap) {
        f->ours = base_grow(f->ours, &f->cap, sizeof *f->ours);
    }
    f->ours[f->n++] = (struct ofl_flow){.id = rec->id,
                                        .ifindex = rec->f.ifindex,
                                        .handle = rec->f.handle,
                                        .prio = rec->f.prio,
                                        .protocol = rec->f.protocol};
    return true;
}

static bool
any(const struct ofl_record *rec, void *n)
{
    (void) rec;
    ++*(size_t *) n;
    return false;
}

// Filters of somebody else, at either end of the device, keep the qdisc.
static bool
egress_in_use(struct dp_channel *c, int ifindex)
{
    size_t n = 0;
    struct walk w = {.c = c, .cb = any, .aux = &n};
    struct nlk_batch b;
    nlk_batch_init(&b);
    struct tcmsg *t = nlk_begin(&b, RTM_GETTFILTER, 0, sizeof *t);
    t->tcm_ifindex = ifindex;
    t->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
    const int error = nlk_dump(c->sock, &b, entry, &w);
    nlk_batch_free(&b);
    return n > 0 || (error && !ofl_is_gone(error));
}

void
ofl_qdisc_del(struct dp_channel *c, int ifindex)
{
    struct found f = {0};
    const int error = ofl_dump_device(c, ifindex, true, find, &f);
    found_free(&f);
    if (error || f.n || f.others || egress_in_use(c, ifindex)) {
        return;
    }
    nlk_batch_clear(&c->batch);
    struct tcmsg *t = nlk_begin(&c->batch, RTM_DELQDISC, 0, sizeof *t);
    t->tcm_ifindex = ifindex;
    t->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    t->tcm_parent = TC_H_CLSACT;
    nlk_put_str(&c->batch, TCA_KIND, "clsact");
    nlk_request(c->sock, &c->batch, NULL, NULL);

    mutex_lock(&c->dp->mutex);
    ofl_local_forget(c->dp, ifindex);
    struct ofl_dev *d = ofl_dev_by_ifindex(&c->dp->devs, ifindex);
    if (d) {
        d->qdisc = false;
    }
    mutex_unlock(&c->dp->mutex);
}

static bool
made_qdisc(struct dp *dp, int ifindex)
{
    mutex_lock(&dp->mutex);
    const struct ofl_dev *d = ofl_dev_by_ifindex(&dp->devs, ifindex);
    const bool made = !d || d->qdisc;
    mutex_unlock(&dp->mutex);
    return made;
}

// *n: filters that were there. 0 or -errno.
static int
flush_device(struct dp_channel *c, int ifindex, size_t *n)
{
    struct found f = {0};
    const int error = ofl_dump_device(c, ifindex, true, find, &f);
    remove_filters(c, f.ours, f.n);
    ofl_local_remove(c, f.locals, f.n_locals);
    mutex_lock(&c->dp->mutex);
    ofl_local_forget(c->dp, ifindex);
    mutex_unlock(&c->dp->mutex);
    *n = f.n + f.n_locals;
    found_free(&f);
    return error;
}

int
ofl_flow_flush(struct dp_channel *c)
{
    struct dp *dp = c->dp;
    size_t n, n_filters;
    int *all = devices(dp, &n), error = 0;
    for (size_t i = 0; i < n; i++) {
        const int e = flush_device(c, all[i], &n_filters);
        error = error ? error : e;
        if (n_filters || made_qdisc(dp, all[i])) {
            ofl_qdisc_del(c, all[i]);
        }
    }
    free(all);
    mutex_lock(&dp->mutex);
    ofl_old_clear(dp);
    struct ofl_flow *flow;
    for (uint32_t pos = 0; (flow = ofl_table_each(dp, &pos));) {
        ofl_table_remove(dp, flow);
    }
    mutex_unlock(&dp->mutex);
    return error;
}

size_t
ofl_clean_devices(const int *ifindexes, size_t n)
{
    struct dp *dp;
    struct dp_channel *c;
    size_t n_filters, sum = 0;
    if (!n || ofl_dp_ops.open("tc", true, &dp)) {
        return 0;
    }
    if (!ofl_dp_ops.channel_open(dp, &c)) {
        for (size_t i = 0; i < n; i++) {
            flush_device(c, ifindexes[i], &n_filters);
            if (n_filters) {
                ofl_qdisc_del(c, ifindexes[i]);
            }
            sum += n_filters;
        }
        ofl_dp_ops.channel_close(c);
    }
    ofl_dp_ops.close(dp);
    return sum;
}

// Of ours, the table knows.
static void
remove_unknown(struct dp_channel *c, struct found *f)
{
    size_t n = 0;
    mutex_lock(&c->dp->mutex);
    for (size_t i = 0; i < f->n; i++) {
        const struct ofl_flow *known = ofl_table_find(c->dp, &f->ours[i].id);
        const struct ofl_record rec = {.id = f->ours[i].id,
                                       .f = {.ifindex = f->ours[i].ifindex,
                                             .handle = f->ours[i].handle,
                                             .prio = f->ours[i].prio}};
        if (ofl_old_known(c->dp, &rec)) {
            continue;
        }
        if (!known || known->ifindex != f->ours[i].ifindex ||
            (known->handle != f->ours[i].handle && ofl_table_next(known) != f->ours[i].handle)) {
            f->ours[n++] = f->ours[i];
        }
    }
    mutex_unlock(&c->dp->mutex);
    remove_filters(c, f->ours, n);
}

// The next device to look at; 0: none.
static int
next_unseen(struct dp *dp, bool (*is_mine)(uint32_t dp_port, void *aux), void *aux)
{
    int ifindex = 0;
    struct ofl_dev *d;
    mutex_lock(&dp->mutex);
    HMAP_FOR_EACH (d, by_port, &dp->devs.by_port) {
        if (!d->looked && !d->port.internal && is_mine(d->port.dp_port, aux)) {
            d->looked = true;
            ifindex = d->port.ifindex;
            break;
        }
    }
    mutex_unlock(&dp->mutex);
    return ifindex;
}

bool
ofl_remove_strays(struct dp_channel *c, bool (*is_mine)(uint32_t dp_port, void *aux), void *aux)
{
    int ifindex, *missed = NULL;
    size_t n_missed = 0, cap = 0;
    while ((ifindex = next_unseen(c->dp, is_mine, aux))) {
        struct found f = {0};
        const int error = ofl_dump_device(c, ifindex, true, find, &f);
        if (f.n) {
            set_qdisc(c->dp, ifindex);
        }
        remove_unknown(c, &f);
        found_free(&f);
        if (error && error != -ENODEV) {
            if (n_missed == cap) {
                missed = base_grow(missed, &cap, sizeof *missed);
            }
            missed[n_missed++] = ifindex;
        }
    }
    for (size_t i = 0; i < n_missed; i++) {
        set_looked(c->dp, missed[i], false);
    }
    free(missed);
    return !n_missed;
}

static bool
has_flows(struct dp *dp, int ifindex) REQUIRES(dp->mutex)
{
    const struct ofl_flow *f;
    for (uint32_t pos = 0; (f = ofl_table_each(dp, &pos));) {
        if (f->ifindex == ifindex) {
            return true;
        }
    }
    return false;
}

void
ofl_tidy(struct dp_channel *c)
{
    struct dp *dp = c->dp;
    mutex_lock(&dp->mutex);
    const size_t n = dp->n_leaving;
    int *gone = base_calloc(n + 1, sizeof *gone);
    size_t n_gone = 0;
    for (size_t i = 0; i < dp->n_leaving; i++) {
        if (!has_flows(dp, dp->leaving[i]) && !ofl_old_on(dp, dp->leaving[i])) {
            gone[n_gone++] = dp->leaving[i];
            dp->leaving[i--] = dp->leaving[--dp->n_leaving];
        }
    }
    mutex_unlock(&dp->mutex);
    for (size_t i = 0; i < n_gone; i++) {
        ofl_qdisc_del(c, gone[i]);
    }
    free(gone);
    ofl_local_tidy(c);
}
