// SPDX-License-Identifier: Apache-2.0
// The datapath's ports as devices with a place on a NIC. The main thread changes them; all others
// read under the mutex.
#include "config.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "offload/ofl_private.h"

struct ofl_dev *
ofl_dev_by_port(const struct ofl_devs *devs, uint32_t dp_port)
{
    struct ofl_dev *d;
    HMAP_FOR_EACH_HASH(d, by_port, hash_u64(dp_port, 0), &devs->by_port)
    {
        if (d->port.dp_port == dp_port) {
            return d;
        }
    }
    return NULL;
}

struct ofl_dev *
ofl_dev_by_ifindex(const struct ofl_devs *devs, int ifindex)
{
    struct ofl_dev *d;
    HMAP_FOR_EACH_HASH(d, by_ifindex, hash_u64((uint64_t) ifindex, 0), &devs->by_ifindex)
    {
        if (d->port.ifindex == ifindex) {
            return d;
        }
    }
    return NULL;
}

static void
dev_remove(struct dp *dp, struct ofl_dev *d) REQUIRES(dp->mutex)
{
    hmap_remove(&dp->devs.by_port, &d->by_port);
    hmap_remove(&dp->devs.by_ifindex, &d->by_ifindex);
    if (dp->n_leaving == dp->cap_leaving) {
        dp->leaving = base_grow(dp->leaving, &dp->cap_leaving, sizeof *dp->leaving);
    }
    dp->leaving[dp->n_leaving++] = d->port.ifindex;
    free(d);
}

static void
dev_stays(struct dp *dp, int ifindex) REQUIRES(dp->mutex)
{
    for (size_t i = 0; i < dp->n_leaving; i++) {
        if (dp->leaving[i] == ifindex) {
            dp->leaving[i--] = dp->leaving[--dp->n_leaving];
        }
    }
}

// True: other facts than before.
static bool
dev_update(struct dp *dp, struct ofl_dev *d, const struct ofl_port_info *info) REQUIRES(dp->mutex)
{
    const bool same = !memcmp(&d->info, info, sizeof *info);
    d->info = *info;
    d->nic = info->reason.code == REASON_PORT_NO_IFINDEX || d->port.internal
                 ? NULL
                 : ofl_nic_get(dp, info->switch_id);
    return !same;
}

void
ofl_port_set(struct dp *dp, const struct ofl_port *port)
{
    struct ofl_port_info info;
    if (port->ifindex) {
        ofl_probe_refresh(dp->probe);
        ofl_probe_port(dp->probe, port, &info);
    }
    mutex_lock(&dp->mutex);
    struct ofl_dev *d = ofl_dev_by_port(&dp->devs, port->dp_port);
    if (d && d->port.ifindex != port->ifindex) {
        dev_remove(dp, d);
        d = NULL;
    }
    if (port->ifindex) {
        struct ofl_dev *other = ofl_dev_by_ifindex(&dp->devs, port->ifindex);
        if (other && other != d) {
            dev_remove(dp, other); // known under another number until now
        }
        if (!d) {
            d = base_calloc(1, sizeof *d);
            d->port = *port;
            hmap_insert(&dp->devs.by_port, &d->by_port, hash_u64(port->dp_port, 0));
            hmap_insert(&dp->devs.by_ifindex, &d->by_ifindex,
                        hash_u64((uint64_t) port->ifindex, 0));
        }
        d->port = *port;
        dev_stays(dp, port->ifindex);
        dev_update(dp, d, &info);
    }
    mutex_unlock(&dp->mutex);
}

bool
ofl_refresh(struct dp *dp)
{
    mutex_lock(&dp->mutex);
    const size_t n = hmap_count(&dp->devs.by_port);
    struct ofl_port *ports = base_calloc(n + 1, sizeof *ports);
    size_t i = 0;
    struct ofl_dev *d;
    HMAP_FOR_EACH (d, by_port, &dp->devs.by_port) {
        ports[i++] = d->port;
    }
    mutex_unlock(&dp->mutex);

    bool changed = false;
    ofl_probe_refresh(dp->probe);
    for (i = 0; i < n; i++) {
        struct ofl_port_info info;
        ofl_probe_port(dp->probe, &ports[i], &info);
        mutex_lock(&dp->mutex);
        d = ofl_dev_by_port(&dp->devs, ports[i].dp_port);
        if (d && dev_update(dp, d, &info)) {
            changed = true;
        }
        mutex_unlock(&dp->mutex);
    }
    free(ports);
    return changed;
}

uint32_t
ofl_port_nic(struct dp *dp, uint32_t dp_port, struct reason *why)
{
    uint32_t nic = 0;
    mutex_lock(&dp->mutex);
    const struct ofl_dev *d = ofl_dev_by_port(&dp->devs, dp_port);
    if (!d) {
        reason_set(why, REASON_PORT_NO_IFINDEX, FIELD_COUNT, 0, NULL);
    } else if (d->info.reason.code != REASON_NONE) {
        *why = d->info.reason;
    } else if (d->nic) {
        nic = d->nic->number;
    }
    mutex_unlock(&dp->mutex);
    return nic;
}

void
ofl_for_each_port(struct dp *dp, ofl_port_cb *cb, void *aux)
{
    mutex_lock(&dp->mutex);
    const size_t n = hmap_count(&dp->devs.by_port);
    struct ofl_port_info *all = base_calloc(n + 1, sizeof *all);
    size_t i = 0;
    struct ofl_dev *d;
    HMAP_FOR_EACH (d, by_port, &dp->devs.by_port) {
        all[i++] = d->info;
    }
    mutex_unlock(&dp->mutex);
    for (i = 0; i < n; i++) {
        cb(&all[i], aux);
    }
    free(all);
}
