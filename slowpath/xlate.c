// SPDX-License-Identifier: Apache-2.0
// Translation: the walk through tables. See xlate.h for the contract and xlate_ctx.h for how bits
// of the key are tracked.
//
// References: OpenFlow 1.5 section 5 (pipeline, action set), ovs-actions(7) (resubmit).
#include "config.h"

#include "slowpath/xlate.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/coverage.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "slowpath/bridge_state.h"
#include "slowpath/sp_private.h"
#include "slowpath/xlate_ctx.h"
#include "slowpath/xlate_state.h"

LOG_MODULE(xlate);
COVERAGE(xlate_actions);

const char *
xlate_error_text(enum xlate_error e)
{
    static const char *const texts[XLATE_N_ERRORS] = {
        [XLATE_OK] = "OK",
        [XLATE_NO_PORT] = "the datapath port belongs to no bridge",
        [XLATE_NO_BRIDGE] = "the bridge has no OpenFlow tables",
        [XLATE_TOO_DEEP] = "Recursion too deep",
        [XLATE_TOO_MANY] = "Too many resubmits",
        [XLATE_UNSUPPORTED] = "an action is not supported yet",
    };
    return (unsigned) e < XLATE_N_ERRORS ? texts[e] : "unknown error";
}

void
xlate_out_init(struct xlate_out *out)
{
    memset(out, 0, sizeof *out);
}

static void
release_states(struct xlate_out *out)
{
    for (size_t i = 0; i < out->n_deps; i++) {
        if (out->deps[i].kind == XLATE_DEP_STATE) {
            xlate_state_unref(out->deps[i].state);
        }
    }
    out->n_deps = 0;
}

void
xlate_out_destroy(struct xlate_out *out)
{
    release_states(out);
    free(out->deps);
    dp_actions_free(&out->acts);
}

struct xlate_dep *
xlate_add_dep(struct xlate_ctx *c, enum xlate_dep_kind kind)
{
    struct xlate_out *out = c->out;
    if (out->n_deps == out->cap_deps) {
        out->deps = base_grow(out->deps, &out->cap_deps, sizeof *out->deps);
    }
    struct xlate_dep *d = &out->deps[out->n_deps++];
    memset(d, 0, sizeof *d);
    d->kind = kind;
    d->rewritten = c->rewritten;
    d->in_port = be32toh(c->flow.in_port);
    d->bridge_number = c->br ? c->br->number : 0;
    return d;
}

void
xlate_fail(struct xlate_ctx *c, enum xlate_error error, const char *what)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    c->exit = true;
    if (c->out->error) {
        return;
    }
    c->out->error = error;
    snprintf(c->out->error_text, sizeof c->out->error_text, "%s", what ? what : "");
    if (c->in->trace) {
        static const char *const limits[XLATE_N_ERRORS] = {
            [XLATE_TOO_DEEP] = "over max translation depth 64",
            [XLATE_TOO_MANY] = "over 4096 resubmit actions",
        };
        if (limits[error]) {
            xlate_trace_add(c->in->trace, TRACE_ERROR, "%s", limits[error]);
        } else {
            xlate_trace_add(c->in->trace, TRACE_ERROR, "%s%s%s", xlate_error_text(error),
                            what ? ": " : "", what ? what : "");
        }
    } else if (error == XLATE_NO_PORT) {
        // A flow of a port that has just left its bridge is nothing to tell; a packet may be: somebody else added the port.
        if (c->in->learn && !c->in->prefer) {
            LOG_INFO_RL(&limit, "%s: packets from datapath port %u are dropped: no bridge has it", c->in->dp->type,
                        be32toh(c->flow.in_port));
        }
    } else {
        LOG_WARN_RL(&limit, "bridge %s: packets from port %u are dropped in table %u: %s%s%s",
                    c->br->name, be32toh(c->flow.in_port), c->table,
                    xlate_error_text(error), what ? ": " : "", what ? what : "");
    }
}

