// SPDX-License-Identifier: Apache-2.0
// Datapath actions on packets against a model that never touches a packet: it keeps a key and
// composes a fresh packet, checksums and all, whenever one is sent.
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "lib/net/packet_headers.h"
#include "slowpath/execute.h"

#define MAX_EVENTS 256

struct event { // something that left the list
    char what; // 'o'utput, 'u'serspace, 'r'ecirculation, other: 'x'
    uint32_t arg;
    struct packet packet;
};

struct events {
    struct event e[MAX_EVENTS];
    size_t n;
    bool borrowed_changed;
};

static struct event *
add(struct events *ev, char what, uint32_t arg)
{
    assert_true(ev->n < MAX_EVENTS);
    struct event *e = &ev->e[ev->n++];
    e->what = what;
    e->arg = arg;
    return e;
}

static void
clear(struct events *ev)
{
    for (size_t i = 0; i < ev->n; i++) {
        packet_free(&ev->e[i].packet);
    }
    ev->n = 0;
}

// --- What is tested. ---

static void
note(struct events *ev, char what, uint32_t arg, const struct packet *p)
{
    struct event *e = add(ev, what, arg);
    packet_clone(&e->packet, p);
    if (p->cutlen && p->cutlen < p->len) {
        e->packet.len = p->cutlen;
    }
}

// The key that callbacks get is that of the packet.
static void
check_key(const struct packet *p, const struct flow_key *key)
{
    struct packet copy;
    struct flow_key k = *key, again;
    packet_clone(&copy, p);
    memset(&again, 0, sizeof again);
    again.in_port = k.in_port;
    again.packet_type = k.packet_type;
    packet_extract(&copy, &again);
    k.recirc_id = k.dp_hash = k.skb_priority = k.pkt_mark = 0;
    assert_memory_equal(&again, &k, sizeof k);
    packet_free(&copy);
}

static void
on_output(void *ev, struct packet *p, const struct flow_key *key, uint32_t port, bool last)
{
    check_key(p, key);
    note(ev, 'o', port, p);
    if (last && p->base) { // may be taken
        free(p->base);
        p->base = NULL;
    }
}

static void
on_userspace(void *ev, struct packet *p, const struct flow_key *key,
             const struct dp_act_userspace *a, const struct dp_actions *acts)
{
    check_key(p, key);
    assert_int_equal(acts != NULL, a->has_actions);
    note(ev, 'u', a->arg, p);
}

static void
on_recirc(void *ev, struct packet *p, const struct flow_key *key, uint32_t id)
{
    check_key(p, key);
    assert_int_equal(be32toh(key->recirc_id), id);
    note(ev, 'r', id, p);
}

static int
on_other(void *ev, struct packet *p, struct flow_key *key, const struct dp_act *a)
{
    note(ev, 'x', a->type, p);
    return a->type == DP_ACT_METER ? 0 : -EOPNOTSUPP;
}

// --- The model. ---

struct model {
    struct flow_key key;
    size_t payload;
    uint32_t cut;
    struct events *ev;
};

static void
model_note(struct model *m, char what, uint32_t arg, bool cut)
{
    struct event *e = add(m->ev, what, arg);
    packet_compose(&e->packet, &m->key, m->payload);
    if (cut && m->cut && m->cut < e->packet.len) {
        e->packet.len = m->cut;
    }
}

static size_t
model_len(const struct model *m)
{
    struct packet p;
    packet_compose(&p, &m->key, m->payload);
    const size_t len = p.len;
    packet_free(&p);
    return len;
}

static void
model_set(struct model *m, const struct dp_act_set *a)
{
    const struct field_info *f = field_get(a->field);
    union field_value v, mask, now;
    memset(&v, 0, sizeof v);
    memset(&mask, 0, sizeof mask);
    memcpy(v.b + FIELD_VALUE_BYTES - a->n_bytes, a->value, a->n_bytes);
    memcpy(mask.b + FIELD_VALUE_BYTES - a->n_bytes, a->mask, a->n_bytes);
    field_read(f, &m->key, &now);
    for (size_t i = 0; i < FIELD_VALUE_BYTES; i++) {
        now.b[i] = (uint8_t) ((now.b[i] & ~mask.b[i]) | (v.b[i] & mask.b[i]));
    }
    field_write(f, &m->key, &now);
}

enum ending {
    GOES_ON,
    ENDS,
    UNSUPPORTED
}; // of the packet; what is unsupported ends outer lists, too

