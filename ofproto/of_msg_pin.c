// SPDX-License-Identifier: Apache-2.0
// Bodies of packet-in, in the standard's forms and Nicira's two, and of packet-out.
//
// Reference: OpenFlow 1.0 sections 5.3.6 and 5.4.1, OpenFlow 1.3 section 7.4.1, OpenFlow 1.5
// section 7.3.6.
#include "config.h"

#include <errno.h>

#include "ofproto/of_msg_private.h"

// --- Packet-in, the standard's. ---

static void
get_frame(struct of_reader *r, struct of_msg_packet_in *pin)
{
    pin->data = r->p;
    pin->len = r->left;
    r->left = 0;
}

static void
set_in_port(struct flow_match *match, uint32_t port)
{
    match_init_any(match);
    match->key.in_port = htobe32(port);
    FLOW_MASK_EXACT(&match->mask, in_port);
    match_update_used(match);
}

static uint32_t
in_port_of(const struct flow_match *match)
{
    return be32toh(match->key.in_port);
}

static int
set_reason(struct of_msg_packet_in *pin, unsigned reason)
{
    pin->reason = reason;
    return reason > OF_PIN_PACKET_OUT ? OF_ERROR_NXBRC_BAD_REASON : 0;
}

int
of_msg_get_packet_in10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_in *pin = &m->u.packet_in;
    pin->buffer_id = of_get32(r);
    pin->total_len = of_get16(r);
    set_in_port(&pin->metadata, of_port_from_10(of_get16(r)));
    int error = set_reason(pin, of_get8(r));
    of_get8(r);
    pin->table = OF_TABLE_ALL;
    get_frame(r, pin);
    return error;
}

int
of_msg_put_packet_in10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_in *pin = &m->u.packet_in;
    of_put32(out, pin->buffer_id);
    of_put16(out, (uint16_t) pin->total_len);
    of_put16(out, of_port_to_10(in_port_of(&pin->metadata)));
    of_put8(out, (uint8_t) pin->reason);
    of_put8(out, 0);
    str_add_n(out, pin->data, pin->len);
    return 0;
}

int
of_msg_get_packet_in11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_in *pin = &m->u.packet_in;
    uint32_t port;
    pin->buffer_id = of_get32(r);
    int error = of_port_from_11(of_get32(r), &port);
    of_get32(r);
    pin->total_len = of_get16(r);
    error = error ? error : set_reason(pin, of_get8(r));
    pin->table = of_get8(r);
    if (!error) {
        set_in_port(&pin->metadata, port);
    }
    get_frame(r, pin);
    return error;
}

int
of_msg_put_packet_in11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_in *pin = &m->u.packet_in;
    of_put32(out, pin->buffer_id);
    of_put32(out, in_port_of(&pin->metadata));
    of_put32(out, in_port_of(&pin->metadata)); // the physical port: no other is known
    of_put16(out, (uint16_t) pin->total_len);
    of_put8(out, (uint8_t) pin->reason);
    of_put8(out, pin->table);
    str_add_n(out, pin->data, pin->len);
    return 0;
}

int
of_msg_get_packet_in12(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_in *pin = &m->u.packet_in;
    pin->buffer_id = of_get32(r);
    pin->total_len = of_get16(r);
    int error = set_reason(pin, of_get8(r));
    pin->table = of_get8(r);
    if (m->version >= OF_13) {
        pin->has_cookie = true;
        pin->cookie = of_get_be64(r);
    }
    error = error ? error : of_match_decode(&r->p, &r->left, OF_OXM_SKIP_UNKNOWN, &pin->metadata);
    of_get16(r);
    get_frame(r, pin);
    return error;
}

int
of_msg_put_packet_in12(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_in *pin = &m->u.packet_in;
    of_put32(out, pin->buffer_id);
    of_put16(out, (uint16_t) pin->total_len);
    of_put8(out, (uint8_t) pin->reason);
    of_put8(out, pin->table);
    if (wire->version >= OF_13) {
        of_put_be64(out, pin->has_cookie ? pin->cookie : UINT64_MAX);
    }
    of_match_encode(&pin->metadata, wire->version, out);
    of_put16(out, 0);
    str_add_n(out, pin->data, pin->len);
    return 0;
}

// --- Nicira's packet-ins. ---

