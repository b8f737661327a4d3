// SPDX-License-Identifier: Apache-2.0
// Decoder of learn, in its two forms: see of_act_learn.c.
#include "config.h"

#include "ofproto/of_act_decode.h"

#include "ofproto/of_match_wire.h"

#define SPEC_N_BITS 0x03ff
#define SPEC_DST 0x1800
#define SPEC_SRC_IMM 0x2000

static bool
is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    while (n--) {
        any |= *p++;
    }
    return !any;
}

// The number has n_bits; what the wire says above them means nothing.
static void
clear_above(uint8_t *p, size_t len, unsigned n_bits)
{
    for (size_t k = 0; k < len; k++) {
        const size_t below = (len - 1 - k) * 8; // bits of the bytes that follow
        if (below >= n_bits) {
            p[k] = 0;
        } else if (n_bits - below < 8) {
            p[k] &= (uint8_t) ((1u << (n_bits - below)) - 1);
        }
    }
}

static int
get_part(struct of_act_in *in, unsigned n_bits, struct subfield *s)
{
    enum field_id id;
    int error = of_act_get_field(in, &id);
    if (error) {
        return error == OF_ERROR_BMC_BAD_FIELD ? OF_ERROR_BAC_BAD_SET_TYPE
               : error == OF_ERROR_BMC_BAD_LEN ? OF_ERROR_BAC_BAD_LEN
                                               : error;
    }
    *s = (struct subfield){id, of_get16(&in->r), (uint16_t) n_bits};
    return in->r.bad ? OF_ERROR_BAC_BAD_LEN : of_act_check_subfield(s);
}

static int
decode_spec(struct of_act_in *in, uint16_t header, size_t learn)
{
    struct of_learn_spec spec = {.n_bits = header & SPEC_N_BITS,
                                 .src_type =
                                     header & SPEC_SRC_IMM ? OF_LEARN_SRC_IMM : OF_LEARN_SRC_FIELD,
                                 .dst_type = (header & SPEC_DST) >> 11};
    const uint8_t *imm = NULL;
    int error = 0;
    if (header & ~(SPEC_N_BITS | SPEC_DST | SPEC_SRC_IMM) || !spec.n_bits ||
        spec.dst_type > OF_LEARN_DST_OUTPUT ||
        (spec.dst_type == OF_LEARN_DST_OUTPUT && spec.src_type == OF_LEARN_SRC_IMM)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    if (spec.src_type == OF_LEARN_SRC_IMM) {
        spec.imm_len = (uint16_t) (DIV_ROUND_UP(spec.n_bits, 16u) * 2);
        imm = of_get(&in->r, spec.imm_len);
        error = imm ? 0 : OF_ERROR_BAC_BAD_LEN;
    } else {
        error = get_part(in, spec.n_bits, &spec.src);
    }
    if (!error && spec.dst_type != OF_LEARN_DST_OUTPUT) {
        error = get_part(in, spec.n_bits, &spec.dst);
    }
    if (error) {
        return error;
    }
    struct of_learn_spec *s = of_act_learn_add_spec(in->acts, learn, spec.imm_len);
    *s = spec;
    if (imm) {
        memcpy(s->imm, imm, spec.imm_len);
        const struct field_info *dst = field_get(spec.dst.field);
        const bool whole = !spec.dst.ofs && spec.n_bits == of_act_field_bits(dst);
        clear_above(s->imm, spec.imm_len, whole ? field_value_bits(dst) : spec.n_bits);
    }
    return 0;
}

static int
decode_second_head(struct of_act_in *in, size_t learn)
{
    struct of_act_learn *a = (void *) (in->acts->list.data + learn);
    a->limit = of_get32(&in->r);
    const uint16_t ofs = of_get16(&in->r), pad = of_get16(&in->r);
    if (pad) {
        return OF_ERROR_NXBAC_MUST_BE_ZERO;
    }
    if (ofs && !(a->flags & OF_LEARN_WRITE_RESULT)) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    return a->flags & OF_LEARN_WRITE_RESULT ? of_act_get_subfield(in, ofs, 1, &a->result_dst) : 0;
}

int
of_act_decode_learn(struct of_act_in *in)
{
    const size_t ofs = flat_begin(&in->acts->list, OF_ACT_LEARN, sizeof(struct of_act_learn));
    struct of_act_learn *a = (void *) (in->acts->list.data + ofs);
    const bool second = in->code == 45;
    a->idle_timeout = of_get16(&in->r);
    a->hard_timeout = of_get16(&in->r);
    a->priority = of_get16(&in->r);
    a->cookie = of_get_be64(&in->r);
    a->flags = of_get16(&in->r);
    a->table = of_get8(&in->r);
    const uint8_t pad = of_get8(&in->r);
    a->fin_idle_timeout = of_get16(&in->r);
    a->fin_hard_timeout = of_get16(&in->r);
    const uint16_t known =
        OF_LEARN_SEND_REM | OF_LEARN_DELETE_LEARNED | (second ? OF_LEARN_WRITE_RESULT : 0);
    if (pad || a->table == 0xff || a->flags & ~known) {
        return OF_ERROR_BAC_BAD_ARGUMENT;
    }
    int error = second ? decode_second_head(in, ofs) : 0;
    while (!error && in->r.left >= 2) {
        const uint16_t header = of_get16(&in->r);
        if (!header) {
            break;
        }
        error = decode_spec(in, header, ofs);
    }
    flat_end(&in->acts->list, ofs);
    return error ? error : is_zero(in->r.p, in->r.left) ? 0 : OF_ERROR_BAC_BAD_ARGUMENT;
}
