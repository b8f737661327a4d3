// SPDX-License-Identifier: Apache-2.0
// Datapath actions on one packet. See execute.h.
//
// Sets are collected in a key and written into the packet in one go before anything looks at it, so
// that several sets cost one checksum update.
#include "config.h"

#include "slowpath/execute.h"

#include <errno.h>

#include "lib/base/hash.h"
#include "lib/base/random.h"
#include "lib/net/packet_headers.h"

struct run {
    struct packet *packet;
    struct flow_key have, want; // as the packet is, as it is to be
    bool pending;               // they differ
    const struct sp_execute_cbs *cbs;
};

static int run_list(struct run *, const void *data, size_t len, bool last);

static void
own(struct run *r)
{
    if (!r->packet->base) {
        packet_own(r->packet, PACKET_HEADROOM);
    }
}

static void
flush(struct run *r)
{
    if (r->pending) {
        own(r);
        packet_rewrite(r->packet, &r->have, &r->want);
        r->have = r->want;
        r->pending = false;
    }
}

static void
do_set(struct run *r, const struct dp_act_set *a)
{
    const struct field_info *f = field_get((enum field_id) a->field);
    union field_value v, m;
    const size_t n = MIN(a->n_bytes, sizeof a->value);
    memset(&v, 0, sizeof v);
    memset(&m, 0, sizeof m);
    memcpy(v.b + FIELD_VALUE_BYTES - n, a->value, n);
    memcpy(m.b + FIELD_VALUE_BYTES - n, a->mask, n);
    field_write_masked(f, &r->want, &v, &m);
    r->pending = true;
}

static void
do_push_vlan(struct run *r, const struct dp_act_push_vlan *a)
{
    flush(r);
    own(r);
    packet_push_vlan(r->packet, a->tpid, a->tci);
    memmove(&r->have.vlan[1], &r->have.vlan[0], sizeof r->have.vlan - sizeof r->have.vlan[0]);
    r->have.vlan[0].tpid = a->tpid;
    r->have.vlan[0].tci = a->tci | htobe16(FLOW_VLAN_PRESENT);
    r->want = r->have;
}

static void
do_pop_vlan(struct run *r)
{
    flush(r);
    own(r);
    if (packet_pop_vlan(r->packet)) {
        memmove(&r->have.vlan[0], &r->have.vlan[1], sizeof r->have.vlan - sizeof r->have.vlan[0]);
        memset(&r->have.vlan[FLOW_N_VLANS - 1], 0, sizeof r->have.vlan[0]);
        r->want = r->have;
    }
}

// What changes what the packet's headers are: look again, keeping the metadata.
static void
reparse(struct run *r)
{
    const size_t ct = offsetof(struct flow_key, ct_nw_src), ct_end = FLOW_STAGE_L4 * 8;
    struct flow_key k = r->have;
    memset((char *) &k + FLOW_STAGE_L2 * 8, 0, sizeof k - FLOW_STAGE_L2 * 8);
    memcpy((char *) &k + ct, (const char *) &r->have + ct, ct_end - ct);
    packet_extract(r->packet, &k);
    r->have = r->want = k;
}

static void
do_push_eth(struct run *r, const struct dp_act_push_eth *a)
{
    flush(r);
    if (!r->have.packet_type) {
        return; // has one
    }
    own(r);
    struct hdr_eth h = {a->dst, a->src, r->have.eth_type};
    memcpy(packet_push(r->packet, sizeof h), &h, sizeof h);
    r->have.packet_type = 0;
    reparse(r);
}

static void
do_pop_eth(struct run *r)
{
    flush(r);
    if (r->have.packet_type || r->packet->len < sizeof(struct hdr_eth) || r->have.vlan[0].tci) {
        return;
    }
    own(r);
    packet_pull(r->packet, sizeof(struct hdr_eth));
    r->have.packet_type = htobe32(UINT32_C(1) << 16 | be16toh(r->have.eth_type));
    reparse(r);
}

// The same for all packets of a connection and one direction; alg 1: for both directions.
static void
do_hash(struct run *r, const struct dp_act_hash *a)
{
    const struct flow_key *k = &r->want;
    uint64_t src[3] = {(uint64_t) k->nw_src << 16 | k->tp_src},
             dst[3] = {(uint64_t) k->nw_dst << 16 | k->tp_dst};
    memcpy(&src[1], k->ipv6_src, 16);
    memcpy(&dst[1], k->ipv6_dst, 16);
    const uint32_t s = hash_words(src, 3, a->basis), d = hash_words(dst, 3, a->basis);
    const uint64_t both = a->alg ? (uint64_t) MIN(s, d) << 32 | MAX(s, d) : (uint64_t) s << 32 | d;
    const uint32_t hash = hash_u64(both, a->basis + k->nw_proto);
    r->have.dp_hash = r->want.dp_hash = htobe32(hash ? hash : 1); // 0: none
}

static int
do_nested(struct run *r, const struct dp_act *a, size_t skip, size_t len)
{
    struct packet copy;
    struct run nested = {.packet = &copy, .have = r->have, .want = r->want, .cbs = r->cbs};
    packet_clone(&copy, r->packet);
    int error = run_list(&nested, (const uint8_t *) a + skip, len, true);
    packet_free(&copy);
    return error;
}

static int
do_check_pkt_len(struct run *r, const struct dp_act *a)
{
    const struct dp_act_check_pkt_len *cpl = (const void *) a;
    const uint8_t *lists = (const uint8_t *) (cpl + 1);
    const size_t len = a->len - sizeof *cpl;
    return r->packet->len > cpl->pkt_len
               ? run_list(r, lists, cpl->greater_len, false)
               : run_list(r, lists + cpl->greater_len, len - cpl->greater_len, false);
}

