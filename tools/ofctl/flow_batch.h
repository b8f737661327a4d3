// SPDX-License-Identifier: Apache-2.0
// Flow-mods encoded one behind the other, and how they get to the switch: pipelined, or as one
// bundle.
#ifndef TOOLS_OFCTL_FLOW_BATCH_H
#define TOOLS_OFCTL_FLOW_BATCH_H 1

#include "tools/ofctl/ofctl.h"

struct flow_batch {
    struct str out; // messages; their transaction ids are filled in when they are sent
    size_t n;       // flow-mods
    uint32_t usable;
    enum of_proto proto; // in which they are encoded; 0: no protocol suits
    struct of_wire wire;
    int line; // of the file that is being read
};

void flow_batch_begin(struct flow_batch *, const struct conn *, uint32_t usable);
void flow_batch_add(struct flow_batch *, struct of_flow_mod *, uint32_t usable);
bool
flow_batch_is_whole(const struct flow_batch *); // false: encode all once more, as `usable` is now
// Sends all, waits for their end and prints errors; ends the program when there were any.
void flow_batch_send(struct flow_batch *, struct conn *);

#endif
