// SPDX-License-Identifier: Apache-2.0
// Flow-mods: add, modify, delete, strict or loose, on the tables of a bridge; and the notes of what
// changed, which the packet path gets in batches (at the end of a loop turn, before a barrier's
// reply), so that a thousand flow-mods wake it once.
//
// Main thread only; readers see each change when the classifier publishes it. A rule leaves the
// classifier first and drops the table's reference when its note has been delivered, so that the
// packet path never meets a rule that is gone.
//
// Reference: OpenFlow 1.5 section 6.4.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/rcu.h"
#include "ofproto/of_bridge_private.h"
#include "ofproto/of_error.h"

// The list for rules with this cookie (and others of the same hash).
static struct cds_list_head *
cookie_slot(const struct of_bridge *br, be64_t cookie)
{
    return &br->cookies[hash_u64(cookie, 0) & (br->n_cookie_slots - 1)];
}

static void
grow_cookies(struct of_bridge *br)
{
    struct cds_list_head *old = br->cookies;
    size_t n_old = br->n_cookie_slots;
    br->n_cookie_slots = n_old ? n_old * 4 : 64;
    br->cookies = base_calloc(br->n_cookie_slots, sizeof *br->cookies);
    for (size_t i = 0; i < br->n_cookie_slots; i++) {
        CDS_INIT_LIST_HEAD(&br->cookies[i]);
    }
    for (size_t i = 0; i < n_old; i++) {
        struct of_rule *rule, *next;
        LIST_FOR_EACH_SAFE (rule, next, by_cookie, &old[i]) {
            cds_list_add_tail(&rule->by_cookie, cookie_slot(br, rule->cookie));
        }
    }
    free(old);
}

static void
index_cookie(struct of_bridge *br, struct of_rule *rule)
{
    if (br->n_rules >= br->n_cookie_slots) {
        grow_cookies(br);
    }
    cds_list_add_tail(&rule->by_cookie, cookie_slot(br, rule->cookie));
}

void
of_bridge_note_change(struct of_bridge *br, enum of_change_kind kind, struct of_rule *rule)
{
    if (br->n_changes == br->cap_changes) {
        br->changes = base_grow(br->changes, &br->cap_changes, sizeof *br->changes);
    }
    of_rule_ref(rule);
    br->changes[br->n_changes++] = (struct of_change){kind, rule};
}

void
of_bridge_flush_changes(struct of_bridge *br)
{
    // The packet path may cause changes itself (learn): they land in a fresh array.
    while (br->n_changes) {
        struct of_change *changes = br->changes;
        size_t n = br->n_changes;
        br->changes = NULL;
        br->n_changes = br->cap_changes = 0;
        of_path->rules_changed(br, changes, n);
        for (size_t i = 0; i < n; i++) {
            of_rule_unref(changes[i].rule);
        }
        free(changes);
    }
}

// Indexes and timeouts of a rule that is in (or leaves) its table.
static void
index_rule(struct of_bridge *br, struct of_rule *rule)
{
    index_cookie(br, rule);
    of_expire_add(br, rule);
    of_evict_add(br, rule);
    br->n_rules++;
    if (rule->flags & OF_FLOW_HIDDEN) {
        br->n_hidden++;
        br->tables[rule->table].n_hidden++;
    }
}

static void
unindex_rule(struct of_bridge *br, struct of_rule *rule)
{
    cds_list_del(&rule->by_cookie);
    of_expire_del(rule);
    of_evict_del(br, rule);
    br->n_rules--;
    if (rule->flags & OF_FLOW_HIDDEN) {
        br->n_hidden--;
        br->tables[rule->table].n_hidden--;
    }
}

void
of_bridge_delete_rule(struct of_bridge *br, struct of_rule *rule, enum of_removed_reason reason)
{
    cls_remove(br->tables[rule->table].cls, &rule->cr);
    unindex_rule(br, rule);
    of_bridge_note_change(br, OF_RULE_REMOVED, rule);
    of_rule_retire(rule, reason);
}

// The new rule goes on counting where the one it replaces stopped, unless the request resets the
// counters. Its age starts anew.
static void
inherit(struct of_rule *rule, const struct of_rule *old, const struct of_flow_mod *fm)
{
    if (!(fm->flags & OF_FLOW_RESET_COUNTS)) {
        rule->packets = __atomic_load_n(&old->packets, __ATOMIC_RELAXED);
        rule->bytes = __atomic_load_n(&old->bytes, __ATOMIC_RELAXED);
    }
    rule->used = __atomic_load_n(&old->used, __ATOMIC_RELAXED);
}

