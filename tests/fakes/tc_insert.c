// SPDX-License-Identifier: Apache-2.0
// The floor of row F: COUNT flower rules (IPv4, no fragment, source address, UDP ports → redirect) into DEVICE's ingress by nothing but batches of netlink requests.
//
// usage: tc_insert DEVICE TO COUNT
// Prints the CPU time of this program for each rule, in ns.
#include "config.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/net/netlink.h"

#define BATCH 256

static void
put_be16(struct nlk_batch *b, uint16_t attr, uint16_t v)
{
    v = htons(v);
    nlk_put(b, attr, &v, sizeof v);
}

static void
put_be32(struct nlk_batch *b, uint16_t attr, uint32_t v)
{
    v = htonl(v);
    nlk_put(b, attr, &v, sizeof v);
}

static void
put_action(struct nlk_batch *b, int to)
{
    const size_t acts = nlk_nest(b, TCA_FLOWER_ACT), act = nlk_nest(b, 1);
    nlk_put_str(b, TCA_ACT_KIND, "mirred");
    const size_t options = nlk_nest(b, TCA_ACT_OPTIONS);
    const struct tc_mirred m = {.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (unsigned) to};
    nlk_put(b, TCA_MIRRED_PARMS, &m, sizeof m);
    nlk_nest_end(b, options);
    nlk_nest_end(b, act);
    nlk_nest_end(b, acts);
}

static void
put_rule(struct nlk_batch *b, int dev, int to, unsigned n)
{
    struct tcmsg *tcm = nlk_begin(b, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, sizeof *tcm);
    tcm->tcm_ifindex = dev;
    tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    tcm->tcm_handle = n + 1;
    tcm->tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_IP));
    nlk_put_str(b, TCA_KIND, "flower");
    const size_t options = nlk_nest(b, TCA_OPTIONS);
    put_be16(b, TCA_FLOWER_KEY_ETH_TYPE, ETH_P_IP);
    nlk_put_u8(b, TCA_FLOWER_KEY_IP_PROTO, IPPROTO_UDP);
    put_be32(b, TCA_FLOWER_KEY_IPV4_SRC, 0x0a000000 | n >> 14);
    put_be32(b, TCA_FLOWER_KEY_IPV4_SRC_MASK, 0xffffffff);
    put_be16(b, TCA_FLOWER_KEY_UDP_SRC, (uint16_t) (1024 + (n & 0x3fff)));
    put_be16(b, TCA_FLOWER_KEY_UDP_SRC_MASK, 0xffff);
    put_be16(b, TCA_FLOWER_KEY_UDP_DST, 9);
    put_be16(b, TCA_FLOWER_KEY_UDP_DST_MASK, 0xffff);
    put_be32(b, TCA_FLOWER_KEY_FLAGS, 0);
    put_be32(b, TCA_FLOWER_KEY_FLAGS_MASK, TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT);
    put_action(b, to);
    nlk_nest_end(b, options);
}

static uint64_t
cpu_ns(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return ((uint64_t) u.ru_utime.tv_sec + (uint64_t) u.ru_stime.tv_sec) * 1000000000 +
           ((uint64_t) u.ru_utime.tv_usec + (uint64_t) u.ru_stime.tv_usec) * 1000;
}

int
main(int argc, char *argv[])
{
    const int dev = argc == 4 ? (int) if_nametoindex(argv[1]) : 0, to = dev ? (int) if_nametoindex(argv[2]) : 0;
    const unsigned count = to ? (unsigned) strtoul(argv[3], NULL, 10) : 0;
    if (!count) {
        fprintf(stderr, "usage: tc_insert DEVICE TO COUNT\n");
        return 2;
    }
    struct nlk_sock *sock;
    struct nlk_batch b;
    struct nlk_result results[BATCH];
    int error = nlk_open(NLK_ROUTE, &sock);
    if (error) {
        fprintf(stderr, "tc_insert: no netlink socket: %s\n", base_strerror(error));
        return 1;
    }
    nlk_batch_init(&b);
    const uint64_t began = cpu_ns();
    for (unsigned i = 0; i < count;) {
        nlk_batch_clear(&b);
        unsigned n = 0;
        for (; n < BATCH && i < count; n++, i++) {
            put_rule(&b, dev, to, i);
        }
        error = nlk_transact(sock, &b, results, NULL, NULL);
        for (unsigned k = 0; k < n && !error; k++) {
            error = results[k].error;
        }
        if (error) {
            fprintf(stderr, "tc_insert: a rule was refused: %s\n", base_strerror(error));
            return 1;
        }
    }
    printf("%llu\n", (unsigned long long) ((cpu_ns() - began) / count));
    nlk_batch_free(&b);
    nlk_close(sock);
    return 0;
}
