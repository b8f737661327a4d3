// SPDX-License-Identifier: Apache-2.0
// The userspace datapath against a slow path of a few lines: what misses is installed, what is
// installed is hit, counters are exact whatever other threads do to the flows meanwhile.
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/net/packet_headers.h"
#include "slowpath/udp.h"
#include "slowpath/udp_private.h"

#define N_PORTS 4

struct env {
    struct dp *dp;
    struct dp_channel *ch; // the tests' own
    uint32_t ports[N_PORTS];
    // What the slow path does.
    struct flow_mask mask;
    uint32_t out; // port that new flows send to
    bool install;
    uint64_t misses, missed_bytes, actions; // atomic
};

static struct flow_id
id_of(const struct flow_match *m)
{
    return (struct flow_id){
        {udp_hash_words(flow_key_words(&m->key), FLOW_WORDS),
         (uint64_t) udp_hash_words(flow_mask_words(&m->mask), FLOW_WORDS) << 32 |
             hash_words(flow_key_words(&m->key), FLOW_WORDS, 7)}};
}

static void
make_match(const struct flow_key *key, const struct flow_mask *mask, struct flow_match *m)
{
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        ((uint64_t *) (void *) &m->key)[i] = flow_key_words(key)[i] & flow_mask_words(mask)[i];
    }
    m->mask = *mask;
}

static void
slow_path(void *e_, struct dp_channel *ch, struct sp_upcall *u, size_t n)
{
    struct env *e = e_;
    for (size_t i = 0; i < n; i++) {
        if (u[i].kind == DP_UPCALL_ACTION) {
            __atomic_fetch_add(&e->actions, 1, __ATOMIC_RELAXED);
            continue;
        }
        __atomic_fetch_add(&e->misses, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&e->missed_bytes, u[i].packet->len, __ATOMIC_RELAXED);
        struct dp_actions acts = DP_ACTIONS_INIT;
        dp_actions_add_output(&acts, e->out);
        if (e->install) {
            struct flow_match match;
            make_match(u[i].key, &e->mask, &match);
            struct dp_flow_op op = {
                .verb = DP_FLOW_CREATE, .id = id_of(&match), .match = &match, .actions = &acts};
            e->dp->ops->flow_apply(ch, &op, 1);
            assert_true(!op.error || op.error == -EEXIST);
        }
        struct dp_execute x = {.packet = u[i].packet, .key = u[i].key, .actions = &acts};
        e->dp->ops->execute(ch, &x, 1);
        dp_actions_free(&acts);
    }
}

static int
setup(void **state)
{
    struct env *e = base_calloc(1, sizeof *e);
    assert_int_equal(udp_dummy_ops.open("ovs-dummy", true, &e->dp), 0);
    udp_attach(e->dp, slow_path, e);
    for (size_t i = 0; i < N_PORTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", (unsigned) (i + 1) % 10);
        const struct dp_port_spec spec = {.name = name, .type = "dummy", .port_no = DP_PORT_NONE};
        assert_int_equal(e->dp->ops->port_add(e->dp, &spec, &e->ports[i]), 0);
        assert_int_equal(e->ports[i], i + 1);
    }
    assert_int_equal(e->dp->ops->channel_open(e->dp, &e->ch), 0);
    FLOW_MASK_EXACT(&e->mask, in_port);
    FLOW_MASK_EXACT(&e->mask, recirc_id);
    FLOW_MASK_EXACT(&e->mask, eth_type);
    FLOW_MASK_EXACT(&e->mask, nw_dst);
    FLOW_MASK_EXACT(&e->mask, tp_dst);
    e->out = e->ports[1];
    e->install = true;
    *state = e;
    return 0;
}

static int
teardown(void **state)
{
    struct env *e = *state;
    udp_attach(e->dp, NULL, NULL);
    e->dp->ops->channel_close(e->ch);
    e->dp->ops->destroy(e->dp);
    assert_null(udp_first());
    free(e);
    return 0;
}

