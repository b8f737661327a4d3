// SPDX-License-Identifier: Apache-2.0
// What a bridge says by itself (packet-in, flow-removed, port-status, role-status), to whom, and
// how it finds and loses its controllers.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tests/unit/ofproto/harness.h"

// The management socket says nothing by itself until it is asked to.
static void
listen_in(struct client *c)
{
    const struct of_msg m = {.type = OF_MSG_SET_CONFIG, .u.config = {0, 0xffff}};
    client_send_msg(c, &m);
    client_barrier(c);
}

static void
expect(struct client *c, enum of_msg_type type, struct of_msg *m)
{
    if (!client_recv(c, m)) {
        fail_msg("version %d: no %s", c->version, of_msg_type_name(type));
    }
    assert_string_equal(of_msg_type_name(m->type), of_msg_type_name(type));
}

// --- Packet-in and packet-out. ---

static void
send_pin(struct harness *h, enum of_packet_in_reason reason, const void *frame, size_t len)
{
    struct flow_key metadata;
    memset(&metadata, 0, sizeof metadata);
    metadata.in_port = htobe32(2);
    metadata.regs[3] = htobe32(0x77);
    const struct of_packet_in pin = {.data = frame,
                                     .len = len,
                                     .max_len = 20,
                                     .reason = reason,
                                     .table = 4,
                                     .cookie = htobe64(0xabc),
                                     .metadata = &metadata,
                                     .userdata = (const uint8_t *) "\1\2\3",
                                     .userdata_len = 3};
    of_bridge_packet_in(h->br, &pin);
}

static void
check_pin(struct client *c, enum of_packet_in_format format)
{
    static const uint8_t frame[60] = {0x50, 0x54};
    struct of_msg m;
    send_pin(c->h, OF_PIN_ACTION, frame, sizeof frame);
    expect(c, OF_MSG_PACKET_IN, &m);
    const struct of_msg_packet_in *pin = &m.u.packet_in;
    assert_int_equal(m.packet_in_format, format);
    assert_int_equal(pin->len, sizeof frame);
    assert_memory_equal(pin->data, frame, sizeof frame);
    assert_int_equal(pin->total_len, sizeof frame);
    assert_int_equal(pin->reason, OF_PIN_ACTION);
    assert_int_equal(be32toh(pin->metadata.key.in_port), 2);
    assert_int_equal(pin->buffer_id, OF_BUFFER_NONE);
    bool rich = format != OF_PIN_FMT_STD;
    assert_int_equal(pin->table, rich || c->version >= OF_11 ? 4 : OF_TABLE_ALL);
    if (rich || c->version >= OF_13) {
        assert_true(pin->has_cookie && pin->cookie == htobe64(0xabc));
    }
    if (rich || c->version >= OF_12) {
        assert_int_equal(be32toh(pin->metadata.key.regs[3]), 0x77);
    }
    if (format == OF_PIN_FMT_NXT2) {
        assert_int_equal(pin->userdata_len, 3);
        assert_memory_equal(pin->userdata, "\1\2\3", 3);
    }
}

static void
test_packet_in(void **state)
{
    struct harness *h = *state;
    struct client c;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        send_pin(h, OF_PIN_ACTION, "x", 1); // nobody asked yet
        listen_in(&c);
        check_pin(&c, OF_PIN_FMT_STD);
        for (uint32_t format = OF_PIN_FMT_NXT; format <= OF_PIN_FMT_NXT2; format++) {
            const struct of_msg m = {.type = OF_MSG_SET_PACKET_IN_FORMAT, .u.value = format};
            client_send_msg(&c, &m);
            client_barrier(&c);
            check_pin(&c, format);
        }
        client_close(&c);
    }
}

