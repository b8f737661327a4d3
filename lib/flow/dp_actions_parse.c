// SPDX-License-Identifier: Apache-2.0
// Datapath actions from text: what dp_actions_format() and the stock programs print.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"
#include "lib/net/packet_headers.h"

#define SEPARATORS ", \t\r\n"
#define MAX_DEPTH 16
#define MAX_USERDATA 128 // bytes

struct parser {
    struct dp_actions *acts;
    dp_port_finder *port_by_name;
    void *aux;
    int depth;
};

static bool parse_list(struct parser *, const char **p);

static bool
parse_nested(struct parser *ps, const char **p)
{
    if (dp_scan(p, "drop)")) {
        return true;
    }
    ps->depth++;
    const bool ok = ps->depth <= MAX_DEPTH && parse_list(ps, p) && dp_scan(p, ")");
    ps->depth--;
    return ok;
}

static bool
scan_u32(const char **p, const char *name, uint32_t *out)
{
    uint64_t v;
    if (!dp_scan(p, name) || !dp_scan_uint(p, UINT32_MAX, &v)) {
        return false;
    }
    *out = (uint32_t) v;
    return true;
}

// "name=VALUE" with VALUE ≤ max.
static bool
scan_member(const char **p, const char *name, uint64_t max, uint64_t *out)
{
    return dp_scan(p, name) && dp_scan_uint(p, max, out);
}

static bool
parse_slow_path(const char **p, uint32_t *arg)
{
    static const char *const why[] = {"cfm", "bfd", "lacp", "stp", "lldp", "action", "match"};
    uint64_t number;
    if (dp_scan_uint(p, 0x7f, &number)) {
        *arg = (uint32_t) number;
        return dp_scan(p, ")");
    }
    while (**p != ')') {
        size_t i = 0;
        while (i < ARRAY_SIZE(why) && !dp_scan(p, why[i])) {
            i++;
        }
        if (i == ARRAY_SIZE(why)) {
            return false;
        }
        *arg |= 1u << i;
        if (!dp_scan(p, ",") && !dp_scan(p, "|") && **p != ')') {
            return false;
        }
    }
    return dp_scan(p, ")");
}

static bool
parse_controller(const char **p, struct dp_act_userspace *a)
{
    uint64_t reason, dont_send, ignored, recirc_id, cookie, id, max_len;
    if (!scan_member(p, "reason=", UINT16_MAX, &reason) ||
        !scan_member(p, ",dont_send=", 1, &dont_send) ||
        !scan_member(p, ",continuation=", 1, &ignored) ||
        !scan_member(p, ",recirc_id=", UINT32_MAX, &recirc_id) ||
        !scan_member(p, ",rule_cookie=", UINT64_MAX, &cookie) ||
        !scan_member(p, ",controller_id=", UINT16_MAX, &id) ||
        !scan_member(p, ",max_len=", UINT16_MAX, &max_len)) {
        return false;
    }
    a->kind = DP_USER_CONTROLLER;
    a->a.flags = dont_send ? DP_USER_DONT_SEND : 0;
    a->arg = (uint32_t) (reason << 16 | max_len);
    a->recirc_id = (uint32_t) recirc_id;
    a->cookie = cookie;
    a->controller_id = (uint16_t) id;
    return dp_scan(p, ")");
}

static bool
parse_sampled(const char **p, struct dp_act_userspace *a)
{
    uint64_t x[5];
    if (dp_scan(p, "sFlow(")) {
        a->kind = DP_USER_SFLOW;
        if (!scan_member(p, "vid=", 0xfff, &x[0]) || !scan_member(p, ",pcp=", 7, &x[1]) ||
            !scan_member(p, ",output=", UINT32_MAX, &x[2])) {
            return false;
        }
        a->arg = (uint32_t) (x[1] << 29 | x[0] << 16);
        a->cookie = x[2];
    } else if (dp_scan(p, "flow_sample(")) {
        a->kind = DP_USER_FLOW_SAMPLE;
        if (!scan_member(p, "probability=", UINT16_MAX, &x[0]) ||
            !scan_member(p, ",collector_set_id=", UINT32_MAX, &x[1]) ||
            !scan_member(p, ",obs_domain_id=", UINT32_MAX, &x[2]) ||
            !scan_member(p, ",obs_point_id=", UINT32_MAX, &x[3]) ||
            !scan_member(p, ",output_port=", UINT32_MAX, &x[4])) {
            return false;
        }
        a->arg = (uint32_t) x[0];
        a->recirc_id = (uint32_t) x[1];
        a->cookie = x[2] << 32 | x[3];
        a->ofp_in_port = (uint32_t) x[4];
    } else if (dp_scan(p, "ipfix(")) {
        a->kind = DP_USER_IPFIX;
        if (!scan_member(p, "output_port=", UINT32_MAX, &x[0])) {
            return false;
        }
        a->ofp_in_port = (uint32_t) x[0];
    } else {
        return false;
    }
    return dp_scan(p, ")");
}

