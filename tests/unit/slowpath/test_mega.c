// SPDX-License-Identifier: Apache-2.0
// The flow cache: its states, its counters while flows move between places, and its index of
// dependencies. The index is compared with what matches say by themselves:
//
//     rules ─▶ translations ─▶ entries        a rule is added, changed or removed
//                                             marked = { entries that looked at its table, where it
//                                             could take a packet of theirs }
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/flow/match.h"
#include "ofproto/of_bridge_private.h"
#include "ofproto/of_msg.h"
#include "slowpath/bridge_state.h"
#include "slowpath/mega.h"
#include "slowpath/sp.h"

#define N_PORTS 4
#define DP_PORT(ofp) (100 + (ofp))

static struct loop *loop;
static struct of_bridge *of;
static struct sp_bridge_state *br_state;
static struct mega_cache *cache;
static size_t n_wakes, n_marked;

static void
wake(void *aux)
{
    n_wakes++;
}

static void
nothing(struct of_bridge *br)
{
}

static void
rules_changed(struct of_bridge *br, const struct of_change *changes, size_t n)
{
    n_marked += mega_rules_changed(cache, changes, n);
}

static const struct of_ops ops = {.bridge_attached = nothing,
                                  .bridge_detached = nothing,
                                  .rules_changed = rules_changed,
                                  .refresh_stats = nothing,
                                  .flush = nothing,
                                  .retranslate = nothing};

static void
flow_mod(enum of_flow_command command, const char *text)
{
    struct of_flow_mod fm;
    uint32_t usable = OF_PROTO_ALL;
    char *error = of_flow_mod_parse(text, command, NULL, &fm, &usable);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
    assert_int_equal(of_bridge_flow_mod(of, &fm), 0);
    of_flow_mod_free(&fm);
    of_bridge_flush_changes(of);
}

static bool
kill_entry(struct mega *m, void *aux)
{
    if (mega_claim(m, MEGA_DYING)) {
        mega_kill(cache, m);
    }
    return true;
}

static int
setup(void **state)
{
    of = of_bridge_new(loop, "br0", 1);
    br_state = sp_bridge_state_new("br0");
    cache = mega_cache_new(wake, NULL);
    struct sp_config *c = sp_config_new();
    struct sp_bridge *br = sp_config_add_bridge(c, "br0");
    br->number = 1;
    br->of = of;
    br->state = sp_bridge_state_ref(br_state);
    for (unsigned i = 1; i <= N_PORTS; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        sp_config_add_port(br, sp_config_add_bundle(br, name), name, i, DP_PORT(i));
    }
    sp_config_publish(c);
    return 0;
}

static int
teardown(void **state)
{
    of_ops_register(&ops);
    rcu_begin();
    mega_for_each(cache, kill_entry, NULL);
    rcu_end();
    sp_config_publish(sp_config_new());
    of_bridge_free(of);
    mega_cache_free(cache);
    sp_bridge_state_unref(br_state);
    return 0;
}

static void
make_key(struct flow_key *k, uint32_t ofp, uint8_t dst, be16_t port)
{
    memset(k, 0, sizeof *k);
    k->in_port = htobe32(DP_PORT(ofp));
    k->eth_src.b[0] = k->eth_dst.b[0] = 2;
    k->eth_src.b[5] = (uint8_t) ofp;
    k->eth_dst.b[5] = dst;
    k->eth_type = htobe16(0x0800);
    k->nw_ttl = 64;
    k->nw_proto = 17;
    k->nw_dst = htobe32(0x0a000000 | dst);
    k->tp_dst = port;
}

// Entry for a key, at rest. RCU section.
static struct mega *
add_entry(const struct flow_key *key)
{
    struct xlate_out out;
    xlate_out_init(&out);
    const uint64_t seq = __atomic_load_n(&cache->seq, __ATOMIC_SEQ_CST);
    const struct xlate_in in = {.config = sp_config_get(), .key = key, .now = 1000};
    xlate_flow(&in, &out);
    const struct mega_new new = {key, &out, seq, 1000};
    bool existing;
    struct mega *m = mega_insert(cache, &new, &existing);
    xlate_out_destroy(&out);
    assert_non_null(m);
    if (!existing) {
        assert_int_equal(m->state, MEGA_NEW);
        mega_release(cache, m, MEGA_NEW);
    }
    return m;
}

