// SPDX-License-Identifier: Apache-2.0
// Start of the userspace datapath: how the slow path reaches it, and its commands.
#include "config.h"

#include "slowpath/udp.h"
#include "slowpath/udp_private.h"

void
udp_init(struct loop *loop, enum udp_dummies dummies)
{
    dp_ops_register(dummies == UDP_DUMMY_ALL ? &udp_as_netdev_ops : &udp_netdev_ops);
    sp_upcall_register("netdev", udp_attach);
    if (dummies) {
        dp_ops_register(&udp_dummy_ops);
        sp_upcall_register("dummy", udp_attach);
        udp_dummy_unixctl_init();
    }
    if (dummies >= UDP_DUMMY_SYSTEM) {
        dp_ops_register(&udp_as_system_ops);
        sp_upcall_register("system", udp_attach);
    }
}