static int
add(struct of_bridge *br, const struct of_flow_mod *fm, int priority)
{
    uint8_t table =
        fm->table == OF_TABLE_ALL ? 0 : fm->table; // the switch's choice: always the first
    if (table >= OF_N_TABLES) {
        return OF_ERROR_BRC_BAD_TABLE_ID;
    }
    if (table == OF_TABLE_OWN && !(fm->flags & OF_FLOW_HIDDEN)) {
        return OF_ERROR_BRC_EPERM;
    }
    struct of_table *t = &br->tables[table];
    struct of_rule *rule = of_rule_new(br, fm, priority);
    rule->table = table;
    int error = 0;
    struct cls_rule *old_cr = cls_find(t->cls, &rule->cr, br->version);
    if (!old_cr && fm->flags & OF_FLOW_CHECK_OVERLAP &&
        cls_overlaps(t->cls, &rule->cr, br->version)) {
        error = OF_ERROR_FMFC_OVERLAP; // a rule that this one replaces doesn't count
    } else if (!old_cr && !(fm->flags & OF_FLOW_HIDDEN) && of_table_is_full(t) &&
               !of_evict_one(br, table)) {
        error = OF_ERROR_FMFC_TABLE_FULL;
    }
    if (error) {
        rule->flags = 0; // nothing to announce
        of_rule_unref(rule);
        return error;
    }
    if (old_cr) {
        inherit(rule, CONTAINER_OF(old_cr, struct of_rule, cr), fm);
    }
    rule->serial = ++br->last_serial;
    old_cr = cls_insert(t->cls, &rule->cr, br->version);
    if (old_cr) {
        struct of_rule *old = CONTAINER_OF(old_cr, struct of_rule, cr);
        unindex_rule(br, old);
        old->flags &= ~OF_FLOW_SEND_REM; // replaced, not removed
        of_bridge_note_change(br, OF_RULE_REMOVED, old);
        of_rule_retire(old, OF_REMOVED_DELETE);
    }
    index_rule(br, rule);
    of_bridge_note_change(br, OF_RULE_ADDED, rule);
    return 0;
}

struct selection {
    const struct of_flow_mod *fm;
    struct of_rule **rules;
    size_t n, cap;
};

static bool
is_selected(const struct of_rule *rule, const struct of_flow_mod *fm)
{
    return (!(rule->flags & OF_FLOW_HIDDEN) || fm->table == OF_TABLE_OWN) &&
           !((rule->cookie ^ fm->cookie) & fm->cookie_mask) &&
           (fm->out_port == OF_PORT_ANY ||
            of_actions_output_to(&rule->actions->acts, fm->out_port)) &&
           (fm->out_group == UINT32_MAX ||
            of_actions_has_group(&rule->actions->acts, fm->out_group));
}

static bool
select_rule(struct cls_rule *cr, void *sel_)
{
    struct selection *sel = sel_;
    struct of_rule *rule = CONTAINER_OF(cr, struct of_rule, cr);
    if (is_selected(rule, sel->fm)) {
        if (sel->n == sel->cap) {
            sel->rules = base_grow(sel->rules, &sel->cap, sizeof *sel->rules);
        }
        sel->rules[sel->n++] = rule;
    }
    return true;
}

// With an exact cookie the index by cookie is much smaller than the tables.
static void
select_by_cookie(struct of_bridge *br, struct selection *sel)
{
    struct of_rule *rule;
    if (!br->n_cookie_slots) {
        return;
    }
    LIST_FOR_EACH (rule, by_cookie, cookie_slot(br, sel->fm->cookie)) {
        if (rule->cookie == sel->fm->cookie &&
            (sel->fm->table == OF_TABLE_ALL || sel->fm->table == rule->table)) {
            struct flow_match match;
            cls_rule_match(&rule->cr, &match);
            if (match_is_within(&match, &sel->fm->match)) {
                select_rule(&rule->cr, sel);
            }
        }
    }
}

static void
select_loose(struct of_bridge *br, struct selection *sel)
{
    const struct of_flow_mod *fm = sel->fm;
    if (fm->cookie_mask == UINT64_MAX) {
        select_by_cookie(br, sel);
        return;
    }
    unsigned first = fm->table == OF_TABLE_ALL ? 0 : fm->table;
    unsigned last = fm->table == OF_TABLE_ALL ? OF_N_TABLES - 1 : fm->table;
    for (unsigned t = first; t <= last; t++) {
        if (cls_count(br->tables[t].cls)) {
            cls_for_each(br->tables[t].cls, &fm->match, br->version, select_rule, sel);
        }
    }
}

static void
select_strict(struct of_bridge *br, struct selection *sel)
{
    const struct of_flow_mod *fm = sel->fm;
    struct cls_rule target;
    cls_rule_init(&target, &fm->match, fm->priority);
    unsigned first = fm->table == OF_TABLE_ALL ? 0 : fm->table;
    unsigned last = fm->table == OF_TABLE_ALL ? OF_N_TABLES - 1 : fm->table;
    for (unsigned t = first; t <= last; t++) {
        struct cls_rule *cr = cls_find(br->tables[t].cls, &target, br->version);
        if (cr) {
            select_rule(cr, sel);
        }
    }
    cls_rule_destroy(&target);
}