static void
test_async_config(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    for (enum of_version v = OF_13; v <= OF_15; v++) {
        client_open(&c, h, NULL, v);
        listen_in(&c);
        struct of_msg set = {.type = OF_MSG_SET_ASYNC};
        set.u.async = (struct of_async){
            .master = {[OF_ASYNC_PACKET_IN] = 1u << OF_PIN_NO_MATCH, [OF_ASYNC_FLOW_REMOVED] = 1},
            .has_master = 7,
            .has_slave = 7};
        client_send_msg(&c, &set);
        const struct of_msg get = {.type = OF_MSG_GET_ASYNC_REQUEST, .xid = 8};
        client_ask(&c, &get, &m);
        assert_int_equal(m.type, OF_MSG_GET_ASYNC_REPLY);
        assert_int_equal(m.u.async.master[OF_ASYNC_PACKET_IN], 1);
        assert_int_equal(m.u.async.master[OF_ASYNC_FLOW_REMOVED], 1);
        assert_int_equal(m.u.async.slave[OF_ASYNC_PORT_STATUS], 0);
        send_pin(h, OF_PIN_ACTION, "no", 2);
        send_pin(h, OF_PIN_NO_MATCH, "yes", 3);
        expect(&c, OF_MSG_PACKET_IN, &m);
        assert_int_equal(m.u.packet_in.len, 3);
        client_close(&c);
    }
}

static void
test_packet_out(void **state)
{
    static const uint8_t frame[64] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5, 42};
    struct harness *h = *state;
    struct client c;
    int n = 0;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        struct of_msg m = {
            .type = OF_MSG_PACKET_OUT,
            .u.packet_out = {.data = frame, .len = sizeof frame, .buffer_id = OF_BUFFER_NONE}};
        match_init_any(&m.u.packet_out.metadata);
        union field_value port;
        field_value_from_u64(field_get(FIELD_IN_PORT_OXM), OF_PORT_CONTROLLER, &port);
        match_set(&m.u.packet_out.metadata, field_get(FIELD_IN_PORT_OXM), &port, NULL);
        of_actions_add_output(&m.u.packet_out.actions, OF_PORT_FLOOD, 0);
        client_send_msg(&c, &m);
        client_barrier(&c);
        assert_int_equal(h->n_packet_outs, ++n);
        assert_int_equal(h->last_in_port, OF_PORT_CONTROLLER);
        assert_int_equal(h->last_packet.len, sizeof frame);
        assert_memory_equal(h->last_packet.p, frame, sizeof frame);
        m.u.packet_out.buffer_id = 5;
        client_send_msg(&c, &m);
        struct of_msg r;
        expect(&c, OF_MSG_ERROR, &r);
        assert_int_equal(r.u.error.error, OF_ERROR_BRC_BUFFER_UNKNOWN);
        of_actions_free(&m.u.packet_out.actions);
        client_close(&c);
    }
}

// --- Flow-removed. ---

static void
expect_removed(struct client *c, enum of_removed_reason reason, uint16_t priority)
{
    struct of_msg m;
    expect(c, OF_MSG_FLOW_REMOVED, &m);
    assert_int_equal(m.u.flow_removed.reason, reason);
    assert_int_equal(m.u.flow_removed.priority, priority);
    assert_true(m.u.flow_removed.cookie == htobe64(0x42));
    assert_int_equal(be16toh(m.u.flow_removed.match.key.eth_type), 0x0806);
    if (c->version >= OF_11 || m.nxm) {
        assert_int_equal(m.u.flow_removed.table, 0);
    }
}

static struct of_rule *
rule_of_arp(struct of_bridge *br)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key.eth_type = htobe16(0x0806);
    return (struct of_rule *) of_bridge_lookup(br, of_bridge_version(br), 0, &key, NULL);
}

