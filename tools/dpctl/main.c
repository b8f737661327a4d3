// SPDX-License-Identifier: Apache-2.0
// ovs-dpctl: the kernel's datapaths from outside, past any switch that owns them (ovs-dpctl(8)).
#include "tools/dpctl/dpctl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"

LOG_MODULE(dpctl);

struct dpctl_options dpctl_options;

static void list_commands(struct cmdline_ctx *);
static void help(struct cmdline_ctx *);

static const struct cmdline_command commands[] = {
    {"add-dp", "dp [iface...]", 1, INT_MAX, dpctl_add_dp},
    {"del-dp", "dp", 1, 1, dpctl_del_dp},
    {"add-if", "dp iface...", 2, INT_MAX, dpctl_add_if},
    {"del-if", "dp iface...", 2, INT_MAX, dpctl_del_if},
    {"set-if", "dp iface...", 2, INT_MAX, dpctl_set_if},
    {"dump-dps", "", 0, 0, dpctl_dump_dps},
    {"show", "[-s] [dp...]", 0, INT_MAX, dpctl_show},
    {"dump-flows", "[-m] [--names] [dp] [filter=..] [type=..]", 0, 6, dpctl_dump_flows},
    {"add-flow", "[dp] flow actions", 2, 3, dpctl_add_flow},
    {"mod-flow", "[dp] flow actions", 2, 3, dpctl_mod_flow},
    {"get-flow", "[dp] ufid", 1, 2, dpctl_get_flow},
    {"del-flow", "[dp] flow", 1, 2, dpctl_del_flow},
    {"add-flows", "[dp] file", 1, 2, dpctl_add_flows},
    {"mod-flows", "[dp] file", 1, 2, dpctl_mod_flows},
    {"del-flows", "[dp] [file]", 0, 2, dpctl_del_flows},
    {"cache-get-size", "[dp]", 0, 1, dpctl_cache_get_size},
    {"cache-set-size", "dp cache <size>", 3, 3, dpctl_cache_set_size},
    {"parse-actions", "actions", 1, INT_MAX, dpctl_parse_actions},
    {"list-commands", "", 0, 0, list_commands},
    {"help", "", 0, INT_MAX, help},
    {0},
};

static const char *const writers[] = {"add-dp",    "del-dp",    "add-if",    "del-if",
                                      "set-if",    "add-flow",  "mod-flow",  "del-flow",
                                      "add-flows", "mod-flows", "del-flows", "cache-set-size"};

static void
list_commands(struct cmdline_ctx *ctx)
{
    printf("The available commands are:\n");
    for (const struct cmdline_command *c = commands; c->name; c++) {
        if (c->run != list_commands && c->run != dpctl_parse_actions) {
            printf("  %-23s %s\n", c->name, c->usage);
        }
    }
}

static void
usage(void)
{
    printf("%s: the kernel's datapaths, seen and changed directly\n"
           "usage: %s [OPTIONS] COMMAND [ARG...]\n"
           "  add-dp DP [IFACE...]       make datapath DP (with ports)\n"
           "  del-dp DP                  remove datapath DP\n"
           "  add-if DP IFACE...         add ports to DP\n"
           "  set-if DP IFACE...         check or change ports of DP\n"
           "  del-if DP IFACE...         remove ports from DP\n"
           "  dump-dps                   names of all datapaths\n"
           "  show [DP...]               counters and ports of datapaths\n"
           "  dump-flows [DP]            flows\n"
           "  add-flow [DP] FLOW ACTIONS add a flow\n"
           "  add-flows [DP] FILE        add flows from FILE\n"
           "  mod-flow [DP] FLOW ACTIONS change a flow's actions\n"
           "  mod-flows [DP] FILE        change flows from FILE\n"
           "  get-flow [DP] ufid:UFID    one flow\n"
           "  del-flow [DP] FLOW         remove a flow\n"
           "  del-flows [DP] [FILE]      remove all flows, or those in FILE\n"
           "  cache-get-size [DP]        sizes of caches\n"
           "  cache-set-size DP CACHE N  set the size of a cache\n"
           "Each IFACE may be followed by ,type=TYPE and ,port_no=N. DP may be left out of flow "
           "commands while\n"
           "there is only one.\n"
           "\nOptions of show, mod-flow and del-flow:\n"
           "  -s, --statistics            print counters\n"
           "\nOptions of dump-flows:\n"
           "  -m, --more                  all fields, with port names\n"
           "  --names                     port names instead of numbers\n"
           "\nOptions of mod-flow:\n"
           "  --may-create                make the flow when it isn't there\n"
           "  --clear                     start its counters anew\n"
           "\nOther options:\n"
           "  --read-only                 refuse commands that change something\n"
           "  -t, --timeout=SECS          give up after SECS seconds\n"
           "  -h, --help                  print this text\n"
           "  -V, --version               print the version of this program\n",
           dirs_program(), dirs_program());
    cmdline_usage_groups(CMDLINE_LOG);
}

