// SPDX-License-Identifier: Apache-2.0
// Text of datapath flows against what the stock switch reads and prints, and random flows that must
// survive a trip through text.
#include "tests/unit/flow/golden.h"

#include "lib/base/random.h"
#include "lib/flow/dp_actions.h"
#include "lib/flow/dp_command.h"
#include "lib/flow/match.h"

static const char *
port_name(uint32_t port, void *aux)
{
    return port == 1 ? "p1" : port == 2 ? "p2" : NULL;
}

static bool
port_by_name(const char *name, uint32_t *port, void *aux)
{
    *port = !strcmp(name, "p1") ? 1 : !strcmp(name, "p2") ? 2 : 0;
    return *port;
}

static void
make_flow(const char *input, struct str *out)
{
    struct flow_match m;
    char *error = dp_match_parse(input, port_by_name, NULL, &m);
    if (error) {
        golden_error(out, error);
        return;
    }
    dp_match_format(&m, false, NULL, NULL, out);
    str_add(out, " | ");
    dp_match_format(&m, true, port_name, NULL, out);
}

static void
test_flow(void **state)
{
    golden_each("dp_flow.txt", make_flow);
}

static void
make_actions(const char *input, struct str *out)
{
    struct dp_actions a = DP_ACTIONS_INIT;
    char *error = dp_actions_parse(input, NULL, NULL, &a);
    if (error) {
        str_add(out, "error");
        free(error);
        assert_int_equal(a.len, 0);
    } else {
        dp_actions_format(&a, NULL, NULL, out);
    }
    dp_actions_free(&a);
}

static void
test_actions(void **state)
{
    golden_each("dp_actions.txt", make_actions);
}

// What the stock parser doesn't read, as its formatter prints it (ofproto/trace).
static void
test_actions_more(void **state)
{
    static const char *const texts[] = {
        "hash(l4(0)),recirc(0xe)",
        "hash(sym_l4(5))",
        "push_mpls(label=5,tc=0,ttl=64,bos=1,eth_type=0x8847),9",
        "pop_mpls(eth_type=0x800),9",
        ("push_nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x5,si=255,c1=0x0,c2=0x0,c3=0x0,c4=0x0),"
         "push_eth(src=00:00:00:00:00:00,dst=00:00:00:00:00:00),9"),
        "pop_eth,9",
        "dec_ttl(le_1(drop)),9",
        "set(mpls(label=5,tc=1,ttl=63,bos=1)),9",
        "p1,p2,3",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct dp_actions a = DP_ACTIONS_INIT;
        struct str s = STR_INIT;
        assert_null(dp_actions_parse(texts[i], port_by_name, NULL, &a));
        dp_actions_format(&a, port_name, NULL, &s);
        assert_string_equal(str_get(&s), texts[i]);
        str_free(&s);
        dp_actions_free(&a);
    }
}

// Successive sets of one header are one; of a header's IPv4 and IPv6 forms, the flag tells.
static void
test_set_runs(void **state)
{
    struct dp_actions a = DP_ACTIONS_INIT;
    struct str s = STR_INIT;
    union field_value v;
    static const enum field_id ids[] = {FIELD_ETH_DST, FIELD_ETH_SRC, FIELD_NW_SRC, FIELD_NW_TTL,
                                        FIELD_TCP_DST};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        field_value_from_u64(field_get(ids[i]), i + 1, &v);
        dp_actions_add_set(&a, field_get(ids[i]), &v, NULL);
    }
    field_value_from_u64(field_get(FIELD_NW_TTL), 9, &v);
    const uint32_t at = a.len;
    dp_actions_add_set(&a, field_get(FIELD_NW_TTL), &v, NULL);
    ((struct dp_act *) (void *) (a.data + at))->flags = DP_SET_IPV6;
    dp_actions_format(&a, NULL, NULL, &s);
    assert_string_equal(
        str_get(&s),
        "set(eth(src=00:00:00:00:00:02,dst=00:00:00:00:00:01)),set(ipv4(src=0.0.0.3,ttl=4)),"
        "set(tcp(dst=5)),set(ipv6(hlimit=9))");
    str_free(&s);
    dp_actions_free(&a);
}

