// SPDX-License-Identifier: Apache-2.0
// The fixed matches of OpenFlow 1.0 (struct ofp_match with wildcard bits and prefixes) and 1.1
// (with masks), and struct ofp_match of later versions around a list of OXMs.
//
// Reference: OpenFlow 1.0 section 5.2.3, OpenFlow 1.1 section A.2.3, OpenFlow 1.2 section A.2.3.
#include "config.h"

#include "ofproto/of_match_wire.h"

#include "ofproto/of_error.h"
#include "ofproto/of_wire.h"

enum { OFPMT_STANDARD, OFPMT_OXM };

// Wildcard bits of OpenFlow 1.0.
enum {
    W10_IN_PORT = 1 << 0,
    W10_DL_VLAN = 1 << 1,
    W10_DL_SRC = 1 << 2,
    W10_DL_DST = 1 << 3,
    W10_DL_TYPE = 1 << 4,
    W10_NW_PROTO = 1 << 5,
    W10_TP_SRC = 1 << 6,
    W10_TP_DST = 1 << 7,
    W10_NW_SRC_SHIFT = 8,
    W10_NW_DST_SHIFT = 14,
    W10_DL_VLAN_PCP = 1 << 20,
    W10_NW_TOS = 1 << 21
};

// Wildcard bits of OpenFlow 1.1.
enum {
    W11_IN_PORT = 1 << 0,
    W11_DL_VLAN = 1 << 1,
    W11_DL_VLAN_PCP = 1 << 2,
    W11_DL_TYPE = 1 << 3,
    W11_NW_TOS = 1 << 4,
    W11_NW_PROTO = 1 << 5,
    W11_TP_SRC = 1 << 6,
    W11_TP_DST = 1 << 7,
    W11_MPLS_LABEL = 1 << 8,
    W11_MPLS_TC = 1 << 9,
    W11_ALL = (1 << 10) - 1
};

#define VLAN_NONE 0xffff // of dl_vlan, in both
#define VLAN_ANY 0xfffe  // OpenFlow 1.1

static be32_t
prefix_mask(unsigned wild)
{
    return wild >= 32 ? 0 : htobe32(UINT32_MAX << wild);
}

static void
set_vlan(struct flow_match *m, uint16_t tci, uint16_t mask)
{
    m->mask.vlan[0].tci = htobe16(mask);
    m->key.vlan[0].tci = htobe16(tci & mask);
}

// Bits that the match wildcards stay in the key until match_init() or this.
static void
finish(struct flow_match *m)
{
    struct flow_key key = m->key;
    struct flow_mask mask = m->mask;
    match_init(m, &key, &mask);
    match_normalize(m);
}

void
of_match10_decode(const void *data, struct flow_match *m)
{
    struct of_reader r = {data, OF10_MATCH_LEN, false};
    struct flow_key *k = &m->key;
    struct flow_mask *w = &m->mask;
    match_init_any(m);
    uint32_t wild = of_get32(&r);
    k->in_port = htobe32(of_port_from_10(of_get16(&r)));
    of_get_copy(&r, &k->eth_src, 6);
    of_get_copy(&r, &k->eth_dst, 6);
    uint16_t vlan = of_get16(&r);
    uint8_t pcp = of_get8(&r);
    of_get8(&r);
    k->eth_type = htobe16(of_get16(&r));
    k->nw_tos = of_get8(&r) & 0xfc;
    k->nw_proto = of_get8(&r);
    of_get16(&r);
    k->nw_src = htobe32(of_get32(&r));
    k->nw_dst = htobe32(of_get32(&r));
    k->tp_src = htobe16(of_get16(&r));
    k->tp_dst = htobe16(of_get16(&r));

    w->in_port = wild & W10_IN_PORT ? 0 : UINT32_MAX;
    memset(&w->eth_src, wild & W10_DL_SRC ? 0 : 0xff, 6);
    memset(&w->eth_dst, wild & W10_DL_DST ? 0 : 0xff, 6);
    w->eth_type = wild & W10_DL_TYPE ? 0 : UINT16_MAX;
    w->nw_tos = wild & W10_NW_TOS ? 0 : 0xfc;
    w->nw_proto = wild & W10_NW_PROTO ? 0 : UINT8_MAX;
    w->nw_src = prefix_mask(wild >> W10_NW_SRC_SHIFT & 0x3f);
    w->nw_dst = prefix_mask(wild >> W10_NW_DST_SHIFT & 0x3f);
    w->tp_src = wild & W10_TP_SRC ? 0 : UINT16_MAX;
    w->tp_dst = wild & W10_TP_DST ? 0 : UINT16_MAX;
    if (!(wild & W10_DL_VLAN) && vlan == VLAN_NONE) {
        set_vlan(m, 0, UINT16_MAX); // no tag: then there is no priority either
    } else {
        uint16_t mask = wild & W10_DL_VLAN ? 0 : 0x1fff;
        mask |= wild & W10_DL_VLAN_PCP ? 0 : 0xf000;
        set_vlan(m, (uint16_t) ((pcp & 7) << 13 | FLOW_VLAN_PRESENT | (vlan & 0xfff)), mask);
    }
    finish(m);
}

