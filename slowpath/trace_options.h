// SPDX-License-Identifier: Apache-2.0
// Options of ofproto/trace that have a value. Conntrack isn't simulated and packets are not made up, so values are only
// checked: what the stock switch refuses is refused with its words.
#ifndef SLOWPATH_TRACE_OPTIONS_H
#define SLOWPATH_TRACE_OPTIONS_H 1

#include <stdbool.h>

// Is it one of them? Then *error is NULL, or what is wrong with the value (NULL: missing), to free.
bool sp_trace_option(const char *name, const char *value, char **error);

#endif
