// SPDX-License-Identifier: Apache-2.0
// What a bridge has learned, kept over configuration snapshots: its MAC table, and the counters of its patch ports.
//
// Readers (any thread, in an RCU section) look addresses up without a lock; learning, ageing and flushing take the table's mutex. Whoever depends on an address is told
// through the change callback, which runs on the thread that changed the table, without the mutex.
#ifndef SLOWPATH_BRIDGE_STATE_H
#define SLOWPATH_BRIDGE_STATE_H 1

#include "lib/base/list.h"
#include "lib/base/thread.h"
#include "lib/base/util.h"

struct cds_lfht;
struct str;
struct sp_bridge_state;

#define MAC_NO_PORT UINT32_MAX

struct mac_limits {
    int aging_s;
    unsigned max_entries; // 0: the default of 8192
};

// Address `mac` in VLAN `vlan` changed its port, appeared or went.
typedef void mac_changed_cb(void *aux, struct sp_bridge_state *, uint16_t vlan, const struct mac *);

struct sp_bridge_state *sp_bridge_state_ref(struct sp_bridge_state *);
// Set once by the cache that serves the bridge; NULL: nobody.
void sp_bridge_state_on_change(struct sp_bridge_state *, mac_changed_cb *, void *aux);

// OpenFlow port where the address was seen, or MAC_NO_PORT. RCU section.
uint32_t sp_mac_lookup(const struct sp_bridge_state *, uint16_t vlan, const struct mac *);
struct mac_seen { // a frame from `mac` came in by `ofp_port` at `now` (ms)
    uint16_t vlan;
    const struct mac *mac;
    uint32_t ofp_port;
    int64_t now;
};
// Notes where an address was seen. True: the table changed. RCU section.
bool sp_mac_learn(struct sp_bridge_state *, const struct mac_limits *, const struct mac_seen *);
// An address that stays where it is told to be, in place of what was learned. Returns the other port at which it was static, or MAC_NO_PORT.
uint32_t sp_mac_add_static(struct sp_bridge_state *, uint16_t vlan, const struct mac *, uint32_t ofp_port);
bool sp_mac_del_static(struct sp_bridge_state *, uint16_t vlan, const struct mac *); // false: there is none
// Forgets entries not used for limits->aging_s; returns how many.
size_t sp_mac_expire(struct sp_bridge_state *, const struct mac_limits *, int64_t now);
// Forgets all learned entries, or those of one port (ofp_port != MAC_NO_PORT).
size_t sp_mac_flush(struct sp_bridge_state *, uint32_t ofp_port);
size_t sp_mac_count(const struct sp_bridge_state *);
struct mac_stats {
    uint64_t learned, expired, evicted, moved;
    size_t n_static;
};
void sp_mac_stats(struct sp_bridge_state *, struct mac_stats *);
void sp_mac_stats_clear(struct sp_bridge_state *);
// Lines of fdb/show, most recently used last, under its heading.
void sp_mac_format(struct sp_bridge_state *, int64_t now, const char *(*port_name)(uint32_t ofp_port, void *aux), void *aux,
                struct str *out);

// Patch ports have no device that counts for them: their traffic is credited like that of rules.
struct patch_counters {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};
void sp_patch_credit(struct sp_bridge_state *, uint32_t ofp_port, const struct patch_counters *add);
void sp_patch_read(struct sp_bridge_state *, uint32_t ofp_port, struct patch_counters *);

#endif
