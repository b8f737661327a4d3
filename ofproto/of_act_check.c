// SPDX-License-Identifier: Apache-2.0
// Do the actions of a flow make sense: among themselves (of_act_verify), and for packets of its
// match (of_actions_check)? The second follows what each action does to the headers, so that
// push_vlan makes set_field:…->vlan_vid legal, and notes in the list what encoders want to know.
//
// OpenFlow 1.0 lets header modifications be ignored where the header is absent; later versions
// refuse them. Source: ovs-actions(7), OpenFlow 1.5 section 7.2.4 and 7.4.4.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>

#include "lib/flow/match.h"

// --- Among themselves. ---

enum kind { KIND_METER, KIND_APPLY, KIND_CLEAR, KIND_WRITE, KIND_METADATA, KIND_GOTO };

static const char *const kind_names[] = {"meter",         "apply_actions",  "clear_actions",
                                         "write_actions", "write_metadata", "goto_table"};

static enum kind
kind_of(unsigned type)
{
    switch (type) {
    case OF_ACT_METER:
        return KIND_METER;
    case OF_ACT_CLEAR_ACTIONS:
        return KIND_CLEAR;
    case OF_ACT_WRITE_ACTIONS:
        return KIND_WRITE;
    case OF_ACT_WRITE_METADATA:
        return KIND_METADATA;
    case OF_ACT_GOTO_TABLE:
        return KIND_GOTO;
    default:
        return KIND_APPLY;
    }
}

static void
say(char **sentence, char *text)
{
    if (sentence) {
        *sentence = text;
    } else {
        free(text);
    }
}

// The field an action writes, or FIELD_COUNT.
static unsigned
written_field(const struct flat_item *i)
{
    switch ((enum of_act_type) i->type) {
    case OF_ACT_SET_FIELD:
        return ((const struct of_act_set_field *) (const void *) i)->field;
    case OF_ACT_REG_MOVE:
        return ((const struct of_act_move *) (const void *) i)->dst.field;
    default:
        return FIELD_COUNT;
    }
}

static int
verify_ct(const struct flat_item *i, enum of_act_type outer, char **sentence)
{
    const unsigned field = written_field(i);
    const bool ct_field = field == FIELD_CT_MARK || field == FIELD_CT_LABEL;
    if (outer != OF_ACT_CT) {
        if (ct_field) {
            say(sentence, base_strdup("cannot set CT fields outside of ct action"));
            return OF_ERROR_BAC_BAD_SET_ARGUMENT;
        }
        if (i->type == OF_ACT_NAT) {
            say(sentence, base_strdup("Cannot have NAT action outside of \"ct\" action"));
            return OF_ERROR_BAC_BAD_SET_ARGUMENT;
        }
        return 0;
    }
    if (i->type == OF_ACT_NAT || ct_field) {
        return 0;
    }
    if (field < FIELD_COUNT) {
        say(sentence, base_asprintf("ct action doesn't support nested modification of %s",
                                    field_get((enum field_id) field)->name));
    } else {
        say(sentence, base_asprintf("ct action doesn't support nested action %s",
                                    of_act_name((enum of_act_type) i->type)));
    }
    return OF_ERROR_BAC_BAD_ARGUMENT;
}

// Lists of actions without instructions; a meter is an action of OpenFlow 1.5, but not a nested
// one.
static int
verify_nested(enum kind kind, enum of_act_type outer, char **sentence)
{
    if (kind == KIND_APPLY || (kind == KIND_METER && outer == OF_ACT_OUTER_ACTIONS)) {
        return 0;
    }
    if (kind == KIND_METER) {
        say(sentence,
            base_asprintf("%s action doesn't support nested action meter", of_act_name(outer)));
        return OF_ERROR_BAC_BAD_TYPE;
    }
    say(sentence, base_asprintf("%s instruction not allowed here", kind_names[kind]));
    return OF_ERROR_BIC_UNSUP_INST;
}

static int
verify_order(enum kind kind, enum kind last, char **sentence)
{
    if (kind > last || (kind == KIND_APPLY && last == KIND_APPLY)) {
        return 0;
    }
    if (kind == last) {
        say(sentence,
            base_asprintf("duplicate %s instruction not allowed, for OpenFlow 1.1+ compatibility",
                          kind_names[kind]));
        return OF_ERROR_BAC_UNSUPPORTED_ORDER;
    }
    say(sentence, base_asprintf("invalid instruction ordering: %s must appear before %s, for "
                                "OpenFlow 1.1+ compatibility",
                                kind_names[kind], kind_names[last]));
    return OF_ERROR_BAC_UNSUPPORTED_ORDER;
}