static unsigned
prefix_wild_bits(be32_t mask)
{
    return mask ? (unsigned) __builtin_ctz(be32toh(mask)) : 32;
}

// dl_vlan and dl_vlan_pcp of OpenFlow 1.0.
static void
vlan_to_10(const struct flow_match *m, uint32_t *wild, uint16_t *vlan, uint8_t *pcp)
{
    uint16_t mask = be16toh(m->mask.vlan[0].tci), tci = be16toh(m->key.vlan[0].tci);
    *vlan = 0;
    *pcp = 0;
    if (mask & FLOW_VLAN_PRESENT && !(tci & FLOW_VLAN_PRESENT)) {
        *vlan = VLAN_NONE;
        return;
    }
    if (mask & 0xfff) {
        *vlan = tci & 0xfff;
    } else {
        *wild |= W10_DL_VLAN;
    }
    if (mask >> 13) {
        *pcp = tci >> 13;
    } else {
        *wild |= W10_DL_VLAN_PCP;
    }
}

void
of_match10_encode(const struct flow_match *m, struct str *out)
{
    const struct flow_key *k = &m->key;
    const struct flow_mask *w = &m->mask;
    static const struct mac zero;
    uint16_t vlan;
    uint8_t pcp;
    uint32_t wild = (w->in_port ? 0 : W10_IN_PORT) |
                    (memcmp(&w->eth_src, &zero, 6) ? 0 : W10_DL_SRC) |
                    (memcmp(&w->eth_dst, &zero, 6) ? 0 : W10_DL_DST) |
                    (w->eth_type ? 0 : W10_DL_TYPE) | (w->nw_tos & 0xfc ? 0 : W10_NW_TOS) |
                    (w->nw_proto ? 0 : W10_NW_PROTO) | (w->tp_src ? 0 : W10_TP_SRC) |
                    (w->tp_dst ? 0 : W10_TP_DST) | prefix_wild_bits(w->nw_src) << W10_NW_SRC_SHIFT |
                    prefix_wild_bits(w->nw_dst) << W10_NW_DST_SHIFT;
    vlan_to_10(m, &wild, &vlan, &pcp);
    of_put32(out, wild);
    of_put16(out, of_port_to_10(be32toh(k->in_port)));
    str_add_n(out, &k->eth_src, 6);
    str_add_n(out, &k->eth_dst, 6);
    of_put16(out, vlan);
    of_put8(out, pcp);
    of_put8(out, 0);
    of_put16(out, be16toh(k->eth_type));
    of_put8(out, k->nw_tos & 0xfc);
    of_put8(out, k->nw_proto);
    of_put16(out, 0);
    of_put32(out, be32toh(k->nw_src));
    of_put32(out, be32toh(k->nw_dst));
    of_put16(out, be16toh(k->tp_src));
    of_put16(out, be16toh(k->tp_dst));
}

// --- OpenFlow 1.1. ---

// Masks of OpenFlow 1.1 have 1 where a bit doesn't matter.
static void
get_inverted(struct of_reader *r, void *mask, size_t n)
{
    uint8_t *b = mask;
    of_get_copy(r, b, n);
    for (size_t i = 0; i < n; i++) {
        b[i] = (uint8_t) ~b[i];
    }
}

static void
put_inverted(struct str *out, const void *mask, size_t n)
{
    const uint8_t *b = mask;
    for (size_t i = 0; i < n; i++) {
        of_put8(out, (uint8_t) ~b[i]);
    }
}

static int
vlan_from_11(struct flow_match *m, uint32_t wild, uint16_t vlan, uint8_t pcp)
{
    if (wild & W11_DL_VLAN) {
        return 0;
    }
    uint16_t mask = FLOW_VLAN_PRESENT, tci = FLOW_VLAN_PRESENT;
    if (vlan == VLAN_NONE) {
        set_vlan(m, 0, UINT16_MAX);
        return 0;
    }
    if (vlan != VLAN_ANY) {
        if (vlan > 0xfff) {
            return OF_ERROR_BMC_BAD_VALUE;
        }
        tci |= vlan;
        mask |= 0xfff;
    }
    if (!(wild & W11_DL_VLAN_PCP)) {
        if (pcp > 7) {
            return OF_ERROR_BMC_BAD_VALUE;
        }
        tci |= pcp << 13;
        mask |= 0xe000;
    }
    set_vlan(m, tci, mask);
    return 0;
}

