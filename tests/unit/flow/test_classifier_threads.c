// SPDX-License-Identifier: Apache-2.0
// The classifier with several readers beside a writer. Some rules stay for good: whatever the
// writer does with the others, a look-up finds at least the best of those, what it finds matches,
// and the bits that it says it looked at tell it from those that would beat it.
//
// Made for ThreadSanitizer: configure --enable-sanitizers=thread, make
// tests/unit/flow/test_classifier_threads.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "lib/flow/classifier_private.h"

#define N_READERS 3
#define N_LASTING 64
#define N_PASSING 600
#define CHANGES 60000

struct rule {
    struct cls_rule cr;
    struct flow_match match;
    int priority;
    struct rcu_head rcu;
};

static struct {
    struct cls *cls;
    struct rule *lasting[N_LASTING];
    uint64_t version; // atomic
    bool stop;        // atomic
    uint64_t lookups; // atomic
    uint64_t wrong;   // atomic
} shared;

static void
random_key(struct flow_key *k)
{
    memset(k, 0, sizeof *k);
    k->in_port = htobe32(random_below(4));
    k->metadata = htobe64(random_below(2));
    k->eth_type = htobe16(0x0800);
    k->nw_src = htobe32(0x0a000000 | random_below(4) << 16 | random_below(4));
    k->nw_dst = htobe32(0x0a000000 | random_below(4) << 8 | random_below(4));
    k->nw_proto = 6;
    k->tp_dst = htobe16((uint16_t) random_below(8));
}

static struct rule *
new_rule(int priority)
{
    struct flow_key k;
    struct flow_mask w = {0};
    struct rule *r = base_calloc(1, sizeof *r);
    random_key(&k);
    if (random_below(2)) {
        FLOW_MASK_EXACT(&w, in_port);
    }
    if (random_below(2)) {
        FLOW_MASK_EXACT(&w, eth_type);
        w.nw_src = htobe32((uint32_t) (0xffffffffu << (random_below(2) ? 8 : 0)));
    }
    if (random_below(2)) {
        FLOW_MASK_EXACT(&w, eth_type);
        w.nw_dst = htobe32((uint32_t) (0xffffffffu << (random_below(2) ? 8 : 0)));
        if (random_below(2)) {
            FLOW_MASK_EXACT(&w, nw_proto);
            FLOW_MASK_EXACT(&w, tp_dst);
        }
    }
    match_init(&r->match, &k, &w);
    r->priority = priority;
    cls_rule_init(&r->cr, &r->match, priority);
    return r;
}

static void
free_rule(struct rcu_head *head)
{
    struct rule *r = CONTAINER_OF(head, struct rule, rcu);
    rcu_after_grace();
    cls_rule_destroy(&r->cr);
    free(r);
}

static int
best_lasting(const struct flow_key *k)
{
    int best = -1;
    for (int i = 0; i < N_LASTING; i++) {
        if (shared.lasting[i] && shared.lasting[i]->priority > best &&
            match_covers_key(&shared.lasting[i]->match, k)) {
            best = shared.lasting[i]->priority;
        }
    }
    return best;
}

// Can a packet that agrees with the key in the bits looked at match one of the lasting rules that
// beat `priority`? They were there all the time.
static bool
is_too_wide(const struct flow_key *k, const struct flow_mask *wc, int priority)
{
    for (int i = 0; i < N_LASTING; i++) {
        const struct rule *r = shared.lasting[i];
        uint64_t told = 0;
        for (size_t w = 0; r && w < FLOW_WORDS; w++) {
            told |= (flow_key_words(k)[w] ^ flow_key_words(&r->match.key)[w]) &
                    flow_mask_words(&r->match.mask)[w] & flow_mask_words(wc)[w];
        }
        if (r && r->priority > priority && !told) {
            return true;
        }
    }
    return false;
}

static bool
lookup_is_right(void)
{
    struct flow_key k, other;
    struct flow_mask wc = {0};
    random_key(&k);
    rcu_begin();
    const uint64_t version = __atomic_load_n(&shared.version, __ATOMIC_ACQUIRE);
    const struct cls_rule *cr = cls_lookup(shared.cls, version, &k, &wc);
    bool right = cr && match_covers_key(&CONTAINER_OF(cr, struct rule, cr)->match, &k);
    right = right && CONTAINER_OF(cr, struct rule, cr)->priority >= best_lasting(&k);
    right = right && !is_too_wide(&k, &wc, CONTAINER_OF(cr, struct rule, cr)->priority);
    // A key that agrees in the bits looked at matches the same rule.
    random_key(&other);
    uint64_t *o = (uint64_t *) (void *) &other;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        const uint64_t w = flow_mask_words(&wc)[i];
        o[i] = (o[i] & ~w) | (flow_key_words(&k)[i] & w);
    }
    right = right && match_covers_key(&CONTAINER_OF(cr, struct rule, cr)->match, &other);
    rcu_end();
    return right;
}

static void
read_loop(void *seed)
{
    uint64_t n = 0, wrong = 0;
    random_seed((uintptr_t) seed);
    while (!__atomic_load_n(&shared.stop, __ATOMIC_RELAXED)) {
        wrong += !lookup_is_right();
        n++;
    }
    __atomic_add_fetch(&shared.lookups, n, __ATOMIC_RELAXED);
    __atomic_add_fetch(&shared.wrong, wrong, __ATOMIC_RELAXED);
}

