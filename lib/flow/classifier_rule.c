// SPDX-License-Identifier: Apache-2.0
// Rules of a classifier: making, copying, comparing. See classifier.h.
#include <stdlib.h>

#include "lib/flow/classifier_private.h"

const struct minimask *
cls_mask_ref(const struct minimask *m)
{
    __atomic_add_fetch(&cls_mask_of(m)->refs, 1, __ATOMIC_RELAXED);
    return m;
}

void
cls_mask_unref(const struct minimask *m)
{
    if (m && !__atomic_sub_fetch(&cls_mask_of(m)->refs, 1, __ATOMIC_ACQ_REL)) {
        free(cls_mask_of(m));
    }
}

static const struct minimask *
mask_new(const struct flow_mask *mask)
{
    struct minimask *plain = minimask_new(mask);
    size_t size = sizeof *plain + plain->n * sizeof plain->words[0];
    struct cls_mask *shared = base_malloc(sizeof *shared + plain->n * sizeof plain->words[0]);
    shared->refs = 1;
    memcpy(&shared->m, plain, size);
    free(plain);
    return &shared->m;
}

void
cls_rule_init(struct cls_rule *r, const struct flow_match *match, int priority)
{
    *r = (struct cls_rule){.priority = priority, .removed = CLS_VERSION_NEVER};
    r->mask = mask_new(&match->mask);
    r->key = base_malloc(MAX(r->mask->n, 1) * sizeof r->key[0]);
    minikey_extract(r->mask, &match->key, r->key);
    r->hash = minimask_hash_key(r->mask, &match->key, 0, r->mask->n, 0);
}

void
cls_rule_init_copy(struct cls_rule *dst, const struct cls_rule *src)
{
    *dst = (struct cls_rule){
        .priority = src->priority, .hash = src->hash, .removed = CLS_VERSION_NEVER};
    dst->mask = cls_mask_ref(src->mask);
    dst->key = base_memdup(src->key, MAX(src->mask->n, 1) * sizeof src->key[0]);
}

void
cls_rule_destroy(struct cls_rule *r)
{
    cls_mask_unref(r->mask);
    free(r->key);
    r->mask = NULL;
    r->key = NULL;
}

void
cls_rule_match(const struct cls_rule *r, struct flow_match *out)
{
    minimask_expand(r->mask, &out->mask);
    minikey_expand(r->mask, r->key, &out->key);
    match_update_used(out);
}

bool
cls_rule_equal(const struct cls_rule *a, const struct cls_rule *b)
{
    return a->priority == b->priority && a->hash == b->hash &&
           (a->mask == b->mask || minimask_equals(a->mask, b->mask)) &&
           !memcmp(a->key, b->key, a->mask->n * sizeof a->key[0]);
}
