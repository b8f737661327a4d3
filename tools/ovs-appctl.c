// SPDX-License-Identifier: Apache-2.0
// ovs-appctl: sends one command to a running daemon and prints its answer (ovs-appctl(8)). Exit status: 0, 1 when the
// daemon cannot be asked, 2 when it refuses.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cmdline.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/rcu.h"
#include "lib/base/unixctl.h"

LOG_MODULE(unixctl);

static const char *target = "ovs-vswitchd";

static void
usage(void)
{
    printf("%s: asks a running Flowerbed or Open vSwitch daemon\n"
           "usage: %s [TARGET] COMMAND [ARG...]\n"
           "\nTargets:\n"
           "  -t, --target=TARGET           daemon's name or control socket (default: ovs-vswitchd)\n"
           "\nCommands of every daemon:\n"
           "  list-commands                 what the target understands\n"
           "  version                       version of the target\n"
           "  vlog/list                     logging levels\n"
           "  vlog/list-pattern             layout of log lines\n"
           "  vlog/set [SPEC]               set levels: module, destination (syslog, console,\n"
           "                                file), level (off, emer, err, warn, info, dbg)\n"
           "  vlog/reopen                   open the log file anew\n"
           "\nOther options:\n"
           "  -T, --timeout=SECS            give up after SECS seconds\n"
           "  -h, --help                    print this text\n"
           "  -V, --version                 print the version of this program\n",
           dirs_program(), dirs_program());
    cmdline_usage_groups(CMDLINE_LOG);
}

static void
handle(int value, const char *arg, void *aux)
{
    uint64_t seconds;
    if (value == 't') {
        target = arg;
    } else if (!base_parse_uint(arg, 86400 * 365, &seconds) || !seconds) {
        log_fatal(0, "value %s on -T or --timeout is invalid", arg);
    } else {
        cmdline_set_timeout(seconds);
    }
}

int
main(int argc, char *argv[])
{
    static const struct option own[] = {{"target", required_argument, NULL, 't'},
                                        {"timeout", required_argument, NULL, 'T'},
                                        {0}};
    static const struct cmdline cmdline = {
        .own = own, .own_short = "t:T:", .groups = CMDLINE_LOG, .usage = usage, .handle = handle};
    dirs_set_program(argv[0]);
    rcu_start();
    cmdline_set_timeout(0);
    int first = cmdline_parse(&cmdline, argc, argv);
    if (first >= argc) {
        log_fatal(0, "at least one non-option argument is required (use --help for help)");
    }
    char *error, *result;
    char *path = unixctl_target_path(target, &error);
    if (!path) {
        log_fatal(0, "%s", error);
    }
    int rc = unixctl_call(path, argc - first, argv + first, &result, &error);
    if (rc == -EILSEQ) {
        log_fatal(0, "the command has an argument that is not UTF-8 text");
    } else if (rc == -ECONNRESET || rc == -EPROTO) {
        const char *why = rc == -EPROTO ? base_strerror(rc) : "End of file";
        LOG_WARN("error communicating with unix:%s: %s", path, why);
        log_fatal(0, "%s: transaction error (%s)", path, why);
    } else if (rc) {
        LOG_WARN("failed to connect to %s", path);
        log_fatal(rc, "cannot connect to \"%s\"", path);
    }
    free(path);
    if (error) {
        fflush(stdout);
        fputs(error, stderr);
        fprintf(stderr, "%s: %s: server returned an error\n", dirs_program(), target);
        free(error);
        exit(2);
    }
    fputs(result, stdout);
    if (fflush(stdout)) {
        log_fatal(0, "write to stdout failed");
    }
    free(result);
    return 0;
}
