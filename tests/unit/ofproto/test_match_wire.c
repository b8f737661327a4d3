// SPDX-License-Identifier: Apache-2.0
// Fields and matches on the wire: against the bytes of the stock ovs-ofctl
// (tests/golden/ofproto/match.txt), round trips of random matches, and what must be refused.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "ofproto/of_error.h"
#include "ofproto/of_match_wire.h"

static size_t
unhex(const char *text, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (; isxdigit((unsigned char) text[0]) && isxdigit((unsigned char) text[1]) && n < max;
         text += 2) {
        char digits[3] = {text[0], text[1], 0};
        out[n++] = (uint8_t) strtoul(digits, NULL, 16);
    }
    return n;
}

static int
decode(enum of_version version, bool nxm, const uint8_t *data, size_t len, struct flow_match *m)
{
    if (nxm) {
        return of_oxm_match_decode(data, len, OF_OXM_REFUSE_UNKNOWN, m, NULL);
    }
    if (version == OF_10) {
        assert_int_equal(len, OF10_MATCH_LEN);
        of_match10_decode(data, m);
        return 0;
    }
    const uint8_t *p = data;
    int error = of_match_decode(&p, &len, OF_OXM_REFUSE_UNKNOWN, m);
    if (!error) {
        assert_int_equal(len, 0);
    }
    return error;
}

static void
encode(enum of_version version, bool nxm, const struct flow_match *m, struct str *out)
{
    str_clear(out);
    if (nxm) {
        of_oxm_match_encode(m, OF_10, NULL, out);
    } else {
        of_match_encode(m, version, out);
    }
}

// The TLVs of a match, sorted, so that an order of fields of our own doesn't count.
static void
sort_tlvs(const uint8_t *p, size_t len, struct str *out)
{
    struct str tlvs[64];
    size_t n = 0;
    while (len >= 4 && n < 64 && len >= 4u + p[3]) {
        size_t size = 4u + p[3];
        str_init(&tlvs[n]);
        str_add_hex(&tlvs[n++], p, size);
        p += size;
        len -= size;
    }
    str_clear(out);
    while (n) {
        size_t least = 0;
        for (size_t i = 1; i < n; i++) {
            least = strcmp(tlvs[i].p, tlvs[least].p) < 0 ? i : least;
        }
        str_add(out, tlvs[least].p);
        str_add_char(out, ' ');
        str_free(&tlvs[least]);
        tlvs[least] = tlvs[--n];
    }
}

static void
test_golden(void **state)
{
    const char *src = getenv("top_srcdir");
    char path[4096];
    static char line[8192];
    snprintf(path, sizeof path, "%s/tests/golden/ofproto/match.txt", src ? src : ".");
    FILE *f = fopen(path, "r");
    struct str got = STR_INIT, a = STR_INIT, b = STR_INIT;
    int bad = 0, lines = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *save = NULL, *form = strtok_r(line, "\t", &save), *text = strtok_r(NULL, "\t", &save);
        char *hex = strtok_r(NULL, "\n", &save);
        bool nxm = !strcmp(form, "nxm");
        enum of_version version = nxm ? OF_10 : atoi(form);
        uint8_t want[1024];
        size_t len = hex ? unhex(hex, want, sizeof want) : 0;
        struct flow_match m, again;
        int error = decode(version, nxm, want, len, &m);
        lines++;
        if (error) {
            print_error("%s %s: %s\n", form, text, of_error_name(error));
            bad++;
            continue;
        }
        encode(version, nxm, &m, &got);
        size_t skip = version >= OF_12 ? 4 : 0;
        str_clear(&a);
        str_clear(&b);
        if (nxm || skip) {
            sort_tlvs(want + skip, len - skip, &a);
            sort_tlvs((const uint8_t *) str_get(&got) + skip, got.len - skip, &b);
        } else {
            str_add_hex(&a, want, len);
            str_add_hex(&b, got.p, got.len);
        }
        if (got.len != len || strcmp(str_get(&a), str_get(&b))) {
            print_error("%s %s:\n  want %s\n  got  %s\n", form, text, str_get(&a), str_get(&b));
            bad++;
        }
        assert_int_equal(decode(version, nxm, (const uint8_t *) str_get(&got), got.len, &again), 0);
        if (!match_equals(&m, &again)) {
            print_error("%s %s: another match after a round trip\n", form, text);
            bad++;
        }
    }
    fclose(f);
    str_free(&got);
    str_free(&a);
    str_free(&b);
    assert_true(lines > 200);
    assert_int_equal(bad, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
