// SPDX-License-Identifier: Apache-2.0
// A thread's signature cache: from a hash of the packet to the flow it found last time. One cache
// line is looked at; the flow's own key and mask decide. Pointers are kept without references: see
// udp_table.h for why that is safe.
#ifndef SLOWPATH_UDP_SIGS_H
#define SLOWPATH_UDP_SIGS_H 1

#include "slowpath/udp_index.h"

#define UDP_SIG_WAYS 8

struct udp_sigs {
    size_t mask; // sets - 1
    uint32_t victim;
    uint64_t *e; // sets of UDP_SIG_WAYS tagged pointers, cache-line aligned
};

struct udp_sigs *udp_sigs_new(size_t n_flows);
void udp_sigs_free(struct udp_sigs *);

// Of what tells flows apart most often; the rest is left to the flow's own comparison.
static inline uint32_t
udp_sig(const struct flow_key *k)
{
    const uint64_t *w = flow_key_words(k);
    uint64_t h = (uint64_t) k->in_port << 32 | k->recirc_id;
    h = hash_mix64(h, w[FLOW_STAGE_L2]) + hash_mix64(w[FLOW_STAGE_L2 + 1], w[FLOW_STAGE_L2 + 2]);
    uint64_t ports;
    memcpy(&ports, &k->tp_src, sizeof ports);
    ports &= htobe64(UINT64_C(0xffffffff00000000)); // without TCP flags
    uint64_t nw = (uint64_t) k->nw_src << 32 | k->nw_dst;
    if (k->eth_type == htobe16(0x86dd)) {
        uint64_t a[4];
        memcpy(a, k->ipv6_src, 16);
        memcpy(&a[2], k->ipv6_dst, 16);
        nw = hash_mix64(hash_mix64(hash_mix64(a[0], a[1]), a[2]), a[3]);
    }
    h = hash_mix64(hash_mix64(h, nw), ports + k->nw_proto);
    return (uint32_t) (h >> 16);
}

static inline uint64_t *
udp_sigs_set(const struct udp_sigs *c, uint32_t sig)
{
    return &c->e[(sig & c->mask) * UDP_SIG_WAYS];
}

static inline struct udp_flow *
udp_sigs_find(const struct udp_sigs *c, uint32_t sig, const struct flow_key *key)
{
    const uint64_t *set = udp_sigs_set(c, sig);
    for (size_t i = 0; i < UDP_SIG_WAYS; i++) {
        if (set[i] >> UDP_PTR_BITS == sig >> 16 && set[i]) {
            struct udp_flow *f = udp_untagged(set[i]);
            if (udp_flow_matches(f, key)) {
                return f;
            }
        }
    }
    return NULL;
}

static inline void
udp_sigs_add(struct udp_sigs *c, uint32_t sig, const struct udp_flow *f)
{
    uint64_t *set = udp_sigs_set(c, sig);
    size_t at = UDP_SIG_WAYS;
    for (size_t i = 0; i < UDP_SIG_WAYS && at == UDP_SIG_WAYS; i++) {
        if (!set[i] || !__atomic_load_n(&udp_untagged(set[i])->live, __ATOMIC_RELAXED)) {
            at = i;
        }
    }
    set[at < UDP_SIG_WAYS ? at : c->victim++ % UDP_SIG_WAYS] = udp_tagged(f, sig);
}

#endif
