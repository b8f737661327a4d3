// SPDX-License-Identifier: Apache-2.0
// Matches without text: setting fields, comparing, and deriving which fields a mask uses.
//
// `used` is found from the mask's words that aren't zero: an index, filled before main(), lists the
// rows that own bits of each word. Rows that share a member (tcp_src and icmp_type) are told apart
// by their prerequisites in the key. Where none holds, the first of them counts as used: a place
// must not overlook the bits.
#include "lib/flow/match.h"

#include <netinet/in.h>
#include <string.h>

#include "lib/net/packet_headers.h"

static struct field_set rows_of_word[FLOW_WORDS]; // without views and tun_metadata
static struct field_set first_of_member;          // of the rows that share a member

#define TUN_MD_FIRST_WORD (offsetof(struct flow_key, tun_md) / 8)
#define TUN_MD_END_WORD (offsetof(struct flow_key, metadata) / 8) // tun_md_present included

static bool
is_tun_md(enum field_id id)
{
    return id >= FIELD_TUN_MD0 && id <= FIELD_TUN_MD63;
}

__attribute__((constructor)) static void
index_words(void)
{
    bool seen[sizeof(struct flow_key)] = {false};
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        if (field_is_view(f) || is_tun_md(id)) {
            continue;
        }
        for (size_t w = f->offset / 8; w <= (f->offset + f->size - 1u) / 8; w++) {
            field_set_add(&rows_of_word[w], id);
        }
        if (f->place == FIELD_SHARED && !seen[f->offset]) {
            seen[f->offset] = true;
            field_set_add(&first_of_member, id);
        }
    }
}

// Are bits of the field set? Of these bits only, not of the tag's presence for vlan_pcp.
static bool
mask_has(const struct field_info *f, const struct flow_mask *mask)
{
    const uint8_t *p = (const uint8_t *) mask + f->offset;
    if (f->size > 8) {
        uint8_t any = 0;
        for (size_t i = 0; i < f->size; i++) {
            any |= p[i];
        }
        return any;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < f->size; i++) {
        v = v << 8 | p[i];
    }
    return v >> f->shift & (f->width < 64 ? (UINT64_C(1) << f->width) - 1 : UINT64_MAX);
}

static bool
member_is_claimed(const struct field_set *used, const struct field_info *first)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        if (f->place == FIELD_SHARED && f->offset == first->offset && field_set_has(used, id)) {
            return true;
        }
    }
    return false;
}

static void
use_tun_md(struct flow_match *m)
{
    for (int n = 0; n < FLOW_N_TUN_MD; n++) {
        struct field_tun_md md;
        bool any = be64toh(m->mask.tun_md_present) >> n & 1;
        if (field_tun_md_find(n, &md)) {
            for (unsigned i = 0; i < md.len; i++) {
                any |= m->mask.tun_md[md.ofs + i];
            }
        }
        if (any) {
            field_set_add(&m->used, FIELD_TUN_MD0 + n);
        }
    }
}

static void
add_rows(struct field_set *rows, size_t word)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows->w); i++) {
        rows->w[i] |= rows_of_word[word].w[i];
    }
}

// Decides anew about these rows.
static void
update_rows(struct flow_match *m, const struct field_set *rows)
{
    struct field_set unclaimed = {0};
    bool any_unclaimed = false;
    for (size_t i = 0; i < ARRAY_SIZE(rows->w); i++) {
        m->used.w[i] &= ~rows->w[i];
    }
    FIELD_SET_FOR_EACH (id, rows) {
        const struct field_info *f = field_get(id);
        if (!mask_has(f, &m->mask)) {
            continue;
        }
        if (f->place == FIELD_AT || field_prereqs_met(f, &m->key, NULL)) {
            field_set_add(&m->used, id);
        } else if (field_set_has(&first_of_member, id)) {
            field_set_add(&unclaimed, id);
            any_unclaimed = true;
        }
    }
    if (any_unclaimed) {
        FIELD_SET_FOR_EACH (id, &unclaimed) {
            if (!member_is_claimed(&m->used, field_get(id))) {
                field_set_add(&m->used, id);
            }
        }
    }
}

void
match_update_used(struct flow_match *m)
{
    const uint64_t *words = flow_mask_words(&m->mask);
    struct field_set rows = {0};
    bool tun_md = false;

    memset(&m->used, 0, sizeof m->used);
    for (size_t w = 0; w < FLOW_WORDS; w++) {
        if (words[w]) {
            tun_md |= w >= TUN_MD_FIRST_WORD && w < TUN_MD_END_WORD;
            add_rows(&rows, w);
        }
    }
    update_rows(m, &rows);
    if (tun_md) {
        use_tun_md(m);
    }
}

