// SPDX-License-Identifier: Apache-2.0
// The event loop: libevent waits for descriptors and signals; timers are a heap of ours, since they
// follow lib/base/clock.h. The wait ends by a timer descriptor of ours, which is armed anew only
// when the deadline moves: libevent's own precise timers would cost a system call in each turn.
// Everything is owned by the loop's thread, but the queue of calls and the two flags, through which
// other threads talk to it. A turn: wait, descriptor callbacks, timers that are due, hooks,
// flushes.
#include "lib/base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/loop_private.h"
#include "lib/base/queue.h"
#include "lib/base/thread.h"

struct loop {
    struct event_base *base;
    int tick_fd; // timer that ends the wait when one of ours is due
    struct event *tick;
    int64_t tick_at;            // real time it is set for, INT64_MAX: not set
    int64_t tick_for;           // deadline of the timer that it is set for, INT64_MAX: none
    struct loop_timer **timers; // heap by (deadline, order)
    size_t n_timers, cap_timers;
    uint64_t timer_order;
    struct cds_list_head hooks;
    struct loop_hook *next_hook; // while running hooks
    struct cds_list_head flushes;
    struct queue calls;
    struct event *calls_event;
    bool wake_pending; // atomic
    bool stop;         // atomic
    int n_callbacks;
    struct cds_list_head all_node; // all_loops
};

struct loop_io {
    struct loop *loop;
    struct event *event;
    int fd, events;
    void (*cb)(void *, int);
    void *aux;
};

struct loop_timer {
    struct loop *loop;
    int64_t at; // ms of clock_now()
    uint64_t order;
    size_t pos; // in the heap, SIZE_MAX: not set
    void (*cb)(void *);
    void *aux;
};

struct loop_signal {
    struct loop *loop;
    struct event *event;
    void (*cb)(void *);
    void *aux;
};

struct loop_hook {
    struct loop *loop;
    struct cds_list_head node;
    void (*cb)(void *);
    void *aux;
};

struct call {
    struct queue_node node;
    void (*fn)(void *);
    void (*drop)(void *); // when the loop ends first; NULL: nothing
    void *arg;
};

static struct mutex all_mutex = MUTEX_INIT;
static CDS_LIST_HEAD(all_loops);

static void
on_clock_change(void)
{
    struct loop *l;
    mutex_lock(&all_mutex);
    LIST_FOR_EACH (l, all_node, &all_loops) {
        loop_wake(l);
    }
    mutex_unlock(&all_mutex);
}

static void
on_tick(evutil_socket_t fd, short what, void *loop_)
{
    struct loop *l = loop_;
    uint64_t n;
    if (read(l->tick_fd, &n, sizeof n) == sizeof n) {
        l->tick_at = l->tick_for = INT64_MAX;
    }
}

static void
on_calls(evutil_socket_t fd, short what, void *loop_)
{
    struct loop *l = loop_;
    queue_clear_wakeup(&l->calls);
    __atomic_store_n(&l->wake_pending, false, __ATOMIC_SEQ_CST);
    // Calls that are put from now on belong to the next turn.
    struct call **batch = NULL;
    size_t n = 0, cap = 0;
    for (struct queue_node *node; (node = queue_take(&l->calls)); n++) {
        if (n == cap) {
            batch = base_grow(batch, &cap, sizeof *batch);
        }
        batch[n] = CONTAINER_OF(node, struct call, node);
    }
    for (size_t i = 0; i < n; i++) {
        l->n_callbacks++;
        batch[i]->fn(batch[i]->arg);
        free(batch[i]);
    }
    free(batch);
}

struct loop *
loop_new(void)
{
    struct loop *l = base_calloc(1, sizeof *l);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    int error = queue_init(&l->calls);
    l->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!l->base || error || l->tick_fd < 0) {
        log_fatal(error ? error : errno, "cannot create an event loop");
    }
    l->tick = event_new(l->base, l->tick_fd, EV_READ | EV_PERSIST, on_tick, l);
    event_add(l->tick, NULL);
    l->tick_at = l->tick_for = INT64_MAX;
    l->calls_event = event_new(l->base, queue_fd(&l->calls), EV_READ | EV_PERSIST, on_calls, l);
    event_add(l->calls_event, NULL);
    CDS_INIT_LIST_HEAD(&l->hooks);
    CDS_INIT_LIST_HEAD(&l->flushes);
    mutex_lock(&all_mutex);
    cds_list_add(&l->all_node, &all_loops);
    mutex_unlock(&all_mutex);
    clock_on_change(on_clock_change);
    return l;
}

void
loop_free(struct loop *l)
{
    if (!l) {
        return;
    }
    mutex_lock(&all_mutex);
    cds_list_del(&l->all_node);
    mutex_unlock(&all_mutex);
    for (struct queue_node *node; (node = queue_take(&l->calls));) {
        struct call *c = CONTAINER_OF(node, struct call, node);
        if (c->drop) {
            c->drop(c->arg);
        }
        free(c);
    }
    event_free(l->tick);
    close(l->tick_fd);
    event_free(l->calls_event);
    event_base_free(l->base);
    queue_destroy(&l->calls);
    free(l->timers);
    free(l);
}

