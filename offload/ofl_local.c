// SPDX-License-Identifier: Apache-2.0
// Floods that include the bridge's own (internal) port. No NIC's table reaches that port, but a NIC
// can make the copies for its own ports and hand the packet to software where it left off:
//
//     chain 0    the flow:  mirror to port, mirror to port …, goto chain C      NIC and software
//     chain C    any packet: give it to the internal port                       software only
//
// A NIC that has done the flow's filter misses in chain C, and tells tc that software has to go on
// there (NET_TC_SKB_EXT): nothing is done twice. A packet that the NIC never saw meets the flow's
// filter in software and takes the same way: nothing is left out, whatever the moment. The flow's
// filter counts each packet once, in the NIC or in software; what chain C counts is nobody's.
//
// Packets may still be on their way from the NIC, with what it said about them, when the last such
// flow leaves. Software must know about chain C until they are through, or it would begin them anew
// and copies would come twice: the chain stays while the device is the switch's, and so does a
// filter in chain 0 that matches nothing (without one, software looks at no chain at all).
//
// Chain C is one for each internal port (its number holds the port's ifindex), with three filters
// that decide as the port's own driver would whom the packet is for: what the host's stack did not
// ask for must not look as if it were the host's. While the port is down they drop.
//
// A driver that refuses this may still take a redirect to the internal port's ingress as the last
// action: struct ofl_nic.no_split.
#include "config.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_skbedit.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "offload/ofl_private.h"

#define CHAINS 0x0f000000u
#define CHAIN_BITS 24
#define N_FILTERS 4
#define ANCHOR_TYPE 0x88b5 // for local experiments (IEEE 802): nobody sends it
#define GRACE_MS 1000      // in which packets leave the NIC's and the kernel's queues

uint32_t
ofl_local_chain(int ifindex)
{
    return CHAINS | (uint32_t) ifindex;
}

int
ofl_local_of_chain(uint32_t chain)
{
    return (chain & ~((1u << CHAIN_BITS) - 1)) == CHAINS ? (int) (chain & ((1u << CHAIN_BITS) - 1))
                                                         : 0;
}

void
ofl_local_find(const struct ofl_spec *spec, struct ofl_split *split)
{
    const struct dp_act *a;
    bool rewritten = false;
    unsigned n_local = 0;
    *split = (struct ofl_split){.movable = true};
    DP_ACT_FOR_EACH (a, spec->actions->data, spec->actions->len) {
        if (a->type != DP_ACT_OUTPUT) {
            rewritten |= a->type != DP_ACT_DROP;
            continue;
        }
        // A rewrite that no output follows changes nothing.
        split->movable = split->movable && !(split->local && rewritten);
        const struct dp_act_output *o = (const struct dp_act_output *) (const void *) a;
        const struct ofl_dev *d = ofl_dev_by_port(spec->devs, o->port);
        if (d && d->port.internal) {
            n_local++;
            rewritten = false;
            split->local = d;
            split->position = split->n_outputs;
        }
        split->n_outputs++;
    }
    if (n_local > 1 || n_local == split->n_outputs ||
        (split->local && (uint32_t) split->local->port.ifindex >> CHAIN_BITS)) {
        split->movable = false;
    }
}

// --- The filters of a chain. ---

static struct ofl_filter
name_of(const struct ofl_local *l, unsigned n)
{
    const bool anchor = n == N_FILTERS - 1;
    return (struct ofl_filter){.ifindex = l->ifindex,
                               .handle = 1,
                               .prio = anchor ? UINT16_MAX : (uint16_t) (1 + n),
                               .protocol = htobe16(anchor ? ANCHOR_TYPE : ETH_P_ALL),
                               .chain = anchor ? 0 : ofl_local_chain(l->to)};
}

static void
put_name(struct nlk_batch *b, uint16_t type, uint16_t nlm_flags, const struct ofl_filter *f)
{
    const struct ofl_flow flow = {
        .ifindex = f->ifindex, .handle = f->handle, .prio = f->prio, .protocol = f->protocol};
    ofl_filter_name(b, type, nlm_flags, &flow);
    if (f->chain) {
        nlk_put_u32(b, TCA_CHAIN, f->chain);
    }
}

static void
begin_action(struct nlk_batch *b, const char *kind, uint16_t n, size_t nests[2])
{
    nests[0] = nlk_nest(b, n);
    nlk_put_str(b, TCA_ACT_KIND, kind);
    nlk_put(b, TCA_ACT_COOKIE, OFL_LOCAL_COOKIE, sizeof OFL_LOCAL_COOKIE);
    nests[1] = nlk_nest(b, TCA_ACT_OPTIONS);
}

