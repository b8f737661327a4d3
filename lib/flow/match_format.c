// SPDX-License-Identifier: Apache-2.0
// Matches as text, as ovs-ofctl(8) and "ofproto/trace" print them: shorthands first (tcp6, arp …),
// then fields in a fixed order, each as "name=value" or "name=value/mask".
//
// Members are printed, not rows: views (vlan_tci, xreg0) and rows that share a member (tcp_src and
// udp_src) appear under one name.
#include "lib/flow/match.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/field_text.h"
#include "lib/net/packet_headers.h"

struct fmt {
    const struct flow_key *key;
    const struct flow_mask *mask;
    const struct field_port_names *names;
    struct str *out;
};

static void
add_name(const struct fmt *f, const char *name)
{
    str_addf(f->out, "%s=", name);
}

static void
end(const struct fmt *f)
{
    str_add_char(f->out, ',');
}

// A number of `bits` bits under a mask; form 'd' is decimal when exact, 'x' hexadecimal, 'X' that
// with 0x before a zero.
struct number {
    uint64_t value, mask;
    unsigned bits;
    char form;
};

static void
add_number(const struct fmt *f, const char *name, struct number n)
{
    const uint64_t all = n.bits < 64 ? (UINT64_C(1) << n.bits) - 1 : UINT64_MAX,
                   mask = n.mask & all;
    if (!mask) {
        return;
    }
    add_name(f, name);
    if (mask == all && n.form == 'd') {
        str_addf(f->out, "%llu", (unsigned long long) n.value);
    } else {
        str_addf(f->out, n.form == 'x' ? "%#llx" : "0x%llx", (unsigned long long) n.value);
    }
    if (mask != all) {
        str_addf(f->out, "/%#llx", (unsigned long long) mask);
    }
    end(f);
}

#define NUMBER(f, name, ...) add_number(f, name, (struct number){__VA_ARGS__})
#define ADD8(f, name, member, form) NUMBER(f, name, (f)->key->member, (f)->mask->member, 8, form)
#define ADD16(f, name, member, form)                                                               \
    NUMBER(f, name, be16toh((f)->key->member), be16toh((f)->mask->member), 16, form)
#define ADD32(f, name, member, form)                                                               \
    NUMBER(f, name, be32toh((f)->key->member), be32toh((f)->mask->member), 32, form)
#define ADD64(f, name, member)                                                                     \
    NUMBER(f, name, be64toh((f)->key->member), be64toh((f)->mask->member), 64, 'x')

static bool
any_set(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        if (b[i]) {
            return true;
        }
    }
    return false;
}

static void
add_mac(const struct fmt *f, const char *name, const struct mac *mac, const struct mac *mask)
{
    if (any_set(mask, sizeof *mask)) {
        add_name(f, name);
        field_format_mac(mac, mask, f->out);
        end(f);
    }
}

static void
add_ip4(const struct fmt *f, const char *name, be32_t ip, be32_t mask)
{
    if (mask) {
        add_name(f, name);
        field_format_ip4(ip, mask, f->out);
        end(f);
    }
}

static void
add_ip6(const struct fmt *f, const char *name, const uint8_t ip[16], const uint8_t mask[16])
{
    if (any_set(mask, 16)) {
        add_name(f, name);
        field_format_ip6(ip, mask, f->out);
        end(f);
    }
}

static void
add_flags(const struct fmt *f, const char *name, const struct field_flags *set, uint32_t flags,
          uint32_t mask)
{
    if (mask) {
        add_name(f, name);
        field_flags_format(set, flags, mask, f->out);
        end(f);
    }
}

static void
add_port(const struct fmt *f, const char *name, be32_t port, be32_t mask)
{
    if (mask) {
        add_name(f, name);
        field_format_port(be32toh(port), f->names, f->out);
        end(f);
    }
}