struct event_base *
loop_base(struct loop *l)
{
    return l->base;
}

// --- timers ---

static bool
before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
put_timer(struct loop *l, size_t pos, struct loop_timer *t)
{
    l->timers[pos] = t;
    t->pos = pos;
}

static void
sift(struct loop *l, size_t pos, struct loop_timer *t)
{
    while (pos && before(t, l->timers[(pos - 1) / 2])) {
        put_timer(l, pos, l->timers[(pos - 1) / 2]);
        pos = (pos - 1) / 2;
    }
    for (;;) {
        size_t child = pos * 2 + 1;
        if (child + 1 < l->n_timers && before(l->timers[child + 1], l->timers[child])) {
            child++;
        }
        if (child >= l->n_timers || !before(l->timers[child], t)) {
            break;
        }
        put_timer(l, pos, l->timers[child]);
        pos = child;
    }
    put_timer(l, pos, t);
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *), void *aux)
{
    struct loop_timer *t = base_malloc(sizeof *t);
    *t = (struct loop_timer){l, 0, 0, SIZE_MAX, cb, aux};
    return t;
}

void
loop_timer_set(struct loop_timer *t, int64_t ms)
{
    struct loop *l = t->loop;
    t->at = clock_now() + MAX(ms, 0);
    t->order = l->timer_order++;
    if (t->pos == SIZE_MAX) {
        if (l->n_timers == l->cap_timers) {
            l->timers = base_grow(l->timers, &l->cap_timers, sizeof *l->timers);
        }
        t->pos = l->n_timers++;
    }
    sift(l, t->pos, t);
}

void
loop_timer_cancel(struct loop_timer *t)
{
    struct loop *l = t->loop;
    size_t pos = t->pos;
    if (pos == SIZE_MAX) {
        return;
    }
    t->pos = SIZE_MAX;
    struct loop_timer *last = l->timers[--l->n_timers];
    if (last != t) {
        sift(l, pos, last);
    }
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
    return t->pos != SIZE_MAX;
}

void
loop_timer_free(struct loop_timer *t)
{
    if (t) {
        loop_timer_cancel(t);
        free(t);
    }
}

// The tick will come for the first timer, and hasn't yet: no need to ask for the time.
static bool
tick_is_right(const struct loop *l)
{
    return l->n_timers && l->timers[0]->at == l->tick_for && !clock_is_stopped();
}

static void
run_timers(struct loop *l)
{
    if (!l->n_timers || tick_is_right(l)) {
        return;
    }
    // What a callback sets anew waits for the next turn, even with 0 ms.
    int64_t now = clock_now();
    uint64_t order = l->timer_order;
    while (l->n_timers && l->timers[0]->at <= now && l->timers[0]->order < order) {
        struct loop_timer *t = l->timers[0];
        loop_timer_cancel(t);
        l->n_callbacks++;
        t->cb(t->aux);
    }
}

// --- descriptors and signals ---

