// SPDX-License-Identifier: Apache-2.0
// The event loop: timers under stopped and warped time, descriptors, hooks, calls from other
// threads, queues between threads.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/base/loop_private.h"
#include "lib/base/queue.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"

static struct loop *loop;

static void
count(void *n)
{
    ++*(int *) n;
}

struct order {
    int *log, at;
    size_t *n;
};

static void
note(void *o_)
{
    struct order *o = o_;
    o->log[(*o->n)++] = o->at;
}

static void
test_timers_follow_the_stopped_clock(void **state)
{
    int log[64];
    size_t n = 0;
    struct order orders[20];
    struct loop_timer *timers[20];
    clock_stop();
    for (int i = 0; i < 20; i++) {
        orders[i] = (struct order){log, (i * 7 % 20 + 1) * 100, &n};
        timers[i] = loop_timer_new(loop, note, &orders[i]);
        loop_timer_set(timers[i], orders[i].at);
    }
    loop_turn(loop, 0);
    assert_int_equal(n, 0);
    loop_timer_cancel(timers[0]); // the one of 100 ms
    assert_false(loop_timer_is_set(timers[0]));
    clock_warp(250);
    loop_turn(loop, 0);
    assert_int_equal(n, 1);
    assert_int_equal(log[0], 200);
    clock_warp(5000);
    loop_turn(loop, 0);
    assert_int_equal(n, 19);
    for (size_t i = 1; i < n; i++) {
        assert_true(log[i] > log[i - 1]); // in order of time
    }
    for (int i = 0; i < 20; i++) {
        loop_timer_free(timers[i]);
    }
}

static int pipe_fds[2];
static int n_read;

static void
readable(void *aux, int events)
{
    char c;
    assert_true(events & LOOP_READ);
    assert_int_equal(read(pipe_fds[0], &c, 1), 1);
    n_read++;
}

static void
test_descriptors_and_hooks(void **state)
{
    int turns = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    struct loop_io *io = loop_io_new(loop, pipe_fds[0], LOOP_READ, readable, NULL);
    struct loop_hook *hook = loop_hook_new(loop, count, &turns);
    loop_turn(loop, 0);
    assert_int_equal(n_read, 0);
    assert_int_equal(write(pipe_fds[1], "ab", 2), 2);
    loop_turn(loop, -1);
    loop_turn(loop, -1);
    assert_int_equal(n_read, 2);
    assert_true(turns >= 3);
    loop_io_set(io, 0);
    assert_int_equal(write(pipe_fds[1], "c", 1), 1);
    loop_turn(loop, 0);
    assert_int_equal(n_read, 2);
    loop_io_set(io, LOOP_READ);
    loop_turn(loop, -1);
    assert_int_equal(n_read, 3);
    loop_io_free(io);
    loop_hook_free(hook);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

#define CALLS 2000
static int n_called; // owner: loop's thread

static void
called(void *aux)
{
    if (++n_called == 2 * CALLS) {
        loop_stop(loop);
    }
}

static void
caller(void *aux)
{
    for (int i = 0; i < CALLS; i++) {
        loop_call(loop, called, NULL);
    }
}

static void
test_calls_from_threads(void **state)
{
    struct thread *a = thread_start("caller1", caller, NULL),
                  *b = thread_start("caller2", caller, NULL);
    loop_run(loop);
    thread_join(a);
    thread_join(b);
    assert_int_equal(n_called, 2 * CALLS);
}

#define PUT 20000
struct number {
    struct queue_node node;
    unsigned from, value;
};

struct producer {
    struct queue *q;
    unsigned id;
};

static void
produce(void *p_)
{
    struct producer *p = p_;
    for (unsigned i = 0; i < PUT; i++) {
        struct number *n = base_malloc(sizeof *n);
        n->from = p->id;
        n->value = i;
        queue_put(p->q, &n->node);
    }
}

// Nothing is lost, each producer's order is kept, and the taker is woken whenever it must be.
static void
test_queue(void **state)
{
    struct queue q;
    struct producer p[3];
    struct thread *t[3];
    unsigned next[3] = {0, 0, 0}, total = 0;
    assert_int_equal(queue_init(&q), 0);
    for (unsigned i = 0; i < 3; i++) {
        p[i] = (struct producer){&q, i};
        t[i] = thread_start("producer", produce, &p[i]);
    }
    while (total < 3 * PUT) {
        uint64_t n;
        fd_set fds;
        FD_ZERO(&fds);
        FD_SET(queue_fd(&q), &fds);
        assert_int_equal(select(queue_fd(&q) + 1, &fds, NULL, NULL, &(struct timeval){60, 0}),
                         1); // hangs: a lost wake-up
        queue_clear_wakeup(&q);
        struct queue_node *node;
        for (n = 0; (node = queue_take(&q)); n++) {
            struct number *v = CONTAINER_OF(node, struct number, node);
            assert_int_equal(v->value, next[v->from]);
            next[v->from]++;
            free(v);
        }
        total += (unsigned) n;
    }
    for (unsigned i = 0; i < 3; i++) {
        thread_join(t[i]);
    }
    assert_null(queue_take(&q));
    queue_destroy(&q);
}

static int freed; // atomic

static void
note_freed(void *aux)
{
    __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED);
}

