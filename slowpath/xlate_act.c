// SPDX-License-Identifier: Apache-2.0
// OpenFlow actions and instructions, one function each, in a table by type. An action without a row
// ends the translation with a reason: nothing is left out silently.
//
// Source: OpenFlow 1.5 section 5, ovs-actions(7).
#include "config.h"

#include <linux/pkt_sched.h>
#include <stdlib.h>

#include "lib/flow/field_text.h"
#include "slowpath/sp_private.h"
#include "slowpath/xlate_ctx.h"

typedef void act_fn(struct xlate_ctx *, const struct flat_item *);

#define ACT(type, a, item) const struct type *a = (const struct type *) (const void *) (item)

// --- Output. ---

static void
act_output(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_output, a, i);
    xlate_output(c, a->port, a->max_len);
}

// What a subfield reads is matched.
static void
read_subfield(struct xlate_ctx *c, const struct subfield *sub, union field_value *value)
{
    const struct field_info *f = field_get(sub->field);
    memset(&c->scratch, 0, sizeof c->scratch);
    if (f->offset >= offsetof(struct flow_key, vlan) &&
        f->offset < offsetof(struct flow_key, mpls_lse)) {
        xlate_read_vlan(c, 0xffff);
    } else {
        field_mask_exact(f, &c->scratch);
        field_prereqs_met(f, &c->flow, &c->scratch);
        xlate_read(c, &c->scratch);
    }
    subfield_read(sub, &c->flow, value);
}

static void
act_output_reg(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_output_reg, a, i);
    union field_value v;
    read_subfield(c, &a->src, &v);
    const uint64_t port = field_value_to_u64(field_get(a->src.field), &v);
    XTRACE(c, TRACE_REMARK, "output port is %llu", (unsigned long long) port);
    // 16-bit sources hold OpenFlow 1.0 numbers: reserved ones are at the top.
    xlate_output(
        c, a->src.n_bits <= 16 && port >= 0xff00 ? (uint32_t) (port + 0xffff0000) : (uint32_t) port,
        a->max_len);
}

static void
act_controller(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_controller, a, i);
    if (a->pause) {
        xlate_fail(c, XLATE_UNSUPPORTED, "controller(pause)");
        return;
    }
    xlate_to_controller(c, a, (enum of_packet_in_reason) a->reason);
}

// --- Fields. ---

static void
act_set_field(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_set_field, a, i);
    union field_value value, mask;
    of_act_set_field_value(a, &value, &mask);
    xlate_write(c, field_get((enum field_id) a->field), &value, &mask);
}

static void
set_number(struct xlate_ctx *c, enum field_id id, uint64_t number, uint64_t mask)
{
    const struct field_info *f = field_get(id);
    union field_value v, m;
    field_value_from_u64(f, number, &v);
    field_value_from_u64(f, mask, &m);
    xlate_write(c, f, &v, &m);
}

// Sets bits of the outermost tag, pushing one first where there is none and the action says so.
static void
set_tci(struct xlate_ctx *c, const struct of_act_u32 *a, uint16_t value, uint16_t mask)
{
    xlate_read_vlan(c, FLOW_VLAN_PRESENT);
    if (!(c->flow.vlan[0].tci & htobe16(FLOW_VLAN_PRESENT))) {
        if (!(a->i.flags & OF_VLAN_PUSH)) {
            return;
        }
        xlate_push_vlan(c, htobe16(0x8100), 0);
    }
    xlate_touch_vlan(c);
    c->flow.vlan[0].tci = (c->flow.vlan[0].tci & ~htobe16(mask)) | htobe16(value & mask);
}

static void
act_vlan_vid(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_u32, a, i);
    set_tci(c, a, (uint16_t) a->value, 0x0fff);
}

static void
act_vlan_pcp(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_u32, a, i);
    set_tci(c, a, (uint16_t) (a->value << 13), 0xe000);
}

static void
act_strip_vlan(struct xlate_ctx *c, const struct flat_item *i)
{
    xlate_pop_vlan(c);
}

static void
act_push_vlan(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_push, a, i);
    xlate_touch_vlan(c);
    if (c->flow.vlan[FLOW_N_VLANS - 1].tci & htobe16(FLOW_VLAN_PRESENT)) {
        xlate_fail(c, XLATE_UNSUPPORTED, "push_vlan onto two tags");
        return;
    }
    xlate_push_vlan(c, a->ethertype, 0);
}

