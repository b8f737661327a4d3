// SPDX-License-Identifier: Apache-2.0
// Statistics requests: each writes its entries through struct of_mp, which splits them into parts.
// Counters are refreshed from every place that holds cached flows before flows, tables or
// aggregates are read.
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "ofproto/of_conn_private.h"

// Calls cb for each rule that a flow or aggregate request selects, by table.
struct selection {
    const struct of_flow_request *req;
    void (*cb)(struct of_rule *, void *);
    void *aux;
};

static bool
select_rule(struct cls_rule *cr, void *s_)
{
    struct selection *s = s_;
    struct of_rule *rule = CONTAINER_OF(cr, struct of_rule, cr);
    const struct of_flow_request *r = s->req;
    if ((!(rule->flags & OF_FLOW_HIDDEN) || r->table == OF_TABLE_OWN) &&
        !((rule->cookie ^ r->cookie) & r->cookie_mask) &&
        (r->out_port == OF_PORT_ANY || of_actions_output_to(&rule->actions->acts, r->out_port)) &&
        (r->out_group == OF_GROUP_ANY ||
         of_actions_has_group(&rule->actions->acts, r->out_group))) {
        s->cb(rule, s->aux);
    }
    return true;
}

static int
for_each_selected(struct of_bridge *br, struct selection *s)
{
    uint8_t table = s->req->table;
    if (table >= OF_N_TABLES && table != OF_TABLE_ALL) {
        return OF_ERROR_BRC_BAD_TABLE_ID;
    }
    of_bridge_refresh_stats(br);
    unsigned first = table == OF_TABLE_ALL ? 0 : table,
             last = table == OF_TABLE_ALL ? OF_TABLE_OWN - 1 : table;
    for (unsigned t = first; t <= last; t++) {
        if (cls_count(br->tables[t].cls)) {
            cls_for_each(br->tables[t].cls, &s->req->match, br->version, select_rule, s);
        }
    }
    return 0;
}

static void
choose_flow(struct of_rule *rule, void *rules_)
{
    struct of_dump_rules *rules = rules_;
    if (rules->n == rules->cap) {
        rules->rules = base_grow(rules->rules, &rules->cap, sizeof(struct of_rule *));
    }
    of_rule_ref(rule);
    rules->rules[rules->n++] = rule;
}

static int
flow_stats(struct of_conn *c, struct of_msg *m)
{
    struct of_dump_rules rules = {0};
    struct of_wire wire = c->wire;
    wire.nxm = m->nxm; // the answer has the form of the question
    struct selection s = {&m->u.flow_request, choose_flow, &rules};
    int error = for_each_selected(c->conns->bridge, &s);
    if (!error) {
        of_rules_sort(c->conns->bridge, rules.rules, rules.n);
        of_dump_start(c, &rules, &wire, m->xid);
    }
    return error;
}

static void
add_up(struct of_rule *rule, void *a_)
{
    struct of_aggregate *a = a_;
    struct of_flow_stats fs = {0};
    of_rule_stats(rule, &fs);
    a->flows++;
    a->packets += fs.packets == UINT64_MAX ? 0 : fs.packets;
    a->bytes += fs.bytes == UINT64_MAX ? 0 : fs.bytes;
}

static int
aggregate(struct of_conn *c, struct of_msg *m)
{
    struct of_msg r = {.type = OF_MSG_AGGREGATE_REPLY};
    struct selection s = {&m->u.flow_request, add_up, &r.u.aggregate};
    r.nxm = m->nxm;
    int error = for_each_selected(c->conns->bridge, &s);
    if (!error) {
        of_conn_reply(c, &r, m);
    }
    return error;
}

static int
desc(struct of_conn *c, struct of_msg *m)
{
    struct of_msg r = {.type = OF_MSG_DESC_REPLY, .u.desc = c->conns->desc};
    of_conn_reply(c, &r, m);
    return 0;
}

static int
table_stats(struct of_conn *c, struct of_msg *m)
{
    struct of_bridge *br = c->conns->bridge;
    struct of_mp mp;
    of_bridge_refresh_stats(br);
    of_mp_begin(&mp, OF_MSG_TABLE_STATS_REPLY, &c->wire, m->xid);
    for (unsigned t = 0; t < OF_TABLE_OWN; t++) {
        const struct of_table *table = &br->tables[t];
        struct of_table_stats ts = {
            .table = t,
            .max_entries = MIN(table->max_flows, 1000000),
            .active = cls_count(table->cls) - table->n_hidden,
            .lookups = __atomic_load_n(&table->lookups, __ATOMIC_RELAXED),
            .matched = __atomic_load_n(&table->matches, __ATOMIC_RELAXED),
            .wildcards = 0x3fffff,
        };
        snprintf(ts.name, sizeof ts.name, "%s", table->name);
        of_mp_table_stats(&mp, &ts);
    }
    of_mp_end(&mp, &c->out);
    return 0;
}

static int
table_features(struct of_conn *c, struct of_msg *m)
{
    if (m->body_len) {
        return OF_ERROR_TFFC_EPERM; // what tables can do isn't for controllers to change
    }
    struct of_bridge *br = c->conns->bridge;
    struct of_mp mp;
    of_mp_begin(&mp, OF_MSG_TABLE_FEATURES_REPLY, &c->wire, m->xid);
    for (unsigned t = 0; t < OF_TABLE_OWN; t++) {
        struct of_table_features tf = {.table = t,
                                       .metadata_match = UINT64_MAX,
                                       .metadata_write = UINT64_MAX,
                                       .max_entries = MIN(br->tables[t].max_flows, 1000000)};
        snprintf(tf.name, sizeof tf.name, "%s", br->tables[t].name);
        of_mp_table_features(&mp, &tf);
    }
    of_mp_end(&mp, &c->out);
    return 0;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct of_port *const *a = a_, *const *b = b_;
    return (*a)->desc.port < (*b)->desc.port ? -1 : (*a)->desc.port > (*b)->desc.port;
}

