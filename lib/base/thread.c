// SPDX-License-Identifier: Apache-2.0
// Threads registered with RCU, and mutexes. A lock that is used wrongly ends the program.
#include "lib/base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/rcu.h"

struct thread {
    pthread_t id;
    void (*fn)(void *);
    void *arg;
    char name[16];
};

static _Thread_local char own_name[16];

static void
must(int error, const char *what)
{
    if (error) {
        fprintf(stderr, "%s failed (%s)\n", what, base_strerror(error));
        abort();
    }
}

void
mutex_init(struct mutex *m)
{
    must(pthread_mutex_init(&m->m, NULL), "pthread_mutex_init");
}

void
mutex_destroy(struct mutex *m)
{
    must(pthread_mutex_destroy(&m->m), "pthread_mutex_destroy");
}

void
mutex_lock(struct mutex *m) NO_THREAD_SAFETY
{
    must(pthread_mutex_lock(&m->m), "pthread_mutex_lock");
}

bool
mutex_trylock(struct mutex *m) NO_THREAD_SAFETY
{
    return !pthread_mutex_trylock(&m->m);
}

void
mutex_unlock(struct mutex *m) NO_THREAD_SAFETY
{
    must(pthread_mutex_unlock(&m->m), "pthread_mutex_unlock");
}

void
mutex_cond_init(struct mutex_cond *c)
{
    must(pthread_cond_init(&c->c, NULL), "pthread_cond_init");
}

void
mutex_cond_destroy(struct mutex_cond *c)
{
    must(pthread_cond_destroy(&c->c), "pthread_cond_destroy");
}

void
mutex_cond_wait(struct mutex_cond *c, struct mutex *m) NO_THREAD_SAFETY
{
    must(pthread_cond_wait(&c->c, &m->m), "pthread_cond_wait");
}

void
mutex_cond_signal(struct mutex_cond *c)
{
    must(pthread_cond_signal(&c->c), "pthread_cond_signal");
}

static void *
thread_main(void *t_)
{
    struct thread *t = t_;
    memcpy(own_name, t->name, sizeof own_name);
    rcu_register_thread();
    t->fn(t->arg);
    rcu_unregister_thread();
    return NULL;
}

struct thread *
thread_start(const char *name, void (*fn)(void *), void *arg)
{
    struct thread *t = base_calloc(1, sizeof *t);
    t->fn = fn;
    t->arg = arg;
    snprintf(t->name, sizeof t->name, "%.15s", name);
    // Signals go to the main thread.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    must(pthread_create(&t->id, NULL, thread_main, t), "pthread_create");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_setname_np(t->id, t->name);
    return t;
}

void
thread_join(struct thread *t)
{
    must(pthread_join(t->id, NULL), "pthread_join");
    free(t);
}

void
thread_detach(struct thread *t)
{
    must(pthread_detach(pthread_self()), "pthread_detach");
    free(t);
}

void
thread_set_name(const char *name)
{
    snprintf(own_name, sizeof own_name, "%.15s", name);
}

const char *
thread_name(void)
{
    return own_name;
}

unsigned
thread_n_cores(void)
{
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set)) {
        return MAX(CPU_COUNT(&set), 1);
    }
    return MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

void
thread_reserve_heap(void)
{
    // What is freed at the end of a heap stays with it up to 128 KiB, and so does its memory's
    // protection: no page is touched.
    void *volatile room = malloc(96 * 1024);
    free(room);
}
