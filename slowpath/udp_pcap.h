// SPDX-License-Identifier: Apache-2.0
// Capture files that tcpdump and wireshark read (pcap, classic format, Ethernet): what dummy ports
// send and receive.
#ifndef SLOWPATH_UDP_PCAP_H
#define SLOWPATH_UDP_PCAP_H 1

#include "lib/base/util.h"

struct udp_pcap;

int udp_pcap_create(const char *path, struct udp_pcap **); // 0 or -errno; empties the file
void udp_pcap_close(struct udp_pcap *);                    // NULL allowed
// Each frame is in the file when this returns.
void udp_pcap_write(struct udp_pcap *, const void *data, size_t len);

#endif
