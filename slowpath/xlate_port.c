// SPDX-License-Identifier: Apache-2.0
// Output: to a port, through a patch port into another bridge, and to the reserved ports.
#include "config.h"

#include <stdlib.h>

#include "slowpath/bridge_state.h"
#include "slowpath/xlate_ctx.h"

struct xlate_saved {
    const struct sp_bridge *br;
    uint64_t version;
    struct flow_key flow;
    struct flow_mask known;
    uint16_t rewritten;
    uint8_t table;
    const struct of_rule *rule;
    struct flat action_set, stack;
    bool in_action_set;
};

struct xlate_saved *
xlate_save(struct xlate_ctx *c, bool with_set)
{
    struct xlate_saved *s = base_malloc(sizeof *s);
    *s = (struct xlate_saved){c->br,    c->version, c->flow,       c->known, c->rewritten,
                              c->table, c->rule,    c->action_set, c->stack, c->in_action_set};
    c->action_set = c->stack = (struct flat) FLAT_INIT;
    if (with_set) {
        flat_append(&c->action_set, s->action_set.data, s->action_set.len);
        flat_append(&c->stack, s->stack.data, s->stack.len);
    }
    return s;
}

void
xlate_restore_take(struct xlate_ctx *c, struct xlate_saved *s)
{
    flat_free(&c->action_set);
    flat_free(&c->stack);
    c->br = s->br;
    c->version = s->version;
    c->flow = s->flow;
    c->known = s->known;
    c->rewritten = s->rewritten;
    c->table = s->table;
    c->rule = s->rule;
    c->action_set = s->action_set;
    c->stack = s->stack;
    c->in_action_set = s->in_action_set;
    // The datapath's packet may carry what the copy was given: the next commit looks.
    c->uncommitted = true;
    free(s);
}

// Through the patch cable: the peer bridge's pipeline, in place, on a copy with fresh pipeline
// fields.
static void
output_patch(struct xlate_ctx *c, const struct sp_port *port)
{
    const struct sp_port *peer = port->peer;
    if (!peer || !peer->bridge->of) {
        XTRACE(c, TRACE_WARNING, "patch port has no peer, dropping");
        return;
    }
    if (c->depth >= XLATE_MAX_DEPTH) {
        xlate_fail(c, XLATE_TOO_DEEP, NULL);
        return;
    }

    struct xlate_dep *d = xlate_add_dep(c, XLATE_DEP_PATCH);
    d->bridge = c->br->state;
    d->port = port->ofp_port;
    d->peer_bridge = peer->bridge->state;
    d->peer = peer->ofp_port;
    if (peer->of_config & OF_PORT_CFG_NO_RECV) {
        return;
    }

    struct xlate_saved *s = xlate_save(c, false);
    c->br = peer->bridge;
    c->version = of_bridge_version(c->br->of);
    c->flow.in_port = htobe32(peer->ofp_port);
    c->flow.metadata = 0;
    memset(c->flow.regs, 0, sizeof c->flow.regs);
    c->flow.actset_output = c->flow.conj_id = 0;
    c->rewritten &= ~(1u << XLATE_G_METADATA | 0xfu << XLATE_G_REGS_0);
    c->in_action_set = false;
    const be64_t last_cookie = c->last_cookie;
    c->depth++;
    xlate_pipeline(c, 0);
    c->depth--;
    c->last_cookie = last_cookie;
    // exit ends the peer's pipeline, not ours; errors end all.
    c->exit = c->out->error != XLATE_OK;
    xlate_restore_take(c, s);
}

void
xlate_output_port(struct xlate_ctx *c, const struct sp_port *port)
{
    if (port->of_config & OF_PORT_CFG_NO_FWD) {
        XTRACE(c, TRACE_REMARK, "port %s is configured not to forward, skipping output",
               port->name);
        return;
    }
    if (port->kind == SP_PORT_PATCH) {
        output_patch(c, port);
        return;
    }
    if (port->dp_port == DP_PORT_NONE) {
        return;
    }
    xlate_commit(c);
    dp_actions_add_output(&c->out->acts, port->dp_port);
}

// FLOOD and ALL: every port but the one it came in by.
static void
output_all(struct xlate_ctx *c, bool flood)
{
    const uint32_t in_port = be32toh(c->flow.in_port);
    for (size_t i = 0; i < c->br->n_ports && !c->exit; i++) {
        const struct sp_port *p = c->br->by_number[i];
        if (p->ofp_port != in_port && !(flood && p->of_config & OF_PORT_CFG_NO_FLOOD)) {
            xlate_output_port(c, p);
        }
    }
}

void
xlate_output(struct xlate_ctx *c, uint32_t number, uint32_t max_len)
{
    const uint32_t in_port = be32toh(c->flow.in_port);

    switch (number) {
    case OF_PORT_IN_PORT:
        number = in_port;
        break;
    case OF_PORT_TABLE:
        xlate_table(c, 0, true);
        return;
    case OF_PORT_NORMAL:
        xlate_normal(c);
        return;
    case OF_PORT_FLOOD:
        output_all(c, true);
        return;
    case OF_PORT_ALL:
        output_all(c, false);
        return;
    case OF_PORT_CONTROLLER: {
        const struct of_act_controller a = {.max_len = MIN(max_len, 0xffffu)};
        xlate_to_controller(c, &a,
                            c->in_action_set              ? OF_PIN_ACTION_SET
                            : c->in->actions && !c->depth && !c->in->trace ? OF_PIN_PACKET_OUT
                                                          : OF_PIN_ACTION);
        return;
    }
    case OF_PORT_ANY:
    case OF_PORT_UNSET:
        return;
    default:
        // A packet never goes back where it came from, unless IN_PORT says so.
        if (number == in_port) {
            XTRACE(c, TRACE_WARNING, "skipping output to input port");
            return;
        }
        break;
    }

    const struct sp_port *port = sp_bridge_port(c->br, number);
    if (!port) {
        XTRACE(c, TRACE_WARNING, "Nonexistent output port");
        return;
    }
    xlate_output_port(c, port);
}
