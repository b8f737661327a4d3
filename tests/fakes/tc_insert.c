// SPDX-License-Identifier: Apache-2.0
// The floor of row F: COUNT flower rules (IPv4, no fragment, source address, UDP ports → redirect)
// into DEVICE's ingress by nothing but batches of netlink requests.
//
// usage: tc_insert [--translated] DEVICE TO COUNT
// Prints the CPU time of this program for each rule, in ns, from the first one. --translated: the
// same through the offload room, from match and actions to the answer where the filter is.
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
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

#include "lib/base/str.h"
#include "lib/net/netlink.h"
#include "offload/ofl.h"

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
    const struct tc_mirred m = {
        .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (unsigned) to};
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

static uint64_t began_ns; // CPU time when the first rule is sent: opening sockets and looking at
                          // devices is not a rule's

static int
insert_raw(int dev, int to, unsigned count)
{
    struct nlk_sock *sock;
    struct nlk_batch b;
    struct nlk_result results[BATCH];
    int error = nlk_open(NLK_ROUTE, &sock);
    if (error) {
        return error;
    }
    nlk_batch_init(&b);
    began_ns = cpu_ns();
    for (unsigned i = 0; i < count && !error;) {
        nlk_batch_clear(&b);
        unsigned n = 0;
        for (; n < BATCH && i < count; n++, i++) {
            put_rule(&b, dev, to, i);
        }
        error = nlk_transact(sock, &b, results, NULL, NULL);
        for (unsigned k = 0; k < n && !error; k++) {
            error = results[k].error;
        }
    }
    nlk_batch_free(&b);
    nlk_close(sock);
    return error;
}

// What all flows share, as the cache has it: the mask and what it uses.
static void
make_base(struct flow_match *m)
{
    struct flow_key key = {.in_port = htonl(1)};
    struct flow_mask mask = {.in_port = UINT32_MAX};
    key.eth_type = htons(ETH_P_IP);
    key.nw_proto = IPPROTO_UDP;
    mask.eth_type = mask.tp_src = mask.tp_dst = UINT16_MAX;
    mask.nw_src = UINT32_MAX;
    mask.nw_proto = UINT8_MAX;
    mask.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    mask.vlan[0].tci = htons(FLOW_VLAN_PRESENT);
    match_init(m, &key, &mask);
}

static void
make_match(struct flow_match *m, const struct flow_match *base, unsigned n)
{
    *m = *base;
    m->key.nw_src = htonl(0x0a000000 | n >> 14);
    m->key.tp_src = htons((uint16_t) (1024 + (n & 0x3fff)));
    m->key.tp_dst = htons(9);
}

static int
insert_translated(int dev, int to, unsigned count)
{
    static struct flow_match matches[BATCH];
    static struct dp_flow_op ops[BATCH];
    struct dp *dp;
    struct dp_channel *ch;
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct flow_match base;
    make_base(&base);
    int error = ofl_dp_ops.open("bench", true, &dp);
    if (!error) {
        struct ofl_port a = {1, dev, false, ""}, b = {2, to, false, ""};
        if_indextoname((unsigned) dev, a.name);
        if_indextoname((unsigned) to, b.name);
        ofl_port_set(dp, &a);
        ofl_port_set(dp, &b);
        error = ofl_dp_ops.channel_open(dp, &ch);
    }
    dp_actions_add_output(&acts, 2);
    began_ns = cpu_ns();
    for (unsigned i = 0; i < count && !error;) {
        unsigned n = 0;
        for (; n < BATCH && i < count; n++, i++) {
            make_match(&matches[n], &base, i);
            ops[n] = (struct dp_flow_op){
                .verb = DP_FLOW_CREATE, .id = {{i + 1, 7}}, .match = &matches[n], .actions = &acts};
        }
        error = ofl_dp_ops.flow_apply(ch, ops, n);
        for (unsigned k = 0; k < n && !error; k++) {
            error = ops[k].error ? ops[k].error : ops[k].place == DP_PLACE_TC_HW ? 0 : -EOPNOTSUPP;
            if (error) {
                struct str why = STR_INIT;
                reason_format(&ops[k].reason, &why);
                fprintf(stderr, "tc_insert: %s\n", str_get(&why));
                str_free(&why);
            }
        }
    }
    dp_actions_free(&acts);
    return error;
}

int
main(int argc, char *argv[])
{
    const bool translated = argc == 5 && !strcmp(argv[1], "--translated");
    char **arg = argv + 1 + translated;
    const int dev = argc == 4 + translated ? (int) if_nametoindex(arg[0]) : 0,
              to = dev ? (int) if_nametoindex(arg[1]) : 0;
    const unsigned count = to ? (unsigned) strtoul(arg[2], NULL, 10) : 0;
    if (!count) {
        fprintf(stderr, "usage: tc_insert [--translated] DEVICE TO COUNT\n");
        return 2;
    }
    const int error = translated ? insert_translated(dev, to, count) : insert_raw(dev, to, count);
    if (error) {
        fprintf(stderr, "tc_insert: a rule was refused: %s\n", base_strerror(error));
        return 1;
    }
    printf("%llu\n", (unsigned long long) ((cpu_ns() - began_ns) / count));
    return 0;
}
