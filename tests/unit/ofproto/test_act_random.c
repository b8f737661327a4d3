// SPDX-License-Identifier: Apache-2.0
// Random actions of every type: what is encoded decodes to something that encodes to the same
// bytes, in every version; what is printed parses to the same actions. The seed is printed;
// FB_SEED repeats a run.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/base/str.h"
#include "ofproto/of_act_private.h"

static unsigned
below(unsigned n)
{
    return random_below(n);
}

static bool
once_in(unsigned n)
{
    return !below(n);
}

static uint32_t
any_port(void)
{
    static const uint32_t reserved[] = {OF_PORT_IN_PORT, OF_PORT_NORMAL, OF_PORT_FLOOD, OF_PORT_ALL,
                                        OF_PORT_LOCAL};
    return once_in(3) ? reserved[below(ARRAY_SIZE(reserved))] : below(0xff00);
}

static uint32_t
plain_port(void)
{
    return once_in(4) ? OF_PORT_LOCAL : below(0xff00);
}

// A field that Nicira's actions can name and write.
static const struct field_info *
any_field(void)
{
    for (;;) {
        const struct field_info *f = field_get((enum field_id) below(FIELD_COUNT));
        if (f->access == FIELD_RW && f->oxm[0].name && !f->oxm[0].experimenter &&
            f->id != FIELD_CT_MARK && f->id != FIELD_CT_LABEL && f->id != FIELD_IN_PORT_OXM &&
            f->id != FIELD_NW_TOS && !(f->id >= FIELD_TUN_MD0 && f->id <= FIELD_TUN_MD63)) {
            return f;
        }
    }
}

static struct subfield
any_subfield(unsigned max_bits)
{
    const struct field_info *f = any_field();
    const unsigned bits = of_act_field_bits(f), n = 1 + below(MIN(bits, max_bits));
    return (struct subfield){f->id, (uint16_t) below(bits - n + 1), (uint16_t) n};
}

static struct subfield
subfield_of(unsigned n_bits)
{
    for (;;) {
        const struct subfield s = any_subfield(UINT16_MAX);
        const unsigned bits = of_act_field_bits(field_get(s.field));
        if (bits >= n_bits) {
            return (struct subfield){s.field, (uint16_t) below(bits - n_bits + 1),
                                     (uint16_t) n_bits};
        }
    }
}

static void
some_bytes(void *p, size_t n)
{
    uint8_t *b = p;
    for (size_t k = 0; k < n; k++) {
        b[k] = (uint8_t) random_u32();
    }
}

static void
add_set_field(struct of_actions *acts, const struct field_info *f)
{
    union field_value value, mask, bits;
    field_value_exact(f, &mask);
    memset(&value, 0, sizeof value);
    some_bytes(value.b + FIELD_VALUE_BYTES - f->n_bytes, f->n_bytes);
    some_bytes(bits.b, sizeof bits);
    const bool masked = f->masking == FIELD_MASKABLE && once_in(2);
    for (size_t k = 0; k < FIELD_VALUE_BYTES; k++) {
        value.b[k] &= mask.b[k];
        mask.b[k] &= masked ? bits.b[k] : 0xff;
    }
    if (f->id == FIELD_VLAN_VID) { // said with its bit for "there is a tag"
        value.b[FIELD_VALUE_BYTES - 2] |= 0x10;
        mask.b[FIELD_VALUE_BYTES - 2] |= 0x10;
    }
    if (!field_value_is_zero(f, &mask)) {
        of_act_add_set_field(acts, f, &value, &mask);
    }
}

static void
add_load(struct of_actions *acts)
{
    const struct subfield s = any_subfield(64);
    union field_value bits;
    memset(&bits, 0, sizeof bits);
    bits.be64[15] = htobe64(random_u64() >> (64 - s.n_bits));
    of_act_add_load(acts, &s, &bits);
}

#define NEW(type, TYPE, a) struct type *a = of_actions_add(acts, TYPE, sizeof *a)

static void
add_controller(struct of_actions *acts)
{
    struct of_act_controller c = {.max_len = (uint16_t) random_u32(),
                                  .controller_id = (uint16_t) (1 + below(9)),
                                  .reason = (uint8_t) below(6),
                                  .pause = once_in(2),
                                  .userdata_len = (uint16_t) (once_in(2) ? below(40) : 0),
                                  .meter_id = once_in(2) ? random_u32() : 0};
    uint8_t userdata[40];
    some_bytes(userdata, sizeof userdata);
    of_act_add_controller(acts, &c, userdata);
}