static void
udp_key(struct flow_key *k, uint32_t dst, uint16_t port)
{
    memset(k, 0, sizeof *k);
    k->eth_dst = (struct mac){{2, 0, 0, 0, 0, 1}};
    k->eth_src = (struct mac){{2, 0, 0, 0, 0, 2}};
    k->eth_type = htobe16(ETH_TYPE_IP);
    k->nw_src = htobe32(0x0a000001);
    k->nw_dst = htobe32(dst);
    k->nw_proto = IP_PROTO_UDP;
    k->nw_ttl = 64;
    k->tp_src = htobe16(1000);
    k->tp_dst = htobe16(port);
}

static uint32_t
receive(struct env *e, struct dp_channel *ch, uint32_t in, const struct flow_key *k, size_t payload)
{
    struct udp_rx rx = {.vnet = {.flags = 0}};
    packet_compose(&rx.packet, k, payload);
    const uint32_t len = rx.packet.len;
    udp_enter(ch);
    udp_process(ch, e->dp->ports->by_number[in], &rx, 1);
    udp_leave(ch);
    return len;
}

static void
sent(struct env *e, size_t i, uint64_t packets, uint64_t bytes)
{
    struct dp_port_state s;
    assert_int_equal(e->dp->ops->port_state(e->dp, e->ports[i], &s), 0);
    assert_int_equal(s.counters.tx_packets, packets);
    assert_int_equal(s.counters.tx_bytes, bytes);
}

static struct dp_flow_op
apply(struct env *e, enum dp_flow_verb verb, const struct flow_match *m,
      const struct dp_actions *acts)
{
    struct dp_flow_op op = {.verb = verb, .id = id_of(m), .match = m, .actions = acts};
    assert_int_equal(e->dp->ops->flow_apply(e->ch, &op, 1), 0);
    return op;
}

static void
match_of(struct env *e, uint32_t in, const struct flow_key *k, struct flow_match *m)
{
    struct flow_key key = *k;
    key.in_port = htobe32(in);
    make_match(&key, &e->mask, m);
}

static void
test_life(void **state)
{
    struct env *e = *state;
    struct flow_key k;
    struct flow_match m;
    udp_key(&k, 0x0a000002, 53);
    match_of(e, e->ports[0], &k, &m);
    assert_int_equal(apply(e, DP_FLOW_GET, &m, NULL).error, -ENOENT);

    const uint32_t a = receive(e, e->ch, e->ports[0], &k, 10); // miss
    assert_int_equal(e->misses, 1);
    sent(e, 1, 1, a);
    const uint32_t b =
        receive(e, e->ch, e->ports[0], &k, 20) + receive(e, e->ch, e->ports[0], &k, 30);
    assert_int_equal(e->misses, 1);
    sent(e, 1, 3, a + b);
    struct dp_flow_op op = apply(e, DP_FLOW_GET, &m, NULL);
    assert_int_equal(op.error, 0);
    assert_int_equal(op.stats.packets, 2); // the missed one is the slow path's to count
    assert_int_equal(op.stats.bytes, b);
    assert_true(op.stats.used > 0);

    struct dp_actions acts = DP_ACTIONS_INIT;
    dp_actions_add_output(&acts, e->ports[2]);
    assert_int_equal(apply(e, DP_FLOW_CREATE, &m, &acts).error, -EEXIST);
    assert_int_equal(apply(e, DP_FLOW_MODIFY, &m, &acts).error, 0);
    const uint32_t c = receive(e, e->ch, e->ports[0], &k, 40);
    sent(e, 1, 3, a + b);
    sent(e, 2, 1, c);

    op = apply(e, DP_FLOW_DELETE, &m, NULL);
    assert_int_equal(op.error, 0);
    assert_int_equal(op.stats.packets, 3);
    assert_int_equal(op.stats.bytes, b + c);
    assert_int_equal(apply(e, DP_FLOW_DELETE, &m, NULL).error, -ENOENT);
    assert_int_equal(apply(e, DP_FLOW_MODIFY, &m, &acts).error, -ENOENT);
    receive(e, e->ch, e->ports[0], &k, 10);
    assert_int_equal(e->misses, 2);
    op = apply(e, DP_FLOW_GET, &m, NULL);
    assert_int_equal(op.stats.packets, 0); // a new flow begins at 0, whatever its place in memory

    struct dp_stats s;
    e->dp->ops->stats(e->dp, &s);
    assert_int_equal(s.hit, 3);
    assert_int_equal(s.missed, 2);
    assert_int_equal(s.lost, 0);
    assert_int_equal(s.flows, 1);
    assert_int_equal(s.masks, 1);
    dp_actions_free(&acts);
}

