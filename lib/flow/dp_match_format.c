// SPDX-License-Identifier: Apache-2.0
// Datapath flows as text, as "ovs-dpctl dump-flows" prints them. Without -m, what isn't matched is
// left out; with it, everything that such a packet has is spelled out, wildcards as "0/0".
#include <netinet/in.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"
#include "lib/net/packet_headers.h"

// Groups, members in the order in which they are printed.
static const enum field_id eth[] = {FIELD_ETH_SRC, FIELD_ETH_DST};
static const enum field_id ct_tuple4[] = {FIELD_CT_NW_SRC, FIELD_CT_NW_DST, FIELD_CT_NW_PROTO,
                                          FIELD_CT_TP_SRC, FIELD_CT_TP_DST};
static const enum field_id ct_tuple6[] = {FIELD_CT_IPV6_SRC, FIELD_CT_IPV6_DST, FIELD_CT_NW_PROTO,
                                          FIELD_CT_TP_SRC, FIELD_CT_TP_DST};
static const enum field_id ipv4[] = {FIELD_NW_SRC, FIELD_NW_DST, FIELD_NW_PROTO,
                                     FIELD_NW_TOS, FIELD_NW_TTL, FIELD_IP_FRAG};
static const enum field_id ipv6[] = {FIELD_IPV6_SRC, FIELD_IPV6_DST, FIELD_IPV6_LABEL,
                                     FIELD_NW_PROTO, FIELD_NW_TOS,   FIELD_NW_TTL,
                                     FIELD_IP_FRAG};
static const enum field_id arp[] = {FIELD_ARP_SPA, FIELD_ARP_TPA, FIELD_ARP_OP, FIELD_ARP_SHA,
                                    FIELD_ARP_THA};
static const enum field_id nsh[] = {FIELD_NSH_FLAGS, FIELD_NSH_TTL, FIELD_NSH_MDTYPE, FIELD_NSH_NP,
                                    FIELD_NSH_SPI,   FIELD_NSH_SI,  FIELD_NSH_C1,     FIELD_NSH_C2,
                                    FIELD_NSH_C3,    FIELD_NSH_C4};
static const enum field_id mpls[] = {FIELD_MPLS_LABEL, FIELD_MPLS_TC, FIELD_MPLS_TTL,
                                     FIELD_MPLS_BOS};
static const enum field_id tcp[] = {FIELD_TCP_SRC, FIELD_TCP_DST};
static const enum field_id udp[] = {FIELD_UDP_SRC, FIELD_UDP_DST};
static const enum field_id sctp[] = {FIELD_SCTP_SRC, FIELD_SCTP_DST};
static const enum field_id icmp[] = {FIELD_ICMP_TYPE, FIELD_ICMP_CODE};
static const enum field_id icmpv6[] = {FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE};
static const enum field_id nd[] = {FIELD_ND_TARGET, FIELD_ND_SLL, FIELD_ND_TLL};
static const enum field_id nd_ext[] = {FIELD_ND_RESERVED, FIELD_ND_OPTIONS_TYPE};

#define GROUP(ids) ids, ARRAY_SIZE(ids)

static const struct {
    const enum field_id *ids;
    size_t n;
} groups[] = {{GROUP(eth)},    {GROUP(ipv4)},      {GROUP(ipv6)},     {GROUP(arp)},
              {GROUP(nsh)},    {GROUP(mpls)},      {GROUP(tcp)},      {GROUP(udp)},
              {GROUP(sctp)},   {GROUP(icmp)},      {GROUP(icmpv6)},   {GROUP(nd)},
              {GROUP(nd_ext)}, {GROUP(ct_tuple4)}, {GROUP(ct_tuple6)}};

size_t
dp_text_group_of(enum field_id id, enum field_id ids[DP_GROUP_MAX])
{
    for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
        for (size_t i = 0; i < groups[g].n; i++) {
            if (groups[g].ids[i] == id) {
                memcpy(ids, groups[g].ids, groups[g].n * sizeof ids[0]);
                return groups[g].n;
            }
        }
    }
    ids[0] = id;
    return 1;
}

// Drops the comma behind the last member.
static void
chomp(struct str *out)
{
    if (out->len && out->p[out->len - 1] == ',') {
        str_truncate(out, out->len - 1);
    }
}

void
dp_text_group(const struct dp_text *t, const enum field_id *ids, size_t n, bool always)
{
    bool any = always || t->verbose;
    for (size_t i = 0; i < n && !any; i++) {
        any = dp_field_is_used(ids[i], t->mask);
    }
    if (!any) {
        return;
    }
    str_addf(t->out, "%s(", dp_field_group(ids[0], t->v6));
    for (size_t i = 0; i < n; i++) {
        const char *member = dp_field_member(ids[i], t->v6);
        if (dp_field_is_used(ids[i], t->mask) || (t->verbose && ids[i] != FIELD_IP_FRAG)) {
            str_addf(t->out, *member ? "%s=" : "%s", member);
            dp_field_format(ids[i], t->key, t->mask, t->out);
            str_add_char(t->out, ',');
        }
    }
    chomp(t->out);
    str_add(t->out, "),");
}

