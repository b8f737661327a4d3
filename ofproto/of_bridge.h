// SPDX-License-Identifier: Apache-2.0
// The OpenFlow state of one bridge: tables, rules, ports, controllers. Knows no packet path: that registers struct of_ops.
//
// Owner: the main loop writes everything. Handlers and revalidators read tables and rules inside rcu_begin()/rcu_end(); rule counters are atomic.
#ifndef OFPROTO_OF_BRIDGE_H
#define OFPROTO_OF_BRIDGE_H 1

#include "lib/base/hmap.h"
#include "lib/base/list.h"
#include "lib/flow/classifier.h"
#include "ofproto/of_types.h"

struct loop;
struct of_bridge;
struct of_conn;
struct of_rule;
struct packet;
struct str;

// What a rule does; immutable, shared, freed by RCU.
struct of_rule_actions {
    uint32_t refs; // atomic
    bool has_meter;
    bool has_learn;
    struct of_actions acts;
};

struct of_rule {
    struct cls_rule cr;
    struct of_bridge *bridge;
    struct of_rule_actions *actions; // RCU
    struct cds_list_head by_cookie;  // owner: main; in of_bridge's index
    struct cds_list_head expirable;  // owner: main; in of_bridge when a timeout is set
    be64_t cookie;
    uint64_t packets, bytes; // atomic: of_rule_credit()
    int64_t used;            // atomic, ms on clock_now()'s scale
    int64_t created, modified, ended; // ended: once removed
    uint32_t refs; // atomic; the table holds one
    uint16_t idle_timeout, hard_timeout; // s, 0: none
    uint16_t importance;
    uint32_t serial; // owner: main; grows with each insertion and change in the bridge
    uint8_t flags; // enum of_flow_flags
    uint8_t table;
    uint8_t removed_reason; // enum of_removed_reason, once removed
    bool removed;           // atomic
    void *path;   // owner: the packet path (its index of cached flows by rule)
    struct of_evict_entry *evict; // owner: main
};

// --- Tables, for the packet path (any thread, inside an RCU section). ---

uint64_t of_bridge_version(const struct of_bridge *); // of the tables, for lookups
// Winner in a table, or NULL on a miss; wc gains the examined bits. Counts nothing.
const struct of_rule *of_bridge_lookup(const struct of_bridge *, uint64_t version, uint8_t table,
                                       const struct flow_key *, struct flow_mask *wc);
enum of_table_miss { OF_MISS_DEFAULT, OF_MISS_CONTROLLER, OF_MISS_CONTINUE, OF_MISS_DROP };
// By default packets go to controllers while some connection of OpenFlow 1.0 to 1.2 wants them, else nowhere.
enum of_table_miss of_bridge_table_miss(const struct of_bridge *, uint8_t table);
// What is done with IP fragments (ovs-ofctl set-frags): ports and ICMP types are taken for 0; dropped; or as they are.
enum of_frags { OF_FRAGS_NORMAL = 0, OF_FRAGS_DROP = 1, OF_FRAGS_NX_MATCH = 3 };
enum of_frags of_bridge_frags(const struct of_bridge *);
// Rules of the switch's own in table OF_TABLE_OWN, which count what no other rule took: packets that went to controllers,
// that were dropped, fragments that were dropped.
enum of_own_rule { OF_OWN_RESUBMITTED, OF_OWN_CONTROLLER, OF_OWN_DROP, OF_OWN_FRAGMENT, OF_N_OWN_RULES };
struct of_rule *of_bridge_own_rule(const struct of_bridge *, enum of_own_rule);
// Table counters: lookups and matches.
void of_bridge_table_credit(struct of_bridge *, uint8_t table, uint64_t hits, uint64_t misses);
// Who credits may do so after of_bridge_free() while it holds a reference; tables and ports have gone then. Any thread.
void of_bridge_ref(struct of_bridge *);
void of_bridge_unref(struct of_bridge *); // freed after a grace period when it was the last
void of_rule_ref(const struct of_rule *);
void of_rule_unref(const struct of_rule *); // frees after a grace period when it was the last
void of_rule_credit(struct of_rule *, uint64_t packets, uint64_t bytes, int64_t used);

// --- Ports. ---

void of_bridge_port_add(struct of_bridge *, const struct of_port_desc *); // sends port-status
void of_bridge_port_update(struct of_bridge *, const struct of_port_desc *);
void of_bridge_port_del(struct of_bridge *, uint32_t port);
const struct of_port_desc *of_bridge_port(const struct of_bridge *, uint32_t port); // main thread

// --- What ofproto needs of the packet path. Called by the main thread. ---

enum of_change_kind { OF_RULE_ADDED, OF_RULE_REMOVED, OF_RULE_MODIFIED }; // modified: other actions

struct of_change {
    enum of_change_kind kind;
    struct of_rule *rule; // referenced for the call
};

struct of_packet_out {
    struct packet *packet; // may be changed
    const struct flow_key *metadata; // in_port (OpenFlow) and other pipeline fields
    const struct of_actions *actions;
};