static void
add_bytes(const struct fmt *f, const char *name, const uint8_t *value, const uint8_t *mask,
          size_t n)
{
    if (any_set(mask, n)) {
        add_name(f, name);
        field_format_hex(value, n, f->out);
        if (field_prefix_len(mask, n) != (int) n * 8) {
            str_add_char(f->out, '/');
            field_format_hex(mask, n, f->out);
        }
        end(f);
    }
}

static void
add_ct(const struct fmt *f)
{
    const struct flow_key *k = f->key;
    const struct flow_mask *m = f->mask;
    add_flags(f, "ct_state", &field_flags_ct, be32toh(k->ct_state), be32toh(m->ct_state));
    ADD16(f, "ct_zone", ct_zone, 'd');
    ADD32(f, "ct_mark", ct_mark, 'x');
    add_bytes(f, "ct_label", k->ct_label, m->ct_label, sizeof k->ct_label);
    add_ip4(f, "ct_nw_src", k->ct_nw_src, m->ct_nw_src);
    add_ip4(f, "ct_nw_dst", k->ct_nw_dst, m->ct_nw_dst);
    add_ip6(f, "ct_ipv6_src", k->ct_ipv6_src, m->ct_ipv6_src);
    add_ip6(f, "ct_ipv6_dst", k->ct_ipv6_dst, m->ct_ipv6_dst);
    ADD8(f, "ct_nw_proto", ct_nw_proto, 'd');
    ADD16(f, "ct_tp_src", ct_tp_src, 'd');
    ADD16(f, "ct_tp_dst", ct_tp_dst, 'd');
}

static void
add_metadata(const struct fmt *f)
{
    ADD32(f, "pkt_mark", pkt_mark, 'x');
    ADD32(f, "recirc_id", recirc_id, 'x');
    ADD32(f, "dp_hash", dp_hash, 'x');
    ADD32(f, "conj_id", conj_id, 'd');
    ADD32(f, "skb_priority", skb_priority, 'x');
    add_port(f, "actset_output", f->key->actset_output, f->mask->actset_output);
    add_ct(f);
}

// A shorthand that stands for the Ethernet type and perhaps the IP protocol.
struct shorthand {
    bool type, proto;
};

static const char *
ip_shorthand(uint8_t proto, bool v6)
{
    switch (proto) {
    case IPPROTO_ICMP:
        return v6 ? NULL : "icmp";
    case IPPROTO_ICMPV6:
        return v6 ? "icmp6" : NULL;
    case IPPROTO_TCP:
        return v6 ? "tcp6" : "tcp";
    case IPPROTO_UDP:
        return v6 ? "udp6" : "udp";
    case IPPROTO_SCTP:
        return v6 ? "sctp6" : "sctp";
    default:
        return NULL;
    }
}

static struct shorthand
add_shorthand(const struct fmt *f)
{
    const uint16_t type = be16toh(f->key->eth_type);
    const char *name = NULL;
    struct shorthand s = {true, false};
    if (f->mask->eth_type != UINT16_MAX) {
        return (struct shorthand){false, false};
    }
    switch (type) {
    case ETH_TYPE_IP:
    case ETH_TYPE_IPV6:
        if (f->mask->nw_proto == 0xff) {
            name = ip_shorthand(f->key->nw_proto, type == ETH_TYPE_IPV6);
        }
        s.proto = name;
        name = name ? name : type == ETH_TYPE_IPV6 ? "ipv6" : "ip";
        break;
    case ETH_TYPE_ARP:
        name = "arp";
        break;
    case ETH_TYPE_RARP:
        name = "rarp";
        break;
    case ETH_TYPE_MPLS:
        name = "mpls";
        break;
    case ETH_TYPE_MPLS_MCAST:
        name = "mplsm";
        break;
    default:
        return (struct shorthand){false, false};
    }
    str_addf(f->out, "%s,", name);
    return s;
}

static bool
has_headers(const struct flow_mask *m)
{
    const size_t from = FLOW_STAGE_L2 * 8;
    return any_set((const uint8_t *) m + from, sizeof *m - from);
}