// Do tables see no ports, whatever the packet has?
static bool
hides_ports(const struct xlate_ctx *c)
{
    return c->flow.nw_frag & FLOW_FRAG_ANY && flow_key_is_ip(&c->flow) &&
           of_bridge_frags(c->br->of) == OF_FRAGS_NORMAL;
}

// The table's winner for the present key. Bits that were written earlier don't count as looked at.
static const struct of_rule *
lookup(struct xlate_ctx *c, uint8_t table, bool fragment)
{
    if (!c->headers_known && !fragment) {
        return of_bridge_lookup(c->br->of, c->version, table, &c->flow, &c->out->wc);
    }
    // What is matched or known already costs nothing more.
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        flow_mask_words_mut(&c->scratch)[i] =
            flow_mask_words(&c->out->wc)[i] | flow_mask_words(&c->known)[i];
    }
    const be16_t src = c->flow.tp_src, dst = c->flow.tp_dst;
    if (fragment) {
        // First one or not, tables see no ports: there is nothing to match.
        c->flow.tp_src = c->flow.tp_dst = 0;
        FLOW_MASK_EXACT(&c->scratch, tp_src);
        FLOW_MASK_EXACT(&c->scratch, tp_dst);
    }
    const struct of_rule *rule =
        of_bridge_lookup(c->br->of, c->version, table, &c->flow, &c->scratch);
    if (fragment) {
        c->flow.tp_src = src;
        c->flow.tp_dst = dst;
        c->scratch.tp_src = c->scratch.tp_dst = 0;
    }
    xlate_read(c, &c->scratch);
    return rule;
}

// "ip,in_port=1, priority 32768, cookie 0x5"
static void
format_rule(const struct of_rule *rule, struct str *s)
{
    struct flow_match *m = base_malloc(sizeof *m);
    match_init_any(m);
    if (rule->cr.mask) {
        minimask_expand(rule->cr.mask, &m->mask);
        minikey_expand(rule->cr.mask, rule->cr.key, &m->key);
        match_update_used(m);
    }
    const size_t before = s->len;
    match_format(m, NULL, -1, s);
    str_addf(s, "%spriority %d", s->len > before ? ", " : "", rule->cr.priority);
    if (rule->cookie) {
        str_addf(s, ", cookie %#llx", (unsigned long long) be64toh(rule->cookie));
    }
    free(m);
}

// no-packet-in: what no rule takes is not told to controllers.
static bool
in_port_is_silent(const struct xlate_ctx *c)
{
    const struct sp_port *in = sp_bridge_port(c->br, be32toh(c->flow.in_port));
    return in && in->of_config & OF_PORT_CFG_NO_PACKET_IN;
}

static void
trace_enter_table(struct xlate_ctx *c, uint8_t table, const struct of_rule *rule, bool miss)
{
    if (!c->in->trace) {
        return;
    }
    struct str s = STR_INIT;
    str_addf(&s, "%2u. ", table);
    if (rule) {
        format_rule(rule, &s);
    } else {
        const bool packet_in = miss && of_bridge_table_miss(c->br->of, table) == OF_MISS_CONTROLLER &&
                               !in_port_is_silent(c);
        str_addf(&s, "No match%s.", packet_in ? ", and a \"packet-in\" is called for" : "");
    }
    xlate_trace_enter(c->in->trace, TRACE_TABLE, str_take(&s));
}

// A rule of the switch's own counts what no other took.
static void
credit_own(struct xlate_ctx *c, enum of_own_rule which)
{
    struct xlate_dep *d = xlate_add_dep(c, XLATE_DEP_RULE);
    d->rule = of_bridge_own_rule(c->br->of, which);
    d->table = OF_TABLE_OWN;
}

