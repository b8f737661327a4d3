// SPDX-License-Identifier: Apache-2.0
// Matches and keys from text: "tcp,in_port=1,nw_src=10.0.0.0/8", as ovs-ofctl(8) and ofproto/trace
// read it.
#include "lib/flow/match.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/net/packet_headers.h"

static const struct shorthand {
    const char *name;
    uint16_t eth_type; // 0: none
    uint8_t proto;     // 0: none
} shorthands[] = {
    {"eth", 0, 0},
    {"ip", ETH_TYPE_IP, 0},
    {"ipv4", ETH_TYPE_IP, 0},
    {"ipv6", ETH_TYPE_IPV6, 0},
    {"ip6", ETH_TYPE_IPV6, 0},
    {"icmp", ETH_TYPE_IP, IPPROTO_ICMP},
    {"icmp6", ETH_TYPE_IPV6, IPPROTO_ICMPV6},
    {"tcp", ETH_TYPE_IP, IPPROTO_TCP},
    {"udp", ETH_TYPE_IP, IPPROTO_UDP},
    {"sctp", ETH_TYPE_IP, IPPROTO_SCTP},
    {"tcp6", ETH_TYPE_IPV6, IPPROTO_TCP},
    {"udp6", ETH_TYPE_IPV6, IPPROTO_UDP},
    {"sctp6", ETH_TYPE_IPV6, IPPROTO_SCTP},
    {"arp", ETH_TYPE_ARP, 0},
    {"rarp", ETH_TYPE_RARP, 0},
    {"mpls", ETH_TYPE_MPLS, 0},
    {"mplsm", ETH_TYPE_MPLS_MCAST, 0},
};

static const struct shorthand *
find_shorthand(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++) {
        if (!strcmp(shorthands[i].name, name)) {
            return &shorthands[i];
        }
    }
    return NULL;
}

static void
set_u64(struct flow_match *m, enum field_id id, uint64_t value)
{
    union field_value v;
    field_value_from_u64(field_get(id), value, &v);
    match_set(m, field_get(id), &v, NULL);
}

// A field by one of its own names; names of code points belong into actions.
static const struct field_info *
find_field(const char *name)
{
    const struct field_info *f = field_by_name(name, strlen(name));
    return f && (!strcmp(f->name, name) || (f->alias && !strcmp(f->alias, name))) ? f : NULL;
}

char *
match_parse_field(struct flow_match *m, const char *name, const char *value,
                  const struct field_port_names *names, bool *known)
{
    const struct field_info *f = find_field(name);
    const struct shorthand *s = f ? NULL : find_shorthand(name);
    *known = s || f;
    if (s) {
        if (s->eth_type) { // "eth" goes without saying
            set_u64(m, FIELD_ETH_TYPE, s->eth_type);
        }
        if (s->proto) {
            set_u64(m, FIELD_NW_PROTO, s->proto);
        }
    } else if (f) {
        union field_value v, mask;
        char *error = field_parse(f, value && *value ? value : "0/0", names, &v, &mask);
        if (error) {
            return error;
        }
        match_set(m, f, &v, &mask);
    }
    return NULL;
}

struct token {
    char *name;
    char *value; // NULL: none
};

static bool
is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The next "name", "name=value", "name:value" or "name(value)"; parentheses in values nest. False:
// the end.
static bool
next_token(char **text, struct token *t)
{
    char *p = *text;
    while (is_separator(*p)) {
        p++;
    }
    if (!*p) {
        return false;
    }
    t->name = p;
    t->value = NULL;
    p += strcspn(p, ":=(, \t\r\n");
    const char delimiter = *p;
    if (!delimiter || is_separator(delimiter)) {
        *text = p + (delimiter != '\0');
        *p = '\0';
        return true;
    }
    *p++ = '\0';
    t->value = p;
    int depth = delimiter == '(';
    for (; *p && (depth || !is_separator(*p)); p++) {
        depth += *p == '(';
        depth -= *p == ')';
        if (!depth && delimiter == '(') {
            break;
        }
    }
    *text = p + (*p != '\0');
    *p = '\0';
    return true;
}

char *
match_parse(struct flow_match *m, const char *text, const struct field_port_names *names)
{
    char *copy = base_strdup(text), *p = copy, *error = NULL;
    struct token t;
    match_init_any(m);
    while (!error && next_token(&p, &t)) {
        bool known;
        error = match_parse_field(m, t.name, t.value, names, &known);
        if (!known) {
            error = base_asprintf("unknown field %s", t.name);
        }
    }
    free(copy);
    return error;
}

static char *
set_key_shorthand(struct flow_key *key, const struct shorthand *s)
{
    if (s->eth_type) {
        if (key->eth_type) {
            return base_strdup("Ethernet type set multiple times");
        }
        key->eth_type = htobe16(s->eth_type);
    }
    if (s->proto) {
        if (key->nw_proto) {
            return base_strdup("network protocol set multiple times");
        }
        key->nw_proto = s->proto;
    }
    return NULL;
}

static char *
set_key_field(struct flow_key *key, const struct token *t, const struct field_port_names *names)
{
    const struct field_info *f = find_field(t->name);
    union field_value v, mask, old;
    if (!f) {
        return base_asprintf("unknown field %s", t->name);
    }
    if (!field_prereqs_met(f, key, NULL)) {
        return base_asprintf("prerequisites not met for setting %s", t->name);
    }
    field_read(f, key, &old);
    if (!field_value_is_zero(f, &old) && f->id != FIELD_DL_VLAN) {
        return base_asprintf("field %s set multiple times", t->name);
    }
    const char *text = t->value ? t->value : "";
    char *why = field_parse(f, text, names, &v, &mask);
    if (!why && !field_value_is_exact(f, &mask)) {
        why = base_asprintf("%s: wildcards not allowed here", text);
    }
    if (why) {
        char *error = base_asprintf("bad value for %s (%s)", t->name, why);
        free(why);
        return error;
    }
    field_write(f, key, &v);
    return NULL;
}

char *
match_parse_key(struct flow_key *key, const char *text, const struct field_port_names *names)
{
    char *copy = base_strdup(text), *p = copy, *error = NULL;
    struct token t;
    memset(key, 0, sizeof *key);
    while (!error && next_token(&p, &t)) {
        const struct shorthand *s = find_shorthand(t.name);
        s = s && s->eth_type ? s : NULL;
        error = s ? set_key_shorthand(key, s) : set_key_field(key, &t, names);
    }
    if (!key->in_port) {
        key->in_port = UINT32_MAX;
    }
    free(copy);
    return error;
}
