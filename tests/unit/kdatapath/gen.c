// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/kdatapath/gen.h"

#include "lib/base/random.h"
#include "lib/net/packet_headers.h"

// Of the seeded generator.
static void
fill(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *) p)[i] = random_u32();
    }
}

// Random bits of a member, masked by random bits, or all, or none.
static void
any_member(struct flow_match *m, size_t ofs, size_t n)
{
    uint8_t *k = (uint8_t *) &m->key + ofs, *w = (uint8_t *) &m->mask + ofs;
    const uint32_t how = random_below(3);

    for (size_t i = 0; i < n; i++) {
        w[i] = how == 0 ? 0 : how == 1 ? 0xff : random_u32();
        k[i] = random_u32() & w[i];
    }
}

#define ANY(M, MEMBER)                                                                             \
    any_member(M, offsetof(struct flow_key, MEMBER), MEMBER_SIZE(struct flow_key, MEMBER))

// A big-endian number of `size` bytes of which the kernel knows `bits`: exact when those are.
static void
any_number(struct flow_match *m, size_t ofs, size_t size, uint32_t bits)
{
    uint8_t *k = (uint8_t *) &m->key + ofs, *w = (uint8_t *) &m->mask + ofs;
    const uint32_t how = random_below(3);
    uint32_t mask = how == 0   ? 0
                    : how == 1 ? bits
                               : random_u32() & bits,
             key = random_u32() & mask & bits;

    if (mask == bits) {
        mask = UINT32_MAX;
    }
    for (size_t i = size; i-- > 0; key >>= 8, mask >>= 8) {
        k[i] = key;
        w[i] = mask;
    }
}

#define ANY_NUMBER(M, MEMBER, BITS)                                                                \
    any_number(M, offsetof(struct flow_key, MEMBER), MEMBER_SIZE(struct flow_key, MEMBER), BITS)

static void
gen_tunnel(struct flow_match *m)
{
    struct flow_tunnel *k = &m->key.tun, *w = &m->mask.tun;

    if (random_below(2)) {
        k->ip_dst = random_u32() | htobe32(1);
        w->ip_dst = 0xffffffff;
        ANY(m, tun.ip_src);
    } else {
        memset(k->ipv6_dst, 0x20, sizeof k->ipv6_dst);
        memset(w->ipv6_dst, 0xff, sizeof w->ipv6_dst);
        ANY(m, tun.ipv6_src);
    }
    ANY(m, tun.id);
    ANY(m, tun.tos);
    ANY(m, tun.ttl);
    ANY(m, tun.tp_src);
    ANY(m, tun.tp_dst);
    if (random_below(2)) { // the kernel tells "without" from "0"
        k->gbp_id = htobe16(1 + random_below(65535));
        w->gbp_id = 0xffff;
    }
    k->flags = htobe16(FLOW_TUN_KEY | (random_below(2) ? FLOW_TUN_CSUM : 0) |
                       (random_below(2) ? FLOW_TUN_DF : 0));
    w->flags = htobe16(FLOW_TUN_KEY | FLOW_TUN_CSUM | FLOW_TUN_DF);
}

static void
gen_vlans(struct flow_match *m)
{
    const unsigned n = random_below(FLOW_N_VLANS + 1);

    for (unsigned i = 0; i < n; i++) {
        ANY(m, vlan[i].tci);
        m->mask.vlan[i].tci |= htobe16(FLOW_VLAN_PRESENT);
        m->key.vlan[i].tci |= htobe16(FLOW_VLAN_PRESENT);
        m->mask.vlan[i].tpid = 0xffff;
        m->key.vlan[i].tpid = htobe16(random_below(2) ? ETH_TYPE_VLAN : ETH_TYPE_VLAN_SERVICE);
    }
    if (n < FLOW_N_VLANS) {
        m->mask.vlan[n].tci = htobe16(FLOW_VLAN_PRESENT);
    }
}

static void
gen_ct_tuple(struct flow_match *m, bool v6)
{
    m->key.ct_state = htobe32(FLOW_CT_TRK | FLOW_CT_EST);
    m->mask.ct_state = htobe32(FLOW_CT_TRK | FLOW_CT_EST);
    ANY(m, ct_tp_src);
    ANY(m, ct_tp_dst);
    m->key.ct_nw_proto = IP_PROTO_TCP;
    m->mask.ct_nw_proto = 0xff;
    if (v6) {
        ANY(m, ct_ipv6_src);
        ANY(m, ct_ipv6_dst);
    } else {
        ANY(m, ct_nw_src);
        ANY(m, ct_nw_dst);
    }
}

