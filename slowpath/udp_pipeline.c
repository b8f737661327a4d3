// SPDX-License-Identifier: Apache-2.0
// A batch's way through the userspace datapath: key, flow, actions; what no flow takes goes to the
// slow path in one call.
//
// The work on a batch is done in steps over all its packets, each of which fetches what the next
// one reads from memory: with many flows, the waiting for memory overlaps.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "slowpath/udp_private.h"
#include "slowpath/udp_sigs.h"

#define SIGS_POLLER (128 * 1024) // flows that a polling thread's cache has room for
#define SIGS_OTHER 2048
#define SORT_MS 1000

struct udp_batch {
    struct flow_key keys[UDP_BATCH]; // metadata stays zero but for in_port
    uint32_t sigs[UDP_BATCH];
    struct udp_flow *flows[UDP_BATCH];
    struct sp_upcall upcalls[UDP_BATCH];
};

// --- Sections. ---

void
udp_enter(struct dp_channel *ch)
{
    if (!ch->depth++) {
        __atomic_store_n(&ch->seq, ch->seq + 1, __ATOMIC_SEQ_CST);
        rcu_begin();
        ch->now = clock_now();
    }
}

void
udp_leave(struct dp_channel *ch)
{
    if (ch->depth == 1) {
        udp_flush(ch);
        rcu_end();
        __atomic_store_n(&ch->seq, ch->seq + 1, __ATOMIC_SEQ_CST);
    }
    ch->depth--;
}

// --- Flows of single packets. ---

static struct udp_sigs *
sigs_of(struct dp_channel *ch)
{
    if (__builtin_expect(!ch->sigs, 0)) {
        const bool poller = ch->dp->poller && ch->dp->poller->channel == ch;
        ch->sigs = udp_sigs_new(poller ? SIGS_POLLER : SIGS_OTHER);
    }
    return ch->sigs;
}

// Flow of a packet that its signature doesn't know.
static struct udp_flow *
look_up(struct dp_channel *ch, const struct flow_key *key, uint32_t sig)
{
    uint64_t tried = 0;
    struct udp_flow *f = udp_table_lookup(&ch->dp->table, key, &tried);
    UDP_COUNT(ch->tried, tried);
    if (f) {
        udp_sigs_add(sigs_of(ch), sig, f);
    }
    return f;
}

static void
upcall(struct dp_channel *ch, struct sp_upcall *u, size_t n)
{
    const struct udp_upcall_target *t = rcu_get(ch->dp->upcall);
    if (t && ch->runs < UDP_MAX_DEPTH) {
        ch->runs++;
        t->fn(t->aux, ch, u, n);
        ch->runs--;
    } else {
        UDP_COUNT(ch->lost, n);
    }
}

static inline void
hit(struct dp_channel *ch, const struct udp_flow *f, const struct packet *p,
    const struct flow_key *key)
{
    udp_count_add(ch->counts, f->slot, p->len, be16toh(key->tcp_flags), ch->now);
}

// --- What actions ask for. ---

static void
do_output(void *ch, struct packet *p, const struct flow_key *key, uint32_t port, bool last)
{
    udp_output(ch, p, key, port, last);
}

static void
do_userspace(void *ch_, struct packet *p, const struct flow_key *key,
             const struct dp_act_userspace *a, const struct dp_actions *actions)
{
    struct dp_channel *ch = ch_;
    struct packet copy; // the slow path may change it, the actions behind this one want it as it is
    packet_clone(&copy, p);
    udp_finish_checksum(&copy, key);
    struct sp_upcall u = {.kind = DP_UPCALL_ACTION, .packet = &copy, .key = key, .user = a};
    upcall(ch, &u, 1);
    packet_free(&copy);
}

static void
do_recirc(void *ch_, struct packet *p, const struct flow_key *key, uint32_t id)
{
    struct dp_channel *ch = ch_;
    if (ch->runs >= UDP_MAX_DEPTH) {
        UDP_COUNT(ch->lost, 1);
        return;
    }
    struct packet copy; // actions may follow
    packet_clone(&copy, p);
    const uint32_t sig = udp_sig(key);
    struct udp_flow *f = udp_sigs_find(sigs_of(ch), sig, key);
    f = f ? f : look_up(ch, key, sig);
    if (f) {
        UDP_COUNT(ch->hit, 1);
        hit(ch, f, &copy, key);
        udp_execute(ch, &copy, key, &rcu_get(f->acts)->acts);
    } else {
        UDP_COUNT(ch->missed, 1);
        struct sp_upcall u = {.kind = DP_UPCALL_MISS, .packet = &copy, .key = key};
        upcall(ch, &u, 1);
    }
    packet_free(&copy);
}

