// SPDX-License-Identifier: Apache-2.0
// Lists of actions and instructions from the wire: walks the headers, finds the row of each code,
// checks lengths. Decoders see a reader over the action's body and can't read past it.
//
// Source: OpenFlow 1.0 section 5.2.4, 1.5 sections 7.2.3 and 7.2.4; Nicira's as the stock switch
// speaks them.
#include "config.h"

#include "ofproto/of_act_decode.h"

#include "ofproto/of_match_wire.h"

#define VENDOR 0xffff

// --- Helpers of the decoders. ---

int
of_act_oxm_error(int error)
{
    switch (error) {
    case OF_ERROR_BMC_BAD_FIELD:
    case OF_ERROR_BMC_BAD_LEN:
        return OF_ERROR_BAC_BAD_SET_LEN;
    case OF_ERROR_BMC_BAD_VALUE:
        return OF_ERROR_BAC_BAD_SET_ARGUMENT;
    case OF_ERROR_BMC_BAD_MASK:
        return OF_ERROR_BAC_BAD_SET_MASK;
    default:
        return error;
    }
}

int
of_act_get_field(struct of_act_in *in, enum field_id *id)
{
    const struct field_info *f;
    bool has_mask;
    int error = of_oxm_header_decode(&in->r.p, &in->r.left, &f, &has_mask);
    if (error) {
        return error;
    }
    *id = f->id;
    return has_mask ? OF_ERROR_BMC_BAD_MASK : 0;
}

int
of_act_check_subfield(const struct subfield *s)
{
    const unsigned bits = of_act_field_bits(field_get(s->field));
    return !s->n_bits || s->ofs >= bits || s->n_bits > bits - s->ofs ? OF_ERROR_BAC_BAD_SET_LEN : 0;
}

int
of_act_get_subfield(struct of_act_in *in, unsigned ofs, unsigned n_bits, struct subfield *s)
{
    enum field_id id;
    int error = of_act_get_field(in, &id);
    if (error) {
        return error == OF_ERROR_BMC_BAD_FIELD ? OF_ERROR_BAC_BAD_SET_TYPE : error;
    }
    *s = (struct subfield){id, (uint16_t) ofs, (uint16_t) n_bits};
    return of_act_check_subfield(s);
}

// --- Actions. ---

static const struct of_act_code *
find_code(const struct of_act_code *codes, size_t n, uint16_t code, enum of_version version)
{
    for (size_t k = 0; k < n; k++) {
        if (codes[k].code == code && version >= codes[k].first && version <= codes[k].last) {
            return &codes[k];
        }
    }
    return NULL;
}

// Reads type and vendor; *c is what decodes the rest.
static int
decode_header(struct of_act_in *in, const struct of_act_code **c)
{
    if (in->code != VENDOR) {
        *c = find_code(of_act_std_codes, of_act_n_std_codes, in->code, in->version);
        return *c ? 0 : OF_ERROR_BAC_BAD_TYPE;
    }
    const uint32_t vendor = of_get32(&in->r);
    in->code = of_get16(&in->r);
    if (in->r.bad) {
        return OF_ERROR_BAC_BAD_LEN;
    }
    if (vendor != OF_VENDOR_NICIRA) {
        return OF_ERROR_BAC_BAD_VENDOR;
    }
    *c = find_code(of_act_nx_codes, of_act_n_nx_codes, in->code, in->version);
    return *c ? 0 : OF_ERROR_BAC_BAD_VENDOR_TYPE;
}

// One action of a list that goes on for `left` bytes. What it is comes first, then how long it is.
static int
decode_one(struct of_act_in *in, size_t len, size_t left)
{
    const struct of_act_code *c;
    int error = decode_header(in, &c);
    if (error) {
        return error;
    }
    if (len < 8 || len % 8 || len > left || (c->varies ? len < c->len : len != c->len)) {
        return OF_ERROR_BAC_BAD_LEN;
    }
    in->r.left -= left - len;
    error = c->decode(in);
    return error ? error : in->r.bad ? OF_ERROR_BAC_BAD_LEN : 0;
}

static int
decode_list(struct of_act_in *up, const uint8_t *p, size_t left)
{
    while (left) {
        if (left < 4) {
            return OF_ERROR_BAC_BAD_LEN;
        }
        struct of_act_in in = *up;
        in.r = (struct of_reader){.p = p, .left = left};
        in.code = of_get16(&in.r);
        const size_t len = of_get16(&in.r);
        int error = decode_one(&in, len, left);
        if (error) {
            return error;
        }
        p += len;
        left -= len;
    }
    return 0;
}

int
of_act_decode_list(struct of_act_in *up, const void *data, size_t len, enum of_act_type outer)
{
    if (up->depth >= OF_ACT_MAX_DEPTH) {
        return OF_ERROR_BAC_TOO_MANY;
    }
    struct of_act_in in = *up;
    in.depth++;
    const size_t start = in.acts->list.len;
    int error = decode_list(&in, data, len);
    if (error) {
        return error;
    }
    return of_act_verify(&in.acts->list, start, outer, NULL);
}

static int
decode(const void *data, size_t len, enum of_version version, enum of_act_type outer,
       struct of_actions *acts)
{
    struct of_act_in in = {.acts = acts, .version = version};
    const size_t start = acts->list.len;
    int error = len % 8 ? OF_ERROR_BRC_BAD_LEN : of_act_decode_list(&in, data, len, outer);
    if (error) {
        acts->list.len = (uint32_t) start;
    }
    return error;
}

int
of_actions_decode(const void *data, size_t len, enum of_version version, struct of_actions *acts)
{
    return decode(data, len, version, OF_ACT_OUTER_ACTIONS, acts);
}

// --- Instructions. ---