// Hex digits up to the bracket, two a byte.
static bool
parse_userdata(const char **p, struct dp_act_userspace *a, uint8_t raw[MAX_USERDATA])
{
    a->kind = DP_USER_RAW;
    for (; isxdigit((unsigned char) (*p)[0]) && isxdigit((unsigned char) (*p)[1]); *p += 2) {
        const char digits[] = {(*p)[0], (*p)[1], 0};
        if (a->arg == MAX_USERDATA) {
            return false;
        }
        raw[a->arg++] = (uint8_t) strtoul(digits, NULL, 16);
    }
    a->arg = ROUND_UP(a->arg, 8); // as the stock program pads it
    return dp_scan(p, ")");
}

static bool
parse_userspace(struct parser *ps, const char **p)
{
    struct dp_act_userspace u = {.egress_port = UINT32_MAX, .kind = DP_USER_RAW};
    uint8_t raw[MAX_USERDATA] = {0};
    bool ok = true;
    if (!scan_u32(p, "pid=", &u.pid)) {
        return false;
    }
    if (dp_scan(p, ",slow_path(")) {
        u.kind = DP_USER_SLOW_PATH;
        ok = parse_slow_path(p, &u.arg);
    } else if (dp_scan(p, ",controller(")) {
        ok = parse_controller(p, &u);
    } else if (dp_scan(p, ",userdata(")) {
        ok = parse_userdata(p, &u, raw);
    } else if (**p == ',' && strncmp(*p, ",actions", 8) && strncmp(*p, ",tunnel_out_port", 16)) {
        ++*p;
        ok = parse_sampled(p, &u);
    }
    u.has_actions = ok && dp_scan(p, ",actions");
    if (!ok || (dp_scan(p, ",tunnel_out_port=") && !scan_u32(p, "", &u.egress_port))) {
        return false;
    }
    const size_t n_raw = u.kind == DP_USER_RAW ? u.arg : 0;
    struct dp_act_userspace *a = dp_actions_add(ps->acts, DP_ACT_USERSPACE, sizeof *a + n_raw);
    u.a = a->a;
    *a = u;
    memcpy(a + 1, raw, n_raw);
    return dp_scan(p, ")");
}

static bool
parse_push_vlan(struct parser *ps, const char **p)
{
    uint64_t tpid = ETH_TYPE_VLAN, vid, pcp, cfi = 1;
    if ((dp_scan(p, "tpid=") && (!dp_scan_uint(p, UINT16_MAX, &tpid) || !dp_scan(p, ","))) ||
        !scan_member(p, "vid=", 0xfff, &vid) || !scan_member(p, ",pcp=", 7, &pcp) ||
        (dp_scan(p, ",cfi=") && !dp_scan_uint(p, 1, &cfi))) {
        return false;
    }
    struct dp_act_push_vlan *a = dp_actions_add(ps->acts, DP_ACT_PUSH_VLAN, sizeof *a);
    a->tpid = htobe16((uint16_t) tpid);
    a->tci = htobe16((uint16_t) (vid | pcp << 13 | (cfi ? FLOW_VLAN_PRESENT : 0)));
    return dp_scan(p, ")");
}

