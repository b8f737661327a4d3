// SPDX-License-Identifier: Apache-2.0
// Which bits of a key tell a look-up's winner from the rules that it beat. See classifier.h,
// classifier_private.h.
//
// The winner's own bits come first. Then every rule that would have won, had it matched, must
// differ from the key in a bit that is looked at: mostly it does so in bits that others needed
// already. If not:
//
// Of a subtable with many rules, the cheapest of what its indexes say is taken: a prefix that no
// rule has, or the first stages. Those come first: what they take is much, and serves the others.
// Of a subtable with few, the cheapest members are taken that tell the key from each of the rules:
// greedily, what tells it from most.
//
// Every place for flows looks for a packet under one mask after the other. Bits of addresses and
// ports chosen one by one make the fewest flows, but where rules have many masks, several times as
// many for flows. There, of an address the bytes up to one that differs are taken, of ports all
// bits that the rules match, and more rules of a subtable count as few.
//
// What is in the mask at the start counts as looked at, so that a translation of a cached flow's
// own key, where unmatched bits are zero, comes out with the flow's mask: whatever told the rules
// from the first packet is in it.
//
// Part of a member is only taken where each place for flows can match a part: of addresses and
// ports. Of other members all bits are taken that the rules match, and with some members goes what
// says that the packet has them.
#include "lib/flow/classifier_private.h"

#define FEW_SLOTS 16 // subtables with no more have few rules
#define SCAN_SLOTS 8 // so many are looked through without asking the tries
#define MAX_WORDS FLOW_WORDS

#define MEMBER(m)                                                                                  \
    {                                                                                              \
        offsetof(struct flow_key, m), sizeof(((struct flow_key *) NULL)->m)                        \
    }
#define RANGE(first, end)                                                                          \
    {                                                                                              \
        offsetof(struct flow_key, first),                                                          \
            offsetof(struct flow_key, end) - offsetof(struct flow_key, first)                      \
    }

uint32_t cls_few_slots = CLS_FEW_SLOTS, cls_many_masks = CLS_MANY_MASKS;

// Would bits chosen one by one make too many masks?
static bool
has_many_masks(const struct cls_search *q)
{
    return q->vec->n >= cls_many_masks;
}

struct bytes {
    uint16_t offset, size;
};

// Whose bits may be taken one by one where masks are few; where they are many, all,
static const struct bytes whole[] = {
    MEMBER(eth_dst), MEMBER(eth_src), MEMBER(arp_sha),
    MEMBER(arp_tha), MEMBER(tp_src),  MEMBER(tp_dst),
};

// or those of the bytes up to one that differs.
static const struct bytes prefixes[] = {
    MEMBER(nw_src), MEMBER(nw_dst), MEMBER(ipv6_src), MEMBER(ipv6_dst), MEMBER(nd_target),
};

// Which are taken together; those of other words, the word.
static const struct bytes together[] = {
    RANGE(tun, metadata), // with the presence of options
    RANGE(nsh_path, pad3), RANGE(ct_nw_src, pad4),  MEMBER(regs[0]),      MEMBER(regs[1]),
    MEMBER(regs[2]),       MEMBER(regs[3]),         MEMBER(regs[4]),      MEMBER(regs[5]),
    MEMBER(regs[6]),       MEMBER(regs[7]),         MEMBER(regs[8]),      MEMBER(regs[9]),
    MEMBER(regs[10]),      MEMBER(regs[11]),        MEMBER(regs[12]),     MEMBER(regs[13]),
    MEMBER(regs[14]),      MEMBER(regs[15]),        MEMBER(skb_priority), MEMBER(pkt_mark),
    MEMBER(dp_hash),       MEMBER(recirc_id),       MEMBER(in_port),      MEMBER(actset_output),
    MEMBER(conj_id),       MEMBER(packet_type),     MEMBER(ct_state),     MEMBER(ct_mark),
    MEMBER(ct_zone),       MEMBER(eth_type),        MEMBER(vlan[0].tpid), MEMBER(vlan[0].tci),
    MEMBER(vlan[1].tpid),  MEMBER(vlan[1].tci),     MEMBER(mpls_lse[0]),  MEMBER(mpls_lse[1]),
    MEMBER(mpls_lse[2]),   MEMBER(ipv6_label),      MEMBER(nw_frag),      MEMBER(nw_tos),
    MEMBER(nw_ttl),        MEMBER(nw_proto),        MEMBER(tcp_flags),    MEMBER(igmp_group),
    MEMBER(nd_reserved),   MEMBER(nd_options_type),
};

