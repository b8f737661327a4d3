// SPDX-License-Identifier: Apache-2.0
// Messages about packets as text: packet-in, packet-out, flow-removed; and packets themselves as
// the fields they carry.
#include "config.h"

#include <inttypes.h>

#include "lib/flow/packet.h"
#include "ofproto/of_text_private.h"

static void
ip_fields(const struct flow_key *k, bool v6, struct flow_mask *m)
{
    FLOW_MASK_EXACT(m, nw_proto);
    FLOW_MASK_EXACT(m, nw_tos);
    FLOW_MASK_EXACT(m, nw_ttl);
    m->nw_frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    switch (k->nw_proto) {
    case 6:
        m->tcp_flags = htobe16(0xfff);
        FLOW_MASK_EXACT(m, tp_src);
        FLOW_MASK_EXACT(m, tp_dst);
        break;
    case 17:
    case 132:
        FLOW_MASK_EXACT(m, tp_src);
        FLOW_MASK_EXACT(m, tp_dst);
        break;
    case 1:
    case 58:
        if (v6 != (k->nw_proto == 58)) {
            break;
        }
        FLOW_MASK_EXACT(m, tp_src);
        FLOW_MASK_EXACT(m, tp_dst);
        if (v6 && (k->tp_src == htobe16(135) || k->tp_src == htobe16(136))) {
            FLOW_MASK_EXACT(m, nd_target);
            FLOW_MASK_EXACT(m, arp_sha);
            FLOW_MASK_EXACT(m, arp_tha);
        }
        break;
    default:
        break;
    }
}

// The fields that say something about a packet with this key.
static void
packet_mask(const struct flow_key *k, struct flow_mask *m)
{
    memset(m, 0, sizeof *m);
    FLOW_MASK_EXACT(m, eth_src);
    FLOW_MASK_EXACT(m, eth_dst);
    FLOW_MASK_EXACT(m, eth_type);
    FLOW_MASK_EXACT(m, vlan[0].tci);
    if (k->vlan[0].tci) {
        FLOW_MASK_EXACT(m, vlan[1].tci);
    }
    switch (be16toh(k->eth_type)) {
    case 0x0800:
        FLOW_MASK_EXACT(m, nw_src);
        FLOW_MASK_EXACT(m, nw_dst);
        ip_fields(k, false, m);
        break;
    case 0x86dd:
        FLOW_MASK_EXACT(m, ipv6_src);
        FLOW_MASK_EXACT(m, ipv6_dst);
        m->ipv6_label = htobe32(0xfffff);
        ip_fields(k, true, m);
        break;
    case 0x0806:
    case 0x8035:
        FLOW_MASK_EXACT(m, nw_src);
        FLOW_MASK_EXACT(m, nw_dst);
        FLOW_MASK_EXACT(m, nw_proto);
        FLOW_MASK_EXACT(m, arp_sha);
        FLOW_MASK_EXACT(m, arp_tha);
        break;
    case 0x8847:
    case 0x8848:
        FLOW_MASK_EXACT(m, mpls_lse[0]);
        break;
    default:
        break;
    }
}

// " tcp_csum:1234": what a match has no field for.
static void
l4_checksum(const struct packet *p, const struct flow_key *k, struct str *out)
{
    static const struct {
        uint8_t proto, ofs, size;
        const char *name;
    } checksums[] = {{6, 16, 2, "tcp"},
                     {17, 6, 2, "udp"},
                     {132, 8, 4, "sctp"},
                     {1, 2, 2, "icmp"},
                     {58, 2, 2, "icmp6"}};
    if (!flow_key_is_ip(k) || k->nw_frag & FLOW_FRAG_LATER || p->l4 == PACKET_NO_LAYER) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(checksums); i++) {
        const size_t at = p->l4 + checksums[i].ofs;
        if (checksums[i].proto == k->nw_proto && at + checksums[i].size <= p->len) {
            uint32_t sum = 0;
            for (int b = 0; b < checksums[i].size; b++) {
                sum = sum << 8 | p->data[at + b];
            }
            str_addf(out, " %s_csum:%" PRIx32, checksums[i].name, sum);
        }
    }
}