// Does the field's value decide which of the rows that share a member is meant?
static bool
decides(const struct flow_match *m, const struct field_info *f)
{
    switch (f->offset) {
    case offsetof(struct flow_key, eth_type):
    case offsetof(struct flow_key, nw_proto):
    case offsetof(struct flow_key, nw_frag):
        return true;
    case offsetof(struct flow_key, tp_src):
    case offsetof(struct flow_key, tp_dst):
        return m->key.nw_proto == IPPROTO_ICMPV6; // neighbour discovery's
    default:
        return is_tun_md(f->id);
    }
}

// After a change of one field.
static void
update_field(struct flow_match *m, const struct field_info *f)
{
    struct field_set rows = {0};
    if (decides(m, f)) {
        match_update_used(m);
        return;
    }
    for (size_t w = f->offset / 8; w <= (f->offset + f->size - 1u) / 8; w++) {
        add_rows(&rows, w);
    }
    update_rows(m, &rows);
}

void
match_init_any(struct flow_match *m)
{
    memset(m, 0, sizeof *m);
}

void
match_init(struct flow_match *m, const struct flow_key *key, const struct flow_mask *mask)
{
    uint64_t *dst = (uint64_t *) (void *) &m->key;
    const uint64_t *k = flow_key_words(key), *w = flow_mask_words(mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        dst[i] = k[i] & w[i];
    }
    if (&m->mask != mask) {
        m->mask = *mask;
    }
    match_update_used(m);
}

static void
clear_field(struct flow_match *m, const struct field_info *f)
{
    static const union field_value zero;
    const be16_t present = htobe16(FLOW_VLAN_PRESENT), pcp = htobe16(0xe000), vid = htobe16(0x0fff);
    be16_t keep = 0; // the presence bit of a tag, while the rest of it is still matched
    switch (f->id) {
    case FIELD_VLAN_PCP:
    case FIELD_DL_VLAN_PCP:
        keep = m->mask.vlan[0].tci & vid ? m->mask.vlan[0].tci & present : 0;
        break;
    case FIELD_VLAN_VID:
    case FIELD_DL_VLAN:
        keep = m->mask.vlan[0].tci & pcp ? m->mask.vlan[0].tci & present : 0;
        break;
    default:
        break;
    }
    const be16_t key_keep = m->key.vlan[0].tci & keep;
    field_write_mask(f, &m->mask, &zero);
    if (is_tun_md(f->id)) {
        field_write(f, &m->key, &zero);
        m->key.tun_md_present &= m->mask.tun_md_present;
    }
    uint8_t *k = (uint8_t *) &m->key + f->offset;
    const uint8_t *w = (const uint8_t *) &m->mask + f->offset;
    for (size_t i = 0; i < f->size; i++) {
        k[i] &= w[i];
    }
    m->mask.vlan[0].tci |= keep;
    m->key.vlan[0].tci |= key_keep;
}

void
match_unset(struct flow_match *m, const struct field_info *f)
{
    clear_field(m, f);
    update_field(m, f);
}

void
match_put(struct flow_match *m, const struct field_info *f, const union field_value *value,
          const union field_value *mask)
{
    union field_value v, w;
    bool any = false;

    field_value_exact(f, &w);
    for (size_t i = 0; i < FIELD_VALUE_BYTES / 8; i++) {
        if (mask && f->masking == FIELD_MASKABLE) {
            w.be64[i] &= mask->be64[i];
        }
        v.be64[i] = value->be64[i] & (f->id == FIELD_DL_VLAN ? UINT64_MAX : w.be64[i]);
        any |= !mask || mask->be64[i];
    }
    clear_field(m, f);
    if (any || is_tun_md(f->id)) {
        field_write_mask(f, &m->mask, &w);
        if (is_tun_md(f->id)) { // matched for being there, whatever its bits
            m->mask.tun_md_present |= htobe64(UINT64_C(1) << (f->id - FIELD_TUN_MD0));
        }
        field_write(f, &m->key, &v);
        if (f->id == FIELD_DL_VLAN && field_value_to_u64(f, value) == 0xffff) {
            m->key.vlan[0].tci = 0; // OpenFlow 1.0: no tag at all
            m->mask.vlan[0].tci = 0xffff;
        }
    }
}

