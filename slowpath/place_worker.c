// SPDX-License-Identifier: Apache-2.0
// The offload worker: moves entries between the datapath's own place and tc, in batches. See
// place_private.h for threads.
//
// A move never loses the flow: it is put where it goes before it is taken from where it was, and
// its last counters are read as it is taken away. Phases of a batch:
//
//     1 home: create   OUT
//     2 tc            IN: create, CHANGE: modify, OUT and KILL: delete
//     3 home           IN that succeeded, KILL: delete; CHANGE that failed: create
//     4 tc: delete     what tc took, but not the hardware that was wanted
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/rcu.h"
#include "slowpath/adopt.h"
#include "slowpath/place_private.h"
#include "slowpath/reval.h"
#include "slowpath/sp_config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

LOG_MODULE(place);
COVERAGE(place_in);
COVERAGE(place_out);
COVERAGE(place_change);
COVERAGE(place_refused);

#define READY_POLL_MS 50
#define LATER_MS 10
#define LATER_MAX_MS 1000
#define LOOK_MS 1000 // when the kernel did not tell all filters of a device
// What comes meanwhile shares a batch, and its system calls: flows wait at home, where they forward
// as well. Longer while many come, not at all when a batch was full.
#define GATHER_MS 10
#define GATHER_BUSY_MS 100
#define GATHER_URGENT_MS 2
#define BUSY 4                // entries in one batch
#define IDLE_MS INT64_C(5000) // counters of hardware are not later than that
#define DRAIN_MS 300    // for packets that the NIC has handed to software with word where to go on
#define BATCH_US 200000 // how long a batch may keep its entries
#define FIRST_BATCH ((size_t) 32) // while nothing is known of the NIC's speed

struct item {
    struct queue_node node;
    struct flow_id id;
};

void
sp_worker_queue(struct place_worker *w, const struct flow_id *id)
{
    struct item *i = base_calloc(1, sizeof *i);
    i->id = *id;
    queue_put(&w->queue, &i->node);
}

void
sp_worker_urge(struct place_worker *w)
{
    const uint64_t one = 1;
    if (!__atomic_exchange_n(&w->urged, true, __ATOMIC_SEQ_CST) &&
        write(w->urge_fd, &one, sizeof one) < 0 && errno != EAGAIN) {
        LOG_ERR("offload worker %u cannot be woken: %s", (unsigned) w->nic, base_strerror(errno));
    }
}

// Lets others come, for a batch, unless it is urgent; what comes together is still taken together.
static void
gather(struct place_worker *w, int ms)
{
    struct pollfd fd = {.fd = w->urge_fd, .events = POLLIN};
    uint64_t n;
    if (poll(&fd, 1, ms) > 0 && read(w->urge_fd, &n, sizeof n) == sizeof n) {
        __atomic_store_n(&w->urged, false, __ATOMIC_SEQ_CST); // the queue is looked at after this
        poll(NULL, 0, GATHER_URGENT_MS);
    }
}

// --- Phases. ---

static bool
wants_hw(const struct place_worker *w)
{
    return w->nic != 0;
}

// Is it removed because nothing came for so long? All that was counted has been told, then.
static bool
is_idle(const struct place_worker *w, const struct place_move *mv)
{
    if (mv->what != PLACE_KILL) {
        return false;
    }
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const int64_t max_idle = config ? config->max_idle_ms : 10000;
    rcu_end();
    struct mega_counts n;
    mega_counts(mv->m, &n);
    return clock_now() - MAX(n.used, mega_time_ms(mv->m->created)) > MAX(max_idle, IDLE_MS);
}

static void
add_op(struct place_worker *w, size_t *n, struct place_move *mv, enum dp_flow_verb verb)
{
    w->op_of[*n] = mv;
    w->ops[(*n)++] = (struct dp_flow_op){.verb = verb,
                                         .id = mv->m->id,
                                         .match = &mv->match,
                                         .actions = &mv->m->x->acts->acts,
                                         .hint = mega_number(mv->m),
                                         .late = !is_idle(w, mv)};
}

