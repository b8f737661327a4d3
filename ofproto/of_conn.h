// SPDX-License-Identifier: Apache-2.0
// The OpenFlow connections of one bridge: controllers, the management socket, snoops; what is said to all of them. Main thread.
#ifndef OFPROTO_OF_CONN_H
#define OFPROTO_OF_CONN_H 1

#include "ofproto/of_bridge.h"
#include "ofproto/of_msg.h"

struct of_conns;

struct of_conns *of_conns_new(struct of_bridge *, struct loop *);
void of_conns_free(struct of_conns *);
// Connects, listens and closes so that the connections are those of the configuration. NULL, or an error sentence to free.
char *of_conns_configure(struct of_conns *, const struct of_bridge_config *);
void of_conns_reconnect(struct of_conns *);
size_t of_conns_status(const struct of_conns *, struct of_controller_status[], size_t max);
// Any controller (service connections don't count) connected now / configured at all.
bool of_conns_any_connected(const struct of_conns *);

// Asynchronous messages, to whoever wants them.
void of_conns_flow_removed(struct of_conns *, const struct of_rule *, enum of_removed_reason);
void of_conns_port_status(struct of_conns *, enum of_port_reason, const struct of_port_desc *);
void of_conns_packet_in(struct of_conns *, const struct of_packet_in *);
// Does a connection from before OpenFlow 1.3 want packets that no rule takes?
bool of_async_wants_misses(const struct of_conns *);

#endif
