// SPDX-License-Identifier: Apache-2.0
// Which datapath types call the slow path synchronously. Filled by the composition root before threads start. See sp_upcall.h.
#include "config.h"

#include "slowpath/sp_upcall.h"

#define MAX_SOURCES 8

static struct {
    const char *type;
    sp_upcall_attach_fn *attach;
} sources[MAX_SOURCES];

void
sp_upcall_register(const char *dp_type, sp_upcall_attach_fn *attach)
{
    for (size_t i = 0; i < MAX_SOURCES; i++) {
        if (!sources[i].type || !strcmp(sources[i].type, dp_type)) {
            sources[i].type = dp_type;
            sources[i].attach = attach;
            return;
        }
    }
}

sp_upcall_attach_fn *
sp_upcall_find(const char *dp_type)
{
    for (size_t i = 0; i < MAX_SOURCES && sources[i].type; i++) {
        if (!strcmp(sources[i].type, dp_type)) {
            return sources[i].attach;
        }
    }
    return NULL;
}
