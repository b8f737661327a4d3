// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629), of texts that end with a NUL.
#ifndef LIB_BASE_UTF8_H
#define LIB_BASE_UTF8_H 1

#include "lib/base/util.h"

// Length of the sequence of two bytes or more at p; 0: there is none.
size_t utf8_sequence(const char *p);
// NULL, or a sentence to free: "invalid UTF-8 sequence 0xc3 0x28".
char *utf8_check(const char *s);

#endif
