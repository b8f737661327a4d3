// SPDX-License-Identifier: Apache-2.0
// Flow text, against what the stock ovs-ofctl makes of it (tests/golden/flowtext/flows): sentences
// about mistakes, the protocols that can say it, and the flow-mod as text after a way through the
// first of them. Differences that are meant or known stand in a list, with the reason; nothing else
// may differ.
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/log.h"
#include "ofproto/of_msg.h"

static const struct {
    const char *text;
    const char *why;
} known[] = {
    {"priority=6218,icmp,icmp_type=8,ip,nw_src=10.0.0.1,ip,nw_frag=later,actions=output:5",
     "later fragments have no ICMP type: normalisation drops it"},
};

static bool
is_known(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (!strcmp(known[i].text, text)) {
            return true;
        }
    }
    return false;
}

// The flow-mod in the first protocol that can say it, read back and printed without its header.
static void
way_through(const struct of_flow_mod *fm, uint32_t usable, struct str *out)
{
    const enum of_proto proto = usable & -usable;
    const struct of_wire wire = {.version = of_proto_version(proto),
                                 .nxm = proto & OF_PROTO_10_NXM,
                                 .table_id = proto & OF_PROTO_TID};
    const struct of_print print = {.stats = true};
    struct of_msg m = {.type = OF_MSG_FLOW_MOD, .xid = 1, .u.flow_mod = *fm};
    struct str bytes = STR_INIT, text = STR_INIT;
    assert_int_equal(of_msg_encode(&m, &wire, &bytes), 0);
    of_msg_format_bytes(bytes.p, bytes.len, &wire, &print, &text);
    if (strstr(str_get(&text), "decode error")) {
        str_add(out, "unreadable\n");
    } else {
        const char *flow = strstr(str_get(&text), "(xid=0x1): ");
        assert_non_null(flow);
        str_addf(out, "1.%d %s", wire.version - OF_10, flow + 11);
    }
    str_free(&bytes);
    str_free(&text);
}

static void
check(const char *text, const char *want, int *n_same, int *n_bad)
{
    struct of_flow_mod fm;
    uint32_t usable = OF_PROTO_ALL;
    struct str got = STR_INIT;
    char *error = of_flow_mod_parse(text, OF_FLOW_ADD, NULL, &fm, &usable);
    if (error) {
        str_addf(&got, "error %s\n", error);
    } else {
        char *protos = of_protos_format(usable);
        str_addf(&got, "usable %s\n", protos);
        way_through(&fm, usable, &got);
        free(protos);
    }
    if (strstr(want, "\nunreadable")) { // the oracle doesn't understand its own bytes: only the
                                        // protocols are compared
        str_truncate(&got, strcspn(str_get(&got), "\n") + 1);
        str_add(&got, "unreadable\n");
    }
    if (!strcmp(str_get(&got), want) != is_known(text)) {
        ++*n_same;
    } else {
        ++*n_bad;
        print_error("%s\n%s  want: %s  got:  %s\n", text,
                    is_known(text) ? "  does not differ any more\n" : "", want, str_get(&got));
    }
    free(error);
    of_flow_mod_free(&fm);
    str_free(&got);
}

static void
golden(void **state)
{
    const char *top = getenv("top_srcdir");
    char *path = base_asprintf("%s/tests/golden/flowtext/flows", top ? top : "."), *line = NULL;
    FILE *f = fopen(path, "r");
    struct str text = STR_INIT, want = STR_INIT;
    size_t cap = 0;
    int n_same = 0, n_bad = 0;
    ssize_t n;
    (void) state;
    assert_non_null(f);
    free(log_set_levels("off"));
    do {
        n = getline(&line, &cap, f);
        if (n > 0 && strncmp(line, "> ", 2)) {
            str_add(&want, line);
            continue;
        }
        if (text.len) {
            check(text.p + 2, str_get(&want), &n_same, &n_bad);
        }
        str_clear(&text);
        str_clear(&want);
        str_add(&text, n > 0 ? line : "");
        str_chomp(&text, "\n");
    } while (n > 0);
    print_message("%d flow texts as the stock program has them, %zu of them known to differ\n",
                  n_same, ARRAY_SIZE(known));
    assert_int_equal(n_bad, 0);
    assert_true(n_same > 300);
    fclose(f);
    free(line);
    free(path);
    str_free(&text);
    str_free(&want);
}

static void
commands(void **state)
{
    static const struct {
        const char *text;
        enum of_flow_command command;
        const char *flow;
    } cases[] = {
        {"add in_port=1,actions=2", OF_FLOW_ADD, "ADD in_port=1 actions=output:2"},
        {" add,in_port=1,actions=2", OF_FLOW_ADD, "ADD in_port=1 actions=output:2"},
        {"in_port=1,actions=2", OF_FLOW_ADD, "ADD in_port=1 actions=output:2"},
        {"modify in_port=1,cookie=5,actions=2", OF_FLOW_MODIFY,
         "MOD in_port=1 cookie:0x5 actions=output:2"},
        {"modify cookie=5/0xf,actions=2", OF_FLOW_MODIFY, "MOD cookie:0x5/0xf actions=output:2"},
        {"modify_strict priority=3,in_port=1,actions=2", OF_FLOW_MODIFY_STRICT,
         "MOD_STRICT priority=3,in_port=1 actions=output:2"},
        {"delete", OF_FLOW_DELETE, "DEL table:255 actions=drop"},
        {"delete table=3,out_port=2", OF_FLOW_DELETE, "DEL table:3 out_port:2 actions=drop"},
        {"delete_strict priority=3,tcp", OF_FLOW_DELETE_STRICT,
         "DEL_STRICT table:255 priority=3,tcp actions=drop"},
    };
    static const struct of_print print = {.stats = true};
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct of_flow_mod fm;
        uint32_t usable = OF_PROTO_ALL;
        struct str s = STR_INIT;
        assert_null(of_flow_mod_parse(cases[i].text, -1, NULL, &fm, &usable));
        assert_int_equal(fm.command, cases[i].command);
        of_flow_mod_format(&fm, &print, &s);
        assert_string_equal(str_get(&s), cases[i].flow);
        str_free(&s);
        of_flow_mod_free(&fm);
    }
}

static void
refused(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"delete priority=3", "unknown keyword priority"},
        {"delete actions=drop", "unknown keyword actions"},
        {"delete idle_timeout=3", "unknown keyword idle_timeout"},
        {"delete cookie=3",
         "cannot set cookie (to match on a cookie, specify a mask, e.g. cookie=3/-1)"},
        {"delete out_port=nope", "nope is not a valid OpenFlow port"},
        {"delete out_group=nope", "nope is not a valid OpenFlow group"},
        {"delete cookie=/1", "missing required numeric argument"},
        {"modify in_port=1", "must specify an action"},
        {"ADD in_port=1,actions=drop", "field ADD missing value"},
        {"addin_port=1,actions=drop", "unknown keyword addin_port"},
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct of_flow_mod fm;
        uint32_t usable = OF_PROTO_ALL;
        char *error = of_flow_mod_parse(cases[i].text, -1, NULL, &fm, &usable);
        assert_non_null(error);
        assert_string_equal(error, cases[i].error);
        free(error);
        of_flow_mod_free(&fm);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden), cmocka_unit_test(commands),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