static void
test_without_slow_path(void **state)
{
    struct env *e = *state;
    struct flow_key k;
    udp_key(&k, 1, 1);
    udp_attach(e->dp, NULL, NULL);
    receive(e, e->ch, e->ports[0], &k, 0);
    struct dp_stats s;
    e->dp->ops->stats(e->dp, &s);
    assert_int_equal(s.missed, 1);
    assert_int_equal(s.lost, 1);
}

// --- Many flows under several masks, against a list. ---

#define N_MODEL 3000

struct model {
    struct flow_match m;
    uint64_t packets, bytes;
    bool there;
};

static bool
model_matches(const struct model *f, const struct flow_key *k)
{
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if ((flow_key_words(k)[i] & flow_mask_words(&f->m.mask)[i]) !=
            flow_key_words(&f->m.key)[i]) {
            return false;
        }
    }
    return f->there;
}

struct dump {
    struct model *models;
    size_t n, n_all;
};

static bool
check_record(const struct dp_flow_record *rec, void *d_)
{
    struct dump *d = d_;
    d->n++;
    for (size_t i = 0; i < d->n_all; i++) {
        const struct flow_id id = id_of(&d->models[i].m);
        if (d->models[i].there && flow_id_equals(&id, &rec->id)) {
            assert_int_equal(rec->stats.packets, d->models[i].packets);
            assert_int_equal(rec->stats.bytes, d->models[i].bytes);
            if (rec->match) {
                assert_memory_equal(&rec->match->key, &d->models[i].m.key, sizeof rec->match->key);
                assert_memory_equal(&rec->match->mask, &d->models[i].m.mask,
                                    sizeof rec->match->mask);
            }
            return true;
        }
    }
    fail_msg("a flow that was never made");
    return false;
}

static void
random_model(struct env *e, struct model *f, size_t i)
{
    // Flows never overlap: the mask is told by the UDP destination port's low bits, which all masks
    // have.
    struct flow_key k;
    struct flow_mask mask = e->mask;
    const uint32_t kind = i % 4;
    udp_key(&k, 0x0a000000 | (uint32_t) i << 4 | kind, (uint16_t) (i << 2 | kind));
    k.in_port = htobe32(e->ports[0]);
    if (kind & 1) {
        FLOW_MASK_EXACT(&mask, nw_src);
    }
    if (kind & 2) {
        memset(&mask.nw_dst, 0, sizeof mask.nw_dst);
        FLOW_MASK_EXACT(&mask, nw_ttl);
    }
    memset(f, 0, sizeof *f);
    make_match(&k, &mask, &f->m);
}

static void
test_model(void **state)
{
    struct env *e = *state;
    struct model *models = base_calloc(N_MODEL, sizeof *models);
    struct dp_actions acts = DP_ACTIONS_INIT;
    uint64_t expected_misses = 0;
    dp_actions_add_output(&acts, e->ports[3]);
    e->install = false;
    for (size_t i = 0; i < N_MODEL; i++) {
        random_model(e, &models[i], i);
    }
    for (size_t round = 0; round < 20000; round++) {
        struct model *f = &models[random_below(N_MODEL)];
        if (random_below(4) == 0) {
            const struct dp_flow_op op =
                apply(e, f->there ? DP_FLOW_DELETE : DP_FLOW_CREATE, &f->m, &acts);
            assert_int_equal(op.error, 0);
            if (f->there) {
                assert_int_equal(op.stats.packets, f->packets);
                assert_int_equal(op.stats.bytes, f->bytes);
            }
            f->packets = f->bytes = 0;
            f->there = !f->there;
            continue;
        }
        struct flow_key k;
        const size_t i = (size_t) (f - models);
        udp_key(&k, 0x0a000000 | (uint32_t) i << 4 | i % 4, (uint16_t) (i << 2 | i % 4));
        k.nw_ttl = (uint8_t) (64 + random_below(2));
        struct flow_key seen = k;
        seen.in_port = htobe32(e->ports[0]);
        const bool hits = model_matches(f, &seen);
        const uint32_t len = receive(e, e->ch, e->ports[0], &k, random_below(100));
        f->packets += hits;
        f->bytes += hits ? len : 0;
        expected_misses += !hits;
        assert_int_equal(e->misses, expected_misses);
    }
    size_t there = 0;
    for (size_t i = 0; i < N_MODEL; i++) {
        there += models[i].there;
    }
    for (int terse = 0; terse < 2; terse++) {
        struct dump d = {models, 0, N_MODEL};
        e->dp->ops->flow_dump(e->ch, terse, check_record, &d);
        assert_int_equal(d.n, there);
    }
    e->dp->ops->flow_flush(e->ch);
    struct dump none = {models, 0, N_MODEL};
    e->dp->ops->flow_dump(e->ch, true, check_record, &none);
    assert_int_equal(none.n, 0);
    dp_actions_free(&acts);
    free(models);
}