static void
add_bundle(struct of_actions *acts)
{
    const unsigned n = below(6);
    struct of_act_bundle *a = of_actions_add(acts, OF_ACT_BUNDLE, sizeof *a + n * 4);
    a->fields = (uint16_t) below(OF_N_HASH_FIELDS);
    a->basis = (uint16_t) random_u32();
    a->algorithm = (uint16_t) below(2);
    a->n_members = (uint16_t) n;
    if (once_in(2)) {
        a->dst = subfield_of(16 + below(17));
    }
    for (unsigned k = 0; k < n; k++) {
        a->members[k] = plain_port();
    }
}

static void
add_learn_spec(struct of_actions *acts, size_t learn)
{
    struct of_learn_spec spec = {.dst_type = (uint8_t) below(3)};
    spec.src_type =
        spec.dst_type == OF_LEARN_DST_OUTPUT || once_in(2) ? OF_LEARN_SRC_FIELD : OF_LEARN_SRC_IMM;
    spec.dst = spec.dst_type == OF_LEARN_DST_OUTPUT ? (struct subfield){0} : any_subfield(128);
    spec.n_bits = spec.dst.n_bits ? spec.dst.n_bits : 16;
    if (spec.src_type == OF_LEARN_SRC_FIELD) {
        spec.src = subfield_of(spec.n_bits);
    } else {
        spec.imm_len = (uint16_t) (DIV_ROUND_UP(spec.n_bits, 16) * 2);
    }
    struct of_learn_spec *s = of_act_learn_add_spec(acts, learn, spec.imm_len);
    *s = spec;
    for (unsigned bit = 0; spec.imm_len && bit < spec.n_bits; bit++) {
        s->imm[spec.imm_len - 1 - bit / 8] |= (uint8_t) (once_in(2) << bit % 8);
    }
    // A whole field's number is printed as the field's: some have values that aren't numbers.
    if (spec.dst_type == OF_LEARN_DST_MATCH && spec.imm_len && !spec.dst.ofs &&
        spec.dst.n_bits == of_act_field_bits(field_get(spec.dst.field))) {
        s->dst_type = OF_LEARN_DST_LOAD;
    }
}

static void
add_learn(struct of_actions *acts)
{
    const size_t ofs = flat_begin(&acts->list, OF_ACT_LEARN, sizeof(struct of_act_learn));
    struct of_act_learn *a = (void *) (acts->list.data + ofs);
    a->idle_timeout = (uint16_t) below(9);
    a->fin_hard_timeout = (uint16_t) below(3);
    a->priority = (uint16_t) random_u32();
    a->table = (uint8_t) below(255);
    a->cookie = random_u64();
    a->flags = (uint16_t) below(8);
    a->limit = below(3);
    if (a->flags & OF_LEARN_WRITE_RESULT) {
        a->result_dst = subfield_of(1);
    }
    for (unsigned n = below(5); n > 0; n--) {
        add_learn_spec(acts, ofs);
    }
    flat_end(&acts->list, ofs);
}

static void
add_nat(struct of_actions *acts)
{
    NEW(of_act_nat, OF_ACT_NAT, a);
    if (once_in(5)) {
        return;
    }
    a->flags = (uint16_t) (1u << below(2) | (once_in(2) ? OF_NAT_PERSISTENT : 0) |
                           (once_in(2) ? OF_NAT_HASH : 0));
    a->family = (uint16_t) (once_in(4) ? 0 : once_in(2) ? 4 : 6);
    if (!a->family) {
        return;
    }
    some_bytes(a->min, a->family == 4 ? 4 : 16);
    a->min[0] = 0x20;
    if (once_in(2)) {
        memcpy(a->max, a->min, sizeof a->max);
        a->max[0]++;
    }
    a->port_min = (uint16_t) (once_in(2) ? 1 + below(1000) : 0);
    a->port_max = (uint16_t) (a->port_min && once_in(2) ? a->port_min + 1 + below(1000) : 0);
}

static void
add_ct(struct of_actions *acts)
{
    const size_t ofs = flat_begin(&acts->list, OF_ACT_CT, sizeof(struct of_act_ct));
    struct of_act_ct *a = (void *) (acts->list.data + ofs);
    a->flags = once_in(2) ? OF_CT_COMMIT : OF_CT_COMMIT | OF_CT_FORCE;
    a->recirc_table = (uint8_t) random_u32();
    a->alg = once_in(2) ? 0 : once_in(2) ? 21 : 69;
    a->zone_imm = (uint16_t) random_u32();
    if (once_in(3)) {
        a->zone_imm = 0;
        a->zone_src = subfield_of(16);
    }
    if (once_in(2)) {
        add_nat(acts);
    }
    if (once_in(2)) {
        add_set_field(acts, field_get(once_in(2) ? FIELD_CT_MARK : FIELD_CT_LABEL));
    }
    flat_end(&acts->list, ofs);
}