static bool
is_dirty(const struct mega *m)
{
    return m->flags & MEGA_DIRTY;
}

static size_t
drop_dirty(void)
{
    size_t n;
    struct flow_id *ids = mega_take_dirty(cache, &n);
    for (size_t i = 0; i < n; i++) {
        struct mega *m = mega_find(cache, &ids[i]);
        if (m) {
            m->flags &= (uint8_t) ~MEGA_DIRTY;
        }
    }
    free(ids);
    return n;
}

// --- States. ---

static void
test_states(void **state)
{
    flow_mod(OF_FLOW_ADD, "actions=output:2");
    struct flow_key k, back;
    make_key(&k, 1, 1, htobe16(80));
    rcu_begin();
    struct mega *m = add_entry(&k);
    const struct flow_id id = m->id;
    assert_ptr_equal(mega_find(cache, &id), m);
    assert_ptr_equal(add_entry(&k), m); // the same match: the same entry
    mega_key(m, &back);
    assert_int_equal(back.in_port, k.in_port);

    assert_true(mega_claim(m, MEGA_MOVING));
    assert_false(mega_claim(m, MEGA_UPDATING)); // somebody has it
    assert_false(mega_claim(m, MEGA_DYING));
    mega_mark_dirty(cache, m);
    mega_mark_dirty(cache, m);
    assert_int_equal(drop_dirty(), 1);
    mega_mark_dirty(cache, m); // while it is owned: told again when it is let go
    free(mega_take_dirty(cache, &(size_t){0}));
    mega_release(cache, m, MEGA_MOVING);
    assert_int_equal(drop_dirty(), 1);

    mega_set_place(cache, m, DP_PLACE_USER, NULL, 2000);
    struct mega_stats s;
    mega_stats(cache, &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.places[DP_PLACE_USER], 1);
    assert_int_equal(s.places[DP_PLACE_NONE], 0);
    assert_true(mega_claim(m, MEGA_UPDATING));
    assert_true(mega_transition(m, MEGA_UPDATING, MEGA_DYING));
    mega_kill(cache, m);
    assert_null(mega_find(cache, &id));
    mega_stats(cache, &s);
    assert_int_equal(s.n + s.n_masks + s.n_acts + s.n_deps + s.places[DP_PLACE_USER], 0);
    rcu_end();
    assert_true(n_wakes > 0);
}

// A number leads to its entry, and no other one does harm.
static void
test_numbers(void **state)
{
    enum { N = 3 * MEGA_CHUNK };
    flow_mod(OF_FLOW_ADD, "udp,actions=output:2");
    static struct mega *all[N];
    rcu_begin();
    for (size_t i = 0; i < N; i++) {
        struct flow_key k;
        make_key(&k, 1, 1, htobe16((uint16_t) i));
        all[i] = add_entry(&k);
    }
    for (size_t i = 0; i < N; i++) {
        const struct flow_id id = all[i]->id;
        assert_ptr_equal(mega_at(cache, mega_number(all[i]), &id), all[i]);
        const uint32_t wrong[] = {0, mega_number(all[(i + 1) % N]), N + MEGA_CHUNK + 1, UINT32_MAX};
        for (size_t j = 0; j < ARRAY_SIZE(wrong); j++) {
            assert_ptr_equal(mega_at(cache, wrong[j], &id), all[i]);
        }
    }
    const struct flow_id gone = all[7]->id;
    const uint32_t number = mega_number(all[7]);
    assert_true(mega_claim(all[7], MEGA_DYING));
    mega_kill(cache, all[7]);
    assert_null(mega_at(cache, number, &gone));
    struct flow_key k;
    make_key(&k, 1, 1, htobe16(7));
    struct mega *again = add_entry(&k); // the same flow, under another number
    assert_true(flow_id_equals(&again->id, &gone));
    assert_int_not_equal(mega_number(again), number);
    assert_ptr_equal(mega_at(cache, number, &gone), again);
    rcu_end();
}

// --- Counters. ---

struct place { // the model of one
    bool here;
    struct dp_flow_stats n; // since it came
};

// The entry's translation as the rules are now. Owner.
static void
translate_again(struct mega *m, const struct flow_key *key)
{
    struct xlate_out out;
    xlate_out_init(&out);
    const uint64_t seq = __atomic_load_n(&cache->seq, __ATOMIC_SEQ_CST);
    const struct xlate_in in = {.config = sp_config_get(), .key = key, .now = 1000};
    xlate_flow(&in, &out);
    mega_replace(cache, m, &out, seq);
    xlate_out_destroy(&out);
}