// What makes sense only with others, and those.
static const struct {
    struct bytes what, with;
} needs[] = {
    {RANGE(tp_src, pad6), MEMBER(nw_proto)},   {MEMBER(nd_target), MEMBER(nw_proto)},
    {MEMBER(nd_target), MEMBER(tp_src)},       {MEMBER(nd_reserved), MEMBER(tp_src)},
    {MEMBER(nd_options_type), MEMBER(tp_src)}, {MEMBER(arp_sha), MEMBER(nw_proto)},
    {MEMBER(arp_sha), MEMBER(tp_src)},         {MEMBER(arp_tha), MEMBER(nw_proto)},
    {MEMBER(arp_tha), MEMBER(tp_src)},         {RANGE(ct_nw_src, pad4), MEMBER(ct_state)},
};

// No word before this one has members that need what lies in a later word.
#define LATE_WORD (offsetof(struct flow_key, arp_sha) / 8)

static inline bool
within(const struct bytes *b, unsigned byte)
{
    return byte - b->offset < b->size;
}

// --- Bits to look at. ---

// The bits of bytes [offset, offset + size) of the subtable's mask: how many aren't looked at yet.
static unsigned
bytes_cost(struct flow_mask *wc, const struct cls_subtable *st, const struct bytes *b, bool add)
{
    unsigned missing = 0;
    for (size_t i = 0; i < st->n; i++) {
        const unsigned first = st->words[i] * 8u;
        if (first + 8 <= b->offset || first >= b->offset + b->size) {
            continue;
        }
        uint8_t *w = (uint8_t *) wc;
        const uint8_t *m = (const uint8_t *) &st->mask->words[i];
        for (unsigned at = MAX(first, b->offset); at < MIN(first + 8u, b->offset + b->size); at++) {
            missing += __builtin_popcount(m[at - first] & ~w[at]);
            w[at] |= add ? m[at - first] : 0;
        }
    }
    return missing;
}

// Looks at what goes with the bit that begins at `byte`, besides it; returns how many bits are new.
static unsigned
needs_cost(struct flow_mask *wc, const struct cls_subtable *st, unsigned byte, bool add)
{
    unsigned missing = 0;
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        if (within(&needs[i].what, byte)) {
            missing += bytes_cost(wc, st, &needs[i].with, add);
        }
    }
    return missing;
}

// --- Subtables with many rules. ---

// How many of the first n bits of a field aren't looked at yet; `add`: look at them.
static unsigned
prefix_cost(struct flow_mask *wc, const struct cls_prefix_field *f, unsigned n, bool add)
{
    uint8_t *b = (uint8_t *) wc + f->offset;
    unsigned missing = 0;
    for (unsigned at = 0; at < n; at += 8, b++) {
        const uint8_t m = n - at >= 8 ? 0xff : (uint8_t) (0xff00 >> (n - at));
        const unsigned more = m & ~*b & 0xffu;
        missing += more ? (unsigned) __builtin_popcount(more) : 0;
        *b |= add ? more : 0;
    }
    return missing;
}

