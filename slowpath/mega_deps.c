// SPDX-License-Identifier: Apache-2.0
// The index of what cached flows depend on, so that a change touches the flows that hang on it and no others.
//
//   rule ──(of_rule.path)──▶ mega_dep ──▶ links of the entries whose lookup this rule won
//   (bridge, table)        ─▶ mega_dep of the lookups nobody won
//   (bridge, VLAN, MAC)    ─▶ mega_dep of the forwarding decisions made with this address's entry, or the lack of one
//   (bridge, table)        ─▶ mega_table: all the mega_deps of rules and misses there
//
// A rule R that is added can only matter to a flow whose lookup in R's table was won by a rule of no higher priority, and whose packets can match R at that point: bits that the flow's
// match fixes must agree with R, bits that actions had rewritten before count as unknown. A rule that is removed or gets other actions matters to the flows it won.
//
// Everything here runs under mega_cache.index. No datapath is called, nothing is translated: entries are only marked.
#include "config.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/rcu.h"
#include "ofproto/of_bridge.h"
#include "slowpath/bridge_state.h"
#include "slowpath/mega.h"
#include "slowpath/sp.h"

static uint32_t
dep_hash(uint8_t kind, const void *object, uint64_t more)
{
    return hash_u64((uint64_t) (uintptr_t) object ^ more * UINT64_C(0x9e3779b97f4a7c15), kind);
}

static uint64_t
mac_key(uint16_t vlan, const struct mac *mac)
{
    uint64_t k = vlan;
    for (size_t i = 0; i < 6; i++) {
        k = k << 8 | mac->b[i];
    }
    return k;
}

static struct mega_table *
find_table(struct mega_cache *c, const struct of_bridge *of, uint8_t table) REQUIRES(c->index)
{
    struct mega_table *t;
    HMAP_FOR_EACH_HASH (t, node, dep_hash(0, of, table), &c->tables) {
        if (t->of == of && t->table == table) {
            return t;
        }
    }
    return NULL;
}

// Whose counters the dependency credits: it may outlive the bridge.
static struct of_bridge *
dep_bridge(const struct mega_dep *dep)
{
    return dep->kind == XLATE_DEP_RULE ? dep->rule->bridge : dep->of;
}

static void
join_table(struct mega_cache *c, struct mega_dep *dep) REQUIRES(c->index)
{
    struct of_bridge *of = dep_bridge(dep);
    of_bridge_ref(of);
    struct mega_table *t = find_table(c, of, dep->table);
    if (!t) {
        t = base_calloc(1, sizeof *t);
        t->of = of;
        t->table = dep->table;
        CDS_INIT_LIST_HEAD(&t->deps);
        hmap_insert(&c->tables, &t->node, dep_hash(0, of, dep->table));
    }
    cds_list_add(&dep->in_table, &t->deps);
}

static struct mega_dep *
find_dep(struct mega_cache *c, uint8_t kind, const void *object, uint64_t more) REQUIRES(c->index)
{
    struct mega_dep *dep;
    HMAP_FOR_EACH_HASH (dep, node, dep_hash(kind, object, more), &c->deps) {
        if (dep->kind == kind && (kind == XLATE_DEP_MISS ? (const void *) dep->of == object && dep->table == more
                                                         : (const void *) dep->bridge == object && dep->mac == more)) {
            return dep;
        }
    }
    return NULL;
}

