// SPDX-License-Identifier: Apache-2.0
// Matches without text: setting every field, comparing against a model of one bit at a time,
// prerequisites, parts of fields.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/flow/match.h"

static void
random_value(const struct field_info *f, union field_value *v)
{
    union field_value exact;
    field_value_exact(f, &exact);
    for (size_t i = 0; i < FIELD_VALUE_BYTES; i++) {
        v->b[i] = (uint8_t) (random_u64() & exact.b[i]);
    }
}

// The invariants that every match keeps.
static void
check_match(const struct flow_match *m)
{
    const uint64_t *k = flow_key_words(&m->key), *w = flow_mask_words(&m->mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        assert_true(!(k[i] & ~w[i]));
    }
    struct flow_match again = *m;
    match_update_used(&again);
    assert_memory_equal(&again.used, &m->used, sizeof m->used);
}

// Gives the key what the field needs.
static void
add_prereqs(struct flow_match *m, const struct field_info *f)
{
    static const struct {
        uint16_t eth_type;
        uint8_t proto, type;
    } needs[] = {
        [FIELD_PRE_CT_IPV4] = {0x0800, 0, 0},      [FIELD_PRE_CT_IPV6] = {0x86dd, 0, 0},
        [FIELD_PRE_ARP] = {0x0806, 0, 0},          [FIELD_PRE_IPV4] = {0x0800, 0, 0},
        [FIELD_PRE_IPV6] = {0x86dd, 0, 0},         [FIELD_PRE_IP_ANY] = {0x86dd, 0, 0},
        [FIELD_PRE_NSH] = {0x894f, 0, 0},          [FIELD_PRE_MPLS] = {0x8847, 0, 0},
        [FIELD_PRE_TCP] = {0x0800, 6, 0},          [FIELD_PRE_UDP] = {0x86dd, 17, 0},
        [FIELD_PRE_SCTP] = {0x0800, 132, 0},       [FIELD_PRE_ICMPV4] = {0x0800, 1, 0},
        [FIELD_PRE_IGMP] = {0x0800, 2, 0},         [FIELD_PRE_ICMPV6] = {0x86dd, 58, 0},
        [FIELD_PRE_ND] = {0x86dd, 58, 135},        [FIELD_PRE_ND_SOLICIT] = {0x86dd, 58, 135},
        [FIELD_PRE_ND_ADVERT] = {0x86dd, 58, 136},
    };
    union field_value v;
    if (f->prereq == FIELD_PRE_CT_VALID || f->prereq == FIELD_PRE_CT_IPV4 ||
        f->prereq == FIELD_PRE_CT_IPV6) {
        field_value_from_u64(field_get(FIELD_CT_STATE), FLOW_CT_TRK | FLOW_CT_NEW, &v);
        match_set(m, field_get(FIELD_CT_STATE), &v, NULL);
    }
    if (f->prereq == FIELD_PRE_VLAN_VID) {
        field_value_from_u64(field_get(FIELD_VLAN_VID), 0x1005, &v);
        match_set(m, field_get(FIELD_VLAN_VID), &v, NULL);
    }
    if (f->prereq < ARRAY_SIZE(needs) && needs[f->prereq].eth_type) {
        field_value_from_u64(field_get(FIELD_ETH_TYPE), needs[f->prereq].eth_type, &v);
        match_set(m, field_get(FIELD_ETH_TYPE), &v, NULL);
        if (needs[f->prereq].proto) {
            field_value_from_u64(field_get(FIELD_NW_PROTO), needs[f->prereq].proto, &v);
            match_set(m, field_get(FIELD_NW_PROTO), &v, NULL);
        }
        if (needs[f->prereq].type) {
            field_value_from_u64(field_get(FIELD_ICMPV6_TYPE), needs[f->prereq].type, &v);
            match_set(m, field_get(FIELD_ICMPV6_TYPE), &v, NULL);
            field_value_from_u64(field_get(FIELD_ICMPV6_CODE), 0, &v);
            match_set(m, field_get(FIELD_ICMPV6_CODE), &v, NULL);
        }
    }
}

