// SPDX-License-Identifier: Apache-2.0
// A filter in the words of `tc filter show`, from the bytes that would be, or were, sent.
#include "config.h"

#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_pedit.h>
#include <linux/tc_act/tc_skbedit.h>
#include <linux/tc_act/tc_vlan.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "offload/ofl_private.h"

// --- Keys. ---

enum form {
    FORM_DEC,
    FORM_HEX,
    FORM_TYPE,      // "ipv4"
    FORM_ETHERTYPE, // "ip"
    FORM_MAC,
    FORM_IP4,
    FORM_IP6,
    FORM_PROTO,
    FORM_ARP_OP,
    FORM_FLAGS
};

// In tc's order.
static const struct {
    const char *name;
    uint16_t key, mask;
    uint8_t form;
} words[] = {
    {"vlan_id", TCA_FLOWER_KEY_VLAN_ID, 0, FORM_DEC},
    {"vlan_prio", TCA_FLOWER_KEY_VLAN_PRIO, 0, FORM_DEC},
    {"vlan_ethtype", TCA_FLOWER_KEY_VLAN_ETH_TYPE, 0, FORM_ETHERTYPE},
    {"cvlan_id", TCA_FLOWER_KEY_CVLAN_ID, 0, FORM_DEC},
    {"cvlan_prio", TCA_FLOWER_KEY_CVLAN_PRIO, 0, FORM_DEC},
    {"cvlan_ethtype", TCA_FLOWER_KEY_CVLAN_ETH_TYPE, 0, FORM_ETHERTYPE},
    {"dst_mac", TCA_FLOWER_KEY_ETH_DST, TCA_FLOWER_KEY_ETH_DST_MASK, FORM_MAC},
    {"src_mac", TCA_FLOWER_KEY_ETH_SRC, TCA_FLOWER_KEY_ETH_SRC_MASK, FORM_MAC},
    {"eth_type", TCA_FLOWER_KEY_ETH_TYPE, 0, FORM_TYPE},
    {"ip_proto", TCA_FLOWER_KEY_IP_PROTO, 0, FORM_PROTO},
    {"ip_tos", TCA_FLOWER_KEY_IP_TOS, TCA_FLOWER_KEY_IP_TOS_MASK, FORM_DEC},
    {"ip_ttl", TCA_FLOWER_KEY_IP_TTL, TCA_FLOWER_KEY_IP_TTL_MASK, FORM_DEC},
    {"dst_ip", TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK, FORM_IP4},
    {"src_ip", TCA_FLOWER_KEY_IPV4_SRC, TCA_FLOWER_KEY_IPV4_SRC_MASK, FORM_IP4},
    {"dst_ip", TCA_FLOWER_KEY_IPV6_DST, TCA_FLOWER_KEY_IPV6_DST_MASK, FORM_IP6},
    {"src_ip", TCA_FLOWER_KEY_IPV6_SRC, TCA_FLOWER_KEY_IPV6_SRC_MASK, FORM_IP6},
    {"dst_port", TCA_FLOWER_KEY_TCP_DST, TCA_FLOWER_KEY_TCP_DST_MASK, FORM_DEC},
    {"src_port", TCA_FLOWER_KEY_TCP_SRC, TCA_FLOWER_KEY_TCP_SRC_MASK, FORM_DEC},
    {"dst_port", TCA_FLOWER_KEY_UDP_DST, TCA_FLOWER_KEY_UDP_DST_MASK, FORM_DEC},
    {"src_port", TCA_FLOWER_KEY_UDP_SRC, TCA_FLOWER_KEY_UDP_SRC_MASK, FORM_DEC},
    {"dst_port", TCA_FLOWER_KEY_SCTP_DST, TCA_FLOWER_KEY_SCTP_DST_MASK, FORM_DEC},
    {"src_port", TCA_FLOWER_KEY_SCTP_SRC, TCA_FLOWER_KEY_SCTP_SRC_MASK, FORM_DEC},
    {"tcp_flags", TCA_FLOWER_KEY_TCP_FLAGS, TCA_FLOWER_KEY_TCP_FLAGS_MASK, FORM_HEX},
    {"icmp_type", TCA_FLOWER_KEY_ICMPV4_TYPE, TCA_FLOWER_KEY_ICMPV4_TYPE_MASK, FORM_DEC},
    {"icmp_code", TCA_FLOWER_KEY_ICMPV4_CODE, TCA_FLOWER_KEY_ICMPV4_CODE_MASK, FORM_DEC},
    {"icmp_type", TCA_FLOWER_KEY_ICMPV6_TYPE, TCA_FLOWER_KEY_ICMPV6_TYPE_MASK, FORM_DEC},
    {"icmp_code", TCA_FLOWER_KEY_ICMPV6_CODE, TCA_FLOWER_KEY_ICMPV6_CODE_MASK, FORM_DEC},
    {"arp_sip", TCA_FLOWER_KEY_ARP_SIP, TCA_FLOWER_KEY_ARP_SIP_MASK, FORM_IP4},
    {"arp_tip", TCA_FLOWER_KEY_ARP_TIP, TCA_FLOWER_KEY_ARP_TIP_MASK, FORM_IP4},
    {"arp_op", TCA_FLOWER_KEY_ARP_OP, TCA_FLOWER_KEY_ARP_OP_MASK, FORM_ARP_OP},
    {"arp_sha", TCA_FLOWER_KEY_ARP_SHA, TCA_FLOWER_KEY_ARP_SHA_MASK, FORM_MAC},
    {"arp_tha", TCA_FLOWER_KEY_ARP_THA, TCA_FLOWER_KEY_ARP_THA_MASK, FORM_MAC},
    {"ip_flags", TCA_FLOWER_KEY_FLAGS, TCA_FLOWER_KEY_FLAGS_MASK, FORM_FLAGS},
};

