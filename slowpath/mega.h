// SPDX-License-Identifier: Apache-2.0
// The flow cache: one entry for each cached flow, wherever it runs. An entry has a place, a reason for that place, one set of counters, and the list of what its
// translation depended on and credits.
//
// WHO RUNS WHERE
//   handlers (or the datapath's own thread)  make entries, install them at the datapath's home place
//   revalidator   merges counters, retranslates dirty entries, evicts idle ones
//   offload worker  moves entries between home and tc
//   main          marks entries dirty when rules, MAC entries or the configuration change; reads for dumps
//
// WHAT PROTECTS WHAT
//   mega.state        atomic; who moves an entry out of MEGA_LIVE owns it until it moves it back (mega_claim, mega_release), and only the owner talks to
//                     datapaths about it. Everybody else may only set flags; the owner looks at the flags again when it lets go.
//   mega.x            RCU; replaced by the owner as a whole: actions, dependencies and credits of one translation belong together
//   mega_counters     its own spin bit: merges from a sweep, from a deletion's last counters and from a handler never interleave
//   links, mega_dep   mega_cache.index (mutex): short sections, never while a datapath is called
//   masks, actions    mega_cache.intern (mutex): shared by all entries with the same ones
//   the cache by id   cds_lfht
//
// RACES ACCEPTED
//   A packet that a datapath handles between the reading of an entry's last counters and the change of its actions is credited to the new rules.
//   A rule that is added while a translation runs makes the new entry dirty without looking whether it matters (mega_insert, `seq`).
#ifndef SLOWPATH_MEGA_H
#define SLOWPATH_MEGA_H 1

#include <urcu.h>

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/base/thread.h"
#include "lib/flow/dp_ops.h"
#include "lib/flow/minimask.h"
#include "slowpath/xlate.h"

#include <urcu/rculfhash.h>

struct of_change;
struct mega_cache;
struct mega_dep;

enum mega_state {
    MEGA_NEW,      // made, not installed yet (owner: handler)
    MEGA_LIVE,     // at rest: nobody owns it
    MEGA_MOVING,   // the worker changes its place
    MEGA_UPDATING, // the revalidator changes its actions
    MEGA_DYING,    // being removed from its places
    MEGA_DEAD,     // in no place, no index; freed after a grace period
    MEGA_N_STATES
};
const char *mega_state_name(enum mega_state);

enum mega_flags {
    MEGA_DIRTY = 1,   // must be translated again
    MEGA_QUEUED = 2,  // waits for the worker
    MEGA_PINNED = 4,
    MEGA_NO_PORT = 8, // its input port belongs to no bridge: any new configuration may change that
    MEGA_ADOPTED = 16,
    MEGA_REMOVE = 32, // what the worker is to do with it: remove it everywhere,
    MEGA_UPDATE = 64  // bring its actions to tc
};

// Places that count separately: the datapath's own (user or kernel), and tc (software or hardware).
enum mega_slot { MEGA_HOME, MEGA_TC, MEGA_N_SLOTS };

// 64 bytes, in dense chunks of their own: a sweep touches little else.
struct mega_counters {
    uint64_t packets, bytes; // all there ever were
    struct {
        uint64_t packets, bytes;
    } last[MEGA_N_SLOTS]; // what each place reported last
    uint32_t used;        // mega_time(); 0: never
    uint16_t since[MEGA_N_SLOTS]; // low bits of the sweep in which it came to the place, or of the one before the last that saw it
    uint16_t tcp_flags;
    uint8_t lock;         // spin bit
    uint8_t slots;        // bits 1 << enum mega_slot: where it is; mega_counters.c has others
    uint32_t next_free;   // while it is in use: its own number, see mega_at()
};
_Static_assert(sizeof(struct mega_counters) == 64, "one cache line");

#define MEGA_CHUNK 1024
struct mega_chunk {
    struct mega_counters ctr[MEGA_CHUNK];
    struct mega *owner[MEGA_CHUNK]; // atomic; NULL: not to be found (any more)
};
struct mega_chunks { // immutable
    struct rcu_head rcu;
    size_t n;
    struct mega_chunk *p[];
};

