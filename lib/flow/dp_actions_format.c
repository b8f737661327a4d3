// SPDX-License-Identifier: Apache-2.0
// Datapath actions as text, as ovs-dpctl and ofproto/trace print them: "push_vlan(vid=10,pcp=0),2",
// "drop" for none. Successive sets of one header are one "set(…)".
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"
#include "lib/net/packet_headers.h"

struct fmt {
    dp_port_namer *port_name;
    void *aux;
    struct str *out;
};

#define CAST(type, a) ((const struct type *) (const void *) (a))

static void format_list(const struct fmt *, const void *data, size_t len);

static void
add_port(const struct fmt *f, uint32_t port)
{
    const char *name = f->port_name ? f->port_name(port, f->aux) : NULL;
    if (name) {
        str_add(f->out, name);
    } else {
        str_addf(f->out, "%u", port);
    }
}

static void
add_slow_path(const struct dp_act_userspace *a, struct str *out)
{
    static const char *const why[] = {"cfm", "bfd", "lacp", "stp", "lldp", "action", "match"};
    str_add(out, ",slow_path(");
    if (!a->arg) {
        str_add_char(out, '0');
    }
    for (size_t i = 0, n = 0; i < ARRAY_SIZE(why); i++) {
        if (a->arg >> i & 1) {
            str_addf(out, n++ ? ",%s" : "%s", why[i]);
        }
    }
    str_add_char(out, ')');
}

static void
add_userspace(const struct fmt *f, const struct dp_act_userspace *a)
{
    str_addf(f->out, "userspace(pid=%u", a->pid);
    switch (a->kind) {
    case DP_USER_SLOW_PATH:
        add_slow_path(a, f->out);
        break;
    case DP_USER_CONTROLLER:
        str_addf(f->out,
                 ",controller(reason=%u,dont_send=%u,continuation=0,recirc_id=%u,rule_cookie=%#llx,"
                 "controller_id=%u,max_len=%u)",
                 a->arg >> 16, a->a.flags & DP_USER_DONT_SEND, a->recirc_id, (unsigned long long) a->cookie, a->controller_id,
                 a->arg & 0xffff);
        break;
    case DP_USER_SFLOW:
        str_addf(f->out, ",sFlow(vid=%u,pcp=%u,output=%u)", a->arg >> 16 & 0xfff, a->arg >> 29,
                 (uint32_t) a->cookie);
        break;
    case DP_USER_FLOW_SAMPLE:
        str_addf(f->out,
                 ",flow_sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,obs_point_id=%u,"
                 "output_port=%u)",
                 a->arg, a->recirc_id, (uint32_t) (a->cookie >> 32), (uint32_t) a->cookie,
                 a->ofp_in_port);
        break;
    case DP_USER_IPFIX:
        str_addf(f->out, ",ipfix(output_port=%u)", a->ofp_in_port);
        break;
    case DP_USER_RAW:
        if (a->arg) {
            str_add(f->out, ",userdata(");
            str_add_hex(f->out, a + 1, a->arg);
            str_add_char(f->out, ')');
        }
        break;
    default:
        break;
    }
    if (a->has_actions) {
        str_add(f->out, ",actions");
    }
    if (a->egress_port != UINT32_MAX) {
        str_addf(f->out, ",tunnel_out_port=%u", a->egress_port);
    }
    str_add_char(f->out, ')');
}

// The rows of nw_tos's parts are views: its text is the whole byte's.
static enum field_id
text_row(enum field_id id)
{
    return id == FIELD_NW_ECN || id == FIELD_IP_DSCP ? FIELD_NW_TOS : id;
}

static bool
is_ipv6(const struct dp_act_set *a)
{
    return a->a.flags & DP_SET_IPV6 || field_get(a->field)->prereq == FIELD_PRE_IPV6;
}

static const char *
set_group(const struct dp_act_set *a)
{
    const char *group = dp_field_group(text_row(a->field), is_ipv6(a));
    return group ? group : dp_field_group(text_row(a->field), true);
}

static void
take_set(const struct dp_act_set *a, struct flow_key *key, struct flow_mask *mask)
{
    const struct field_info *f = field_get(a->field);
    union field_value v, w;
    memset(&v, 0, sizeof v);
    memset(&w, 0, sizeof w);
    memcpy(v.b + FIELD_VALUE_BYTES - a->n_bytes, a->value, a->n_bytes);
    memcpy(w.b + FIELD_VALUE_BYTES - a->n_bytes, a->mask, a->n_bytes);
    struct flow_mask m = {0};
    field_write(f, key, &v);
    field_write_mask(f, &m, &w);
    flow_mask_or(mask, &m);
}

