// SPDX-License-Identifier: Apache-2.0
// Packets given back to the kernel with the actions to do on them, many in one send.
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
