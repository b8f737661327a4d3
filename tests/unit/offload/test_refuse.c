// SPDX-License-Identifier: Apache-2.0
// What tc cannot do, or not in the same way, is refused with code and field or action: never
// changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "tests/unit/offload/ofl_test.h"

struct flow {
    struct flow_match m;
    struct dp_actions a;
};

static struct flow *
ipv4(uint8_t proto)
{
    struct flow *f = base_calloc(1, sizeof *f);
    match_init_any(&f->m);
    f->m.key.in_port = htobe32(1);
    FLOW_MASK_EXACT(&f->m.mask, in_port);
    FLOW_MASK_EXACT(&f->m.mask, recirc_id);
    f->m.key.eth_type = htobe16(0x0800);
    FLOW_MASK_EXACT(&f->m.mask, eth_type);
    f->m.mask.vlan[0].tci = htobe16(FLOW_VLAN_PRESENT);
    f->m.mask.nw_frag = 3;
    if (proto) {
        f->m.key.nw_proto = proto;
        f->m.mask.nw_proto = 0xff;
    }
    return f;
}

static void
expect(struct flow *f, enum reason_code code, enum field_id field, const char *detail)
{
    struct nlk_batch b;
    struct ofl_record rec;
    struct reason r;
    nlk_batch_init(&b);
    match_update_used(&f->m);
    const bool taken = encode(&b, &f->m, &f->a, &rec, &r);
    if (code == REASON_NONE) {
        assert_true(taken);
    } else {
        assert_false(taken);
        assert_string_equal(reason_get(r.code)->name, reason_get(code)->name);
        if (field != FIELD_COUNT || r.field != FIELD_COUNT) {
            assert_true(r.field < FIELD_COUNT && field < FIELD_COUNT);
            assert_string_equal(field_get(r.field)->name, field_get(field)->name);
        }
        if (detail) {
            assert_string_equal(r.detail, detail);
        }
        assert_int_equal(b.len, 0); // nothing is left of a refused message
        assert_int_equal(b.n, 0);
    }
    nlk_batch_free(&b);
    dp_actions_free(&f->a);
    free(f);
}

static void
test_matches(void **state)
{
    (void) state;
    struct flow *f = ipv4(6);
    dp_actions_add_output(&f->a, 2);
    expect(f, REASON_NONE, FIELD_COUNT, NULL);

    f = ipv4(0);
    f->m.mask.pkt_mark = htobe32(1); // even for 0: software may have set it
    expect(f, REASON_MATCH_SKB_MARK, FIELD_PKT_MARK, NULL);
    f = ipv4(0);
    f->m.mask.dp_hash = htobe32(1);
    expect(f, REASON_MATCH_DP_HASH, FIELD_DP_HASH, NULL);
    f = ipv4(0);
    f->m.mask.skb_priority = htobe32(1);
    expect(f, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_SKB_PRIORITY, NULL);
    f = ipv4(0);
    f->m.key.recirc_id = htobe32(5);
    expect(f, REASON_CHAIN_PARENT_NOT_OFFLOADED, FIELD_RECIRC_ID, NULL);
    f = ipv4(0);
    f->m.key.ct_state = f->m.mask.ct_state = htobe32(FLOW_CT_TRK);
    expect(f, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_CT_STATE, NULL);
    f = ipv4(0);
    f->m.mask.ct_state = htobe32(FLOW_CT_TRK); // what just came in is not tracked
    expect(f, REASON_NONE, FIELD_COUNT, NULL);
    f = ipv4(0);
    f->m.mask.ct_nw_src = htobe32(1);
    expect(f, REASON_MATCH_CT_ORIG_TUPLE, FIELD_CT_NW_SRC, NULL);
    f = ipv4(0);
    f->m.key.tun.ip_dst = f->m.mask.tun.ip_dst = htobe32(0x0a000001);
    expect(f, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_TUN_DST, NULL);
    f = ipv4(2);
    f->m.key.igmp_group = f->m.mask.igmp_group = htobe32(0xe0000001);
    expect(f, REASON_MATCH_IGMP, FIELD_IGMP_GROUP, NULL);
    f = ipv4(0);
    f->m.mask.ipv6_label = htobe32(1);
    f->m.key.eth_type = htobe16(0x86dd);
    expect(f, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_IPV6_LABEL, NULL);
    f = ipv4(58);
    f->m.key.eth_type = htobe16(0x86dd);
    f->m.key.tp_src = htobe16(135);
    f->m.mask.tp_src = htobe16(0xff);
    FLOW_MASK_EXACT(&f->m.mask, nd_target);
    expect(f, REASON_MATCH_ND, FIELD_ND_TARGET, NULL);
}

