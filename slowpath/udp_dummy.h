// SPDX-License-Identifier: Apache-2.0
// Dummy ports as their commands see them. Main thread.
#ifndef SLOWPATH_UDP_DUMMY_H
#define SLOWPATH_UDP_DUMMY_H 1

#include "slowpath/udp_private.h"

enum udp_pcap_kind { UDP_PCAP_BOTH, UDP_PCAP_TX, UDP_PCAP_RX, UDP_N_PCAPS };

struct udp_dummy {
    struct mutex mutex;
    struct mac mac GUARDED_BY(mutex);
    unsigned mtu GUARDED_BY(mutex);
    bool up GUARDED_BY(mutex);
    struct dp_port_counters counters GUARDED_BY(mutex);
    struct { // owner of path: main
        struct udp_pcap *file;
        char *path;
    } pcaps[UDP_N_PCAPS] GUARDED_BY(mutex);
};

void udp_dummy_receive(struct udp_port *, struct packet *take);
void udp_dummy_set_up(struct udp_port *, bool up);

#endif