void
of_text_packet(const void *data, size_t len, const struct of_print *print, struct str *out)
{
    if (print->verbosity < 1) {
        return;
    }
    struct packet p;
    struct flow_key key = {0};
    struct flow_mask mask;
    struct flow_match m;
    packet_init_borrowed(&p, data, len);
    packet_extract(&p, &key);
    packet_mask(&key, &mask);
    match_init(&m, &key, &mask);
    match_format(&m, print->ports, -1, out);
    l4_checksum(&p, &key, out);
    str_add_char(out, '\n');
    if (print->verbosity >= 3) {
        of_text_hex(data, len, false, out);
    }
    packet_free(&p);
}

static void
packet_in(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
                                          "action_set", "group",  "packet_out"};
    const struct of_msg_packet_in *pin = &m->u.packet_in;
    const struct of_table_names *tables = print->tables;
    if (pin->table != OF_TABLE_ALL && (pin->table || (tables && tables->name(0, tables->aux)))) {
        of_text_table(" table_id=", pin->table, print, out);
    }
    if (pin->has_cookie && pin->cookie != UINT64_MAX) {
        str_addf(out, " cookie=0x%" PRIx64, be64toh(pin->cookie));
    }
    str_addf(out, " total_len=%zu ", pin->total_len);
    match_format(&pin->metadata, print->ports, -1, out);
    str_addf(out, " (via %s) data_len=%zu",
             pin->reason < ARRAY_SIZE(reasons) ? reasons[pin->reason] : "", pin->len);
    if (pin->buffer_id == OF_BUFFER_NONE) {
        str_add(out, " (unbuffered)\n");
    } else {
        str_addf(out, " buffer=0x%08" PRIx32 "\n", pin->buffer_id);
    }
    if (pin->userdata_len) {
        const uint8_t *u = pin->userdata;
        str_add(out, " userdata=");
        for (size_t i = 0; i < pin->userdata_len; i++) {
            str_addf(out, "%s%02x", i ? "." : "", u[i]);
        }
        str_add_char(out, '\n');
    }
    of_text_packet(pin->data, pin->len, print, out);
}

static void
packet_out(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    const struct of_msg_packet_out *po = &m->u.packet_out;
    str_add_char(out, ' ');
    match_format(&po->metadata, print->ports, -1, out);
    str_add_char(out, ' ');
    of_text_actions(&po->actions, print, out);
    if (po->buffer_id == OF_BUFFER_NONE) {
        str_addf(out, " data_len=%zu\n", po->len);
        if (po->len) {
            of_text_packet(po->data, po->len, print, out);
        }
    } else {
        str_addf(out, " buffer=0x%08" PRIx32 "\n", po->buffer_id);
    }
}

static void
flow_removed(const struct of_msg *m, const struct of_print *print, struct str *out)
{
    static const char *const reasons[] = {"idle",         "hard",         "delete",
                                          "group_delete", "meter_delete", "eviction"};
    const struct of_flow_removed *fr = &m->u.flow_removed;
    str_add_char(out, ' ');
    match_format(&fr->match, print->ports, fr->priority, out);
    if (fr->reason < ARRAY_SIZE(reasons)) {
        str_addf(out, " reason=%s", reasons[fr->reason]);
    } else {
        str_addf(out, " reason=%u", fr->reason);
    }
    if (fr->table != OF_TABLE_ALL) {
        of_text_table(" table_id=", fr->table, print, out);
    }
    if (fr->cookie) {
        str_addf(out, " cookie:0x%" PRIx64, be64toh(fr->cookie));
    }
    str_add(out, " duration");
    of_text_duration(fr->duration_s, fr->duration_ns, out);
    str_addf(out, "s idle%u", fr->idle_timeout);
    if (fr->hard_timeout) {
        str_addf(out, " hard%u", fr->hard_timeout); // OpenFlow 1.2+
    }
    str_addf(out, " pkts%" PRIu64 " bytes%" PRIu64 "\n", fr->packets, fr->bytes);
}

bool
of_text_body_packet(struct of_msg *m, const struct of_print *print, struct str *out)
{
    switch ((int) m->type) {
    case OF_MSG_PACKET_IN:
    case OF_MSG_RESUME:
        packet_in(m, print, out);
        return true;
    case OF_MSG_PACKET_OUT:
        packet_out(m, print, out);
        return true;
    case OF_MSG_FLOW_REMOVED:
        flow_removed(m, print, out);
        return true;
    default:
        return false;
    }
}
