// SPDX-License-Identifier: Apache-2.0
// Messages about the connection itself as text: hello, errors, echo, configuration, roles,
// asynchronous messages, Nicira's settings.
#include "config.h"

#include <ctype.h>
#include <inttypes.h>

#include "ofproto/of_text_private.h"

// A hello consists of elements of which only the bitmap of versions is known.
static bool
hello_is_known(const struct of_msg *m)
{
    for (size_t i = OF_HEADER_LEN; i < m->len;) {
        const size_t left = m->len - i, len = left < 4 ? 0 : m->bytes[i + 2] << 8 | m->bytes[i + 3];
        if (len < 4 || len > left || m->bytes[i] || m->bytes[i + 1] != 1) {
            return false;
        }
        i += MIN(ROUND_UP(len, 8), left);
    }
    return true;
}

static void
hello(const struct of_msg *m, struct str *out)
{
    const char *sep = "\n version bitmap: ";
    for (unsigned v = 1; v < 32; v++) {
        if (m->u.hello.versions & OF_VERSION_BIT(v)) {
            str_addf(out, "%s0x%02x", sep, v);
            sep = ", ";
        }
    }
    str_add_char(out, '\n');
    if (!hello_is_known(m)) {
        str_add(out, " unknown data in hello:\n");
        of_text_hex(m->bytes, m->len, true, out);
    }
}

// Text that a peer sent; what isn't printable in octal.
static void
foreign_text(const uint8_t *p, size_t len, struct str *out)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] >= ' ' && p[i] < 0x7f && p[i] != '\\') {
            str_add_char(out, (char) p[i]);
        } else if (p[i] == '\\') {
            str_add(out, "\\\\");
        } else if (p[i] == '\n') {
            str_add(out, "\\n");
        } else {
            str_addf(out, "\\%03o", p[i]);
        }
    }
}

static void
error_msg(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    const struct of_error_msg *e = &m->u.error;
    if (!e->error) {
        of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
        return;
    }
    str_addf(out, " %s\n", of_error_name(e->error));
    if (e->error == OF_ERROR_HFC_INCOMPATIBLE || e->error == OF_ERROR_HFC_EPERM) {
        foreign_text(e->data, e->len, out);
        str_add_char(out, '\n');
    } else {
        of_msg_format_bytes(e->data, e->len, NULL, print, out);
    }
}

static void
config(const struct of_msg *m, struct str *out)
{
    static const char *const frags[] = {"normal", "drop", "reassemble", "nx-match"};
    const unsigned flags = m->u.config.flags, known = m->version < OF_13 ? 7 : 3;
    if (flags & ~known) {
        of_text_decode_error(OF_ERROR_SCFC_BAD_FLAGS, m, out);
        return;
    }
    str_addf(out, " frags=%s%s miss_send_len=%u\n", frags[flags & 3],
             flags & OF_CONFIG_INVALID_TTL ? " invalid_ttl_to_controller" : "",
             m->u.config.miss_send_len);
}

static void
role(const struct of_msg *m, struct str *out)
{
    static const char *const roles[] = {[OF_ROLE_NOCHANGE] = "nochange",
                                        [OF_ROLE_EQUAL] = "equal",
                                        [OF_ROLE_MASTER] = "primary",
                                        [OF_ROLE_SLAVE] = "secondary"};
    static const char *const reasons[] = {"primary_request", "configuration_changed",
                                          "experimenter_data_changed"};
    const struct of_role_msg *r = &m->u.role;
    str_addf(out, " role=%s", roles[r->role]);
    if (r->has_generation_id) {
        str_addf(out, " generation_id=%" PRIu64, r->generation_id);
    }
    if (m->type == OF_MSG_ROLE_STATUS) {
        str_addf(out, " reason=%s",
                 r->reason < ARRAY_SIZE(reasons) ? reasons[r->reason] : "(unknown)");
    }
    str_add_char(out, '\n');
}

