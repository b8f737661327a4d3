// SPDX-License-Identifier: Apache-2.0
// Actions on particular headers: VLAN tags, Ethernet and IPv4 addresses, TOS, TTL, ports, MPLS,
// tunnel ids. Versions after OpenFlow 1.1 say most of them as set_field.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <arpa/inet.h>
#include <stdlib.h>

static struct of_act_u32 *
add_u32(struct of_act_text *t, enum of_act_type type, uint32_t value)
{
    struct of_act_u32 *a = of_actions_add(t->acts, type, sizeof *a);
    a->value = value;
    return a;
}

static void
put_u8(const struct of_act_wire *w, uint16_t type, uint32_t value)
{
    const size_t start = of_act_begin(w, type);
    of_put8(w->out, (uint8_t) value);
    of_act_end(w, start);
}

static void
put_u16(const struct of_act_wire *w, uint16_t type, uint32_t value)
{
    const size_t start = of_act_begin(w, type);
    of_put16(w->out, (uint16_t) value);
    of_act_end(w, start);
}

static void
put_nx_u8(const struct of_act_wire *w, uint16_t subtype, uint32_t value)
{
    const size_t start = of_act_begin_nx(w, subtype);
    of_put8(w->out, (uint8_t) value);
    of_act_end(w, start);
}

static void
put_ethertype(const struct of_act_wire *w, uint16_t type, be16_t ethertype)
{
    put_u16(w, type, be16toh(ethertype));
}

// --- VLAN ---

char *
of_act_parse_vlan_vid(struct of_act_text *t, char *arg)
{
    uint16_t vid;
    char *error = of_act_parse_u16(arg, "VLAN VID", &vid);
    if (error) {
        return error;
    }
    if (vid & ~0xfff) {
        return base_asprintf("%s: not a valid VLAN VID", arg);
    }
    add_u32(t, OF_ACT_SET_VLAN_VID, vid)->i.flags = (uint16_t) t->variant;
    return NULL;
}

void
of_act_format_vlan_vid(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "%s_vlan_vid:%u", i->flags & OF_VLAN_PUSH ? "mod" : "set", a->value);
}

// OpenFlow 1.0's action pushes a tag where there is none; later ones want that said.
static void
put_push_if_needed(const struct flat_item *i, const struct of_act_wire *w)
{
    if (w->version != OF_10 && i->flags & OF_VLAN_PUSH && !(i->flags & OF_VLAN_KNOWN)) {
        put_u16(w, 17, 0x8100);
    }
}

void
of_act_encode_vlan_vid(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    put_push_if_needed(i, w);
    if (w->version <= OF_11) {
        put_u16(w, 1, a->value);
    } else {
        of_act_put_set_number(w, FIELD_VLAN_VID, a->value | FLOW_VLAN_PRESENT);
    }
}

char *
of_act_parse_vlan_pcp(struct of_act_text *t, char *arg)
{
    uint8_t pcp;
    char *error = of_act_parse_u8(arg, "VLAN PCP", &pcp);
    if (error) {
        return error;
    }
    if (pcp & ~7) {
        return base_asprintf("%s: not a valid VLAN PCP", arg);
    }
    add_u32(t, OF_ACT_SET_VLAN_PCP, pcp)->i.flags = (uint16_t) t->variant;
    return NULL;
}

void
of_act_format_vlan_pcp(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "%s_vlan_pcp:%u", i->flags & OF_VLAN_PUSH ? "mod" : "set", a->value);
}

void
of_act_encode_vlan_pcp(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    put_push_if_needed(i, w);
    if (w->version <= OF_11) {
        put_u8(w, 2, a->value);
    } else {
        of_act_put_set_number(w, FIELD_VLAN_PCP, a->value);
    }
}

void
of_act_format_strip_vlan(const struct flat_item *i, const struct of_act_form *f)
{
    str_add(f->out, i->flags & OF_STRIP_VLAN_POP ? "pop_vlan" : "strip_vlan");
}

void
of_act_encode_strip_vlan(const struct flat_item *i FB_UNUSED, const struct of_act_wire *w)
{
    of_act_put_plain(w, w->version == OF_10 ? 3 : 18);
}

char *
of_act_parse_push_vlan(struct of_act_text *t, char *arg)
{
    be16_t type;
    char *error = of_act_parse_ethertype(arg, "ethertype", &type);
    if (error) {
        return error;
    }
    if (type != htobe16(0x8100) && type != htobe16(0x88a8)) {
        return base_asprintf("%s: not a valid VLAN ethertype", arg);
    }
    struct of_act_push *a = of_actions_add(t->acts, OF_ACT_PUSH_VLAN, sizeof *a);
    a->ethertype = type;
    *t->usable &= OF_PROTO_OXM | OF_PROTO_11;
    return NULL;
}