// What a table does with a packet that no rule takes.
static void
table_miss(struct xlate_ctx *c, uint8_t table)
{
    switch (of_bridge_table_miss(c->br->of, table)) {
    case OF_MISS_CONTINUE:
        if (table + 1 < OF_TABLE_OWN) {
            xlate_table(c, table + 1, true);
        }
        return;
    case OF_MISS_CONTROLLER: {
        if (in_port_is_silent(c)) {
            credit_own(c, OF_OWN_DROP);
            XTRACE(c, TRACE_ACTION, "drop");
            return;
        }
        credit_own(c, OF_OWN_CONTROLLER);
        const struct of_act_controller a = {.max_len = 0xffff, .reason = OF_PIN_NO_MATCH};
        XTRACE(c, TRACE_ACTION, "controller(reason=)");
        c->missed = true;
        xlate_to_controller(c, &a, OF_PIN_NO_MATCH);
        c->missed = false;
        return;
    }
    case OF_MISS_DEFAULT:
    case OF_MISS_DROP:
        credit_own(c, OF_OWN_DROP);
        XTRACE(c, TRACE_ACTION, "drop");
        return;
    }
}

void
xlate_table(struct xlate_ctx *c, uint8_t table, bool miss)
{
    xlate_table_as(c, table, be32toh(c->flow.in_port), miss);
}

void
xlate_table_as(struct xlate_ctx *c, uint8_t table, uint32_t in_port, bool miss)
{
    if (c->depth >= XLATE_MAX_DEPTH) {
        xlate_fail(c, XLATE_TOO_DEEP, NULL);
        return;
    }
    if (c->n_resubmits++ >= XLATE_MAX_RESUBMITS) {
        xlate_fail(c, XLATE_TOO_MANY, NULL);
        return;
    }

    const uint8_t old_table = c->table;
    const be32_t real_in_port = c->flow.in_port;
    c->flow.in_port = htobe32(in_port);
    const bool fragment = hides_ports(c);
    const struct of_rule *old_rule = c->rule, *rule = lookup(c, table, fragment);
    struct xlate_dep *d = xlate_add_dep(c, rule ? XLATE_DEP_RULE : XLATE_DEP_MISS);
    d->rewritten |= fragment ? 1u << XLATE_G_L4 : 0;
    c->flow.in_port = real_in_port;
    d->table = table;
    if (rule) {
        d->rule = rule;
    } else {
        d->of = c->br->of;
    }

    c->table = table;
    c->rule = rule;
    c->last_cookie = rule && miss ? rule->cookie : c->last_cookie;
    c->depth++;
    trace_enter_table(c, table, rule, miss);
    if (rule) {
        const struct of_rule_actions *ra = rcu_get(((struct of_rule *) rule)->actions);
        if (!ra->acts.list.len) {
            XTRACE(c, TRACE_ACTION, "drop");
        }
        xlate_actions(c, ra->acts.list.data, ra->acts.list.len);
    } else if (miss) {
        table_miss(c, table);
    } else {
        credit_own(c, OF_OWN_DROP);
        XTRACE(c, TRACE_ACTION, "drop");
    }
    if (c->in->trace) {
        xlate_trace_leave(c->in->trace);
    }
    c->depth--;
    c->table = old_table;
    c->rule = old_rule;
}

// --- The action set. ---

// Order of OpenFlow 1.5, section 5.6; actions of equal rank keep theirs.
static int
set_rank(enum of_act_type type)
{
    switch (type) {
    case OF_ACT_STRIP_VLAN:
    case OF_ACT_POP_MPLS:
    case OF_ACT_DECAP:
        return 1;
    case OF_ACT_ENCAP:
        return 2;
    case OF_ACT_PUSH_MPLS:
        return 3;
    case OF_ACT_PUSH_VLAN:
        return 4;
    case OF_ACT_DEC_TTL:
    case OF_ACT_DEC_MPLS_TTL:
    case OF_ACT_DEC_NSH_TTL:
        return 5;
    case OF_ACT_SET_QUEUE:
        return 7;
    case OF_ACT_GROUP:
        return 8;
    case OF_ACT_OUTPUT:
    case OF_ACT_CT:
        return 9;
    default:
        return 6;
    }
}