static void
apply_home(struct place_worker *w, size_t n)
{
    const int failed = n ? w->dp->ops->flow_apply(w->home, w->ops, n) : 0;
    for (size_t i = 0; i < n; i++) {
        struct place_move *mv = w->op_of[i];
        struct mega *m = mv->m;
        const int error = failed ? failed : w->ops[i].error;
        if (w->ops[i].verb == DP_FLOW_DELETE) {
            mega_slot_end(m, MEGA_HOME, error ? NULL : &w->ops[i].stats);
        } else if (error && error != -EEXIST) {
            mega_slot_end(m, MEGA_HOME, NULL);
            mv->error = error;
        }
    }
}

// Puts the flow home; what tc still has of it goes in a later phase.
static void
create_home(struct place_worker *w, size_t *n, struct place_move *mv)
{
    if (!mega_has(mv->m, MEGA_HOME)) {
        mega_slot_begin(mv->m, MEGA_HOME, sp_reval_sweep(w->dp->reval));
    }
    add_op(w, n, mv, DP_FLOW_PUT);
}

static void
phase_home_first(struct place_worker *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_moves; i++) {
        if (w->moves[i].what == PLACE_OUT) {
            create_home(w, &n, &w->moves[i]);
        }
    }
    apply_home(w, n);
}

static void
done_in(struct place_worker *w, struct place_move *mv, const struct dp_flow_op *op)
{
    mv->reason = op->reason;
    mv->place = op->place;
    mv->error = op->error;
    if (op->error) {
        mega_slot_end(mv->m, MEGA_TC, NULL);
    } else {
        if (op->stats.packets) {
            mega_slot_adopt(mv->m, MEGA_TC,
                            &op->stats); // a filter that was left behind: not this flow's packets
        }
        mv->done = op->place == DP_PLACE_TC_HW || !wants_hw(w);
    }
}

static void
done_tc(struct place_worker *w, struct place_move *mv, const struct dp_flow_op *op)
{
    switch (mv->what) {
    case PLACE_IN:
        done_in(w, mv, op);
        return;
    case PLACE_CHANGE:
        mv->reason = op->reason;
        mv->place = op->place;
        mv->done = !op->error && (op->place == DP_PLACE_TC_HW || !wants_hw(w));
        if (!op->error) {
            mega_merge_now(mv->m, MEGA_TC, &op->stats, sp_reval_sweep(w->dp->reval));
            mega_tc_left(w->dp->cache, mv->m, op->late);
        }
        return;
    case PLACE_OUT:
    case PLACE_KILL:
        if (!op->error || op->error == -ENOENT) {
            mega_slot_end(mv->m, MEGA_TC, op->error ? NULL : &op->stats);
            mega_tc_left(w->dp->cache, mv->m, op->error ? 0 : op->late);
            mv->done = true;
        }
        return;
    }
}

static void
phase_tc(struct place_worker *w)
{
    static const enum dp_flow_verb verbs[] = {
        [PLACE_IN] = DP_FLOW_PUT,
        [PLACE_CHANGE] = DP_FLOW_MODIFY,
        [PLACE_OUT] = DP_FLOW_DELETE,
        [PLACE_KILL] = DP_FLOW_DELETE,
    };
    size_t n = 0;
    for (size_t i = 0; i < w->n_moves; i++) {
        struct place_move *mv = &w->moves[i];
        if ((mv->what == PLACE_OUT && mv->error && mv->reason.code != REASON_POLICY_OFF) ||
            (mv->what == PLACE_KILL && !mega_has(mv->m, MEGA_TC))) {
            continue; // no way home: it stays, if it may; nothing there
        }
        if (mv->what == PLACE_IN) {
            mega_tc_left(w->dp->cache, mv->m, 0); // whatever became of an earlier stay
            mega_slot_begin(mv->m, MEGA_TC, sp_reval_sweep(w->dp->reval));
        }
        add_op(w, &n, mv, verbs[mv->what]);
    }
    if (!n) {
        return;
    }
    const int64_t began = clock_now_us();
    const int failed = w->place->tc.ops->flow_apply(w->tc, w->ops, n);
    const int64_t us = MAX((clock_now_us() - began) / (int64_t) n, INT64_C(1));
    w->us_per_move = w->us_per_move ? (w->us_per_move + us) / 2 : us;
    for (size_t i = 0; i < n; i++) {
        if (failed && !w->ops[i].error) {
            w->ops[i].error = failed;
        }
        done_tc(w, w->op_of[i], &w->ops[i]);
    }
}

