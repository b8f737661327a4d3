// SPDX-License-Identifier: Apache-2.0
// Text of actions, as ovs-ofctl(8) takes it: splitting into words, the table of words, small
// parsers that several actions use. Works in one copy of the text, on the stack unless it is long.
//
// Source: ovs-actions(7); words and sentences as the stock ovs-ofctl has them.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

// Sorted by name without regard to case (a test looks): found by halving.
struct word {
    const char *name;
    of_act_parse_fn *parse;
    unsigned variant;
};

static const struct word words[] = {
    {"ALL", of_act_parse_port_word, OF_PORT_ALL},
    {"any", of_act_parse_port_word, OF_PORT_ANY},
    {"bundle", of_act_parse_bundle, 0},
    {"bundle_load", of_act_parse_bundle, 1},
    {"check_pkt_larger", of_act_parse_check_pkt_larger, 0},
    {"clear_actions", of_act_parse_plain, OF_ACT_CLEAR_ACTIONS},
    {"clone", of_act_parse_clone, 0},
    {"conjunction", of_act_parse_conjunction, 0},
    {"controller", of_act_parse_controller, 0},
    {"ct", of_act_parse_ct, 0},
    {"ct_clear", of_act_parse_plain, OF_ACT_CT_CLEAR},
    {"debug_recirc", of_act_parse_plain, OF_ACT_DEBUG_RECIRC},
    {"debug_slow", of_act_parse_plain, OF_ACT_DEBUG_SLOW},
    {"dec_mpls_ttl", of_act_parse_plain, OF_ACT_DEC_MPLS_TTL},
    {"dec_nsh_ttl", of_act_parse_plain, OF_ACT_DEC_NSH_TTL},
    {"dec_ttl", of_act_parse_dec_ttl, 0},
    {"decap", of_act_parse_decap, 0},
    {"delete_field", of_act_parse_delete_field, 0},
    {"encap", of_act_parse_encap, 0},
    {"enqueue", of_act_parse_enqueue, 0},
    {"exit", of_act_parse_plain, OF_ACT_EXIT},
    {"fin_timeout", of_act_parse_fin_timeout, 0},
    {"FLOOD", of_act_parse_port_word, OF_PORT_FLOOD},
    {"goto_table", of_act_parse_goto_table, 0},
    {"group", of_act_parse_u32, OF_ACT_GROUP},
    {"IN_PORT", of_act_parse_port_word, OF_PORT_IN_PORT},
    {"learn", of_act_parse_learn, 0},
    {"load", of_act_parse_load, 0},
    {"LOCAL", of_act_parse_port_word, OF_PORT_LOCAL},
    {"meter", of_act_parse_u32, OF_ACT_METER},
    {"mod_dl_dst", of_act_parse_eth, OF_ACT_SET_ETH_DST},
    {"mod_dl_src", of_act_parse_eth, OF_ACT_SET_ETH_SRC},
    {"mod_nw_dst", of_act_parse_ipv4, OF_ACT_SET_IPV4_DST},
    {"mod_nw_ecn", of_act_parse_ip_ecn, 0},
    {"mod_nw_src", of_act_parse_ipv4, OF_ACT_SET_IPV4_SRC},
    {"mod_nw_tos", of_act_parse_ip_dscp, 0},
    {"mod_nw_ttl", of_act_parse_ip_ttl, 0},
    {"mod_tp_dst", of_act_parse_l4_port, OF_ACT_SET_L4_DST_PORT},
    {"mod_tp_src", of_act_parse_l4_port, OF_ACT_SET_L4_SRC_PORT},
    {"mod_vlan_pcp", of_act_parse_vlan_pcp, OF_VLAN_PUSH},
    {"mod_vlan_vid", of_act_parse_vlan_vid, OF_VLAN_PUSH},
    {"move", of_act_parse_move, 0},
    {"multipath", of_act_parse_multipath, 0},
    {"nat", of_act_parse_nat, 0},
    {"none", of_act_parse_port_word, OF_PORT_ANY},
    {"NORMAL", of_act_parse_port_word, OF_PORT_NORMAL},
    {"note", of_act_parse_note, 0},
    {"output", of_act_parse_output, 0},
    {"pop", of_act_parse_stack, OF_ACT_STACK_POP},
    {"pop_mpls", of_act_parse_mpls_type, OF_ACT_POP_MPLS},
    {"pop_queue", of_act_parse_plain, OF_ACT_POP_QUEUE},
    {"pop_vlan", of_act_parse_plain, OF_ACT_STRIP_VLAN},
    {"push", of_act_parse_stack, OF_ACT_STACK_PUSH},
    {"push_mpls", of_act_parse_mpls_type, OF_ACT_PUSH_MPLS},
    {"push_vlan", of_act_parse_push_vlan, 0},
    {"resubmit", of_act_parse_resubmit, 0},
    {"sample", of_act_parse_sample, 0},
    {"set_field", of_act_parse_set_field, 0},
    {"set_mpls_label", of_act_parse_mpls_label, 0},
    {"set_mpls_tc", of_act_parse_mpls_tc, 0},
    {"set_mpls_ttl", of_act_parse_mpls_ttl, 0},
    {"set_queue", of_act_parse_u32, OF_ACT_SET_QUEUE},
    {"set_tunnel", of_act_parse_tunnel, 0},
    {"set_tunnel64", of_act_parse_tunnel, 1},
    {"set_vlan_pcp", of_act_parse_vlan_pcp, 0},
    {"set_vlan_vid", of_act_parse_vlan_vid, 0},
    {"strip_vlan", of_act_parse_plain, OF_ACT_STRIP_VLAN},
    {"TABLE", of_act_parse_port_word, OF_PORT_TABLE},
    {"write_actions", of_act_parse_write_actions, 0},
    {"write_metadata", of_act_parse_write_metadata, 0},
};