static void
add_packet_type(const struct fmt *f)
{
    const uint32_t type = be32toh(f->key->packet_type);
    if (f->mask->packet_type && type) {
        add_name(f, "packet_type");
        field_format_packet_type(type, f->out);
        end(f);
    } else if (f->mask->recirc_id && !type && (f->mask->packet_type || has_headers(f->mask))) {
        str_add(f->out, "eth,"); // cached flows say it, rules take it for granted
    }
}

static void
add_tun_md(const struct fmt *f)
{
    const uint64_t used = be64toh(f->mask->tun_md_present),
                   present = be64toh(f->key->tun_md_present);
    for (unsigned n = 0; n < FLOW_N_TUN_MD; n++) {
        struct field_tun_md md;
        if (!(used >> n & 1) || !field_tun_md_find(n, &md)) {
            continue;
        }
        if (!(present >> n & 1)) {
            str_addf(f->out, "!tun_metadata%u,", n);
        } else if (!any_set(f->mask->tun_md + md.ofs, md.len)) {
            str_addf(f->out, "tun_metadata%u,", n);
        } else {
            char name[24];
            snprintf(name, sizeof name, "tun_metadata%u", n);
            add_bytes(f, name, f->key->tun_md + md.ofs, f->mask->tun_md + md.ofs, md.len);
        }
    }
}

static void
add_tunnel(const struct fmt *f)
{
    const struct flow_tunnel *k = &f->key->tun;
    const struct flow_mask *m = f->mask;
    const bool any_ver = !m->tun.erspan_ver;
    ADD64(f, "tun_id", tun.id);
    add_ip4(f, "tun_src", k->ip_src, m->tun.ip_src);
    add_ip4(f, "tun_dst", k->ip_dst, m->tun.ip_dst);
    add_ip6(f, "tun_ipv6_src", k->ipv6_src, m->tun.ipv6_src);
    add_ip6(f, "tun_ipv6_dst", k->ipv6_dst, m->tun.ipv6_dst);
    ADD16(f, "tun_gbp_id", tun.gbp_id, 'd');
    ADD8(f, "tun_gbp_flags", tun.gbp_flags, 'x');
    ADD8(f, "tun_tos", tun.tos, 'd');
    ADD8(f, "tun_ttl", tun.ttl, 'd');
    NUMBER(f, "tun_erspan_ver", k->erspan_ver, m->tun.erspan_ver, 4, 'd');
    if (any_ver || k->erspan_ver == 1) {
        NUMBER(f, "tun_erspan_idx", be32toh(k->erspan_idx), be32toh(m->tun.erspan_idx), 20, 'x');
    }
    if (any_ver || k->erspan_ver == 2) {
        NUMBER(f, "tun_erspan_dir", k->erspan_dir, m->tun.erspan_dir, 1, 'd');
        NUMBER(f, "tun_erspan_hwid", k->erspan_hwid, m->tun.erspan_hwid, 6, 'x');
    }
    ADD8(f, "gtpu_flags", tun.gtpu_flags, 'x');
    ADD8(f, "gtpu_msgtype", tun.gtpu_msgtype, 'd');
    ADD16(f, "tun_tp_src", tun.tp_src, 'd');
    ADD16(f, "tun_tp_dst", tun.tp_dst, 'd');
    add_flags(f, "tun_flags", &field_flags_tun, be16toh(k->flags),
              be16toh(m->tun.flags) & field_flags_tun.all);
    add_tun_md(f);
}

static void
add_vlan(const struct fmt *f, int i)
{
    const uint16_t tci = be16toh(f->key->vlan[i].tci), mask = be16toh(f->mask->vlan[i].tci);
    const uint16_t vid = mask & 0x0fff, pcp = mask & 0xe000;
    const char *suffix = i ? "1" : "";
    if (!mask) {
        return;
    }
    if (tci & mask & FLOW_VLAN_PRESENT && (vid || pcp) && (!vid || vid == 0x0fff) &&
        (!pcp || pcp == 0xe000)) {
        if (vid) {
            str_addf(f->out, "dl_vlan%s=%u,", suffix, tci & 0x0fff);
        }
        if (pcp) {
            str_addf(f->out, "dl_vlan_pcp%s=%u,", suffix, tci >> 13);
        }
    } else {
        str_addf(f->out, "vlan_tci%s=0x%04x", suffix, tci);
        if (mask != 0xffff) {
            str_addf(f->out, "/0x%04x", mask);
        }
        end(f);
    }
}

