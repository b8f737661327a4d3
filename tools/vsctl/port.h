// SPDX-License-Identifier: Apache-2.0
// New ports, with one interface or as bonds.
#ifndef TOOLS_VSCTL_PORT_H
#define TOOLS_VSCTL_PORT_H 1

#include "tools/vsctl/vsctl.h"

struct vsctl_new {
    const char *bridge, *port;
    const char **ifaces;
    size_t n;
    char **settings; // COLUMN[:KEY]=VALUE of the Port
    int n_settings;
    bool fake_iface;
};
void vsctl_add_port(struct vsctl *, struct vsctl_cmd *, const struct vsctl_new *);

#endif
