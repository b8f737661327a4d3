// SPDX-License-Identifier: Apache-2.0
// Matches ⇄ flower keys. Regular fields are rows of fields.def (column FLOWER); VLAN tags,
// ethertypes and fragments are not regular and have a function each.
//
// Nothing is dropped silently: the mask is copied, what is expressed is cleared from the copy, and
// a bit that is left at the end refuses the flow. Bits that are implied by where the filter stands
// (first chain, a device without tunnel) are cleared by forget_implied().
//
// Source: linux/pkt_cls.h; the kernel's dissector for what it looks at in fragments.
#include "config.h"

#include <linux/pkt_cls.h>

#include "offload/ofl_private.h"

enum kind { KIND_NONE, KIND_MASKED, KIND_EXACT };

struct row {
    uint16_t key, mask;
    uint8_t kind;
};

// A column's macros become a row; what isn't regular, none.
#define FLOWER(K, M)                                                                               \
    {                                                                                              \
        TCA_FLOWER_KEY_##K, TCA_FLOWER_KEY_##M, KIND_MASKED                                        \
    }
#define FLOWER_EXACT(K)                                                                            \
    {                                                                                              \
        TCA_FLOWER_KEY_##K, 0, KIND_EXACT                                                          \
    }
#define FLOWER_HOST(K, M)                                                                          \
    {                                                                                              \
        0, 0, KIND_NONE                                                                            \
    }
#define FLOWER_FN(K)                                                                               \
    {                                                                                              \
        0, 0, KIND_NONE                                                                            \
    }
#define FLOWER_NONE                                                                                \
    {                                                                                              \
        0, 0, KIND_NONE                                                                            \
    }
static const struct row rows[FIELD_COUNT] = {
#define FIELD(ID, NAME_, AT_, RULES_, OXM_, KERNEL_, FLOWER_, PEDIT_, ODP_) [FIELD_##ID] = FLOWER_,
#include "lib/flow/fields.def"
#undef FIELD
};

// Fields of packets only: those of tunnels and connections are not translated yet.
static struct field_set regular, regular_of_word[FLOW_WORDS];

__attribute__((constructor)) static void
find_regular(void)
{
    for (enum field_id id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        if (rows[id].kind == KIND_NONE || f->offset < FLOW_STAGE_L2 * 8) {
            continue;
        }
        field_set_add(&regular, id);
        for (size_t w = f->offset / 8; w <= (f->offset + f->size - 1u) / 8; w++) {
            field_set_add(&regular_of_word[w], id);
        }
    }
}

// Bytes of the attribute: OpenFlow has 16 bits for ARP's opcode, the key 8; for ICMP's type it is
// the other way round.
static size_t
attr_len(const struct field_info *f)
{
    return MIN(f->n_bytes, f->size);
}

static const uint8_t *
key_at(const struct flow_key *k, const struct field_info *f)
{
    return (const uint8_t *) k + f->offset;
}

static bool
is_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    return !n || (!*b && !memcmp(b, b + 1, n - 1));
}

static bool
is_vlan(be16_t type)
{
    return type == htobe16(0x8100) || type == htobe16(0x88a8);
}

// --- What the filter's place implies. ---

static void
forget_implied(const struct flow_match *m, struct flow_mask *left)
{
    left->in_port = 0; // the device
    if (!m->key.recirc_id) {
        left->recirc_id = 0; // the first chain
    }
    if (!m->key.packet_type) {
        left->packet_type = 0;
    }
    // What comes in from a device that is no tunnel has no tunnel metadata, and nobody tracked it
    // before the first chain.
    if (is_zero(&m->key.tun, sizeof m->key.tun) && !m->key.tun_md_present) {
        memset(&left->tun, 0, sizeof left->tun);
        memset(left->tun_md, 0, sizeof left->tun_md);
        left->tun_md_present = 0;
    }
    if (!m->key.recirc_id && !m->key.ct_state && !m->key.ct_zone && !m->key.ct_mark &&
        is_zero(m->key.ct_label, sizeof m->key.ct_label)) {
        left->ct_state = left->ct_mark = 0;
        left->ct_zone = 0;
        memset(left->ct_label, 0, sizeof left->ct_label);
    }
}

// --- VLAN tags and ethertypes. ---

static const struct {
    enum field_id vid, pcp, tpid;
    uint16_t id, prio;
} tags[FLOW_N_VLANS] = {
    {FIELD_VLAN_VID, FIELD_VLAN_PCP, FIELD_VLAN_TPID, TCA_FLOWER_KEY_VLAN_ID,
     TCA_FLOWER_KEY_VLAN_PRIO},
    {FIELD_VLAN2_VID, FIELD_VLAN2_PCP, FIELD_VLAN2_TPID, TCA_FLOWER_KEY_CVLAN_ID,
     TCA_FLOWER_KEY_CVLAN_PRIO},
};