enum { INST_GOTO = 1, INST_METADATA, INST_WRITE, INST_APPLY, INST_CLEAR, INST_METER, N_INST };

struct instructions {
    struct of_reader body[N_INST]; // p NULL: not there
};

static int
check_length(unsigned type, size_t len)
{
    switch (type) {
    case INST_METADATA:
        return len == 24 ? 0 : OF_ERROR_BIC_BAD_LEN;
    case INST_WRITE:
    case INST_APPLY:
        return len >= 8 ? 0 : OF_ERROR_BIC_BAD_LEN;
    default:
        return len == 8 ? 0 : OF_ERROR_BIC_BAD_LEN;
    }
}

static int
collect(struct of_reader r, enum of_version version, struct instructions *out)
{
    while (r.left) {
        const uint8_t *p = r.p;
        if (r.left < 8) {
            return OF_ERROR_BIC_BAD_LEN;
        }
        const unsigned type = (unsigned) (p[0] << 8 | p[1]), len = (unsigned) (p[2] << 8 | p[3]);
        if (len < 8 || len % 8 || len > r.left) {
            return OF_ERROR_BIC_BAD_LEN;
        }
        if (type == VENDOR) {
            return OF_ERROR_BIC_BAD_EXPERIMENTER;
        }
        if (!type || type >= N_INST) {
            return OF_ERROR_BIC_UNKNOWN_INST;
        }
        int error = check_length(type, len);
        if (error) {
            return error;
        }
        if (type == INST_METER && (version < OF_13 || version > OF_14)) {
            return OF_ERROR_BIC_UNKNOWN_INST;
        }
        if (out->body[type].p) {
            return OF_ERROR_BIC_DUP_INST;
        }
        out->body[type] = (struct of_reader){.p = p + 4, .left = len - 4};
        of_get(&r, len);
    }
    return 0;
}

static void
add_metadata(struct of_actions *acts, struct of_reader *r)
{
    struct of_act_write_metadata *a = of_actions_add(acts, OF_ACT_WRITE_METADATA, sizeof *a);
    of_get32(r);
    a->metadata = of_get_be64(r);
    a->mask = of_get_be64(r);
}

static bool
may_be_in_set(enum of_act_type type)
{
    switch (type) {
    case OF_ACT_OUTPUT_REG:
    case OF_ACT_OUTPUT_TRUNC:
    case OF_ACT_CONTROLLER:
    case OF_ACT_ENQUEUE:
    case OF_ACT_BUNDLE:
    case OF_ACT_STACK_PUSH:
    case OF_ACT_STACK_POP:
    case OF_ACT_DELETE_FIELD:
    case OF_ACT_POP_QUEUE:
    case OF_ACT_FIN_TIMEOUT:
    case OF_ACT_LEARN:
    case OF_ACT_CONJUNCTION:
    case OF_ACT_MULTIPATH:
    case OF_ACT_NOTE:
    case OF_ACT_EXIT:
    case OF_ACT_SAMPLE:
    case OF_ACT_CLONE:
    case OF_ACT_CHECK_PKT_LARGER:
        return false;
    default:
        return true;
    }
}

static int
add_write_actions(struct of_act_in *in, const struct of_reader *r)
{
    const size_t ofs =
        flat_begin(&in->acts->list, OF_ACT_WRITE_ACTIONS, sizeof(struct of_act_nest));
    int error = of_act_decode_list(in, r->p + 4, r->left - 4, OF_ACT_WRITE_ACTIONS);
    flat_end(&in->acts->list, ofs);
    const struct flat_item *i = (const void *) (in->acts->list.data + ofs), *child;
    if (!error) {
        OF_ACT_FOR_EACH_NESTED (child, i, sizeof(struct of_act_nest)) {
            if (!may_be_in_set((enum of_act_type) child->type)) {
                return OF_ERROR_BAC_BAD_TYPE;
            }
        }
    }
    return error;
}

// In the order in which they take effect.
static int
add_all(struct of_act_in *in, struct instructions *i)
{
    struct of_reader *b = i->body;
    int error = 0;
    if (b[INST_METER].p) {
        struct of_act_u32 *a = of_actions_add(in->acts, OF_ACT_METER, sizeof *a);
        a->value = of_get32(&b[INST_METER]);
    }
    if (b[INST_APPLY].p) {
        error = decode_list(in, b[INST_APPLY].p + 4, b[INST_APPLY].left - 4);
    }
    if (b[INST_CLEAR].p) {
        of_actions_add(in->acts, OF_ACT_CLEAR_ACTIONS, sizeof(struct of_act_plain));
    }
    if (!error && b[INST_WRITE].p) {
        error = add_write_actions(in, &b[INST_WRITE]);
    }
    if (b[INST_METADATA].p) {
        add_metadata(in->acts, &b[INST_METADATA]);
    }
    if (b[INST_GOTO].p) {
        struct of_act_u32 *a = of_actions_add(in->acts, OF_ACT_GOTO_TABLE, sizeof *a);
        a->value = of_get8(&b[INST_GOTO]);
    }
    return error;
}

int
of_instructions_decode(const void *data, size_t len, enum of_version version,
                       struct of_actions *acts)
{
    if (version == OF_10) {
        return decode(data, len, version, OF_ACT_OUTER_NONE, acts);
    }
    struct instructions all = {.body = {{NULL, 0, false}}};
    struct of_act_in in = {.acts = acts, .version = version};
    const size_t start = acts->list.len;
    int error = collect((struct of_reader){.p = data, .left = len}, version, &all);
    if (!error) {
        error = add_all(&in, &all);
    }
    if (!error) {
        error = of_act_verify(&acts->list, start, OF_ACT_OUTER_NONE, NULL);
    }
    if (error) {
        acts->list.len = (uint32_t) start;
    }
    return error;
}
