// SPDX-License-Identifier: Apache-2.0
// OVS_KEY_ATTR_* attributes, as they come with upcalls and dumps, to keys and matches. See
// kd_codec.h.
//
// A key without ETHERTYPE is 802.2, without ETHERNET a packet that starts with its network header.
// Tags nest: ETHERTYPE holds a tag's protocol where VLAN and ENCAP stand beside it. A VLAN
// attribute without its present bit is a truncated tag.
#include <errno.h>

#include "kdatapath/kd_codec.h"
#include "lib/net/packet_headers.h"

typedef struct nlk_attr key_table[OVS_KEY_ATTR_MAX + 1];

static be16_t
get_be16(const struct nlk_attr *a)
{
    return nlk_u16(a); // as it lies
}

// As many as there are: none in a mask that was given none.
static void
get_mpls(const struct nlk_attr *a, be32_t lse[FLOW_N_MPLS])
{
    memset(lse, 0, FLOW_N_MPLS * sizeof *lse);
    memcpy(lse, a->data, MIN(a->len / sizeof *lse, FLOW_N_MPLS) * sizeof *lse);
}

// All attributes of one level but ETHERTYPE, VLAN and ENCAP.
static int
get_level(const key_table t, void *side, bool is_mask)
{
    struct flow_key *k = side; // same layout, whichever it is
    int error = 0;

    for (uint16_t i = 0; i <= OVS_KEY_ATTR_MAX && !error; i++) {
        if (!t[i].data) {
            continue;
        }
        if (kd_attr_size(i)) {
            error = kd_attr_decode(&t[i], side, is_mask) ? 0 : -EBADMSG;
        } else if (i == OVS_KEY_ATTR_MPLS) {
            get_mpls(&t[i], k->mpls_lse);
        } else if (i == OVS_KEY_ATTR_NSH) {
            error = kd_nsh_get(&t[i], side);
        } else if (i == OVS_KEY_ATTR_TUNNEL) {
            error = kd_tunnel_get(&t[i], &k->tun, is_mask, NULL);
        }
    }
    return error;
}

// One level and those inside it. `types`: what ETHERTYPE says at the innermost level.
struct levels {
    void *side;
    bool is_mask;
    bool has_ethernet, has_type, truncated;
    be16_t type;
};

static int
get_levels(const void *attrs, size_t len, struct levels *l)
{
    struct flow_key *k = l->side;
    key_table t;

    for (size_t level = 0;; level++) {
        int error = nlk_parse(attrs, len, t, ARRAY_SIZE(t));
        if (!error) {
            error = get_level(t, l->side, l->is_mask);
        }
        if (error) {
            return error;
        }
        l->has_ethernet |= t[OVS_KEY_ATTR_ETHERNET].data != NULL;
        l->has_type = t[OVS_KEY_ATTR_ETHERTYPE].data != NULL;
        l->type = get_be16(&t[OVS_KEY_ATTR_ETHERTYPE]);
        const struct nlk_attr *vlan = &t[OVS_KEY_ATTR_VLAN], *encap = &t[OVS_KEY_ATTR_ENCAP];
        if (!vlan->data || !encap->data) {
            return 0;
        }
        const be16_t tci = get_be16(vlan);
        if (level == FLOW_N_VLANS || !(tci & htobe16(FLOW_VLAN_PRESENT))) {
            l->truncated = true;
            return 0;
        }
        k->vlan[level] = (struct flow_vlan){.tpid = l->type, .tci = tci};
        attrs = encap->data;
        len = encap->len;
    }
}

static int
get_key(const struct nlk_attr *a, struct flow_key *k)
{
    struct levels l = {.side = k};

    memset(k->vlan, 0, sizeof k->vlan);
    int error = get_levels(a->data, a->len, &l);
    if (error) {
        return error;
    }
    if (l.has_type && (l.type || !l.truncated)) {
        k->eth_type = l.type;
    } else if (l.has_ethernet && !l.truncated) {
        k->eth_type = htobe16(ETH_TYPE_NONE);
    }
    if (!l.has_ethernet && l.has_type) {
        k->packet_type = htobe32(UINT32_C(1) << 16 | be16toh(l.type));
    }
    return 0;
}

int
kd_key_get(const struct nlk_attr *a, struct flow_key *k)
{
    return get_key(a, k);
}

// Of the mask, the kernel doesn't say what it always matches: the packet type, and whether there is
// one tag more.
static void
add_implied(struct flow_match *m)
{
    if (m->key.packet_type) {
        m->mask.packet_type = 0xffffffff;
        return;
    }
    for (int i = 0; i < FLOW_N_VLANS; i++) {
        if (!(m->key.vlan[i].tci & htobe16(FLOW_VLAN_PRESENT))) {
            m->mask.vlan[i].tci |= htobe16(FLOW_VLAN_PRESENT);
            break;
        }
    }
}

// The masks of all attributes that a key has: exact.
static int
exact_mask(const struct nlk_attr *a, struct flow_match *m, unsigned depth)
{
    static const uint8_t ones[64] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    struct nlk_attr i;
    size_t pos = 0;
    int error = 0;

    while (!error && nlk_next(a->data, a->len, &pos, &i, &error)) {
        const struct nlk_attr all = {.type = i.type, .len = MIN(i.len, sizeof ones), .data = ones};
        if (kd_attr_size(i.type)) {
            error = kd_attr_decode(&all, &m->mask, true) ? 0 : -EBADMSG;
        } else if (i.type == OVS_KEY_ATTR_MPLS) {
            get_mpls(&all, m->mask.mpls_lse);
        } else if (i.type == OVS_KEY_ATTR_NSH) {
            memset(&m->mask.nsh_path, 0xff,
                   offsetof(struct flow_mask, pad3) - offsetof(struct flow_mask, nsh_path));
        } else if (i.type == OVS_KEY_ATTR_TUNNEL) {
            memset(&m->mask.tun, 0xff, offsetof(struct flow_tunnel, pad));
        } else if (i.type == OVS_KEY_ATTR_ENCAP && depth < FLOW_N_VLANS) {
            error = exact_mask(&i, m, depth + 1);
        }
    }
    m->mask.eth_type = 0xffff;
    for (int v = 0; v < FLOW_N_VLANS && m->key.vlan[v].tci & htobe16(FLOW_VLAN_PRESENT); v++) {
        m->mask.vlan[v] = (struct flow_vlan){0xffff, 0xffff};
    }
    return error;
}

int
kd_match_get(const struct nlk_attr *key, const struct nlk_attr *mask, struct flow_match *m)
{
    memset(m, 0, sizeof *m);
    int error = get_key(key, &m->key);
    if (error) {
        return error;
    }
    if (mask && mask->data) {
        struct levels l = {.side = &m->mask, .is_mask = true};
        error = get_levels(mask->data, mask->len, &l);
        m->mask.eth_type = l.type;
    } else {
        error = exact_mask(key, m, 0);
    }
    if (error) {
        return error;
    }
    add_implied(m);
    uint64_t *k = (uint64_t *) (void *) &m->key;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        k[i] &= flow_mask_words(&m->mask)[i];
    }
    match_update_used(m);
    return 0;
}