// Datapath text and back gives the same match: every field that has such text, with what it needs.
static const char *const kinds[] = {
    "eth_type(0x0800),ipv4(proto=6,frag=no)",
    "eth_type(0x0800),ipv4(proto=17,frag=first)",
    "eth_type(0x0800),ipv4(proto=1,frag=no)",
    "eth_type(0x0800),ipv4(proto=132,frag=no)",
    "eth_type(0x86dd),ipv6(proto=6,frag=no)",
    "eth_type(0x86dd),ipv6(proto=58,frag=no)",
    "eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=135,code=0)",
    "eth_type(0x0806)",
    "eth_type(0x8847)",
    "eth_type(0x894f)",
    "eth_type(0x8100),vlan(vid=5),encap(eth_type(0x88a8),vlan(pcp=1),encap(eth_type(0x0800)))",
    "eth_type(0x1234)",
    "eth_type(0/0xffff)",
};

static void
set_random(struct flow_match *m, const struct field_info *f)
{
    union field_value v, w, exact;
    field_value_exact(f, &exact);
    for (size_t i = 0; i < FIELD_VALUE_BYTES; i++) {
        v.b[i] = (uint8_t) (random_u32() & exact.b[i]);
        w.b[i] = (uint8_t) (random_u32() & exact.b[i]);
    }
    match_set(m, f, &v, f->masking == FIELD_MASKABLE && random_below(2) ? &w : NULL);
}

static void
test_round_trip(void **state)
{
    static const enum field_id ids[] = {
        FIELD_ETH_SRC,    FIELD_ETH_DST,   FIELD_NW_SRC,     FIELD_NW_DST,       FIELD_NW_TTL,
        FIELD_IPV6_SRC,   FIELD_IPV6_DST,  FIELD_IPV6_LABEL, FIELD_ARP_SPA,      FIELD_ARP_TPA,
        FIELD_ARP_SHA,    FIELD_ARP_THA,   FIELD_TCP_SRC,    FIELD_TCP_DST,      FIELD_TCP_FLAGS,
        FIELD_UDP_DST,    FIELD_SCTP_SRC,  FIELD_ND_TARGET,  FIELD_ND_SLL,       FIELD_ND_TLL,
        FIELD_MPLS_LABEL, FIELD_MPLS_TTL,  FIELD_NSH_C1,     FIELD_NSH_SPI,      FIELD_NSH_FLAGS,
        FIELD_PKT_MARK,   FIELD_DP_HASH,   FIELD_CT_MARK,    FIELD_CT_LABEL,     FIELD_CT_ZONE,
        FIELD_RECIRC_ID,  FIELD_TUN_SRC,   FIELD_TUN_ID,     FIELD_TUN_DST,      FIELD_TUN_IPV6_DST,
        FIELD_TUN_TTL,    FIELD_TUN_TOS,   FIELD_TUN_FLAGS,  FIELD_TUN_GBP_ID,   FIELD_TUN_TP_DST,
        FIELD_TUN_MD5,    FIELD_ICMP_TYPE, FIELD_ICMP_CODE,  FIELD_SKB_PRIORITY,
    };
    for (int i = 0; i < 20000; i++) {
        struct flow_match m, back;
        struct str s = STR_INIT;
        assert_null(dp_match_parse(kinds[random_below(ARRAY_SIZE(kinds))], NULL, NULL, &m));
        const struct flow_match kind = m;
        for (uint32_t n = random_below(6); n; n--) {
            const struct field_info *f = field_get(ids[random_below(ARRAY_SIZE(ids))]);
            if (!match_lacks_prereqs(&kind, f)) {
                set_random(&m, f);
            }
        }
        dp_match_format(&m, random_below(2), NULL, NULL, &s);
        char *error = dp_match_parse(str_get(&s), NULL, NULL, &back);
        if (error || !match_equals(&m, &back)) {
            struct str t = STR_INIT;
            dp_match_format(&back, false, NULL, NULL, &t);
            print_message("%s\n%s\n", str_get(&s), error ? error : str_get(&t));
            fail();
        }
        str_free(&s);
    }
}

