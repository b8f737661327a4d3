// SPDX-License-Identifier: Apache-2.0
// What the switch says by itself, to each connection that wants it: packet-in, flow-removed, port-status, role-status.
//
// Reference: OpenFlow 1.4 section 6.1.1 (asynchronous configuration); ovs-vswitchd.conf.db(5), Controller (rate limits).
#include "config.h"

#include "lib/base/clock.h"
#include "ofproto/of_conn_private.h"

#define DEFAULT_MISS_SEND_LEN 128
#define MAX_FRAME 65000 // with its metadata it fits a message

// Service connections get nothing until they ask by setting miss_send_len.
void
of_async_init(struct of_conn *c)
{
    c->miss_send_len = c->kind == OF_CONN_PRIMARY ? DEFAULT_MISS_SEND_LEN : 0;
    bool quiet = c->target && !c->target->config.enable_async && c->kind == OF_CONN_PRIMARY;
    if (!quiet) {
        c->async.master[OF_ASYNC_PACKET_IN] = 1u << OF_PIN_NO_MATCH | 1u << OF_PIN_ACTION | 1u << OF_PIN_ACTION_SET |
                                              1u << OF_PIN_GROUP | 1u << OF_PIN_PACKET_OUT;
        c->async.master[OF_ASYNC_PORT_STATUS] = 7;
        c->async.slave[OF_ASYNC_PORT_STATUS] = 7;
        c->async.master[OF_ASYNC_FLOW_REMOVED] = 0x3f;
    }
}

static bool
wants(const struct of_conn *c, enum of_async_kind kind, unsigned reason)
{
    if (!c->ready || c->closing || c->kind == OF_CONN_SNOOP || (c->kind == OF_CONN_SERVICE && !c->miss_send_len)) {
        return false;
    }
    const uint32_t *bits = c->role == OF_ROLE_SLAVE ? c->async.slave : c->async.master;
    return bits[kind] >> reason & 1;
}

static void
send_one(struct of_conn *c, struct of_msg *m)
{
    struct str out = STR_INIT;
    m->version = c->wire.version;
    if (!of_msg_encode(m, &c->wire, &out)) {
        of_conn_send(c, &out);
    }
    str_free(&out);
}

bool
of_async_wants_misses(const struct of_conns *conns)
{
    const struct of_conn *c;
    LIST_FOR_EACH (c, node, &conns->conns) {
        if (c->wire.version < OF_13 && wants(c, OF_ASYNC_PACKET_IN, OF_PIN_NO_MATCH)) {
            return true;
        }
    }
    return false;
}

void
of_conns_flow_removed(struct of_conns *conns, const struct of_rule *rule, enum of_removed_reason reason)
{
    struct of_flow_stats fs = {0};
    of_rule_stats(rule, &fs);
    struct of_msg m = {.type = OF_MSG_FLOW_REMOVED};
    m.u.flow_removed = (struct of_flow_removed){
        .match = fs.match, .priority = fs.priority, .table = fs.table, .cookie = fs.cookie, .reason = reason,
        .duration_s = fs.duration_s, .duration_ns = fs.duration_ns, .idle_timeout = fs.idle_timeout,
        .hard_timeout = fs.hard_timeout, .packets = fs.packets, .bytes = fs.bytes};
    struct of_conn *c;
    LIST_FOR_EACH (c, node, &conns->conns) {
        if (wants(c, OF_ASYNC_FLOW_REMOVED, reason)) {
            send_one(c, &m);
        }
    }
}

void
of_conns_port_status(struct of_conns *conns, enum of_port_reason reason, const struct of_port_desc *desc)
{
    struct of_msg m = {.type = OF_MSG_PORT_STATUS, .u.port_status = {reason, *desc}};
    struct of_conn *c;
    LIST_FOR_EACH (c, node, &conns->conns) {
        if (wants(c, OF_ASYNC_PORT_STATUS, reason)) {
            send_one(c, &m);
        }
    }
}

void
of_async_role_status(struct of_conn *c, uint8_t reason)
{
    if (c->wire.version >= OF_14 && !c->closing) {
        struct of_msg m = {.type = OF_MSG_ROLE_STATUS};
        m.u.role = (struct of_role_msg){.role = c->role, .reason = reason,
                                        .has_generation_id = c->conns->has_generation_id,
                                        .generation_id = c->conns->generation_id};
        send_one(c, &m);
    }
}

