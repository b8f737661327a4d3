// SPDX-License-Identifier: Apache-2.0
// Connections against a bridge in this process: negotiation, requests, flow-mods and their effects,
// statistics, in every version.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tests/unit/ofproto/harness.h"

static void
ask(struct client *c, enum of_msg_type type, struct of_msg *reply)
{
    const struct of_msg m = {.type = type, .xid = 0x55};
    client_ask(c, &m, reply);
}

static void
expect_error(struct client *c, int error)
{
    struct of_msg m;
    assert_true(client_recv(c, &m));
    assert_int_equal(m.type, OF_MSG_ERROR);
    assert_string_equal(of_error_name(m.u.error.error), of_error_name(error));
}

// All flows that a request selects, one text line each, in any order but that of the dump.
static size_t
dump(struct client *c, const char *filter, struct str *out)
{
    struct of_msg m = {.type = OF_MSG_FLOW_STATS_REQUEST, .xid = 0xd0};
    uint32_t usable;
    char *error = of_flow_request_parse(filter, NULL, &m.u.flow_request, &usable);
    assert_null(error);
    client_send_msg(c, &m);
    struct of_flow_stats fs = {.actions = OF_ACTIONS_INIT};
    const struct of_print print = {.stats = false};
    size_t n = 0;
    bool more = true;
    str_clear(out);
    while (more) {
        int e;
        assert_true(client_recv(c, &m));
        assert_int_equal(m.type, OF_MSG_FLOW_STATS_REPLY);
        more = m.more;
        while (of_flow_stats_next(&m, &fs, &e)) {
            of_flow_stats_format(&fs, &print, out);
            str_add_char(out, '\n');
            n++;
        }
        assert_int_equal(e, 0);
    }
    of_actions_free(&fs.actions);
    return n;
}

static size_t
count(struct client *c, const char *filter)
{
    struct str out = STR_INIT;
    size_t n = dump(c, filter, &out);
    str_free(&out);
    return n;
}

static void
assert_dump(struct client *c, const char *filter, const char *wanted)
{
    struct str out = STR_INIT;
    dump(c, filter, &out);
    if (!strstr(str_get(&out), wanted)) {
        fail_msg("version %d: no \"%s\" in:\n%s", c->version, wanted, str_get(&out));
    }
    str_free(&out);
}

// --- Negotiation. ---

static void
test_versions(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        client_barrier(&c);
        ask(&c, OF_MSG_FEATURES_REQUEST, &m);
        assert_int_equal(m.type, OF_MSG_FEATURES_REPLY);
        assert_int_equal(m.version, v);
        assert_int_equal(m.u.features.datapath_id, 0x123);
        assert_int_equal(m.u.features.n_tables, 254);
        struct of_port_desc d;
        int error, n = 0;
        while (of_port_desc_next(&m, &d, &error)) {
            n++;
        }
        assert_int_equal(n, v <= OF_12 ? 3 : 0);
        client_close(&c);
    }
}

static void
negotiate(struct harness *h, uint32_t ours, enum of_version header, uint32_t offered,
          enum of_version wanted)
{
    struct client c;
    struct of_msg m;
    h->config.versions = ours;
    harness_configure(h);
    client_open_raw(&c, h, NULL, header, offered);
    bool got = client_recv(&c, &m); // the switch's hello
    assert_true(got);
    assert_int_equal(m.type, OF_MSG_HELLO);
    if (wanted) {
        c.version = c.wire.version = wanted;
        client_barrier(&c);
    } else {
        assert_true(client_recv(&c, &m));
        assert_int_equal(m.type, OF_MSG_ERROR);
        assert_int_equal(m.u.error.error, OF_ERROR_HFC_INCOMPATIBLE);
        assert_false(client_recv(&c, &m));
        assert_true(c.closed);
    }
    client_close(&c);
}

static void
test_negotiation(void **state)
{
    struct harness *h = *state;
    const uint32_t v10 = OF_VERSION_BIT(OF_10), v13 = OF_VERSION_BIT(OF_13),
                   v14 = OF_VERSION_BIT(OF_14);
    negotiate(h, OF_VERSIONS_ALL, OF_13, v10 | v13, OF_13);
    negotiate(h, v10 | v13, OF_15, OF_VERSIONS_ALL, OF_13);
    negotiate(h, v10 | v13, OF_14, v14 | v10, OF_10);
    negotiate(h, v13, OF_10, v10, 0);
    negotiate(h, v13, OF_14, v14, 0);
    negotiate(h, OF_VERSIONS_ALL, 9, 0x3fe, OF_15); // a peer from the future
}