static void
help(struct cmdline_ctx *ctx)
{
    usage();
}

enum { OPT_NAMES = 256, OPT_NO_NAMES, OPT_MAY_CREATE, OPT_READ_ONLY, OPT_CLEAR };

static void
handle(int value, const char *arg, void *aux)
{
    uint64_t seconds;

    switch (value) {
    case 's':
        dpctl_options.statistics = true;
        break;
    case 'm':
        dpctl_options.more = true;
        break;
    case OPT_NAMES:
        dpctl_options.names = true;
        break;
    case OPT_NO_NAMES:
        dpctl_options.no_names = true;
        break;
    case OPT_MAY_CREATE:
        dpctl_options.may_create = true;
        break;
    case OPT_READ_ONLY:
        dpctl_options.read_only = true;
        break;
    case OPT_CLEAR:
        dpctl_options.zero = true;
        break;
    default:
        if (!base_parse_uint(arg, 86400 * 365, &seconds) || !seconds) {
            log_fatal(0, "value %s on -t or --timeout is invalid", arg);
        }
        cmdline_set_timeout(seconds);
    }
}

// Options may stand behind the command: moves them to the front, in order.
static void
options_first(int argc, char *argv[])
{
    char **sorted = base_calloc(argc + 1, sizeof *sorted);
    int n = 0;

    for (int pass = 0; pass < 2; pass++) {
        bool option = true;
        for (int i = 1; i < argc; i++) {
            const bool is_option = option && argv[i][0] == '-' && argv[i][1];
            option &= strcmp(argv[i], "--") != 0;
            const bool has_value = is_option &&
                                   (!strcmp(argv[i], "-t") || !strcmp(argv[i], "--timeout")) &&
                                   i + 1 < argc;
            if (is_option == (pass == 0)) {
                sorted[n++] = argv[i];
                if (has_value) {
                    sorted[n++] = argv[i + 1];
                }
            }
            i += has_value;
        }
    }
    memcpy(argv + 1, sorted, n * sizeof *sorted);
    free(sorted);
}

int
main(int argc, char *argv[])
{
    static const struct option own[] = {{"statistics", no_argument, NULL, 's'},
                                        {"more", no_argument, NULL, 'm'},
                                        {"names", no_argument, NULL, OPT_NAMES},
                                        {"no-names", no_argument, NULL, OPT_NO_NAMES},
                                        {"may-create", no_argument, NULL, OPT_MAY_CREATE},
                                        {"read-only", no_argument, NULL, OPT_READ_ONLY},
                                        {"clear", no_argument, NULL, OPT_CLEAR},
                                        {"timeout", required_argument, NULL, 't'},
                                        {0}};
    static const struct cmdline cmdline = {
        .own = own, .own_short = "smt:", .groups = CMDLINE_LOG, .usage = usage, .handle = handle};

    dirs_set_program(argv[0]);
    rcu_start();
    cmdline_set_timeout(0);
    options_first(argc, argv);
    const int first = cmdline_parse(&cmdline, argc, argv);
    if (first >= argc) {
        log_fatal(0, "missing command name; use --help for help");
    }
    for (size_t i = 0; dpctl_options.read_only && i < ARRAY_SIZE(writers); i++) {
        if (!strcmp(argv[first], writers[i])) {
            log_fatal(0, "'%s' command does not work in read only mode", argv[first]);
        }
    }
    struct cmdline_ctx ctx = {.argc = argc - first, .argv = argv + first};
    cmdline_run(commands, &ctx);
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