static void
test_readers(void **state)
{
    struct rule *passing[N_PASSING] = {NULL};
    struct thread *threads[N_READERS];
    shared.cls = cls_new();
    shared.version = CLS_VERSION_MIN;
    for (int i = 0; i < N_LASTING; i++) { // priorities of their own: nothing replaces them
        struct rule *r = new_rule(i * 1000);
        if (!i) {
            cls_rule_destroy(&r->cr);
            match_init_any(&r->match); // the catch-all
            cls_rule_init(&r->cr, &r->match, 0);
        }
        assert_null(cls_insert(shared.cls, &r->cr, shared.version));
        shared.lasting[i] = r;
    }
    for (uintptr_t i = 0; i < N_READERS; i++) {
        threads[i] = thread_start("reader", read_loop, (void *) (i + 1));
    }
    for (int i = 0; i < CHANGES; i++) {
        struct rule **r = &passing[random_below(N_PASSING)];
        if (!random_below(1000)) { // many go at once
            cls_defer(shared.cls);
            for (int j = (int) random_below(N_PASSING); j < N_PASSING; j++) {
                if (passing[j]) {
                    cls_remove(shared.cls, &passing[j]->cr);
                    rcu_call(&passing[j]->rcu, free_rule);
                    passing[j] = NULL;
                }
            }
            cls_publish(shared.cls);
        } else if (*r) {
            cls_remove(shared.cls, &(*r)->cr);
            rcu_call(&(*r)->rcu, free_rule);
            *r = NULL;
        } else {
            // Unique priorities: an insertion never replaces.
            *r = new_rule((int) random_below(N_LASTING) * 1000 + 1 + (int) (r - passing));
            assert_null(cls_insert(shared.cls, &(*r)->cr, shared.version + 1));
            __atomic_store_n(&shared.version, shared.version + 1, __ATOMIC_RELEASE);
        }
    }
    __atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < N_READERS; i++) {
        thread_join(threads[i]);
    }
    print_message("%llu look-ups beside %d changes\n", (unsigned long long) shared.lookups,
                  CHANGES);
    assert_true(shared.lookups > 0);
    assert_int_equal(shared.wrong, 0);
    for (int i = 0; i < N_PASSING; i++) {
        if (passing[i]) {
            cls_remove(shared.cls, &passing[i]->cr);
            rcu_call(&passing[i]->rcu, free_rule);
        }
    }
    for (int i = 0; i < N_LASTING; i++) {
        cls_remove(shared.cls, &shared.lasting[i]->cr);
        rcu_call(&shared.lasting[i]->rcu, free_rule);
    }
    cls_free(shared.cls);
    rcu_drain();
}

// Other fields are tracked, again and again, sometimes when all rules have just left: readers may
// still be among the prefixes of before.
static void
look_on(void *seed)
{
    uint64_t n = 0, wrong = 0;
    random_seed((uintptr_t) seed);
    while (!__atomic_load_n(&shared.stop, __ATOMIC_RELAXED)) {
        struct flow_key k;
        struct flow_mask wc = {0};
        random_key(&k);
        rcu_begin();
        const struct cls_rule *cr = cls_lookup(shared.cls, CLS_VERSION_MIN, &k, &wc);
        wrong += cr && !match_covers_key(&CONTAINER_OF(cr, struct rule, cr)->match, &k);
        rcu_end();
        n++;
    }
    __atomic_add_fetch(&shared.lookups, n, __ATOMIC_RELAXED);
    __atomic_add_fetch(&shared.wrong, wrong, __ATOMIC_RELAXED);
}

static void
test_prefix_fields(void **state)
{
    static const enum field_id fields[] = {FIELD_NW_SRC, FIELD_NW_DST, FIELD_IPV6_DST,
                                           FIELD_METADATA, FIELD_NW_SRC};
    struct rule *rules[64];
    struct thread *threads[N_READERS];
    shared.cls = cls_new();
    shared.stop = false;
    shared.lookups = shared.wrong = 0;
    for (uintptr_t i = 0; i < N_READERS; i++) {
        threads[i] = thread_start("reader", look_on, (void *) (i + 1));
    }
    for (int round = 0; round < 300; round++) {
        size_t left = round % 3 ? 0 : random_below(64);
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
            rules[i] = new_rule((int) i + 1);
            assert_null(cls_insert(shared.cls, &rules[i]->cr, CLS_VERSION_MIN));
        }
        for (size_t i = ARRAY_SIZE(rules); i-- > 0;) {
            if (i + 1 == left) {
                cls_set_prefix_fields(shared.cls, &fields[round % 3], 2);
            }
            cls_remove(shared.cls, &rules[i]->cr);
            rcu_call(&rules[i]->rcu, free_rule);
        }
        if (!left) {
            cls_set_prefix_fields(shared.cls, &fields[round % 3], 2);
        }
    }
    __atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < N_READERS; i++) {
        thread_join(threads[i]);
    }
    assert_true(shared.lookups > 0);
    assert_int_equal(shared.wrong, 0);
    cls_free(shared.cls);
    rcu_drain();
}

int
main(void)
{
    const char *env = getenv("TEST_SEED");
    const uint64_t seed = env ? strtoull(env, NULL, 0) : random_u32();
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    rcu_start();
    cls_many_masks = cls_few_slots = 16; // that there are some with many rules, too
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers),
        cmocka_unit_test(test_prefix_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
