// SPDX-License-Identifier: Apache-2.0
// monitor and snoop: print every message that comes in, until told to end. ovs-appctl's commands
// (exit, ofctl/send, ofctl/packet-out, ofctl/barrier, ofctl/block, ofctl/unblock,
// ofctl/set-output-file) reach the program meanwhile.
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/daemon.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/base/unixctl.h"
#include "tools/ofctl/ofctl.h"

static struct {
    struct conn *conn;
    struct names *names;
    FILE *out;
    bool exiting, blocked;
    struct unixctl_conn *barrier; // waits for the reply with this id
    uint32_t barrier_xid;
} mon;

// more: how much more is said than -m asks for.
static void
print_bytes(const char *before, const uint8_t *data, size_t len, int more)
{
    const struct of_print print = {.ports = names_ports_shown(mon.names),
                                   .tables = names_tables_shown(mon.names),
                                   .stats = true,
                                   .verbosity = opt.verbosity + more};
    struct str text = STR_INIT;
    str_add(&text, before);
    of_msg_format_bytes(data, len, conn_wire(mon.conn), &print, &text);
    fwrite(text.p, 1, text.len, mon.out);
    fflush(mon.out);
    str_free(&text);
}

// --- Commands while running. ---

static void
on_quit(struct unixctl_conn *u, int argc, const char *argv[], void *aux)
{
    (void) argc;
    (void) argv;
    (void) aux;
    mon.exiting = true;
    unixctl_reply(u, NULL);
}

static int
digit(char c)
{
    const char *digits = "0123456789abcdef", *p = c ? strchr(digits, c | 0x20) : NULL;
    return p ? p - digits : -1;
}

// NULL, or what is wrong.
static const char *
parse_message(const char *hex, struct str *out)
{
    for (; *hex; hex += 2) {
        hex += strspn(hex, " \t\r\n");
        if (!*hex) {
            break;
        }
        const int high = digit(hex[0]), low = high < 0 ? -1 : digit(hex[1]);
        if (low < 0) {
            return "Trailing garbage in hex data";
        }
        str_add_char(out, (char) (high << 4 | low));
    }
    if (out->len < OF_HEADER_LEN) {
        return "Message too short for OpenFlow";
    }
    out->p[2] = (char) (out->len >> 8);
    out->p[3] = (char) out->len;
    return NULL;
}

static void
on_send(struct unixctl_conn *u, int argc, const char *argv[], void *aux)
{
    struct str reply = STR_INIT;
    bool ok = true;
    (void) aux;
    for (int i = 1; i < argc && ok; i++) {
        struct str m = STR_INIT;
        const char *wrong = parse_message(argv[i], &m);
        if (wrong) {
            str_add(&reply, wrong);
            ok = false;
        } else {
            print_bytes("send: ", (const uint8_t *) m.p, m.len, 2);
            conn_send_bytes(mon.conn, m.p, m.len);
            str_add(&reply, "sent\n");
        }
        str_free(&m);
    }
    (ok ? unixctl_reply : unixctl_reply_error)(u, str_get(&reply));
    str_free(&reply);
}

static void
on_packet_out(struct unixctl_conn *u, int argc, const char *argv[], void *aux)
{
    struct of_msg m = {.type = OF_MSG_PACKET_OUT};
    uint8_t *packet;
    (void) argc;
    (void) aux;
    names_reserve_ports(mon.names);
    names_reserve_tables(mon.names);
    char *error = ofctl_packet_out_parse(argv[1], names_ports(mon.names), &m.u.packet_out, &packet);
    if (error) {
        unixctl_reply_error(u, error);
        free(error);
    } else {
        struct str bytes = STR_INIT;
        m.xid = ofctl_xid();
        of_msg_encode(&m, conn_wire(mon.conn), &bytes);
        print_bytes("", (const uint8_t *) bytes.p, bytes.len, 0);
        conn_send_bytes(mon.conn, bytes.p, bytes.len);
        str_free(&bytes);
        unixctl_reply(u, NULL);
    }
    of_actions_free(&m.u.packet_out.actions);
    free(packet);
}

