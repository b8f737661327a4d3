// SPDX-License-Identifier: Apache-2.0
// Decoders of Nicira's actions, in the order of their subtypes.
#include "config.h"

#include "ofproto/of_act_decode.h"

#include "ofproto/of_match_wire.h"

static bool
get_zeros(struct of_act_in *in, size_t n)
{
    const uint8_t *p = of_get(&in->r, n);
    return p && of_act_is_zero(p, n);
}

// What is left of the action is padding.
static int
check_rest(const struct of_act_in *in)
{
    return of_act_is_zero(in->r.p, in->r.left) ? 0 : OF_ERROR_NXBRC_MUST_BE_ZERO;
}

static int
add_plain(struct of_act_in *in, enum of_act_type type)
{
    of_act_in_add(in, type, sizeof(struct of_act_plain));
    return 0;
}

static void
split_ofs_nbits(uint16_t x, unsigned *ofs, unsigned *n_bits)
{
    *ofs = x >> 6;
    *n_bits = (x & 0x3f) + 1u;
}

// A subfield said as one number of offset and width, then the field.
static int
get_ofs_nbits(struct of_act_in *in, struct subfield *s)
{
    unsigned ofs, n;
    split_ofs_nbits(of_get16(&in->r), &ofs, &n);
    return of_act_get_subfield(in, ofs, n, s);
}

// --- resubmit ---

static int
decode_resubmit(struct of_act_in *in)
{
    struct of_act_resubmit *a = of_act_in_add(in, OF_ACT_RESUBMIT, sizeof *a);
    a->in_port = of_port_from_10(of_get16(&in->r));
    a->with_table = in->code != 1;
    a->with_ct = in->code == 44;
    a->table = 0xff;
    if (!a->with_table) {
        return 0;
    }
    a->table = of_get8(&in->r);
    return check_rest(in) ? OF_ERROR_BAC_BAD_ARGUMENT : 0;
}

// --- Numbers ---

static int
decode_set_tunnel(struct of_act_in *in)
{
    struct of_act_u64 *a = of_act_in_add(in, OF_ACT_SET_TUNNEL, sizeof *a);
    of_get(&in->r, in->code == 2 ? 2 : 6);
    a->i.flags = in->code != 2;
    a->value = in->code == 2 ? of_get32(&in->r) : of_get64(&in->r);
    return 0;
}

// OpenFlow's own actions of the same kind, behind two bytes of padding.

static int
decode_set_queue(struct of_act_in *in)
{
    of_get(&in->r, 2);
    return of_act_decode_set_queue(in);
}

static int
decode_group(struct of_act_in *in)
{
    of_get(&in->r, 2);
    return of_act_decode_group(in);
}

static int
decode_mpls_label(struct of_act_in *in)
{
    of_get(&in->r, 2);
    return of_act_decode_mpls_label(in);
}

// --- Words ---

static int
decode_plain(struct of_act_in *in)
{
    switch (in->code) {
    case 5:
        return add_plain(in, OF_ACT_POP_QUEUE);
    case 17:
        return add_plain(in, OF_ACT_EXIT);
    case 26:
        return add_plain(in, OF_ACT_DEC_MPLS_TTL);
    case 43:
        return add_plain(in, OF_ACT_CT_CLEAR);
    default:
        return add_plain(in, OF_ACT_DEC_NSH_TTL);
    }
}

// --- Fields ---

static int
decode_move(struct of_act_in *in)
{
    struct of_act_in as_14 = *in; // without OpenFlow 1.5's padding
    as_14.version = OF_14;
    int error = of_act_decode_copy_field(&as_14);
    in->r = as_14.r;
    return error;
}

static int
check_written(const struct subfield *s)
{
    return field_get(s->field)->access == FIELD_RW ? 0 : OF_ERROR_BAC_BAD_SET_ARGUMENT;
}

static int
decode_load(struct of_act_in *in)
{
    struct subfield dst;
    int error = get_ofs_nbits(in, &dst);
    error = error ? error : check_written(&dst);
    if (error) {
        return error;
    }
    union field_value bits;
    memset(&bits, 0, sizeof bits);
    bits.be64[15] = of_get_be64(&in->r);
    if (dst.n_bits < 64 && be64toh(bits.be64[15]) >> dst.n_bits) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    of_act_add_load(in->acts, &dst, &bits);
    return 0;
}

