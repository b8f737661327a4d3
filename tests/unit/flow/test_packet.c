// SPDX-License-Identifier: Apache-2.0
// Composing, rewriting, tagging: whatever is done to a packet, reading it gives the key that was meant, and every checksum is
// right by a slow check written from the RFCs.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/flow/packet.h"
#include "lib/net/checksum.h"
#include "lib/net/packet_headers.h"

static uint64_t rnd_state;

static uint32_t
rnd(void)
{
    rnd_state = rnd_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t) (rnd_state >> 33);
}

static void
rnd_bytes(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *) p)[i] = rnd();
    }
}

// Sum of 16-bit words, byte by byte: RFC 1071's definition.
static uint32_t
slow_sum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
    }
    return sum;
}

static uint16_t
slow_fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

// CRC32c by polynomial division, most significant bit first over reflected bytes.
static uint32_t
slow_crc32c(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n * 8; i++) {
        uint32_t bit = p[i / 8] >> (i % 8) & 1;
        crc = (crc >> 31 ^ bit) ? crc << 1 ^ 0x1edc6f41 : crc << 1;
    }
    uint32_t out = 0;
    for (int i = 0; i < 32; i++) {
        out |= (crc >> i & 1) << (31 - i);
    }
    return ~out;
}

// Are the packet's checksums right? `udp0`: a UDP checksum of 0 is fine.
static void
check_checksums(const struct packet *p, const struct flow_key *k)
{
    bool ip4 = k->eth_type == htobe16(ETH_TYPE_IP);
    if (!ip4 && k->eth_type != htobe16(ETH_TYPE_IPV6)) {
        return;
    }
    const uint8_t *l3 = p->data + p->l3, *l4 = p->data + p->l4;
    size_t len = p->len - p->l4;
    if (ip4) {
        assert_int_equal(slow_fold(slow_sum(l3, (l3[0] & 15) * 4)), 0xffff);
    }
    if (k->nw_frag) {
        return;
    }
    uint8_t proto = k->nw_proto;
    uint32_t pseudo = ip4 ? slow_sum(l3 + 12, 8) : slow_sum(l3 + 8, 32);
    pseudo += proto + len;
    if (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || (proto == IP_PROTO_ICMPV6 && !ip4)) {
        assert_int_equal(slow_fold(pseudo + slow_sum(l4, len)), 0xffff);
        if (proto == IP_PROTO_UDP) {
            assert_true(l4[6] | l4[7]);
        }
    } else if (proto == IP_PROTO_SCTP) {
        uint8_t copy[2048];
        uint32_t crc;
        memcpy(copy, l4, len);
        memcpy(&crc, copy + 8, 4);
        memset(copy + 8, 0, 4);
        assert_int_equal(le32toh(crc), slow_crc32c(copy, len));
    } else if (ip4 && (proto == IP_PROTO_ICMP || proto == IP_PROTO_IGMP)) {
        assert_int_equal(slow_fold(slow_sum(l4, len)), 0xffff);
    }
}

static void
random_l4(struct flow_key *k)
{
    static const uint8_t protos[] = {6, 6, 17, 17, 132, 1, 58, 2, 47};
    bool ip4 = k->eth_type == htobe16(ETH_TYPE_IP);
    k->nw_proto = protos[rnd() % ARRAY_SIZE(protos)];
    k->nw_frag = rnd() % 6 ? 0 : rnd() % 2 ? FLOW_FRAG_ANY : FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    if (k->nw_frag & FLOW_FRAG_LATER) {
        k->nw_proto = ip4 ? k->nw_proto : IP_PROTO_FRAGMENT;
        return;
    }
    k->tp_src = htobe16(rnd());
    k->tp_dst = htobe16(rnd());
    switch (k->nw_proto) {
    case IP_PROTO_TCP:
        k->tcp_flags = htobe16(rnd() & 0xfff);
        break;
    case IP_PROTO_UDP:
    case IP_PROTO_SCTP:
        break;
    case IP_PROTO_ICMPV6:
        k->eth_type = htobe16(ETH_TYPE_IPV6);
        k->tp_src = htobe16(rnd() % 2 ? 135 + rnd() % 2 : rnd() % 128);
        k->tp_dst = rnd() % 2 ? 0 : htobe16(rnd() % 256);
        if (!k->tp_dst && be16toh(k->tp_src) >= 135) {
            rnd_bytes(k->nd_target, 16);
            k->nd_reserved = rnd();
            k->nd_options_type = rnd() % 3;
            if (k->nd_options_type) {
                rnd_bytes(k->nd_options_type == 1 ? &k->arp_sha : &k->arp_tha, 6);
            }
        }
        break;
    case IP_PROTO_IGMP:
        k->igmp_group = htobe32(rnd());
        __attribute__((fallthrough));
    case IP_PROTO_ICMP:
        k->eth_type = htobe16(ETH_TYPE_IP);
        k->tp_src = htobe16(rnd() % 256);
        k->tp_dst = htobe16(rnd() % 256);
        break;
    default:
        k->tp_src = k->tp_dst = 0;
    }
}

