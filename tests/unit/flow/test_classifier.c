// SPDX-License-Identifier: Apache-2.0
// The classifier against a linear list: random insertions, replacements, removals, versions and
// look-ups; what "wc" promises; walks; deferred publication; readers beside a writer.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/thread.h"
#include "lib/flow/classifier.h"

struct rule {
    struct cls_rule cr;
    struct flow_match match;
    int priority;
    uint64_t added, removed;
    bool in;
    struct rcu_head rcu;
};

#define MAX_RULES 400

struct model {
    struct cls *cls;
    struct rule *rules[MAX_RULES];
    size_t n;
    uint64_t version;
};

static be32_t
random_ip(void)
{
    static const uint32_t nets[] = {0x0a000000, 0x0a000100, 0x0a010000, 0xc0a80000};
    return htobe32(nets[random_below(4)] | random_below(4) |
                   (random_below(4) ? 0 : random_below(65536)));
}

static void
random_key(struct flow_key *k)
{
    memset(k, 0, sizeof *k);
    k->in_port = htobe32(random_below(3));
    k->regs[0] = htobe32(random_below(2));
    k->eth_dst.b[5] = random_below(3);
    k->eth_type = htobe16(random_below(3) ? 0x800 : 0x86dd);
    k->nw_src = random_ip();
    k->nw_dst = random_ip();
    k->nw_proto = random_below(2) ? 6 : 17;
    k->ipv6_dst[0] = 0x20;
    k->ipv6_dst[8] = random_below(4);
    k->ipv6_dst[15] = random_below(3);
    k->tp_src = htobe16(random_below(3));
    k->tp_dst = htobe16(random_below(5));
}

static be32_t
random_ip_mask(void)
{
    static const uint8_t plens[] = {8, 16, 24, 31, 32, 32, 13};
    uint32_t m = UINT32_MAX << (32 - plens[random_below(ARRAY_SIZE(plens))]);
    return htobe32(random_below(12) ? m : 0xff0000ff);
}

static void
random_match(struct flow_match *m)
{
    memset(m, 0, sizeof *m);
    random_key(&m->key);
    uint32_t r = random_u32();
    if (r % 3 == 0) {
        FLOW_MASK_EXACT(&m->mask, in_port);
    }
    if (r >> 2 & 1 && r >> 3 & 1) {
        FLOW_MASK_EXACT(&m->mask, regs[0]);
    }
    if (r >> 4 & 1 && r >> 5 & 1) {
        FLOW_MASK_EXACT(&m->mask, eth_dst);
    }
    if (r >> 6 & 1) {
        FLOW_MASK_EXACT(&m->mask, eth_type);
    }
    m->mask.nw_src = r >> 7 & 1 ? random_ip_mask() : 0;
    m->mask.nw_dst = r >> 8 & 1 ? random_ip_mask() : 0;
    if (r >> 9 & 1) {
        FLOW_MASK_EXACT(&m->mask, nw_proto);
    }
    if (r >> 10 & 1 && r >> 11 & 1) {
        memset(m->mask.ipv6_dst, 0xff, random_below(3) ? 16 : 9);
    }
    m->mask.tp_dst = r >> 12 & 1 ? htobe16(random_below(2) ? 0xffff : 0xfffc) : 0;
    m->mask.tp_src = r >> 13 & 1 && r >> 14 & 1 ? 0xffff : 0;
    uint64_t *k = (uint64_t *) (void *) &m->key;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        k[i] &= flow_mask_words(&m->mask)[i];
    }
}

static bool
covers(const struct rule *r, const struct flow_key *k)
{
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if ((flow_key_words(k)[i] ^ flow_key_words(&r->match.key)[i]) &
            flow_mask_words(&r->match.mask)[i]) {
            return false;
        }
    }
    return true;
}

static bool
visible(const struct rule *r, uint64_t version)
{
    return r->added <= version && version < r->removed;
}

static void
free_rule(struct rcu_head *head)
{
    struct rule *r = CONTAINER_OF(head, struct rule, rcu);
    rcu_after_grace();
    cls_rule_destroy(&r->cr);
    free(r);
}

static void
forget(struct model *m, struct rule *r)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->rules[i] == r) {
            m->rules[i] = m->rules[--m->n];
            rcu_call(&r->rcu, free_rule);
            return;
        }
    }
    fail_msg("a rule that was not in the classifier");
}