// IP, ARP and MPLS: they exist only with their Ethernet type.
static int
l3_from_11(struct flow_match *m, uint32_t wild)
{
    struct flow_mask *w = &m->mask;
    bool is_arp = m->key.eth_type == htobe16(0x0806);
    bool is_v4 = m->key.eth_type == htobe16(0x0800), is_v6 = m->key.eth_type == htobe16(0x86dd);
    if (wild & W11_DL_TYPE || !(is_arp || is_v4 || is_v6)) {
        w->nw_src = w->nw_dst = 0;
        return 0;
    }
    w->nw_tos = wild & W11_NW_TOS || is_arp ? 0 : 0xfc;
    w->nw_proto = wild & W11_NW_PROTO ? 0 : UINT8_MAX;
    if (is_arp || wild & W11_NW_PROTO) {
        return 0;
    }
    w->tp_src = wild & W11_TP_SRC ? 0 : UINT16_MAX;
    w->tp_dst = wild & W11_TP_DST ? 0 : UINT16_MAX;
    switch (m->key.nw_proto) {
    case 1:
    case 58:
        return (w->tp_src && be16toh(m->key.tp_src) > 255) ||
                       (w->tp_dst && be16toh(m->key.tp_dst) > 255)
                   ? OF_ERROR_BMC_BAD_FIELD
                   : 0;
    case 6:
    case 17:
    case 132:
        return 0;
    default:
        return w->tp_src || w->tp_dst ? OF_ERROR_BMC_BAD_FIELD : 0;
    }
}

static void
mpls_from_11(struct flow_match *m, uint32_t wild, uint32_t label, uint8_t tc)
{
    if (!(wild & W11_DL_TYPE) &&
        (m->key.eth_type == htobe16(0x8847) || m->key.eth_type == htobe16(0x8848))) {
        uint32_t mask =
            (wild & W11_MPLS_LABEL ? 0 : 0xfffff000u) | (wild & W11_MPLS_TC ? 0 : 0xe00u);
        m->mask.mpls_lse[0] = htobe32(mask);
        m->key.mpls_lse[0] = htobe32(((label & 0xfffff) << 12 | (tc & 7u) << 9) & mask);
    }
}

static int
match11_decode(struct of_reader *r, struct flow_match *m)
{
    struct flow_key *k = &m->key;
    struct flow_mask *w = &m->mask;
    uint32_t port;
    int error = of_port_from_11(of_get32(r), &port);
    k->in_port = htobe32(port);
    uint32_t wild = of_get32(r) & W11_ALL;
    if (!(wild & W11_IN_PORT)) {
        if (error) {
            return OF_ERROR_BMC_BAD_VALUE;
        }
        w->in_port = UINT32_MAX;
    }
    of_get_copy(r, &k->eth_src, 6);
    get_inverted(r, &w->eth_src, 6);
    of_get_copy(r, &k->eth_dst, 6);
    get_inverted(r, &w->eth_dst, 6);
    uint16_t vlan = of_get16(r);
    error = vlan_from_11(m, wild, vlan, of_get8(r));
    of_get8(r);
    k->eth_type = htobe16(of_get16(r));
    w->eth_type = wild & W11_DL_TYPE ? 0 : UINT16_MAX;
    k->nw_tos = of_get8(r);
    if (!(wild & W11_NW_TOS) && k->nw_tos & 3) {
        error = error ? error : OF_ERROR_BMC_BAD_VALUE;
    }
    k->nw_proto = of_get8(r);
    of_get_copy(r, &k->nw_src, 4);
    get_inverted(r, &w->nw_src, 4);
    of_get_copy(r, &k->nw_dst, 4);
    get_inverted(r, &w->nw_dst, 4);
    k->tp_src = htobe16(of_get16(r));
    k->tp_dst = htobe16(of_get16(r));
    uint32_t label = of_get32(r);
    mpls_from_11(m, wild, label, of_get8(r));
    of_get(r, 3);
    k->metadata = of_get_be64(r);
    get_inverted(r, &w->metadata, 8);
    if (!error) {
        error = l3_from_11(m, wild);
    }
    if (!error) {
        finish(m);
    }
    return error;
}

