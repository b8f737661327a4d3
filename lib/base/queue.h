// SPDX-License-Identifier: Apache-2.0
// Queue from many threads to one, with wake-up: wait-free put (liburcu's wfcqueue) and an eventfd for the taker's loop.
#ifndef LIB_BASE_QUEUE_H
#define LIB_BASE_QUEUE_H 1

#include <urcu/wfcqueue.h>

#include "lib/base/util.h"

struct queue_node {
    struct cds_wfcq_node node;
};

struct queue {
    struct cds_wfcq_head head; // owner: taker
    struct cds_wfcq_tail tail;
    int efd; // eventfd, non-blocking: readable after the queue went from empty to not empty
};

int queue_init(struct queue *); // 0 or -errno
void queue_destroy(struct queue *);
// Appends; wakes the taker when the queue was empty. The memory belongs to the queue until taken.
void queue_put(struct queue *, struct queue_node *);
// First node or NULL. Only the taking thread.
struct queue_node *queue_take(struct queue *);
int queue_fd(const struct queue *);
// Resets the eventfd: call when woken, before taking all.
void queue_clear_wakeup(struct queue *);

#endif