static struct rule *
same(const struct model *m, const struct flow_match *match, int priority, uint64_t version)
{
    for (size_t i = 0; i < m->n; i++) {
        struct rule *r = m->rules[i];
        if (r->priority == priority && visible(r, version) &&
            !memcmp(&r->match.key, &match->key, sizeof match->key) &&
            !memcmp(&r->match.mask, &match->mask, sizeof match->mask)) {
            return r;
        }
    }
    return NULL;
}

static void
insert_random(struct model *m)
{
    struct rule *r = calloc(1, sizeof *r);
    random_match(&r->match);
    if (m->n && !random_below(4)) { // one that is there, perhaps at another priority
        r->match = m->rules[random_below(m->n)]->match;
    }
    // Never 0: test_readers' catch-all lasts. A rule that is replaced is missed by readers whose
    // version is older than its successor.
    r->priority = 1 + (int) random_below(random_below(3) ? 999 : 4);
    r->added = m->version;
    r->removed = CLS_VERSION_NEVER;
    cls_rule_init(&r->cr, &r->match, r->priority);

    struct rule *want = same(m, &r->match, r->priority, m->version);
    struct cls_rule *found = cls_find(m->cls, &r->cr, m->version);
    assert_ptr_equal(found, want ? &want->cr : NULL);
    struct cls_rule *old = cls_insert(m->cls, &r->cr, m->version);
    assert_ptr_equal(old, want ? &want->cr : NULL);
    if (want) {
        forget(m, want);
    }
    m->rules[m->n++] = r;
    assert_int_equal(cls_count(m->cls), m->n);
}

static void
check_lookup(const struct model *m, uint64_t version)
{
    struct flow_key key, other;
    struct flow_mask wc;
    random_key(&key);
    int want = -1;
    for (size_t i = 0; i < m->n; i++) {
        if (visible(m->rules[i], version) && covers(m->rules[i], &key)) {
            want = MAX(want, m->rules[i]->priority);
        }
    }
    memset(&wc, 0, sizeof wc);
    rcu_begin();
    const struct cls_rule *got = cls_lookup(m->cls, version, &key, &wc);
    assert_int_equal(got ? got->priority : -1, want);
    assert_ptr_equal(got, cls_lookup(m->cls, version, &key, NULL));
    if (got) {
        const struct rule *r = CONTAINER_OF(got, struct rule, cr);
        assert_true(covers(r, &key));
        assert_true(visible(r, version));
    }
    // Whatever is equal under wc has the same result: random keys, and those that come as close to
    // a rule as wc lets them.
    for (int i = 0; i < 12; i++) {
        random_key(&other);
        if (i >= 8 && m->n) {
            const struct rule *near = m->rules[random_below(m->n)];
            for (size_t w = 0; w < FLOW_WORDS; w++) {
                const uint64_t rm = flow_mask_words(&near->match.mask)[w];
                uint64_t *x = (uint64_t *) (void *) &other + w;
                *x = (*x & ~rm) | flow_key_words(&near->match.key)[w];
            }
        }
        uint64_t *o = (uint64_t *) (void *) &other;
        for (size_t w = 0; w < FLOW_WORDS; w++) {
            uint64_t c = flow_mask_words(&wc)[w];
            o[w] = (flow_key_words(&key)[w] & c) | ((i & 1 || i >= 8 ? o[w] : random_u64()) & ~c);
        }
        assert_ptr_equal(cls_lookup(m->cls, version, &other, NULL), got);
        // And where those bits are matched anyway, it takes no others to know.
        struct flow_mask same = wc;
        for (size_t w = 0; i == 11 && w < FLOW_WORDS; w++) {
            o[w] &= flow_mask_words(&wc)[w];
        }
        assert_ptr_equal(cls_lookup(m->cls, version, &other, &same), got);
        assert_memory_equal(&same, &wc, sizeof wc);
    }
    rcu_end();
}

static bool
collect(struct cls_rule *cr, void *n_)
{
    ++*(size_t *) n_;
    return true;
}