static void
test_garbage(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    // Anything but a hello at first, and impossible lengths, end the connection.
    client_open_raw(&c, h, NULL, 0, 0);
    client_send(&c, "\4\2\0\10\0\0\0\1", 8);
    while (client_recv(&c, &m)) {
    }
    assert_true(c.closed);
    client_close(&c);
    client_open(&c, h, NULL, OF_13);
    client_send(&c, "\4\2\0\7\0\0\0\1", 8);
    while (client_recv(&c, &m)) {
    }
    assert_true(c.closed);
    client_close(&c);
    // The wrong version in the middle is an error and no more.
    client_open(&c, h, NULL, OF_13);
    client_send(&c, "\1\22\0\10\0\0\0\1", 8);
    expect_error(&c, OF_ERROR_BRC_BAD_VERSION);
    client_barrier(&c);
    // But a probe is answered in its own.
    client_send(&c, "\1\2\0\11\0\0\0\7x", 9);
    assert_true(client_recv(&c, &m));
    assert_int_equal(m.type, OF_MSG_ECHO_REPLY);
    assert_int_equal(m.version, OF_10);
    assert_int_equal(m.xid, 7);
    assert_int_equal(m.u.data.len, 1);
    client_barrier(&c);
    client_close(&c);
}

// --- Simple requests. ---

static void
test_simple(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        struct of_msg echo = {.type = OF_MSG_ECHO_REQUEST, .xid = 77, .u.data = {"hello", 5}};
        client_ask(&c, &echo, &m);
        assert_int_equal(m.type, OF_MSG_ECHO_REPLY);
        assert_int_equal(m.u.data.len, 5);
        assert_memory_equal(m.u.data.data, "hello", 5);

        const struct of_msg set = {.type = OF_MSG_SET_CONFIG, .u.config = {1, 99}};
        client_send_msg(&c, &set);
        ask(&c, OF_MSG_GET_CONFIG_REQUEST, &m);
        assert_int_equal(m.u.config.flags, 1);
        assert_int_equal(m.u.config.miss_send_len, 99);

        ask(&c, OF_MSG_DESC_REQUEST, &m);
        assert_string_equal(m.u.desc.mfr, "Flowerbed");
        client_close(&c);
    }
}

// Thousands of messages in one write are handled in a few turns, with their errors in order.
static void
test_batch(void **state)
{
    enum { N = 2000 };
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    struct str out = STR_INIT;
    client_open(&c, h, NULL, OF_13);
    struct of_msg fm = {.type = OF_MSG_FLOW_MOD};
    fm.u.flow_mod = (struct of_flow_mod){.command = OF_FLOW_ADD,
                                         .out_port = OF_PORT_ANY,
                                         .out_group = OF_GROUP_ANY,
                                         .buffer_id = OF_BUFFER_NONE};
    match_init_any(&fm.u.flow_mod.match);
    for (uint32_t i = 0; i < N; i++) {
        fm.xid = i;
        fm.u.flow_mod.priority = (uint16_t) (i + 1);
        fm.u.flow_mod.table = 3;
        if (i % 100 == 50) {
            str_add_n(&out, "\4\143\0\10", 4); // no such type
            be32_t xid = htobe32(i);
            str_add_n(&out, &xid, 4);
        } else {
            assert_int_equal(of_msg_encode(&fm, &c.wire, &out), 0);
        }
    }
    h->n_batches = h->n_changes = 0;
    client_send(&c, out.p, out.len);
    for (uint32_t i = 50; i < N; i += 100) {
        assert_true(client_recv(&c, &m));
        assert_int_equal(m.type, OF_MSG_ERROR);
        assert_int_equal(m.xid, i);
    }
    client_barrier(&c);
    assert_int_equal(h->n_changes, N - N / 100);
    assert_true(h->n_batches < 40);
    assert_int_equal(count(&c, "table=3"), N - N / 100);
    str_free(&out);
    client_close(&c);
}

// --- Flow-mods. ---