static void
revalidate(struct mega *m, const struct flow_key *key)
{
    assert_true(mega_claim(m, MEGA_UPDATING));
    translate_again(m, key);
    mega_release(cache, m, MEGA_UPDATING);
}

// The entry, and the test's RCU section.
static void
end(struct mega *m)
{
    assert_true(mega_claim(m, MEGA_DYING));
    mega_kill(cache, m);
    rcu_end();
    free(mega_take_dirty(cache, &(size_t){0}));
}

static void
add_late(const struct mega *m, uint32_t number, uint64_t packets, uint64_t bytes, bool last)
{
    const struct mega_late n = {m->id, number, packets, bytes, last};
    mega_add_late(cache, &n);
}

static size_t
n_ghosts(void)
{
    mutex_lock(&cache->late);
    const size_t n = hmap_count(&cache->ghosts);
    mutex_unlock(&cache->late);
    return n;
}

// What tc counted by old actions is the old rule's, however late it is told.
static void
test_late(void **state)
{
    struct flow_key k;
    make_key(&k, 1, 1, htobe16(80));
    flow_mod(OF_FLOW_ADD, "cookie=1,priority=1,actions=output:2");
    rcu_begin();
    struct mega *m = add_entry(&k);
    const struct of_rule *old = m->x->links[0].dep->rule;
    mega_slot_begin(m, MEGA_TC, 10);
    mega_merge(m, MEGA_TC, &(struct dp_flow_stats){.packets = 3, .bytes = 300}, 11);
    assert_int_equal(old->packets, 3);

    flow_mod(OF_FLOW_ADD, "cookie=2,priority=2,actions=output:3");
    revalidate(m, &k);
    const struct of_rule *new = m->x->links[0].dep->rule;
    assert_ptr_not_equal(new, old);
    // The filter is still what it was.
    mega_merge(m, MEGA_TC, &(struct dp_flow_stats){.packets = 5, .bytes = 500}, 12);
    assert_int_equal(old->packets, 5);
    mega_add(m, 1, 100, 0, 5000); // handled by user space, which knows better
    assert_int_equal(new->packets, 1);

    assert_true(mega_claim(m, MEGA_MOVING));
    mega_tc_left(cache, m, 7);
    mega_release(cache, m, MEGA_MOVING);
    mega_merge(m, MEGA_TC, &(struct dp_flow_stats){.packets = 6, .bytes = 600}, 13);
    assert_int_equal(new->packets, 2);
    add_late(m, 7, 10, 1000, false);
    assert_int_equal(old->packets, 15);

    // The flow leaves tc by the new actions, and has others at home meanwhile.
    assert_true(mega_claim(m, MEGA_MOVING));
    mega_slot_end(m, MEGA_TC, &(struct dp_flow_stats){.packets = 6, .bytes = 600});
    mega_tc_left(cache, m, 8);
    mega_slot_begin(m, MEGA_HOME, 13);
    mega_release(cache, m, MEGA_MOVING);
    flow_mod(OF_FLOW_ADD, "cookie=3,priority=3,actions=output:1,output:2");
    revalidate(m, &k);
    const struct of_rule *newest = m->x->links[0].dep->rule;
    mega_merge(m, MEGA_HOME, &(struct dp_flow_stats){.packets = 1, .bytes = 100}, 14);
    assert_int_equal(newest->packets, 1);
    add_late(m, 8, 20, 2000, true);
    assert_int_equal(new->packets, 22);
    add_late(m, 7, 30, 3000, true);
    assert_int_equal(old->packets, 45);
    assert_null(m->x->past);
    add_late(m, 9, 1, 100, true); // of nobody knows what
    assert_int_equal(newest->packets, 2);

    struct mega_counts c;
    mega_counts(m, &c);
    assert_int_equal(c.packets, old->packets + new->packets + newest->packets);
    assert_int_equal(c.bytes, 100 * c.packets);
    end(m);
}