static void
add_one(const struct dp_text *t, enum field_id id)
{
    dp_text_group(t, &id, 1, false);
}

static void
add_ct_state(const struct dp_text *t)
{
    const uint32_t state = be32toh(t->key->ct_state),
                   mask = be32toh(t->mask->ct_state) & field_flags_ct.all;
    if (t->verbose) {
        str_addf(t->out, "ct_state(%#x/%#x),", state, mask);
    } else if (mask) {
        str_add(t->out, "ct_state(");
        field_flags_signed(&field_flags_ct, state, mask, t->out);
        str_add(t->out, "),");
    }
}

static void
add_geneve(const uint8_t *opts, size_t len, struct str *out)
{
    str_add(out, "geneve(");
    while (len >= 4) {
        const size_t data = (opts[3] & 0x1f) * 4u;
        if (data > len - 4) {
            break;
        }
        str_addf(out, "{class=%#x,type=%#x,len=%zu", (unsigned) opts[0] << 8 | opts[1], opts[2],
                 data);
        if (data) {
            str_add(out, ",0x");
            str_add_hex(out, opts + 4, data);
        }
        str_add_char(out, '}');
        opts += 4 + data;
        len -= 4 + data;
    }
    str_add(out, "),");
}

static void
add_tunnel_options(const struct dp_text *t)
{
    const struct flow_tunnel *k = &t->key->tun;
    const struct flow_mask *m = t->mask;
    if (m->tun.gbp_id || m->tun.gbp_flags) {
        str_add(t->out, "vxlan(gbp(id=");
        dp_field_format(FIELD_TUN_GBP_ID, t->key, m, t->out);
        if (m->tun.gbp_flags) {
            str_add(t->out, ",flags=");
            dp_field_format(FIELD_TUN_GBP_FLAGS, t->key, m, t->out);
        }
        str_add(t->out, ")),");
    }
    if (m->tun.erspan_ver) {
        const bool v1 = k->erspan_ver == 1;
        str_addf(t->out, "erspan(ver=%u", k->erspan_ver);
        str_add(t->out, v1 ? ",idx=" : ",dir=");
        dp_field_format(v1 ? FIELD_TUN_ERSPAN_IDX : FIELD_TUN_ERSPAN_DIR, t->key, m, t->out);
        if (!v1) {
            str_add(t->out, ",hwid=");
            dp_field_format(FIELD_TUN_ERSPAN_HWID, t->key, m, t->out);
        }
        str_add(t->out, "),");
    }
    if (m->tun.gtpu_flags || m->tun.gtpu_msgtype) {
        str_add(t->out, "gtpu(flags=");
        dp_field_format(FIELD_TUN_GTPU_FLAGS, t->key, m, t->out);
        str_add(t->out, ",msgtype=");
        dp_field_format(FIELD_TUN_GTPU_MSGTYPE, t->key, m, t->out);
        str_add(t->out, "),");
    }
    if (t->opts_len) {
        add_geneve(t->opts, t->opts_len, t->out);
    }
    // Where a key has options, they are values of the bridge's TLV table: their classes and types
    // aren't in it.
    for (unsigned n = 0; n < FLOW_N_TUN_MD; n++) {
        struct field_tun_md md;
        if (be64toh(m->tun_md_present) >> n & 1 && field_tun_md_find(n, &md)) {
            str_addf(t->out, "tun_metadata%u=", n);
            field_format_hex(t->key->tun_md + md.ofs, md.len, t->out);
            str_add_char(t->out, '/');
            field_format_hex(m->tun_md + md.ofs, md.len, t->out);
            str_add_char(t->out, ',');
        }
    }
}

void
dp_text_tunnel(const struct dp_text *t, bool exact)
{
    static const enum field_id members[] = {
        FIELD_TUN_ID,  FIELD_TUN_SRC, FIELD_TUN_DST,    FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST,
        FIELD_TUN_TOS, FIELD_TUN_TTL, FIELD_TUN_TP_SRC, FIELD_TUN_TP_DST};
    const uint16_t flags = be16toh(t->key->tun.flags),
                   mask = be16toh(t->mask->tun.flags) & field_flags_tun.all;
    str_add(t->out, "tunnel(");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (dp_field_is_used(members[i], t->mask)) {
            str_addf(t->out, "%s=", dp_field_member(members[i], false));
            dp_field_format(members[i], t->key, t->mask, t->out);
            str_add_char(t->out, ',');
        }
    }
    add_tunnel_options(t);
    if (mask) {
        str_add(t->out, "flags(");
        if (exact) {
            field_flags_list(&field_flags_tun, flags & mask, '|', t->out);
        } else {
            field_flags_signed(&field_flags_tun, flags, mask, t->out);
        }
        str_add_char(t->out, ')');
    }
    chomp(t->out);
    str_add(t->out, "),");
}

