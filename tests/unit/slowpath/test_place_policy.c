// SPDX-License-Identifier: Apache-2.0
// Who gets into the NIC: room, a full table, elephants, what was refused and when it is tried
// again. Time stands still but for what the tests move it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/rcu.h"
#include "offload/ofl_private.h"
#include "slowpath/place_private.h"

static struct sp_dp dp;
static struct place place;
static struct place_worker *w;
static struct ofl_nic *nic;

static int
setup(void **state)
{
    (void) state;
    dp.cache = mega_cache_new(NULL, NULL);
    place.dp = &dp;
    place.tc.ops = &ofl_dp_ops;
    assert_int_equal(ofl_dp_ops.open("tc", true, &place.tc.dp), 0);
    nic = ofl_nic_get(place.tc.dp, "00c0ffee");
    w = base_calloc(1, sizeof *w);
    w->place = &place;
    w->dp = &dp;
    w->nic = nic->number;
    sp_policy_init(&w->policy);
    return 0;
}

static int
teardown(void **state)
{
    (void) state;
    sp_policy_destroy(&w->policy);
    free(w);
    nic->rules = 0;
    ofl_dp_ops.close(place.tc.dp);
    mega_cache_free(dp.cache);
    return 0;
}

// A cached flow to a UDP port.
static struct mega *
make_flow(uint16_t port, uint32_t out_port)
{
    struct xlate_out out;
    struct flow_key key;
    bool existing;
    memset(&key, 0, sizeof key);
    key.in_port = htobe32(1);
    key.eth_type = htobe16(0x0800);
    key.nw_proto = 17;
    key.tp_dst = htobe16(port);
    xlate_out_init(&out);
    FLOW_MASK_EXACT(&out.wc, in_port);
    FLOW_MASK_EXACT(&out.wc, eth_type);
    FLOW_MASK_EXACT(&out.wc, nw_proto);
    FLOW_MASK_EXACT(&out.wc, tp_dst);
    dp_actions_add_output(&out.acts, out_port);
    rcu_begin();
    struct mega *m =
        mega_insert(dp.cache, &(struct mega_new){&key, &out, 0, clock_now()}, &existing);
    rcu_end();
    assert_non_null(m);
    assert_false(existing);
    mega_release(dp.cache, m, MEGA_NEW);
    xlate_out_destroy(&out);
    return m;
}

static void
traffic(struct mega *m, uint64_t packets)
{
    rcu_begin();
    mega_add(m, packets, packets * 100, 0, clock_now());
    rcu_end();
}

static bool
admit(struct mega *m, enum reason_code why)
{
    struct reason r;
    reason_clear(&r);
    const bool ok = sp_policy_admit(w, m, &r);
    assert_string_equal(reason_get(r.code)->name, reason_get(why)->name);
    return ok;
}

static void
refuse(struct mega *m, enum reason_code code, int error)
{
    struct reason r;
    reason_set(&r, code, FIELD_COUNT, error, "words");
    sp_policy_refused(w, m, &r);
}

static size_t
scan(struct place_order *orders)
{
    return sp_policy_scan(w, orders, PLACE_BATCH);
}

static void
test_room(void **state)
{
    struct place_order o[PLACE_BATCH];
    (void) state;
    struct mega *m = make_flow(1, 2);
    assert_int_equal(sp_place_in_port(m), 1);
    assert_true(admit(m, REASON_NONE));
    sp_policy_taken(w, m);
    nic->rules = 1;
    assert_int_equal(sp_policy_wait(&w->policy, clock_now()), -1); // nobody waits
    assert_int_equal(scan(o), 0);
}

static void
test_elephant(void **state)
{
    struct place_order o[PLACE_BATCH];
    (void) state;
    struct mega *small = make_flow(1, 2), *middle = make_flow(2, 2), *large = make_flow(3, 2);
    sp_policy_taken(w, small);
    sp_policy_taken(w, middle);
    nic->rules = nic->capacity = 2;
    refuse(large, REASON_HW_NO_SPACE, ENOSPC);
    assert_false(admit(large, REASON_HW_NO_SPACE));
    assert_int_equal(scan(o), 0); // first look: no rates yet

    // Not at once: the small one has just come.
    traffic(small, 10);
    traffic(middle, 500);
    traffic(large, 900);
    clock_warp(600);
    assert_int_equal(scan(o), 0);

    // Later: the lightest leaves, before the heaviest comes. The probe is due, too, and goes first.
    size_t swaps = 0, probes = 0;
    for (int i = 0; i < 6 && !swaps; i++) {
        traffic(small, 10);
        traffic(middle, 500);
        traffic(large, 900);
        clock_warp(600);
        const size_t n = scan(o);
        if (n == 1) {
            assert_int_equal(o[0].what, PLACE_IN);
            assert_true(flow_id_equals(&o[0].id, &large->id));
            refuse(large, REASON_HW_NO_SPACE, ENOSPC);
            probes++;
        } else if (n) {
            assert_int_equal(n, 2);
            assert_int_equal(o[0].what, PLACE_OUT);
            assert_true(flow_id_equals(&o[0].id, &small->id));
            assert_int_equal(o[1].what, PLACE_IN);
            assert_true(flow_id_equals(&o[1].id, &large->id));
            swaps++;
        }
    }
    assert_int_equal(swaps, 1);
    assert_true(probes >= 1);
    refuse(small, REASON_POLICY_MICE, 0);
    sp_policy_taken(w, large);

    // A little heavier is not heavy enough: nothing flaps.
    for (int i = 0; i < 20; i++) {
        traffic(small, 150);
        traffic(middle, 100);
        traffic(large, 120);
        clock_warp(600);
        const size_t n = scan(o);
        assert_true(n <= 1); // a probe
        if (n) {
            assert_true(flow_id_equals(&o[0].id, &small->id));
            refuse(small, REASON_HW_NO_SPACE, ENOSPC);
        }
    }

    // Room: it goes in.
    nic->capacity = 3;
    clock_warp(600);
    assert_int_equal(scan(o), 1);
    assert_true(flow_id_equals(&o[0].id, &small->id));
}

