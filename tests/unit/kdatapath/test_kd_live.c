// SPDX-License-Identifier: Apache-2.0
// The kernel datapath through struct dp_ops, on the running kernel, in a network namespace of its
// own: skipped where the kernel has no openvswitch or no namespace can be made
// (hwtests/scenarios/kernel-datapath.sh runs it in the lab).
//
//     a0 ═══ a1 ┐            ┌ b1 ═══ b0        packets are sent and heard at a0 and b0 through
//     packet sockets
//               └ datapath ──┘
//                    └ int0 (internal)
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "kdatapath/kd_private.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/net/packet_headers.h"
#include "tests/unit/kdatapath/gen.h"

static struct dp *dp;
static struct dp_channel *main_ch, *handler;
static uint32_t port_a, port_b, port_int;
static int sock_a, sock_b;

static int
packet_socket(const char *name)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(0x0003));
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(0x0003),
                             .sll_ifindex = if_nametoindex(name)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &to, sizeof to), 0);
    return fd;
}

static void
make_packet(struct packet *p, uint16_t vlan, uint16_t port)
{
    struct flow_key k;

    memset(&k, 0, sizeof k);
    memcpy(k.eth_dst.b, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
    memcpy(k.eth_src.b, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
    k.eth_type = htobe16(ETH_TYPE_IP);
    if (vlan) {
        k.vlan[0] = (struct flow_vlan){htobe16(ETH_TYPE_VLAN), htobe16(vlan | FLOW_VLAN_PRESENT)};
    }
    k.nw_src = htobe32(0x0a000001);
    k.nw_dst = htobe32(0x0a000002);
    k.nw_proto = IP_PROTO_UDP;
    k.nw_ttl = 64;
    k.tp_src = htobe16(port);
    k.tp_dst = htobe16(2000);
    packet_compose(p, &k, 100);
}

static void
send_from(int fd, const struct packet *p)
{
    assert_int_equal(send(fd, p->data, p->len, 0), p->len);
}

// The next packet that came in (not one that we sent) at fd. Length, 0: none within a while.
static size_t
hear(int fd, uint8_t *data, size_t size, int ms)
{
    const int64_t end = clock_now() + ms;
    for (;;) {
        struct sockaddr_ll from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, data, size, 0, (struct sockaddr *) &from, &len);
        if (n > 0 && from.sll_pkttype != PACKET_OUTGOING) {
            return n;
        }
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        const int64_t left = end - clock_now();
        if (n < 0 && (left <= 0 || poll(&pfd, 1, left) <= 0)) {
            return 0;
        }
    }
}

static size_t
upcalls(struct dp_upcall *u, size_t max, int ms)
{
    struct pollfd pfd = {.fd = kd_dp_ops.upcall_fd(handler), .events = POLLIN};
    size_t n = kd_dp_ops.upcall_recv(handler, u, max);
    if (!n && poll(&pfd, 1, ms) > 0) {
        n = kd_dp_ops.upcall_recv(handler, u, max);
    }
    return n;
}

static uint32_t
add_port(const char *name, const char *type)
{
    const struct dp_port_spec spec = {.name = name, .type = type, .port_no = DP_PORT_NONE};
    uint32_t no = DP_PORT_NONE;
    assert_int_equal(kd_dp_ops.port_add(dp, &spec, &no), 0);
    return no;
}

static void
find_ports(const struct dp_port_info *i, void *seen)
{
    if (!strcmp(i->name, "a1")) {
        assert_int_equal(i->port_no, port_a);
        assert_string_equal(i->type, "system");
        assert_int_equal(i->ifindex, if_nametoindex("a1"));
        *(int *) seen |= 1;
    } else if (!strcmp(i->name, "int0")) {
        assert_string_equal(i->type, "internal");
        *(int *) seen |= 2;
    } else if (!strcmp(i->name, "fbtest")) {
        assert_int_equal(i->port_no, 0);
        *(int *) seen |= 4;
    }
}

static void
ports(void **state)
{
    struct dp_port_spec spec = {.name = "none-such", .type = "system", .port_no = DP_PORT_NONE};
    uint32_t no;
    int seen = 0;

    assert_int_equal(kd_dp_ops.port_dump(dp, find_ports, &seen), 0);
    assert_int_equal(seen, 7);
    assert_int_equal(kd_dp_ops.port_add(dp, &spec, &no), -ENODEV);
    spec.type = "none-such";
    assert_int_equal(kd_dp_ops.port_add(dp, &spec, &no), -EAFNOSUPPORT);
    spec = (struct dp_port_spec){.name = "int1", .type = "internal", .port_no = 77};
    assert_int_equal(kd_dp_ops.port_add(dp, &spec, &no), 0);
    assert_int_equal(no, 77);
    assert_int_equal(kd_dp_ops.port_del(dp, 77), 0);
    assert_int_equal(kd_dp_ops.port_del(dp, 77), -ENODEV);
    struct kd_port p;
    assert_int_equal(kd_port_get(dp, "b1", 0, &p), 0);
    assert_int_equal(p.info.port_no, port_b);
    assert_true(p.has_counters);
    assert_int_equal(kd_port_get(dp, "int1", 0, &p), -ENODEV);
}

static void
features(void **state)
{
    const struct dp_features *f = kd_dp_ops.features(dp);
    struct dp_stats s;

    assert_true(f->ufid && f->recirc && f->masked_set);
    assert_true(field_set_has(&f->match, FIELD_TCP_FLAGS));
    assert_false(field_set_has(&f->match, FIELD_REG0));
    assert_true(f->actions >> DP_ACT_CLONE & 1);
    assert_true(f->max_vlans >= 1);
    printf("per-CPU upcalls %d, tc recirc sharing %d, VLANs %d, MPLS %d, actions %#x, sample "
           "nesting %u\n",
           f->per_cpu_upcalls, f->tc_recirc_sharing, f->max_vlans, f->max_mpls, f->actions,
           f->sample_nesting);
    assert_int_equal(kd_dp_ops.stats(dp, &s), 0);
    assert_int_equal(s.flows, 0); // the probes left nothing
}

static void
miss_install_count(void **state)
{
    static struct dp_upcall u[8];
    struct flow_match m;
    struct flow_mask mask;
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct packet p, heard;
    uint8_t data[2000];

    // A miss: the kernel's key and what we read of the packet agree.
    make_packet(&p, 10, 1000);
    send_from(sock_a, &p);
    assert_int_equal(upcalls(u, 8, 2000), 1);
    assert_int_equal(u[0].kind, DP_UPCALL_MISS);
    assert_int_equal(be32toh(u[0].key.in_port), port_a);
    assert_int_equal(u[0].packet.len, p.len);
    assert_memory_equal(u[0].packet.data, p.data, p.len);
    struct flow_key own;
    memset(&own, 0, sizeof own);
    packet_init_borrowed(&heard, p.data, p.len);
    packet_extract(&heard, &own);
    own.in_port = u[0].key.in_port;
    own.skb_priority = u[0].key.skb_priority;
    own.pkt_mark = u[0].key.pkt_mark;
    own.dp_hash = u[0].key.dp_hash;
    assert_memory_equal(&u[0].key, &own, sizeof own);

    // A flow for it, with a rewrite; the packet itself is executed.
    memset(&mask, 0, sizeof mask);
    FLOW_MASK_EXACT(&mask, in_port);
    FLOW_MASK_EXACT(&mask, recirc_id);
    FLOW_MASK_EXACT(&mask, eth_type);
    FLOW_MASK_EXACT(&mask, vlan[0]);
    mask.vlan[1].tci = htobe16(FLOW_VLAN_PRESENT);
    FLOW_MASK_EXACT(&mask, nw_proto);
    match_init(&m, &u[0].key, &mask);
    dp_actions_add(&acts, DP_ACT_POP_VLAN, sizeof(struct dp_act));
    union field_value v;
    field_value_from_u64(field_get(FIELD_NW_TTL), 9, &v);
    dp_actions_add_set(&acts, field_get(FIELD_NW_TTL), &v, NULL);
    dp_actions_add_output(&acts, port_b);
    struct dp_flow_op op = {.verb = DP_FLOW_CREATE, .id = {{1, 2}}, .match = &m, .actions = &acts};
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &op, 1), 0);
    assert_int_equal(op.error, 0);
    assert_int_equal(op.place, DP_PLACE_KERNEL);
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &op, 1), 0);
    assert_int_equal(op.error, -EEXIST);
    struct dp_execute x = {.packet = &u[0].packet, .key = &u[0].key, .actions = &acts};
    assert_int_equal(kd_dp_ops.execute(main_ch, &x, 1), 0);
    assert_int_equal(x.error, 0);
    for (int i = 0; i < 11; i++) {
        if (i) {
            send_from(sock_a, &p);
        }
        assert_int_equal(hear(sock_b, data, sizeof data, 2000), p.len - 4);
        memset(&own, 0, sizeof own);
        packet_init_borrowed(&heard, data, p.len - 4);
        packet_extract(&heard, &own);
        assert_int_equal(own.nw_ttl, 9);
        assert_int_equal(own.vlan[0].tci, 0);
    }

    // Counters: ten packets, whole frames.
    op.verb = DP_FLOW_GET;
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &op, 1), 0);
    assert_int_equal(op.error, 0);
    assert_int_equal(op.stats.packets, 10);
    assert_int_equal(op.stats.bytes, 10 * p.len);
    assert_true(op.stats.used > clock_now() - 30000 && op.stats.used <= clock_now() + 100);

    // Changed, counters go on; to user space with what the action carried.
    dp_actions_clear(&acts);
    struct dp_act_userspace *us = dp_actions_add(&acts, DP_ACT_USERSPACE, sizeof *us);
    us->kind = DP_USER_CONTROLLER;
    us->arg = 0x12345;
    us->cookie = UINT64_C(0x1122334455667788);
    us->ofproto = 7;
    us->recirc_id = 8;
    us->controller_id = 9;
    us->ofp_in_port = 10;
    us->egress_port = UINT32_MAX;
    op.verb = DP_FLOW_MODIFY;
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &op, 1), 0);
    assert_int_equal(op.error, 0);
    send_from(sock_a, &p);
    assert_int_equal(upcalls(u, 8, 2000), 1);
    assert_int_equal(u[0].kind, DP_UPCALL_ACTION);
    assert_int_equal(u[0].user.kind, DP_USER_CONTROLLER);
    assert_int_equal(u[0].user.arg, 0x12345);
    assert_true(u[0].user.cookie == UINT64_C(0x1122334455667788));
    assert_int_equal(u[0].user.ofproto, 7);
    assert_int_equal(u[0].user.recirc_id, 8);
    assert_int_equal(u[0].user.controller_id, 9);
    assert_int_equal(u[0].user.ofp_in_port, 10);

    op.verb = DP_FLOW_DELETE;
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &op, 1), 0);
    assert_int_equal(op.error, 0);
    assert_int_equal(op.stats.packets, 11);
    assert_int_equal(op.place, DP_PLACE_NONE);
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &op, 1), 0);
    assert_int_equal(op.error, -ENOENT);
    dp_actions_free(&acts);
    packet_free(&p);
}