static void
test_set_each_field(void **state)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        for (int round = 0; round < 20; round++) {
            struct flow_match m, before;
            union field_value v, got, w, exact;
            match_init_any(&m);
            add_prereqs(&m, f);
            assert_false(match_lacks_prereqs(&m, f));
            assert_null(match_check(&m));
            before = m;
            random_value(f, &v);
            random_value(f, &w);
            field_value_exact(f, &exact);
            bool masked = round % 2 && f->masking == FIELD_MASKABLE && !field_value_is_zero(f, &w);
            match_set(&m, f, &v, masked ? &w : NULL);
            check_match(&m);
            assert_true(field_is_view(f) || field_set_has(&m.used, id));
            field_read_mask(f, &m.mask, &got);
            if (masked) {
                assert_memory_equal(&got, &w, sizeof got);
            } else {
                assert_true(field_value_is_exact(f, &got));
            }
            field_read(f, &m.key, &got);
            for (size_t i = 0; i < FIELD_VALUE_BYTES; i++) {
                v.b[i] &= masked ? w.b[i] : 0xff;
            }
            if (id == FIELD_NW_TOS) {
                v.b[FIELD_VALUE_BYTES - 1] &= 0xfc;
            } else if (id == FIELD_ARP_OP) {
                v.b[FIELD_VALUE_BYTES - 2] = 0; // kept in eight bits
            }
            assert_memory_equal(&got, &v, sizeof got);
            match_unset(&m, f);
            check_match(&m);
            if (f->id != FIELD_ETH_TYPE && f->id != FIELD_NW_PROTO) {
                assert_true(match_equals(&m, &before));
            }
        }
    }
}

// A packet that begins with IP has no Ethernet addresses: the switch says so.
static void
test_no_ethernet(void **state)
{
    struct flow_match m;
    union field_value v;
    match_init_any(&m);
    memset(&v, 1, sizeof v); // any type but Ethernet's, which is 0
    match_set(&m, field_get(FIELD_PACKET_TYPE), &v, NULL);
    match_set(&m, field_get(FIELD_ETH_DST), &v, NULL);
    assert_true(match_lacks_prereqs(&m, field_get(FIELD_ETH_DST)));
    match_normalize(&m);
    assert_true(field_set_has(&m.used, FIELD_ETH_DST));
}

static void
test_prereqs(void **state)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        struct flow_match m;
        match_init_any(&m);
        bool needs = f->prereq != FIELD_PRE_NONE && f->prereq != FIELD_PRE_ETHERNET &&
                     f->prereq != FIELD_PRE_VLAN_VID;
        assert_int_equal(match_lacks_prereqs(&m, f), needs);
        union field_value v;
        random_value(f, &v);
        match_set(&m, f, &v, NULL);
        if (id == FIELD_NW_ECN || id == FIELD_IP_DSCP) { // parts of a byte go alone, too
            match_normalize(&m);
            assert_int_equal(m.mask.nw_tos, 0);
            assert_false(field_set_has(&m.used, FIELD_NW_TOS));
        }
        if (!field_is_view(f)) {
            assert_int_equal(match_check(&m) != NULL, needs);
            match_normalize(&m);
            check_match(&m);
            // Fields of conntrack and NSH are left for the switch to refuse.
            bool kept = !strncmp(f->name, "nsh_", 4) || !strncmp(f->name, "ct_nw_", 6) ||
                        !strncmp(f->name, "ct_ipv6_", 8);
            assert_int_equal(field_set_has(&m.used, id), !needs || kept);
        }
        // What was looked at is told, and deciding again with only those bits gives the same
        // answer.
        for (int i = 0; i < 20; i++) {
            struct flow_match full;
            struct flow_mask wc = {0};
            match_init_any(&full);
            if (random_below(2)) {
                add_prereqs(&full, f);
            } else {
                full.key.eth_type = htobe16(random_below(2) ? 0x0800 : 0x86dd);
                full.key.nw_proto = (uint8_t) random_below(140);
                full.key.nw_frag = (uint8_t) random_below(4);
                full.key.tp_src = htobe16((uint16_t) (133 + random_below(6)));
                full.key.ct_state = htobe32(random_below(64));
            }
            bool met = field_prereqs_met(f, &full.key, &wc);
            assert_int_equal(field_prereqs_met(f, &full.key, NULL), met);
            struct flow_key other = full.key;
            uint64_t *o = (uint64_t *) (void *) &other;
            for (size_t w = 0; w < FLOW_WORDS; w++) {
                o[w] ^= random_u64() & ~flow_mask_words(&wc)[w];
            }
            assert_int_equal(field_prereqs_met(f, &other, NULL), met);
        }
    }
}