static enum ending
model_run(struct model *m, const uint8_t *data, size_t len)
{
    const struct dp_act *a;
    DP_ACT_FOR_EACH (a, data, len) {
        const struct dp_act_u32 *u32 = (const void *) a;
        const struct dp_act_push_vlan *push = (const void *) a;
        const struct dp_act_check_pkt_len *cpl = (const void *) a;
        const uint8_t *nested = (const uint8_t *) a + dp_act_fixed_size((enum dp_act_type) a->type);
        const size_t n = (size_t) ((const uint8_t *) a + a->len - nested);
        struct model copy = *m;
        enum ending ending;
        switch ((enum dp_act_type) a->type) {
        case DP_ACT_OUTPUT:
            model_note(m, 'o', u32->value, true);
            m->cut = 0;
            break;
        case DP_ACT_DROP:
            return ENDS;
        case DP_ACT_USERSPACE:
            model_note(m, 'u', ((const struct dp_act_userspace *) (const void *) a)->arg, true);
            break;
        case DP_ACT_SET:
            model_set(m, (const void *) a);
            break;
        case DP_ACT_PUSH_VLAN:
            m->key.vlan[1] = m->key.vlan[0];
            m->key.vlan[0] = (struct flow_vlan){push->tpid, push->tci | htobe16(FLOW_VLAN_PRESENT)};
            break;
        case DP_ACT_POP_VLAN:
            m->key.vlan[0] = m->key.vlan[1];
            m->key.vlan[1] = (struct flow_vlan){0, 0};
            break;
        case DP_ACT_RECIRC:
            model_note(m, 'r', u32->value, true);
            break;
        case DP_ACT_TRUNC:
            m->cut = u32->value;
            break;
        case DP_ACT_METER:
            model_note(m, 'x', DP_ACT_METER, true);
            break;
        case DP_ACT_CT_CLEAR:
            model_note(m, 'x', DP_ACT_CT_CLEAR, true);
            return UNSUPPORTED;
        case DP_ACT_SAMPLE:
            if (!((const struct dp_act_sample *) (const void *) a)->probability) {
                break;
            }
            __attribute__((fallthrough));
        case DP_ACT_CLONE:
            if (model_run(&copy, nested, n) == UNSUPPORTED) {
                return UNSUPPORTED;
            }
            break;
        case DP_ACT_CHECK_PKT_LEN:
            ending = model_len(m) > cpl->pkt_len
                         ? model_run(m, nested, cpl->greater_len)
                         : model_run(m, nested + cpl->greater_len, n - cpl->greater_len);
            if (ending != GOES_ON) {
                return ending;
            }
            break;
        case DP_ACT_DEC_TTL:
            if (m->key.nw_ttl <= 1) {
                model_run(&copy, nested, n);
                return ENDS;
            }
            m->key.nw_ttl--;
            break;
        default:
            fail_msg("action %u", a->type);
        }
    }
    return GOES_ON;
}

// --- Random packets and lists. ---