static void
add_header(struct of_actions *acts)
{
    if (once_in(3)) {
        NEW(of_act_mac, once_in(2) ? OF_ACT_SET_ETH_SRC : OF_ACT_SET_ETH_DST, a);
        some_bytes(a->mac.b, 6);
    } else if (once_in(2)) {
        NEW(of_act_ipv4, once_in(2) ? OF_ACT_SET_IPV4_SRC : OF_ACT_SET_IPV4_DST, a);
        some_bytes(&a->addr, 4);
    } else {
        static const struct {
            enum of_act_type type;
            uint32_t mask;
        } numbers[] = {{OF_ACT_SET_VLAN_VID, 0xfff},     {OF_ACT_SET_VLAN_PCP, 7},
                       {OF_ACT_SET_IP_DSCP, 0xfc},       {OF_ACT_SET_IP_ECN, 3},
                       {OF_ACT_SET_IP_TTL, 0xff},        {OF_ACT_SET_L4_SRC_PORT, 0xffff},
                       {OF_ACT_SET_MPLS_LABEL, 0xfffff}, {OF_ACT_SET_MPLS_TC, 7},
                       {OF_ACT_SET_MPLS_TTL, 0xff},      {OF_ACT_SET_QUEUE, UINT32_MAX},
                       {OF_ACT_GROUP, UINT32_MAX}};
        const unsigned k = below(ARRAY_SIZE(numbers));
        NEW(of_act_u32, numbers[k].type, a);
        a->value = random_u32() & numbers[k].mask;
        a->i.flags = (uint16_t) (k < 2 && once_in(2) ? OF_VLAN_PUSH : 0);
    }
}

static void
add_other(struct of_actions *acts)
{
    switch (below(9)) {
    case 0: {
        NEW(of_act_resubmit, OF_ACT_RESUBMIT, a);
        *a = (struct of_act_resubmit){a->i,       below(0xff00), (uint8_t) below(255),
                                      once_in(4), true,          0};
        break;
    }
    case 1: {
        NEW(of_act_move, OF_ACT_REG_MOVE, a);
        a->src = any_subfield(128);
        a->dst = subfield_of(a->src.n_bits);
        break;
    }
    case 2: {
        NEW(of_act_stack, once_in(2) ? OF_ACT_STACK_PUSH : OF_ACT_STACK_POP, a);
        a->sub = any_subfield(128);
        break;
    }
    case 3: {
        const uint32_t n = 6 + 8 * below(4);
        struct of_act_note *a = of_actions_add(acts, OF_ACT_NOTE, sizeof *a + n);
        a->n = n;
        some_bytes(a->data, n);
        break;
    }
    case 4: {
        NEW(of_act_multipath, OF_ACT_MULTIPATH, a);
        a->fields = (uint16_t) below(OF_N_HASH_FIELDS);
        a->algorithm = (uint16_t) below(4);
        a->basis = (uint16_t) random_u32();
        a->max_link = (uint16_t) below(256);
        a->arg = random_u32();
        a->dst = subfield_of(8 + below(9));
        break;
    }
    case 5: {
        NEW(of_act_sample, OF_ACT_SAMPLE, a);
        a->probability = (uint16_t) (1 + below(0xffff));
        a->collector_set_id = random_u32();
        a->direction = (uint16_t) below(3);
        a->sampling_port = once_in(2) ? OF_PORT_ANY : plain_port();
        break;
    }
    case 6: {
        const uint32_t n = below(5);
        struct of_act_ids *a = of_actions_add(acts, OF_ACT_DEC_TTL, sizeof *a + n * 2);
        a->n = n;
        a->i.flags = n != 0;
        some_bytes(a->ids, n * 2);
        break;
    }
    case 7: {
        NEW(of_act_check_pkt_larger, OF_ACT_CHECK_PKT_LARGER, a);
        a->pkt_len = (uint16_t) random_u32();
        a->dst = subfield_of(1);
        break;
    }
    default: {
        NEW(of_act_u64, OF_ACT_SET_TUNNEL, a);
        a->i.flags = once_in(2);
        a->value = a->i.flags ? random_u64() : random_u32();
        break;
    }
    }
}

