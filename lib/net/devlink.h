// SPDX-License-Identifier: Apache-2.0
// devlink: what a NIC says about itself and its ports. A representor is told by the flavour and
// numbers of its port, never by the name of its device. Source: linux/devlink.h.
#ifndef LIB_NET_DEVLINK_H
#define LIB_NET_DEVLINK_H 1

#include "lib/base/util.h"

struct nlk_sock;

struct devlink_port {
    char device[64];  // "pci/0000:03:00.0"
    uint32_t index;   // of the port in the device
    int ifindex;      // its network device, 0: none
    char flavour[16]; // "physical" "cpu" "dsa" "pcipf" "pcivf" "pcisf" "virtual" "unused"; "" when
                      // unknown
    int controller, pf, vf, sf; // -1: none
};

struct devlink_info {
    char driver[32];
    char firmware[32]; // running version; "" when unknown
};

// All functions: a generic netlink socket of the calling thread; 0 or -errno (-ENOENT: no devlink
// in this kernel).
int devlink_ports(struct nlk_sock *, void (*cb)(const struct devlink_port *, void *aux), void *aux);
// "legacy", "switchdev"; "" where the device has no eswitch.
int devlink_eswitch_mode(struct nlk_sock *, const char *device, char mode[16]);
int devlink_info_get(struct nlk_sock *, const char *device, struct devlink_info *);

#endif
