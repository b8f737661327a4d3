// SPDX-License-Identifier: Apache-2.0
// Datapath flows from text: "in_port(1),eth(…),eth_type(0x0800),ipv4(…),tcp(dst=80/0xff00)". A
// field without a mask is exact; one that isn't named isn't matched.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"
#include "lib/net/packet_headers.h"

#define SEPARATORS ", \t\r\n"

// A row by its names; FIELD_COUNT: none. *v6: the names are the IPv6 ones only.
static enum field_id
find_field(const char *group, size_t group_len, const char *member, size_t member_len, bool *v6)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        for (int six = 0; six < 2; six++) {
            const char *g = dp_field_group(id, six), *m = dp_field_member(id, six);
            if (g && strlen(g) == group_len && !memcmp(g, group, group_len) &&
                strlen(m) == member_len && !memcmp(m, member, member_len)) {
                *v6 = six;
                return id;
            }
        }
    }
    return FIELD_COUNT;
}

static bool
group_exists(const char *group, size_t len)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        for (int six = 0; six < 2; six++) {
            const char *g = dp_field_group(id, six);
            if (g && strlen(g) == len && !memcmp(g, group, len)) {
                return true;
            }
        }
    }
    return false;
}

// "5" or "5/0xf" of a member that isn't a whole field; exact without a mask.
static bool
scan_masked(const char **p, uint64_t max, uint64_t *value, uint64_t *mask)
{
    *mask = max;
    return dp_scan_uint(p, max, value) && (!dp_scan(p, "/") || dp_scan_uint(p, max, mask));
}

static void
set_u16(be16_t *key, be16_t *mask, uint64_t value, uint64_t m)
{
    *key = htobe16((uint16_t) (value & m));
    *mask = htobe16((uint16_t) m);
}

static bool
parse_eth_type(struct dp_parser *ps, const char **p)
{
    uint64_t value, mask;
    if (!scan_masked(p, UINT16_MAX, &value, &mask)) {
        return false;
    }
    if (!value && mask == UINT16_MAX) {
        value = ETH_TYPE_NONE; // "0/0xffff": a frame without one
    }
    set_u16(&ps->match->key.eth_type, &ps->match->mask.eth_type, value, mask);
    return true;
}

// The Ethernet type before is the tag's own. "cfi=0" says that there is no tag.
static bool
parse_vlan(struct dp_parser *ps, const char **p)
{
    struct flow_match *m = ps->match;
    uint64_t tci = FLOW_VLAN_PRESENT, mask = FLOW_VLAN_PRESENT, value, w;
    if (ps->depth >= FLOW_N_VLANS) {
        return false;
    }
    while (**p != ')') {
        if (dp_scan(p, "vid=")) {
            if (!scan_masked(p, 0xfff, &value, &w)) {
                return false;
            }
            tci |= value & w;
            mask |= w;
        } else if (dp_scan(p, "pcp=")) {
            if (!scan_masked(p, 7, &value, &w)) {
                return false;
            }
            tci |= (value & w) << 13;
            mask |= w << 13;
        } else if (dp_scan(p, "cfi=")) {
            if (!scan_masked(p, 1, &value, &w)) {
                return false;
            }
            tci &= value ? UINT64_MAX : ~(uint64_t) FLOW_VLAN_PRESENT;
        } else {
            return false;
        }
        if (!dp_scan(p, ",") && **p != ')') {
            return false;
        }
    }
    set_u16(&m->key.vlan[ps->depth].tci, &m->mask.vlan[ps->depth].tci, tci, mask);
    if (m->mask.eth_type) {
        m->key.vlan[ps->depth].tpid = m->key.eth_type;
        m->mask.vlan[ps->depth].tpid = m->mask.eth_type;
        m->key.eth_type = m->mask.eth_type = 0;
    }
    return true;
}

static bool
parse_lse(const char **p, be32_t *key, be32_t *mask)
{
    static const struct {
        const char *name;
        uint32_t max;
        int shift;
    } parts[] = {{"label=", 0xfffff, 12}, {"tc=", 7, 9}, {"ttl=", 0xff, 0}, {"bos=", 1, 8}};
    uint32_t lse = 0, m = 0;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        uint64_t value, w;
        if (dp_scan(p, parts[i].name)) {
            if (!scan_masked(p, parts[i].max, &value, &w)) {
                return false;
            }
            lse |= (uint32_t) (value & w) << parts[i].shift;
            m |= (uint32_t) w << parts[i].shift;
            if (!dp_scan(p, ",") && **p != ')') {
                return false;
            }
        }
    }
    *key = htobe32(lse);
    *mask = htobe32(m);
    return true;
}

static bool
parse_mpls(struct dp_parser *ps, const char **p)
{
    for (int i = 0; **p != ')'; i++) {
        const char *before = *p;
        if (i >= FLOW_N_MPLS ||
            !parse_lse(p, &ps->match->key.mpls_lse[i], &ps->match->mask.mpls_lse[i]) ||
            *p == before) {
            return false;
        }
    }
    return true;
}