static int
compare_word(const void *name, const void *word)
{
    return strcasecmp(name, ((const struct word *) word)->name);
}

// --- Splitting. ---

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// End of a value: the first comma or blank outside parentheses.
static char *
value_end(char *s)
{
    unsigned level = 0;
    for (; *s; s++) {
        if (*s == '(') {
            level++;
        } else if (*s == ')') {
            level -= level > 0;
        } else if (!level && (*s == ',' || is_blank(*s))) {
            break;
        }
    }
    return s;
}

// Behind "key(": cuts at the closing parenthesis, or takes "a)->b" as "a->b".
static char *
parenthesized(char *value)
{
    unsigned level = 1;
    char *s = value;
    for (; *s; s++) {
        level += *s == '(';
        level -= *s == ')';
        if (!level) {
            break;
        }
    }
    if (!*s) {
        return s;
    }
    if (strncmp(s + 1, "->", 2)) {
        *s = '\0';
        return s + 1;
    }
    char *end = value_end(s + 1);
    memmove(s, s + 1, end - s - 1);
    end[-1] = '\0';
    return *end ? end + 1 : end;
}

bool
of_act_next_key(char **list, char **key, char **value)
{
    char *s = *list;
    while (*s == ',' || is_blank(*s)) {
        s++;
    }
    if (!*s) {
        *list = s;
        return false;
    }
    *key = s;
    while (*s && !strchr(":=(, \t\r\n", *s)) {
        s++;
    }
    const char delimiter = *s;
    if (!delimiter) {
        *value = s;
    } else if (delimiter == '(') {
        *s++ = '\0';
        *value = s;
        s = parenthesized(s);
    } else if (delimiter == ':' || delimiter == '=') {
        *s++ = '\0';
        *value = s;
        s = value_end(s);
        if (*s) {
            *s++ = '\0';
        }
    } else {
        *value = s;
        *s++ = '\0';
    }
    *list = s;
    return true;
}

char *
of_act_next_word(char **list)
{
    char *s = *list;
    while (*s == ',' || is_blank(*s)) {
        s++;
    }
    if (!*s) {
        *list = s;
        return NULL;
    }
    char *word = s;
    s = value_end(s);
    if (*s) {
        *s++ = '\0';
    }
    *list = s;
    return word;
}

// --- Lists. ---

// "drop" stands alone, or with its like.
static char *
parse_items(struct of_act_text *t, char *text)
{
    const size_t start = t->acts->list.len;
    bool drop = false;
    char *key, *arg;
    while (of_act_next_key(&text, &key, &arg)) {
        if (!strcasecmp(key, "drop")) {
            drop = true;
            continue;
        }
        const struct word *w =
            bsearch(key, words, ARRAY_SIZE(words), sizeof words[0], compare_word);
        uint32_t port;
        char *error;
        if (w) {
            t->word = w->name;
            t->variant = w->variant;
            error = w->parse(t, arg);
        } else if (field_parse_port(key, t->ports, &port)) {
            of_actions_add_output(t->acts, port, 0);
            error = NULL;
        } else {
            error = !strcasecmp(key, "apply_actions")
                        ? base_strdup("apply_actions is the default instruction")
                        : base_asprintf("unknown action %s", key);
        }
        if (error) {
            return error;
        }
    }
    if (drop && t->acts->list.len > start) {
        return base_strdup("\"drop\" must not be accompanied by any other action or instruction");
    }
    return NULL;
}

char *
of_act_parse_list(const struct of_act_text *up, enum of_act_type outer, char *text)
{
    if (up->depth >= OF_ACT_MAX_DEPTH) {
        return base_strdup("Action nested too deeply");
    }
    struct of_act_text t = *up;
    t.outer = outer;
    t.depth++;
    const size_t start = t.acts->list.len;
    char *error = parse_items(&t, text);
    if (!error) {
        of_act_verify(&t.acts->list, start, outer, &error);
    }
    return error;
}

