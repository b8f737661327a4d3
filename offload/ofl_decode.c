// SPDX-License-Identifier: Apache-2.0
// tc actions → datapath actions, for filters that are found there: adopted when they say what the
// tables say, removed when not. Only what ofl_action.c would write is understood; the rest makes
// the filter somebody else's.
#include "config.h"

#include <linux/gen_stats.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_skbedit.h>
#include <linux/tc_act/tc_vlan.h>

#include "offload/ofl_private.h"

struct ctx {
    const struct ofl_decode *d;
    uint32_t want_csum; // a pedit came: this csum must follow
    bool to_host;       // skbedit ptype host came: ingress must follow
    bool ended, any;
    const struct nlk_attr *cookie; // of the present action
};

static bool
get_parms(const struct nlk_attr *options, uint16_t attr, void *to, size_t size)
{
    struct nlk_attr t[16];
    if (nlk_parse_nested(options, t, ARRAY_SIZE(t)) || t[attr].len < size) {
        return false;
    }
    memcpy(to, t[attr].data, size);
    return true;
}

// An output to an internal port that was moved to the end stands before the output that the cookie
// tells the number of.
static bool
insert_output(struct ctx *c, const struct ofl_dev *out)
{
    struct dp_actions *acts = c->d->out;
    uint8_t output[sizeof(struct dp_act_output)];
    uint32_t before = nlk_u32(c->cookie);
    const uint32_t len = acts->len;
    uint32_t at = len;
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, acts->data, len) {
        if (a->type == DP_ACT_OUTPUT && !before--) {
            at = (uint32_t) ((const uint8_t *) a - acts->data);
            break;
        }
    }
    dp_actions_add_output(acts, out->port.dp_port);
    if (acts->len - len != sizeof output) {
        return false;
    }
    memcpy(output, acts->data + len, sizeof output);
    memmove(acts->data + at + sizeof output, acts->data + at, len - at);
    memcpy(acts->data + at, output, sizeof output);
    return true;
}

static bool
get_mirred(struct ctx *c, const struct nlk_attr *options)
{
    struct tc_mirred p;
    if (!get_parms(options, TCA_MIRRED_PARMS, &p, sizeof p)) {
        return false;
    }
    const struct ofl_dev *out = ofl_dev_by_ifindex(c->d->devs, (int) p.ifindex);
    const bool ingress = p.eaction == TCA_INGRESS_REDIR || p.eaction == TCA_INGRESS_MIRROR;
    const bool redirect = p.eaction == TCA_EGRESS_REDIR || p.eaction == TCA_INGRESS_REDIR;
    if (!out || out->port.internal != ingress || c->to_host != ingress ||
        p.action != (redirect ? TC_ACT_STOLEN : TC_ACT_PIPE)) {
        return false;
    }
    c->to_host = false;
    c->ended = redirect;
    if (ingress && redirect && c->cookie->len == sizeof(uint32_t)) {
        return insert_output(c, out);
    }
    dp_actions_add_output(c->d->out, out->port.dp_port);
    return true;
}

static bool
get_skbedit(struct ctx *c, const struct nlk_attr *options)
{
    struct nlk_attr t[TCA_SKBEDIT_MAX + 1];
    if (nlk_parse_nested(options, t, ARRAY_SIZE(t)) || t[TCA_SKBEDIT_PTYPE].len != 2 ||
        nlk_u16(&t[TCA_SKBEDIT_PTYPE]) != PACKET_HOST || t[TCA_SKBEDIT_PRIORITY].data ||
        t[TCA_SKBEDIT_MARK].data || t[TCA_SKBEDIT_QUEUE_MAPPING].data) {
        return false;
    }
    c->to_host = true;
    return true;
}

static bool
get_vlan(struct ctx *c, const struct nlk_attr *options)
{
    struct nlk_attr t[TCA_VLAN_MAX + 1];
    struct tc_vlan p;
    if (nlk_parse_nested(options, t, ARRAY_SIZE(t)) || t[TCA_VLAN_PARMS].len < sizeof p) {
        return false;
    }
    memcpy(&p, t[TCA_VLAN_PARMS].data, sizeof p);
    if (p.action != TC_ACT_PIPE) {
        return false;
    }
    if (p.v_action == TCA_VLAN_ACT_POP || p.v_action == TCA_VLAN_ACT_MODIFY) {
        dp_actions_add(c->d->out, DP_ACT_POP_VLAN, sizeof(struct dp_act));
    }
    if (p.v_action == TCA_VLAN_ACT_PUSH || p.v_action == TCA_VLAN_ACT_MODIFY) {
        const unsigned tci = (nlk_u16(&t[TCA_VLAN_PUSH_VLAN_ID]) & 0xfffu) | FLOW_VLAN_PRESENT |
                             (nlk_u8(&t[TCA_VLAN_PUSH_VLAN_PRIORITY]) & 7u) << 13;
        struct dp_act_push_vlan *v = dp_actions_add(c->d->out, DP_ACT_PUSH_VLAN, sizeof *v);
        v->tpid = nlk_u16(&t[TCA_VLAN_PUSH_VLAN_PROTOCOL]);
        v->tci = htobe16((uint16_t) tci);
        return v->tpid && t[TCA_VLAN_PUSH_VLAN_ID].data;
    }
    return p.v_action == TCA_VLAN_ACT_POP;
}

