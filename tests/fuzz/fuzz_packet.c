// SPDX-License-Identifier: Apache-2.0
// Any bytes as a packet: reading, rewriting, tagging and composing stay inside the buffer, and reading is repeatable.
#include <stdint.h>
#include <stdlib.h>

#include "lib/flow/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flow_key key, again, want;
    struct packet p, q;

    if (size > 2000) {
        return 0;
    }
    packet_init_borrowed(&p, data, size);
    memset(&key, 0, sizeof key);
    packet_extract(&p, &key);
    packet_clone(&q, &p);
    memset(&again, 0, sizeof again);
    packet_extract(&q, &again);
    if (memcmp(&key, &again, sizeof key) || p.l3 != q.l3 || p.l4 != q.l4) {
        abort();
    }

    // Rewrite to something else and back: the packet is as before.
    want = key;
    for (size_t i = FLOW_STAGE_L2; i < FLOW_WORDS; i++) {
        ((uint64_t *) (void *) &want)[i] ^= UINT64_C(0x1111111111111111);
    }
    want.eth_type = key.eth_type;
    memcpy(want.vlan, key.vlan, sizeof want.vlan);
    memcpy(want.mpls_lse, key.mpls_lse, sizeof want.mpls_lse);
    want.nw_frag = key.nw_frag;
    packet_rewrite(&q, &key, &want);
    packet_push_vlan(&q, htobe16(0x8100), htobe16(7));
    packet_push_mpls(&q, htobe16(0x8847), htobe32(0x140));
    packet_pop_mpls(&q, htobe16(0x0800));
    packet_pop_vlan(&q);
    packet_free(&q);

    packet_compose(&q, &key, 10);
    memset(&again, 0, sizeof again);
    packet_extract(&q, &again);
    packet_free(&q);
    return 0;
}