static void
act_eth(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_mac, a, i);
    union field_value v;
    memset(&v, 0, sizeof v);
    memcpy(v.b + FIELD_VALUE_BYTES - 6, a->mac.b, 6);
    xlate_write(c, field_get(i->type == OF_ACT_SET_ETH_SRC ? FIELD_ETH_SRC : FIELD_ETH_DST), &v,
                NULL);
}

static void
act_ipv4(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_ipv4, a, i);
    const bool src = i->type == OF_ACT_SET_IPV4_SRC, arp = c->flow.eth_type == htobe16(0x0806);
    // OpenFlow 1.0's nw_src and nw_dst mean the ARP addresses in ARP packets, but setting them
    // there is not done.
    if (!arp) {
        set_number(c, src ? FIELD_NW_SRC : FIELD_NW_DST, be32toh(a->addr), UINT32_MAX);
    }
}

static void
act_ip_byte(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_u32, a, i);
    switch ((enum of_act_type) i->type) {
    case OF_ACT_SET_IP_DSCP:
        set_number(c, FIELD_NW_TOS, a->value, 0xfc);
        break;
    case OF_ACT_SET_IP_ECN:
        set_number(c, FIELD_NW_TOS, a->value, 0x03);
        break;
    default:
        set_number(c, FIELD_NW_TTL, a->value, 0xff);
        break;
    }
}

static void
act_l4_port(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_u32, a, i);
    const bool src = i->type == OF_ACT_SET_L4_SRC_PORT;
    memset(&c->scratch, 0, sizeof c->scratch);
    FLOW_MASK_EXACT(&c->scratch, nw_proto);
    xlate_read(c, &c->scratch);
    if (!flow_key_is_ip(&c->flow)) {
        return;
    }
    switch (c->flow.nw_proto) {
    case 6:
        set_number(c, src ? FIELD_TCP_SRC : FIELD_TCP_DST, a->value, 0xffff);
        break;
    case 17:
        set_number(c, src ? FIELD_UDP_SRC : FIELD_UDP_DST, a->value, 0xffff);
        break;
    case 132:
        set_number(c, src ? FIELD_SCTP_SRC : FIELD_SCTP_DST, a->value, 0xffff);
        break;
    default:
        break;
    }
}

// A write to part of a field, as one to the field under a mask.
static void
write_subfield(struct xlate_ctx *c, const struct subfield *dst, const union field_value *value)
{
    struct flow_key *k = base_calloc(2, sizeof *k);
    union field_value whole, mask, ones;
    memset(&ones, 0xff, sizeof ones);
    subfield_write(dst, &k[0], value);
    subfield_write(dst, &k[1], &ones);
    const struct field_info *f = field_get(dst->field);
    field_read(f, &k[0], &whole);
    field_read(f, &k[1], &mask);
    free(k);
    xlate_write(c, f, &whole, &mask);
}

// What it holds now.
static void
trace_subfield(const struct xlate_ctx *c, const struct subfield *sub)
{
    if (c->in->trace) {
        union field_value v;
        struct str s = STR_INIT;
        subfield_read(sub, &c->flow, &v);
        subfield_format(sub, &s);
        str_add(&s, " is now ");
        const struct field_info *f = field_get(sub->field);
        if (sub->n_bits == f->n_bits) {
            field_format(f, &v, NULL, NULL, &s);
        } else {
            field_format_hex(v.b, sizeof v.b, &s);
        }
        XTRACE(c, TRACE_REMARK, "%s", str_get(&s));
        str_free(&s);
    }
}

static void
act_move(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_move, a, i);
    union field_value value;
    read_subfield(c, &a->src, &value);
    write_subfield(c, &a->dst, &value);
    trace_subfield(c, &a->dst);
}

static void
act_push(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_stack, a, i);
    union field_value v;
    read_subfield(c, &a->sub, &v);
    flat_append(&c->stack, &v, sizeof v);
}

