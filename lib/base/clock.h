// SPDX-License-Identifier: Apache-2.0
// Time: monotonic and wall clock, which tests may stop and warp (`time/stop`, `time/warp`).
// Timers of lib/base/loop.h follow the same clock.
#ifndef LIB_BASE_CLOCK_H
#define LIB_BASE_CLOCK_H 1

#include "lib/base/util.h"

int64_t clock_now(void);      // ms, monotonic (virtual while stopped)
int64_t clock_now_us(void);   // µs, monotonic; never virtual: for measuring
int64_t clock_wall(void);     // ms since the epoch (virtual while stopped)
// Until clock_let_go(), clock_now() answers this thread what it answers now: one look at the clock for a batch, not one for each of its entries.
void clock_hold(void);
void clock_let_go(void);
int64_t clock_fresh(void);    // ms, as clock_now(), though held: for who waits for something that others do
void clock_stop(void);        // from now on time stands still until warped
bool clock_is_stopped(void);
void clock_warp(int64_t ms);  // moves virtual time forwards (main thread)
// Called after each stop and warp, in the thread that did it (lib/base/loop.c wakes its loops).
void clock_on_change(void (*cb)(void));
// Text of a wall-clock time in UTC or local time: strftime pattern, where a run of # stands for the fraction of the second.
void clock_format(char *out, size_t size, const char *pattern, int64_t wall_ms, bool utc);
// Registers time/stop and time/warp (only in programs started with --enable-dummy).
void clock_unixctl_init(void);

#endif