static void
check_removed(struct client *c)
{
    struct of_bridge *br = c->h->br;
    client_flow_mod(c, OF_FLOW_ADD, "send_flow_rem,cookie=0x42,priority=7,arp,actions=drop");
    client_flow_mod(c, OF_FLOW_ADD, "priority=8,ip,actions=drop");
    client_flow_mod(c, OF_FLOW_DELETE, "");
    expect_removed(c, OF_REMOVED_DELETE, 7);
    // Hard timeout: traffic doesn't help.
    client_flow_mod(c, OF_FLOW_ADD,
                    "send_flow_rem,hard_timeout=10,cookie=0x42,priority=9,arp,actions=drop");
    client_barrier(c);
    clock_warp(9000);
    harness_turns(c->h, 3);
    assert_int_equal(of_bridge_n_rules(br), 1);
    of_rule_credit(rule_of_arp(br), 1, 60, clock_now());
    clock_warp(2100); // timeouts are looked at once a second
    expect_removed(c, OF_REMOVED_HARD, 9);
    // Idle timeout: traffic puts it off.
    client_flow_mod(c, OF_FLOW_ADD,
                    "send_flow_rem,idle_timeout=10,cookie=0x42,priority=3,arp,actions=drop");
    client_barrier(c);
    for (int i = 0; i < 3; i++) {
        clock_warp(9000);
        of_rule_credit(rule_of_arp(br), 1, 60, clock_now());
        harness_turns(c->h, 3);
        assert_int_equal(of_bridge_n_rules(br), 1);
    }
    clock_warp(12100);
    expect_removed(c, OF_REMOVED_IDLE, 3);
    assert_int_equal(of_bridge_n_rules(br), 0);
    // A rule that is replaced isn't removed.
    client_flow_mod(c, OF_FLOW_ADD, "send_flow_rem,cookie=0x42,priority=4,arp,actions=drop");
    client_flow_mod(c, OF_FLOW_ADD, "send_flow_rem,cookie=0x42,priority=4,arp,actions=output:1");
    client_barrier(c);
    client_flow_mod(c, OF_FLOW_DELETE_STRICT, "priority=4,arp");
    expect_removed(c, OF_REMOVED_DELETE, 4);
    client_barrier(c);
}

static void
test_flow_removed(void **state)
{
    struct harness *h = *state;
    struct client c;
    clock_stop();
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        listen_in(&c);
        check_removed(&c);
        client_close(&c);
    }
    client_open(&c, h, NULL, OF_10);
    listen_in(&c);
    const struct of_msg format = {.type = OF_MSG_SET_FLOW_FORMAT, .u.value = 2};
    client_send_msg(&c, &format);
    c.wire.nxm = true;
    check_removed(&c);
    client_close(&c);
}

// --- Ports. ---

static void
test_port_status(void **state)
{
    struct harness *h = *state;
    struct client c;
    struct of_msg m;
    FOR_EACH_VERSION(v)
    {
        client_open(&c, h, NULL, v);
        listen_in(&c);
        struct of_port_desc d = {
            .port = 9, .hw_addr = {{2, 0, 0, 0, 0, 9}}, .name = "new", .curr = 1 << 12};
        of_bridge_port_add(h->br, &d);
        expect(&c, OF_MSG_PORT_STATUS, &m);
        assert_int_equal(m.u.port_status.reason, OF_PORT_ADDED);
        assert_string_equal(m.u.port_status.desc.name, "new");
        assert_int_equal(m.u.port_status.desc.curr, 1 << 12);
        d.state = OF_PORT_ST_LINK_DOWN;
        of_bridge_port_update(h->br, &d);
        of_bridge_port_update(h->br, &d); // nothing new
        expect(&c, OF_MSG_PORT_STATUS, &m);
        assert_int_equal(m.u.port_status.reason, OF_PORT_MODIFIED);
        assert_int_equal(m.u.port_status.desc.state, OF_PORT_ST_LINK_DOWN);
        of_bridge_port_del(h->br, 9);
        expect(&c, OF_MSG_PORT_STATUS, &m);
        assert_int_equal(m.u.port_status.reason, OF_PORT_DELETED);
        client_barrier(&c);
        client_close(&c);
    }
}

// --- Roles. ---

