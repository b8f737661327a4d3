// SPDX-License-Identifier: Apache-2.0
// Private to ovs-dpctl: looks at and changes the kernel's datapaths directly (ovs-dpctl(8)).
#ifndef TOOLS_DPCTL_DPCTL_H
#define TOOLS_DPCTL_DPCTL_H 1

#include "kdatapath/kd.h"
#include "lib/base/cmdline.h"
#include "lib/base/str.h"
#include "lib/flow/dp_command.h"

struct dpctl_options {
    bool statistics, more, names, no_names, may_create, read_only, zero;
};
extern struct dpctl_options dpctl_options;

// "system@NAME" or NAME; ends the program with a sentence when it cannot.
struct dp *dpctl_open(const char *name, const char *what);
// The argument after the command when there are more than `others` of them, else the only datapath.
struct dp *dpctl_open_optional(struct cmdline_ctx *, int others);
// Is this the name of a datapath?
bool dpctl_is_datapath(const char *name);

// Names of a datapath's ports, as they are now.
struct dpctl_ports;
struct dpctl_ports *dpctl_ports_read(struct dp *);
void dpctl_ports_free(struct dpctl_ports *);
dp_port_namer dpctl_port_name; // aux: struct dpctl_ports
dp_port_finder dpctl_port_by_name;

// port_cmd.c
void dpctl_add_dp(struct cmdline_ctx *);
void dpctl_del_dp(struct cmdline_ctx *);
void dpctl_dump_dps(struct cmdline_ctx *);
void dpctl_add_if(struct cmdline_ctx *);
void dpctl_set_if(struct cmdline_ctx *);
void dpctl_del_if(struct cmdline_ctx *);
// show_cmd.c
void dpctl_show(struct cmdline_ctx *);
void dpctl_cache_get_size(struct cmdline_ctx *);
void dpctl_cache_set_size(struct cmdline_ctx *);
// flow_cmd.c
void dpctl_dump_flows(struct cmdline_ctx *);
void dpctl_add_flow(struct cmdline_ctx *);
void dpctl_mod_flow(struct cmdline_ctx *);
void dpctl_get_flow(struct cmdline_ctx *);
void dpctl_del_flow(struct cmdline_ctx *);
void dpctl_add_flows(struct cmdline_ctx *);
void dpctl_mod_flows(struct cmdline_ctx *);
void dpctl_del_flows(struct cmdline_ctx *);
void dpctl_parse_actions(struct cmdline_ctx *);

#endif