void
of_act_format_push_vlan(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_push, a, i);
    str_addf(f->out, "push_vlan:0x%04x", be16toh(a->ethertype));
}

void
of_act_encode_push_vlan(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_push, a, i);
    if (w->version != OF_10) { // there, setting the VLAN that must follow pushes the tag
        put_ethertype(w, 17, a->ethertype);
    }
}

// --- Ethernet, IPv4 ---

static bool
parse_mac(const char *s, struct mac *out)
{
    for (int k = 0; k < 6; k++) {
        char *end;
        if (!strchr("0123456789abcdefABCDEF", *s) || !*s) {
            return false;
        }
        const unsigned long x = strtoul(s, &end, 16);
        if (x > 0xff || *end != (k < 5 ? ':' : '\0')) {
            return false;
        }
        out->b[k] = (uint8_t) x;
        s = end + (k < 5);
    }
    return true;
}

char *
of_act_parse_eth(struct of_act_text *t, char *arg)
{
    struct mac mac;
    if (!parse_mac(arg, &mac)) {
        return base_asprintf("invalid mac address %s", arg);
    }
    struct of_act_mac *a = of_actions_add(t->acts, t->variant, sizeof *a);
    a->mac = mac;
    return NULL;
}

void
of_act_format_eth(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_mac, a, i);
    str_add(f->out, i->type == OF_ACT_SET_ETH_SRC ? "mod_dl_src:" : "mod_dl_dst:");
    str_add_mac(f->out, &a->mac);
}

void
of_act_encode_eth(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_mac, a, i);
    const bool src = i->type == OF_ACT_SET_ETH_SRC;
    if (w->version <= OF_11) {
        const size_t start = of_act_begin(w, (src ? 4 : 5) - (w->version == OF_11));
        str_add_n(w->out, a->mac.b, 6);
        of_act_end(w, start);
        return;
    }
    uint64_t x = 0;
    for (int k = 0; k < 6; k++) {
        x = x << 8 | a->mac.b[k];
    }
    of_act_put_set_number(w, src ? FIELD_ETH_SRC : FIELD_ETH_DST, x);
}

char *
of_act_parse_ipv4(struct of_act_text *t, char *arg)
{
    struct in_addr addr;
    if (inet_pton(AF_INET, arg, &addr) != 1) {
        return base_asprintf("%s: could not convert to IP address", arg);
    }
    struct of_act_ipv4 *a = of_actions_add(t->acts, t->variant, sizeof *a);
    a->addr = addr.s_addr;
    return NULL;
}

void
of_act_format_ipv4(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_ipv4, a, i);
    str_add(f->out, i->type == OF_ACT_SET_IPV4_SRC ? "mod_nw_src:" : "mod_nw_dst:");
    str_add_ip4(f->out, a->addr);
}

void
of_act_encode_ipv4(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_ipv4, a, i);
    const bool src = i->type == OF_ACT_SET_IPV4_SRC;
    if (w->version <= OF_11) {
        const size_t start = of_act_begin(w, (src ? 6 : 7) - (w->version == OF_11));
        of_put32(w->out, be32toh(a->addr));
        of_act_end(w, start);
    } else {
        of_act_put_set_number(w, src ? FIELD_NW_SRC : FIELD_NW_DST, be32toh(a->addr));
    }
}

// --- TOS, TTL ---

char *
of_act_parse_ip_dscp(struct of_act_text *t, char *arg)
{
    uint8_t tos;
    char *error = of_act_parse_u8(arg, "TOS", &tos);
    if (error) {
        return error;
    }
    if (tos & 3) {
        return base_asprintf("%s: not a valid TOS", arg);
    }
    add_u32(t, OF_ACT_SET_IP_DSCP, tos);
    return NULL;
}

void
of_act_format_ip_dscp(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "mod_nw_tos:%u", a->value);
}

void
of_act_encode_ip_dscp(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version <= OF_11) {
        put_u8(w, w->version == OF_10 ? 8 : 7, a->value);
    } else {
        of_act_put_set_number(w, FIELD_IP_DSCP, a->value >> 2);
    }
}

char *
of_act_parse_ip_ecn(struct of_act_text *t, char *arg)
{
    uint8_t ecn;
    char *error = of_act_parse_u8(arg, "ECN", &ecn);
    if (error) {
        return error;
    }
    if (ecn & ~3) {
        return base_asprintf("%s: not a valid ECN", arg);
    }
    add_u32(t, OF_ACT_SET_IP_ECN, ecn);
    return NULL;
}

void
of_act_format_ip_ecn(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "mod_nw_ecn:%u", a->value);
}

void
of_act_encode_ip_ecn(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version == OF_11) {
        put_u8(w, 8, a->value);
    } else {
        of_act_put_set_number(w, FIELD_NW_ECN, a->value);
    }
}