static void
check_walks(const struct model *m)
{
    struct flow_match target;
    size_t n = 0, want = 0;
    cls_for_each(m->cls, NULL, m->version, collect, &n);
    for (size_t i = 0; i < m->n; i++) {
        want += visible(m->rules[i], m->version);
    }
    assert_int_equal(n, want);

    memset(&target, 0, sizeof target);
    random_match(&target);
    if (random_below(2)) {
        memset(&target.mask, 0, sizeof target.mask);
        target.mask.nw_dst = htobe32(0xff000000);
        memset(&target.key, 0, sizeof target.key);
        target.key.nw_dst = htobe32(0x0a000000);
    }
    n = want = 0;
    cls_for_each(m->cls, &target, m->version, collect, &n);
    int priority = random_below(5);
    bool overlaps = false;
    for (size_t i = 0; i < m->n; i++) {
        const struct rule *r = m->rules[i];
        bool within = true, agree = true;
        for (size_t w = 0; w < FLOW_WORDS; w++) {
            uint64_t tm = flow_mask_words(&target.mask)[w], rm = flow_mask_words(&r->match.mask)[w];
            uint64_t diff = flow_key_words(&target.key)[w] ^ flow_key_words(&r->match.key)[w];
            within &= !(tm & ~rm) && !(diff & tm);
            agree &= !(diff & tm & rm);
        }
        want += within && visible(r, m->version);
        overlaps |= agree && r->priority == priority && visible(r, m->version);
    }
    assert_int_equal(n, want);
    struct cls_rule cr;
    cls_rule_init(&cr, &target, priority);
    assert_int_equal(cls_overlaps(m->cls, &cr, m->version), overlaps);
    struct flow_match back;
    cls_rule_match(&cr, &back);
    assert_memory_equal(&back.key, &target.key, sizeof back.key);
    assert_memory_equal(&back.mask, &target.mask, sizeof back.mask);
    cls_rule_destroy(&cr);
}

static void
remove_rule(struct model *m, struct rule *r)
{
    cls_remove(m->cls, &r->cr);
    forget(m, r);
    assert_int_equal(cls_count(m->cls), m->n);
}

static void
step(struct model *m)
{
    uint32_t op = random_below(100);
    if (op < 50 && m->n < MAX_RULES - 1) {
        insert_random(m);
    } else if (op < 75 && m->n) {
        remove_rule(m, m->rules[random_below(m->n)]);
    } else if (op < 85 && m->n) { // a versioned deletion
        struct rule *r = m->rules[random_below(m->n)];
        if (r->removed == CLS_VERSION_NEVER) {
            r->removed = m->version + 1;
            cls_hide(m->cls, &r->cr, m->version + 1);
        }
    } else if (op < 90) {
        m->version++;
    } else if (op < 92 && m->n) { // the highest go first
        for (int i = 0; i < 5 && m->n; i++) {
            struct rule *top = m->rules[0];
            for (size_t j = 1; j < m->n; j++) {
                top = m->rules[j]->priority > top->priority ? m->rules[j] : top;
            }
            remove_rule(m, top);
        }
    } else if (op == 99 && !random_below(10)) {
        const enum field_id fields[] = {FIELD_NW_SRC, FIELD_IPV6_DST};
        cls_set_prefix_fields(m->cls, fields, random_below(3));
    } else {
        check_walks(m);
    }
}

static void
test_model(void **state)
{
    for (int round = 0; round < (FB_TSAN ? 8 : 20); round++) { // one thread: TSan has little to see
        struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
        int n = round % 4 == 3 ? 60 : 1500;
        for (int i = 0; i < n; i++) {
            step(&m);
            check_lookup(&m, m.version);
            check_lookup(&m, m.version + 1);
        }
        while (m.n) {
            remove_rule(&m, m.rules[random_below(m.n)]);
            check_lookup(&m, m.version);
        }
        assert_int_equal(cls_n_subtables(m.cls), 0);
        cls_free(m.cls);
    }
    rcu_drain();
}

static void
test_deferred(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    cls_defer(m.cls);
    for (int i = 0; i < 300; i++) {
        insert_random(&m);
    }
    size_t n = 0;
    cls_for_each(m.cls, NULL, m.version, collect, &n);
    assert_int_equal(n, m.n);
    for (int i = 0; i < 100; i++) {
        remove_rule(&m, m.rules[random_below(m.n)]);
    }
    cls_publish(m.cls);
    for (int i = 0; i < 1000; i++) {
        check_lookup(&m, m.version);
    }
    while (m.n) {
        remove_rule(&m, m.rules[m.n - 1]);
    }
    cls_free(m.cls);
    rcu_drain();
}