#define N_FLOWS 1000
static struct flow_match matches[N_FLOWS];
static struct dp_flow_op ops[N_FLOWS];
static bool seen[N_FLOWS];
static struct dp_actions to_b = DP_ACTIONS_INIT;

static bool
check_record(const struct dp_flow_record *r, void *terse)
{
    assert_true(r->has_id);
    const size_t i = r->id.w[1];
    assert_true(i < N_FLOWS && !seen[i]);
    seen[i] = true;
    if (*(bool *) terse) {
        assert_null(r->match);
    } else {
        assert_true(match_equals(r->match, &matches[i]));
        assert_true(dp_actions_equal(r->actions, &to_b));
    }
    return true;
}

static void
many(void **state)
{
    struct dp_stats s;
    struct flow_mask mask;
    struct flow_key key;

    dp_actions_add_output(&to_b, port_b);
    memset(&mask, 0, sizeof mask);
    memset(&key, 0, sizeof key);
    FLOW_MASK_EXACT(&mask, in_port);
    FLOW_MASK_EXACT(&mask, recirc_id);
    FLOW_MASK_EXACT(&mask, eth_type);
    mask.vlan[0].tci = htobe16(FLOW_VLAN_PRESENT);
    mask.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    FLOW_MASK_EXACT(&mask, nw_proto);
    FLOW_MASK_EXACT(&mask, tp_src);
    key.in_port = htobe32(port_a);
    key.eth_type = htobe16(ETH_TYPE_IP);
    key.nw_proto = IP_PROTO_UDP;
    for (size_t i = 0; i < N_FLOWS; i++) {
        key.tp_src = htobe16(3000 + i);
        match_init(&matches[i], &key, &mask);
        ops[i] = (struct dp_flow_op){
            .verb = DP_FLOW_CREATE, .id = {{99, i}}, .match = &matches[i], .actions = &to_b};
    }
    struct flow_match bad = matches[500]; // not expressible: must not disturb its neighbours
    bad.key.nw_frag = FLOW_FRAG_ANY;
    bad.mask.nw_frag = FLOW_FRAG_ANY;
    ops[500].match = &bad;
    int64_t t = clock_now_us();
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, ops, N_FLOWS), 0);
    printf("%d flows created in %lld us\n", N_FLOWS, (long long) (clock_now_us() - t));
    for (size_t i = 0; i < N_FLOWS; i++) {
        assert_int_equal(ops[i].error, i == 500 ? -EINVAL : 0);
    }
    assert_int_equal(ops[500].reason.code, REASON_KERNEL_REJECTED);
    ops[500].match = &matches[500];
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, &ops[500], 1), 0);
    assert_int_equal(ops[500].error, 0);
    assert_int_equal(kd_dp_ops.stats(dp, &s), 0);
    assert_int_equal(s.flows, N_FLOWS);
    assert_int_equal(s.masks, 1);

    for (int terse = 0; terse < 2; terse++) {
        bool b = terse;
        memset(seen, 0, sizeof seen);
        t = clock_now_us();
        assert_int_equal(kd_dp_ops.flow_dump(main_ch, terse, check_record, &b), 0);
        printf("%d flows dumped%s in %lld us\n", N_FLOWS, terse ? " tersely" : "",
               (long long) (clock_now_us() - t));
        for (size_t i = 0; i < N_FLOWS; i++) {
            assert_true(seen[i]);
        }
    }
    for (size_t i = 0; i < N_FLOWS; i++) {
        ops[i].verb = DP_FLOW_DELETE;
    }
    t = clock_now_us();
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, ops, N_FLOWS), 0);
    printf("%d flows deleted in %lld us\n", N_FLOWS, (long long) (clock_now_us() - t));
    for (size_t i = 0; i < N_FLOWS; i++) {
        assert_int_equal(ops[i].error, 0);
    }
    ops[0].verb = DP_FLOW_PUT;
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, ops, 1), 0);
    assert_int_equal(ops[0].error, 0);
    assert_int_equal(kd_dp_ops.flow_flush(main_ch), 0);
    assert_int_equal(kd_dp_ops.stats(dp, &s), 0);
    assert_int_equal(s.flows, 0);
    dp_actions_free(&to_b);
}

