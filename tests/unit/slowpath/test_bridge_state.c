// SPDX-License-Identifier: Apache-2.0
// The MAC table against a list searched from its start, and patch counters credited by two threads.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/base/thread.h"
#include "slowpath/bridge_state.h"
#include "slowpath/sp.h"

#define MAX_ENTRIES 24
#define STEPS 20000
#define STEP_MS 300 // more than the time within which a refresh is not written

// --- The model: entries in the order of their last use. ---

struct seen {
    uint16_t vlan;
    struct mac mac;
    uint32_t port;
    int64_t used;
};

struct model {
    struct seen e[MAX_ENTRIES];
    size_t n;
    struct mac_stats stats;
};

static struct seen *
model_find(struct model *m, uint16_t vlan, const struct mac *mac)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->e[i].vlan == vlan && !memcmp(&m->e[i].mac, mac, sizeof *mac)) {
            return &m->e[i];
        }
    }
    return NULL;
}

static void
model_remove(struct model *m, struct seen *s)
{
    const size_t i = (size_t) (s - m->e);
    memmove(s, s + 1, (m->n - i - 1) * sizeof *s);
    m->n--;
}

static bool
model_learn(struct model *m, const struct seen *new)
{
    struct seen *s = model_find(m, new->vlan, &new->mac);
    bool changed = true;
    if (s) {
        changed = s->port != new->port;
        if (changed && new->used < s->used) {
            return false;
        }
        m->stats.moved += changed;
        s->port = new->port;
        if (new->used <= s->used) {
            return changed;
        }
        model_remove(m, s);
    } else {
        m->stats.learned++;
        if (m->n == MAX_ENTRIES) {
            m->stats.evicted++;
            model_remove(m, &m->e[0]);
        }
    }
    m->e[m->n++] = *new;
    return changed;
}

static size_t
model_expire(struct model *m, int64_t before, uint32_t port)
{
    size_t n = 0;
    // Ageing looks at the oldest only: an address whose traffic was reported late goes with those
    // that were reported before it.
    for (size_t i = 0; i < m->n && m->e[i].used < before;) {
        if (port == MAC_NO_PORT || m->e[i].port == port) {
            model_remove(m, &m->e[i]);
            n++;
        } else {
            i++;
        }
    }
    return n;
}

// --- Tests. ---

static void
count_change(void *n, struct sp_bridge_state *s, uint16_t vlan, const struct mac *mac)
{
    ++*(size_t *) n;
}

static void
compare(struct sp_bridge_state *s, struct model *m)
{
    assert_int_equal(sp_mac_count(s), m->n);
    for (uint8_t a = 0; a < 16; a++) {
        for (uint16_t vlan = 0; vlan < 4; vlan++) {
            const struct mac mac = {{2, 0, 0, 0, 0, a}};
            const struct seen *want = model_find(m, vlan, &mac);
            assert_int_equal(sp_mac_lookup(s, vlan, &mac), want ? want->port : MAC_NO_PORT);
        }
    }
    struct mac_stats stats;
    sp_mac_stats(s, &stats);
    assert_memory_equal(&stats, &m->stats, sizeof stats);
}

static void
test_macs(void **state)
{
    const struct mac_limits limits = {.aging_s = 10, .max_entries = MAX_ENTRIES};
    struct sp_bridge_state *s = sp_bridge_state_new("br0");
    struct model *m = base_calloc(1, sizeof *m);
    size_t told = 0, changes = 0;
    int64_t now = 1000000;
    sp_bridge_state_on_change(s, count_change, &told);
    rcu_begin();
    for (unsigned i = 0; i < STEPS; i++) {
        now += STEP_MS;
        const uint64_t evicted = m->stats.evicted;
        struct seen new = {(uint16_t) random_below(4),
                           {{2, 0, 0, 0, 0, (uint8_t) random_below(16)}},
                           1 + random_below(3),
                           now};
        size_t n;
        switch (random_below(60)) {
        case 0:
            n = model_expire(m, now - limits.aging_s * 1000, MAC_NO_PORT);
            m->stats.expired += n;
            changes += n;
            assert_int_equal(sp_mac_expire(s, &limits, now), n);
            break;
        case 1:
            n = model_expire(m, INT64_MAX, new.port);
            changes += n;
            assert_int_equal(sp_mac_flush(s, new.port), n);
            break;
        case 2:
            if (!random_below(20)) {
                n = model_expire(m, INT64_MAX, MAC_NO_PORT);
                changes += n;
                assert_int_equal(sp_mac_flush(s, MAC_NO_PORT), n);
            }
            break;
        default:
            // Some traffic is reported late.
            new.used -= random_below(4) ? 0 : STEP_MS *random_below(20);
            const bool changed = model_learn(m, &new);
            changes += changed + (m->stats.evicted - evicted);
            assert_int_equal(
                sp_mac_learn(s, &limits,
                             &(struct mac_seen){new.vlan, &new.mac, new.port, new.used}),
                changed);
            break;
        }
        if (i % 50 == 0) {
            compare(s, m);
            assert_int_equal(told, changes);
        }
    }
    compare(s, m);
    struct str text = STR_INIT;
    sp_mac_format(s, now, NULL, NULL, &text);
    size_t lines = 0;
    for (const char *p = str_get(&text); (p = strchr(p, '\n')); p++) {
        lines++;
    }
    assert_int_equal(lines, 1 + m->n);
    str_free(&text);
    rcu_end();
    assert_true(m->stats.evicted > 10 && m->stats.expired > 10 && m->stats.moved > 10);
    free(m);
    sp_bridge_state_unref(s);
}