static void
random_key(struct flow_key *k)
{
    static const uint8_t protos[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP, IP_PROTO_SCTP};
    memset(k, 0, sizeof *k);
    for (size_t i = 0; i < 6; i++) {
        k->eth_dst.b[i] = (uint8_t) random_u32();
        k->eth_src.b[i] = (uint8_t) random_u32();
    }
    for (size_t i = 0, n = random_below(3); i < n; i++) {
        k->vlan[i].tpid = htobe16(ETH_TYPE_VLAN);
        k->vlan[i].tci = htobe16((uint16_t) (random_below(65536) | FLOW_VLAN_PRESENT));
    }
    k->in_port = htobe32(1);
    if (!random_below(6)) {
        k->eth_type = htobe16(0x88b5);
        return;
    }
    const bool ip6 = random_below(2);
    k->eth_type = htobe16(ip6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    k->nw_proto = protos[random_below(ARRAY_SIZE(protos))];
    k->nw_proto = ip6 && k->nw_proto == IP_PROTO_ICMP ? IP_PROTO_ICMPV6 : k->nw_proto;
    k->nw_tos = (uint8_t) random_u32();
    k->nw_ttl = (uint8_t) (random_below(4) + (random_below(2) ? 60 : 0));
    if (ip6) {
        for (size_t i = 0; i < 16; i++) {
            k->ipv6_src[i] = (uint8_t) random_u32();
            k->ipv6_dst[i] = (uint8_t) random_u32();
        }
        k->ipv6_label = htobe32(random_below(1 << 20));
    } else {
        k->nw_src = random_u32();
        k->nw_dst = random_u32();
    }
    const bool icmp = k->nw_proto == IP_PROTO_ICMP || k->nw_proto == IP_PROTO_ICMPV6;
    k->tp_src = htobe16(icmp ? 8 : (uint16_t) random_u32());
    k->tp_dst = htobe16(icmp ? 0 : (uint16_t) random_u32());
    k->tcp_flags = k->nw_proto == IP_PROTO_TCP ? htobe16(0x10) : 0;
}

static void
random_set(struct dp_actions *acts, const struct flow_key *k)
{
    static const enum field_id any[] = {FIELD_ETH_SRC, FIELD_ETH_DST};
    static const enum field_id ip4[] = {FIELD_NW_SRC, FIELD_NW_DST, FIELD_NW_TTL, FIELD_NW_TOS,
                                        FIELD_NW_ECN};
    static const enum field_id ip6[] = {FIELD_IPV6_SRC, FIELD_IPV6_DST, FIELD_IPV6_LABEL,
                                        FIELD_NW_TTL, FIELD_NW_TOS};
    const bool ip = flow_key_is_ip(k);
    enum field_id id = any[random_below(ARRAY_SIZE(any))];
    if (ip && random_below(2)) {
        id = k->eth_type == htobe16(ETH_TYPE_IP) ? ip4[random_below(ARRAY_SIZE(ip4))]
                                                 : ip6[random_below(ARRAY_SIZE(ip6))];
    } else if (ip && random_below(2)) {
        id = k->nw_proto == IP_PROTO_TCP    ? FIELD_TCP_SRC
             : k->nw_proto == IP_PROTO_UDP  ? FIELD_UDP_DST
             : k->nw_proto == IP_PROTO_SCTP ? FIELD_SCTP_SRC
                                            : id;
    }
    const struct field_info *f = field_get(id);
    union field_value v, m, exact;
    field_value_exact(f, &exact);
    const bool whole = random_below(2);
    for (size_t i = 0; i < FIELD_VALUE_BYTES; i++) {
        v.b[i] = exact.b[i] & (uint8_t) random_u32();
        m.b[i] = exact.b[i] & (whole ? 0xff : (uint8_t) random_u32());
    }
    dp_actions_add_set(acts, f, &v, &m);
}

static void random_list(struct dp_actions *, const struct flow_key *, unsigned depth);

static void
random_nested(struct dp_actions *acts, const struct flow_key *k, unsigned depth)
{
    size_t ofs, inner;
    switch (random_below(4)) {
    case 0:
        ofs = dp_actions_begin(acts, DP_ACT_CLONE, sizeof(struct dp_act));
        random_list(acts, k, depth + 1);
        dp_actions_end(acts, ofs);
        break;
    case 1:
        ofs = dp_actions_begin(acts, DP_ACT_SAMPLE, sizeof(struct dp_act_sample));
        ((struct dp_act_sample *) (void *) (acts->data + ofs))->probability =
            random_below(2) ? UINT32_MAX : 0;
        random_list(acts, k, depth + 1);
        dp_actions_end(acts, ofs);
        break;
    case 2:
        ofs = dp_actions_begin(acts, DP_ACT_CHECK_PKT_LEN, sizeof(struct dp_act_check_pkt_len));
        inner = acts->len;
        random_list(acts, k, depth + 1);
        ((struct dp_act_check_pkt_len *) (void *) (acts->data + ofs))->pkt_len =
            60 + random_below(60);
        ((struct dp_act_check_pkt_len *) (void *) (acts->data + ofs))->greater_len =
            (uint32_t) (acts->len - inner);
        random_list(acts, k, depth + 1);
        dp_actions_end(acts, ofs);
        break;
    default:
        if (flow_key_is_ip(k)) {
            ofs = dp_actions_begin(acts, DP_ACT_DEC_TTL, sizeof(struct dp_act));
            random_list(acts, k, depth + 1);
            dp_actions_end(acts, ofs);
        }
    }
}

static void
random_list(struct dp_actions *acts, const struct flow_key *k, unsigned depth)
{
    for (size_t i = 0, n = random_below(depth ? 4 : 8); i < n; i++) {
        switch (random_below(depth < 3 ? 12 : 10)) {
        case 0:
        case 1:
        case 2:
            dp_actions_add_output(acts, random_below(10));
            break;
        case 3:
        case 4:
        case 5:
            random_set(acts, k);
            break;
        case 6: {
            // At most two tags: what is below is not in the key.
            dp_actions_add(acts, DP_ACT_POP_VLAN, sizeof(struct dp_act));
            dp_actions_add(acts, DP_ACT_POP_VLAN, sizeof(struct dp_act));
            struct dp_act_push_vlan *p = dp_actions_add(acts, DP_ACT_PUSH_VLAN, sizeof *p);
            p->tpid = htobe16(random_below(2) ? ETH_TYPE_VLAN : ETH_TYPE_VLAN_SERVICE);
            p->tci = htobe16((uint16_t) (random_below(65536) | FLOW_VLAN_PRESENT));
            break;
        }
        case 7:
            dp_actions_add_u32(acts, DP_ACT_TRUNC, 14 + random_below(100));
            dp_actions_add_output(acts, 11);
            break;
        case 8: {
            struct dp_act_userspace *u = dp_actions_add(acts, DP_ACT_USERSPACE, sizeof *u);
            u->arg = random_u32();
            u->has_actions = (uint8_t) random_below(2);
            break;
        }
        case 9:
            if (random_below(3)) {
                dp_actions_add_u32(acts, random_below(2) ? DP_ACT_RECIRC : DP_ACT_METER,
                                   random_below(100));
            } else {
                dp_actions_add(acts, random_below(2) ? DP_ACT_DROP : DP_ACT_CT_CLEAR,
                               sizeof(struct dp_act_drop));
            }
            break;
        default:
            random_nested(acts, k, depth);
        }
    }
}

// --- Comparison. ---

// 0 and 0xffff are the same sum.
static void
normalize(struct packet *p)
{
    struct flow_key k;
    memset(&k, 0, sizeof k);
    packet_extract(p, &k);
    size_t at[2] = {0, 0};
    if (k.eth_type == htobe16(ETH_TYPE_IP)) {
        at[0] = (size_t) p->l3 + 10;
    }
    if (p->l4 != PACKET_NO_LAYER) {
        at[1] = k.nw_proto == IP_PROTO_TCP   ? p->l4 + 16u
                : k.nw_proto == IP_PROTO_UDP ? p->l4 + 6u
                                             : 0;
    }
    for (size_t i = 0; i < 2; i++) {
        if (at[i] && at[i] + 2 <= p->len && p->data[at[i]] == 0xff && p->data[at[i] + 1] == 0xff) {
            memset(p->data + at[i], 0, 2);
        }
    }
}

static void
compare(struct events *a, struct events *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->e[i].what, b->e[i].what);
        assert_int_equal(a->e[i].arg, b->e[i].arg);
        assert_int_equal(a->e[i].packet.len, b->e[i].packet.len);
        normalize(&a->e[i].packet);
        normalize(&b->e[i].packet);
        assert_memory_equal(a->e[i].packet.data, b->e[i].packet.data, a->e[i].packet.len);
    }
}