// Random matches and actions: the kernel takes them, and tells them as they were.
static struct dp_actions all_acts[N_FLOWS];

static bool
check_random(const struct dp_flow_record *r, void *aux)
{
    const size_t i = r->id.w[1];
    assert_true(i < N_FLOWS && !seen[i]);
    seen[i] = true;
    const uint64_t *words[4] = {flow_key_words(&matches[i].key), flow_key_words(&r->match->key),
                                flow_mask_words(&matches[i].mask),
                                flow_mask_words(&r->match->mask)};
    for (size_t w = 0; w < FLOW_WORDS; w++) {
        if (words[0][w] != words[1][w] || words[2][w] != words[3][w]) {
            fail_msg("flow %zu of type %#x came back changed at byte %zu: %016" PRIx64
                     "/%016" PRIx64 ", now %016" PRIx64 "/%016" PRIx64,
                     i, be16toh(matches[i].key.eth_type), w * 8, be64toh(words[0][w]),
                     be64toh(words[2][w]), be64toh(words[1][w]), be64toh(words[3][w]));
        }
    }
    if (!dp_actions_equal(r->actions, &all_acts[i])) {
        fail_msg("the actions of flow %zu came back changed", i);
    }
    return true;
}

static void
random_flows(void **state)
{
    const char *given = getenv("SEED");
    const uint32_t seed = given ? strtoul(given, NULL, 0) : random_u32();

    printf("SEED=%u\n", seed);
    random_seed(seed);
    for (size_t i = 0; i < N_FLOWS; i++) {
        gen_match(&matches[i], true);
        gen_simple_actions(&all_acts[i], &matches[i], random_below(5));
        ops[i] = (struct dp_flow_op){
            .verb = DP_FLOW_CREATE, .id = {{5, i}}, .match = &matches[i], .actions = &all_acts[i]};
    }
    assert_int_equal(kd_dp_ops.flow_apply(main_ch, ops, N_FLOWS), 0);
    for (size_t i = 0; i < N_FLOWS; i++) {
        if (ops[i].error) {
            fail_msg("flow %zu of type %#x is refused: %s", i, be16toh(matches[i].key.eth_type),
                     strerror(-ops[i].error));
        }
    }
    memset(seen, 0, sizeof seen);
    assert_int_equal(kd_dp_ops.flow_dump(main_ch, false, check_random, NULL), 0);
    for (size_t i = 0; i < N_FLOWS; i++) {
        assert_true(seen[i]);
        dp_actions_free(&all_acts[i]);
    }
    assert_int_equal(kd_dp_ops.flow_flush(main_ch), 0);
}