// A flow that comes back to tc before its earlier filter has told all, and changes there.
// in_order: its filters tell their last counters in the order in which they went.
static void
late_return(bool in_order)
{
    struct flow_key k;
    make_key(&k, 1, 1, htobe16(80));
    flow_mod(OF_FLOW_DELETE, "");
    flow_mod(OF_FLOW_ADD, "cookie=1,priority=1,actions=output:2");
    rcu_begin();
    struct mega *m = add_entry(&k);
    const struct of_rule *old = m->x->links[0].dep->rule;
    assert_true(mega_claim(m, MEGA_MOVING));
    mega_slot_begin(m, MEGA_TC, 10);
    mega_merge(m, MEGA_TC, &(struct dp_flow_stats){.packets = 3, .bytes = 300}, 11);
    mega_slot_end(m, MEGA_TC, &(struct dp_flow_stats){.packets = 4, .bytes = 400});
    mega_tc_left(cache, m, 5);
    mega_tc_left(cache, m, 0);
    mega_slot_begin(m, MEGA_TC, 12);
    mega_release(cache, m, MEGA_MOVING);
    assert_int_equal(old->packets, 4);

    flow_mod(OF_FLOW_ADD, "cookie=2,priority=2,actions=output:3");
    revalidate(m, &k);
    const struct of_rule *new = m->x->links[0].dep->rule;
    mega_merge(m, MEGA_TC, &(struct dp_flow_stats){.packets = 2, .bytes = 200}, 13);
    assert_int_equal(old->packets, 6); // the filter has its actions still

    assert_true(mega_claim(m, MEGA_MOVING));
    mega_tc_left(cache, m, 6);
    mega_release(cache, m, MEGA_MOVING);
    add_late(m, in_order ? 5 : 6, 10, 1000, true);
    assert_int_equal(old->packets, 16);
    assert_non_null(m->x->past);
    mega_merge(m, MEGA_TC, &(struct dp_flow_stats){.packets = 3, .bytes = 300}, 14);
    assert_int_equal(new->packets, 1);
    add_late(m, in_order ? 6 : 5, 20, 2000, true);
    assert_int_equal(old->packets, 36);
    assert_null(m->x->past);
    end(m);
}

static void
test_late_return(void **state)
{
    late_return(true);
    late_return(false);
}

// Counters that come when the bridge has gone: of a flow that is dead but for them, and of a past translation.
static void
test_late_bridge(void **state)
{
    struct flow_key dead_key, k;
    make_key(&dead_key, 1, 1, htobe16(80));
    make_key(&k, 1, 1, htobe16(81));
    flow_mod(OF_FLOW_ADD, "cookie=1,priority=1,actions=output:2");
    flow_mod(OF_FLOW_ADD, "cookie=2,priority=2,udp,tp_dst=81,send_flow_rem,actions=output:3");
    rcu_begin();
    struct mega *dead = add_entry(&dead_key), *m = add_entry(&k);
    assert_ptr_not_equal(dead, m);
    assert_true(mega_claim(dead, MEGA_DYING));
    mega_slot_begin(dead, MEGA_TC, 10);
    mega_slot_end(dead, MEGA_TC, NULL);
    mega_tc_left(cache, dead, 5);
    mega_kill(cache, dead);

    assert_true(mega_claim(m, MEGA_MOVING));
    mega_slot_begin(m, MEGA_TC, 10);
    flow_mod(OF_FLOW_DELETE, "udp,tp_dst=81");
    translate_again(m, &k);
    mega_tc_left(cache, m, 6);
    mega_release(cache, m, MEGA_MOVING);
    assert_non_null(m->x->past);
    rcu_end();

    of_bridge_free(of);
    rcu_drain();
    of = of_bridge_new(loop, "br0", 1);

    rcu_begin();
    add_late(dead, 5, 10, 1000, true);
    add_late(m, 6, 10, 1000, true);
    assert_null(m->x->past);
    assert_int_equal(n_ghosts(), 0);
    rcu_end();
    free(mega_take_dirty(cache, &(size_t){0}));
}

