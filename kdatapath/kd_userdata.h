// SPDX-License-Identifier: Apache-2.0
// Private to kdatapath: what the kernel keeps for us in a userspace action and hands back with each
// packet. Another program's is carried as the bytes that it is.
#ifndef KDATAPATH_KD_USERDATA_H
#define KDATAPATH_KD_USERDATA_H 1

#include "lib/flow/dp_actions.h"

struct nlk_batch;
struct nlk_attr;

void kd_userdata_put(struct nlk_batch *, uint16_t attr, const struct dp_act_userspace *);
// True: ours. The action's other members stay.
bool kd_userdata_parse(const struct nlk_attr *, struct dp_act_userspace *);

#endif