static bool
has_tunnel(const struct flow_match *m)
{
    static const struct flow_tunnel none;
    return memcmp(&m->mask.tun, &none, sizeof none) || m->mask.tun_md_present;
}

static void
add_in_port(const struct dp_text *t)
{
    const uint32_t port = be32toh(t->key->in_port);
    const char *name = t->port_name ? t->port_name(port, t->aux) : NULL;
    if (!t->mask->in_port) {
        return;
    }
    if (name) {
        str_addf(t->out, "in_port(%s),", name);
    } else {
        str_addf(t->out, "in_port(%u),", port);
    }
}

static void
add_packet_type(const struct dp_text *t)
{
    const uint32_t type = be32toh(t->key->packet_type);
    if (t->mask->packet_type) {
        str_addf(t->out, "packet_type(ns=%u,id=%#x),", type >> 16, type & 0xffff);
    } else if (t->verbose) {
        str_addf(t->out, "packet_type(ns=%u/0,id=%#x/0),", type >> 16, type & 0xffff);
    }
}

static void
add_vlan(const struct dp_text *t, int i)
{
    const uint16_t tci = be16toh(t->key->vlan[i].tci), mask = be16toh(t->mask->vlan[i].tci);
    const uint16_t vid = mask & 0x0fff, pcp = mask >> 13;
    if (!mask && !t->verbose) {
        return;
    }
    str_add(t->out, "vlan(");
    if (vid || t->verbose) {
        str_addf(t->out, vid == 0x0fff ? "vid=%u," : "vid=%u/0x%x,", tci & 0x0fff, vid);
    }
    if (pcp || t->verbose) {
        str_addf(t->out, pcp == 7 ? "pcp=%u," : "pcp=%u/0x%x,", tci >> 13, pcp);
    }
    chomp(t->out);
    str_add(t->out, "),");
}

static void
add_eth_type(const struct dp_text *t)
{
    const uint16_t type = be16toh(t->key->eth_type), mask = be16toh(t->mask->eth_type);
    if (mask == 0xffff && type != ETH_TYPE_NONE) {
        str_addf(t->out, "eth_type(0x%04x),", type);
    } else if (mask == 0xffff) {
        str_add(t->out, "eth_type(0/0xffff),");
    } else if (mask || t->verbose) {
        str_addf(t->out, "eth_type(%#x/%#x),", type, mask);
    }
}

// Opens the tags; the number of parentheses to close.
static int
add_tags(const struct dp_text *t)
{
    int n = 0;
    for (; n < FLOW_N_VLANS && t->key->vlan[n].tci & htobe16(FLOW_VLAN_PRESENT); n++) {
        const uint16_t tpid = be16toh(t->key->vlan[n].tpid);
        str_addf(t->out, "eth_type(0x%04x),", tpid ? tpid : ETH_TYPE_VLAN);
        add_vlan(t, n);
        str_add(t->out, "encap(");
    }
    return n;
}

static void
add_mpls(const struct dp_text *t)
{
    int n = FLOW_N_MPLS;
    bool exact = true;
    while (n && !t->mask->mpls_lse[n - 1]) {
        n--;
    }
    if (!n && !t->verbose) {
        return;
    }
    n = MAX(n, 1);
    for (int i = 0; i < n; i++) {
        exact &= t->mask->mpls_lse[i] == UINT32_MAX;
    }
    str_add(t->out, "mpls(");
    for (int i = 0; i < n; i++) {
        const uint32_t lse = be32toh(t->key->mpls_lse[i]), m = be32toh(t->mask->mpls_lse[i]);
        if (exact) {
            str_addf(t->out, "label=%u,tc=%u,ttl=%u,bos=%u,", lse >> 12, lse >> 9 & 7, lse & 0xff,
                     lse >> 8 & 1);
        } else {
            str_addf(t->out, "label=%u/0x%x,tc=%u/%x,ttl=%u/0x%x,bos=%u/%x,", lse >> 12, m >> 12,
                     lse >> 9 & 7, m >> 9 & 7, lse & 0xff, m & 0xff, lse >> 8 & 1, m >> 8 & 1);
        }
    }
    chomp(t->out);
    str_add(t->out, "),");
}

