// SPDX-License-Identifier: Apache-2.0
// Reading and writing the key during a translation, and bringing the datapath's packet up to date
// before it is sent. The rules are in xlate_ctx.h.
#include "config.h"

#include "slowpath/xlate_ctx.h"

// The groups of a word of the key: what "rewritten" means, in a size that an entry's link can hold.
static uint16_t
groups_of(size_t ofs, size_t size)
{
    static const struct {
        uint16_t from, to;
        uint8_t group;
    } map[] = {
#define SPAN(first, last, group)                                                                   \
    {offsetof(struct flow_key, first),                                                             \
     offsetof(struct flow_key, last) + MEMBER_SIZE(struct flow_key, last), group}
        SPAN(tun, tun_md_present, XLATE_G_TUNNEL),
        SPAN(metadata, metadata, XLATE_G_METADATA),
        SPAN(regs[0], regs[3], XLATE_G_REGS_0),
        SPAN(regs[4], regs[7], XLATE_G_REGS_4),
        SPAN(regs[8], regs[11], XLATE_G_REGS_8),
        SPAN(regs[12], regs[15], XLATE_G_REGS_12),
        SPAN(skb_priority, dp_hash, XLATE_G_TUNNEL),
        SPAN(recirc_id, pad0, XLATE_G_OTHER),
        SPAN(eth_dst, eth_dst, XLATE_G_ETH_DST),
        SPAN(eth_src, eth_src, XLATE_G_ETH_SRC),
        SPAN(vlan, vlan, XLATE_G_VLAN),
        SPAN(mpls_lse, mpls_lse, XLATE_G_OTHER),
        SPAN(nw_src, nw_src, XLATE_G_NW_SRC),
        SPAN(nw_dst, nw_dst, XLATE_G_NW_DST),
        SPAN(ipv6_src, ipv6_src, XLATE_G_IPV6_SRC),
        SPAN(ipv6_dst, ipv6_dst, XLATE_G_IPV6_DST),
        SPAN(ipv6_label, pad4, XLATE_G_L3_OTHER),
        SPAN(tp_src, pad6, XLATE_G_L4),
#undef SPAN
    };
    uint16_t groups = 0;
    for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
        if (ofs < map[i].to && ofs + size > map[i].from) {
            groups |= 1u << map[i].group;
        }
    }
    return groups;
}

void
xlate_groups_mask(uint16_t groups, struct flow_mask *mask)
{
    uint8_t *bytes = (uint8_t *) mask;
    for (size_t i = 0; i < sizeof *mask; i++) {
        bytes[i] = groups_of(i, 1) & groups ? 0xff : 0;
    }
}

void
xlate_read(struct xlate_ctx *c, const struct flow_mask *mask)
{
    uint64_t *wc = flow_mask_words_mut(&c->out->wc);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        wc[i] |= flow_mask_words(mask)[i] & ~flow_mask_words(&c->known)[i];
    }
}

// --- VLAN tags. ---

void
xlate_read_vlan(struct xlate_ctx *c, uint16_t tci_bits)
{
    if (!c->vlan_touched) {
        c->out->wc.vlan[0].tci |= htobe16(tci_bits);
    }
}

void
xlate_touch_vlan(struct xlate_ctx *c)
{
    if (!c->vlan_touched) {
        FLOW_MASK_EXACT(&c->out->wc, vlan);
        FLOW_MASK_EXACT(
            &c->known,
            vlan); // matched: what later tables see is the same for all packets of the entry
        c->vlan_touched = c->uncommitted = c->headers_known = true;
    }
    c->uncommitted = true;
    c->rewritten |= 1u << XLATE_G_VLAN;
}

void
xlate_push_vlan(struct xlate_ctx *c, be16_t tpid, be16_t tci)
{
    xlate_touch_vlan(c);
    memmove(&c->flow.vlan[1], &c->flow.vlan[0], sizeof c->flow.vlan - sizeof c->flow.vlan[0]);
    c->flow.vlan[0].tpid = tpid;
    c->flow.vlan[0].tci = tci | htobe16(FLOW_VLAN_PRESENT);
}

