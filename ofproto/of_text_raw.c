// SPDX-License-Identifier: Apache-2.0
// Messages whose bodies the codec leaves as bytes: bundles, queue and table descriptions, requests
// about groups and meters. Of groups' and meters' own contents only the bytes are shown until the
// switch has them.
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/of_text_private.h"

static uint32_t
get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static uint32_t
get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

static const struct of_text_bit bundle_flags[] = {{1, "atomic"}, {2, "ordered"}};

static void
bundle_control(const struct of_msg *m, struct str *out)
{
    static const char *const types[] = {"OPEN_REQUEST",    "OPEN_REPLY",     "CLOSE_REQUEST",
                                        "CLOSE_REPLY",     "COMMIT_REQUEST", "COMMIT_REPLY",
                                        "DISCARD_REQUEST", "DISCARD_REPLY"};
    if (m->body_len < 8) {
        of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
        return;
    }
    const uint32_t type = get16(m->body + 4);
    str_addf(out, "\n bundle_id=%#" PRIx32 " type=%s flags=", get32(m->body),
             type < ARRAY_SIZE(types) ? types[type] : "");
    OF_TEXT_BITS(get16(m->body + 6) & 3, bundle_flags, " ", out);
    str_add_char(out, '\n');
}

static void
bundle_add(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    if (m->body_len < 16) {
        of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
        return;
    }
    str_addf(out, "\n bundle_id=%#" PRIx32 " flags=", get32(m->body));
    OF_TEXT_BITS(get16(m->body + 6) & 3, bundle_flags, " ", out);
    str_add_char(out, '\n');
    const size_t len = m->body_len - 8, says = get16(m->body + 10);
    of_msg_format_bytes(m->body + 8, says >= OF_HEADER_LEN && says <= len ? says : len, NULL, print,
                        out);
}

// "queue 1: min_rate:50.0% max_rate:10.0%": properties of a queue.
static void
queue_properties(const uint8_t *p, size_t len, size_t rate_ofs, struct str *out)
{
    const uint8_t *end = p + len;
    while (end - p >= 4) {
        const uint32_t type = get16(p), n = get16(p + 2);
        if (n < 4 || n > (size_t) (end - p)) {
            break;
        }
        if ((type == 1 || type == 2) && n >= rate_ofs + 2) {
            const uint32_t rate = get16(p + rate_ofs);
            str_add(out, type == 1 ? " min_rate:" : " max_rate:");
            if (rate <= 1000) {
                str_addf(out, "%" PRIu32 ".%" PRIu32 "%%", rate / 10, rate % 10);
            } else {
                str_add(out, "(disabled)");
            }
        }
        p += MIN(ROUND_UP(n, 8), (size_t) (end - p));
    }
}

// OpenFlow 1.0 to 1.3.
static void
queue_config(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    const bool v10 = m->version == OF_10;
    const size_t head = v10 ? 8 : 16;
    const uint8_t *p = m->body + 8, *end = m->body + m->body_len;
    if (m->body_len < 8) {
        of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
        return;
    }
    uint32_t port = v10 ? get16(m->body) : get32(m->body);
    port = v10 && port >= 0xff00 ? port | 0xffff0000 : port;
    str_add(out, " port=");
    field_format_port(port, print->ports, out);
    str_add_char(out, '\n');
    while ((size_t) (end - p) >= head) {
        const size_t len = get16(p + (v10 ? 4 : 8));
        if (len < head || len > (size_t) (end - p)) {
            of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
            return;
        }
        str_addf(out, "queue %" PRIu32 ":", get32(p));
        queue_properties(p + head, len - head, 8, out);
        str_add_char(out, '\n');
        p += len;
    }
}

static int
compare_queues(const void *a_, const void *b_)
{
    return memcmp(*(const uint8_t *const *) a_, *(const uint8_t *const *) b_, 8); // port, queue
}

// OpenFlow 1.4 and later: by port and queue.
static void
queue_desc(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    const uint8_t *p = m->body, *end = m->body + m->body_len;
    const uint8_t **queues = base_calloc(m->body_len / 16 + 1, sizeof *queues);
    size_t n = 0;
    for (; end - p >= 16; p += get16(p + 8)) {
        const size_t len = get16(p + 8);
        if (len < 16 || len > (size_t) (end - p)) {
            of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
            free(queues);
            return;
        }
        queues[n++] = p;
    }
    qsort(queues, n, sizeof *queues, compare_queues);
    str_add_char(out, n ? ' ' : '\n');
    for (size_t i = 0; i < n; i++) {
        if (!i || memcmp(queues[i], queues[i - 1], 4)) {
            str_add(out, "port=");
            field_format_port(get32(queues[i]), print->ports, out);
            str_add_char(out, '\n');
        }
        str_addf(out, "queue %" PRIu32 ":", get32(queues[i] + 4));
        queue_properties(queues[i] + 16, get16(queues[i] + 8) - 16, 4, out);
        str_add_char(out, '\n');
    }
    free(queues);
}