// Many upcalls in one call; without a handler packets are counted as lost.
static void
burst(void **state)
{
    static struct dp_upcall u[64];
    struct dp_stats before, after;
    struct packet p;
    size_t n = 0, got;

    for (int i = 0; i < 200; i++) {
        make_packet(&p, 0, 5000 + i);
        send_from(sock_a, &p);
        packet_free(&p);
    }
    while ((got = upcalls(u, 50, n < 200 ? 2000 : 0)) > 0) {
        for (size_t i = 0; i < got; i++) {
            assert_int_equal(be16toh(u[i].key.tp_src), 5000 + n + i);
        }
        n += got;
    }
    assert_int_equal(n, 200);
    assert_int_equal(kd_dp_ops.stats(dp, &before), 0);
    assert_int_equal(kd_dp_ops.upcall_set(dp, NULL, 0), 0);
    make_packet(&p, 0, 1);
    send_from(sock_a, &p);
    packet_free(&p);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(kd_dp_ops.stats(dp, &after), 0);
        if (after.lost > before.lost) {
            break;
        }
        usleep(10000);
    }
    assert_int_equal(after.lost, before.lost + 1);
}

// As on kernels that don't dispatch by processor: each port knows the handlers' sockets, ports that
// come later, too.
static void
per_port_upcalls(void **state)
{
    static struct dp_upcall u[8];
    struct packet p;
    struct kd_port port;

    kd_dp_ops.channel_close(handler);
    assert_int_equal(kd_dp_ops.channel_open(dp, &handler), 0);
    assert_int_equal(kd_dp_set(dp, dp->user_features & ~OVS_DP_F_DISPATCH_UPCALL_PER_CPU, NULL, 0),
                     0);
    assert_int_equal(kd_dp_ops.upcall_set(dp, &handler, 1), 0);
    make_packet(&p, 0, 1);
    send_from(sock_a, &p);
    assert_int_equal(upcalls(u, 8, 2000), 1);
    assert_int_equal(be32toh(u[0].key.in_port), port_a);
    assert_int_equal(kd_dp_ops.port_del(dp, port_a), 0);
    port_a = add_port("a1", "system");
    assert_int_equal(kd_port_get(dp, "a1", 0, &port), 0);
    assert_int_equal(port.n_upcall_pids, 1);
    send_from(sock_a, &p);
    assert_int_equal(upcalls(u, 8, 2000), 1);

    // A userspace action without a socket of its own goes there, too.
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct dp_act_userspace *us = dp_actions_add(&acts, DP_ACT_USERSPACE, sizeof *us);
    us->kind = DP_USER_SFLOW;
    us->egress_port = UINT32_MAX;
    us->has_actions = true;
    struct dp_execute x = {.packet = &u[0].packet, .key = &u[0].key, .actions = &acts};
    assert_int_equal(kd_dp_ops.execute(main_ch, &x, 1), 0);
    assert_int_equal(x.error, 0);
    assert_int_equal(upcalls(u, 8, 2000), 1);
    assert_int_equal(u[0].kind, DP_UPCALL_ACTION);
    assert_int_equal(u[0].user.kind, DP_USER_SFLOW);
    assert_non_null(u[0].actions);
    assert_true(u[0].actions->len > 0);
    dp_actions_free(&acts);
    packet_free(&p);
    assert_int_equal(kd_dp_ops.upcall_set(dp, NULL, 0), 0);
}

