// SPDX-License-Identifier: Apache-2.0
// packet-out: "in_port=1 packet=0011… actions=2", or the older form IN_PORT ACTIONS PACKET...
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/ofctl/ofctl.h"

#define ETHERNET_HEADER 14

static int
digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Hex digits, with white space between bytes. Returns where it ends.
static const char *
parse_hex(const char *s, uint8_t **data, size_t *len)
{
    *data = base_malloc(strlen(s) / 2 + 1);
    *len = 0;
    for (;; s += 2) {
        s += strspn(s, " \t\r\n");
        if (digit(s[0]) < 0 || digit(s[1]) < 0) {
            return s;
        }
        (*data)[(*len)++] = digit(s[0]) << 4 | digit(s[1]);
    }
}

static const char *
parse_packet(const char *s, uint8_t **data, size_t *len)
{
    if (*parse_hex(s, data, len)) {
        return "Trailing garbage in packet data";
    }
    return *len < ETHERNET_HEADER ? "Packet data too short for Ethernet" : NULL;
}

static bool
is_pipeline_field(const struct field_info *f)
{
    return f->offset < offsetof(struct flow_key, eth_dst);
}

struct parse {
    struct of_msg_packet_out *po;
    const struct field_port_names *ports;
    uint8_t **packet;
};

static void
set_in_port(struct of_msg_packet_out *po, uint32_t port)
{
    po->metadata.key.in_port = htobe32(port);
    FLOW_MASK_EXACT(&po->metadata.mask, in_port);
    match_update_used(&po->metadata);
}

static char *
parse_word(struct parse *p, const char *key, const char *value)
{
    struct of_msg_packet_out *po = p->po;
    uint32_t port;
    bool known;
    if (!*value) {
        return base_asprintf("field %s missing value", key);
    }
    if (!strcmp(key, "in_port")) {
        if (!field_parse_port(value, p->ports, &port)) {
            return base_asprintf("%s is not a valid OpenFlow port", value);
        }
        set_in_port(po, port);
        return NULL;
    }
    if (!strcmp(key, "packet_type") || !strcmp(key, "packet")) {
        if (!strcmp(key, "packet")) {
            free(*p->packet);
            const char *wrong = parse_packet(value, p->packet, &po->len);
            return wrong ? base_asprintf("packet: %s", wrong) : NULL;
        }
    }
    const struct field_info *f = field_by_name(key, strlen(key));
    char *error = match_parse_field(&po->metadata, key, value, p->ports, &known);
    if (!known) {
        free(error);
        return base_asprintf("unknown keyword %s", key);
    }
    if (!error && (!f || !is_pipeline_field(f))) {
        return base_asprintf("%s is not a valid pipeline field for PACKET_OUT", key);
    }
    return error;
}

char *
ofctl_packet_out_parse(const char *text, const struct field_port_names *ports,
                       struct of_msg_packet_out *po, uint8_t **packet)
{
    struct parse p = {po, ports, packet};
    uint32_t usable = OF_PROTO_ALL;
    char *error = NULL, *save = NULL;
    memset(po, 0, sizeof *po);
    match_init_any(&po->metadata);
    set_in_port(po, OF_PORT_CONTROLLER);
    po->buffer_id = OF_BUFFER_NONE;
    *packet = NULL;
    char *copy = base_strdup(text);
    char *act = strstr(copy, "action"), *sign = act ? strchr(act, '=') : NULL;
    if (sign) {
        *act = 0;
    }
    for (char *word = strtok_r(copy, ", \t\r\n", &save); word && !error;
         word = strtok_r(NULL, ", \t\r\n", &save)) {
        char *value = word + strcspn(word, "=:");
        if (*value) {
            *value++ = 0;
        }
        error = parse_word(&p, word, value);
    }
    if (!error && !*packet) {
        error = base_strdup("must specify packet");
    }
    if (!error && sign) {
        error = of_actions_parse(sign + 1, ports, false, &po->actions, &usable);
    }
    free(copy);
    po->data = *packet;
    return error;
}

static void
send_packet(struct conn *c, const struct of_msg_packet_out *po)
{
    struct of_msg m = {.type = OF_MSG_PACKET_OUT, .u.packet_out = *po};
    conn_do(c, &m);
}

static void
one_text(struct cmdline_ctx *ctx, struct names *names)
{
    struct of_msg_packet_out po;
    uint8_t *packet;
    char *error = ofctl_packet_out_parse(ctx->argv[2], names_ports(names), &po, &packet);
    if (error) {
        log_fatal(0, "%s", error);
    }
    uint32_t usable = of_match_usable(&po.metadata) & opt.protos;
    if (!usable) {
        usable = opt.protos;
    }
    struct conn *c = conn_open(ctx->argv[1]);
    conn_set_proto_for_mods(c, usable);
    send_packet(c, &po);
    of_actions_free(&po.actions);
    free(packet);
    conn_free(c);
}

static void
older_form(struct cmdline_ctx *ctx, struct names *names)
{
    struct of_msg_packet_out po = {.buffer_id = OF_BUFFER_NONE};
    uint32_t usable = OF_PROTO_ALL, port;
    match_init_any(&po.metadata);
    if (!field_parse_port(ctx->argv[2], names_ports(names), &port)) {
        log_fatal(0, "%s: unknown port `%s'", ctx->argv[1], ctx->argv[2]);
    }
    set_in_port(&po, port);
    char *error = of_actions_parse(ctx->argv[3], names_ports(names), false, &po.actions, &usable);
    if (error) {
        log_fatal(0, "%s", error);
    }
    struct conn *c = NULL;
    for (int i = 4; i < ctx->argc; i++) {
        uint8_t *packet;
        const char *wrong = parse_packet(ctx->argv[i], &packet, &po.len);
        if (wrong) {
            log_fatal(0, "%s", wrong);
        }
        c = c ? c : conn_open(ctx->argv[1]);
        po.data = packet;
        send_packet(c, &po);
        free(packet);
    }
    of_actions_free(&po.actions);
    conn_free(c);
}

void
cmd_packet_out(struct cmdline_ctx *ctx)
{
    struct names *names = names_new(ctx->argv[1]);
    if (ctx->argc == 4) {
        log_fatal(0, "Too many arguments (%d)", ctx->argc);
    }
    names_reserve_ports(names);
    names_reserve_tables(names);
    const struct of_table_names *before = of_text_tables_use(names_tables(names));
    if (ctx->argc == 3) {
        one_text(ctx, names);
    } else {
        older_form(ctx, names);
    }
    of_text_tables_use(before);
    names_free(names);
}
