// SPDX-License-Identifier: Apache-2.0
// Do the bits that a look-up says it looked at suffice? For rules as OpenFlow has them,
// prerequisites included, and packets of their kinds, while rules come and go:
//
//   - no packet that agrees with the megaflow matches a rule that beats the winner: proved bit by
//   bit
//     for every rule, and tried with the packet that comes nearest to each rule;
//   - the same holds of what the kernel datapath and tc flower make of the megaflow, so that what a
//     field needs to be matched there is matched, and members they match whole are whole.
//
// The oracle is a list that is searched from end to end.
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kdatapath/kd_codec.h"
#include "lib/base/hash.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/flow/classifier_private.h"
#include "lib/net/packet_headers.h"
#include "offload/ofl_private.h"

#define MAX_RULES 300
#define MAX_TEMPLATES 24

struct rule {
    struct cls_rule cr;
    struct flow_match match;
    struct rcu_head rcu;
};

static struct {
    struct cls *cls;
    struct rule *rules[MAX_RULES];
    size_t n;
    struct flow_match templates[MAX_TEMPLATES]; // masks, with a packet of the kind
    size_t n_templates;
    uint32_t spread; // how many values members have
    uint32_t priorities;
    struct nlk_batch batch;
} s;

// --- Packets. ---

static uint8_t
some(void)
{
    return (uint8_t) random_below(s.spread);
}

static be32_t
random_ip(void)
{
    static const uint32_t nets[] = {0x0a000000, 0x0a000100, 0x0a010000, 0xc0a80000};
    return htobe32(nets[random_below(4)] | some());
}

static void
random_ip6(uint8_t ip[16])
{
    memset(ip, 0, 16);
    ip[0] = 0x20;
    ip[random_below(4) * 4 + 3] = some();
    ip[15] = some();
}

static void
random_l4(struct flow_key *k, bool v6)
{
    static const uint16_t ports[] = {80, 443, 8080, 0x1f40, 53, 22};
    switch (random_below(v6 ? 6 : 4)) {
    case 0:
        k->nw_proto = IP_PROTO_TCP;
        k->tcp_flags = htobe16((uint16_t) (1u << random_below(6)));
        break;
    case 1:
        k->nw_proto = IP_PROTO_UDP;
        break;
    case 2:
        k->nw_proto = IP_PROTO_SCTP;
        break;
    case 3:
        k->nw_proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
        k->tp_src = htobe16(random_below(2) ? 8 : 128);
        k->tp_dst = htobe16((uint16_t) random_below(2));
        return;
    default:
        k->nw_proto = IP_PROTO_ICMPV6;
        k->tp_src = htobe16(random_below(3) ? ICMPV6_NS : ICMPV6_NA);
        random_ip6(k->nd_target);
        if (k->tp_src == htobe16(ICMPV6_NS)) {
            k->arp_sha.b[5] = some();
        } else {
            k->arp_tha.b[5] = some();
        }
        return;
    }
    if (k->nw_frag & FLOW_FRAG_LATER) { // no header behind IP's
        k->tcp_flags = 0;
        return;
    }
    k->tp_src = htobe16(ports[random_below(6)] + some());
    k->tp_dst = htobe16(ports[random_below(6)] + some());
}