// A flow with conjunction has notes beside it at most.
static int
verify_conjunction(bool conjunction, const struct flat_item *other, char **sentence)
{
    if (!conjunction || !other) {
        return 0;
    }
    say(sentence, base_asprintf("\"conjunction\" actions may be used along with \"note\" but not "
                                "any other kind of action (such as the \"%s\" action used here)",
                                of_act_name((enum of_act_type) other->type)));
    return OF_ERROR_NXBAC_BAD_CONJUNCTION;
}

int
of_act_verify(const struct flat *list, size_t start, enum of_act_type outer, char **sentence)
{
    if (start == list->len) {
        return 0;
    }
    const struct flat_item *i, *other = NULL;
    bool conjunction = false, first = true;
    enum kind last = KIND_METER;
    FLAT_FOR_EACH (i, list->data + start, list->len - start) {
        const enum kind kind = kind_of(i->type);
        int error = verify_ct(i, outer, sentence);
        if (!error && outer != OF_ACT_OUTER_NONE) {
            error = verify_nested(kind, outer, sentence);
        } else if (!error && !first) {
            error = verify_order(kind, last, sentence);
        }
        if (error) {
            return error;
        }
        if (i->type == OF_ACT_CONJUNCTION) {
            conjunction = true;
        } else if (i->type != OF_ACT_NOTE) {
            other = other ? other : i;
        }
        last = kind;
        first = false;
    }
    return verify_conjunction(conjunction, other, sentence);
}

// --- For packets of a match. ---

struct check {
    struct flow_key key; // what the packet is at this point
    uint32_t max_ports;
    uint8_t table;
    unsigned n_tables;
    bool strict;  // OpenFlow 1.1 and later
    bool not_inv; // the match says that conntrack didn't find the packet invalid
};

// A header that the action changes isn't there.
static int
absent(const struct check *c)
{
    return c->strict ? OF_ERROR_BAC_MATCH_INCONSISTENT : 0;
}

static bool
is_ip(const struct check *c)
{
    return c->key.eth_type == htobe16(0x0800) || c->key.eth_type == htobe16(0x86dd);
}

static bool
is_mpls(const struct check *c)
{
    return c->key.eth_type == htobe16(0x8847) || c->key.eth_type == htobe16(0x8848);
}

static bool
has_tag(const struct check *c)
{
    return c->key.vlan[0].tci & htobe16(FLOW_VLAN_PRESENT);
}

static int
check_port(const struct check *c, uint32_t port)
{
    if (port < c->max_ports) {
        return 0;
    }
    return port >= OF_PORT_UNSET && port != OF_PORT_ANY && port != OF_PORT_UNSET
               ? 0
               : OF_ERROR_BAC_BAD_OUT_PORT;
}

static int
check_readable(const struct check *c, const struct subfield *s)
{
    const struct field_info *f = field_get(s->field);
    if (!s->n_bits || s->ofs + s->n_bits > of_act_field_bits(f)) {
        return OF_ERROR_BAC_BAD_SET_LEN;
    }
    return field_prereqs_met(f, &c->key, NULL) ? 0 : OF_ERROR_BAC_MATCH_INCONSISTENT;
}

static int
check_writable(const struct check *c, const struct subfield *s)
{
    int error = check_readable(c, s);
    return error                                     ? error
           : field_get(s->field)->access == FIELD_RW ? 0
                                                     : OF_ERROR_BAC_BAD_SET_ARGUMENT;
}

static void
set_tag(struct check *c)
{
    c->key.vlan[0].tci |= htobe16(FLOW_VLAN_PRESENT);
}

static int
check_set_field(struct check *c, struct of_act_set_field *a)
{
    const struct field_info *f = field_get((enum field_id) a->field);
    if (f->access != FIELD_RW) {
        return OF_ERROR_BAC_BAD_SET_ARGUMENT;
    }
    if (!field_prereqs_met(f, &c->key, NULL) || (a->field == FIELD_VLAN_VID && !has_tag(c))) {
        return OF_ERROR_BAC_MATCH_INCONSISTENT;
    }
    a->has_vlan = has_tag(c);
    if (a->field == FIELD_DL_VLAN || a->field == FIELD_VLAN_TCI) {
        // Writing the whole field decides whether there is a tag; bits of it need not.
        union field_value value, mask;
        of_act_set_field_value(a, &value, &mask);
        if (a->field == FIELD_DL_VLAN) {
            set_tag(c);
        } else if (mask.b[FIELD_VALUE_BYTES - 2] & 0x10) {
            c->key.vlan[0].tci = value.b[FIELD_VALUE_BYTES - 2] & 0x10
                                     ? c->key.vlan[0].tci | htobe16(FLOW_VLAN_PRESENT)
                                     : 0;
        }
    }
    return 0;
}

