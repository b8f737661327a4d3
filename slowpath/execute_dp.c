// SPDX-License-Identifier: Apache-2.0
// See execute_dp.h. Actions that need the kernel's state (ct, meter, tunnels) end such a list: the
// packet is dropped there.
#include "config.h"

#include "slowpath/execute_dp.h"

#include <errno.h>

#include "lib/base/coverage.h"
#include "slowpath/execute.h"

COVERAGE(execute_in_user_space);

struct sender {
    const struct dp_ops *ops;
    struct dp_channel *ch;
    struct dp_actions acts; // what the datapath still has to do
    int error;
};

static void
hand_over(struct sender *s, struct packet *p, const struct flow_key *key)
{
    struct dp_execute x = {.packet = p, .key = key, .actions = &s->acts};
    int error = s->ops->execute(s->ch, &x, 1);

    error = error ? error : x.error;
    s->error = s->error ? s->error : error;
    dp_actions_clear(&s->acts);
}

static void
output(void *s_, struct packet *p, const struct flow_key *key, uint32_t port, bool last)
{
    struct sender *s = s_;

    if (p->cutlen) {
        dp_actions_add_u32(&s->acts, DP_ACT_TRUNC, p->cutlen);
    }
    dp_actions_add_output(&s->acts, port);
    hand_over(s, p, key);
}

static void
userspace(void *s_, struct packet *p, const struct flow_key *key, const struct dp_act_userspace *a,
          const struct dp_actions *actions)
{
    struct sender *s = s_;

    memcpy(dp_actions_add(&s->acts, DP_ACT_USERSPACE, a->a.len), a, a->a.len);
    hand_over(s, p, key);
}

static void
recirc(void *s_, struct packet *p, const struct flow_key *key, uint32_t id)
{
    struct sender *s = s_;

    dp_actions_add_u32(&s->acts, DP_ACT_RECIRC, id);
    hand_over(s, p, key);
}

static void
in_user_space(struct sender *s, struct dp_execute *x)
{
    const struct sp_execute_cbs cbs = {
        .aux = s, .output = output, .userspace = userspace, .recirc = recirc};
    struct packet copy;

    COVERAGE_INC(execute_in_user_space);
    s->error = 0;
    packet_clone(&copy, x->packet);
    x->error = sp_execute(&copy, x->key, x->actions, &cbs);
    x->error = x->error ? x->error : s->error;
    packet_free(&copy);
}

int
sp_execute_dp(const struct dp_ops *ops, struct dp_channel *ch, struct dp_execute *xs, size_t n)
{
    struct sender s = {.ops = ops, .ch = ch};
    const int error = ops->execute(ch, xs, n);

    for (size_t i = 0; i < n; i++) {
        if (xs[i].error == -EOPNOTSUPP) {
            in_user_space(&s, &xs[i]);
        }
    }
    dp_actions_free(&s.acts);
    return error;
}
