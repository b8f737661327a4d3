// SPDX-License-Identifier: Apache-2.0
// Dirty entries: their counters are read (credited to the old translation), they are translated
// again, and what differs is changed or removed.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "slowpath/place.h"
#include "slowpath/reval_private.h"

LOG_MODULE(revalidator);
COVERAGE(flow_retranslated);

static bool
same_dep(const struct mega_link *l, const struct xlate_dep *d)
{
    if (l->kind != d->kind) {
        return false;
    }
    switch ((enum xlate_dep_kind) l->kind) {
    case XLATE_DEP_RULE:
        return l->dep->rule == d->rule && l->rewritten == d->rewritten && l->in_port == d->in_port;
    case XLATE_DEP_MISS:
        return l->dep->of == d->of && l->dep->table == d->table && l->rewritten == d->rewritten;
    case XLATE_DEP_MAC:
        // Same address and same answer (else the actions differ).
        return l->dep->bridge == d->bridge;
    case XLATE_DEP_LEARN:
        return l->learn.bridge == d->bridge && l->learn.vlan == d->vlan && l->learn.port == d->port;
    case XLATE_DEP_PATCH:
        return l->patch.bridge == d->bridge && l->patch.port == d->port && l->patch.peer == d->peer;
    case XLATE_DEP_STATE:
        return l->frozen == d->state;
    }
    return false;
}

static bool
same_deps(const struct mega_xlate *x, const struct xlate_out *out)
{
    if (x->n_links != out->n_deps || out->to_controller) {
        return false;
    }
    for (size_t i = 0; i < x->n_links; i++) {
        if (!same_dep(&x->links[i], &out->deps[i])) {
            return false;
        }
    }
    return true;
}

static bool
mask_suffices(const struct mega *m, const struct flow_mask *wc)
{
    struct flow_mask have;
    minimask_expand(m->mask->mask, &have);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (flow_mask_words(wc)[i] & ~flow_mask_words(&have)[i]) {
            return false;
        }
    }
    return true;
}

enum verdict { SAME, RELINK, CHANGE, REMOVE };

static enum verdict
judge(const struct mega *m, const struct xlate_out *out)
{
    const struct mega_xlate *x = rcu_get(m->x);
    // The port has left: what comes from its device is not ours to drop.
    if (out->error == XLATE_NO_PORT || out->error == XLATE_NO_BRIDGE) {
        return REMOVE;
    }
    if (!mask_suffices(m, &out->wc) || out->n_deps > UINT8_MAX) {
        return REMOVE;
    }
    if (!dp_actions_equal(&x->acts->acts, &out->acts)) {
        return CHANGE;
    }
    return same_deps(x, out) ? SAME : RELINK;
}

// Translates one claimed entry again. Returns what has to be done in the home place: DP_FLOW_MODIFY
// or DP_FLOW_DELETE, or DP_FLOW_GET for nothing.
static enum dp_flow_verb
retranslate(struct reval *r, struct reval_tools *t, struct mega *m)
{
    struct mega_cache *c = r->dp->cache;
    struct flow_key key;
    struct flow_mask mask;
    mega_key(m, &key);
    minimask_expand(m->mask->mask, &mask);
    __atomic_and_fetch(&m->flags, (uint8_t) ~MEGA_DIRTY, __ATOMIC_SEQ_CST);
    const uint64_t seq = __atomic_load_n(&c->seq, __ATOMIC_SEQ_CST);
    const struct xlate_in in = {
        .config = sp_config_get(), .dp = r->dp, .key = &key, .prefer = &mask, .now = clock_now()};
    xlate_flow(&in, &t->out);
    COVERAGE_INC(flow_retranslated);
    __atomic_add_fetch(&c->retranslated, 1, __ATOMIC_RELAXED);

    switch (judge(m, &t->out)) {
    case SAME:
        return DP_FLOW_GET;
    case RELINK:
        mega_replace(c, m, &t->out, seq);
        return DP_FLOW_GET;
    case CHANGE:
        mega_replace(c, m, &t->out, seq);
        __atomic_add_fetch(&c->changed, 1, __ATOMIC_RELAXED);
        return DP_FLOW_MODIFY;
    case REMOVE:
        return DP_FLOW_DELETE;
    }
    return DP_FLOW_GET;
}

