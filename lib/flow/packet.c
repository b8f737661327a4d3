// SPDX-License-Identifier: Apache-2.0
// Packet buffers, and pushing and popping of tags and labels. See packet.h.
#include "lib/flow/packet.h"

#include <stdlib.h>

#include "lib/net/packet_headers.h"

void
packet_init(struct packet *p, size_t capacity)
{
    *p = (struct packet){.l2_5 = PACKET_NO_LAYER, .l3 = PACKET_NO_LAYER, .l4 = PACKET_NO_LAYER};
    p->cap = capacity + PACKET_HEADROOM;
    p->base = base_malloc(p->cap);
    p->head = PACKET_HEADROOM;
    p->data = p->base + p->head;
}

void
packet_init_borrowed(struct packet *p, const void *data, size_t len)
{
    *p = (struct packet){.l2_5 = PACKET_NO_LAYER, .l3 = PACKET_NO_LAYER, .l4 = PACKET_NO_LAYER};
    p->data = (uint8_t *) (uintptr_t) data;
    p->len = len;
}

// Moves the bytes to a new allocation with this much room before and behind them.
static void
reallocate(struct packet *p, size_t headroom, size_t tailroom)
{
    uint32_t cap = headroom + p->len + tailroom;
    uint8_t *base = base_malloc(cap);
    if (p->len) {
        memcpy(base + headroom, p->data, p->len);
    }
    free(p->base);
    p->base = base;
    p->cap = cap;
    p->head = headroom;
    p->data = base + headroom;
}

void
packet_own(struct packet *p, size_t headroom)
{
    if (!p->base || p->head < headroom) {
        reallocate(p, MAX(headroom, (size_t) PACKET_HEADROOM), 0);
    }
}

void
packet_free(struct packet *p)
{
    free(p->base);
    *p = (struct packet){.base = NULL};
}

void
packet_clone(struct packet *dst, const struct packet *src)
{
    *dst = *src;
    dst->base = NULL;
    reallocate(dst, PACKET_HEADROOM, 0);
}

void *
packet_push(struct packet *p, size_t n)
{
    packet_own(p, n);
    p->head -= n;
    p->data -= n;
    p->len += n;
    return p->data;
}

void
packet_pull(struct packet *p, size_t n)
{
    n = MIN(n, p->len);
    p->head += p->base ? n : 0;
    p->data += n;
    p->len -= n;
}

void
packet_append(struct packet *p, const void *data, size_t n)
{
    if (!p->base || p->cap - p->head - p->len < n) {
        reallocate(p, p->base ? p->head : PACKET_HEADROOM, MAX(n, (size_t) p->len));
    }
    if (data) {
        memcpy(p->data + p->len, data, n);
    } else {
        memset(p->data + p->len, 0, n);
    }
    p->len += n;
}

// Layers moved by n bytes, as the first bytes of the packet are new or gone.
static void
shift_layers(struct packet *p, int n)
{
    p->l2_5 += p->l2_5 != PACKET_NO_LAYER ? n : 0;
    p->l3 += p->l3 != PACKET_NO_LAYER ? n : 0;
    p->l4 += p->l4 != PACKET_NO_LAYER ? n : 0;
}

void
packet_push_vlan(struct packet *p, be16_t tpid, be16_t tci)
{
    if (p->len < 12) {
        return;
    }
    uint8_t *d = packet_push(p, 4);
    memmove(d, d + 4, 12);
    tci &= htobe16(0xefff);
    memcpy(d + 12, &tpid, 2);
    memcpy(d + 14, &tci, 2);
    shift_layers(p, 4);
}

bool
packet_pop_vlan(struct packet *p)
{
    be16_t type;
    if (p->len < sizeof(struct hdr_eth) + 4) {
        return false;
    }
    memcpy(&type, p->data + 12, 2);
    if (type != htobe16(ETH_TYPE_VLAN) && type != htobe16(ETH_TYPE_VLAN_SERVICE)) {
        return false;
    }
    packet_own(p, 0);
    memmove(p->data + 4, p->data, 12);
    packet_pull(p, 4);
    shift_layers(p, -4);
    return true;
}

// Where the type of the payload lies: behind all tags. 0: the packet is too short.
static size_t
ethertype_offset(const struct packet *p)
{
    size_t ofs = 12;
    for (be16_t type; ofs + 2 <= p->len; ofs += 4) {
        memcpy(&type, p->data + ofs, 2);
        if (type != htobe16(ETH_TYPE_VLAN) && type != htobe16(ETH_TYPE_VLAN_SERVICE)) {
            return ofs;
        }
    }
    return 0;
}

void
packet_push_mpls(struct packet *p, be16_t ethertype, be32_t lse)
{
    size_t ofs = ethertype_offset(p);
    if (!ofs) {
        return;
    }
    uint8_t *d = packet_push(p, 4);
    memmove(d, d + 4, ofs);
    memcpy(d + ofs, &ethertype, 2);
    memmove(d + ofs + 2, &lse, 4);
    shift_layers(p, 4);
    p->l2_5 = ofs + 2;
}

bool
packet_pop_mpls(struct packet *p, be16_t ethertype)
{
    size_t ofs = ethertype_offset(p);
    be16_t type;
    if (!ofs || p->len < ofs + 6) {
        return false;
    }
    memcpy(&type, p->data + ofs, 2);
    if (type != htobe16(ETH_TYPE_MPLS) && type != htobe16(ETH_TYPE_MPLS_MCAST)) {
        return false;
    }
    bool last = p->data[ofs + 4] & 1;
    packet_own(p, 0);
    memcpy(p->data + ofs, &ethertype, 2);
    memmove(p->data + 4, p->data, ofs + 2);
    packet_pull(p, 4);
    shift_layers(p, -4);
    p->l2_5 = last ? PACKET_NO_LAYER : p->l2_5;
    p->l2_5 = p->l2_5 == PACKET_NO_LAYER ? p->l2_5 : (uint16_t) (ofs + 2);
    return true;
}
