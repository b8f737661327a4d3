// SPDX-License-Identifier: Apache-2.0
// Flows in the kernel: operations in batches with a result for each, dumps, and a thread's channel
// to a datapath.
//
// A batch becomes one run of messages: CREATE is answered by an acknowledgement alone, DELETE and
// GET bring counters. An operation whose match or actions the kernel has no words for fails by
// itself, without a message. Nothing is allocated per flow: message buffer, results and the
// record's actions belong to the channel and stay.
#include <errno.h>
#include <stdlib.h>

#include "kdatapath/kd_private.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"

LOG_MODULE(kdatapath);

#define TERSE (OVS_UFID_F_OMIT_KEY | OVS_UFID_F_OMIT_MASK | OVS_UFID_F_OMIT_ACTIONS)
#define MAX_BATCH 256 // operations turned into messages before they are sent: bounds the buffer

typedef struct nlk_attr flow_table[OVS_FLOW_ATTR_MAX + 1];

int
kd_channel_open(struct dp *dp, struct dp_channel **out)
{
    struct dp_channel *ch = base_calloc(1, sizeof *ch);

    *out = NULL;
    ch->dp = dp;
    nlk_batch_init(&ch->batch);
    int error = nlk_open(NLK_GENERIC, &ch->sock);
    if (error) {
        free(ch);
        return error;
    }
    kd_channel_reserve(ch, 64);
    *out = ch;
    return 0;
}

void
kd_channel_close(struct dp_channel *ch)
{
    if (ch) {
        nlk_close(ch->sock);
        nlk_close(ch->upcall);
        nlk_batch_free(&ch->batch);
        dp_actions_free(&ch->acts);
        for (size_t i = 0; i < ARRAY_SIZE(ch->upcall_acts); i++) {
            dp_actions_free(&ch->upcall_acts[i]);
        }
        free(ch->results);
        free(ch->op_of);
        free(ch);
    }
}

void
kd_channel_reserve(struct dp_channel *ch, size_t n)
{
    if (n > ch->cap) {
        ch->cap = n;
        ch->results = base_realloc(ch->results, n * sizeof *ch->results);
        ch->op_of = base_realloc(ch->op_of, n * sizeof *ch->op_of);
    }
}

void
kd_flow_act_context(struct dp *dp, be16_t eth_type, be32_t in_port, struct kd_act_context *ctx)
{
    rcu_begin();
    const struct kd_user_pids *u = rcu_get(dp->user_pids);
    *ctx = (struct kd_act_context){
        .eth_type = eth_type,
        // With per-CPU dispatch the kernel finds the socket itself; the number must only not be 0.
        .user_pid = !u || u->per_cpu || !u->n ? UINT32_MAX : u->pids[be32toh(in_port) % u->n],
        .drop = __atomic_load_n(&dp->probed, __ATOMIC_ACQUIRE) && dp->can_drop,
    };
    rcu_end();
}

static void
put_id(struct nlk_batch *b, const struct flow_id *id)
{
    nlk_put(b, OVS_FLOW_ATTR_UFID, id, sizeof *id);
}

static int
put_match_and_actions(struct dp_channel *ch, struct dp_flow_op *op)
{
    static const struct dp_actions none = DP_ACTIONS_INIT;
    const struct flow_match *m = op->match;
    struct kd_act_context ctx;
    struct kd_act_refusal refusal;

    int error = kd_match_put(&ch->batch, m);
    if (error) {
        reason_set(&op->reason, REASON_KERNEL_REJECTED, FIELD_COUNT, -error,
                   "the kernel datapath has no such key");
        return error;
    }
    kd_flow_act_context(ch->dp, m->key.eth_type, m->key.in_port, &ctx);
    error = kd_actions_put(&ch->batch, OVS_FLOW_ATTR_ACTIONS, op->actions ? op->actions : &none,
                           &ctx, &refusal);
    if (error == -EOPNOTSUPP) {
        reason_set(&op->reason, REASON_KERNEL_REJECTED, refusal.field, -error, "action %s",
                   refusal.what);
    }
    return error;
}

