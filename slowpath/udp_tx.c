// SPDX-License-Identifier: Apache-2.0
// Sending: queues by port, and the offloads that travel with a frame: a checksum that isn't filled
// in, segments that aren't cut yet. Local peers (veth, TAP) hand such frames over, and take them; a
// device that can't gets them finished by the kernel.
#include "config.h"

#include <stdlib.h>

#include "lib/net/checksum.h"
#include "lib/net/packet_headers.h"
#include "slowpath/udp_private.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 // Linux 6.2
#endif

static uint16_t
checksum_offset(uint8_t proto)
{
    return proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : 0;
}

// Writes the checksum over [start, end) to start + ofs, where its initial sum is already.
static void
finish_at(uint8_t *data, size_t start, size_t ofs, size_t end)
{
    if (start + ofs + 2 > end) {
        return;
    }
    be16_t csum = csum_finish(csum_add(0, data + start, end - start));
    if (!csum && ofs == 6) {
        csum = 0xffff; // UDP: 0 means none
    }
    memcpy(data + start + ofs, &csum, 2);
}

void
udp_offload_rx(struct udp_rx *rx, const struct flow_key *key)
{
    struct packet *p = &rx->packet;
    const struct virtio_net_hdr *h = &rx->vnet;
    if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
        return;
    }
    if (p->l4 != PACKET_NO_LAYER && h->csum_start == p->l4 &&
        checksum_offset(key->nw_proto) == h->csum_offset && h->csum_offset) {
        p->csum_partial = 1;
        p->gso_size = h->gso_type == VIRTIO_NET_HDR_GSO_NONE ? 0 : h->gso_size;
        return;
    }
    // Something encapsulated: not ours to describe to the next one.
    finish_at(p->data, h->csum_start, h->csum_offset, p->len);
}

static size_t
l4_end(const struct packet *p, const struct flow_key *key)
{
    size_t end = p->len;
    if (key->eth_type == htobe16(ETH_TYPE_IP)) { // without padding
        const struct hdr_ipv4 *ip = (const void *) (p->data + p->l3);
        end = MIN(end, (size_t) p->l3 + be16toh(ip->tot_len));
    } else if (key->eth_type == htobe16(ETH_TYPE_IPV6)) {
        const struct hdr_ipv6 *ip = (const void *) (p->data + p->l3);
        end = MIN(end, p->l3 + sizeof *ip + be16toh(ip->plen));
    }
    return end;
}

void
udp_finish_checksum(struct packet *p, const struct flow_key *key)
{
    if (p->csum_partial && p->l4 != PACKET_NO_LAYER && p->l4 < p->len) {
        packet_own(p, 0);
        finish_at(p->data, p->l4, checksum_offset(key->nw_proto), l4_end(p, key));
        p->csum_partial = 0;
    }
}

static void
describe(const struct packet *p, const struct flow_key *key, uint8_t *out)
{
    struct virtio_net_hdr *h = (void *) out;
    memset(h, 0, sizeof *h);
    if (!p->csum_partial || p->l4 == PACKET_NO_LAYER) {
        return;
    }
    h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    h->csum_start = p->l4;
    h->csum_offset = checksum_offset(key->nw_proto);
    if (!p->gso_size) {
        return;
    }
    h->gso_size = p->gso_size;
    if (key->nw_proto == IP_PROTO_UDP) {
        h->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
        h->hdr_len = p->l4 + sizeof(struct hdr_udp);
    } else {
        h->gso_type = key->eth_type == htobe16(ETH_TYPE_IPV6) ? VIRTIO_NET_HDR_GSO_TCPV6
                                                              : VIRTIO_NET_HDR_GSO_TCPV4;
        h->hdr_len = p->l4 + (p->data[p->l4 + 12] >> 4) * 4;
    }
}

static void
send(struct udp_txq *q)
{
    const size_t sent = q->port->class->tx(q->port, q->tx, q->n);
    if (sent < q->n) {
        __atomic_fetch_add(&q->port->tx_dropped, q->n - sent, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < q->n; i++) {
        free(q->tx[i].take);
    }
    q->n = 0;
}

void
udp_flush(struct dp_channel *ch)
{
    for (size_t i = 0; i < UDP_TXQS; i++) {
        if (ch->txq[i] && ch->txq[i]->n) {
            send(ch->txq[i]);
        }
    }
}

void
udp_output(struct dp_channel *ch, struct packet *p, const struct flow_key *key, uint32_t number,
           bool last)
{
    const struct udp_ports *ports = rcu_get(ch->dp->ports);
    struct udp_port *port = number < ports->n ? ports->by_number[number] : NULL;
    if (!port) {
        return;
    }
    struct udp_txq **qp = &ch->txq[number % UDP_TXQS];
    if (!*qp) {
        *qp = base_calloc(1, sizeof **qp);
    }
    struct udp_txq *q = *qp;
    if (q->n && (q->n == UDP_BATCH || q->port != port)) {
        send(q);
    }
    q->port = port;
    if (__builtin_expect(p->cutlen && p->cutlen < p->len, 0)) {
        udp_finish_checksum(p, key);
    }
    struct udp_tx *tx = &q->tx[q->n++];
    tx->take = NULL;
    tx->len = p->cutlen ? MIN(p->cutlen, p->len) : p->len;
    if (p->head >= UDP_VNET && (!p->base || last)) {
        // A borrowed packet stays as it is until the batch is over: changes are made in copies.
        tx->vnet = p->data - UDP_VNET;
        tx->take = p->base;
        p->base = NULL; // still readable: it is freed after sending
    } else {
        tx->take = base_malloc(UDP_VNET + tx->len);
        tx->vnet = tx->take;
        memcpy(tx->take + UDP_VNET, p->data, tx->len);
    }
    describe(p, key, tx->vnet);
}