char *
of_actions_parse(const char *text, const struct field_port_names *ports, bool instructions,
                 struct of_actions *acts, uint32_t *usable)
{
    const size_t start = acts->list.len, len = strlen(text);
    char small[1024];
    char *copy = len < sizeof small ? small : base_malloc(len + 1);
    memcpy(copy, text, len + 1);
    struct of_act_text t = {.acts = acts, .ports = ports, .usable = usable};
    t.outer = instructions ? OF_ACT_OUTER_NONE : OF_ACT_OUTER_ACTIONS;
    char *error = of_act_parse_list(&t, t.outer, copy);
    if (error) {
        acts->list.len = start;
    }
    if (copy != small) {
        free(copy);
    }
    return error;
}

// --- Numbers and names. ---

char *
of_act_parse_u8(const char *text, const char *what, uint8_t *out)
{
    uint64_t x;
    if (!base_parse_uint(text, UINT8_MAX, &x)) {
        return base_asprintf("invalid %s \"%s\"", what, text);
    }
    *out = (uint8_t) x;
    return NULL;
}

char *
of_act_parse_u16(const char *text, const char *what, uint16_t *out)
{
    uint64_t x;
    if (!base_parse_uint(text, UINT16_MAX, &x)) {
        return base_asprintf("invalid %s \"%s\"", what, text);
    }
    *out = (uint16_t) x;
    return NULL;
}

static char *
parse_number(const char *text, uint64_t max, uint64_t *out)
{
    if (!*text) {
        return base_strdup("missing required numeric argument");
    }
    if (!base_parse_uint(text, max, out)) {
        return base_asprintf("invalid numeric format %s", text);
    }
    return NULL;
}

char *
of_act_parse_number32(const char *text, uint32_t *out)
{
    uint64_t x = 0;
    char *error = parse_number(text, UINT32_MAX, &x);
    *out = (uint32_t) x;
    return error;
}

char *
of_act_parse_number64(const char *text, uint64_t *out)
{
    return parse_number(text, UINT64_MAX, out);
}

char *
of_act_parse_ethertype(const char *text, const char *what, be16_t *out)
{
    uint16_t x = 0;
    char *error = of_act_parse_u16(text, what, &x);
    *out = htobe16(x);
    return error;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool
of_act_parse_hex(const char *text, struct str *out)
{
    for (;;) {
        while (*text == '.') {
            text++;
        }
        if (!*text) {
            return true;
        }
        const int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0) {
            return false;
        }
        str_add_char(out, (char) (high << 4 | low));
        text += 2;
    }
}

char *
of_act_parse_subfield_part(const char **text, struct subfield *out)
{
    const char *all = *text;
    char *error = subfield_parse(text, out);
    if (!error && !field_get(out->field)->oxm[0].name) {
        error = base_asprintf("%s: field %s has no NXM or OXM name, so that actions can't use it",
                              all, field_get(out->field)->name);
    }
    return error;
}

char *
of_act_parse_subfield(const char *text, struct subfield *out)
{
    char *error = of_act_parse_subfield_part(&text, out);
    if (!error && *text) {
        error = base_strdup("unexpected input following field syntax");
    }
    return error;
}

bool
of_act_parse_table(const char *text, uint8_t *out)
{
    uint64_t x;
    if (!base_parse_uint(text, UINT8_MAX, &x)) {
        return false;
    }
    *out = (uint8_t) x;
    return true;
}

char *
of_act_missing_arrow(const char *text)
{
    return base_asprintf("%s: missing `->'", text);
}

char *
of_act_split_arrow(char *text)
{
    char *arrow = strstr(text, "->");
    if (!arrow) {
        return NULL;
    }
    *arrow = '\0';
    return arrow + 2;
}

unsigned
of_act_field_bits(const struct field_info *f)
{
    return MIN(field_value_bits(f), f->n_bits);
}

uint32_t
of_act_usable(enum field_id id)
{
    switch (id) {
    case FIELD_IN_PORT:
    case FIELD_ETH_SRC:
    case FIELD_ETH_DST:
    case FIELD_VLAN_TCI:
    case FIELD_DL_VLAN:
    case FIELD_DL_VLAN_PCP:
    case FIELD_VLAN_VID:
    case FIELD_VLAN_PCP:
    case FIELD_NW_SRC:
    case FIELD_NW_DST:
    case FIELD_NW_PROTO:
    case FIELD_NW_TOS:
    case FIELD_IP_DSCP:
    case FIELD_ARP_OP:
    case FIELD_ARP_SPA:
    case FIELD_ARP_TPA:
    case FIELD_TCP_SRC:
    case FIELD_TCP_DST:
    case FIELD_UDP_SRC:
    case FIELD_UDP_DST:
    case FIELD_ICMP_TYPE:
    case FIELD_ICMP_CODE:
        return OF_PROTO_ALL;
    case FIELD_IN_PORT_OXM:
    case FIELD_METADATA:
    case FIELD_MPLS_LABEL:
    case FIELD_MPLS_TC:
    case FIELD_NW_ECN:
    case FIELD_SCTP_SRC:
    case FIELD_SCTP_DST:
        return OF_PROTO_NXM_OXM | OF_PROTO_11;
    default:
        return OF_PROTO_NXM_OXM;
    }
}