// A run of sets of one group; the first action behind it.
static const struct dp_act *
add_sets(const struct fmt *f, const struct dp_act *a, const void *end)
{
    struct flow_match m;
    enum field_id ids[DP_GROUP_MAX];
    const struct dp_act_set *first = CAST(dp_act_set, a);
    const char *group = set_group(first);
    bool v6 = false;
    match_init_any(&m);
    if (!group) {
        str_addf(f->out, "set(%s)", field_get(first->field)->name); // a field that no datapath has
        return dp_act_next(a);
    }
    for (; (const void *) a < end && a->type == DP_ACT_SET; a = dp_act_next(a)) {
        const struct dp_act_set *set = CAST(dp_act_set, a);
        const char *g = set_group(set);
        if (!g || strcmp(g, group)) {
            break;
        }
        v6 |= is_ipv6(set);
        take_set(set, &m.key, &m.mask);
    }
    const struct dp_text t = {.key = &m.key, .mask = &m.mask, .v6 = v6, .out = f->out};
    size_t n;
    if (!strcmp(group, "ipv6")) {
        n = dp_text_group_of(FIELD_IPV6_SRC, ids);
    } else if (!strcmp(group, "ipv4")) {
        n = dp_text_group_of(FIELD_NW_SRC, ids);
    } else {
        n = dp_text_group_of(text_row(first->field), ids);
    }
    str_add(f->out, "set(");
    dp_text_group(&t, ids, n, true);
    str_truncate(f->out, f->out->len - 1);
    str_add_char(f->out, ')');
    return a;
}

static void
add_set_tunnel(const struct fmt *f, const struct dp_act_set_tunnel *a)
{
    static const uint8_t none[16];
    struct flow_match m;
    match_init_any(&m);
    m.key.tun = a->tun;
    // What isn't zero is said; the id when the flag says so.
    if (a->tun.flags & htobe16(FLOW_TUN_KEY)) {
        FLOW_MASK_EXACT(&m.mask, tun.id);
    }
    m.mask.tun.ip_src = a->tun.ip_src ? UINT32_MAX : 0;
    m.mask.tun.ip_dst = a->tun.ip_dst ? UINT32_MAX : 0;
    memset(m.mask.tun.ipv6_src, memcmp(a->tun.ipv6_src, none, 16) ? 0xff : 0, 16);
    memset(m.mask.tun.ipv6_dst, memcmp(a->tun.ipv6_dst, none, 16) ? 0xff : 0, 16);
    m.mask.tun.tos = a->tun.tos ? 0xff : 0;
    m.mask.tun.ttl = a->tun.ttl ? 0xff : 0;
    m.mask.tun.tp_src = a->tun.tp_src ? UINT16_MAX : 0;
    m.mask.tun.tp_dst = a->tun.tp_dst ? UINT16_MAX : 0;
    if (a->tun.gbp_id || a->tun.gbp_flags) {
        m.mask.tun.gbp_id = UINT16_MAX;
        m.mask.tun.gbp_flags = 0xff;
    }
    if (a->tun.erspan_ver) {
        m.mask.tun.erspan_ver = m.mask.tun.erspan_dir = m.mask.tun.erspan_hwid = 0xff;
        m.mask.tun.erspan_idx = UINT32_MAX;
    }
    if (a->tun.gtpu_flags || a->tun.gtpu_msgtype) {
        m.mask.tun.gtpu_flags = m.mask.tun.gtpu_msgtype = 0xff;
    }
    m.mask.tun.flags = UINT16_MAX;
    const struct dp_text t = {
        .key = &m.key, .mask = &m.mask, .out = f->out, .opts = a->opts, .opts_len = a->opts_len};
    str_add(f->out, "set(");
    dp_text_tunnel(&t, true);
    str_truncate(f->out, f->out->len - 1);
    str_add_char(f->out, ')');
}

static void
add_ip(const uint8_t ip[16], uint8_t family, bool brackets, struct str *out)
{
    be32_t ip4;
    memcpy(&ip4, ip, sizeof ip4);
    if (family == 4) {
        str_add_ip4(out, ip4);
    } else {
        str_add(out, brackets ? "[" : "");
        str_add_ip6(out, ip);
        str_add(out, brackets ? "]" : "");
    }
}

