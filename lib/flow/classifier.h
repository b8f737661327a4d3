// SPDX-License-Identifier: Apache-2.0
// Tuple space search: rules grouped by mask, subtables visited by falling priority, staged lookup and prefix tracking. The bits that had to be looked at ("wc")
// stay few: the winner's, and some in which the key differs from each rule that it beat. One writer at a time, any number of readers inside rcu_begin()/rcu_end().
//
// Versions: a rule is visible to lookups from version `added` up to (not including) `removed`: a bundle's changes appear at once.
#ifndef LIB_FLOW_CLASSIFIER_H
#define LIB_FLOW_CLASSIFIER_H 1

#include <urcu.h>

#include "lib/flow/match.h"
#include "lib/flow/minimask.h"

#define CLS_VERSION_MIN 1
#define CLS_VERSION_NEVER UINT64_MAX

struct cls;
struct cls_subtable;

// Embedded in a rule. The words of the key follow in memory the owner allocated: use cls_rule_size().
struct cls_rule {
    struct cls_rule *next;         // owner: classifier; same mask and key, lower priority (RCU)
    struct cls_subtable *subtable; // owner: classifier; NULL while not inserted
    uint64_t added, removed;       // versions (atomic)
    uint32_t hash;
    int32_t priority; // 0 … 65535; INT32_MAX for internal rules
    const struct minimask *mask; // shared with the subtable once inserted
    uint64_t *key;               // mask->n words
};

struct cls *cls_new(void);
void cls_free(struct cls *); // all rules must be removed
size_t cls_count(const struct cls *);
size_t cls_n_subtables(const struct cls *);

// Makes the sparse match (allocates key words and a private mask until inserted).
void cls_rule_init(struct cls_rule *, const struct flow_match *, int priority);
void cls_rule_init_copy(struct cls_rule *dst, const struct cls_rule *src);
// Frees what init allocated: after removal and a grace period.
void cls_rule_destroy(struct cls_rule *);
void cls_rule_match(const struct cls_rule *, struct flow_match *out);
bool cls_rule_equal(const struct cls_rule *, const struct cls_rule *); // same match and priority

// Adds a rule; a rule with the same match and priority visible in `version` is replaced: returned, and no longer in the classifier
// (its memory may go after a grace period). NULL: none.
struct cls_rule *cls_insert(struct cls *, struct cls_rule *, uint64_t version);
void cls_remove(struct cls *, struct cls_rule *); // must be in it
// Invisible from `version` on, still inside until cls_remove().
void cls_hide(struct cls *, struct cls_rule *, uint64_t version);

// Highest-priority rule of this version that matches, or NULL. `wc` (may be NULL) gains the bits that had to be examined: any key equal under wc
// yields the same result. Bits that it has at the start are taken for looked at: a cached flow's masked key and mask give its winner, and no bit more.
const struct cls_rule *cls_lookup(const struct cls *, uint64_t version, const struct flow_key *, struct flow_mask *wc);
// Exactly this match and priority.
struct cls_rule *cls_find(const struct cls *, const struct cls_rule *target, uint64_t version);
// A rule of the same priority whose match overlaps: CHECK_OVERLAP.
bool cls_overlaps(const struct cls *, const struct cls_rule *target, uint64_t version);

// All rules of a version whose match is within `target` (NULL: all), in no order. false from cb ends the walk. cb may remove the rule it is given.
void cls_for_each(const struct cls *, const struct flow_match *target, uint64_t version,
                  bool (*cb)(struct cls_rule *, void *aux), void *aux);

// Rules of one mask have one number; smaller ones have higher priorities among them, or had that priority earlier. Right after cls_settle(): the writer.
void cls_settle(struct cls *);
uint64_t cls_rule_group(const struct cls_rule *);

// Prefix tracking on these fields (Flow_Table.prefixes); default nw_dst, nw_src, and the IPv6 ones.
void cls_set_prefix_fields(struct cls *, const enum field_id[], size_t n);

// Defers the publication of many changes until cls_publish() (bundles, load), and what many removals have in common: until then, look-ups may examine more
// bits than they need.
void cls_defer(struct cls *);
void cls_publish(struct cls *);

#endif