static void
phase_home_second(struct place_worker *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_moves; i++) {
        struct place_move *mv = &w->moves[i];
        if ((mv->what == PLACE_IN && mv->done) ||
            (mv->what == PLACE_KILL && mega_has(mv->m, MEGA_HOME))) {
            add_op(w, &n, mv, DP_FLOW_DELETE);
        } else if (mv->what == PLACE_CHANGE && !mv->done) {
            create_home(w, &n, mv);
        }
    }
    apply_home(w, n);
}

static void
phase_tc_last(struct place_worker *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_moves; i++) {
        struct place_move *mv = &w->moves[i];
        if (!mv->done && mega_has(mv->m, MEGA_TC) &&
            (mv->what == PLACE_IN || mv->what == PLACE_KILL || mega_has(mv->m, MEGA_HOME))) {
            add_op(w, &n, mv, DP_FLOW_DELETE);
        }
    }
    const int failed = n ? w->place->tc.ops->flow_apply(w->tc, w->ops, n) : 0;
    for (size_t i = 0; i < n; i++) {
        const int error = failed ? failed : w->ops[i].error;
        mega_slot_end(w->op_of[i]->m, MEGA_TC, error ? NULL : &w->ops[i].stats);
        mega_tc_left(w->dp->cache, w->op_of[i]->m, error ? 0 : w->ops[i].late);
    }
}

// --- The end of a move. ---

static void
try_later(struct place_later *l, struct mega *m, uint8_t flags)
{
    if (__atomic_fetch_or(&m->flags, (uint8_t) (flags | MEGA_QUEUED), __ATOMIC_SEQ_CST) &
        MEGA_QUEUED) {
        return; // queued again meanwhile
    }
    if (l->n == l->cap) {
        l->ids = base_grow(l->ids, &l->cap, sizeof *l->ids);
    }
    l->ids[l->n++] = m->id;
}

// It could not be claimed: whoever has it lets go soon.
static void
try_soon(struct place_worker *w, struct mega *m, uint8_t flags)
{
    w->owned.delay = LATER_MS;
    w->owned.due = w->owned.n ? w->owned.due : clock_now() + LATER_MS;
    try_later(&w->owned, m, flags);
}

// What neither place takes is tried ever less often.
static void
try_less(struct place_worker *w, struct mega *m, uint8_t flags)
{
    struct place_later *l = &w->stuck;
    if (!l->n) {
        const bool again = l->due + 2 * l->delay > clock_now();
        l->delay = again ? MIN(l->delay * 2, LATER_MAX_MS) : LATER_MS;
        l->due = clock_now() + l->delay;
    }
    try_later(l, m, flags);
}

static void
kill_entry(struct place_worker *w, struct mega *m)
{
    const struct flow_id id = m->id;
    rcu_begin();
    mega_kill(w->dp->cache, m);
    rcu_end();
    __atomic_add_fetch(&w->dp->cache->evicted, 1, __ATOMIC_RELAXED);
    sp_policy_gone(w, &id);
}

// --- Counters that come late. ---

static void
take_late(const struct ofl_late *late, void *w_)
{
    struct place_worker *w = w_;
    const struct mega_late n = {late->id, late->serial, late->packets, late->bytes, late->last};
    rcu_begin();
    mega_add_late(w->dp->cache, &n);
    rcu_end();
}

static void
collect_late(struct place_worker *w)
{
    ofl_collect(w->tc, take_late, w);
}

// Until all has come.
static void
await_late(struct place_worker *w)
{
    int wait;
    while ((wait = ofl_collect_wait(w->tc)) >= 0 &&
           __atomic_load_n(&w->command, __ATOMIC_ACQUIRE) == PLACE_DRAIN) {
        poll(NULL, 0, MIN(wait, 100));
        collect_late(w);
    }
}

