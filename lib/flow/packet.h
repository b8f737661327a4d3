// SPDX-License-Identifier: Apache-2.0
// A packet in user space: a buffer with headroom, where its layers start, its metadata; and packet → key.
#ifndef LIB_FLOW_PACKET_H
#define LIB_FLOW_PACKET_H 1

#include "lib/flow/flow_key.h"

#define PACKET_HEADROOM 128
#define PACKET_NO_LAYER UINT16_MAX

struct packet {
    uint8_t *base; // allocation; NULL: data is borrowed
    uint32_t cap;
    uint32_t head; // offset of the first byte in base
    uint32_t len;
    uint8_t *data; // base + head
    uint16_t l2_5, l3, l4; // offsets from data, or PACKET_NO_LAYER; set by packet_extract()
    uint32_t cutlen;       // trunc: send at most this many bytes; 0: all
    uint8_t csum_partial;  // L4 checksum not filled in (virtio/AF_PACKET TP_STATUS_CSUMNOTREADY)
    uint16_t gso_size;
};

void packet_init(struct packet *, size_t capacity);
void packet_init_borrowed(struct packet *, const void *data, size_t len); // read-only until packet_own()
void packet_own(struct packet *, size_t headroom); // makes it writable, with room at the front
void packet_free(struct packet *);
void packet_clone(struct packet *dst, const struct packet *src);
void *packet_push(struct packet *, size_t n); // n bytes at the front
void packet_pull(struct packet *, size_t n);
void packet_append(struct packet *, const void *, size_t n);

// Fills all that comes from the packet's bytes, leaving metadata members (tunnel, in_port, regs, ct_*, recirc_id, marks …) as the caller set them (zero
// the key first). Truncated or malformed headers end the walk: members of the layers that are not whole stay zero.
// Sets the packet's layer offsets.
void packet_extract(struct packet *, struct flow_key *);

// A packet with the key's headers, valid checksums and `payload_len` bytes: for netdev-dummy/receive, ofproto/trace, tests.
void packet_compose(struct packet *, const struct flow_key *, size_t payload_len);
// Bytes behind the headers of a packet that is made up, as the stock switch makes them: 64 for UDP, pings and TCP without SYN, FIN or RST; else 0.
size_t packet_made_payload(const struct flow_key *);
// Text for logs and packet-in ("tcp,vlan_tci=0x0000,…": the key's match text).
// Header edits, checksums kept right.
void packet_push_vlan(struct packet *, be16_t tpid, be16_t tci);
bool packet_pop_vlan(struct packet *);
void packet_push_mpls(struct packet *, be16_t ethertype, be32_t lse);
bool packet_pop_mpls(struct packet *, be16_t ethertype);
// Writes the header fields that differ between the key the packet has (`old`) and `want` into it, and updates checksums.
void packet_rewrite(struct packet *, const struct flow_key *old, const struct flow_key *want);

#endif