static void
end_action(struct nlk_batch *b, const size_t nests[2])
{
    nlk_nest_end(b, nests[1]);
    nlk_nest_end(b, nests[0]);
}

static void
put_gact(struct nlk_batch *b, int action)
{
    size_t nests[2];
    begin_action(b, "gact", 1, nests);
    struct tc_gact *p = nlk_put_zero(b, TCA_GACT_PARMS, sizeof *p);
    p->action = action;
    end_action(b, nests);
}

// ptype -1: as it is.
static void
put_redirect(struct nlk_batch *b, int ptype, int to)
{
    size_t nests[2];
    if (ptype >= 0) {
        begin_action(b, "skbedit", 1, nests);
        struct tc_skbedit *p = nlk_put_zero(b, TCA_SKBEDIT_PARMS, sizeof *p);
        p->action = TC_ACT_PIPE;
        nlk_put_u16(b, TCA_SKBEDIT_PTYPE, (uint16_t) ptype);
        end_action(b, nests);
    }
    begin_action(b, "mirred", ptype >= 0 ? 2 : 1, nests);
    struct tc_mirred *p = nlk_put_zero(b, TCA_MIRRED_PARMS, sizeof *p);
    p->action = TC_ACT_STOLEN;
    p->eaction = TCA_INGRESS_REDIR;
    p->ifindex = (uint32_t) to;
    end_action(b, nests);
}

// Whom a packet is for, as eth_type_trans() of the internal port would say: a multicast has that
// from the ingress device. The last one is chain 0's.
static void
put_filters(struct nlk_batch *b, const struct ofl_local *l)
{
    static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zeros[6], group[6] = {1};
    const uint8_t *dst[] = {group, l->mac, zeros, zeros}, *mask[] = {group, ones, zeros, zeros};
    static const int ptypes[] = {-1, PACKET_HOST, PACKET_OTHERHOST};
    for (unsigned n = 0; n < N_FILTERS; n++) {
        const struct ofl_filter name = name_of(l, n);
        put_name(b, RTM_NEWTFILTER, NLM_F_CREATE, &name);
        const size_t options = nlk_nest(b, TCA_OPTIONS);
        nlk_put(b, TCA_FLOWER_KEY_ETH_DST, dst[n], 6);
        nlk_put(b, TCA_FLOWER_KEY_ETH_DST_MASK, mask[n], 6);
        nlk_put_u32(b, TCA_FLOWER_FLAGS, TCA_CLS_FLAGS_SKIP_HW);
        const size_t acts = nlk_nest(b, TCA_FLOWER_ACT);
        if (name.chain && l->up) {
            put_redirect(b, ptypes[n], l->to);
        } else {
            put_gact(b, name.chain ? TC_ACT_SHOT : TC_ACT_OK);
        }
        nlk_nest_end(b, acts);
        nlk_nest_end(b, options);
    }
}

// --- Which chains there are. ---

static struct ofl_local *
find(struct dp *dp, int ifindex, int to) REQUIRES(dp->mutex)
{
    for (size_t i = 0; i < dp->n_locals; i++) {
        if (dp->locals[i].ifindex == ifindex && dp->locals[i].to == to) {
            return &dp->locals[i];
        }
    }
    return NULL;
}

static struct ofl_local *
find_or_add(struct dp *dp, int ifindex, int to) REQUIRES(dp->mutex)
{
    struct ofl_local *l = find(dp, ifindex, to);
    if (!l) {
        if (dp->n_locals == dp->cap_locals) {
            dp->locals = base_grow(dp->locals, &dp->cap_locals, sizeof *dp->locals);
        }
        l = &dp->locals[dp->n_locals++];
        *l = (struct ofl_local){.ifindex = ifindex, .to = to};
    }
    return l;
}

bool
ofl_local_ready(struct dp *dp, const struct ofl_filter *f)
{
    return find(dp, f->ifindex, f->local) != NULL;
}

void
ofl_local_seen(struct dp *dp, const struct ofl_record *rec)
{
    const int to = ofl_local_of_chain(rec->f.chain);
    if (to) {
        find_or_add(dp, rec->f.ifindex, to);
    }
}

void
ofl_local_forget(struct dp *dp, int ifindex)
{
    for (size_t i = 0; i < dp->n_locals; i++) {
        if (dp->locals[i].ifindex == ifindex) {
            dp->locals[i--] = dp->locals[--dp->n_locals];
        }
    }
}

