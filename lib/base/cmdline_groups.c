// SPDX-License-Identifier: Apache-2.0
// Options that programs share: one row each, with its help line and what it does.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cmdline_private.h"
#include "lib/base/daemon.h"
#include "lib/base/log.h"
#include "lib/base/stream.h"
#include "lib/base/table.h"

enum {
    OPT_LOG_FILE = CMDLINE_OPT_LOG,
    OPT_SYSLOG_METHOD,
    OPT_SYSLOG_TARGET,
    OPT_DETACH = CMDLINE_OPT_DAEMON,
    OPT_NO_CHDIR,
    OPT_PIDFILE,
    OPT_OVERWRITE_PIDFILE,
    OPT_MONITOR,
    OPT_USER,
    OPT_NO_SELF_CONFINEMENT,
    OPT_BOOTSTRAP_CA_CERT = CMDLINE_OPT_TLS,
    OPT_PEER_CA_CERT,
    OPT_SSL_PROTOCOLS,
    OPT_SSL_CIPHERS,
    OPT_NO_HEADINGS = CMDLINE_OPT_TABLE,
    OPT_PRETTY,
    OPT_BARE,
    OPT_MAX_COLUMN_WIDTH,
};

#define NO no_argument, NULL
#define REQ required_argument, NULL
#define OPT optional_argument, NULL
static const struct cmdline_option options[] = {
    {CMDLINE_TLS, {"private-key", REQ, 'p'}, 'p', "FILE", "private key"},
    {CMDLINE_TLS, {"certificate", REQ, 'c'}, 'c', "FILE", "certificate of the private key"},
    {CMDLINE_TLS, {"ca-cert", REQ, 'C'}, 'C', "FILE", "CA certificate that peers are checked with"},
    {CMDLINE_TLS, {"bootstrap-ca-cert", REQ, OPT_BOOTSTRAP_CA_CERT}, 0, "FILE",
     "the same, taken from the first peer when missing"},
    {CMDLINE_TLS, {"peer-ca-cert", REQ, OPT_PEER_CA_CERT}, 0, "FILE", "CA certificate sent to peers"},
    {CMDLINE_TLS, {"ssl-protocols", REQ, OPT_SSL_PROTOCOLS}, 0, "PROTOS", "TLS protocols to allow"},
    {CMDLINE_TLS, {"ssl-ciphers", REQ, OPT_SSL_CIPHERS}, 0, "CIPHERS", "TLS ciphers to allow"},
    {CMDLINE_DAEMON, {"detach", NO, OPT_DETACH}, 0, NULL, "run in the background"},
    {CMDLINE_DAEMON, {"monitor", NO, OPT_MONITOR}, 0, NULL, "restart the daemon when it crashes"},
    {CMDLINE_DAEMON, {"user", REQ, OPT_USER}, 0, "USER[:GROUP]", "give up root for this user"},
    {CMDLINE_DAEMON, {"no-chdir", NO, OPT_NO_CHDIR}, 0, NULL, "do not change directory to /"},
    {CMDLINE_DAEMON, {"pidfile", OPT, OPT_PIDFILE}, 0, "FILE", "write the process id to a file"},
    {CMDLINE_DAEMON, {"overwrite-pidfile", NO, OPT_OVERWRITE_PIDFILE}, 0, NULL,
     "start even if the pidfile is in use"},
    {CMDLINE_DAEMON, {"no-self-confinement", NO, OPT_NO_SELF_CONFINEMENT}, 0, NULL,
     "accepted for compatibility"},
    {CMDLINE_LOG, {"verbose", OPT, 'v'}, 'v', "SPEC", "log levels (all at debug without SPEC)"},
    {CMDLINE_LOG, {"log-file", OPT, OPT_LOG_FILE}, 0, "FILE", "log to a file"},
    {CMDLINE_LOG, {"syslog-method", REQ, OPT_SYSLOG_METHOD}, 0, "METHOD",
     "libc, unix:FILE, udp:IP:PORT or null"},
    {CMDLINE_LOG, {"syslog-target", REQ, OPT_SYSLOG_TARGET}, 0, "IP:PORT",
     "send syslog messages there by UDP"},
    {CMDLINE_TABLE, {"format", REQ, 'f'}, 'f', "FORMAT", "table, list, html, csv or json"},
    {CMDLINE_TABLE, {"data", REQ, 'd'}, 'd', "FORMAT", "cells as string, bare or json"},
    {CMDLINE_TABLE, {"no-headings", NO, OPT_NO_HEADINGS}, 0, NULL, "leave out the headings"},
    {CMDLINE_TABLE, {"pretty", NO, OPT_PRETTY}, 0, NULL, "indent JSON"},
    {CMDLINE_TABLE, {"bare", NO, OPT_BARE}, 0, NULL, "--format=list --data=bare --no-headings"},
    {CMDLINE_TABLE, {"max-column-width", REQ, OPT_MAX_COLUMN_WIDTH}, 0, "N",
     "cut columns of tables after N characters"},
};

static struct stream_tls tls;

const struct cmdline_option *
cmdline_group_options(size_t *n)
{
    *n = ARRAY_SIZE(options);
    return options;
}