static void
check_flow_mods(struct client *c)
{
    client_flow_mod(c, OF_FLOW_ADD, "priority=10,in_port=1,dl_vlan=5,actions=output:2");
    client_flow_mod(c, OF_FLOW_ADD, "priority=20,tcp,nw_src=10.0.0.0/8,actions=output:1");
    client_flow_mod(c, OF_FLOW_ADD, "priority=20,tcp,nw_src=10.1.0.0/16,actions=NORMAL");
    client_barrier(c);
    assert_int_equal(count(c, ""), 3);
    assert_dump(c, "in_port=1", "priority=10,in_port=1,dl_vlan=5 actions=output:2");
    // Replaced: same match and priority.
    client_flow_mod(c, OF_FLOW_ADD, "priority=10,in_port=1,dl_vlan=5,actions=drop");
    client_barrier(c);
    assert_int_equal(count(c, ""), 3);
    assert_dump(c, "in_port=1", "actions=drop");
    // Loose modification: all that are within.
    client_flow_mod(c, OF_FLOW_MODIFY, "tcp,nw_src=10.0.0.0/8,actions=FLOOD");
    client_barrier(c);
    assert_int_equal(count(c, ""), 3);
    assert_dump(c, "tcp,nw_src=10.1.0.0/16", "actions=FLOOD");
    assert_dump(c, "tcp,nw_src=10.0.0.0/8", "nw_src=10.0.0.0/8 actions=FLOOD");
    // Strict modification: this one.
    client_flow_mod(c, OF_FLOW_MODIFY_STRICT,
                    "priority=20,tcp,nw_src=10.1.0.0/16,actions=output:2");
    client_barrier(c);
    assert_dump(c, "tcp,nw_src=10.1.0.0/16", "actions=output:2");
    assert_dump(c, "tcp,nw_src=10.0.0.0/8", "nw_src=10.0.0.0/8 actions=FLOOD");
    // Filters of dumps and deletions.
    assert_int_equal(count(c, "out_port=2"), 1);
    assert_int_equal(count(c, "tcp"), 2);
    assert_int_equal(count(c, "udp"), 0);
    client_flow_mod(c, OF_FLOW_DELETE, "out_port=7");
    client_flow_mod(c, OF_FLOW_DELETE_STRICT, "priority=21,tcp,nw_src=10.1.0.0/16");
    client_flow_mod(c, OF_FLOW_DELETE_STRICT, "priority=20,tcp");
    client_barrier(c);
    assert_int_equal(count(c, ""), 3);
    client_flow_mod(c, OF_FLOW_DELETE_STRICT, "priority=20,tcp,nw_src=10.1.0.0/16");
    client_barrier(c);
    assert_int_equal(count(c, ""), 2);
    client_flow_mod(c, OF_FLOW_DELETE, "tcp");
    client_barrier(c);
    assert_int_equal(count(c, ""), 1);
    client_flow_mod(c, OF_FLOW_DELETE, "");
    client_barrier(c);
    assert_int_equal(count(c, ""), 0);
}

static void
test_flow_mods(void **state)
{
    struct harness *h = *state;
    struct client c;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        check_flow_mods(&c);
        client_close(&c);
    }
    // Nicira's form on OpenFlow 1.0, and with tables.
    client_open(&c, h, NULL, OF_10);
    const struct of_msg format = {.type = OF_MSG_SET_FLOW_FORMAT, .u.value = 2};
    client_send_msg(&c, &format);
    c.wire.nxm = true;
    check_flow_mods(&c);
    const struct of_msg tid = {.type = OF_MSG_FLOW_MOD_TABLE_ID, .u.value = 1};
    client_send_msg(&c, &tid);
    c.wire.table_id = true;
    check_flow_mods(&c);
    client_flow_mod(&c, OF_FLOW_ADD, "table=7,reg0=5,actions=resubmit(,8)");
    client_barrier(&c);
    assert_dump(&c, "table=7", "table=7, reg0=0x5 actions=resubmit(,8)");
    assert_int_equal(count(&c, "table=6"), 0);
    client_close(&c);
}

static void
test_modify_adds(void **state)
{
    struct harness *h = *state;
    struct client c;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        client_flow_mod(&c, OF_FLOW_MODIFY, "ip,actions=output:1");
        client_barrier(&c);
        assert_int_equal(count(&c, ""), v <= OF_11 ? 1 : 0);
        client_flow_mod(&c, OF_FLOW_MODIFY_STRICT, "arp,actions=output:1");
        client_barrier(&c);
        assert_int_equal(count(&c, ""), v <= OF_11 ? 2 : 0);
        client_flow_mod(&c, OF_FLOW_DELETE, "");
        client_barrier(&c);
        client_close(&c);
    }
}

