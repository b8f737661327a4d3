// SPDX-License-Identifier: Apache-2.0
// Any bytes as OpenFlow messages, printed: something comes out, and it ends in a line feed.
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "ofproto/of_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct of_print print = {.stats = true, .verbosity = 3};
    struct str out = STR_INIT;
    static bool quiet;
    if (!quiet) {
        free(log_set_levels("off"));
        quiet = true;
    }
    if (size > OF_MAX_LEN) {
        return 0;
    }
    of_msg_format_bytes(data, size, NULL, &print, &out);
    if (!out.len || out.p[out.len - 1] != '\n') {
        abort();
    }
    str_clear(&out);
    if (size >= OF_HEADER_LEN) { // with the length that it has
        uint8_t *copy = base_memdup(data, size);
        copy[2] = size >> 8;
        copy[3] = size & 0xff;
        of_msg_format_bytes(copy, size, NULL, &print, &out);
        free(copy);
    }
    str_free(&out);
    return 0;
}