static void
set_format(const char *arg)
{
    static const char *const names[] = {"table", "list", "html", "csv", "json"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(arg, names[i])) {
            table_style.format = i;
            return;
        }
    }
    log_fatal(0, "unknown output format \"%s\"", arg);
}

static void
set_data(const char *arg)
{
    static const char *const names[] = {"string", "bare", "json"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(arg, names[i])) {
            table_style.cell = i;
            return;
        }
    }
    log_fatal(0, "unknown data format \"%s\"", arg);
}

static void
set_log_levels(const char *arg)
{
    char *error = log_set_levels(arg ? arg : "any:any:dbg");
    if (error) {
        log_fatal(0, "processing \"%s\": %s", arg, error);
    }
}

static void
set_syslog_target(const char *arg)
{
    char *method = base_asprintf("udp:%s", arg);
    log_set_syslog_method(method);
    free(method);
}

static bool
handle_table(int value, const char *arg)
{
    uint64_t n;
    switch (value) {
    case 'f':
        set_format(arg);
        return true;
    case 'd':
        set_data(arg);
        return true;
    case OPT_NO_HEADINGS:
        table_style.headings = false;
        return true;
    case OPT_PRETTY:
        table_style.json_flags |= TABLE_JSON_PRETTY;
        return true;
    case OPT_BARE:
        table_style.format = TABLE_LIST;
        table_style.cell = TABLE_CELL_BARE;
        table_style.headings = false;
        return true;
    case OPT_MAX_COLUMN_WIDTH:
        if (!base_parse_uint(arg, INT_MAX, &n)) {
            log_fatal(0, "value %s on --max-column-width is invalid", arg);
        }
        table_style.max_column_width = n;
        return true;
    default:
        return false;
    }
}

static bool
handle_tls(int value, const char *arg)
{
    switch (value) {
    case 'p':
        tls.private_key = arg;
        return true;
    case 'c':
        tls.certificate = arg;
        return true;
    case 'C':
    case OPT_BOOTSTRAP_CA_CERT:
        tls.ca_cert = arg;
        tls.bootstrap_ca_cert = value != 'C';
        return true;
    case OPT_PEER_CA_CERT:
        tls.peer_ca_cert = arg;
        return true;
    case OPT_SSL_PROTOCOLS:
        tls.protocols = arg;
        return true;
    case OPT_SSL_CIPHERS:
        tls.ciphers = arg;
        return true;
    default:
        return false;
    }
}

void
cmdline_group_handle(int value, const char *arg)
{
    if (handle_table(value, arg) || handle_tls(value, arg)) {
        return;
    }
    switch (value) {
    case 'v':
        set_log_levels(arg);
        break;
    case OPT_LOG_FILE:
        if (log_open_file(arg)) {
            exit(EXIT_FAILURE); // the reason was logged
        }
        break;
    case OPT_SYSLOG_METHOD:
        log_set_syslog_method(arg);
        break;
    case OPT_SYSLOG_TARGET:
        set_syslog_target(arg);
        break;
    case OPT_DETACH:
        daemon_set_detach();
        break;
    case OPT_NO_CHDIR:
        daemon_set_no_chdir();
        break;
    case OPT_PIDFILE:
        daemon_set_pidfile(arg);
        break;
    case OPT_OVERWRITE_PIDFILE:
        daemon_set_overwrite_pidfile();
        break;
    case OPT_MONITOR:
        daemon_set_monitor();
        break;
    case OPT_USER:
        daemon_set_user(arg);
        break;
    default: // --no-self-confinement
        break;
    }
}

const struct stream_tls *
cmdline_tls(void)
{
    return &tls;
}

void
cmdline_group_finish(bool own_tls)
{
    if (own_tls) {
        return;
    }
    if (tls.private_key || tls.certificate || tls.ca_cert || tls.peer_ca_cert || tls.protocols ||
        tls.ciphers) {
        stream_set_tls(&tls);
    }
}

void
cmdline_usage_groups(unsigned groups)
{
    static const struct {
        enum cmdline_groups group;
        const char *title;
    } titles[] = {{CMDLINE_TLS, "TLS options:"},
                  {CMDLINE_DAEMON, "Daemon options:"},
                  {CMDLINE_TABLE, "Output options:"},
                  {CMDLINE_LOG, "Logging options:"}};
    for (size_t t = 0; t < ARRAY_SIZE(titles); t++) {
        if (!(groups & titles[t].group)) {
            continue;
        }
        printf("\n%s\n", titles[t].title);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
            const struct cmdline_option *o = &options[i];
            if (o->group != titles[t].group) {
                continue;
            }
            char letter[8] = "", text[64];
            if (o->letter) {
                snprintf(letter, sizeof letter, "-%c, ", o->letter);
            }
            snprintf(text, sizeof text, "%s--%s%s%s%s", letter, o->option.name,
                     !o->value                                  ? ""
                     : o->option.has_arg == optional_argument ? "[="
                                                                : "=",
                     o->value ? o->value : "",
                     o->value && o->option.has_arg == optional_argument ? "]" : "");
            printf("  %-29s %s\n", text, o->help);
        }
    }
}
