// SPDX-License-Identifier: Apache-2.0
// What each NIC (eswitch, by switch id) was seen to take: rules, capacity, failures, how long an
// insertion takes. Nothing probes hardware but an insertion: the capacity is known once the table
// was full. Under dp's mutex.
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "offload/ofl_private.h"

struct ofl_nic *
ofl_nic_get(struct dp *dp, const char *switch_id) NO_THREAD_SAFETY
{
    struct ofl_nic *nic;
    const uint32_t hash = hash_string(switch_id, 0);
    if (!switch_id[0]) {
        return NULL;
    }
    HMAP_FOR_EACH_HASH(nic, by_id, hash, &dp->nics)
    {
        if (!strcmp(nic->switch_id, switch_id)) {
            return nic;
        }
    }
    nic = base_calloc(1, sizeof *nic);
    snprintf(nic->switch_id, sizeof nic->switch_id, "%s", switch_id);
    if (dp->n_nics == dp->cap_nics) {
        dp->nic_list = base_grow(dp->nic_list, &dp->cap_nics, sizeof(*dp->nic_list));
    }
    dp->nic_list[dp->n_nics++] = nic;
    nic->number = (uint32_t) dp->n_nics;
    hmap_insert(&dp->nics, &nic->by_id, hash);
    return nic;
}

void
ofl_nic_inserted(struct ofl_nic *nic, int64_t us)
{
    unsigned bucket = 0;
    while (bucket < ARRAY_SIZE(nic->latency) - 1 && (INT64_C(1) << bucket) < us) {
        bucket++;
    }
    nic->inserts++;
    nic->refused_in_a_row = 0;
    nic->latency[bucket]++;
}

void
ofl_nic_failed(struct ofl_nic *nic, int error)
{
    nic->failures++;
    if (error == -ENOSPC) {
        nic->capacity = nic->rules;
    }
}

// Upper end of the bucket that the 99th of 100 insertions falls into.
uint64_t
ofl_nic_p99(const struct ofl_nic *nic)
{
    uint64_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(nic->latency); i++) {
        n += nic->latency[i];
        if (nic->inserts && n * 100 >= nic->inserts * 99) {
            return UINT64_C(1) << i;
        }
    }
    return 0;
}

void
ofl_for_each_nic(struct dp *dp, ofl_nic_cb *cb, void *aux)
{
    mutex_lock(&dp->mutex);
    const size_t n = hmap_count(&dp->nics);
    struct ofl_nic_stats *all = base_calloc(n + 1, sizeof *all);
    size_t i = 0;
    struct ofl_nic *nic;
    HMAP_FOR_EACH (nic, by_id, &dp->nics) {
        struct ofl_nic_stats *s = &all[i++];
        memcpy(s->switch_id, nic->switch_id, sizeof s->switch_id);
        s->number = nic->number;
        s->rules = nic->rules;
        s->capacity = nic->capacity;
        s->inserts = nic->inserts;
        s->failures = nic->failures;
        s->insert_us_p99 = ofl_nic_p99(nic);
    }
    mutex_unlock(&dp->mutex);
    for (i = 0; i < n; i++) {
        cb(&all[i], aux);
    }
    free(all);
}

bool
ofl_nic_room(struct dp *dp, uint32_t number, uint64_t *rules, uint64_t *capacity)
{
    struct ofl_nic *nic;
    bool found = false;
    mutex_lock(&dp->mutex);
    HMAP_FOR_EACH (nic, by_id, &dp->nics) {
        if (nic->number == number) {
            *rules = nic->rules;
            *capacity = nic->capacity;
            found = true;
            break;
        }
    }
    mutex_unlock(&dp->mutex);
    return found;
}
