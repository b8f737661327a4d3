// SPDX-License-Identifier: Apache-2.0
// The kernel's routes and neighbours of IPv4. A socket belongs to one thread.
#ifndef LIB_NET_ROUTE_H
#define LIB_NET_ROUTE_H 1

#include "lib/base/util.h"

struct route_sock;

int route_open(struct route_sock **); // 0 or -errno
void route_close(struct route_sock *); // NULL allowed
// The link address of the first hop on the way to `ip`. 0; -ENETUNREACH and the like: there is no route; -ENOENT: the neighbour is not known (yet), or has no such address.
int route_next_hop(struct route_sock *, be32_t ip, struct mac *);

#endif