static void
add_transport(const struct dp_text *t)
{
    const bool v6 = t->v6;
    if (t->key->nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    switch (t->key->nw_proto) {
    case IPPROTO_TCP:
        dp_text_group(t, GROUP(tcp), false);
        if (t->mask->tcp_flags & htobe16(0xfff)) {
            add_one(t, FIELD_TCP_FLAGS);
        } else if (t->verbose) {
            str_add(t->out, "tcp_flags(0/0),");
        }
        break;
    case IPPROTO_UDP:
        dp_text_group(t, GROUP(udp), false);
        break;
    case IPPROTO_SCTP:
        dp_text_group(t, GROUP(sctp), false);
        break;
    case IPPROTO_ICMP:
        if (!v6) {
            dp_text_group(t, GROUP(icmp), false);
        }
        break;
    case IPPROTO_ICMPV6:
        if (v6) {
            dp_text_group(t, GROUP(icmpv6), false);
            if (field_prereqs_met(field_get(FIELD_ND_TARGET), t->key, NULL)) {
                dp_text_group(t, GROUP(nd), false);
                if (t->mask->nd_reserved || t->mask->nd_options_type) {
                    dp_text_group(t, GROUP(nd_ext), false);
                }
            }
        }
        break;
    default:
        break;
    }
}

static void
add_network(const struct dp_text *t)
{
    switch (be16toh(t->key->eth_type)) {
    case ETH_TYPE_IP:
        dp_text_group(t, GROUP(ipv4), false);
        add_transport(t);
        break;
    case ETH_TYPE_IPV6:
        dp_text_group(t, GROUP(ipv6), false);
        add_transport(t);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        dp_text_group(t, GROUP(arp), false);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        add_mpls(t);
        break;
    case ETH_TYPE_NSH:
        dp_text_group(t, GROUP(nsh), false);
        break;
    default:
        break;
    }
}

// The original tuple is there or not: without one, there is nothing to spell out.
static void
add_ct_tuple(const struct dp_text *t)
{
    const enum field_id *ids = t->v6 ? ct_tuple6 : ct_tuple4;
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE(ct_tuple4); i++) {
        any |= dp_field_is_used(ids[i], t->mask);
    }
    if (any) {
        dp_text_group(t, ids, ARRAY_SIZE(ct_tuple4), false);
    }
}

// Metadata in the order of the userspace datapath.
static void
add_metadata(const struct dp_text *t, const struct flow_match *m)
{
    add_one(t, FIELD_SKB_PRIORITY);
    if (has_tunnel(m)) {
        dp_text_tunnel(t, false);
    }
    add_one(t, FIELD_PKT_MARK);
    add_ct_state(t);
    add_one(t, FIELD_CT_ZONE);
    add_one(t, FIELD_CT_MARK);
    add_one(t, FIELD_CT_LABEL);
    add_ct_tuple(t);
    add_one(t, FIELD_RECIRC_ID);
    add_one(t, FIELD_DP_HASH);
    add_in_port(t);
    add_packet_type(t);
}

// The same in the order in which the kernel dumps its keys; it has no packet type.
static void
add_kernel_metadata(const struct dp_text *t, const struct flow_match *m)
{
    add_one(t, FIELD_RECIRC_ID);
    add_one(t, FIELD_DP_HASH);
    add_one(t, FIELD_SKB_PRIORITY);
    if (has_tunnel(m)) {
        dp_text_tunnel(t, false);
    }
    add_in_port(t);
    add_one(t, FIELD_PKT_MARK);
    add_ct_state(t);
    add_one(t, FIELD_CT_ZONE);
    add_one(t, FIELD_CT_MARK);
    add_one(t, FIELD_CT_LABEL);
    add_ct_tuple(t);
}

static void
add_headers(const struct dp_text *t, const struct flow_match *m)
{
    if (!m->key.packet_type) {
        dp_text_group(t, GROUP(eth), !m->mask.packet_type);
    }
    const int tags = add_tags(t);
    add_eth_type(t);
    add_network(t);
    chomp(t->out);
    str_add_chars(t->out, ')', (size_t) tags);
}

#define DP_TEXT(m_, verbose_, port_name_, aux_, out_)                                              \
    {                                                                                              \
        .key = &(m_)->key, .mask = &(m_)->mask, .verbose = verbose_,                               \
        .v6 = (m_)->key.eth_type == htobe16(ETH_TYPE_IPV6), .port_name = port_name_, .aux = aux_,  \
        .out = out_,                                                                               \
    }

void
dp_match_format(const struct flow_match *m, bool verbose, dp_port_namer *port_name, void *aux,
                struct str *out)
{
    const struct dp_text t = DP_TEXT(m, verbose, port_name, aux, out);
    add_metadata(&t, m);
    add_headers(&t, m);
}

void
dp_match_format_kernel(const struct flow_match *m, bool verbose, dp_port_namer *port_name,
                       void *aux, struct str *out)
{
    const struct dp_text t = DP_TEXT(m, verbose, port_name, aux, out);
    add_kernel_metadata(&t, m);
    add_headers(&t, m);
}