static bool
parse_packet_type(struct dp_parser *ps, const char **p)
{
    uint64_t ns, id, ns_mask, id_mask;
    if (!dp_scan(p, "ns=") || !scan_masked(p, UINT16_MAX, &ns, &ns_mask) || !dp_scan(p, ",id=") ||
        !scan_masked(p, UINT16_MAX, &id, &id_mask)) {
        return false;
    }
    ps->match->mask.packet_type = htobe32((uint32_t) (ns_mask << 16 | id_mask));
    ps->match->key.packet_type = htobe32((uint32_t) (ns << 16 | id)) & ps->match->mask.packet_type;
    return true;
}

static bool
parse_in_port(struct dp_parser *ps, const char **p)
{
    size_t len;
    const char *text = dp_scan_until(p, ")", &len), *number = text;
    uint64_t port;
    if (!dp_scan_uint(&number, UINT32_MAX, &port) || number != text + len) {
        char *name = base_strndup(text, len);
        uint32_t n;
        const bool found = ps->port_by_name && ps->port_by_name(name, &n, ps->aux);
        free(name);
        if (!found) {
            return false;
        }
        port = n;
    }
    ps->match->key.in_port = htobe32((uint32_t) port);
    ps->match->mask.in_port = UINT32_MAX;
    return true;
}

// "+trk-new", "new|trk", "0x21/0xff": flags and their mask.
static bool
scan_flags(const struct field_flags *set, const char **p, uint32_t *flags, uint32_t *mask)
{
    size_t len;
    const char *text = dp_scan_until(p, ")", &len);
    char *copy = base_strndup(text, len);
    char *error = field_flags_parse(set, copy, flags, mask);
    free(copy);
    free(error);
    return !error;
}

static bool
parse_ct_state(struct dp_parser *ps, const char **p)
{
    uint32_t flags, mask;
    if (!scan_flags(&field_flags_ct, p, &flags, &mask)) {
        return false;
    }
    ps->match->key.ct_state = htobe32(flags & mask);
    ps->match->mask.ct_state = htobe32(mask);
    return true;
}

static bool
parse_tunnel_flags(struct dp_parser *ps, const char **p)
{
    uint32_t flags, mask;
    if (!scan_flags(&field_flags_tun, p, &flags, &mask)) {
        return false;
    }
    set_u16(&ps->match->key.tun.flags, &ps->match->mask.tun.flags, flags,
            mask == field_flags_tun.all ? 0xffff : mask);
    return true;
}

// "name=value" of a row, up to a comma or parenthesis.
static bool
parse_value(struct dp_parser *ps, enum field_id id, const char **p)
{
    size_t len;
    const char *value = dp_scan_until(p, ",)", &len);
    return dp_field_parse(id, value, len, ps->match);
}

// "gbp(id=5,flags=0x8)", "ver=1,idx=0x5", "flags=0x30,msgtype=255": rows by the names that they
// have there.
struct option_member {
    const char *name;
    enum field_id id;
};

static bool
parse_options(struct dp_parser *ps, const char **p, const struct option_member *members, size_t n)
{
    while (**p != ')') {
        size_t i = 0;
        while (i < n && !dp_scan(p, members[i].name)) {
            i++;
        }
        if (i == n || !parse_value(ps, members[i].id, p) || (!dp_scan(p, ",") && **p != ')')) {
            return false;
        }
    }
    return true;
}

static bool
parse_tun_md(struct dp_parser *ps, const char **p)
{
    uint64_t n;
    union field_value value, mask;
    size_t len;
    if (!dp_scan_uint(p, FLOW_N_TUN_MD - 1, &n) || !dp_scan(p, "=")) {
        return false;
    }
    const struct field_info *f = field_get(FIELD_TUN_MD0 + (int) n);
    const char *text = dp_scan_until(p, ",)", &len);
    char *copy = base_strndup(text, len);
    char *error = field_value_bits(f) ? field_parse(f, copy, NULL, &value, &mask) : base_strdup("");
    const bool ok = !error;
    free(copy);
    free(error);
    if (ok) {
        match_set(ps->match, f, &value, &mask);
    }
    return ok;
}

