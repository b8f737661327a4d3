// SPDX-License-Identifier: Apache-2.0
// Nested attributes of keys and set actions: tunnel metadata and the network service header.
//
// Options of ERSPAN and GTP-U tunnels have no form here yet; Geneve options pass as the bytes that
// they are.
#include <errno.h>

#include "kdatapath/kd_codec.h"

static const uint8_t zero[16];

static bool
any(const void *p, size_t n)
{
    return memcmp(p, zero, n) != 0;
}

void
kd_tunnel_put(struct nlk_batch *b, const struct flow_tunnel *t, bool is_mask, const void *opts,
              size_t opts_len)
{
    const uint16_t flags = be16toh(t->flags);
    const size_t nest = nlk_nest(b, OVS_KEY_ATTR_TUNNEL);

    if (t->id || flags & FLOW_TUN_KEY) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_ID, &t->id, sizeof t->id);
    }
    if (t->ip_src) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_IPV4_SRC, &t->ip_src, sizeof t->ip_src);
    }
    if (t->ip_dst) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_IPV4_DST, &t->ip_dst, sizeof t->ip_dst);
    }
    if (any(t->ipv6_src, sizeof t->ipv6_src)) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_IPV6_SRC, t->ipv6_src, sizeof t->ipv6_src);
    }
    if (any(t->ipv6_dst, sizeof t->ipv6_dst)) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_IPV6_DST, t->ipv6_dst, sizeof t->ipv6_dst);
    }
    if (t->tos) {
        nlk_put_u8(b, OVS_TUNNEL_KEY_ATTR_TOS, t->tos);
    }
    if (t->ttl || !is_mask) { // a key must have one
        nlk_put_u8(b, OVS_TUNNEL_KEY_ATTR_TTL, t->ttl);
    }
    if (flags & FLOW_TUN_DF) {
        nlk_put_flag(b, OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT);
    }
    if (flags & FLOW_TUN_CSUM) {
        nlk_put_flag(b, OVS_TUNNEL_KEY_ATTR_CSUM);
    }
    if (flags & FLOW_TUN_OAM) {
        nlk_put_flag(b, OVS_TUNNEL_KEY_ATTR_OAM);
    }
    if (t->tp_src) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_TP_SRC, &t->tp_src, sizeof t->tp_src);
    }
    if (t->tp_dst) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_TP_DST, &t->tp_dst, sizeof t->tp_dst);
    }
    if (t->gbp_id || t->gbp_flags) {
        const size_t vxlan = nlk_nest(b, OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS);
        nlk_put_u32(b, OVS_VXLAN_EXT_GBP, (uint32_t) t->gbp_flags << 16 | be16toh(t->gbp_id));
        nlk_nest_end(b, vxlan);
    }
    if (opts_len) {
        nlk_put(b, OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS, opts, opts_len);
    }
    nlk_nest_end(b, nest);
}

static bool
get_bytes(const struct nlk_attr *a, void *out, size_t n)
{
    if (a->data) {
        if (a->len < n) {
            return false;
        }
        memcpy(out, a->data, n);
    }
    return true;
}

static int
get_gbp(const struct nlk_attr *a, struct flow_tunnel *t)
{
    struct nlk_attr ext[OVS_VXLAN_EXT_MAX + 1];

    if (nlk_parse_nested(a, ext, ARRAY_SIZE(ext))) {
        return -EBADMSG;
    }
    const uint32_t gbp = nlk_u32(&ext[OVS_VXLAN_EXT_GBP]);
    t->gbp_id = htobe16(gbp & 0xffff);
    t->gbp_flags = gbp >> 16 & 0xff;
    return 0;
}

int
kd_tunnel_get(const struct nlk_attr *a, struct flow_tunnel *t, bool is_mask,
              struct kd_tunnel_opts *opts)
{
    struct nlk_attr k[OVS_TUNNEL_KEY_ATTR_MAX + 1];
    uint16_t flags = 0;

    if (nlk_parse_nested(a, k, ARRAY_SIZE(k)) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_ID], &t->id, sizeof t->id) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_IPV4_SRC], &t->ip_src, sizeof t->ip_src) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_IPV4_DST], &t->ip_dst, sizeof t->ip_dst) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_IPV6_SRC], t->ipv6_src, sizeof t->ipv6_src) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_IPV6_DST], t->ipv6_dst, sizeof t->ipv6_dst) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_TP_SRC], &t->tp_src, sizeof t->tp_src) ||
        !get_bytes(&k[OVS_TUNNEL_KEY_ATTR_TP_DST], &t->tp_dst, sizeof t->tp_dst) ||
        get_gbp(&k[OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS], t)) {
        return -EBADMSG;
    }
    t->tos = nlk_u8(&k[OVS_TUNNEL_KEY_ATTR_TOS]);
    t->ttl = nlk_u8(&k[OVS_TUNNEL_KEY_ATTR_TTL]);
    flags |= k[OVS_TUNNEL_KEY_ATTR_ID].data ? FLOW_TUN_KEY : 0;
    flags |= k[OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT].data ? FLOW_TUN_DF : 0;
    flags |= k[OVS_TUNNEL_KEY_ATTR_CSUM].data ? FLOW_TUN_CSUM : 0;
    flags |= k[OVS_TUNNEL_KEY_ATTR_OAM].data ? FLOW_TUN_OAM : 0;
    t->flags = htobe16(flags);
    if (opts) {
        const struct nlk_attr *g = &k[OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS];
        *opts = (struct kd_tunnel_opts){g->data, g->data ? g->len : 0};
    }
    return 0;
}

void
kd_nsh_put(struct nlk_batch *b, uint16_t attr, const void *side, bool is_mask)
{
    const struct flow_key *k = side; // same layout, whichever it is
    const struct ovs_nsh_key_base base = {k->nsh_flags, k->nsh_ttl, k->nsh_mdtype, k->nsh_np,
                                          k->nsh_path};
    const size_t nest = nlk_nest(b, attr);

    nlk_put(b, OVS_NSH_KEY_ATTR_BASE, &base, sizeof base);
    if (is_mask ? any(k->nsh_context, sizeof k->nsh_context) : k->nsh_mdtype == 1) {
        nlk_put(b, OVS_NSH_KEY_ATTR_MD1, k->nsh_context, sizeof k->nsh_context);
    }
    nlk_nest_end(b, nest);
}

int
kd_nsh_get(const struct nlk_attr *a, void *side)
{
    struct flow_key *k = side;
    struct ovs_nsh_key_base base;
    struct nlk_attr nsh[OVS_NSH_KEY_ATTR_MAX + 1];

    if (nlk_parse_nested(a, nsh, ARRAY_SIZE(nsh))) {
        return -EBADMSG;
    }
    memset(&base, 0, sizeof base);
    if (!get_bytes(&nsh[OVS_NSH_KEY_ATTR_BASE], &base, sizeof base) ||
        !get_bytes(&nsh[OVS_NSH_KEY_ATTR_MD1], k->nsh_context, sizeof k->nsh_context)) {
        return -EBADMSG;
    }
    k->nsh_flags = base.flags;
    k->nsh_ttl = base.ttl;
    k->nsh_mdtype = base.mdtype;
    k->nsh_np = base.np;
    k->nsh_path = base.path_hdr;
    return 0;
}