// The same for the first n words of a subtable's mask.
static unsigned
words_cost(struct flow_mask *wc, const struct cls_subtable *st, size_t n, bool add)
{
    uint64_t *w = flow_mask_words_mut(wc);
    unsigned missing = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t more = st->mask->words[i] & ~w[st->words[i]];
        missing += more ? (unsigned) __builtin_popcountll(more) : 0;
        w[st->words[i]] |= add ? more : 0;
    }
    return missing;
}

// How many words it takes to know that no rule of the i-th subtable has the key; 0: not known, a
// prefix needs fewer.
static size_t
excluding_words(const struct cls_search *q, const struct cls_subtable *st, uint32_t at)
{
    uint32_t h = 0;
    size_t i = 0;
    if (at < CLS_REMEMBERED && q->n_words[at] && q->n_words[at] != CLS_NOT_VISITED) {
        return q->n_words[at];
    }
    for (size_t s = 0; s < FLOW_N_STAGES; s++) {
        const size_t n = cls_stage_excludes(st, flow_key_words(q->key), s, i, &h);
        if (n) {
            return n;
        }
        i = st->stage_end[s];
    }
    return st->n;
}

// Looks at what goes with members of the first n words and lies behind them: the type of neighbour
// discovery, without which the kernel has no words for its addresses.
static unsigned
late_needs_cost(struct flow_mask *wc, const struct cls_subtable *st, size_t n, bool add)
{
    unsigned missing = 0;
    for (size_t i = n < st->n ? n : 0; i-- > 0 && st->words[i] >= LATE_WORD;) {
        const uint8_t *m = (const uint8_t *) &st->mask->words[i];
        for (unsigned b = 0; b < 8; b++) {
            if (m[b]) {
                missing = MAX(missing, needs_cost(wc, st, st->words[i] * 8u + b, add));
            }
        }
    }
    return missing;
}

// Does a prefix that is looked at tell that no rule of the subtable matches?
static bool
prefix_is_seen(struct cls_search *q, const struct cls_subtable *st, struct flow_mask *wc)
{
    for (uint32_t i = 0; i < CLS_MAX_PREFIX_FIELDS; i++) {
        const unsigned n = cls_excluding_bits(q, st, i);
        if (n && !prefix_cost(wc, &q->cls->prefixes[i], n, false)) {
            return true;
        }
    }
    return false;
}

static void
exclude_many(struct cls_search *q, uint32_t at, struct flow_mask *wc)
{
    const struct cls_subtable *st = q->vec->e[at].subtable;
    unsigned best = UINT32_MAX, best_bits = 0;
    uint32_t best_field = 0;
    for (uint32_t i = 0; i < CLS_MAX_PREFIX_FIELDS; i++) {
        const unsigned n = cls_excluding_bits(q, st, i);
        if (!n) {
            continue;
        }
        const struct cls_prefix_field *f = &q->cls->prefixes[i];
        const unsigned cost = prefix_cost(wc, f, n, false) + needs_cost(wc, st, f->offset, false);
        if (!cost) {
            return;
        }
        if (cost < best) {
            best = cost;
            best_field = i;
            best_bits = n;
        }
    }
    const size_t n = excluding_words(q, st, at);
    if (words_cost(wc, st, n, false) + late_needs_cost(wc, st, n, false) <= best) {
        words_cost(wc, st, n, true);
        late_needs_cost(wc, st, n, true);
    } else {
        const struct cls_prefix_field *f = &q->cls->prefixes[best_field];
        prefix_cost(wc, f, best_bits, true);
        needs_cost(wc, st, f->offset, true);
    }
}

// --- Subtables with few rules. ---

// A way to tell the key from rules: one bit, or all in some bytes that they match.
struct witness {
    struct bytes bytes;
    unsigned cost;
    uint8_t bit; // within the first byte; 0: all that the subtable's rules match
};