static void
random_l3(struct flow_key *k)
{
    static const uint16_t types[] = {ETH_TYPE_IP,   ETH_TYPE_IP,  ETH_TYPE_IPV6,
                                     ETH_TYPE_IPV6, ETH_TYPE_ARP, 0x88cc};
    k->eth_type = htobe16(types[random_below(6)]);
    switch (be16toh(k->eth_type)) {
    case ETH_TYPE_ARP:
        k->nw_proto = (uint8_t) (1 + random_below(2));
        k->nw_src = random_ip();
        k->nw_dst = random_ip();
        k->arp_sha.b[5] = some();
        k->arp_tha.b[5] = some();
        return;
    case ETH_TYPE_IP:
        k->nw_src = random_ip();
        k->nw_dst = random_ip();
        break;
    case ETH_TYPE_IPV6:
        random_ip6(k->ipv6_src);
        random_ip6(k->ipv6_dst);
        break;
    default:
        return;
    }
    k->nw_tos = (uint8_t) (random_below(3) << 2 | random_below(2));
    k->nw_ttl = (uint8_t) (63 + random_below(2));
    k->nw_frag = random_below(8)   ? 0
                 : random_below(2) ? FLOW_FRAG_ANY
                                   : FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    random_l4(k, k->eth_type == htobe16(ETH_TYPE_IPV6));
    if (k->nw_frag & FLOW_FRAG_LATER) {
        k->tp_src = k->tp_dst = 0;
        memset(k->nd_target, 0, sizeof k->nd_target);
        memset(&k->arp_sha, 0, sizeof k->arp_sha);
        memset(&k->arp_tha, 0, sizeof k->arp_tha);
    }
}

static void
random_key(struct flow_key *k)
{
    memset(k, 0, sizeof *k);
    k->in_port = htobe32(1 + random_below(3));
    k->metadata = htobe64(random_below(3));
    k->regs[0] = htobe32(random_below(3));
    k->eth_dst.b[0] = random_below(4) ? 2 : 1;
    k->eth_dst.b[5] = some();
    k->eth_src.b[0] = 2;
    k->eth_src.b[4] = (uint8_t) random_below(2);
    k->eth_src.b[5] = some();
    for (uint32_t i = 0, n = random_below(8) ? random_below(2) : 2; i < n; i++) {
        k->vlan[i].tpid = htobe16(i + 1 < n ? 0x88a8 : 0x8100);
        k->vlan[i].tci =
            htobe16((uint16_t) (FLOW_VLAN_PRESENT | random_below(2) << 13 | (10u + some())));
    }
    random_l3(k);
}

// --- Rules. ---

static bool
maybe(uint32_t one_in)
{
    return !random_below(one_in);
}

static void
mask_address(void *mask, size_t n)
{
    uint8_t *b = mask;
    const unsigned bits = maybe(3) ? (unsigned) (n * 8) : random_below((uint32_t) (n * 8)) + 1;
    for (unsigned i = 0; i < n; i++) {
        b[i] = i * 8 + 8 <= bits ? 0xff : i * 8 < bits ? (uint8_t) (0xff00 >> (bits - i * 8)) : 0;
        b[i] &= maybe(40) ? (uint8_t) random_u32() : 0xff; // not a prefix
    }
}

static be16_t
random_port_mask(void)
{
    return htobe16((uint16_t) (maybe(2)   ? 0xffff
                               : maybe(5) ? random_u32()
                                          : 0xffffu << random_below(16)));
}

static void
mask_l4(const struct flow_key *k, struct flow_mask *m)
{
    if (maybe(8)) {
        m->nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    }
    if (maybe(4)) {
        return;
    }
    m->nw_proto = 0xff;
    switch (k->nw_proto) {
    case IP_PROTO_TCP:
        m->tcp_flags = maybe(4) ? htobe16(random_below(2) ? 0xfff : 0x003) : 0;
        __attribute__((fallthrough));
    case IP_PROTO_UDP:
    case IP_PROTO_SCTP:
        m->tp_src = maybe(3) ? random_port_mask() : 0;
        m->tp_dst = maybe(2) ? random_port_mask() : 0;
        return;
    default: // ICMP
        m->tp_src = maybe(2) ? htobe16(0xff) : 0;
        m->tp_dst = maybe(4) ? htobe16(0xff) : 0;
        break;
    }
    if (k->nw_proto == IP_PROTO_ICMPV6 && !(k->nw_frag & FLOW_FRAG_LATER) && maybe(2) &&
        (k->tp_src == htobe16(ICMPV6_NS) || k->tp_src == htobe16(ICMPV6_NA))) {
        m->tp_src = m->tp_dst = htobe16(0xff);
        mask_address(m->nd_target, 16);
        if (maybe(3)) {
            mask_address(k->tp_src == htobe16(ICMPV6_NS) ? &m->arp_sha : &m->arp_tha, 6);
        }
    }
}

