// SPDX-License-Identifier: Apache-2.0
// Checksums. See checksum.h.
#include "lib/net/checksum.h"

uint32_t
csum_add(uint32_t sum, const void *p_, size_t n)
{
    const uint8_t *p = p_;
    uint64_t s = sum;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t v;
        memcpy(&v, p, 4);
        s += v;
    }
    if (n >= 2) {
        uint16_t v;
        memcpy(&v, p, 2);
        s += v;
        n -= 2;
        p += 2;
    }
    if (n) {
        s += be16toh((uint16_t) (*p << 8));
    }
    s = (s & UINT32_MAX) + (s >> 32);
    return (uint32_t) (s + (s >> 32));
}

uint32_t
csum_pseudo4(be32_t src, be32_t dst, uint8_t proto, uint16_t l4_len)
{
    uint32_t sum = csum_add32(csum_add32(0, src), dst);
    return csum_add16(csum_add16(sum, htobe16(proto)), htobe16(l4_len));
}

uint32_t
csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto, uint32_t l4_len)
{
    uint32_t sum = csum_add(csum_add(0, src, 16), dst, 16);
    return csum_add32(csum_add16(sum, htobe16(proto)), htobe32(l4_len));
}

be16_t
csum_update_bytes(be16_t csum, const void *was_, const void *is_, size_t n)
{
    const uint8_t *was = was_, *is = is_;
    uint32_t sum = (be16_t) ~csum;
    for (size_t i = 0; i + 1 < n; i += 2) {
        uint16_t a, b;
        memcpy(&a, was + i, 2);
        memcpy(&b, is + i, 2);
        sum = csum_add16(csum_add16(sum, (be16_t) ~a), b);
    }
    return csum_finish(sum);
}

uint32_t
csum_crc32c(const void *p_, size_t n)
{
    const uint8_t *p = p_;
    uint32_t crc = UINT32_MAX;
    for (; n; n--, p++) {
        crc ^= *p;
        for (int i = 0; i < 8; i++) {
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return htole32(~crc);
}
