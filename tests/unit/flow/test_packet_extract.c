// SPDX-License-Identifier: Apache-2.0
// packet_extract() against what the stock ovs-ofctl reads from the same bytes (tests/golden/packets/extract.txt, made by
// make-extract.py there), and unit tests of what its text does not show: tag protocol ids, IGMP groups, ND flags, layers.
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/flow/packet.h"
#include "lib/net/packet_headers.h"

static size_t
unhex(const char *s, uint8_t *out)
{
    size_t n = 0;
    for (unsigned b; sscanf(s, "%2x", &b) == 1; s += 2) {
        out[n++] = b;
    }
    return n;
}

static void
parse_mac(const char *s, struct mac *m)
{
    unsigned b[6];
    assert_int_equal(
        sscanf(s, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]), 6);
    for (int i = 0; i < 6; i++) {
        m->b[i] = b[i];
    }
}

static be32_t
parse_ip(const char *s)
{
    be32_t ip;
    assert_int_equal(inet_pton(AF_INET, s, &ip), 1);
    return ip;
}

static uint16_t
parse_tcp_flags(char *s)
{
    static const char *const names[] = {"fin", "syn", "rst", "psh",   "ack",   "urg",
                                        "ece", "cwr", "ns",  "[200]", "[400]", "[800]"};
    uint16_t flags = 0;
    char *save;
    for (char *t = strtok_r(s, "|", &save); t; t = strtok_r(NULL, "|", &save)) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            flags |= !strcmp(t, names[i]) ? 1 << i : 0;
        }
    }
    return flags;
}

static void
parse_shorthand(const char *name, struct flow_key *k)
{
    static const struct {
        const char *name;
        uint16_t type;
        uint8_t proto;
    } rows[] = {
        {"ip", 0x800, 0},     {"icmp", 0x800, 1},     {"tcp", 0x800, 6},      {"udp", 0x800, 17},
        {"sctp", 0x800, 132}, {"ipv6", 0x86dd, 0},    {"icmp6", 0x86dd, 58},  {"tcp6", 0x86dd, 6},
        {"udp6", 0x86dd, 17}, {"sctp6", 0x86dd, 132}, {"arp", 0x806, 0},      {"rarp", 0x8035, 0},
        {"mpls", 0x8847, 0},  {"mplsm", 0x8848, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!strcmp(rows[i].name, name)) {
            k->eth_type = htobe16(rows[i].type);
            k->nw_proto = rows[i].proto;
            return;
        }
    }
    fail_msg("unknown protocol \"%s\"", name);
}

#define IS(n) (!strcmp(name, n))

static bool
parse_l2(const char *name, const char *value, struct flow_key *k)
{
    unsigned long n = strtoul(value, NULL, 0);
    if (IS("dl_src")) {
        parse_mac(value, &k->eth_src);
    } else if (IS("dl_dst")) {
        parse_mac(value, &k->eth_dst);
    } else if (IS("dl_type")) {
        k->eth_type = htobe16(n);
    } else if (IS("dl_vlan")) {
        k->vlan[0].tci |= htobe16(n | FLOW_VLAN_PRESENT);
    } else if (IS("dl_vlan_pcp")) {
        k->vlan[0].tci |= htobe16(n << 13);
    } else if (IS("dl_vlan1")) {
        k->vlan[1].tci |= htobe16(n | FLOW_VLAN_PRESENT);
    } else if (IS("dl_vlan_pcp1")) {
        k->vlan[1].tci |= htobe16(n << 13);
    } else if (IS("mpls_label")) {
        k->mpls_lse[0] |= htobe32(n << 12);
    } else if (IS("mpls_tc")) {
        k->mpls_lse[0] |= htobe32(n << 9);
    } else if (IS("mpls_ttl")) {
        k->mpls_lse[0] |= htobe32(n);
    } else if (IS("mpls_bos")) {
        k->mpls_lse[0] |= htobe32(n << 8);
    } else if (IS("mpls_lse1")) {
        k->mpls_lse[1] = htobe32(n);
    } else if (IS("mpls_lse2")) {
        k->mpls_lse[2] = htobe32(n);
    } else if (!IS("in_port") && !IS("vlan_tci") && !IS("vlan_tci1")) {
        return false;
    }
    return true;
}

