// SPDX-License-Identifier: Apache-2.0
// One event loop a thread, on libevent. Callbacks run in the loop's thread and never nest. Timers
// follow lib/base/clock.h, so stopped or warped time moves them too.
#ifndef LIB_BASE_LOOP_H
#define LIB_BASE_LOOP_H 1

#include "lib/base/util.h"

struct event_base;
struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;
struct loop_hook;

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop *loop_new(void);
void loop_free(struct loop *);
struct event_base *loop_base(struct loop *); // for libevent's own objects (bufferevent, evhttp)
void loop_run(struct loop *);                // until loop_stop()
// One turn: waits at most max_ms (-1: until something happens, 0: not at all; nor when output was
// left to send). Returns number of callbacks run.
int loop_turn(struct loop *, int max_ms);
void loop_stop(struct loop *); // any thread
void loop_wake(struct loop *); // any thread: makes the loop turn once more, so that hooks run

// Level-triggered file descriptor watch. The descriptor stays the caller's.
struct loop_io *loop_io_new(struct loop *, int fd, int events, void (*cb)(void *aux, int events),
                            void *aux);
void loop_io_set(struct loop_io *, int events); // 0: paused
void loop_io_free(struct loop_io *);            // NULL allowed; fine inside its own callback

// One-shot timer; set again inside the callback for a period. Starts unset.
struct loop_timer *loop_timer_new(struct loop *, void (*cb)(void *aux), void *aux);
void loop_timer_set(struct loop_timer *, int64_t ms_from_now);
void loop_timer_cancel(struct loop_timer *);
bool loop_timer_is_set(const struct loop_timer *);
void loop_timer_free(struct loop_timer *);

struct loop_signal *loop_signal_new(struct loop *, int signum, void (*cb)(void *aux), void *aux);
void loop_signal_free(struct loop_signal *);

// Runs at the end of every turn, after all callbacks: for work that coalesces (configuration
// changed, replies to flush).
struct loop_hook *loop_hook_new(struct loop *, void (*cb)(void *aux), void *aux);
void loop_hook_free(struct loop_hook *);

// Runs fn(arg) once in the loop's thread, soon. Any thread.
void loop_call(struct loop *, void (*fn)(void *arg), void *arg);

#endif
