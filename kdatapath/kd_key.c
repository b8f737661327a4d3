// SPDX-License-Identifier: Apache-2.0
// Matches to OVS_FLOW_ATTR_KEY and OVS_FLOW_ATTR_MASK. The kernel wants a key that is whole, as if
// nothing were wildcarded (a TCP packet's has ports, whether they matter or not), and a mask in
// which what isn't named doesn't matter. Which attributes a key has follows from the Ethernet type
// and IP protocol, and those that the mask leaves open it must not have.
//
// References: linux/openvswitch.h; Documentation/networking/openvswitch.rst of the kernel
// (compatibility rules, VLAN, truncated headers).
#include <errno.h>

#include "kdatapath/kd_codec.h"
#include "lib/net/packet_headers.h"

struct encoder {
    struct nlk_batch *b;
    const struct flow_key *key; // decides which attributes there are
    const struct flow_mask *mask;
    const void *side; // what is written: key or mask
    bool is_mask;
};

static bool
any(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint8_t bits = 0;
    while (n-- > 0) {
        bits |= *b++;
    }
    return bits != 0;
}

// A regular attribute: of masks, only those that aren't all 0.
static void
put(struct encoder *e, uint16_t attr)
{
    uint8_t data[KD_ATTR_MAX_SIZE];

    kd_attr_encode(attr, e->side, e->is_mask, data);
    if (!e->is_mask || any(data, kd_attr_size(attr))) {
        nlk_put(e->b, attr, data, kd_attr_size(attr));
    }
}

// One that a key needs only when it matters.
static void
put_used(struct encoder *e, uint16_t attr, const void *mask_member, size_t n)
{
    if (any(mask_member, n)) {
        put(e, attr);
    }
}

