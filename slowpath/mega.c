// SPDX-License-Identifier: Apache-2.0
// The flow cache: entries, their states, the masks and actions they share. Threads and locks: see
// the head of mega.h.
#include "config.h"

#include "slowpath/mega.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "slowpath/xlate_state.h"

LOG_MODULE(mega);

static const struct reason no_reason = {.code = REASON_NONE, .field = FIELD_COUNT};

// --- States. ---

const char *
mega_state_name(enum mega_state s)
{
    static const char *const names[MEGA_N_STATES] = {"new",      "live",  "moving",
                                                     "updating", "dying", "dead"};
    return (unsigned) s < MEGA_N_STATES ? names[s] : "?";
}

// Rows: from; bits: to.
static const uint8_t legal[MEGA_N_STATES] = {
    [MEGA_NEW] = 1u << MEGA_LIVE | 1u << MEGA_DEAD,
    [MEGA_LIVE] = 1u << MEGA_MOVING | 1u << MEGA_UPDATING | 1u << MEGA_DYING,
    [MEGA_MOVING] = 1u << MEGA_LIVE | 1u << MEGA_DYING,
    [MEGA_UPDATING] = 1u << MEGA_LIVE | 1u << MEGA_DYING,
    [MEGA_DYING] = 1u << MEGA_DEAD,
    [MEGA_DEAD] = 0,
};

// Threads are told apart by a small number in records of transitions.
static uint16_t
thread_number(void)
{
    static uint16_t last;
    static __thread uint16_t mine;
    if (!mine) {
        mine = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    }
    return mine;
}

