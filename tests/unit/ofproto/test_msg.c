// SPDX-License-Identifier: Apache-2.0
// Messages on the wire: what stock programs say (tests/golden/ofproto/messages.txt) is read and,
// written again, is the same; random messages survive a round trip in every version; cut and
// damaged ones are refused, not read past.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "ofproto/of_msg.h"

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

static bool
has_entries(const struct of_msg *m)
{
    switch (m->type) {
    case OF_MSG_FEATURES_REPLY:
    case OF_MSG_FLOW_STATS_REPLY:
    case OF_MSG_TABLE_STATS_REPLY:
    case OF_MSG_TABLE_FEATURES_REPLY:
    case OF_MSG_PORT_STATS_REPLY:
    case OF_MSG_PORT_DESC_REPLY:
    case OF_MSG_QUEUE_STATS_REPLY:
        return true;
    default:
        return false;
    }
}

// Reads all entries and writes them into `mp` (NULL: only reads).
static int
copy_entries(struct of_msg *m, struct of_mp *mp)
{
    struct of_flow_stats fs = {.actions = OF_ACTIONS_INIT};
    struct of_table_stats ts;
    struct of_table_features tf;
    struct of_port_stats ps;
    struct of_port_desc pd;
    struct of_queue_stats qs;
    uint32_t port;
    int error = 0;
    struct of_mp none;
    if (!mp) {
        of_mp_begin(mp = &none, m->type, &(struct of_wire){.version = m->version, .nxm = m->nxm},
                    m->xid);
    }
    switch (m->type) {
    case OF_MSG_FLOW_STATS_REPLY:
        while (of_flow_stats_next(m, &fs, &error)) {
            of_mp_flow_stats(mp, &fs);
        }
        break;
    case OF_MSG_TABLE_STATS_REPLY:
        while (of_table_stats_next(m, &ts, &error)) {
            of_mp_table_stats(mp, &ts);
        }
        break;
    case OF_MSG_TABLE_FEATURES_REPLY:
        while (of_table_features_next(m, &tf, &error)) {
            of_mp_table_features(mp, &tf);
        }
        break;
    case OF_MSG_PORT_STATS_REPLY:
        while (of_port_stats_next(m, &ps, &port, &error)) {
            of_mp_port_stats(mp, port, &ps);
        }
        break;
    case OF_MSG_FEATURES_REPLY:
    case OF_MSG_PORT_DESC_REPLY:
        while (of_port_desc_next(m, &pd, &error)) {
            of_mp_port_desc(mp, &pd);
        }
        break;
    case OF_MSG_QUEUE_STATS_REPLY:
        while (of_queue_stats_next(m, &qs, &error)) {
            of_mp_queue_stats(mp, &qs);
        }
        break;
    default:
        break;
    }
    of_actions_free(&fs.actions);
    if (mp == &none) {
        struct str out = STR_INIT;
        of_mp_end(mp, &out);
        str_free(&out);
    }
    return error;
}

// The message in bytes again, as it came.
static int
write_again(struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    if (!has_entries(m)) {
        return of_msg_encode(m, wire, out);
    }
    struct of_mp mp;
    struct of_wire w = *wire;
    w.nxm = m->nxm;
    if (m->type == OF_MSG_FEATURES_REPLY) {
        of_mp_begin_features(&mp, &m->u.features, &w, m->xid);
    } else {
        of_mp_begin(&mp, m->type, &w, m->xid);
    }
    int error = copy_entries(m, &mp);
    of_mp_end(&mp, out);
    if (m->more) {
        out->p[11] = 1;
    }
    return error;
}

// Fields of a match may stand in another order than the peer's: the same bytes, sorted.
static int
compare_bytes(const void *a, const void *b)
{
    return *(const uint8_t *) a - *(const uint8_t *) b;
}

static bool
same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t *x = base_memdup(a, n), *y = base_memdup(b, n);
    qsort(x, n, 1, compare_bytes);
    qsort(y, n, 1, compare_bytes);
    bool same = !memcmp(x, y, n);
    free(x);
    free(y);
    return same;
}

