// SPDX-License-Identifier: Apache-2.0
// Messages of JSON-RPC peers: the fast reader must agree with jansson, and the splitter of streams
// must not mind where the bytes are cut.
#include <stdint.h>

#include "lib/base/jsonrpc.h"
#include "tests/unit/base/value_twins.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

// All values of the stream, fed in pieces of `step` bytes, as one array; NULL: an error.
static json_t *
read_stream(const char *text, size_t n, size_t step)
{
    struct jsonrpc_parser *p = jsonrpc_parser_new();
    json_t *all = json_array();
    const char *error = NULL;
    for (size_t at = 0; at < n && !error;) {
        json_t *value;
        size_t len = n - at < step ? n - at : step;
        at += jsonrpc_parser_feed(p, text + at, len, &value, &error);
        if (value) {
            json_array_append_new(all, value);
        }
    }
    jsonrpc_parser_free(p);
    if (error) {
        json_decref(all);
        all = NULL;
    }
    return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *) data;
    if (n) {
        twins_read(text, n);
        json_t *a = read_stream(text, n, n), *b = read_stream(text, n, 1 + n % 7);
        if (!a != !b || (a && !json_equal(a, b))) {
            abort();
        }
        json_decref(a);
        json_decref(b);
    }
    return 0;
}