static void
on_io(evutil_socket_t fd, short what, void *io_)
{
    struct loop_io *io = io_;
    io->loop->n_callbacks++;
    io->cb(io->aux, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
}

struct loop_io *
loop_io_new(struct loop *l, int fd, int events, void (*cb)(void *, int), void *aux)
{
    struct loop_io *io = base_malloc(sizeof *io);
    *io = (struct loop_io){l, event_new(l->base, fd, EV_PERSIST, on_io, io), fd, 0, cb, aux};
    loop_io_set(io, events);
    return io;
}

void
loop_io_set(struct loop_io *io, int events)
{
    if (events == io->events) {
        return;
    }
    if (io->events) {
        event_del(io->event);
    }
    io->events = events;
    if (events) {
        short what =
            EV_PERSIST | (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);
        event_assign(io->event, io->loop->base, io->fd, what, on_io, io);
        if (event_add(io->event, NULL)) {
            log_fatal(errno, "cannot watch file descriptor %d", io->fd);
        }
    }
}

void
loop_io_free(struct loop_io *io)
{
    if (io) {
        event_free(io->event);
        free(io);
    }
}

static void
on_signal(evutil_socket_t signum, short what, void *signal_)
{
    struct loop_signal *s = signal_;
    s->loop->n_callbacks++;
    s->cb(s->aux);
}

struct loop_signal *
loop_signal_new(struct loop *l, int signum, void (*cb)(void *), void *aux)
{
    struct loop_signal *s = base_malloc(sizeof *s);
    *s = (struct loop_signal){l, evsignal_new(l->base, signum, on_signal, s), cb, aux};
    event_add(s->event, NULL);
    return s;
}

void
loop_signal_free(struct loop_signal *s)
{
    if (s) {
        event_free(s->event);
        free(s);
    }
}

// --- hooks and flushes ---

struct loop_hook *
loop_hook_new(struct loop *l, void (*cb)(void *), void *aux)
{
    struct loop_hook *h = base_malloc(sizeof *h);
    *h = (struct loop_hook){.loop = l, .cb = cb, .aux = aux};
    cds_list_add_tail(&h->node, &l->hooks);
    return h;
}

void
loop_hook_free(struct loop_hook *h)
{
    if (h) {
        if (h->loop->next_hook == h) {
            h->loop->next_hook = cds_list_entry(h->node.next, struct loop_hook, node);
        }
        cds_list_del(&h->node);
        free(h);
    }
}

static void
run_hooks(struct loop *l)
{
    l->next_hook = cds_list_entry(l->hooks.next, struct loop_hook, node);
    while (&l->next_hook->node != &l->hooks) {
        struct loop_hook *h = l->next_hook;
        l->next_hook = cds_list_entry(h->node.next, struct loop_hook, node);
        h->cb(h->aux);
    }
    l->next_hook = NULL;
}

void
loop_flush_later(struct loop *l, struct loop_flush *f)
{
    if (!f->queued) {
        f->queued = true;
        cds_list_add_tail(&f->node, &l->flushes);
    }
}

void
loop_flush_cancel(struct loop_flush *f)
{
    if (f->queued) {
        f->queued = false;
        cds_list_del(&f->node);
    }
}

static void
run_flushes(struct loop *l)
{
    // Those queued meanwhile run in the next turn, which then doesn't wait.
    struct cds_list_head batch;
    CDS_INIT_LIST_HEAD(&batch);
    cds_list_splice(&l->flushes, &batch);
    CDS_INIT_LIST_HEAD(&l->flushes);
    while (!cds_list_empty(&batch)) {
        struct loop_flush *f = cds_list_entry(batch.next, struct loop_flush, node);
        loop_flush_cancel(f);
        f->cb(f);
    }
}

// --- turns ---

// ms to wait at most, -1: until something happens.
static int64_t
wait_limit(struct loop *l, int max_ms)
{
    if (!cds_list_empty(&l->flushes)) {
        return 0;
    }
    int64_t limit = max_ms;
    if (l->n_timers) {
        int64_t left = l->timers[0]->at - clock_now();
        if (left <= 0) {
            return 0;
        }
        if (!clock_is_stopped()) {
            limit = limit < 0 ? left : MIN(limit, left);
        }
    }
    return limit;
}

// ms > 0, or < 0: none.
static void
set_tick(struct loop *l, int64_t ms)
{
    int64_t at = ms < 0 ? INT64_MAX : clock_now_us() / 1000 + ms;
    if (at != l->tick_at) {
        struct itimerspec t = {0};
        if (ms > 0) {
            t.it_value = (struct timespec){ms / 1000, ms % 1000 * 1000000};
        }
        timerfd_settime(l->tick_fd, 0, &t, NULL);
        l->tick_at = at;
    }
}

// Has the tick end the wait; false: there is to be none.
static bool
prepare_wait(struct loop *l, int max_ms)
{
    if (max_ms < 0 && cds_list_empty(&l->flushes) && tick_is_right(l)) {
        return true;
    }
    const int64_t limit = wait_limit(l, max_ms);
    if (limit) {
        set_tick(l, limit);
        l->tick_for = max_ms < 0 && limit > 0 ? l->timers[0]->at : INT64_MAX;
    }
    return limit != 0;
}

int
loop_turn(struct loop *l, int max_ms)
{
    l->n_callbacks = 0;
    // What was written since the last turn may be all that the caller waits for: then nothing else
    // would end the wait.
    const bool flushed = !cds_list_empty(&l->flushes);
    if (flushed) {
        run_flushes(l);
    }
    const bool wait = !flushed && prepare_wait(l, max_ms);
    event_base_loop(l->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    run_timers(l);
    run_hooks(l);
    run_flushes(l);
    return l->n_callbacks;
}

void
loop_run(struct loop *l)
{
    while (!__atomic_exchange_n(&l->stop, false, __ATOMIC_SEQ_CST)) {
        loop_turn(l, -1);
    }
}

void
loop_wake(struct loop *l)
{
    if (!__atomic_exchange_n(&l->wake_pending, true, __ATOMIC_SEQ_CST)) {
        uint64_t one = 1;
        while (write(queue_fd(&l->calls), &one, sizeof one) < 0 && errno == EINTR) {
        }
    }
}

void
loop_stop(struct loop *l)
{
    __atomic_store_n(&l->stop, true, __ATOMIC_SEQ_CST);
    loop_wake(l);
}

void
loop_call_or_drop(struct loop *l, void (*fn)(void *), void (*drop)(void *), void *arg)
{
    struct call *c = base_malloc(sizeof *c);
    c->fn = fn;
    c->drop = drop;
    c->arg = arg;
    queue_put(&l->calls, &c->node);
}

void
loop_call(struct loop *l, void (*fn)(void *), void *arg)
{
    loop_call_or_drop(l, fn, NULL, arg);
}