// controller_rate_limit packets a second, controller_burst_limit at once.
static bool
take_token(struct of_conn *c)
{
    if (c->pin_rate <= 0) {
        return true;
    }
    int64_t now = clock_now();
    double burst = c->pin_burst > 0 ? c->pin_burst : MAX(c->pin_rate / 4.0, 1);
    c->pin_tokens = MIN(c->pin_tokens + (now - c->pin_filled) * c->pin_rate / 1000.0, burst);
    c->pin_filled = now;
    if (c->pin_tokens < 1) {
        return false;
    }
    c->pin_tokens -= 1;
    return true;
}

// Before OpenFlow 1.4 there are fewer reasons; a table-miss rule's output counts as "no match" from 1.3 on.
static enum of_packet_in_reason
wire_reason(const struct of_packet_in *pin, enum of_version version)
{
    if (pin->reason == OF_PIN_ACTION && pin->miss_rule && version >= OF_13) {
        return OF_PIN_NO_MATCH;
    }
    bool new_reason = pin->reason == OF_PIN_ACTION_SET || pin->reason == OF_PIN_GROUP || pin->reason == OF_PIN_PACKET_OUT;
    return new_reason && version < OF_14 ? OF_PIN_ACTION : pin->reason;
}

static bool
any_byte(const void *p, size_t n)
{
    const uint8_t *b = p;
    while (n && !*b) {
        b++, n--;
    }
    return n;
}

// Pipeline fields that travel with a packet: those that aren't zero, and the port it came in by.
static void
metadata_match(const struct flow_key *key, struct flow_match *match)
{
    static const size_t end = offsetof(struct flow_key, eth_dst) / sizeof(uint64_t);
    struct flow_mask mask;
    memset(&mask, 0, sizeof mask);
    uint64_t *m = flow_mask_words_mut(&mask);
    for (size_t i = 0; i < end; i++) {
        const uint8_t *bytes = (const uint8_t *) (flow_key_words(key) + i);
        for (size_t j = 0; j < 8; j += 4) { // fields of the metadata stage are whole 32-bit groups
            uint32_t part;
            memcpy(&part, bytes + j, sizeof part);
            memset((uint8_t *) (m + i) + j, part ? 0xff : 0, sizeof part);
        }
    }
    // Wider fields are there as a whole.
#define WHOLE(member)                                                                                                  \
    if (any_byte(&key->member, sizeof key->member)) {                                                                  \
        FLOW_MASK_EXACT(&mask, member);                                                                                \
    }
    WHOLE(metadata)
    WHOLE(tun.id)
    WHOLE(tun.ipv6_src)
    WHOLE(tun.ipv6_dst)
    WHOLE(ct_label)
#undef WHOLE
    FLOW_MASK_EXACT(&mask, in_port);
    match_init(match, key, &mask);
}

void
of_conns_packet_in(struct of_conns *conns, const struct of_packet_in *pin)
{
    struct of_msg m = {.type = OF_MSG_PACKET_IN};
    struct of_msg_packet_in *p = &m.u.packet_in;
    *p = (struct of_msg_packet_in){.data = pin->data, .total_len = pin->len, .buffer_id = OF_BUFFER_NONE, .table = pin->table,
                                   .has_cookie = true, .cookie = pin->cookie, .userdata = pin->userdata,
                                   .userdata_len = pin->userdata_len, .has_userdata = pin->userdata_len > 0};
    metadata_match(pin->metadata, &p->metadata);
    struct of_conn *c;
    LIST_FOR_EACH (c, node, &conns->conns) {
        if (c->controller_id != pin->controller_id) {
            continue;
        }
        p->reason = wire_reason(pin, c->wire.version);
        unsigned asked = p->reason;
        bool ttl = p->reason == OF_PIN_INVALID_TTL && c->invalid_ttl && c->ready && !c->closing;
        if (pin->no_rule && c->wire.version >= OF_13) {
            continue; // there the default is to drop
        }
        if ((ttl || wants(c, OF_ASYNC_PACKET_IN, asked)) && take_token(c)) {
            // Packets aren't buffered here, so nobody can ask for the rest: they go whole, as from the stock switch.
            p->len = MIN(pin->len, (size_t) MAX_FRAME);
            send_one(c, &m);
        }
    }
}