// Entries that die while their filters, or those of past translations, have counters to tell: at home by the revalidator's hand as in
// tc by the worker's. Others with their ids take their places.
static void
test_late_ghost(void **state)
{
    struct flow_key k;
    make_key(&k, 1, 1, htobe16(80));
    flow_mod(OF_FLOW_DELETE, "");
    flow_mod(OF_FLOW_ADD, "cookie=1,priority=1,actions=output:2");
    rcu_begin();
    struct mega *first = add_entry(&k);
    const struct of_rule *old = first->x->links[0].dep->rule;
    assert_true(mega_claim(first, MEGA_MOVING));
    mega_slot_begin(first, MEGA_TC, 10);
    mega_release(cache, first, MEGA_MOVING);
    flow_mod(OF_FLOW_ADD, "cookie=2,priority=2,actions=output:3");
    revalidate(first, &k);
    const struct of_rule *new = first->x->links[0].dep->rule;
    assert_true(mega_claim(first, MEGA_MOVING));
    mega_tc_left(cache, first, 5);
    mega_slot_end(first, MEGA_TC, NULL);
    mega_tc_left(cache, first, 6);
    mega_release(cache, first, MEGA_MOVING);
    assert_true(mega_claim(first, MEGA_DYING));
    mega_kill(cache, first);
    assert_int_equal(n_ghosts(), 1);
    assert_null(mega_find(cache, &first->id));

    struct mega *second = add_entry(&k);
    assert_ptr_not_equal(second, first);
    assert_true(mega_claim(second, MEGA_MOVING));
    mega_slot_begin(second, MEGA_TC, 12);
    mega_slot_end(second, MEGA_TC, NULL);
    mega_tc_left(cache, second, 7);
    mega_release(cache, second, MEGA_MOVING);
    add_late(second, 6, 10, 1000, false);
    add_late(second, 6, 1, 100, true);
    assert_int_equal(new->packets, 11);
    assert_int_equal(n_ghosts(), 1);
    add_late(second, 7, 100, 10000, true);
    struct mega_counts c;
    mega_counts(second, &c);
    assert_int_equal(c.packets, 100);
    add_late(second, 5, 20, 2000, true);
    assert_int_equal(old->packets, 20);
    assert_int_equal(new->packets, 111);
    assert_int_equal(new->bytes, 11100);
    assert_int_equal(n_ghosts(), 0);

    assert_true(mega_claim(second, MEGA_MOVING));
    mega_slot_begin(second, MEGA_TC, 13);
    mega_slot_end(second, MEGA_TC, NULL);
    mega_tc_left(cache, second, 8);
    mega_release(cache, second, MEGA_MOVING);
    assert_true(mega_claim(second, MEGA_DYING));
    mega_kill(cache, second);
    assert_int_equal(n_ghosts(), 1);
    mega_forget_late(cache);
    assert_int_equal(n_ghosts(), 0);
    rcu_end();
}

// Reports of places, some of them late, moves and evictions: nothing is lost, nothing counts twice.
static void
test_counters(void **state)
{
    flow_mod(OF_FLOW_ADD, "cookie=1,actions=output:2");
    struct flow_key k;
    make_key(&k, 1, 1, htobe16(80));
    uint64_t packets = 0, bytes = 0;
    uint16_t sweep = 65000; // wraps around on the way
    rcu_begin();
    for (unsigned life = 0; life < 200; life++) {
        struct mega *m = add_entry(&k);
        const struct of_rule *rule = m->x->links[0].dep->rule;
        struct place places[MEGA_N_SLOTS] = {{false}};
        uint64_t in_entry = 0;
        for (unsigned i = 0; i < 60; i++) {
            const enum mega_slot slot = random_below(2) ? MEGA_HOME : MEGA_TC;
            struct place *p = &places[slot];
            if (p->here && random_below(2)) {
                const uint64_t n = random_below(5);
                p->n.packets += n;
                p->n.bytes += n * 100;
                packets += n;
                bytes += n * 100;
                in_entry += n;
            }
            switch (random_below(6)) {
            case 0:
                if (!p->here) {
                    mega_slot_begin(m, slot, sweep);
                    *p = (struct place){.here = true};
                    // The sweep under way may still bring numbers of an earlier stay.
                    mega_merge(m, slot, &(struct dp_flow_stats){.packets = 1000, .bytes = 1000},
                               sweep);
                }
                break;
            case 1:
                if (p->here) {
                    mega_slot_end(m, slot, &p->n);
                    p->here = false;
                    mega_merge(m, slot, &(struct dp_flow_stats){.packets = 1000, .bytes = 1000},
                               (uint16_t) (sweep + 1));
                }
                break;
            case 2:
                if (p->here) {
                    assert_true(mega_read_begin(m, slot));
                    const struct dp_flow_stats read = p->n;
                    if (random_below(2)) { // a dump reads after the owner and tells first
                        p->n.packets++;
                        p->n.bytes += 100;
                        packets++;
                        bytes += 100;
                        in_entry++;
                        mega_merge(m, slot, &p->n, ++sweep);
                    }
                    mega_merge_now(m, slot, random_below(4) ? &read : NULL, sweep);
                    mega_merge_now(m, slot, &p->n, sweep); // one that nothing came between
                    mega_merge(m, slot, &(struct dp_flow_stats){.packets = 0},
                               sweep); // older: ignored
                }
                break;
            case 3:
                mega_add(m, 1, 60, 0, 5000);
                packets++;
                bytes += 60;
                in_entry++;
                break;
            default:
                sweep++;
                for (size_t j = 0; j < MEGA_N_SLOTS; j++) {
                    assert_int_equal(mega_has(m, (enum mega_slot) j), places[j].here);
                    if (places[j].here) {
                        mega_merge(m, (enum mega_slot) j, &places[j].n, sweep);
                    }
                }
                break;
            }
        }
        for (size_t j = 0; j < MEGA_N_SLOTS; j++) {
            mega_slot_end(m, (enum mega_slot) j, places[j].here ? &places[j].n : NULL);
        }
        struct mega_counts c;
        mega_counts(m, &c);
        assert_int_equal(c.packets, in_entry);
        assert_int_equal(c.slots, 0);
        assert_int_equal(rule->packets, packets);
        assert_int_equal(rule->bytes, bytes);
        assert_int_equal(of->tables[0].matches, packets);
        assert_true(mega_claim(m, MEGA_DYING));
        mega_kill(cache, m);
    }
    rcu_end();
    assert_true(packets > 1000);
}