static void
test_cookies(void **state)
{
    struct harness *h = *state;
    struct client c;
    FOR_EACH_VERSION(v)
    {
        if (v == OF_11) { // its own match says cookies too, but ovs-ofctl's text of one is enough
            continue;
        }
        client_open(&c, h, NULL, v);
        c.wire.nxm = v == OF_10;
        client_flow_mod(&c, OF_FLOW_ADD, "cookie=0x15,ip,actions=output:1");
        client_flow_mod(&c, OF_FLOW_ADD, "cookie=0x25,arp,actions=output:1");
        client_flow_mod(&c, OF_FLOW_ADD, "cookie=0x26,ipv6,actions=output:1");
        client_barrier(&c);
        assert_int_equal(count(&c, "cookie=5/0xf"), 2);
        assert_int_equal(count(&c, "cookie=0x25/-1"), 1);
        client_flow_mod(&c, OF_FLOW_MODIFY, "cookie=5/0xf,actions=output:2");
        client_barrier(&c);
        assert_int_equal(count(&c, "out_port=2"), 2);
        assert_dump(&c, "ipv6", "cookie=0x26, ipv6 actions=output:1");
        client_flow_mod(&c, OF_FLOW_DELETE, "cookie=0x25/-1");
        client_barrier(&c);
        assert_int_equal(count(&c, ""), 2);
        assert_int_equal(count(&c, "cookie=0x25/-1"), 0);
        client_flow_mod(&c, OF_FLOW_DELETE, "");
        client_barrier(&c);
        client_close(&c);
    }
}

static void
test_flags(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        client_flow_mod(&c, OF_FLOW_ADD, "priority=5,ip,nw_src=10.0.0.0/8,actions=output:1");
        client_barrier(&c);
        client_flow_mod(&c, OF_FLOW_ADD,
                        "check_overlap,priority=5,ip,nw_dst=10.0.0.0/8,actions=output:1");
        expect_error(&c, OF_ERROR_FMFC_OVERLAP);
        client_flow_mod(&c, OF_FLOW_ADD,
                        "check_overlap,priority=5,ip,nw_src=11.0.0.0/8,actions=output:1");
        client_flow_mod(&c, OF_FLOW_ADD, "check_overlap,priority=6,ip,actions=output:1");
        client_barrier(&c);
        assert_int_equal(count(&c, ""), 3);
        if (v >= OF_13) {
            client_flow_mod(&c, OF_FLOW_ADD,
                            "table=1,no_packet_counts,no_byte_counts,actions=drop");
            client_barrier(&c);
            assert_dump(&c, "table=1", "no_packet_counts no_byte_counts");
        }
        // Aggregates.
        m = (struct of_msg){.type = OF_MSG_AGGREGATE_REQUEST, .xid = 3};
        m.u.flow_request = (struct of_flow_request){
            .table = OF_TABLE_ALL, .out_port = OF_PORT_ANY, .out_group = OF_GROUP_ANY};
        match_init_any(&m.u.flow_request.match);
        struct of_msg r;
        client_ask(&c, &m, &r);
        assert_int_equal(r.type, OF_MSG_AGGREGATE_REPLY);
        assert_int_equal(r.u.aggregate.flows, v >= OF_13 ? 4 : 3);
        client_flow_mod(&c, OF_FLOW_DELETE, "");
        client_barrier(&c);
        client_close(&c);
    }
}

static void
credit_one(struct of_bridge *br, uint64_t packets)
{
    struct flow_key key;
    struct flow_mask wc;
    memset(&key, 0, sizeof key);
    memset(&wc, 0, sizeof wc);
    key.eth_type = htobe16(0x0800);
    const struct of_rule *rule = of_bridge_lookup(br, of_bridge_version(br), 0, &key, &wc);
    assert_non_null(rule);
    of_rule_credit((struct of_rule *) rule, packets, packets * 100, clock_now());
}

