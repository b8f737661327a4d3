// SPDX-License-Identifier: Apache-2.0
// ovs-offload: where flows run, and why. See ovs-offload(8).
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cmdline.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "lib/base/unixctl.h"
#include "lib/flow/reason.h"
#include "tools/offload/offload.h"

LOG_MODULE(offload);

enum { OPT_PLACE = 256, OPT_REASON, OPT_SORT, OPT_FORMAT };

static const char *target = "ovs-vswitchd";
static struct options opts;

static void
usage(void)
{
    printf(
        "%s: tells where the flows of ovs-vswitchd run, and why\n"
        "usage: %s [OPTION...] COMMAND [ARG...]\n"
        "\nCommands:\n"
        "  status                    NICs, flows in each place, what keeps flows out of hardware\n"
        "  ports                     the switch's devices and what they can do\n"
        "  flows [MATCH]             cached flows, with place, reason, counters and OpenFlow "
        "rules\n"
        "  explain BRIDGE FLOW       where would this flow go? Nothing is changed\n"
        "  reasons                   all reasons, with how many flows have them\n"
        "\nOptions:\n"
        "      --place=PLACE         flows: only those in hardware, tc, kernel or user\n"
        "      --reason=CODE         flows: only those with this reason\n"
        "      --sort=pps|bytes|age  flows: greatest first (default: pps)\n"
        "  -f, --format=table|json   for people, or for programs\n"
        "  -t, --target=TARGET       daemon's name or control socket (default: ovs-vswitchd)\n"
        "  -T, --timeout=SECS        give up after SECS seconds\n"
        "  -h, --help                print this text\n"
        "  -V, --version             print the version of this program\n",
        dirs_program(), dirs_program());
    cmdline_usage_groups(CMDLINE_LOG);
}

static const char *
one_of(const char *option, const char *arg, const char *const choices[])
{
    for (size_t i = 0; choices[i]; i++) {
        if (!strcmp(arg, choices[i])) {
            return choices[i];
        }
    }
    log_fatal(0, "%s has no value %s; use --help for help", option, arg);
}

static void
handle(int value, const char *arg, void *aux)
{
    static const char *const formats[] = {"table", "json", NULL};
    static const char *const places[] = {"hardware", "tc", "kernel", "user", NULL};
    static const char *const sorts[] = {"pps", "bytes", "age", NULL};
    uint64_t seconds;
    enum reason_code code;
    (void) aux;
    switch (value) {
    case 't':
        target = arg;
        break;
    case 'T':
        if (!base_parse_uint(arg, 86400 * 365, &seconds) || !seconds) {
            log_fatal(0, "value %s on -T or --timeout is invalid", arg);
        }
        cmdline_set_timeout((unsigned) seconds);
        break;
    case 'f':
        opts.json = !strcmp(one_of("--format", arg, formats), "json");
        break;
    case OPT_PLACE:
        opts.place = one_of("--place", arg, places);
        break;
    case OPT_REASON:
        if (!reason_by_name(arg, &code)) {
            log_fatal(0, "--reason has no value %s; see ovs-offload reasons", arg);
        }
        opts.reason = arg;
        break;
    case OPT_SORT:
        opts.sort = one_of("--sort", arg, sorts);
        break;
    default:
        break;
    }
}

// --- Members of answers. ---

const char *
get_str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