static FILE *
open_golden(const char *name)
{
    const char *src = getenv("top_srcdir");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/ofproto/%s", src ? src : ".", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

static char line[140000];
static uint8_t bytes[70000];

static void
complain(const struct of_msg *m, const char *what, const uint8_t *want, size_t n_want,
         const struct str *got)
{
    struct str a = STR_INIT, b = STR_INIT;
    str_add_hex(&a, want, MIN(n_want, (size_t) 200));
    str_add_hex(&b, got->p, MIN(got->len, (size_t) 200));
    print_error("%s (version %d): %s\n  want %s\n  got  %s\n", of_msg_name(m), m->version, what,
                str_get(&a), str_get(&b));
    str_free(&a);
    str_free(&b);
}

// What our form doesn't carry: experimenters' port counters.
static bool
is_richer_than_ours(const struct of_msg *m)
{
    return (m->type == OF_MSG_PORT_STATS_REPLY && m->version >= OF_14) ||
           m->packet_in_format == OF_PIN_FMT_NXT2;
}

static void
test_golden(void **state)
{
    FILE *f = open_golden("messages.txt");
    struct str out = STR_INIT;
    int bad = 0, n = 0, types[OF_MSG_COUNT] = {0};
    while (fgets(line, sizeof line, f)) {
        size_t len = unhex(line, bytes, sizeof bytes);
        struct of_msg m;
        struct of_wire wire = {.version = bytes[0]};
        str_clear(&out);
        assert_int_equal(of_msg_length(bytes, len), len);
        int error = of_msg_decode(bytes, len, &wire, &m);
        if (error == OF_ERROR_FMFC_BAD_COMMAND) { // said after NXT_FLOW_MOD_TABLE_ID
            of_msg_clear(&m);
            wire.table_id = true;
            error = of_msg_decode(bytes, len, &wire, &m);
        }
        n++;
        types[m.type]++;
        if (error) {
            struct str none = STR_INIT;
            complain(&m, of_error_name(error), bytes, len, &none);
            bad++;
            of_msg_clear(&m);
            continue;
        }
        wire.packet_in = m.packet_in_format;
        error = write_again(&m, &wire, &out);
        if (error) {
            complain(&m, error > 0 ? of_error_name(error) : "cannot be written", bytes, len, &out);
            bad++;
        } else if (!is_richer_than_ours(&m) &&
                   (out.len != len || !same_bytes((const uint8_t *) out.p, bytes, len))) {
            complain(&m, "differs", bytes, len, &out);
            bad++;
        }
        of_msg_clear(&m);
    }
    fclose(f);
    str_free(&out);
    int kinds = 0;
    for (int i = 0; i < OF_MSG_COUNT; i++) {
        kinds += types[i] != 0;
    }
    print_message("%d messages of %d types\n", n, kinds);
    assert_true(n > 300 && kinds > 50);
    assert_int_equal(bad, 0);
}

// Every message cut short at every length, with the header saying so, and every byte damaged: no
// reading beyond (the sanitizers watch), and an answer that this version can say.
static void
try_damaged(const uint8_t *data, size_t len)
{
    uint8_t *copy = base_memdup(data, len); // its own allocation, for the sanitizer
    struct of_msg m;
    struct of_error_code code;
    copy[2] = (uint8_t) (len >> 8);
    copy[3] = (uint8_t) len;
    int error = of_msg_decode(copy, len, NULL, &m);
    if (!error) {
        error = copy_entries(&m, NULL);
    }
    if (error && copy[0] >= OF_10 && copy[0] <= OF_15 && !of_error_code(error, copy[0], &code)
        && !of_error_code(OF_ERROR_NXBRC_UNENCODABLE_ERROR, copy[0], &code)) {
        fail_msg("error %s cannot be said in version %d", of_error_name(error), copy[0]);
    }
    of_msg_clear(&m);
    free(copy);
}

static void
test_damaged(void **state)
{
    FILE *f = open_golden("messages.txt");
    uint64_t seed = random_u64();
    print_message("seed %llu\n", (unsigned long long) seed);
    random_seed(seed);
    while (fgets(line, sizeof line, f)) {
        size_t len = unhex(line, bytes, sizeof bytes);
        if (len > 2000) {
            continue;
        }
        for (size_t cut = OF_HEADER_LEN; cut < len; cut++) {
            try_damaged(bytes, cut);
        }
        for (int i = 0; i < 100; i++) {
            size_t at = random_below(len);
            uint8_t old = bytes[at];
            bytes[at] =
                random_below(2) ? (uint8_t) random_u32() : old ^ (uint8_t) (1u << random_below(8));
            try_damaged(bytes, len);
            bytes[at] = old;
        }
    }
    fclose(f);
}

static void
test_lengths(void **state)
{
    static const uint8_t short_one[] = {1, 0, 0, 7, 0, 0, 0, 0};
    static const uint8_t good[] = {4, 0, 0, 16, 0, 0, 0, 1};
    assert_int_equal(of_msg_length(good, 3), 0);
    assert_int_equal(of_msg_length(good, 7), 0);
    assert_int_equal(of_msg_length(good, 8), 16);
    assert_true(of_msg_length(short_one, 8) < OF_HEADER_LEN);
    assert_true(of_msg_length("\1\0\0\0\0\0\0\0", 8) != 0);
    assert_true(of_msg_length("\1\0\0\0\0\0\0\0", 8) < OF_HEADER_LEN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
