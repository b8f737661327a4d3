// SPDX-License-Identifier: Apache-2.0
// probe, ping, benchmark: echo requests to a switch or controller.
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "tools/ofctl/ofctl.h"

#define MAX_PAYLOAD (OF_MAX_LEN - OF_HEADER_LEN)

void
cmd_probe(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    struct str out = STR_INIT;
    const uint8_t *data;
    size_t len;
    of_msg_encode_plain(OF_MSG_ECHO_REQUEST, conn_version(c), 0, &out);
    conn_send_bytes(c, out.p, out.len);
    conn_recv(c, &data, &len);
    if (len != OF_HEADER_LEN) {
        log_fatal(0, "reply does not match request");
    }
    str_free(&out);
    conn_free(c);
}

void
cmd_ping(struct cmdline_ctx *ctx)
{
    const uint64_t n = ctx->argc > 2 ? strtoul(ctx->argv[2], NULL, 10) : 64;
    if (n > MAX_PAYLOAD) {
        log_fatal(0, "payload must be between 0 and %d bytes", MAX_PAYLOAD);
    }
    struct conn *c = conn_open(ctx->argv[1]);
    uint8_t *payload = base_malloc(n + 1);
    for (int i = 0; i < 10; i++) {
        for (size_t b = 0; b < n; b++) {
            payload[b] = random_u32();
        }
        struct of_msg reply, request = {.type = OF_MSG_ECHO_REQUEST, .u.data = {payload, n}};
        const int64_t start = clock_now_us();
        conn_ask(c, &request, &reply);
        const int64_t took = clock_now_us() - start;
        if (reply.type != OF_MSG_ECHO_REPLY || reply.u.data.len != n ||
            memcmp(reply.u.data.data, payload, n)) {
            printf("Reply does not match request.  Request:\n");
            ofctl_print(&request, NULL);
            printf("Reply:\n");
            ofctl_print(&reply, NULL);
        }
        printf("%zu bytes from %s: xid=%08" PRIx32 " time=%.1f ms\n", reply.u.data.len,
               ctx->argv[1], reply.xid, took / 1000.0);
        of_msg_clear(&reply);
    }
    free(payload);
    conn_free(c);
}

void
cmd_benchmark(struct cmdline_ctx *ctx)
{
    const uint64_t n = strtoul(ctx->argv[2], NULL, 10), count = strtoul(ctx->argv[3], NULL, 10);
    if (n > MAX_PAYLOAD) {
        log_fatal(0, "payload must be between 0 and %d bytes", MAX_PAYLOAD);
    }
    const uint64_t size = n + OF_HEADER_LEN;
    printf("Sending %" PRIu64 " packets * %" PRIu64 " bytes (with header) = %" PRIu64
           " bytes total\n",
           count, size, count * size);
    struct conn *c = conn_open(ctx->argv[1]);
    uint8_t *payload = base_calloc(1, n + 1);
    const int64_t start = clock_now_us();
    for (uint64_t i = 0; i < count; i++) {
        struct of_msg reply, request = {.type = OF_MSG_ECHO_REQUEST, .u.data = {payload, n}};
        conn_ask(c, &request, &reply);
        of_msg_clear(&reply);
    }
    const double seconds = MAX(clock_now_us() - start, 1) / 1e6;
    printf("Finished in %.1f ms (%.0f packets/s) (%.0f bytes/s)\n", seconds * 1000, count / seconds,
           count * size / seconds);
    free(payload);
    conn_free(c);
}
