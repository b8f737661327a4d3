// SPDX-License-Identifier: Apache-2.0
// The Linux kernel's openvswitch datapath as a place for flows: struct dp_ops "system", over generic netlink (linux/openvswitch.h).
#ifndef KDATAPATH_KD_H
#define KDATAPATH_KD_H 1

#include "lib/flow/dp_ops.h"

extern const struct dp_ops kd_dp_ops;

#endif
