// SPDX-License-Identifier: Apache-2.0
// Linux network devices as the main loop sees them: a cache kept by rtnetlink notifications, ethtool facts, and the few settings a
// switch makes. Owner: main thread.
#ifndef LIB_NET_LINK_H
#define LIB_NET_LINK_H 1

#include "lib/base/util.h"

struct loop;
struct link_cache;

struct link_counters {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors, rx_frame_err, rx_over_err, rx_crc_err,
        rx_missed, tx_aborted, tx_carrier, collisions, multicast;
};

struct link {
    int ifindex;
    char name[16];
    char kind[16]; // "veth", "vxlan", "openvswitch", "tun" …; "" for plain devices
    struct mac mac;
    unsigned mtu;
    unsigned min_mtu, max_mtu; // 0: unknown
    bool up;       // administratively
    bool carrier;  // operationally
    bool loopback;
    int master;    // ifindex, 0: none
    uint64_t carrier_changes;
    struct link_counters counters; // as of the last notification: link_read_counters() reads them now
};

struct link_driver { // ethtool; "" or 0 when unknown
    char driver[32], version[32], firmware[32], bus_info[32];
    uint32_t speed_mbps; // 0: unknown
    bool full_duplex;
    uint32_t of_curr, of_advertised, of_supported, of_peer; // link modes as OpenFlow 1.1 port feature bits
};

// Follows all links of this network namespace; `changed` is called (coalesced) after any change. 0 or -errno.
int link_cache_new(struct loop *, void (*changed)(void *aux), void *aux, struct link_cache **);
void link_cache_free(struct link_cache *);
// Reads what has arrived already, so that a device made a moment ago is seen.
void link_sync(struct link_cache *);
// Valid until the loop turns again. NULL: no such device.
const struct link *link_by_name(struct link_cache *, const char *name);
const struct link *link_by_index(struct link_cache *, int ifindex);
void link_for_each(struct link_cache *, void (*cb)(const struct link *, void *aux), void *aux);
// Counters of one device, now. 0 or -errno.
int link_read_counters(struct link_cache *, const char *name, struct link_counters *);

// Settings, synchronous. 0 or -errno.
int link_set_mac(struct link_cache *, const char *name, const struct mac *);
int link_set_mtu(struct link_cache *, const char *name, unsigned mtu);
int link_set_up(struct link_cache *, const char *name, bool up);

int link_driver_get(const char *name, struct link_driver *);
bool link_hw_tc_offload(const char *name); // the ethtool feature is on

#endif
