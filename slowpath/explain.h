// SPDX-License-Identifier: Apache-2.0
// Words about flows, for people: where a flow would go and why.
#ifndef SLOWPATH_EXPLAIN_H
#define SLOWPATH_EXPLAIN_H 1

#include "lib/flow/flow_key.h"

struct sp_dp;
struct str;
struct xlate_out;

// Appends "\nPlace: …" for a translation; dp may be NULL. RCU section.
void sp_explain_place(const struct sp_dp *, const struct xlate_out *, const struct flow_key *, struct str *out);

#endif
