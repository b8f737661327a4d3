// SPDX-License-Identifier: Apache-2.0
// Start of the userspace datapath: how the slow path reaches it, and its commands.
#include "config.h"

#include "slowpath/udp.h"
#include "slowpath/udp_private.h"

void
udp_init(struct loop *loop, bool dummies)
{
    sp_upcall_register("netdev", udp_attach);
    sp_upcall_register("dummy", udp_attach);
    if (dummies) {
        udp_dummy_unixctl_init();
    }
}
