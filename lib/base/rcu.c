// SPDX-License-Identifier: Apache-2.0
#include "lib/base/rcu.h"

#include <stdlib.h>

#include "lib/base/util.h"

#if FB_TSAN
char rcu_tsan_tag;

// liburcu is not instrumented: how its threads wake and free among themselves looks like races.
const char *__tsan_default_suppressions(void);
const char *
__tsan_default_suppressions(void)
{
    return "race:liburcu\nrace:urcu_common_wake_up_gp\nrace:_urcu_memb_"
           "read_unlock_update_and_wakeup\n";
}
#endif

struct deferred {
    struct rcu_head head;
    void (*fn)(void *);
    void *arg;
};

void
rcu_start(void)
{
    rcu_register_thread();
}

static void
run_deferred(struct rcu_head *head)
{
    struct deferred *d = CONTAINER_OF(head, struct deferred, head);
    rcu_after_grace();
    d->fn(d->arg);
    free(d);
}

void
rcu_defer(void (*fn)(void *), void *arg)
{
    struct deferred *d = base_malloc(sizeof *d);
    d->fn = fn;
    d->arg = arg;
    rcu_before_grace();
    call_rcu(&d->head, run_deferred);
}

void
rcu_free_later(void *p)
{
    if (p) {
        rcu_defer(free, p);
    }
}

void
rcu_drain(void)
{
    rcu_barrier();
    rcu_after_grace();
}