static void
random_key(struct flow_key *k)
{
    static const uint16_t types[] = {0x800, 0x800, 0x86dd, 0x86dd, 0x806, 0x8035, 0x8847, 0x894f, 0x1234, 0x5ff};
    memset(k, 0, sizeof *k);
    rnd_bytes(&k->eth_dst, 12);
    k->eth_type = htobe16(types[rnd() % ARRAY_SIZE(types)]);
    for (size_t i = 0, n = rnd() % 3; i < n; i++) {
        k->vlan[i].tpid = htobe16(rnd() % 2 ? 0x8100 : 0x88a8);
        k->vlan[i].tci = htobe16((rnd() & 0xffff) | FLOW_VLAN_PRESENT);
    }
    switch (be16toh(k->eth_type)) {
    case ETH_TYPE_IP:
    case ETH_TYPE_IPV6:
        random_l4(k); // may change the type
        k->nw_tos = rnd();
        k->nw_ttl = rnd();
        if (k->eth_type == htobe16(ETH_TYPE_IP)) {
            k->nw_src = rnd();
            k->nw_dst = rnd();
        } else {
            rnd_bytes(k->ipv6_src, 32);
            k->ipv6_label = htobe32(rnd() & 0xfffff);
        }
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        k->nw_src = rnd();
        k->nw_dst = rnd();
        k->nw_proto = rnd();
        rnd_bytes(&k->arp_sha, 12);
        break;
    case ETH_TYPE_MPLS:
        for (size_t i = 0, n = 1 + rnd() % 3; i < n; i++) {
            k->mpls_lse[i] = htobe32((rnd() & ~MPLS_BOS) | 0x1000 | (i + 1 == n ? MPLS_BOS : 0));
        }
        break;
    case ETH_TYPE_NSH:
        k->nsh_flags = rnd() & 3;
        k->nsh_ttl = rnd() & 0x3f;
        k->nsh_mdtype = 1 + rnd() % 2;
        k->nsh_np = 1 + rnd() % 5;
        k->nsh_path = rnd();
        if (k->nsh_mdtype == 1) {
            rnd_bytes(k->nsh_context, 16);
        }
        break;
    }
}

static void
assert_reads_as(struct packet *p, const struct flow_key *want)
{
    struct flow_key got;
    memset(&got, 0, sizeof got);
    packet_extract(p, &got);
    assert_memory_equal(&got, want, sizeof got);
    check_checksums(p, &got);
}

static void
test_compose(void **state)
{
    for (int i = 0; i < 20000; i++) {
        struct flow_key k;
        struct packet p;
        random_key(&k);
        packet_compose(&p, &k, rnd() % 100);
        assert_reads_as(&p, &k);
        packet_free(&p);
    }
}