static void
random_match(struct flow_match *m)
{
    static const enum field_id ids[] = {FIELD_IN_PORT, FIELD_REG0,     FIELD_METADATA,
                                        FIELD_ETH_DST, FIELD_VLAN_VID, FIELD_ETH_TYPE,
                                        FIELD_NW_SRC};
    match_init_any(m);
    for (uint32_t i = random_below(4); i; i--) {
        const struct field_info *f = field_get(ids[random_below(ARRAY_SIZE(ids))]);
        union field_value v, w;
        field_value_from_u64(f, random_below(3), &v);
        field_value_from_u64(f, random_below(4), &w);
        match_set(m, f, &v, random_below(2) ? &w : NULL);
    }
}

// Whatever is set and unset in whatever order, `used` is what it would be from scratch.
static void
test_any_order(void **state)
{
    static const enum field_id deciding[] = {FIELD_ETH_TYPE,    FIELD_NW_PROTO, FIELD_ICMPV6_TYPE,
                                             FIELD_ICMPV6_CODE, FIELD_IP_FRAG,  FIELD_VLAN_PCP,
                                             FIELD_DL_VLAN};
    static const uint16_t values[] = {0x0800, 0x86dd, 0x0806, 6, 17, 1, 58, 58, 135, 136, 0, 0, 3};
    for (int i = 0; i < 500; i++) {
        struct flow_match m;
        match_init_any(&m);
        for (int n = 0; n < 40; n++) {
            const bool decide = random_below(2);
            const struct field_info *f = field_get(
                decide ? deciding[random_below(ARRAY_SIZE(deciding))] : random_below(FIELD_COUNT));
            union field_value v;
            random_value(f, &v);
            if (decide) {
                field_value_from_u64(f, values[random_below(ARRAY_SIZE(values))], &v);
            }
            if (random_below(4)) {
                match_set(&m, f, &v, NULL);
            } else {
                match_unset(&m, f);
            }
            check_match(&m);
        }
    }
}

// Bit by bit, as the definitions say.
static bool
bit(const void *p, size_t i)
{
    return ((const uint8_t *) p)[i / 8] >> i % 8 & 1;
}

static void
test_compare(void **state)
{
    int within = 0, overlap = 0;
    for (int i = 0; i < 20000; i++) {
        struct flow_match a, b;
        random_match(&a);
        random_match(&b);
        check_match(&a);
        bool is_within = true, overlaps = true, covers = true;
        for (size_t n = 0; n < sizeof(struct flow_key) * 8; n++) {
            bool aw = bit(&a.mask, n), bw = bit(&b.mask, n), ak = bit(&a.key, n),
                 bk = bit(&b.key, n);
            is_within &= !bw || (aw && ak == bk);
            overlaps &= !(aw && bw) || ak == bk;
            covers &= !bw || ak == bk;
        }
        assert_int_equal(match_is_within(&a, &b), is_within);
        assert_int_equal(match_overlaps(&a, &b), overlaps);
        assert_int_equal(match_covers_key(&b, &a.key), covers);
        assert_int_equal(match_equals(&a, &b), match_is_within(&a, &b) && match_is_within(&b, &a));
        within += is_within;
        overlap += overlaps;
        struct flow_match c;
        match_init(&c, &b.key, &a.mask);
        check_match(&c);
    }
    assert_true(within > 100 && within < 19900 && overlap > 100 && overlap < 19900);
}

