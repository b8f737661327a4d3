// SPDX-License-Identifier: Apache-2.0
// Words about flows. See explain.h.
#include "config.h"

#include "slowpath/explain.h"

#include "lib/base/str.h"
#include "lib/flow/match.h"
#include "slowpath/place.h"
#include "slowpath/sp_private.h"
#include "slowpath/xlate.h"

static bool
any(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        if (b[i]) {
            return true;
        }
    }
    return false;
}

static void
ip_fields(const struct flow_key *k, struct flow_mask *m, bool v6)
{
    FLOW_MASK_EXACT(m, nw_proto);
    FLOW_MASK_EXACT(m, nw_tos);
    FLOW_MASK_EXACT(m, nw_ttl);
    m->nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    switch (k->nw_proto) {
    case 6:
        m->tcp_flags = htobe16(0xfff);
        FLOW_MASK_EXACT(m, tp_src);
        FLOW_MASK_EXACT(m, tp_dst);
        break;
    case 17:
    case 132:
        FLOW_MASK_EXACT(m, tp_src);
        FLOW_MASK_EXACT(m, tp_dst);
        break;
    case 1:
    case 2:
    case 58:
        if ((k->nw_proto == 58) == v6) {
            m->tp_src = m->tp_dst = htobe16(0xff);
        }
        if (v6 && (k->tp_src == htobe16(135) || k->tp_src == htobe16(136))) {
            FLOW_MASK_EXACT(m, nd_target);
            FLOW_MASK_EXACT(m, arp_sha);
            FLOW_MASK_EXACT(m, arp_tha);
        }
        break;
    default:
        break;
    }
}

void
sp_key_fields(const struct flow_key *k, struct flow_mask *m)
{
    memset(m, 0, sizeof *m);
    // Metadata only where there is some.
    for (size_t i = 0; i < FLOW_N_REGS; i++) {
        if (k->regs[i]) {
            FLOW_MASK_EXACT(m, regs[i]);
        }
    }
#define IF_ANY(member)                                                                                                 \
    if (any(&k->member, sizeof k->member)) {                                                                           \
        FLOW_MASK_EXACT(m, member);                                                                                    \
    }
    IF_ANY(metadata)
    IF_ANY(pkt_mark)
    IF_ANY(skb_priority)
    IF_ANY(recirc_id)
    IF_ANY(ct_state)
    IF_ANY(ct_zone)
    IF_ANY(ct_mark)
    IF_ANY(ct_label)
    IF_ANY(tun.id)
    IF_ANY(tun.ip_src)
    IF_ANY(tun.ip_dst)
    IF_ANY(tun.ipv6_src)
    IF_ANY(tun.ipv6_dst)
#undef IF_ANY
    FLOW_MASK_EXACT(m, in_port);
    FLOW_MASK_EXACT(m, eth_src);
    FLOW_MASK_EXACT(m, eth_dst);
    FLOW_MASK_EXACT(m, eth_type);
    FLOW_MASK_EXACT(m, vlan[0].tci);
    if (k->vlan[0].tci) {
        FLOW_MASK_EXACT(m, vlan[1].tci);
    }
    switch (be16toh(k->eth_type)) {
    case 0x0800:
        FLOW_MASK_EXACT(m, nw_src);
        FLOW_MASK_EXACT(m, nw_dst);
        ip_fields(k, m, false);
        break;
    case 0x86dd:
        FLOW_MASK_EXACT(m, ipv6_src);
        FLOW_MASK_EXACT(m, ipv6_dst);
        m->ipv6_label = htobe32(0xfffff);
        ip_fields(k, m, true);
        break;
    case 0x0806:
    case 0x8035:
        FLOW_MASK_EXACT(m, nw_src);
        FLOW_MASK_EXACT(m, nw_dst);
        FLOW_MASK_EXACT(m, nw_proto);
        FLOW_MASK_EXACT(m, arp_sha);
        FLOW_MASK_EXACT(m, arp_tha);
        break;
    case 0x8847:
    case 0x8848:
        FLOW_MASK_EXACT(m, mpls_lse);
        break;
    default:
        break;
    }
}

void
sp_trace_format_key(const struct flow_key *key, struct str *out)
{
    struct flow_match m;
    match_init_any(&m);
    m.key = *key;
    sp_key_fields(key, &m.mask);
    match_update_used(&m);
    match_format(&m, NULL, -1, out);
}

void
sp_explain_place(const struct sp_dp *dp, const struct xlate_out *x, const struct flow_key *key, struct str *out)
{
    if (!dp) {
        return;
    }
    struct place_forecast f = {.filter = NULL};
    struct flow_key k = *key;
    const struct sp_port *in = x->bridge ? sp_bridge_port(x->bridge, x->ofp_in_port) : NULL;
    if (in) {
        k.in_port = htobe32(in->dp_port);
    }
    sp_place_forecast(dp, x, &k, &f);
    str_addf(out, "\nPlace: %s", dp_place_name(f.place));
    if (f.why.code != REASON_NONE) {
        str_add(out, ", because ");
        reason_format(&f.why, out);
    }
}
