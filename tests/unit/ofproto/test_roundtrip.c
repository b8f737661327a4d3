// SPDX-License-Identifier: Apache-2.0
// Random messages in every version: what is written is read as it was, as far as the version can
// say it, and written again it has the same bytes. Many random flows through a multipart reply of
// several parts.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "ofproto/of_msg.h"

#define FOR_EACH_VERSION(v) for (enum of_version v = OF_10; v <= OF_15; v++)
#define ROUNDS 300

static void
set_number(struct flow_match *m, enum field_id id, uint64_t x)
{
    union field_value v;
    field_value_from_u64(field_get(id), x, &v);
    match_set(m, field_get(id), &v, NULL);
}

static bool
can_take(const struct flow_match *m, const struct field_info *f)
{
    union field_value mask;
    struct flow_match with = *m;
    if (f->access == FIELD_INTERNAL || !f->oxm[0].name || field_is_view(f) ||
        f->id == FIELD_CONJ_ID || (f->id >= FIELD_TUN_MD0 && f->id <= FIELD_TUN_MD63) ||
        !field_prereqs_met(f, &m->key, NULL)) {
        return false;
    }
    field_read_mask(f, &with.mask, &mask);
    return field_value_is_zero(f, &mask);
}

static void
random_value(const struct field_info *f, union field_value *v)
{
    memset(v, 0, sizeof *v);
    for (unsigned i = FIELD_VALUE_BYTES - f->n_bytes; i < FIELD_VALUE_BYTES; i++) {
        v->b[i] = (uint8_t) random_u32();
    }
    union field_value all;
    field_value_exact(f, &all);
    for (unsigned i = 0; i < FIELD_VALUE_BYTES; i++) {
        v->b[i] &= all.b[i];
    }
}

// Some protocol, then some of the fields that exist in it.
static void
random_match(struct flow_match *m)
{
    static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x8847, 0x1234};
    static const uint8_t protos[] = {6, 17, 132, 1, 58, 47};
    match_init_any(m);
    if (random_below(2)) {
        set_number(m, FIELD_IN_PORT_OXM, random_below(100) + 1);
    }
    if (random_below(2)) {
        set_number(m, FIELD_VLAN_VID, 0x1000 | random_below(4096));
    }
    if (random_below(4)) {
        uint16_t type = types[random_below(ARRAY_SIZE(types))];
        set_number(m, FIELD_ETH_TYPE, type);
        if (type == 0x0800 || type == 0x86dd) {
            set_number(m, FIELD_NW_PROTO, protos[random_below(ARRAY_SIZE(protos))]);
        }
    }
    for (int i = 0; i < 12; i++) {
        const struct field_info *f = field_get(random_below(FIELD_COUNT));
        union field_value value, mask;
        if (!can_take(m, f) || f->id == FIELD_PACKET_TYPE || f->id == FIELD_IN_PORT) {
            continue;
        }
        random_value(f, &value);
        if (f->id == FIELD_NW_TOS) {
            value.b[127] &= 0xfc;
        }
        if (f->id == FIELD_IP_FRAG) {
            value.b[127] &= FLOW_FRAG_ANY; // later fragments have no ports
        }
        bool masked = f->masking == FIELD_MASKABLE && random_below(2);
        random_value(f, &mask);
        if (masked && !field_value_is_zero(f, &mask) && f->id != FIELD_VLAN_VID) {
            for (unsigned b = 0; b < FIELD_VALUE_BYTES; b++) {
                value.b[b] &= mask.b[b];
            }
            match_set(m, f, &value, &mask);
        } else if (f->id != FIELD_VLAN_VID && f->id != FIELD_ETH_TYPE && f->id != FIELD_NW_PROTO) {
            match_set(m, f, &value, NULL);
        }
    }
}

// Actions that every version has.
static void
random_actions(struct of_actions *acts)
{
    of_actions_clear(acts);
    for (uint32_t n = random_below(5); n > 0; n--) {
        if (random_below(2)) {
            of_actions_add_output(acts, random_below(1000) + 1, 0);
        } else {
            struct of_act_resubmit *r = of_actions_add(acts, OF_ACT_RESUBMIT, sizeof *r);
            r->in_port = OF_PORT_IN_PORT;
            r->table = (uint8_t) random_below(254);
            r->with_table = true;
        }
    }
}

static void
random_flow_mod(struct of_msg *m)
{
    struct of_actions acts = m->u.flow_mod.actions;
    *m = (struct of_msg){.type = OF_MSG_FLOW_MOD, .xid = random_u32()};
    struct of_flow_mod *fm = &m->u.flow_mod;
    fm->command = random_below(OF_FLOW_DELETE_STRICT + 1);
    random_match(&fm->match);
    fm->priority = (uint16_t) random_below(65535);
    fm->table = (uint8_t) random_below(254);
    fm->new_cookie = random_u64();
    fm->idle_timeout = (uint16_t) random_u32();
    fm->hard_timeout = (uint16_t) random_u32();
    fm->importance = (uint16_t) random_u32();
    fm->out_port = fm->out_group = OF_PORT_ANY;
    fm->buffer_id = OF_BUFFER_NONE;
    fm->flags = random_below(32);
    fm->actions = acts;
    random_actions(&fm->actions);
}