static const char *
type_name(uint16_t type, char buf[16])
{
    static const struct {
        uint16_t type;
        const char *name;
    } known[] = {{0x0800, "ipv4"},
                 {0x86dd, "ipv6"},
                 {0x0806, "arp"},
                 {0x8100, "802.1Q"},
                 {0x88a8, "802.1ad"}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].type == type) {
            return known[i].name;
        }
    }
    snprintf(buf, 16, "%04x", type);
    return buf;
}

static const char *
proto_name(uint8_t proto, char buf[16])
{
    switch (proto) {
    case 1:
        return "icmp";
    case 6:
        return "tcp";
    case 17:
        return "udp";
    case 58:
        return "icmpv6";
    case 132:
        return "sctp";
    default:
        snprintf(buf, 16, "%02x", proto);
        return buf;
    }
}

static uint32_t
as_number(const struct nlk_attr *a, bool big_endian)
{
    switch (a->len) {
    case 1:
        return nlk_u8(a);
    case 2:
        return big_endian ? be16toh(nlk_u16(a)) : nlk_u16(a);
    default:
        return be32toh(nlk_u32(a));
    }
}

static bool
is_exact(const struct nlk_attr *mask)
{
    for (size_t i = 0; i < mask->len; i++) {
        if (((const uint8_t *) mask->data)[i] != 0xff) {
            return false;
        }
    }
    return true;
}

// Length of a prefix, or -1.
static int
prefix_len(const struct nlk_attr *mask)
{
    const uint8_t *b = mask->data;
    size_t n = 0;
    while (n < mask->len * 8u && b[n / 8] >> (7 - n % 8) & 1) {
        n++;
    }
    for (size_t i = n; i < mask->len * 8u; i++) {
        if (b[i / 8] >> (7 - i % 8) & 1) {
            return -1;
        }
    }
    return (int) n;
}

