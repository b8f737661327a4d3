// SPDX-License-Identifier: Apache-2.0
// Arrays of datapath actions, sparse masks, refusal codes, the datapath registry.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "lib/flow/dp_ops.h"
#include "lib/flow/minimask.h"

static void
test_build(void **state)
{
    struct dp_actions a = DP_ACTIONS_INIT, b = DP_ACTIONS_INIT;
    union field_value v;

    assert_true(dp_actions_equal(&a, &b));
    field_value_from_u64(field_get(FIELD_ETH_SRC), 0x020000000001, &v);
    dp_actions_add_set(&a, field_get(FIELD_ETH_SRC), &v, NULL);
    size_t clone = dp_actions_begin(&a, DP_ACT_CLONE, dp_act_fixed_size(DP_ACT_CLONE));
    dp_actions_add_output(&a, 7);
    size_t sample = dp_actions_begin(&a, DP_ACT_SAMPLE, dp_act_fixed_size(DP_ACT_SAMPLE));
    dp_actions_add_u32(&a, DP_ACT_RECIRC, 9);
    dp_actions_end(&a, sample);
    dp_actions_end(&a, clone);
    dp_actions_add_output(&a, 8);

    // Walk: set, clone { 7, sample { recirc } }, 8.
    const struct dp_act *act = (const struct dp_act *) (const void *) a.data;
    const struct dp_act_set *set = (const void *) act;
    assert_int_equal(set->field, FIELD_ETH_SRC);
    assert_int_equal(set->n_bytes, 6);
    assert_memory_equal(set->value, "\2\0\0\0\0\1", 6);
    assert_memory_equal(set->mask, "\xff\xff\xff\xff\xff\xff\0", 7);
    int n = 0;
    DP_ACT_FOR_EACH (act, a.data, a.len) {
        static const uint16_t types[] = {DP_ACT_SET, DP_ACT_CLONE, DP_ACT_OUTPUT};
        assert_int_equal(act->type, types[n++]);
        if (act->type == DP_ACT_CLONE) {
            size_t fixed = dp_act_fixed_size(DP_ACT_CLONE);
            const struct dp_act *in;
            int m = 0;
            DP_ACT_FOR_EACH (in, (const uint8_t *) act + fixed, act->len - fixed) {
                assert_int_equal(in->type, m++ ? DP_ACT_SAMPLE : DP_ACT_OUTPUT);
            }
            assert_int_equal(m, 2);
        }
    }
    assert_int_equal(n, 3);

    dp_actions_copy(&b, &a);
    assert_true(dp_actions_equal(&a, &b));
    assert_int_equal(dp_actions_hash(&a, 5), dp_actions_hash(&b, 5));
    ((struct dp_act_output *) (void *) (b.data + b.len - 16))->port = 9;
    assert_false(dp_actions_equal(&a, &b));
    dp_actions_clear(&b);
    assert_int_equal(b.len, 0);
    assert_false(dp_actions_equal(&a, &b));
    dp_actions_free(&a);
    dp_actions_free(&b);
}

static void
test_set_masks_extra_bits(void **state)
{
    struct dp_actions a = DP_ACTIONS_INIT;
    union field_value v;
    memset(&v, 0xff, sizeof v);
    dp_actions_add_set(&a, field_get(FIELD_IPV6_LABEL), &v, NULL);
    const struct dp_act_set *set = (const void *) a.data;
    assert_memory_equal(set->mask, "\x00\x0f\xff\xff", 4);
    assert_memory_equal(set->value, "\x00\x0f\xff\xff", 4);
    dp_actions_free(&a);
}

static void
random_mask(struct flow_mask *m)
{
    memset(m, 0, sizeof *m);
    for (uint32_t i = 0, n = random_below(8); i < n; i++) {
        flow_mask_words_mut(m)[random_below(FLOW_WORDS)] = random_below(3) ? random_u64() : UINT64_MAX;
    }
}