// Encodes, decodes, encodes: the second bytes are the first. Returns what was decoded.
static void
round_trip(const struct of_msg *m, const struct of_wire *wire, struct str *first,
           struct of_msg *back)
{
    struct str second = STR_INIT;
    str_clear(first);
    assert_int_equal(of_msg_encode(m, wire, first), 0);
    int error = of_msg_decode(first->p, first->len, wire, back);
    if (error) {
        fail_msg("%s, version %d: %s", of_msg_type_name(m->type), wire->version,
                 of_error_name(error));
    }
    assert_int_equal(back->type, m->type);
    assert_int_equal(back->xid, m->xid);
    assert_int_equal(of_msg_encode(back, wire, &second), 0);
    assert_int_equal(second.len, first->len);
    assert_memory_equal(second.p, first->p, first->len);
    str_free(&second);
}

static bool
is_whole(const struct of_wire *w)
{
    return w->version >= OF_12 || (w->version == OF_10 && w->nxm);
}

static void
test_flow_mods(void **state)
{
    struct str bytes = STR_INIT;
    struct of_msg m = {.type = OF_MSG_FLOW_MOD}, back;
    FOR_EACH_VERSION(v)
    {
        for (int i = 0; i < ROUNDS; i++) {
            const struct of_wire wire = {
                .version = v, .nxm = random_below(2), .table_id = random_below(2)};
            random_flow_mod(&m);
            round_trip(&m, &wire, &bytes, &back);
            const struct of_flow_mod *a = &m.u.flow_mod, *b = &back.u.flow_mod;
            assert_int_equal(a->command, b->command);
            assert_int_equal(a->idle_timeout, b->idle_timeout);
            assert_int_equal(a->hard_timeout, b->hard_timeout);
            assert_int_equal(b->importance, v >= OF_14 ? a->importance : 0);
            assert_true(of_actions_equal(&a->actions, &b->actions));
            if (is_whole(&wire)) {
                assert_true(match_equals(&a->match, &b->match));
                assert_int_equal(a->priority, b->priority);
            }
            if (v >= OF_11 || wire.table_id) {
                assert_int_equal(a->table, b->table);
            }
            of_msg_clear(&back);
        }
    }
    of_msg_clear(&m);
    str_free(&bytes);
}

static void
test_flow_removed_and_requests(void **state)
{
    struct str bytes = STR_INIT;
    struct of_msg m, back;
    FOR_EACH_VERSION(v)
    {
        for (int i = 0; i < ROUNDS; i++) {
            const struct of_wire wire = {.version = v, .nxm = random_below(2)};
            m = (struct of_msg){.type = OF_MSG_FLOW_REMOVED, .xid = random_u32()};
            m.u.flow_removed = (struct of_flow_removed){.priority = (uint16_t) random_u32(),
                                                        .table = (uint8_t) random_below(254),
                                                        .cookie = random_u64(),
                                                        .reason = random_below(3),
                                                        .duration_s = random_u32(),
                                                        .duration_ns = random_below(1000000000),
                                                        .idle_timeout = (uint16_t) random_u32(),
                                                        .packets = random_u64() >> 1,
                                                        .bytes = random_u64() >> 1};
            random_match(&m.u.flow_removed.match);
            round_trip(&m, &wire, &bytes, &back);
            assert_true(m.u.flow_removed.cookie == back.u.flow_removed.cookie);
            assert_int_equal(m.u.flow_removed.packets, back.u.flow_removed.packets);
            assert_int_equal(m.u.flow_removed.duration_ns, back.u.flow_removed.duration_ns);
            assert_int_equal(m.u.flow_removed.reason, back.u.flow_removed.reason);
            if (is_whole(&wire)) {
                assert_true(match_equals(&m.u.flow_removed.match, &back.u.flow_removed.match));
            }
            m = (struct of_msg){.type = random_below(2) ? OF_MSG_FLOW_STATS_REQUEST
                                                        : OF_MSG_AGGREGATE_REQUEST,
                                .xid = random_u32()};
            m.u.flow_request = (struct of_flow_request){.table = (uint8_t) random_u32(),
                                                        .out_port = random_below(100),
                                                        .out_group = OF_GROUP_ANY};
            random_match(&m.u.flow_request.match);
            round_trip(&m, &wire, &bytes, &back);
            assert_int_equal(m.u.flow_request.out_port, back.u.flow_request.out_port);
            if (is_whole(&wire)) {
                assert_true(match_equals(&m.u.flow_request.match, &back.u.flow_request.match));
            }
        }
    }
    str_free(&bytes);
}