// A load with an OXM for what is written: masks and long fields.
static int
decode_load2(struct of_act_in *in)
{
    struct of_oxm o;
    int error = of_oxm_decode(&in->r.p, &in->r.left, &o);
    if (error && error != OF_ERROR_BMC_BAD_MASK) {
        return of_act_oxm_error(error);
    }
    if (o.field->access != FIELD_RW || check_rest(in)) {
        return OF_ERROR_BAC_BAD_SET_ARGUMENT;
    }
    of_act_add_set_field(in->acts, o.field, &o.value, &o.mask)->i.flags = OF_SET_FIELD_LOAD2;
    return 0;
}

static int
decode_stack(struct of_act_in *in)
{
    const uint16_t ofs = of_get16(&in->r);
    enum field_id id;
    int error = of_act_get_field(in, &id);
    if (error) {
        return error;
    }
    const struct subfield s = {id, ofs, of_get16(&in->r)};
    error = check_rest(in);
    error = error ? error : of_act_check_subfield(&s);
    if (!error && in->code == 28) {
        error = check_written(&s);
    }
    if (error) {
        return error;
    }
    struct of_act_stack *a =
        of_act_in_add(in, in->code == 27 ? OF_ACT_STACK_PUSH : OF_ACT_STACK_POP, sizeof *a);
    a->sub = s;
    return 0;
}

static int
decode_delete_field(struct of_act_in *in)
{
    enum field_id id;
    int error = of_act_get_field(in, &id);
    if (error) {
        return error;
    }
    struct of_act_field *a = of_act_in_add(in, OF_ACT_DELETE_FIELD, sizeof *a);
    a->field = id;
    return 0;
}