static void
test_random(void **state)
{
    struct events *got = base_calloc(2, sizeof *got), *want = got + 1;
    const struct sp_execute_cbs cbs = {got, on_output, on_userspace, on_recirc, on_other};
    size_t n_events = 0;
    for (size_t round = 0; round < 20000; round++) {
        struct flow_key key;
        struct packet p, borrowed, before;
        struct dp_actions acts = DP_ACTIONS_INIT;
        random_key(&key);
        const size_t payload = random_below(120);
        packet_compose(&p, &key, payload);
        packet_clone(&before, &p);
        packet_extract(&p, &key);
        random_list(&acts, &key, 0);
        struct model m = {.key = key, .payload = payload, .ev = want};
        model_run(&m, acts.data, acts.len);
        packet_init_borrowed(&borrowed, p.data, p.len);
        borrowed.l3 = p.l3;
        borrowed.l4 = p.l4;
        const bool is_borrowed = random_below(2);
        sp_execute(is_borrowed ? &borrowed : &p, &key, &acts, &cbs);
        compare(got, want);
        if (is_borrowed) { // what is borrowed stays as it is
            assert_memory_equal(p.data, before.data, before.len);
        }
        n_events += got->n;
        clear(got);
        clear(want);
        packet_free(&borrowed);
        packet_free(&before);
        packet_free(&p);
        dp_actions_free(&acts);
    }
    assert_true(n_events > 20000);
    free(got);
}

// --- What the model doesn't know. ---