static void
mask_l3(const struct flow_key *k, struct flow_mask *m)
{
    const bool arp = k->eth_type == htobe16(ETH_TYPE_ARP);
    FLOW_MASK_EXACT(m, eth_type);
    if (k->eth_type == htobe16(ETH_TYPE_IPV6)) {
        for (int i = 0; i < 2; i++) {
            if (maybe(2)) {
                mask_address(i ? m->ipv6_src : m->ipv6_dst, 16);
            }
        }
    } else if (arp || k->eth_type == htobe16(ETH_TYPE_IP)) {
        for (int i = 0; i < 2; i++) {
            if (maybe(2)) {
                mask_address(i ? &m->nw_src : &m->nw_dst, 4);
            }
        }
    } else {
        return;
    }
    if (!arp) {
        m->nw_tos = maybe(8) ? 0xfc : 0;
        m->nw_ttl = maybe(10) ? 0xff : 0;
        mask_l4(k, m);
        return;
    }
    m->nw_proto = maybe(2) ? 0xff : 0;
    if (maybe(4)) {
        mask_address(maybe(2) ? &m->arp_sha : &m->arp_tha, 6);
    }
}

static void
random_template(struct flow_match *t)
{
    struct flow_mask *m = &t->mask;
    random_key(&t->key);
    memset(m, 0, sizeof *m);
    if (maybe(3)) {
        FLOW_MASK_EXACT(m, in_port);
    }
    m->metadata = maybe(6) ? htobe64(random_below(4)) : 0;
    m->regs[0] = maybe(6) ? UINT32_MAX : 0;
    if (maybe(5)) {
        mask_address(&m->eth_dst, 6);
    }
    if (maybe(6)) {
        mask_address(&m->eth_src, 6);
    }
    if (maybe(4)) {
        static const uint16_t tci[] = {0x1000, 0x1fff, 0xffff, 0xf000};
        m->vlan[0].tci = htobe16(tci[random_below(4)]);
    }
    if (!maybe(4)) {
        mask_l3(&t->key, m);
    }
}

// A packet's values of the template's kind: those that the mask has something to say about exist.
static void
random_match(const struct flow_match *t, struct flow_match *out)
{
    struct flow_key k;
    do {
        random_key(&k);
    } while ((t->mask.eth_type && k.eth_type != t->key.eth_type) ||
             (t->mask.nw_proto && (k.nw_proto != t->key.nw_proto || k.nw_frag != t->key.nw_frag)) ||
             ((t->mask.arp_sha.b[0] | t->mask.nd_target[0]) && k.tp_src != t->key.tp_src));
    match_init(out, &k, &t->mask);
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
forget(size_t i)
{
    rcu_call(&s.rules[i]->rcu, free_rule);
    s.rules[i] = s.rules[--s.n];
}

static void
remove_rule(size_t i)
{
    cls_remove(s.cls, &s.rules[i]->cr);
    forget(i);
}

static void
insert_rule(void)
{
    struct rule *r = base_calloc(1, sizeof *r);
    random_match(&s.templates[random_below((uint32_t) s.n_templates)], &r->match);
    if (s.n && maybe(6)) {
        r->match = s.rules[random_below((uint32_t) s.n)]->match;
    }
    cls_rule_init(&r->cr, &r->match, (int) random_below(s.priorities));
    const struct cls_rule *old = cls_insert(s.cls, &r->cr, CLS_VERSION_MIN);
    for (size_t i = 0; old && i < s.n; i++) {
        if (&s.rules[i]->cr == old) {
            forget(i);
            break;
        }
    }
    s.rules[s.n++] = r;
}

// --- The proof. ---

// Can a packet that agrees with `key` in these bits match the rule?
static bool
may_match(const struct flow_key *key, const struct flow_mask *bits, const struct rule *r)
{
    uint64_t told = 0;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        told |= (flow_key_words(key)[i] ^ flow_key_words(&r->match.key)[i]) &
                flow_mask_words(&r->match.mask)[i] & flow_mask_words(bits)[i];
    }
    return !told;
}