char *
of_act_parse_ip_ttl(struct of_act_text *t, char *arg)
{
    uint8_t ttl;
    char *error = of_act_parse_u8(arg, "TTL", &ttl);
    if (!error) {
        add_u32(t, OF_ACT_SET_IP_TTL, ttl);
    }
    return error;
}

void
of_act_format_ip_ttl(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "mod_nw_ttl:%u", a->value);
}

void
of_act_encode_ip_ttl(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version == OF_10) {
        of_act_put_set_number(w, FIELD_NW_TTL, a->value);
    } else {
        put_u8(w, 23, a->value);
    }
}

char *
of_act_parse_dec_ttl(struct of_act_text *t, char *arg)
{
    uint16_t ids[64];
    uint32_t n = 0;
    char *word;
    while ((word = of_act_next_word(&arg))) {
        uint64_t id;
        if (n == ARRAY_SIZE(ids)) {
            return base_asprintf("dec_ttl takes at most %zu controller ids", ARRAY_SIZE(ids));
        }
        if (!base_parse_uint(word, UINT16_MAX, &id)) {
            return base_asprintf("%s: not a valid controller id", word);
        }
        ids[n++] = (uint16_t) id;
    }
    struct of_act_ids *a = of_actions_add(t->acts, OF_ACT_DEC_TTL, sizeof *a + n * sizeof ids[0]);
    a->i.flags = n != 0;
    a->n = n;
    memcpy(a->ids, ids, n * sizeof ids[0]);
    return NULL;
}

void
of_act_format_dec_ttl(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_ids, a, i);
    str_add(f->out, "dec_ttl");
    if (!i->flags) {
        return;
    }
    str_add_char(f->out, '(');
    for (uint32_t k = 0; k < a->n; k++) {
        str_addf(f->out, k ? ",%u" : "%u", a->ids[k]);
    }
    str_add_char(f->out, ')');
}

void
of_act_encode_dec_ttl(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_ids, a, i);
    if (!i->flags) {
        if (w->version == OF_10) {
            of_act_put_nx_plain(w, 18);
        } else {
            of_act_put_plain(w, 24);
        }
        return;
    }
    const size_t start = of_act_begin_nx(w, 21);
    of_put16(w->out, (uint16_t) a->n);
    of_put_zeros(w->out, 4);
    for (uint32_t k = 0; k < a->n; k++) {
        of_put16(w->out, a->ids[k]);
    }
    of_act_end(w, start);
}

// --- Ports ---

char *
of_act_parse_l4_port(struct of_act_text *t, char *arg)
{
    const bool src = t->variant == OF_ACT_SET_L4_SRC_PORT;
    uint16_t port;
    char *error = of_act_parse_u16(arg, src ? "source port" : "destination port", &port);
    if (!error) {
        add_u32(t, (enum of_act_type) t->variant, port);
    }
    return error;
}

void
of_act_format_l4_port(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "mod_tp_%s:%u", i->type == OF_ACT_SET_L4_SRC_PORT ? "src" : "dst", a->value);
}

void
of_act_encode_l4_port(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    const bool src = i->type == OF_ACT_SET_L4_SRC_PORT;
    // Where the protocol isn't known (write_actions), the old action is what there is.
    if (w->version <= OF_11 || !a->aux) {
        put_u16(w, src ? 9 : 10, a->value);
        return;
    }
    switch (a->aux) {
    case 17:
        of_act_put_set_number(w, src ? FIELD_UDP_SRC : FIELD_UDP_DST, a->value);
        break;
    case 132:
        of_act_put_set_number(w, src ? FIELD_SCTP_SRC : FIELD_SCTP_DST, a->value);
        break;
    default:
        of_act_put_set_number(w, src ? FIELD_TCP_SRC : FIELD_TCP_DST, a->value);
        break;
    }
}

// --- MPLS ---

char *
of_act_parse_mpls_label(struct of_act_text *t, char *arg)
{
    uint32_t label;
    if (!*arg) {
        return base_strdup("set_mpls_label: expected label.");
    }
    char *error = of_act_parse_number32(arg, &label);
    if (error) {
        return error;
    }
    if (label & ~UINT32_C(0xfffff)) {
        return base_asprintf("%s: not a valid MPLS label", arg);
    }
    add_u32(t, OF_ACT_SET_MPLS_LABEL, label);
    return NULL;
}

void
of_act_format_mpls_label(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "set_mpls_label(%u)", a->value);
}

void
of_act_encode_mpls_label(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version > OF_11) {
        of_act_put_set_number(w, FIELD_MPLS_LABEL, a->value);
        return;
    }
    const size_t start = w->version == OF_10 ? of_act_begin_nx(w, 30) : of_act_begin(w, 13);
    if (w->version == OF_10) {
        of_put_zeros(w->out, 2);
    }
    of_put32(w->out, a->value);
    of_act_end(w, start);
}