static void
add_nat(const struct dp_act_ct *a, struct str *out)
{
    str_add(out, "nat");
    if (!(a->flags & (DP_CT_SNAT | DP_CT_DNAT))) {
        str_add_char(out, ',');
        return;
    }
    str_add(out, a->flags & DP_CT_SNAT ? "(src" : "(dst");
    if (a->nat_family) {
        const bool range = memcmp(a->nat_min, a->nat_max, sizeof a->nat_min) != 0;
        const bool brackets = a->nat_family == 6 && (range || a->nat_port_min);
        str_add_char(out, '=');
        add_ip(a->nat_min, a->nat_family, brackets, out);
        if (range) {
            str_add_char(out, '-');
            add_ip(a->nat_max, a->nat_family, brackets, out);
        }
    }
    if (a->nat_port_min) {
        str_addf(out, a->nat_family ? ":%u" : "=:%u", a->nat_port_min);
        if (a->nat_port_max > a->nat_port_min) {
            str_addf(out, "-%u", a->nat_port_max);
        }
    }
    str_add(out, a->flags & DP_CT_PERSISTENT ? ",persistent" : "");
    str_add(out, a->flags & DP_CT_HASH ? ",hash" : "");
    str_add(out, a->flags & DP_CT_RANDOM ? ",random" : "");
    str_add(out, "),");
}

static void
add_ct(const struct fmt *f, const struct dp_act_ct *a)
{
    struct str *out = f->out;
    static const uint8_t none[16];
    const size_t start = out->len;
    str_add(out, "ct(");
    if (a->flags & DP_CT_FORCE) {
        str_add(out, "force_commit,");
    } else if (a->flags & DP_CT_COMMIT) {
        str_add(out, "commit,");
    }
    if (a->zone) {
        str_addf(out, "zone=%u,", a->zone);
    }
    if (a->mark_mask) {
        str_addf(out, "mark=%#x/%#x,", be32toh(a->mark), be32toh(a->mark_mask));
    }
    if (memcmp(a->label_mask, none, sizeof none)) {
        str_add(out, "label=");
        field_format_hex(a->label, sizeof a->label, out);
        if (field_prefix_len(a->label_mask, sizeof a->label_mask) != 128) {
            str_add_char(out, '/');
            field_format_hex(a->label_mask, sizeof a->label_mask, out);
        }
        str_add_char(out, ',');
    }
    if (a->helper[0]) {
        str_addf(out, "helper=%.*s,", (int) sizeof a->helper, a->helper);
    }
    if (a->timeout[0]) {
        str_addf(out, "timeout=%.*s,", (int) sizeof a->timeout, a->timeout);
    }
    if (a->flags & (DP_CT_NAT | DP_CT_SNAT | DP_CT_DNAT)) {
        add_nat(a, out);
    }
    str_truncate(out, out->len - 1);
    if (out->len > start + 2) {
        str_add_char(out, ')');
    }
}

static void
add_vlan(const struct fmt *f, const struct dp_act_push_vlan *a)
{
    const uint16_t tci = be16toh(a->tci);
    str_add(f->out, "push_vlan(");
    if (be16toh(a->tpid) != ETH_TYPE_VLAN && a->tpid) {
        str_addf(f->out, "tpid=0x%04x,", be16toh(a->tpid));
    }
    str_addf(f->out, "vid=%u,pcp=%u", tci & 0xfff, tci >> 13);
    str_add(f->out, tci & FLOW_VLAN_PRESENT ? ")" : ",cfi=0)");
}

static void
add_nsh(const struct fmt *f, const struct dp_act_push_nsh *a)
{
    const uint32_t path = be32toh(a->path);
    str_addf(f->out, "push_nsh(flags=%u,ttl=%u,mdtype=%u,np=%u,spi=0x%x,si=%u", a->flags, a->ttl,
             a->mdtype, a->np, path >> 8, path & 0xff);
    if (a->mdtype == 1) {
        for (int i = 0; i < 4; i++) {
            str_addf(f->out, ",c%d=0x%x", i + 1, be32toh(a->context[i]));
        }
    }
    str_add_char(f->out, ')');
}

static void
add_push(const struct fmt *f, const struct dp_act *a)
{
    if (a->type == DP_ACT_PUSH_MPLS) {
        const struct dp_act_push_mpls *m = CAST(dp_act_push_mpls, a);
        const uint32_t lse = be32toh(m->lse);
        str_addf(f->out, "push_mpls(label=%u,tc=%u,ttl=%u,bos=%u,eth_type=0x%x)", lse >> 12,
                 lse >> 9 & 7, lse & 0xff, lse >> 8 & 1, be16toh(m->ethertype));
    } else {
        const struct dp_act_push_eth *e = CAST(dp_act_push_eth, a);
        str_add(f->out, "push_eth(src=");
        str_add_mac(f->out, &e->src);
        str_add(f->out, ",dst=");
        str_add_mac(f->out, &e->dst);
        str_add_char(f->out, ')');
    }
}