static void
fail_with(const char *what, const struct flow_key *key, const struct flow_mask *wc,
          const struct rule *r)
{
    struct str text = STR_INIT;
    struct flow_match m;
    match_init(&m, key, wc);
    match_format(&m, NULL, -1, &text);
    str_add(&text, "\n   packet ");
    match_format_key(key, NULL, &text);
    str_add(&text, "\n   rule ");
    match_format(&r->match, NULL, r->cr.priority, &text);
    print_error("%s: %s\n", what, str_get(&text));
    str_free(&text);
    fail_msg("%s", what);
}

// What the switch pins anyway and what all packets have in common (slowpath/xlate.c).
static void
pin(const struct flow_key *k, struct flow_mask *wc)
{
    FLOW_MASK_EXACT(wc, in_port);
    FLOW_MASK_EXACT(wc, recirc_id);
    FLOW_MASK_EXACT(wc, eth_type);
    FLOW_MASK_EXACT(wc, metadata);
    FLOW_MASK_EXACT(wc, regs);
    wc->nw_frag = flow_key_is_ip(k) ? FLOW_FRAG_ANY | FLOW_FRAG_LATER : 0;
    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        wc->vlan[i].tci |= htobe16(FLOW_VLAN_PRESENT);
        if (!k->vlan[i].tci) {
            break;
        }
        FLOW_MASK_EXACT(wc, vlan[i].tpid);
    }
}

// What a place took of the megaflow still tells the packet from all rules that beat the winner.
static void
check_place(const char *place, const struct flow_match *took, const struct flow_key *key, int best)
{
    struct flow_mask bits = took->mask, pins = {0};
    pin(key, &pins);
    flow_mask_or(&bits, &pins);
    if (key->nw_frag & FLOW_FRAG_LATER) { // there are none
        bits.tp_src = bits.tp_dst = bits.tcp_flags = 0xffff;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.rules[i]->cr.priority > best && may_match(key, &bits, s.rules[i])) {
            fail_with(place, key, &took->mask, s.rules[i]);
        }
    }
}

static void
check_places(const struct flow_key *key, const struct flow_mask *wc, int best)
{
    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1], keys[TCA_FLOWER_MAX + 1];
    struct flow_mask bits = *wc;
    struct flow_match m, took;
    struct reason reason;
    be16_t protocol;

    bits.metadata = 0;
    memset(bits.regs, 0, sizeof bits.regs);
    match_init(&m, key, &bits);
    nlk_batch_clear(&s.batch);
    nlk_begin(&s.batch, 99, 0, 0);
    assert_int_equal(kd_match_put(&s.batch, &m), 0);
    assert_int_equal(
        nlk_parse(s.batch.data + NLMSG_HDRLEN, s.batch.len - NLMSG_HDRLEN, t, ARRAY_SIZE(t)), 0);
    assert_int_equal(kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], &took), 0);
    check_place("the kernel's flow is too wide", &took, key, best);
    // The kernel takes no neighbour's address without the whole type.
    static const uint8_t none[16];
    if (memcmp(took.mask.nd_target, none, 16)) {
        assert_int_equal(be16toh(took.mask.tp_src) & 0xff, 0xff);
    }

    nlk_batch_clear(&s.batch);
    nlk_begin(&s.batch, 99, 0, 0);
    if (!ofl_match_put(&s.batch, &m, &protocol, &reason)) {
        return;
    }
    assert_int_equal(
        nlk_parse(s.batch.data + NLMSG_HDRLEN, s.batch.len - NLMSG_HDRLEN, keys, ARRAY_SIZE(keys)),
        0);
    assert_true(ofl_match_get(keys, protocol, &took));
    check_place("the filter is too wide", &took, key, best);
}