static bool
parse_l3(const char *name, const char *value, struct flow_key *k)
{
    unsigned long n = strtoul(value, NULL, 0);
    if (IS("nw_src") || IS("arp_spa")) {
        k->nw_src = parse_ip(value);
    } else if (IS("nw_dst") || IS("arp_tpa")) {
        k->nw_dst = parse_ip(value);
    } else if (IS("ipv6_src")) {
        inet_pton(AF_INET6, value, k->ipv6_src);
    } else if (IS("ipv6_dst")) {
        inet_pton(AF_INET6, value, k->ipv6_dst);
    } else if (IS("ipv6_label")) {
        k->ipv6_label = htobe32(n);
    } else if (IS("nw_proto") || IS("arp_op")) {
        k->nw_proto = n;
    } else if (IS("nw_tos") || IS("nw_ecn")) {
        k->nw_tos |= n;
    } else if (IS("nw_ttl")) {
        k->nw_ttl = n;
    } else if (IS("nw_frag")) {
        k->nw_frag = !strcmp(value, "no") ? 0 : !strcmp(value, "first") ? 1 : 3;
    } else if (IS("arp_sha") || IS("nd_sll")) {
        parse_mac(value, &k->arp_sha);
    } else if (IS("arp_tha") || IS("nd_tll")) {
        parse_mac(value, &k->arp_tha);
    } else if (IS("nd_target")) {
        inet_pton(AF_INET6, value, k->nd_target);
    } else if (IS("nsh_flags")) {
        k->nsh_flags = n;
    } else if (IS("nsh_ttl")) {
        k->nsh_ttl = n;
    } else if (IS("nsh_mdtype")) {
        k->nsh_mdtype = n;
    } else if (IS("nsh_np")) {
        k->nsh_np = n;
    } else if (IS("nsh_spi")) {
        k->nsh_path |= htobe32(n << 8);
    } else if (IS("nsh_si")) {
        k->nsh_path |= htobe32(n);
    } else if (!strncmp(name, "nsh_c", 5)) {
        k->nsh_context[name[5] - '1'] = htobe32(n);
    } else {
        return false;
    }
    return true;
}

// The key that a line of ovs-ofctl parse-pcap tells.
static void
parse_flow(char *text, struct flow_key *k)
{
    char *save;
    memset(k, 0, sizeof *k);
    for (char *name = strtok_r(text, ",\n", &save); name; name = strtok_r(NULL, ",\n", &save)) {
        char *value = strchr(name, '=');
        if (!value) {
            parse_shorthand(name, k);
            continue;
        }
        *value++ = '\0';
        if (IS("tp_src") || IS("icmp_type")) {
            k->tp_src = htobe16(atoi(value));
        } else if (IS("tp_dst") || IS("icmp_code")) {
            k->tp_dst = htobe16(atoi(value));
        } else if (IS("tcp_flags")) {
            k->tcp_flags = htobe16(parse_tcp_flags(value));
        } else if (!parse_l2(name, value, k) && !parse_l3(name, value, k)) {
            fail_msg("unknown field \"%s\"", name);
        }
    }
}

// The first member that differs, for the message.
static const char *
difference(const struct flow_key *a, const struct flow_key *b)
{
#define MEMBER(m)                                                                                  \
    if (memcmp(&a->m, &b->m, sizeof a->m)) {                                                       \
        return #m;                                                                                 \
    }
    MEMBER(eth_dst)
    MEMBER(eth_src)
    MEMBER(eth_type)
    MEMBER(vlan)
    MEMBER(mpls_lse)
    MEMBER(nw_src)
    MEMBER(nw_dst)
    MEMBER(ipv6_src)
    MEMBER(ipv6_dst)
    MEMBER(ipv6_label)
    MEMBER(nw_frag)
    MEMBER(nw_tos)
    MEMBER(nw_ttl)
    MEMBER(nw_proto)
    MEMBER(arp_sha)
    MEMBER(arp_tha)
    MEMBER(nd_target)
    MEMBER(tp_src)
    MEMBER(tp_dst)
    MEMBER(tcp_flags)
    return "another member";
#undef MEMBER
}

