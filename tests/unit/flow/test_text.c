// SPDX-License-Identifier: Apache-2.0
// Text of fields, parts of fields, matches and keys against what stock programs read and print
// (tests/golden/flow), and random matches that must survive a trip through text.
#include "tests/unit/flow/golden.h"

#include "lib/base/random.h"
#include "lib/flow/match.h"

static void
make_match(const char *input, struct str *out)
{
    struct flow_match m;
    char *error = match_parse(&m, input, NULL);
    if (error && !strncmp(error, "unknown field ", 14)) {
        // ovs-ofctl has more words than fields, and says so.
        str_addf(out,
                 strchr(input, '=') ? "error: unknown keyword %s" : "error: field %s missing value",
                 error + 14);
        free(error);
    } else if (error) {
        golden_error(out, error);
    } else {
        match_format(&m, NULL, -1, out);
    }
}

static bool
port_by_name(const char *name, uint32_t *port, void *aux)
{
    static const char *const names[] = {"p1", "p2", "p3", "p4", "x y"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i])) {
            *port = (uint32_t) i + 1;
            return true;
        }
    }
    return false;
}

static const struct field_port_names ports = {NULL, port_by_name, NULL};

static void
make_key(const char *input, struct str *out)
{
    struct flow_key k;
    char *error = match_parse_key(&k, input, &ports);
    if (error) {
        golden_error(out, error);
    } else {
        match_format_key(&k, &ports, out);
    }
}

static void
make_value(const char *input, struct str *out)
{
    const char *p = strchr(input, '}');
    p = p ? p + 1 : input;
    const char *eq = strchr(p, '=');
    const struct field_info *f = field_by_name(p, (size_t) (eq - p));
    union field_value value, mask;
    assert_non_null(f);
    char *error = field_parse(f, eq + 1, NULL, &value, &mask);
    if (error) {
        golden_error(out, error);
    } else {
        // set_field has no mask of its own for flags.
        field_format(f, &value, f->format == FIELD_FMT_TNL_FLAGS ? NULL : &mask, NULL, out);
    }
}

static void
make_subfield(const char *input, struct str *out)
{
    struct subfield sf;
    const char *p = input;
    char *error = subfield_parse(&p, &sf);
    if (error) {
        golden_error(out, error);
    } else {
        subfield_format(&sf, out);
        assert_string_equal(p, "");
    }
}

// The answer itself is read, and printed again. A test of its own: inputs are only what the stock
// switch was asked.
static void
test_megaflow(void **state)
{
    const char *src = getenv("top_srcdir");
    char *path = base_asprintf("%s/tests/golden/flow/megaflow.txt", src ? src : "."), *line = NULL;
    FILE *f = fopen(path, "r");
    size_t cap = 0;
    int n = 0;
    assert_non_null(f);
    for (ssize_t len; (len = getline(&line, &cap, f)) > 0;) {
        line[len - 1] = '\0';
        if (line[0] == '<') {
            struct flow_match m;
            struct str out = STR_INIT;
            char *error = match_parse(&m, line + 2, NULL);
            assert_null(error);
            match_format(&m, NULL, -1, &out);
            assert_string_equal(str_get(&out), line + 2);
            str_free(&out);
            n++;
        }
    }
    assert_true(n > 20);
    fclose(f);
    free(line);
    free(path);
}

static void
test_match(void **state)
{
    golden_each("match.txt", make_match);
}

static void
test_key(void **state)
{
    golden_each("key.txt", make_key);
}

static void
test_value(void **state)
{
    golden_each("value.txt", make_value);
}

static void
test_subfield(void **state)
{
    golden_each("subfield.txt", make_subfield);
}

static const char *
port_name(uint32_t port, void *aux)
{
    static const char *const names[] = {NULL, "eth0", "a b", "x\"y\\", "9", "_z-1.2", ""};
    return port < ARRAY_SIZE(names) ? names[port] : NULL;
}

static bool
port_number(const char *name, uint32_t *port, void *aux)
{
    for (*port = 1; *port < 7; ++*port) {
        if (!strcmp(port_name(*port, NULL), name)) {
            return true;
        }
    }
    return false;
}

