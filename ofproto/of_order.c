// SPDX-License-Identifier: Apache-2.0
// The order in which rules are listed: by table; rules of one mask together, those with the highest
// priority first, then the mask that had it first; within a mask by the time of the last change.
// OpenFlow leaves the order open. This is the stock switch's, but for masks of one priority after
// another mask has gone: there it moves one.
#include "config.h"

#include <stdlib.h>

#include "ofproto/of_bridge_private.h"

struct entry {
    uint64_t group;
    uint32_t serial;
    struct of_rule *rule;
};

static int
compare(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static void
sort_table(struct cls *cls, struct of_rule **rules, struct entry *e, size_t n)
{
    cls_settle(cls);
    for (size_t i = 0; i < n; i++) {
        e[i] = (struct entry){cls_rule_group(&rules[i]->cr), rules[i]->serial, rules[i]};
    }
    qsort(e, n, sizeof *e, compare);
    for (size_t i = 0; i < n; i++) {
        rules[i] = e[i].rule;
    }
}

void
of_rules_sort(struct of_bridge *br, struct of_rule **rules, size_t n)
{
    struct entry *e = n > 1 ? base_malloc(n * sizeof *e) : NULL;
    for (size_t from = 0, to; n > 1 && from < n; from = to) {
        const uint8_t table = rules[from]->table;
        for (to = from + 1; to < n && rules[to]->table == table; to++) {
        }
        sort_table(br->tables[table].cls, rules + from, e, to - from);
    }
    free(e);
}