// Fields that actions may set, changed at random, where the packet has them.
static void
mutate(struct flow_key *k)
{
    struct flow_key other;
    do {
        random_key(&other);
    } while (other.eth_type != k->eth_type || other.nw_proto != k->nw_proto || other.nw_frag != k->nw_frag ||
             other.nsh_mdtype != k->nsh_mdtype || other.nd_options_type != k->nd_options_type);
    // Parts of the packet that have no room for what `other` has, stay.
    for (int i = 0; i < 2; i++) {
        if (!k->vlan[i].tci || !other.vlan[i].tci) {
            memcpy(&other.vlan[i], &k->vlan[i], sizeof k->vlan[i]);
        }
    }
    memcpy(other.mpls_lse, k->mpls_lse, sizeof k->mpls_lse);
    other.mpls_lse[0] ^= other.mpls_lse[0] ? htobe32(rnd() & ~MPLS_BOS & 0xfffff000) : 0;
    other.mpls_lse[0] |= other.mpls_lse[0] ? htobe32(0x1000) : 0;
    other.tcp_flags = k->tcp_flags;
    other.igmp_group = k->igmp_group;
    other.nsh_np = k->nsh_np;
    if (!flow_key_is_ip(k) || (k->nw_frag & FLOW_FRAG_LATER)) {
        *k = other;
        return;
    }
    bool nd = k->nw_proto == 58 && !k->tp_dst && be16toh(k->tp_src) >= 135;
    if (k->nw_proto == 58) {
        other.tp_src = nd ? k->tp_src : htobe16(rnd() % 128);
        other.tp_dst = nd ? k->tp_dst : other.tp_dst;
    }
    if (k->nw_proto == 2) {
        other.tp_src = k->tp_src;
        other.tp_dst = k->tp_dst;
    }
    if (k->nw_proto == 58 && !nd) {
        memcpy(&other.nd_target, &k->nd_target, 16);
        memcpy(&other.arp_sha, &k->arp_sha, 12);
        other.nd_reserved = 0;
    }
    if (nd && !other.nd_reserved && !k->nd_options_type) {
        rnd_bytes(other.nd_target, 16);
    }
    *k = other;
}

static void
test_rewrite(void **state)
{
    for (int i = 0; i < 20000; i++) {
        struct flow_key k, was;
        struct packet p;
        random_key(&k);
        packet_compose(&p, &k, rnd() % 100);
        memset(&was, 0, sizeof was);
        packet_extract(&p, &was);
        mutate(&k);
        packet_rewrite(&p, &was, &k);
        assert_reads_as(&p, &k);
        packet_free(&p);
    }
}

// A checksum that is not filled in yet stays the bare sum of the pseudo header.
static void
test_rewrite_partial(void **state)
{
    for (int i = 0; i < 2000; i++) {
        struct flow_key k, was;
        struct packet p;
        do {
            random_key(&k);
        } while (!flow_key_is_ip(&k) || k.nw_proto != IP_PROTO_TCP || k.nw_frag);
        bool ip4 = k.eth_type == htobe16(ETH_TYPE_IP);
        packet_compose(&p, &k, 10);
        memset(&was, 0, sizeof was);
        packet_extract(&p, &was);
        uint8_t *csum = p.data + p.l4 + 16;
        uint16_t sum = slow_fold(slow_sum(p.data + p.l3 + (ip4 ? 12 : 8), ip4 ? 8 : 32) + 6 + p.len - p.l4);
        csum[0] = sum >> 8;
        csum[1] = sum;
        p.csum_partial = 1;
        mutate(&k);
        packet_rewrite(&p, &was, &k);
        sum = slow_fold(slow_sum(p.data + p.l3 + (ip4 ? 12 : 8), ip4 ? 8 : 32) + 6 + p.len - p.l4);
        assert_int_equal(csum[0] << 8 | csum[1], sum);
        packet_free(&p);
    }
}

