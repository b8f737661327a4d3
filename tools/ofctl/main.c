// SPDX-License-Identifier: Apache-2.0
// ovs-ofctl: administers OpenFlow switches (ovs-ofctl(8)). Options, and the table of commands.
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "tools/ofctl/ofctl.h"
#include "tools/ofctl/usage.h"

struct ofctl_options opt = {
    .versions = OF_VERSION_BIT(OF_10),
    .protos = OF_PROTO_ALL,
    .accept_names = true,
    .show_stats = true,
    .packet_in_format = -1,
};

enum {
    OPT_STRICT = 256,
    OPT_READD,
    OPT_TIMESTAMP,
    OPT_SORT,
    OPT_RSORT,
    OPT_UNIXCTL,
    OPT_BUNDLE,
    OPT_COLOR,
    OPT_MAY_CREATE,
    OPT_READ_ONLY,
    OPT_NAMES,
    OPT_NO_NAMES,
    OPT_STATS,
    OPT_NO_STATS,
};

static const struct option options[] = {
    {"timeout", required_argument, NULL, 't'},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"readd", no_argument, NULL, OPT_READD},
    {"flow-format", required_argument, NULL, 'F'},
    {"packet-in-format", required_argument, NULL, 'P'},
    {"protocols", required_argument, NULL, 'O'},
    {"more", no_argument, NULL, 'm'},
    {"timestamp", no_argument, NULL, OPT_TIMESTAMP},
    {"sort", optional_argument, NULL, OPT_SORT},
    {"rsort", optional_argument, NULL, OPT_RSORT},
    {"names", no_argument, NULL, OPT_NAMES},
    {"no-names", no_argument, NULL, OPT_NO_NAMES},
    {"stats", no_argument, NULL, OPT_STATS},
    {"no-stats", no_argument, NULL, OPT_NO_STATS},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"bundle", no_argument, NULL, OPT_BUNDLE},
    {"color", optional_argument, NULL, OPT_COLOR},
    {"may-create", no_argument, NULL, OPT_MAY_CREATE},
    {"read-only", no_argument, NULL, OPT_READ_ONLY},
    {0},
};

static uint32_t versions_given;

static void
set_versions(const char *text)
{
    char *copy = base_strdup(text), *save = NULL;
    opt.versions = 0;
    for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save)) {
        uint32_t v;
        free(of_versions_parse(word, &v));
        if (!v) {
            log_fatal(0, "Unknown OpenFlow version: \"%s\"", word);
        }
        opt.versions |= v;
    }
    free(copy);
    versions_given = opt.versions;
}

static uint32_t
proto_by_name(const char *name)
{
    static const struct {
        const char *name;
        uint32_t protos;
    } collections[] = {{"any", OF_PROTO_ALL},
                       {"OpenFlow10", OF_PROTO_10_STD},
                       {"NXM", OF_PROTO_10_NXM},
                       {"OXM", OF_PROTO_OXM}};
    for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
        if (!strcasecmp(name, collections[i].name)) {
            return collections[i].protos;
        }
    }
    for (uint32_t p = 1; p <= OF_PROTO_15; p <<= 1) {
        if (!strcasecmp(name, of_proto_name(p))) {
            return p;
        }
    }
    return 0;
}

static void
set_protos(const char *text)
{
    char *copy = base_strdup(text), *save = NULL;
    opt.protos = 0;
    for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save)) {
        const uint32_t p = proto_by_name(word);
        if (!p) {
            log_fatal(0, "%s: unknown flow protocol", word);
        }
        opt.protos |= p;
    }
    if (!opt.protos) {
        log_fatal(0, "%s: no flow protocol specified", text);
    }
    free(copy);
}

static void
set_packet_in_format(const char *name)
{
    static const struct {
        const char *name;
        int format;
    } formats[] = {{"standard", OF_PIN_FMT_STD},
                   {"openflow10", OF_PIN_FMT_STD},
                   {"nxt_packet_in", OF_PIN_FMT_NXT},
                   {"nxm", OF_PIN_FMT_NXT},
                   {"nxt_packet_in2", OF_PIN_FMT_NXT2}};
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (!strcmp(name, formats[i].name)) {
            opt.packet_in_format = formats[i].format;
            return;
        }
    }
    log_fatal(0, "unknown packet-in format `%s'", name);
}