// Within a moment a refresh writes nothing: the entry doesn't get younger.
static void
test_refresh(void **state)
{
    const struct mac_limits limits = {.aging_s = 10};
    const struct mac mac = {{2, 0, 0, 0, 0, 1}};
    struct sp_bridge_state *s = sp_bridge_state_new("br0");
    rcu_begin();
    assert_true(sp_mac_learn(s, &limits, &(struct mac_seen){1, &mac, 7, 1000}));
    assert_false(sp_mac_learn(s, &limits, &(struct mac_seen){1, &mac, 7, 1100}));
    assert_int_equal(sp_mac_expire(s, &limits, 11000), 0);
    assert_int_equal(sp_mac_expire(s, &limits, 11001), 1);
    assert_int_equal(sp_mac_lookup(s, 1, &mac), MAC_NO_PORT);
    rcu_end();
    sp_bridge_state_unref(s);
}

// What is told to stay stays: traffic neither moves nor renews it, time and flushes don't take it.
static void
test_static(void **state)
{
    const struct mac_limits limits = {.aging_s = 10, .max_entries = 2};
    const struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};
    struct sp_bridge_state *s = sp_bridge_state_new("br0");
    rcu_begin();
    sp_mac_learn(s, &limits, &(struct mac_seen){1, &a, 7, 1000});
    assert_int_equal(sp_mac_add_static(s, 1, &a, 3), MAC_NO_PORT);
    assert_int_equal(sp_mac_add_static(s, 1, &a, 4), 3);
    assert_int_equal(sp_mac_add_static(s, 2, &a, 4), MAC_NO_PORT);
    assert_false(sp_mac_learn(s, &limits, &(struct mac_seen){1, &a, 7, 5000}));
    assert_true(sp_mac_learn(s, &limits, &(struct mac_seen){1, &b, 7, 5000}));
    assert_int_equal(sp_mac_expire(s, &limits, 1000000), 1);
    assert_int_equal(sp_mac_flush(s, MAC_NO_PORT), 0);
    assert_int_equal(sp_mac_lookup(s, 1, &a), 4);
    assert_true(sp_mac_del_static(s, 1, &a));
    assert_false(sp_mac_del_static(s, 1, &a));
    assert_int_equal(sp_mac_lookup(s, 1, &a), MAC_NO_PORT);
    assert_int_equal(sp_mac_count(s), 1);
    rcu_end();
    sp_bridge_state_unref(s);
}

static void
credit(void *s)
{
    for (unsigned i = 0; i < 10000; i++) {
        const struct patch_counters add = {
            .rx_packets = 1, .rx_bytes = 60, .tx_packets = 2, .tx_bytes = 120};
        sp_patch_credit(s, 1 + i % 3, &add);
    }
}

static void
test_patch_counters(void **state)
{
    struct sp_bridge_state *s = sp_bridge_state_new("br0");
    struct thread *threads[2];
    for (size_t i = 0; i < 2; i++) {
        threads[i] = thread_start("credit", credit, s);
    }
    for (size_t i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    struct patch_counters sum = {0}, one;
    for (uint32_t port = 0; port <= 4; port++) {
        sp_patch_read(s, port, &one);
        sum.rx_packets += one.rx_packets;
        sum.rx_bytes += one.rx_bytes;
        sum.tx_packets += one.tx_packets;
        sum.tx_bytes += one.tx_bytes;
    }
    assert_int_equal(sum.rx_packets, 20000);
    assert_int_equal(sum.rx_bytes, 1200000);
    assert_int_equal(sum.tx_packets, 40000);
    assert_int_equal(sum.tx_bytes, 2400000);
    sp_patch_read(s, 9, &one);
    assert_int_equal(one.tx_packets, 0);
    sp_bridge_state_unref(s);
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    rcu_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macs),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_static),
        cmocka_unit_test(test_patch_counters),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_drain();
    return failed;
}
