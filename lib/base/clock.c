// SPDX-License-Identifier: Apache-2.0
// The offset between real and virtual time is kept: while stopped, both clocks answer the stored virtual times.
#include "lib/base/clock.h"

#include <stdio.h>
#include <time.h>

static bool stopped;         // atomic
static int64_t virtual_mono; // atomic, ms
static int64_t virtual_wall; // atomic, ms
static void (*on_change)(void);
static _Thread_local int64_t held; // ms, 0: not held

static int64_t
read_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_now(void)
{
    if (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
        return __atomic_load_n(&virtual_mono, __ATOMIC_RELAXED);
    }
    return held ? held : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_fresh(void)
{
    const int64_t kept = held;
    held = 0;
    const int64_t now = clock_now();
    held = kept;
    return now;
}

void
clock_hold(void)
{
    held = 0;
    held = clock_now();
}

void
clock_let_go(void)
{
    held = 0;
}

int64_t
clock_wall(void)
{
    if (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
        return __atomic_load_n(&virtual_wall, __ATOMIC_RELAXED);
    }
    return read_us(CLOCK_REALTIME) / 1000;
}

void
clock_stop(void)
{
    if (!clock_is_stopped()) {
        __atomic_store_n(&virtual_mono, clock_now(), __ATOMIC_RELAXED);
        __atomic_store_n(&virtual_wall, clock_wall(), __ATOMIC_RELAXED);
        __atomic_store_n(&stopped, true, __ATOMIC_RELEASE);
        if (on_change) {
            on_change();
        }
    }
}

bool
clock_is_stopped(void)
{
    return __atomic_load_n(&stopped, __ATOMIC_ACQUIRE);
}

void
clock_warp(int64_t ms)
{
    clock_stop();
    __atomic_fetch_add(&virtual_mono, ms, __ATOMIC_RELAXED);
    __atomic_fetch_add(&virtual_wall, ms, __ATOMIC_RELAXED);
    if (on_change) {
        on_change();
    }
}

void
clock_on_change(void (*cb)(void))
{
    on_change = cb;
}

void
clock_format(char *out, size_t size, const char *pattern, int64_t wall_ms, bool utc)
{
    time_t t = wall_ms / 1000;
    struct tm tm;
    if (utc) {
        gmtime_r(&t, &tm);
    } else {
        localtime_r(&t, &tm);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t n = strftime(out, size, pattern, &tm);
#pragma GCC diagnostic pop
    if (size) {
        out[n] = '\0';
    }
    char fraction[8];
    snprintf(fraction, sizeof fraction, "%03u", (unsigned) (wall_ms % 1000) % 1000);
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        run = out[i] == '#' ? run + 1 : 0;
        if (run) {
            out[i] = run <= 3 ? fraction[run - 1] : '0';
        }
    }
}
