// SPDX-License-Identifier: Apache-2.0
// What the offload room's tests share: four devices without a kernel. Port n is the device with
// index n; 1, 2 and 3 are on one NIC, 4 on another, 9 is internal.
#ifndef TESTS_UNIT_OFFLOAD_OFL_TEST_H
#define TESTS_UNIT_OFFLOAD_OFL_TEST_H 1

#include <stdlib.h>

#include "lib/base/hash.h"
#include "offload/ofl_private.h"

static struct ofl_devs devs;
static struct ofl_dev devices[5];
static struct ofl_nic nics[2];
static bool encode_hw = true; // meant for hardware

static inline void
make_devices(void)
{
    static const int numbers[5] = {1, 2, 3, 4, 9};
    hmap_init(&devs.by_port);
    hmap_init(&devs.by_ifindex);
    for (size_t i = 0; i < 5; i++) {
        struct ofl_dev *d = &devices[i];
        d->port.dp_port = (uint32_t) numbers[i];
        d->port.ifindex = numbers[i];
        d->port.internal = numbers[i] == 9;
        d->port.name[0] = d->info.name[0] = 'p';
        d->port.name[1] = d->info.name[1] = (char) ('0' + numbers[i]);
        d->nic = numbers[i] == 9 ? NULL : &nics[numbers[i] == 4];
        hmap_insert(&devs.by_port, &d->by_port, hash_u64((uint64_t) numbers[i], 0));
        hmap_insert(&devs.by_ifindex, &d->by_ifindex, hash_u64((uint64_t) numbers[i], 0));
    }
}

// A filter's TCA_OPTIONS; the batch keeps the bytes.
static inline bool
encode(struct nlk_batch *b, const struct flow_match *m, const struct dp_actions *acts,
       struct ofl_record *rec, struct reason *r)
{
    const struct flow_id id = {{1, 2}};
    const struct ofl_spec s = {m, acts, &id, &devs, encode_hw, false};
    struct ofl_filter f = {.ifindex = 1, .handle = 7};
    reason_clear(r);
    if (!ofl_filter_put(b, &s, 0, &f, r)) {
        return false;
    }
    const struct nlk_msg msg = {.type = 44 /* RTM_NEWTFILTER */,
                                .data = b->data + b->msg + 16,
                                .len = b->len - b->msg - 16};
    return ofl_filter_parse(&msg, rec);
}

#endif