static void
act_pop(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_stack, a, i);
    if (c->stack.len < sizeof(union field_value)) {
        // As documented: a pop of nothing is logged and has no effect.
        XTRACE(c, TRACE_ERROR, "stack underflow");
        return;
    }
    c->stack.len -= sizeof(union field_value);
    union field_value v;
    memcpy(&v, c->stack.data + c->stack.len, sizeof v);
    write_subfield(c, &a->sub, &v);
    trace_subfield(c, &a->sub);
}

static void
act_dec_ttl(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_ids, a, i);
    if (!flow_key_is_ip(&c->flow)) {
        return;
    }
    memset(&c->scratch, 0, sizeof c->scratch);
    FLOW_MASK_EXACT(&c->scratch, nw_ttl);
    xlate_read(c, &c->scratch);
    if (c->flow.nw_ttl > 1) {
        set_number(c, FIELD_NW_TTL, c->flow.nw_ttl - 1u, 0xff);
        return;
    }
    XTRACE(c, TRACE_WARNING, "IPv%d decrement TTL exception",
           c->flow.eth_type == htobe16(0x86dd) ? 6 : 4);
    for (uint32_t k = 0; k < MAX(a->n, 1u); k++) {
        const struct of_act_controller to = {.max_len = 0xffff,
                                             .controller_id = a->n ? a->ids[k] : 0};
        xlate_to_controller(c, &to, OF_PIN_INVALID_TTL);
    }
    // The rest of this list is for packets that live.
    c->stop_list = true;
}

// --- Queues. ---

// What the datapath calls a queue: the kernel's packets go to class 1:QUEUE+1 of the device's qdisc
// (linux/pkt_sched.h, skb->priority), others take the number as it is. A number that has no class
// changes nothing.
static bool
set_queue(struct xlate_ctx *c, uint32_t queue)
{
    const bool kernel = c->in->dp && c->in->dp->home == DP_PLACE_KERNEL;
    if (kernel && queue >= 0xf000) {
        return false;
    }
    set_number(c, FIELD_SKB_PRIORITY, kernel ? TC_H_MAKE(1u << 16, queue + 1) : queue, UINT32_MAX);
    return true;
}

static void
act_set_queue(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_u32, a, i);
    set_queue(c, a->value);
}

static void
act_pop_queue(struct xlate_ctx *c, const struct flat_item *i)
{
    const bool other = c->flow.skb_priority != c->in->key->skb_priority;
    c->flow.skb_priority = c->in->key->skb_priority;
    c->known.skb_priority = 0;
    c->uncommitted = true;
    if (other) {
        XTRACE(c, TRACE_REMARK, "queue = %#x", be32toh(c->flow.skb_priority));
    }
}

static void
act_enqueue(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_enqueue, a, i);
    if (a->port == be32toh(c->flow.in_port)) {
        return;
    }
    const be32_t priority = c->flow.skb_priority, known = c->known.skb_priority;
    set_queue(c, a->queue);
    xlate_output(c, a->port, 0);
    c->flow.skb_priority = priority;
    c->known.skb_priority = known;
    c->uncommitted = true;
}

// --- Tables. ---

static void
act_resubmit(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_resubmit, a, i);
    if (a->with_ct) {
        xlate_fail(c, XLATE_UNSUPPORTED, "resubmit(…,ct)");
        return;
    }
    xlate_table_as(c, a->table == 0xff ? c->table : a->table,
                   a->in_port == OF_PORT_IN_PORT ? be32toh(c->flow.in_port) : a->in_port, false);
}

static void
act_goto_table(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_u32, a, i);
    xlate_table(c, (uint8_t) a->value, true);
}

static void
act_write_metadata(struct xlate_ctx *c, const struct flat_item *i)
{
    ACT(of_act_write_metadata, a, i);
    c->flow.metadata = (c->flow.metadata & ~a->mask) | (a->metadata & a->mask);
    c->rewritten |= 1u << XLATE_G_METADATA;
}

static void
trace_action_set(const struct xlate_ctx *c, const char *verb)
{
    if (c->in->trace) {
        struct of_actions set = {xlate_action_set(c)};
        struct str s = STR_INIT;
        of_actions_format(&set, NULL, &s);
        XTRACE(c, TRACE_REMARK, "action set %s%s%s", verb, set.list.len ? ": " : " empty",
               set.list.len ? str_get(&s) : "");
        str_free(&s);
        flat_free(&set.list);
    }
}

