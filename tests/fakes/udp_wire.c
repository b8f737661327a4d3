// SPDX-License-Identifier: Apache-2.0
// The userspace datapath alone, as a wire between two ports, with a slow path of a few lines: for
// tests and measurements that are about the datapath and nothing else.
//
// usage: udp_wire PORT PORT     (a port that starts with "tap" is made as an internal one; others
// are devices) Ends on SIGTERM or SIGINT, then prints: hit missed lost cache-hits flows
// processor-ms
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "slowpath/udp.h"
#include "slowpath/udp_private.h"

static struct dp *dp;

static void
slow_path(void *aux, struct dp_channel *ch, struct sp_upcall *u, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct flow_match m;
        struct dp_actions acts = DP_ACTIONS_INIT;
        memset(&m, 0, sizeof m);
        m.key = *u[i].key;
        FLOW_MASK_EXACT(&m.mask, in_port);
        FLOW_MASK_EXACT(&m.mask, recirc_id);
        FLOW_MASK_EXACT(&m.mask, eth_type);
        FLOW_MASK_EXACT(&m.mask, nw_src);
        FLOW_MASK_EXACT(&m.mask, nw_dst);
        FLOW_MASK_EXACT(&m.mask, nw_proto);
        FLOW_MASK_EXACT(&m.mask, tp_src);
        FLOW_MASK_EXACT(&m.mask, tp_dst);
        for (size_t w = 0; w < FLOW_WORDS; w++) {
            ((uint64_t *) (void *) &m.key)[w] &= flow_mask_words(&m.mask)[w];
        }
        dp_actions_add_output(&acts, be32toh(u[i].key->in_port) == 1 ? 2 : 1);
        struct dp_flow_op op = {.verb = DP_FLOW_CREATE,
                                .id = {{hash_words(flow_key_words(&m.key), FLOW_WORDS, 1),
                                        hash_words(flow_key_words(&m.key), FLOW_WORDS, 2)}},
                                .match = &m,
                                .actions = &acts};
        dp->ops->flow_apply(ch, &op, 1);
        struct dp_execute x = {.packet = u[i].packet, .key = u[i].key, .actions = &acts};
        dp->ops->execute(ch, &x, 1);
        dp_actions_free(&acts);
    }
}

int
main(int argc, char *argv[])
{
    sigset_t signals;
    int signum;
    if (argc != 3) {
        fprintf(stderr, "usage: udp_wire PORT PORT\n");
        return 2;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    rcu_start();
    int error = udp_netdev_ops.open("wire", true, &dp);
    if (error) {
        fprintf(stderr, "udp_wire: %s\n", base_strerror(error));
        return 1;
    }
    udp_attach(dp, slow_path, NULL);
    for (uint32_t i = 1; i <= 2; i++) {
        const struct dp_port_spec spec = {.name = argv[i],
                                          .type =
                                              strncmp(argv[i], "tap", 3) ? "system" : "internal",
                                          .port_no = i};
        uint32_t number;
        error = dp->ops->port_add(dp, &spec, &number);
        if (error) {
            fprintf(stderr, "udp_wire: %s: %s\n", argv[i], base_strerror(error));
            return 1;
        }
    }
    printf("ready\n");
    fflush(stdout);
    sigwait(&signals, &signum);

    struct dp_stats s;
    struct rusage u;
    dp->ops->stats(dp, &s);
    getrusage(RUSAGE_SELF, &u);
    printf("%llu %llu %llu %llu %llu %lld\n", (unsigned long long) s.hit,
           (unsigned long long) s.missed, (unsigned long long) s.lost,
           (unsigned long long) s.cache_hit, (unsigned long long) s.flows,
           (long long) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
               (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000);
    udp_attach(dp, NULL, NULL);
    dp->ops->destroy(dp);
    return 0;
}