// Removals while publication is deferred: of few rules, of most, of all, with insertions between
// them.
static void
test_deferred_removal(void **state)
{
    for (int round = 0; round < 60; round++) {
        struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
        for (int i = 0; i < 300; i++) {
            insert_random(&m);
        }
        const size_t left = (size_t[]){250, 40, 3, 0}[round % 4];
        cls_defer(m.cls);
        while (m.n > left) {
            remove_rule(&m, m.rules[random_below(m.n)]);
            if (!random_below(5)) {
                check_lookup(&m, m.version);
            }
            if (round % 3 == 0 &&
                !random_below(8)) { // may be unseen until the end: of the same mask and key
                const struct rule *r = m.n ? m.rules[random_below(m.n)] : NULL;
                struct rule *x = r && r->priority > 1 ? calloc(1, sizeof *x) : NULL;
                if (x) {
                    x->match = r->match;
                    x->priority = r->priority - 1;
                    x->added = m.version;
                    x->removed = CLS_VERSION_NEVER;
                    if (same(&m, &x->match, x->priority, m.version)) {
                        free(x);
                        continue;
                    }
                    cls_rule_init(&x->cr, &x->match, x->priority);
                    assert_null(cls_insert(m.cls, &x->cr, m.version));
                    m.rules[m.n++] = x;
                }
            }
        }
        if (round % 7 == 6) {
            const enum field_id fields[] = {FIELD_NW_SRC, FIELD_IPV6_DST};
            cls_set_prefix_fields(m.cls, fields, 2);
        }
        cls_publish(m.cls);
        for (int i = 0; i < 200; i++) {
            check_lookup(&m, m.version);
            step(&m);
        }
        while (m.n) {
            remove_rule(&m, m.rules[m.n - 1]);
        }
        cls_free(m.cls);
    }
    rcu_drain();
}

static bool
remove_it(struct cls_rule *cr, void *m_)
{
    struct model *m = m_;
    if (random_below(3)) {
        remove_rule(m, CONTAINER_OF(cr, struct rule, cr));
    }
    return true;
}

static void
test_remove_while_walking(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    for (int i = 0; i < 300; i++) {
        insert_random(&m);
    }
    while (m.n) {
        cls_for_each(m.cls, NULL, m.version, remove_it, &m);
        check_lookup(&m, m.version);
    }
    cls_free(m.cls);
    rcu_drain();
}

// Few bits: look-ups that the prefix of an address or an early stage decides do not look at more.
static struct rule *
add(struct model *m, uint32_t dst, unsigned plen, uint16_t tp_dst, int priority)
{
    struct rule *r = calloc(1, sizeof *r);
    r->match.mask.nw_dst = plen ? htobe32(UINT32_MAX << (32 - plen)) : 0;
    r->match.key.nw_dst = htobe32(dst) & r->match.mask.nw_dst;
    if (tp_dst) {
        r->match.mask.tp_dst = 0xffff;
        r->match.key.tp_dst = htobe16(tp_dst);
    }
    r->priority = priority;
    r->added = m->version;
    r->removed = CLS_VERSION_NEVER;
    cls_rule_init(&r->cr, &r->match, priority);
    cls_insert(m->cls, &r->cr, m->version);
    return m->rules[m->n++] = r;
}

static void
lookup_wc(const struct model *m, uint32_t dst, uint16_t tp_dst, struct flow_mask *wc)
{
    struct flow_key k;
    memset(&k, 0, sizeof k);
    k.nw_dst = htobe32(dst);
    k.tp_dst = htobe16(tp_dst);
    memset(wc, 0, sizeof *wc);
    rcu_begin();
    cls_lookup(m->cls, m->version, &k, wc);
    rcu_end();
}

static void
end(struct model *m)
{
    while (m->n) {
        remove_rule(m, m->rules[m->n - 1]);
    }
    cls_free(m->cls);
    rcu_drain();
}