int64_t
get_int(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

double
get_real(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

bool
get_bool(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

// --- Tables. ---

struct grid {
    size_t n_columns, n, cap;
    char **cells; // headings first
};

struct grid *
grid_new(const char *const headings[], size_t n)
{
    struct grid *g = base_calloc(1, sizeof *g);
    g->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        grid_add(g, headings[i]);
    }
    return g;
}

void
grid_add(struct grid *g, const char *cell)
{
    if (g->n == g->cap) {
        g->cells = base_grow(g->cells, &g->cap, sizeof *g->cells);
    }
    g->cells[g->n++] = base_strdup(*cell ? cell : "-");
}

void
grid_addf(struct grid *g, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    grid_add(g, text);
}

void
grid_print(struct grid *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const size_t column = i % g->n_columns;
        size_t width = 0;
        for (size_t j = column; j < g->n; j += g->n_columns) {
            width = MAX(width, strlen(g->cells[j]));
        }
        if (column + 1 < g->n_columns) {
            printf("%-*s  ", (int) width, g->cells[i]);
        } else {
            puts(g->cells[i]);
        }
    }
    for (size_t i = 0; i < g->n; i++) {
        free(g->cells[i]);
    }
    free(g->cells);
    free(g);
}

// --- Commands. ---

static json_t *
ask(int argc, char *argv[])
{
    char *error, *result;
    char *path = unixctl_target_path(target, &error);
    if (!path) {
        log_fatal(0, "%s", error);
    }
    int rc = unixctl_call(path, argc, argv, &result, &error);
    if (rc == -EILSEQ) {
        log_fatal(0, "the command has an argument that is not UTF-8 text");
    } else if (rc) {
        log_fatal(rc, "cannot connect to \"%s\"", path);
    }
    free(path);
    if (error) {
        log_fatal(0, "%s: %.*s", target, (int) strcspn(error, "\n"), error);
    }
    json_error_t why;
    json_t *answer = json_loads(result, JSON_DECODE_ANY, &why);
    if (!answer) {
        log_fatal(0, "%s gave an answer that cannot be read: %s", target, why.text);
    }
    free(result);
    return answer;
}

struct command {
    const char *method;
    void (*print)(const json_t *answer);
};

static void
run(struct cmdline_ctx *ctx, const struct command *c)
{
    char *argv[3] = {(char *) (uintptr_t) c->method, NULL, NULL};
    for (int i = 1; i < ctx->argc; i++) {
        argv[i] = ctx->argv[i];
    }
    json_t *answer = ask(ctx->argc, argv);
    if (c->print == print_flows) {
        json_t *chosen = choose_flows(answer, &opts);
        json_decref(answer);
        answer = chosen;
    }
    if (opts.json) {
        char *text = json_dumps(answer, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        puts(text);
        free(text);
    } else {
        c->print(answer);
    }
    json_decref(answer);
}

static void
cmd_status(struct cmdline_ctx *ctx)
{
    run(ctx, &(const struct command){"offload/status", print_status});
}

static void
cmd_ports(struct cmdline_ctx *ctx)
{
    run(ctx, &(const struct command){"offload/ports", print_ports});
}

static void
cmd_flows(struct cmdline_ctx *ctx)
{
    run(ctx, &(const struct command){"offload/flows", print_flows});
}

static void
cmd_explain(struct cmdline_ctx *ctx)
{
    run(ctx, &(const struct command){"offload/explain", print_explain});
}

static void
cmd_reasons(struct cmdline_ctx *ctx)
{
    run(ctx, &(const struct command){"offload/reasons", print_reasons});
}

int
main(int argc, char *argv[])
{
    static const struct option own[] = {{"target", required_argument, NULL, 't'},
                                        {"timeout", required_argument, NULL, 'T'},
                                        {"format", required_argument, NULL, 'f'},
                                        {"place", required_argument, NULL, OPT_PLACE},
                                        {"reason", required_argument, NULL, OPT_REASON},
                                        {"sort", required_argument, NULL, OPT_SORT},
                                        {0}};
    static const struct cmdline cmdline = {.own = own,
                                           .own_short = "t:T:f:",
                                           .mixed = true,
                                           .groups = CMDLINE_LOG,
                                           .usage = usage,
                                           .handle = handle};
    static const struct cmdline_command commands[] = {
        {"status", "", 0, 0, cmd_status},      {"ports", "", 0, 0, cmd_ports},
        {"flows", "[MATCH]", 0, 1, cmd_flows}, {"explain", "BRIDGE FLOW", 2, 2, cmd_explain},
        {"reasons", "", 0, 0, cmd_reasons},    {NULL, NULL, 0, 0, NULL},
    };
    dirs_set_program(argv[0]);
    rcu_start();
    cmdline_set_timeout(0);
    int first = cmdline_parse(&cmdline, argc, argv);
    if (first >= argc) {
        log_fatal(0, "missing command name; use --help for help");
    }
    struct cmdline_ctx ctx = {argc - first, argv + first, NULL};
    cmdline_run(commands, &ctx);
    if (fflush(stdout)) {
        log_fatal(0, "write to stdout failed");
    }
    return 0;
}