// One dependency or credit of a translation.
struct mega_link {
    union {
        struct { // RULE, MISS, MAC: in the list of mega_dep; mutex mega_cache.index
            struct mega_link *next, **prev;
            struct mega_dep *dep;
        };
        struct {
            struct sp_bridge_state *bridge;
            struct mac mac;
            uint16_t vlan;
            uint32_t port;
        } learn;
        struct {
            struct sp_bridge_state *bridge, *peer_bridge;
            uint32_t port, peer;
        } patch;
        uint32_t frozen; // STATE
    };
    uint32_t in_port; // RULE, MISS
    uint16_t rewritten;
    uint8_t kind; // enum xlate_dep_kind
    uint8_t index; // in mega_xlate.links
};

struct mega_acts { // interned
    struct hmap_node node;
    uint32_t refs;
    struct dp_actions acts;
};

struct mega_mask { // interned
    struct hmap_node node;
    uint32_t refs;
    struct field_set used;
    struct minimask *mask;
};

// What one translation said.
struct mega_xlate {
    struct rcu_head rcu;
    struct mega *owner;
    struct mega_acts *acts;
    uint32_t bridge_number;
    uint16_t n_links;
    bool to_controller, slow, passes_patch;
    struct mega_xlate *past; // an earlier one whose packets may still be told of; under the counters' lock
    uint32_t late_from, late; // dp_flow_op.late of its first filter and its last one that have gone; 0: they have told all
    uint16_t n_late;          // of these filters, those that have not
    bool in_tc;               // the filter goes by it (while the entry has MEGA_TC)
    struct mega_link links[];
};

struct mega {
    struct cds_lfht_node node; // mega_cache.by_id
    struct flow_id id;
    struct mega_counters *ctr;
    struct mega_xlate *x; // RCU
    uint32_t created; // mega_time()
    uint32_t since;   // mega_time() of the last change of place
    uint8_t state;    // atomic, enum mega_state
    uint8_t now;      // atomic, enum dp_place
    uint8_t wanted;   // atomic, enum dp_place
    uint8_t flags;    // atomic, enum mega_flags
    uint16_t by_thread, by_line; // who made the last transition
    // 64 bytes so far: what a sweep looks at.
    struct mega_mask *mask;
    const struct reason *reason; // interned, atomic; never NULL
    struct mega_cache *cache;
    union { // once it is DEAD
        struct hmap_node ghost; // mega_cache.ghosts
        struct rcu_head rcu;
    };
    uint64_t key[];   // mask->mask->n words
};

// What entries depend on: a rule, a miss in a table, an address of a MAC table.
struct mega_dep {
    struct hmap_node node;          // mega_cache.deps; not for rules, which point here themselves
    struct cds_list_head in_table;  // mega_table.deps: RULE, MISS
    struct rcu_head rcu;
    struct mega_link *links;
    uint8_t kind; // enum xlate_dep_kind
    uint8_t table;
    union {
        const struct of_rule *rule; // referenced, and its bridge
        struct of_bridge *of;       // referenced
        struct sp_bridge_state *bridge; // referenced
    };
    uint64_t mac; // VLAN << 48 | address
};

struct mega_table { // all dependencies on one table of one bridge
    struct hmap_node node;
    struct of_bridge *of;
    uint8_t table;
    struct cds_list_head deps; // mega_dep.in_table
};

struct mega_stats {
    size_t n;                      // entries
    size_t places[DP_N_PLACES];
    size_t n_masks, n_acts, n_deps, max;
    uint64_t retranslated, changed, evicted; // since start
};