// The one that begins at the first bit that is set in a byte where all differ.
static struct witness
witness_at(struct flow_mask *wc, const struct cls_subtable *st, unsigned byte, uint8_t differ,
           bool bits)
{
    struct witness x = {.bytes = {(uint16_t) (byte & ~7u), 8}};
    bool is_single = false;
    for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
        if (within(&whole[i], byte)) {
            is_single = true;
            x.bytes = whole[i];
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (within(&prefixes[i], byte)) {
            is_single = true;
            x.bytes.offset = prefixes[i].offset;
            x.bytes.size = (uint16_t) (byte + 1 - prefixes[i].offset);
        }
    }
    if (is_single && bits) {
        x.bytes = (struct bytes){(uint16_t) byte, 1};
        x.bit = (uint8_t) (0x80u >> (__builtin_clz(differ) - 24));
        x.cost = 1 + needs_cost(wc, st, byte, false);
        return x;
    }
    for (size_t i = 0; i < ARRAY_SIZE(together); i++) {
        if (within(&together[i], byte)) {
            x.bytes = together[i];
            break;
        }
    }
    x.cost = bytes_cost(wc, st, &x.bytes, false) + needs_cost(wc, st, byte, false);
    return x;
}

// Looks at the cheapest of the bits in `differ` (the words of the subtable).
static void
take_witness(struct flow_mask *wc, const struct cls_subtable *st, const uint64_t differ[],
             bool bits)
{
    struct witness best = {.cost = UINT32_MAX};
    for (size_t i = 0; i < st->n && best.cost > 1; i++) {
        const uint8_t *d = (const uint8_t *) &differ[i];
        for (unsigned b = 0; differ[i] && b < 8 && best.cost > 1; b++) {
            if (d[b]) {
                const struct witness x = witness_at(wc, st, st->words[i] * 8u + b, d[b], bits);
                if (x.cost < best.cost) {
                    best = x;
                }
            }
        }
    }
    if (best.bit) {
        ((uint8_t *) wc)[best.bytes.offset] |= best.bit;
    } else {
        bytes_cost(wc, st, &best.bytes, true);
    }
    needs_cost(wc, st, best.bytes.offset, true);
}

enum difference { NONE, SEEN, UNSEEN };

// Does the key differ from the rule's, and where we look?
static inline enum difference
difference(const struct cls_search *q, const struct cls_subtable *st, const uint64_t *rule_key,
           const struct flow_mask *wc)
{
    const uint64_t *key = flow_key_words(q->key), *w = flow_mask_words(wc);
    uint64_t any = 0;
    for (size_t i = 0; i < st->n; i++) {
        const uint64_t d = (key[st->words[i]] & st->mask->words[i]) ^ rule_key[i];
        if (d & w[st->words[i]]) {
            return SEEN;
        }
        any |= d;
    }
    return any ? UNSEEN : NONE;
}

// The bits in which the key differs from the first rule, and from as many others as possible.
static void
common_difference(const struct cls_search *q, const struct cls_subtable *st,
                  const uint64_t *const rules[], size_t n, uint64_t differ[])
{
    const uint64_t *key = flow_key_words(q->key);
    for (size_t i = 0; i < st->n; i++) {
        differ[i] = (key[st->words[i]] & st->mask->words[i]) ^ rules[0][i];
    }
    for (size_t r = 1; r < n; r++) {
        uint64_t any = 0;
        for (size_t i = 0; i < st->n; i++) {
            any |= differ[i] & ((key[st->words[i]] & st->mask->words[i]) ^ rules[r][i]);
        }
        for (size_t i = 0; any && i < st->n; i++) {
            differ[i] &= (key[st->words[i]] & st->mask->words[i]) ^ rules[r][i];
        }
    }
}

