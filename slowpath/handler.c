// SPDX-License-Identifier: Apache-2.0
// Upcalls in batches: translate, install where that is cheapest now, execute, credit. See handler.h
// for threads.
//
// A batch is worked on in passes, so that the datapath is called once per batch and not twice per
// packet: (1) each packet finds its entry (one that is there, one made by an earlier packet of the
// same batch, or a new one), (2) all new entries are installed and all packets are executed.
// Entries are handed to the offload worker last.
#include "config.h"

#include "slowpath/handler.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "ofproto/of_bridge.h"
#include "slowpath/execute_dp.h"
#include "slowpath/mega.h"
#include "slowpath/place.h"
#include "slowpath/reval.h"
#include "slowpath/sp_private.h"
#include "slowpath/xlate_state.h"

LOG_MODULE(upcall);
COVERAGE(upcall_miss);
COVERAGE(upcall_action);
COVERAGE(upcall_not_cached);
COVERAGE(upcall_not_ready);

struct work {
    struct sp_upcall *u;
    struct mega *m;          // entry, NULL: not cached
    struct dp_actions *acts; // what to do: the entry's, or own
    struct dp_actions own;
    bool made; // by this batch: still MEGA_NEW
};

struct batch {
    struct batch *next; // pool
    struct xlate_out out;
    struct work work[SP_UPCALL_BATCH];
    struct dp_flow_op ops[SP_UPCALL_BATCH];
    struct mega *op_of[SP_UPCALL_BATCH];
    struct flow_match matches[SP_UPCALL_BATCH];
    struct dp_execute exec[SP_UPCALL_BATCH];
};

struct handler {
    struct handlers *all;
    struct dp_channel *channel;
    struct thread *thread;
};

struct handlers {
    struct sp_dp *dp;
    int stop_fd; // eventfd: readable when threads shall end
    size_t n;
    struct handler h[];
};

#define RESERVE_EVERY 256 // entries made by a thread between two looks at its heap

// --- Scratch memory. ---

static struct mutex pool_mutex = MUTEX_INIT;
static struct batch *pool GUARDED_BY(pool_mutex);

static struct batch *
batch_get(void)
{
    mutex_lock(&pool_mutex);
    struct batch *b = pool;
    if (b) {
        pool = b->next;
    }
    mutex_unlock(&pool_mutex);
    if (!b) {
        b = base_malloc(sizeof *b);
        xlate_out_init(&b->out);
        for (size_t i = 0; i < SP_UPCALL_BATCH; i++) {
            dp_actions_init(&b->work[i].own);
        }
    }
    return b;
}

static void
batch_put(struct batch *b)
{
    mutex_lock(&pool_mutex);
    b->next = pool;
    pool = b;
    mutex_unlock(&pool_mutex);
}

__attribute__((destructor)) static void
pool_free(void) NO_THREAD_SAFETY
{
    while (pool) {
        struct batch *b = pool;
        pool = b->next;
        xlate_out_destroy(&b->out);
        for (size_t i = 0; i < SP_UPCALL_BATCH; i++) {
            dp_actions_free(&b->work[i].own);
        }
        free(b);
    }
}

// --- Packets that a flow sent here. ---

static void
to_controller(const struct sp_upcall *u, const struct sp_config *config)
{
    const struct xlate_state *s = xlate_state_find(u->user->recirc_id);
    const struct sp_bridge *br =
        s && config ? sp_config_bridge_number(config, s->bridge_number) : NULL;
    if (!br || !br->of) {
        return; // the flow or the bridge went while the packet was under way
    }
    struct flow_key metadata;
    memset(&metadata, 0, sizeof metadata);
    metadata.in_port = htobe32(s->in_port);
    metadata.metadata = s->metadata;
    memcpy(metadata.regs, s->regs, sizeof metadata.regs);
    metadata.tun = u->key->tun;
    metadata.pkt_mark = u->key->pkt_mark;
    metadata.ct_state = u->key->ct_state;
    metadata.ct_zone = u->key->ct_zone;
    metadata.ct_mark = u->key->ct_mark;
    memcpy(metadata.ct_label, u->key->ct_label, sizeof metadata.ct_label);
    const struct of_packet_in pin = {
        .data = u->packet->data,
        .len = u->packet->len,
        .max_len = s->max_len,
        .controller_id = s->controller_id,
        .reason = (enum of_packet_in_reason) s->reason,
        .table = s->table,
        .cookie = s->cookie,
        .miss_rule = s->miss_rule,
        .no_rule = s->no_rule,
        .metadata = &metadata,
        .userdata = s->userdata,
        .userdata_len = s->userdata_len,
    };
    of_bridge_packet_in(br->of, &pin);
}

// --- Misses. ---

// An entry that this batch made or found, and that covers the key: bursts begin with many packets
// of few flows.
static struct mega *
find_in_batch(const struct batch *b, size_t n, const struct flow_key *key)
{
    for (size_t i = 0; i < n; i++) {
        const struct mega *m = b->work[i].m;
        if (m && minimask_matches(m->mask->mask, m->key, key)) {
            return b->work[i].m;
        }
    }
    return NULL;
}