// Members that some place matches only whole are matched as rules match them: whole.
static void
check_whole(const struct flow_mask *wc)
{
    const uint16_t tci = be16toh(wc->vlan[0].tci);
    assert_true((tci & 0xfff) == 0 || (tci & 0xfff) == 0xfff);
    assert_true(tci >> 13 == 0 || tci >> 13 == 7);
    assert_true(!wc->nw_proto || wc->nw_proto == 0xff);
    assert_true(!wc->nw_ttl || wc->nw_ttl == 0xff);
    assert_true(!wc->nw_tos || wc->nw_tos == 0xfc);
    assert_true(!(wc->tp_src | wc->tp_dst | wc->tcp_flags) || wc->nw_proto == 0xff);
}

// A packet as near to the rule as the megaflow lets it, with the rest of the packet's bits or
// random.
static void
try_rule(const struct flow_key *key, const struct flow_mask *wc, const struct rule *near,
         const struct cls_rule *got)
{
    const bool random = maybe(2);
    struct flow_key x = {.in_port = 0};
    uint64_t *o = (uint64_t *) (void *) &x;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        const uint64_t k = flow_key_words(key)[i], rm = flow_mask_words(&near->match.mask)[i],
                       w = flow_mask_words(wc)[i], other = random ? random_u64() : k;
        o[i] = (k & w) | (flow_key_words(&near->match.key)[i] & rm & ~w) | (other & ~rm & ~w);
    }
    if (cls_lookup(s.cls, CLS_VERSION_MIN, &x, NULL) != got) {
        fail_with("another packet of the megaflow goes another way", key, wc, near);
    }
}

static void
check_lookup(bool all)
{
    const struct rule *best = NULL;
    struct flow_key key;
    struct flow_mask wc = {0};
    int priority = -1;

    random_key(&key);
    if (s.n && maybe(2)) { // near a rule
        const struct rule *r = s.rules[random_below((uint32_t) s.n)];
        for (size_t i = 0; i < FLOW_WORDS; i++) {
            uint64_t *x = (uint64_t *) (void *) &key + i;
            *x = (*x & ~flow_mask_words(&r->match.mask)[i]) | flow_key_words(&r->match.key)[i];
        }
    }
    const bool real = maybe(2) && (random_key(&key), true);
    if (real) {
        pin(&key, &wc);
    }
    for (size_t i = 0; i < s.n; i++) {
        if (s.rules[i]->cr.priority > priority && match_covers_key(&s.rules[i]->match, &key)) {
            best = s.rules[i];
            priority = best->cr.priority;
        }
    }
    rcu_begin();
    const struct cls_rule *got = cls_lookup(s.cls, CLS_VERSION_MIN, &key, &wc);
    assert_int_equal(got ? got->priority : -1, priority);
    for (size_t i = 0; i < s.n; i++) {
        const struct rule *r = s.rules[i];
        if (r->cr.priority > priority && may_match(&key, &wc, r)) {
            fail_with("too few bits", &key, &wc, r);
        }
        if (all || maybe(16) || r->cr.priority == priority) {
            try_rule(&key, &wc, r, got);
        }
    }
    rcu_end();
    if (real) {
        check_whole(&wc);
        check_places(&key, &wc, priority);
    }
}

static void
run(int steps)
{
    for (int i = 0; i < steps; i++) {
        const uint32_t op = random_below(100);
        if (op < 60 && s.n < MAX_RULES - 1) {
            insert_rule();
        } else if (op < 85 && s.n) {
            remove_rule(random_below((uint32_t) s.n));
        } else if (maybe(30)) { // many go at once
            cls_defer(s.cls);
            for (uint32_t n = random_below((uint32_t) s.n + 1); n--;) {
                remove_rule(random_below((uint32_t) s.n));
                if (maybe(8)) {
                    check_lookup(false);
                }
            }
            cls_publish(s.cls);
        }
        check_lookup(i % 8 == 0);
        check_lookup(false);
    }
}

