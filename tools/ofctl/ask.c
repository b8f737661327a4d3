// SPDX-License-Identifier: Apache-2.0
// Questions and answers on a connection, and the flow format that is agreed on for it.
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/ofctl/ofctl.h"

LOG_MODULE(vconn);

bool
conn_ask(struct conn *c, struct of_msg *request, struct of_msg *reply)
{
    const uint8_t *data;
    size_t len;
    const uint32_t xid = conn_send(c, request);
    do {
        conn_recv(c, &data, &len);
        conn_decode(c, data, len, reply);
    } while (reply->xid != xid);
    return reply->type != OF_MSG_ERROR;
}

bool
conn_ask_plain(struct conn *c, enum of_msg_type type, struct of_msg *reply)
{
    struct of_msg request = {.type = type};
    return conn_ask(c, &request, reply);
}

void
conn_next_part(struct conn *c, struct of_msg *reply)
{
    const uint32_t xid = reply->xid;
    const uint8_t *data;
    size_t len;
    of_msg_clear(reply);
    do {
        conn_recv(c, &data, &len);
        conn_decode(c, data, len, reply);
    } while (reply->xid != xid);
}

bool
conn_do_or_error(struct conn *c, struct of_msg *m, struct of_msg *error)
{
    struct of_msg barrier = {.type = OF_MSG_BARRIER_REQUEST};
    const uint8_t *data;
    size_t len;
    const uint32_t xid = conn_send(c, m);
    const uint32_t barrier_xid = conn_send(c, &barrier);
    bool failed = false;
    for (;;) {
        struct of_msg in;
        conn_recv(c, &data, &len);
        conn_decode(c, data, len, &in);
        if (in.type == OF_MSG_ERROR && in.xid == xid) {
            *error = in;
            return true;
        }
        failed |= in.type == OF_MSG_ERROR && in.xid == barrier_xid;
        if (in.xid == barrier_xid) {
            of_msg_clear(&in);
            return failed;
        }
        of_msg_clear(&in);
    }
}

void
conn_do(struct conn *c, struct of_msg *m)
{
    struct of_msg error = {0};
    if (conn_do_or_error(c, m, &error)) {
        const struct of_print print = {.stats = true, .verbosity = opt.verbosity + 2};
        struct str text = STR_INIT;
        of_msg_format(&error, &print, &text);
        fflush(stdout);
        fputs(str_get(&text), stderr);
        exit(1);
    }
}

void
ofctl_print(struct of_msg *m, struct names *names)
{
    const struct of_print print = {.ports = names ? names_ports_shown(names) : NULL,
                                   .tables = names ? names_tables_shown(names) : NULL,
                                   .stats = true,
                                   .verbosity = opt.verbosity + 1};
    struct str text = STR_INIT;
    of_msg_format(m, &print, &text);
    fwrite(text.p, 1, text.len, stdout);
    str_free(&text);
}

void
conn_no_flows(struct of_msg *reply)
{
    const struct of_print print = {.stats = true, .verbosity = 1};
    struct str text = STR_INIT;
    of_msg_format(reply, &print, &text);
    str_chomp(&text, "\n");
    LOG_WARN("received bad reply: %s", str_get(&text));
    log_fatal(EPROTO, "dump flows");
}

void
conn_bad_flows(int error)
{
    LOG_WARN("parse error in reply (%s)", of_error_name(error));
    log_fatal(EPROTO, "dump flows");
}

// A reply that cannot be read is shown as bytes.
void
conn_print_reply(struct conn *c, struct of_msg *request)
{
    const uint32_t xid = conn_send(c, request);
    struct names *names = names_new(conn_given(c));
    for (bool more = true; more;) {
        const uint8_t *data;
        struct of_msg m = {0};
        size_t len;
        conn_recv(c, &data, &len);
        const int error = of_msg_decode(data, len, conn_wire(c), &m);
        if (m.xid == xid && !error) {
            ofctl_print(&m, names);
        } else if (error) {
            const struct of_print print = {.stats = true, .verbosity = opt.verbosity + 1};
            struct str text = STR_INIT;
            of_msg_format_bytes(data, len, conn_wire(c), &print, &text);
            fwrite(text.p, 1, text.len, stdout);
            str_free(&text);
        }
        more = !error && (m.xid != xid || m.more);
        if (!error) {
            of_msg_clear(&m);
        }
    }
    names_free(names);
}

// --- Flow formats. ---

enum of_proto
conn_proto(const struct conn *c)
{
    const struct of_wire *w = conn_wire((struct conn *) c);
    if (w->version != OF_10) {
        return of_protos_of_versions(OF_VERSION_BIT(w->version));
    }
    return w->nxm        ? w->table_id ? OF_PROTO_NXM_TID : OF_PROTO_NXM
           : w->table_id ? OF_PROTO_10_TID
                         : OF_PROTO_10;
}

static bool
try_setting(struct conn *c, enum of_msg_type type, uint32_t value)
{
    struct of_msg m = {.type = type, .u.value = value}, error = {0};
    if (!conn_do_or_error(c, &m, &error)) {
        return true;
    }
    of_msg_clear(&error);
    return false;
}

bool
conn_try_proto(struct conn *c, enum of_proto want)
{
    struct of_wire *w = conn_wire(c);
    if (of_proto_version(want) != w->version) {
        return false;
    }
    if (w->version != OF_10) {
        return true;
    }
    const bool nxm = want & OF_PROTO_10_NXM, table_id = want & OF_PROTO_TID;
    if (nxm != w->nxm) {
        if (!try_setting(c, OF_MSG_SET_FLOW_FORMAT, nxm ? 2 : 0)) {
            return false;
        }
        w->nxm = nxm;
    }
    if (table_id != w->table_id) {
        if (!try_setting(c, OF_MSG_FLOW_MOD_TABLE_ID, table_id)) {
            return false;
        }
        w->table_id = table_id;
    }
    return true;
}

void
conn_set_proto_for_mods(struct conn *c, uint32_t usable)
{
    if (conn_proto(c) & usable & opt.protos) {
        return;
    }
    for (uint32_t p = 1; p <= OF_PROTO_15; p <<= 1) {
        if (p & usable & opt.protos && conn_try_proto(c, p)) {
            return;
        }
    }
    char *names = of_protos_format(usable & opt.protos);
    log_fatal(0, "switch does not support any of the usable flow formats (%s)", names);
}

void
conn_set_proto_for_dump(struct conn *c, uint32_t usable)
{
    static const enum of_proto preferred[] = {OF_PROTO_15, OF_PROTO_14,  OF_PROTO_13, OF_PROTO_12,
                                              OF_PROTO_11, OF_PROTO_NXM, OF_PROTO_10};
    for (size_t i = 0; i < ARRAY_SIZE(preferred); i++) {
        if (preferred[i] & usable & opt.protos && conn_try_proto(c, preferred[i])) {
            return;
        }
    }
    char *names = of_protos_format(usable & opt.protos);
    log_fatal(0, "switch does not support any of the usable flow formats (%s)", names);
}
