// SPDX-License-Identifier: Apache-2.0
// Commands that need no switch: messages from bytes, flows from text.
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/ofctl/ofctl.h"

static void
print_bytes(const void *data, size_t len, int verbosity)
{
    const struct of_print print = {.stats = true, .verbosity = verbosity};
    struct str text = STR_INIT;
    of_msg_format_bytes(data, len, NULL, &print, &text);
    fwrite(text.p, 1, text.len, stdout);
    str_free(&text);
}

void
cmd_ofp_print(struct cmdline_ctx *ctx)
{
    const char *p = ctx->argv[1];
    struct str bytes = STR_INIT;
    for (;; p += 2) {
        p += strspn(p, " \t\r\n");
        if (!isxdigit((unsigned char) p[0]) || !isxdigit((unsigned char) p[1])) {
            break;
        }
        const char pair[3] = {p[0], p[1], 0};
        str_add_char(&bytes, (char) strtoul(pair, NULL, 16));
    }
    if (*p) {
        log_fatal(0, "trailing garbage following hex bytes");
    }
    print_bytes(bytes.p, bytes.len, ctx->argc > 2 ? atoi(ctx->argv[2]) : 2);
    str_free(&bytes);
}

void
cmd_ofp_parse(struct cmdline_ctx *ctx)
{
    const char *name = ctx->argv[1];
    FILE *f = ofctl_open_file(name, "open");
    uint8_t message[OF_MAX_LEN];
    size_t n;
    while ((n = fread(message, 1, OF_HEADER_LEN, f)) > 0) {
        if (n < OF_HEADER_LEN) {
            log_fatal(0, "%s: unexpected end of file mid-message", name);
        }
        const size_t len = message[2] << 8 | message[3];
        if (len < OF_HEADER_LEN) {
            log_fatal(0, "%s: %zu-byte message is too short for OpenFlow", name, len);
        }
        if (fread(message + OF_HEADER_LEN, 1, len - OF_HEADER_LEN, f) != len - OF_HEADER_LEN) {
            log_fatal(0, "%s: unexpected end of file mid-message", name);
        }
        print_bytes(message, len, opt.verbosity + 2);
    }
    if (ferror(f)) {
        log_fatal(errno, "%s: read failed", name);
    }
}

// --- Flows. ---

struct parsed {
    struct of_flow_mod *fm;
    size_t n, cap;
    uint32_t usable;
};

static void
parse(struct parsed *all, const char *text, const char *file, int line)
{
    if (all->n == all->cap) {
        all->fm = base_grow(all->fm, &all->cap, sizeof *all->fm);
    }
    char *error = of_flow_mod_parse(text, OF_FLOW_ADD, NULL, &all->fm[all->n++], &all->usable);
    if (error && file) {
        log_fatal(0, "%s:%d: %s", file, line, error);
    } else if (error) {
        log_fatal(0, "%s", error);
    }
}

static void
show(struct parsed *all)
{
    char *usable = of_protos_format(all->usable);
    printf("usable protocols: %s\n", usable);
    const uint32_t possible = all->usable & opt.protos;
    if (!possible) {
        log_fatal(0, "no usable protocol");
    }
    const enum of_proto proto = possible & -possible;
    printf("chosen protocol: %s\n", of_proto_name(proto));
    const struct of_wire wire = {.version = of_proto_version(proto),
                                 .nxm = proto & OF_PROTO_10_NXM,
                                 .table_id = proto & OF_PROTO_TID};
    for (size_t i = 0; i < all->n; i++) {
        struct of_msg m = {.type = OF_MSG_FLOW_MOD, .xid = ofctl_xid(), .u.flow_mod = all->fm[i]};
        const struct of_print print = {.stats = true, .verbosity = opt.verbosity};
        struct str bytes = STR_INIT, text = STR_INIT;
        of_msg_encode(&m, &wire, &bytes);
        of_msg_format_bytes(bytes.p, bytes.len, &wire, &print, &text);
        fwrite(text.p, 1, text.len, stdout);
        str_free(&bytes);
        str_free(&text);
        of_flow_mod_free(&all->fm[i]);
    }
    free(all->fm);
    free(usable);
}

void
cmd_parse_flow(struct cmdline_ctx *ctx)
{
    struct parsed all = {.usable = OF_PROTO_ALL};
    parse(&all, ctx->argv[1], NULL, 0);
    show(&all);
}

void
cmd_parse_flows(struct cmdline_ctx *ctx)
{
    struct parsed all = {.usable = OF_PROTO_ALL};
    struct str line = STR_INIT;
    int number = 0;
    FILE *f = ofctl_open_file(ctx->argv[1], "open failed");
    while (ofctl_read_line(f, &line, &number)) {
        parse(&all, line.p, ctx->argv[1], number);
    }
    str_free(&line);
    show(&all);
}

void
cmd_print_error(struct cmdline_ctx *ctx)
{
    const int error = of_error_by_name(ctx->argv[1]);
    if (!error) {
        log_fatal(0, "unknown error \"%s\"", ctx->argv[1]);
    }
    for (int v = OF_10; v <= OF_15; v++) {
        struct of_error_code code;
        printf("OpenFlow 1.%d: ", v - OF_10);
        if (of_error_code(error, v, &code)) {
            printf("vendor %#x, type %u, code %u\n", code.vendor, code.type, code.code);
        } else {
            printf("unsupported\n");
        }
    }
}
