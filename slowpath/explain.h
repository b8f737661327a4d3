// SPDX-License-Identifier: Apache-2.0
// Words about flows, for people: which fields a packet has, where a flow would go and why.
#ifndef SLOWPATH_EXPLAIN_H
#define SLOWPATH_EXPLAIN_H 1

#include "lib/flow/flow_key.h"

struct sp_dp;
struct str;
struct xlate_out;

// The members that mean something for a packet with this key.
void sp_key_fields(const struct flow_key *, struct flow_mask *out);
// "Flow:" text: every field of such a packet, zeros included. in_port: OpenFlow number.
void sp_trace_format_key(const struct flow_key *, struct str *out);
// Appends "\nPlace: …" for a translation; dp may be NULL. RCU section.
void sp_explain_place(const struct sp_dp *, const struct xlate_out *, const struct flow_key *, struct str *out);

#endif
