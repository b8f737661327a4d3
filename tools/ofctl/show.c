// SPDX-License-Identifier: Apache-2.0
// Commands about a switch as a whole, its ports and its tables.
#include "config.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/log.h"
#include "ofproto/of_text.h"
#include "tools/ofctl/ofctl.h"

static void
print_request(const char *name, struct of_msg request)
{
    struct conn *c = conn_open(name);
    conn_print_reply(c, &request);
    conn_free(c);
}

void
cmd_show(struct cmdline_ctx *ctx)
{
    const char *name = ctx->argv[1];
    struct of_msg reply;
    struct conn *c = conn_open(name);
    conn_ask_plain(c, OF_MSG_FEATURES_REQUEST, &reply);
    ofctl_print(&reply, NULL);
    of_msg_clear(&reply);
    if (conn_version(c) >= OF_13) {
        conn_print_reply(
            c, &(struct of_msg){.type = OF_MSG_PORT_DESC_REQUEST, .u.port_no = OF_PORT_ANY});
    }
    conn_free(c);
    print_request(name, (struct of_msg){.type = OF_MSG_GET_CONFIG_REQUEST});
}

void
cmd_dump_desc(struct cmdline_ctx *ctx)
{
    print_request(ctx->argv[1], (struct of_msg){.type = OF_MSG_DESC_REQUEST});
}

void
cmd_dump_tables(struct cmdline_ctx *ctx)
{
    print_request(ctx->argv[1], (struct of_msg){.type = OF_MSG_TABLE_STATS_REQUEST});
}

static void
need_version(struct conn *c, const char *command, enum of_version v)
{
    if (conn_version(c) < v) {
        log_fatal(0, "%s needs OpenFlow 1.%d or later ('-O %s')", command, v - OF_10,
                  of_version_name(v));
    }
}

// All parts are one list.
void
cmd_dump_table_features(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    struct of_text_features f = {0};
    struct str text = STR_INIT;
    struct of_msg reply;
    need_version(c, "dump-table-features", OF_13);
    bool ok = conn_ask_plain(c, OF_MSG_TABLE_FEATURES_REQUEST, &reply);
    while (ok) {
        of_text_table_features_add(&f, &reply, &text);
        if (!reply.more) {
            break;
        }
        conn_next_part(c, &reply);
    }
    if (!ok) {
        ofctl_print(&reply, NULL);
    }
    of_text_table_features_end(&f, &text);
    if (ok) {
        str_add_char(&text, '\n');
    }
    fwrite(text.p, 1, text.len, stdout);
    str_free(&text);
    of_msg_clear(&reply);
    conn_free(c);
}

void
cmd_dump_table_desc(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    need_version(c, "dump-table-desc", OF_14);
    conn_print_reply(c, &(struct of_msg){.type = OF_MSG_TABLE_DESC_REQUEST});
    conn_free(c);
}

void
cmd_dump_ports(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    const uint32_t port =
        ctx->argc > 2 ? ofctl_port_number(ctx->argv[1], ctx->argv[2]) : OF_PORT_ANY;
    conn_print_reply(c, &(struct of_msg){.type = OF_MSG_PORT_STATS_REQUEST, .u.port_no = port});
    conn_free(c);
}

void
cmd_dump_ports_desc(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    const uint32_t port =
        ctx->argc > 2 ? ofctl_port_number(ctx->argv[1], ctx->argv[2]) : OF_PORT_ANY;
    conn_print_reply(c, &(struct of_msg){.type = OF_MSG_PORT_DESC_REQUEST, .u.port_no = port});
    conn_free(c);
}

static struct of_queue_request
queue_arguments(const struct cmdline_ctx *ctx)
{
    struct of_queue_request r = {OF_PORT_ANY, UINT32_MAX};
    if (ctx->argc > 2 && *ctx->argv[2] && strcasecmp(ctx->argv[2], "all")) {
        r.port = ofctl_port_number(ctx->argv[1], ctx->argv[2]);
    }
    if (ctx->argc > 3 && *ctx->argv[3] && strcasecmp(ctx->argv[3], "all")) {
        r.queue = strtoul(ctx->argv[3], NULL, 10);
    }
    return r;
}