// OpenFlow 1.0's "no tag", and the two rows that share the bit that says there is one.
static void
test_vlan(void **state)
{
    struct flow_match m;
    union field_value v;
    match_init_any(&m);
    field_value_from_u64(field_get(FIELD_DL_VLAN), 0xffff, &v);
    match_set(&m, field_get(FIELD_DL_VLAN), &v, NULL);
    assert_int_equal(m.key.vlan[0].tci, 0);
    assert_int_equal(m.mask.vlan[0].tci, 0xffff);
    assert_null(match_check(&m));

    match_init_any(&m);
    field_value_from_u64(field_get(FIELD_DL_VLAN), 9, &v);
    match_set(&m, field_get(FIELD_DL_VLAN), &v, NULL);
    field_value_from_u64(field_get(FIELD_DL_VLAN_PCP), 5, &v);
    match_set(&m, field_get(FIELD_DL_VLAN_PCP), &v, NULL);
    assert_int_equal(be16toh(m.key.vlan[0].tci), 0xb009);
    match_unset(&m, field_get(FIELD_DL_VLAN_PCP));
    assert_int_equal(be16toh(m.key.vlan[0].tci), 0x1009);
    assert_int_equal(be16toh(m.mask.vlan[0].tci), 0x1fff);
    assert_true(field_set_has(&m.used, FIELD_VLAN_VID) && !field_set_has(&m.used, FIELD_VLAN_PCP));
}

// Rows that share a member: the key says which of them counts.
static void
test_shared(void **state)
{
    struct flow_match m;
    union field_value v;
    match_init_any(&m);
    field_value_from_u64(field_get(FIELD_UDP_DST), 53, &v);
    match_set(&m, field_get(FIELD_UDP_DST), &v, NULL);
    assert_true(field_set_has(&m.used, FIELD_TCP_DST)); // nothing says what it is
    add_prereqs(&m, field_get(FIELD_UDP_DST));
    assert_true(field_set_has(&m.used, FIELD_UDP_DST) && !field_set_has(&m.used, FIELD_TCP_DST));
    assert_int_equal(field_set_first_missing(&m.used, &(struct field_set){0}), FIELD_ETH_TYPE);
}

static void
test_subfields(void **state)
{
    static const enum field_id ids[] = {FIELD_REG1,    FIELD_XXREG0, FIELD_ETH_SRC,
                                        FIELD_TUN_MD3, FIELD_NW_TTL, FIELD_XREG2};
    for (int i = 0; i < 5000; i++) {
        const struct field_info *f = field_get(ids[random_below(ARRAY_SIZE(ids))]);
        const unsigned bits = field_value_bits(f);
        struct subfield sf = {.field = f->id};
        sf.ofs = (uint16_t) random_below(bits);
        sf.n_bits = (uint16_t) (1 + random_below(bits - sf.ofs));
        struct flow_key k = {0};
        union field_value old, v, got, whole;
        random_value(f, &old);
        random_value(f, &v);
        field_write(f, &k, &old);
        subfield_read(&sf, &k, &got);
        for (unsigned n = 0; n < FIELD_VALUE_BYTES * 8; n++) {
            bool expect = n < sf.n_bits && old.b[127 - (n + sf.ofs) / 8] >> (n + sf.ofs) % 8 & 1;
            assert_int_equal(got.b[127 - n / 8] >> n % 8 & 1, expect);
        }
        subfield_write(&sf, &k, &v);
        field_read(f, &k, &whole);
        for (unsigned n = 0; n < FIELD_VALUE_BYTES * 8; n++) {
            bool inside = n >= sf.ofs && n < sf.ofs + sf.n_bits;
            const union field_value *from = inside ? &v : &old;
            unsigned at = inside ? n - sf.ofs : n;
            assert_int_equal(whole.b[127 - n / 8] >> n % 8 & 1,
                             from->b[127 - at / 8] >> at % 8 & 1);
        }
    }
}

int
main(void)
{
    const char *env = getenv("TEST_SEED");
    const uint64_t seed = env ? strtoull(env, NULL, 0) : random_u64();
    random_seed(seed);
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_each_field), cmocka_unit_test(test_prereqs),
        cmocka_unit_test(test_no_ethernet),    cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_compare),        cmocka_unit_test(test_vlan),
        cmocka_unit_test(test_shared),         cmocka_unit_test(test_subfields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