static void
eviction_flags(const uint8_t *props, size_t len, struct str *out)
{
    static const char *const names[] = {"OTHER", "IMPORTANCE", "LIFETIME"};
    const char *sep = "";
    const uint8_t *end = props + len;
    for (const uint8_t *q = props; end - q >= 8; q += MAX(get16(q + 2), 8)) {
        for (size_t i = 0; get16(q) == 2 && i < ARRAY_SIZE(names); i++) {
            if (get32(q + 4) >> i & 1) {
                str_addf(out, "%s%s", sep, names[i]);
                sep = "|";
            }
        }
    }
    str_add(out, *sep ? "\n" : "(default)\n");
}

static void
table_desc(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    const uint8_t *p = m->body, *end = m->body + m->body_len;
    const char *blank = "\n";
    while (end - p >= 8) {
        const size_t len = get16(p);
        const uint32_t config = get32(p + 4);
        if (len < 8 || len > (size_t) (end - p)) {
            of_text_decode_error(OF_ERROR_BRC_BAD_LEN, m, out);
            return;
        }
        of_text_table("\n  table ", p[2], print, out);
        str_addf(out, ":\n   eviction=%s eviction_flags=", config & 4 ? "on" : "off");
        eviction_flags(p + 8, len - 8, out);
        if (!(config & 8)) {
            str_add(out, "   vacancy=off\n");
        }
        for (const uint8_t *q = p + 8; config & 8 && p + len - q >= 8; q += MAX(get16(q + 2), 8)) {
            if (get16(q) == 3) {
                str_addf(out, "   vacancy=on vacancy_down=%u%% vacancy_up=%u%% vacancy=%u%%\n",
                         q[4], q[5], q[6]);
            }
        }
        blank = "";
        p += len;
    }
    str_add(out, blank);
}

static void
number(const char *label, uint32_t n, const char *all, struct str *out)
{
    if (n == UINT32_MAX || (n == 0xfffffffc && *all == 'A')) {
        str_addf(out, "%s%s\n", label, all);
    } else {
        str_addf(out, "%s%" PRIu32 "\n", label, n);
    }
}

bool
of_text_body_raw(struct of_msg *m, const struct of_print *print, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_BUNDLE_CONTROL:
        bundle_control(m, out);
        return true;
    case OF_MSG_BUNDLE_ADD:
        bundle_add(m, print, out);
        return true;
    case OF_MSG_QUEUE_GET_CONFIG_REPLY:
        queue_config(m, print, out);
        return true;
    case OF_MSG_QUEUE_DESC_REPLY:
        queue_desc(m, print, out);
        return true;
    case OF_MSG_TABLE_DESC_REPLY:
        table_desc(m, print, out);
        return true;
    case OF_MSG_GROUP_STATS_REQUEST:
    case OF_MSG_GROUP_DESC_REQUEST:
        number(" group_id=", m->u.port_no, "ALL", out);
        return true;
    case OF_MSG_METER_STATS_REQUEST:
    case OF_MSG_METER_CONFIG_REQUEST:
        number(" meter=", m->u.port_no, "all", out);
        return true;
    case OF_MSG_DESC_REPLY:
        str_addf(out,
                 "\nManufacturer: %.256s\nHardware: %.256s\nSoftware: %.256s\nSerial Num: "
                 "%.32s\nDP Description: %.256s\n",
                 m->u.desc.mfr, m->u.desc.hw, m->u.desc.sw, m->u.desc.serial, m->u.desc.dp);
        return true;
    case OF_MSG_GROUP_MOD:
    case OF_MSG_METER_MOD:
    case OF_MSG_GROUP_STATS_REPLY:
    case OF_MSG_GROUP_DESC_REPLY:
    case OF_MSG_GROUP_FEATURES_REPLY:
    case OF_MSG_METER_STATS_REPLY:
    case OF_MSG_METER_CONFIG_REPLY:
    case OF_MSG_METER_FEATURES_REPLY:
    case OF_MSG_FLOW_MONITOR_REQUEST:
    case OF_MSG_FLOW_MONITOR_REPLY:
        str_add_char(out, '\n');
        of_text_hex(m->body, m->body_len, true, out);
        return true;
    default:
        return false;
    }
}