// A reference to a rule that may be on its way out; false: too late.
static bool
rule_try_ref(const struct of_rule *rule_)
{
    struct of_rule *rule = (struct of_rule *) rule_;
    uint32_t refs = __atomic_load_n(&rule->refs, __ATOMIC_RELAXED);
    while (refs) {
        if (__atomic_compare_exchange_n(&rule->refs, &refs, refs + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

// The dependency a translation names, made when missing. NULL: it is gone already.
static struct mega_dep *
get_dep(struct mega_cache *c, const struct xlate_dep *d) REQUIRES(c->index)
{
    const void *object = d->kind == XLATE_DEP_MISS ? (const void *) d->of : (const void *) d->bridge;
    const uint64_t more = d->kind == XLATE_DEP_MISS ? d->table : mac_key(d->vlan, &d->mac);
    struct mega_dep *dep =
        d->kind == XLATE_DEP_RULE ? ((struct of_rule *) d->rule)->path : find_dep(c, d->kind, object, more);
    if (dep) {
        return dep;
    }
    if (d->kind == XLATE_DEP_RULE && !rule_try_ref(d->rule)) {
        return NULL;
    }

    dep = base_calloc(1, sizeof *dep);
    dep->kind = d->kind;
    dep->table = d->table;
    CDS_INIT_LIST_HEAD(&dep->in_table);
    switch ((enum xlate_dep_kind) d->kind) {
    case XLATE_DEP_RULE:
        dep->rule = d->rule;
        ((struct of_rule *) d->rule)->path = dep;
        join_table(c, dep);
        return dep;
    case XLATE_DEP_MISS:
        dep->of = d->of;
        join_table(c, dep);
        break;
    default:
        dep->bridge = sp_bridge_state_ref(d->bridge);
        dep->mac = more;
        break;
    }
    hmap_insert(&c->deps, &dep->node, dep_hash(d->kind, object, more));
    return dep;
}

static void
dep_free(struct rcu_head *head)
{
    free(caa_container_of(head, struct mega_dep, rcu));
}

static void
drop_dep(struct mega_cache *c, struct mega_dep *dep) REQUIRES(c->index)
{
    struct of_bridge *of = NULL;
    if (dep->kind == XLATE_DEP_RULE || dep->kind == XLATE_DEP_MISS) {
        of = dep_bridge(dep);
        struct cds_list_head *rest = dep->in_table.next;
        cds_list_del(&dep->in_table);
        if (rest->next == rest) { // only the head is left
            struct mega_table *t = cds_list_entry(rest, struct mega_table, deps);
            hmap_remove(&c->tables, &t->node);
            free(t);
        }
    }
    if (dep->kind == XLATE_DEP_RULE) {
        ((struct of_rule *) dep->rule)->path = NULL;
        of_rule_unref(dep->rule);
    } else {
        hmap_remove(&c->deps, &dep->node);
        if (dep->kind == XLATE_DEP_MAC) {
            sp_bridge_state_unref(dep->bridge);
        }
    }
    if (of) {
        of_bridge_unref(of); // after its rule, which may have to be announced there
    }
    rcu_call(&dep->rcu, dep_free);
}

// --- Links. ---

static bool
link_one(struct mega_cache *c, struct mega_link *l, const struct xlate_dep *d) REQUIRES(c->index)
{
    l->kind = d->kind;
    l->in_port = d->in_port;
    l->rewritten = d->rewritten;
    switch ((enum xlate_dep_kind) d->kind) {
    case XLATE_DEP_LEARN:
        l->learn.bridge = sp_bridge_state_ref(d->bridge);
        l->learn.mac = d->mac;
        l->learn.vlan = d->vlan;
        l->learn.port = d->port;
        return true;
    case XLATE_DEP_PATCH:
        l->patch.bridge = sp_bridge_state_ref(d->bridge);
        l->patch.port = d->port;
        l->patch.peer_bridge = sp_bridge_state_ref(d->peer_bridge);
        l->patch.peer = d->peer;
        return true;
    case XLATE_DEP_STATE:
    case XLATE_DEP_RULE:
    case XLATE_DEP_MISS:
    case XLATE_DEP_MAC:
        break;
    }
    struct mega_dep *dep = get_dep(c, d);
    if (!dep) {
        return false;
    }
    l->dep = dep;
    l->next = dep->links;
    l->prev = &dep->links;
    if (l->next) {
        l->next->prev = &l->next;
    }
    dep->links = l;
    // Changes are told after the table has them and under this lock: whoever is linked hears of them, whoever was looking before sees them here.
    return d->kind != XLATE_DEP_MAC || sp_mac_lookup(d->bridge, d->vlan, &d->mac) == d->port;
}

void
mega_link_all(struct mega_cache *c, struct mega_xlate *x, const struct xlate_out *out, bool *stale)
{
    *stale = false;
    mutex_lock(&c->index);
    for (size_t i = 0; i < out->n_deps; i++) {
        struct mega_link *l = &x->links[x->n_links];
        const struct xlate_dep *d = &out->deps[i];
        l->index = (uint8_t) x->n_links;
        if (d->kind == XLATE_DEP_STATE) {
            continue; // outside this lock, below
        }
        const struct mega_link before = *l;
        if (!link_one(c, l, d)) {
            *stale = true;
            if (!l->dep) {
                *l = before;
                continue;
            }
        }
        x->n_links++;
    }
    mutex_unlock(&c->index);
}

void
mega_unlink_all(struct mega_cache *c, struct mega_xlate *x)
{
    mutex_lock(&c->index);
    for (size_t i = 0; i < x->n_links; i++) {
        struct mega_link *l = &x->links[i];
        switch ((enum xlate_dep_kind) l->kind) {
        case XLATE_DEP_RULE:
        case XLATE_DEP_MISS:
        case XLATE_DEP_MAC:
            *l->prev = l->next;
            if (l->next) {
                l->next->prev = l->prev;
            }
            if (!l->dep->links) {
                drop_dep(c, l->dep);
            }
            break;
        case XLATE_DEP_LEARN:
            sp_bridge_state_unref(l->learn.bridge);
            break;
        case XLATE_DEP_PATCH:
            sp_bridge_state_unref(l->patch.bridge);
            sp_bridge_state_unref(l->patch.peer_bridge);
            break;
        case XLATE_DEP_STATE:
            break;
        }
    }
    mutex_unlock(&c->index);
}

static struct mega *
link_owner(const struct mega_link *l)
{
    const struct mega_link *first = l - l->index;
    return CONTAINER_OF(first, struct mega_xlate, links)->owner;
}

static size_t
mark_dep(struct mega_cache *c, const struct mega_dep *dep) REQUIRES(c->index)
{
    size_t n = 0;
    for (const struct mega_link *l = dep->links; l; l = l->next) {
        mega_mark_dirty(c, link_owner(l));
        n++;
    }
    return n;
}

// --- Rules. ---

// Words [0, n) of a sparse mask: which of them lies at word `i` of the key, or -1.
static int
word_index(const struct minimask *m, size_t i)
{
    const uint64_t bits = m->map.bits[i / 64];
    if (!(bits >> (i % 64) & 1)) {
        return -1;
    }
    int n = __builtin_popcountll(bits & ((UINT64_C(1) << (i % 64)) - 1));
    return i >= 64 ? n + __builtin_popcountll(m->map.bits[0]) : n;
}

// Bits whose value a lookup knew without looking at the packet: zero, unless rewritten.
static const struct flow_mask *
pipeline_bits(void)
{
    static struct flow_mask m;
    static bool done;
    if (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        FLOW_MASK_EXACT(&m, metadata);
        FLOW_MASK_EXACT(&m, regs);
        __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    }
    return &m;
}

// Can packets of the linked entry match the rule at the linked lookup?
static bool
link_overlaps(const struct mega_link *l, const struct cls_rule *r)
{
    static const size_t in_port_word = offsetof(struct flow_key, in_port) / 8;
    const struct mega *m = link_owner(l);
    const struct minimask *em = m->mask->mask, *rm = r->mask;
    struct flow_mask rewritten;
    bool have_rewritten = false;
    size_t i, k = 0;

    FLOW_MAP_FOR_EACH (i, &rm->map) {
        uint64_t bits = rm->words[k];
        const uint64_t want = r->key[k++];
        struct flow_key in = {.in_port = 0};
        uint64_t have = 0, fixed = flow_mask_words(pipeline_bits())[i];
        int e = word_index(em, i);
        if (e >= 0) {
            fixed |= em->words[e];
            have |= m->key[e];
        }
        if (i == in_port_word) {
            // The entry has the datapath's number; the lookup had this one.
            struct flow_mask port = {.in_port = UINT32_MAX};
            const uint64_t port_bits = flow_mask_words(&port)[i];
            in.in_port = htobe32(l->in_port);
            fixed |= port_bits;
            have = (have & ~port_bits) | flow_key_words(&in)[i];
        }
        bits &= fixed;
        if (l->rewritten && (want ^ have) & bits) {
            if (!have_rewritten) {
                xlate_groups_mask(l->rewritten, &rewritten);
                have_rewritten = true;
            }
            bits &= ~flow_mask_words(&rewritten)[i];
        }
        if ((want ^ have) & bits) {
            return false;
        }
    }
    return true;
}

static bool
rules_overlap(const struct cls_rule *a, const struct cls_rule *b)
{
    size_t i, k = 0;
    FLOW_MAP_FOR_EACH (i, &a->mask->map) {
        int e = word_index(b->mask, i);
        if (e >= 0 && (a->key[k] ^ b->key[e]) & a->mask->words[k] & b->mask->words[e]) {
            return false;
        }
        k++;
    }
    return true;
}

static size_t
rule_added(struct mega_cache *c, const struct of_rule *rule) REQUIRES(c->index)
{
    const struct mega_table *t = find_table(c, rule->bridge, rule->table);
    size_t n = 0;
    if (!t) {
        return 0;
    }
    const struct mega_dep *dep;
    LIST_FOR_EACH (dep, in_table, &t->deps) {
        if (dep->kind == XLATE_DEP_RULE &&
            (dep->rule->cr.priority > rule->cr.priority || !rules_overlap(&dep->rule->cr, &rule->cr))) {
            continue;
        }
        for (const struct mega_link *l = dep->links; l; l = l->next) {
            if (link_overlaps(l, &rule->cr)) {
                mega_mark_dirty(c, link_owner(l));
                n++;
            }
        }
    }
    return n;
}

size_t
mega_rules_changed(struct mega_cache *c, const struct of_change *changes, size_t n)
{
    size_t marked = 0;
    // Translations that began before now don't know these rules: see mega_insert().
    __atomic_add_fetch(&c->seq, 1, __ATOMIC_SEQ_CST);
    mutex_lock(&c->index);
    for (size_t i = 0; i < n; i++) {
        const struct of_rule *rule = changes[i].rule;
        if (changes[i].kind == OF_RULE_ADDED) {
            marked += rule_added(c, rule);
        } else if (rule->path) {
            marked += mark_dep(c, rule->path);
        }
    }
    mutex_unlock(&c->index);
    return marked;
}

size_t
mega_mac_changed(struct mega_cache *c, struct sp_bridge_state *bridge, uint16_t vlan, const struct mac *mac)
{
    mutex_lock(&c->index);
    const struct mega_dep *dep = find_dep(c, XLATE_DEP_MAC, bridge, mac_key(vlan, mac));
    size_t n = dep ? mark_dep(c, dep) : 0;
    mutex_unlock(&c->index);
    return n;
}

// --- Configuration. ---

struct bridges {
    struct mega_cache *cache;
    const uint32_t *numbers;
    size_t n, marked;
    bool all;
};

static bool
mark_bridge(struct mega *m, void *b_)
{
    struct bridges *b = b_;
    const struct mega_xlate *x = rcu_get(m->x);
    bool hit = b->all || (__atomic_load_n(&m->flags, __ATOMIC_RELAXED) & MEGA_NO_PORT);
    for (size_t k = 0; k < b->n && !hit; k++) {
        hit = x->bridge_number == b->numbers[k] || x->passes_patch;
    }
    if (hit) {
        mega_mark_dirty(b->cache, m);
        b->marked++;
    }
    return true;
}

size_t
mega_bridges_changed(struct mega_cache *c, const uint32_t numbers[], size_t n, bool all)
{
    struct bridges b = {c, numbers, n, 0, all};
    __atomic_add_fetch(&c->seq, 1, __ATOMIC_SEQ_CST);
    rcu_begin();
    mega_for_each(c, mark_bridge, &b);
    rcu_end();
    return b.marked;
}
