// SPDX-License-Identifier: Apache-2.0
// Eight hexadecimal digits at once.
#ifndef LIB_BASE_HEX_H
#define LIB_BASE_HEX_H 1

#include <endian.h>
#include <stdint.h>
#include <string.h>

// The number in lower case, the most significant digit first.
static inline void
hex_format(uint32_t v, char out[8])
{
    uint64_t d = v; // becomes one digit a byte
    d = (d | d << 16) & UINT64_C(0x0000ffff0000ffff);
    d = (d | d << 8) & UINT64_C(0x00ff00ff00ff00ff);
    d = (d | d << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    const uint64_t letters = (d + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    d = htobe64(d + UINT64_C(0x3030303030303030) + letters * ('a' - '9' - 1));
    memcpy(out, &d, 8);
}

#endif
