// SPDX-License-Identifier: Apache-2.0
// time/stop and time/warp: a warp goes in steps, with a turn of the loop after each, and is answered at its end.
#include <limits.h>

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/base/unixctl.h"

static struct {
    struct unixctl_conn *conn; // NULL: no warp in progress
    struct loop *loop;
    int64_t left, step; // ms
} warp;

static void
stop(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    clock_stop();
    unixctl_reply(conn, NULL);
}

static void
do_step(void *aux)
{
    if (!warp.left) {
        struct unixctl_conn *conn = warp.conn;
        warp.conn = NULL;
        unixctl_reply(conn, "warped");
        return;
    }
    int64_t ms = MIN(warp.step, warp.left);
    warp.left -= ms;
    clock_warp(ms);
    loop_call(warp.loop, do_step, NULL);
}

static void
start(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    uint64_t total, step;
    if (!base_parse_uint(argv[1], INT_MAX, &total) || !total) {
        unixctl_reply_error(conn, "invalid MSECS");
        return;
    }
    step = total;
    if (argc > 2 && (!base_parse_uint(argv[2], INT_MAX, &step) || !step)) {
        unixctl_reply_error(conn, "invalid MSECS");
        return;
    }
    if (warp.conn) {
        unixctl_reply_error(conn, "A previous warp in progress");
        return;
    }
    warp.conn = conn;
    warp.loop = unixctl_conn_loop(conn);
    warp.left = total;
    warp.step = step;
    do_step(NULL);
}

void
clock_unixctl_init(void)
{
    unixctl_register("time/stop", "", 0, 0, stop, NULL);
    unixctl_register("time/warp", "[large_msecs] msecs", 1, 2, start, NULL);
}
