// SPDX-License-Identifier: Apache-2.0
// OpenFlow packet-out: a controller's packet through an action list. Main thread.
#ifndef SLOWPATH_PACKET_OUT_H
#define SLOWPATH_PACKET_OUT_H 1

struct of_packet_out;
struct sp_bridge;

int sp_packet_out(const struct sp_bridge *, const struct of_packet_out *); // 0 or -errno; RCU section

#endif