// --- Dependencies. ---

static void
random_match(struct str *s)
{
    if (random_below(3)) {
        str_addf(s, ",in_port=%u", 1 + random_below(N_PORTS));
    }
    if (random_below(3)) {
        str_addf(s, ",dl_dst=02:00:00:00:00:0%u", random_below(6));
    }
    switch (random_below(4)) {
    case 0:
        str_addf(s, ",udp,tp_dst=%u", 80 + random_below(3));
        break;
    case 1:
        str_addf(s, ",ip,nw_dst=10.0.0.%u/%u", random_below(6), 29 + random_below(4));
        break;
    default:
        break;
    }
}

static char *
random_rule(void)
{
    struct str s = STR_INIT;
    const unsigned table = random_below(3);
    str_addf(&s, "table=%u,priority=%u", table, random_below(50));
    random_match(&s);
    str_addf(&s, ",actions=output:%u", 1 + random_below(N_PORTS));
    if (table < 2 && random_below(3)) {
        str_addf(&s, ",resubmit(,%u)", table + 1 + random_below(2 - table));
    }
    return str_take(&s);
}

// What a mask and words say, as a match.
static void
expand(const struct cls_rule *cr, struct flow_match *out)
{
    match_init_any(out);
    if (cr->mask) {
        minimask_expand(cr->mask, &out->mask);
        minikey_expand(cr->mask, cr->key, &out->key);
        match_update_used(out);
    }
}

// Could the new rule take a packet of the entry, at one of its lookups?
static bool
concerns(const struct mega *m, const struct of_rule *new)
{
    struct flow_match entry, rule, winner;
    mega_match(m, &entry);
    entry.key.in_port = htobe32(be32toh(entry.key.in_port) - DP_PORT(0));
    expand(&new->cr, &rule);
    if (!match_overlaps(&entry, &rule)) {
        return false;
    }
    for (size_t i = 0; i < m->x->n_links; i++) {
        const struct mega_dep *d = m->x->links[i].dep;
        if (d->kind == XLATE_DEP_MISS && d->table == new->table) {
            return true;
        }
        if (d->kind == XLATE_DEP_RULE && d->rule->table == new->table &&
            d->rule->cr.priority <= new->cr.priority) {
            expand(&d->rule->cr, &winner);
            if (match_overlaps(&winner, &rule)) {
                return true;
            }
        }
    }
    return false;
}

struct walk {
    const struct of_change *changes;
    size_t n, wanted, wrong;
};

static bool
uses(const struct mega *m, const struct of_rule *rule)
{
    for (size_t i = 0; i < m->x->n_links; i++) {
        if (m->x->links[i].kind == XLATE_DEP_RULE && m->x->links[i].dep->rule == rule) {
            return true;
        }
    }
    return false;
}