struct mega_cache {
    struct cds_lfht *by_id;
    size_t n, max;              // atomic
    size_t n_buckets;           // atomic; of by_id; writer: revalidator
    size_t places[DP_N_PLACES]; // atomic
    uint64_t seq;               // atomic: changes of rules seen so far
    uint64_t retranslated, changed, evicted; // atomic
    struct mutex index;
    struct hmap deps GUARDED_BY(index);   // mega_dep.node
    struct hmap tables GUARDED_BY(index); // mega_table.node
    struct mutex intern;
    struct hmap masks GUARDED_BY(intern), acts GUARDED_BY(intern);
    struct mega_chunks *chunks; // RCU; writers under intern
    uint32_t free_counters GUARDED_BY(intern); // index + 1; 0: none
    struct mutex late;
    struct hmap ghosts GUARDED_BY(late); // mega.ghost
    struct mutex dirty_mutex;
    struct flow_id *dirty GUARDED_BY(dirty_mutex);
    size_t n_dirty GUARDED_BY(dirty_mutex), cap_dirty GUARDED_BY(dirty_mutex);
    void (*wake)(void *aux); // there is something dirty
    void *wake_aux;
};

struct mega_cache *mega_cache_new(void (*wake)(void *aux), void *aux);
void mega_cache_free(struct mega_cache *); // no thread uses it any more
void mega_cache_fit(struct mega_cache *);  // room for what came; the revalidator's thread, outside RCU sections

// ms → 16 ms units, and back. Fits 32 bits for two years.
uint32_t mega_time(int64_t ms);
int64_t mega_time_ms(uint32_t);

// --- Entries. In RCU sections. ---

struct mega *mega_find(const struct mega_cache *, const struct flow_id *);
// The same, quicker where the entry's number is known; one that is not this entry's (any more) does no harm.
struct mega *mega_at(const struct mega_cache *, uint32_t number, const struct flow_id *);
static inline uint32_t
mega_number(const struct mega *m)
{
    return m->ctr->next_free;
}
struct mega_new {
    const struct flow_key *key; // in_port: datapath port
    const struct xlate_out *out;
    uint64_t seq; // mega_cache.seq from before the translation
    int64_t now;  // ms
};
// Entry for a key and its translation, in state MEGA_NEW and owned by the caller; or the one that is there already (*existing).
// NULL: the translation has more dependencies than an entry holds; don't cache.
struct mega *mega_insert(struct mega_cache *, const struct mega_new *, bool *existing);
// Replaces the translation by another with the same match. Owner.
void mega_replace(struct mega_cache *, struct mega *, const struct xlate_out *, uint64_t seq);
// Out of all indexes; freed after a grace period, or when its late counters have come. Owner, in state MEGA_NEW or MEGA_DYING; counters must have
// been merged.
void mega_kill(struct mega_cache *, struct mega *);

// COUNTERS THAT COME LATE
// tc gives a number to what a filter may still tell of when the flow has other actions or has left. The translation that the packets went by
// keeps it, and is kept: as a past one of its entry, and with its entry when that dies before all has been told (mega_kill): the entry is a ghost
// then, which nobody finds but mega_add_late(). It goes with the last number, or with mega_forget_late().

// tc has other actions now, or the flow no more; what it still tells of what it did comes under this number (0: it has told all). Owner.
void mega_tc_left(struct mega_cache *, struct mega *, uint32_t late);
// Such counters: credited to the translation that the packets went by, of the entry or a ghost with this id; where none knows the number, to the
// entry as it is now. last: of this number. In an RCU section.
struct mega_late {
    struct flow_id id;
    uint32_t number;
    uint64_t packets, bytes;
    bool last;
};
void mega_add_late(struct mega_cache *, const struct mega_late *);
// No late counters will come any more, under any number. In an RCU section.
void mega_forget_late(struct mega_cache *);

// Moves between states; a move that the table of legal ones lacks aborts: it is a bug. false: it wasn't in `from`.
#define mega_transition(m, from, to) mega_transition_at(m, from, to, __LINE__)
bool mega_transition_at(struct mega *, enum mega_state from, enum mega_state to, unsigned line);
#define mega_claim(m, to) mega_transition(m, MEGA_LIVE, to)
// Back to rest; an entry that got dirty meanwhile is queued for the revalidator.
#define mega_release(c, m, from) mega_release_at(c, m, from, __LINE__)
void mega_release_at(struct mega_cache *, struct mega *, enum mega_state from, unsigned line);
void mega_mark_dirty(struct mega_cache *, struct mega *);
// Ids of entries marked since the last call: an array to free, or NULL.
struct flow_id *mega_take_dirty(struct mega_cache *, size_t *n);

