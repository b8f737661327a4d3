// SPDX-License-Identifier: Apache-2.0
// Filters as stock tc writes them: read, and written again, they are the same attributes; random
// flows survive the way there and back. Golden: tests/golden/offload/filters.tc, filters.hex.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_pedit.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "tests/unit/offload/ofl_test.h"

#define MAX_LINE 8192

// --- Attributes as text that doesn't depend on their order. ---

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
add_sorted(struct str *out, char **lines, size_t n)
{
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "{%s}", lines[i]);
        free(lines[i]);
    }
}

// A pedit's words, those of one place merged.
static void
canon_pedit(const struct nlk_attr *options, struct str *out)
{
    struct nlk_attr t[TCA_PEDIT_MAX + 1], ex, x[3];
    uint32_t value[6][16] = {{0}}, mask[6][16] = {{0}};
    struct tc_pedit_sel sel;
    size_t pos = 0;
    assert_int_equal(nlk_parse_nested(options, t, ARRAY_SIZE(t)), 0);
    memcpy(&sel, t[TCA_PEDIT_PARMS_EX].data, sizeof sel);
    for (unsigned i = 0; i < sel.nkeys; i++) {
        struct tc_pedit_key k;
        memcpy(&k, (const uint8_t *) t[TCA_PEDIT_PARMS_EX].data + sizeof sel + i * sizeof k,
               sizeof k);
        assert_true(nlk_next(t[TCA_PEDIT_KEYS_EX].data, t[TCA_PEDIT_KEYS_EX].len, &pos, &ex, NULL));
        assert_int_equal(nlk_parse_nested(&ex, x, ARRAY_SIZE(x)), 0);
        assert_int_equal(nlk_u16(&x[TCA_PEDIT_KEY_EX_CMD]), 0);
        mask[nlk_u16(&x[TCA_PEDIT_KEY_EX_HTYPE])][k.off / 4] |= ~k.mask;
        value[nlk_u16(&x[TCA_PEDIT_KEY_EX_HTYPE])][k.off / 4] |= k.val & ~k.mask;
    }
    for (unsigned h = 0; h < 6; h++) {
        for (unsigned w = 0; w < 16; w++) {
            if (mask[h][w]) {
                str_addf(out, "(%u+%u %08x/%08x)", h, 4 * w, value[h][w], mask[h][w]);
            }
        }
    }
}

static void
canon_action(const struct nlk_attr *act, struct str *out)
{
    struct nlk_attr t[TCA_ACT_MAX + 1], a;
    char *lines[64];
    size_t n = 0, pos = 0;
    assert_int_equal(nlk_parse_nested(act, t, ARRAY_SIZE(t)), 0);
    str_addf(out, "%u:%s", act->type, nlk_str(&t[TCA_ACT_KIND]));
    if (!strcmp(nlk_str(&t[TCA_ACT_KIND]), "pedit")) {
        canon_pedit(&t[TCA_ACT_OPTIONS], out);
        return;
    }
    while (nlk_next(t[TCA_ACT_OPTIONS].data, t[TCA_ACT_OPTIONS].len, &pos, &a, NULL)) {
        struct str s = STR_INIT;
        str_addf(&s, "%u ", a.type);
        str_add_hex(&s, a.data, a.len);
        lines[n++] = str_take(&s);
    }
    add_sorted(out, lines, n);
}

