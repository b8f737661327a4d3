// SPDX-License-Identifier: Apache-2.0
// The composition root: the database's configuration becomes bridges, ports and one snapshot for the packet path; what the switch is doing
// goes back into status columns. Everything runs on the main loop.
//
//   main.c      options, start, the loop, exit
//   reconcile.c database → bridges and interfaces, in order
//   bridge.c    one bridge: life, MAC, datapath id, default rules, controllers
//   iface.c     one interface: datapath port, OpenFlow number, link state
//   inband.c    who the switch talks to through its own ports
//   snapshot.c  bridges and interfaces → struct sp_config
//   status.c    status and statistics columns → database
//   control.c   unixctl commands about bridges
#ifndef TOOLS_VSWITCHD_VSWITCHD_H
#define TOOLS_VSWITCHD_VSWITCHD_H 1

#include "lib/base/hmap.h"
#include "lib/net/link.h"
#include "ofproto/of_bridge.h"
#include "ovsdb/idl.h"
#include "slowpath/sp.h"
#include "slowpath/udp.h"

// OpenFlow 1.0's number of the local port: what the database's ofport shows.
#define VSW_DB_PORT_LOCAL 65534
#define VSW_MAX_OFPORT 0xfeff

struct vsw_iface {
    struct hmap_node by_name;  // in vsw_bridge.ifaces
    struct hmap_node by_ofp;   // in vsw_bridge.ofports, once it has a number
    struct vsw_bridge *bridge;
    char *name;
    char *type;           // as configured; "" became "system"
    char *error;          // why it is not set up, a sentence; NULL: fine
    uint32_t ofp_port;    // OF_PORT_ANY: none yet
    uint32_t last_ofp_port; // what it had before its device went: rules that name it are good again when it is back
    uint32_t dp_port;     // DP_PORT_NONE: none (patch, failed)
    bool is_local;        // the bridge's own port
    bool is_patch;
    bool lacks_peer;      // a patch port that nothing answers
    bool in_of;           // ofproto knows the port
    struct of_port_desc desc;
    // Of this turn of reconcile(); valid until the loop turns.
    const struct idl_interface *cfg;
    const struct idl_port *port_cfg;
    // Link state as last seen.
    int ifindex;
    struct mac mac;
    unsigned mtu;
    bool up, carrier, has_link;
    int64_t link_resets;
    uint64_t carrier_changes;
    struct link_driver driver;
    bool driver_known;
    uint32_t unsupported, port_unsupported; // unsupported.c
};

struct vsw_bridge {
    struct hmap_node by_name; // in vsw.bridges
    char *name;
    char *dp_type; // in use: "system", "netdev", "dummy"
    struct of_bridge *of;
    struct sp_dp *dp;
    struct sp_bridge_state *state;
    uint32_t number;
    struct mac mac;
    uint64_t dpid;
    bool had_controllers, was_secure, started;
    uint32_t next_ofport;
    struct of_inband_remote *remotes; // inband.c
    size_t n_remotes;
    int64_t inband_queue;
    uint32_t unsupported; // unsupported.c
    struct hmap ifaces;  // vsw_iface.by_name
    struct hmap ofports; // vsw_iface.by_ofp
    const struct idl_bridge *cfg; // of this turn of reconcile()
};

struct vsw {
    struct loop *loop;
    struct idl *idl;
    struct link_cache *links; // NULL without (dummy only)
    enum udp_dummies dummy;
    struct hmap bridges; // vsw_bridge.by_name
    uint32_t next_number;
    uint64_t seen_seqno;
    bool reconcile_wanted, status_wanted, stats_wanted;
    bool configured; // at least once
    bool idle;       // the database has no first record yet (ovs-vsctl init): nothing to do
    struct idl_txn *txn;
    int64_t txn_cfg, done_cfg; // next_cfg that the transaction reports; that has been reached
    struct loop_timer *stats_timer, *retry_timer;
    struct loop_hook *hook;
    bool system_missing; // said once that there is no kernel datapath
    bool exiting, cleanup;
};

extern struct vsw vsw;

// reconcile.c
void vsw_reconcile(void);
struct vsw_bridge *vsw_bridge_find(const char *name);

// bridge.c
struct vsw_bridge *vsw_bridge_new(const struct idl_bridge *, const char *dp_type, char **error);
void vsw_bridge_free(struct vsw_bridge *, bool del_ports);
void vsw_bridge_choose_mac(struct vsw_bridge *);
void vsw_bridge_configure_of(struct vsw_bridge *);
void vsw_bridge_configure_tables(struct vsw_bridge *);
const char *vsw_bridge_dp_type(const struct idl_bridge *, char **error);

// iface.c
struct vsw_iface *vsw_iface_new(struct vsw_bridge *, const struct idl_interface *, const struct idl_port *);
void vsw_iface_free(struct vsw_iface *, bool del_port);
// Datapath port and OpenFlow number; sets iface->error when it fails.
void vsw_iface_open(struct vsw_iface *);
void vsw_iface_set_ofport(struct vsw_iface *, uint32_t ofp_port); // OF_PORT_ANY: none
struct vsw_iface *vsw_iface_by_ofport(const struct vsw_bridge *, uint32_t ofp_port);
struct vsw_iface *vsw_iface_find(const struct vsw_bridge *, const char *name);
// Reads link state; true when something users see has changed.
bool vsw_iface_refresh(struct vsw_iface *);
// MAC, MTU and the like as configured.
void vsw_iface_apply_settings(struct vsw_iface *);
void vsw_iface_update_of(struct vsw_iface *);
int vsw_iface_port_config(struct of_bridge *, uint32_t ofp_port, uint32_t config); // sp_port_config_cb
int vsw_iface_port_counters(struct of_bridge *, uint32_t ofp_port, struct dp_port_counters *); // sp_port_counters_cb
int vsw_iface_counters(const struct vsw_iface *, struct link_counters *);

// inband.c
void vsw_inband_configure(struct vsw_bridge *, const struct idl_open_vswitch *);

// unsupported.c
void vsw_tell_unsupported(struct vsw_bridge *);

// snapshot.c
void vsw_publish_snapshot(void);

// status.c
void vsw_status_init(void);
void vsw_status_run(void); // writes what is wanted, follows the transaction

// control.c
void vsw_control_init(void);

#endif