static int
check_vlan(struct check *c, struct of_act_u32 *a)
{
    a->i.flags &= (uint16_t) ~OF_VLAN_KNOWN;
    a->i.flags |= has_tag(c) ? OF_VLAN_KNOWN : 0;
    const bool lost = !has_tag(c) && !(a->i.flags & OF_VLAN_PUSH);
    set_tag(c);
    return lost ? absent(c) : 0;
}

static int
check_strip_vlan(struct check *c)
{
    const bool lost = !has_tag(c);
    c->key.vlan[0] = c->key.vlan[1];
    memset(&c->key.vlan[1], 0, sizeof c->key.vlan[1]);
    return lost ? absent(c) : 0;
}

static int
check_push_vlan(struct check *c)
{
    if (c->key.vlan[FLOW_N_VLANS - 1].tci & htobe16(FLOW_VLAN_PRESENT)) {
        return OF_ERROR_BAC_BAD_TAG;
    }
    c->key.vlan[1] = c->key.vlan[0];
    set_tag(c);
    return 0;
}

static int
check_l4_port(struct check *c, struct of_act_u32 *a)
{
    const uint8_t proto = c->key.nw_proto;
    if (!is_ip(c) || c->key.nw_frag & FLOW_FRAG_LATER ||
        (proto != 6 && proto != 17 && proto != 132)) {
        a->aux = 0;
        return absent(c);
    }
    a->aux = proto;
    return 0;
}

static int
check_mpls(struct check *c, const struct flat_item *i)
{
    const bool lost = i->type != OF_ACT_PUSH_MPLS && !is_mpls(c);
    if (i->type == OF_ACT_PUSH_MPLS || i->type == OF_ACT_POP_MPLS) {
        c->key.eth_type = ((const struct of_act_push *) (const void *) i)->ethertype;
        c->key.nw_proto = 0; // the payload is opaque, or new
    }
    return lost ? absent(c) : 0;
}

static int
check_bundle(struct check *c, const struct of_act_bundle *a)
{
    if (a->dst.n_bits) {
        int error = check_writable(c, &a->dst);
        if (error) {
            return error;
        }
    }
    for (unsigned k = 0; k < a->n_members; k++) {
        const uint32_t port = a->members[k];
        if (port != OF_PORT_ANY && port >= c->max_ports && port != OF_PORT_LOCAL) {
            return OF_ERROR_BAC_BAD_OUT_PORT;
        }
    }
    return 0;
}

