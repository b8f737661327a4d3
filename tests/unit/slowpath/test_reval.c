// SPDX-License-Identifier: Apache-2.0
// The revalidator with several threads, on a datapath that the test plays: a list of flows under
// one mutex, whose packets the test sends.
//
//     handlers (test threads) ─▶ sp_upcall() ─▶ flows ◀─ revalidators: dump, get, change, remove
//                                traffic (test thread) ─▶ flows' counters
//
// What must hold whatever runs at the same time: the rules' counters are the packets sent, and
// after a request was answered each flow does what the tables said when it was made.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/loop.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "lib/flow/match.h"
#include "ofproto/of_bridge_private.h"
#include "ofproto/of_msg.h"
#include "slowpath/bridge_state.h"
#include "slowpath/handler.h"
#include "slowpath/mega.h"
#include "slowpath/reval.h"
#include "slowpath/sp_private.h"
#include "slowpath/sp_upcall.h"
#include "slowpath/xlate.h"

#define N_PORTS 4
#define DP_PORT(ofp) (100 + (ofp))
#define N_GROUPS 16 // rules: one for each
#define N_KEYS 4096
#define LEN 100 // bytes of a packet
#define PATIENCE_S 60

static struct loop *loop;
static struct of_bridge *of;
static struct sp_bridge_state *br_state;
static struct sp_dp *sdp;
static unsigned out_port[N_GROUPS]; // what the rules say
static uint64_t n_sent;             // atomic

// --- The datapath. ---

struct flow {
    struct hmap_node node;
    struct flow_id id;
    struct dp_flow_stats stats;
    unsigned group, port;
    size_t place; // in dp.list
};

static struct dp {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct hmap flows;
    struct flow *list[N_KEYS];
    size_t n;
    size_t n_modified;
    // Two threads that apply this verb meet, or the test fails.
    enum dp_flow_verb meet;
    unsigned n_met;
    bool wants_meeting, met;
    bool gate_shut, at_gate; // dumps wait
} fake = {.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

struct dp_channel {
    struct dp *dp;
    struct dp_flow_record copy[N_KEYS];
};

static int
open_fake(const char *name, bool create, struct dp **dp)
{
    *dp = &fake;
    return 0;
}

static void
close_fake(struct dp *dp)
{
}

static int
destroy_fake(struct dp *dp)
{
    return 0;
}

static int
channel_open(struct dp *dp, struct dp_channel **ch)
{
    *ch = calloc(1, sizeof **ch);
    (*ch)->dp = dp;
    return 0;
}

static void
channel_close(struct dp_channel *ch)
{
    free(ch);
}

static struct flow *
find(const struct flow_id *id)
{
    struct flow *f;
    HMAP_FOR_EACH_HASH(f, node, (uint32_t) id->w[0], &fake.flows)
    {
        if (flow_id_equals(&f->id, id)) {
            return f;
        }
    }
    return NULL;
}

static unsigned
port_of(const struct dp_actions *acts)
{
    const struct dp_act_output *o = (const void *) acts->data;
    return acts->len && o->a.type == DP_ACT_OUTPUT ? o->port : 0;
}

static int
create(const struct dp_flow_op *op)
{
    if (find(&op->id)) {
        return -EEXIST;
    }
    if (fake.n == N_KEYS) {
        return -ENOSPC;
    }
    struct flow *f = calloc(1, sizeof *f);
    f->id = op->id;
    f->group = be32toh(op->match->key.nw_dst) % N_GROUPS;
    f->port = port_of(op->actions);
    f->place = fake.n;
    fake.list[fake.n++] = f;
    hmap_insert(&fake.flows, &f->node, (uint32_t) f->id.w[0]);
    return 0;
}

static int
apply_one(struct dp_flow_op *op)
{
    if (op->verb == DP_FLOW_CREATE) {
        return create(op);
    }
    struct flow *f = find(&op->id);
    if (!f) {
        return -ENOENT;
    }
    if (op->verb == DP_FLOW_MODIFY) {
        f->port = port_of(op->actions);
        fake.n_modified++;
        return 0;
    }
    op->stats = f->stats;
    if (op->verb == DP_FLOW_DELETE) {
        hmap_remove(&fake.flows, &f->node);
        fake.list[f->place] = fake.list[--fake.n];
        fake.list[f->place]->place = f->place;
        free(f);
    }
    return 0;
}

// Waits for a second thread that does the same.
static void
meet(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    fake.n_met++;
    while (fake.n_met < 2 && !fake.met) {
        if (pthread_cond_timedwait(&fake.cond, &fake.mutex, &until)) {
            fake.wants_meeting = false; // alone
            return;
        }
    }
    fake.met = true;
    pthread_cond_broadcast(&fake.cond);
}

static int
flow_apply(struct dp_channel *ch, struct dp_flow_op *ops, size_t n)
{
    pthread_mutex_lock(&fake.mutex);
    if (n && ops[0].verb == fake.meet && fake.wants_meeting && !fake.met) {
        meet();
    }
    for (size_t i = 0; i < n; i++) {
        ops[i].error = apply_one(&ops[i]);
    }
    pthread_mutex_unlock(&fake.mutex);
    return 0;
}

// As a kernel's dumps do: what is told may be old by the time it is looked at, and a flow may be
// told twice.
static int
flow_dump(struct dp_channel *ch, bool terse, dp_flow_cb *cb, void *aux)
{
    pthread_mutex_lock(&fake.mutex);
    while (fake.gate_shut) {
        fake.at_gate = true;
        pthread_cond_broadcast(&fake.cond);
        pthread_cond_wait(&fake.cond, &fake.mutex);
    }
    pthread_mutex_unlock(&fake.mutex);
    for (unsigned round = 0; round < 2; round++) {
        pthread_mutex_lock(&fake.mutex);
        size_t n = 0;
        for (size_t i = 0; i < fake.n; i += 1 + 6 * round) {
            ch->copy[n++] = (struct dp_flow_record){
                .id = fake.list[i]->id, .has_id = true, .stats = fake.list[i]->stats};
        }
        pthread_mutex_unlock(&fake.mutex);
        for (size_t i = 0; i < n; i++) {
            cb(&ch->copy[i], aux);
        }
    }
    return 0;
}

static int
execute(struct dp_channel *ch, struct dp_execute *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        e[i].error = 0;
    }
    return 0;
}

