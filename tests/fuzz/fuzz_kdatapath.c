// SPDX-License-Identifier: Apache-2.0
// Any bytes as the attributes of a flow or an upcall from the kernel: reading stays inside, and
// what was read can be written again and reads the same.
#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>

#include "kdatapath/kd_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
rewrite(const struct flow_match *m, const struct dp_actions *acts)
{
    const struct kd_act_context ctx = {.eth_type = m->key.eth_type, .user_pid = 1, .drop = true};
    struct kd_act_refusal refusal;
    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
    struct dp_actions back = DP_ACTIONS_INIT;
    struct flow_match again;
    struct nlk_batch b;

    nlk_batch_init(&b);
    nlk_begin(&b, 1, 0, 0);
    if (!kd_match_put(&b, m)) {
        nlk_parse(b.data + NLMSG_HDRLEN, b.len - NLMSG_HDRLEN, t, ARRAY_SIZE(t));
        if (kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], &again)) {
            abort();
        }
    }
    nlk_batch_clear(&b);
    nlk_begin(&b, 1, 0, 0);
    if (!kd_actions_put(&b, OVS_FLOW_ATTR_ACTIONS, acts, &ctx, &refusal)) {
        nlk_parse(b.data + NLMSG_HDRLEN, b.len - NLMSG_HDRLEN, t, ARRAY_SIZE(t));
        if (kd_actions_get(&t[OVS_FLOW_ATTR_ACTIONS], &back)) {
            abort();
        }
    }
    dp_actions_free(&back);
    nlk_batch_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct dp_act_userspace user;
    struct flow_match m;

    if (size > 4096) {
        return 0;
    }
    nlk_parse(data, size, t, ARRAY_SIZE(t));
    memset(&user, 0, sizeof user);
    kd_userdata_get(&t[OVS_FLOW_ATTR_UFID], &user);
    int error = kd_match_get(&t[OVS_FLOW_ATTR_KEY], NULL, &m);
    error |= kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], &m);
    error |= kd_actions_get(&t[OVS_FLOW_ATTR_ACTIONS], &acts);
    if (!error) {
        rewrite(&m, &acts);
    }
    dp_actions_free(&acts);
    return 0;
}
