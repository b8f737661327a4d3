// SPDX-License-Identifier: Apache-2.0
// What a translation promises: any packet that agrees with the matched bits fares alike;
// translating a cached flow's own key again changes nothing; and what a translation depends on is
// complete: a changed rule that would alter the result is one it names. Random pipelines, random
// packets; one bridge with NORMAL, VLANs, rewrites, resubmit.
//
//     packet ─▶ translation A ─▶ matched bits
//     another packet that agrees on those bits ─▶ translation B      A = B
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/loop.h"
#include "lib/base/random.h"
#include "lib/base/rcu.h"
#include "lib/base/str.h"
#include "lib/flow/packet.h"
#include "ofproto/of_bridge.h"
#include "ofproto/of_msg.h"
#include "slowpath/bridge_state.h"
#include "slowpath/execute.h"
#include "slowpath/sp.h"
#include "slowpath/xlate.h"

#define N_PORTS 5
#define PIPELINES 60
#define PACKETS 150
#define VARIANTS 12

static struct loop *loop;

struct world {
    struct of_bridge *of;
    struct sp_bridge_state *state;
    struct str rules; // as text, for failures
};

// --- Random pipelines. ---

static const char *
pick(const char *const *list, size_t n)
{
    return list[random_below((uint32_t) n)];
}
#define PICK(...)                                                                                  \
    pick((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void
random_match(struct str *s)
{
    if (!random_below(3)) {
        str_addf(s, ",in_port=%u", 1 + random_below(N_PORTS));
    }
    if (!random_below(4)) {
        str_addf(s, ",dl_dst=02:00:00:00:00:0%u", random_below(4));
    }
    if (!random_below(6)) {
        str_addf(s, ",dl_src=02:00:00:00:00:0%u", random_below(4));
    }
    if (!random_below(5)) {
        str_addf(s, ",%s",
                 PICK("vlan_tci=0", "dl_vlan=10", "dl_vlan=20", "vlan_tci=0x1000/0x1000",
                      "dl_vlan_pcp=3"));
    }
    if (!random_below(6)) {
        str_addf(s, ",reg0=%u", random_below(3));
    }
    switch (random_below(6)) {
    case 0:
        str_addf(s, ",ip,nw_dst=10.0.%u.0/%u", random_below(3), 16 + random_below(9));
        break;
    case 1:
        str_addf(s, ",ip,nw_src=10.0.0.%u", random_below(4));
        break;
    case 2:
        str_addf(s, ",%s,tp_dst=%u", PICK("tcp", "udp"), 80 + random_below(3));
        break;
    case 3:
        str_add(s, PICK(",arp", ",icmp", ",ip,nw_ttl=1", ",ip,nw_tos=32", ",ip,ip_frag=no",
                        ",tcp,tcp_flags=+syn", ",ipv6"));
        break;
    default:
        break;
    }
}

static void
random_actions(struct str *s, unsigned table)
{
    str_add(s, ",actions=");
    const unsigned n = random_below(4);
    for (unsigned i = 0; i < n; i++) {
        switch (random_below(12)) {
        case 0:
            str_addf(s, "output:%u,", 1 + random_below(N_PORTS));
            break;
        case 1:
            str_add(s, PICK("NORMAL,", "FLOOD,", "ALL,", "IN_PORT,", "LOCAL,"));
            break;
        case 2:
            str_addf(s, "mod_dl_dst:02:00:00:00:00:0%u,", random_below(4));
            break;
        case 3:
            str_add(
                s, PICK("mod_vlan_vid:10,", "strip_vlan,", "mod_vlan_pcp:5,", "push_vlan:0x8100,"));
            break;
        case 4:
            str_addf(s, "load:%u->NXM_NX_REG0[0..15],", random_below(3));
            break;
        case 5:
            str_add(s, PICK("move:NXM_OF_IP_DST[0..7]->NXM_NX_REG0[0..7],",
                            "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],",
                            "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"));
            break;
        case 6:
        case 7:
            if (table < 3) {
                str_addf(s, "resubmit(,%u),", table + 1 + random_below(3 - table));
            }
            break;
        case 8:
            str_addf(s, "resubmit(%u,%u),", 1 + random_below(N_PORTS), MIN(table + 1, 3));
            break;
        case 9:
            str_add(s, PICK("dec_ttl,", "mod_nw_tos:64,", "mod_nw_dst:10.0.1.1,", "mod_tp_dst:81,",
                            "mod_nw_src:10.0.0.2,"));
            break;
        default:
            str_addf(s, "output:%u,", 1 + random_below(N_PORTS));
            break;
        }
    }
    str_add(s, "drop");
    if (n) {
        str_chomp(s, "drop");
        str_chomp(s, ",");
        if (s->p[s->len - 1] == '=') {
            str_add(s, "drop");
        }
    }
}

static void
add_rules(struct world *w)
{
    const unsigned n = 5 + random_below(40);
    for (unsigned i = 0; i < n; i++) {
        struct str s = STR_INIT;
        const unsigned table = random_below(4);
        str_addf(&s, "table=%u,priority=%u", table, random_below(8));
        random_match(&s);
        random_actions(&s, table);
        struct of_flow_mod fm;
        uint32_t usable = OF_PROTO_ALL;
        char *error = of_flow_mod_parse(str_get(&s), OF_FLOW_ADD, NULL, &fm, &usable);
        if (error) {
            // Inconsistent (an action without its prerequisite): not what this test is about.
            free(error);
        } else {
            of_bridge_flow_mod(w->of, &fm);
            str_addf(&w->rules, "%s\n", str_get(&s));
        }
        of_flow_mod_free(&fm);
        str_free(&s);
    }
}

// --- Configuration. ---

static void
publish(struct world *w)
{
    struct sp_config *c = sp_config_new();
    struct sp_bridge *br = sp_config_add_bridge(c, "br0");
    br->number = 1;
    br->of = w->of;
    br->state = sp_bridge_state_ref(w->state);
    for (unsigned i = 1; i <= N_PORTS; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        struct sp_bundle *b = sp_config_add_bundle(br, name);
        if (i == 3) {
            b->vlan_mode = SP_VLAN_ACCESS;
            b->tag = 10;
        } else if (i == 4) {
            b->vlan_mode = SP_VLAN_NATIVE_UNTAGGED;
            b->tag = 20;
        }
        sp_config_add_port(br, b, name, i, 100 + i)->up = true;
    }
    sp_config_publish(c);
}

static void
world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->of = of_bridge_new(loop, "br0", 1);
    w->state = sp_bridge_state_new("br0");
    publish(w);
    add_rules(w);
}

static void
world_free(struct world *w)
{
    sp_config_publish(sp_config_new());
    of_bridge_free(w->of);
    sp_bridge_state_unref(w->state);
    str_free(&w->rules);
}

// --- Random packets. ---

static void
random_key(struct flow_key *k)
{
    memset(k, 0, sizeof *k);
    k->in_port = htobe32(101 + random_below(N_PORTS));
    k->eth_dst.b[0] = k->eth_src.b[0] = 2;
    k->eth_dst.b[5] = random_below(4);
    k->eth_src.b[5] = random_below(4);
    if (!random_below(8)) {
        memset(&k->eth_dst, 0xff, sizeof k->eth_dst);
    }
    if (!random_below(3)) {
        k->vlan[0].tpid = htobe16(0x8100);
        k->vlan[0].tci =
            htobe16(FLOW_VLAN_PRESENT | random_below(3) * 10 | random_below(2) * 0x6000);
    }
    const unsigned kind = random_below(8);
    k->eth_type = htobe16(kind == 0 ? 0x0806 : kind == 1 ? 0x86dd : 0x0800);
    k->nw_src = htobe32(0x0a000000 | random_below(4));
    k->nw_dst = htobe32(0x0a000000 | random_below(3) << 8 | random_below(4));
    if (kind == 0) {
        k->nw_proto = 1 + random_below(2);
        return;
    }
    if (kind == 1) {
        k->nw_src = k->nw_dst = 0;
        k->ipv6_src[15] = 1;
        k->ipv6_dst[15] = random_below(3);
    }
    k->nw_ttl = random_below(4) ? 64 : 1;
    k->nw_tos = random_below(3) * 32;
    k->nw_proto = random_below(2) ? 6 : 17;
    k->tp_src = htobe16(1000 + random_below(3));
    k->tp_dst = htobe16(80 + random_below(4));
    if (k->nw_proto == 6) {
        k->tcp_flags = htobe16(random_below(2) ? 2 : 16);
    }
}

// As a packet would arrive: what its headers cannot hold is gone.
static void
normalise(struct flow_key *k)
{
    struct packet p;
    const be32_t in_port = k->in_port;
    packet_compose(&p, k, 20);
    memset(k, 0, sizeof *k);
    k->in_port = in_port;
    packet_extract(&p, k);
    packet_free(&p);
}

static bool
agrees(const struct flow_key *a, const struct flow_key *b, const struct flow_mask *mask)
{
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if ((flow_key_words(a)[i] ^ flow_key_words(b)[i]) & flow_mask_words(mask)[i]) {
            return false;
        }
    }
    return true;
}

