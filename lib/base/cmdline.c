// SPDX-License-Identifier: Apache-2.0
// Options: a program's own and those of the groups it shares, parsed by getopt_long(), which also
// words the complaints.
#include "config.h"

#include "lib/base/cmdline.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cmdline_private.h"
#include "lib/base/daemon_private.h"
#include "lib/base/dirs.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

static size_t
count_options(const struct option *o)
{
    size_t n = 0;
    while (o && o[n].name) {
        n++;
    }
    return n;
}

// own options first, then the groups', then --help and --version.
static struct option *
all_options(const struct cmdline *c)
{
    static const struct option always[] = {{"help", no_argument, NULL, 'h'},
                                           {"version", no_argument, NULL, 'V'}};
    size_t n = count_options(c->own), n_groups;
    const struct cmdline_option *groups = cmdline_group_options(&n_groups);
    struct option *all = base_calloc(n + n_groups + ARRAY_SIZE(always) + 1, sizeof *all);
    if (n) {
        memcpy(all, c->own, n * sizeof *all);
    }
    for (size_t i = 0; i < n_groups; i++) {
        if (c->groups & groups[i].group) {
            all[n++] = groups[i].option;
        }
    }
    memcpy(all + n, always, sizeof always);
    return all;
}

static char *
short_options(const struct cmdline *c)
{
    size_t n_groups;
    const struct cmdline_option *groups = cmdline_group_options(&n_groups);
    const char *own = c->own_short ? c->own_short : "";
    struct str s = STR_INIT;
    str_addf(&s, "%s%s", c->mixed ? "" : "+", own);
    for (size_t i = 0; i < n_groups; i++) {
        const struct cmdline_option *o = &groups[i];
        if (c->groups & o->group && o->letter && !strchr(own, o->letter)) {
            str_add_char(&s, o->letter);
            str_add_chars(&s, ':', o->option.has_arg);
        }
    }
    str_add(&s, "hV");
    return str_take(&s);
}

static void
print_version(const struct cmdline *c)
{
    if (c->version) {
        fputs(c->version, stdout);
    } else {
        printf("%s (Open vSwitch) 3.1.0\nFlowerbed " PACKAGE_VERSION "\n", dirs_program());
    }
}

static bool
is_own(const struct cmdline *c, int value)
{
    for (size_t i = 0, n = count_options(c->own); i < n; i++) {
        if (c->own[i].val == value) {
            return true;
        }
    }
    return value < 256 && c->own_short && strchr(c->own_short, value);
}

static void
handle(const struct cmdline *c, int value)
{
    if (value == '?') {
        exit(EXIT_FAILURE);
    } else if (is_own(c, value)) {
        c->handle(value, optarg, c->aux);
    } else if (value == 'h') {
        c->usage();
        exit(EXIT_SUCCESS);
    } else if (value == 'V') {
        print_version(c);
        exit(EXIT_SUCCESS);
    } else {
        cmdline_group_handle(value, optarg);
    }
}

int
cmdline_parse(const struct cmdline *c, int argc, char *argv[])
{
    if (c->groups & CMDLINE_DAEMON) {
        log_enable_daemon();
    }
    struct option *options = all_options(c);
    char *letters = short_options(c);
    char *argv0 = argv[0];
    argv[0] = (char *) dirs_program(); // what complaints begin with
    optind = 0;
    for (;;) {
        int value = getopt_long(argc, argv, letters, options, NULL);
        if (value == -1) {
            break;
        }
        handle(c, value);
    }
    argv[0] = argv0;
    cmdline_group_finish(c->own_tls);
    free(options);
    free(letters);
    return optind;
}

static void
print_option(const struct option *o)
{
    printf("--%s%s\n", o->name, o->has_arg ? "=ARG" : "");
    if (o->val < 256) {
        printf("-%c%s\n", o->val, o->has_arg ? " ARG" : "");
    }
}

void
cmdline_print_options(const struct option own[], size_t n, unsigned groups)
{
    size_t n_groups;
    const struct cmdline_option *shared = cmdline_group_options(&n_groups);
    for (size_t i = 0; i < n; i++) {
        print_option(&own[i]);
    }
    for (size_t i = 0; i < n_groups; i++) {
        if (groups & shared[i].group) {
            print_option(&shared[i].option);
        }
    }
    puts("--help\n-h\n--version\n-V");
}

void
cmdline_run(const struct cmdline_command commands[], struct cmdline_ctx *ctx)
{
    if (ctx->argc < 1) {
        log_fatal(0, "missing command name; use --help for help");
    }
    for (const struct cmdline_command *c = commands; c->name; c++) {
        if (strcmp(c->name, ctx->argv[0])) {
            continue;
        }
        int n = ctx->argc - 1;
        if (n < c->min_args) {
            log_fatal(0, "'%s' command requires at least %d arguments", c->name, c->min_args);
        } else if (n > c->max_args) {
            log_fatal(0, "'%s' command takes at most %d arguments", c->name, c->max_args);
        }
        c->run(ctx);
        if (ferror(stdout) || fflush(stdout)) {
            log_fatal(0, "write to stdout failed");
        }
        return;
    }
    log_fatal(0, "unknown command '%s'; use --help for help", ctx->argv[0]);
}

void
cmdline_set_timeout(unsigned seconds)
{
    const char *env = getenv("OVS_CTL_TIMEOUT");
    uint64_t v;
    if (!seconds && env && base_parse_uint(env, UINT_MAX, &v)) {
        seconds = v;
    }
    if (seconds) {
        daemon_catch_signals();
        alarm(seconds);
    }
}