static void
check_line(const char *text, enum dp_flow_verb verb, const char *flow, const char *actions)
{
    char *line = base_strdup(text);
    struct dp_flow_line l = {.verb = DP_FLOW_MODIFY};
    dp_flow_line_parse(line, &l);
    assert_int_equal(l.flow != NULL, flow != NULL);
    if (flow) {
        assert_int_equal(l.verb, verb);
        assert_string_equal(l.flow, flow);
        assert_string_equal(l.actions, actions);
    }
    free(line);
}

static void
test_lines(void **state)
{
    check_line("", 0, NULL, NULL);
    check_line("  # add a b\n", 0, NULL, NULL);
    check_line("in_port(1)  2,3\n", DP_FLOW_MODIFY, "in_port(1)", "2,3");
    check_line("add in_port(1) set(eth(src=1)), 2\r\n", DP_FLOW_CREATE, "in_port(1)",
               "set(eth(src=1)), 2");
    check_line("delete in_port(1) 2", DP_FLOW_DELETE, "in_port(1)", "");
    check_line("add", DP_FLOW_CREATE, "", "");
    check_line("modify in_port(1)", DP_FLOW_MODIFY, "in_port(1)", "");
}

static void
test_flow_text(void **state)
{
    struct dp_flow_text f;
    struct str s = STR_INIT;
    assert_null(dp_flow_parse(
        "ufid:00000001-0002-0003-0004-000000000005,in_port(p2),eth(),eth_type(0x1234)",
        port_by_name, NULL, &f));
    assert_true(f.has_id);
    assert_false(f.has_recirc_id);
    assert_int_equal(be32toh(f.match.key.in_port), 2);
    dp_flow_id_format(&f.id, &s);
    assert_string_equal(str_get(&s), "ufid:00000001-0002-0003-0004-000000000005");
    assert_null(dp_flow_parse("ufid:00000001-0002-0003-0004-000000000005", port_by_name, NULL, &f));
    assert_null(dp_flow_parse("recirc_id(0x3),in_port(1)", port_by_name, NULL, &f));
    assert_true(f.has_recirc_id && !f.has_id);
    char *error = dp_flow_parse("", port_by_name, NULL, &f);
    assert_string_equal(error, "syntax error at ");
    free(error);
    str_clear(&s);
    dp_flow_stats_format(&(struct dp_flow_stats){.packets = 3, .bytes = 180, .tcp_flags = 0x12},
                         &s);
    assert_string_equal(str_get(&s), "packets:3, bytes:180, used:never, flags:S.");
    str_free(&s);
}

static void
test_ports(void **state)
{
    const struct dp_port_info info = {.name = "v", .type = "vxlan", .port_no = 3};
    char text[] = "v,type=vxlan,dst_port=4789,port_no=3", bad[] = "v,port_no=x", nothing[] = "",
         other[] = "v,port_no=4";
    struct dp_port_spec spec;
    bool bad_number;
    dp_port_spec_parse(text, &spec, &bad_number);
    assert_string_equal(spec.name, "v");
    assert_string_equal(spec.type, "vxlan");
    assert_int_equal(spec.tp_dst, 4789);
    assert_int_equal(spec.port_no, 3);
    assert_false(bad_number);
    assert_null(dp_port_spec_conflict(&spec, &info));
    dp_port_spec_parse(other, &spec, &bad_number);
    assert_null(spec.type);
    char *conflict = dp_port_spec_conflict(&spec, &info);
    assert_string_equal(conflict, "v: can't change port number from 3 to 4");
    free(conflict);
    dp_port_spec_parse(bad, &spec, &bad_number);
    assert_true(bad_number);
    dp_port_spec_parse(nothing, &spec, &bad_number);
    assert_null(spec.name);
}

int
main(void)
{
    const char *env = getenv("TEST_SEED");
    const uint64_t seed = env ? strtoull(env, NULL, 0) : random_u64();
    random_seed(seed);
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow),         cmocka_unit_test(test_actions),
        cmocka_unit_test(test_actions_more), cmocka_unit_test(test_set_runs),
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_lines),
        cmocka_unit_test(test_flow_text),    cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