static const struct dp_ops fake_ops = {.type = "fake",
                                       .open = open_fake,
                                       .close = close_fake,
                                       .destroy = destroy_fake,
                                       .channel_open = channel_open,
                                       .channel_close = channel_close,
                                       .flow_apply = flow_apply,
                                       .flow_dump = flow_dump,
                                       .execute = execute};

// --- Packets. ---

// Up to n packets of flows that are there.
static void
send_packets(unsigned n)
{
    pthread_mutex_lock(&fake.mutex);
    for (unsigned i = 0; i < n && fake.n; i++) {
        struct flow *f = fake.list[random_below((uint32_t) fake.n)];
        f->stats.packets++;
        f->stats.bytes += LEN;
        __atomic_add_fetch(&n_sent, 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&fake.mutex);
}

static void
make_key(struct flow_key *k, unsigned i)
{
    memset(k, 0, sizeof *k);
    k->in_port = htobe32(DP_PORT(1));
    k->eth_src.b[5] = 1;
    k->eth_dst.b[5] = 2;
    k->eth_type = htobe16(0x0800);
    k->nw_ttl = 64;
    k->nw_proto = 17;
    k->nw_dst = htobe32(0x0a000000 + i % N_GROUPS);
    k->nw_src = htobe32(0x0b000000 + i);
}

// Packets without a flow: of one key each, from `first` on.
static void
miss(struct dp_channel *ch, unsigned first, unsigned n)
{
    static const uint8_t data[LEN];
    struct flow_key keys[SP_UPCALL_BATCH];
    struct packet packets[SP_UPCALL_BATCH];
    struct sp_upcall u[SP_UPCALL_BATCH];
    for (unsigned i = 0; i < n; i++) {
        make_key(&keys[i], (first + i) % N_KEYS);
        packet_init_borrowed(&packets[i], data, LEN);
        u[i] = (struct sp_upcall){DP_UPCALL_MISS, &packets[i], &keys[i], NULL};
    }
    sp_upcall(sdp, ch, u, n);
    __atomic_add_fetch(&n_sent, n, __ATOMIC_RELAXED);
}

static void
miss_all(void)
{
    for (unsigned i = 0; i < N_KEYS; i += SP_UPCALL_BATCH) {
        miss(sdp->main_channel, i, SP_UPCALL_BATCH);
    }
    assert_int_equal(fake.n, N_KEYS);
}

// --- The switch around it. ---

static void
set_rule(unsigned group, unsigned port, enum of_flow_command command)
{
    struct of_flow_mod fm;
    uint32_t usable = OF_PROTO_ALL;
    char *text = base_asprintf("priority=10,udp,nw_dst=10.0.0.%u,actions=output:%u", group, port);
    char *error = of_flow_mod_parse(text, command, NULL, &fm, &usable);
    assert_null(error);
    assert_int_equal(of_bridge_flow_mod(of, &fm), 0);
    of_flow_mod_free(&fm);
    free(text);
    out_port[group] = port;
}

static void
publish(unsigned n_handlers, unsigned n_revalidators)
{
    struct sp_config *c = sp_config_new();
    c->n_handlers = n_handlers;
    c->n_revalidators = n_revalidators;
    struct sp_bridge *br = sp_config_add_bridge(c, "br0");
    br->number = 1;
    br->of = of;
    br->dp = sdp;
    br->state = sp_bridge_state_ref(br_state);
    for (unsigned i = 1; i <= N_PORTS; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        sp_config_add_port(br, sp_config_add_bundle(br, name), name, i, DP_PORT(i));
    }
    sp_config_publish(c);
}

static void
answered(void *n)
{
    ++*(unsigned *) n;
}

static void
request(bool purge)
{
    unsigned n = 0;
    sp_reval_request(sdp->reval, purge, answered, &n);
    while (!n) {
        loop_turn(loop, 1000);
    }
}

static void
wait_threads(unsigned n)
{
    struct reval_stats s;
    do {
        loop_turn(loop, 1);
        sp_reval_stats(sdp->reval, &s);
    } while (s.n_threads != n);
    size_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += s.keys[i];
        // Ids are spread evenly.
        assert_true(!fake.n || s.keys[i] > fake.n / n / 2);
    }
    assert_int_equal(sum, fake.n);
}

