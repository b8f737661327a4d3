// SPDX-License-Identifier: Apache-2.0
// Threads and locks with clang's -Wthread-safety annotations. A thread made here is registered with
// RCU.
#ifndef LIB_BASE_THREAD_H
#define LIB_BASE_THREAD_H 1

#include <pthread.h>

#include "lib/base/util.h"

#if defined(__clang__)
#define THREAD_ATTR(x) __attribute__((x))
#else
#define THREAD_ATTR(x)
#endif
// Set by --enable-thread-safety: clang finds a sibling member by its name in C from version 22 on,
// and takes it for that of the same object when its address is asked for.
#ifdef CHECK_GUARDED_BY
#define GUARDED_BY(m) THREAD_ATTR(guarded_by(&m))
#else
#define GUARDED_BY(m)
#endif
#define REQUIRES(m) THREAD_ATTR(requires_capability(m))
#define ACQUIRES(m) THREAD_ATTR(acquire_capability(m))
#define RELEASES(m) THREAD_ATTR(release_capability(m))
#define TRY_ACQUIRES(...) THREAD_ATTR(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES(m) THREAD_ATTR(locks_excluded(m))
#define NO_THREAD_SAFETY THREAD_ATTR(no_thread_safety_analysis)

struct THREAD_ATTR(capability("mutex")) mutex {
    pthread_mutex_t m;
};

#define MUTEX_INIT                                                                                 \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER                                                                  \
    }

void mutex_init(struct mutex *);
void mutex_destroy(struct mutex *);
void mutex_lock(struct mutex *m) ACQUIRES(m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRES(true, m);
void mutex_unlock(struct mutex *m) RELEASES(m);

// What may change while the mutex is let go: one waits for it, in a loop that looks again.
struct mutex_cond {
    pthread_cond_t c;
};
void mutex_cond_init(struct mutex_cond *);
void mutex_cond_destroy(struct mutex_cond *);
void mutex_cond_wait(struct mutex_cond *, struct mutex *m) REQUIRES(m);
void mutex_cond_signal(struct mutex_cond *); // wakes one

struct thread;
// Starts a thread called `name` (15 characters; shown by ps and in log lines). It runs fn(arg) as
// an RCU reader.
struct thread *thread_start(const char *name, void (*fn)(void *arg), void *arg);
// Waits for its end and frees it.
void thread_join(struct thread *);
// From the thread itself, as its last act: nobody waits for it.
void thread_detach(struct thread *);
void thread_set_name(const char *); // of the calling thread, when it isn't one of thread_start()
const char *thread_name(void);      // of the calling thread; "" in the main thread
unsigned thread_n_cores(void);      // processors this process may use
// Makes room for about 96 KiB of small allocations by the calling thread: the C library's heaps of
// threads grow page by page, with a system call for each. Costs next to nothing when there is room.
void thread_reserve_heap(void);

#endif
