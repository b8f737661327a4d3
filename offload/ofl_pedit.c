// SPDX-License-Identifier: Apache-2.0
// Set field ⇄ pedit. A run of set fields becomes one extended pedit of 32-bit words and one csum
// behind it. Where a field lies in its header is the column PEDIT of fields.def.
//
// Source: linux/tc_act/tc_pedit.h: mask has the bits that stay, words lie in network order.
#include "config.h"

#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_pedit.h>
#include <netinet/in.h>

#include "offload/ofl_private.h"

struct place {
    uint8_t header, offset, bytes; // bytes 0: none
    uint8_t shift;                 // of the value's lowest bit
};

struct row {
    struct place p4, p6;
};

#define PEDIT(H, OFS, N)                                                                           \
    {                                                                                              \
        {TCA_PEDIT_KEY_EX_HDR_TYPE_##H, OFS, N, 0},                                                \
        {                                                                                          \
            TCA_PEDIT_KEY_EX_HDR_TYPE_##H, OFS, N, 0                                               \
        }                                                                                          \
    }
#define PEDIT_EITHER(O4, N4, O6, N6, SHIFT6)                                                       \
    {                                                                                              \
        {TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, O4, N4, 0},                                                \
        {                                                                                          \
            TCA_PEDIT_KEY_EX_HDR_TYPE_IP6, O6, N6, SHIFT6                                          \
        }                                                                                          \
    }
#define PEDIT_NONE                                                                                 \
    {                                                                                              \
        {0, 0, 0, 0},                                                                              \
        {                                                                                          \
            0, 0, 0, 0                                                                             \
        }                                                                                          \
    }
static const struct row rows[FIELD_COUNT] = {
#define FIELD(ID, NAME_, AT_, RULES_, OXM_, KERNEL_, FLOWER_, PEDIT_, ODP_) [FIELD_##ID] = PEDIT_,
#include "lib/flow/fields.def"
#undef FIELD
};

static bool
is_v6(const struct flow_match *m)
{
    return m->key.eth_type == htobe16(0x86dd);
}

// The header that a place lies in is one that every packet of the flow has.
static bool
header_is_there(const struct place *p, const struct flow_match *m)
{
    const bool first = !(m->key.nw_frag & FLOW_FRAG_LATER), exact = m->mask.nw_proto == 0xff;
    switch (p->header) {
    case TCA_PEDIT_KEY_EX_HDR_TYPE_ETH:
        return true;
    case TCA_PEDIT_KEY_EX_HDR_TYPE_IP4:
        return m->key.eth_type == htobe16(0x0800);
    case TCA_PEDIT_KEY_EX_HDR_TYPE_IP6:
        return is_v6(m);
    case TCA_PEDIT_KEY_EX_HDR_TYPE_TCP:
        return flow_key_is_ip(&m->key) && exact && m->key.nw_proto == IPPROTO_TCP && first;
    case TCA_PEDIT_KEY_EX_HDR_TYPE_UDP:
        return flow_key_is_ip(&m->key) && exact && m->key.nw_proto == IPPROTO_UDP && first;
    default:
        return false;
    }
}

static const struct place *
place_of(enum field_id f, const struct flow_match *m)
{
    const struct place *p = is_v6(m) ? &rows[f].p6 : &rows[f].p4;
    return p->bytes && header_is_there(p, m) ? p : NULL;
}

// --- Checksums. ---

// The sums that a transport header has over the addresses, for the protocols that the flow may
// carry.
static uint32_t
transport_sums(const struct flow_match *m)
{
    const bool exact = m->mask.nw_proto == 0xff;
    if (m->key.nw_frag & m->mask.nw_frag & FLOW_FRAG_LATER) {
        return 0; // in the first fragment
    }
    switch (exact ? m->key.nw_proto : 0) {
    case IPPROTO_TCP:
        return TCA_CSUM_UPDATE_FLAG_TCP;
    case IPPROTO_UDP:
        return TCA_CSUM_UPDATE_FLAG_UDP;
    case IPPROTO_UDPLITE:
        return TCA_CSUM_UPDATE_FLAG_UDPLITE;
    case IPPROTO_ICMPV6:
        return is_v6(m) ? TCA_CSUM_UPDATE_FLAG_ICMP : 0;
    case 0:
        break;
    default:
        return 0;
    }
    return exact ? 0
                 : TCA_CSUM_UPDATE_FLAG_TCP | TCA_CSUM_UPDATE_FLAG_UDP |
                       (is_v6(m) ? TCA_CSUM_UPDATE_FLAG_ICMP : 0);
}

static bool
any_bits(const struct ofl_pedit *p, unsigned header, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (p->header[header].mask[i]) {
            return true;
        }
    }
    return false;
}

