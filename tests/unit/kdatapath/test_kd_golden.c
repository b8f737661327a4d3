// SPDX-License-Identifier: Apache-2.0
// What the stock ovs-dpctl sends to the kernel (tests/golden/kdatapath/flows.txt, made by
// make-flows.py): read, it is the flow that its text says; and what we write for that flow has the
// same attributes, but for those that the stock program sends though nothing depends on them.
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kdatapath/kd_codec.h"
#include "lib/base/str.h"

struct bytes {
    uint8_t *data;
    size_t len;
};

static struct bytes
from_hex(const char *hex)
{
    struct bytes b = {.data = base_malloc(strlen(hex) / 2 + 1)};
    unsigned byte;

    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        b.data[b.len++] = byte;
    }
    return b;
}

#define MAX_TYPE 40

// Every attribute of `ours` is in `theirs`, with the same content; nested ones alike. all: and the
// other way round.
static bool
contains(const void *theirs, size_t theirs_len, const void *ours, size_t ours_len, bool all)
{
    struct nlk_attr t[MAX_TYPE], o[MAX_TYPE];

    if (nlk_parse(theirs, theirs_len, t, MAX_TYPE) || nlk_parse(ours, ours_len, o, MAX_TYPE)) {
        return false;
    }
    for (size_t i = 0; i < MAX_TYPE; i++) {
        if (o[i].data ? !t[i].data : all && t[i].data) {
            return false;
        }
        const bool same =
            !o[i].data || (o[i].len == t[i].len && !memcmp(o[i].data, t[i].data, o[i].len));
        if (!same && (o[i].len < 4 || !contains(t[i].data, t[i].len, o[i].data, o[i].len, all))) {
            return false;
        }
    }
    return true;
}

// Lists of actions: the same ones in the same order.
static bool
same_actions(const struct nlk_attr *ours, const struct bytes *theirs)
{
    struct nlk_attr a, b;
    size_t pos_a = 0, pos_b = 0;

    for (;;) {
        const bool more_a = nlk_next(ours->data, ours->len, &pos_a, &a, NULL);
        const bool more_b = nlk_next(theirs->data, theirs->len, &pos_b, &b, NULL);
        if (!more_a || !more_b) {
            return more_a == more_b;
        }
        // Of a committed connection we ask for fewer events, which ovs-dpctl has no word for.
        const bool same =
            a.type == b.type &&
            ((a.len == b.len && !memcmp(a.data, b.data, a.len)) ||
             (a.type == OVS_ACTION_ATTR_CT ? contains(a.data, a.len, b.data, b.len, false)
                                           : contains(b.data, b.len, a.data, a.len, true)));
        // A field set as a whole has two forms; that they say the same, the text has shown.
        if (!same && !(a.type == OVS_ACTION_ATTR_SET_MASKED && b.type == OVS_ACTION_ATTR_SET)) {
            print_error("action %u differs from the stock program's %u\n", a.type, b.type);
            return false;
        }
    }
}

static void
check_line(char *line)
{
    char *save = NULL;
    const char *flow = strtok_r(line, "\t", &save), *acts = strtok_r(NULL, "\t", &save);
    struct bytes key = from_hex(strtok_r(NULL, "\t", &save)),
                 mask = from_hex(strtok_r(NULL, "\t", &save)),
                 actions = from_hex(strtok_r(NULL, "\t\n", &save));
    const struct nlk_attr k = {.data = key.data, .len = key.len},
                          m = {.data = mask.data, .len = mask.len},
                          a = {.data = actions.data, .len = actions.len};
    struct flow_match text, wire;
    struct dp_actions text_acts = DP_ACTIONS_INIT, wire_acts = DP_ACTIONS_INIT;
    struct str s = STR_INIT, s2 = STR_INIT;

    assert_null(dp_match_parse(flow, NULL, NULL, &text));
    assert_null(dp_actions_parse(acts, NULL, NULL, &text_acts));
    assert_int_equal(kd_match_get(&k, &m, &wire), 0);
    assert_int_equal(kd_actions_get(&a, &wire_acts), 0);
    dp_match_format_kernel(&wire, true, NULL, NULL, &s);
    dp_match_format_kernel(&text, true, NULL, NULL, &s2);
    assert_string_equal(str_get(&s), str_get(&s2));
    str_clear(&s);
    dp_actions_format(&wire_acts, NULL, NULL, &s);
    str_clear(&s2);
    dp_actions_format(&text_acts, NULL, NULL, &s2);
    assert_string_equal(str_get(&s), str_get(&s2));
    str_free(&s);
    str_free(&s2);

    struct nlk_attr t[OVS_FLOW_ATTR_MAX + 1];
    const struct kd_act_context ctx = {.eth_type = text.key.eth_type, .user_pid = UINT32_MAX};
    struct kd_act_refusal refusal;
    struct nlk_batch b;
    nlk_batch_init(&b);
    nlk_begin(&b, 1, 0, 0);
    assert_int_equal(kd_match_put(&b, &text), 0);
    assert_int_equal(kd_actions_put(&b, OVS_FLOW_ATTR_ACTIONS, &text_acts, &ctx, &refusal), 0);
    assert_int_equal(nlk_parse(b.data + NLMSG_HDRLEN, b.len - NLMSG_HDRLEN, t, ARRAY_SIZE(t)), 0);
    if (!contains(key.data, key.len, t[OVS_FLOW_ATTR_KEY].data, t[OVS_FLOW_ATTR_KEY].len, false) ||
        !contains(mask.data, mask.len, t[OVS_FLOW_ATTR_MASK].data, t[OVS_FLOW_ATTR_MASK].len,
                  false)) {
        fail_msg("%s: we send something else than the stock program", flow);
    }
    if (!same_actions(&t[OVS_FLOW_ATTR_ACTIONS], &actions)) {
        fail_msg("%s: we send something else than the stock program", acts);
    }
    nlk_batch_free(&b);
    dp_actions_free(&text_acts);
    dp_actions_free(&wire_acts);
    free(key.data);
    free(mask.data);
    free(actions.data);
}

static void
stock(void **state)
{
    const char *top = getenv("top_srcdir");
    char *path = base_asprintf("%s/tests/golden/kdatapath/flows.txt", top ? top : ".");
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    int n = 0;

    assert_non_null(f);
    while (getline(&line, &size, f) > 0) {
        if (*line != '#') {
            check_line(line);
            n++;
        }
    }
    assert_true(n > 10);
    printf("%d flows\n", n);
    free(line);
    fclose(f);
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
