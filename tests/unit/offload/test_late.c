// SPDX-License-Identifier: Apache-2.0
// struct dp_ops "tc" on a fake kernel with a NIC that reports its counters late and refuses filters
// when it is told to: whatever becomes of filters, what was sent is counted, each packet once.
//
// The fake keeps filters as the messages name them. A packet of flow n goes by the filter of flow n
// that stands first in the NIC; where there is none, or it lets packets pass, by the first one in
// software; else home. The NIC publishes its counters every LAG_MS; what it has not published when
// a filter goes is lost. nlk_transact() is the fake's (--wrap).
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/gen_stats.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/random.h"
#include "lib/base/str.h"
#include "offload/ofl_old.h"

enum { N_FLOWS = 6, MAX_FILTERS = 512, LAG_MS = 1500, SIZE = 100, HEAD = 14 };

struct filter {
    uint32_t handle; // 0: free
    uint16_t prio;
    uint32_t flags;
    struct flow_id id;
    int to;                // ifindex; 0: lets packets pass
    uint64_t hw, seen, sw; // packets: counted by the NIC, as it has published them; by software
};

static struct {
    struct filter filters[MAX_FILTERS];
    unsigned refuse_next;
    int refuse_errno;
    unsigned n_refused;
    int64_t published;
} fake;

// --- The fake. ---

static struct filter *
find(uint16_t prio, uint32_t handle)
{
    for (size_t i = 0; i < MAX_FILTERS; i++) {
        if (fake.filters[i].handle == handle && fake.filters[i].prio == prio) {
            return &fake.filters[i];
        }
    }
    return NULL;
}

static void
parse_action(const struct nlk_attr *acts, struct filter *f)
{
    struct nlk_attr act, a[TCA_ACT_MAX + 1], o[TCA_MIRRED_MAX + 1];
    size_t pos = 0;
    assert_true(nlk_next(acts->data, acts->len, &pos, &act, NULL));
    assert_int_equal(nlk_parse_nested(&act, a, ARRAY_SIZE(a)), 0);
    assert_int_equal(a[TCA_ACT_COOKIE].len, sizeof f->id);
    memcpy(&f->id, a[TCA_ACT_COOKIE].data, sizeof f->id);
    if (!strcmp(nlk_str(&a[TCA_ACT_KIND]), "mirred")) {
        struct tc_mirred p;
        assert_int_equal(nlk_parse_nested(&a[TCA_ACT_OPTIONS], o, ARRAY_SIZE(o)), 0);
        memcpy(&p, o[TCA_MIRRED_PARMS].data, sizeof p);
        f->to = (int) p.ifindex;
    }
}

static int
add(const struct tcmsg *t, const struct nlk_attr a[], const char **extack)
{
    struct nlk_attr o[TCA_FLOWER_MAX + 1];
    const uint16_t prio = (uint16_t) (t->tcm_info >> 16);
    struct filter *f = find(0, 0);
    assert_non_null(f);
    assert_null(find(prio, t->tcm_handle));
    assert_int_equal(nlk_parse_nested(&a[TCA_OPTIONS], o, ARRAY_SIZE(o)), 0);
    struct filter new = {.handle = t->tcm_handle, .prio = prio};
    new.flags = nlk_u32(&o[TCA_FLOWER_FLAGS]);
    parse_action(&o[TCA_FLOWER_ACT], &new);
    const bool refused = fake.refuse_next;
    fake.refuse_next -= refused;
    fake.n_refused += refused;
    if (refused && new.flags & TCA_CLS_FLAGS_SKIP_SW) {
        *extack = "as it was told to";
        return -fake.refuse_errno;
    }
    new.flags |= refused ? TCA_CLS_FLAGS_NOT_IN_HW : TCA_CLS_FLAGS_IN_HW;
    *f = new;
    return 0;
}

