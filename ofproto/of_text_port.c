// SPDX-License-Identifier: Apache-2.0
// Ports as text: descriptions, changes, statistics, queues, and the switch's features, which
// OpenFlow 1.0 to 1.2 send together with its ports. Ports are listed by number, as the local port's
// is the highest.
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/of_text_private.h"

static const struct of_text_bit port_config[] = {
    {OF_PORT_CFG_DOWN, "PORT_DOWN"},
    {OF_PORT_CFG_NO_STP, "NO_STP"},
    {OF_PORT_CFG_NO_RECV, "NO_RECV"},
    {OF_PORT_CFG_NO_RECV_STP, "NO_RECV_STP"},
    {OF_PORT_CFG_NO_FLOOD, "NO_FLOOD"},
    {OF_PORT_CFG_NO_FWD, "NO_FWD"},
    {OF_PORT_CFG_NO_PACKET_IN, "NO_PACKET_IN"},
};

static const struct of_text_bit port_state[] = {
    {OF_PORT_ST_LINK_DOWN, "LINK_DOWN"},
    {OF_PORT_ST_BLOCKED, "BLOCKED"},
    {OF_PORT_ST_LIVE, "LIVE"},
};

static const struct of_text_bit port_features[] = {
    {1 << 0, "10MB-HD"},          {1 << 1, "10MB-FD"},   {1 << 2, "100MB-HD"},
    {1 << 3, "100MB-FD"},         {1 << 4, "1GB-HD"},    {1 << 5, "1GB-FD"},
    {1 << 6, "10GB-FD"},          {1 << 7, "40GB-FD"},   {1 << 8, "100GB-FD"},
    {1 << 9, "1TB-FD"},           {1 << 10, "OTHER"},    {1 << 11, "COPPER"},
    {1 << 12, "FIBER"},           {1 << 13, "AUTO_NEG"}, {1 << 14, "AUTO_PAUSE"},
    {1 << 15, "AUTO_PAUSE_ASYM"},
};

static const struct of_text_bit capabilities[] = {
    {OF_CAP_FLOW_STATS, "FLOW_STATS"},
    {OF_CAP_TABLE_STATS, "TABLE_STATS"},
    {OF_CAP_PORT_STATS, "PORT_STATS"},
    {OF_CAP_GROUP_STATS, "GROUP_STATS"},
    {OF_CAP_STP, "STP"},
    {OF_CAP_IP_REASM, "IP_REASM"},
    {OF_CAP_QUEUE_STATS, "QUEUE_STATS"},
    {OF_CAP_ARP_MATCH_IP, "ARP_MATCH_IP"},
    {OF_CAP_PORT_BLOCKED, "PORT_BLOCKED"},
    {OF_CAP_BUNDLES, "BUNDLES"},
    {OF_CAP_FLOW_MONITORING, "FLOW_MONITORING"},
};

static const struct of_text_bit of10_actions[] = {
    {1 << 0, "output"},       {1 << 11, "enqueue"},   {1 << 1, "set_vlan_vid"},
    {1 << 2, "set_vlan_pcp"}, {1 << 3, "strip_vlan"}, {1 << 4, "mod_dl_src"},
    {1 << 5, "mod_dl_dst"},   {1 << 6, "mod_nw_src"}, {1 << 7, "mod_nw_dst"},
    {1 << 8, "mod_nw_tos"},   {1 << 9, "mod_tp_src"}, {1 << 10, "mod_tp_dst"},
};

static void
labelled_features(const char *label, uint32_t features, struct str *out)
{
    if (features) {
        str_add(out, label);
        OF_TEXT_BITS(features & 0xffff, port_features, " ", out);
        str_add_char(out, '\n');
    }
}