static void
gen_l4(struct flow_match *m, bool v6)
{
    static const uint8_t protos[] = {IP_PROTO_TCP,  IP_PROTO_UDP,    IP_PROTO_SCTP,
                                     IP_PROTO_ICMP, IP_PROTO_ICMPV6, 89};

    m->key.nw_proto = protos[random_below(ARRAY_SIZE(protos))];
    m->mask.nw_proto = 0xff;
    if (m->key.nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    switch (m->key.nw_proto) {
    case IP_PROTO_TCP:
        ANY_NUMBER(m, tcp_flags, 0xfff);
        __attribute__((fallthrough));
    case IP_PROTO_UDP:
    case IP_PROTO_SCTP:
        ANY(m, tp_src);
        ANY(m, tp_dst);
        break;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        if (v6 == (m->key.nw_proto == IP_PROTO_ICMPV6)) {
            ANY_NUMBER(m, tp_src, 0xff);
            ANY_NUMBER(m, tp_dst, 0xff);
            const bool nd =
                m->key.tp_src == htobe16(ICMPV6_NS) || m->key.tp_src == htobe16(ICMPV6_NA);
            if (v6 && !m->mask.ct_nw_proto && random_below(2)) {
                m->key.tp_src = htobe16(ICMPV6_NS);
                m->mask.tp_src = 0xffff;
                ANY(m, nd_target);
                ANY(m, arp_sha);
                ANY(m, arp_tha);
            } else if (nd) {
                m->key.tp_src = m->mask.tp_src = 0;
            }
        }
        break;
    default:
        break;
    }
}

static void
gen_ip(struct flow_match *m, bool v6)
{
    if (v6) {
        ANY(m, ipv6_src);
        ANY(m, ipv6_dst);
        ANY_NUMBER(m, ipv6_label, 0xfffff);
    } else {
        ANY(m, nw_src);
        ANY(m, nw_dst);
    }
    ANY(m, nw_tos);
    ANY(m, nw_ttl);
    if (random_below(4)) {
        static const uint8_t frags[] = {0, 0, FLOW_FRAG_ANY, FLOW_FRAG_ANY | FLOW_FRAG_LATER};
        m->key.nw_frag = frags[random_below(4)];
        m->mask.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    }
    if (!random_below(4)) {
        gen_ct_tuple(m, v6);
    }
    if (random_below(4)) {
        gen_l4(m, v6);
    }
}

static void
gen_mpls(struct flow_match *m)
{
    const unsigned n = 1 + random_below(FLOW_N_MPLS);
    for (unsigned i = 0; i < n; i++) {
        ANY(m, mpls_lse[i]);
    }
}

static void
gen_nsh(struct flow_match *m)
{
    m->key.nsh_mdtype = 1;
    m->mask.nsh_mdtype = 0xff;
    m->key.nsh_np = 1 + random_below(4);
    m->mask.nsh_np = 0xff;
    ANY(m, nsh_path);
    ANY(m, nsh_context);
}

static void
gen_payload(struct flow_match *m)
{
    static const uint16_t types[] = {ETH_TYPE_IP,   ETH_TYPE_IP,   ETH_TYPE_IPV6,
                                     ETH_TYPE_IPV6, ETH_TYPE_ARP,  ETH_TYPE_MPLS,
                                     ETH_TYPE_NSH,  ETH_TYPE_NONE, 0x88b5};
    const uint16_t type = types[random_below(ARRAY_SIZE(types))];

    m->key.eth_type = htobe16(type);
    m->mask.eth_type = 0xffff;
    switch (type) {
    case ETH_TYPE_IP:
    case ETH_TYPE_IPV6:
        gen_ip(m, type == ETH_TYPE_IPV6);
        break;
    case ETH_TYPE_ARP:
        ANY(m, nw_src);
        ANY(m, nw_dst);
        ANY(m, nw_proto);
        ANY(m, arp_sha);
        ANY(m, arp_tha);
        break;
    case ETH_TYPE_MPLS:
        gen_mpls(m);
        break;
    case ETH_TYPE_NSH:
        gen_nsh(m);
        break;
    default:
        break;
    }
}

void
gen_match(struct flow_match *m, bool tunnels)
{
    memset(m, 0, sizeof *m);
    m->key.in_port = htobe32(random_below(60000));
    m->mask.in_port = 0xffffffff;
    m->key.recirc_id = random_u32();
    m->mask.recirc_id = 0xffffffff;
    ANY(m, skb_priority);
    ANY(m, pkt_mark);
    ANY(m, dp_hash);
    ANY_NUMBER(m, ct_state, 0xff);
    ANY(m, ct_zone);
    ANY(m, ct_mark);
    ANY(m, ct_label);
    ANY(m, eth_src);
    ANY(m, eth_dst);
    if (tunnels && random_below(2)) {
        gen_tunnel(m);
    }
    gen_vlans(m);
    gen_payload(m);
    match_update_used(m);
}

// --- Actions. ---

static void
add_set(struct dp_actions *acts, enum field_id id, bool maskable)
{
    const struct field_info *f = field_get(id);
    union field_value v, mask;

    memset(&v, 0, sizeof v);
    field_value_exact(f, &mask);
    for (size_t i = FIELD_VALUE_BYTES - f->n_bytes; i < FIELD_VALUE_BYTES; i++) {
        mask.b[i] &= maskable && f->masking == FIELD_MASKABLE ? random_u32() : 0xff;
        v.b[i] = random_u32();
    }
    if (id == FIELD_NW_TOS) {
        v.b[FIELD_VALUE_BYTES - 1] &= 0xfc;
    }
    if (!field_value_is_zero(f, &mask)) {
        dp_actions_add_set(acts, f, &v, &mask);
    }
}

// Sets of one header, in the field table's order, as the decoder gives them back; each header at
// most once in a row.
static void
add_sets(struct dp_actions *acts, const struct flow_match *m)
{
    const bool v4 = m->key.eth_type == htobe16(ETH_TYPE_IP),
               v6 = m->key.eth_type == htobe16(ETH_TYPE_IPV6);
    const uint8_t proto =
        (v4 || v6) && m->mask.nw_proto == 0xff && !(m->key.nw_frag & FLOW_FRAG_LATER)
            ? m->key.nw_proto
            : 0;

    add_set(acts, FIELD_PKT_MARK, true);
    add_set(acts, FIELD_ETH_SRC, true);
    if (v4) {
        add_set(acts, FIELD_NW_SRC, true);
        add_set(acts, FIELD_NW_TOS, false);
        add_set(acts, FIELD_NW_TTL, false);
    } else if (v6) {
        add_set(acts, FIELD_IPV6_DST, true);
        add_set(acts, FIELD_IPV6_LABEL, true);
        const uint32_t at = acts->len;
        add_set(acts, FIELD_NW_TTL, false);
        ((struct dp_act *) (void *) (acts->data + at))->flags = DP_SET_IPV6;
    }
    if (proto == IP_PROTO_TCP) {
        add_set(acts, FIELD_TCP_SRC, true);
        add_set(acts, FIELD_TCP_DST, true);
    } else if (proto == IP_PROTO_UDP) {
        add_set(acts, FIELD_UDP_DST, true);
    } else if (proto == IP_PROTO_SCTP) {
        add_set(acts, FIELD_SCTP_SRC, true);
    }
}

static void
add_ct(struct dp_actions *acts)
{
    struct dp_act_ct *ct = dp_actions_add(acts, DP_ACT_CT, sizeof *ct);

    ct->zone = random_u32();
    if (random_below(2)) {
        ct->flags = DP_CT_COMMIT | (random_below(2) ? DP_CT_FORCE : 0);
        ct->mark_mask = random_u32();
        ct->mark = random_u32() & ct->mark_mask;
        if (random_below(2)) {
            fill(ct->label_mask, 16);
            fill(ct->label, 16);
            for (int i = 0; i < 16; i++) {
                ct->label[i] &= ct->label_mask[i];
            }
        }
        if (random_below(2)) {
            ct->flags |= random_below(2) ? DP_CT_SNAT : DP_CT_DNAT;
            ct->nat_family = 4;
            memcpy(ct->nat_min, (uint8_t[]){10, 0, 0, 1}, 4);
            memcpy(ct->nat_max, (uint8_t[]){10, 0, 0, 1 + random_below(3)}, 4);
            if (random_below(2)) {
                ct->nat_port_min = 1000;
                ct->nat_port_max = 1000 + random_below(3);
                ct->flags |= random_below(2) ? DP_CT_HASH : DP_CT_RANDOM;
            }
            ct->flags |= random_below(2) ? DP_CT_PERSISTENT : 0;
        }
    } else if (random_below(2)) {
        ct->flags = DP_CT_NAT;
    }
}

static void
add_userspace(struct dp_actions *acts)
{
    const size_t raw = random_below(3) ? 0 : 1 + random_below(30);
    struct dp_act_userspace *u = dp_actions_add(acts, DP_ACT_USERSPACE, sizeof *u + raw);

    u->pid = 1 + random_below(100000);
    u->egress_port = random_below(2) ? UINT32_MAX : random_below(100);
    u->has_actions = random_below(2);
    if (raw) {
        u->kind = DP_USER_RAW;
        u->arg = raw;
        fill(u + 1, raw);
        return;
    }
    u->kind = random_below(DP_USER_RAW);
    u->arg = random_u32();
    u->ofp_in_port = random_u32();
    u->ofproto = random_u32();
    u->cookie = random_u64();
    u->recirc_id = random_u32();
    u->controller_id = random_u32();
}

static void
add_nested(struct dp_actions *acts, const struct flow_match *m, int depth)
{
    static const enum dp_act_type types[] = {DP_ACT_CLONE, DP_ACT_SAMPLE, DP_ACT_CHECK_PKT_LEN};
    const enum dp_act_type type = types[random_below(ARRAY_SIZE(types))];
    const size_t ofs = dp_actions_begin(acts, type, dp_act_fixed_size(type));

    gen_actions(acts, m, 2, depth - 1);
    const size_t first = acts->len - ofs - dp_act_fixed_size(type);
    if (type == DP_ACT_CHECK_PKT_LEN) {
        gen_actions(acts, m, 2, depth - 1);
    }
    dp_actions_end(acts, ofs);
    if (type == DP_ACT_SAMPLE) {
        ((struct dp_act_sample *) (void *) (acts->data + ofs))->probability = random_u32();
    } else if (type == DP_ACT_CHECK_PKT_LEN) {
        struct dp_act_check_pkt_len *c =
            (struct dp_act_check_pkt_len *) (void *) (acts->data + ofs);
        c->pkt_len = random_below(65536);
        c->greater_len = first;
    }
}

static void
add_simple(struct dp_actions *acts, const struct flow_match *m)
{
    switch (random_below(8)) {
    case 0:
        dp_actions_add_output(acts, random_below(60000));
        break;
    case 1:
        add_userspace(acts);
        break;
    case 2:
        dp_actions_add_u32(acts, DP_ACT_METER, random_u32());
        break;
    case 3: {
        struct dp_act_hash *h = dp_actions_add(acts, DP_ACT_HASH, sizeof *h);
        h->basis = random_u32();
        break;
    }
    case 4:
        dp_actions_add_u32(acts, DP_ACT_TRUNC, 100 + random_below(1000));
        dp_actions_add_output(acts, random_below(60000));
        break;
    case 5:
        dp_actions_add(acts, DP_ACT_CT_CLEAR, sizeof(struct dp_act));
        break;
    case 6:
        add_sets(acts, m);
        dp_actions_add_output(acts, random_below(60000));
        break;
    default:
        if (m->key.eth_type == htobe16(ETH_TYPE_IP)) {
            add_ct(acts);
        }
        break;
    }
}

void
gen_simple_actions(struct dp_actions *acts, const struct flow_match *m, int n)
{
    for (int i = 0; i < n; i++) {
        add_simple(acts, m);
    }
}

static void
add_header(struct dp_actions *acts)
{
    switch (random_below(5)) {
    case 0: {
        struct dp_act_push_vlan *v = dp_actions_add(acts, DP_ACT_PUSH_VLAN, sizeof *v);
        v->tpid = htobe16(ETH_TYPE_VLAN);
        v->tci = htobe16(FLOW_VLAN_PRESENT | random_below(4095));
        break;
    }
    case 1:
        dp_actions_add(acts, DP_ACT_POP_VLAN, sizeof(struct dp_act));
        break;
    case 2: {
        struct dp_act_push_nsh *n = dp_actions_add(acts, DP_ACT_PUSH_NSH, sizeof *n);
        n->mdtype = 1;
        n->np = 3;
        n->path = random_u32();
        dp_actions_add(acts, DP_ACT_POP_NSH, sizeof(struct dp_act));
        break;
    }
    case 3: {
        struct dp_act_push_mpls *p = dp_actions_add(acts, DP_ACT_PUSH_MPLS, sizeof *p);
        p->lse = random_u32();
        p->ethertype = htobe16(ETH_TYPE_MPLS);
        struct dp_act_pop_mpls *q = dp_actions_add(acts, DP_ACT_POP_MPLS, sizeof *q);
        q->ethertype = htobe16(ETH_TYPE_IP);
        break;
    }
    default: {
        dp_actions_add(acts, DP_ACT_POP_ETH, sizeof(struct dp_act));
        struct dp_act_push_eth *e = dp_actions_add(acts, DP_ACT_PUSH_ETH, sizeof *e);
        fill(e->src.b, 6);
        fill(e->dst.b, 6);
        break;
    }
    }
}

void
gen_actions(struct dp_actions *acts, const struct flow_match *m, int n, int depth)
{
    for (int i = 0; i < n; i++) {
        if (depth && !random_below(3)) {
            add_nested(acts, m, depth);
        } else if (!random_below(6)) {
            add_header(acts);
        } else {
            add_simple(acts, m);
        }
    }
}