static void
add_value(struct str *out, uint8_t form, const struct nlk_attr *a, bool host)
{
    char buf[16];
    const uint8_t *b = a->data;
    switch ((enum form) form) {
    case FORM_DEC:
        str_addf(out, "%u", as_number(a, !host));
        break;
    case FORM_HEX:
        str_addf(out, "0x%x", as_number(a, true));
        break;
    case FORM_TYPE:
        str_add(out, type_name((uint16_t) as_number(a, true), buf));
        break;
    case FORM_ETHERTYPE:
        str_add(out,
                as_number(a, true) == 0x800 ? "ip" : type_name((uint16_t) as_number(a, true), buf));
        break;
    case FORM_MAC:
        str_addf(out, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
        break;
    case FORM_IP4:
        str_add_ip4(out, nlk_u32(a));
        break;
    case FORM_IP6:
        str_add_ip6(out, b);
        break;
    case FORM_PROTO:
        str_add(out, proto_name(b[0], buf));
        break;
    case FORM_ARP_OP:
        str_add(out, b[0] == 1 ? "request" : b[0] == 2 ? "reply" : "");
        if (b[0] != 1 && b[0] != 2) {
            str_addf(out, "%u", b[0]);
        }
        break;
    case FORM_FLAGS:
        break;
    }
}

static void
add_flags(struct str *out, const struct nlk_attr *key, const struct nlk_attr *mask)
{
    const uint32_t k = as_number(key, true), m = as_number(mask, true);
    const char *sep = "";
    str_add(out, "\n  ip_flags ");
    if (m & TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT) {
        str_add(out, k & TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT ? "frag" : "nofrag");
        sep = "/";
    }
    if (m & TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST) {
        str_addf(out, "%s%s", sep,
                 k & TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST ? "firstfrag" : "nofirstfrag");
    }
}

static bool
size_fits(uint8_t form, size_t len)
{
    return form == FORM_MAC   ? len == 6
           : form == FORM_IP4 ? len == 4
           : form == FORM_IP6 ? len == 16
                              : len == 1 || len == 2 || len == 4;
}

// The type behind all tags, which the kernel tells as the filter's.
static const struct nlk_attr *
inner_type(const struct nlk_attr o[])
{
    static const uint16_t types[] = {TCA_FLOWER_KEY_CVLAN_ETH_TYPE, TCA_FLOWER_KEY_VLAN_ETH_TYPE};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (o[types[i]].len == 2) {
            return &o[types[i]];
        }
    }
    return &o[TCA_FLOWER_KEY_ETH_TYPE];
}

static void
add_keys(struct str *out, const struct nlk_attr o[])
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const struct nlk_attr *key = &o[words[i].key],
                              *mask = words[i].mask ? &o[words[i].mask] : NULL;
        const uint8_t form = words[i].form;
        if (words[i].key == TCA_FLOWER_KEY_ETH_TYPE) {
            key = inner_type(o);
        }
        if (!key->data || !size_fits(form, key->len) ||
            (mask && mask->data && mask->len != key->len)) {
            continue;
        }
        if (form == FORM_FLAGS) {
            if (mask && mask->data) {
                add_flags(out, key, mask);
            }
            continue;
        }
        str_addf(out, "\n  %s ", words[i].name);
        const bool host =
            words[i].key == TCA_FLOWER_KEY_VLAN_ID || words[i].key == TCA_FLOWER_KEY_CVLAN_ID;
        if (mask && mask->data && !is_exact(mask) && form == FORM_DEC) {
            str_addf(out, "%u/0x%x", as_number(key, true), as_number(mask, true));
            continue;
        }
        add_value(out, form, key, host);
        if (!mask || !mask->data || is_exact(mask)) {
            continue;
        }
        const int prefix = form == FORM_IP4 || form == FORM_IP6 ? prefix_len(mask) : -1;
        str_add_char(out, '/');
        if (form == FORM_HEX) {
            str_addf(out, "%x", as_number(mask, true)); // sic
        } else if (prefix >= 0) {
            str_addf(out, "%d", prefix);
        } else {
            add_value(out, form, mask, host);
        }
    }
}

// --- Actions. ---

static const char *
control(int action)
{
    return action == TC_ACT_PIPE     ? "pipe"
           : action == TC_ACT_STOLEN ? "stolen"
           : action == TC_ACT_SHOT   ? "drop"
                                     : "pass";
}

