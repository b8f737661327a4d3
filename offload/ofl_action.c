// SPDX-License-Identifier: Apache-2.0
// Datapath actions → tc actions. What tc cannot do, or not in the same way, is refused before
// anything is sent.
//
// The packet itself leaves with the last output (redirect), copies with those before it (mirror).
// What follows the last output changes nothing that anybody sees, and is left out.
//
// An output to an internal port comes last where that makes no difference: most NICs can give a
// packet to the host only at its end (see ofl_local.c).
#include "config.h"

#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_skbedit.h>
#include <linux/tc_act/tc_vlan.h>

#include "offload/ofl_private.h"

struct ctx {
    struct nlk_batch *b;
    const struct ofl_spec *spec;
    struct reason *r;
    const struct ofl_dev *in;
    const struct dp_act *last; // output
    unsigned n_outputs;
    struct ofl_split split;
    bool moved;          // the output to the internal port comes at the end
    uint16_t n;          // tc actions
    size_t act, options; // open nests
};

static void
begin(struct ctx *c, const char *kind)
{
    c->act = nlk_nest(c->b, ++c->n);
    nlk_put_str(c->b, TCA_ACT_KIND, kind);
    if (c->n == 1) {
        nlk_put(c->b, TCA_ACT_COOKIE, c->spec->id, sizeof *c->spec->id);
    }
    c->options = nlk_nest(c->b, TCA_ACT_OPTIONS);
}

// With the place where the output stood that comes last here.
static void
begin_moved(struct ctx *c, const char *kind)
{
    c->act = nlk_nest(c->b, ++c->n);
    nlk_put_str(c->b, TCA_ACT_KIND, kind);
    nlk_put(c->b, TCA_ACT_COOKIE, &c->split.position, sizeof c->split.position);
    c->options = nlk_nest(c->b, TCA_ACT_OPTIONS);
}

static void
end(struct ctx *c)
{
    nlk_nest_end(c->b, c->options);
    nlk_nest_end(c->b, c->act);
}

// --- Output. ---

static void
put_mirred(struct ctx *c, int eaction, int ifindex, bool last)
{
    if (eaction == TCA_INGRESS_REDIR && c->moved) {
        begin_moved(c, "mirred");
    } else {
        begin(c, "mirred");
    }
    struct tc_mirred *p = nlk_put_zero(c->b, TCA_MIRRED_PARMS, sizeof *p);
    p->action = last ? TC_ACT_STOLEN : TC_ACT_PIPE;
    p->eaction = eaction;
    p->ifindex = (uint32_t) ifindex;
    end(c);
}

// As if the device had received it itself.
static void
put_internal(struct ctx *c, const struct ofl_dev *out, bool last)
{
    begin(c, "skbedit");
    struct tc_skbedit *p = nlk_put_zero(c->b, TCA_SKBEDIT_PARMS, sizeof *p);
    p->action = TC_ACT_PIPE;
    nlk_put_u16(c->b, TCA_SKBEDIT_PTYPE, PACKET_HOST);
    end(c);
    put_mirred(c, last ? TCA_INGRESS_REDIR : TCA_INGRESS_MIRROR, out->port.ifindex, last);
}

static bool
put_output(struct ctx *c, const struct dp_act *a)
{
    const struct dp_act_output *o = (const struct dp_act_output *) (const void *) a;
    const struct ofl_dev *out = ofl_dev_by_port(c->spec->devs, o->port);
    const bool last = a == c->last && !c->moved;

    if (!out || !out->port.ifindex) {
        reason_set(c->r, REASON_PORT_NO_IFINDEX, FIELD_COUNT, 0, "output to %s",
                   out ? out->port.name : "a port without device");
        return false;
    }
    if (out->port.internal) {
        if (!c->moved) {
            put_internal(c, out, last);
        }
        return true;
    }
    if (c->spec->hw && (!out->nic || !c->in || out->nic != c->in->nic)) {
        reason_set(c->r, out->nic ? REASON_PORT_OTHER_ESWITCH : REASON_PORT_NOT_SWITCHDEV,
                   FIELD_COUNT, 0, "output to %s", out->port.name);
        return false;
    }
    put_mirred(c, last ? TCA_EGRESS_REDIR : TCA_EGRESS_MIRROR, out->port.ifindex, last);
    return true;
}

// --- VLAN tags. ---

static void
put_vlan(struct ctx *c, int what, const struct dp_act_push_vlan *v)
{
    begin(c, "vlan");
    struct tc_vlan *p = nlk_put_zero(c->b, TCA_VLAN_PARMS, sizeof *p);
    p->action = TC_ACT_PIPE;
    p->v_action = what;
    if (v) {
        nlk_put_u16(c->b, TCA_VLAN_PUSH_VLAN_ID, be16toh(v->tci) & 0xfff);
        nlk_put_u16(c->b, TCA_VLAN_PUSH_VLAN_PROTOCOL, v->tpid);
        // Without it the kernel keeps, and drivers take as 0, whatever was there.
        nlk_put_u8(c->b, TCA_VLAN_PUSH_VLAN_PRIORITY, (uint8_t) (be16toh(v->tci) >> 13));
    }
    end(c);
}