static void
add_any(struct of_actions *acts, unsigned depth)
{
    switch (below(10)) {
    case 0:
        of_actions_add_output(acts, any_port(), 0);
        break;
    case 1:
        add_load(acts);
        break;
    case 2:
        add_controller(acts);
        break;
    case 3:
        add_bundle(acts);
        break;
    case 4:
        add_learn(acts);
        break;
    case 5:
        add_ct(acts);
        break;
    case 6:
        add_header(acts);
        break;
    case 7:
        if (depth < 3) {
            const size_t ofs = flat_begin(&acts->list, OF_ACT_CLONE, sizeof(struct of_act_nest));
            for (unsigned n = below(4); n > 0; n--) {
                add_any(acts, depth + 1);
            }
            flat_end(&acts->list, ofs);
        }
        break;
    case 8:
        add_set_field(acts, any_field());
        break;
    default:
        add_other(acts);
        break;
    }
}

static void
random_actions(struct of_actions *acts)
{
    of_actions_clear(acts);
    for (unsigned n = 1 + below(4); n > 0; n--) {
        add_any(acts, 0);
    }
    if (once_in(4)) {
        NEW(of_act_write_metadata, OF_ACT_WRITE_METADATA, a);
        a->metadata = random_u64();
        a->mask = once_in(2) ? UINT64_MAX : random_u64();
    }
    if (once_in(4)) {
        NEW(of_act_u32, OF_ACT_GOTO_TABLE, a);
        a->value = below(255);
    }
}

static void
text_of(const struct of_actions *acts, struct str *out)
{
    str_clear(out);
    of_actions_format(acts, NULL, out);
}

static void
test_bytes(void **state)
{
    (void) state;
    struct of_actions acts = OF_ACTIONS_INIT, back = OF_ACTIONS_INIT;
    struct str once = STR_INIT, twice = STR_INIT, text = STR_INIT;
    for (int round = 0; round < 20000; round++) {
        random_actions(&acts);
        for (enum of_version v = OF_10; v <= OF_15; v++) {
            str_clear(&once);
            str_clear(&twice);
            of_instructions_encode(&acts, v, &once);
            of_actions_clear(&back);
            const int error = of_instructions_decode(once.p, once.len, v, &back);
            if (v == OF_10 && error == OF_ERROR_BAC_UNSUPPORTED_ORDER) {
                continue; // goto_table after write_metadata becomes a resubmit there: too late
            }
            of_instructions_encode(&back, v, &twice);
            if (error || once.len != twice.len || (once.len && memcmp(once.p, twice.p, once.len))) {
                struct str a = STR_INIT, b = STR_INIT;
                text_of(&acts, &text);
                str_add_hex(&a, once.p, once.len);
                str_add_hex(&b, twice.p, twice.len);
                fail_msg("version %d, %s: %s\n%s\n%s", v, str_get(&text), of_error_name(error),
                         str_get(&a), str_get(&b));
            }
        }
    }
    of_actions_free(&acts);
    of_actions_free(&back);
    str_free(&once);
    str_free(&twice);
    str_free(&text);
}

static void
test_text(void **state)
{
    (void) state;
    struct of_actions acts = OF_ACTIONS_INIT, back = OF_ACTIONS_INIT;
    struct str once = STR_INIT, twice = STR_INIT, a = STR_INIT, b = STR_INIT;
    for (int round = 0; round < 20000; round++) {
        random_actions(&acts);
        text_of(&acts, &once);
        of_actions_clear(&back);
        uint32_t usable = OF_PROTO_ALL;
        char *error = of_actions_parse(str_get(&once), NULL, true, &back, &usable);
        if (error) {
            fail_msg("%s: %s", str_get(&once), error);
        }
        text_of(&back, &twice);
        assert_string_equal(str_get(&once), str_get(&twice));
        str_clear(&a);
        str_clear(&b);
        of_instructions_encode(&acts, OF_15, &a);
        of_instructions_encode(&back, OF_15, &b);
        if (a.len != b.len || memcmp(a.p, b.p, a.len)) {
            fail_msg("%s: other bytes after parsing", str_get(&once));
        }
    }
    of_actions_free(&acts);
    of_actions_free(&back);
    str_free(&once);
    str_free(&twice);
    str_free(&a);
    str_free(&b);
}

int
main(void)
{
    const char *text = getenv("FB_SEED");
    const uint64_t seed = text ? strtoull(text, NULL, 0) : random_u64();
    printf("FB_SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
