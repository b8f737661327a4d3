// SPDX-License-Identifier: Apache-2.0
// The packet path's view of the configuration: one immutable snapshot built by tools/vswitchd from the database and published by RCU. Handlers,
// revalidators and the main loop read the same one; nothing is kept in step by hand.
//
// Ownership: sp_config_publish() takes the snapshot; the old one is freed after a grace period. Learned state (MAC tables) lives in struct sp_bridge_state, which
// snapshots share by reference.
#ifndef SLOWPATH_SP_CONFIG_H
#define SLOWPATH_SP_CONFIG_H 1

#include "lib/base/hmap.h"
#include "lib/flow/dp_ops.h"

struct of_bridge;
struct sp_bridge;
struct sp_bridge_state; // MAC learning and other learned state, by bridge
struct sp_dp;

enum sp_vlan_mode { SP_VLAN_ACCESS, SP_VLAN_TRUNK, SP_VLAN_NATIVE_TAGGED, SP_VLAN_NATIVE_UNTAGGED, SP_VLAN_DOT1Q_TUNNEL };

enum sp_port_kind { SP_PORT_DEVICE, SP_PORT_INTERNAL, SP_PORT_PATCH, SP_PORT_TUNNEL };

// One Port record: one interface, or the members of a bond.
struct sp_bundle {
    char name[64];
    enum sp_vlan_mode vlan_mode;
    int tag;                 // access or native VLAN; -1: none
    unsigned long *trunks;   // 4096 bits; NULL: all
    bool priority_tags;      // send the 802.1p tag of VLAN 0
    bool protect;            // "protected": no traffic between protected ports
    struct sp_port **ports;  // one without bonding
    size_t n_ports;
    struct sp_bridge *bridge;
};

struct sp_port { // one Interface record
    struct hmap_node by_ofp;  // in sp_bridge.ports
    struct hmap_node by_dp;   // in sp_config.dp_ports, unless dp_port is DP_PORT_NONE
    struct hmap_node by_name; // in sp_config.names
    struct sp_bridge *bridge;
    struct sp_bundle *bundle; // NULL: takes no part in NORMAL
    char name[16];
    enum sp_port_kind kind;
    uint32_t ofp_port; // host order
    uint32_t dp_port;  // host order; DP_PORT_NONE for patch ports
    int ifindex;
    struct sp_port *peer; // patch: the other end, or NULL while there is none
    struct mac hw_addr;
    uint32_t of_config; // enum of_port_config bits
    bool up;            // may forward (link and administrative state)
};

struct sp_bridge {
    struct hmap_node by_name;
    char name[64];
    uint32_t number; // stable while the bridge exists: travels in dp_act_userspace.ofproto
    struct of_bridge *of;
    struct sp_dp *dp;
    struct sp_bridge_state *state; // referenced
    struct mac mac;
    struct hmap ports; // sp_port.by_ofp
    struct sp_port **by_number; // the same, LOCAL first, then by OpenFlow number: the order of floods
    size_t n_ports;
    struct sp_bundle **bundles; // once published: by their first ports, in the same order
    size_t n_bundles;
    int mac_aging_s;
    unsigned mac_table_size;
    bool forward_bpdu;
    unsigned long *flood_vlans; // 4096 bits: VLANs without learning; NULL: none
    bool secure;                // fail mode secure: no packet-in nor NORMAL on a miss by default
    struct sp_config *config;   // the snapshot it belongs to
};

struct sp_config {
    struct hmap bridges;  // sp_bridge.by_name
    struct hmap dp_ports; // sp_port.by_dp: hash of (dp, port)
    struct hmap names;    // sp_port.by_name
    uint64_t seq;
    // other_config of Open_vSwitch.
    unsigned n_handlers, n_revalidators; // 0: by number of cores
    unsigned max_idle_ms, flow_limit;
    unsigned max_revalidator_ms; // 0: the revalidator chooses
    bool restore_wait; // the tables are still being restored: caches are left alone, packets wait
    bool hw_offload;
    uint8_t tc_policy; // enum sp_tc_policy
    unsigned offload_rate, offload_in_flight; // per second; at once; 0: default
};

enum sp_tc_policy { SP_TC_NONE, SP_TC_SKIP_SW, SP_TC_SKIP_HW };

struct sp_config *sp_config_new(void);
void sp_config_free(struct sp_config *); // one that was never published
// Set `dp` before adding ports: their index needs it. `state` becomes the snapshot's reference (sp_bridge_state_ref()).
struct sp_bridge *sp_config_add_bridge(struct sp_config *, const char *name);
struct sp_bundle *sp_config_add_bundle(struct sp_bridge *, const char *name);
struct sp_port *sp_config_add_port(struct sp_bridge *, struct sp_bundle *, const char *name, uint32_t ofp_port,
                                   uint32_t dp_port); // bundle may be NULL

// Lookups (any thread inside an RCU section, or main).
const struct sp_config *sp_config_get(void);
const struct sp_port *sp_config_dp_port(const struct sp_config *, const struct sp_dp *, uint32_t dp_port);
const struct sp_bridge *sp_config_bridge(const struct sp_config *, const char *name);
const struct sp_bridge *sp_config_bridge_number(const struct sp_config *, uint32_t number);
const struct sp_port *sp_bridge_port(const struct sp_bridge *, uint32_t ofp_port);
// How many flows the cache may hold: what was last set here, 0: what is configured. config may be NULL. Any thread.
void sp_config_set_flow_limit(unsigned);
unsigned sp_config_flow_limit(const struct sp_config *);
void sp_config_publish(struct sp_config *take); // and marks dependent cached flows for revalidation

#endif
