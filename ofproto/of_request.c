// SPDX-License-Identifier: Apache-2.0
// Requests of controllers that change the switch or ask for its settings, one function each, found
// by a table. Statistics are in of_stats.c.
#include "config.h"

#include "lib/base/clock.h"
#include "ofproto/of_conn_private.h"

#include "lib/flow/packet.h"

static int
hello(struct of_conn *c, struct of_msg *m)
{
    return 0; // a second hello changes nothing
}

static int
echo(struct of_conn *c, struct of_msg *m)
{
    // In the request's version, whatever was agreed.
    struct of_msg r = {
        .type = OF_MSG_ECHO_REPLY, .version = m->version, .xid = m->xid, .u.data = m->u.data};
    struct of_wire wire = c->wire;
    wire.version = m->version;
    return of_msg_encode(&r, &wire, &c->out) ? OF_ERROR_BRC_BAD_TYPE : 0;
}

static int
ignore(struct of_conn *c, struct of_msg *m)
{
    return 0;
}

static int
features(struct of_conn *c, struct of_msg *m)
{
    struct of_bridge *br = c->conns->bridge;
    struct of_features f = {
        .datapath_id = br->dpid,
        .n_tables = OF_N_TABLES - 1,
        .capabilities =
            OF_CAP_FLOW_STATS | OF_CAP_TABLE_STATS | OF_CAP_PORT_STATS | OF_CAP_QUEUE_STATS,
    };
    if (c->wire.version <= OF_11) {
        f.capabilities |= OF_CAP_ARP_MATCH_IP;
    }
    if (c->wire.version == OF_10) {
        f.actions = 0xfff; // output … set_tp_dst, enqueue: OpenFlow 1.0 section 5.2.4
    }
    struct of_mp mp;
    of_mp_begin_features(&mp, &f, &c->wire, m->xid);
    const struct of_port *p;
    HMAP_FOR_EACH (p, by_number, &br->ports) {
        of_mp_port_desc(&mp, &p->desc);
    }
    of_mp_end(&mp, &c->out);
    return 0;
}

static int
get_config(struct of_conn *c, struct of_msg *m)
{
    struct of_msg r = {.type = OF_MSG_GET_CONFIG_REPLY};
    r.u.config.flags =
        (uint16_t) of_bridge_frags(c->conns->bridge) | (c->invalid_ttl ? OF_CONFIG_INVALID_TTL : 0);
    r.u.config.miss_send_len = c->miss_send_len;
    of_conn_reply(c, &r, m);
    return 0;
}

static int
set_config(struct of_conn *c, struct of_msg *m)
{
    uint16_t known = c->wire.version < OF_13 ? 3 | OF_CONFIG_INVALID_TTL : 3;
    if (m->u.config.flags & ~known) {
        return OF_ERROR_SCFC_BAD_FLAGS;
    }
    if (c->role != OF_ROLE_SLAVE) {
        struct of_bridge *br = c->conns->bridge;
        const uint8_t frags = m->u.config.flags & 3;
        if (frags != 2 && frags != br->frags) { // reassembly is not something this switch does
            __atomic_store_n(&br->frags, frags, __ATOMIC_RELAXED);
            of_path->retranslate(br);
        }
    }
    c->invalid_ttl = m->u.config.flags & OF_CONFIG_INVALID_TTL;
    c->miss_send_len = m->u.config.miss_send_len;
    return 0;
}

static int
barrier(struct of_conn *c, struct of_msg *m)
{
    // What came before is in effect: the tables are, and the packet path learns of all changes
    // here.
    of_bridge_flush_changes(c->conns->bridge);
    of_msg_encode_plain(OF_MSG_BARRIER_REPLY, c->wire.version, m->xid, &c->out);
    return 0;
}

// What actions name must be there: this switch has no groups and no meters yet.
static int
check_parts(const struct of_actions *acts)
{
    return of_actions_has_group(acts, OF_GROUP_ANY) ? OF_ERROR_BAC_BAD_OUT_GROUP
           : of_actions_has_meter(acts)             ? OF_ERROR_MMFC_INVALID_METER
                                                    : 0;
}