void
match_set(struct flow_match *m, const struct field_info *f, const union field_value *value,
          const union field_value *mask)
{
    match_put(m, f, value, mask);
    update_field(m, f);
}

// The state of a connection is told by the mask too: "-inv" is a zero in the key.
static bool
ct_is_valid(const struct flow_match *m)
{
    uint32_t state = be32toh(m->key.ct_state), mask = be32toh(m->mask.ct_state);
    return state & (FLOW_CT_NEW | FLOW_CT_EST | FLOW_CT_REL | FLOW_CT_RPL) ||
           (state & FLOW_CT_TRK && mask & FLOW_CT_INV && !(state & FLOW_CT_INV));
}

bool
match_lacks_prereqs(const struct flow_match *m, const struct field_info *f)
{
    switch (f->prereq) {
    case FIELD_PRE_CT_VALID:
        return !ct_is_valid(m);
    case FIELD_PRE_CT_IPV4:
        return !ct_is_valid(m) || m->key.eth_type != htobe16(ETH_TYPE_IP);
    case FIELD_PRE_CT_IPV6:
        return !ct_is_valid(m) || m->key.eth_type != htobe16(ETH_TYPE_IPV6);
    case FIELD_PRE_VLAN_VID:
        return false; // matching the priority is matching that there is a tag, and vlan_tci may
                      // match any bits
    default:
        return !field_prereqs_met(f, &m->key, NULL);
    }
}

// Dropping one of these would make a rule of a firewall wider than it was written: they go to the
// switch, which refuses them.
static bool
is_kept(const struct field_info *f)
{
    return f->prereq == FIELD_PRE_ETHERNET || f->prereq == FIELD_PRE_NSH ||
           f->prereq == FIELD_PRE_CT_IPV4 || f->prereq == FIELD_PRE_CT_IPV6 ||
           f->id == FIELD_CT_NW_PROTO;
}

void
match_normalize(struct flow_match *m)
{
    // Prerequisites come first in the table: one pass sees what earlier drops entail.
    const struct field_set before = m->used;
    FIELD_SET_FOR_EACH (id, &before) {
        const struct field_info *f = field_get(id);
        if (field_set_has(&m->used, id) && !is_kept(f) && match_lacks_prereqs(m, f)) {
            match_unset(m, f);
            if (id == FIELD_NW_TOS) { // the other part of its byte
                match_unset(m, field_get(FIELD_NW_ECN));
            }
        }
    }
}

bool
match_equals(const struct flow_match *a, const struct flow_match *b)
{
    return !memcmp(&a->mask, &b->mask, sizeof a->mask) && !memcmp(&a->key, &b->key, sizeof a->key);
}

bool
match_covers_key(const struct flow_match *m, const struct flow_key *key)
{
    const uint64_t *k = flow_key_words(key), *mk = flow_key_words(&m->key),
                   *w = flow_mask_words(&m->mask);
    uint64_t diff = 0;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        diff |= (k[i] & w[i]) ^ mk[i];
    }
    return !diff;
}

bool
match_is_within(const struct flow_match *a, const struct flow_match *b)
{
    const uint64_t *aw = flow_mask_words(&a->mask), *bw = flow_mask_words(&b->mask);
    uint64_t extra = 0;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        extra |= bw[i] & ~aw[i];
    }
    return !extra && match_covers_key(b, &a->key);
}

bool
match_overlaps(const struct flow_match *a, const struct flow_match *b)
{
    const uint64_t *aw = flow_mask_words(&a->mask), *bw = flow_mask_words(&b->mask);
    const uint64_t *ak = flow_key_words(&a->key), *bk = flow_key_words(&b->key);
    uint64_t diff = 0;
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        diff |= (ak[i] ^ bk[i]) & aw[i] & bw[i];
    }
    return !diff;
}

#define NAME(text, alias) text
static const char *const unmet_sentences[FIELD_COUNT] = {
#define FIELD(ID, NAME_, ...) [FIELD_##ID] = "the prerequisites of " NAME_ " aren't matched",
#include "lib/flow/fields.def"
#undef FIELD
};

const char *
match_check(const struct flow_match *m)
{
    FIELD_SET_FOR_EACH (id, &m->used) {
        if (match_lacks_prereqs(m, field_get(id))) {
            return unmet_sentences[id];
        }
    }
    return NULL;
}