static bool
get_pedit(struct ctx *c, const struct nlk_attr *options)
{
    struct ofl_pedit p;
    if (!ofl_pedit_get(options, &p) || !ofl_pedit_fields(&p, c->d->match, c->d->out)) {
        return false;
    }
    c->want_csum = p.csum;
    return true;
}

static bool
get_csum(struct ctx *c, const struct nlk_attr *options)
{
    struct tc_csum p;
    if (!get_parms(options, TCA_CSUM_PARMS, &p, sizeof p) || p.action != TC_ACT_PIPE ||
        !c->want_csum || p.update_flags != c->want_csum) {
        return false;
    }
    c->want_csum = 0;
    return true;
}

static bool
get_goto(struct ctx *c, uint32_t chain)
{
    const int ifindex = ofl_local_of_chain(chain);
    const struct ofl_dev *out = ifindex ? ofl_dev_by_ifindex(c->d->devs, ifindex) : NULL;
    if (!out || !out->port.internal || c->cookie->len != sizeof(uint32_t) || !c->any) {
        return false;
    }
    c->ended = true;
    return insert_output(c, out);
}

static bool
get_gact(struct ctx *c, const struct nlk_attr *options)
{
    struct tc_gact p;
    if (!get_parms(options, TCA_GACT_PARMS, &p, sizeof p)) {
        return false;
    }
    if (TC_ACT_EXT_CMP(p.action, TC_ACT_GOTO_CHAIN)) {
        return get_goto(c, (uint32_t) p.action & TC_ACT_EXT_VAL_MASK);
    }
    if (p.action != TC_ACT_SHOT || c->any) {
        return false;
    }
    c->ended = true;
    return true;
}

static const struct {
    const char *kind;
    bool (*get)(struct ctx *, const struct nlk_attr *options);
} kinds[] = {
    {"mirred", get_mirred}, {"skbedit", get_skbedit}, {"vlan", get_vlan},
    {"pedit", get_pedit},   {"csum", get_csum},       {"gact", get_gact},
};

static bool
get_one(struct ctx *c, const struct nlk_attr *act)
{
    struct nlk_attr t[TCA_ACT_MAX + 1];
    if (c->ended || nlk_parse_nested(act, t, ARRAY_SIZE(t)) || !t[TCA_ACT_OPTIONS].data) {
        return false;
    }
    c->cookie = &t[TCA_ACT_COOKIE];
    const char *kind = nlk_str(&t[TCA_ACT_KIND]);
    if ((c->want_csum && strcmp(kind, "csum")) || (c->to_host && strcmp(kind, "mirred"))) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kind, kinds[i].kind)) {
            const bool ok = kinds[i].get(c, &t[TCA_ACT_OPTIONS]);
            c->any = true;
            return ok;
        }
    }
    return false;
}

// The kernel lists them in order, but says so in their numbers.
bool
ofl_action_get(const struct nlk_attr *acts, const struct ofl_decode *d)
{
    struct ctx c = {.d = d};
    struct nlk_attr t[TCA_ACT_MAX_PRIO + 1];

    dp_actions_clear(d->out);
    if (nlk_parse_nested(acts, t, ARRAY_SIZE(t))) {
        return false;
    }
    for (size_t i = 1; i < ARRAY_SIZE(t) && t[i].data; i++) {
        if (!get_one(&c, &t[i])) {
            return false;
        }
    }
    return c.ended;
}

// --- Counters. ---

static void
get_stats(const struct nlk_attr *stats, struct ofl_counts *n)
{
    struct nlk_attr a;
    size_t pos = 0;
    uint64_t *packets = NULL; // whose 64 bits may follow
    while (nlk_next(stats->data, stats->len, &pos, &a, NULL)) {
        struct gnet_stats_basic basic;
        if (a.type == TCA_STATS_PKT64 && packets) {
            *packets = nlk_u64(&a);
        }
        if ((a.type != TCA_STATS_BASIC && a.type != TCA_STATS_BASIC_HW) || a.len < 12) {
            continue;
        }
        memset(&basic, 0, sizeof basic);
        memcpy(&basic, a.data, MIN((size_t) a.len, sizeof basic));
        packets = a.type == TCA_STATS_BASIC ? &n->packets : &n->hw_packets;
        *packets = basic.packets;
        *(a.type == TCA_STATS_BASIC ? &n->bytes : &n->hw_bytes) = basic.bytes;
    }
}

void
ofl_action_peek(const struct nlk_attr *acts, struct ofl_record *rec)
{
    struct nlk_attr first, t[TCA_ACT_MAX + 1];
    size_t pos = 0;
    if (!acts->data || !nlk_next(acts->data, acts->len, &pos, &first, NULL) ||
        nlk_parse_nested(&first, t, ARRAY_SIZE(t))) {
        return;
    }
    if (t[TCA_ACT_COOKIE].len == sizeof rec->id) {
        memcpy(&rec->id, t[TCA_ACT_COOKIE].data, sizeof rec->id);
        rec->has_id = true;
    }
    rec->local = t[TCA_ACT_COOKIE].len == sizeof OFL_LOCAL_COOKIE &&
                 !memcmp(t[TCA_ACT_COOKIE].data, OFL_LOCAL_COOKIE, sizeof OFL_LOCAL_COOKIE);
    if (t[TCA_ACT_STATS].data) {
        get_stats(&t[TCA_ACT_STATS], &rec->counts);
    }
}