static bool
add_counters(struct of_rule *rule, void *sum)
{
    struct dp_flow_stats *s = sum;
    s->packets += __atomic_load_n(&rule->packets, __ATOMIC_RELAXED);
    s->bytes += __atomic_load_n(&rule->bytes, __ATOMIC_RELAXED);
    return true;
}

static void
check_counters(void)
{
    struct dp_flow_stats sum = {0};
    of_bridge_for_each_rule(of, add_counters, &sum);
    if (sum.packets != n_sent) {
        fail_msg("%llu packets were sent, %llu counted", (unsigned long long) n_sent,
                 (unsigned long long) sum.packets);
    }
    assert_int_equal(sum.bytes, n_sent * LEN);
}

static void
check_flows(void)
{
    for (size_t i = 0; i < fake.n; i++) {
        const struct flow *f = fake.list[i];
        assert_int_equal(f->port, DP_PORT(out_port[f->group]));
    }
}

static void
expect_meeting(enum dp_flow_verb verb)
{
    pthread_mutex_lock(&fake.mutex);
    fake.meet = verb;
    fake.n_met = 0;
    fake.met = false;
    fake.wants_meeting = true;
    pthread_mutex_unlock(&fake.mutex);
}

// The revalidator waits in a dump, so that it finds everything that comes until the gate is opened
// at once.
static void
shut_gate(unsigned *n_answered)
{
    pthread_mutex_lock(&fake.mutex);
    fake.at_gate = false;
    fake.gate_shut = true;
    pthread_mutex_unlock(&fake.mutex);
    sp_reval_request(sdp->reval, false, answered, n_answered);
    pthread_mutex_lock(&fake.mutex);
    while (!fake.at_gate) {
        pthread_cond_wait(&fake.cond, &fake.mutex);
    }
    pthread_mutex_unlock(&fake.mutex);
}

static void
open_gate(void)
{
    pthread_mutex_lock(&fake.mutex);
    fake.gate_shut = false;
    pthread_cond_broadcast(&fake.cond);
    pthread_mutex_unlock(&fake.mutex);
}

// --- Tests. ---

// Nothing configured: as the stock switch does, for as many processors as there are.
static void
test_how_many(void **state)
{
    const unsigned cores = thread_n_cores();
    publish(0, 3);
    wait_threads(3);
    publish(cores + 3, 0);
    wait_threads(1);
    publish(1, 0);
    wait_threads(cores > 1 ? cores - 1 : 1);
    publish(1, 100000);
    wait_threads(REVAL_MAX_THREADS);
    publish(0, 0);
    wait_threads(cores / 4 + 1);
}