static void
on_barrier(struct unixctl_conn *u, int argc, const char *argv[], void *aux)
{
    struct of_msg m = {.type = OF_MSG_BARRIER_REQUEST};
    (void) argc;
    (void) argv;
    (void) aux;
    if (mon.barrier) {
        unixctl_reply_error(u, "already waiting for barrier");
        return;
    }
    mon.barrier_xid = conn_send(mon.conn, &m);
    mon.barrier = u;
}

static void
on_block(struct unixctl_conn *u, int argc, const char *argv[], void *aux)
{
    const bool block = !strcmp(argv[0], "ofctl/block");
    (void) argc;
    (void) aux;
    if (mon.blocked == block) {
        unixctl_reply(u, block ? "already blocking" : "already unblocked");
        return;
    }
    mon.blocked = block;
    conn_set_blocked(mon.conn, block);
    unixctl_reply(u, NULL);
}

static void
on_set_output(struct unixctl_conn *u, int argc, const char *argv[], void *aux)
{
    (void) argc;
    (void) aux;
    FILE *f = fopen(argv[1], "w");
    if (!f) {
        char *error = base_asprintf("%s: open failed (%s)", argv[1], base_strerror(errno));
        unixctl_reply_error(u, error);
        free(error);
        return;
    }
    if (mon.out != stderr) {
        fclose(mon.out);
    }
    mon.out = f;
    unixctl_reply(u, NULL);
}

static void
start_control(struct unixctl_server **server)
{
    unixctl_register("exit", "", 0, 0, on_quit, NULL);
    unixctl_register("ofctl/send", "OFMSG...", 1, INT_MAX, on_send, NULL);
    unixctl_register("ofctl/packet-out", "\"in_port=<port> packet=<hex data> actions=...\"", 1, 1,
                     on_packet_out, NULL);
    unixctl_register("ofctl/barrier", "", 0, 0, on_barrier, NULL);
    unixctl_register("ofctl/block", "", 0, 0, on_block, NULL);
    unixctl_register("ofctl/unblock", "", 0, 0, on_block, NULL);
    unixctl_register("ofctl/set-output-file", "FILE", 1, 1, on_set_output, NULL);
    log_unixctl_init();
    const int error = unixctl_server_new(ofctl_loop(), opt.unixctl_path, server);
    if (error) {
        log_fatal(-error, "failed to create unixctl server");
    }
}

// --- Printing. ---

static void
timestamp(void)
{
    char now[64];
    clock_format(now, sizeof now, "%Y-%m-%d %H:%M:%S.###", clock_wall(), true);
    fprintf(mon.out, "%s: ", now);
}

static void
one_message(const uint8_t *data, size_t len)
{
    be32_t xid;
    if (opt.timestamps) {
        timestamp();
    }
    print_bytes("", data, len, 2);
    memcpy(&xid, data + 4, sizeof xid);
    if (mon.barrier && be32toh(xid) == mon.barrier_xid) {
        unixctl_reply(mon.barrier, NULL);
        mon.barrier = NULL;
    }
}

static void
run(struct conn *c, const char *name)
{
    struct unixctl_server *server;
    mon.conn = c;
    mon.out = stderr;
    mon.names = names_new(name);
    start_control(&server);
    daemon_keep_stderr();
    daemon_ready();
    for (;;) {
        const uint8_t *data;
        size_t len;
        int end = 1;
        while (!mon.blocked && conn_poll(c, &data, &len, &end)) {
            one_message(data, len);
        }
        if (mon.exiting || end <= 0) {
            if (!mon.exiting) {
                log_fatal(0, "%s: vconn_recv (%s)", name, end ? base_strerror(end) : "End of file");
            }
            break;
        }
        loop_turn(ofctl_loop(), -1);
    }
    loop_turn(ofctl_loop(), 0); // replies that are on their way
    unixctl_server_free(server);
    names_free(mon.names);
    conn_free(c);
}