static void
test_masks(void **state)
{
    (void) state;
    struct flow *f = ipv4(0);
    f->m.mask.nw_proto = 0xf0;
    expect(f, REASON_MATCH_PARTIAL_MASK, FIELD_NW_PROTO, NULL);
    f = ipv4(0);
    f->m.mask.eth_type = htobe16(0xff00);
    expect(f, REASON_MATCH_PARTIAL_MASK, FIELD_ETH_TYPE, NULL);
    f = ipv4(0);
    f->m.mask.vlan[0].tci = 0;
    expect(f, REASON_MATCH_PARTIAL_MASK, FIELD_VLAN_VID, NULL);
    for (int pcp = 0; pcp < 2; pcp++) {
        f = ipv4(0);
        f->m.key.vlan[0] = (struct flow_vlan){htobe16(0x8100), htobe16(FLOW_VLAN_PRESENT)};
        f->m.mask.vlan[0] = (struct flow_vlan){htobe16(0xffff), htobe16(pcp ? 0x3000 : 0x1f00)};
        f->m.mask.vlan[1].tci = htobe16(FLOW_VLAN_PRESENT);
        expect(f, REASON_MATCH_PARTIAL_MASK, pcp ? FIELD_VLAN_PCP : FIELD_VLAN_VID, NULL);
    }
    f = ipv4(0);
    f->m.key.eth_type = htobe16(0x5ff);
    expect(f, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_ETH_TYPE, NULL);
    f = ipv4(0);
    f->m.mask.nw_frag = FLOW_FRAG_LATER;
    expect(f, REASON_MATCH_PARTIAL_MASK, FIELD_IP_FRAG, NULL);
    f = ipv4(17);
    f->m.key.nw_frag = FLOW_FRAG_ANY;
    f->m.mask.tp_dst = htobe16(0xffff);
    expect(f, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_IP_FRAG, "ports of a fragment");
    f = ipv4(17);
    f->m.key.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    f->m.mask.tp_dst = htobe16(0xffff);
    expect(f, REASON_NONE, FIELD_COUNT, NULL);
}

static void
set(struct flow *f, enum field_id id, uint64_t value)
{
    union field_value v;
    field_value_from_u64(field_get(id), value, &v);
    dp_actions_add_set(&f->a, field_get(id), &v, NULL);
}

static void
test_actions(void **state)
{
    static const struct {
        enum dp_act_type type;
        enum reason_code code;
    } rows[] = {
        {DP_ACT_RECIRC, REASON_ACT_UNSUPPORTED},   {DP_ACT_METER, REASON_ACT_UNSUPPORTED},
        {DP_ACT_TRUNC, REASON_ACT_TRUNC},          {DP_ACT_HASH, REASON_ACT_HASH},
        {DP_ACT_CT_CLEAR, REASON_ACT_UNSUPPORTED}, {DP_ACT_CT, REASON_ACT_UNSUPPORTED},
        {DP_ACT_SAMPLE, REASON_ACT_SAMPLE},        {DP_ACT_CLONE, REASON_ACT_CLONE},
        {DP_ACT_PUSH_NSH, REASON_ACT_NSH},         {DP_ACT_PUSH_MPLS, REASON_ACT_UNSUPPORTED},
        {DP_ACT_LB_OUTPUT, REASON_ACT_HASH},
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        // Behind the last output, too.
        struct flow *f = ipv4(0);
        dp_actions_add_output(&f->a, 2);
        dp_actions_add(&f->a, rows[i].type, dp_act_fixed_size(rows[i].type));
        expect(f, rows[i].code, FIELD_COUNT, NULL);
    }
    struct flow *f = ipv4(0);
    struct dp_act_userspace *u = dp_actions_add(&f->a, DP_ACT_USERSPACE, sizeof *u);
    u->kind = DP_USER_CONTROLLER;
    expect(f, REASON_ACT_CONTROLLER, FIELD_COUNT, NULL);
    f = ipv4(0);
    u = dp_actions_add(&f->a, DP_ACT_USERSPACE, sizeof *u);
    u->kind = DP_USER_SLOW_PATH;
    expect(f, REASON_ACT_SLOW_PATH, FIELD_COUNT, NULL);

    f = ipv4(132);
    set(f, FIELD_SCTP_DST, 5);
    dp_actions_add_output(&f->a, 2);
    expect(f, REASON_ACT_SET_FIELD, FIELD_SCTP_DST, NULL);
    f = ipv4(0); // the TCP header may not be there
    set(f, FIELD_TCP_DST, 5);
    dp_actions_add_output(&f->a, 2);
    expect(f, REASON_ACT_SET_FIELD, FIELD_TCP_DST, NULL);
    f = ipv4(0);
    set(f, FIELD_PKT_MARK, 5);
    dp_actions_add_output(&f->a, 2);
    expect(f, REASON_ACT_SET_FIELD, FIELD_PKT_MARK, NULL);
    f = ipv4(17);
    f->m.key.nw_frag = FLOW_FRAG_ANY;
    set(f, FIELD_NW_SRC, 5);
    dp_actions_add_output(&f->a, 2);
    expect(f, REASON_ACT_FRAG_REWRITE, FIELD_NW_SRC, NULL);
    f = ipv4(17);
    f->m.key.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER; // has no UDP header
    set(f, FIELD_NW_SRC, 5);
    dp_actions_add_output(&f->a, 2);
    expect(f, REASON_NONE, FIELD_COUNT, NULL);

    f = ipv4(0);
    for (int i = 0; i < 33; i++) {
        dp_actions_add_output(&f->a, 2 + i % 2);
    }
    expect(f, REASON_ACT_TOO_MANY, FIELD_COUNT, "33");
    f = ipv4(0);
    for (int i = 0; i < 32; i++) {
        dp_actions_add_output(&f->a, 2 + i % 2);
    }
    expect(f, REASON_NONE, FIELD_COUNT, NULL);
}

static void
test_ports(void **state)
{
    (void) state;
    struct flow *f = ipv4(0);
    dp_actions_add_output(&f->a, 4);
    expect(f, REASON_PORT_OTHER_ESWITCH, FIELD_COUNT, "output to p4");
    f = ipv4(0);
    dp_actions_add_output(&f->a, 77);
    expect(f, REASON_PORT_NO_IFINDEX, FIELD_COUNT, NULL);
    f = ipv4(0); // nothing but a drop
    expect(f, REASON_NONE, FIELD_COUNT, NULL);
}

static int
setup(void **state)
{
    (void) state;
    make_devices();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
