// SPDX-License-Identifier: Apache-2.0
// Which rule goes when a table is full: ovs-vswitchd.conf.db(5), table Flow_Table, and
// OpenFlow 1.4, section 5.5. Of the largest group of rules the least important one, and of those
// the one that expires first. Rules without a timeout stay.
//
//     of_table.evict ── groups (by values) ──▶ group ── heap ──▶ entry ──▶ rule (of_rule.evict)
//                    └─ heap of groups
//
// A deadline in a heap may be too early: traffic has moved it since. It is looked at again before
// the rule is chosen. Main thread.
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "ofproto/of_bridge_private.h"

// --- Heaps: the smallest of what they point to is first. ---

enum { SIZE, IMPORTANCE, DEADLINE, N_KEYS };

struct item {
    int64_t key[N_KEYS];
    size_t pos; // in its heap
};

struct heap {
    struct item **a;
    size_t n, cap;
};

static bool
less(const struct item *a, const struct item *b)
{
    size_t k = 0;
    while (k < N_KEYS - 1 && a->key[k] == b->key[k]) {
        k++;
    }
    return a->key[k] < b->key[k];
}

static void
place(struct heap *h, size_t pos, struct item *item)
{
    h->a[pos] = item;
    item->pos = pos;
}

// The item's keys have changed.
static void
heap_fix(struct heap *h, struct item *item)
{
    size_t pos = item->pos;
    for (; pos && less(item, h->a[(pos - 1) / 2]); pos = (pos - 1) / 2) {
        place(h, pos, h->a[(pos - 1) / 2]);
    }
    for (;;) {
        size_t child = 2 * pos + 1;
        child += child + 1 < h->n && less(h->a[child + 1], h->a[child]);
        if (child >= h->n || !less(h->a[child], item)) {
            break;
        }
        place(h, pos, h->a[child]);
        pos = child;
    }
    place(h, pos, item);
}

static void
heap_add(struct heap *h, struct item *item)
{
    if (h->n == h->cap) {
        h->a = base_grow(h->a, &h->cap, sizeof(struct item *));
    }
    place(h, h->n++, item);
    heap_fix(h, item);
}

static void
heap_remove(struct heap *h, const struct item *item)
{
    struct item *last = h->a[--h->n];
    if (last != item) {
        last->pos = item->pos;
        h->a[last->pos] = last;
        heap_fix(h, last);
    }
}

// --- Groups. ---

struct group {
    struct hmap_node node; // of_evict.groups
    struct item item;      // of_evict.by_size
    struct heap entries;
    union field_value values[]; // as many as there are fields
};

struct of_evict_entry {
    struct item item; // group.entries
    struct group *group;
    struct of_rule *rule;
};

struct of_evict {
    struct hmap groups; // group.node
    struct heap by_size;
    size_t n_fields;
    struct subfield fields[];
};

static struct of_evict_entry *
entry_of(struct item *item)
{
    return CONTAINER_OF(item, struct of_evict_entry, item);
}

// A group is as its size and its first rule say.
static void
settle(struct of_evict *e, struct group *g)
{
    memcpy(g->item.key, g->entries.a[0]->key, sizeof g->item.key);
    g->item.key[SIZE] = -(int64_t) g->entries.n;
    heap_fix(&e->by_size, &g->item);
}

static struct group *
group_of(struct of_evict *e, const struct of_rule *rule)
{
    const size_t size = e->n_fields * sizeof(union field_value);
    struct group *g = base_calloc(1, sizeof *g + size), *there;
    struct flow_match match;
    cls_rule_match(&rule->cr, &match);
    for (size_t i = 0; i < e->n_fields; i++) {
        subfield_read(&e->fields[i], &match.key, &g->values[i]);
    }
    const uint32_t hash = hash_bytes(g->values, size, 0);
    HMAP_FOR_EACH_HASH(there, node, hash, &e->groups)
    {
        if (!memcmp(there->values, g->values, size)) {
            free(g);
            return there;
        }
    }
    hmap_insert(&e->groups, &g->node, hash);
    g->item.pos = SIZE_MAX; // in no heap yet
    return g;
}