// Number of tags that the match says are there; -1 with a reason where it leaves that open.
static int
count_tags(const struct flow_match *m, struct reason *r)
{
    int n = 0;
    for (; n < FLOW_N_VLANS; n++) {
        const uint16_t mask = be16toh(m->mask.vlan[n].tci);
        if (!(mask & FLOW_VLAN_PRESENT)) {
            ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, tags[n].vid,
                             "matches any number of tags");
            return -1;
        }
        if (!(be16toh(m->key.vlan[n].tci) & FLOW_VLAN_PRESENT)) {
            break;
        }
    }
    return n;
}

static bool
put_tag(struct nlk_batch *b, const struct flow_match *m, int i, struct reason *r)
{
    const uint16_t tci = be16toh(m->key.vlan[i].tci), mask = be16toh(m->mask.vlan[i].tci);
    const uint16_t vid_mask = mask & 0xfff, pcp_mask = mask >> 13;

    if (m->mask.vlan[i].tpid != htobe16(0xffff) || !is_vlan(m->key.vlan[i].tpid)) {
        return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, tags[i].tpid, "");
    }
    if (vid_mask && vid_mask != 0xfff) {
        return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, tags[i].vid, "");
    }
    if (pcp_mask && pcp_mask != 7) {
        return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, tags[i].pcp, "");
    }
    if (vid_mask) {
        nlk_put_u16(b, tags[i].id, tci & 0xfff);
    }
    if (pcp_mask) {
        nlk_put_u8(b, tags[i].prio, (uint8_t) (tci >> 13));
    }
    return true;
}

static bool
put_types(struct nlk_batch *b, const struct flow_match *m, be16_t *protocol, struct flow_mask *left,
          struct reason *r)
{
    if (m->mask.eth_type != htobe16(0xffff)) {
        return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, FIELD_ETH_TYPE, "");
    }
    if (be16toh(m->key.eth_type) < 0x600) {
        return ofl_refuse_field(r, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_ETH_TYPE,
                                "frames without an ethertype");
    }
    const int n = count_tags(m, r);
    if (n < 0) {
        return false;
    }
    if (is_vlan(m->key.eth_type)) {
        return ofl_refuse_field(r, REASON_MATCH_VLAN_DEPTH, FIELD_ETH_TYPE, "");
    }
    for (int i = 0; i < n; i++) {
        if (!put_tag(b, m, i, r)) {
            return false;
        }
    }
    // Each tag's ethertype says what follows it.
    static const uint16_t types[FLOW_N_VLANS + 1] = {
        TCA_FLOWER_KEY_ETH_TYPE, TCA_FLOWER_KEY_VLAN_ETH_TYPE, TCA_FLOWER_KEY_CVLAN_ETH_TYPE};
    for (int i = 0; i <= n; i++) {
        nlk_put_u16(b, types[i], i < n ? m->key.vlan[i].tpid : m->key.eth_type);
    }
    *protocol = n ? m->key.vlan[0].tpid : m->key.eth_type;
    left->eth_type = 0;
    for (int i = 0; i < FLOW_N_VLANS; i++) {
        if (i < n || (!m->key.vlan[i].tci && !m->key.vlan[i].tpid)) {
            left->vlan[i].tpid = left->vlan[i].tci = 0;
        }
    }
    return true;
}

// --- Fragments. ---

static bool
is_ip(const struct flow_match *m)
{
    return flow_key_is_ip(&m->key);
}

// The dissector looks at the ports of no fragment, not even of the first.
static bool
check_fragment_ports(const struct flow_match *m, struct flow_mask *left, struct reason *r)
{
    const bool v6 = m->key.eth_type == htobe16(0x86dd);
    const enum reason_code code = v6 ? REASON_MATCH_IPV6_FRAG : REASON_MATCH_UNSUPPORTED_FIELD;
    const bool later = m->key.nw_frag & m->mask.nw_frag & FLOW_FRAG_LATER;

    if (v6 && later && m->mask.nw_proto) {
        return ofl_refuse_field(r, code, FIELD_IP_FRAG, "protocol of a later fragment");
    }
    if (later && !m->key.tp_src && !m->key.tp_dst && !m->key.tcp_flags) {
        left->tp_src = left->tp_dst = left->tcp_flags = 0; // there are none
        return true;
    }
    if (m->mask.tp_src || m->mask.tp_dst || m->mask.tcp_flags) {
        return ofl_refuse_field(r, code, FIELD_IP_FRAG, "ports of a fragment");
    }
    return true;
}