static void
test_random_rules(void **state)
{
    nlk_batch_init(&s.batch);
    for (int round = 0; round < 60; round++) {
        static const uint32_t priorities[] = {1, 3, 1000, 65536},
                              few[] = {4, 16, 64, CLS_FEW_SLOTS};
        cls_few_slots = few[random_below(4)];
        cls_many_masks = random_below(2) ? 1 : 10;
        s.cls = cls_new();
        s.spread = 2 + random_below(round % 2 ? 40 : 4);
        s.n_templates = 1 + random_below(round % 3 ? MAX_TEMPLATES : 3);
        s.priorities = priorities[random_below(4)];
        for (size_t i = 0; i < s.n_templates; i++) {
            random_template(&s.templates[i]);
        }
        for (int i = 0; i < MAX_RULES / 2; i++) {
            insert_rule();
        }
        run(500);
        while (s.n) {
            remove_rule(0);
        }
        cls_free(s.cls);
    }
    nlk_batch_free(&s.batch);
    rcu_drain();
}

// A responder's table: many rules of one mask. A solicitation for an address that none has matches
// the type too, without which the kernel could not tell it from one for an address that a rule has.
static void
test_unknown_neighbour(void **state)
{
    struct flow_key key = {.in_port = htobe32(1), .eth_type = htobe16(ETH_TYPE_IPV6)};
    struct flow_mask wc = {0}, mask = {.eth_type = 0xffff, .nw_proto = 0xff};

    nlk_batch_init(&s.batch);
    cls_few_slots = 16;
    s.cls = cls_new();
    key.nw_proto = IP_PROTO_ICMPV6;
    key.tp_src = htobe16(ICMPV6_NS);
    key.ipv6_src[0] = key.ipv6_dst[0] = key.nd_target[0] = 0x20;
    mask.tp_src = mask.tp_dst = htobe16(0xff);
    FLOW_MASK_EXACT(&mask, nd_target);
    for (uint8_t i = 1; i < 200; i++) {
        struct rule *r = base_calloc(1, sizeof *r);
        key.nd_target[15] = i;
        match_init(&r->match, &key, &mask);
        cls_rule_init(&r->cr, &r->match, 9);
        assert_null(cls_insert(s.cls, &r->cr, CLS_VERSION_MIN));
        s.rules[s.n++] = r;
    }
    key.nd_target[15] = 0xee;
    pin(&key, &wc);
    rcu_begin();
    assert_null(cls_lookup(s.cls, CLS_VERSION_MIN, &key, &wc));
    rcu_end();
    assert_int_equal(be16toh(wc.tp_src), 0xff);
    check_places(&key, &wc, -1);
    while (s.n) {
        remove_rule(0);
    }
    cls_free(s.cls);
    nlk_batch_free(&s.batch);
    rcu_drain();
}

// --- How many flows and masks it takes. ---

static be32_t pool[256]; // addresses in nests of all sizes

static void
fill_pool(void)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(pool); i++) {
        const uint32_t near = i < 8 ? 0 : UINT32_MAX << (4 + random_below(24));
        pool[i] = (i ? pool[random_below(i)] & htobe32(near) : 0) | htobe32(random_u32() & ~near);
    }
}

static void
firewall_address(be32_t *key, be32_t *mask)
{
    const uint32_t r = random_below(100), plen = r < 25 ? 0 : r < 58 ? 32 : 8 + random_below(24);
    *mask = plen ? htobe32(UINT32_MAX << (32 - plen)) : 0;
    *key = pool[random_below(ARRAY_SIZE(pool))];
}

static void
firewall_ports(struct flow_key *k, struct flow_mask *m)
{
    static const uint16_t ports[] = {80, 443, 22, 53, 25, 1433, 3306, 8080, 161, 5060};
    const uint32_t r = random_below(100);
    k->nw_proto = random_below(4) ? IP_PROTO_TCP : IP_PROTO_UDP;
    m->nw_proto = r < 90 ? 0xff : 0;
    k->tp_dst = htobe16(ports[random_below(ARRAY_SIZE(ports))]);
    m->tp_dst = r < 45 ? 0xffff : r < 67 ? htobe16((uint16_t) (0xffffu << random_below(10))) : 0;
    k->tp_src = htobe16((uint16_t) random_u32());
    m->tp_src = r % 10 || r >= 90 ? 0 : htobe16((uint16_t) (0xffffu << random_below(10)));
}

