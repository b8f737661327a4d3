// SPDX-License-Identifier: Apache-2.0
// Packets given back to the kernel with the actions to do on them, many in one send; also behind
// the flows that they have caused.
#include <errno.h>

#include "kdatapath/kd_private.h"

#define MAX_PACKETS 64
#define MAX_BYTES (192 * 1024) // of packets in one batch

static int
put_packet(struct dp_channel *ch, const struct dp_execute *x)
{
    struct kd_act_context ctx;
    struct kd_act_refusal refusal;

    if (x->packet->len > NLK_ATTR_MAX) {
        return -EMSGSIZE;
    }
    kd_begin(&ch->batch, ch->dp, ch->dp->fam.packet, OVS_PACKET_CMD_EXECUTE, 0);
    nlk_put(&ch->batch, OVS_PACKET_ATTR_PACKET, x->packet->data, x->packet->len);
    kd_metadata_put(&ch->batch, OVS_PACKET_ATTR_KEY, x->key);
    kd_flow_act_context(ch->dp, x->key->eth_type, x->key->in_port, &ctx);
    int error = kd_actions_put(&ch->batch, OVS_PACKET_ATTR_ACTIONS, x->actions, &ctx, &refusal);
    if (x->probe) {
        nlk_put_flag(&ch->batch, OVS_PACKET_ATTR_PROBE);
    }
    if (x->mtu) {
        nlk_put_u16(&ch->batch, OVS_PACKET_ATTR_MRU, MIN(x->mtu, UINT16_MAX));
    }
    if (error) {
        nlk_cancel(&ch->batch);
    }
    return error;
}

static int
flush(struct dp_channel *ch, struct dp_execute *xs)
{
    const size_t n = ch->batch.n;

    int failed = n ? nlk_transact(ch->sock, &ch->batch, ch->results, NULL, NULL) : 0;
    for (size_t i = 0; i < n; i++) {
        xs[ch->op_of[i]].error = ch->results[i].error;
    }
    nlk_batch_clear(&ch->batch);
    return failed;
}

// An upcall's usual end: new flows, then the packets that asked for them. The kernel works off one
// send in order.
int
kd_apply_execute(struct dp_channel *ch, struct dp_flow_op *ops, size_t n_ops, struct dp_execute *xs,
                 size_t n)
{
    if (n_ops > MAX_PACKETS || n > MAX_PACKETS) {
        const int failed = kd_flow_apply(ch, ops, n_ops), error = kd_execute(ch, xs, n);
        return failed ? failed : error;
    }
    size_t n_sent_ops = 0, i;
    kd_channel_reserve(ch, 2 * MAX_PACKETS);
    nlk_batch_clear(&ch->batch);
    for (i = 0; i < n_ops; i++) {
        if (!kd_op_put(ch, &ops[i])) {
            ch->op_of[n_sent_ops++] = i;
        }
    }
    for (i = 0; i < n && ch->batch.len <= MAX_BYTES; i++) {
        xs[i].error = put_packet(ch, &xs[i]);
        if (!xs[i].error) {
            ch->op_of[ch->batch.n - 1] = i;
        }
    }
    const size_t n_sent = ch->batch.n;
    int failed = n_sent ? nlk_transact(ch->sock, &ch->batch, ch->results, NULL, NULL) : 0;
    for (size_t k = 0; k < n_sent; k++) {
        if (k < n_sent_ops) {
            kd_op_done(&ops[ch->op_of[k]], &ch->results[k]);
        } else {
            xs[ch->op_of[k]].error = ch->results[k].error;
        }
    }
    nlk_batch_clear(&ch->batch);
    const int error = i < n ? kd_execute(ch, xs + i, n - i) : 0;
    return failed ? failed : error;
}

int
kd_execute(struct dp_channel *ch, struct dp_execute *xs, size_t n)
{
    int failed = 0;

    kd_channel_reserve(ch, MAX_PACKETS);
    nlk_batch_clear(&ch->batch);
    for (size_t i = 0; i < n; i++) {
        xs[i].error = put_packet(ch, &xs[i]);
        if (!xs[i].error) {
            ch->op_of[ch->batch.n - 1] = i;
        }
        if (ch->batch.n == MAX_PACKETS || ch->batch.len > MAX_BYTES || i == n - 1) {
            int error = flush(ch, xs);
            failed = failed ? failed : error;
        }
    }
    return failed;
}