static int
do_sample(struct run *r, const struct dp_act_sample *a)
{
    flush(r);
    if (!a->probability || random_u32() > a->probability) {
        return 0;
    }
    return do_nested(r, &a->a, sizeof *a, a->a.len - sizeof *a) == -EOPNOTSUPP ? -EOPNOTSUPP : 0;
}

static int
do_dec_ttl(struct run *r, const struct dp_act *a)
{
    if (r->want.nw_ttl > 1) {
        r->want.nw_ttl--;
        r->pending = true;
        return 0;
    }
    flush(r);
    do_nested(r, a, sizeof *a, a->len - sizeof *a);
    return -EHOSTUNREACH; // the packet ends here
}

static int
do_userspace(struct run *r, const struct dp_act_userspace *a, const struct dp_actions *whole)
{
    flush(r);
    if (r->cbs->userspace) {
        r->cbs->userspace(r->cbs->aux, r->packet, &r->have, a, a->has_actions ? whole : NULL);
    }
    return 0;
}

static int
do_other(struct run *r, const struct dp_act *a)
{
    flush(r);
    if (!r->cbs->other) {
        return -EOPNOTSUPP;
    }
    int error = r->cbs->other(r->cbs->aux, r->packet, &r->have, a);
    r->want = r->have;
    return error;
}

static int
run_one(struct run *r, const struct dp_act *a, const struct dp_actions *whole, bool last)
{
    switch ((enum dp_act_type) a->type) {
    case DP_ACT_OUTPUT:
        flush(r);
        if (r->cbs->output) {
            r->cbs->output(r->cbs->aux, r->packet, &r->have,
                           ((const struct dp_act_output *) (const void *) a)->port, last);
        }
        r->packet->cutlen = 0;
        return 0;
    case DP_ACT_DROP:
        return -ECANCELED;
    case DP_ACT_USERSPACE:
        return do_userspace(r, (const void *) a, whole);
    case DP_ACT_SET:
        do_set(r, (const void *) a);
        return 0;
    case DP_ACT_PUSH_VLAN:
        do_push_vlan(r, (const void *) a);
        return 0;
    case DP_ACT_POP_VLAN:
        do_pop_vlan(r);
        return 0;
    case DP_ACT_PUSH_MPLS:
        flush(r);
        own(r);
        packet_push_mpls(r->packet, ((const struct dp_act_push_mpls *) (const void *) a)->ethertype,
                         ((const struct dp_act_push_mpls *) (const void *) a)->lse);
        reparse(r);
        return 0;
    case DP_ACT_POP_MPLS:
        flush(r);
        own(r);
        packet_pop_mpls(r->packet, ((const struct dp_act_pop_mpls *) (const void *) a)->ethertype);
        reparse(r);
        return 0;
    case DP_ACT_PUSH_ETH:
        do_push_eth(r, (const void *) a);
        return 0;
    case DP_ACT_POP_ETH:
        do_pop_eth(r);
        return 0;
    case DP_ACT_HASH:
        do_hash(r, (const void *) a);
        return 0;
    case DP_ACT_SAMPLE:
        return do_sample(r, (const void *) a);
    case DP_ACT_RECIRC: {
        const uint32_t id = ((const struct dp_act_u32 *) (const void *) a)->value;
        flush(r);
        if (!r->cbs->recirc) {
            return -EOPNOTSUPP;
        }
        struct flow_key k = r->have;
        k.recirc_id = htobe32(id);
        r->cbs->recirc(r->cbs->aux, r->packet, &k, id);
        return 0;
    }
    case DP_ACT_TRUNC:
        r->packet->cutlen = ((const struct dp_act_u32 *) (const void *) a)->value;
        return 0;
    case DP_ACT_CLONE:
        flush(r);
        return do_nested(r, a, sizeof *a, a->len - sizeof *a) == -EOPNOTSUPP ? -EOPNOTSUPP : 0;
    case DP_ACT_CHECK_PKT_LEN:
        return do_check_pkt_len(r, a);
    case DP_ACT_DEC_TTL:
        return do_dec_ttl(r, a);
    default:
        return do_other(r, a);
    }
}

static int
run_list(struct run *r, const void *data, size_t len, bool last)
{
    const struct dp_actions whole = {(uint8_t *) (uintptr_t) data, (uint32_t) len, (uint32_t) len};
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, data, len) {
        const bool at_end = (const uint8_t *) a + a->len == (const uint8_t *) data + len;
        int error = run_one(r, a, &whole, last && at_end);
        if (error) {
            return error;
        }
    }
    return 0;
}

int
sp_execute(struct packet *packet, const struct flow_key *key, const struct dp_actions *acts,
           const struct sp_execute_cbs *cbs)
{
    // One output is the common case: no key is copied for it.
    const struct dp_act *first = (const struct dp_act *) (const void *) acts->data;
    if (acts->len && first->type == DP_ACT_OUTPUT && first->len == acts->len) {
        cbs->output(cbs->aux, packet, key,
                    ((const struct dp_act_output *) (const void *) first)->port, true);
        return 0;
    }
    if (!acts->len) {
        return 0;
    }
    struct run r = {.packet = packet, .have = *key, .want = *key, .cbs = cbs};
    int error = run_list(&r, acts->data, acts->len, true);
    flush(&r);
    // Ends that are no failures: dropped on purpose, dead TTL.
    return error == -ECANCELED || error == -EHOSTUNREACH ? 0 : error;
}
