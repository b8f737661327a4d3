// SPDX-License-Identifier: Apache-2.0
// The packet path as the composition root sees it: datapaths, their threads and the flow cache. All functions: main thread.
#ifndef SLOWPATH_SP_H
#define SLOWPATH_SP_H 1

#include "slowpath/sp_config.h"

struct loop;
struct of_port_stats;

// Registers struct of_ops with ofproto and the unixctl commands (ofproto/trace, fdb/*, upcall/*, revalidator/*, dpif/*, dpctl/*, offload/* …).
void sp_init(struct loop *);
// Datapaths that no bridge of the snapshot uses go, with their threads and filters. Called after each reconciliation.
void sp_tidy(void);
// Stops threads. `cleanup`: flows and datapath ports are removed; otherwise they stay and keep forwarding for the next start to adopt.
void sp_exit(bool cleanup);

// The tables hold what the configuration says: from now on packets are handled, and what an earlier run left in the datapaths is adopted or removed.
// Called after each reconciliation; does nothing while the snapshot's restore_wait is set.
void sp_ready(void);

// A controller changed a port's configuration (port_mod): the composition root sets the device up or down and publishes a snapshot with the new
// bits before it returns. Negative errno: the change is refused.
typedef int sp_port_config_cb(struct of_bridge *, uint32_t ofp_port, uint32_t config);
void sp_on_port_config(sp_port_config_cb *);
// Counters of a port that has a Linux device: the composition root follows devices. 0 or -errno. Main thread.
typedef int sp_port_counters_cb(struct of_bridge *, uint32_t ofp_port, struct dp_port_counters *);
void sp_on_port_counters(sp_port_counters_cb *);

// The one datapath of a type ("system", "netdev", "dummy"): opened at first use, with its cache, handlers, revalidators. NULL with *error (a sentence to free).
struct sp_dp *sp_dp_get(const char *type, char **error);
const char *sp_dp_type(const struct sp_dp *);
const struct dp_ops *sp_dp_ops(const struct sp_dp *);
struct dp *sp_dp_handle(struct sp_dp *);
const struct dp_features *sp_dp_features(const struct sp_dp *);

// Learned state of a bridge, kept over snapshots.
struct sp_bridge_state *sp_bridge_state_new(const char *name);
void sp_bridge_state_unref(struct sp_bridge_state *);

#endif