void
udp_execute(struct dp_channel *ch, struct packet *p, const struct flow_key *key,
            const struct dp_actions *acts)
{
    const struct sp_execute_cbs cbs = {
        .aux = ch, .output = do_output, .userspace = do_userspace, .recirc = do_recirc};
    ch->runs++;
    sp_execute(p, key, acts, &cbs);
    ch->runs--;
}

// --- Batches. ---

static struct udp_batch *
batch_of(struct dp_channel *ch)
{
    if (__builtin_expect(!ch->batch, 0)) {
        ch->batch = base_calloc(1, sizeof *ch->batch);
    }
    return ch->batch;
}

static void
extract(struct udp_batch *b, const struct udp_sigs *sigs, const struct udp_port *port,
        struct udp_rx *rx, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct flow_key *key = &b->keys[i];
        __builtin_prefetch(rx[MIN(i + 2, n - 1)].packet.data);
        memset((uint64_t *) (void *) key + FLOW_STAGE_L2, 0, (FLOW_WORDS - FLOW_STAGE_L2) * 8);
        key->in_port = htobe32(port->number);
        packet_extract(&rx[i].packet, key);
        udp_offload_rx(&rx[i], key);
        b->sigs[i] = udp_sig(key);
        __builtin_prefetch(udp_sigs_set(sigs, b->sigs[i]));
    }
}

// The flow that a signature points to, before it is looked at.
static void
prefetch_flows(const struct udp_batch *b, const struct udp_sigs *sigs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t *set = udp_sigs_set(sigs, b->sigs[i]);
        for (size_t j = 0; j < UDP_SIG_WAYS; j++) {
            if (set[j] >> UDP_PTR_BITS == b->sigs[i] >> 16) {
                const uint8_t *f = (const uint8_t *) udp_untagged(set[j]);
                __builtin_prefetch(f);
                __builtin_prefetch(f + 64);
                __builtin_prefetch(f + 128);
            }
        }
    }
}

static void
miss(struct dp_channel *ch, struct udp_batch *b, size_t n_misses)
{
    if (!n_misses) {
        return;
    }
    UDP_COUNT(ch->missed, n_misses);
    upcall(ch, b->upcalls, n_misses);
}

void
udp_process(struct dp_channel *ch, struct udp_port *port, struct udp_rx *rx, size_t n)
{
    struct udp_batch *b = batch_of(ch);
    struct udp_sigs *sigs = sigs_of(ch);
    size_t n_misses = 0, cached = 0;
    extract(b, sigs, port, rx, n);
    prefetch_flows(b, sigs, n);
    for (size_t i = 0; i < n; i++) {
        struct udp_flow *f = udp_sigs_find(sigs, b->sigs[i], &b->keys[i]);
        cached += f != NULL;
        f = f ? f : look_up(ch, &b->keys[i], b->sigs[i]);
        b->flows[i] = f;
        if (f) {
            const struct udp_count *chunk = ch->counts->chunks[f->slot >> UDP_CHUNK_BITS];
            __builtin_prefetch(chunk ? &chunk[f->slot & (UDP_CHUNK - 1)] : NULL, 1);
        } else {
            b->upcalls[n_misses++] = (struct sp_upcall){
                .kind = DP_UPCALL_MISS, .packet = &rx[i].packet, .key = &b->keys[i]};
        }
    }
    UDP_COUNT(ch->hit, n - n_misses);
    UDP_COUNT(ch->cached, cached);
    for (size_t i = 0; i < n; i++) {
        if (b->flows[i]) {
            hit(ch, b->flows[i], &rx[i].packet, &b->keys[i]);
            udp_execute(ch, &rx[i].packet, &b->keys[i], &rcu_get(b->flows[i]->acts)->acts);
        }
    }
    miss(ch, b, n_misses);
    udp_flush(ch);
    for (size_t i = 0; i < n; i++) {
        packet_free(&rx[i].packet);
    }
    if (ch->now >= ch->next_sort) {
        ch->next_sort = ch->now + SORT_MS;
        udp_table_sort(&ch->dp->table);
    }
}

void
udp_channel_free_parts(struct dp_channel *ch)
{
    for (size_t i = 0; i < UDP_TXQS; i++) {
        free(ch->txq[i]);
    }
    free(ch->batch);
    udp_sigs_free(ch->sigs);
}