static int
send_filters(struct dp_channel *c, const struct ofl_local *l, struct reason *why)
{
    struct nlk_result results[1 + N_FILTERS];
    struct nlk_batch b;
    nlk_batch_init(&b);
    struct tcmsg *t = nlk_begin(&b, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, sizeof *t);
    t->tcm_ifindex = l->ifindex;
    t->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    t->tcm_parent = TC_H_CLSACT;
    nlk_put_str(&b, TCA_KIND, "clsact");
    put_filters(&b, l);
    int error = nlk_transact(c->sock, &b, results, NULL, NULL);
    for (size_t i = 1; i < ARRAY_SIZE(results) && !error; i++) {
        error = results[i].error;
        if (error && why) {
            ofl_refuse_kernel(why, error, results[i].extack, false);
        }
    }
    nlk_batch_free(&b);
    return error;
}

int
ofl_local_make(struct dp_channel *c, const struct ofl_filter *f, struct reason *why)
{
    struct dp *dp = c->dp;
    struct ofl_local l = {.ifindex = f->ifindex, .to = f->local};
    mutex_lock(&dp->mutex);
    const struct ofl_dev *to = ofl_dev_by_ifindex(&dp->devs, f->local);
    const bool there = ofl_local_ready(dp, f); // another step of the batch needed it, too
    if (to) {
        memcpy(l.mac, to->info.mac, sizeof l.mac);
        l.up = to->port.up;
    }
    mutex_unlock(&dp->mutex);
    if (there) {
        return 0;
    }
    if (!to) {
        return -ENODEV;
    }
    int error = send_filters(c, &l, why);
    if (!error) {
        mutex_lock(&dp->mutex);
        *find_or_add(dp, l.ifindex, l.to) = l;
        mutex_unlock(&dp->mutex);
    }
    return error;
}

// --- Keeping them right. ---

static bool
in_use(struct dp *dp, const struct ofl_local *l) REQUIRES(dp->mutex)
{
    const struct ofl_flow *f;
    for (uint32_t pos = 0; (f = ofl_table_each(dp, &pos));) {
        if (f->ifindex == l->ifindex && f->local) {
            return true;
        }
    }
    return false;
}

// The next one that is not as it should be. remove: its port has gone.
static bool
next_wrong(struct dp *dp, struct ofl_local *out, bool *remove) REQUIRES(dp->mutex)
{
    const int64_t now = clock_now();
    for (size_t i = 0; i < dp->n_locals; i++) {
        struct ofl_local *l = &dp->locals[i];
        const struct ofl_dev *to = ofl_dev_by_ifindex(&dp->devs, l->to);
        *remove = !to || !to->port.internal;
        if (!*remove) {
            l->idle_since = 0;
        }
        if (*remove && !l->idle_since && !in_use(dp, l)) {
            l->idle_since = now;
        }
        if (*remove && l->idle_since && now - l->idle_since > GRACE_MS) {
            *out = *l;
            *l = dp->locals[--dp->n_locals];
            return true;
        }
        if (!*remove && (l->up != to->port.up || memcmp(l->mac, to->info.mac, sizeof l->mac))) {
            memcpy(l->mac, to->info.mac, sizeof l->mac);
            l->up = to->port.up;
            *out = *l;
            return true;
        }
    }
    return false;
}

void
ofl_local_remove(struct dp_channel *c, const struct ofl_filter *f, size_t n)
{
    struct nlk_result *results = base_calloc(n + 1, sizeof *results);
    struct nlk_batch b;
    nlk_batch_init(&b);
    for (size_t i = 0; i < n; i++) {
        put_name(&b, RTM_DELTFILTER, 0, &f[i]);
    }
    if (n) {
        nlk_transact(c->sock, &b, results, NULL, NULL);
    }
    nlk_batch_free(&b);
    free(results);
}

bool
ofl_has_locals(struct dp *dp)
{
    mutex_lock(&dp->mutex);
    const bool has = dp->n_locals > 0;
    mutex_unlock(&dp->mutex);
    return has;
}

void
ofl_local_tidy(struct dp_channel *c)
{
    for (;;) {
        struct ofl_local l;
        bool remove;
        mutex_lock(&c->dp->mutex);
        const bool any = next_wrong(c->dp, &l, &remove);
        mutex_unlock(&c->dp->mutex);
        if (!any) {
            return;
        }
        if (remove) { // but for the one in chain 0, which other chains need
            struct ofl_filter names[N_FILTERS - 1];
            for (unsigned n = 0; n < ARRAY_SIZE(names); n++) {
                names[n] = name_of(&l, n);
            }
            ofl_local_remove(c, names, ARRAY_SIZE(names));
        } else {
            send_filters(c, &l, NULL);
        }
    }
}
