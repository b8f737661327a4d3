// SPDX-License-Identifier: Apache-2.0
// Random matches and actions in the form that the kernel has for them: what goes in comes out the
// same.
#ifndef TESTS_UNIT_KDATAPATH_GEN_H
#define TESTS_UNIT_KDATAPATH_GEN_H 1

#include "lib/flow/dp_actions.h"
#include "lib/flow/match.h"

// With tunnels only where asked for: the kernel takes them for any port.
void gen_match(struct flow_match *, bool tunnels);
// For packets that this match takes. n: about how many; nesting up to `depth`.
void gen_actions(struct dp_actions *, const struct flow_match *, int n, int depth);
// Without those that change headers other than by setting fields.
void gen_simple_actions(struct dp_actions *, const struct flow_match *, int n);

#endif