static bool
parse_push_mpls(struct parser *ps, const char **p)
{
    uint64_t label, tc, ttl, bos, type;
    if (!scan_member(p, "label=", 0xfffff, &label) || !scan_member(p, ",tc=", 7, &tc) ||
        !scan_member(p, ",ttl=", 255, &ttl) || !scan_member(p, ",bos=", 1, &bos) ||
        !scan_member(p, ",eth_type=", UINT16_MAX, &type)) {
        return false;
    }
    struct dp_act_push_mpls *a = dp_actions_add(ps->acts, DP_ACT_PUSH_MPLS, sizeof *a);
    a->lse = htobe32((uint32_t) (label << 12 | tc << 9 | bos << 8 | ttl));
    a->ethertype = htobe16((uint16_t) type);
    return dp_scan(p, ")");
}

static bool
parse_pop_mpls(struct parser *ps, const char **p)
{
    uint64_t type;
    if (!scan_member(p, "eth_type=", UINT16_MAX, &type)) {
        return false;
    }
    struct dp_act_pop_mpls *a = dp_actions_add(ps->acts, DP_ACT_POP_MPLS, sizeof *a);
    a->ethertype = htobe16((uint16_t) type);
    return dp_scan(p, ")");
}

static bool
parse_push_eth(struct parser *ps, const char **p)
{
    struct mac mac[2];
    static const char *const members[] = {"src=", ",dst="};
    for (int i = 0; i < 2; i++) {
        size_t len;
        if (!dp_scan(p, members[i])) {
            return false;
        }
        const char *text = dp_scan_until(p, ",)", &len);
        if (!field_parse_mac(text, len, &mac[i])) {
            return false;
        }
    }
    struct dp_act_push_eth *a = dp_actions_add(ps->acts, DP_ACT_PUSH_ETH, sizeof *a);
    a->src = mac[0];
    a->dst = mac[1];
    return dp_scan(p, ")");
}

static bool
parse_push_nsh(struct parser *ps, const char **p)
{
    uint64_t flags, ttl, mdtype, np, spi, si, c[4] = {0};
    static const char *const contexts[] = {",c1=", ",c2=", ",c3=", ",c4="};
    if (!scan_member(p, "flags=", 255, &flags) || !scan_member(p, ",ttl=", 63, &ttl) ||
        !scan_member(p, ",mdtype=", 1, &mdtype) || !mdtype || !scan_member(p, ",np=", 255, &np) ||
        !scan_member(p, ",spi=", 0xffffff, &spi) || !scan_member(p, ",si=", 255, &si)) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (dp_scan(p, contexts[i]) && !dp_scan_uint(p, UINT32_MAX, &c[i])) {
            return false;
        }
    }
    struct dp_act_push_nsh *a = dp_actions_add(ps->acts, DP_ACT_PUSH_NSH, sizeof *a);
    a->flags = (uint8_t) flags;
    a->ttl = (uint8_t) ttl;
    a->mdtype = (uint8_t) mdtype;
    a->np = (uint8_t) np;
    a->path = htobe32((uint32_t) (spi << 8 | si));
    for (int i = 0; i < 4; i++) {
        a->context[i] = htobe32((uint32_t) c[i]);
    }
    return dp_scan(p, ")");
}

static void
add_set_tunnel(struct parser *ps, const struct flow_match *m, const struct str *geneve)
{
    struct dp_act_set_tunnel *a =
        dp_actions_add(ps->acts, DP_ACT_SET_TUNNEL, sizeof *a + geneve->len);
    a->tun = m->key.tun;
    if (m->mask.tun.id) {
        a->tun.flags |= htobe16(FLOW_TUN_KEY);
    }
    a->opts_len = (uint8_t) geneve->len;
    memcpy(a->opts, str_get(geneve), geneve->len);
}

static void
add_set(struct parser *ps, const struct field_info *f, const struct flow_match *m, bool v6)
{
    union field_value value, mask;
    field_read_mask(f, &m->mask, &mask);
    if (!field_value_is_zero(f, &mask)) {
        field_read(f, &m->key, &value);
        const uint32_t at = ps->acts->len;
        dp_actions_add_set(ps->acts, f, &value, &mask);
        const bool either = f->prereq == FIELD_PRE_IP_ANY;
        ((struct dp_act *) (void *) (ps->acts->data + at))->flags = v6 && either ? DP_SET_IPV6 : 0;
    }
}