static void
translate(const struct flow_key *k, const struct flow_mask *prefer, struct xlate_out *out)
{
    const struct xlate_in in = {.config = sp_config_get(), .key = k, .prefer = prefer, .now = 1000};
    xlate_flow(&in, out);
}

static void
explain_failure(const struct world *w, const struct flow_key *a, const struct flow_key *b,
                const struct xlate_out *xa, const struct xlate_out *xb)
{
    struct str s = STR_INIT;
    struct flow_match m;
    str_addf(&s, "rules:\n%s", str_get(&w->rules));
    const struct flow_key *keys[] = {a, b};
    const struct xlate_out *outs[] = {xa, xb};
    for (size_t i = 0; i < 2; i++) {
        match_init(&m, keys[i], &outs[i]->wc);
        str_add(&s, "\nmatched: ");
        match_format(&m, NULL, -1, &s);
        str_add(&s, "\nactions: ");
        dp_actions_format(&outs[i]->acts, NULL, NULL, &s);
    }
    fprintf(stderr, "%s\n", str_get(&s));
    str_free(&s);
}

// --- What actions do to a packet: the frames that leave, in order. Lists may differ and do the
// same (a field is set to what it is). ---

static void
record_output(void *out, struct packet *p, const struct flow_key *key, uint32_t port, bool last)
{
    str_addf(out, "%u:", port);
    str_add_hex(out, p->data, p->len);
    str_add_char(out, '\n');
}