static bool
put_fragment(struct nlk_batch *b, const struct flow_match *m, struct flow_mask *left,
             struct reason *r)
{
    const uint8_t mask = m->mask.nw_frag & (FLOW_FRAG_ANY | FLOW_FRAG_LATER),
                  key = m->key.nw_frag & mask;
    uint32_t flags = 0, flags_mask = TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT;

    left->nw_frag = 0;
    if (!mask) {
        return true;
    }
    if (!is_ip(m)) {
        return key ? ofl_refuse_field(r, REASON_MATCH_UNSUPPORTED_FIELD, FIELD_IP_FRAG, "") : true;
    }
    if (key) {
        flags = TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT;
        if (mask & FLOW_FRAG_LATER) {
            flags_mask |= TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST;
            flags |= key & FLOW_FRAG_LATER ? 0 : TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST;
        }
    } else if (!(mask & FLOW_FRAG_ANY)) {
        return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, FIELD_IP_FRAG, "not later");
    }
    nlk_put_u32(b, TCA_FLOWER_KEY_FLAGS, htobe32(flags));
    nlk_put_u32(b, TCA_FLOWER_KEY_FLAGS_MASK, htobe32(flags_mask));
    return key ? check_fragment_ports(m, left, r) : true;
}

// --- Regular fields. ---

// The header is there for sure.
static bool
pinned(const struct field_info *f, const struct flow_match *m)
{
    switch (f->prereq) {
    case FIELD_PRE_TCP:
    case FIELD_PRE_UDP:
    case FIELD_PRE_SCTP:
    case FIELD_PRE_ICMPV4:
    case FIELD_PRE_ICMPV6:
        return m->mask.nw_proto == 0xff;
    default:
        return true;
    }
}

// Those that may have bits in the mask.
static struct field_set
regular_in(const struct flow_mask *mask)
{
    const uint64_t *words = flow_mask_words(mask);
    struct field_set set = {0};
    for (size_t w = FLOW_STAGE_L2; w < FLOW_WORDS; w++) {
        for (size_t i = 0; words[w] && i < ARRAY_SIZE(set.w); i++) {
            set.w[i] |= regular_of_word[w].w[i];
        }
    }
    return set;
}

static bool
put_regular(struct nlk_batch *b, const struct flow_match *m, struct flow_mask *left,
            struct reason *r)
{
    const struct field_set some = regular_in(left);
    FIELD_SET_FOR_EACH (id, &some) {
        const struct field_info *f = field_get(id);
        const struct row *row = &rows[id];
        uint8_t *todo = (uint8_t *) left + f->offset;
        if (is_zero(todo, f->size) || !field_prereqs_met(f, &m->key, NULL)) {
            continue;
        }
        const size_t len = attr_len(f), skip = f->size - len;
        const uint8_t *value = key_at(&m->key, f) + skip;
        if (!pinned(f, m)) {
            return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, FIELD_NW_PROTO, "");
        }
        if (!is_zero(key_at(&m->key, f), skip)) {
            continue; // wider than the header has it: left for the refusal
        }
        memset(todo, 0, skip);
        if (is_zero(todo, f->size)) {
            continue;
        }
        if (row->kind == KIND_EXACT) {
            for (size_t j = 0; j < len; j++) {
                if (todo[skip + j] != 0xff) {
                    return ofl_refuse_field(r, REASON_MATCH_PARTIAL_MASK, f->id, "");
                }
            }
        }
        nlk_put(b, row->key, value, len);
        if (row->kind == KIND_MASKED) {
            nlk_put(b, row->mask, todo + skip, len);
        }
        memset(todo, 0, f->size);
    }
    return true;
}

bool
ofl_match_put(struct nlk_batch *b, const struct flow_match *m, be16_t *protocol, struct reason *r)
{
    struct flow_mask left = m->mask;

    forget_implied(m, &left);
    if (!put_types(b, m, protocol, &left, r) || !put_fragment(b, m, &left, r) ||
        !put_regular(b, m, &left, r)) {
        return false;
    }
    return is_zero(&left, sizeof left) || ofl_refuse_match(m, &left, r);
}

// --- Back. ---