struct boxed {
    int a, b;
};
static struct boxed *shared; // RCU
static bool stop;            // atomic

static void
read_shared(void *aux)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        rcu_begin();
        const struct boxed *p = rcu_get(shared);
        assert_int_equal(p->a + 1, p->b);
        rcu_end();
    }
}

static void
test_rcu(void **state)
{
    shared = base_malloc(sizeof *shared);
    *shared = (struct boxed){0, 1};
    struct thread *t = thread_start("reader", read_shared, NULL);
    for (int i = 1; i < 3000; i++) {
        struct boxed *now = base_malloc(sizeof *now), *old = shared;
        *now = (struct boxed){i, i + 1};
        rcu_set(shared, now);
        rcu_free_later(old);
        rcu_defer(note_freed, NULL);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    thread_join(t);
    rcu_drain();
    assert_int_equal(__atomic_load_n(&freed, __ATOMIC_RELAXED), 2999);
    free(shared);
}

struct sending {
    struct loop_flush flush;
    int n;
};

static void
note_sent(struct loop_flush *f)
{
    CONTAINER_OF(f, struct sending, flush)->n++;
}

// Who writes between two turns and waits until all is sent has nothing else that would wake him.
static void
test_a_turn_that_sends_does_not_wait(void **state)
{
    struct sending s = {.flush = {.cb = note_sent}};
    const int64_t start = clock_now_us();
    loop_turn(loop, 0);
    loop_flush_later(loop, &s.flush);
    loop_turn(loop, 20000);
    assert_int_equal(s.n, 1);
    assert_true(clock_now_us() - start < 10000000);
}

struct alarm {
    struct loop_timer *timer;
    int64_t due; // ms; 0: not set
    unsigned n;
};

static void
ring(void *a_)
{
    struct alarm *a = a_;
    assert_true(a->due && clock_now() >= a->due);
    a->due = 0;
    a->n++;
}

// Set, set anew and cancelled at random, between turns that wait, that don't, and that end for
// another reason: each rings once, not before its time. (One that is forgotten ends the test by the
// signal.)
static void
test_timers_in_real_time(void **state)
{
    struct alarm alarms[6] = {{NULL, 0, 0}};
    unsigned n_set = 0, n_rung = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    struct loop_io *io = loop_io_new(loop, pipe_fds[0], LOOP_READ, readable, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(alarms); i++) {
        alarms[i].timer = loop_timer_new(loop, ring, &alarms[i]);
    }
    alarm(120);
    for (int round = 0; round < 3000; round++) {
        struct alarm *a = &alarms[random_below(ARRAY_SIZE(alarms))];
        const int64_t ms = random_below(4);
        if (random_below(5)) {
            n_set += !a->due;
            a->due = clock_now() + ms;
            loop_timer_set(a->timer, ms);
        } else if (a->due) {
            n_set--;
            a->due = 0;
            loop_timer_cancel(a->timer);
        }
        bool any = false;
        for (size_t i = 0; i < ARRAY_SIZE(alarms); i++) {
            any |= alarms[i].due != 0;
        }
        if (random_below(2)) {
            assert_int_equal(write(pipe_fds[1], "x", 1), 1);
            any = true;
        }
        loop_turn(loop, any && random_below(4) ? -1 : (int) random_below(2));
    }
    for (size_t i = 0; i < ARRAY_SIZE(alarms); i++) {
        while (alarms[i].due) {
            loop_turn(loop, -1);
        }
        n_rung += alarms[i].n;
        loop_timer_free(alarms[i].timer);
    }
    alarm(0);
    assert_int_equal(n_rung, n_set);
    loop_io_free(io);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    rcu_start();
    loop = loop_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_and_hooks),
        cmocka_unit_test(test_timers_in_real_time),
        cmocka_unit_test(test_calls_from_threads),
        cmocka_unit_test(test_a_turn_that_sends_does_not_wait),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_rcu),
        cmocka_unit_test(test_timers_follow_the_stopped_clock),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_drain();
    loop_free(loop);
    return failed;
}