static uint32_t
sums_of(const struct ofl_pedit *p, const struct flow_match *m)
{
    uint32_t csum = 0;
    if (any_bits(p, TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, 0, 20)) {
        csum |= TCA_CSUM_UPDATE_FLAG_IPV4HDR;
    }
    if (any_bits(p, TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, 12, 20) ||
        any_bits(p, TCA_PEDIT_KEY_EX_HDR_TYPE_IP6, 8, 40)) {
        csum |= transport_sums(m);
    }
    if (any_bits(p, TCA_PEDIT_KEY_EX_HDR_TYPE_TCP, 0, OFL_PEDIT_BYTES)) {
        csum |= TCA_CSUM_UPDATE_FLAG_TCP;
    }
    if (any_bits(p, TCA_PEDIT_KEY_EX_HDR_TYPE_UDP, 0, OFL_PEDIT_BYTES)) {
        csum |= TCA_CSUM_UPDATE_FLAG_UDP;
    }
    return csum;
}

// --- To words. ---

static void
shift_left(const uint8_t *from, size_t n, unsigned shift, uint8_t *to, size_t n_to)
{
    uint64_t v = 0;
    if (!shift) {
        memset(to, 0, n_to);
        memcpy(to + n_to - MIN(n, n_to), from + n - MIN(n, n_to), MIN(n, n_to));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | from[i];
    }
    v <<= shift;
    for (size_t i = n_to; i-- > 0; v >>= 8) {
        to[i] = (uint8_t) v;
    }
}

bool
ofl_pedit_add(struct ofl_pedit *p, const struct dp_act_set *set, const struct flow_match *m,
              struct reason *r)
{
    if (set->field >= FIELD_COUNT || !set->n_bytes || set->n_bytes > sizeof set->value) {
        return ofl_refuse_field(r, REASON_ACT_SET_FIELD, FIELD_COUNT, "");
    }
    const enum field_id f = (enum field_id) set->field;
    const struct place *at = place_of(f, m);
    if (!at) {
        return ofl_refuse_field(r, REASON_ACT_SET_FIELD, f, "");
    }

    uint8_t value[16], mask[16];
    shift_left(set->value, set->n_bytes, at->shift, value, at->bytes);
    shift_left(set->mask, set->n_bytes, at->shift, mask, at->bytes);
    uint8_t *to = p->header[at->header].value + at->offset,
            *to_mask = p->header[at->header].mask + at->offset;
    for (size_t i = 0; i < at->bytes; i++) {
        to[i] = (uint8_t) ((to[i] & ~mask[i]) | (value[i] & mask[i]));
        to_mask[i] |= mask[i];
    }
    p->csum = sums_of(p, m);
    if (m->key.nw_frag & FLOW_FRAG_ANY && p->csum & ~(uint32_t) TCA_CSUM_UPDATE_FLAG_IPV4HDR) {
        return ofl_refuse_field(r, REASON_ACT_FRAG_REWRITE, f, "");
    }
    return true;
}

// Calls put for each word that has bits to write; returns how many.
static size_t
for_each_word(const struct ofl_pedit *p, void (*put)(void *aux, unsigned header, unsigned ofs),
              void *aux)
{
    size_t n = 0;
    for (unsigned h = 0; h < OFL_PEDIT_HEADERS; h++) {
        for (unsigned ofs = 0; ofs < OFL_PEDIT_BYTES; ofs += 4) {
            if (any_bits(p, h, ofs, ofs + 4)) {
                n++;
                if (put) {
                    put(aux, h, ofs);
                }
            }
        }
    }
    return n;
}

struct put {
    struct nlk_batch *b;
    const struct ofl_pedit *p;
    struct tc_pedit_key *key;
};

static void
put_word(void *put_, unsigned header, unsigned ofs)
{
    struct put *put = put_;
    uint32_t mask;
    memcpy(&mask, &put->p->header[header].mask[ofs], 4);
    struct tc_pedit_key *k = put->key++;
    memcpy(&k->val, &put->p->header[header].value[ofs], 4);
    k->mask = ~mask;
    k->off = ofs;
}

static void
put_word_ex(void *put_, unsigned header, unsigned ofs)
{
    struct put *put = put_;
    size_t nest = nlk_nest(put->b, TCA_PEDIT_KEY_EX);
    (void) ofs;
    nlk_put_u16(put->b, TCA_PEDIT_KEY_EX_HTYPE, (uint16_t) header);
    nlk_put_u16(put->b, TCA_PEDIT_KEY_EX_CMD, TCA_PEDIT_KEY_EX_CMD_SET);
    nlk_nest_end(put->b, nest);
}

void
ofl_pedit_put(struct nlk_batch *b, const struct ofl_pedit *p)
{
    const size_t n = for_each_word(p, NULL, NULL);
    struct tc_pedit_sel *sel =
        nlk_put_zero(b, TCA_PEDIT_PARMS_EX, sizeof *sel + n * sizeof(struct tc_pedit_key));
    sel->action = TC_ACT_PIPE;
    sel->nkeys = (unsigned char) n;
    struct put put = {b, p, (struct tc_pedit_key *) (void *) ((uint8_t *) sel + sizeof *sel)};
    for_each_word(p, put_word, &put);
    size_t nest = nlk_nest(b, TCA_PEDIT_KEYS_EX);
    for_each_word(p, put_word_ex, &put);
    nlk_nest_end(b, nest);
}

