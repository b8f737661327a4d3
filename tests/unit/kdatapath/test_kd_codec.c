// SPDX-License-Identifier: Apache-2.0
// Matches and actions to the kernel's attributes and back: random ones come out as they went in;
// golden bytes; what the kernel has no words for is refused; damaged attributes are told.
#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kdatapath/kd_codec.h"
#include "lib/base/random.h"
#include "lib/net/packet_headers.h"
#include "tests/unit/kdatapath/gen.h"

static struct nlk_batch batch;

static void
begin(void)
{
    nlk_batch_clear(&batch);
    nlk_begin(&batch, 99, 0, 0);
}

// Attributes of the message that was built.
static void
table(struct nlk_attr t[], size_t n)
{
    assert_int_equal(nlk_parse(batch.data + NLMSG_HDRLEN, batch.len - NLMSG_HDRLEN, t, n), 0);
}

static void
show_words(const char *what, const uint64_t *a, const uint64_t *b)
{
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (a[i] != b[i]) {
            print_error("%s differs at byte %zu: %016llx, came back %016llx\n", what, i * 8,
                        (unsigned long long) be64toh(a[i]), (unsigned long long) be64toh(b[i]));
        }
    }
}

static void
matches(void **state)
{
    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
    struct flow_match m, back;

    for (int i = 0; i < 20000; i++) {
        gen_match(&m, true);
        begin();
        assert_int_equal(kd_match_put(&batch, &m), 0);
        table(t, ARRAY_SIZE(t));
        assert_int_equal(kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], &back), 0);
        if (memcmp(&m.key, &back.key, sizeof m.key) || memcmp(&m.mask, &back.mask, sizeof m.mask)) {
            show_words("key", flow_key_words(&m.key), flow_key_words(&back.key));
            show_words("mask", flow_mask_words(&m.mask), flow_mask_words(&back.mask));
            fail_msg("match %d came back changed", i);
        }
        assert_memory_equal(&m.used, &back.used, sizeof m.used);
    }
}

// Without a mask all of the key matters.
static void
exact(void **state)
{
    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
    struct flow_match m, back;

    for (int i = 0; i < 2000; i++) {
        gen_match(&m, false);
        begin();
        assert_int_equal(kd_match_put(&batch, &m), 0);
        table(t, ARRAY_SIZE(t));
        assert_int_equal(kd_match_get(&t[OVS_FLOW_ATTR_KEY], NULL, &back), 0);
        assert_memory_equal(&m.key, &back.key, sizeof m.key);
        assert_true(match_covers_key(&back, &m.key));
        assert_int_equal(back.mask.in_port, 0xffffffff);
        assert_int_equal(back.mask.eth_type, 0xffff);
        const uint64_t *w = flow_mask_words(&m.mask), *b = flow_mask_words(&back.mask);
        for (size_t j = 0; j < FLOW_WORDS; j++) {
            assert_true((w[j] & ~b[j]) == 0);
        }
    }
}

static void
refused(void **state)
{
    struct flow_match m;

    memset(&m, 0, sizeof m);
    m.key.eth_type = htobe16(ETH_TYPE_IP);
    m.mask.eth_type = 0xffff;
    m.key.nw_frag = m.mask.nw_frag = FLOW_FRAG_ANY; // "some fragment" has no one number
    begin();
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL);
    m.key.nw_frag = 0; // "no fragment" has
    assert_int_equal(kd_match_put(&batch, &m), 0);
    m.mask.eth_type = htobe16(0xff00);
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL);
    m.mask.eth_type = 0xffff;
    m.key.eth_type = htobe16(0x0123);
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL);
}

// Nor does the kernel take members that depend on what the mask leaves open: without them its flow
// would be too wide.
static void
refused_dependents(void **state)
{
    struct flow_match m;

    memset(&m, 0, sizeof m);
    m.key.eth_type = htobe16(ETH_TYPE_IPV6);
    m.mask.eth_type = 0xffff;
    m.mask.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    m.mask.tp_dst = htobe16(0x0001);
    begin();
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL); // a port, of which protocol?
    m.mask.nw_proto = 0xff;
    m.key.nw_proto = IP_PROTO_UDP;
    assert_int_equal(kd_match_put(&batch, &m), 0);

    m.mask.tp_dst = 0;
    m.key.nw_proto = IP_PROTO_ICMPV6;
    m.mask.nd_target[15] = 0xff;
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL);
    m.key.tp_src = htobe16(ICMPV6_NS & 0xf0);
    m.mask.tp_src = htobe16(0xf0);
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL);
    m.key.tp_src = htobe16(ICMPV6_NS);
    m.mask.tp_src = htobe16(0xff);
    assert_int_equal(kd_match_put(&batch, &m), 0);
    m.mask.nd_options_type = 0xff; // it has no such member
    assert_int_equal(kd_match_put(&batch, &m), -EINVAL);
    m.key.tp_src = htobe16(128); // in an echo it is 0, as the target is
    assert_int_equal(kd_match_put(&batch, &m), 0);
}