// --- monitor ---

static void
set_config(struct conn *c, uint16_t flags, int miss_send_len)
{
    struct of_msg reply;
    struct of_msg m = {.type = OF_MSG_SET_CONFIG};
    if (!conn_ask_plain(c, OF_MSG_GET_CONFIG_REQUEST, &reply) ||
        reply.type != OF_MSG_GET_CONFIG_REPLY) {
        log_fatal(0, "%s: bad reply to config request", conn_name(c));
    }
    m.u.config = reply.u.config;
    of_msg_clear(&reply);
    m.u.config.flags |= flags;
    if (miss_send_len >= 0) {
        m.u.config.miss_send_len = miss_send_len;
    }
    conn_do(c, &m);
}

static void
set_invalid_ttl(struct conn *c)
{
    struct of_msg reply;
    set_config(c, OF_CONFIG_INVALID_TTL, -1);
    if (!conn_ask_plain(c, OF_MSG_GET_CONFIG_REQUEST, &reply) ||
        reply.type != OF_MSG_GET_CONFIG_REPLY || !(reply.u.config.flags & OF_CONFIG_INVALID_TTL)) {
        log_fatal(0, "setting invalid_ttl_to_controller failed (this switch probably doesn't "
                     "support this flag)");
    }
    of_msg_clear(&reply);
}

// Without -P, the switch's best.
static void
set_packet_in_format(struct conn *c)
{
    static const char *const names[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};
    const int first = opt.packet_in_format < 0 ? OF_PIN_FMT_NXT2 : opt.packet_in_format;
    for (int format = first; format >= 0; format--) {
        struct of_msg error = {0}, m = {.type = OF_MSG_SET_PACKET_IN_FORMAT, .u.value = format};
        if (!conn_do_or_error(c, &m, &error)) {
            conn_wire(c)->packet_in = format;
            return;
        }
        of_msg_clear(&error);
        if (opt.packet_in_format >= 0) {
            log_fatal(0, "%s: the switch does not support packet-in format %s", conn_name(c),
                      names[format]);
        }
        if (conn_version(c) != OF_10) {
            return; // its standard format says as much
        }
    }
}

void
cmd_monitor(struct cmdline_ctx *ctx)
{
    const uint32_t with_ttl = OF_VERSION_BIT(OF_10) | OF_VERSION_BIT(OF_11) | OF_VERSION_BIT(OF_12);
    bool invalid_ttl = false;
    for (int i = 2; i < ctx->argc; i++) {
        invalid_ttl |= !strcmp(ctx->argv[i], "invalid_ttl");
    }
    if (invalid_ttl && !(opt.versions & with_ttl)) {
        log_fatal(
            0,
            "invalid_ttl requires one of the OpenFlow versions OpenFlow10, OpenFlow11, OpenFlow12 "
            "but none is enabled (use -O)");
    } else if (invalid_ttl) {
        opt.versions &= with_ttl;
    }
    daemon_start(false);
    struct conn *c = conn_open(ctx->argv[1]);
    for (int i = 2; i < ctx->argc; i++) {
        const char *arg = ctx->argv[i];
        if (*arg && !arg[strspn(arg, "0123456789")]) {
            set_config(c, 0, strtoul(arg, NULL, 10) & UINT16_MAX);
        } else if (!strcmp(arg, "invalid_ttl")) {
            set_invalid_ttl(c);
        } else if (!strncmp(arg, "watch:", 6)) {
            log_fatal(
                0,
                "%s: watching flow tables is not possible yet: this program has no flow monitors",
                arg);
        } else {
            log_fatal(0, "%s: unsupported \"monitor\" argument", arg);
        }
    }
    set_packet_in_format(c);
    run(c, ctx->argv[1]);
}

void
cmd_snoop(struct cmdline_ctx *ctx)
{
    daemon_start(false);
    run(conn_open_suffix(ctx->argv[1], "snoop"), ctx->argv[1]);
}