void
of_port_desc_format(const struct of_port_desc *d, const struct of_print *print, struct str *out)
{
    str_add_char(out, ' ');
    field_format_port(d->port, NULL, out);
    str_add_char(out, '(');
    const size_t n = strnlen(d->name, sizeof d->name);
    for (size_t i = 0; i < n; i++) {
        str_add_char(out, isprint((unsigned char) d->name[i]) ? d->name[i] : '.');
    }
    str_add(out, "): addr:");
    str_add_mac(out, &d->hw_addr);
    str_add(out, "\n     config:     ");
    OF_TEXT_BITS(d->config, port_config, " ", out);
    str_add(out, "\n     state:      ");
    OF_TEXT_BITS(d->state, port_state, " ", out);
    str_add_char(out, '\n');
    labelled_features("     current:    ", d->curr, out);
    labelled_features("     advertised: ", d->advertised, out);
    labelled_features("     supported:  ", d->supported, out);
    labelled_features("     peer:       ", d->peer, out);
    str_addf(out, "     speed: %" PRIu32 " Mbps now, %" PRIu32 " Mbps max\n", d->curr_speed / 1000,
             d->max_speed / 1000);
    (void) print;
}

static int
compare_descs(const void *a_, const void *b_)
{
    const struct of_port_desc *a = a_, *b = b_;
    return a->port < b->port ? -1 : a->port > b->port;
}

static void
descs(struct of_msg *m, const struct of_print *print, struct str *out)
{
    struct of_port_desc *list = NULL;
    size_t n = 0, cap = 0;
    int error = 0;
    for (;;) {
        if (n == cap) {
            list = base_grow(list, &cap, sizeof *list);
        }
        if (!of_port_desc_next(m, &list[n], &error)) {
            break;
        }
        n++;
    }
    qsort(list, n, sizeof *list, compare_descs);
    for (size_t i = 0; i < n; i++) {
        of_port_desc_format(&list[i], print, out);
    }
    free(list);
    if (error) {
        of_text_decode_error(error, m, out);
    }
}

static void
features(struct of_msg *m, const struct of_print *print, struct str *out)
{
    const struct of_features *f = &m->u.features;
    str_addf(out, " dpid:%016" PRIx64 "\nn_tables:%u, n_buffers:%" PRIu32, f->datapath_id,
             f->n_tables, f->n_buffers);
    if (f->auxiliary_id) {
        str_addf(out, ", auxiliary_id:%u", f->auxiliary_id);
    }
    str_add(out, "\ncapabilities: ");
    OF_TEXT_BITS(f->capabilities, capabilities, " ", out);
    str_add_char(out, '\n');
    if (m->version == OF_10) {
        str_add(out, "actions: ");
        OF_TEXT_BITS(f->actions, of10_actions, " ", out);
        str_add_char(out, '\n');
    }
    if (m->version < OF_13) {
        descs(m, print, out);
    }
}

static void
port_number(const char *label, uint32_t port, const struct of_print *print, struct str *out)
{
    str_add(out, label);
    field_format_port(port, print->ports, out);
}

static void
port_status(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    static const char *const reasons[] = {
        [OF_PORT_ADDED] = " ADD:", [OF_PORT_DELETED] = " DEL:", [OF_PORT_MODIFIED] = " MOD:"};
    str_add(out, reasons[m->u.port_status.reason]);
    of_port_desc_format(&m->u.port_status.desc, print, out);
}

static void
port_mod(const struct of_port_mod *pm, const struct of_print *print, struct str *out)
{
    port_number(" port: ", pm->port, print, out);
    str_add(out, ": addr:");
    str_add_mac(out, &pm->hw_addr);
    str_add(out, "\n     config: ");
    OF_TEXT_BITS(pm->config, port_config, " ", out);
    str_add(out, "\n     mask:   ");
    OF_TEXT_BITS(pm->mask, port_config, " ", out);
    str_add(out, "\n     advertise: ");
    if (pm->advertise) {
        OF_TEXT_BITS(pm->advertise & 0xffff, port_features, " ", out);
    } else {
        str_add(out, "UNCHANGED");
    }
    str_add_char(out, '\n');
}