static void
settle(struct place_worker *w, struct place_move *mv)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    struct mega_cache *c = w->dp->cache;
    struct mega *m = mv->m;
    const int64_t now = clock_now();
    const bool in_tc = mega_has(m, MEGA_TC), at_home = mega_has(m, MEGA_HOME);

    if (mv->what == PLACE_KILL) {
        kill_entry(w, m);
        return;
    }
    if (!in_tc && !at_home) {
        // Neither place has it: the next packet makes it anew, unless another flow at home takes
        // its packets: then there was no room for it.
        if (mv->what != PLACE_OUT) {
            LOG_WARN_RL(&limit, "a flow was lost on its way: %s", base_strerror(mv->error));
        }
        if (mega_transition(m, MEGA_MOVING, MEGA_DYING)) {
            kill_entry(w, m);
        }
        return;
    }
    if (in_tc && (mv->what == PLACE_IN || mv->what == PLACE_CHANGE) && mv->done) {
        mega_set_place(c, m, mv->place, &mv->reason, now);
        sp_policy_taken(w, m);
    } else if (!in_tc) {
        mega_set_place(c, m, w->dp->home, &mv->reason, now);
        if (mv->what != PLACE_OUT || mv->reason.code == REASON_POLICY_MICE) {
            sp_policy_refused(w, m, &mv->reason);
        } else {
            sp_policy_gone(w, &m->id);
        }
    }
    if (!in_tc && __atomic_load_n(&m->flags, __ATOMIC_SEQ_CST) & MEGA_REMOVE) {
        mega_mark_dirty(c, m); // at home the revalidator removes it; this worker may be ending
    }
    if (mv->what == PLACE_CHANGE && in_tc && !mv->done) {
        try_less(w, m, MEGA_UPDATE); // neither here nor there: it still has its old actions
    }
    mega_release(c, m, MEGA_MOVING);
}

static void
count(struct place_worker *w)
{
    uint64_t in = 0, out = 0;
    for (size_t i = 0; i < w->n_moves; i++) {
        const struct place_move *mv = &w->moves[i];
        in += mv->what == PLACE_IN && mv->done;
        out += mv->what == PLACE_OUT && mv->done;
        if (mv->what == PLACE_CHANGE) {
            COVERAGE_INC(place_change);
        } else if (mv->what == PLACE_IN && !mv->done) {
            COVERAGE_INC(place_refused);
        }
    }
    COVERAGE_ADD(place_in, in);
    COVERAGE_ADD(place_out, out);
    __atomic_add_fetch(&w->place->moved_in, in, __ATOMIC_RELAXED);
    __atomic_add_fetch(&w->place->moved_out, out, __ATOMIC_RELAXED);
}

static void
make_moves(struct place_worker *w)
{
    if (!w->n_moves) {
        return;
    }
    phase_home_first(w);
    phase_tc(w);
    phase_home_second(w);
    phase_tc_last(w);
    count(w);
    for (size_t i = 0; i < w->n_moves; i++) {
        settle(w, &w->moves[i]);
    }
    w->since_reserve += w->n_moves;
    if (w->since_reserve >= PLACE_BATCH) { // the tables of filters and of their weights grow
        w->since_reserve = 0;
        thread_reserve_heap();
    }
    w->n_moves = 0;
}

// --- Claims. ---

// Claims an entry for a move. False: somebody else has it.
static bool
claim(struct place_worker *w, struct mega *m, enum place_decision what, enum reason_code why)
{
    if (!mega_claim(m, what == PLACE_KILL ? MEGA_DYING : MEGA_MOVING)) {
        return false;
    }
    struct place_move *mv = &w->moves[w->n_moves++];
    mv->m = m;
    mv->what = what;
    mv->done = false;
    mv->error = 0;
    mv->place = DP_PLACE_NONE;
    reason_set(&mv->reason, why, FIELD_COUNT, 0, NULL);
    mega_match(m, &mv->match);
    return true;
}

static void
consider(struct place_worker *w, struct mega *m)
{
    struct reason why;
    reason_clear(&why);
    if (wants_hw(w) && !sp_policy_admit(w, m, &why)) {
        mega_set_reason(m, &why);
    } else if (!claim(w, m, PLACE_IN, REASON_NONE)) {
        try_soon(w, m, 0);
    }
}

// Is it this worker who installs what comes in there? RCU section.
static bool
serves(const struct place_worker *w, uint32_t dp_port)
{
    const struct place_port *p = sp_place_port(w->place, dp_port);
    const uint32_t at = p ? p->nic % PLACE_WORKERS : 0;
    // A worker runs before others see it.
    return at == w->nic % PLACE_WORKERS || (!w->nic && !rcu_get(w->place->workers[at]));
}