static void
test_port_names(void **state)
{
    static const char *const expected[] = {"0",     "eth0",   "\"a b\"", "\"x\\\"y\\\\\"",
                                           "\"9\"", "_z-1.2", "\"\"",    "7"};
    const struct field_port_names names = {port_name, port_number, NULL};
    for (uint32_t port = 0; port < 8; port++) {
        struct str s = STR_INIT;
        uint32_t back = 99;
        field_format_port(port, &names, &s);
        assert_string_equal(str_get(&s), expected[port]);
        assert_true(field_parse_port(str_get(&s), &names, &back));
        assert_int_equal(back, port);
        str_free(&s);
    }
    uint32_t port;
    assert_false(field_parse_port("\"eth0", &names, &port));
    assert_false(field_parse_port("\"", &names, &port));
    assert_false(field_parse_port("", NULL, &port));
    assert_false(field_parse_port("eth0", NULL, &port));
}

static void
set_random(struct flow_match *m, const struct field_info *f)
{
    union field_value v, w, exact;
    field_value_exact(f, &exact);
    const bool masked = f->masking == FIELD_MASKABLE && random_below(2);
    for (size_t i = 0; i < FIELD_VALUE_BYTES; i++) {
        v.b[i] = (uint8_t) (random_u32() & exact.b[i]);
        w.b[i] = (uint8_t) (random_u32() & exact.b[i]);
    }
    if (f->format == FIELD_FMT_CT_STATE) { // states that have names
        memset(v.b, 0, FIELD_VALUE_BYTES - 1);
        memset(w.b, 0, FIELD_VALUE_BYTES - 1);
    }
    if (f->format == FIELD_FMT_OFP_PORT) { // numbers that ports have in every version
        field_value_from_u64(f, random_below(0xff00), &v);
    }
    match_set(m, f, &v, masked ? &w : NULL);
}

static const char *const kinds[] = {
    "eth",
    "ip",
    "ipv6",
    "arp",
    "rarp",
    "mpls",
    "dl_type=0x894f",
    "tcp",
    "tcp6",
    "udp",
    "udp6",
    "sctp",
    "sctp6",
    "icmp",
    "icmp6",
    "icmp6,icmpv6_type=135,icmpv6_code=0",
    "ct_state=+trk+new,ip",
    "ct_state=+est,ipv6,ct_nw_proto=17",
    "dl_type=0x1234",
};

// Text and back gives the same match: every field that OpenFlow can name.
static void
test_round_trip(void **state)
{
    int used[FIELD_COUNT] = {0};
    for (int i = 0; i < 20000; i++) {
        struct flow_match m, back;
        struct str s = STR_INIT;
        char *error = match_parse(&m, kinds[random_below(ARRAY_SIZE(kinds))], NULL);
        assert_null(error);
        const struct flow_match kind = m;
        for (uint32_t n = random_below(6); n; n--) {
            const struct field_info *f = field_get(random_below(FIELD_COUNT));
            const bool changes_kind = f->id == FIELD_ETH_TYPE || f->id == FIELD_NW_PROTO ||
                                      f->id == FIELD_CT_STATE || f->id == FIELD_PACKET_TYPE ||
                                      f->prereq == FIELD_PRE_ICMPV6 || f->id == FIELD_IP_FRAG;
            if (f->access == FIELD_INTERNAL || match_lacks_prereqs(&kind, f) || changes_kind ||
                f->id == FIELD_TUN_ERSPAN_VER || f->id == FIELD_TUN_GTPU_FLAGS ||
                f->id == FIELD_TUN_GTPU_MSGTYPE) {
                continue;
            }
            set_random(&m, f);
            used[f->id]++;
        }
        match_format(&m, NULL, -1, &s);
        error = match_parse(&back, str_get(&s), NULL);
        if (error || !match_equals(&m, &back)) {
            struct str t = STR_INIT;
            match_format(&back, NULL, -1, &t);
            print_message("%s\n%s\n", str_get(&s), error ? error : str_get(&t));
            fail();
        }
        str_free(&s);
    }
    assert_true(used[FIELD_TCP_SRC] && used[FIELD_ND_TARGET] && used[FIELD_XXREG3] &&
                used[FIELD_CT_IPV6_DST]);
}

int
main(void)
{
    const char *env = getenv("TEST_SEED");
    const uint64_t seed = env ? strtoull(env, NULL, 0) : random_u64();
    random_seed(seed);
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),      cmocka_unit_test(test_key),
        cmocka_unit_test(test_value),      cmocka_unit_test(test_subfield),
        cmocka_unit_test(test_port_names), cmocka_unit_test(test_megaflow),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