static void
ask_role(struct client *c, enum of_role role, uint64_t generation, struct of_msg *reply)
{
    const struct of_msg m = {
        .type = OF_MSG_ROLE_REQUEST,
        .xid = 6,
        .nxm = c->version < OF_12,
        .u.role = {.role = role, .has_generation_id = true, .generation_id = generation}};
    client_ask(c, &m, reply);
}

static void
test_roles(void **state)
{
    struct harness *h = *state;
    struct client a, b;
    struct of_msg m;
    uint64_t generation = 1;
    FOR_EACH_VERSION(v)
    {
        client_open(&a, h, NULL, v);
        client_open(&b, h, NULL, v);
        listen_in(&a);
        ask_role(&a, OF_ROLE_MASTER, generation, &m);
        assert_int_equal(m.type, OF_MSG_ROLE_REPLY);
        assert_int_equal(m.u.role.role, OF_ROLE_MASTER);
        ask_role(&b, OF_ROLE_MASTER, ++generation, &m);
        assert_int_equal(m.u.role.role, OF_ROLE_MASTER);
        if (v >= OF_14) {
            expect(&a, OF_MSG_ROLE_STATUS, &m);
            assert_int_equal(m.u.role.role, OF_ROLE_SLAVE);
        }
        // The one before is a slave now: it may look, not touch, and hears of ports only.
        client_flow_mod(&a, OF_FLOW_ADD, "actions=drop");
        expect(&a, OF_MSG_ERROR, &m);
        assert_true(m.u.error.error == OF_ERROR_BRC_IS_SECONDARY ||
                    m.u.error.error == OF_ERROR_BRC_EPERM);
        send_pin(h, OF_PIN_ACTION, "x", 1);
        client_barrier(&a);
        client_flow_mod(&b, OF_FLOW_ADD, "actions=drop");
        client_barrier(&b);
        if (v >= OF_12) {
            ask_role(&a, OF_ROLE_MASTER, generation - 1, &m);
            assert_int_equal(m.type, OF_MSG_ERROR);
            assert_int_equal(m.u.error.error, OF_ERROR_RRFC_STALE);
            ask_role(&a, OF_ROLE_NOCHANGE, 0, &m);
            assert_int_equal(m.u.role.role, OF_ROLE_SLAVE);
        }
        client_close(&a);
        client_close(&b);
    }
}

// --- Controllers. ---

static int
listen_at(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *) &sun, sizeof sun), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static bool
accept_one(struct harness *h, int listener, int *fd)
{
    for (int i = 0; i < 20; i++) {
        harness_turns(h, 1);
        *fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (*fd >= 0) {
            return true;
        }
    }
    return false;
}

static struct of_controller_status
status(struct harness *h)
{
    struct of_controller_status s[4];
    assert_int_equal(of_bridge_controller_status(h->br, s, 4), 1);
    return s[0];
}

static const char *
normal_rule(struct harness *h)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    return of_bridge_lookup(h->br, of_bridge_version(h->br), 0, &key, NULL) ? "switches by itself"
                                                                            : "waits";
}

