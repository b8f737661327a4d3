// SPDX-License-Identifier: Apache-2.0
// The readers' side of the classifier. See classifier.h, classifier_private.h.
//
// Subtables are visited by falling priority until none left can beat the best rule found. In each,
// ever longer parts of the key are looked up, stage by stage, and a prefix that no rule has ends
// the visit early. Which bits it takes to tell the winner from the rules it beat is found
// afterwards (classifier_wc.c), when the winner's own bits are known.
#include "lib/base/hash.h"
#include "lib/flow/classifier_private.h"

unsigned
cls_prefix_excludes(struct cls_search *q, unsigned plen, uint32_t i)
{
    const struct cls_prefix_field *f = &q->cls->prefixes[i];
    if (!(q->known & 1u << i)) {
        struct cls_prefix value;
        cls_prefix_load(&value, (const uint8_t *) q->key + f->offset, f->size);
        cls_trie_lookup(&f->trie, &value, f->size * 8, &q->r[i]);
        q->known |= 1u << i;
    }
    return cls_trie_result_has(&q->r[i], plen) ? 0 : MIN(plen, q->r[i].n_bits);
}

// Is there a tracked field in [first, end) bytes of the key whose prefix no rule has?
static bool
prefix_excludes(struct cls_search *q, const struct cls_subtable *st, unsigned first_byte,
                unsigned end_byte)
{
    for (uint32_t i = 0; i < CLS_MAX_PREFIX_FIELDS; i++) {
        // What a field is may be read once a subtable has its prefixes.
        const unsigned plen = __atomic_load_n(&st->plen[i], __ATOMIC_ACQUIRE);
        const struct cls_prefix_field *f = &q->cls->prefixes[i];
        if (plen && f->offset >= first_byte && f->offset < end_byte &&
            cls_prefix_excludes(q, plen, i)) {
            return true;
        }
    }
    return false;
}

size_t
cls_stage_excludes(const struct cls_subtable *st, const uint64_t *key, size_t s, size_t i,
                   uint32_t *h)
{
    const uint64_t *mask = st->mask->words;
    for (; i < st->stage_end[s]; i++) {
        *h = (uint32_t) hash_mix64(*h, key[st->words[i]] & mask[i]);
    }
    const struct cls_index *index =
        s < FLOW_N_STAGES - 1 ? rcu_get(((struct cls_subtable *) (uintptr_t) st)->index[s]) : NULL;
    return index && !cls_index_has(index, *h) ? i : 0;
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

// *n_words: how many words of the key it took to know that no rule matches; 0: a prefix told.
static const struct cls_rule *
lookup_subtable(struct cls_search *q, const struct cls_subtable *st, uint8_t *n_words)
{
    static const uint16_t stage_bytes[FLOW_N_STAGES + 1] = {
        0, FLOW_STAGE_L2 * 8, FLOW_STAGE_L3 * 8, FLOW_STAGE_L4 * 8, sizeof(struct flow_key)};
    const uint64_t *key = flow_key_words(q->key);
    uint32_t h = 0;
    size_t i = 0;

    *n_words = 0;
    for (size_t s = 0; s < FLOW_N_STAGES; s++) {
        if (i == st->stage_end[s]) {
            continue;
        }
        if (prefix_excludes(q, st, stage_bytes[s], stage_bytes[s + 1])) {
            return NULL;
        }
        if ((*n_words = (uint8_t) cls_stage_excludes(st, key, s, i, &h))) {
            return NULL;
        }
        i = st->stage_end[s];
    }
    *n_words = st->n;

    const struct cls_table *t = rcu_get(((struct cls_subtable *) (uintptr_t) st)->table);
    struct cls_rule *r;
    for (uint32_t at = h; t && cls_table_next(t, h, &at, &r); at++) {
        if (key_matches(st, r->key, key)) {
            while (r && !cls_rule_visible(r, q->version)) {
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
    struct cls_search q;
    q.cls = cls;
    q.vec = rcu_get(((struct cls *) (uintptr_t) cls)->vec);
    q.version = version;
    q.key = key;
    q.known = 0;
    q.best = NULL;
    q.best_at = q.vec ? q.vec->n : 0;
    int32_t best_priority = -1;

    for (uint32_t i = 0; q.vec && i < q.vec->n; i++) {
        const struct cls_vec_entry *e = &q.vec->e[i];
        if (e->bound <= best_priority) {
            break;
        }
        uint8_t n_words = CLS_NOT_VISITED;
        const struct cls_rule *r = NULL;
        if (__atomic_load_n(&e->max, __ATOMIC_RELAXED) > best_priority) {
            r = lookup_subtable(&q, e->subtable, &n_words);
        }
        if (i < CLS_REMEMBERED) {
            q.n_words[i] = n_words;
        }
        if (r && r->priority > best_priority) {
            q.best = r;
            q.best_at = i;
            best_priority = r->priority;
        }
    }
    if (wc && q.vec) {
        cls_explain(&q, wc);
    }
    return q.best;
}
