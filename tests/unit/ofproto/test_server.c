// SPDX-License-Identifier: Apache-2.0
// The bridge of harness.h for clients outside: prints its management socket and serves until its
// input ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/loop.h"
#include "tests/unit/ofproto/harness.h"

static void
input(void *loop, int events)
{
    char c;
    if (read(STDIN_FILENO, &c, 1) <= 0) {
        loop_stop(loop);
    }
}

int
main(void)
{
    struct harness h;
    harness_start(&h);
    struct loop_io *io = loop_io_new(h.loop, STDIN_FILENO, LOOP_READ, input, h.loop);
    printf("%s\n", h.mgmt);
    fflush(stdout);
    loop_run(h.loop);
    loop_io_free(io);
    harness_stop(&h);
    return 0;
}