int
of_msg_get_nx_packet_in(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_in *pin = &m->u.packet_in;
    pin->buffer_id = of_get32(r);
    pin->total_len = of_get16(r);
    int error = set_reason(pin, of_get8(r));
    pin->table = of_get8(r);
    pin->cookie = of_get_be64(r);
    pin->has_cookie = true;
    size_t match_len = of_get16(r);
    of_get(r, 6);
    const uint8_t *match = of_get(r, ROUND_UP(match_len, 8));
    if (!match) {
        return OF_ERROR_BMC_BAD_LEN;
    }
    error = error
                ? error
                : of_oxm_match_decode(match, match_len, OF_OXM_SKIP_UNKNOWN, &pin->metadata, NULL);
    of_get16(r);
    get_frame(r, pin);
    return error;
}

int
of_msg_put_nx_packet_in(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_in *pin = &m->u.packet_in;
    of_put32(out, pin->buffer_id);
    of_put16(out, (uint16_t) pin->total_len);
    of_put8(out, (uint8_t) pin->reason);
    of_put8(out, pin->table);
    of_put_be64(out, pin->has_cookie ? pin->cookie : UINT64_MAX);
    size_t len_at = out->len;
    of_put_zeros(out, 8);
    of_nxm_put(&pin->metadata, NULL, len_at, out);
    of_put16(out, 0);
    str_add_n(out, pin->data, pin->len);
    return 0;
}

enum {
    PIN_PACKET,
    PIN_FULL_LEN,
    PIN_BUFFER_ID,
    PIN_TABLE_ID,
    PIN_COOKIE,
    PIN_REASON,
    PIN_METADATA,
    PIN_USERDATA,
    PIN_CONTINUATION
};

static int
get_pin_prop(struct of_prop *prop, struct of_msg_packet_in *pin)
{
    struct of_reader *b = &prop->body;
    switch (prop->type) {
    case PIN_PACKET:
        pin->data = b->p;
        pin->len = b->left;
        return 0;
    case PIN_FULL_LEN:
        pin->total_len = of_get32(b);
        break;
    case PIN_BUFFER_ID:
        pin->buffer_id = of_get32(b);
        break;
    case PIN_TABLE_ID:
        pin->table = of_get8(b);
        break;
    case PIN_COOKIE:
        of_get32(b);
        pin->cookie = of_get_be64(b);
        pin->has_cookie = true;
        break;
    case PIN_REASON: {
        int error = set_reason(pin, of_get8(b));
        return b->bad ? OF_ERROR_BPC_BAD_LEN : error;
    }
    case PIN_METADATA:
        return of_oxm_match_decode(b->p, b->left, OF_OXM_SKIP_UNKNOWN, &pin->metadata, NULL);
    case PIN_USERDATA:
        pin->userdata = b->p;
        pin->userdata_len = b->left;
        pin->has_userdata = true;
        break;
    case PIN_CONTINUATION: // of a paused pipeline: there are none here
        break;
    default:
        return OF_ERROR_BPC_BAD_TYPE;
    }
    return b->bad ? OF_ERROR_BPC_BAD_LEN : 0;
}

int
of_msg_get_nx_packet_in2(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_in *pin = &m->u.packet_in;
    pin->buffer_id = OF_BUFFER_NONE;
    pin->table = OF_TABLE_ALL;
    match_init_any(&pin->metadata);
    while (r->left) {
        struct of_prop prop;
        int error = of_prop_get(r, &prop);
        error = error ? error : get_pin_prop(&prop, pin);
        if (error) {
            return error;
        }
    }
    pin->total_len = pin->total_len ? pin->total_len : pin->len;
    return 0;
}

static void
put_prop8(struct str *out, uint16_t type, uint8_t value)
{
    size_t start = of_prop_begin(out, type);
    of_put8(out, value);
    of_prop_end(out, start);
}

static void
put_prop32(struct str *out, uint16_t type, uint32_t value)
{
    size_t start = of_prop_begin(out, type);
    of_put32(out, value);
    of_prop_end(out, start);
}

static void
put_prop_bytes(struct str *out, uint16_t type, const void *data, size_t len)
{
    size_t start = of_prop_begin(out, type);
    str_add_n(out, data, len);
    of_prop_end(out, start);
}

int
of_msg_put_nx_packet_in2(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_in *pin = &m->u.packet_in;
    put_prop_bytes(out, PIN_PACKET, pin->data, pin->len);
    if (pin->total_len != pin->len) {
        put_prop32(out, PIN_FULL_LEN, (uint32_t) pin->total_len);
    }
    if (pin->buffer_id != OF_BUFFER_NONE) {
        put_prop32(out, PIN_BUFFER_ID, pin->buffer_id);
    }
    if (pin->table != OF_TABLE_ALL) {
        put_prop8(out, PIN_TABLE_ID, pin->table);
    }
    if (pin->has_cookie && pin->cookie != UINT64_MAX) {
        size_t start = of_prop_begin(out, PIN_COOKIE);
        of_put32(out, 0);
        of_put_be64(out, pin->cookie);
        of_prop_end(out, start);
    }
    put_prop8(out, PIN_REASON, (uint8_t) pin->reason);
    size_t start = of_prop_begin(out, PIN_METADATA);
    of_oxm_match_encode(&pin->metadata, wire->version, NULL, out);
    of_prop_end(out, start);
    if (pin->has_userdata) {
        put_prop_bytes(out, PIN_USERDATA, pin->userdata, pin->userdata_len);
    }
    return 0;
}