static void
add_pedit(struct str *out, const struct nlk_attr *options)
{
    static const char *const headers[OFL_PEDIT_HEADERS] = {"ip",   "eth", "ipv4",
                                                           "ipv6", "tcp", "udp"};
    struct ofl_pedit p;
    unsigned n = 0;
    struct str keys = STR_INIT;
    if (!ofl_pedit_get(options, &p)) {
        return;
    }
    for (unsigned h = 0; h < OFL_PEDIT_HEADERS; h++) {
        for (unsigned ofs = 0; ofs < OFL_PEDIT_BYTES; ofs += 4) {
            uint32_t mask, value;
            memcpy(&mask, &p.header[h].mask[ofs], 4);
            memcpy(&value, &p.header[h].value[ofs], 4);
            if (mask) {
                str_addf(&keys, "\n\t key #%u  at %s+%u: val %08x mask %08x", n++, headers[h], ofs,
                         be32toh(value), be32toh(~mask));
            }
        }
    }
    str_addf(out, "  pedit action pipe keys %u%s", n, str_get(&keys));
    str_free(&keys);
}

static void
add_csum(struct str *out, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {
        {TCA_CSUM_UPDATE_FLAG_IPV4HDR, "iph"}, {TCA_CSUM_UPDATE_FLAG_ICMP, "icmp"},
        {TCA_CSUM_UPDATE_FLAG_IGMP, "igmp"},   {TCA_CSUM_UPDATE_FLAG_TCP, "tcp"},
        {TCA_CSUM_UPDATE_FLAG_UDP, "udp"},     {TCA_CSUM_UPDATE_FLAG_UDPLITE, "udplite"},
        {TCA_CSUM_UPDATE_FLAG_SCTP, "sctp"},
    };
    const char *sep = "";
    str_add(out, " csum (");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (flags & names[i].flag) {
            str_addf(out, "%s%s", sep, names[i].name);
            sep = ", ";
        }
    }
    str_add(out, ") action pipe");
}

static void
add_vlan(struct str *out, const struct nlk_attr t[], int what)
{
    char buf[16];
    static const char *const verbs[] = {
        [TCA_VLAN_ACT_POP] = "pop", [TCA_VLAN_ACT_PUSH] = "push", [TCA_VLAN_ACT_MODIFY] = "modify"};
    if (what < TCA_VLAN_ACT_POP || what > TCA_VLAN_ACT_MODIFY) {
        return;
    }
    str_addf(out, " vlan  %s", verbs[what]);
    if (what != TCA_VLAN_ACT_POP) {
        str_addf(out, " id %u protocol %s priority %u", nlk_u16(&t[TCA_VLAN_PUSH_VLAN_ID]),
                 type_name(be16toh(nlk_u16(&t[TCA_VLAN_PUSH_VLAN_PROTOCOL])), buf),
                 nlk_u8(&t[TCA_VLAN_PUSH_VLAN_PRIORITY]));
    }
    str_add(out, " pipe");
}

static void
add_mirred(struct str *out, const struct tc_mirred *p, const struct ofl_devs *devs)
{
    const struct ofl_dev *d = ofl_dev_by_ifindex(devs, (int) p->ifindex);
    static const char *const verbs[] = {
        [TCA_EGRESS_REDIR] = "Egress Redirect",
        [TCA_EGRESS_MIRROR] = "Egress Mirror",
        [TCA_INGRESS_REDIR] = "Ingress Redirect",
        [TCA_INGRESS_MIRROR] = "Ingress Mirror",
    };
    if (p->eaction < TCA_EGRESS_REDIR || p->eaction > TCA_INGRESS_MIRROR) {
        return;
    }
    str_addf(out, " mirred (%s to device %s) %s", verbs[p->eaction], d ? d->info.name : "?",
             control(p->action));
}