static const char *const async_reasons[OF_N_ASYNC][6] = {
    [OF_ASYNC_PACKET_IN] = {"no_match", "action", "invalid_ttl", "action_set", "group",
                            "packet_out"},
    [OF_ASYNC_PORT_STATUS] = {"add", "delete", "modify"},
    [OF_ASYNC_FLOW_REMOVED] = {"idle", "hard", "delete", "group_delete", "meter_delete",
                               "eviction"},
    [OF_ASYNC_ROLE_STATUS] = {"primary_request", "configuration_changed",
                              "experimenter_data_changed"},
    [OF_ASYNC_TABLE_STATUS] = {NULL, NULL, NULL, "vacancy_down", "vacancy_up"},
    [OF_ASYNC_REQUESTFORWARD] = {"group_mod_request", "meter_mod_request"},
};

static void
async_half(const char *label, const uint32_t bits[OF_N_ASYNC], struct str *out)
{
    static const char *const kinds[OF_N_ASYNC] = {
        [OF_ASYNC_PACKET_IN] = "PACKET_IN",       [OF_ASYNC_PORT_STATUS] = "PORT_STATUS",
        [OF_ASYNC_FLOW_REMOVED] = "FLOW_REMOVED", [OF_ASYNC_ROLE_STATUS] = "ROLE_STATUS",
        [OF_ASYNC_TABLE_STATUS] = "TABLE_STATUS", [OF_ASYNC_REQUESTFORWARD] = "REQUESTFORWARD"};
    str_addf(out, "\n %s:\n", label);
    for (int k = 0; k < OF_N_ASYNC; k++) {
        bool any = false;
        str_addf(out, "%16s:", kinds[k]);
        for (unsigned r = 0; r < ARRAY_SIZE(async_reasons[k]); r++) {
            if (bits[k] >> r & 1 && async_reasons[k][r]) {
                str_addf(out, " %s", async_reasons[k][r]);
                any = true;
            }
        }
        str_add(out, any ? "\n" : " (off)\n");
    }
}

static const char *
setting(const struct of_msg *m)
{
    static const char *const packet_in[] = {"standard", "nxt_packet_in", "nxt_packet_in2"};
    if (m->type == OF_MSG_SET_PACKET_IN_FORMAT) {
        return m->u.value < ARRAY_SIZE(packet_in) ? packet_in[m->u.value] : "(unknown)";
    }
    return m->u.value == 0 ? "openflow10" : m->u.value == 2 ? "nxm" : "(unknown)";
}

static bool
body_nicira(const struct of_msg *m, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_SET_FLOW_FORMAT:
    case OF_MSG_SET_PACKET_IN_FORMAT:
        str_addf(out, " format=%s\n", setting(m));
        return true;
    case OF_MSG_FLOW_MOD_TABLE_ID:
        str_add(out, m->u.value ? " enable\n" : " disable\n");
        return true;
    case OF_MSG_SET_CONTROLLER_ID:
        str_addf(out, " id=%" PRIu32 "\n", m->u.value);
        return true;
    default:
        return false;
    }
}

bool
of_text_body_session(struct of_msg *m, const struct of_print *print, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_HELLO:
        hello(m, out);
        return true;
    case OF_MSG_ERROR:
        error_msg(m, print, out);
        return true;
    case OF_MSG_ECHO_REQUEST:
    case OF_MSG_ECHO_REPLY:
        str_addf(out, " %zu bytes of payload\n", m->u.data.len);
        if (print->verbosity > 1) {
            of_text_hex(m->u.data.data, m->u.data.len, true, out);
        }
        return true;
    case OF_MSG_GET_CONFIG_REPLY:
    case OF_MSG_SET_CONFIG:
        config(m, out);
        return true;
    case OF_MSG_ROLE_REQUEST:
    case OF_MSG_ROLE_REPLY:
    case OF_MSG_ROLE_STATUS:
        role(m, out);
        return true;
    case OF_MSG_GET_ASYNC_REPLY:
    case OF_MSG_SET_ASYNC:
        async_half("primary", m->u.async.master, out);
        async_half("secondary", m->u.async.slave, out);
        return true;
    default:
        return body_nicira(m, out);
    }
}