static void
test_ports(void **state)
{
    struct str bytes = STR_INIT;
    struct of_msg m, back;
    FOR_EACH_VERSION(v)
    {
        const struct of_wire wire = {.version = v};
        for (int i = 0; i < ROUNDS; i++) {
            m = (struct of_msg){.type = OF_MSG_PORT_STATUS,
                                .xid = random_u32(),
                                .u.port_status.reason = random_below(3)};
            struct of_port_desc *d = &m.u.port_status.desc;
            *d = (struct of_port_desc){.port =
                                           random_below(2) ? OF_PORT_LOCAL : random_below(0xff00),
                                       .config = random_below(128),
                                       .state = random_below(8),
                                       .curr = random_below(0x10000),
                                       .advertised = random_below(0x10000),
                                       .supported = random_below(0x10000),
                                       .peer = random_below(0x10000),
                                       .curr_speed = random_u32(),
                                       .max_speed = random_u32()};
            snprintf(d->name, sizeof d->name, "p%u", random_u32());
            round_trip(&m, &wire, &bytes, &back);
            const struct of_port_desc *b = &back.u.port_status.desc;
            assert_int_equal(d->port, b->port);
            assert_string_equal(d->name, b->name);
            if (v >= OF_11) {
                assert_int_equal(d->curr, b->curr);
                assert_int_equal(d->peer, b->peer);
                assert_int_equal(d->max_speed, b->max_speed);
                assert_int_equal(d->state, b->state);
            }
        }
    }
    str_free(&bytes);
}

static void
test_errors(void **state)
{
    struct str bytes = STR_INIT;
    struct of_msg back;
    FOR_EACH_VERSION(v)
    {
        for (int e = 1; e < OF_ERROR_COUNT; e++) {
            struct of_error_code code;
            str_clear(&bytes);
            of_msg_encode_error(e, v, "\1\16\0\110\0\0\0\11bad", 11, &bytes);
            assert_int_equal(of_msg_decode(bytes.p, bytes.len, NULL, &back), 0);
            assert_int_equal(back.type, OF_MSG_ERROR);
            assert_int_equal(back.xid, 9);
            assert_int_equal(back.u.error.len, 11);
            // Errors that share their numbers are read as the first; what a version lacks, as the
            // error that says so.
            int want = of_error_code(e, v, &code) ? of_error_from_code(v, &code)
                                                  : OF_ERROR_NXBRC_UNENCODABLE_ERROR;
            assert_string_equal(of_error_name(back.u.error.error), of_error_name(want));
        }
    }
    str_free(&bytes);
}

static void
random_flow(struct of_flow_stats *fs)
{
    struct of_actions acts = fs->actions;
    *fs = (struct of_flow_stats){.priority = (uint16_t) random_u32(),
                                 .table = (uint8_t) random_below(254),
                                 .cookie = random_u64(),
                                 .packets = random_u64() >> 1,
                                 .bytes = random_u64() >> 1,
                                 .duration_s = random_u32(),
                                 .duration_ns = random_below(1000000000),
                                 .idle_age = random_below(1000),
                                 .hard_age = random_below(1000),
                                 .actions = acts};
    random_match(&fs->match);
    random_actions(&fs->actions);
}

// As many flows as fill several parts; the writer gives finished parts away meanwhile.
static void
test_parts(void **state)
{
    enum { N = 3000 };
    FOR_EACH_VERSION(v)
    {
        const struct of_wire wire = {.version = v, .nxm = v == OF_10};
        struct of_mp mp;
        struct str out = STR_INIT;
        struct of_flow_stats fs = {.actions = OF_ACTIONS_INIT}, got = {.actions = OF_ACTIONS_INIT};
        uint64_t seed = random_u64();
        of_mp_begin(&mp, OF_MSG_FLOW_STATS_REPLY, &wire, 0x99);
        random_seed(seed);
        for (int i = 0; i < N; i++) {
            random_flow(&fs);
            of_mp_flow_stats(&mp, &fs);
            if (i % 700 == 0) {
                const uint8_t *data;
                size_t n = of_mp_take(&mp, &data);
                str_add_n(&out, data, n);
            }
        }
        of_mp_end(&mp, &out);
        random_seed(seed);
        size_t at = 0, flows = 0, parts = 0;
        bool more = true;
        while (at < out.len) {
            struct of_msg m;
            int error;
            assert_true(more);
            size_t len = of_msg_length(out.p + at, out.len - at);
            assert_int_equal(of_msg_decode(out.p + at, len, &wire, &m), 0);
            assert_int_equal(m.xid, 0x99);
            more = m.more;
            while (of_flow_stats_next(&m, &got, &error)) {
                random_flow(&fs);
                assert_true(fs.cookie == got.cookie);
                assert_int_equal(fs.packets, got.packets);
                assert_true(match_equals(&fs.match, &got.match) || v == OF_11);
                assert_true(of_actions_equal(&fs.actions, &got.actions));
                flows++;
            }
            assert_int_equal(error, 0);
            at += len;
            parts++;
        }
        assert_false(more);
        assert_int_equal(flows, N);
        assert_true(parts > 3);
        of_actions_free(&fs.actions);
        of_actions_free(&got.actions);
        str_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow_mods), cmocka_unit_test(test_flow_removed_and_requests),
        cmocka_unit_test(test_ports),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_parts),
    };
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : random_u64();
    print_message("SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
