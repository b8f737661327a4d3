// SPDX-License-Identifier: Apache-2.0
// OpenFlow packet-out. See packet_out.h.
//
// The packet is translated like any other, beginning with the controller's actions, and executed once; nothing is cached. The rules that output:TABLE visits are credited.
#include "config.h"

#include "slowpath/packet_out.h"

#include <errno.h>

#include "lib/base/clock.h"
#include "ofproto/of_bridge.h"
#include "slowpath/execute_dp.h"
#include "slowpath/mega.h"
#include "slowpath/sp_private.h"

int
sp_packet_out(const struct sp_bridge *br, const struct of_packet_out *po)
{
    if (!br->dp) {
        return -ENODEV;
    }
    struct flow_key key = *po->metadata;
    memset((char *) &key + FLOW_STAGE_L2 * 8, 0, sizeof key - FLOW_STAGE_L2 * 8);
    packet_extract(po->packet, &key);

    struct xlate_out out;
    xlate_out_init(&out);
    const int64_t now = clock_now();
    const struct xlate_in in = {.config = br->config,
                                .dp = br->dp,
                                .key = &key,
                                .bridge = br,
                                .actions = po->actions,
                                .learn = true,
                                .now = now};
    xlate_flow(&in, &out);
    xlate_credit(&out, 1, po->packet->len, now);

    int error = 0;
    if (out.acts.len) {
        const struct sp_port *port = sp_bridge_port(br, out.ofp_in_port);
        key.in_port = htobe32(port && port->dp_port != DP_PORT_NONE ? port->dp_port : DP_PORT_NONE);
        struct dp_execute ex = {.packet = po->packet, .key = &key, .actions = &out.acts};
        error = sp_execute_dp(br->dp->ops, br->dp->main_channel, &ex, 1);
        error = error ? error : ex.error;
    }
    xlate_out_destroy(&out);
    return error;
}