// One set of each field that the group names.
static bool
parse_set(struct parser *ps, const char **p)
{
    struct flow_match m;
    struct str geneve = STR_INIT;
    struct dp_parser group = {
        .match = &m, .port_by_name = ps->port_by_name, .aux = ps->aux, .geneve = &geneve};
    const char *name = *p;
    const size_t len = strcspn(name, "(");
    match_init_any(&m);
    const bool ok = dp_parse_group(&group, p) && dp_scan(p, ")");
    if (ok && len == 6 && !memcmp(name, "tunnel", 6)) {
        add_set_tunnel(ps, &m, &geneve);
    } else if (ok) {
        for (int id = 0; id < FIELD_COUNT; id++) {
            const char *g = dp_field_group(id, group.v6);
            if (g && strlen(g) == len && !memcmp(g, name, len)) {
                add_set(ps, field_get(id), &m, group.v6);
                if (id == FIELD_NW_TOS) { // its row leaves ECN to another
                    add_set(ps, field_get(FIELD_NW_ECN), &m, group.v6);
                }
            }
        }
    }
    str_free(&geneve);
    return ok;
}

static bool
parse_hash(struct parser *ps, const char **p)
{
    const bool symmetric = dp_scan(p, "sym_l4(");
    uint64_t basis;
    if ((!symmetric && !dp_scan(p, "l4(")) || !dp_scan_uint(p, UINT32_MAX, &basis)) {
        return false;
    }
    struct dp_act_hash *a = dp_actions_add(ps->acts, DP_ACT_HASH, sizeof *a);
    a->alg = symmetric;
    a->basis = (uint32_t) basis;
    return dp_scan(p, "))");
}

static bool
parse_sample(struct parser *ps, const char **p)
{
    char *end;
    const double percent = isdigit((unsigned char) **p) ? strtod(*p, &end) : -1;
    if (!(percent >= 0 && percent <= 100)) {
        return false;
    }
    *p = end;
    if (!dp_scan(p, "%,actions(")) {
        return false;
    }
    const size_t at = dp_actions_begin(ps->acts, DP_ACT_SAMPLE, sizeof(struct dp_act_sample));
    ((struct dp_act_sample *) (void *) (ps->acts->data + at))->probability =
        (uint32_t) (percent / 100 * UINT32_MAX + .5);
    const bool ok = parse_nested(ps, p);
    dp_actions_end(ps->acts, at);
    return ok && dp_scan(p, ")");
}

static bool
parse_clone(struct parser *ps, const char **p)
{
    const size_t at = dp_actions_begin(ps->acts, DP_ACT_CLONE, sizeof(struct dp_act));
    const bool ok = parse_nested(ps, p);
    dp_actions_end(ps->acts, at);
    return ok;
}

static bool
parse_dec_ttl(struct parser *ps, const char **p)
{
    const size_t at = dp_actions_begin(ps->acts, DP_ACT_DEC_TTL, sizeof(struct dp_act));
    const bool ok = parse_nested(ps, p);
    dp_actions_end(ps->acts, at);
    return ok && dp_scan(p, ")");
}

static bool
parse_check_pkt_len(struct parser *ps, const char **p)
{
    uint64_t size;
    if (!dp_scan_uint(p, UINT16_MAX, &size) || !dp_scan(p, ",gt(")) {
        return false;
    }
    const size_t at =
        dp_actions_begin(ps->acts, DP_ACT_CHECK_PKT_LEN, sizeof(struct dp_act_check_pkt_len));
    const uint32_t first = ps->acts->len;
    bool ok = parse_nested(ps, p);
    struct dp_act_check_pkt_len *a = (void *) (ps->acts->data + at);
    a->pkt_len = (uint32_t) size;
    a->greater_len = ps->acts->len - first;
    ok = ok && dp_scan(p, ",le(") && parse_nested(ps, p);
    dp_actions_end(ps->acts, at);
    return ok && dp_scan(p, ")");
}

static bool
parse_ct(struct parser *ps, const char **p)
{
    struct dp_act_ct ct = {0};
    if (dp_scan(p, "(") && !dp_scan_ct(p, &ct)) {
        return false;
    }
    struct dp_act_ct *a = dp_actions_add(ps->acts, DP_ACT_CT, sizeof *a);
    ct.a = a->a;
    *a = ct;
    return true;
}