static void
vlan_to_11(const struct flow_match *m, uint32_t *wild, uint16_t *vlan, uint8_t *pcp)
{
    uint16_t mask = be16toh(m->mask.vlan[0].tci), tci = be16toh(m->key.vlan[0].tci);
    *vlan = 0;
    *pcp = 0;
    if (!mask) {
        *wild |= W11_DL_VLAN | W11_DL_VLAN_PCP;
    } else if (mask & FLOW_VLAN_PRESENT && !(tci & FLOW_VLAN_PRESENT)) {
        *vlan = VLAN_NONE;
        *wild |= W11_DL_VLAN_PCP;
    } else {
        *vlan = mask & 0xfff ? tci & 0xfff : VLAN_ANY;
        if (mask >> 13) {
            *pcp = tci >> 13;
        } else {
            *wild |= W11_DL_VLAN_PCP;
        }
    }
}

static void
match11_encode(const struct flow_match *m, struct str *out)
{
    const struct flow_key *k = &m->key;
    const struct flow_mask *w = &m->mask;
    uint16_t vlan;
    uint8_t pcp;
    uint32_t lse_mask = be32toh(w->mpls_lse[0]), lse = be32toh(k->mpls_lse[0]);
    uint32_t wild = (w->in_port ? 0 : W11_IN_PORT) | (w->eth_type ? 0 : W11_DL_TYPE) |
                    (w->nw_tos & 0xfc ? 0 : W11_NW_TOS) | (w->nw_proto ? 0 : W11_NW_PROTO) |
                    (w->tp_src ? 0 : W11_TP_SRC) | (w->tp_dst ? 0 : W11_TP_DST) |
                    (lse_mask & 0xfffff000 ? 0 : W11_MPLS_LABEL) |
                    (lse_mask & 0xe00 ? 0 : W11_MPLS_TC);
    vlan_to_11(m, &wild, &vlan, &pcp);
    of_put16(out, OFPMT_STANDARD);
    of_put16(out, OF11_MATCH_LEN);
    of_put32(out, be32toh(k->in_port));
    of_put32(out, wild);
    str_add_n(out, &k->eth_src, 6);
    put_inverted(out, &w->eth_src, 6);
    str_add_n(out, &k->eth_dst, 6);
    put_inverted(out, &w->eth_dst, 6);
    of_put16(out, vlan);
    of_put8(out, pcp);
    of_put8(out, 0);
    of_put16(out, be16toh(k->eth_type));
    of_put8(out, k->nw_tos & 0xfc);
    of_put8(out, k->nw_proto);
    of_put32(out, be32toh(k->nw_src));
    put_inverted(out, &w->nw_src, 4);
    of_put32(out, be32toh(k->nw_dst));
    put_inverted(out, &w->nw_dst, 4);
    of_put16(out, be16toh(k->tp_src));
    of_put16(out, be16toh(k->tp_dst));
    of_put32(out, lse >> 12);
    of_put8(out, lse >> 9 & 7);
    of_put_zeros(out, 3);
    of_put_be64(out, k->metadata);
    put_inverted(out, &w->metadata, 8);
}

// --- struct ofp_match. ---

int
of_match_decode(const uint8_t **p, size_t *len, enum of_oxm_unknown unknown, struct flow_match *m)
{
    struct of_reader r = {*p, *len, false};
    uint16_t type = of_get16(&r), said = of_get16(&r);
    size_t padded = type == OFPMT_OXM ? ROUND_UP((size_t) said, 8) : said;
    match_init_any(m);
    if (r.bad || said < 4 || padded > *len) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    int error;
    if (type == OFPMT_STANDARD) {
        error = said == OF11_MATCH_LEN ? match11_decode(&r, m) : OF_ERROR_BMC_BAD_LEN;
    } else if (type == OFPMT_OXM) {
        error = of_oxm_match_decode(r.p, said - 4u, unknown, m, NULL);
    } else {
        error = OF_ERROR_BMC_BAD_TYPE;
    }
    *p += padded;
    *len -= padded;
    return error;
}

void
of_match_encode_oxm(const struct flow_match *m, enum of_version version, struct str *out)
{
    size_t start = out->len;
    of_put16(out, OFPMT_OXM);
    of_put16(out, 0);
    size_t n = of_oxm_match_encode(m, version, NULL, out);
    of_set16(out, start + 2, (uint16_t) (4 + n));
    of_put_pad8(out, start);
}

void
of_match_encode(const struct flow_match *m, enum of_version version, struct str *out)
{
    if (version == OF_10) {
        of_match10_encode(m, out);
    } else if (version == OF_11) {
        match11_encode(m, out);
    } else {
        of_match_encode_oxm(m, version, out);
    }
}