static void
test_mpls_and_eth(void **state)
{
    struct events ev = {.n = 0};
    const struct sp_execute_cbs cbs = {&ev, on_output, on_userspace, on_recirc, on_other};
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct flow_key key;
    struct packet p, before;
    memset(&key, 0, sizeof key);
    key.eth_type = htobe16(ETH_TYPE_IP);
    key.nw_proto = IP_PROTO_UDP;
    key.nw_ttl = 9;
    packet_compose(&p, &key, 10);
    packet_clone(&before, &p);
    packet_extract(&p, &key);
    struct dp_act_push_mpls *push = dp_actions_add(&acts, DP_ACT_PUSH_MPLS, sizeof *push);
    push->ethertype = htobe16(ETH_TYPE_MPLS);
    push->lse = htobe32(0x00064140);
    dp_actions_add_output(&acts, 1);
    struct dp_act_pop_mpls *pop = dp_actions_add(&acts, DP_ACT_POP_MPLS, sizeof *pop);
    pop->ethertype = htobe16(ETH_TYPE_IP);
    dp_actions_add_output(&acts, 2);
    dp_actions_add(&acts, DP_ACT_POP_ETH, sizeof(struct dp_act));
    dp_actions_add_output(&acts, 3);
    struct dp_act_push_eth *eth = dp_actions_add(&acts, DP_ACT_PUSH_ETH, sizeof *eth);
    eth->dst.b[5] = 1;
    dp_actions_add_output(&acts, 4);
    assert_int_equal(sp_execute(&p, &key, &acts, &cbs), 0);
    assert_int_equal(ev.n, 4);
    assert_int_equal(ev.e[0].packet.len, before.len + 4);
    assert_memory_equal(ev.e[0].packet.data + 12, "\x88\x47\x00\x06\x41\x40", 6);
    assert_memory_equal(ev.e[0].packet.data + 18, before.data + 14, before.len - 14);
    assert_int_equal(ev.e[1].packet.len, before.len);
    assert_memory_equal(ev.e[1].packet.data, before.data, before.len);
    assert_int_equal(ev.e[2].packet.len, before.len - 14);
    assert_memory_equal(ev.e[2].packet.data, before.data + 14, before.len - 14);
    before.data[5] = 1;
    assert_memory_equal(ev.e[3].packet.data, before.data, before.len);
    clear(&ev);
    packet_free(&p);
    packet_free(&before);
    dp_actions_free(&acts);
}

static uint32_t seen_hash;

static void
keep_hash(void *aux, struct packet *p, const struct flow_key *key, uint32_t id)
{
    seen_hash = key->dp_hash;
}

static uint32_t
hash_of(const struct flow_key *k, uint32_t alg)
{
    const struct sp_execute_cbs cbs = {.recirc = keep_hash};
    struct dp_actions acts = DP_ACTIONS_INIT;
    struct flow_key key = *k;
    struct packet p;
    struct dp_act_hash *h = dp_actions_add(&acts, DP_ACT_HASH, sizeof *h);
    h->alg = alg;
    dp_actions_add_u32(&acts, DP_ACT_RECIRC, 1);
    packet_compose(&p, &key, 0);
    packet_extract(&p, &key);
    assert_int_equal(sp_execute(&p, &key, &acts, &cbs), 0);
    packet_free(&p);
    dp_actions_free(&acts);
    return seen_hash;
}

static void
test_hash(void **state)
{
    struct flow_key k, back;
    memset(&k, 0, sizeof k);
    k.eth_type = htobe16(ETH_TYPE_IP);
    k.nw_proto = IP_PROTO_TCP;
    k.nw_src = htobe32(0x0a000001);
    k.nw_dst = htobe32(0x0a000002);
    k.tp_src = htobe16(1);
    k.tp_dst = htobe16(2);
    back = k;
    back.nw_src = k.nw_dst;
    back.nw_dst = k.nw_src;
    back.tp_src = k.tp_dst;
    back.tp_dst = k.tp_src;
    assert_int_not_equal(hash_of(&k, 0), 0);
    assert_int_equal(hash_of(&k, 0), hash_of(&k, 0));
    assert_int_not_equal(hash_of(&k, 0), hash_of(&back, 0));
    assert_int_equal(hash_of(&k, 1), hash_of(&back, 1));
}

int
main(void)
{
    const uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (uint64_t) getpid();
    printf("SEED=%llu\n", (unsigned long long) seed);
    random_seed(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_mpls_and_eth),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
