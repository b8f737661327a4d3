// SPDX-License-Identifier: Apache-2.0
// Adoption: flows that an earlier run left in a place become entries of the cache where they say
// what the tables say today; the others are removed, so that traffic which goes on as before
// doesn't notice a restart.
#ifndef SLOWPATH_ADOPT_H
#define SLOWPATH_ADOPT_H 1

#include "slowpath/mega.h"

struct sp_dp;

struct adoption { // one pass over a place
    struct sp_dp *dp;
    enum mega_slot slot;
    struct xlate_out out; // scratch
    size_t adopted, refused;
};

void sp_adopt_begin(struct adoption *, struct sp_dp *, enum mega_slot);
void sp_adopt_end(struct adoption *); // logs how many
// First pass: learns from a flow's key which address is behind which port, as its packets have
// shown. A flow of the datapath's own that agrees with the tables already is an entry then; only what
// waits for an address that comes later in the dump is translated twice. RCU section.
void sp_adopt_learn(struct adoption *, const struct dp_flow_record *);
// Second pass: the flow is an entry now (at rest, in rec->place, its counters the base that nobody
// is credited for), or (false) it must go. RCU section.
bool sp_adopt_flow(struct adoption *, const struct dp_flow_record *);

#endif