// Is it alone of its kind in the set? Changes of fields and of queues are kept as they come.
static bool
is_single(enum of_act_type type)
{
    return set_rank(type) != 6;
}

struct flat
xlate_action_set(const struct xlate_ctx *c)
{
    struct flat sorted = FLAT_INIT;
    const struct flat_item *a, *later;
    bool group = false, output = false;
    FLAT_FOR_EACH (a, c->action_set.data, c->action_set.len) {
        group |= a->type == OF_ACT_GROUP;
        output |= set_rank(a->type) >= 8;
    }
    for (int rank = 1; rank <= 9 && output; rank++) {
        FLAT_FOR_EACH (a, c->action_set.data, c->action_set.len) {
            bool wanted = set_rank(a->type) == rank && !(group && a->type == OF_ACT_OUTPUT);
            FLAT_FOR_EACH (later, c->action_set.data, c->action_set.len) {
                wanted &= !(later > a && later->type == a->type && is_single(a->type));
            }
            if (wanted) {
                flat_append(&sorted, a, a->len);
            }
        }
    }
    return sorted;
}

static void
run_action_set(struct xlate_ctx *c, bool after_table)
{
    struct flat sorted = xlate_action_set(c);
    if (!sorted.len) {
        return;
    }
    if (c->in->trace) {
        // It goes on where the first table's actions ended, or below the last action.
        if (after_table) {
            xlate_trace_enter_last(c->in->trace, TRACE_TABLE);
        } else {
            xlate_trace_reenter(c->in->trace);
        }
        xlate_trace_enter(c->in->trace, TRACE_TABLE, base_strdup("--. Executing action set:"));
    }
    c->in_action_set = true;
    flat_clear(&c->action_set);
    xlate_actions(c, sorted.data, sorted.len); // nothing, after exit
    c->in_action_set = false;
    if (c->in->trace) {
        xlate_trace_leave(c->in->trace);
        xlate_trace_leave(c->in->trace);
    }
    flat_free(&sorted);
}

void
xlate_clone(struct xlate_ctx *c, const void *items, size_t len)
{
    struct xlate_saved *s = xlate_save(c, true);
    if (c->in->trace) {
        xlate_trace_leave(c->in->trace); // its actions are told beside it
    }
    xlate_actions(c, items, len);
    run_action_set(c, false);
    if (c->in->trace) {
        xlate_trace_reenter(c->in->trace);
    }
    xlate_restore_take(c, s);
}

void
xlate_pipeline(struct xlate_ctx *c, uint8_t table)
{
    if (c->in->trace) {
        xlate_trace_enter(c->in->trace, TRACE_BRIDGE, base_strdup(c->br->name));
    }
    if (c->in->actions && !c->depth) {
        xlate_actions(c, c->in->actions->list.data, c->in->actions->list.len);
    } else {
        xlate_table(c, table, true);
    }
    run_action_set(c, true);
    if (c->in->trace) {
        xlate_trace_leave(c->in->trace);
    }
}

// --- To controllers. ---

void
xlate_to_controller(struct xlate_ctx *c, const struct of_act_controller *a,
                    enum of_packet_in_reason reason)
{
    // The packet as it is now goes up; the state that isn't in the packet waits under a number.
    xlate_commit(c);
    struct xlate_state *s = base_calloc(1, sizeof *s + a->userdata_len);
    s->bridge_number = c->br->number;
    s->in_port = be32toh(c->flow.in_port);
    s->no_rule = c->missed;
    s->cookie = c->rule                        ? c->rule->cookie
                : s->no_rule                   ? 0
                : reason == OF_PIN_ACTION_SET ? c->last_cookie
                                               : UINT64_MAX;
    s->metadata = c->flow.metadata;
    memcpy(s->regs, c->flow.regs, sizeof s->regs);
    s->max_len = a->max_len;
    s->controller_id = a->controller_id;
    s->reason = reason;
    s->table = c->table;
    s->miss_rule = c->rule && c->rule->cr.priority == 0 && c->rule->cr.mask && !c->rule->cr.mask->n;
    s->userdata_len = a->userdata_len;
    memcpy(s->userdata, a->userdata, a->userdata_len);
    const uint32_t id = xlate_state_get(s);
    xlate_add_dep(c, XLATE_DEP_STATE)->state = id;