static void
take(struct place_worker *w, const struct flow_id *id)
{
    rcu_begin();
    struct mega *m = mega_find(w->dp->cache, id);
    if (m) {
        const uint8_t flags = __atomic_fetch_and(
            &m->flags, (uint8_t) ~(MEGA_QUEUED | MEGA_REMOVE | MEGA_UPDATE), __ATOMIC_SEQ_CST);
        if (flags & MEGA_REMOVE) {
            if (!claim(w, m, PLACE_KILL, REASON_NONE)) {
                try_soon(w, m, MEGA_REMOVE);
            }
        } else if (mega_has(m, MEGA_TC)) {
            if (flags & MEGA_UPDATE && !claim(w, m, PLACE_CHANGE, REASON_NONE)) {
                try_soon(w, m, MEGA_UPDATE);
            }
        } else if (!serves(w, sp_place_in_port(m))) {
            sp_place_queue(w->place, m, 0); // its port has another NIC than when it was queued
        } else if (__atomic_load_n(&w->place->active, __ATOMIC_ACQUIRE)) {
            consider(w, m);
        }
    }
    rcu_end();
}

// How many entries may be under way at once.
static size_t
batch_size(const struct place_worker *w)
{
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    size_t n = config && config->offload_in_flight ? config->offload_in_flight : PLACE_BATCH;
    rcu_end();
    n = MIN(n, w->us_per_move ? (size_t) (BATCH_US / w->us_per_move) : FIRST_BATCH);
    return MIN(MAX(n, (size_t) 1), (size_t) PLACE_BATCH);
}

// other_config:offload-rate: moves that are due by now.
static size_t
allowance(struct place_worker *w, size_t want)
{
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    const int64_t rate = config ? config->offload_rate : 0;
    rcu_end();
    if (!rate) {
        return want;
    }
    const int64_t now = clock_now_us();
    w->tokens = MIN(w->tokens + (now - w->tokens_at) * rate, rate * 1000000);
    w->tokens_at = now;
    const size_t n = (size_t) MIN((int64_t) want, w->tokens / 1000000);
    w->tokens -= (int64_t) n * 1000000;
    return n;
}

// ms to wait before the next call: 0 when there may be more, -1 when there isn't.
static int
take_queued(struct place_worker *w, bool *busy)
{
    const size_t max = allowance(w, batch_size(w));
    struct queue_node *node;
    size_t n = 0;
    while (w->n_moves < max && n++ < 8 * PLACE_BATCH && (node = queue_take(&w->queue))) {
        struct item *i = CONTAINER_OF(node, struct item, node);
        take(w, &i->id);
        free(i);
    }
    const bool full = w->n_moves >= max || n > 8 * PLACE_BATCH;
    *busy = w->n_moves >= BUSY;
    make_moves(w);
    return !full ? -1 : max ? 0 : LATER_MS;
}

static void
take_later(struct place_worker *w, struct place_later *l)
{
    if (clock_now() >= l->due) {
        for (size_t i = 0; i < l->n; i++) {
            sp_worker_queue(w, &l->ids[i]);
        }
        l->n = 0;
    }
}

static void
take_orders(struct place_worker *w)
{
    struct place_order orders[PLACE_BATCH];
    const size_t n = sp_policy_scan(w, orders, batch_size(w));
    rcu_begin();
    for (size_t i = 0; i < n && w->n_moves < PLACE_BATCH; i++) {
        struct mega *m = mega_find(w->dp->cache, &orders[i].id);
        if (!m) {
            continue;
        }
        const bool in_tc = mega_has(m, MEGA_TC);
        if (!in_tc && !serves(w, sp_place_in_port(m))) {
            sp_policy_gone(w, &orders[i].id);
            sp_place_queue(w->place, m, 0);
        } else if (in_tc && orders[i].what == PLACE_IN) {
            sp_policy_taken(w, m); // by way of the queue; else it would be ordered for ever
        } else if (in_tc == (orders[i].what == PLACE_OUT)) {
            claim(w, m, orders[i].what,
                  orders[i].what == PLACE_OUT ? REASON_POLICY_MICE : REASON_NONE);
        }
    }
    rcu_end();
    make_moves(w);
}

// --- Start and end. ---

static bool
queue_home(struct mega *m, void *w_)
{
    struct place_worker *w = w_;
    if (serves(w, sp_place_in_port(m)) && !mega_has(m, MEGA_TC)) {
        __atomic_fetch_or(&m->flags, MEGA_QUEUED, __ATOMIC_SEQ_CST);
        sp_worker_queue(w, &m->id);
    }
    return true;
}

