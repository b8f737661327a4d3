// SPDX-License-Identifier: Apache-2.0
// Sends UDP frames of many flows into a device, at a given rate: the traffic of measurements.
//
// usage: blast DEVICE COUNT FLOWS RATE [SIZE [FIRST [MACS]]]
// COUNT frames, flow after flow in turn from flow FIRST on (flows differ in addresses and ports),
// RATE frames a second (0: as fast as possible), of SIZE bytes without FCS. MACS 1: each flow has a
// source MAC address of its own. Prints the number of frames that the device took.
#include "config.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/flow/packet.h"
#include "lib/net/packet_headers.h"

#define BATCH 32

static void
make_frame(struct packet *p, uint64_t flow, size_t size, bool macs)
{
    struct flow_key k;
    memset(&k, 0, sizeof k);
    k.eth_dst = (struct mac){{2, 0xff, 0, 0, 0, 2}}; // nobody: who gets them drops them at once
    k.eth_src = (struct mac){{2, 1, 0, 0, 0, 1}};
    if (macs) {
        const be32_t n = htobe32((uint32_t) flow);
        memcpy(&k.eth_src.b[2], &n, sizeof n);
    }
    k.eth_type = htobe16(ETH_TYPE_IP);
    k.nw_src = htobe32(0x0a000000 | (uint32_t) (flow >> 14 & 0x3fffff));
    k.nw_dst = htobe32(0x0b000001);
    k.nw_proto = IP_PROTO_UDP;
    k.nw_ttl = 64;
    k.tp_src = htobe16((uint16_t) (1024 + (flow & 0x3fff)));
    k.tp_dst = htobe16(9);
    packet_compose(p, &k, size > 42 ? size - 42 : 0);
}

static void
wait_for(uint64_t sent, uint64_t rate, int64_t began)
{
    if (!rate) {
        return;
    }
    const int64_t due = began + (int64_t) (sent * 1000000 / rate), now = clock_now_us();
    if (due > now) {
        const struct timespec ts = {(due - now) / 1000000, (due - now) % 1000000 * 1000};
        nanosleep(&ts, NULL);
    }
}

int
main(int argc, char *argv[])
{
    uint64_t n[6] = {0, 1, 0, 60, 0, 0}; // COUNT FLOWS RATE SIZE FIRST MACS
    bool good = argc >= 5 && argc <= 8;
    for (int i = 2; i < argc && good; i++) {
        good = base_parse_uint(argv[i], UINT32_MAX, &n[i - 2]);
    }
    if (!good || !n[1]) {
        fprintf(stderr, "usage: blast DEVICE COUNT FLOWS RATE [SIZE [FIRST [MACS]]]\n");
        return 2;
    }
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    const struct sockaddr_ll addr = {.sll_family = AF_PACKET,
                                     .sll_ifindex = (int) if_nametoindex(argv[1])};
    if (fd < 0 || !addr.sll_ifindex || bind(fd, (const struct sockaddr *) &addr, sizeof addr) < 0) {
        fprintf(stderr, "blast: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    const size_t n_frames = n[1] < 65536 ? n[1] : 65536; // made before; the rest on the way
    struct packet *frames = calloc(n_frames, sizeof *frames);
    for (size_t i = 0; i < n_frames; i++) {
        make_frame(&frames[i], n[4] + i, n[3], n[5]);
    }
    uint64_t sent = 0, next = 0;
    const int64_t began = clock_now_us();
    for (uint64_t done = 0; done < n[0]; done += BATCH) {
        struct mmsghdr msgs[BATCH];
        struct iovec iov[BATCH];
        const unsigned batch = n[0] - done < BATCH ? (unsigned) (n[0] - done) : BATCH;
        for (unsigned i = 0; i < batch; i++, next++) {
            struct packet *p = &frames[next % n[1] % n_frames];
            if (n[1] > n_frames) {
                packet_free(p);
                make_frame(p, n[4] + next % n[1], n[3], n[5]);
            }
            iov[i] = (struct iovec){p->data, p->len};
            msgs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
        }
        wait_for(done, n[2], began);
        const int k = sendmmsg(fd, msgs, batch, 0);
        sent += k > 0 ? (uint64_t) k : 0;
    }
    printf("%llu\n", (unsigned long long) sent);
    for (size_t i = 0; i < n_frames; i++) {
        packet_free(&frames[i]);
    }
    free(frames);
    return 0;
}