static void
find_entry(struct sp_dp *dp, struct batch *b, size_t i, const struct sp_config *config, int64_t now)
{
    struct work *w = &b->work[i];
    w->made = false;
    w->m = find_in_batch(b, i, w->u->key);
    if (w->m) {
        w->acts = &rcu_get(w->m->x)->acts->acts;
        return;
    }

    const uint64_t seq = __atomic_load_n(&dp->cache->seq, __ATOMIC_SEQ_CST);
    const struct xlate_in in = {
        .config = config, .dp = dp, .key = w->u->key, .learn = true, .now = now};
    xlate_flow(&in, &b->out);

    const size_t limit = sp_config_flow_limit(config);
    bool existing = false;
    if (__atomic_load_n(&dp->cache->n, __ATOMIC_RELAXED) < limit) {
        w->m = mega_insert(dp->cache, &(struct mega_new){w->u->key, &b->out, seq, now}, &existing);
    }
    w->made = w->m && !existing;
    if (w->made) {
        w->acts = &w->m->x->acts->acts;
        return;
    }
    // Not cached, or cached by somebody else a moment ago, perhaps with an older answer: this
    // packet goes by what was found now.
    if (!w->m) {
        COVERAGE_INC(upcall_not_cached);
        xlate_credit(&b->out, 1, w->u->packet->len, now);
    }
    dp_actions_clear(&w->own);
    dp_actions_free(&w->own);
    dp_actions_copy(&w->own, &b->out.acts);
    w->acts = &w->own;
}

// What the datapath shall hold: the flows that this batch made.
static size_t
prepare_flows(struct sp_dp *dp, struct batch *b, size_t n)
{
    size_t n_ops = 0;
    for (size_t i = 0; i < n; i++) {
        struct work *w = &b->work[i];
        if (w->made) {
            mega_match(w->m, &b->matches[n_ops]);
            mega_slot_begin(w->m, MEGA_HOME, sp_reval_sweep(dp->reval));
            b->op_of[n_ops] = w->m;
            b->ops[n_ops] = (struct dp_flow_op){.verb = DP_FLOW_CREATE,
                                                .id = w->m->id,
                                                .match = &b->matches[n_ops],
                                                .actions = w->acts,
                                                .aux = w->m};
            n_ops++;
        }
    }
    return n_ops;
}

static size_t
prepare_packets(struct batch *b, size_t n)
{
    size_t n_exec = 0;
    for (size_t i = 0; i < n; i++) {
        struct work *w = &b->work[i];
        if (w->acts->len) {
            b->exec[n_exec++] =
                (struct dp_execute){.packet = w->u->packet, .key = w->u->key, .actions = w->acts};
        }
    }
    return n_exec;
}

// Flows that are in the datapath come to rest; the others die after their packets are credited.
static void
installed(struct sp_dp *dp, struct batch *b, size_t n_ops, int64_t now)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    for (size_t i = 0; i < n_ops; i++) {
        struct mega *m = b->op_of[i];
        if (b->ops[i].error) {
            LOG_WARN_RL(&limit, "%s: a flow could not be installed: %s", dp->type,
                        base_strerror(b->ops[i].error));
            mega_slot_end(m, MEGA_HOME, NULL);
            continue;
        }
        mega_set_place(dp->cache, m, dp->home, NULL, now);
        mega_release(dp->cache, m, MEGA_NEW);
    }
}

// Entries stay: the heap grows by them.
static void
reserve_heap(size_t n_made)
{
    static _Thread_local size_t made = RESERVE_EVERY;
    made += n_made;
    if (made >= RESERVE_EVERY) {
        made = 0;
        thread_reserve_heap();
    }
}

static void
misses(struct sp_dp *dp, struct dp_channel *ch, struct batch *b, size_t n,
       const struct sp_config *config)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    const int64_t now = clock_now();
    COVERAGE_ADD(upcall_miss, n);
    for (size_t i = 0; i < n; i++) {
        find_entry(dp, b, i, config, now);
    }
    for (size_t i = 0; i < n; i++) { // before the packets go: they may be changed
        if (b->work[i].m) {
            mega_add(b->work[i].m, 1, b->work[i].u->packet->len,
                     be16toh(b->work[i].u->key->tcp_flags) & 0xfff, now);
        }
    }
    const struct execute_batch both = {b->ops, prepare_flows(dp, b, n), b->exec,
                                       prepare_packets(b, n)};
    const int error = sp_apply_execute_dp(dp->ops, ch, &both);
    if (error) {
        LOG_WARN_RL(&limit, "%s: flows and packets could not be handed over: %s", dp->type,
                    base_strerror(error));
    }
    installed(dp, b, both.n_ops, now);
    reserve_heap(both.n_ops);
    for (size_t i = 0; i < n; i++) {
        struct work *w = &b->work[i];
        if (!w->made) {
            continue;
        }
        if (__atomic_load_n(&w->m->state, __ATOMIC_ACQUIRE) == MEGA_NEW) {
            mega_kill(dp->cache, w->m);
        } else if (config) {
            sp_place_consider(dp, w->m, config);
        }
    }
}