static void
tell(size_t i, const struct tcmsg *t, const struct filter *f, nlk_reply_cb *cb, void *aux)
{
    const struct gnet_stats_basic all = {.packets = (uint32_t) (f->seen + f->sw),
                                         .bytes = f->seen * SIZE + f->sw * (SIZE - HEAD)},
                                  hw = {.packets = (uint32_t) f->seen, .bytes = f->seen * SIZE};
    struct nlk_batch b;
    nlk_batch_init(&b);
    *(struct tcmsg *) nlk_begin(&b, RTM_NEWTFILTER, 0, sizeof *t) = *t;
    nlk_put_str(&b, TCA_KIND, "flower");
    const size_t options = nlk_nest(&b, TCA_OPTIONS);
    nlk_put_u32(&b, TCA_FLOWER_FLAGS, f->flags);
    const size_t acts = nlk_nest(&b, TCA_FLOWER_ACT), act = nlk_nest(&b, 1);
    nlk_put(&b, TCA_ACT_COOKIE, &f->id, sizeof f->id);
    const size_t stats = nlk_nest(&b, TCA_ACT_STATS);
    nlk_put(&b, TCA_STATS_BASIC, &all, sizeof all);
    nlk_put(&b, TCA_STATS_BASIC_HW, &hw, sizeof hw);
    nlk_nest_end(&b, stats);
    nlk_nest_end(&b, act);
    nlk_nest_end(&b, acts);
    nlk_nest_end(&b, options);
    const struct nlk_msg m = {
        .type = RTM_NEWTFILTER, .data = b.data + NLMSG_HDRLEN, .len = b.len - NLMSG_HDRLEN};
    cb(i, &m, aux);
    nlk_batch_free(&b);
}

int __wrap_nlk_transact(struct nlk_sock *, struct nlk_batch *, struct nlk_result[], nlk_reply_cb *,
                        void *);

int
__wrap_nlk_transact(struct nlk_sock *sock, struct nlk_batch *b, struct nlk_result results[],
                    nlk_reply_cb *cb, void *aux)
{
    size_t at = 0;
    (void) sock;
    for (size_t i = 0; i < b->n; i++) {
        struct nlmsghdr h;
        struct tcmsg t;
        struct nlk_attr a[TCA_MAX + 1];
        memcpy(&h, b->data + at, sizeof h);
        memcpy(&t, b->data + at + NLMSG_HDRLEN, sizeof t);
        const uint32_t used = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof t);
        // The last message's length is written when the next one begins.
        const size_t len = i + 1 < b->n ? h.nlmsg_len : b->len - at;
        assert_int_equal(nlk_parse(b->data + at + used, len - used, a, ARRAY_SIZE(a)), 0);
        at += NLMSG_ALIGN(len);
        results[i] = (struct nlk_result){0};
        struct filter *f = find((uint16_t) (t.tcm_info >> 16), t.tcm_handle);
        if (h.nlmsg_type == RTM_NEWQDISC) {
            continue;
        }
        if (h.nlmsg_type == RTM_NEWTFILTER) {
            results[i].error = add(&t, a, &results[i].extack);
            f = find((uint16_t) (t.tcm_info >> 16), t.tcm_handle);
        } else if (!f) {
            results[i].error = -ENOENT;
        }
        if (!results[i].error && cb &&
            (h.nlmsg_flags & NLM_F_ECHO || h.nlmsg_type == RTM_GETTFILTER)) {
            tell(i, &t, f, cb, aux);
        }
        if (h.nlmsg_type == RTM_DELTFILTER && f) {
            memset(f, 0, sizeof *f);
        }
    }
    return 0;
}

static void
publish(void)
{
    for (size_t i = 0; i < MAX_FILTERS; i++) {
        fake.filters[i].seen = fake.filters[i].hw;
    }
    fake.published = clock_now();
}

static void
pass_time(int64_t ms)
{
    clock_warp(ms);
    if (clock_now() - fake.published >= LAG_MS) {
        publish();
    }
}