static bool
parse_u32(struct parser *ps, const char **p, enum dp_act_type type)
{
    uint64_t v;
    if (!dp_scan_uint(p, UINT32_MAX, &v)) {
        return false;
    }
    dp_actions_add_u32(ps->acts, type, (uint32_t) v);
    return dp_scan(p, ")");
}

// By prefix: the rest of the action, closing parentheses included.
static const struct {
    const char *prefix;
    bool (*parse)(struct parser *, const char **);
    enum dp_act_type simple; // parse NULL: an action without arguments or, when the prefix ends in
                             // "(", with one number
} actions[] = {
    {"userspace(", parse_userspace, 0},
    {"set(", parse_set, 0},
    {"push_vlan(", parse_push_vlan, 0},
    {"pop_vlan", NULL, DP_ACT_POP_VLAN},
    {"push_mpls(", parse_push_mpls, 0},
    {"pop_mpls(", parse_pop_mpls, 0},
    {"push_eth(", parse_push_eth, 0},
    {"pop_eth", NULL, DP_ACT_POP_ETH},
    {"push_nsh(", parse_push_nsh, 0},
    {"pop_nsh()", NULL, DP_ACT_POP_NSH},
    {"recirc(", NULL, DP_ACT_RECIRC},
    {"hash(", parse_hash, 0},
    {"ct_clear", NULL, DP_ACT_CT_CLEAR},
    {"ct", parse_ct, 0},
    {"meter(", NULL, DP_ACT_METER},
    {"trunc(", NULL, DP_ACT_TRUNC},
    {"sample(sample=", parse_sample, 0},
    {"clone(", parse_clone, 0},
    {"check_pkt_len(size=", parse_check_pkt_len, 0},
    {"dec_ttl(le_1(", parse_dec_ttl, 0},
    {"lb_output(", NULL, DP_ACT_LB_OUTPUT},
};

static bool
parse_port(struct parser *ps, const char **p)
{
    size_t len;
    uint64_t number;
    const char *text = dp_scan_until(p, SEPARATORS, &len), *end = text;
    if (dp_scan_uint(&end, UINT32_MAX, &number) && end == text + len) {
        dp_actions_add_output(ps->acts, (uint32_t) number);
        return true;
    }
    char *name = base_strndup(text, len);
    uint32_t port;
    const bool found = len && ps->port_by_name && ps->port_by_name(name, &port, ps->aux);
    free(name);
    if (found) {
        dp_actions_add_output(ps->acts, port);
    }
    return found;
}

static bool
at_end(const char *p)
{
    return !*p || *p == ')' || strchr(SEPARATORS, *p);
}

// A port's name may begin like an action: only the whole action counts.
static bool
parse_one(struct parser *ps, const char **p)
{
    const char *start = *p;
    const uint32_t len = ps->acts->len;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (!dp_scan(p, actions[i].prefix)) {
            continue;
        }
        bool ok = true;
        if (actions[i].parse) {
            ok = actions[i].parse(ps, p);
        } else if ((*p)[-1] == '(') {
            ok = parse_u32(ps, p, actions[i].simple);
        } else {
            dp_actions_add(ps->acts, actions[i].simple, sizeof(struct dp_act));
        }
        if (ok && at_end(*p)) {
            return true;
        }
        *p = start;
        ps->acts->len = len;
        break;
    }
    return parse_port(ps, p);
}

// Actions up to a parenthesis or the end; false: *p is at the one that is wrong.
static bool
parse_list(struct parser *ps, const char **p)
{
    for (;;) {
        *p += strspn(*p, SEPARATORS);
        if (!**p || **p == ')') {
            return true;
        }
        const char *start = *p;
        if (!parse_one(ps, p)) {
            *p = start;
            return false;
        }
    }
}

char *
dp_actions_parse(const char *text, dp_port_finder *port_by_name, void *aux, struct dp_actions *acts)
{
    struct parser ps = {.acts = acts, .port_by_name = port_by_name, .aux = aux};
    const char *p = text;
    dp_actions_clear(acts);
    if (!strcmp(text, "drop")) {
        return NULL;
    }
    if (!parse_list(&ps, &p) || *p) {
        dp_actions_clear(acts);
        return base_asprintf("syntax error at %s", p);
    }
    return NULL;
}