char *
of_act_parse_mpls_tc(struct of_act_text *t, char *arg)
{
    uint8_t tc;
    if (!*arg) {
        return base_strdup("set_mpls_tc: expected tc.");
    }
    char *error = of_act_parse_u8(arg, "MPLS TC", &tc);
    if (error) {
        return error;
    }
    if (tc & ~7) {
        return base_asprintf("%s: not a valid MPLS TC", arg);
    }
    add_u32(t, OF_ACT_SET_MPLS_TC, tc);
    return NULL;
}

void
of_act_format_mpls_tc(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "set_mpls_tc(%u)", a->value);
}

void
of_act_encode_mpls_tc(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version == OF_10) {
        put_nx_u8(w, 31, a->value);
    } else if (w->version == OF_11) {
        put_u8(w, 14, a->value);
    } else {
        of_act_put_set_number(w, FIELD_MPLS_TC, a->value);
    }
}

char *
of_act_parse_mpls_ttl(struct of_act_text *t, char *arg)
{
    uint8_t ttl;
    if (!*arg) {
        return base_strdup("set_mpls_ttl: expected ttl.");
    }
    char *error = of_act_parse_u8(arg, "MPLS TTL", &ttl);
    if (!error) {
        add_u32(t, OF_ACT_SET_MPLS_TTL, ttl);
    }
    return error;
}

void
of_act_format_mpls_ttl(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u32, a, i);
    str_addf(f->out, "set_mpls_ttl(%u)", a->value);
}

void
of_act_encode_mpls_ttl(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u32, a, i);
    if (w->version == OF_10) {
        put_nx_u8(w, 25, a->value);
    } else {
        put_u8(w, 15, a->value);
    }
}

void
of_act_format_dec_mpls_ttl(const struct flat_item *i FB_UNUSED, const struct of_act_form *f)
{
    str_add(f->out, "dec_mpls_ttl");
}

void
of_act_encode_dec_mpls_ttl(const struct flat_item *i FB_UNUSED, const struct of_act_wire *w)
{
    if (w->version == OF_10) {
        of_act_put_nx_plain(w, 26);
    } else {
        of_act_put_plain(w, 16);
    }
}

char *
of_act_parse_mpls_type(struct of_act_text *t, char *arg)
{
    be16_t type;
    char *error = of_act_parse_ethertype(arg, t->word, &type);
    if (!error) {
        struct of_act_push *a = of_actions_add(t->acts, t->variant, sizeof *a);
        a->ethertype = type;
    }
    return error;
}

static void
put_mpls_type(const struct of_act_wire *w, uint16_t subtype, uint16_t type, be16_t ethertype)
{
    const size_t start = w->version == OF_10 ? of_act_begin_nx(w, subtype) : of_act_begin(w, type);
    of_put16(w->out, be16toh(ethertype));
    of_act_end(w, start);
}

void
of_act_format_push_mpls(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_push, a, i);
    str_addf(f->out, "push_mpls:0x%04x", be16toh(a->ethertype));
}

void
of_act_encode_push_mpls(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_push, a, i);
    put_mpls_type(w, 23, 19, a->ethertype);
}

void
of_act_format_pop_mpls(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_push, a, i);
    str_addf(f->out, "pop_mpls:0x%04x", be16toh(a->ethertype));
}

void
of_act_encode_pop_mpls(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_push, a, i);
    put_mpls_type(w, 24, 20, a->ethertype);
}

// --- Tunnel id ---

char *
of_act_parse_tunnel(struct of_act_text *t, char *arg)
{
    uint64_t id;
    char *error = of_act_parse_number64(arg, &id);
    if (!error) {
        struct of_act_u64 *a = of_actions_add(t->acts, OF_ACT_SET_TUNNEL, sizeof *a);
        a->i.flags = t->variant || id > UINT32_MAX;
        a->value = id;
    }
    return error;
}

void
of_act_format_tunnel(const struct flat_item *i, const struct of_act_form *f)
{
    OF_ACT_CAST(of_act_u64, a, i);
    str_add(f->out, i->flags ? "set_tunnel64:" : "set_tunnel:");
    of_act_format_num(a->value, f->out);
}

void
of_act_encode_tunnel(const struct flat_item *i, const struct of_act_wire *w)
{
    OF_ACT_CAST(of_act_u64, a, i);
    if (w->version > OF_11) {
        of_act_put_set_number(w, FIELD_TUN_ID, a->value);
        return;
    }
    const size_t start = of_act_begin_nx(w, i->flags ? 9 : 2);
    if (i->flags) {
        of_put_zeros(w->out, 6);
        of_put64(w->out, a->value);
    } else {
        of_put_zeros(w->out, 2);
        of_put32(w->out, (uint32_t) a->value);
    }
    of_act_end(w, start);
}