static int
check_learn(const struct check *c, const struct of_act_learn *a)
{
    struct check flow = {.max_ports = c->max_ports};
    if (a->flags & OF_LEARN_WRITE_RESULT) {
        int error = check_writable(c, &a->result_dst);
        if (error) {
            return error;
        }
    }
    const struct of_learn_spec *s = of_learn_spec_first(a);
    for (; s < of_learn_spec_end(a); s = of_learn_spec_next(s)) {
        int error = s->src_type == OF_LEARN_SRC_FIELD ? check_readable(c, &s->src) : 0;
        if (error) {
            return error;
        }
        if (s->dst_type == OF_LEARN_DST_MATCH) {
            error = check_readable(&flow, &s->dst);
            if (!error && s->src_type == OF_LEARN_SRC_IMM) {
                union field_value value;
                memset(&value, 0, sizeof value);
                memcpy(value.b + FIELD_VALUE_BYTES - s->imm_len, s->imm, s->imm_len);
                subfield_write(&s->dst, &flow.key, &value);
            }
        } else if (s->dst_type == OF_LEARN_DST_LOAD) {
            error = check_writable(&flow, &s->dst);
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

static int check_items(struct check *, void *items, size_t len);

static int
check_ct(struct check *c, struct of_act_ct *a)
{
    const uint8_t proto = c->key.nw_proto;
    if (!is_ip(c) || (a->alg == 21 && proto != 6) || (a->alg == 69 && proto != 17)) {
        return OF_ERROR_BAC_MATCH_INCONSISTENT;
    }
    if (a->zone_src.n_bits) {
        int error = check_readable(c, &a->zone_src);
        if (error) {
            return error;
        }
    }
    return check_items(c, a + 1, a->i.len - sizeof *a);
}

static int
check_nat(const struct check *c, const struct of_act_nat *a)
{
    return (a->family == 4 && c->key.eth_type != htobe16(0x0800)) ||
                   (a->family == 6 && c->key.eth_type != htobe16(0x86dd))
               ? OF_ERROR_BAC_MATCH_INCONSISTENT
               : 0;
}

static int
check_encap(struct check *c, const struct of_act_encap *a)
{
    if (a->packet_type == 0) {
        c->key.packet_type = 0;
        return 0;
    }
    if (a->packet_type == 0x1894f) {
        c->key.packet_type = htobe32(a->packet_type);
        c->key.eth_type = htobe16(0x894f);
        return 0;
    }
    if (a->packet_type == 0x18847 || a->packet_type == 0x18848) {
        c->key.eth_type = htobe16((uint16_t) a->packet_type);
        c->key.nw_proto = 0;
        return 0;
    }
    return OF_ERROR_NXBAC_BAD_HEADER_TYPE;
}

static int
check_decap(struct check *c)
{
    if (c->key.packet_type == 0) {
        if (has_tag(c)) {
            return OF_ERROR_BAC_BAD_ARGUMENT;
        }
        c->key.packet_type = htobe32(UINT32_C(0x10000) | be16toh(c->key.eth_type));
    } else if (c->key.packet_type == htobe32(0x1894f)) {
        c->key.packet_type = 0;
        c->key.eth_type = 0;
    } else if (is_mpls(c)) {
        c->key.eth_type = 0;
    } else {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    return 0;
}

// resubmit(…,ct) swaps in the original direction's tuple, which valid connections have.
static bool
has_original_tuple(const struct check *c)
{
    const uint32_t state = be32toh(c->key.ct_state);
    return state & (FLOW_CT_NEW | FLOW_CT_EST | FLOW_CT_REL | FLOW_CT_RPL | FLOW_CT_SNAT |
                    FLOW_CT_DNAT) ||
           (state & FLOW_CT_TRK && c->not_inv);
}

static int
check_goto(const struct check *c, uint32_t table)
{
    return (c->table != 0xff && table <= c->table) || (table >= c->n_tables && table != 0xff)
               ? OF_ERROR_BIC_BAD_TABLE_ID
               : 0;
}

#define AS(type) ((struct type *) (void *) i)

// Modifications of headers.
static int
check_header(struct check *c, struct flat_item *i)
{
    switch ((enum of_act_type) i->type) {
    case OF_ACT_SET_FIELD:
        return check_set_field(c, AS(of_act_set_field));
    case OF_ACT_SET_VLAN_VID:
    case OF_ACT_SET_VLAN_PCP:
        return check_vlan(c, AS(of_act_u32));
    case OF_ACT_STRIP_VLAN:
        return check_strip_vlan(c);
    case OF_ACT_PUSH_VLAN:
        return check_push_vlan(c);
    case OF_ACT_SET_IPV4_SRC:
    case OF_ACT_SET_IPV4_DST:
        return c->key.eth_type == htobe16(0x0800) ? 0 : absent(c);
    case OF_ACT_SET_IP_DSCP:
    case OF_ACT_SET_IP_ECN:
    case OF_ACT_SET_IP_TTL:
    case OF_ACT_DEC_TTL:
        return is_ip(c) ? 0 : absent(c);
    case OF_ACT_SET_L4_SRC_PORT:
    case OF_ACT_SET_L4_DST_PORT:
        return check_l4_port(c, AS(of_act_u32));
    case OF_ACT_SET_MPLS_LABEL:
    case OF_ACT_SET_MPLS_TC:
    case OF_ACT_SET_MPLS_TTL:
    case OF_ACT_DEC_MPLS_TTL:
    case OF_ACT_PUSH_MPLS:
    case OF_ACT_POP_MPLS:
        return check_mpls(c, i);
    case OF_ACT_DEC_NSH_TTL:
        return c->key.packet_type == htobe32(0x1894f) || c->key.eth_type == htobe16(0x894f)
                   ? 0
                   : absent(c);
    case OF_ACT_FIN_TIMEOUT:
        return is_ip(c) && c->key.nw_proto == 6 ? 0 : absent(c);
    case OF_ACT_ENCAP:
        return check_encap(c, AS(of_act_encap));
    case OF_ACT_DECAP:
        return check_decap(c);
    default:
        return 0;
    }
}

static int
check_fields(const struct check *c, const struct flat_item *i)
{
    switch ((enum of_act_type) i->type) {
    case OF_ACT_OUTPUT_REG:
        return check_readable(c, &AS(of_act_output_reg)->src);
    case OF_ACT_REG_MOVE: {
        int error = check_readable(c, &AS(of_act_move)->src);
        return error ? error : check_writable(c, &AS(of_act_move)->dst);
    }
    case OF_ACT_STACK_PUSH:
        return check_readable(c, &AS(of_act_stack)->sub);
    case OF_ACT_STACK_POP:
        return check_writable(c, &AS(of_act_stack)->sub);
    case OF_ACT_MULTIPATH:
        return check_writable(c, &AS(of_act_multipath)->dst);
    case OF_ACT_CHECK_PKT_LARGER:
        return check_writable(c, &AS(of_act_check_pkt_larger)->dst);
    case OF_ACT_DELETE_FIELD: {
        const uint32_t f = AS(of_act_field)->field;
        return f >= FIELD_TUN_MD0 && f <= FIELD_TUN_MD63 ? 0 : OF_ERROR_BAC_BAD_ARGUMENT;
    }
    default:
        return 0;
    }
}

// A list that works on a copy of the packet, or on the packet of another time: then headers that it
// changes may have come meanwhile.
static int
check_copy(const struct check *c, struct flat_item *i)
{
    struct check copy = *c;
    copy.strict &= i->type != OF_ACT_WRITE_ACTIONS;
    return check_items(&copy, i + 1, i->len - sizeof *i);
}

static int
check_item(struct check *c, struct flat_item *i)
{
    switch ((enum of_act_type) i->type) {
    case OF_ACT_OUTPUT:
    case OF_ACT_OUTPUT_TRUNC:
        return check_port(c, AS(of_act_output)->port);
    case OF_ACT_ENQUEUE: {
        const uint32_t port = AS(of_act_enqueue)->port;
        return port < c->max_ports || port == OF_PORT_IN_PORT || port == OF_PORT_LOCAL
                   ? 0
                   : OF_ERROR_BAC_BAD_OUT_PORT;
    }
    case OF_ACT_BUNDLE:
        return check_bundle(c, AS(of_act_bundle));
    case OF_ACT_RESUBMIT:
        return AS(of_act_resubmit)->with_ct && !has_original_tuple(c)
                   ? OF_ERROR_BAC_MATCH_INCONSISTENT
                   : 0;
    case OF_ACT_LEARN:
        return check_learn(c, AS(of_act_learn));
    case OF_ACT_CT:
        return check_ct(c, AS(of_act_ct));
    case OF_ACT_NAT:
        return check_nat(c, AS(of_act_nat));
    case OF_ACT_CLONE:
    case OF_ACT_WRITE_ACTIONS:
        return check_copy(c, i);
    case OF_ACT_METER:
        return AS(of_act_u32)->value && AS(of_act_u32)->value <= UINT32_C(0xffff0000)
                   ? 0
                   : OF_ERROR_MMFC_INVALID_METER;
    case OF_ACT_GOTO_TABLE:
        return check_goto(c, AS(of_act_u32)->value);
    case OF_ACT_OUTPUT_REG:
    case OF_ACT_REG_MOVE:
    case OF_ACT_STACK_PUSH:
    case OF_ACT_STACK_POP:
    case OF_ACT_MULTIPATH:
    case OF_ACT_CHECK_PKT_LARGER:
    case OF_ACT_DELETE_FIELD:
        return check_fields(c, i);
    default:
        return check_header(c, i);
    }
}

static int
check_items(struct check *c, void *items, size_t len)
{
    for (size_t ofs = 0; ofs < len;) {
        struct flat_item *i = (void *) ((uint8_t *) items + ofs);
        int error = check_item(c, i);
        if (error) {
            return error;
        }
        ofs += i->len;
    }
    return 0;
}

int
of_actions_check(struct of_actions *a, const struct flow_match *match,
                 const struct of_act_place *place)
{
    struct check c = {.key = match->key,
                      .max_ports = place->max_ports,
                      .table = place->table,
                      .n_tables = place->n_tables,
                      .strict = place->version != OF_10,
                      .not_inv =
                          match->mask.ct_state & ~match->key.ct_state & htobe32(FLOW_CT_INV)};
    return check_items(&c, a->list.data, a->list.len);
}
