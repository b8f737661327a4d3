// SPDX-License-Identifier: Apache-2.0
// Read-copy-update on liburcu (memory-barrier flavour): the only way pointers to changing data cross threads, besides
// lib/base/queue.h.
//
//     reader: rcu_begin(); p = rcu_get(shared); …; rcu_end();
//     writer: old = shared; rcu_set(shared, new); rcu_free_later(old)  or  rcu_call(&old->rcu, fn)
#ifndef LIB_BASE_RCU_H
#define LIB_BASE_RCU_H 1

#include <urcu.h>

#define rcu_begin() rcu_read_lock()
#define rcu_end() rcu_read_unlock()
#define rcu_get(p) rcu_dereference(p)
#define rcu_set(p, v) rcu_assign_pointer(p, v)

// Registers the main thread; call once at program start (thread_start() does it for others).
void rcu_start(void);
// Runs fn(head) after all present readers are gone, on a thread of RCU's own.
#define rcu_call(head, fn) call_rcu(head, fn)
// free(p) after all present readers are gone. p may be NULL.
void rcu_free_later(void *p);
// fn(arg) after all present readers are gone.
void rcu_defer(void (*fn)(void *), void *arg);
// Waits until all readers present at the call are gone. Never from a reader.
#define rcu_wait() synchronize_rcu()
// Waits until everything deferred has run (tests, exit).
void rcu_drain(void);

#endif