static void
test_counters(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m, r;
    client_open(&c, h, NULL, OF_13);
    m = (struct of_msg){.type = OF_MSG_AGGREGATE_REQUEST, .xid = 3};
    m.u.flow_request = (struct of_flow_request){
        .table = OF_TABLE_ALL, .out_port = OF_PORT_ANY, .out_group = OF_GROUP_ANY};
    match_init_any(&m.u.flow_request.match);
    client_flow_mod(&c, OF_FLOW_ADD, "ip,actions=output:1");
    client_barrier(&c);
    credit_one(h->br, 3);
    client_flow_mod(&c, OF_FLOW_MODIFY, "ip,actions=output:2"); // goes on counting
    client_barrier(&c);
    credit_one(h->br, 2);
    client_ask(&c, &m, &r);
    assert_int_equal(r.u.aggregate.packets, 5);
    assert_int_equal(r.u.aggregate.bytes, 500);
    client_flow_mod(&c, OF_FLOW_MODIFY, "reset_counts,ip,actions=output:2");
    client_barrier(&c);
    client_ask(&c, &m, &r);
    assert_int_equal(r.u.aggregate.packets, 0);
    client_close(&c);
}

// --- Statistics of tables and ports. ---

static void
test_tables_and_ports(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    int error;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        client_flow_mod(&c, OF_FLOW_ADD, "ip,actions=output:1");
        of_bridge_table_credit(h->br, 0, 5, 2);
        ask(&c, OF_MSG_TABLE_STATS_REQUEST, &m);
        struct of_table_stats ts;
        int n = 0;
        while (of_table_stats_next(&m, &ts, &error)) {
            if (!ts.table) {
                assert_int_equal(ts.active, 1);
                assert_int_equal(ts.lookups, 7 * v);
                assert_int_equal(ts.matched, 5 * v);
            }
            n++;
        }
        assert_int_equal(n, 254);

        struct of_msg q = {.type = OF_MSG_PORT_STATS_REQUEST, .xid = 4, .u.port_no = OF_PORT_ANY};
        client_ask(&c, &q, &m);
        struct of_port_stats ps;
        uint32_t port, ports = 0;
        n = 0;
        while (of_port_stats_next(&m, &ps, &port, &error)) {
            ports |= port == OF_PORT_LOCAL ? 1 : 1u << port;
            assert_int_equal(ps.tx_packets, 2);
            assert_true(ps.collisions == UINT64_MAX);
            n++;
        }
        assert_int_equal(n, 3);
        assert_int_equal(ports, 7);
        q.u.port_no = 2;
        client_ask(&c, &q, &m);
        assert_true(of_port_stats_next(&m, &ps, &port, &error));
        assert_int_equal(ps.rx_packets, 20);
        assert_false(of_port_stats_next(&m, &ps, &port, &error));

        q = (struct of_msg){.type = OF_MSG_PORT_DESC_REQUEST, .xid = 4, .u.port_no = OF_PORT_ANY};
        client_ask(&c, &q, &m);
        struct of_port_desc d;
        n = 0;
        while (of_port_desc_next(&m, &d, &error)) {
            if (d.port == 1) {
                assert_string_equal(d.name, "p1");
                assert_int_equal(d.curr, 1 << 5);
                assert_int_equal(d.curr_speed, 1000000);
            }
            n++;
        }
        assert_int_equal(n, 3);
        client_close(&c);
    }
}

static void
test_table_features(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    for (enum of_version v = OF_13; v <= OF_15; v++) {
        client_open(&c, h, NULL, v);
        const struct of_msg q = {.type = OF_MSG_TABLE_FEATURES_REQUEST, .xid = 4};
        client_send_msg(&c, &q);
        int n = 0, error;
        bool more = true;
        while (more) {
            struct of_table_features tf;
            assert_true(client_recv(&c, &m));
            assert_int_equal(m.type, OF_MSG_TABLE_FEATURES_REPLY);
            more = m.more;
            while (of_table_features_next(&m, &tf, &error)) {
                assert_int_equal(tf.table, n++);
            }
        }
        assert_int_equal(n, 254);
        client_close(&c);
    }
}

// A dump of many flows comes in parts and is complete.
static void
test_large_dump(void **state)
{
    enum { N = 5000 };
    struct harness *h = *state;
    struct client c;
    client_open(&c, h, NULL, OF_14);
    for (int i = 0; i < N; i++) {
        char text[128];
        snprintf(text, sizeof text,
                 "priority=%d,tcp,nw_src=10.0.%d.%d,tp_dst=80,actions=output:1,output:2", i % 7 + 1,
                 i / 200, i % 200);
        client_flow_mod(&c, OF_FLOW_ADD, text);
    }
    client_barrier(&c);
    assert_int_equal(count(&c, ""), N);
    client_close(&c);
}