void mega_set_place(struct mega_cache *, struct mega *, enum dp_place, const struct reason *, int64_t now);
void mega_set_reason(struct mega *, const struct reason *);
void mega_match(const struct mega *, struct flow_match *out);
void mega_key(const struct mega *, struct flow_key *out);
struct flow_id mega_id(const struct minimask *, const uint64_t key[]);
void mega_stats(struct mega_cache *, struct mega_stats *);
// Every entry of every state but MEGA_DEAD; false from cb ends the walk. In an RCU section.
void mega_for_each(struct mega_cache *, bool (*cb)(struct mega *, void *aux), void *aux);

// --- Counters (mega_counters.c). ---

void mega_slot_begin(struct mega *, enum mega_slot, uint16_t sweep);
// A place's counters, from a dump that began as sweep `sweep`.
void mega_merge(struct mega *, enum mega_slot, const struct dp_flow_stats *, uint16_t sweep);
// The owner is about to read the place's counters itself; false: it isn't there. What a dump brings until then counts, and what is read is ignored where that
// was newer.
bool mega_read_begin(struct mega *, enum mega_slot);
// The same, read just now (NULL: in vain), while `sweep` may be under way: what that one still brings is older, and ignored. Owner.
void mega_merge_now(struct mega *, enum mega_slot, const struct dp_flow_stats *, uint16_t sweep);
bool mega_has(struct mega *, enum mega_slot);
// It is said to be in the place, and a whole sweep has not seen it there.
bool mega_slot_vanished(struct mega *, enum mega_slot, uint16_t sweep);
// The place's last counters: it isn't there any more.
void mega_slot_end(struct mega *, enum mega_slot, const struct dp_flow_stats *last);
// Packets that no place counted: those that user space handled.
void mega_add(struct mega *, uint64_t packets, uint64_t bytes, uint16_t tcp_flags, int64_t now);
// The counters that are there before anybody credits (adoption).
void mega_slot_adopt(struct mega *, enum mega_slot, const struct dp_flow_stats *);
struct mega_counts {
    uint64_t packets, bytes;
    uint64_t last_packets[MEGA_N_SLOTS], last_bytes[MEGA_N_SLOTS];
    int64_t used;
    uint16_t tcp_flags;
    uint8_t slots;
};
void mega_counts(struct mega *, struct mega_counts *);
struct mega_counters *mega_counters_new(struct mega_cache *);
void mega_counters_free(struct mega_cache *, struct mega_counters *);
// By whom mega_at() finds their number; NULL: by nobody.
void mega_counters_own(struct mega_cache *, const struct mega_counters *, struct mega *);

// For mega.c: the chain of an entry's translations, changed under the counters' lock. Each returns those that nobody needs any more (chained by
// past), NULL: none.
struct mega_xlate *mega_xlate_swap(struct mega *, struct mega_xlate *);
struct mega_xlate *mega_xlate_left(struct mega *, uint32_t late);
struct mega_xlate *mega_xlate_add_late(struct mega *, const struct mega_late *);
struct mega_xlate *mega_xlate_end(struct mega *); // all but the present one
// Of a number, or (0) of any: is something still to come?
bool mega_awaits(struct mega *, uint32_t late);

// Credits a translation that isn't cached.
void xlate_credit(const struct xlate_out *, uint64_t packets, uint64_t bytes, int64_t used);

// --- Dependencies (mega_deps.c). ---

void mega_link_all(struct mega_cache *, struct mega_xlate *, const struct xlate_out *, bool *stale);
void mega_unlink_all(struct mega_cache *, struct mega_xlate *);
// The rules are as said already; marks what depends on them. Returns how many entries were marked.
size_t mega_rules_changed(struct mega_cache *, const struct of_change *, size_t n);
size_t mega_mac_changed(struct mega_cache *, struct sp_bridge_state *, uint16_t vlan, const struct mac *);
// Bridges that differ: entries that passed them, and (ports) entries without a port. all: everything.
size_t mega_bridges_changed(struct mega_cache *, const uint32_t numbers[], size_t n, bool all);

#endif
