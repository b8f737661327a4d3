// SPDX-License-Identifier: Apache-2.0
// Under ThreadSanitizer the queue operations are called out of line: the library's own code is not instrumented, and the
// annotations below say what they order.
#include "lib/base/util.h"
#if FB_TSAN
#undef _LGPL_SOURCE
#endif

#include "lib/base/queue.h"

#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#if FB_TSAN
void __tsan_acquire(void *);
void __tsan_release(void *);
#define order_put(q) __tsan_release(q)
#define order_take(q) __tsan_acquire(q)
#else
#define order_put(q) ((void) 0)
#define order_take(q) ((void) 0)
#endif

int
queue_init(struct queue *q)
{
    cds_wfcq_init(&q->head, &q->tail);
    q->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return q->efd < 0 ? -errno : 0;
}

void
queue_destroy(struct queue *q)
{
    close(q->efd);
    cds_wfcq_destroy(&q->head, &q->tail);
}

void
queue_put(struct queue *q, struct queue_node *n)
{
    cds_wfcq_node_init(&n->node);
    order_put(q);
    if (!cds_wfcq_enqueue(&q->head, &q->tail, &n->node)) {
        uint64_t one = 1;
        while (write(q->efd, &one, sizeof one) < 0 && errno == EINTR) {
        }
    }
}

struct queue_node *
queue_take(struct queue *q)
{
    struct cds_wfcq_node *n;
    // A putter between its two steps: it is about to finish.
    while ((n = __cds_wfcq_dequeue_nonblocking(&q->head, &q->tail)) == CDS_WFCQ_WOULDBLOCK) {
        sched_yield();
    }
    if (!n) {
        return NULL;
    }
    order_take(q);
    return CONTAINER_OF(n, struct queue_node, node);
}

int
queue_fd(const struct queue *q)
{
    return q->efd;
}

void
queue_clear_wakeup(struct queue *q)
{
    uint64_t n;
    while (read(q->efd, &n, sizeof n) < 0 && errno == EINTR) {
    }
}