static void
test_tags(void **state)
{
    for (int i = 0; i < 5000; i++) {
        struct flow_key k, k2;
        struct packet p;
        do {
            random_key(&k);
        } while (be16toh(k.eth_type) < 0x600 || k.eth_type == htobe16(ETH_TYPE_MPLS));
        packet_compose(&p, &k, 20);
        memset(&k2, 0, sizeof k2);
        packet_extract(&p, &k2);
        uint16_t l3 = p.l3, l4 = p.l4;

        // VLAN on top; the innermost of three is out of sight, so only with room.
        if (!k.vlan[1].tci) {
            struct flow_key tagged = k;
            tagged.vlan[1] = k.vlan[0];
            tagged.vlan[0].tpid = htobe16(0x88a8);
            tagged.vlan[0].tci = htobe16(0xf123);
            packet_push_vlan(&p, htobe16(0x88a8), htobe16(0xf123));
            assert_int_equal(p.l3, l3 + 4);
            assert_reads_as(&p, &tagged);
            assert_true(packet_pop_vlan(&p));
        }
        assert_int_equal(p.l3, l3);
        assert_int_equal(p.l4, l4);
        assert_reads_as(&p, &k);

        struct flow_key mpls = k;
        memset((uint8_t *) &mpls + FLOW_STAGE_L3 * 8, 0, sizeof mpls - FLOW_STAGE_L3 * 8);
        mpls.eth_type = htobe16(0x8848);
        mpls.mpls_lse[0] = htobe32(0x12345140);
        mpls.mpls_lse[1] = 0;
        packet_push_mpls(&p, htobe16(0x8848), htobe32(0x12345140));
        assert_reads_as(&p, &mpls);
        mpls.eth_type = htobe16(0x8847);
        mpls.mpls_lse[1] = mpls.mpls_lse[0];
        mpls.mpls_lse[0] = htobe32(0x54321040);
        packet_push_mpls(&p, htobe16(0x8847), htobe32(0x54321040));
        assert_reads_as(&p, &mpls);
        assert_true(packet_pop_mpls(&p, htobe16(0x8848)));
        assert_true(packet_pop_mpls(&p, k.eth_type));
        assert_reads_as(&p, &k);
        assert_int_equal(packet_pop_mpls(&p, k.eth_type), false);
        packet_free(&p);
    }
}

static void
test_borrowed(void **state)
{
    static const uint8_t bytes[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x12, 0x34};
    struct packet p, q;
    packet_init_borrowed(&p, bytes, sizeof bytes);
    packet_clone(&q, &p);
    packet_push_vlan(&p, htobe16(0x8100), htobe16(5)); // makes it its own
    assert_int_equal(p.len, 24);
    assert_int_equal(p.data[15], 5);
    assert_int_equal(bytes[12], 0x12);
    packet_append(&p, NULL, 10000);
    assert_int_equal(p.len, 10024);
    for (int i = 0; i < 200; i++) {
        packet_push(&p, 7);
    }
    assert_int_equal(p.len, 10024 + 1400);
    packet_pull(&p, 20000);
    assert_int_equal(p.len, 0);
    assert_memory_equal(q.data, bytes, sizeof bytes);
    packet_free(&p);
    packet_free(&q);
    // Too short for anything: no harm.
    packet_init_borrowed(&p, bytes, 5);
    struct flow_key k, want;
    memset(&k, 0, sizeof k);
    packet_extract(&p, &k);
    memset(&want, 0xff, sizeof want);
    packet_rewrite(&p, &k, &want);
    assert_false(packet_pop_vlan(&p));
    assert_false(packet_pop_mpls(&p, 0));
    packet_push_vlan(&p, 1, 1);
    packet_push_mpls(&p, 1, 1);
    assert_int_equal(p.len, 5);
    packet_free(&p);
}

static void
test_checksums(void **state)
{
    uint8_t b[101];
    for (int i = 0; i < 1000; i++) {
        rnd_bytes(b, sizeof b);
        size_t n = rnd() % 101;
        assert_int_equal(be16toh(csum_fold(csum_add(0, b, n))), slow_fold(slow_sum(b, n)));
        uint32_t sum = csum_add(csum_add(0, b, n & ~1u), b + (n & ~1u), sizeof b - (n & ~1u));
        assert_int_equal(be16toh(csum_fold(sum)), slow_fold(slow_sum(b, sizeof b)));
    }
    assert_int_equal(le32toh(csum_crc32c("123456789", 9)), 0xe3069283); // the check value of CRC32c
}

int
main(void)
{
    const char *seed = getenv("TEST_SEED");
    rnd_state = seed ? strtoull(seed, NULL, 0) : (uintptr_t) &rnd_state ^ 20261122u;
    print_message("TEST_SEED=%llu\n", (unsigned long long) rnd_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksums), cmocka_unit_test(test_compose),
        cmocka_unit_test(test_rewrite),   cmocka_unit_test(test_rewrite_partial),
        cmocka_unit_test(test_tags),      cmocka_unit_test(test_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
