// SPDX-License-Identifier: Apache-2.0
#ifndef LIB_BASE_JSONRPC_VALUE_H
#define LIB_BASE_JSONRPC_VALUE_H 1

#include <jansson.h>

// The value that n bytes of text are; NULL: they are unusual, or no JSON. Brackets in the text (but
// for those in strings) balance at its last byte, not earlier, and no deeper than the stack is.
json_t *jsonrpc_read_value(const char *text, size_t n);

#endif