static int
flow_mod(struct of_conn *c, struct of_msg *m)
{
    struct of_flow_mod *fm = &m->u.flow_mod;
    bool deletes = fm->command == OF_FLOW_DELETE || fm->command == OF_FLOW_DELETE_STRICT;
    if (!deletes && fm->table != OF_TABLE_OWN) { // that is refused anyhow
        uint8_t table = fm->table == OF_TABLE_ALL ? 0 : fm->table;
        const struct of_act_place place = {OF_PORT_MAX, table, OF_N_TABLES, c->wire.version};
        int error = of_actions_check(&fm->actions, &fm->match, &place);
        error = error ? error : check_parts(&fm->actions);
        if (error) {
            return error;
        }
    }
    if (fm->command == OF_FLOW_ADD && c->wire.version < OF_12) {
        fm->flags |= OF_FLOW_RESET_COUNTS; // what later versions must ask for
    }
    int error = of_bridge_flow_mod(c->conns->bridge, fm);
    if (!error && fm->buffer_id != OF_BUFFER_NONE && !deletes) {
        return OF_ERROR_BRC_BUFFER_UNKNOWN; // packets are never buffered here; the rule stands
    }
    return error;
}

static int
packet_out(struct of_conn *c, struct of_msg *m)
{
    struct of_msg_packet_out *po = &m->u.packet_out;
    if (po->buffer_id != OF_BUFFER_NONE) {
        return OF_ERROR_BRC_BUFFER_UNKNOWN;
    }
    struct packet packet;
    packet_init_borrowed(&packet, po->data, po->len);
    packet_own(&packet, PACKET_HEADROOM);
    struct flow_match as_packet = {.key = po->metadata.key};
    packet_extract(&packet, &as_packet.key);
    const struct of_act_place place = {OF_PORT_MAX, OF_TABLE_ALL, OF_N_TABLES, c->wire.version};
    int error = of_actions_check(&po->actions, &as_packet, &place);
    error = error ? error : check_parts(&po->actions);
    if (!error) {
        of_bridge_flush_changes(c->conns->bridge); // the packet meets the tables as they are now
        const struct of_packet_out out = {&packet, &po->metadata.key, &po->actions};
        error = of_path->packet_out(c->conns->bridge, &out);
    }
    packet_free(&packet);
    return error;
}

static int
port_mod(struct of_conn *c, struct of_msg *m)
{
    struct of_bridge *br = c->conns->bridge;
    const struct of_port_mod *pm = &m->u.port_mod;
    const struct of_port_desc *now = of_bridge_port(br, pm->port);
    if (!now) {
        return OF_ERROR_PMFC_BAD_PORT;
    }
    if (memcmp(&now->hw_addr, &pm->hw_addr, sizeof now->hw_addr)) {
        return OF_ERROR_PMFC_BAD_HW_ADDR;
    }
    struct of_port_desc old = *now, desc = *now;
    desc.config = (now->config & ~pm->mask) | (pm->config & pm->mask);
    of_bridge_port_update(br, &desc); // the packet path reads it there
    if (of_path->port_config(br, pm->port, desc.config)) {
        of_bridge_port_update(br, &old);
        return OF_ERROR_PMFC_EPERM;
    }
    return 0;
}