static void
test_refused(void **state)
{
    struct place_order o[PLACE_BATCH];
    (void) state;
    // The same mask and kinds of actions are one class; another output is another.
    struct mega *a = make_flow(1, 2), *b = make_flow(2, 2), *c = make_flow(3, 4);
    refuse(a, REASON_HW_REJECTED, EOPNOTSUPP);
    assert_false(admit(a, REASON_HW_REJECTED));
    assert_false(admit(b, REASON_HW_REJECTED));
    assert_true(admit(c, REASON_NONE));
    clock_warp(9000);
    assert_int_equal(scan(o), 0);
    clock_warp(1500);
    assert_int_equal(scan(o), 2);
    refuse(a, REASON_HW_REJECTED, EOPNOTSUPP);
    clock_warp(15000); // twice as long now
    assert_false(admit(b, REASON_HW_REJECTED));
    clock_warp(6000);
    assert_true(admit(b, REASON_NONE));

    // Something changed: at once.
    refuse(a, REASON_HW_REJECTED, EOPNOTSUPP);
    assert_false(admit(b, REASON_HW_REJECTED));
    sp_policy_reset(&w->policy);
    assert_true(admit(b, REASON_NONE));

    // A hiccup is shorter than an inability.
    refuse(a, REASON_HW_REJECTED, EIO);
    assert_false(admit(a, REASON_HW_REJECTED));
    clock_warp(600);
    assert_int_equal(scan(o), 2);
    sp_policy_taken(w, a);
    assert_true(admit(b, REASON_NONE)); // its class is taken again
}

// Of a flow that isn't there, what such flows met.
static struct place_memory
recall(uint16_t masked_port, uint32_t out_port)
{
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct place_memory known;
    struct flow_mask wc;
    memset(&wc, 0, sizeof wc);
    FLOW_MASK_EXACT(&wc, in_port);
    FLOW_MASK_EXACT(&wc, eth_type);
    FLOW_MASK_EXACT(&wc, nw_proto);
    wc.tp_dst = htobe16(masked_port);
    dp_actions_add_output(&acts, out_port);
    sp_policy_recall(w, &wc, &acts, &known);
    dp_actions_free(&acts);
    return known;
}

static void
test_recall(void **state)
{
    (void) state;
    struct mega *m = make_flow(1, 2);
    assert_false(recall(0xffff, 2).refused);
    refuse(m, REASON_HW_REJECTED, EOPNOTSUPP);
    mega_claim(m, MEGA_DYING); // it goes, and is remembered
    rcu_begin();
    sp_policy_gone(w, &m->id);
    mega_kill(dp.cache, m);
    rcu_end();
    clock_warp(3000);
    const struct place_memory known = recall(0xffff, 2);
    assert_true(known.refused);
    assert_false(known.full);
    assert_string_equal(known.reason.detail, "words");
    assert_in_range(known.wait, 6900, 7000);
    assert_false(recall(0xff00, 2).refused);
    assert_false(recall(0xffff, 3).refused);
    clock_warp(8000);
    assert_true(recall(0xffff, 2).refused);
    assert_int_equal(recall(0xffff, 2).wait, 0);
    nic->rules = nic->capacity = 2;
    assert_true(recall(0xffff, 2).full);
    assert_string_equal(reason_get(recall(0xff00, 2).reason.code)->name, "HW_NO_SPACE");
    nic->rules = 1;
    sp_policy_reset(&w->policy);
    assert_false(recall(0xffff, 2).refused);
}

static void
test_final(void **state)
{
    struct place_order o[PLACE_BATCH];
    (void) state;
    struct mega *m = make_flow(1, 2);
    refuse(m, REASON_MATCH_SKB_MARK, 0);
    clock_warp(1000000);
    assert_int_equal(scan(o), 0); // no time changes that
    assert_int_equal(sp_policy_wait(&w->policy, clock_now()), -1);
}

// Flows that are gone are forgotten.
static void
test_gone(void **state)
{
    struct place_order o[PLACE_BATCH];
    (void) state;
    struct mega *m = make_flow(1, 2);
    refuse(m, REASON_HW_REJECTED, EIO);
    assert_int_equal(w->policy.n_waiting, 1);
    assert_true(mega_claim(m, MEGA_DYING));
    rcu_begin();
    mega_kill(dp.cache, m);
    rcu_end();
    clock_warp(1000);
    assert_int_equal(scan(o), 0);
    assert_int_equal(w->policy.n_waiting, 0);
    assert_int_equal(hmap_count(&w->policy.flows), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_elephant, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recall, setup, teardown),
        cmocka_unit_test_setup_teardown(test_final, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
    };
    rcu_start();
    clock_stop();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