static size_t
read_dump(struct client *c)
{
    struct of_flow_stats fs = {.actions = OF_ACTIONS_INIT};
    struct of_msg m;
    size_t n = 0;
    int error;
    do {
        assert_true(client_recv(c, &m));
        assert_int_equal(m.type, OF_MSG_FLOW_STATS_REPLY);
        while (of_flow_stats_next(&m, &fs, &error)) {
            n++;
        }
        assert_int_equal(error, 0);
    } while (m.more);
    of_actions_free(&fs.actions);
    return n;
}

// A dump is written as fast as the peer reads, of the flows that there were; what was asked behind
// it waits. A peer that doesn't read, or goes away in the middle, holds nothing up.
static void
test_slow_reader(void **state)
{
    enum { N = 30000 };
    struct harness *h = *state;
    struct client c, d;
    struct of_msg m;
    struct str out = STR_INIT;
    clock_stop();
    client_open(&c, h, NULL, OF_13);
    m = (struct of_msg){.type = OF_MSG_FLOW_MOD};
    m.u.flow_mod = (struct of_flow_mod){.command = OF_FLOW_ADD,
                                        .out_port = OF_PORT_ANY,
                                        .out_group = OF_GROUP_ANY,
                                        .buffer_id = OF_BUFFER_NONE};
    for (uint32_t i = 0; i < N; i++) {
        union field_value v;
        match_init_any(&m.u.flow_mod.match);
        field_value_from_u64(field_get(FIELD_METADATA), i, &v);
        match_set(&m.u.flow_mod.match, field_get(FIELD_METADATA), &v, NULL);
        of_msg_encode(&m, &c.wire, &out);
    }
    client_send(&c, out.p, out.len);
    client_barrier(&c);
    str_free(&out);
    for (int round = 0; round < 3; round++) {
        m = (struct of_msg){.type = OF_MSG_FLOW_STATS_REQUEST, .xid = 1};
        m.u.flow_request = (struct of_flow_request){
            .table = OF_TABLE_ALL, .out_port = OF_PORT_ANY, .out_group = OF_GROUP_ANY};
        match_init_any(&m.u.flow_request.match);
        client_send_msg(&c, &m);
        harness_turns(h, 20); // nobody reads
        client_open(&d, h, NULL, OF_13);
        if (round == 1) {
            clock_warp(4000); // patience ends: all is in the backlog
            harness_turns(h, 3);
            client_flow_mod(&d, OF_FLOW_DELETE, "");
            client_barrier(&d);
        }
        client_close(&d);
        if (round == 2) {
            client_close(&c); // in the middle
            return;
        }
        m = (struct of_msg){.type = OF_MSG_BARRIER_REQUEST, .xid = 2};
        client_send_msg(&c, &m);
        assert_int_equal(read_dump(&c), N);
        assert_true(client_recv(&c, &m));
        assert_int_equal(m.type, OF_MSG_BARRIER_REPLY);
        if (round == 1) {
            assert_int_equal(count(&c, ""), 0);
            client_flow_mod(&c, OF_FLOW_ADD, "actions=drop");
        }
    }
}

static void
test_port_mod(void **state)
{
    struct harness *h = *state;
    struct client c;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        struct of_msg m = {.type = OF_MSG_PORT_MOD};
        m.u.port_mod = (struct of_port_mod){.port = 1,
                                            .hw_addr = {{2, 0, 0, 0, 0, 1}},
                                            .config = OF_PORT_CFG_NO_FWD,
                                            .mask = OF_PORT_CFG_NO_FWD};
        client_send_msg(&c, &m);
        client_barrier(&c);
        assert_int_equal(h->port_config[1], OF_PORT_CFG_NO_FWD);
        m.u.port_mod.config = 0;
        client_send_msg(&c, &m);
        client_barrier(&c);
        assert_int_equal(h->port_config[1], 0);
        m.u.port_mod.hw_addr.b[5] = 9;
        client_send_msg(&c, &m);
        expect_error(&c, OF_ERROR_PMFC_BAD_HW_ADDR);
        m.u.port_mod.port = 55;
        client_send_msg(&c, &m);
        expect_error(&c, OF_ERROR_PMFC_BAD_PORT);
        client_close(&c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_negotiation, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_garbage, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_simple, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_batch, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_flow_mods, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_modify_adds, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_cookies, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_flags, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_counters, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_tables_and_ports, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_table_features, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_large_dump, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_port_mod, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, harness_setup, harness_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
