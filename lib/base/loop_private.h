// SPDX-License-Identifier: Apache-2.0
// For the stream code: work at the very end of a turn, after the hooks, so that what a turn wrote leaves in one go; and calls
// that say what becomes of their argument when the loop ends first.
#ifndef LIB_BASE_LOOP_PRIVATE_H
#define LIB_BASE_LOOP_PRIVATE_H 1

#include "lib/base/list.h"
#include "lib/base/loop.h"

struct loop_flush {
    struct cds_list_head node;
    void (*cb)(struct loop_flush *);
    bool queued;
};

void loop_flush_later(struct loop *, struct loop_flush *);
void loop_flush_cancel(struct loop_flush *);

// loop_call(); drop(arg) instead, in loop_free(), when it did not come to that.
void loop_call_or_drop(struct loop *, void (*fn)(void *arg), void (*drop)(void *arg), void *arg);

#endif
