// SPDX-License-Identifier: Apache-2.0
// Frozen pipeline states: what must survive while a packet is in the datapath's hands and comes back to user space (to a controller). Named by a number that travels in
// datapath actions; equal states share one number.
//
// Any thread: a mutex protects the index; readers in an RCU section keep what they found.
#ifndef SLOWPATH_XLATE_STATE_H
#define SLOWPATH_XLATE_STATE_H 1

#include "lib/base/util.h"
#include "lib/flow/flow_key.h"

struct xlate_state {
    uint32_t bridge_number;
    uint32_t in_port; // OpenFlow
    be64_t cookie;
    be64_t metadata;
    be32_t regs[FLOW_N_REGS];
    uint16_t max_len;
    uint16_t controller_id;
    uint8_t reason; // enum of_packet_in_reason
    uint8_t table;
    bool miss_rule;
    bool no_rule;
    uint32_t userdata_len;
    uint8_t userdata[];
};

// Number (never 0) of a state equal to this one, with a reference added.
uint32_t xlate_state_get(const struct xlate_state *);
void xlate_state_ref(uint32_t id);
void xlate_state_unref(uint32_t id);
const struct xlate_state *xlate_state_find(uint32_t id); // NULL: gone. RCU section.

#endif