// All that rest at home get another chance.
static void
queue_all(struct place_worker *w)
{
    if (!wants_hw(w) && w->place->policy != OFL_POLICY_SKIP_HW) {
        return;
    }
    rcu_begin();
    mega_for_each(w->dp->cache, queue_home, w);
    rcu_end();
}

struct drain {
    struct place_worker *w;
    bool any;
};

static bool
take_home(struct mega *m, void *d_)
{
    struct drain *d = d_;
    if (!mega_has(m, MEGA_TC) || !serves(d->w, sp_place_in_port(m))) {
        return true;
    }
    d->any = true;
    claim(d->w, m, PLACE_OUT, REASON_POLICY_OFF);
    return d->w->n_moves < PLACE_BATCH;
}

// All flows home.
static void
drain(struct place_worker *w)
{
    struct drain d = {.w = w, .any = true};
    for (int tries = 0;
         d.any && tries < 100000 && __atomic_load_n(&w->command, __ATOMIC_ACQUIRE) == PLACE_DRAIN;
         tries++) {
        d.any = false;
        rcu_begin();
        mega_for_each(w->dp->cache, take_home, &d);
        rcu_end();
        if (!w->n_moves && d.any) {
            poll(NULL, 0, 1); // somebody else has those that are left
        }
        make_moves(w);
    }
    await_late(w);
    if (ofl_has_locals(w->place->tc.dp)) {
        poll(NULL, 0, DRAIN_MS);
    }
}

// --- Adoption. ---

struct adopting {
    struct place_worker *w;
    struct adoption a;
    struct flow_id *strays; // don't agree with the tables
    size_t n_strays, cap_strays;
};

// What cannot be read is nobody's flow: whoever sees it first removes it.
static bool
is_mine(const struct adopting *a, const struct dp_flow_record *rec)
{
    return !rec->match || serves(a->w, be32toh(rec->match->key.in_port));
}

static bool
learn_record(const struct dp_flow_record *rec, void *a_)
{
    struct adopting *a = a_;
    if (rec->match && is_mine(a, rec)) {
        sp_adopt_learn(&a->a, rec);
    }
    return true;
}

static bool
adopt_record(const struct dp_flow_record *rec, void *a_)
{
    struct adopting *a = a_;
    if (!is_mine(a, rec)) {
        return true;
    }
    const bool wanted = rec->match && (wants_hw(a->w) ? rec->place == DP_PLACE_TC_HW
                                                      : a->w->place->policy == OFL_POLICY_SKIP_HW);
    struct mega *m;
    if (wanted && sp_adopt_flow(&a->a, rec) && (m = mega_find(a->w->dp->cache, &rec->id)) &&
        mega_has(m, MEGA_TC)) {
        sp_policy_taken(a->w, m);
        return true;
    }
    if (a->n_strays == a->cap_strays) {
        a->strays = base_grow(a->strays, &a->cap_strays, sizeof *a->strays);
    }
    a->strays[a->n_strays++] = rec->id;
    return true;
}

static void
adopt(struct place_worker *w)
{
    struct adopting a = {.w = w};
    const struct dp_ops *ops = w->place->tc.ops;
    sp_adopt_begin(&a.a, w->dp, MEGA_TC);
    rcu_begin();
    ops->flow_dump(w->tc, false, learn_record, &a);
    ops->flow_dump(w->tc, false, adopt_record, &a);
    rcu_end();
    __atomic_add_fetch(&w->place->adopted, a.a.adopted, __ATOMIC_RELAXED);
    for (size_t i = 0; i < a.n_strays; i += PLACE_BATCH) {
        const size_t n = MIN(a.n_strays - i, (size_t) PLACE_BATCH);
        for (size_t j = 0; j < n; j++) {
            w->ops[j] = (struct dp_flow_op){.verb = DP_FLOW_DELETE, .id = a.strays[i + j]};
        }
        ops->flow_apply(w->tc, w->ops, n);
    }
    sp_adopt_end(&a.a);
    free(a.strays);
}

// --- The thread. ---

static int
command(const struct place_worker *w)
{
    return __atomic_load_n(&w->command, __ATOMIC_ACQUIRE);
}

static void
wait_ready(struct place_worker *w)
{
    struct pollfd fd = {.fd = queue_fd(&w->queue), .events = POLLIN};
    while (!__atomic_load_n(&w->dp->ready, __ATOMIC_ACQUIRE) && command(w) == PLACE_RUN) {
        queue_clear_wakeup(&w->queue);
        poll(&fd, 1, READY_POLL_MS);
    }
}