// The ports that a request selects, by number; the local port's number is the highest.
static struct of_port **
selected_ports(const struct of_bridge *br, uint32_t port_no, size_t *n)
{
    struct of_port **ports = base_calloc(hmap_count(&br->ports) + 1, sizeof *ports);
    struct of_port *p;
    *n = 0;
    HMAP_FOR_EACH (p, by_number, &br->ports) {
        if (port_no == OF_PORT_ANY || port_no == p->desc.port) {
            ports[(*n)++] = p;
        }
    }
    qsort(ports, *n, sizeof *ports, compare_ports);
    return ports;
}

static int
port_stats(struct of_conn *c, struct of_msg *m)
{
    struct of_bridge *br = c->conns->bridge;
    struct of_mp mp;
    size_t n;
    struct of_port **ports = selected_ports(br, m->u.port_no, &n);
    of_mp_begin(&mp, OF_MSG_PORT_STATS_REPLY, &c->wire, m->xid);
    for (size_t i = 0; i < n; i++) {
        struct of_port_stats s;
        memset(&s, 0xff, sizeof s);
        of_path->port_stats(br, ports[i]->desc.port, &s);
        int64_t age = clock_now() - ports[i]->created;
        s.duration_s = age / 1000;
        s.duration_ns = age % 1000 * 1000000;
        of_mp_port_stats(&mp, ports[i]->desc.port, &s);
    }
    of_mp_end(&mp, &c->out);
    free(ports);
    return 0;
}

static int
port_desc(struct of_conn *c, struct of_msg *m)
{
    struct of_mp mp;
    size_t n;
    struct of_port **ports = selected_ports(c->conns->bridge, m->u.port_no, &n);
    of_mp_begin(&mp, OF_MSG_PORT_DESC_REPLY, &c->wire, m->xid);
    for (size_t i = 0; i < n; i++) {
        of_mp_port_desc(&mp, &ports[i]->desc);
    }
    of_mp_end(&mp, &c->out);
    free(ports);
    return 0;
}

static int
queue_stats(struct of_conn *c, struct of_msg *m)
{
    struct of_mp mp;
    if (m->u.queue_request.port != OF_PORT_ANY &&
        !of_bridge_port(c->conns->bridge, m->u.queue_request.port)) {
        return OF_ERROR_QOFC_BAD_PORT;
    }
    if (m->u.queue_request.queue != UINT32_MAX) {
        return OF_ERROR_QOFC_BAD_QUEUE;
    }
    of_mp_begin(&mp, OF_MSG_QUEUE_STATS_REPLY, &c->wire, m->xid); // there are no queues yet
    of_mp_end(&mp, &c->out);
    return 0;
}

static int
queue_desc(struct of_conn *c, struct of_msg *m)
{
    if (m->u.queue_request.port != OF_PORT_ANY &&
        !of_bridge_port(c->conns->bridge, m->u.queue_request.port)) {
        return OF_ERROR_QOFC_BAD_PORT;
    }
    struct of_msg r = {.type = OF_MSG_QUEUE_DESC_REPLY}; // there are no queues yet
    of_conn_reply(c, &r, m);
    return 0;
}

// Tables never warn: length, table, configuration and the property of what eviction would look at.
static int
table_desc(struct of_conn *c, struct of_msg *m)
{
    enum { LEN = 16, PROP_EVICTION = 2, PROP_LEN = 8, OTHER_IMPORTANCE_LIFETIME = 7 };
    uint8_t body[OF_TABLE_OWN * LEN] = {0};
    for (unsigned t = 0; t < OF_TABLE_OWN; t++) {
        uint8_t *p = body + t * LEN;
        p[1] = LEN;
        p[2] = (uint8_t) t;
        p[7] = c->conns->bridge->tables[t].evict_asked ? OF_TABLE_CONFIG_EVICTION : 0;
        p[9] = PROP_EVICTION;
        p[11] = PROP_LEN;
        p[15] = OTHER_IMPORTANCE_LIFETIME;
    }
    struct of_msg r = {.type = OF_MSG_TABLE_DESC_REPLY, .body = body, .body_len = sizeof body};
    of_conn_reply(c, &r, m);
    return 0;
}

int
of_stats_handle(struct of_conn *c, struct of_msg *m)
{
    switch (m->type) {
    case OF_MSG_DESC_REQUEST:
        return desc(c, m);
    case OF_MSG_FLOW_STATS_REQUEST:
        return flow_stats(c, m);
    case OF_MSG_AGGREGATE_REQUEST:
        return aggregate(c, m);
    case OF_MSG_TABLE_STATS_REQUEST:
        return table_stats(c, m);
    case OF_MSG_TABLE_FEATURES_REQUEST:
        return table_features(c, m);
    case OF_MSG_PORT_STATS_REQUEST:
        return port_stats(c, m);
    case OF_MSG_PORT_DESC_REQUEST:
        return port_desc(c, m);
    case OF_MSG_QUEUE_STATS_REQUEST:
        return queue_stats(c, m);
    case OF_MSG_QUEUE_DESC_REQUEST:
        return queue_desc(c, m);
    case OF_MSG_TABLE_DESC_REQUEST:
        return table_desc(c, m);
    default:
        return OF_ERROR_BRC_BAD_STAT;
    }
}
