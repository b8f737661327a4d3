// SPDX-License-Identifier: Apache-2.0
// SHA-1, by the processor's instructions and without, against OpenSSL's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "lib/base/random.h"
#include "ovsdb/sha1.h"

static void
check(const uint8_t *data, size_t n)
{
    uint8_t sum[SHA_DIGEST_LENGTH];
    char want[DB_SHA1_HEX + 1], got[DB_SHA1_HEX + 1], plain[DB_SHA1_HEX + 1];
    SHA1(data, n, sum);
    for (int i = 0; i < SHA_DIGEST_LENGTH; i++) {
        snprintf(want + 2 * i, 3, "%02x", sum[i]);
    }
    db_sha1_hex(data, n, got);
    db_sha1_hex_plain(data, n, plain);
    assert_string_equal(got, want);
    assert_string_equal(plain, want);
}

// Each length at which the end falls differently into blocks, at each alignment.
static void
test_lengths(void **state)
{
    for (size_t n = 0; n < 300; n++) {
        uint8_t *data = base_malloc(n + 16);
        for (size_t at = 0; at < 16; at += 1 + n % 5) {
            random_bytes(data + at, n);
            check(data + at, n);
        }
        free(data);
    }
}

static void
test_long(void **state)
{
    size_t n = 1000003;
    uint8_t *data = base_malloc(n);
    random_bytes(data, n);
    check(data, n);
    free(data);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