struct of_ops {
    void (*bridge_attached)(struct of_bridge *);
    void (*bridge_detached)(struct of_bridge *);
    // Many changes at once, already visible to lookups of the new version.
    void (*rules_changed)(struct of_bridge *, const struct of_change *, size_t n);
    int (*packet_out)(struct of_bridge *, const struct of_packet_out *); // 0 or an OpenFlow error
    // Makes rule and table counters as fresh as one sweep makes them, before statistics are read.
    void (*refresh_stats)(struct of_bridge *);
    int (*port_stats)(struct of_bridge *, uint32_t port, struct of_port_stats *);
    // port_mod: the new bits are in of_bridge_port() and are to take effect before this returns;
    // an error takes them back.
    int (*port_config)(struct of_bridge *, uint32_t port, uint32_t config);
    void (*flush)(struct of_bridge *); // forget cached flows and learned addresses
    void (*retranslate)(struct of_bridge *); // something else than rules changed: what is done with misses, or fragments
};

void of_ops_register(const struct of_ops *);

// --- What the packet path tells ofproto. ---

struct of_packet_in {
    const void *data;
    size_t len;
    uint16_t max_len; // asked for by the action; 0xffff: whole
    uint16_t controller_id;
    enum of_packet_in_reason reason;
    uint8_t table;
    be64_t cookie;
    bool miss_rule; // by a table-miss entry (OpenFlow 1.3 reason mapping)
    bool no_rule;   // no rule took the packet: connections of OpenFlow 1.3 and later don't hear of it
    const struct flow_key *metadata; // pipeline fields; in_port is an OpenFlow port
    const uint8_t *userdata;
    size_t userdata_len;
};

// Any thread: queued to the main loop (copies).
void of_bridge_packet_in(struct of_bridge *, const struct of_packet_in *);

// --- Configuration (tools/vswitchd; main thread). ---

enum of_fail_mode { OF_FAIL_STANDALONE, OF_FAIL_SECURE };

struct of_controller {
    const char *target;   // "tcp:…", "unix:…", "ptcp:…", "punix:…", "ssl:…"
    int max_backoff_ms, probe_ms;
    bool service; // management socket: no fail mode, does not count as a controller
    int rate_limit, burst_limit;
    bool enable_async;
};

struct of_bridge_config {
    uint64_t dpid;
    enum of_fail_mode fail_mode;
    uint32_t versions; // allowed, OF_VERSION_BIT()s
    const struct of_controller *controllers;
    size_t n_controllers;
    const char *mfr_desc, *hw_desc, *sw_desc, *serial_desc, *dp_desc;
    const char *mgmt_path, *snoop_path; // absolute; NULL: none
};

struct of_bridge *of_bridge_new(struct loop *, const char *name, uint64_t dpid);
void of_bridge_free(struct of_bridge *);
// NULL, or an error sentence to free; what could be applied was.
char *of_bridge_configure(struct of_bridge *, const struct of_bridge_config *);
// In-band control (of_inband.c). Copies nothing.
struct of_inband_remote { // a controller or a manager
    be32_t ip;
    uint16_t port;
    bool has_hop;
    struct mac hop; // link address of the first hop on the way there
};
struct of_inband {
    const struct of_inband_remote *remotes;
    size_t n; // 0: none
    bool has_local;
    struct mac local; // of the local port
    int64_t queue;    // for what it lets through; -1: none
};
void of_bridge_set_inband(struct of_bridge *, const struct of_inband *);
const char *of_bridge_name(const struct of_bridge *);
void *of_bridge_path(const struct of_bridge *); // the packet path's own
void of_bridge_set_path(struct of_bridge *, void *);
struct of_bridge *of_bridge_find(const char *name);

struct of_controller_status { // for the Controller table
    const char *target;
    bool is_connected;
    const char *role;       // "master", "slave", "other"
    const char *state;      // "ACTIVE", "BACKOFF", …
    int sec_since_connect, sec_since_disconnect; // -1: never
    const char *last_error; // NULL: none
};
void of_bridge_reconnect(struct of_bridge *); // drops and makes anew every controller connection
size_t of_bridge_controller_status(const struct of_bridge *, struct of_controller_status[], size_t max);

// Table Flow_Table: a name for controllers, most rules (UINT32_MAX: no limit), and whether and among which groups of rules one goes
// for a new one in a full table.
struct of_table_config {
    const char *name; // NULL: none
    uint32_t max_flows;
    bool evict;
    struct subfield *groups;
    size_t n_groups;
};
void of_bridge_configure_table(struct of_bridge *, uint8_t table, const struct of_table_config *);

// Rules by typed request: what a flow-mod message becomes; also for vswitchd's own rule (standalone NORMAL) and learn().
int of_bridge_flow_mod(struct of_bridge *, const struct of_flow_mod *); // 0 or enum of_error
// Counters as fresh as the packet path can make them.
void of_bridge_refresh_stats(struct of_bridge *);
void of_bridge_flush_rules(struct of_bridge *); // all but hidden ones
size_t of_bridge_n_rules(const struct of_bridge *);
size_t of_bridge_n_hidden(const struct of_bridge *);
// Walks all rules (main thread): bridge/dump-flows, audit.
void of_bridge_for_each_rule(struct of_bridge *, bool (*cb)(struct of_rule *, void *aux), void *aux);
// One rule without its table's number as bridge/dump-flows prints it.
void of_rule_format(const struct of_rule *, struct str *out);

#endif
