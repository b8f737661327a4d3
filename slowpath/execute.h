// SPDX-License-Identifier: Apache-2.0
// Runs datapath actions on one packet in user space. Used by the userspace datapath for every packet, by tests, and wherever a place cannot execute itself.
//
// Any thread; keeps no state. Rewrites are done in the packet, checksums kept right; the key follows the packet, so that callbacks see what is being sent.
#ifndef SLOWPATH_EXECUTE_H
#define SLOWPATH_EXECUTE_H 1

#include "lib/flow/dp_actions.h"
#include "lib/flow/packet.h"

struct sp_execute_cbs {
    void *aux;
    // Send. The packet stays the caller's; `last`: nothing reads or changes it afterwards, so it may be consumed (its buffer swapped). packet->cutlen limits the length.
    void (*output)(void *aux, struct packet *, const struct flow_key *, uint32_t port, bool last);
    // To user space: `actions` is non-NULL when the action asks for them.
    void (*userspace)(void *aux, struct packet *, const struct flow_key *, const struct dp_act_userspace *,
                      const struct dp_actions *actions);
    // Look up again with key->recirc_id set. NULL: unsupported.
    void (*recirc)(void *aux, struct packet *, const struct flow_key *, uint32_t recirc_id);
    // ct, meter, tunnel… : 0, or -EOPNOTSUPP, which ends the list (the packet is dropped). NULL: unsupported.
    int (*other)(void *aux, struct packet *, struct flow_key *, const struct dp_act *);
};

// `key` is the packet's key (headers and metadata). Actions that change the packet make it owned (packet_own()); the caller gets the changed packet back.
// 0, or the -errno that ended the list.
int sp_execute(struct packet *, const struct flow_key *key, const struct dp_actions *, const struct sp_execute_cbs *);

#endif