static void
add_goto(struct str *out, uint32_t chain, const struct ofl_devs *devs)
{
    const int to = ofl_local_of_chain(chain);
    const struct ofl_dev *d = to ? ofl_dev_by_ifindex(devs, to) : NULL;
    str_addf(out, " gact action goto chain %u\n\t random type none pass val 0", chain);
    if (d) {
        str_addf(out, "\n(software gives what comes to chain %u to %s)", chain, d->info.name);
    }
}

static void
add_action(struct str *out, const struct nlk_attr *act, const struct ofl_devs *devs)
{
    struct nlk_attr t[TCA_ACT_MAX + 1], o[16];
    if (nlk_parse_nested(act, t, ARRAY_SIZE(t)) ||
        nlk_parse_nested(&t[TCA_ACT_OPTIONS], o, ARRAY_SIZE(o))) {
        return;
    }
    const char *kind = nlk_str(&t[TCA_ACT_KIND]);
    if (!strcmp(kind, "mirred") && o[TCA_MIRRED_PARMS].len >= sizeof(struct tc_mirred)) {
        struct tc_mirred p;
        memcpy(&p, o[TCA_MIRRED_PARMS].data, sizeof p);
        add_mirred(out, &p, devs);
    } else if (!strcmp(kind, "vlan") && o[TCA_VLAN_PARMS].len >= sizeof(struct tc_vlan)) {
        struct tc_vlan p;
        memcpy(&p, o[TCA_VLAN_PARMS].data, sizeof p);
        add_vlan(out, o, p.v_action);
    } else if (!strcmp(kind, "csum") && o[TCA_CSUM_PARMS].len >= sizeof(struct tc_csum)) {
        struct tc_csum p;
        memcpy(&p, o[TCA_CSUM_PARMS].data, sizeof p);
        add_csum(out, p.update_flags);
    } else if (!strcmp(kind, "pedit")) {
        add_pedit(out, &t[TCA_ACT_OPTIONS]);
    } else if (!strcmp(kind, "skbedit")) {
        str_add(out, " skbedit  ptype host pipe");
    } else if (!strcmp(kind, "gact")) {
        struct tc_gact p = {.action = TC_ACT_SHOT};
        memcpy(&p, o[TCA_GACT_PARMS].data ? o[TCA_GACT_PARMS].data : &p,
               MIN((size_t) o[TCA_GACT_PARMS].len, sizeof p));
        if (TC_ACT_EXT_CMP(p.action, TC_ACT_GOTO_CHAIN)) {
            add_goto(out, (uint32_t) p.action & TC_ACT_EXT_VAL_MASK, devs);
        } else {
            str_add(out, " gact action drop\n\t random type none pass val 0");
        }
    } else {
        str_addf(out, " %s", kind);
    }
}

void
ofl_text_filter(const struct ofl_record *rec, const struct ofl_devs *devs, struct str *out)
{
    char buf[16];
    struct nlk_attr o[TCA_FLOWER_MAX + 1], acts[TCA_ACT_MAX_PRIO + 1];
    const char *protocol = type_name(be16toh(rec->f.protocol), buf);

    str_addf(out, "filter protocol %s pref %u flower chain %u",
             !strcmp(protocol, "ipv4") ? "ip" : protocol, rec->f.prio, rec->f.chain);
    if (rec->f.handle) {
        str_addf(out, " handle 0x%x", rec->f.handle);
    }
    if (nlk_parse(rec->options, rec->options_len, o, ARRAY_SIZE(o))) {
        return;
    }
    add_keys(out, o);
    if (rec->f.flags & TCA_CLS_FLAGS_SKIP_HW) {
        str_add(out, "\n  skip_hw");
    }
    if (rec->f.flags & TCA_CLS_FLAGS_SKIP_SW) {
        str_add(out, "\n  skip_sw");
    }
    if (nlk_parse_nested(&o[TCA_FLOWER_ACT], acts, ARRAY_SIZE(acts))) {
        return;
    }
    for (unsigned i = 1; i < ARRAY_SIZE(acts) && acts[i].data; i++) {
        str_addf(out, "\n\taction order %u:", i);
        add_action(out, &acts[i], devs);
    }
}
