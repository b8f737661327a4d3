// SPDX-License-Identifier: Apache-2.0
// Handlers: what happens to packets that no place had a flow for, and to those that a flow sends to user space.
//
// Each handler thread owns a datapath channel and a batch of scratch memory. A datapath in this process calls sp_upcall() from its own thread instead, which borrows a batch for
// the call. Handlers never wait for tc and never take a lock for longer than an index update.
#ifndef SLOWPATH_HANDLER_H
#define SLOWPATH_HANDLER_H 1

#include "slowpath/sp_upcall.h"

struct handlers;
struct sp_dp;

// Starts n threads (0: number of cores), or attaches to a synchronous source. NULL with -errno in *error.
struct handlers *sp_handlers_new(struct sp_dp *, unsigned n, int *error);
void sp_handlers_free(struct handlers *);
size_t sp_handlers_n(const struct handlers *);

// Any thread, with its own channel.
void sp_upcall(struct sp_dp *, struct dp_channel *, struct sp_upcall *, size_t n);

#endif