void
cmd_queue_stats(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    conn_print_reply(c, &(struct of_msg){.type = OF_MSG_QUEUE_STATS_REQUEST,
                                         .u.queue_request = queue_arguments(ctx)});
    conn_free(c);
}

// OpenFlow 1.0 has to be asked port by port.
static void
queue_config_ports(struct conn *c, const char *name)
{
    struct conn *other = conn_open(name);
    struct of_msg reply;
    struct of_port_desc desc;
    uint32_t *ports = NULL;
    size_t n = 0, cap = 0;
    int error = 0;
    conn_ask_plain(other, OF_MSG_FEATURES_REQUEST, &reply);
    while (of_port_desc_next(&reply, &desc, &error)) {
        if (desc.port < OF_PORT_MAX) {
            if (n == cap) {
                ports = base_grow(ports, &cap, sizeof *ports);
            }
            ports[n++] = desc.port;
        }
    }
    of_msg_clear(&reply);
    conn_free(other);
    for (size_t i = 0; i < n; i++) {
        conn_print_reply(c, &(struct of_msg){.type = OF_MSG_QUEUE_GET_CONFIG_REQUEST,
                                             .u.queue_request = {ports[i], UINT32_MAX}});
    }
    free(ports);
}

void
cmd_queue_get_config(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    const struct of_queue_request r = queue_arguments(ctx);
    if (conn_version(c) == OF_10 && r.port == OF_PORT_ANY) {
        queue_config_ports(c, ctx->argv[1]);
    } else {
        const enum of_msg_type type =
            conn_version(c) >= OF_14 ? OF_MSG_QUEUE_DESC_REQUEST : OF_MSG_QUEUE_GET_CONFIG_REQUEST;
        conn_print_reply(c, &(struct of_msg){.type = type, .u.queue_request = r});
    }
    conn_free(c);
}

// --- Changes. ---

void
cmd_mod_port(struct cmdline_ctx *ctx)
{
    static const struct {
        const char *name;
        uint32_t bit;
        bool set;
    } actions[] = {
        {"up", OF_PORT_CFG_DOWN, false},
        {"down", OF_PORT_CFG_DOWN, true},
        {"stp", OF_PORT_CFG_NO_STP, false},
        {"receive", OF_PORT_CFG_NO_RECV, false},
        {"receive-stp", OF_PORT_CFG_NO_RECV_STP, false},
        {"flood", OF_PORT_CFG_NO_FLOOD, false},
        {"forward", OF_PORT_CFG_NO_FWD, false},
        {"packet-in", OF_PORT_CFG_NO_PACKET_IN, false},
    };
    struct of_port_desc desc;
    struct of_msg m = {.type = OF_MSG_PORT_MOD};
    ofctl_find_port(ctx->argv[1], ctx->argv[2], &desc);
    m.u.port_mod = (struct of_port_mod){.port = desc.port, .hw_addr = desc.hw_addr};
    const char *action = ctx->argv[3];
    const bool no = !strncasecmp(action, "no-", 3) || !strncasecmp(action, "no", 2);
    const char *bare = no ? action + (action[2] == '-' ? 3 : 2) : action;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        const bool direction = i < 2; // up, down: there is no no-up
        if (!strcasecmp(direction ? action : bare, actions[i].name)) {
            m.u.port_mod.mask = actions[i].bit;
            m.u.port_mod.config = actions[i].set || (!direction && no) ? actions[i].bit : 0;
        }
    }
    if (!m.u.port_mod.mask) {
        log_fatal(0, "unknown mod-port command '%s'", action);
    }
    struct conn *c = conn_open(ctx->argv[1]);
    conn_do(c, &m);
    conn_free(c);
}

struct table_setting {
    const char *name;
    uint32_t config;
    uint32_t versions;
};

