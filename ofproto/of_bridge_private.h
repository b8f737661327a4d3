// SPDX-License-Identifier: Apache-2.0
// What the files of a bridge share: tables, rules' indexes, timeouts, ports. Only ofproto/of_*.c
// include it.
#ifndef OFPROTO_OF_BRIDGE_PRIVATE_H
#define OFPROTO_OF_BRIDGE_PRIVATE_H 1

#include "lib/base/queue.h"
#include "ofproto/of_bridge.h"
#include "ofproto/of_conn.h"

#define OF_WHEEL_SLOTS 1024 // of one second each

struct of_table {
    struct cls *cls;
    uint64_t lookups, matches; // atomic
    uint32_t max_flows;        // UINT32_MAX: no limit
    uint32_t n_hidden;         // rules
    enum of_table_miss miss;   // atomic
    bool evict_asked;          // by a controller
    struct of_table_config config; // without the name; groups: a copy
    struct of_evict *evict;    // NULL: no rule goes for another
    char name[32];
};

struct of_port {
    struct hmap_node by_number;
    struct of_port_desc desc;
    int64_t created;
};

struct of_bridge {
    struct hmap_node by_name; // in of_bridge.c's map
    char *name;
    uint32_t refs; // atomic: of_bridge_ref()
    struct loop *loop;
    void *path; // the packet path's own
    uint64_t dpid;
    struct of_conns *conns;
    struct of_bridge_config config; // strings owned by of_bridge.c

    uint64_t version; // atomic: of the tables
    bool miss_wanted; // atomic; writer: main: see of_async_wants_misses()
    uint8_t frags;    // atomic, enum of_frags; writer: main
    struct of_table tables[OF_N_TABLES];
    struct of_rule *own[OF_N_OWN_RULES]; // in the last one
    // of_rule.by_cookie, by hash of the cookie. Many rules share one: lists that a rule leaves in
    // constant time.
    struct cds_list_head *cookies;
    size_t n_cookie_slots; // power of two, 0 at first
    size_t n_rules;        // hidden ones included
    uint32_t last_serial;  // of_rule.serial
    size_t n_hidden;

    // Rules with a timeout, by the second when they next need a look.
    struct cds_list_head wheel[OF_WHEEL_SLOTS]; // of_rule.expirable
    int64_t wheel_at;                           // s: slots up to this were looked at
    struct loop_timer *wheel_timer;

    struct of_inband_rule *inband; // of_inband.c
    size_t n_inband;

    // Changes not yet told to the packet path; each holds a reference to its rule.
    struct of_change *changes;
    size_t n_changes, cap_changes;
    struct loop_hook *hook;

    // Rules whose last reference is gone and whose removal must be announced; packets for
    // controllers. From any thread.
    struct queue notices; // struct of_notice
    struct loop_io *notices_io;
    uint32_t waiting_packet_ins, dropped_packet_ins; // atomic

    struct hmap ports; // of_port.by_number
};

extern const struct of_ops
    *of_path; // the registered packet path, never NULL (a silent one before registration)

// of_inband.c
void of_inband_free(struct of_bridge *);

// of_rule.c
struct of_rule *of_rule_new(struct of_bridge *, const struct of_flow_mod *, int priority);
struct of_rule_actions *of_rule_actions_new(const struct of_actions *);
void of_rule_actions_unref_later(struct of_rule_actions *);
// Statistics of a rule; fs->actions borrows the rule's.
void of_rule_stats(const struct of_rule *, struct of_flow_stats *fs);
void
of_rule_retire(struct of_rule *,
               enum of_removed_reason); // out of the tables already: drops the table's reference
void of_notices_init(struct of_bridge *);
void of_notices_close(struct of_bridge *);   // those that wait are sent; later ones reach nobody
void of_notices_destroy(struct of_bridge *); // no thread knows the bridge any more

// of_flow_mod.c
void of_bridge_note_change(struct of_bridge *, enum of_change_kind, struct of_rule *);
// Tells the packet path everything that changed so far: before a barrier's reply, at the end of
// each turn.
void of_bridge_flush_changes(struct of_bridge *);
// Rules of the switch's own, above what OpenFlow can say.
void of_bridge_add_hidden(struct of_bridge *, const struct of_flow_mod *, int priority);
void of_bridge_del_hidden(struct of_bridge *, const struct of_flow_mod *, int priority);
void of_bridge_delete_rule(struct of_bridge *, struct of_rule *, enum of_removed_reason);

// of_evict.c: rules join and leave what eviction chooses from. Main thread.
struct of_evict;
void of_evict_add(struct of_bridge *, struct of_rule *);
void of_evict_del(struct of_bridge *, struct of_rule *);
bool of_evict_one(struct of_bridge *, uint8_t table); // false: none may go
void of_evict_start(struct of_bridge *, uint8_t table); // as is asked for and configured now
void of_evict_stop(struct of_bridge *, uint8_t table);
bool of_table_is_full(const struct of_table *);

// of_order.c: rules of one table after another's, as they are listed.
void of_rules_sort(struct of_bridge *, struct of_rule **, size_t n);

// of_own.c: once, when nobody reads the tables yet.
void of_own_rules_add(struct of_bridge *);

// of_expire.c
void of_expire_init(struct of_bridge *);
void of_expire_destroy(struct of_bridge *);
void of_expire_add(struct of_bridge *, struct of_rule *);
void of_expire_del(struct of_rule *);
int64_t of_expire_deadline(const struct of_rule *); // ms, by what is known now; INT64_MAX: never

#endif