void
sp_upcall(struct sp_dp *dp, struct dp_channel *ch, struct sp_upcall *u, size_t n)
{
    __atomic_add_fetch(&dp->n_upcalls, n, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&dp->ready, __ATOMIC_ACQUIRE)) {
        COVERAGE_ADD(upcall_not_ready, n);
        return; // no tables yet that could say where the packets go
    }
    struct batch *b = batch_get();
    rcu_begin();
    const struct sp_config *config = sp_config_get();
    size_t n_work = 0;
    for (size_t i = 0; i < n; i++) {
        if (u[i].kind == DP_UPCALL_ACTION && u[i].user && u[i].user->kind == DP_USER_CONTROLLER) {
            COVERAGE_INC(upcall_action);
            to_controller(&u[i], config);
            continue;
        }
        b->work[n_work++].u = &u[i];
        if (n_work == SP_UPCALL_BATCH) {
            misses(dp, ch, b, n_work, config);
            n_work = 0;
        }
    }
    if (n_work) {
        misses(dp, ch, b, n_work, config);
    }
    rcu_end();
    batch_put(b);
}

// --- Threads. ---

static void
synchronous(void *dp, struct dp_channel *ch, struct sp_upcall *u, size_t n)
{
    sp_upcall(dp, ch, u, n);
}

static void
run(void *h_)
{
    struct handler *h = h_;
    struct sp_dp *dp = h->all->dp;
    struct dp_upcall *got = base_malloc(SP_UPCALL_BATCH * sizeof *got);
    struct sp_upcall u[SP_UPCALL_BATCH];
    struct pollfd fds[2] = {{.fd = dp->ops->upcall_fd(h->channel), .events = POLLIN},
                            {.fd = h->all->stop_fd, .events = POLLIN}};
    for (;;) {
        size_t n = dp->ops->upcall_recv(h->channel, got, SP_UPCALL_BATCH);
        for (size_t i = 0; i < n; i++) {
            u[i] = (struct sp_upcall){got[i].kind, &got[i].packet, &got[i].key, &got[i].user};
        }
        if (n) {
            sp_upcall(dp, h->channel, u, n);
        }
        // A short batch: nothing more is waiting. A full one: has somebody said to stop?
        if (poll(fds, 2, n < SP_UPCALL_BATCH ? -1 : 0) < 0 && errno != EINTR) {
            LOG_ERR("%s: handler cannot wait for packets: %s", dp->type, base_strerror(errno));
            break;
        }
        if (fds[1].revents) {
            break;
        }
    }
    free(got);
}

static void
stop(struct handlers *hs)
{
    const uint64_t one = 1;
    if (write(hs->stop_fd, &one, sizeof one) < 0) {
        LOG_ERR("%s: handlers cannot be told to end: %s", hs->dp->type, base_strerror(errno));
    }
    for (size_t i = 0; i < hs->n; i++) {
        if (hs->h[i].thread) {
            thread_join(hs->h[i].thread);
        }
    }
    if (hs->n && hs->h[0].thread) {
        hs->dp->ops->upcall_set(hs->dp->dp, NULL, 0);
    }
}

struct handlers *
sp_handlers_new(struct sp_dp *dp, unsigned n, int *error)
{
    sp_upcall_attach_fn *attach = sp_upcall_find(dp->type);
    const size_t count = attach || !dp->ops->upcall_set ? 0 : n ? n : thread_n_cores();
    struct handlers *hs = base_calloc(1, sizeof *hs + count * sizeof hs->h[0]);
    hs->dp = dp;
    hs->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (attach) {
        attach(dp->dp, synchronous, dp);
        return hs;
    }

    struct dp_channel **channels = base_calloc(count + 1, sizeof *channels);
    *error = hs->stop_fd < 0 ? -errno : 0;
    for (size_t i = 0; i < count && !*error; i++) {
        *error = dp->ops->channel_open(dp->dp, &hs->h[i].channel);
        if (!*error) {
            channels[i] = hs->h[i].channel;
            hs->h[i].all = hs;
            hs->n++;
        }
    }
    if (!*error && count) {
        *error = dp->ops->upcall_set(dp->dp, channels, count);
    }
    free(channels);
    if (*error) {
        sp_handlers_free(hs);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "handler%u", (unsigned) (i + 1) % 10000);
        hs->h[i].thread = thread_start(name, run, &hs->h[i]);
    }
    return hs;
}

void
sp_handlers_free(struct handlers *hs)
{
    if (!hs) {
        return;
    }
    sp_upcall_attach_fn *attach = sp_upcall_find(hs->dp->type);
    if (attach) {
        attach(hs->dp->dp, NULL, NULL);
    }
    stop(hs);
    for (size_t i = 0; i < hs->n; i++) {
        hs->dp->ops->channel_close(hs->h[i].channel);
    }
    if (hs->stop_fd >= 0) {
        close(hs->stop_fd);
    }
    free(hs);
}

size_t
sp_handlers_n(const struct handlers *hs)
{
    return hs ? hs->n : 0;
}