static struct filter *
first(unsigned n, uint32_t without)
{
    struct filter *best = NULL;
    for (size_t i = 0; i < MAX_FILTERS; i++) {
        struct filter *f = &fake.filters[i];
        if (f->handle && f->id.w[0] == n && !(f->flags & without) &&
            (!best || f->prio < best->prio)) {
            best = f;
        }
    }
    return best;
}

static size_t
n_filters(unsigned n)
{
    size_t sum = 0;
    for (size_t i = 0; i < MAX_FILTERS; i++) {
        sum += fake.filters[i].handle && fake.filters[i].id.w[0] == n;
    }
    return sum;
}

// --- Flows as an offload worker drives them. ---

static struct flow {
    unsigned n;
    struct flow_match match;
    bool in_tc;
    uint64_t last_packets, last_bytes;   // as tc told them
    uint64_t sent, home, packets, bytes; // home: what no filter took
    uint32_t numbers, ended;             // late ones that were given, and told to their end
} flows[N_FLOWS];

static struct dp *dp;
static struct dp_channel *ch;
static unsigned n_busy; // changes that found no level

// Where the packets went: ifindex, 0: home.
static int
send_packets(struct flow *f, uint64_t n)
{
    struct filter *hit = first(f->n, TCA_CLS_FLAGS_NOT_IN_HW);
    f->sent += n;
    if (hit && hit->to) {
        hit->hw += n;
        return hit->to;
    }
    if (hit) {
        hit->hw += n;
    }
    hit = first(f->n, TCA_CLS_FLAGS_SKIP_SW);
    if (hit && hit->to) {
        hit->sw += n;
        return hit->to;
    }
    f->home += n;
    return 0;
}

static void
credit(struct flow *f, const struct dp_flow_stats *s)
{
    assert_true(s->packets >= f->last_packets);
    f->packets += s->packets - f->last_packets;
    f->bytes += s->bytes - f->last_bytes;
    f->last_packets = s->packets;
    f->last_bytes = s->bytes;
}

static void
take_late(const struct ofl_late *late, void *aux)
{
    struct flow *f = &flows[late->id.w[0]];
    (void) aux;
    f->packets += late->packets;
    f->bytes += late->bytes;
    f->ended += late->last;
}

static void
apply(struct flow *f, enum dp_flow_verb verb, uint32_t to, struct dp_flow_op *op)
{
    struct dp_actions a = DP_ACTIONS_INIT;
    dp_actions_add_output(&a, to);
    *op = (struct dp_flow_op){.verb = verb,
                              .id = {{f->n, 42}},
                              .match = &f->match,
                              .actions = &a,
                              .late = verb != DP_FLOW_GET};
    assert_int_equal(ofl_dp_ops.flow_apply(ch, op, 1), 0);
    if (op->error && op->reason.code != REASON_POLICY_RATE_LIMITED) {
        struct str why = STR_INIT;
        reason_format(&op->reason, &why);
        fail_msg("%s", str_get(&why));
    }
    f->numbers += op->late != 0;
    dp_actions_free(&a);
}

static void
leave(struct flow *f)
{
    struct dp_flow_op op;
    apply(f, DP_FLOW_DELETE, 1, &op);
    credit(f, &op.stats);
    f->in_tc = false;
}

// Into the NIC, or with other actions; home when it is not taken.
static void
put(struct flow *f, uint32_t to)
{
    struct dp_flow_op op;
    if (!f->in_tc) {
        f->last_packets = f->last_bytes = 0;
    }
    apply(f, f->in_tc ? DP_FLOW_MODIFY : DP_FLOW_PUT, to, &op);
    n_busy += op.error != 0;
    if (op.error && !f->in_tc) {
        return;
    }
    if (f->in_tc && !op.error) {
        credit(f, &op.stats);
    }
    f->in_tc = true;
    if (op.place != DP_PLACE_TC_HW) {
        leave(f);
    }
}