static void
add_ethernet(const struct fmt *f, bool skip_type)
{
    for (int i = 0; i < FLOW_N_VLANS; i++) {
        add_vlan(f, i);
    }
    add_mac(f, "dl_src", &f->key->eth_src, &f->mask->eth_src);
    add_mac(f, "dl_dst", &f->key->eth_dst, &f->mask->eth_dst);
    if (f->mask->eth_type && !skip_type) {
        str_addf(f->out, "dl_type=0x%04x", be16toh(f->key->eth_type));
        if (f->mask->eth_type != UINT16_MAX) {
            str_addf(f->out, "/0x%04x", be16toh(f->mask->eth_type));
        }
        end(f);
    }
}

static void
add_ipv6_label(const struct fmt *f)
{
    const uint32_t all = 0xfffff, mask = be32toh(f->mask->ipv6_label) & all;
    if (mask) {
        str_addf(f->out, "ipv6_label=0x%05x", be32toh(f->key->ipv6_label));
        if (mask != all) {
            str_addf(f->out, "/0x%05x", mask);
        }
        end(f);
    }
}

static void
add_nsh(const struct fmt *f)
{
    static const char *const context[] = {"nsh_c1", "nsh_c2", "nsh_c3", "nsh_c4"};
    const uint32_t path = be32toh(f->key->nsh_path), path_mask = be32toh(f->mask->nsh_path);
    ADD8(f, "nsh_flags", nsh_flags, 'd');
    ADD8(f, "nsh_ttl", nsh_ttl, 'd');
    ADD8(f, "nsh_mdtype", nsh_mdtype, 'd');
    ADD8(f, "nsh_np", nsh_np, 'd');
    NUMBER(f, "nsh_spi", path >> 8, path_mask >> 8, 24, 'X');
    NUMBER(f, "nsh_si", path & 0xff, path_mask & 0xff, 8, 'd');
    for (int i = 0; i < 4; i++) {
        ADD32(f, context[i], nsh_context[i], 'X');
    }
}

static void
add_mpls(const struct fmt *f)
{
    const uint32_t lse = be32toh(f->key->mpls_lse[0]), mask = be32toh(f->mask->mpls_lse[0]);
    NUMBER(f, "mpls_label", lse >> 12, mask >> 12, 20, 'd');
    NUMBER(f, "mpls_tc", lse >> 9 & 7, mask >> 9, 3, 'd');
    NUMBER(f, "mpls_ttl", lse & 0xff, mask, 8, 'd');
    NUMBER(f, "mpls_bos", lse >> 8 & 1, mask >> 8, 1, 'd');
    ADD32(f, "mpls_lse1", mpls_lse[1], 'x');
    ADD32(f, "mpls_lse2", mpls_lse[2], 'x');
}

static bool
is_icmp6(const struct flow_key *k)
{
    return k->eth_type == htobe16(ETH_TYPE_IPV6) && k->nw_proto == IPPROTO_ICMPV6;
}