// --- Back. ---

static bool
get_word(const struct tc_pedit_key *k, const struct nlk_attr *ex, struct ofl_pedit *p)
{
    struct nlk_attr t[TCA_PEDIT_KEY_EX_MAX + 1];
    if (nlk_parse_nested(ex, t, ARRAY_SIZE(t))) {
        return false;
    }
    const unsigned header = nlk_u16(&t[TCA_PEDIT_KEY_EX_HTYPE]);
    if (header >= OFL_PEDIT_HEADERS ||
        nlk_u16(&t[TCA_PEDIT_KEY_EX_CMD]) != TCA_PEDIT_KEY_EX_CMD_SET || k->off % 4 ||
        k->off > OFL_PEDIT_BYTES - 4 || k->offmask || k->shift) {
        return false;
    }
    const uint32_t mask = ~k->mask, value = k->val & mask;
    uint8_t *to = p->header[header].value + k->off, *to_mask = p->header[header].mask + k->off;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t m = ((const uint8_t *) &mask)[i];
        to[i] = (uint8_t) ((to[i] & ~m) | ((const uint8_t *) &value)[i]);
        to_mask[i] |= m;
    }
    return true;
}

bool
ofl_pedit_get(const struct nlk_attr *options, struct ofl_pedit *p)
{
    struct nlk_attr t[TCA_PEDIT_MAX + 1];
    memset(p, 0, sizeof *p);
    if (nlk_parse_nested(options, t, ARRAY_SIZE(t)) || !t[TCA_PEDIT_PARMS_EX].data ||
        !t[TCA_PEDIT_KEYS_EX].data) {
        return false;
    }
    struct tc_pedit_sel sel;
    const struct nlk_attr *parms = &t[TCA_PEDIT_PARMS_EX];
    if (parms->len < sizeof sel) {
        return false;
    }
    memcpy(&sel, parms->data, sizeof sel);
    if (sel.action != TC_ACT_PIPE ||
        parms->len < sizeof sel + sel.nkeys * sizeof(struct tc_pedit_key)) {
        return false;
    }
    struct nlk_attr ex;
    size_t pos = 0;
    for (unsigned i = 0; i < sel.nkeys; i++) {
        struct tc_pedit_key k;
        memcpy(&k, (const uint8_t *) parms->data + sizeof sel + i * sizeof k, sizeof k);
        if (!nlk_next(t[TCA_PEDIT_KEYS_EX].data, t[TCA_PEDIT_KEYS_EX].len, &pos, &ex, NULL) ||
            ex.type != TCA_PEDIT_KEY_EX || !get_word(&k, &ex, p)) {
            return false;
        }
    }
    return true;
}

// The bits of its place that a field is written with: nw_tos and nw_ecn share theirs.
static uint64_t
own_bits(const struct field_info *f)
{
    return f->id == FIELD_NW_TOS   ? 0xfc
           : f->id == FIELD_NW_ECN ? 0x03
                                   : (UINT64_C(1) << MIN(f->n_bits, 63)) - 1;
}

bool
ofl_pedit_fields(struct ofl_pedit *p, const struct flow_match *m, struct dp_actions *out)
{
    p->csum = sums_of(p, m);
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct place *at = place_of((enum field_id) i, m);
        const struct field_info *f = field_get((enum field_id) i);
        if (!at || !any_bits(p, at->header, at->offset, at->offset + at->bytes)) {
            continue;
        }
        uint8_t *value = p->header[at->header].value + at->offset,
                *mask = p->header[at->header].mask + at->offset;
        union field_value v = {.b = {0}}, w = {.b = {0}};
        if (at->bytes == 1) {
            const uint8_t got = (uint8_t) (*mask & own_bits(f));
            if (!got) {
                continue;
            }
            v.b[FIELD_VALUE_BYTES - 1] = *value & got;
            w.b[FIELD_VALUE_BYTES - 1] = got;
            *mask = (uint8_t) (*mask & ~got);
        } else if (at->shift || f->n_bits < at->bytes * 8u) {
            // Part of a word.
            const uint64_t bits = own_bits(f);
            uint32_t word_v, word_m;
            memcpy(&word_v, value, 4);
            memcpy(&word_m, mask, 4);
            const uint64_t got = be32toh(word_m) >> at->shift & bits;
            if (!got) {
                continue;
            }
            field_value_from_u64(f, be32toh(word_v) >> at->shift & bits & got, &v);
            field_value_from_u64(f, got, &w);
            word_m &= htobe32((uint32_t) ~(bits << at->shift));
            memcpy(mask, &word_m, 4);
        } else {
            memcpy(v.b + FIELD_VALUE_BYTES - at->bytes, value, at->bytes);
            memcpy(w.b + FIELD_VALUE_BYTES - at->bytes, mask, at->bytes);
            memset(mask, 0, at->bytes);
        }
        dp_actions_add_set(out, f, &v, &w);
    }
    return !for_each_word(p, NULL, NULL);
}