static void
modify_rule(struct of_bridge *br, struct of_rule *rule, const struct of_flow_mod *fm,
            struct of_rule_actions *acts)
{
    bool change = !of_actions_equal(&rule->actions->acts, &acts->acts);
    if (change) {
        struct of_rule_actions *old = rule->actions;
        __atomic_add_fetch(&acts->refs, 1, __ATOMIC_RELAXED);
        rcu_set(rule->actions, acts);
        of_rule_actions_unref_later(old);
    }
    if (fm->modify_cookie && rule->cookie != fm->new_cookie) {
        cds_list_del(&rule->by_cookie);
        rule->cookie = fm->new_cookie;
        index_cookie(br, rule);
        change = true; // packets to controllers carry the cookie
    }
    if (fm->flags & OF_FLOW_RESET_COUNTS) {
        __atomic_store_n(&rule->packets, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&rule->bytes, 0, __ATOMIC_RELAXED);
    }
    rule->modified = clock_now();
    rule->serial = ++br->last_serial;
    if (change) {
        of_bridge_note_change(br, OF_RULE_MODIFIED, rule);
    }
}

static int
modify(struct of_bridge *br, const struct of_flow_mod *fm, const struct selection *sel)
{
    if (!sel->n) {
        // OpenFlow 1.0 and 1.1: modifying nothing adds; later versions set no new cookie.
        return !fm->cookie_mask && fm->new_cookie != UINT64_MAX ? add(br, fm, fm->priority) : 0;
    }
    struct of_rule_actions *acts = of_rule_actions_new(&fm->actions);
    of_rules_sort(br, sel->rules, sel->n); // they stay in order
    for (size_t i = 0; i < sel->n; i++) {
        modify_rule(br, sel->rules[i], fm, acts);
    }
    of_rule_actions_unref_later(acts);
    return 0;
}

static void
delete_all(struct of_bridge *br, const struct selection *sel)
{
    const bool many = sel->n > 64;
    for (unsigned t = 0; many && t < OF_N_TABLES; t++) {
        cls_defer(br->tables[t].cls);
    }
    for (size_t i = 0; i < sel->n; i++) {
        of_bridge_delete_rule(br, sel->rules[i], OF_REMOVED_DELETE);
    }
    for (unsigned t = 0; many && t < OF_N_TABLES; t++) {
        cls_publish(br->tables[t].cls);
    }
}

int
of_bridge_flow_mod(struct of_bridge *br, const struct of_flow_mod *fm)
{
    if (fm->command == OF_FLOW_ADD) {
        return add(br, fm, fm->priority);
    }
    bool strict = fm->command == OF_FLOW_MODIFY_STRICT || fm->command == OF_FLOW_DELETE_STRICT;
    if (fm->table >= OF_N_TABLES && fm->table != OF_TABLE_ALL) {
        return OF_ERROR_BRC_BAD_TABLE_ID;
    }
    struct selection sel = {.fm = fm};
    if (strict) {
        select_strict(br, &sel);
    } else {
        select_loose(br, &sel);
    }
    int error = 0;
    if (fm->table == OF_TABLE_OWN && sel.n) {
        error = OF_ERROR_BRC_EPERM; // to be looked at only
    } else if (fm->command == OF_FLOW_MODIFY || fm->command == OF_FLOW_MODIFY_STRICT) {
        error = modify(br, fm, &sel);
    } else {
        delete_all(br, &sel);
    }
    free(sel.rules);
    return error;
}

void
of_bridge_flush_rules(struct of_bridge *br)
{
    struct of_flow_mod fm = {.command = OF_FLOW_DELETE,
                             .table = OF_TABLE_ALL,
                             .out_port = OF_PORT_ANY,
                             .out_group = UINT32_MAX};
    match_init_any(&fm.match);
    of_bridge_flow_mod(br, &fm);
}

void
of_bridge_add_hidden(struct of_bridge *br, const struct of_flow_mod *fm, int priority)
{
    add(br, fm, priority);
}

void
of_bridge_del_hidden(struct of_bridge *br, const struct of_flow_mod *fm, int priority)
{
    struct cls_rule target;
    cls_rule_init(&target, &fm->match, priority);
    struct cls_rule *cr = cls_find(br->tables[fm->table].cls, &target, br->version);
    cls_rule_destroy(&target);
    if (cr) {
        of_bridge_delete_rule(br, CONTAINER_OF(cr, struct of_rule, cr), OF_REMOVED_DELETE);
    }
}
