// SPDX-License-Identifier: Apache-2.0
// Inside the classifier: what its files share.
//
//     cls ── by_mask ──▶ subtables (writer's view)
//      │                    ├─ table:  hash of the whole masked key ──▶ rules of that key, by falling priority (cls_rule.next)
//      │                    └─ index[s]: hashes of the first stages, counted
//      ├─ vec ──▶ {bound, max, subtable}, by falling bound (readers' view, replaced as a whole)
//      └─ tries: prefixes of tracked fields
//
// `max` is the highest priority in the subtable, or more: after removals it is found again only when enough operations
// have paid for the scan. `bound` is max rounded up, so that most changes of max move nothing.
//
// A look-up finds the winner first (classifier_lookup.c), then the bits that tell it from the rules it beat (classifier_wc.c).
//
// Threads: one writer; readers inside rcu_begin()/rcu_end(). Members marked "readers" are read by atomic loads.
#ifndef LIB_FLOW_CLASSIFIER_PRIVATE_H
#define LIB_FLOW_CLASSIFIER_PRIVATE_H 1

#include "lib/base/hmap.h"
#include "lib/base/rcu.h"
#include "lib/flow/classifier.h"
#include "lib/flow/classifier_table.h"
#include "lib/flow/classifier_trie.h"

#define CLS_MAX_PREFIX_FIELDS 8
#define CLS_BOUND_STEP 1023
#define CLS_REMEMBERED 128
#define CLS_NOT_VISITED UINT8_MAX
#define CLS_FEW_SLOTS 512
#define CLS_MANY_MASKS 64

// Where there are so many subtables, those with no more slots have few rules. Tests make both less.
extern uint32_t cls_few_slots, cls_many_masks;

// A minimask that rules and a subtable share.
struct cls_mask {
    uint32_t refs; // atomic
    struct minimask m;
};

static inline struct cls_mask *
cls_mask_of(const struct minimask *m)
{
    return CONTAINER_OF((struct minimask *) (uintptr_t) m, struct cls_mask, m);
}

const struct minimask *cls_mask_ref(const struct minimask *);
void cls_mask_unref(const struct minimask *);

struct cls_subtable {
    struct hmap_node by_mask;          // in cls.by_mask
    const struct minimask *mask;       // a reference
    struct cls_table *table;           // RCU, readers; NULL while no rule was ever in it
    struct cls_index *index[FLOW_N_STAGES - 1]; // RCU, readers; NULL where the stage tells nothing new
    int32_t max;                       // writer's copy of the entry's max; -1: empty
    uint32_t n_rules;
    uint64_t credit;                   // slots that a scan for max may cost
    int32_t place;                     // among the subtables of the same max, for cls_rule_group()
    bool loose;                        // max may be more than the highest priority
    uint32_t pos;                      // in cls.vec, perhaps: where it was seen last
    uint8_t plen[CLS_MAX_PREFIX_FIELDS]; // readers: prefix length of each tracked field, 0: none
    uint8_t stage_end[FLOW_N_STAGES];
    uint8_t n;                         // words
    uint8_t words[];                   // which words of the key
};

struct cls_vec_entry {
    int32_t bound;
    int32_t max; // readers
    struct cls_subtable *subtable;
};

struct cls_vec {
    uint32_t n;
    struct cls_vec_entry e[];
};

struct cls_prefix_field {
    uint16_t offset; // of the member in struct flow_key
    uint16_t size;   // 4 or 16
    struct cls_trie trie;
};

// A prefix that has left its subtable, but not yet the trie.
struct cls_gone {
    struct cls_prefix prefix;
    uint8_t plen, field;
};

struct cls {
    struct cls_vec *vec;     // RCU, readers
    struct hmap by_mask;
    size_t n_rules;
    uint32_t n_subtables;    // not empty
    uint32_t n_raised, n_lowered; // maxima; they may wrap
    uint32_t walking;        // cls_for_each() calls in progress: nothing is freed
    bool deferred, dirty;
    bool stale;              // while deferred: more prefixes left than stay: the tries will be made anew
    struct cls_gone *gone;   // while deferred and not stale
    size_t n_gone, cap_gone;
    uint32_t n_prefixes;
    struct cls_prefix_field prefixes[CLS_MAX_PREFIX_FIELDS]; // readers, those whose plen is set
};

// One look-up.
struct cls_search {
    const struct cls *cls;
    const struct cls_vec *vec; // NULL: no rule was ever in it
    uint64_t version;
    const struct flow_key *key;
    const struct cls_rule *best; // the winner
    uint32_t best_at;            // where in vec its subtable is; vec->n: there is no winner
    uint32_t known;              // bit i: r[i] is filled: what the tries say about the key
    struct cls_trie_result r[CLS_MAX_PREFIX_FIELDS];
    // Of the first subtables that were visited: how many words of the key excluded all rules; 0: a prefix did.
    uint8_t n_words[CLS_REMEMBERED];
};

// cls_excluding_bits() for a length that the field has in the subtable.
unsigned cls_prefix_excludes(struct cls_search *, unsigned plen, uint32_t i);

// How many first bits of tracked field `i` show that no rule of the subtable has the key's prefix; 0: they don't.
static inline unsigned
cls_excluding_bits(struct cls_search *q, const struct cls_subtable *st, uint32_t i)
{
    const unsigned plen = __atomic_load_n(&st->plen[i], __ATOMIC_ACQUIRE);
    return plen ? cls_prefix_excludes(q, plen, i) : 0;
}

// Goes on hashing (h) words from the i-th to the end of stage s. Returns the number of words up to there if no rule begins with
// them; 0: perhaps one does.
size_t cls_stage_excludes(const struct cls_subtable *, const uint64_t *key, size_t s, size_t i, uint32_t *h);
// Adds to wc the bits that the result depends on.
void cls_explain(struct cls_search *, struct flow_mask *wc);

static inline bool
cls_rule_visible(const struct cls_rule *r, uint64_t version)
{
    return __atomic_load_n(&r->added, __ATOMIC_RELAXED) <= version &&
           version < __atomic_load_n(&r->removed, __ATOMIC_RELAXED);
}

static inline struct cls_rule *
cls_rule_next(const struct cls_rule *r)
{
    return rcu_get(((struct cls_rule *) (uintptr_t) r)->next);
}

#endif