static void
add_network(const struct fmt *f, bool skip_proto)
{
    const struct flow_key *k = f->key;
    const struct flow_mask *m = f->mask;
    const bool is_arp =
        k->eth_type == htobe16(ETH_TYPE_ARP) || k->eth_type == htobe16(ETH_TYPE_RARP);
    add_ip6(f, "ipv6_src", k->ipv6_src, m->ipv6_src);
    add_ip6(f, "ipv6_dst", k->ipv6_dst, m->ipv6_dst);
    add_ipv6_label(f);
    add_ip4(f, is_arp ? "arp_spa" : "nw_src", k->nw_src, m->nw_src);
    add_ip4(f, is_arp ? "arp_tpa" : "nw_dst", k->nw_dst, m->nw_dst);
    add_nsh(f);
    if (!skip_proto) {
        ADD8(f, is_arp ? "arp_op" : "nw_proto", nw_proto, 'd');
    }
    if (!is_icmp6(k)) {
        add_mac(f, "arp_sha", &k->arp_sha, &m->arp_sha);
        add_mac(f, "arp_tha", &k->arp_tha, &m->arp_tha);
    }
    if (m->nw_tos & 0xfc) {
        str_addf(f->out, "nw_tos=%u", k->nw_tos & 0xfcu);
        if ((m->nw_tos & 0xfc) != 0xfc) {
            str_addf(f->out, "/%#x", m->nw_tos & 0xfcu);
        }
        end(f);
    }
    NUMBER(f, "nw_ecn", k->nw_tos & 3, m->nw_tos, 2, 'd');
    ADD8(f, "nw_ttl", nw_ttl, 'd');
    add_mpls(f);
    if (m->nw_frag & (FLOW_FRAG_ANY | FLOW_FRAG_LATER)) {
        add_name(f, "nw_frag");
        field_format_frag(k->nw_frag, m->nw_frag, f->out);
        end(f);
    }
}

static void
add_transport(const struct fmt *f)
{
    const struct flow_key *k = f->key;
    const struct flow_mask *m = f->mask;
    const uint16_t type = be16toh(k->eth_type);
    const bool is_icmp = is_icmp6(k) || (type == ETH_TYPE_IP && k->nw_proto == IPPROTO_ICMP);
    if (is_icmp) {
        ADD16(f, "icmp_type", tp_src, 'd'); // exact as 16 bits, a mask where only the byte is
        ADD16(f, "icmp_code", tp_dst, 'd');
    } else {
        ADD16(f, "tp_src", tp_src, 'd');
        ADD16(f, "tp_dst", tp_dst, 'd');
    }
    add_ip4(f, "igmp_group", k->igmp_group, m->igmp_group);
    add_ip6(f, "nd_target", k->nd_target, m->nd_target);
    if (is_icmp6(k)) {
        add_mac(f, "nd_sll", &k->arp_sha, &m->arp_sha);
        add_mac(f, "nd_tll", &k->arp_tha, &m->arp_tha);
    }
    ADD32(f, "nd_reserved", nd_reserved, 'd');
    ADD8(f, "nd_options_type", nd_options_type, 'd');
    add_flags(f, "tcp_flags", &field_flags_tcp, be16toh(k->tcp_flags),
              be16toh(m->tcp_flags) & field_flags_tcp.all);
}

static void
format_fields(const struct fmt *f)
{
    static const char *const regs[FLOW_N_REGS] = {
        "reg0", "reg1", "reg2",  "reg3",  "reg4",  "reg5",  "reg6",  "reg7",
        "reg8", "reg9", "reg10", "reg11", "reg12", "reg13", "reg14", "reg15"};
    add_metadata(f);
    add_packet_type(f);
    const struct shorthand s = add_shorthand(f);
    for (int i = 0; i < FLOW_N_REGS; i++) {
        ADD32(f, regs[i], regs[i], 'x');
    }
    add_tunnel(f);
    ADD64(f, "metadata", metadata);
    add_port(f, "in_port", f->key->in_port, f->mask->in_port);
    add_ethernet(f, s.type);
    add_network(f, s.proto);
    add_transport(f);
}

void
match_format(const struct flow_match *m, const struct field_port_names *names, int priority,
             struct str *out)
{
    const struct fmt f = {.key = &m->key, .mask = &m->mask, .names = names, .out = out};
    const size_t start = out->len;
    if (priority >= 0 && priority != 32768) {
        str_addf(out, "priority=%d,", priority);
    }
    format_fields(&f);
    if (out->len > start) {
        str_truncate(out, out->len - 1);
    }
}