// Reads the present counters of claimed entries, so that they are credited to what was true until
// now.
static void
read_counters(struct reval *r, struct reval_tools *t, size_t n, struct mega *const claimed[])
{
    struct dp_channel *tc = sp_reval_tc_channel(r, t);
    for (int slot = 0; slot < MEGA_N_SLOTS; slot++) {
        size_t n_ops = 0;
        for (size_t i = 0; i < n; i++) {
            if ((slot == MEGA_HOME || tc) && mega_read_begin(claimed[i], (enum mega_slot) slot)) {
                t->op_of[n_ops] = claimed[i];
                t->ops[n_ops++] = (struct dp_flow_op){.verb = DP_FLOW_GET, .id = claimed[i]->id};
            }
        }
        if (!n_ops) {
            continue;
        }
        const struct dp_ops *ops = slot == MEGA_HOME ? r->dp->ops : sp_place_tc(r->dp)->ops;
        int failed = ops->flow_apply(slot == MEGA_HOME ? t->home : tc, t->ops, n_ops);
        for (size_t i = 0; i < n_ops; i++) {
            const bool read = !failed && !t->ops[i].error;
            mega_merge_now(t->op_of[i], (enum mega_slot) slot, read ? &t->ops[i].stats : NULL,
                           sp_reval_sweep(r));
        }
    }
}

static void
apply_changes(struct reval *r, struct reval_tools *t, size_t n)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    if (!n) {
        return;
    }
    int failed = r->dp->ops->flow_apply(t->home, t->ops, n);
    for (size_t i = 0; i < n; i++) {
        struct mega *m = t->op_of[i];
        const int error = failed ? failed : t->ops[i].error;
        if (t->ops[i].verb == DP_FLOW_DELETE) {
            mega_slot_end(m, MEGA_HOME, error ? NULL : &t->ops[i].stats);
            mega_kill(r->dp->cache, m);
        } else if (error) {
            // Not there any more: the next packet makes it anew.
            LOG_WARN_RL(&limit, "%s: a flow could not be changed: %s", r->dp->type,
                        base_strerror(error));
            mega_slot_end(m, MEGA_HOME, NULL);
            if (mega_transition(m, MEGA_UPDATING, MEGA_DYING)) {
                mega_kill(r->dp->cache, m);
            }
        } else {
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            // Other actions: a higher place may take it now. Not ours any more, but the RCU section
            // keeps it.
            sp_place_consider(r->dp, m, sp_config_get());
        }
    }
}

static void
retranslate_batch(struct reval *r, struct reval_tools *t, const struct flow_id *ids, size_t n)
{
    struct mega *claimed[REVAL_BATCH];
    size_t n_claimed = 0, n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        struct mega *m = mega_find(r->dp->cache, &ids[i]);
        // An entry that somebody owns comes back when it is released.
        if (m && __atomic_load_n(&m->flags, __ATOMIC_SEQ_CST) & MEGA_DIRTY &&
            mega_claim(m, MEGA_UPDATING)) {
            claimed[n_claimed++] = m;
        }
    }
    read_counters(r, t, n_claimed, claimed);
    for (size_t i = 0; i < n_claimed; i++) {
        struct mega *m = claimed[i];
        const enum dp_flow_verb verb = retranslate(r, t, m);
        if (mega_has(m, MEGA_TC)) {
            // Before it is let go: whoever claims it next sees what is wanted.
            if (verb == DP_FLOW_DELETE) {
                sp_place_remove(r->dp, m);
            } else if (verb == DP_FLOW_MODIFY) {
                sp_place_update(r->dp, m);
            }
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            continue;
        }
        if (verb == DP_FLOW_GET) {
            mega_release(r->dp->cache, m, MEGA_UPDATING);
            continue;
        }
        if (verb == DP_FLOW_DELETE && !mega_transition(m, MEGA_UPDATING, MEGA_DYING)) {
            abort();
        }
        mega_match(m, &t->matches[n_ops]);
        t->op_of[n_ops] = m;
        t->ops[n_ops] = (struct dp_flow_op){
            .verb = verb, .id = m->id, .match = &t->matches[n_ops], .actions = &m->x->acts->acts};
        n_ops++;
    }
    apply_changes(r, t, n_ops);
}

static void
dirty_batch(struct reval *r, struct reval_tools *t, const struct flow_id *ids, size_t n)
{
    clock_hold();
    rcu_begin();
    retranslate_batch(r, t, ids, n);
    rcu_end();
    clock_let_go();
}

void
sp_reval_do_dirty(struct reval *r, struct reval_tools *t)
{
    size_t n;
    struct flow_id *ids;
    while ((ids = mega_take_dirty(r->dp->cache, &n))) {
        sp_reval_each_batch(r, t, ids, n, dirty_batch);
        free(ids);
    }
}