static const struct dp_act_push_vlan *
as_push(struct ctx *c, const struct dp_act *a)
{
    const uint8_t *stop = c->spec->actions->data + c->spec->actions->len;
    return (const uint8_t *) a < stop && a->type == DP_ACT_PUSH_VLAN ? (const void *) a : NULL;
}

static bool
put_push(struct ctx *c, const struct dp_act_push_vlan *v, int what)
{
    if (v->tpid != htobe16(0x8100) && v->tpid != htobe16(0x88a8)) {
        return ofl_refuse_field(c->r, REASON_ACT_UNSUPPORTED, FIELD_VLAN_TPID, "push_vlan");
    }
    put_vlan(c, what, v);
    return true;
}

// --- Set fields: a run of them at a time. ---

static bool
put_sets(struct ctx *c, const struct dp_act **a)
{
    const uint8_t *stop = c->spec->actions->data + c->spec->actions->len;
    struct ofl_pedit p;

    memset(&p, 0, sizeof p);
    for (;;) {
        if (!ofl_pedit_add(&p, (const struct dp_act_set *) (const void *) *a, c->spec->match,
                           c->r)) {
            return false;
        }
        const struct dp_act *next = dp_act_next(*a);
        if ((const uint8_t *) next >= stop || next->type != DP_ACT_SET) {
            break;
        }
        *a = next;
    }
    begin(c, "pedit");
    ofl_pedit_put(c->b, &p);
    end(c);
    if (p.csum) {
        begin(c, "csum");
        struct tc_csum *s = nlk_put_zero(c->b, TCA_CSUM_PARMS, sizeof *s);
        s->action = TC_ACT_PIPE;
        s->update_flags = p.csum;
        end(c);
    }
    return true;
}

static bool
put_one(struct ctx *c, const struct dp_act **a)
{
    switch ((*a)->type) {
    case DP_ACT_OUTPUT:
        return put_output(c, *a);
    case DP_ACT_PUSH_VLAN:
        return put_push(c, (const void *) *a, TCA_VLAN_ACT_PUSH);
    case DP_ACT_POP_VLAN: {
        // Another tag instead: one action.
        const struct dp_act_push_vlan *push = as_push(c, dp_act_next(*a));
        if (push) {
            *a = dp_act_next(*a);
            return put_push(c, push, TCA_VLAN_ACT_MODIFY);
        }
        put_vlan(c, TCA_VLAN_ACT_POP, NULL);
        return true;
    }
    case DP_ACT_SET:
        return put_sets(c, a);
    default:
        return ofl_refuse_action(c->r, *a);
    }
}

static void
put_end(struct ctx *c, int action)
{
    begin(c, "gact");
    struct tc_gact *p = nlk_put_zero(c->b, TCA_GACT_PARMS, sizeof *p);
    p->action = action;
    end(c);
}

// The copy for the internal port, at the end.
static void
put_moved(struct ctx *c, struct ofl_filter *f)
{
    const struct ofl_dev *local = c->split.local;
    if (c->in->nic->no_split) {
        put_internal(c, local, true);
        return;
    }
    begin_moved(c, "gact");
    struct tc_gact *p = nlk_put_zero(c->b, TCA_GACT_PARMS, sizeof *p);
    p->action = (int) (TC_ACT_GOTO_CHAIN | ofl_local_chain(local->port.ifindex));
    end(c);
    f->local = local->port.ifindex;
}

// Finds the last output; refuses what no part of this room knows.
static bool
scan(struct ctx *c)
{
    const struct dp_actions *acts = c->spec->actions;
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, acts->data, acts->len) {
        switch (a->type) {
        case DP_ACT_OUTPUT:
            c->last = a;
            c->n_outputs++;
            break;
        case DP_ACT_DROP:
        case DP_ACT_SET:
        case DP_ACT_PUSH_VLAN:
        case DP_ACT_POP_VLAN:
            break;
        default:
            return ofl_refuse_action(c->r, a);
        }
    }
    return true;
}

bool
ofl_action_put(struct nlk_batch *b, const struct ofl_spec *spec, struct ofl_filter *f,
               struct reason *r)
{
    struct ctx c = {.b = b, .spec = spec, .r = r};
    c.in = ofl_dev_by_port(spec->devs, be32toh(spec->match->key.in_port));
    if (!spec->pass && !scan(&c)) {
        return false;
    }

    f->local = 0;
    if (spec->hw && c.in && c.in->nic && c.n_outputs > 1) {
        ofl_local_find(spec, &c.split);
        c.moved = c.split.local && c.split.movable;
    }
    const size_t nest = nlk_nest(b, TCA_FLOWER_ACT);
    if (!c.last) {
        put_end(&c, spec->pass ? TC_ACT_OK : TC_ACT_SHOT);
    } else {
        const struct dp_act *a;
        DP_ACT_FOR_EACH (a, spec->actions->data, spec->actions->len) {
            if (a->type == DP_ACT_DROP) {
                continue;
            }
            const bool done = a == c.last;
            if (!put_one(&c, &a)) {
                return false;
            }
            if (done) {
                break;
            }
        }
        if (c.moved) {
            put_moved(&c, f);
        }
    }
    if (c.n > TCA_ACT_MAX_PRIO) {
        reason_set(r, REASON_ACT_TOO_MANY, FIELD_COUNT, 0, "%u", c.n);
        return false;
    }
    nlk_nest_end(b, nest);
    return true;
}