void
xlate_pop_vlan(struct xlate_ctx *c)
{
    xlate_read_vlan(c, FLOW_VLAN_PRESENT);
    if (!(c->flow.vlan[0].tci & htobe16(FLOW_VLAN_PRESENT))) {
        return;
    }
    xlate_touch_vlan(c);
    memmove(&c->flow.vlan[0], &c->flow.vlan[1], sizeof c->flow.vlan - sizeof c->flow.vlan[0]);
    memset(&c->flow.vlan[FLOW_N_VLANS - 1], 0, sizeof c->flow.vlan[0]);
}

static unsigned
n_vlans(const struct flow_key *k)
{
    unsigned n = 0;
    while (n < FLOW_N_VLANS && k->vlan[n].tci & htobe16(FLOW_VLAN_PRESENT)) {
        n++;
    }
    return n;
}

// Pops down to the innermost tags that both have, then pushes the rest.
static void
commit_vlan(struct xlate_ctx *c)
{
    unsigned have = n_vlans(&c->base), want = n_vlans(&c->flow), same = 0;
    while (same < have && same < want &&
           !memcmp(&c->base.vlan[have - 1 - same], &c->flow.vlan[want - 1 - same],
                   sizeof c->base.vlan[0])) {
        same++;
    }
    for (unsigned i = have; i > same; i--) {
        dp_actions_add(&c->out->acts, DP_ACT_POP_VLAN, sizeof(struct dp_act));
    }
    for (unsigned i = want - same; i-- > 0;) {
        struct dp_act_push_vlan *a = dp_actions_add(&c->out->acts, DP_ACT_PUSH_VLAN, sizeof *a);
        a->tpid = c->flow.vlan[i].tpid;
        a->tci = c->flow.vlan[i].tci;
    }
    memcpy(c->base.vlan, c->flow.vlan, sizeof c->base.vlan);
}

// --- Fields. ---

bool
xlate_write(struct xlate_ctx *c, const struct field_info *f, const union field_value *value,
            const union field_value *mask)
{
    union field_value m;
    if (mask) {
        m = *mask;
    } else {
        field_value_exact(f, &m);
    }
    memset(&c->scratch, 0, sizeof c->scratch);
    bool met = field_prereqs_met(f, &c->flow, &c->scratch);
    xlate_read(c, &c->scratch);
    // Only the first fragment has the headers behind IP's.
    if (!met || (f->offset >= FLOW_STAGE_L4 * 8 && c->flow.nw_frag & FLOW_FRAG_LATER)) {
        return false;
    }

    const uint16_t groups = groups_of(f->offset, f->size);
    if (groups & 1u << XLATE_G_VLAN) {
        xlate_touch_vlan(c);
        field_write_masked(f, &c->flow, value, &m);
        return true;
    }
    memset(&c->scratch, 0, sizeof c->scratch);
    field_write_mask(f, &c->scratch, &m);
    flow_mask_or(&c->known, &c->scratch);
    field_write_masked(f, &c->flow, value, &m);
    c->rewritten |= groups;
    if (f->offset >= FLOW_STAGE_L2 * 8 || groups & (1u << XLATE_G_TUNNEL | 1u << XLATE_G_OTHER)) {
        c->headers_known = c->uncommitted = true;
    }
    return true;
}

// What a datapath can set, in the order in which it is done. Views of the same bytes appear once,
// by prerequisite.
static const enum field_id settable[] = {
    FIELD_ETH_SRC,   FIELD_ETH_DST,    FIELD_NW_SRC,    FIELD_NW_DST,      FIELD_IPV6_SRC,
    FIELD_IPV6_DST,  FIELD_IPV6_LABEL, FIELD_NW_TOS,    FIELD_NW_ECN,      FIELD_NW_TTL,
    FIELD_ARP_OP,    FIELD_ARP_SPA,    FIELD_ARP_TPA,   FIELD_ARP_SHA,     FIELD_ARP_THA,
    FIELD_TCP_SRC,   FIELD_TCP_DST,    FIELD_UDP_SRC,   FIELD_UDP_DST,     FIELD_SCTP_SRC,
    FIELD_SCTP_DST,  FIELD_ICMP_TYPE,  FIELD_ICMP_CODE, FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE,
    FIELD_ND_TARGET, FIELD_ND_SLL,     FIELD_ND_TLL,
};
static const enum field_id settable_metadata[] = {FIELD_SKB_PRIORITY,
                                                  FIELD_PKT_MARK}; // after the tags