    struct dp_act_userspace *u = dp_actions_add(&c->out->acts, DP_ACT_USERSPACE, sizeof *u);
    u->egress_port = UINT32_MAX;
    u->kind = DP_USER_CONTROLLER;
    // In datapath actions there are two more reasons: a table-miss rule said so, or there was none.
    const uint32_t said = s->no_rule                                ? OF_PIN_IMPLICIT_MISS
                          : s->miss_rule && reason == OF_PIN_ACTION ? OF_PIN_EXPLICIT_MISS
                                                                    : (uint32_t) reason;
    u->arg = said << 16 | a->max_len;
    u->ofp_in_port = s->in_port;
    u->ofproto = c->br->number;
    u->cookie = be64toh(s->cookie);
    u->recirc_id = id;
    u->controller_id = a->controller_id;
    u->a.flags = c->in->trace && !c->in->learn ? DP_USER_DONT_SEND : 0;
    c->out->to_controller = true;
    free(s);
}

// --- The whole. ---

// Bits that are no packet's: they start as zero for every packet that comes from the datapath.
static void
init_known(struct xlate_ctx *c)
{
    FLOW_MASK_EXACT(&c->known, metadata);
    FLOW_MASK_EXACT(&c->known, regs);
    FLOW_MASK_EXACT(&c->known, conj_id);
    FLOW_MASK_EXACT(&c->known, actset_output);
    FLOW_MASK_EXACT(&c->known, in_port);
    FLOW_MASK_EXACT(&c->known, packet_type);
}

// The match always pins these, so that every place can hold the flow.
static void
pin(const struct flow_key *key, struct flow_mask *wc)
{
    FLOW_MASK_EXACT(wc, in_port);
    FLOW_MASK_EXACT(wc, recirc_id);
    FLOW_MASK_EXACT(wc, eth_type);
    if (flow_key_is_ip(key)) {
        wc->nw_frag |= FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    }
    // How many tags there are, and of what kind: places look for headers behind them.
    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        wc->vlan[i].tci |= htobe16(FLOW_VLAN_PRESENT);
        if (!(key->vlan[i].tci & htobe16(FLOW_VLAN_PRESENT))) {
            break;
        }
        FLOW_MASK_EXACT(wc, vlan[i].tpid);
    }
}

// What look-ups get for nothing: what the match pins anyway, and what is the same for all packets.
static void
begin_wc(struct xlate_ctx *c, const struct flow_key *key)
{
    pin(key, &c->out->wc);
    flow_mask_or(&c->out->wc, &c->known);
}

static void
finish_wc(struct xlate_ctx *c, const struct flow_key *key)
{
    struct flow_mask *wc = &c->out->wc;
    pin(key, wc);
    memset(&wc->metadata, 0, sizeof wc->metadata);
    memset(wc->regs, 0, sizeof wc->regs);
    wc->conj_id = wc->actset_output = wc->packet_type = 0;
    // ICMP type and code are 8 bits wide in packets.
    if (key->nw_proto == (key->eth_type == htobe16(0x86dd) ? 58 : 1) && flow_key_is_ip(key)) {
        wc->tp_src &= htobe16(0xff);
        wc->tp_dst &= htobe16(0xff);
    }
}