static void
test_few_bits(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    struct flow_mask wc;
    add(&m, 0x0a000001, 32, 0, 100);
    add(&m, 0x0a000100, 24, 80, 90);
    add(&m, 0, 0, 0, 1);
    lookup_wc(&m, 0xc0a80001, 80, &wc); // one bit tells it from both
    assert_int_equal(be32toh(wc.nw_dst), 0x80000000);
    assert_int_equal(wc.tp_dst, 0);
    lookup_wc(&m, 0x0a000002, 80, &wc); // 10.0.0.1 and 10.0.1.0/24 have none in common
    assert_int_equal(be32toh(wc.nw_dst), 0x00000102);
    assert_int_equal(wc.tp_dst, 0);
    lookup_wc(&m, 0x0a000105, 80,
              &wc); // matches the second rule, whose bits tell it from the first
    assert_int_equal(be32toh(wc.nw_dst), 0xffffff00);
    assert_int_equal(be16toh(wc.tp_dst), 0xffff);
    lookup_wc(&m, 0x0a000001, 80, &wc); // the highest: nothing else is looked at
    assert_int_equal(be32toh(wc.nw_dst), 0xffffffff);
    assert_int_equal(wc.tp_dst, 0);
    lookup_wc(&m, 0x0a000105, 81, &wc); // the lowest
    assert_int_equal(be32toh(wc.nw_dst), 0x00000100);
    assert_int_equal(be16toh(wc.tp_dst), 0x0001);
    end(&m);
}

// A rule that loses does not matter, nor does one of an equal priority that is asked later or of
// another version.
static void
test_no_bits(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    struct flow_mask wc;
    add(&m, 0x0a000001, 32, 0, 10);
    add(&m, 0, 0, 0, 20);
    m.version = 9; // not yet
    add(&m, 0x0a000000, 8, 0, 30);
    m.version = CLS_VERSION_MIN;
    lookup_wc(&m, 0x0a000001, 80, &wc);
    assert_int_equal(wc.nw_dst, 0);
    m.version = 9;
    lookup_wc(&m, 0xc0a80001, 80, &wc);
    assert_int_equal(be32toh(wc.nw_dst), 0x80000000);
    add(&m, 0, 0, 0, INT32_MAX); // nothing beats one of the switch's own
    lookup_wc(&m, 0x0a000001, 80, &wc);
    assert_int_equal(wc.nw_dst, 0);
    end(&m);
}

// Many rules: a prefix that none has takes as many bits as its tree needs; bits that are matched
// anyway come before.
static void
test_prefix_bits(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    struct flow_mask wc;
    for (uint32_t i = 0; i < 100; i++) {
        add(&m, 0x0a000000 | i, 32, 0, 100);
    }
    add(&m, 0, 0, 0, 1);
    lookup_wc(&m, 0xc0a80001, 80, &wc);
    assert_int_equal(be32toh(wc.nw_dst), 0x80000000);
    lookup_wc(&m, 0x0a000080, 80, &wc);
    assert_int_equal(be32toh(wc.nw_dst), 0xffffff80);
    add(&m, 0x0a000080, 32, 0, 50); // the winner's own bits are enough
    lookup_wc(&m, 0x0a000080, 80, &wc);
    assert_int_equal(be32toh(wc.nw_dst), 0xffffffff);
    assert_int_equal(wc.tp_dst, 0);
    end(&m);
}

// What mass removal leaves is as if nothing else had been there.
static void
test_prefix_bits_after_removal(void **state)
{
    for (uint32_t left = 20; left < 100; left += 70) {
        struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
        struct flow_mask wc;
        add(&m, 0, 0, 0, 1);
        for (uint32_t i = 0; i < 100; i++) {
            add(&m, 0x0a000000 | i, 32, 0, 100);
        }
        lookup_wc(&m, 0x0a000080, 80, &wc);
        assert_int_equal(be32toh(wc.nw_dst), 0xffffff80);
        cls_defer(m.cls);
        while (m.n > left + 1) {
            remove_rule(&m, m.rules[m.n - 1]);
        }
        lookup_wc(&m, 0x0a000080, 80, &wc);
        assert_int_equal(be32toh(wc.nw_dst), 0xffffff80);
        lookup_wc(&m, 0x0a000063, 80,
                  &wc); // the last that left: all that the tree can tell is told by hash
        assert_int_equal(be32toh(wc.nw_dst), 0xffffffff);
        cls_publish(m.cls);
        lookup_wc(&m, 0x0a000063, 80, &wc);
        assert_int_equal(be32toh(wc.nw_dst), left == 20 ? 0xffffffc0 : 0xffffffe0);
        end(&m);
    }
}