static void
run_actions(const struct flow_key *k, const struct dp_actions *acts, struct str *out)
{
    const struct sp_execute_cbs cbs = {.aux = out, .output = record_output};
    struct packet p;
    struct flow_key key = {.in_port = k->in_port};
    str_clear(out);
    packet_compose(&p, k, 20);
    packet_extract(&p, &key);
    sp_execute(&p, &key, acts, &cbs);
    packet_free(&p);
}

static bool
same_effect(const struct flow_key *k, const struct dp_actions *a, const struct dp_actions *b)
{
    struct str out_a = STR_INIT, out_b = STR_INIT;
    run_actions(k, a, &out_a);
    run_actions(k, b, &out_b);
    const bool same = !strcmp(str_get(&out_a), str_get(&out_b));
    str_free(&out_a);
    str_free(&out_b);
    return same;
}

// What the revalidator does: the flow's own key, unmatched bits zero, gives the same result with no
// further bit.
static void
retranslate(const struct world *w, const struct flow_key *k, const struct xlate_out *a,
            struct xlate_out *b)
{
    struct flow_match m;
    match_init(&m, k, &a->wc);
    translate(&m.key, &m.mask, b);
    if (!dp_actions_equal(&a->acts, &b->acts) || memcmp(&a->wc, &b->wc, sizeof a->wc)) {
        explain_failure(w, k, &m.key, a, b);
        rcu_end();
        assert_true(dp_actions_equal(&a->acts, &b->acts));
        fail_msg("a cached flow cannot be translated again");
    }
}