bool
mega_transition_at(struct mega *m, enum mega_state from, enum mega_state to, unsigned line)
{
    if (!(legal[from] >> to & 1)) {
        LOG_EMER("cached flow %016llx: no way from state %s to %s (line %u; last change by thread "
                 "%u, line %u)",
                 (unsigned long long) m->id.w[0], mega_state_name(from), mega_state_name(to), line,
                 m->by_thread, m->by_line);
        abort();
    }
    uint8_t expected = (uint8_t) from;
    if (!__atomic_compare_exchange_n(&m->state, &expected, (uint8_t) to, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        return false;
    }
    __atomic_store_n(&m->by_thread, thread_number(), __ATOMIC_RELAXED);
    __atomic_store_n(&m->by_line, (uint16_t) line, __ATOMIC_RELAXED);
    return true;
}

static void
push_dirty(struct mega_cache *c, const struct flow_id *id)
{
    mutex_lock(&c->dirty_mutex);
    if (c->n_dirty == c->cap_dirty) {
        c->dirty = base_grow(c->dirty, &c->cap_dirty, sizeof *c->dirty);
    }
    c->dirty[c->n_dirty++] = *id;
    const bool first = c->n_dirty == 1;
    mutex_unlock(&c->dirty_mutex);
    if (first && c->wake) {
        c->wake(c->wake_aux);
    }
}

void
mega_mark_dirty(struct mega_cache *c, struct mega *m)
{
    if (!(__atomic_fetch_or(&m->flags, MEGA_DIRTY, __ATOMIC_SEQ_CST) & MEGA_DIRTY)) {
        push_dirty(c, &m->id);
    }
}

void
mega_release_at(struct mega_cache *c, struct mega *m, enum mega_state from, unsigned line)
{
    if (!mega_transition_at(m, from, MEGA_LIVE, line)) {
        abort();
    }
    // Marked while it was owned: the revalidator could not take it then.
    if (__atomic_load_n(&m->flags, __ATOMIC_SEQ_CST) & MEGA_DIRTY) {
        push_dirty(c, &m->id);
    }
}

struct flow_id *
mega_take_dirty(struct mega_cache *c, size_t *n)
{
    mutex_lock(&c->dirty_mutex);
    struct flow_id *ids = c->dirty;
    *n = c->n_dirty;
    if (*n) {
        c->dirty = NULL;
        c->n_dirty = c->cap_dirty = 0;
    } else {
        ids = NULL;
    }
    mutex_unlock(&c->dirty_mutex);
    return ids;
}

// --- Shared parts. ---

static struct mega_mask *
mask_get(struct mega_cache *c, const struct flow_mask *wc)
{
    struct minimask *mm = minimask_new(wc);
    const uint32_t hash = minimask_hash(mm, 0);
    struct mega_mask *m;

    mutex_lock(&c->intern);
    HMAP_FOR_EACH_HASH(m, node, hash, &c->masks)
    {
        if (m->mask->n == mm->n && minimask_equals(m->mask, mm)) {
            m->refs++;
            mutex_unlock(&c->intern);
            free(mm);
            return m;
        }
    }
    m = base_calloc(1, sizeof *m);
    m->refs = 1;
    m->mask = mm;
    struct flow_match *match = base_calloc(1, sizeof *match);
    match->mask = *wc;
    match_update_used(match);
    m->used = match->used;
    free(match);
    hmap_insert(&c->masks, &m->node, hash);
    mutex_unlock(&c->intern);
    return m;
}

static struct mega_acts *
acts_get(struct mega_cache *c, const struct dp_actions *acts)
{
    const uint32_t hash = dp_actions_hash(acts, 0);
    struct mega_acts *a;

    mutex_lock(&c->intern);
    HMAP_FOR_EACH_HASH(a, node, hash, &c->acts)
    {
        if (dp_actions_equal(&a->acts, acts)) {
            a->refs++;
            mutex_unlock(&c->intern);
            return a;
        }
    }
    a = base_calloc(1, sizeof *a);
    a->refs = 1;
    dp_actions_copy(&a->acts, acts);
    hmap_insert(&c->acts, &a->node, hash);
    mutex_unlock(&c->intern);
    return a;
}

static void
mask_free(void *m_)
{
    struct mega_mask *m = m_;
    free(m->mask);
    free(m);
}

static void
acts_free(void *a_)
{
    struct mega_acts *a = a_;
    dp_actions_free(&a->acts);
    free(a);
}

static void
mask_put(struct mega_cache *c, struct mega_mask *m)
{
    mutex_lock(&c->intern);
    const bool last = !--m->refs;
    if (last) {
        hmap_remove(&c->masks, &m->node);
    }
    mutex_unlock(&c->intern);
    if (last) {
        rcu_defer(mask_free, m);
    }
}

static void
acts_put(struct mega_cache *c, struct mega_acts *a)
{
    mutex_lock(&c->intern);
    const bool last = !--a->refs;
    if (last) {
        hmap_remove(&c->acts, &a->node);
    }
    mutex_unlock(&c->intern);
    if (last) {
        rcu_defer(acts_free, a);
    }
}

// --- The cache. ---

struct mega_cache *
mega_cache_new(void (*wake)(void *aux), void *aux)
{
    struct mega_cache *c = base_calloc(1, sizeof *c);
    // Without CDS_LFHT_AUTO_RESIZE: in liburcu 0.13 a fast resize loses the next ones, and lists
    // grow long (see mega_cache_fit()).
    c->n_buckets = 4096;
    c->by_id = cds_lfht_new(c->n_buckets, 1, 0, 0, NULL);
    c->wake = wake;
    c->wake_aux = aux;
    c->chunks = base_calloc(1, sizeof *c->chunks);
    mutex_init(&c->index);
    mutex_init(&c->intern);
    mutex_init(&c->late);
    hmap_init(&c->ghosts);
    mutex_init(&c->dirty_mutex);
    hmap_init(&c->deps);
    hmap_init(&c->tables);
    hmap_init(&c->masks);
    hmap_init(&c->acts);
    return c;
}

void
mega_cache_fit(struct mega_cache *c)
{
    size_t size = c->n_buckets;
    while (size < __atomic_load_n(&c->n, __ATOMIC_RELAXED)) {
        size *= 4;
    }
    if (size != c->n_buckets) {
        cds_lfht_resize(c->by_id, size);
        __atomic_store_n(&c->n_buckets, size, __ATOMIC_RELAXED);
    }
}

static bool
kill_any(struct mega *m, void *c)
{
    if (__atomic_load_n(&m->state, __ATOMIC_RELAXED) == MEGA_LIVE && mega_claim(m, MEGA_DYING)) {
        mega_kill(c, m);
    }
    return true;
}

void
mega_cache_free(struct mega_cache *c) NO_THREAD_SAFETY
{
    rcu_begin();
    mega_for_each(c, kill_any, c);
    mega_forget_late(c);
    rcu_end();
    rcu_drain();
    cds_lfht_destroy(c->by_id, NULL);
    for (size_t i = 0; i < c->chunks->n; i++) {
        free(c->chunks->p[i]);
    }
    free(c->chunks);
    free(c->dirty);
    hmap_destroy(&c->deps);
    hmap_destroy(&c->tables);
    hmap_destroy(&c->masks);
    hmap_destroy(&c->acts);
    hmap_destroy(&c->ghosts);
    mutex_destroy(&c->late);
    mutex_destroy(&c->index);
    mutex_destroy(&c->intern);
    mutex_destroy(&c->dirty_mutex);
    free(c);
}

struct flow_id
mega_id(const struct minimask *mm, const uint64_t key[])
{
    // The same for every run of the program: a restarted switch finds its own flows by it.
    struct flow_id id = {{UINT64_C(0x736c6f7770617468), UINT64_C(0x666c6f7765726265)}};
    for (size_t i = 0; i < 2; i++) {
        id.w[0] = hash_mix64(id.w[0], mm->map.bits[i]);
        id.w[1] = hash_mix64(id.w[1] ^ UINT64_C(0xd6e8feb86659fd93), mm->map.bits[i]);
    }
    for (size_t i = 0; i < mm->n; i++) {
        id.w[0] = hash_mix64(hash_mix64(id.w[0], mm->words[i]), key[i]);
        id.w[1] =
            hash_mix64(hash_mix64(id.w[1], key[i] * UINT64_C(0xff51afd7ed558ccd)), mm->words[i]);
    }
    return id;
}

static int
id_match(struct cds_lfht_node *node, const void *id)
{
    rcu_after_grace(); // what mega_insert() wrote before it put the entry here
    return flow_id_equals(&caa_container_of(node, struct mega, node)->id, id);
}

struct mega *
mega_find(const struct mega_cache *c, const struct flow_id *id)
{
    struct cds_lfht_iter iter;
    cds_lfht_lookup(c->by_id, (unsigned long) id->w[0], id_match, id, &iter);
    struct cds_lfht_node *node = cds_lfht_iter_get_node(&iter);
    return node ? caa_container_of(node, struct mega, node) : NULL;
}

struct mega *
mega_at(const struct mega_cache *c, uint32_t number, const struct flow_id *id)
{
    const struct mega_chunks *chunks = rcu_get(c->chunks);
    const size_t i = number - 1; // of 0: beyond all
    if (i / MEGA_CHUNK < chunks->n) {
        struct mega *m = rcu_get(chunks->p[i / MEGA_CHUNK]->owner[i % MEGA_CHUNK]);
        if (m && flow_id_equals(&m->id, id)) {
            return m;
        }
    }
    return mega_find(c, id);
}

// --- Translations of entries. ---

static struct mega_xlate *
mx_new(struct mega_cache *c, struct mega *m, const struct xlate_out *out, bool *stale)
{
    struct mega_xlate *x = base_calloc(1, sizeof *x + out->n_deps * sizeof x->links[0]);
    x->owner = m;
    x->acts = acts_get(c, &out->acts);
    x->bridge_number = out->bridge ? out->bridge->number : 0;
    x->to_controller = out->to_controller;
    x->slow = out->slow;
    mega_link_all(c, x, out, stale);
    for (size_t i = 0; i < out->n_deps; i++) {
        x->passes_patch |= out->deps[i].kind == XLATE_DEP_PATCH;
        if (out->deps[i].kind == XLATE_DEP_STATE) {
            struct mega_link *l = &x->links[x->n_links];
            l->index = (uint8_t) x->n_links++;
            l->kind = XLATE_DEP_STATE;
            l->frozen = out->deps[i].state;
            xlate_state_ref(l->frozen);
        }
    }
    return x;
}

static void
mx_free(struct rcu_head *head)
{
    free(caa_container_of(head, struct mega_xlate, rcu));
}

static void
mx_drop(struct mega_cache *c, struct mega_xlate *x)
{
    mega_unlink_all(c, x);
    for (size_t i = 0; i < x->n_links; i++) {
        if (x->links[i].kind == XLATE_DEP_STATE) {
            xlate_state_unref(x->links[i].frozen);
        }
    }
    acts_put(c, x->acts);
    rcu_call(&x->rcu, mx_free);
}

// --- Entries. ---

struct mega *
mega_insert(struct mega_cache *c, const struct mega_new *new, bool *existing)
{
    const struct xlate_out *out = new->out;
    *existing = false;
    if (out->n_deps > UINT8_MAX) {
        return NULL;
    }
    struct mega_mask *mask = mask_get(c, &out->wc);
    struct mega *m = base_malloc(sizeof *m + mask->mask->n * sizeof m->key[0]);
    memset(m, 0, sizeof *m);
    m->mask = mask;
    minikey_extract(mask->mask, new->key, m->key);
    m->id = mega_id(mask->mask, m->key);

    struct mega *old = mega_find(c, &m->id);
    if (!old) {
        m->reason = &no_reason;
        m->cache = c;
        m->created = m->since = mega_time(new->now);
        m->ctr = mega_counters_new(c);
        m->flags = out->bridge ? 0 : MEGA_NO_PORT; // before the links: they lead others here
        bool stale;
        m->x = mx_new(c, m, out, &stale);
        cds_lfht_node_init(&m->node);
        rcu_before_grace(); // what readers that find it by the table may count on
        struct cds_lfht_node *node =
            cds_lfht_add_unique(c->by_id, (unsigned long) m->id.w[0], id_match, &m->id, &m->node);
        if (node == &m->node) {
            mega_counters_own(c, m->ctr, m);
            const size_t n = __atomic_add_fetch(&c->n, 1, __ATOMIC_RELAXED);
            if (n > __atomic_load_n(&c->max, __ATOMIC_RELAXED)) {
                __atomic_store_n(&c->max, n, __ATOMIC_RELAXED);
            }
            __atomic_add_fetch(&c->places[DP_PLACE_NONE], 1, __ATOMIC_RELAXED);
            if (n % 1024 == 0 && n > __atomic_load_n(&c->n_buckets, __ATOMIC_RELAXED) && c->wake) {
                c->wake(c->wake_aux); // mega_cache_fit()
            }
            // A change that became visible after the translation began is told either through the
            // links, or seen here.
            if (stale || __atomic_load_n(&c->seq, __ATOMIC_SEQ_CST) != new->seq) {
                mega_mark_dirty(c, m);
            }
            return m;
        }
        old = caa_container_of(node, struct mega, node);
        mx_drop(c, m->x);
        mega_counters_free(c, m->ctr);
        // A link may have led somebody here: wait for them before it goes.
        mask_put(c, mask);
        rcu_free_later(m);
        *existing = true;
        return old;
    }
    mask_put(c, mask);
    free(m);
    *existing = true;
    return old;
}

static void
drop_past(struct mega_cache *c, struct mega_xlate *x)
{
    while (x) {
        struct mega_xlate *past = x->past;
        mx_drop(c, x);
        x = past;
    }
}

void
mega_tc_left(struct mega_cache *c, struct mega *m, uint32_t late)
{
    drop_past(c, mega_xlate_left(m, late));
}

void
mega_replace(struct mega_cache *c, struct mega *m, const struct xlate_out *out, uint64_t seq)
{
    bool stale;
    drop_past(c, mega_xlate_swap(m, mx_new(c, m, out, &stale)));
    if (out->bridge) {
        __atomic_and_fetch(&m->flags, (uint8_t) ~MEGA_NO_PORT, __ATOMIC_RELAXED);
    } else {
        __atomic_or_fetch(&m->flags, MEGA_NO_PORT, __ATOMIC_RELAXED);
    }
    if (stale || __atomic_load_n(&c->seq, __ATOMIC_SEQ_CST) != seq) {
        mega_mark_dirty(c, m);
    }
}

static void
mega_free(struct rcu_head *head)
{
    struct mega *m = caa_container_of(head, struct mega, rcu);
    rcu_after_grace();
    mega_counters_free(m->cache, m->ctr);
    free(m);
    rcu_before_grace(); // for who drains before it frees the cache
}

// Its last counters have come.
static void
bury(struct mega_cache *c, struct mega *m)
{
    drop_past(c, mega_xlate_end(m));
    mx_drop(c, m->x);
    mask_put(c, m->mask);
    // Readers may still be adding to the counters: they go to the next flow after the grace period
    // only.
    rcu_call(&m->rcu, mega_free);
}

// True: it is a ghost now.
static bool
haunt(struct mega_cache *c, struct mega *m)
{
    if (!mega_awaits(m, 0)) {
        return false;
    }
    mutex_lock(&c->late);
    const bool awaits = mega_awaits(m, 0); // they may have come meanwhile
    if (awaits) {
        hmap_insert(&c->ghosts, &m->ghost, hash_u64(m->id.w[0], 0));
    }
    mutex_unlock(&c->late);
    return awaits;
}

void
mega_kill(struct mega_cache *c, struct mega *m)
{
    if (!mega_transition(m, MEGA_DYING, MEGA_DEAD) && !mega_transition(m, MEGA_NEW, MEGA_DEAD)) {
        abort();
    }
    mega_counters_own(c, m->ctr, NULL);
    cds_lfht_del(c->by_id, &m->node);
    __atomic_sub_fetch(&c->n, 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&c->places[m->now], 1, __ATOMIC_RELAXED);
    if (!haunt(c, m)) {
        bury(c, m);
    }
}

static struct mega *
find_ghost(struct mega_cache *c, const struct mega_late *late) REQUIRES(c->late)
{
    struct mega *m;
    HMAP_FOR_EACH_HASH(m, ghost, hash_u64(late->id.w[0], 0), &c->ghosts)
    {
        if (flow_id_equals(&m->id, &late->id) && mega_awaits(m, late->number)) {
            return m;
        }
    }
    return NULL;
}

void
mega_add_late(struct mega_cache *c, const struct mega_late *late)
{
    mutex_lock(&c->late);
    struct mega *m = mega_find(c, &late->id);
    struct mega *ghost = m && mega_awaits(m, late->number) ? NULL : find_ghost(c, late);
    m = ghost ? ghost : m;
    struct mega_xlate *past = m ? mega_xlate_add_late(m, late) : NULL;
    if (ghost && !mega_awaits(ghost, 0)) {
        hmap_remove(&c->ghosts, &ghost->ghost);
    } else {
        ghost = NULL;
    }
    mutex_unlock(&c->late);
    drop_past(c, past); // without the lock: with a rule its bridge may go
    if (ghost) {
        bury(c, ghost);
    }
}

void
mega_forget_late(struct mega_cache *c)
{
    struct mega *m;
    do {
        mutex_lock(&c->late);
        struct hmap_node *first = hmap_first(&c->ghosts);
        m = first ? CONTAINER_OF(first, struct mega, ghost) : NULL;
        if (m) {
            hmap_remove(&c->ghosts, &m->ghost);
        }
        mutex_unlock(&c->late);
        if (m) {
            bury(c, m);
        }
    } while (m);
}

void
mega_set_place(struct mega_cache *c, struct mega *m, enum dp_place place,
               const struct reason *reason, int64_t now)
{
    const uint8_t old = __atomic_exchange_n(&m->now, (uint8_t) place, __ATOMIC_RELAXED);
    if (old != place) {
        __atomic_sub_fetch(&c->places[old], 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&c->places[place], 1, __ATOMIC_RELAXED);
        __atomic_store_n(&m->since, mega_time(now), __ATOMIC_RELAXED);
    }
    if (reason) {
        mega_set_reason(m, reason);
    }
}

// Refusals repeat: a few dozen different ones serve all entries. They live as long as the program.
void
mega_set_reason(struct mega *m, const struct reason *r)
{
    static struct mutex mutex = MUTEX_INIT;
    static struct reason *known[1024];
    static size_t n_known;
    static struct reason bare[REASON_COUNT]; // of each code, without words
    const struct reason *found = &no_reason;

    if (r->code != REASON_NONE) {
        mutex_lock(&mutex);
        size_t i = 0;
        while (i < n_known && memcmp(known[i], r, sizeof *r)) {
            i++;
        }
        if (i == n_known && n_known < ARRAY_SIZE(known)) {
            known[n_known++] = base_memdup(r, sizeof *r);
        }
        if (i < n_known) {
            found = known[i];
        } else { // more kinds of words from drivers than that: the code alone stays true
            if (bare[r->code].code == REASON_NONE) {
                reason_set(&bare[r->code], r->code, FIELD_COUNT, 0, NULL);
            }
            found = &bare[r->code];
        }
        mutex_unlock(&mutex);
    }
    __atomic_store_n(&m->reason, found, __ATOMIC_RELEASE);
}

void
mega_key(const struct mega *m, struct flow_key *out)
{
    minikey_expand(m->mask->mask, m->key, out);
}

void
mega_match(const struct mega *m, struct flow_match *out)
{
    minikey_expand(m->mask->mask, m->key, &out->key);
    minimask_expand(m->mask->mask, &out->mask);
    out->used = m->mask->used;
}

void
mega_stats(struct mega_cache *c, struct mega_stats *s)
{
    memset(s, 0, sizeof *s);
    s->n = __atomic_load_n(&c->n, __ATOMIC_RELAXED);
    s->max = __atomic_load_n(&c->max, __ATOMIC_RELAXED);
    for (size_t i = 0; i < DP_N_PLACES; i++) {
        s->places[i] = __atomic_load_n(&c->places[i], __ATOMIC_RELAXED);
    }
    s->retranslated = __atomic_load_n(&c->retranslated, __ATOMIC_RELAXED);
    s->changed = __atomic_load_n(&c->changed, __ATOMIC_RELAXED);
    s->evicted = __atomic_load_n(&c->evicted, __ATOMIC_RELAXED);
    mutex_lock(&c->intern);
    s->n_masks = hmap_count(&c->masks);
    s->n_acts = hmap_count(&c->acts);
    mutex_unlock(&c->intern);
    mutex_lock(&c->index);
    s->n_deps = hmap_count(&c->deps);
    mutex_unlock(&c->index);
}

void
mega_for_each(struct mega_cache *c, bool (*cb)(struct mega *, void *aux), void *aux)
{
    struct cds_lfht_iter iter;
    struct mega *m;
    cds_lfht_for_each_entry(c->by_id, &iter, m, node)
    {
        rcu_after_grace();
        if (!cb(m, aux)) {
            break;
        }
    }
}
