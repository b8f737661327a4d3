// SPDX-License-Identifier: Apache-2.0
// The floor of row F: COUNT flower rules (IPv4, no fragment, source address, UDP ports → redirect)
// into DEVICE's ingress by nothing but batches of netlink requests.
//
// usage: tc_insert [--translated] DEVICE TO COUNT
// Prints two numbers: the CPU time of this program for each rule, in ns, of building the requests
// and of the kernel's answers, in a process that has just started; and the same of the second time,
// after all rules were removed. What lies between is memory touched for the first time, and a NIC
// that is asked until it is known: a user-mode kernel takes longer for a page fault than for twenty
// rules. --translated: the same through the offload room, from match and actions, which the caller
// has made, to the answer where the filter is.
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
#define PRIORITY 1u

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
    tcm->tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_IP));
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

struct bench {
    int dev, to;
    unsigned count;
    uint64_t spent_ns; // CPU time: opening sockets, looking at devices and making up flows are not
                       // the rules'
    struct nlk_sock *sock;
    struct nlk_batch batch;
    struct dp *dp;
    struct dp_channel *ch;
};

static int
raw_open(struct bench *t)
{
    nlk_batch_init(&t->batch);
    return nlk_open(NLK_ROUTE, &t->sock);
}

static int
raw_insert(struct bench *t)
{
    static struct nlk_result results[BATCH];
    int error = 0;
    for (unsigned i = 0; i < t->count && !error;) {
        const uint64_t before = cpu_ns();
        nlk_batch_clear(&t->batch);
        unsigned n = 0;
        for (; n < BATCH && i < t->count; n++, i++) {
            put_rule(&t->batch, t->dev, t->to, i);
        }
        error = nlk_transact(t->sock, &t->batch, results, NULL, NULL);
        for (unsigned k = 0; k < n && !error; k++) {
            error = results[k].error;
        }
        t->spent_ns += cpu_ns() - before;
    }
    return error;
}

static int
raw_remove(struct bench *t)
{
    nlk_batch_clear(&t->batch);
    struct tcmsg *tcm = nlk_begin(&t->batch, RTM_DELTFILTER, 0, sizeof *tcm);
    tcm->tcm_ifindex = t->dev;
    tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    tcm->tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_IP));
    return nlk_request(t->sock, &t->batch, NULL, NULL);
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
room_open(struct bench *t)
{
    int error = ofl_dp_ops.open("bench", true, &t->dp);
    if (error) {
        return error;
    }
    struct ofl_port a = {1, t->dev, false, ""}, b = {2, t->to, false, ""};
    if_indextoname((unsigned) t->dev, a.name);
    if_indextoname((unsigned) t->to, b.name);
    ofl_port_set(t->dp, &a);
    ofl_port_set(t->dp, &b);
    return ofl_dp_ops.channel_open(t->dp, &t->ch);
}

// 0 or -errno of one that is not as it should be.
static int
outcome(const struct dp_flow_op *op)
{
    if (op->error || op->verb == DP_FLOW_DELETE || op->place == DP_PLACE_TC_HW) {
        return op->error;
    }
    struct str why = STR_INIT;
    reason_format(&op->reason, &why);
    fprintf(stderr, "tc_insert: %s\n", str_get(&why));
    str_free(&why);
    return -EOPNOTSUPP;
}

static int
room_apply(struct bench *t, enum dp_flow_verb verb)
{
    static struct flow_match matches[BATCH];
    static struct dp_flow_op ops[BATCH];
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct flow_match base;
    int error = 0;
    make_base(&base);
    dp_actions_add_output(&acts, 2);
    for (unsigned i = 0; i < t->count && !error;) {
        unsigned n = 0;
        for (; n < BATCH && i < t->count; n++, i++) {
            make_match(&matches[n], &base, i);
            ops[n] = (struct dp_flow_op){
                .verb = verb, .id = {{i + 1, 7}}, .match = &matches[n], .actions = &acts};
        }
        const uint64_t before = cpu_ns();
        error = ofl_dp_ops.flow_apply(t->ch, ops, n);
        t->spent_ns += cpu_ns() - before;
        for (unsigned k = 0; k < n && !error; k++) {
            error = outcome(&ops[k]);
        }
    }
    dp_actions_free(&acts);
    return error;
}

static int
room_insert(struct bench *t)
{
    return room_apply(t, DP_FLOW_CREATE);
}

static int
room_remove(struct bench *t)
{
    return room_apply(t, DP_FLOW_DELETE);
}

struct way {
    int (*open)(struct bench *), (*insert)(struct bench *), (*remove)(struct bench *); // 0 or -errno
};
static const struct way raw = {raw_open, raw_insert, raw_remove},
                        room = {room_open, room_insert, room_remove};

static int
run(const struct way *way, struct bench *t)
{
    int error = way->open(t);
    for (int turn = 0; turn < 2 && !error; turn++) {
        t->spent_ns = 0;
        error = way->insert(t);
        if (!error) {
            printf("%llu%c", (unsigned long long) (t->spent_ns / t->count), turn ? '\n' : ' ');
            error = way->remove(t);
        }
    }
    return error;
}

int
main(int argc, char *argv[])
{
    const bool translated = argc == 5 && !strcmp(argv[1], "--translated");
    char **arg = argv + 1 + translated;
    struct bench t = {0};
    if (argc == 4 + translated) {
        t.dev = (int) if_nametoindex(arg[0]);
        t.to = (int) if_nametoindex(arg[1]);
        t.count = t.dev && t.to ? (unsigned) strtoul(arg[2], NULL, 10) : 0;
    }
    if (!t.count) {
        fprintf(stderr, "usage: tc_insert [--translated] DEVICE TO COUNT\n");
        return 2;
    }
    const int error = run(translated ? &room : &raw, &t);
    if (error) {
        fprintf(stderr, "tc_insert: a rule was refused: %s\n", base_strerror(error));
        return 1;
    }
    return 0;
}
