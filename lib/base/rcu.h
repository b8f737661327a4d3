// SPDX-License-Identifier: Apache-2.0
// Read-copy-update on liburcu (memory-barrier flavour): the only way pointers to changing data cross threads, besides
// lib/base/queue.h.
//
//     reader: rcu_begin(); p = rcu_get(shared); …; rcu_end();
//     writer: old = shared; rcu_set(shared, new); rcu_free_later(old)  or  rcu_call(&old->rcu, fn)
#ifndef LIB_BASE_RCU_H
#define LIB_BASE_RCU_H 1

#include <urcu.h>

#include "lib/base/util.h"

// ThreadSanitizer does not see liburcu's own synchronisation: under it, these tell what a grace period orders.
// rcu_after_grace() belongs at the start of a function given to rcu_call().
#if FB_TSAN
void __tsan_acquire(void *);
void __tsan_release(void *);
extern char rcu_tsan_tag;
#define rcu_before_grace() __tsan_release(&rcu_tsan_tag)
#define rcu_after_grace() __tsan_acquire(&rcu_tsan_tag)
#else
#define rcu_before_grace() ((void) 0)
#define rcu_after_grace() ((void) 0)
#endif

#define rcu_begin() rcu_read_lock()
#define rcu_end() (rcu_before_grace(), rcu_read_unlock())
#define rcu_get(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_set(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)

// Registers the main thread; call once at program start (thread_start() does it for others).
void rcu_start(void);
// Runs fn(head) after all present readers are gone, on a thread of RCU's own.
#define rcu_call(head, fn) (rcu_before_grace(), call_rcu(head, fn))
// free(p) after all present readers are gone. p may be NULL.
void rcu_free_later(void *p);
// fn(arg) after all present readers are gone.
void rcu_defer(void (*fn)(void *), void *arg);
// Waits until all readers present at the call are gone. Never from a reader.
#define rcu_wait() (rcu_before_grace(), synchronize_rcu(), rcu_after_grace())
// Waits until everything deferred has run (tests, exit).
void rcu_drain(void);

#endif