// OpenFlow 1.1 and 1.2 choose here what a table does with a miss; later versions use a table-miss
// rule, and since 1.4 say whether rules may be evicted.
static int
table_mod(struct of_conn *c, struct of_msg *m)
{
    static const enum of_table_miss misses[] = {OF_MISS_CONTROLLER, OF_MISS_CONTINUE, OF_MISS_DROP,
                                                OF_MISS_DEFAULT};
    struct of_bridge *br = c->conns->bridge;
    const struct of_table_mod *tm = &m->u.table_mod;
    if (tm->table >= OF_N_TABLES && tm->table != OF_TABLE_ALL) {
        return OF_ERROR_TMFC_BAD_TABLE;
    }
    if (tm->table == OF_TABLE_OWN) {
        return OF_ERROR_TMFC_EPERM;
    }
    if (c->wire.version == OF_11 || c->wire.version == OF_12) {
        for (unsigned t = 0; t < OF_TABLE_OWN; t++) {
            if (tm->table == OF_TABLE_ALL || tm->table == t) {
                __atomic_store_n(&br->tables[t].miss, misses[tm->config & 3], __ATOMIC_RELAXED);
            }
        }
        of_path->retranslate(br);
    } else if (c->wire.version >= OF_14) {
        for (unsigned t = 0; t < OF_TABLE_OWN; t++) {
            if (tm->table == OF_TABLE_ALL || tm->table == t) {
                br->tables[t].evict_asked = tm->config & OF_TABLE_CONFIG_EVICTION;
                of_evict_start(br, (uint8_t) t);
            }
        }
    }
    return 0;
}

static int
role(struct of_conn *c, struct of_msg *m)
{
    struct of_conns *conns = c->conns;
    const struct of_role_msg *rm = &m->u.role;
    if (rm->role != OF_ROLE_NOCHANGE) {
        bool claims = rm->role == OF_ROLE_MASTER || rm->role == OF_ROLE_SLAVE;
        if (claims && rm->has_generation_id) {
            if (conns->has_generation_id &&
                (int64_t) (rm->generation_id - conns->generation_id) < 0) {
                return OF_ERROR_RRFC_STALE;
            }
            conns->generation_id = rm->generation_id;
            conns->has_generation_id = true;
        }
        if (rm->role == OF_ROLE_MASTER) { // there is one master
            struct of_conn *other;
            LIST_FOR_EACH (other, node, &conns->conns) {
                if (other != c && other->ready && other->role == OF_ROLE_MASTER) {
                    other->role = OF_ROLE_SLAVE;
                    of_async_role_status(other, 0);
                }
            }
        }
        c->role = rm->role;
    }
    struct of_msg r = {.type = OF_MSG_ROLE_REPLY};
    r.nxm = m->nxm;
    r.u.role = (struct of_role_msg){.role = c->role,
                                    .has_generation_id = conns->has_generation_id,
                                    .generation_id = conns->has_generation_id ? conns->generation_id
                                                                              : UINT64_MAX};
    of_conn_reply(c, &r, m);
    return 0;
}

static int
get_async(struct of_conn *c, struct of_msg *m)
{
    struct of_msg r = {.type = OF_MSG_GET_ASYNC_REPLY, .u.async = c->async};
    r.u.async.has_master = r.u.async.has_slave = (1u << OF_N_ASYNC) - 1;
    of_conn_reply(c, &r, m);
    return 0;
}

static int
set_async(struct of_conn *c, struct of_msg *m)
{
    for (int i = 0; i < OF_N_ASYNC; i++) {
        if (m->u.async.has_master >> i & 1) {
            c->async.master[i] = m->u.async.master[i];
        }
        if (m->u.async.has_slave >> i & 1) {
            c->async.slave[i] = m->u.async.slave[i];
        }
    }
    return 0;
}

// Ports have no queues yet: the answer names the port and ends.
static int
queue_get_config(struct of_conn *c, struct of_msg *m)
{
    uint32_t port = m->u.queue_request.port;
    if (!of_bridge_port(c->conns->bridge, port)) {
        return OF_ERROR_QOFC_BAD_PORT;
    }
    be32_t wide = htobe32(port);
    be16_t narrow = htobe16((uint16_t) port);
    uint8_t body[8] = {0};
    memcpy(body, c->wire.version == OF_10 ? (const void *) &narrow : &wide,
           c->wire.version == OF_10 ? 2 : 4);
    struct of_msg r = {
        .type = OF_MSG_QUEUE_GET_CONFIG_REPLY, .body = body, .body_len = sizeof body};
    of_conn_reply(c, &r, m);
    return 0;
}