// --- Packet-out. ---

static bool
is_from_port(uint32_t port)
{
    return port < OF_PORT_MAX || port == OF_PORT_LOCAL || port == OF_PORT_ANY ||
           port == OF_PORT_CONTROLLER;
}

static int
finish_packet_out(struct of_reader *r, size_t actions_len, struct of_msg *m)
{
    struct of_msg_packet_out *po = &m->u.packet_out;
    const uint8_t *actions = of_get(r, actions_len);
    if (!actions) {
        return OF_ERROR_BRC_BAD_LEN;
    }
    if (po->buffer_id == OF_BUFFER_NONE) {
        po->data = r->p;
        po->len = r->left;
    }
    r->left = 0;
    if (!is_from_port(in_port_of(&po->metadata))) {
        return OF_ERROR_BRC_BAD_PORT;
    }
    return of_actions_decode(actions, actions_len, m->version, &po->actions);
}

int
of_msg_get_packet_out10(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_out *po = &m->u.packet_out;
    po->buffer_id = of_get32(r);
    set_in_port(&po->metadata, of_port_from_10(of_get16(r)));
    return finish_packet_out(r, of_get16(r), m);
}

// Actions behind a length written at `len_at`, then the frame.
static void
put_packet_out(const struct of_msg_packet_out *po, enum of_version version, size_t len_at,
               struct str *out)
{
    size_t start = out->len;
    of_actions_encode(&po->actions, version, out);
    of_set16(out, len_at, (uint16_t) (out->len - start));
    if (po->buffer_id == OF_BUFFER_NONE) {
        str_add_n(out, po->data, po->len);
    }
}

int
of_msg_put_packet_out10(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_out *po = &m->u.packet_out;
    of_put32(out, po->buffer_id);
    of_put16(out, of_port_to_10(in_port_of(&po->metadata)));
    of_put16(out, 0);
    put_packet_out(po, OF_10, out->len - 2, out);
    return 0;
}

int
of_msg_get_packet_out11(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_out *po = &m->u.packet_out;
    uint32_t port;
    po->buffer_id = of_get32(r);
    int error = of_port_from_11(of_get32(r), &port);
    if (error) {
        return error;
    }
    set_in_port(&po->metadata, port);
    size_t actions_len = of_get16(r);
    of_get(r, 6);
    return finish_packet_out(r, actions_len, m);
}

int
of_msg_put_packet_out11(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_out *po = &m->u.packet_out;
    of_put32(out, po->buffer_id);
    of_put32(out, in_port_of(&po->metadata));
    of_put_zeros(out, 8);
    put_packet_out(po, wire->version, out->len - 8, out);
    return 0;
}

// Only what doesn't come from the packet may be said.
static bool
is_pipeline_only(const struct flow_match *match)
{
    const uint64_t *words = flow_mask_words(&match->mask);
    for (size_t i = FLOW_STAGE_L2; i < FLOW_WORDS; i++) {
        if (words[i]) {
            return false;
        }
    }
    return true;
}

int
of_msg_get_packet_out15(struct of_reader *r, const struct of_wire *wire, struct of_msg *m)
{
    struct of_msg_packet_out *po = &m->u.packet_out;
    po->buffer_id = of_get32(r);
    size_t actions_len = of_get16(r);
    of_get16(r);
    int error = of_match_decode(&r->p, &r->left, OF_OXM_SKIP_UNKNOWN, &po->metadata);
    if (!error && !is_pipeline_only(&po->metadata)) {
        error = OF_ERROR_BRC_PIPELINE_FIELDS_ONLY;
    } else if (!error && !po->metadata.mask.in_port) {
        error = OF_ERROR_BRC_BAD_PORT;
    }
    return error ? error : finish_packet_out(r, actions_len, m);
}

int
of_msg_put_packet_out15(const struct of_msg *m, const struct of_wire *wire, struct str *out)
{
    const struct of_msg_packet_out *po = &m->u.packet_out;
    of_put32(out, po->buffer_id);
    size_t len_at = out->len;
    of_put32(out, 0);
    of_match_encode(&po->metadata, wire->version, out);
    put_packet_out(po, wire->version, len_at, out);
    return 0;
}