static void
test_active(void **state)
{
    struct harness *h = *state;
    char path[96], target[110];
    struct client c;
    struct of_msg m;
    clock_stop();
    snprintf(path, sizeof path, "%s/ctl", h->dir);
    snprintf(target, sizeof target, "unix:%s", path);
    const struct of_controller config = {
        .target = target, .max_backoff_ms = 8000, .probe_ms = 5000, .enable_async = true};
    h->config.controllers = &config;
    h->config.n_controllers = 1;
    h->config.fail_mode = OF_FAIL_STANDALONE;
    harness_configure(h); // nobody is there yet
    harness_turns(h, 4);
    assert_false(status(h).is_connected);
    assert_string_equal(normal_rule(h), "waits");
    clock_warp(16000); // three probe intervals
    harness_turns(h, 4);
    assert_string_equal(normal_rule(h), "switches by itself");
    assert_int_equal(of_bridge_n_rules(h->br), 0); // and hides how

    int listener = listen_at(path), fd = -1;
    for (int i = 0; i < 10 && fd < 0; i++) {
        clock_warp(1000);
        accept_one(h, listener, &fd);
    }
    assert_true(fd >= 0);
    client_attach(&c, h, fd, OF_13);
    client_barrier(&c);
    assert_true(status(h).is_connected);
    assert_string_equal(status(h).state, "ACTIVE");
    assert_string_equal(normal_rule(h), "waits");
    send_pin(h, OF_PIN_NO_MATCH, "frame", 5); // controllers hear without asking
    expect(&c, OF_MSG_PACKET_IN, &m);

    // A silent controller is probed, then left; then tried again.
    clock_warp(5100);
    expect(&c, OF_MSG_ECHO_REQUEST, &m);
    const struct of_msg reply = {.type = OF_MSG_ECHO_REPLY, .xid = m.xid};
    client_send_msg(&c, &reply);
    client_barrier(&c);
    clock_warp(5100);
    expect(&c, OF_MSG_ECHO_REQUEST, &m);
    clock_warp(5100);
    assert_false(client_recv(&c, &m));
    assert_true(c.closed);
    client_close(&c);
    assert_false(status(h).is_connected);
    clock_warp(2000);
    assert_true(accept_one(h, listener, &fd));
    client_attach(&c, h, fd, OF_10);
    client_barrier(&c);
    assert_true(status(h).is_connected);
    of_bridge_reconnect(h->br);
    assert_false(client_recv(&c, &m));
    client_close(&c);
    assert_true(accept_one(h, listener, &fd));
    close(fd);

    h->config.controllers = NULL;
    h->config.n_controllers = 0;
    harness_configure(h);
    harness_turns(h, 4);
    assert_string_equal(normal_rule(h), "waits");
    close(listener);
    unlink(path);
}

static void
test_passive(void **state)
{
    struct harness *h = *state;
    char path[96], target[110], snoop[96];
    struct client c, d, s;
    struct of_msg m;
    snprintf(path, sizeof path, "%s/listen", h->dir);
    snprintf(target, sizeof target, "punix:%s", path);
    snprintf(snoop, sizeof snoop, "%s/br0.snoop", h->dir);
    const struct of_controller config = {.target = target, .enable_async = true};
    h->config.controllers = &config;
    h->config.n_controllers = 1;
    h->config.snoop_path = snoop;
    harness_configure(h);
    client_open(&c, h, path, OF_13);
    client_open(&d, h, path, OF_10);
    client_open(&s, h, snoop, OF_13);
    client_barrier(&c);
    client_barrier(&d);
    assert_true(status(h).is_connected);
    send_pin(h, OF_PIN_NO_MATCH, "frame", 5); // all controllers hear
    expect(&c, OF_MSG_PACKET_IN, &m);
    expect(&d, OF_MSG_PACKET_IN, &m);
    // The snoop heard requests, answers and what the switch said.
    unsigned heard = 0;
    while (heard != 7 && client_recv(&s, &m)) {
        heard |= m.type == OF_MSG_BARRIER_REQUEST ? 1 : 0;
        heard |= m.type == OF_MSG_BARRIER_REPLY ? 2 : 0;
        heard |= m.type == OF_MSG_PACKET_IN ? 4 : 0;
    }
    assert_int_equal(heard, 7);
    client_close(&c);
    client_close(&d);
    assert_false(status(h).is_connected);
    client_close(&s);
    h->config.controllers = NULL;
    h->config.n_controllers = 0;
    h->config.snoop_path = NULL;
    harness_configure(h);
    assert_int_equal(access(path, F_OK), -1); // listeners clean up
    assert_int_equal(access(snoop, F_OK), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_packet_in, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_async_config, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_packet_out, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_port_status, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_roles, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_passive, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_flow_removed, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(test_active, harness_setup, harness_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