static void
test_golden(void **state)
{
    const char *src = getenv("top_srcdir");
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/packets/extract.txt", src ? src : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *line = NULL;
    size_t cap = 0;
    int n = 0, bad = 0;
    uint8_t buf[4096];
    while (getline(&line, &cap, f) > 0) {
        char *text = strchr(line, '\t');
        if (line[0] == '#' || !text) {
            continue;
        }
        *text++ = '\0';
        char *copy = strdup(text);
        struct flow_key want, got;
        parse_flow(text, &want);
        // On the heap at its exact length, so that a sanitizer sees reads past the end.
        size_t len = unhex(line, buf);
        uint8_t *data = malloc(len);
        memcpy(data, buf, len);
        struct packet p;
        packet_init_borrowed(&p, data, len);
        memset(&got, 0, sizeof got);
        packet_extract(&p, &got);
        got.igmp_group = 0;
        got.nd_reserved = 0;
        got.nd_options_type = 0;
        got.vlan[0].tpid = got.vlan[1].tpid = 0;
        if (memcmp(&got, &want, sizeof got)) {
            if (bad++ < 20) {
                print_error("%s\n  %s differs from %s", line, difference(&got, &want), copy);
            }
        }
        n++;
        free(copy);
        free(data);
    }
    free(line);
    fclose(f);
    print_message("%d packets\n", n);
    assert_true(n > 1000);
    assert_int_equal(bad, 0);
}

static void
extract_hex(const char *hex, struct packet *p, struct flow_key *k)
{
    static uint8_t buf[512];
    packet_init_borrowed(p, buf, unhex(hex, buf));
    memset(k, 0, sizeof *k);
    packet_extract(p, k);
}

static void
test_unprinted(void **state)
{
    struct packet p;
    struct flow_key k;

    // Two tags, IPv4, TCP.
    extract_hex("020000000002020000000001" "88a86005" "81000007" "0800" "4500002800074000400600000a0000010a000002"
                "04d2005000000001000000025012020000000000", &p, &k);
    assert_int_equal(be16toh(k.vlan[0].tpid), 0x88a8);
    assert_int_equal(be16toh(k.vlan[0].tci), 0x7005);
    assert_int_equal(be16toh(k.vlan[1].tpid), 0x8100);
    assert_int_equal(be16toh(k.vlan[1].tci), 0x1007);
    assert_int_equal(p.l2_5, PACKET_NO_LAYER);
    assert_int_equal(p.l3, 22);
    assert_int_equal(p.l4, 42);

    // IGMP.
    extract_hex("020000000002020000000001" "0800" "4500001c00074000400200000a0000010a000002" "16000000e0000005", &p, &k);
    assert_int_equal(be32toh(k.igmp_group), 0xe0000005);
    assert_int_equal(k.tp_src, htobe16(0x16));

    // Neighbour advertisement with flags and a target link-layer address; the payload of MPLS is not looked at.
    extract_hex("020000000002020000000001" "86dd" "6000000000203aff" "20010000000000000000000000000001"
                "20010000000000000000000000000002" "88000000e0000000" "20010000000000000000000000000003"
                "0201021122334455", &p, &k);
    assert_int_equal(be32toh(k.nd_reserved), 0xe0000000);
    assert_int_equal(k.nd_options_type, 2);
    assert_int_equal(k.nd_target[15], 3);
    assert_int_equal(k.arp_tha.b[5], 0x55);

    extract_hex("020000000002020000000001" "8847" "00064b40" "4500001c00074000400200000a0000010a000002" "16000000e0000005", &p, &k);
    assert_int_equal(p.l2_5, 14);
    assert_int_equal(p.l3, 18);
    assert_int_equal(k.nw_proto, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_unprinted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