static void
commit_fields(struct xlate_ctx *c, const struct flow_mask *diff, const enum field_id ids[],
              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct field_info *f = field_get(ids[i]);
        bool any = false;
        for (size_t w = f->offset / 8; w <= (f->offset + f->size - 1u) / 8; w++) {
            any |= flow_mask_words(diff)[w] != 0;
        }
        union field_value value, mask, known;
        if (!any || (field_read_mask(f, diff, &mask), field_value_is_zero(f, &mask)) ||
            !field_prereqs_met(f, &c->flow, NULL)) {
            continue;
        }
        field_read(f, &c->flow, &value);
        // Known as a whole: say so, even where some bits happen to agree.
        memset(&c->scratch, 0, sizeof c->scratch);
        field_mask_exact(f, &c->scratch);
        for (size_t w = f->offset / 8; w <= (f->offset + f->size - 1u) / 8; w++) {
            flow_mask_words_mut(&c->scratch)[w] &=
                flow_mask_words(&c->known)[w] | flow_mask_words(&c->out->wc)[w];
        }
        field_read_mask(f, &c->scratch, &known);
        if (field_value_is_exact(f, &known)) {
            mask = known;
        }
        const uint32_t at = c->out->acts.len;
        dp_actions_add_set(&c->out->acts, f, &value, &mask);
        if (f->prereq == FIELD_PRE_IP_ANY && c->flow.eth_type == htobe16(0x86dd)) {
            ((struct dp_act *) (void *) (c->out->acts.data + at))->flags = DP_SET_IPV6;
        }
    }
}

void
xlate_commit(struct xlate_ctx *c)
{
    if (!c->uncommitted) {
        return;
    }
    c->uncommitted = false;

    struct flow_mask diff;
    bool any = false;
    uint64_t *wc = flow_mask_words_mut(&c->out->wc), *d = flow_mask_words_mut(&diff);
    uint64_t *bk = flow_mask_words_mut(&c->base_known), *b = (uint64_t *) (void *) &c->base;
    const uint64_t *fk = flow_mask_words(&c->known), *f = flow_key_words(&c->flow);
    const size_t first = offsetof(struct flow_key, skb_priority) / 8,
                 vlan_from = offsetof(struct flow_key, vlan) / 8,
                 vlan_to = (offsetof(struct flow_key, vlan) + sizeof c->flow.vlan) / 8;

    memset(&diff, 0, sizeof diff);
    for (size_t i = first; i < FLOW_WORDS; i++) {
        if (i >= vlan_from && i < vlan_to) {
            continue;
        }
        if (i > offsetof(struct flow_key, pkt_mark) / 8 && i < FLOW_STAGE_L2) {
            continue; // metadata that no datapath sets
        }
        wc[i] |= ~fk[i] & bk[i];
        const uint64_t differ = f[i] ^ b[i];
        const uint64_t original_base = fk[i] & ~bk[i] & (differ | ~wc[i]);
        d[i] = (differ & bk[i]) | original_base;
        if (d[i]) {
            any = true;
            b[i] = (b[i] & ~d[i]) | (f[i] & d[i]);
            bk[i] |= d[i];
        }
    }
    if (any) {
        commit_fields(c, &diff, settable, ARRAY_SIZE(settable));
    }
    if (c->vlan_touched) {
        commit_vlan(c);
    }
    if (any) {
        commit_fields(c, &diff, settable_metadata, ARRAY_SIZE(settable_metadata));
    }
}