// Of a member that places can only match whole, all bits are taken; a port goes with the protocol
// that has it.
static void
test_whole_members(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    struct flow_mask wc;
    struct rule *r = add(&m, 0, 0, 80, 9);
    cls_remove(m.cls, &r->cr);
    cls_rule_destroy(&r->cr);
    r->match.mask.nw_proto = 0xff;
    cls_rule_init(&r->cr, &r->match, 9); // whose nw_proto is 0
    cls_insert(m.cls, &r->cr, m.version);
    lookup_wc(&m, 0, 81, &wc);
    assert_int_equal(be16toh(wc.tp_dst), 0x0001);
    assert_int_equal(wc.nw_proto, 0xff);
    cls_remove(m.cls, &r->cr);
    cls_rule_destroy(&r->cr);
    r->match.mask.vlan[0].tci = htobe16(0x1fff);
    r->match.mask.tp_dst = r->match.key.tp_dst = 0;
    r->match.key.vlan[0].tci = htobe16(0x100a);
    cls_rule_init(&r->cr, &r->match, 9);
    cls_insert(m.cls, &r->cr, m.version);
    lookup_wc(&m, 0, 81, &wc);
    assert_int_equal(be16toh(wc.vlan[0].tci), 0x1fff);
    assert_int_equal(wc.nw_proto, 0);
    end(&m);
}

struct readers {
    struct model *m;
    uint64_t version; // atomic
    bool stop;        // atomic
    uint64_t lookups; // atomic
};

static void
read_loop(void *r_)
{
    struct readers *r = r_;
    random_seed((uintptr_t) &r);
    uint64_t n = 0;
    while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
        struct flow_key k;
        struct flow_mask wc;
        random_key(&k);
        memset(&wc, 0, sizeof wc);
        rcu_begin();
        uint64_t version = __atomic_load_n(&r->version, __ATOMIC_ACQUIRE);
        const struct cls_rule *cr = cls_lookup(r->m->cls, version, &k, &wc);
        // The catch-all is always there; what is found matches.
        if (!cr || !covers(CONTAINER_OF(cr, struct rule, cr), &k)) {
            abort();
        }
        rcu_end();
        n++;
    }
    __atomic_add_fetch(&r->lookups, n, __ATOMIC_RELAXED);
}

static void
test_readers(void **state)
{
    struct model m = {.cls = cls_new(), .version = CLS_VERSION_MIN};
    struct readers r = {.m = &m, .version = m.version};
    struct rule *any = add(&m, 0, 0, 0, 0);
    struct thread *t[2];
    for (int i = 0; i < 2; i++) {
        t[i] = thread_start("reader", read_loop, &r);
    }
    for (int i = 0; i < 6000; i++) {
        uint32_t op = random_below(10);
        if (op < 6 && m.n < MAX_RULES - 1) {
            insert_random(&m);
        } else if (op < 9 && m.n > 1) {
            struct rule *x = m.rules[random_below(m.n)];
            if (x != any) {
                remove_rule(&m, x);
            }
        } else {
            __atomic_store_n(&r.version, ++m.version, __ATOMIC_RELEASE);
        }
        if (any != m.rules[0] && !same(&m, &any->match, 0, m.version)) {
            any = NULL; // cannot be
            fail();
        }
        any = same(&m, &any->match, 0, m.version); // may have been replaced by its equal
    }
    __atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) {
        thread_join(t[i]);
    }
    print_message("%llu look-ups beside 6000 changes\n", (unsigned long long) r.lookups);
    while (m.n) {
        remove_rule(&m, m.rules[m.n - 1]);
    }
    cls_free(m.cls);
    rcu_drain();
}

int
main(void)
{
    const char *env = getenv("TEST_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : random_u32();
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    rcu_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_bits),
        cmocka_unit_test(test_no_bits),
        cmocka_unit_test(test_prefix_bits),
        cmocka_unit_test(test_prefix_bits_after_removal),
        cmocka_unit_test(test_deferred_removal),
        cmocka_unit_test(test_whole_members),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_remove_while_walking),
        cmocka_unit_test(test_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
