// SPDX-License-Identifier: Apache-2.0
// Actions against the stock ovs-ofctl (tests/golden/actions/stock.txt, made by …/make): what it
// makes of a text, the bytes it sends in every version, what it prints for them, its errors.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "ofproto/of_error.h"
#include "ofproto/of_msg.h"

struct golden {
    FILE *f;
    char line[8192];
    unsigned n; // line number
    unsigned cases, bytes, texts, errors, failures;
    // The case at hand.
    char name[1024];
    struct flow_match match;
    uint8_t table;
    struct of_actions acts;
    uint32_t usable;
    char *error;
    int decode_error; // of the bytes before
    bool decoded;
    struct str text;
};

static void
fail_case(struct golden *g, const char *what, const char *got, const char *want)
{
    g->failures++;
    print_error("%u: %s\n  %s\n     ours %s\n    stock %s\n", g->n, g->name, what, got, want);
}

static int
check(struct golden *g, enum of_version version)
{
    const struct of_act_place place = {OF_PORT_MAX, g->table, OF_N_TABLES, version};
    return of_actions_check(&g->acts, &g->match, &place);
}

// "NXM,OXM,OpenFlow11" → OF_PROTO_*.
static uint32_t
protocols(char *text)
{
    static const struct {
        const char *name;
        uint32_t protos;
    } names[] = {{"any", OF_PROTO_ALL},
                 {"OpenFlow10", OF_PROTO_10_STD},
                 {"NXM", OF_PROTO_10_NXM},
                 {"OXM", OF_PROTO_OXM},
                 {"OpenFlow11", OF_PROTO_11},
                 {"OpenFlow10+table_id", OF_PROTO_10_TID},
                 {"NXM+table_id", OF_PROTO_NXM_TID},
                 {"OXM-OpenFlow12", OF_PROTO_12},
                 {"OXM-OpenFlow13", OF_PROTO_13},
                 {"OXM-OpenFlow14", OF_PROTO_14},
                 {"OXM-OpenFlow15", OF_PROTO_15}};
    uint32_t all = 0;
    for (char *save = NULL, *word = strtok_r(text, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        size_t k = 0;
        while (k < ARRAY_SIZE(names) && strcmp(names[k].name, word)) {
            k++;
        }
        assert_true(k < ARRAY_SIZE(names));
        all |= names[k].protos;
    }
    return all;
}

static void
begin(struct golden *g, char *line)
{
    g->cases++;
    snprintf(g->name, sizeof g->name, "%.1000s", line);
    char *bar = strchr(line, '|');
    *bar = '\0';
    match_init_any(&g->match);
    g->table = OF_TABLE_ALL;
    if (!strncmp(line, "table=", 6)) {
        g->table = (uint8_t) atoi(line + 6);
        line = bar;
    }
    char *error = match_parse(&g->match, line, NULL);
    if (error) {
        fail_msg("%u: %s: %s", g->n, g->name, error);
    }
    of_actions_clear(&g->acts);
    free(g->error);
    g->usable = OF_PROTO_ALL;
    g->error = of_actions_parse(bar + 1, NULL, true, &g->acts, &g->usable);
    int wrong = g->error ? 0 : check(g, OF_13);
    if (wrong && g->usable & OF_PROTO_10_ANY) {
        g->usable &= OF_PROTO_10_ANY;
        wrong = check(g, OF_10);
    }
    if (wrong) {
        g->error =
            base_asprintf("actions are invalid with specified match (%s)", of_error_name(wrong));
    }
    g->usable &= of_match_usable(&g->match);
    if (g->table != OF_TABLE_ALL) {
        g->usable &= (uint32_t) ~(OF_PROTO_10 | OF_PROTO_NXM); // flow-mods there have no table
    }
}

static void
compare_usable(struct golden *g, char *line)
{
    if (g->error) {
        fail_case(g, "refused", g->error, line);
        return;
    }
    const uint32_t want = protocols(line + 2);
    if (g->usable != want) {
        char a[16], b[16];
        snprintf(a, sizeof a, "%#x", g->usable);
        snprintf(b, sizeof b, "%#x", want);
        fail_case(g, "usable protocols", a, b);
    }
}

static void
compare_bytes(struct golden *g, char *line)
{
    const enum of_version version = (enum of_version)(*line - '0');
    const char *want = line + 2;
    struct str bytes = STR_INIT, hex = STR_INIT;
    uint8_t data[4096];
    size_t n = 0;
    g->bytes++;
    check(g, version);
    of_instructions_encode(&g->acts, version, &bytes);
    str_add_hex(&hex, bytes.p, bytes.len);
    if (strcmp(str_get(&hex), want)) {
        fail_case(g, "bytes", str_get(&hex), line);
    }
    for (; want[2 * n]; n++) {
        char digits[3] = {want[2 * n], want[2 * n + 1], 0};
        data[n] = (uint8_t) strtoul(digits, NULL, 16);
    }
    struct of_actions acts = OF_ACTIONS_INIT;
    g->decode_error = of_instructions_decode(data, n, version, &acts);
    g->decoded = true;
    str_clear(&g->text);
    if (!g->decode_error) {
        const uint8_t table = g->table == OF_TABLE_ALL ? 0 : g->table;
        const struct of_act_place place = {OF_PORT_MAX, table, OF_N_TABLES, version};
        of_actions_format(&acts, NULL, &g->text);
        g->decode_error = of_actions_check(&acts, &g->match, &place);
        str_clear(&bytes);
        of_instructions_encode(&acts, version, &bytes);
        if (bytes.len != n || (n && memcmp(bytes.p, data, n))) {
            str_clear(&hex);
            str_add_hex(&hex, bytes.p, bytes.len);
            fail_case(g, "not the same after decoding", str_get(&hex), line);
        }
    }
    of_actions_free(&acts);
    str_free(&bytes);
    str_free(&hex);
}

static void
one_line(struct golden *g)
{
    char *line = g->line;
    line[strcspn(line, "\n")] = '\0';
    if (!*line || *line == '#') {
        return;
    }
    if (line[0] == 'u' && line[1] == ' ') {
        compare_usable(g, line);
    } else if (line[0] == 'e' && line[1] == ' ') {
        g->errors++;
        if (!g->error || strcmp(g->error, line + 2)) {
            fail_case(g, "error", g->error ? g->error : "none", line + 2);
        }
    } else if (line[0] >= '1' && line[0] <= '6' && line[1] == ' ') {
        if (!g->error) {
            compare_bytes(g, line);
        }
    } else if (line[0] == '=' && line[1] == ' ') {
        g->texts++;
        if (!g->error && (g->decode_error || strcmp(str_get(&g->text), line + 2))) {
            fail_case(g, "text",
                      g->decode_error ? of_error_name(g->decode_error) : str_get(&g->text),
                      line + 2);
        }
    } else if (line[0] == '!' && line[1] == ' ') {
        g->texts++;
        if (!g->error && strcmp(of_error_name(g->decode_error), line + 2)) {
            fail_case(g, "error of the bytes", of_error_name(g->decode_error), line + 2);
        }
    } else {
        begin(g, line);
    }
}

static void
run(struct golden *g, const char *name)
{
    const char *dir = getenv("top_srcdir");
    char *path = base_asprintf("%s/tests/golden/actions/%s", dir ? dir : ".", name);
    *g = (struct golden){.f = fopen(path, "r"), .text = STR_INIT};
    assert_non_null(g->f);
    while (fgets(g->line, sizeof g->line, g->f)) {
        g->n++;
        one_line(g);
    }
    fclose(g->f);
    free(path);
    free(g->error);
    str_free(&g->text);
    of_actions_free(&g->acts);
    print_message("%s: %u cases, %u byte strings, %u texts of them, %u refusals\n", name, g->cases,
                  g->bytes, g->texts, g->errors);
    assert_int_equal(g->failures, 0);
}

static void
test_stock(void **state)
{
    (void) state;
    struct golden g;
    run(&g, "stock.txt");
    assert_true(g.cases > 700 && g.bytes > 2500 && g.errors > 250);
}

static void
test_ours(void **state)
{
    (void) state;
    struct golden g;
    run(&g, "ours.txt");
    assert_true(g.cases > 15);
}

static const char *
port_name(uint32_t port, void *aux)
{
    (void) aux;
    return port == 5 ? "p1" : port == 6 ? "odd name" : NULL;
}

static bool
port_by_name(const char *name, uint32_t *port, void *aux)
{
    (void) aux;
    *port = !strcmp(name, "p1") ? 5 : 6;
    return !strcmp(name, "p1") || !strcmp(name, "odd name");
}

static const struct field_port_names names = {port_name, port_by_name, NULL};

// `text` with names prints as `want`, and without as `numbers`.
static void
check_names(const char *text, const char *want, const char *numbers)
{
    struct of_actions acts = OF_ACTIONS_INIT;
    struct str s = STR_INIT;
    uint32_t usable = OF_PROTO_ALL;
    char *error = of_actions_parse(text, &names, true, &acts, &usable);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
    of_actions_format(&acts, &names, &s);
    assert_string_equal(str_get(&s), want);
    str_clear(&s);
    of_actions_format(&acts, NULL, &s);
    assert_string_equal(str_get(&s), numbers);
    str_free(&s);
    of_actions_free(&acts);
}

static void
test_names(void **state)
{
    (void) state;
    check_names("p1", "output:p1", "output:5");
    check_names("output:p1,resubmit(p1,3),enqueue:p1:2", "output:p1,resubmit(p1,3),enqueue:p1:2",
                "output:5,resubmit(5,3),enqueue:5:2");
    check_names("bundle(eth_src,0,hrw,ofport,members:p1,7)",
                "bundle(eth_src,0,hrw,ofport,members:p1,7)",
                "bundle(eth_src,0,hrw,ofport,members:5,7)");
    check_names("learn(table=1,in_port=p1)", "learn(table=1,in_port=p1)",
                "learn(table=1,in_port=5)");
    check_names("6", "output:\"odd name\"", "output:6");
    check_names("sample(probability=1,sampling_port=p1)",
                "sample(probability=1,collector_set_id=0,obs_domain_id=0,obs_point_id=0,"
                "sampling_port=p1)",
                "sample(probability=1,collector_set_id=0,obs_domain_id=0,obs_point_id=0,"
                "sampling_port=5)");
}

static void
parse(struct of_actions *acts, const char *text)
{
    uint32_t usable = OF_PROTO_ALL;
    char *error = of_actions_parse(text, NULL, true, acts, &usable);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
}

static void
test_questions(void **state)
{
    (void) state;
    struct of_actions acts = OF_ACTIONS_INIT, copy = OF_ACTIONS_INIT;
    parse(&acts, "output:1,clone(output:2),enqueue:3:1,bundle(eth_src,0,hrw,ofport,members:4,5),"
                 "bundle_load(eth_src,0,hrw,ofport,reg0[],members:6),output(port=7,max_len=60),"
                 "controller(id=5),write_actions(group:9,output:8)");
    for (uint32_t port = 1; port <= 9; port++) {
        assert_int_equal(of_actions_output_to(&acts, port), port != 6 && port != 9);
    }
    assert_true(of_actions_output_to(&acts, OF_PORT_CONTROLLER));
    assert_false(of_actions_output_to(&acts, OF_PORT_LOCAL));
    assert_true(of_actions_has_group(&acts, 9));
    assert_false(of_actions_has_group(&acts, 8));
    of_actions_copy(&copy, &acts);
    assert_true(of_actions_equal(&copy, &acts));
    of_actions_add_output(&copy, 1, 0);
    assert_false(of_actions_equal(&copy, &acts));
    of_actions_free(&copy);
    of_actions_free(&acts);
}

// What can't be parsed leaves the list as it was.
static void
test_refusals(void **state)
{
    (void) state;
    struct of_actions acts = OF_ACTIONS_INIT, before = OF_ACTIONS_INIT;
    uint32_t usable = OF_PROTO_ALL;
    parse(&acts, "output:1");
    of_actions_copy(&before, &acts);
    static const char *const actions_only[] = {"output:2,goto_table:3", "clear_actions",
                                               "write_metadata:1", "write_actions(output:1)"};
    for (size_t k = 0; k < ARRAY_SIZE(actions_only); k++) {
        char *error = of_actions_parse(actions_only[k], NULL, false, &acts, &usable);
        assert_non_null(error);
        assert_non_null(strstr(error, "instruction not allowed here"));
        assert_true(of_actions_equal(&acts, &before));
        free(error);
    }
    // Depth: more than any list needs, and not the stack's.
    struct str deep = STR_INIT;
    for (int k = 0; k < 10000; k++) {
        str_add(&deep, "clone(");
    }
    char *error = of_actions_parse(str_get(&deep), NULL, true, &acts, &usable);
    assert_string_equal(error, "Action nested too deeply");
    assert_true(of_actions_equal(&acts, &before));
    free(error);
    str_free(&deep);
    uint8_t wire[16 * 4000];
    for (size_t k = 0; k < sizeof wire / 16; k++) {
        const uint16_t len = (uint16_t) (sizeof wire - k * 16);
        const uint8_t clone[16] = {
            0xff, 0xff, (uint8_t) (len >> 8), (uint8_t) len, 0, 0, 0x23, 0x20, 0, 42};
        memcpy(wire + k * 16, clone, 16);
    }
    assert_int_equal(of_actions_decode(wire, sizeof wire, OF_13, &acts), OF_ERROR_BAC_TOO_MANY);
    assert_true(of_actions_equal(&acts, &before));
    of_actions_free(&acts);
    of_actions_free(&before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stock),    cmocka_unit_test(test_ours),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_questions),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