static int
decode_output_reg(struct of_act_in *in)
{
    struct subfield src;
    unsigned ofs, n;
    uint16_t max_len = 0;
    split_ofs_nbits(of_get16(&in->r), &ofs, &n);
    if (in->code == 32) {
        max_len = of_get16(&in->r);
    }
    int error = of_act_get_subfield(in, ofs, n, &src);
    if (in->code == 15) {
        max_len = of_get16(&in->r);
    }
    if (check_rest(in)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    if (error) {
        return error;
    }
    struct of_act_output_reg *a = of_act_in_add(in, OF_ACT_OUTPUT_REG, sizeof *a);
    a->src = src;
    a->max_len = max_len;
    return 0;
}

static int
decode_check_pkt_larger(struct of_act_in *in)
{
    const uint16_t len = of_get16(&in->r), ofs = of_get16(&in->r);
    enum field_id id;
    int error = of_act_get_field(in, &id);
    error = error ? error : check_rest(in);
    const struct subfield dst = {error ? FIELD_REG0 : id, ofs, 1};
    error = error ? error : of_act_check_subfield(&dst);
    error = error ? error : check_written(&dst);
    if (error) {
        return error;
    }
    struct of_act_check_pkt_larger *a = of_act_in_add(in, OF_ACT_CHECK_PKT_LARGER, sizeof *a);
    a->dst = dst;
    a->pkt_len = len;
    return 0;
}

// --- Output ---

static int
decode_output_trunc(struct of_act_in *in)
{
    struct of_act_output *a = of_act_in_add(in, OF_ACT_OUTPUT_TRUNC, sizeof *a);
    a->port = of_port_from_10(of_get16(&in->r));
    a->max_len = of_get32(&in->r);
    if (a->max_len < 14) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    return a->port < OF_PORT_MAX || a->port == OF_PORT_IN_PORT || a->port == OF_PORT_LOCAL
               ? 0
               : OF_ERROR_BAC_BAD_OUT_PORT;
}

static int
decode_controller(struct of_act_in *in)
{
    struct of_act_controller *a = of_act_in_add(in, OF_ACT_CONTROLLER, sizeof *a);
    a->max_len = of_get16(&in->r);
    a->controller_id = of_get16(&in->r);
    a->reason = of_get8(&in->r);
    return 0;
}

static int
decode_controller_property(struct of_act_controller *h, unsigned type, struct of_reader *r,
                           const uint8_t **userdata)
{
    switch (type) {
    case 0:
        h->max_len = of_get16(r);
        break;
    case 1:
        h->controller_id = of_get16(r);
        break;
    case 2:
        h->reason = of_get8(r);
        break;
    case 3:
        h->userdata_len = (uint16_t) r->left;
        *userdata = r->p;
        r->left = 0;
        break;
    case 4:
        h->pause = true;
        break;
    case 5:
        h->meter_id = of_get32(r);
        break;
    default:
        return OF_ERROR_BPC_BAD_TYPE;
    }
    return r->bad || r->left ? OF_ERROR_BPC_BAD_LEN : 0;
}

static int
decode_controller2(struct of_act_in *in)
{
    struct of_act_controller h = {.max_len = UINT16_MAX, .reason = OF_PIN_ACTION};
    const uint8_t *userdata = NULL;
    if (!get_zeros(in, 6)) {
        return OF_ERROR_NXBRC_MUST_BE_ZERO;
    }
    while (in->r.left) {
        struct of_reader r = in->r;
        const unsigned type = of_get16(&r), len = of_get16(&r);
        if (r.bad || len < 4 || ROUND_UP(len, 8u) > in->r.left) {
            return OF_ERROR_BPC_BAD_LEN;
        }
        r.left = len - 4;
        int error = decode_controller_property(&h, type, &r, &userdata);
        if (error) {
            return error;
        }
        of_get(&in->r, ROUND_UP(len, 8u));
    }
    of_act_add_controller(in->acts, &h, userdata);
    return 0;
}

// --- Others ---

static int
decode_note(struct of_act_in *in)
{
    struct of_act_note *a = of_act_in_add(in, OF_ACT_NOTE, sizeof *a + in->r.left);
    a->n = (uint32_t) in->r.left;
    memcpy(a->data, in->r.p, in->r.left);
    return 0;
}

static int
decode_dec_ttl(struct of_act_in *in)
{
    if (in->code == 18) {
        of_act_in_add(in, OF_ACT_DEC_TTL, sizeof(struct of_act_ids));
        return 0;
    }
    const uint32_t n = of_get16(&in->r);
    if (!get_zeros(in, 4)) {
        return OF_ERROR_NXBRC_MUST_BE_ZERO;
    }
    if (in->r.left < n * 2) {
        return OF_ERROR_BAC_BAD_LEN;
    }
    struct of_act_ids *a = of_act_in_add(in, OF_ACT_DEC_TTL, sizeof *a + n * sizeof a->ids[0]);
    a->i.flags = 1;
    a->n = n;
    for (uint32_t k = 0; k < n; k++) {
        a->ids[k] = of_get16(&in->r);
    }
    return 0;
}

static int
decode_fin_timeout(struct of_act_in *in)
{
    struct of_act_fin_timeout *a = of_act_in_add(in, OF_ACT_FIN_TIMEOUT, sizeof *a);
    a->idle_timeout = of_get16(&in->r);
    a->hard_timeout = of_get16(&in->r);
    return 0;
}

static int
decode_write_metadata(struct of_act_in *in)
{
    if (!get_zeros(in, 6)) {
        return OF_ERROR_NXBRC_MUST_BE_ZERO;
    }
    struct of_act_write_metadata *a = of_act_in_add(in, OF_ACT_WRITE_METADATA, sizeof *a);
    a->metadata = of_get_be64(&in->r);
    a->mask = of_get_be64(&in->r);
    return 0;
}

static int
decode_conjunction(struct of_act_in *in)
{
    struct of_act_conjunction *a = of_act_in_add(in, OF_ACT_CONJUNCTION, sizeof *a);
    a->clause = of_get8(&in->r);
    a->n_clauses = of_get8(&in->r);
    a->id = of_get32(&in->r);
    return a->n_clauses < 2 || a->n_clauses > 64 || a->clause >= a->n_clauses
               ? OF_ERROR_NXBAC_BAD_CONJUNCTION
               : 0;
}

static int
decode_multipath(struct of_act_in *in)
{
    struct of_act_multipath m = {.fields = of_get16(&in->r)};
    m.basis = of_get16(&in->r);
    of_get(&in->r, 2);
    m.algorithm = of_get16(&in->r);
    m.max_link = of_get16(&in->r);
    m.arg = of_get32(&in->r);
    of_get(&in->r, 2);
    int error = get_ofs_nbits(in, &m.dst);
    if (error) {
        return error;
    }
    if (m.fields >= OF_N_HASH_FIELDS || m.algorithm > OF_MP_ITER_HASH ||
        (m.dst.n_bits < 16 && m.max_link >> m.dst.n_bits)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    error = check_written(&m.dst);
    if (error) {
        return error;
    }
    struct of_act_multipath *a = of_act_in_add(in, OF_ACT_MULTIPATH, sizeof *a);
    m.i = a->i;
    *a = m;
    return 0;
}

static int
decode_bundle(struct of_act_in *in)
{
    struct of_act_bundle b = {.algorithm = of_get16(&in->r)};
    b.fields = of_get16(&in->r);
    b.basis = of_get16(&in->r);
    const uint32_t kind = of_get32(&in->r);
    b.n_members = of_get16(&in->r);
    const uint16_t ofs_nbits = of_get16(&in->r);
    struct of_act_in dst = *in;
    of_get(&in->r, 4);
    if (kind != 2 || b.fields >= OF_N_HASH_FIELDS || b.algorithm > OF_BUNDLE_HRW ||
        b.n_members > 2048) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    if (in->code == 13) {
        unsigned ofs, n;
        split_ofs_nbits(ofs_nbits, &ofs, &n);
        int error = of_act_get_subfield(&dst, ofs, n, &b.dst);
        error = error ? error : check_written(&b.dst);
        if (error) {
            return error;
        }
        if (b.dst.n_bits < 16) {
            return OF_ERROR_BAC_BAD_ARGUMENT;
        }
    } else if (ofs_nbits || dst.r.left < 8 || !of_act_is_zero(dst.r.p, 8)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    of_get(&in->r, 4);
    if (in->r.left < b.n_members * 2u) {
        return OF_ERROR_BAC_BAD_LEN;
    }
    struct of_act_bundle *a =
        of_act_in_add(in, OF_ACT_BUNDLE, sizeof *a + b.n_members * sizeof a->members[0]);
    b.i = a->i;
    *a = b;
    for (unsigned k = 0; k < b.n_members; k++) {
        a->members[k] = of_port_from_10(of_get16(&in->r));
    }
    return 0;
}

static int
decode_sample(struct of_act_in *in)
{
    const uint16_t form = in->code == 29 ? 1 : in->code == 38 ? 2 : 3;
    struct of_act_sample *a = of_act_in_add(in, OF_ACT_SAMPLE, sizeof *a);
    a->i.flags = form;
    a->probability = of_get16(&in->r);
    a->collector_set_id = of_get32(&in->r);
    a->obs_domain_id = of_get32(&in->r);
    a->obs_point_id = of_get32(&in->r);
    a->sampling_port = OF_PORT_ANY;
    if (!a->probability) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    if (form > 1) {
        a->sampling_port = of_port_from_10(of_get16(&in->r));
    }
    if (form > 2) {
        a->direction = of_get8(&in->r);
    }
    if (a->direction > OF_SAMPLE_EGRESS) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    return form > 2 ? check_rest(in) : 0;
}

static int
decode_clone(struct of_act_in *in)
{
    of_get(&in->r, 6);
    const size_t ofs = flat_begin(&in->acts->list, OF_ACT_CLONE, sizeof(struct of_act_nest));
    int error = of_act_decode_list(in, in->r.p, in->r.left, OF_ACT_CLONE);
    flat_end(&in->acts->list, ofs);
    return error;
}

// --- ct, nat ---

// Without commit nothing of the connection is set.
static int
check_committed(const struct of_act_ct *a)
{
    const struct flat_item *i;
    OF_ACT_FOR_EACH_NESTED (i, &a->i, sizeof *a) {
        if (i->type != OF_ACT_NAT) {
            return OF_ERROR_BAC_BAD_ARGUMENT;
        }
        if (((const struct of_act_nat *) (const void *) i)->flags & (OF_NAT_SRC | OF_NAT_DST)) {
            return OF_ERROR_BAC_BAD_ARGUMENT;
        }
    }
    return 0;
}

static int
decode_zone(struct of_act_in *in, struct of_act_ct *h)
{
    if (in->r.left >= 6 && of_act_is_zero(in->r.p, 4)) {
        of_get(&in->r, 4);
        h->zone_imm = of_get16(&in->r);
        return 0;
    }
    enum field_id id;
    int error = of_act_get_field(in, &id);
    if (error) {
        return error == OF_ERROR_BMC_BAD_FIELD ? OF_ERROR_BAC_BAD_SET_TYPE : error;
    }
    unsigned ofs, n;
    split_ofs_nbits(of_get16(&in->r), &ofs, &n);
    h->zone_src = (struct subfield){id, (uint16_t) ofs, (uint16_t) n};
    error = of_act_check_subfield(&h->zone_src);
    return error ? error : n == 16 ? 0 : OF_ERROR_BAC_BAD_SET_LEN;
}

static int
decode_ct(struct of_act_in *in)
{
    struct of_act_ct h = {.flags = of_get16(&in->r)};
    if (h.flags & OF_CT_FORCE && !(h.flags & OF_CT_COMMIT)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    int error = decode_zone(in, &h);
    if (error) {
        return error;
    }
    h.recirc_table = of_get8(&in->r);
    of_get(&in->r, 3);
    h.alg = of_get16(&in->r);
    const size_t ofs = flat_begin(&in->acts->list, OF_ACT_CT, sizeof h);
    struct of_act_ct *a = (void *) (in->acts->list.data + ofs);
    h.i = a->i;
    *a = h;
    error = of_act_decode_list(in, in->r.p, in->r.left, OF_ACT_CT);
    flat_end(&in->acts->list, ofs);
    if (!error && !(h.flags & OF_CT_COMMIT)) {
        error = check_committed((const void *) (in->acts->list.data + ofs));
    }
    return error;
}

#define RANGE_IPV4 0x03
#define RANGE_IPV6 0x0c
#define RANGE_PORTS 0x30

static int
decode_nat(struct of_act_in *in)
{
    of_get(&in->r, 2);
    struct of_act_nat n = {.flags = of_get16(&in->r)};
    const uint16_t range = of_get16(&in->r);
    const bool v4 = range & RANGE_IPV4, v6 = range & RANGE_IPV6;
    const size_t bytes = v4 ? 4 : 16;
    if ((n.flags & (OF_NAT_SRC | OF_NAT_DST)) == (OF_NAT_SRC | OF_NAT_DST) || n.flags >> 5 ||
        (n.flags & (OF_NAT_HASH | OF_NAT_RANDOM)) == (OF_NAT_HASH | OF_NAT_RANDOM) || (v4 && v6) ||
        range >> 6 || ((n.flags || range) && !(n.flags & (OF_NAT_SRC | OF_NAT_DST)))) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    // A maximum comes with its minimum, ports with an address.
    if ((range & 0x2 && !(range & 0x1)) || (range & 0x8 && !(range & 0x4)) ||
        (range & 0x20 && !(range & 0x10)) || (range & RANGE_PORTS && !v4 && !v6)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    if (v4 || v6) {
        n.family = v4 ? 4 : 6;
        of_get_copy(&in->r, n.min, bytes);
        if (range & 0x0a) {
            of_get_copy(&in->r, n.max, bytes);
        }
    }
    n.port_min = range & 0x10 ? of_get16(&in->r) : 0;
    n.port_max = range & 0x20 ? of_get16(&in->r) : 0;
    if (in->r.bad || in->r.left >= 8) {
        return OF_ERROR_BAC_BAD_LEN;
    }
    if ((range & 0x0a && memcmp(n.min, n.max, sizeof n.min) > 0) ||
        (range & 0x20 && n.port_max < n.port_min)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    struct of_act_nat *a = of_act_in_add(in, OF_ACT_NAT, sizeof *a);
    n.i = a->i;
    *a = n;
    return 0;
}

// --- encap, decap ---

static int
decode_encap_property(struct of_act_in *in, size_t ofs, struct of_reader *r, uint8_t type)
{
    struct of_act_encap *a = (void *) (in->acts->list.data + ofs);
    if (type == 1) {
        a->md_type = of_get8(r);
        return r->bad || r->left || (a->md_type != 1 && a->md_type != 2)
                   ? OF_ERROR_NXBAC_BAD_ED_PROP
                   : 0;
    }
    if (type != 2) {
        return OF_ERROR_NXBAC_UNKNOWN_ED_PROP;
    }
    struct of_encap_tlv tlv = {.class_ = htobe16(of_get16(r))};
    tlv.type = of_get8(r);
    tlv.len = of_get8(r);
    if (r->bad || r->left < tlv.len || r->left - tlv.len >= 8) {
        return OF_ERROR_NXBAC_BAD_ED_PROP;
    }
    a->n_tlvs++;
    of_act_add_tlv(in->acts, &tlv, r->p);
    return 0;
}

static int
decode_encap(struct of_act_in *in)
{
    const size_t ofs = flat_begin(&in->acts->list, OF_ACT_ENCAP, sizeof(struct of_act_encap));
    struct of_act_encap *a = (void *) (in->acts->list.data + ofs);
    a->hdr_size = of_get16(&in->r);
    a->packet_type = of_get32(&in->r);
    if (a->packet_type != 0 && a->packet_type != 0x1894f && a->packet_type != 0x18847 &&
        a->packet_type != 0x18848) {
        return OF_ERROR_NXBAC_BAD_HEADER_TYPE;
    }
    while (in->r.left) {
        struct of_reader r = in->r;
        const uint16_t class_ = of_get16(&r);
        const uint8_t type = of_get8(&r), len = of_get8(&r);
        if (r.bad || len < 4 || ROUND_UP(len, 8u) > in->r.left) {
            return OF_ERROR_BAC_BAD_LEN;
        }
        if (class_ != 4) {
            return OF_ERROR_NXBAC_UNKNOWN_ED_PROP;
        }
        r.left = len - 4u;
        int error = decode_encap_property(in, ofs, &r, type);
        if (error) {
            return error;
        }
        of_get(&in->r, ROUND_UP(len, 8u));
    }
    flat_end(&in->acts->list, ofs);
    return 0;
}

static int
decode_decap(struct of_act_in *in)
{
    struct of_act_decap *a = of_act_in_add(in, OF_ACT_DECAP, sizeof *a);
    of_get(&in->r, 2);
    a->packet_type = of_get32(&in->r);
    return check_rest(in);
}

const struct of_act_code of_act_nx_codes[] = {
    {7, OF_10, OF_15, 24, false, decode_load},
    {14, OF_10, OF_15, 16, false, decode_resubmit},
    {1, OF_10, OF_15, 16, false, decode_resubmit},
    {2, OF_10, OF_15, 16, false, decode_set_tunnel},
    {4, OF_10, OF_15, 16, false, decode_set_queue},
    {5, OF_10, OF_15, 16, false, decode_plain},
    {6, OF_10, OF_15, 16, true, decode_move},
    {8, OF_10, OF_15, 16, true, decode_note},
    {9, OF_10, OF_15, 24, false, decode_set_tunnel},
    {10, OF_10, OF_15, 32, false, decode_multipath},
    {12, OF_10, OF_15, 32, true, decode_bundle},
    {13, OF_10, OF_15, 32, true, decode_bundle},
    {15, OF_10, OF_15, 24, false, decode_output_reg},
    {16, OF_10, OF_15, 32, true, of_act_decode_learn},
    {17, OF_10, OF_15, 16, false, decode_plain},
    {18, OF_10, OF_15, 16, false, decode_dec_ttl},
    {19, OF_10, OF_15, 16, false, decode_fin_timeout},
    {20, OF_10, OF_15, 16, false, decode_controller},
    {21, OF_10, OF_15, 16, true, decode_dec_ttl},
    {22, OF_10, OF_10, 32, false, decode_write_metadata},
    {23, OF_10, OF_15, 16, false, of_act_decode_push_mpls},
    {24, OF_10, OF_15, 16, false, of_act_decode_pop_mpls},
    {25, OF_10, OF_15, 16, false, of_act_decode_mpls_ttl},
    {26, OF_10, OF_15, 16, false, decode_plain},
    {27, OF_10, OF_15, 24, false, decode_stack},
    {28, OF_10, OF_15, 24, false, decode_stack},
    {29, OF_10, OF_15, 24, false, decode_sample},
    {30, OF_10, OF_15, 16, false, decode_mpls_label},
    {31, OF_10, OF_15, 16, false, of_act_decode_mpls_tc},
    {32, OF_10, OF_15, 24, false, decode_output_reg},
    {33, OF_10, OF_15, 16, true, decode_load2},
    {34, OF_10, OF_15, 16, false, decode_conjunction},
    {35, OF_10, OF_15, 24, true, decode_ct},
    {36, OF_10, OF_15, 16, true, decode_nat},
    {37, OF_10, OF_15, 16, true, decode_controller2},
    {38, OF_10, OF_15, 32, false, decode_sample},
    {39, OF_10, OF_15, 16, false, decode_output_trunc},
    {40, OF_10, OF_15, 16, false, decode_group},
    {41, OF_10, OF_15, 32, false, decode_sample},
    {42, OF_10, OF_15, 16, true, decode_clone},
    {43, OF_10, OF_15, 16, false, decode_plain},
    {44, OF_10, OF_15, 16, false, decode_resubmit},
    {45, OF_10, OF_15, 32, true, of_act_decode_learn},
    {46, OF_13, OF_15, 16, true, decode_encap},
    {47, OF_13, OF_15, 16, false, decode_decap},
    {48, OF_13, OF_15, 16, false, decode_plain},
    {49, OF_10, OF_15, 24, false, decode_check_pkt_larger},
    {50, OF_10, OF_15, 24, false, decode_delete_field},
};
const size_t of_act_n_nx_codes = ARRAY_SIZE(of_act_nx_codes);