// Are all bits that aren't looked at yet those of members that would be taken whole?
static bool
lacks_whole_only(const struct cls_subtable *st, const struct flow_mask *wc)
{
    for (size_t i = 0; i < st->n; i++) {
        const uint64_t unseen = st->mask->words[i] & ~flow_mask_words(wc)[st->words[i]];
        for (unsigned b = 0; unseen && b < 8; b++) {
            bool is_whole = !((const uint8_t *) &unseen)[b];
            for (size_t k = 0; k < ARRAY_SIZE(whole); k++) {
                is_whole |= within(&whole[k], st->words[i] * 8u + b);
            }
            if (!is_whole) {
                return false;
            }
        }
    }
    return true;
}

// Would one of these rules of one key win over the winner?
static bool
would_win(const struct cls_search *q, const struct cls_rule *r, int32_t priority)
{
    while (r && r->priority >= priority && !cls_rule_visible(r, q->version)) {
        r = cls_rule_next(r);
    }
    return r && r->priority >= priority;
}

static void
exclude_few(const struct cls_search *q, const struct cls_subtable *st, const struct cls_table *t,
            int32_t priority, struct flow_mask *wc)
{
    const uint64_t *rules[CLS_FEW_SLOTS];
    size_t n = 0;
    for (uint32_t i = 0; i <= t->mask; i++) {
        const struct cls_slot *s = &t->slots[i];
        const struct cls_rule *r = __atomic_load_n(&s->rule, __ATOMIC_ACQUIRE);
        if (!r || r == CLS_TOMB || __atomic_load_n(&s->priority, __ATOMIC_RELAXED) < priority) {
            continue;
        }
        const enum difference d = difference(q, st, r->key, wc);
        if (d == SEEN || !would_win(q, r, priority)) {
            continue;
        }
        if (d == NONE) { // it came meanwhile
            words_cost(wc, st, st->n, true);
            return;
        }
        rules[n++] = r->key;
    }
    while (n) {
        uint64_t differ[MAX_WORDS];
        common_difference(q, st, rules, n, differ);
        take_witness(wc, st, differ, !has_many_masks(q));
        size_t left = 0;
        for (size_t i = 1; i < n; i++) {
            if (difference(q, st, rules[i], wc) != SEEN) {
                rules[left++] = rules[i];
            }
        }
        n = left;
    }
}

// Are the indexes asked? Looking at rules must gain something where they are more than a few.
static bool
is_many(const struct cls_search *q, const struct cls_table *t, const struct cls_subtable *st,
        const struct flow_mask *wc)
{
    return !t || t->mask >= (has_many_masks(q) ? cls_few_slots : FEW_SLOTS) ||
           (t->mask >= FEW_SLOTS && lacks_whole_only(st, wc));
}

// Of the subtables whose rules beat the winner, those with many, or all.
static void
exclude(struct cls_search *q, struct flow_mask *wc, bool all)
{
    const int32_t best = q->best ? q->best->priority : -1;
    for (uint32_t i = 0; i < q->vec->n; i++) {
        const struct cls_vec_entry *e = &q->vec->e[i];
        // Of equals, the one in the subtable that is visited first wins.
        const int64_t priority = (int64_t) best + (i > q->best_at || best < 0);
        if (e->bound < priority) {
            break;
        }
        if (i == q->best_at || __atomic_load_n(&e->max, __ATOMIC_RELAXED) < priority) {
            continue;
        }
        const struct cls_table *t =
            rcu_get(((struct cls_subtable *) (uintptr_t) e->subtable)->table);
        if (is_many(q, t, e->subtable, wc)) {
            exclude_many(q, i, wc);
        } else if (all && (t->mask < SCAN_SLOTS || !prefix_is_seen(q, e->subtable, wc))) {
            exclude_few(q, e->subtable, t, (int32_t) priority, wc);
        }
    }
}

void
cls_explain(struct cls_search *q, struct flow_mask *wc)
{
    if (q->best) {
        const struct cls_subtable *st = q->vec->e[q->best_at].subtable;
        words_cost(wc, st, st->n, true);
    }
    exclude(q, wc, false);
    // Those that had many are asked again, for nothing: whether one has may change meanwhile.
    exclude(q, wc, true);
}