#define MISS_VERSIONS (OF_VERSION_BIT(OF_11) | OF_VERSION_BIT(OF_12))
#define EVICT_VERSIONS (OF_VERSION_BIT(OF_14) | OF_VERSION_BIT(OF_15))

static const struct table_setting *
table_setting(const char *name)
{
    static const struct table_setting settings[] = {
        {"controller", 0, MISS_VERSIONS}, {"continue", 1, MISS_VERSIONS},
        {"drop", 2, MISS_VERSIONS},       {"evict", 4, EVICT_VERSIONS},
        {"noevict", 0, EVICT_VERSIONS},   {"novacancy", 0, EVICT_VERSIONS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        if (!strcmp(name, settings[i].name)) {
            return &settings[i];
        }
    }
    log_fatal(0, "invalid table_mod setting %s", name);
}

void
cmd_mod_table(struct cmdline_ctx *ctx)
{
    struct names *names = names_new(ctx->argv[1]);
    uint64_t table;
    names_reserve_tables(names);
    if (!strcasecmp(ctx->argv[2], "all")) {
        table = OF_TABLE_ALL;
    } else if (!base_parse_uint(ctx->argv[2], 255, &table)) {
        const struct of_table_names *n = names_tables(names);
        uint8_t number;
        if (!n || !n->table(ctx->argv[2], &number, n->aux)) {
            log_fatal(0, "unknown table \"%s\"", ctx->argv[2]);
        }
        table = number;
    }
    const struct table_setting *s = table_setting(ctx->argv[3]);
    if (!(opt.versions & s->versions)) {
        log_fatal(0, "table_mod '%s' requires one of the OpenFlow versions %s", ctx->argv[3],
                  s->versions == MISS_VERSIONS ? "OpenFlow11, OpenFlow12"
                                               : "OpenFlow14, OpenFlow15");
    }
    opt.versions &= s->versions;
    struct conn *c = conn_open(ctx->argv[1]);
    conn_do(c, &(struct of_msg){.type = OF_MSG_TABLE_MOD,
                                .u.table_mod = {.table = table, .config = s->config}});
    conn_free(c);
    names_free(names);
}

// --- Fragments. ---

static const char *const frag_modes[] = {"normal", "drop", "reassemble", "nx-match"};

static void
get_config(struct conn *c, struct of_config *config)
{
    struct of_msg reply;
    if (!conn_ask_plain(c, OF_MSG_GET_CONFIG_REQUEST, &reply) ||
        reply.type != OF_MSG_GET_CONFIG_REPLY) {
        log_fatal(0, "%s: bad reply to config request", conn_name(c));
    }
    *config = reply.u.config;
    of_msg_clear(&reply);
}

void
cmd_get_frags(struct cmdline_ctx *ctx)
{
    struct conn *c = conn_open(ctx->argv[1]);
    struct of_config config;
    get_config(c, &config);
    puts(frag_modes[config.flags & 3]);
    conn_free(c);
}

void
cmd_set_frags(struct cmdline_ctx *ctx)
{
    unsigned mode = 0;
    while (mode < ARRAY_SIZE(frag_modes) && strcasecmp(ctx->argv[2], frag_modes[mode])) {
        mode++;
    }
    if (mode == ARRAY_SIZE(frag_modes)) {
        log_fatal(0, "%s: unknown fragment handling mode", ctx->argv[2]);
    }
    struct conn *c = conn_open(ctx->argv[1]);
    struct of_config config;
    get_config(c, &config);
    if ((config.flags & 3) != mode) {
        struct of_msg m = {.type = OF_MSG_SET_CONFIG, .u.config = config};
        m.u.config.flags = (config.flags & ~3U) | mode;
        conn_do(c, &m);
        get_config(c, &config);
        if ((config.flags & 3) != mode) {
            log_fatal(0,
                      "%s: setting fragment handling mode failed (this switch probably doesn't "
                      "support mode \"%s\")",
                      ctx->argv[1], frag_modes[mode]);
        }
    }
    conn_free(c);
}
