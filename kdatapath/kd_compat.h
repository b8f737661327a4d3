// SPDX-License-Identifier: Apache-2.0
// linux/openvswitch.h, and what newer kernels have beyond it. Whether the running kernel knows a
// thing is found out by trying (kd_probe.c), never by #ifdef.
#ifndef KDATAPATH_KD_COMPAT_H
#define KDATAPATH_KD_COMPAT_H 1

#include <linux/openvswitch.h>

#define KD_ACTION_DROP                                                                             \
    (OVS_ACTION_ATTR_DEC_TTL + 1)            // OVS_ACTION_ATTR_DROP of Linux 6.7: u32 reason
#define KD_HASH_SYM_L4 (OVS_HASH_ALG_L4 + 1) // OVS_HASH_ALG_SYM_L4 of Linux 6.7

// Events of conntrack that are worth a notification when a connection is committed: NEW, RELATED,
// DESTROY, MARK, LABEL of enum ip_conntrack_events (linux/netfilter/nf_conntrack_common.h).
#define KD_CT_EVENTS (1u << 0 | 1u << 1 | 1u << 2 | 1u << 7 | 1u << 10)

#endif
