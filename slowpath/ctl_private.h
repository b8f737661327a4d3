// SPDX-License-Identifier: Apache-2.0
// What the files of unixctl commands share: datapaths and ports by name. Main thread.
#ifndef SLOWPATH_CTL_PRIVATE_H
#define SLOWPATH_CTL_PRIVATE_H 1

#include "lib/flow/dp_ops.h"
#include "slowpath/sp_private.h"

struct sp_bridge;
struct str;
struct unixctl_conn;

// The bridge, or NULL and the request is answered. In an RCU section.
const struct sp_bridge *sp_ctl_bridge(struct unixctl_conn *, const char *name);
// OpenFlow ports of a bridge by name (aux: struct sp_bridge), datapath ports (aux: struct sp_dp).
// In an RCU section.
bool sp_ctl_ofport_by_name(const char *name, uint32_t *ofp_port, void *bridge);
const char *sp_ctl_port_name(uint32_t dp_port, void *dp);
bool sp_ctl_port_by_name(const char *name, uint32_t *dp_port, void *dp);

// A datapath that a command is about: one that serves bridges, one that dpctl/add-dp made, or one
// of the kernel's.
struct sp_target {
    const char *type;
    char name[32];
    const struct dp_ops *ops;
    struct dp *dp;
    struct dp_channel *ch;      // NULL until sp_target_channel()
    struct sp_dp *sp;           // NULL: serves no bridge
    bool opened;                // closed by sp_target_close()
    struct dp_port_info *ports; // sp_target_ports()
    size_t n_ports;
};
// "type@name", "name" of type system, or "type" of one that serves bridges; NULL: the only one
// there is. 0 or -errno: -ENODEV, -EAFNOSUPPORT, -EINVAL (how many there are is said in `why`,
// which may be NULL).
int sp_target_open(const char *name, struct sp_target *, struct str *why);
int sp_target_channel(struct sp_target *);
void sp_target_close(struct sp_target *);
// Its ports, by number, as they are now. Kept until it is closed.
void sp_target_ports(struct sp_target *);
const char *sp_target_port_name(uint32_t port, void *target);
bool sp_target_port_by_name(const char *name, uint32_t *port, void *target);
// All datapaths, by name.
void sp_target_for_each(void (*cb)(struct sp_target *, void *aux), void *aux);
// Makes one that serves no bridge, and ends it. 0 or -errno (-EBUSY: it serves bridges).
int sp_target_create(const char *name);
int sp_target_destroy(struct sp_target *);
void sp_target_exit(void);

// "ovs-vswitchd: TEXT (why)" and a newline; error 0: no reason.
void sp_ctl_complain(struct str *, int error, const char *fmt, ...) FB_PRINTF(3, 4);
// Answers with an error when there is one, else with what was written. Frees both.
void sp_ctl_finish(struct unixctl_conn *, struct str *out, struct str *error);

void sp_ctl_flows_init(void);
void sp_ctl_dpctl_init(void);

#endif