static void
act_clear_actions(struct xlate_ctx *c, const struct flat_item *i)
{
    trace_action_set(c, "was");
    flat_clear(&c->action_set);
}

static void
act_write_actions(struct xlate_ctx *c, const struct flat_item *i)
{
    const struct flat_item *new;
    OF_ACT_FOR_EACH_NESTED (new, i, sizeof(struct of_act_nest)) {
        flat_append(&c->action_set, new, new->len);
    }
    trace_action_set(c, "is");
}

// --- Others. ---

static void
act_exit(struct xlate_ctx *c, const struct flat_item *i)
{
    c->exit = true;
}

static void
act_nothing(struct xlate_ctx *c, const struct flat_item *i)
{
}

static void
act_clone(struct xlate_ctx *c, const struct flat_item *i)
{
    xlate_clone(c, (const uint8_t *) i + sizeof(struct of_act_nest),
                i->len - sizeof(struct of_act_nest));
}

static act_fn *const acts[OF_ACT_COUNT] = {
    [OF_ACT_OUTPUT] = act_output,
    [OF_ACT_OUTPUT_REG] = act_output_reg,
    [OF_ACT_CONTROLLER] = act_controller,
    [OF_ACT_SET_FIELD] = act_set_field,
    [OF_ACT_SET_VLAN_VID] = act_vlan_vid,
    [OF_ACT_SET_VLAN_PCP] = act_vlan_pcp,
    [OF_ACT_STRIP_VLAN] = act_strip_vlan,
    [OF_ACT_PUSH_VLAN] = act_push_vlan,
    [OF_ACT_SET_ETH_SRC] = act_eth,
    [OF_ACT_SET_ETH_DST] = act_eth,
    [OF_ACT_SET_IPV4_SRC] = act_ipv4,
    [OF_ACT_SET_IPV4_DST] = act_ipv4,
    [OF_ACT_SET_IP_DSCP] = act_ip_byte,
    [OF_ACT_SET_IP_ECN] = act_ip_byte,
    [OF_ACT_SET_IP_TTL] = act_ip_byte,
    [OF_ACT_SET_L4_SRC_PORT] = act_l4_port,
    [OF_ACT_SET_L4_DST_PORT] = act_l4_port,
    [OF_ACT_REG_MOVE] = act_move,
    [OF_ACT_STACK_PUSH] = act_push,
    [OF_ACT_STACK_POP] = act_pop,
    [OF_ACT_DEC_TTL] = act_dec_ttl,
    [OF_ACT_RESUBMIT] = act_resubmit,
    [OF_ACT_ENQUEUE] = act_enqueue,
    [OF_ACT_SET_QUEUE] = act_set_queue,
    [OF_ACT_POP_QUEUE] = act_pop_queue,
    [OF_ACT_NOTE] = act_nothing,
    [OF_ACT_EXIT] = act_exit,
    [OF_ACT_CLONE] = act_clone,
    [OF_ACT_CLEAR_ACTIONS] = act_clear_actions,
    [OF_ACT_WRITE_ACTIONS] = act_write_actions,
    [OF_ACT_WRITE_METADATA] = act_write_metadata,
    [OF_ACT_GOTO_TABLE] = act_goto_table,
};

bool
xlate_does(enum of_act_type type)
{
    return type < OF_ACT_COUNT && acts[type];
}

void
xlate_actions(struct xlate_ctx *c, const void *items, size_t len)
{
    const struct flat_item *i;
    FLAT_FOR_EACH (i, items, len) {
        if (c->exit) {
            break;
        }
        if (c->in->trace) {
            struct of_actions one = {{(uint8_t *) (uintptr_t) i, i->len, i->len}};
            struct str s = STR_INIT;
            of_actions_format(&one, NULL, &s);
            xlate_trace_enter(c->in->trace, TRACE_ACTION, str_take(&s));
        }
        if (xlate_does((enum of_act_type) i->type)) {
            acts[i->type](c, i);
        } else {
            xlate_fail(c, XLATE_UNSUPPORTED, of_act_name((enum of_act_type) i->type));
        }
        if (c->in->trace) {
            xlate_trace_leave(c->in->trace);
        }
        if (c->stop_list) {
            c->stop_list = false;
            break;
        }
    }
}
