// SPDX-License-Identifier: Apache-2.0
// The userspace datapath: struct dp_ops for "netdev" (AF_PACKET rings on devices, TAP for internal
// ports) and for "dummy" (ports without devices, fed through unixctl, for tests without root).
#ifndef SLOWPATH_UDP_H
#define SLOWPATH_UDP_H 1

#include "lib/flow/dp_ops.h"

struct loop;

extern const struct dp_ops udp_netdev_ops; // polling threads of its own
extern const struct dp_ops udp_dummy_ops;  // everything on the main loop, synchronously
// The same in the place of other types.
extern const struct dp_ops udp_as_system_ops, udp_as_netdev_ops;
bool udp_is_dummy(const struct dp_ops *);

// The loop that dummy ports run on, and the unixctl commands (netdev-dummy/receive …, once dummies
// are enabled). Before any open().
enum udp_dummies { UDP_NO_DUMMIES, UDP_DUMMIES, UDP_DUMMY_SYSTEM, UDP_DUMMY_ALL }; // the latter two: in the place of "system", of all types
void udp_init(struct loop *, enum udp_dummies);

// Interface options of a dummy port: files "pcap" (both directions), "tx_pcap" and "rxq_pcap".
// value NULL: not set. Main thread; other ports and options: nothing happens.
void udp_dummy_option(struct dp *, uint32_t port_no, const char *key, const char *value);
// Called, in the main thread, after a command has changed states of dummy ports.
void udp_dummy_on_state(void (*cb)(void *aux), void *aux);
// Administrative state of a dummy port. -ENODEV: another kind of port.
int udp_dummy_admin(struct dp *, uint32_t port_no, bool up);

#endif