static void
rest(void)
{
    for (unsigned i = 0; i < 500; i++) {
        pass_time(10);
        ofl_collect(ch, take_late, NULL);
    }
    assert_int_equal(ofl_collect_wait(ch), -1);
    for (unsigned i = 0; i < N_FLOWS; i++) {
        struct flow *f = &flows[i];
        assert_int_equal(n_filters(i), f->in_tc);
        if (f->in_tc) {
            struct dp_flow_op op;
            apply(f, DP_FLOW_GET, 1, &op);
            credit(f, &op.stats);
        }
        assert_int_equal(f->ended, f->numbers);
    }
}

static void
assert_counted(const struct flow *f)
{
    assert_int_equal(f->packets + f->home, f->sent);
    assert_int_equal(f->bytes, f->packets * SIZE);
}

// --- Tests. ---

// In the NIC, with a packet counted that was not reported yet.
static struct flow *
flow_in_hw(void)
{
    struct flow *f = &flows[0];
    put(f, 2);
    assert_true(f->in_tc);
    send_packets(f, 5);
    return f;
}

// Nobody else is at work.
static struct ofl_nic *
the_nic(void) NO_THREAD_SAFETY
{
    return dp->nic_list[0];
}

// The NIC refuses the new actions, and for a while what lets packets pass.
static void
test_refused_change(void **state)
{
    struct flow *f = flow_in_hw();
    (void) state;
    fake.refuse_next = 12;
    put(f, 3);
    assert_false(f->in_tc);
    assert_int_equal(fake.n_refused, 6);     // new actions twice, to let pass, and three times more
    assert_int_equal(send_packets(f, 7), 2); // by the old actions: that is EXPOSED
    assert_in_range(ofl_collect_wait(ch), 1, 20);
    pass_time(20);
    ofl_collect(ch, take_late, NULL);
    assert_int_equal(send_packets(f, 1), 2);
    pass_time(20);
    ofl_collect(ch, take_late, NULL); // three, then one is left
    pass_time(20);
    ofl_collect(ch, take_late, NULL);
    assert_int_equal(fake.refuse_next, 0);
    assert_int_equal(send_packets(f, 9), 0);
    rest();
    assert_counted(f);
    assert_int_equal(f->home, 9);
}

// It comes back to the NIC while its old filter is exposed: that covers it as well.
static void
test_return(void **state)
{
    struct flow *f = flow_in_hw();
    (void) state;
    fake.refuse_next = 6;
    put(f, 3);
    assert_false(f->in_tc);
    assert_int_equal(send_packets(f, 7), 2);
    put(f, 3);
    assert_true(f->in_tc);
    assert_int_equal(send_packets(f, 4), 3);
    pass_time(LAG_MS);
    assert_int_equal(send_packets(f, 4), 3);
    rest();
    assert_counted(f);
}

// It refuses for longer than old actions may go on: then they end.
static void
test_deadline(void **state)
{
    struct flow *f = flow_in_hw();
    (void) state;
    fake.refuse_next = 100000;
    leave(f);
    for (unsigned i = 0; i < 49; i++) {
        pass_time(10);
        ofl_collect(ch, take_late, NULL);
    }
    assert_int_equal(send_packets(f, 1), 2);
    pass_time(10);
    ofl_collect(ch, take_late, NULL);
    assert_int_equal(send_packets(f, 1), 0);
    rest();
    assert_int_equal(f->packets, 0); // lost, and all else is in order
    assert_int_equal(the_nic()->no_pass, 64); // it takes nothing: others don't wait
}

// It says never, or has no room: old actions end at once.
static void
test_never(void **state)
{
    static const int errors[] = {EOPNOTSUPP, ENOSPC};
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct flow *f = flow_in_hw();
        fake.refuse_next = 2;
        fake.refuse_errno = errors[i];
        leave(f);
        assert_int_equal(fake.refuse_next, 0);
        assert_int_equal(send_packets(f, 1), 0);
        rest();
        assert_int_equal(the_nic()->no_pass, errors[i] == EOPNOTSUPP ? 64 : 0);
        the_nic()->no_pass = 0;
    }
}

