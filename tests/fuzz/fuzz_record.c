// SPDX-License-Identifier: Apache-2.0
// Records of a database file, without the checksums in front of them; one a NUL. The fast reader
// and the general one must come to the same rows.
#include <stdint.h>

#include "tests/unit/ovsdb/record_twins.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct twins t;
    struct str text = STR_INIT;
    twins_open(&t);
    for (size_t at = 0; at < n;) {
        const uint8_t *end = memchr(data + at, '\0', n - at);
        size_t len = end ? (size_t) (end - data - at) : n - at;
        str_clear(&text);
        str_add_n(&text, data + at, len);
        str_get(&text);
        if (len) {
            twins_apply(&t, text.p, len);
        }
        at += len + 1;
    }
    str_free(&text);
    twins_close(&t);
    return 0;
}