// Appends the operation's message. 0, or its error.
static int
put_op(struct dp_channel *ch, struct dp_flow_op *op, const struct kd_flow_request *r)
{
    static const struct {
        uint8_t cmd;
        uint16_t flags;
        bool content;
    } how[] = {
        [DP_FLOW_CREATE] = {OVS_FLOW_CMD_NEW, NLM_F_CREATE, true},
        [DP_FLOW_MODIFY] = {OVS_FLOW_CMD_SET, 0, true},
        [DP_FLOW_PUT] = {OVS_FLOW_CMD_NEW, 0,
                         true}, // without NLM_F_CREATE one that is there is changed
        [DP_FLOW_DELETE] = {OVS_FLOW_CMD_DEL, NLM_F_ECHO, false},
        [DP_FLOW_GET] = {OVS_FLOW_CMD_GET, NLM_F_ECHO, false},
    };
    int error = 0;

    kd_begin(&ch->batch, ch->dp, ch->dp->fam.flow, how[op->verb].cmd,
             how[op->verb].flags | (r ? NLM_F_ECHO : 0));
    if (!r || !r->by_key) {
        put_id(&ch->batch, &op->id);
    }
    if (how[op->verb].content) {
        error = put_match_and_actions(ch, op);
    } else {
        if (r && r->by_key) {
            error = kd_match_put(&ch->batch, op->match);
        }
    }
    if (!how[op->verb].content || r) {
        nlk_put_u32(&ch->batch, OVS_FLOW_ATTR_UFID_FLAGS,
                    r && (r->got_match || r->got_actions) ? 0 : TERSE);
    }
    if (r && r->clear) {
        nlk_put_flag(&ch->batch, OVS_FLOW_ATTR_CLEAR);
    }
    if (error) {
        nlk_cancel(&ch->batch);
    }
    return error;
}

static void
parse_stats(const flow_table t, struct dp_flow_stats *s)
{
    struct ovs_flow_stats raw = {0};

    if (t[OVS_FLOW_ATTR_STATS].data && t[OVS_FLOW_ATTR_STATS].len >= sizeof raw) {
        memcpy(&raw, t[OVS_FLOW_ATTR_STATS].data, sizeof raw);
    }
    s->packets = raw.n_packets;
    s->bytes = raw.n_bytes;
    s->used = (int64_t) nlk_u64(&t[OVS_FLOW_ATTR_USED]); // CLOCK_MONOTONIC, as clock_now()
    s->tcp_flags = nlk_u8(&t[OVS_FLOW_ATTR_TCP_FLAGS]);
}

struct answers {
    struct dp_channel *ch;
    struct dp_flow_op *ops;
    const struct kd_flow_request *request; // NULL: none
};

static void
take_answer(size_t i, const struct nlk_msg *m, void *a_)
{
    const struct answers *a = a_;
    struct dp_flow_op *op = &a->ops[a->ch->op_of[i]];
    flow_table t;

    if (m->type == a->ch->dp->fam.flow && !kd_parse(m, t, ARRAY_SIZE(t), NULL, NULL)) {
        parse_stats(t, &op->stats);
        if (a->request && a->request->got_match) {
            kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], a->request->got_match);
        }
        if (a->request && a->request->got_actions) {
            kd_actions_get(&t[OVS_FLOW_ATTR_ACTIONS], a->request->got_actions);
        }
    }
}

void
kd_op_done(struct dp_flow_op *op, const struct nlk_result *r)
{
    op->error = r->error;
    if (!op->error) {
        op->place = op->verb == DP_FLOW_DELETE ? DP_PLACE_NONE : DP_PLACE_KERNEL;
    } else if (op->error != -ENOENT && op->error != -EEXIST) {
        reason_set(&op->reason, REASON_KERNEL_REJECTED, FIELD_COUNT, -op->error, "%s",
                   r->extack ? r->extack : "");
    }
}

int
kd_op_put(struct dp_channel *ch, struct dp_flow_op *op)
{
    op->place = DP_PLACE_NONE;
    reason_clear(&op->reason);
    memset(&op->stats, 0, sizeof op->stats);
    op->error = put_op(ch, op, NULL);
    return op->error;
}

// Sends what is in the batch and gives each operation its result.
static int
flush(struct dp_channel *ch, struct dp_flow_op *ops, bool content,
      const struct kd_flow_request *request)
{
    struct answers a = {ch, ops, request};
    const size_t n = ch->batch.n;

    int failed =
        n ? nlk_transact(ch->sock, &ch->batch, ch->results, content ? take_answer : NULL, &a) : 0;
    for (size_t i = 0; i < n; i++) {
        kd_op_done(&ops[ch->op_of[i]], &ch->results[i]);
    }
    nlk_batch_clear(&ch->batch);
    return failed;
}

