// SPDX-License-Identifier: Apache-2.0
// The readers' side of the classifier. See classifier.h, classifier_private.h.
//
// Subtables are visited by falling priority until none left can beat the best rule found. In each,
// ever longer parts of the key are looked up, stage by stage, and a prefix that no rule has ends
// the visit early; "wc" gains only what was looked at.
#include "lib/base/hash.h"
#include "lib/flow/classifier_private.h"

// What the tries say about one key, found when first needed.
struct prefixes {
    const struct cls *cls;
    const struct flow_key *key;
    uint32_t known; // bit i: r[i] is filled
    struct cls_trie_result r[CLS_MAX_PREFIX_FIELDS];
};

// Looks at the first n bits of a field.
static void
wc_prefix(struct flow_mask *wc, const struct cls_prefix_field *f, unsigned n)
{
    uint8_t *b = (uint8_t *) wc + f->offset;
    for (; n >= 8; n -= 8) {
        *b++ = 0xff;
    }
    if (n) {
        *b |= (uint8_t) (0xff00 >> n);
    }
}

static bool
wc_has_prefix(const struct flow_mask *wc, const struct cls_prefix_field *f, unsigned n)
{
    const uint8_t *b = (const uint8_t *) wc + f->offset;
    for (; n >= 8; n -= 8) {
        if (*b++ != 0xff) {
            return false;
        }
    }
    return !n || (*b & (uint8_t) (0xff00 >> n)) == (uint8_t) (0xff00 >> n);
}

// How many first bits of tracked field `i` show that no rule of the subtable has the key's prefix;
// 0: they don't.
static unsigned
excluding_bits(struct prefixes *p, const struct cls_subtable *st, uint32_t i)
{
    const unsigned plen = __atomic_load_n(&st->plen[i], __ATOMIC_ACQUIRE);
    const struct cls_prefix_field *f = &p->cls->prefixes[i];
    if (!plen) {
        return 0;
    }
    if (!(p->known & 1u << i)) {
        struct cls_prefix value;
        cls_prefix_load(&value, (const uint8_t *) p->key + f->offset, f->size);
        cls_trie_lookup(&f->trie, &value, f->size * 8, &p->r[i]);
        p->known |= 1u << i;
    }
    return cls_trie_result_has(&p->r[i], plen) ? 0 : MIN(plen, p->r[i].n_bits);
}

// Do bits that wc has anyway exclude the whole subtable? Then nothing needs to be added for it.
// This keeps masks few, and it makes a translation of a cached flow's own key, where unmatched bits
// are zero, come out with the flow's mask.
static bool
excluded_already(struct prefixes *p, const struct cls_subtable *st, const struct flow_mask *wc)
{
    for (uint32_t i = 0; wc && i < CLS_MAX_PREFIX_FIELDS; i++) {
        const unsigned n = excluding_bits(p, st, i);
        if (n && wc_has_prefix(wc, &p->cls->prefixes[i], n)) {
            return true;
        }
    }
    return false;
}

// Is there a tracked field in [first, end) bytes of the key whose prefix no rule has?
static bool
prefix_excludes(struct prefixes *p, const struct cls_subtable *st, struct flow_mask *wc,
                unsigned first_byte, unsigned end_byte)
{
    for (uint32_t i = 0; i < CLS_MAX_PREFIX_FIELDS; i++) {
        const struct cls_prefix_field *f = &p->cls->prefixes[i];
        const unsigned n =
            f->offset < first_byte || f->offset >= end_byte ? 0 : excluding_bits(p, st, i);
        if (n) {
            if (wc && !wc_has_prefix(wc, f, n) && !excluded_already(p, st, wc)) {
                wc_prefix(wc, f, n);
            }
            return true;
        }
    }
    return false;
}

// The first n words of the subtable's mask.
static inline void
wc_words(struct flow_mask *wc, const struct cls_subtable *st, size_t n)
{
    if (wc) {
        uint64_t *w = flow_mask_words_mut(wc);
        for (size_t i = 0; i < n; i++) {
            w[st->words[i]] |= st->mask->words[i];
        }
    }
}

static inline bool
key_matches(const struct cls_subtable *st, const uint64_t *rule_key, const uint64_t *key)
{
    const uint64_t *mask = st->mask->words;
    for (size_t i = 0; i < st->n; i++) {
        if ((key[st->words[i]] & mask[i]) != rule_key[i]) {
            return false;
        }
    }
    return true;
}

static const struct cls_rule *
lookup_subtable(struct prefixes *p, const struct cls_subtable *st, uint64_t version,
                struct flow_mask *wc)
{
    static const uint16_t stage_bytes[FLOW_N_STAGES + 1] = {
        0, FLOW_STAGE_L2 * 8, FLOW_STAGE_L3 * 8, FLOW_STAGE_L4 * 8, sizeof(struct flow_key)};
    const uint64_t *key = flow_key_words(p->key), *mask = st->mask->words;
    uint32_t h = 0;
    size_t i = 0;

    for (size_t s = 0; s < FLOW_N_STAGES; s++) {
        if (i == st->stage_end[s]) {
            continue;
        }
        if (prefix_excludes(p, st, wc, stage_bytes[s], stage_bytes[s + 1])) {
            return NULL;
        }
        for (; i < st->stage_end[s]; i++) {
            h = (uint32_t) hash_mix64(h, key[st->words[i]] & mask[i]);
        }
        const struct cls_index *index =
            s < FLOW_N_STAGES - 1 ? rcu_get(((struct cls_subtable *) (uintptr_t) st)->index[s])
                                  : NULL;
        if (index && !cls_index_has(index, h)) {
            if (!excluded_already(p, st, wc)) {
                wc_words(wc, st, i);
            }
            return NULL;
        }
    }
    wc_words(wc, st, st->n);

    const struct cls_table *t = rcu_get(((struct cls_subtable *) (uintptr_t) st)->table);
    struct cls_rule *r;
    for (uint32_t at = h; t && cls_table_next(t, h, &at, &r); at++) {
        if (key_matches(st, r->key, key)) {
            while (r && !cls_rule_visible(r, version)) {
                r = cls_rule_next(r);
            }
            return r;
        }
    }
    return NULL;
}

const struct cls_rule *
cls_lookup(const struct cls *cls, uint64_t version, const struct flow_key *key,
           struct flow_mask *wc)
{
    const struct cls_vec *vec = rcu_get(((struct cls *) (uintptr_t) cls)->vec);
    struct prefixes p;
    const struct cls_rule *best = NULL;
    int32_t best_priority = -1;

    p.cls = cls;
    p.key = key;
    p.known = 0;
    for (uint32_t i = 0; vec && i < vec->n; i++) {
        const struct cls_vec_entry *e = &vec->e[i];
        if (e->bound <= best_priority) {
            break;
        }
        if (__atomic_load_n(&e->max, __ATOMIC_RELAXED) <= best_priority) {
            continue;
        }
        const struct cls_rule *r = lookup_subtable(&p, e->subtable, version, wc);
        if (r && r->priority > best_priority) {
            best = r;
            best_priority = r->priority;
        }
    }
    return best;
}