static void
actions(void **state)
{
    struct kd_act_context c = {.user_pid = 7};
    struct dp_actions acts = DP_ACTIONS_INIT, back = DP_ACTIONS_INIT;
    struct kd_act_refusal refusal;
    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
    struct flow_match m;

    for (int i = 0; i < 20000; i++) {
        gen_match(&m, false);
        dp_actions_clear(&acts);
        dp_actions_clear(&back);
        gen_actions(&acts, &m, random_below(6), 3);
        c.eth_type = m.key.eth_type;
        begin();
        assert_int_equal(kd_actions_put(&batch, OVS_FLOW_ATTR_ACTIONS, &acts, &c, &refusal), 0);
        table(t, ARRAY_SIZE(t));
        assert_int_equal(kd_actions_get(&t[OVS_FLOW_ATTR_ACTIONS], &back), 0);
        assert_int_equal(acts.len, back.len);
        if (acts.len) {
            assert_memory_equal(acts.data, back.data, acts.len);
        }
    }
    dp_actions_free(&acts);
    dp_actions_free(&back);
}

static int
try_actions(const struct dp_actions *acts, struct kd_act_refusal *refusal)
{
    const struct kd_act_context ctx = {
        .eth_type = htobe16(ETH_TYPE_IP), .user_pid = 7, .drop = true};
    begin();
    return kd_actions_put(&batch, OVS_FLOW_ATTR_ACTIONS, acts, &ctx, refusal);
}

static void
refused_actions(void **state)
{
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct kd_act_refusal refusal;
    union field_value v;

    field_value_from_u64(field_get(FIELD_ARP_OP), 2, &v);
    dp_actions_add_set(&acts, field_get(FIELD_ARP_OP), &v, NULL);
    assert_int_equal(try_actions(&acts, &refusal), -EOPNOTSUPP);
    assert_int_equal(refusal.field, FIELD_ARP_OP);
    dp_actions_clear(&acts);
    dp_actions_add_u32(&acts, DP_ACT_LB_OUTPUT, 1);
    assert_int_equal(try_actions(&acts, &refusal), -EOPNOTSUPP);
    assert_string_equal(refusal.what, "lb_output");

    // Longer than an attribute can be.
    dp_actions_clear(&acts);
    for (int i = 0; i < 10000; i++) {
        dp_actions_add_output(&acts, i);
    }
    assert_int_equal(try_actions(&acts, &refusal), -EMSGSIZE);

    // Deeper than the kernel's stack.
    dp_actions_clear(&acts);
    size_t ofs[40];
    for (int i = 0; i < 40; i++) {
        ofs[i] = dp_actions_begin(&acts, DP_ACT_CLONE, sizeof(struct dp_act));
    }
    for (int i = 40; i-- > 0;) {
        dp_actions_end(&acts, ofs[i]);
    }
    assert_int_equal(try_actions(&acts, &refusal), -ELOOP);
    dp_actions_free(&acts);
}

static void
damaged(void **state)
{
    struct dp_actions acts = DP_ACTIONS_INIT, back = DP_ACTIONS_INIT;
    const struct kd_act_context ctx = {.user_pid = 7};
    struct kd_act_refusal refusal;
    struct flow_match m;

    for (int i = 0; i < 20000; i++) {
        gen_match(&m, true);
        dp_actions_clear(&acts);
        dp_actions_clear(&back);
        begin();
        kd_match_put(&batch, &m);
        gen_actions(&acts, &m, 4, 3);
        kd_actions_put(&batch, OVS_FLOW_ATTR_ACTIONS, &acts, &ctx, &refusal);
        const size_t n = batch.len - NLMSG_HDRLEN;
        uint8_t *copy = base_memdup(batch.data + NLMSG_HDRLEN,
                                    n); // so that a sanitizer sees reads past the end
        for (unsigned j = 0; j <= random_below(4); j++) {
            copy[random_below(n)] = random_u32();
        }
        struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
        nlk_parse(copy, n, t, ARRAY_SIZE(t));
        int error = kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], &m);
        assert_true(error == 0 || error == -EBADMSG);
        error = kd_actions_get(&t[OVS_FLOW_ATTR_ACTIONS], &back);
        assert_true(error == 0 || error == -EBADMSG || error == -EOPNOTSUPP);
        free(copy);
    }
    dp_actions_free(&acts);
    dp_actions_free(&back);
}

static int
tear_down(void **state)
{
    nlk_batch_free(&batch);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches), cmocka_unit_test(exact),
        cmocka_unit_test(refused), cmocka_unit_test(refused_dependents),
        cmocka_unit_test(actions), cmocka_unit_test(refused_actions),
        cmocka_unit_test(damaged),
    };
    const char *given = getenv("SEED");

    const uint32_t seed = given ? strtoul(given, NULL, 0) : random_u32();
    printf("SEED=%u\n", seed);
    random_seed(seed);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