static void
add_sort_key(const char *name, bool descending)
{
    const struct field_info *f = NULL;
    if (name && strcasecmp(name, "priority")) {
        f = field_by_name(name, strlen(name));
        if (!f) {
            log_fatal(0, "%s: unknown field name", name);
        }
    }
    opt.sort = base_realloc(opt.sort, (opt.n_sort + 1) * sizeof *opt.sort);
    opt.sort[opt.n_sort++] = (struct sort_key){f, descending};
}

static void
set_timeout(const char *arg)
{
    uint64_t seconds;
    if (!base_parse_uint(arg, 86400 * 365, &seconds) || !seconds) {
        log_fatal(0, "value %s on -t or --timeout is invalid", arg);
    }
    cmdline_set_timeout(seconds);
}

static void
set_color(const char *when)
{
    if (when && strcmp(when, "always") && strcmp(when, "never") && strcmp(when, "auto")) {
        log_fatal(0, "incorrect value \"%s\"; colour is always, never or auto", when);
    }
    // Accepted for scripts' sake; output has no colours.
}

static void
handle_flag(int value)
{
    switch (value) {
    case OPT_STRICT:
        opt.strict = true;
        break;
    case OPT_READD:
        opt.readd = true;
        break;
    case OPT_TIMESTAMP:
        opt.timestamps = true;
        break;
    case OPT_BUNDLE:
        opt.bundle = true;
        break;
    case OPT_READ_ONLY:
        opt.read_only = true;
        break;
    case OPT_NAMES:
        opt.accept_names = opt.show_names = true;
        break;
    case OPT_NO_NAMES:
        opt.accept_names = opt.show_names = false;
        break;
    case OPT_STATS:
        opt.show_stats = true;
        break;
    case OPT_NO_STATS:
        opt.show_stats = false;
        break;
    case 'm':
        opt.verbosity++;
        break;
    default:
        break;
    }
}

static void
handle(int value, const char *arg, void *aux)
{
    (void) aux;
    switch (value) {
    case 't':
        set_timeout(arg);
        break;
    case 'F':
        set_protos(arg);
        break;
    case 'P':
        set_packet_in_format(arg);
        break;
    case 'O':
        set_versions(arg);
        break;
    case OPT_SORT:
    case OPT_RSORT:
        add_sort_key(arg, value == OPT_RSORT);
        break;
    case OPT_UNIXCTL:
        opt.unixctl_path = arg;
        break;
    case OPT_COLOR:
        set_color(arg);
        break;
    default:
        handle_flag(value);
        break;
    }
}

// What -O and -F say has to have something in common.
static void
agree(void)
{
    if (opt.bundle) {
        const uint32_t with_bundles = OF_VERSION_BIT(OF_14) | OF_VERSION_BIT(OF_15);
        opt.versions =
            opt.versions & with_bundles ? opt.versions & with_bundles : OF_VERSION_BIT(OF_14);
    }
    const uint32_t protos = of_protos_of_versions(opt.versions);
    if (!(opt.protos & protos)) {
        struct str names = STR_INIT;
        for (int v = OF_10; v <= OF_15; v++) {
            if (opt.versions & OF_VERSION_BIT(v)) {
                str_addf(&names, "%s%s", names.len ? ", " : "", of_version_name(v));
            }
        }
        char *formats = of_protos_format(opt.protos);
        log_fatal(0,
                  "None of the enabled OpenFlow versions (%s) supports any of the enabled flow "
                  "formats (%s).  "
                  "(Use -O to enable additional OpenFlow versions or -F to enable additional flow "
                  "formats.)",
                  str_get(&names), formats);
    }
    opt.protos &= protos;
    opt.versions &= of_versions_of_protos(opt.protos);
}

// --- Commands. ---

static void cmd_help(struct cmdline_ctx *);
static void cmd_list_commands(struct cmdline_ctx *);