// The more it says, the higher it stands, more or less.
static void
insert_firewall_rule(void)
{
    struct rule *r = base_calloc(1, sizeof *r);
    struct flow_key k = {.eth_type = htobe16(ETH_TYPE_IP)};
    struct flow_mask m = {.eth_type = 0xffff};
    uint32_t bits = 0;
    firewall_address(&k.nw_src, &m.nw_src);
    firewall_address(&k.nw_dst, &m.nw_dst);
    firewall_ports(&k, &m);
    match_init(&r->match, &k, &m);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        bits += (uint32_t) __builtin_popcountll(flow_mask_words(&m)[i]);
    }
    cls_rule_init(&r->cr, &r->match, (int) ((bits * 4 + random_below(80)) << 16 | s.n));
    assert_null(cls_insert(s.cls, &r->cr, CLS_VERSION_MIN));
    s.rules[s.n++] = r;
}

static int
compare_u64(const void *a_, const void *b_)
{
    const uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;
    return a < b ? -1 : a > b;
}

static size_t
count_distinct(uint64_t hashes[], size_t n)
{
    size_t distinct = 0;
    qsort(hashes, n, sizeof hashes[0], compare_u64);
    for (size_t i = 0; i < n; i++) {
        distinct += !i || hashes[i] != hashes[i - 1];
    }
    return distinct;
}

#define N_PACKETS 4000

// Packets that match rules of a firewall: a rule takes few flows, and what the winners match makes
// most of the masks. With single bits of addresses and ports there were three times as many.
static void
test_few_masks(void **state)
{
    static uint64_t masks[N_PACKETS], flows[N_PACKETS], winners[N_PACKETS];
    cls_few_slots = CLS_FEW_SLOTS;
    cls_many_masks = CLS_MANY_MASKS;
    s.cls = cls_new();
    fill_pool();
    for (int i = 0; i < MAX_RULES; i++) {
        insert_firewall_rule();
    }
    rcu_begin();
    for (size_t i = 0; i < N_PACKETS; i++) {
        struct flow_key k = {.eth_type = 0}, other = {.eth_type = htobe16(ETH_TYPE_IP)};
        struct flow_mask wc = {0}, unused;
        const struct rule *r = s.rules[random_below((uint32_t) s.n)];
        firewall_address(&other.nw_src, &unused.nw_src);
        firewall_address(&other.nw_dst, &unused.nw_dst);
        firewall_ports(&other, &unused);
        for (size_t w = 0; w < FLOW_WORDS; w++) {
            ((uint64_t *) (void *) &k)[w] =
                flow_key_words(&r->match.key)[w] |
                (flow_key_words(&other)[w] & ~flow_mask_words(&r->match.mask)[w]);
        }
        pin(&k, &wc);
        const struct cls_rule *got = cls_lookup(s.cls, CLS_VERSION_MIN, &k, &wc);
        struct flow_match m;
        match_init(&m, &k, &wc);
        masks[i] = hash_words(flow_mask_words(&wc), FLOW_WORDS, 1) |
                   (uint64_t) hash_words(flow_mask_words(&wc), FLOW_WORDS, 2) << 32;
        flows[i] = masks[i] ^
                   hash_words(flow_key_words(&m.key), FLOW_WORDS, 1) * UINT64_C(0x9e3779b97f4a7c15);
        winners[i] = (uintptr_t) got->mask;
    }
    rcu_end();
    const size_t n_masks = count_distinct(masks, N_PACKETS),
                 n_flows = count_distinct(flows, N_PACKETS),
                 n_winners = count_distinct(winners, N_PACKETS);
    print_message("%zu flows under %zu masks for %d packets by %zu rules of %zu masks\n", n_flows,
                  n_masks, N_PACKETS, s.n, n_winners);
    assert_true(n_masks < 3 * n_winners);
    while (s.n) {
        remove_rule(0);
    }
    cls_free(s.cls);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_neighbour),
        cmocka_unit_test(test_random_rules),
        cmocka_unit_test(test_few_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