int
kd_flow_apply(struct dp_channel *ch, struct dp_flow_op *ops, size_t n)
{
    bool content = false;
    int failed = 0;

    kd_channel_reserve(ch, MIN(n, MAX_BATCH));
    nlk_batch_clear(&ch->batch);
    for (size_t i = 0; i < n; i++) {
        struct dp_flow_op *op = &ops[i];
        if (!kd_op_put(ch, op)) {
            ch->op_of[ch->batch.n - 1] = i;
            content |= op->verb == DP_FLOW_DELETE || op->verb == DP_FLOW_GET;
        }
        if (ch->batch.n == MAX_BATCH || i == n - 1) {
            int error = flush(ch, ops, content, NULL);
            failed = failed ? failed : error;
            content = false;
        }
    }
    return failed;
}

int
kd_flow_request(struct dp_channel *ch, struct kd_flow_request *r)
{
    struct dp_flow_op *op = r->op;
    const enum dp_flow_verb verb = op->verb;

    if (verb == DP_FLOW_MODIFY && r->may_create) {
        op->verb = DP_FLOW_PUT;
    }
    nlk_batch_clear(&ch->batch);
    reason_clear(&op->reason);
    memset(&op->stats, 0, sizeof op->stats);
    int error = put_op(ch, op, r);
    if (!error) {
        ch->op_of[0] = 0;
        flush(ch, op, verb != DP_FLOW_CREATE, r);
        error = op->error;
    }
    op->verb = verb;
    op->error = error;
    return error;
}

// --- Dumps. ---

struct flow_dump {
    struct dp_channel *ch;
    bool terse;
    dp_flow_cb *cb;
    void *aux;
    struct flow_match match;
};

static bool
take_record(const struct nlk_msg *m, void *d_)
{
    static struct log_limit limit = LOG_LIMIT(6, 6);
    struct flow_dump *d = d_;
    struct dp_flow_record rec = {.place = DP_PLACE_KERNEL};
    flow_table t;

    if (kd_parse(m, t, ARRAY_SIZE(t), NULL, NULL)) {
        return true;
    }
    const struct nlk_attr *id = &t[OVS_FLOW_ATTR_UFID];
    if (id->data && id->len == sizeof rec.id) {
        memcpy(&rec.id, id->data, sizeof rec.id);
        rec.has_id = true;
    }
    parse_stats(t, &rec.stats);
    if (!d->terse) {
        d->ch->acts.len = 0;
        int error = kd_match_get(&t[OVS_FLOW_ATTR_KEY], &t[OVS_FLOW_ATTR_MASK], &d->match);
        if (!error) {
            error = kd_actions_get(&t[OVS_FLOW_ATTR_ACTIONS], &d->ch->acts);
        }
        if (error) {
            LOG_WARN_RL(&limit, "%s: the kernel has a flow that is beyond us (%s)", d->ch->dp->name,
                        base_strerror(error));
        }
        rec.match = &d->match;
        rec.actions = &d->ch->acts;
    }
    return d->cb(&rec, d->aux);
}

int
kd_flow_dump(struct dp_channel *ch, bool terse, dp_flow_cb *cb, void *aux)
{
    struct flow_dump d = {.ch = ch, .terse = terse, .cb = cb, .aux = aux};

    nlk_batch_clear(&ch->batch);
    kd_begin(&ch->batch, ch->dp, ch->dp->fam.flow, OVS_FLOW_CMD_GET, 0);
    nlk_put_u32(&ch->batch, OVS_FLOW_ATTR_UFID_FLAGS, terse ? TERSE : 0);
    int error = nlk_dump(ch->sock, &ch->batch, take_record, &d);
    return error == -EINTR ? 0 : error;
}

int
kd_flow_flush(struct dp_channel *ch)
{
    nlk_batch_clear(&ch->batch);
    kd_begin(&ch->batch, ch->dp, ch->dp->fam.flow, OVS_FLOW_CMD_DEL, 0);
    return nlk_request(ch->sock, &ch->batch, NULL, NULL);
}