// Changes and removals are made by several threads at the same time, each once.
static void
test_shared(void **state)
{
    sp_reval_set_threads(sdp->reval, 4);
    miss_all();
    wait_threads(4);
    request(false);
    check_flows();

    unsigned n_answered = 0;
    fake.n_modified = 0;
    shut_gate(&n_answered);
    expect_meeting(DP_FLOW_MODIFY);
    for (unsigned i = 0; i < N_GROUPS; i++) {
        set_rule(i, 3, OF_FLOW_MODIFY_STRICT);
    }
    of_bridge_flush_changes(of);
    open_gate();
    request(false);
    assert_int_equal(n_answered, 1);
    assert_true(fake.met);
    assert_int_equal(fake.n_modified, N_KEYS);
    check_flows();

    for (unsigned i = 0; i < 20; i++) {
        send_packets(1000);
        request(false);
        check_counters();
        send_packets(1000);
        sp_reval_refresh(sdp->reval);
        check_counters();
    }

    expect_meeting(DP_FLOW_DELETE);
    request(true);
    assert_true(fake.met);
    fake.wants_meeting = false;
    assert_int_equal(fake.n, 0);
    assert_int_equal(sdp->cache->n, 0);
    check_counters();
}

static bool stop; // atomic

static void
handle(void *aux)
{
    struct dp_channel *ch;
    channel_open(&fake, &ch);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        miss(ch, random_below(N_KEYS), 1 + random_below(SP_UPCALL_BATCH));
        sched_yield();
    }
    channel_close(ch);
}

static void
traffic(void *aux)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        send_packets(50);
        sched_yield();
    }
}

// All at once, and the number of threads changes all the time.
static void
test_everything(void **state)
{
    unsigned n_requests = 0, n_answered = 0;
    stop = false;
    struct thread *threads[] = {thread_start("handler1", handle, NULL),
                                thread_start("handler2", handle, NULL),
                                thread_start("traffic", traffic, NULL)};
    for (unsigned round = 0; round < 1000; round++) {
        switch (random_below(6)) {
        case 0:
            sp_reval_set_threads(sdp->reval, 1 + random_below(6));
            break;
        case 1:
        case 2:
            set_rule(random_below(N_GROUPS), 2 + random_below(N_PORTS - 1), OF_FLOW_MODIFY_STRICT);
            of_bridge_flush_changes(of);
            break;
        case 3:
            sp_reval_refresh(sdp->reval);
            break;
        case 4:
            sp_reval_request(sdp->reval, !random_below(4), answered, &n_answered);
            n_requests++;
            break;
        case 5:
            request(false);
            break;
        }
        loop_turn(loop, 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        thread_join(threads[i]);
    }
    request(false);
    check_flows();
    check_counters();
    request(true);
    while (n_answered < n_requests) {
        loop_turn(loop, 1000);
    }
    assert_int_equal(n_answered, n_requests);
    assert_int_equal(fake.n, 0);
    assert_int_equal(sdp->cache->n, 0);
    check_counters();
    print_message("%llu packets, %llu retranslated\n", (unsigned long long) n_sent,
                  (unsigned long long) sdp->cache->retranslated);
}

static int
setup(void **state)
{
    hmap_init(&fake.flows);
    dp_ops_register(&fake_ops);
    sp_init(loop);
    of = of_bridge_new(loop, "br0", 1);
    br_state = sp_bridge_state_new("br0");
    char *error;
    sdp = sp_dp_get("fake", &error);
    assert_non_null(sdp);
    publish(0, 0);
    for (unsigned i = 0; i < N_GROUPS; i++) {
        set_rule(i, 2, OF_FLOW_ADD);
    }
    of_bridge_flush_changes(of);
    xlate_set_megaflows(false); // a flow for each key
    sp_ready();
    request(false);
    return 0;
}

static int
teardown(void **state)
{
    sp_config_publish(sp_config_new());
    of_bridge_free(of);
    sp_exit(true);
    sp_bridge_state_unref(br_state);
    hmap_destroy(&fake.flows);
    return 0;
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    rcu_start();
    loop = loop_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_many),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_everything),
    };
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    rcu_drain();
    loop_free(loop);
    return failed;
}