static int
set_up(void)
{
    if (unshare(CLONE_NEWNET)) {
        printf("skipped: no network namespace can be made here (%s)\n", strerror(errno));
        return 77;
    }
    int error = kd_dp_ops.open("fbtest", true, &dp);
    if (error) {
        printf("skipped: this kernel has no openvswitch (%s)\n", strerror(-error));
        return 77;
    }
    if (system("for n in all default; do echo 1 > /proc/sys/net/ipv6/conf/$n/disable_ipv6; done "
               "2>/dev/null;"
               "ip link add a0 type veth peer name a1 && ip link add b0 type veth peer name b1 &&"
               "for d in a0 a1 b0 b1; do ip link set $d up; ethtool -K $d tx off rx off >/dev/null "
               "2>&1; done")) {
        printf("skipped: no veth devices can be made here\n");
        return 77;
    }
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features),           cmocka_unit_test(ports),
        cmocka_unit_test(miss_install_count), cmocka_unit_test(many),
        cmocka_unit_test(random_flows),       cmocka_unit_test(burst),
        cmocka_unit_test(per_port_upcalls),
    };

    rcu_start();
    int status = set_up();
    if (status) {
        return status;
    }
    kd_dp_ops.features(dp);
    port_a = add_port("a1", "system");
    port_b = add_port("b1", "system");
    port_int = add_port("int0", "internal");
    sock_a = packet_socket("a0");
    sock_b = packet_socket("b0");
    if (kd_dp_ops.channel_open(dp, &main_ch) || kd_dp_ops.channel_open(dp, &handler) ||
        kd_dp_ops.upcall_set(dp, &handler, 1)) {
        return 1;
    }
    status = cmocka_run_group_tests(tests, NULL, NULL);
    kd_dp_ops.channel_close(handler);
    kd_dp_ops.channel_close(main_ch);
    return kd_dp_ops.destroy(dp) || status;
}
