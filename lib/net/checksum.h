// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071), its incremental update (RFC 1624), and CRC32c for SCTP (RFC 9260).
//
// Sums are one's complement sums of big-endian 16-bit words in memory order: start with 0, csum_add() as many pieces as needed
// (each of even length but the last), close with csum_finish(). A finished checksum goes into a header as it is.
#ifndef LIB_NET_CHECKSUM_H
#define LIB_NET_CHECKSUM_H 1

#include "lib/base/util.h"

uint32_t csum_add(uint32_t sum, const void *p, size_t n);

static inline uint32_t
csum_add16(uint32_t sum, be16_t v)
{
    uint32_t s = sum + v;
    return s + (s < sum);
}

static inline uint32_t
csum_add32(uint32_t sum, be32_t v)
{
    uint32_t s = sum + v;
    return s + (s < sum);
}

static inline be16_t
csum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (be16_t) (sum + (sum >> 16));
}

static inline be16_t
csum_finish(uint32_t sum)
{
    return (be16_t) ~csum_fold(sum);
}

// Sum of the pseudo header of TCP, UDP and ICMPv6; l4_len in host order.
uint32_t csum_pseudo4(be32_t src, be32_t dst, uint8_t proto, uint16_t l4_len);
uint32_t csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t proto, uint32_t l4_len);

// The checksum of a header in which `was` became `is`.
static inline be16_t
csum_update32(be16_t csum, be32_t was, be32_t is)
{
    return csum_finish(csum_add32(csum_add32((be16_t) ~csum, ~was), is));
}

static inline be16_t
csum_update16(be16_t csum, be16_t was, be16_t is)
{
    return csum_finish(csum_add16(csum_add16((be16_t) ~csum, (be16_t) ~was), is));
}

// The same for n bytes (even) at an even place.
be16_t csum_update_bytes(be16_t csum, const void *was, const void *is, size_t n);

// CRC32c as SCTP puts it into its header: little-endian bytes, returned as they lie in memory.
uint32_t csum_crc32c(const void *p, size_t n);

#endif