// Of two waits; -1: for ever.
static int
sooner(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

// A port of which nobody has said yet whose it is waits.
static bool
is_served(uint32_t dp_port, void *w_)
{
    const struct place_worker *w = w_;
    rcu_begin();
    const bool is = sp_place_port(w->place, dp_port) && serves(w, dp_port);
    rcu_end();
    return is;
}

// ms until these are due; -1: there are none.
static int
later_wait(const struct place_later *l)
{
    return l->n ? (int) MAX(l->due - clock_now(), 0) : -1;
}

static void
run(void *w_)
{
    struct place_worker *w = w_;
    struct pollfd fd = {.fd = queue_fd(&w->queue), .events = POLLIN};
    wait_ready(w);
    if (command(w) == PLACE_RUN) {
        adopt(w);
        queue_all(w);
    }
    while (command(w) == PLACE_RUN) {
        if (__atomic_exchange_n(&w->reset, false, __ATOMIC_ACQ_REL)) {
            sp_policy_reset(&w->policy);
            queue_all(w);
        }
        queue_clear_wakeup(&w->queue);
        clock_hold();
        bool busy;
        int wait = take_queued(w, &busy);
        take_orders(w);
        clock_let_go();
        collect_late(w);
        ofl_tidy(w->tc);
        const int look_again = ofl_remove_strays(w->tc, is_served, w) ? -1 : LOOK_MS;
        if (wait < 0) {
            wait = sooner(sp_policy_wait(&w->policy, clock_now()), ofl_collect_wait(w->tc));
            wait = sooner(wait, later_wait(&w->owned));
            wait = sooner(wait, later_wait(&w->stuck));
            wait = sooner(wait, look_again);
        }
        // A rest in the queue, of which the descriptor says nothing: wait by time alone.
        if (wait && poll(&fd, 1, wait) > 0 && command(w) == PLACE_RUN) {
            gather(w, busy ? GATHER_BUSY_MS : GATHER_MS);
        }
        take_later(w, &w->owned);
        take_later(w, &w->stuck);
    }
    if (command(w) == PLACE_DRAIN) {
        drain(w);
        loop_call(sp_loop(), sp_place_drained, (void *) (uintptr_t) w->place->serial);
    }
}

static void
worker_free(void *w_)
{
    struct place_worker *w = w_;
    struct queue_node *node;
    while ((node = queue_take(&w->queue))) {
        free(CONTAINER_OF(node, struct item, node));
    }
    queue_destroy(&w->queue);
    close(w->urge_fd);
    sp_policy_destroy(&w->policy);
    free(w->owned.ids);
    free(w->stuck.ids);
    free(w);
}

static void
close_channels(struct place_worker *w)
{
    if (w->tc) {
        w->place->tc.ops->channel_close(w->tc);
    }
    if (w->home) {
        w->dp->ops->channel_close(w->home);
    }
}

struct place_worker *
sp_worker_start(struct place *p, uint32_t nic, int *error)
{
    struct place_worker *w = base_calloc(1, sizeof *w);
    w->place = p;
    w->dp = p->dp;
    w->nic = nic;
    w->tokens_at = clock_now_us();
    sp_policy_init(&w->policy);
    w->urge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = w->urge_fd < 0 ? -errno : queue_init(&w->queue);
    if (*error) {
        if (w->urge_fd >= 0) {
            close(w->urge_fd);
        }
        free(w);
        return NULL;
    }
    *error = p->dp->ops->channel_open(p->dp->dp, &w->home);
    if (!*error) {
        *error = p->tc.ops->channel_open(p->tc.dp, &w->tc);
    }
    if (*error) {
        close_channels(w);
        worker_free(w);
        return NULL;
    }
    char name[16];
    snprintf(name, sizeof name, "offload%u", (unsigned) nic % 10000);
    w->thread = thread_start(name, run, w);
    return w;
}

void
sp_worker_tell(struct place_worker *w, enum place_command c)
{
    static const struct flow_id nobody;
    __atomic_store_n(&w->command, (int) c, __ATOMIC_RELEASE);
    sp_worker_queue(w, &nobody); // wakes it
    sp_worker_urge(w);
}

void
sp_worker_join(struct place_worker *w)
{
    thread_join(w->thread);
    close_channels(w);
    rcu_defer(worker_free, w);
}
