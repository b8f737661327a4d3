// SPDX-License-Identifier: Apache-2.0
// The registry of datapath implementations and the names of places. Registration happens in the composition root, before
// threads start; look-ups need no lock.
#include "lib/flow/dp_ops.h"

#define MAX_TYPES 16

static const struct dp_ops *types[MAX_TYPES];

void
dp_ops_register(const struct dp_ops *ops)
{
    for (size_t i = 0; i < MAX_TYPES; i++) {
        if (!types[i] || !strcmp(types[i]->type, ops->type)) {
            types[i] = ops;
            return;
        }
    }
}

const struct dp_ops *
dp_ops_find(const char *type)
{
    for (size_t i = 0; i < MAX_TYPES && types[i]; i++) {
        if (!strcmp(types[i]->type, type)) {
            return types[i];
        }
    }
    return NULL;
}

const char *
dp_place_name(enum dp_place place)
{
    static const char *const names[DP_N_PLACES] = {
        [DP_PLACE_NONE] = "none",   [DP_PLACE_USER] = "user",       [DP_PLACE_KERNEL] = "kernel",
        [DP_PLACE_TC_SW] = "tc",    [DP_PLACE_TC_HW] = "hardware",
    };
    return (unsigned) place < DP_N_PLACES ? names[place] : "none";
}