static void
stats_entry(uint32_t port, const struct of_port_stats *s, const struct of_print *print,
            struct str *out)
{
    str_add(out, port < 10 ? "  port  " : "  port ");
    field_format_port(port, print->ports, out);
    str_add(out, ": ");
    of_text_count("rx pkts=", s->rx_packets, out);
    of_text_count(", bytes=", s->rx_bytes, out);
    of_text_count(", drop=", s->rx_dropped, out);
    of_text_count(", errs=", s->rx_errors, out);
    of_text_count(", frame=", s->rx_frame_err, out);
    of_text_count(", over=", s->rx_over_err, out);
    of_text_count(", crc=", s->rx_crc_err, out);
    of_text_count("\n           tx pkts=", s->tx_packets, out);
    of_text_count(", bytes=", s->tx_bytes, out);
    of_text_count(", drop=", s->tx_dropped, out);
    of_text_count(", errs=", s->tx_errors, out);
    of_text_count(", coll=", s->collisions, out);
    str_add_char(out, '\n');
    if (s->duration_s != UINT32_MAX) {
        str_add(out, "           duration=");
        of_text_duration(s->duration_s, s->duration_ns, out);
        str_add(out, "s\n");
    }
}

// The number of entries comes first.
static void
port_stats(struct of_msg *m, const struct of_print *print, struct str *out)
{
    struct of_port_stats s;
    struct str text = STR_INIT;
    uint32_t port;
    unsigned n = 0;
    int error = 0;
    while (of_port_stats_next(m, &s, &port, &error)) {
        stats_entry(port, &s, print, &text);
        n++;
    }
    str_addf(out, " %u ports\n", n);
    str_add_n(out, text.p, print->verbosity < 1 ? 0 : text.len);
    str_free(&text);
    if (error) {
        of_text_decode_error(error, m, out);
    }
}

static void
queue_stats(struct of_msg *m, const struct of_print *print, struct str *out)
{
    struct of_queue_stats s;
    struct str text = STR_INIT;
    unsigned n = 0;
    int error = 0;
    while (of_queue_stats_next(m, &s, &error)) {
        port_number("  port ", s.port, print, &text);
        str_addf(&text, " queue %" PRIu32 ": ", s.queue);
        of_text_count("bytes=", s.tx_bytes, &text);
        of_text_count(", pkts=", s.tx_packets, &text);
        of_text_count(", errors=", s.tx_errors, &text);
        str_add(&text, ", duration=");
        if (s.duration_s == UINT32_MAX) {
            str_add(&text, "?\n");
        } else {
            of_text_duration(s.duration_s, s.duration_ns, &text);
            str_add(&text, "s\n");
        }
        n++;
    }
    str_addf(out, " %u queues\n", n);
    str_add_n(out, text.p, print->verbosity < 1 ? 0 : text.len);
    str_free(&text);
    if (error) {
        of_text_decode_error(error, m, out);
    }
}

static void
queue_request(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    port_number(" port=", m->u.queue_request.port, print, out);
    if (m->type == OF_MSG_QUEUE_GET_CONFIG_REQUEST) {
        str_add_char(out, '\n');
    } else if (m->u.queue_request.queue == UINT32_MAX) {
        str_add(out, " queue=ALL\n");
    } else {
        str_addf(out, " queue=%" PRIu32 "\n", m->u.queue_request.queue);
    }
}

bool
of_text_body_port(struct of_msg *m, const struct of_print *print, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_FEATURES_REPLY:
        features(m, print, out);
        return true;
    case OF_MSG_PORT_DESC_REPLY:
        str_add_char(out, '\n');
        descs(m, print, out);
        return true;
    case OF_MSG_PORT_STATUS:
        port_status(m, print, out);
        return true;
    case OF_MSG_PORT_MOD:
        port_mod(&m->u.port_mod, print, out);
        return true;
    case OF_MSG_PORT_STATS_REQUEST:
        port_number(" port_no=", m->u.port_no, print, out);
        str_add_char(out, '\n');
        return true;
    case OF_MSG_PORT_DESC_REQUEST:
        port_number(" port=", m->u.port_no, print, out);
        str_add_char(out, '\n');
        return true;
    case OF_MSG_PORT_STATS_REPLY:
        port_stats(m, print, out);
        return true;
    case OF_MSG_QUEUE_STATS_REQUEST:
    case OF_MSG_QUEUE_DESC_REQUEST:
    case OF_MSG_QUEUE_GET_CONFIG_REQUEST:
        queue_request(m, print, out);
        return true;
    case OF_MSG_QUEUE_STATS_REPLY:
        queue_stats(m, print, out);
        return true;
    default:
        return false;
    }
}
