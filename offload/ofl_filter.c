// SPDX-License-Identifier: Apache-2.0
// A flow's filter as a netlink message, and back. Filters stand in the first chain of their
// device's clsact ingress. The priority is the outermost ethertype, because a priority of tc holds
// filters of one ethertype: the choice needs no table and is the same after a restart. Below the
// ethertypes (0x600) there are levels for the usual ones: a filter that takes another one's place
// stands before it until that one, which matches nothing any more, was counted and removed.
// Handles are counted. The flow's id is the cookie of the first action.
//
// Source: linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h.
#include "config.h"

#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "offload/ofl_old.h"

#define LEVELS_FROM 0x100
#define PARENT TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

static const uint16_t with_levels[] = {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8};

static size_t
level_row(be16_t protocol)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(with_levels) && with_levels[i] != be16toh(protocol)) {
        i++;
    }
    return i;
}

bool
ofl_has_levels(be16_t protocol)
{
    return level_row(protocol) < ARRAY_SIZE(with_levels);
}

uint16_t
ofl_prio(be16_t protocol, uint8_t level)
{
    return level ? (uint16_t) (LEVELS_FROM + level_row(protocol) * OFL_LEVELS + OFL_LEVELS - level)
                 : be16toh(protocol);
}

unsigned
ofl_level(uint16_t prio, be16_t protocol)
{
    return prio == be16toh(protocol) || prio < LEVELS_FROM
               ? 0
               : OFL_LEVELS - (prio - LEVELS_FROM) % OFL_LEVELS;
}

// Past the last one comes the first, behind all others: those have to go before it matches.
uint8_t
ofl_next_level(struct dp *dp, const struct flow_id *id, const struct ofl_flow *f)
{
    const unsigned level = MAX(ofl_level(f->prio, f->protocol) + 1, ofl_old_top(dp, id));
    return (uint8_t) (level < OFL_LEVELS ? level : 0);
}

// Software's counters begin behind the Ethernet header, and behind the tag that the kernel takes
// off first.
uint8_t
ofl_head_bytes(be16_t protocol)
{
    return protocol == htobe16(0x8100) || protocol == htobe16(0x88a8) ? 18 : 14;
}

static struct tcmsg *
begin(struct nlk_batch *b, uint16_t type, uint16_t flags, int ifindex)
{
    struct tcmsg *t = nlk_begin(b, type, flags, sizeof *t);
    t->tcm_ifindex = ifindex;
    t->tcm_parent = PARENT;
    return t;
}

bool
ofl_filter_put(struct nlk_batch *b, const struct ofl_spec *s, uint16_t nlm_flags,
               struct ofl_filter *f, struct reason *r)
{
    begin(b, RTM_NEWTFILTER, nlm_flags, f->ifindex);
    const size_t msg = b->msg;
    nlk_put_str(b, TCA_KIND, "flower");
    if (f->chain) {
        nlk_put_u32(b, TCA_CHAIN, f->chain);
    }
    const size_t options = nlk_nest(b, TCA_OPTIONS);
    if (!ofl_match_put(b, s->match, &f->protocol, r) || !ofl_action_put(b, s, f, r)) {
        nlk_cancel(b);
        return false;
    }
    nlk_put_u32(b, TCA_FLOWER_FLAGS, f->flags);
    if (!nlk_nest_end(b, options)) {
        nlk_cancel(b);
        reason_set(r, REASON_ACT_TOO_MANY, FIELD_COUNT, 0, NULL);
        return false;
    }
    f->level = ofl_has_levels(f->protocol) ? f->level : 0;
    f->prio = ofl_prio(f->protocol, f->level);
    struct tcmsg *t = (struct tcmsg *) (void *) (b->data + msg + NLMSG_HDRLEN);
    t->tcm_handle = f->handle;
    t->tcm_info = TC_H_MAKE((uint32_t) f->prio << 16, f->protocol);
    return true;
}

void
ofl_filter_name(struct nlk_batch *b, uint16_t type, uint16_t nlm_flags, const struct ofl_flow *flow)
{
    struct tcmsg *t = begin(b, type, nlm_flags, flow->ifindex);
    t->tcm_handle = flow->handle;
    t->tcm_info = TC_H_MAKE((uint32_t) flow->prio << 16, flow->protocol);
    nlk_put_str(b, TCA_KIND, "flower");
}

bool
ofl_filter_parse(const struct nlk_msg *m, struct ofl_record *rec)
{
    struct tcmsg t;
    struct nlk_attr a[TCA_MAX + 1], o[TCA_FLOWER_MAX + 1];

    memset(rec, 0, sizeof *rec);
    if ((m->type != RTM_NEWTFILTER && m->type != RTM_DELTFILTER) || m->len < sizeof t) {
        return false;
    }
    memcpy(&t, m->data, sizeof t);
    if (nlk_parse(m->data + NLMSG_ALIGN(sizeof t), m->len - NLMSG_ALIGN(sizeof t), a,
                  ARRAY_SIZE(a))) {
        return false;
    }
    rec->f = (struct ofl_filter){.ifindex = t.tcm_ifindex,
                                 .protocol = (be16_t) TC_H_MIN(t.tcm_info),
                                 .prio = (uint16_t) (TC_H_MAJ(t.tcm_info) >> 16),
                                 .handle = t.tcm_handle,
                                 .chain = nlk_u32(&a[TCA_CHAIN])};
    rec->flower = !strcmp(nlk_str(&a[TCA_KIND]), "flower");
    // Without options: the head of a priority, which holds no filter itself.
    if (!rec->flower || !rec->f.handle || !a[TCA_OPTIONS].data ||
        nlk_parse_nested(&a[TCA_OPTIONS], o, ARRAY_SIZE(o))) {
        return true;
    }
    rec->options = a[TCA_OPTIONS].data;
    rec->options_len = a[TCA_OPTIONS].len;
    rec->f.flags = nlk_u32(&o[TCA_FLOWER_FLAGS]);
    ofl_action_peek(&o[TCA_FLOWER_ACT], rec);
    return true;
}

bool
ofl_filter_decode(const struct ofl_record *rec, const struct ofl_devs *devs, struct flow_match *m,
                  struct dp_actions *acts)
{
    struct nlk_attr o[TCA_FLOWER_MAX + 1];
    const struct ofl_dev *in = ofl_dev_by_ifindex(devs, rec->f.ifindex);
    if (!in || !rec->options || rec->f.chain ||
        nlk_parse(rec->options, rec->options_len, o, ARRAY_SIZE(o)) ||
        !ofl_match_get(o, rec->f.protocol, m) || !o[TCA_FLOWER_ACT].data) {
        return false;
    }
    m->key.in_port = htobe32(in->port.dp_port);
    FLOW_MASK_EXACT(&m->mask, in_port);
    FLOW_MASK_EXACT(&m->mask, recirc_id);
    match_update_used(m);
    const struct ofl_decode d = {devs, m, acts};
    return ofl_action_get(&o[TCA_FLOWER_ACT], &d);
}

void
ofl_counts_stats(const struct ofl_counts *n, struct ofl_flow *flow, struct dp_flow_stats *s)
{
    *s = (struct dp_flow_stats){0};
    ofl_old_count(n, flow->protocol, &s->packets, &s->bytes);
    if (flow->told) {
        s->packets += flow->told->packets;
        s->bytes += flow->told->bytes;
    }
    if (flow->told || s->packets || s->bytes) {
        struct ofl_told *told = ofl_told(flow);
        told->told_packets = s->packets;
        told->told_bytes = s->bytes;
    }
}