static bool
is_all_ones(const struct nlk_attr *a)
{
    for (size_t i = 0; i < a->len; i++) {
        if (((const uint8_t *) a->data)[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static void
canon(const void *data, size_t len, struct str *out)
{
    struct nlk_attr a, act;
    char *lines[128];
    size_t n = 0, pos = 0;
    while (nlk_next(data, len, &pos, &a, NULL)) {
        struct str s = STR_INIT;
        if (is_all_ones(&a)) {
            continue; // a mask that may as well be left out
        }
        str_addf(&s, "%03u ", a.type);
        if (a.type == TCA_FLOWER_ACT) {
            for (size_t p = 0; nlk_next(a.data, a.len, &p, &act, NULL);) {
                canon_action(&act, &s);
            }
        } else {
            str_add_hex(&s, a.data, a.len);
        }
        lines[n++] = str_take(&s);
    }
    add_sorted(out, lines, n);
}

// --- Golden. ---

static FILE *
golden(const char *name)
{
    char path[512];
    const char *src = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/tests/golden/offload/%s", src ? src : ".", name);
    FILE *f = fopen(path, "r");
    if (!f) {
        fail_msg("%s: cannot be read", path);
    }
    return f;
}

static size_t
from_hex(const char *text, uint8_t *out)
{
    size_t n = 0;
    unsigned b;
    while (sscanf(text + 2 * n, "%2x", &b) == 1) {
        out[n++] = (uint8_t) b;
    }
    return n;
}

static void
test_golden(void **state)
{
    FILE *tc = golden("filters.tc"), *hex = golden("filters.hex");
    static char words[MAX_LINE], line[MAX_LINE];
    static uint8_t bytes[MAX_LINE];
    struct flow_match *m = base_calloc(1, sizeof *m);
    struct dp_actions acts = DP_ACTIONS_INIT;
    int n = 0;
    (void) state;

    encode_hw = false; // for hardware outputs change places
    while (fgets(words, sizeof words, tc)) {
        if (words[0] == '#') {
            continue;
        }
        assert_non_null(fgets(line, sizeof line, hex));
        uint8_t protocol[2];
        memset(protocol, 0, 2);
        char first[5] = {line[0], line[1], line[2], line[3], 0};
        from_hex(first, protocol);
        line[strcspn(line, "\n")] = '\0';
        const size_t len = from_hex(line + 5, bytes);
        struct ofl_record rec = {.options = bytes, .options_len = len, .flower = true};
        memcpy(&rec.f.protocol, protocol, 2);
        rec.f.ifindex = 1;
        if (!ofl_filter_decode(&rec, &devs, m, &acts)) {
            fail_msg("not understood: %s", words);
        }

        struct nlk_batch b;
        struct ofl_record ours;
        struct reason r;
        nlk_batch_init(&b);
        if (!encode(&b, m, &acts, &ours, &r)) {
            fail_msg("refused (%s, %s): %s", reason_get(r.code)->name, r.detail, words);
        }
        assert_int_equal(ours.f.protocol, rec.f.protocol);
        struct str want = STR_INIT, got = STR_INIT;
        canon(bytes, len, &want);
        canon(ours.options, ours.options_len, &got);
        if (strcmp(str_get(&want), str_get(&got))) {
            fail_msg("%stc:   %s\nours: %s", words, str_get(&want), str_get(&got));
        }
        str_free(&want);
        str_free(&got);
        nlk_batch_free(&b);
        n++;
    }
    encode_hw = true;
    assert_true(n > 40);
    fclose(tc);
    fclose(hex);
    free(m);
    dp_actions_free(&acts);
}

// --- Random flows. ---

static uint32_t
chance(uint32_t one_in)
{
    return random_below(one_in) == 0;
}

static void
random_bytes_masked(uint8_t *key, uint8_t *mask, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mask[i] = chance(3) ? 0xff : chance(2) ? (uint8_t) random_u32() : 0;
        key[i] = (uint8_t) random_u32() & mask[i];
    }
}

#define RANDOM(m, member)                                                                          \
    random_bytes_masked((uint8_t *) &(m)->key.member, (uint8_t *) &(m)->mask.member,               \
                        sizeof(m)->key.member)

static void
random_vlans(struct flow_match *m)
{
    const uint32_t n = random_below(3);
    for (uint32_t i = 0; i < 2; i++) {
        uint16_t mask = FLOW_VLAN_PRESENT, tci = 0;
        if (i > n) {
            return;
        }
        if (i < n) {
            m->key.vlan[i].tpid = htobe16(chance(2) ? 0x8100 : 0x88a8);
            m->mask.vlan[i].tpid = htobe16(0xffff);
            mask |= chance(2) ? 0xfff : 0;
            mask |= chance(2) ? 0xe000 : 0;
            tci = (uint16_t) ((random_u32() & mask) | FLOW_VLAN_PRESENT);
        }
        m->key.vlan[i].tci = htobe16(tci);
        m->mask.vlan[i].tci = htobe16(mask);
    }
}

static void
random_l4(struct flow_match *m, bool v6)
{
    static const uint8_t protos[] = {6, 17, 132, 1, 58, 47};
    if (chance(4)) {
        return;
    }
    m->key.nw_proto = protos[random_below(ARRAY_SIZE(protos))];
    m->mask.nw_proto = 0xff;
    if (m->key.nw_frag) {
        return;
    }
    if (m->key.nw_proto == 6 || m->key.nw_proto == 17 || m->key.nw_proto == 132) {
        RANDOM(m, tp_src);
        RANDOM(m, tp_dst);
        if (m->key.nw_proto == 6) {
            RANDOM(m, tcp_flags);
            m->mask.tcp_flags &= htobe16(0xfff);
            m->key.tcp_flags &= m->mask.tcp_flags;
        }
    } else if (m->key.nw_proto == (v6 ? 58 : 1) && !chance(3)) {
        m->mask.tp_src = htobe16(0xff);
        m->key.tp_src = htobe16((uint16_t) random_below(100));
        m->mask.tp_dst = htobe16(0xff);
        m->key.tp_dst = htobe16((uint16_t) random_below(10));
    }
}

static void
random_match(struct flow_match *m)
{
    static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x88cc};
    match_init_any(m);
    m->key.in_port = htobe32(1);
    FLOW_MASK_EXACT(&m->mask, in_port);
    FLOW_MASK_EXACT(&m->mask, recirc_id);
    m->key.eth_type = htobe16(types[random_below(ARRAY_SIZE(types))]);
    FLOW_MASK_EXACT(&m->mask, eth_type);
    random_vlans(m);
    RANDOM(m, eth_src);
    RANDOM(m, eth_dst);
    if (flow_key_is_ip(&m->key)) {
        const bool v6 = m->key.eth_type == htobe16(0x86dd);
        m->mask.nw_frag = 3;
        m->key.nw_frag = chance(4) ? 1 : chance(4) && !v6 ? 3 : 0;
        RANDOM(m, nw_tos);
        RANDOM(m, nw_ttl);
        if (v6) {
            RANDOM(m, ipv6_src);
            RANDOM(m, ipv6_dst);
        } else {
            RANDOM(m, nw_src);
            RANDOM(m, nw_dst);
        }
        random_l4(m, v6);
    } else if (m->key.eth_type == htobe16(0x0806)) {
        RANDOM(m, nw_src);
        RANDOM(m, nw_dst);
        RANDOM(m, arp_sha);
        RANDOM(m, arp_tha);
        if (chance(2)) {
            m->key.nw_proto = (uint8_t) (1 + random_below(2));
            m->mask.nw_proto = 0xff;
        }
    }
    match_update_used(m);
}

static void
add_set(struct dp_actions *a, enum field_id f, uint64_t value)
{
    union field_value v;
    field_value_from_u64(field_get(f), value, &v);
    dp_actions_add_set(a, field_get(f), &v, NULL);
}

// In the order in which sets are read back, and only where the match has the header.
static void
random_sets(const struct flow_match *m, struct dp_actions *a)
{
    const bool ip = flow_key_is_ip(&m->key), v4 = m->key.eth_type == htobe16(0x0800),
               frag = m->key.nw_frag;
    const uint64_t v = random_u32();
    if (chance(2)) {
        add_set(a, FIELD_ETH_SRC, v << 8 | 2);
    }
    if (chance(2)) {
        add_set(a, FIELD_ETH_DST, v << 8 | 3);
    }
    if (v4 && !frag && chance(2)) {
        add_set(a, FIELD_NW_SRC, v);
    }
    if (!v4 && ip && !frag && chance(2)) {
        add_set(a, FIELD_IPV6_DST, v);
    }
    if (ip && chance(3)) { // the other six bits are nw_tos'
        add_set(a, FIELD_NW_ECN, v & 3);
    }
    if (ip && chance(3)) {
        add_set(a, FIELD_NW_TTL, 63);
    }
    if (ip && m->mask.nw_proto && m->key.nw_proto == 6 && !frag && chance(2)) {
        add_set(a, FIELD_TCP_DST, 80);
    }
    if (ip && m->mask.nw_proto && m->key.nw_proto == 17 && !frag && chance(2)) {
        add_set(a, FIELD_UDP_SRC, 53);
    }
}

static void
random_actions(const struct flow_match *m, struct dp_actions *a)
{
    dp_actions_clear(a);
    for (uint32_t n = random_below(4); n-- > 0;) {
        if (chance(3)) {
            random_sets(m, a);
        }
        if (m->key.vlan[0].tci && chance(3)) {
            dp_actions_add(a, DP_ACT_POP_VLAN, sizeof(struct dp_act));
        }
        if (chance(3)) {
            struct dp_act_push_vlan *v = dp_actions_add(a, DP_ACT_PUSH_VLAN, sizeof *v);
            v->tpid = htobe16(0x8100);
            v->tci = htobe16((uint16_t) (random_u32() | FLOW_VLAN_PRESENT));
        }
        static const uint32_t ports[] = {2, 3, 9};
        dp_actions_add_output(a, ports[random_below(3)]);
    }
}

static void
test_round_trip(void **state)
{
    struct flow_match *m = base_calloc(2, sizeof *m);
    struct dp_actions acts = DP_ACTIONS_INIT, back = DP_ACTIONS_INIT;
    (void) state;
    for (int i = 0; i < 20000; i++) {
        nics[0].no_split = i % 2;
        random_match(&m[0]);
        random_actions(&m[0], &acts);
        struct nlk_batch b;
        struct ofl_record rec;
        struct reason r;
        nlk_batch_init(&b);
        if (!encode(&b, &m[0], &acts, &rec, &r)) {
            struct str s = STR_INIT;
            reason_format(&r, &s);
            fail_msg("flow %d was refused: %s", i, str_get(&s));
        }
        assert_true(rec.has_id && rec.id.w[0] == 1 && rec.id.w[1] == 2);
        if (!ofl_filter_decode(&rec, &devs, &m[1], &back)) {
            fail_msg("flow %d is not understood when read back", i);
        }
        assert_memory_equal(&m[0].key, &m[1].key, sizeof m[0].key);
        assert_memory_equal(&m[0].mask, &m[1].mask, sizeof m[0].mask);
        assert_true(dp_actions_equal(&acts, &back));
        nlk_batch_free(&b);
    }
    dp_actions_free(&acts);
    dp_actions_free(&back);
    free(m);
}

// Outputs, as letters: s a set field; the rest ports. Where does the one to the internal port go?
static void
test_split(void **state)
{
    static const struct {
        const char *acts;
        bool split;
        uint32_t position;
    } cases[] = {
        {"23", false, 0}, {"9", false, 0},   {"92", true, 0},   {"29", true, 1},
        {"293", true, 1}, {"2s93", true, 1}, {"2s9", true, 1},  {"29s3", false, 0},
        {"29s", true, 1}, {"299", false, 0}, {"s932", true, 0}, {"9s", false, 0},
    };
    struct flow_match *m = base_calloc(1, sizeof *m);
    struct dp_actions acts = DP_ACTIONS_INIT;
    (void) state;
    match_init_any(m);
    m->key.in_port = htobe32(1);
    FLOW_MASK_EXACT(&m->mask, in_port);
    match_update_used(m);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        dp_actions_clear(&acts);
        for (const char *c = cases[i].acts; *c; c++) {
            if (*c == 's') {
                add_set(&acts, FIELD_ETH_DST, 77);
            } else {
                dp_actions_add_output(&acts, (uint32_t) (*c - '0'));
            }
        }
        const struct flow_id id = {{1, 2}};
        const struct ofl_spec spec = {m, &acts, &id, &devs, true, false};
        struct ofl_split split;
        ofl_local_find(&spec, &split);
        const bool moves = split.local && split.movable;
        if (moves != cases[i].split || (moves && split.position != cases[i].position)) {
            fail_msg("%s: %s at %u", cases[i].acts, moves ? "split" : "whole", split.position);
        }
    }
    assert_int_equal(ofl_local_of_chain(ofl_local_chain(9)), 9);
    assert_int_equal(ofl_local_of_chain(7), 0);
    dp_actions_free(&acts);
    free(m);
}

static int
setup(void **state)
{
    (void) state;
    const char *env = getenv("TEST_SEED");
    const uint64_t seed = env ? strtoull(env, NULL, 0) : random_u64();
    random_seed(seed);
    print_message("TEST_SEED=%llu\n", (unsigned long long) seed);
    make_devices();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