static void
test_minimask(void **state)
{
    for (int i = 0; i < 2000; i++) {
        struct flow_mask mask, back, other;
        struct flow_key key, masked, got;
        uint64_t words[FLOW_WORDS];
        random_mask(&mask);
        for (size_t w = 0; w < FLOW_WORDS; w++) {
            ((uint64_t *) (void *) &key)[w] = random_u64();
            ((uint64_t *) (void *) &masked)[w] = flow_key_words(&key)[w] & flow_mask_words(&mask)[w];
        }
        struct minimask *m = minimask_new(&mask);
        minimask_expand(m, &back);
        assert_memory_equal(&mask, &back, sizeof mask);
        assert_int_equal(m->stage[FLOW_N_STAGES - 1], m->n);
        minikey_extract(m, &key, words);
        minikey_expand(m, words, &got);
        assert_memory_equal(&masked, &got, sizeof got);
        assert_true(minimask_matches(m, words, &key));
        assert_true(minimask_matches(m, words, &masked));
        // Hashing in stages is hashing at once, and ignores what is masked.
        uint32_t h = minimask_hash_key(m, &key, 0, m->n, 7), s = 7;
        size_t from = 0;
        for (int st = 0; st < FLOW_N_STAGES; st++) {
            s = minimask_hash_key(m, &masked, from, m->stage[st], s);
            from = m->stage[st];
        }
        assert_int_equal(h, s);
        // The words of each stage are in that stage.
        struct flow_mask l2;
        memset(&l2, 0, sizeof l2);
        minimask_or_into(m, m->stage[0], m->stage[1], &l2);
        for (size_t w = 0; w < FLOW_WORDS; w++) {
            bool in = w >= FLOW_STAGE_L2 && w < FLOW_STAGE_L3;
            assert_true(flow_mask_words(&l2)[w] == (in ? flow_mask_words(&mask)[w] : 0));
        }
        if (m->n) {
            size_t j = random_below(m->n);
            words[j] ^= m->words[j] & -m->words[j];
            assert_false(minimask_matches(m, words, &key));
        }
        random_mask(&other);
        struct minimask *o = minimask_new(&other);
        assert_int_equal(minimask_equals(m, o), !memcmp(&mask, &other, sizeof mask));
        free(o);
        o = minimask_new(&mask);
        assert_true(minimask_equals(m, o));
        assert_int_equal(minimask_hash(m, 1), minimask_hash(o, 1));
        free(o);
        free(m);
    }
}

static void
test_reasons(void **state)
{
    for (int i = 1; i < REASON_COUNT; i++) {
        const struct reason_info *info = reason_get((enum reason_code) i);
        enum reason_code back;
        assert_non_null(info->name);
        assert_true(info->text[0] && info->hint[0]);
        assert_true(info->stage != REASON_STAGE_NONE);
        assert_true(info->text[strlen(info->text) - 1] != '.');
        assert_true(reason_by_name(info->name, &back));
        assert_int_equal(back, i);
    }
    enum reason_code c;
    assert_false(reason_by_name("MATCH_NONSENSE", &c));

    struct reason r;
    struct str s = STR_INIT;
    reason_set(&r, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_IPV6_LABEL, 0, NULL);
    reason_format(&r, &s);
    assert_string_equal(str_get(&s),
                        "MATCH_UNSUPPORTED_FIELD (ipv6_label): the match uses a field that tc flower cannot match");
    str_clear(&s);
    reason_set(&r, REASON_HW_REJECTED, FIELD_COUNT, -95, "%s", "simnic: unsupported key");
    assert_int_equal(r.error, 95);
    reason_format(&r, &s);
    assert_string_equal(str_get(&s), "HW_REJECTED: the NIC's driver refused the filter; driver says \"simnic: "
                                     "unsupported key\" (Operation not supported)");
    str_clear(&s);
    reason_set(&r, REASON_PORT_HW_TC_OFF, FIELD_COUNT, 0, "%s", "eth0");
    reason_format(&r, &s);
    assert_string_equal(str_get(&s), "PORT_HW_TC_OFF (eth0): the port's device has hw-tc-offload switched off");
    str_free(&s);
}

static void
test_registry(void **state)
{
    static const struct dp_ops a = {.type = "a"}, b = {.type = "b"}, a2 = {.type = "a"};
    assert_null(dp_ops_find("a"));
    dp_ops_register(&a);
    dp_ops_register(&b);
    assert_ptr_equal(dp_ops_find("a"), &a);
    assert_ptr_equal(dp_ops_find("b"), &b);
    dp_ops_register(&a2);
    assert_ptr_equal(dp_ops_find("a"), &a2);
    assert_string_equal(dp_place_name(DP_PLACE_TC_HW), "hardware");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),   cmocka_unit_test(test_set_masks_extra_bits),
        cmocka_unit_test(test_minimask), cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