static bool
parse_tunnel_member(struct dp_parser *ps, const char **p)
{
    static const struct option_member gbp[] = {{"id=", FIELD_TUN_GBP_ID},
                                               {"flags=", FIELD_TUN_GBP_FLAGS}};
    static const struct option_member erspan[] = {{"ver=", FIELD_TUN_ERSPAN_VER},
                                                  {"idx=", FIELD_TUN_ERSPAN_IDX},
                                                  {"dir=", FIELD_TUN_ERSPAN_DIR},
                                                  {"hwid=", FIELD_TUN_ERSPAN_HWID}};
    static const struct option_member gtpu[] = {{"flags=", FIELD_TUN_GTPU_FLAGS},
                                                {"msgtype=", FIELD_TUN_GTPU_MSGTYPE}};
    if (dp_scan(p, "flags(")) {
        return parse_tunnel_flags(ps, p) && dp_scan(p, ")");
    } else if (dp_scan(p, "vxlan(gbp(")) {
        return parse_options(ps, p, gbp, ARRAY_SIZE(gbp)) && dp_scan(p, "))");
    } else if (dp_scan(p, "erspan(")) {
        return parse_options(ps, p, erspan, ARRAY_SIZE(erspan)) && dp_scan(p, ")");
    } else if (dp_scan(p, "gtpu(")) {
        return parse_options(ps, p, gtpu, ARRAY_SIZE(gtpu)) && dp_scan(p, ")");
    } else if (dp_scan(p, "geneve(")) {
        return ps->geneve && dp_scan_geneve(p, ps->geneve) && dp_scan(p, ")");
    } else if (dp_scan(p, "tun_metadata")) {
        return parse_tun_md(ps, p);
    }
    const char *name = *p;
    const size_t len = strcspn(name, "=,)");
    bool v6;
    const enum field_id id = find_field("tunnel", 6, name, len, &v6);
    if (id == FIELD_COUNT || name[len] != '=') {
        return false;
    }
    *p = name + len + 1;
    return parse_value(ps, id, p);
}

static bool
parse_tunnel(struct dp_parser *ps, const char **p)
{
    while (**p != ')') {
        if (!parse_tunnel_member(ps, p) || (!dp_scan(p, ",") && **p != ')')) {
            return false;
        }
    }
    return true;
}

// Members of a regular group.
static bool
parse_members(struct dp_parser *ps, const char *group, size_t group_len, const char **p)
{
    bool v6;
    const enum field_id whole = find_field(group, group_len, "", 0, &v6);
    if (whole != FIELD_COUNT) {
        return parse_value(ps, whole, p);
    }
    if (!group_exists(group, group_len)) {
        return false;
    }
    ps->v6 = group_len == 4 && !memcmp(group, "ipv6", 4);
    while (**p != ')') {
        const char *name = *p;
        size_t len = strcspn(name, "=,)");
        enum field_id id = find_field(group, group_len, name, len, &v6);
        if (id == FIELD_COUNT && group_len == 9 && !memcmp(group, "ct_tuple6", 9)) {
            id = find_field("ct_tuple4", 9, name, len, &v6); // ports go by both names
        }
        if (id == FIELD_COUNT || name[len] != '=') {
            return false;
        }
        *p = name + len + 1;
        if (!parse_value(ps, id, p) || (!dp_scan(p, ",") && **p != ')')) {
            return false;
        }
    }
    return true;
}

static bool parse_list(struct dp_parser *, const char **p);

static bool
parse_encap(struct dp_parser *ps, const char **p)
{
    ps->depth++;
    const bool ok = ps->depth <= FLOW_N_VLANS && parse_list(ps, p);
    ps->depth--;
    return ok;
}

static const struct {
    const char *group;
    bool (*parse)(struct dp_parser *, const char **);
} irregular[] = {
    {"eth_type", parse_eth_type},
    {"vlan", parse_vlan},
    {"encap", parse_encap},
    {"mpls", parse_mpls},
    {"packet_type", parse_packet_type},
    {"in_port", parse_in_port},
    {"ct_state", parse_ct_state},
    {"tunnel", parse_tunnel},
};

bool
dp_parse_group(struct dp_parser *ps, const char **pp)
{
    const char *group = *pp, *p = group;
    while (isalnum((unsigned char) *p) || *p == '_') {
        p++;
    }
    const size_t len = (size_t) (p - group);
    if (!len || *p++ != '(') {
        return false;
    }
    bool ok = false, found = false;
    for (size_t i = 0; i < ARRAY_SIZE(irregular) && !found; i++) {
        if (strlen(irregular[i].group) == len && !memcmp(irregular[i].group, group, len)) {
            found = true;
            ok = irregular[i].parse(ps, &p);
        }
    }
    if (!found) {
        ok = parse_members(ps, group, len, &p);
    }
    if (!ok || *p++ != ')') {
        return false;
    }
    *pp = p;
    return true;
}

// Groups up to a parenthesis or the end; false: *p is at the one that is wrong.
static bool
parse_list(struct dp_parser *ps, const char **p)
{
    for (;;) {
        *p += strspn(*p, SEPARATORS);
        if (!**p || **p == ')') {
            return true;
        }
        if (!dp_parse_group(ps, p)) {
            return false;
        }
    }
}

char *
dp_match_parse(const char *text, dp_port_finder *port_by_name, void *aux, struct flow_match *m)
{
    struct dp_parser ps = {.match = m, .port_by_name = port_by_name, .aux = aux};
    const char *p = text + strspn(text, SEPARATORS);
    match_init_any(m);
    FLOW_MASK_EXACT(&m->mask, recirc_id); // 0 when it isn't named
    if (dp_scan(&p, "ufid:")) {
        p += strcspn(p, SEPARATORS);
    }
    if (!parse_list(&ps, &p) || *p) {
        return base_asprintf("syntax error at %s", p);
    }
    match_update_used(m);
    return NULL;
}