// --- Traffic on several threads while flows come, change and go. ---

#define N_THREADS 3
#define N_SHARED 64

struct traffic {
    struct env *e;
    struct dp_channel *ch;
    struct thread *thread;
    uint64_t packets, bytes;
    uint32_t seed;
    bool *stop; // atomic
};

static void
send_traffic(void *t_)
{
    struct traffic *t = t_;
    random_seed(t->seed);
    while (!__atomic_load_n(t->stop, __ATOMIC_ACQUIRE)) {
        struct flow_key k;
        udp_key(&k, random_below(N_SHARED), 7);
        t->bytes += receive(t->e, t->ch, t->e->ports[0], &k, random_below(50));
        t->packets++;
    }
}

static void
test_threads(void **state)
{
    struct env *e = *state;
    struct traffic threads[N_THREADS];
    bool stop = false;
    uint64_t removed_packets = 0, removed_bytes = 0;
    for (size_t i = 0; i < N_THREADS; i++) {
        threads[i] = (struct traffic){.e = e, .seed = random_u32(), .stop = &stop};
        assert_int_equal(e->dp->ops->channel_open(e->dp, &threads[i].ch), 0);
        threads[i].thread = thread_start("traffic", send_traffic, &threads[i]);
    }
    struct dp_actions acts[2] = {DP_ACTIONS_INIT, DP_ACTIONS_INIT};
    dp_actions_add_output(&acts[0], e->ports[2]);
    dp_actions_add_output(&acts[1], e->ports[3]);
    for (size_t i = 0; i < 3000; i++) {
        struct flow_key k;
        struct flow_match m;
        udp_key(&k, random_below(N_SHARED), 7);
        match_of(e, e->ports[0], &k, &m);
        if (random_below(2)) {
            apply(e, DP_FLOW_MODIFY, &m, &acts[random_below(2)]);
        } else {
            const struct dp_flow_op op = apply(e, DP_FLOW_DELETE, &m, NULL);
            removed_packets += op.error ? 0 : op.stats.packets;
            removed_bytes += op.error ? 0 : op.stats.bytes;
        }
        if (i % 100 == 0) {
            udp_table_sort(&e->dp->table);
        }
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    uint64_t packets = 0, bytes = 0;
    for (size_t i = 0; i < N_THREADS; i++) {
        thread_join(threads[i].thread);
        packets += threads[i].packets;
        bytes += threads[i].bytes;
    }
    for (uint32_t i = 0; i < N_SHARED; i++) {
        struct flow_key k;
        struct flow_match m;
        udp_key(&k, i, 7);
        match_of(e, e->ports[0], &k, &m);
        const struct dp_flow_op op = apply(e, DP_FLOW_DELETE, &m, NULL);
        removed_packets += op.error ? 0 : op.stats.packets;
        removed_bytes += op.error ? 0 : op.stats.bytes;
    }
    // Every packet was counted once: by the last counters of a flow, or as a miss.
    assert_int_equal(removed_packets + e->misses, packets);
    assert_int_equal(removed_bytes + e->missed_bytes, bytes);
    uint64_t sent_packets = 0, sent_bytes = 0;
    for (size_t i = 0; i < N_PORTS; i++) {
        struct dp_port_state s;
        e->dp->ops->port_state(e->dp, e->ports[i], &s);
        sent_packets += s.counters.tx_packets;
        sent_bytes += s.counters.tx_bytes;
    }
    assert_int_equal(sent_packets, packets);
    assert_int_equal(sent_bytes, bytes);
    for (size_t i = 0; i < N_THREADS; i++) {
        e->dp->ops->channel_close(threads[i].ch);
    }
    dp_actions_free(&acts[0]);
    dp_actions_free(&acts[1]);
    rcu_drain();
}

// --- Actions that come back. ---

static void
test_recirc_and_userspace(void **state)
{
    struct env *e = *state;
    struct flow_key k;
    struct flow_match m;
    struct dp_actions acts = DP_ACTIONS_INIT;
    udp_key(&k, 5, 5);
    match_of(e, e->ports[0], &k, &m);
    struct dp_act_userspace *user = dp_actions_add(&acts, DP_ACT_USERSPACE, sizeof *user);
    user->kind = DP_USER_CONTROLLER;
    dp_actions_add_u32(&acts, DP_ACT_RECIRC, 77);
    dp_actions_add_output(&acts, e->ports[3]);
    assert_int_equal(apply(e, DP_FLOW_CREATE, &m, &acts).error, 0);

    const uint32_t len = receive(e, e->ch, e->ports[0], &k, 0);
    assert_int_equal(e->actions, 1);
    assert_int_equal(e->misses, 1); // of the recirculated one, which is installed
    sent(e, 1, 1, len);
    sent(e, 3, 1, len);
    receive(e, e->ch, e->ports[0], &k, 0);
    assert_int_equal(e->actions, 2);
    assert_int_equal(e->misses, 1);
    k.recirc_id = htobe32(77);
    match_of(e, e->ports[0], &k, &m);
    assert_int_equal(apply(e, DP_FLOW_GET, &m, NULL).stats.packets, 1);

    // A flow that recirculates to itself ends.
    dp_actions_clear(&acts);
    dp_actions_add_u32(&acts, DP_ACT_RECIRC, 77);
    assert_int_equal(apply(e, DP_FLOW_MODIFY, &m, &acts).error, 0);
    k.recirc_id = 0;
    receive(e, e->ch, e->ports[0], &k, 0);
    struct dp_stats s;
    e->dp->ops->stats(e->dp, &s);
    assert_int_equal(s.lost, 1);
    dp_actions_free(&acts);
}

static void
test_ports(void **state)
{
    struct env *e = *state;
    struct dp_port_spec spec = {.name = "p1", .type = "dummy", .port_no = DP_PORT_NONE};
    uint32_t number;
    assert_int_equal(e->dp->ops->port_add(e->dp, &spec, &number), -EEXIST);
    spec.name = "br0";
    spec.type = "internal";
    assert_int_equal(e->dp->ops->port_add(e->dp, &spec, &number), 0);
    assert_int_equal(number, 100);
    spec.name = "x";
    spec.port_no = 100;
    assert_int_equal(e->dp->ops->port_add(e->dp, &spec, &number), -EBUSY);
    spec.type = "vxlan";
    spec.port_no = DP_PORT_NONE;
    assert_int_equal(e->dp->ops->port_add(e->dp, &spec, &number), -EAFNOSUPPORT);
    struct dp_port_state s;
    const struct mac mac = {{2, 1, 2, 3, 4, 5}};
    assert_int_equal(e->dp->ops->port_set(e->dp, 100, &mac, 900), 0);
    assert_int_equal(e->dp->ops->port_state(e->dp, 100, &s), 0);
    assert_memory_equal(&s.mac, &mac, sizeof mac);
    assert_int_equal(s.mtu, 900);
    assert_int_equal(e->dp->ops->port_del(e->dp, 100), 0);
    assert_int_equal(e->dp->ops->port_del(e->dp, 100), -ENOENT);
    assert_int_equal(e->dp->ops->port_state(e->dp, 100, &s), -ENODEV);

    // Longer than the port can send; sent to nowhere.
    struct flow_key k;
    udp_key(&k, 9, 9);
    receive(e, e->ch, e->ports[0], &k, 1473);
    sent(e, 1, 0, 0);
    receive(e, e->ch, e->ports[0], &k, 1472);
    sent(e, 1, 1, 1514);
    e->out = 12345;
    udp_key(&k, 10, 10);
    receive(e, e->ch, e->ports[0], &k, 0);
}

int
main(void)
{
    uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t) getpid();
    printf("SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    rcu_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_slow_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recirc_and_userspace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