static void
test_covered_packets_fare_alike(void **state)
{
    size_t compared = 0;
    struct xlate_out a, b;
    xlate_out_init(&a);
    xlate_out_init(&b);
    for (unsigned i = 0; i < PIPELINES; i++) {
        struct world w;
        world_init(&w);
        rcu_begin();
        for (unsigned j = 0; j < PACKETS; j++) {
            struct flow_key k, other;
            random_key(&k);
            normalise(&k);
            if (!random_below(4)) { // somebody talks: NORMAL has something to know
                const struct mac_limits limits = {300, 100};
                sp_mac_learn(w.state, &limits,
                             &(struct mac_seen){0, &k.eth_src, be32toh(k.in_port) - 100, 1000});
            }
            translate(&k, NULL, &a);
            retranslate(&w, &k, &a, &b);
            for (unsigned v = 0; v < VARIANTS; v++) {
                random_key(&other);
                if (random_below(2)) { // near the first one: more of them agree
                    const struct flow_key far = other;
                    other = k;
                    switch (random_below(6)) {
                    case 0:
                        other.nw_dst = far.nw_dst;
                        break;
                    case 1:
                        other.tp_dst = far.tp_dst;
                        break;
                    case 2:
                        other.eth_src = far.eth_src;
                        break;
                    case 3:
                        other.nw_ttl = far.nw_ttl;
                        other.nw_tos = far.nw_tos;
                        break;
                    case 4:
                        memcpy(other.vlan, far.vlan, sizeof other.vlan);
                        break;
                    default:
                        other.tcp_flags = far.tcp_flags;
                        other.tp_src = far.tp_src;
                        break;
                    }
                }
                normalise(&other);
                if (!agrees(&k, &other, &a.wc)) {
                    continue;
                }
                translate(&other, NULL, &b);
                compared++;
                if (!dp_actions_equal(&a.acts, &b.acts) && !same_effect(&other, &a.acts, &b.acts)) {
                    explain_failure(&w, &k, &other, &a, &b);
                    rcu_end();
                    fail_msg("packets that agree on the matched bits are treated differently");
                }
            }
        }
        rcu_end();
        world_free(&w);
    }
    xlate_out_destroy(&a);
    xlate_out_destroy(&b);
    print_message("%zu pairs of packets compared\n", compared);
    assert_true(compared > 1000);
}

// Removing a rule that a translation doesn't name must not change it.
static void
test_dependencies_are_complete(void **state)
{
    struct xlate_out a, b;
    size_t unnamed = 0;
    xlate_out_init(&a);
    xlate_out_init(&b);
    for (unsigned i = 0; i < PIPELINES; i++) {
        struct world w;
        world_init(&w);
        for (unsigned j = 0; j < PACKETS / 10; j++) {
            struct flow_key k;
            random_key(&k);
            normalise(&k);
            rcu_begin();
            translate(&k, NULL, &a);
            rcu_end();
            struct of_flow_mod fm = {.command = OF_FLOW_DELETE,
                                     .out_port = OF_PORT_ANY,
                                     .out_group = OF_GROUP_ANY,
                                     .table = random_below(4)};
            bool named = false;
            match_init_any(&fm.match);
            for (size_t d = 0; d < a.n_deps; d++) {
                named |= a.deps[d].kind == XLATE_DEP_RULE && a.deps[d].table == fm.table;
            }
            if (named || !of_bridge_n_rules(w.of)) {
                continue;
            }
            unnamed++;
            of_bridge_flow_mod(w.of, &fm);
            rcu_begin();
            translate(&k, NULL, &b);
            rcu_end();
            assert_true(dp_actions_equal(&a.acts, &b.acts));
        }
        world_free(&w);
    }
    xlate_out_destroy(&a);
    xlate_out_destroy(&b);
    assert_true(unnamed > 100);
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    rcu_start();
    loop = loop_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_covered_packets_fare_alike),
        cmocka_unit_test(test_dependencies_are_complete),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_drain();
    loop_free(loop);
    return failed;
}