void
of_evict_add(struct of_bridge *br, struct of_rule *rule)
{
    struct of_evict *e = br->tables[rule->table].evict;
    if (!e || rule->flags & OF_FLOW_HIDDEN || (!rule->idle_timeout && !rule->hard_timeout)) {
        return;
    }
    struct of_evict_entry *entry = base_calloc(1, sizeof *entry);
    entry->rule = rule;
    entry->group = group_of(e, rule);
    entry->item.key[IMPORTANCE] = rule->importance;
    entry->item.key[DEADLINE] = of_expire_deadline(rule);
    heap_add(&entry->group->entries, &entry->item);
    if (entry->group->item.pos == SIZE_MAX) {
        heap_add(&e->by_size, &entry->group->item);
    }
    settle(e, entry->group);
    rule->evict = entry;
}

void
of_evict_del(struct of_bridge *br, struct of_rule *rule)
{
    struct of_evict *e = br->tables[rule->table].evict;
    struct of_evict_entry *entry = rule->evict;
    if (!entry) {
        return;
    }
    struct group *g = entry->group;
    heap_remove(&g->entries, &entry->item);
    if (g->entries.n) {
        settle(e, g);
    } else {
        heap_remove(&e->by_size, &g->item);
        hmap_remove(&e->groups, &g->node);
        free(g->entries.a);
        free(g);
    }
    free(entry);
    rule->evict = NULL;
}

bool
of_evict_one(struct of_bridge *br, uint8_t table)
{
    struct of_evict *e = br->tables[table].evict;
    while (e && e->by_size.n) {
        struct group *g = CONTAINER_OF(e->by_size.a[0], struct group, item);
        struct of_evict_entry *entry = entry_of(g->entries.a[0]);
        const int64_t deadline = of_expire_deadline(entry->rule);
        if (deadline <= entry->item.key[DEADLINE]) {
            of_bridge_delete_rule(br, entry->rule, OF_REMOVED_EVICTION);
            return true;
        }
        entry->item.key[DEADLINE] = deadline;
        heap_fix(&g->entries, &entry->item);
        settle(e, g);
    }
    return false;
}

// --- Configuration. ---

static bool
add_rule(struct cls_rule *cr, void *br)
{
    of_evict_add(br, CONTAINER_OF(cr, struct of_rule, cr));
    return true;
}

static bool
del_rule(struct cls_rule *cr, void *br)
{
    of_evict_del(br, CONTAINER_OF(cr, struct of_rule, cr));
    return true;
}

void
of_evict_stop(struct of_bridge *br, uint8_t table)
{
    struct of_table *t = &br->tables[table];
    if (t->evict) {
        cls_for_each(t->cls, NULL, br->version, del_rule, br);
        hmap_destroy(&t->evict->groups);
        free(t->evict->by_size.a);
        free(t->evict);
        t->evict = NULL;
    }
}

void
of_evict_start(struct of_bridge *br, uint8_t table)
{
    struct of_table *t = &br->tables[table];
    of_evict_stop(br, table);
    if (t->evict_asked || t->config.evict) {
        const size_t size = t->config.n_groups * sizeof t->config.groups[0];
        t->evict = base_calloc(1, sizeof *t->evict + size);
        hmap_init(&t->evict->groups);
        t->evict->n_fields = t->config.n_groups;
        if (size) {
            memcpy(t->evict->fields, t->config.groups, size);
        }
        cls_for_each(t->cls, NULL, br->version, add_rule, br);
    }
}

bool
of_table_is_full(const struct of_table *t)
{
    return cls_count(t->cls) - t->n_hidden >= t->max_flows;
}

static bool
groups_equal(const struct of_table_config *a, const struct of_table_config *b)
{
    return a->n_groups == b->n_groups &&
           (!a->n_groups || !memcmp(a->groups, b->groups, a->n_groups * sizeof a->groups[0]));
}

void
of_bridge_configure_table(struct of_bridge *br, uint8_t table, const struct of_table_config *c)
{
    struct of_table *t = &br->tables[table];
    const bool other = t->config.evict != c->evict || !groups_equal(&t->config, c);
    snprintf(t->name, sizeof t->name, "%s", c->name ? c->name : "");
    t->max_flows = c->max_flows;
    if (other) {
        free(t->config.groups);
        t->config = *c;
        t->config.name = NULL;
        t->config.groups =
            c->n_groups ? base_memdup(c->groups, c->n_groups * sizeof c->groups[0]) : NULL;
        of_evict_start(br, table);
    }
    while (cls_count(t->cls) - t->n_hidden > t->max_flows && of_evict_one(br, table)) {
    }
}