// A port that must not receive. Spanning tree's frames have a bit of their own; the match says
// which they are only where the bits differ.
static bool
port_is_deaf(struct xlate_ctx *c, const struct sp_port *port)
{
    static const struct mac stp = {{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}};
    const uint32_t deaf = port->of_config & (OF_PORT_CFG_NO_RECV | OF_PORT_CFG_NO_RECV_STP);
    if (deaf != OF_PORT_CFG_NO_RECV && deaf != OF_PORT_CFG_NO_RECV_STP) {
        return deaf;
    }
    const struct flow_mask mask = {.eth_dst = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
                                   .eth_type = htobe16(0xffff)};
    xlate_read(c, &mask);
    const bool is_stp =
        !memcmp(&c->flow.eth_dst, &stp, sizeof stp) && c->flow.eth_type == htobe16(0x05ff);
    return is_stp ? deaf == OF_PORT_CFG_NO_RECV_STP : deaf == OF_PORT_CFG_NO_RECV;
}

static bool microflows; // atomic

void
xlate_set_megaflows(bool on)
{
    __atomic_store_n(&microflows, !on, __ATOMIC_RELAXED);
}

static void
match_all(const struct flow_key *key, struct flow_mask *wc)
{
    struct flow_mask *all = base_malloc(sizeof *all);
    match_mask_of_key(key, all);
    flow_mask_or(wc, all);
    free(all);
}

void
xlate_flow(const struct xlate_in *in, struct xlate_out *out)
{
    struct xlate_ctx c;
    const struct flow_key *key = in->key;

    COVERAGE_INC(xlate_actions);
    release_states(out);
    dp_actions_clear(&out->acts);
    if (in->prefer) {
        out->wc = *in->prefer;
    } else {
        memset(&out->wc, 0, sizeof out->wc);
    }
    out->error = XLATE_OK;
    out->error_text[0] = '\0';
    out->to_controller = out->slow = false;

    memset(&c.known, 0, sizeof c.known);
    memset(&c.base_known, 0, sizeof c.base_known);
    memset((char *) &c + offsetof(struct xlate_ctx, rewritten), 0,
           sizeof c - offsetof(struct xlate_ctx, rewritten));
    c.in = in;
    c.out = out;
    c.flow = *key;
    c.br = in->bridge;
    out->bridge = in->bridge;
    out->ofp_in_port = be32toh(key->in_port);
    if (!in->bridge) {
        const struct sp_port *port =
            in->config ? sp_config_dp_port(in->config, in->dp, be32toh(key->in_port)) : NULL;
        if (port) {
            c.br = out->bridge = port->bridge;
            out->ofp_in_port = port->ofp_port;
            c.flow.in_port = htobe32(port->ofp_port);
        }
    }
    c.base = c.flow;
    init_known(&c);
    begin_wc(&c, key);
    if (!c.br) {
        xlate_fail(&c, XLATE_NO_PORT, NULL);
    } else if (!c.br->of) {
        xlate_fail(&c, XLATE_NO_BRIDGE, c.br->name);
    } else {
        const struct sp_port *port = sp_bridge_port(c.br, out->ofp_in_port);
        c.version = of_bridge_version(c.br->of);
        // A port that must not receive takes nothing (but what the switch itself sends out).
        if (!in->actions && port && port_is_deaf(&c, port)) {
            XTRACE(&c, TRACE_REMARK, "port %s is configured not to receive, dropping", port->name);
        } else if (key->nw_frag & FLOW_FRAG_ANY && flow_key_is_ip(key) &&
                   of_bridge_frags(c.br->of) == OF_FRAGS_DROP) {
            credit_own(&c, OF_OWN_FRAGMENT);
            XTRACE(&c, TRACE_REMARK, "fragments are dropped");
        } else {
            xlate_pipeline(&c, 0);
        }
    }
    if (__atomic_load_n(&microflows, __ATOMIC_RELAXED)) {
        match_all(key, &out->wc);
    }
    finish_wc(&c, key);
    out->final = c.flow;
    if (out->error) {
        // Half a translation would send half of what the rules say.
        dp_actions_clear(&out->acts);
    }
    flat_free(&c.action_set);
    flat_free(&c.stack);
}