static void
add_nested(const struct fmt *f, const struct dp_act *a)
{
    const size_t fixed = dp_act_fixed_size((enum dp_act_type) a->type);
    const uint8_t *in = (const uint8_t *) a + fixed;
    const size_t len = a->len - fixed;
    switch (a->type) {
    case DP_ACT_SAMPLE:
        str_addf(f->out, "sample(sample=%.1f%%,actions(",
                 100.0 * CAST(dp_act_sample, a)->probability / UINT32_MAX);
        format_list(f, in, len);
        str_add(f->out, "))");
        break;
    case DP_ACT_CLONE:
        str_add(f->out, "clone(");
        format_list(f, in, len);
        str_add_char(f->out, ')');
        break;
    case DP_ACT_CHECK_PKT_LEN: {
        const size_t greater = MIN(CAST(dp_act_check_pkt_len, a)->greater_len, len);
        str_addf(f->out, "check_pkt_len(size=%u,gt(", CAST(dp_act_check_pkt_len, a)->pkt_len);
        format_list(f, in, greater);
        str_add(f->out, "),le(");
        format_list(f, in + greater, len - greater);
        str_add(f->out, "))");
        break;
    }
    default: // DP_ACT_DEC_TTL
        str_add(f->out, "dec_ttl(le_1(");
        format_list(f, in, len);
        str_add(f->out, "))");
        break;
    }
}

static void
add_u32(const struct fmt *f, const char *name, const struct dp_act *a)
{
    str_addf(f->out, "%s(%u)", name, CAST(dp_act_u32, a)->value);
}

static void
format_one(const struct fmt *f, const struct dp_act *a)
{
    struct str *out = f->out;
    switch ((enum dp_act_type) a->type) {
    case DP_ACT_OUTPUT:
        add_port(f, CAST(dp_act_output, a)->port);
        break;
    case DP_ACT_DROP:
        str_add(out, "drop");
        break;
    case DP_ACT_USERSPACE:
        add_userspace(f, CAST(dp_act_userspace, a));
        break;
    case DP_ACT_PUSH_VLAN:
        add_vlan(f, CAST(dp_act_push_vlan, a));
        break;
    case DP_ACT_POP_VLAN:
        str_add(out, "pop_vlan");
        break;
    case DP_ACT_PUSH_MPLS:
    case DP_ACT_PUSH_ETH:
        add_push(f, a);
        break;
    case DP_ACT_POP_MPLS:
        str_addf(out, "pop_mpls(eth_type=0x%x)", be16toh(CAST(dp_act_pop_mpls, a)->ethertype));
        break;
    case DP_ACT_POP_ETH:
        str_add(out, "pop_eth");
        break;
    case DP_ACT_PUSH_NSH:
        add_nsh(f, CAST(dp_act_push_nsh, a));
        break;
    case DP_ACT_POP_NSH:
        str_add(out, "pop_nsh()");
        break;
    case DP_ACT_SET_TUNNEL:
        add_set_tunnel(f, CAST(dp_act_set_tunnel, a));
        break;
    case DP_ACT_RECIRC:
        str_addf(out, "recirc(%#x)", CAST(dp_act_u32, a)->value);
        break;
    case DP_ACT_HASH:
        str_addf(out, CAST(dp_act_hash, a)->alg ? "hash(sym_l4(%u))" : "hash(l4(%u))",
                 CAST(dp_act_hash, a)->basis);
        break;
    case DP_ACT_CT:
        add_ct(f, CAST(dp_act_ct, a));
        break;
    case DP_ACT_CT_CLEAR:
        str_add(out, "ct_clear");
        break;
    case DP_ACT_METER:
        add_u32(f, "meter", a);
        break;
    case DP_ACT_TRUNC:
        add_u32(f, "trunc", a);
        break;
    case DP_ACT_LB_OUTPUT:
        add_u32(f, "lb_output", a);
        break;
    case DP_ACT_SAMPLE:
    case DP_ACT_CLONE:
    case DP_ACT_CHECK_PKT_LEN:
    case DP_ACT_DEC_TTL:
        add_nested(f, a);
        break;
    case DP_ACT_SET:
    case DP_ACT_COUNT:
        break;
    }
}

static void
format_list(const struct fmt *f, const void *data, size_t len)
{
    if (!len) {
        str_add(f->out, "drop");
        return;
    }
    const struct dp_act *a = data;
    const void *end = (const uint8_t *) data + len;
    while ((const void *) a < end) {
        if (a != data) {
            str_add_char(f->out, ',');
        }
        if (a->type == DP_ACT_SET) {
            a = add_sets(f, a, end);
        } else {
            format_one(f, a);
            a = dp_act_next(a);
        }
    }
}

void
dp_actions_format(const struct dp_actions *acts, dp_port_namer *port_name, void *aux,
                  struct str *out)
{
    const struct fmt f = {.port_name = port_name, .aux = aux, .out = out};
    format_list(&f, acts->data, acts->len);
}