static const struct cmdline_command commands[] = {
    {"show", "switch", 1, 1, cmd_show},
    {"monitor", "switch [misslen] [invalid_ttl] [watch:[...]]", 1, 3, cmd_monitor},
    {"snoop", "switch", 1, 1, cmd_snoop},
    {"dump-desc", "switch", 1, 1, cmd_dump_desc},
    {"dump-tables", "switch", 1, 1, cmd_dump_tables},
    {"dump-table-features", "switch", 1, 1, cmd_dump_table_features},
    {"dump-table-desc", "switch", 1, 1, cmd_dump_table_desc},
    {"dump-flows", "switch", 1, 2, cmd_dump_flows},
    {"dump-aggregate", "switch", 1, 2, cmd_dump_aggregate},
    {"queue-stats", "switch [port [queue]]", 1, 3, cmd_queue_stats},
    {"queue-get-config", "switch [port [queue]]", 1, 3, cmd_queue_get_config},
    {"add-flow", "switch flow", 2, 2, cmd_add_flow},
    {"add-flows", "switch file", 2, 2, cmd_add_flows},
    {"mod-flows", "switch flow", 2, 2, cmd_mod_flows},
    {"del-flows", "switch [flow]", 1, 2, cmd_del_flows},
    {"replace-flows", "switch file", 2, 2, cmd_replace_flows},
    {"diff-flows", "source1 source2", 2, 2, cmd_diff_flows},
    {"packet-out", "switch \"in_port=<port> packet=<hex data> actions=...\"", 2, INT_MAX,
     cmd_packet_out},
    {"dump-ports", "switch [port]", 1, 2, cmd_dump_ports},
    {"dump-ports-desc", "switch [port]", 1, 2, cmd_dump_ports_desc},
    {"mod-port", "switch iface act", 3, 3, cmd_mod_port},
    {"mod-table", "switch mod", 3, 3, cmd_mod_table},
    {"get-frags", "switch", 1, 1, cmd_get_frags},
    {"set-frags", "switch frag_mode", 2, 2, cmd_set_frags},
    {"probe", "target", 1, 1, cmd_probe},
    {"ping", "target [n]", 1, 2, cmd_ping},
    {"benchmark", "target n count", 3, 3, cmd_benchmark},
    {"ofp-parse", "file", 1, 1, cmd_ofp_parse},
    {"help", "", 0, INT_MAX, cmd_help},
    {"list-commands", "", 0, INT_MAX, cmd_list_commands},
    {"parse-flow", "", 1, 1, cmd_parse_flow},
    {"parse-flows", "", 1, 1, cmd_parse_flows},
    {"print-error", "", 1, 1, cmd_print_error},
    {"ofp-print", "", 1, 2, cmd_ofp_print},
    {0},
};

static void
cmd_help(struct cmdline_ctx *ctx)
{
    (void) ctx;
    ofctl_usage();
}

static void
cmd_list_commands(struct cmdline_ctx *ctx)
{
    (void) ctx;
    printf("The available commands are:\n");
    for (const struct cmdline_command *c = commands; c->name; c++) {
        printf("  %-23s %s\n", c->name, c->usage);
    }
}

static void
check_read_only(const char *command)
{
    static const char *const writers[] = {"add-flow",  "add-flows",     "mod-flows",
                                          "del-flows", "replace-flows", "packet-out",
                                          "mod-port",  "mod-table",     "set-frags"};
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
        if (!strcmp(writers[i], command)) {
            log_fatal(0, "'%s' command does not work in read only mode", command);
        }
    }
}

int
main(int argc, char *argv[])
{
    static const struct cmdline cmdline = {
        .own = options,
        .own_short = "t:F:P:O:m",
        .groups = CMDLINE_LOG | CMDLINE_DAEMON | CMDLINE_TLS,
        .mixed = true,
        .version = "ovs-ofctl (Open vSwitch) 3.1.0\nOpenFlow versions 0x1:0x6\nFlowerbed " PACKAGE_VERSION "\n",
        .usage = ofctl_usage,
        .handle = handle,
    };
    static char buffer[65536];
    dirs_set_program(argv[0]);
    rcu_start();
    cmdline_set_timeout(0);
    if (isatty(STDOUT_FILENO)) {
        opt.show_names = true;
    } else {
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    }
    const int first = cmdline_parse(&cmdline, argc, argv);
    agree();
    struct cmdline_ctx ctx = {.argc = argc - first, .argv = argv + first};
    if (opt.read_only && ctx.argc) {
        check_read_only(ctx.argv[0]);
    }
    cmdline_run(commands, &ctx);
    return 0;
}