#define PUT_USED(E, ATTR, MEMBER)                                                                  \
    put_used(E, OVS_KEY_ATTR_##ATTR, &(E)->mask->MEMBER, sizeof(E)->mask->MEMBER)

static void
put_be16(struct encoder *e, uint16_t attr, be16_t v)
{
    nlk_put(e->b, attr, &v, sizeof v);
}

static bool
is_v6(const struct flow_key *k)
{
    return k->eth_type == htobe16(ETH_TYPE_IPV6);
}

static void
put_tunnel(struct encoder *e)
{
    static const struct flow_tunnel none = {.ip_dst = 0xffffffff};
    const struct flow_tunnel *t = e->is_mask ? &e->mask->tun : &e->key->tun;

    if (!any(&e->mask->tun, sizeof e->mask->tun)) {
        return;
    }
    if (flow_key_has_tunnel(e->key)) {
        kd_tunnel_put(e->b, t, e->is_mask, NULL, 0);
    } else if (e->is_mask) {
        kd_tunnel_put(e->b, &none, true, NULL, 0); // "no tunnel" matters
    }
}

static void
put_ct_tuple(struct encoder *e)
{
    const struct flow_mask *m = e->mask;
    const bool used = m->ct_nw_src | m->ct_nw_dst | m->ct_tp_src | m->ct_tp_dst | m->ct_nw_proto ||
                      any(m->ct_ipv6_src, sizeof m->ct_ipv6_src) ||
                      any(m->ct_ipv6_dst, sizeof m->ct_ipv6_dst);
    if (used && flow_key_is_ip(e->key)) {
        put(e, is_v6(e->key) ? OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6 : OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4);
    }
}

static void
put_metadata(struct encoder *e)
{
    PUT_USED(e, PRIORITY, skb_priority);
    PUT_USED(e, SKB_MARK, pkt_mark);
    PUT_USED(e, DP_HASH, dp_hash);
    put(e, OVS_KEY_ATTR_RECIRC_ID);
    put_tunnel(e);
    put(e, OVS_KEY_ATTR_IN_PORT);
    PUT_USED(e, CT_STATE, ct_state);
    PUT_USED(e, CT_ZONE, ct_zone);
    PUT_USED(e, CT_MARK, ct_mark);
    PUT_USED(e, CT_LABELS, ct_label);
    put_ct_tuple(e);
}

static void
put_l4(struct encoder *e)
{
    const struct flow_key *k = e->key;

    if (e->mask->nw_proto != 0xff || k->nw_frag & FLOW_FRAG_LATER) {
        return;
    }
    switch (k->nw_proto) {
    case IP_PROTO_TCP:
        put(e, OVS_KEY_ATTR_TCP);
        put(e, OVS_KEY_ATTR_TCP_FLAGS);
        break;
    case IP_PROTO_UDP:
        put(e, OVS_KEY_ATTR_UDP);
        break;
    case IP_PROTO_SCTP:
        put(e, OVS_KEY_ATTR_SCTP);
        break;
    case IP_PROTO_ICMP:
        if (!is_v6(k)) {
            put(e, OVS_KEY_ATTR_ICMP);
        }
        break;
    case IP_PROTO_ICMPV6:
        if (is_v6(k)) {
            put(e, OVS_KEY_ATTR_ICMPV6);
            if (k->tp_src == htobe16(ICMPV6_NS) || k->tp_src == htobe16(ICMPV6_NA)) {
                put(e, OVS_KEY_ATTR_ND);
            }
        }
        break;
    default:
        break;
    }
}

static void
put_mpls(struct encoder *e)
{
    const be32_t *lse = e->is_mask ? e->mask->mpls_lse : e->key->mpls_lse;
    size_t n = FLOW_N_MPLS;

    while (n > 1 && !e->mask->mpls_lse[n - 1]) {
        n--;
    }
    if (!e->is_mask || any(lse, n * sizeof *lse)) {
        nlk_put(e->b, OVS_KEY_ATTR_MPLS, lse, n * sizeof *lse);
    }
}

static void
put_l3(struct encoder *e)
{
    switch (be16toh(e->key->eth_type)) {
    case ETH_TYPE_IP:
        put(e, OVS_KEY_ATTR_IPV4);
        put_l4(e);
        break;
    case ETH_TYPE_IPV6:
        put(e, OVS_KEY_ATTR_IPV6);
        put_l4(e);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        put(e, OVS_KEY_ATTR_ARP);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        put_mpls(e);
        break;
    case ETH_TYPE_NSH:
        if (!e->is_mask || any(&e->mask->nsh_path, offsetof(struct flow_mask, pad3) -
                                                       offsetof(struct flow_mask, nsh_path))) {
            kd_nsh_put(e->b, OVS_KEY_ATTR_NSH, e->side, e->is_mask);
        }
        break;
    default:
        break;
    }
}

// The Ethernet type, left out of keys where it is 802.2 or doesn't matter, and what follows from
// it.
static void
put_payload(struct encoder *e)
{
    if (!e->mask->eth_type) {
        return;
    }
    if (e->is_mask || e->key->eth_type != htobe16(ETH_TYPE_NONE)) {
        put_be16(e, OVS_KEY_ATTR_ETHERTYPE, e->is_mask ? 0xffff : e->key->eth_type);
    }
    put_l3(e);
}

// Tags, outermost first; each wraps what is behind it. The kernel always matches whether there is a
// tag.
static void
put_vlans(struct encoder *e)
{
    size_t nest[FLOW_N_VLANS], n = 0;

    while (n < FLOW_N_VLANS && e->key->vlan[n].tci & htobe16(FLOW_VLAN_PRESENT)) {
        const struct flow_vlan *v = &e->key->vlan[n], *m = &e->mask->vlan[n];
        put_be16(e, OVS_KEY_ATTR_ETHERTYPE,
                 e->is_mask ? 0xffff
                 : v->tpid  ? v->tpid
                            : htobe16(ETH_TYPE_VLAN));
        put_be16(e, OVS_KEY_ATTR_VLAN, e->is_mask ? m->tci | htobe16(FLOW_VLAN_PRESENT) : v->tci);
        nest[n++] = nlk_nest(e->b, OVS_KEY_ATTR_ENCAP);
    }
    put_payload(e);
    while (n-- > 0) {
        nlk_nest_end(e->b, nest[n]);
    }
}

static void
encode(struct nlk_batch *b, uint16_t attr, const struct flow_match *m, bool is_mask)
{
    struct encoder e = {.b = b, .key = &m->key, .mask = &m->mask, .is_mask = is_mask};
    e.side = is_mask ? (const void *) &m->mask : (const void *) &m->key;

    const size_t nest = nlk_nest(b, attr);
    put_metadata(&e);
    if (m->key.packet_type) { // a packet without Ethernet header: its type is all there is
        put_be16(&e, OVS_KEY_ATTR_ETHERTYPE,
                 is_mask ? 0xffff : htobe16(be32toh(m->key.packet_type) & 0xffff));
        put_l3(&e);
    } else {
        put(&e, OVS_KEY_ATTR_ETHERNET);
        put_vlans(&e);
    }
    nlk_nest_end(b, nest);
}

// Are there bits in the mask that no attribute takes, and that packets of the match differ in:
// ports without the protocol, addresses of neighbour discovery without the whole type, its other
// members?
static bool
has_no_place(const struct flow_match *m)
{
    const struct flow_mask *w = &m->mask;
    const struct flow_key *k = &m->key;

    if (!flow_key_is_ip(k) || w->eth_type != 0xffff || k->nw_frag & FLOW_FRAG_LATER) {
        return false;
    }
    if (w->nw_proto != 0xff) {
        return w->tp_src | w->tp_dst | w->tcp_flags || any(w->nd_target, sizeof w->nd_target);
    }
    if (!is_v6(k) || k->nw_proto != IP_PROTO_ICMPV6) {
        return false;
    }
    const be16_t type_mask = w->tp_src & htobe16(0xff);
    if (type_mask == htobe16(0xff) && k->tp_src != htobe16(ICMPV6_NS) &&
        k->tp_src != htobe16(ICMPV6_NA)) {
        return false; // others have none of this
    }
    return w->nd_reserved || w->nd_options_type ||
           (type_mask != htobe16(0xff) &&
            (any(w->nd_target, sizeof w->nd_target) || any(&w->arp_sha, sizeof w->arp_sha) ||
             any(&w->arp_tha, sizeof w->arp_tha)));
}

// What the kernel's key cannot say: part of an Ethernet type or tag protocol, "some fragment,
// whichever", an Ethernet type that isn't one. What it would leave out makes a flow too wide.
static bool
expressible(const struct flow_match *m)
{
    const struct flow_key *k = &m->key;

    if ((m->mask.nw_frag & FLOW_FRAG_ANY && k->nw_frag & FLOW_FRAG_ANY &&
         !(m->mask.nw_frag & FLOW_FRAG_LATER)) ||
        has_no_place(m)) {
        return false;
    }
    return (m->mask.eth_type == 0xffff && be16toh(k->eth_type) >= ETH_TYPE_NONE) ||
           !m->mask.eth_type || k->packet_type;
}

int
kd_match_put(struct nlk_batch *b, const struct flow_match *m)
{
    if (!expressible(m)) {
        return -EINVAL;
    }
    encode(b, OVS_FLOW_ATTR_KEY, m, false);
    encode(b, OVS_FLOW_ATTR_MASK, m, true);
    return 0;
}

static void
put_key_member(struct nlk_batch *b, uint16_t attr, const struct flow_key *k, const void *member,
               size_t n)
{
    uint8_t data[KD_ATTR_MAX_SIZE];

    if (any(member, n)) {
        kd_attr_encode(attr, k, false, data);
        nlk_put(b, attr, data, kd_attr_size(attr));
    }
}

#define PUT_MEMBER(B, ATTR, K, MEMBER)                                                             \
    put_key_member(B, OVS_KEY_ATTR_##ATTR, K, &(K)->MEMBER, sizeof(K)->MEMBER)

void
kd_metadata_put(struct nlk_batch *b, uint16_t attr, const struct flow_key *k)
{
    static const uint8_t always = 1;
    const size_t nest = nlk_nest(b, attr);

    PUT_MEMBER(b, PRIORITY, k, skb_priority);
    PUT_MEMBER(b, SKB_MARK, k, pkt_mark);
    PUT_MEMBER(b, DP_HASH, k, dp_hash);
    PUT_MEMBER(b, RECIRC_ID, k, recirc_id);
    if (flow_key_has_tunnel(k)) {
        kd_tunnel_put(b, &k->tun, false, NULL, 0);
    }
    if (k->in_port != 0xffffffff) {
        put_key_member(b, OVS_KEY_ATTR_IN_PORT, k, &always, 1);
    }
    PUT_MEMBER(b, CT_STATE, k, ct_state);
    PUT_MEMBER(b, CT_ZONE, k, ct_zone);
    PUT_MEMBER(b, CT_MARK, k, ct_mark);
    PUT_MEMBER(b, CT_LABELS, k, ct_label);
    if (k->eth_type == htobe16(ETH_TYPE_IP)) {
        PUT_MEMBER(b, CT_ORIG_TUPLE_IPV4, k, ct_nw_proto);
    } else if (is_v6(k)) {
        PUT_MEMBER(b, CT_ORIG_TUPLE_IPV6, k, ct_nw_proto);
    }
    if (k->packet_type) {
        const be16_t type = htobe16(be32toh(k->packet_type) & 0xffff);
        nlk_put(b, OVS_KEY_ATTR_ETHERTYPE, &type, sizeof type);
    }
    nlk_nest_end(b, nest);
}