static bool
check_marks(struct mega *m, void *w_)
{
    struct walk *w = w_;
    bool want = false;
    for (size_t i = 0; i < w->n; i++) {
        const struct of_rule *rule = w->changes[i].rule;
        want |= w->changes[i].kind == OF_RULE_ADDED ? concerns(m, rule) : uses(m, rule);
    }
    w->wanted += want;
    w->wrong += want != is_dirty(m);
    return true;
}

// Those that aren't marked are as good as new; those that are get a new translation, as the
// revalidator does it.
static bool
retranslate(struct mega *m, void *x_)
{
    struct xlate_out *x = x_;
    struct flow_key key;
    struct flow_match match;
    mega_key(m, &key);
    mega_match(m, &match);
    const struct xlate_in in = {
        .config = sp_config_get(), .key = &key, .prefer = &match.mask, .now = 1000};
    xlate_flow(&in, x);
    if (!is_dirty(m)) {
        assert_true(dp_actions_equal(&m->x->acts->acts, &x->acts));
    } else if (memcmp(&x->wc, &match.mask, sizeof x->wc)) {
        kill_entry(m, NULL);
    } else {
        m->flags &= (uint8_t) ~MEGA_DIRTY;
        mega_replace(cache, m, x, __atomic_load_n(&cache->seq, __ATOMIC_SEQ_CST));
        assert_false(is_dirty(m));
    }
    return true;
}

static void
check_changes(struct of_bridge *br, const struct of_change *changes, size_t n)
{
    n_marked += mega_rules_changed(cache, changes, n);
    struct walk w = {.changes = changes, .n = n};
    struct xlate_out x;
    xlate_out_init(&x);
    rcu_begin();
    mega_for_each(cache, check_marks, &w);
    mega_for_each(cache, retranslate, &x);
    drop_dirty();
    rcu_end();
    xlate_out_destroy(&x);
    if (w.wrong) {
        fail_msg("%zu entries are marked wrongly; %zu should be", w.wrong, w.wanted);
    }
}

static void
random_change(char *rules[], size_t n)
{
    const size_t i = random_below((uint32_t) n);
    if (!random_below(3)) {
        free(rules[i]);
        rules[i] = random_rule();
        flow_mod(OF_FLOW_ADD, rules[i]);
        return;
    }
    char *match = base_strdup(rules[i]);
    *strstr(match, ",actions=") = '\0';
    if (random_below(2)) {
        flow_mod(OF_FLOW_DELETE_STRICT, match);
    } else {
        char *other = base_asprintf("%s,actions=output:%u", match, 1 + random_below(N_PORTS));
        flow_mod(OF_FLOW_MODIFY_STRICT, other);
        free(other);
    }
    free(match);
}

static void
test_dependencies(void **state)
{
    static struct of_ops checking;
    checking = ops;
    checking.rules_changed = check_changes;
    n_marked = 0;
    for (unsigned world = 0; world < 30; world++) {
        char *rules[30];
        of_ops_register(&ops);
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
            rules[i] = random_rule();
            flow_mod(OF_FLOW_ADD, rules[i]);
        }
        rcu_begin();
        for (unsigned i = 0; i < 200; i++) {
            struct flow_key k;
            make_key(&k, 1 + random_below(N_PORTS), (uint8_t) random_below(6),
                     htobe16((uint16_t) (80 + random_below(3))));
            add_entry(&k);
        }
        drop_dirty();
        rcu_end();
        of_ops_register(&checking);
        for (unsigned i = 0; i < 40; i++) {
            random_change(rules, ARRAY_SIZE(rules));
        }
        of_ops_register(&ops);
        flow_mod(OF_FLOW_DELETE, "");
        rcu_begin();
        mega_for_each(cache, kill_entry, NULL);
        rcu_end();
        drop_dirty();
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
            free(rules[i]);
        }
    }
    print_message("%u changes marked %zu entries\n", 30 * 40, n_marked);
    assert_true(n_marked > 100);
}

