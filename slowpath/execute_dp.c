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

// What the datapath could not do itself.
static void
do_the_rest(const struct dp_ops *ops, struct dp_channel *ch, struct dp_execute *xs, size_t n)
{
    struct sender s = {.ops = ops, .ch = ch};

    for (size_t i = 0; i < n; i++) {
        if (xs[i].error == -EOPNOTSUPP) {
            in_user_space(&s, &xs[i]);
        }
    }
    dp_actions_free(&s.acts);
}

int
sp_execute_dp(const struct dp_ops *ops, struct dp_channel *ch, struct dp_execute *xs, size_t n)
{
    const int error = ops->execute(ch, xs, n);

    do_the_rest(ops, ch, xs, n);
    return error;
}

int
sp_apply_execute_dp(const struct dp_ops *ops, struct dp_channel *ch, const struct execute_batch *b)
{
    int error;

    if (b->n_ops && b->n && ops->apply_execute) {
        error = ops->apply_execute(ch, b->ops, b->n_ops, b->packets, b->n);
        do_the_rest(ops, ch, b->packets, b->n);
        return error;
    }
    error = b->n_ops ? ops->flow_apply(ch, b->ops, b->n_ops) : 0;
    for (size_t i = 0; error && i < b->n_ops; i++) {
        b->ops[i].error = b->ops[i].error ? b->ops[i].error : error;
    }
    const int sent = b->n ? sp_execute_dp(ops, ch, b->packets, b->n) : 0;
    return error ? error : sent;
}