static int
set_flow_format(struct of_conn *c, struct of_msg *m)
{
    c->wire.nxm = m->u.value == 2;
    return m->u.value == 0 || m->u.value == 2 ? 0 : OF_ERROR_BRC_EPERM;
}

static int
flow_mod_table_id(struct of_conn *c, struct of_msg *m)
{
    c->wire.table_id = m->u.value != 0;
    return 0;
}

static int
set_packet_in_format(struct of_conn *c, struct of_msg *m)
{
    if (m->u.value > OF_PIN_FMT_NXT2) {
        return OF_ERROR_BRC_EPERM;
    }
    c->wire.packet_in = m->u.value;
    return 0;
}

static int
set_controller_id(struct of_conn *c, struct of_msg *m)
{
    c->controller_id = m->u.value;
    return 0;
}

typedef int handler(struct of_conn *, struct of_msg *);

enum { ANY_ROLE, NOT_SLAVE };

static const struct {
    handler *run;
    int role;
} handlers[OF_MSG_COUNT] = {
    [OF_MSG_HELLO] = {hello, ANY_ROLE},
    [OF_MSG_ERROR] = {ignore, ANY_ROLE},
    [OF_MSG_ECHO_REQUEST] = {echo, ANY_ROLE},
    [OF_MSG_ECHO_REPLY] = {ignore, ANY_ROLE},
    [OF_MSG_FEATURES_REQUEST] = {features, ANY_ROLE},
    [OF_MSG_GET_CONFIG_REQUEST] = {get_config, ANY_ROLE},
    [OF_MSG_SET_CONFIG] = {set_config, ANY_ROLE},
    [OF_MSG_BARRIER_REQUEST] = {barrier, ANY_ROLE},
    [OF_MSG_PACKET_OUT] = {packet_out, NOT_SLAVE},
    [OF_MSG_FLOW_MOD] = {flow_mod, NOT_SLAVE},
    [OF_MSG_PORT_MOD] = {port_mod, NOT_SLAVE},
    [OF_MSG_TABLE_MOD] = {table_mod, NOT_SLAVE},
    [OF_MSG_ROLE_REQUEST] = {role, ANY_ROLE},
    [OF_MSG_GET_ASYNC_REQUEST] = {get_async, ANY_ROLE},
    [OF_MSG_SET_ASYNC] = {set_async, ANY_ROLE},
    [OF_MSG_QUEUE_GET_CONFIG_REQUEST] = {queue_get_config, ANY_ROLE},
    [OF_MSG_SET_FLOW_FORMAT] = {set_flow_format, ANY_ROLE},
    [OF_MSG_FLOW_MOD_TABLE_ID] = {flow_mod_table_id, ANY_ROLE},
    [OF_MSG_SET_PACKET_IN_FORMAT] = {set_packet_in_format, ANY_ROLE},
    [OF_MSG_SET_CONTROLLER_ID] = {set_controller_id, ANY_ROLE},
    [OF_MSG_FLOW_AGE] = {ignore, ANY_ROLE},
    [OF_MSG_DESC_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_FLOW_STATS_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_AGGREGATE_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_TABLE_STATS_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_TABLE_FEATURES_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_PORT_STATS_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_PORT_DESC_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_QUEUE_STATS_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_QUEUE_DESC_REQUEST] = {of_stats_handle, ANY_ROLE},
    [OF_MSG_TABLE_DESC_REQUEST] = {of_stats_handle, ANY_ROLE},
};

int
of_request_handle(struct of_conn *c, struct of_msg *m)
{
    if (!handlers[m->type].run) {
        return m->type >= OF_MSG_DESC_REQUEST ? OF_ERROR_BRC_BAD_STAT : OF_ERROR_BRC_BAD_TYPE;
    }
    if (handlers[m->type].role == NOT_SLAVE && c->role == OF_ROLE_SLAVE) {
        return OF_ERROR_BRC_IS_SECONDARY;
    }
    return handlers[m->type].run(c, m);
}