// Rules that no cached flow has to do with retranslate nothing; those that one has mark it alone.
static void
test_unrelated(void **state)
{
    of_ops_register(&ops);
    struct str s = STR_INIT;
    for (unsigned i = 0; i < 100; i++) {
        str_clear(&s);
        str_addf(&s, "table=0,priority=10,udp,nw_dst=10.0.0.%u,actions=output:2", i);
        flow_mod(OF_FLOW_ADD, str_get(&s));
    }
    rcu_begin();
    for (unsigned i = 0; i < 100; i++) {
        struct flow_key k;
        make_key(&k, 1, (uint8_t) i, htobe16(80));
        add_entry(&k);
    }
    rcu_end();
    n_marked = 0;
    drop_dirty();
    for (unsigned i = 0; i < 200; i++) { // other addresses, another table, lower priorities
        str_clear(&s);
        str_addf(&s, "table=%u,priority=%u,udp,nw_dst=10.0.%u.%u,actions=output:3", i % 3 == 2,
                 i % 2 ? 20 : 5, i % 2, i);
        flow_mod(OF_FLOW_ADD, str_get(&s));
    }
    flow_mod(OF_FLOW_DELETE, "udp,nw_dst=10.0.1.0/24");
    flow_mod(OF_FLOW_MODIFY, "table=1,actions=output:1");
    assert_int_equal(n_marked, 0);
    assert_int_equal(drop_dirty(), 0);

    flow_mod(OF_FLOW_ADD, "table=0,priority=30,udp,nw_dst=10.0.0.7,actions=output:3");
    assert_int_equal(n_marked, 1);
    assert_int_equal(drop_dirty(), 1);
    flow_mod(OF_FLOW_MODIFY_STRICT, "table=0,priority=10,udp,nw_dst=10.0.0.8,actions=output:4");
    assert_int_equal(n_marked, 2);
    str_free(&s);
}

// Tables see no ports in fragments, actions do: a rule for port 0 concerns the flow of a fragment
// that matches another because an action looked.
static void
test_fragments(void **state)
{
    of_ops_register(&ops);
    flow_mod(OF_FLOW_ADD,
             "priority=5,udp,actions=move:NXM_OF_UDP_DST[]->NXM_NX_REG0[0..15],resubmit(,1)");
    flow_mod(OF_FLOW_ADD, "table=1,actions=output:2");
    struct flow_key k;
    make_key(&k, 1, 1, htobe16(8080));
    k.nw_frag = FLOW_FRAG_ANY;
    rcu_begin();
    const struct mega *m = add_entry(&k);
    struct flow_match match;
    mega_match(m, &match);
    assert_int_equal(be16toh(match.mask.tp_dst), 0xffff);
    rcu_end();
    drop_dirty();
    flow_mod(OF_FLOW_ADD, "table=1,priority=40000,udp,tp_dst=0/0xf000,actions=output:3");
    assert_true(is_dirty(m));
    struct xlate_out x;
    xlate_out_init(&x);
    rcu_begin();
    xlate_flow(&(struct xlate_in){.config = sp_config_get(), .key = &k, .now = 1000}, &x);
    assert_false(dp_actions_equal(&m->x->acts->acts, &x.acts));
    rcu_end();
    xlate_out_destroy(&x);
}

// Equal reasons are one, whatever the memory held before; when there are more kinds of words than
// are kept, each flow still has its own code.
static void
test_reasons(void **state)
{
    struct flow_key k;
    struct reason r;
    make_key(&k, 1, 1, htobe16(1));
    rcu_begin();
    struct mega *m = add_entry(&k);
    const struct reason *first = NULL;
    for (int i = 0; i < 3; i++) {
        memset(&r, 0x55 + i, sizeof r);
        reason_set(&r, REASON_HW_REJECTED, FIELD_COUNT, -EOPNOTSUPP, "%s", "no");
        mega_set_reason(m, &r);
        first = first ? first : m->reason;
        assert_ptr_equal(m->reason, first);
    }
    for (int i = 0; i < 3000; i++) {
        reason_set(&r, REASON_HW_REJECTED, FIELD_COUNT, -EIO, "firmware says %d", i);
        mega_set_reason(m, &r);
        assert_int_equal(m->reason->code, REASON_HW_REJECTED);
    }
    reason_set(&r, REASON_POLICY_OFF, FIELD_COUNT, 0, "%s", "words that are not kept any more");
    mega_set_reason(m, &r);
    assert_int_equal(m->reason->code, REASON_POLICY_OFF);
    reason_clear(&r);
    mega_set_reason(m, &r);
    assert_int_equal(m->reason->code, REASON_NONE);
    rcu_end();
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
    of_ops_register(&ops);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_states, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_return, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_bridge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_ghost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dependencies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unrelated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fragments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reasons, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_drain();
    loop_free(loop);
    return failed;
}