static bool
get_types(const struct nlk_attr keys[], be16_t protocol, struct flow_match *m)
{
    static const uint16_t types[FLOW_N_VLANS] = {TCA_FLOWER_KEY_VLAN_ETH_TYPE,
                                                 TCA_FLOWER_KEY_CVLAN_ETH_TYPE};
    be16_t type = protocol;
    int n = 0;

    for (; n < FLOW_N_VLANS && is_vlan(type); n++) {
        uint16_t tci = FLOW_VLAN_PRESENT, mask = FLOW_VLAN_PRESENT;
        if (keys[tags[n].id].data) {
            tci |= nlk_u16(&keys[tags[n].id]) & 0xfff;
            mask |= 0xfff;
        }
        if (keys[tags[n].prio].data) {
            tci |= (uint16_t) ((nlk_u8(&keys[tags[n].prio]) & 7) << 13);
            mask |= 0xe000;
        }
        m->key.vlan[n].tpid = type;
        m->key.vlan[n].tci = htobe16(tci);
        m->mask.vlan[n].tci = htobe16(mask);
        m->mask.vlan[n].tpid = htobe16(0xffff);
        type = nlk_u16(&keys[types[n]]);
    }
    for (int i = n; i < FLOW_N_VLANS; i++) {
        if (keys[tags[i].id].data || keys[tags[i].prio].data) {
            return false;
        }
    }
    if (n < FLOW_N_VLANS) {
        m->mask.vlan[n].tci = htobe16(FLOW_VLAN_PRESENT); // none
    }
    if (!n && keys[TCA_FLOWER_KEY_ETH_TYPE].data &&
        nlk_u16(&keys[TCA_FLOWER_KEY_ETH_TYPE]) != protocol) {
        return false;
    }
    m->key.eth_type = type;
    m->mask.eth_type = htobe16(0xffff);
    return be16toh(type) >= 0x600 && !is_vlan(type);
}

static bool
get_fragment(const struct nlk_attr keys[], struct flow_match *m)
{
    const uint32_t known = TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT | TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST;
    const uint32_t mask = be32toh(nlk_u32(&keys[TCA_FLOWER_KEY_FLAGS_MASK]));
    const uint32_t flags = be32toh(nlk_u32(&keys[TCA_FLOWER_KEY_FLAGS])) & mask;

    if (!mask) {
        return !keys[TCA_FLOWER_KEY_FLAGS].data;
    }
    if (mask & ~known || !(mask & TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT) || !is_ip(m)) {
        return false;
    }
    if (!(flags & TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT)) {
        m->mask.nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
        return mask == TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT;
    }
    m->mask.nw_frag = FLOW_FRAG_ANY;
    m->key.nw_frag = FLOW_FRAG_ANY;
    if (mask & TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST) {
        m->mask.nw_frag |= FLOW_FRAG_LATER;
        m->key.nw_frag |= flags & TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST ? 0 : FLOW_FRAG_LATER;
    }
    return true;
}

static bool
get_regular(const struct nlk_attr keys[], struct flow_match *m, bool seen[])
{
    FIELD_SET_FOR_EACH (id, &regular) {
        const struct field_info *f = field_get(id);
        const struct row *row = &rows[id];
        const struct nlk_attr *key = &keys[row->key], *mask = row->mask ? &keys[row->mask] : NULL;
        const size_t len = attr_len(f), skip = f->size - len;
        if (!key->data) {
            continue;
        }
        seen[row->key] = true;
        if (mask) {
            seen[row->mask] = true;
        }
        if (key->len != len || (mask && mask->data && mask->len != len) ||
            !field_prereqs_met(f, &m->key, NULL)) {
            return false;
        }
        uint8_t *to = (uint8_t *) &m->key + f->offset + skip,
                *to_mask = (uint8_t *) &m->mask + f->offset + skip;
        for (size_t j = 0; j < len; j++) {
            to_mask[j] = mask && mask->data ? ((const uint8_t *) mask->data)[j] : 0xff;
            to[j] = ((const uint8_t *) key->data)[j] & to_mask[j];
        }
    }
    return true;
}

bool
ofl_match_get(const struct nlk_attr keys[], be16_t protocol, struct flow_match *m)
{
    static const uint16_t others[] = {
        TCA_FLOWER_ACT,
        TCA_FLOWER_FLAGS,
        TCA_FLOWER_IN_HW_COUNT,
        TCA_FLOWER_KEY_ETH_TYPE,
        TCA_FLOWER_KEY_VLAN_ID,
        TCA_FLOWER_KEY_VLAN_PRIO,
        TCA_FLOWER_KEY_VLAN_ETH_TYPE,
        TCA_FLOWER_KEY_CVLAN_ID,
        TCA_FLOWER_KEY_CVLAN_PRIO,
        TCA_FLOWER_KEY_CVLAN_ETH_TYPE,
        TCA_FLOWER_KEY_FLAGS,
        TCA_FLOWER_KEY_FLAGS_MASK,
    };
    bool seen[TCA_FLOWER_MAX + 1] = {false};

    match_init_any(m);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        seen[others[i]] = true;
    }
    if (!get_types(keys, protocol, m) || !get_fragment(keys, m) || !get_regular(keys, m, seen)) {
        return false;
    }
    for (size_t i = 1; i <= TCA_FLOWER_MAX; i++) {
        if (keys[i].data && !seen[i]) {
            return false;
        }
    }
    match_update_used(m);
    return true;
}