// A filter that went before it could be late says nothing about the NIC.
static void
test_learning(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 20; i++) {
        struct flow *f = flow_in_hw();
        publish();
        fake.refuse_next = 2;
        fake.refuse_errno = ENOSPC;
        leave(f);
        rest();
        assert_counted(f);
    }
    assert_int_equal(the_nic()->prompt, 0);
    assert_false(the_nic()->late);
    flow_in_hw();
    leave(&flows[0]);
    rest();
    assert_true(the_nic()->late);
}

static void
test_storm(void **state)
{
    (void) state;
    for (unsigned i = 0; i < 20000; i++) {
        struct flow *f = &flows[random_below(N_FLOWS)];
        if (!random_below(4)) {
            fake.refuse_next = 1 + random_below(9);
        }
        if (!f->in_tc || random_below(2)) {
            put(f, 2 + random_below(2));
        } else if (random_below(2)) {
            leave(f);
        }
        send_packets(f, random_below(20));
        send_packets(&flows[random_below(N_FLOWS)], random_below(20));
        pass_time(random_below(60)); // not 200 changes of a flow before the first can go
        if (random_below(4)) {
            ofl_collect(ch, take_late, NULL);
        }
    }
    fake.refuse_next = 0;
    rest();
    uint64_t home = 0, sent = 0;
    for (unsigned i = 0; i < N_FLOWS; i++) {
        assert_counted(&flows[i]);
        home += flows[i].home;
        sent += flows[i].sent;
    }
    print_message("%u refused, %u times no level; of %llu packets %llu were taken home\n",
                  fake.n_refused, n_busy, (unsigned long long) sent, (unsigned long long) home);
    assert_true(home < sent / 2);
}

// --- ---

static int
setup(void **state)
{
    (void) state;
    memset(&fake, 0, sizeof fake);
    memset(flows, 0, sizeof flows);
    fake.refuse_errno = EIO;
    fake.published = clock_now();
    assert_int_equal(ofl_dp_ops.open("tc", true, &dp), 0);
    assert_int_equal(ofl_dp_ops.channel_open(dp, &ch), 0);
    mutex_lock(&dp->mutex);
    for (uint32_t n = 1; n <= 3; n++) {
        struct ofl_dev *d = base_calloc(1, sizeof *d);
        d->port = (struct ofl_port){.dp_port = n, .ifindex = (int) n, .name = "p"};
        d->nic = ofl_nic_get(dp, "01");
        hmap_insert(&dp->devs.by_port, &d->by_port, hash_u64(n, 0));
        hmap_insert(&dp->devs.by_ifindex, &d->by_ifindex, hash_u64(n, 0));
    }
    mutex_unlock(&dp->mutex);
    for (unsigned i = 0; i < N_FLOWS; i++) {
        struct flow_match *m = &flows[i].match;
        flows[i].n = i;
        match_init_any(m);
        assert_null(match_parse(m, "in_port=1,udp", NULL));
        FLOW_MASK_EXACT(&m->mask, in_port);
        FLOW_MASK_EXACT(&m->mask, recirc_id);
        m->mask.vlan[0].tci = htobe16(FLOW_VLAN_PRESENT);
        m->mask.nw_frag = 3;
        m->key.tp_dst = htobe16((uint16_t) (2000 + i));
        m->mask.tp_dst = htobe16(0xffff);
        match_update_used(m);
    }
    return 0;
}

static int
teardown(void **state)
{
    (void) state;
    ofl_dp_ops.channel_close(ch);
    ofl_dp_ops.close(dp);
    return 0;
}

int
main(void)
{
    const char *env = getenv("TEST_SEED");
    const uint64_t seed = env ? strtoull(env, NULL, 0) : random_u64();
    random_seed(seed);
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    clock_stop();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_return, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never, setup, teardown),
        cmocka_unit_test_setup_teardown(test_learning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_storm, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
