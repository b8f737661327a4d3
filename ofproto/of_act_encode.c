// SPDX-License-Identifier: Apache-2.0
// Lists of actions towards text and towards the wire: each row of of_acts.def names its functions.
//
// Instructions are items of the same list: what stands before them is apply_actions.
#include "config.h"

#include "ofproto/of_act_private.h"

// --- Text. ---

static of_act_format_fn *const formats[OF_ACT_COUNT] = {
#define OF_ACT(ID, NAME, CODEC, STRUCT) [OF_ACT_##ID] = of_act_format_##CODEC,
#include "ofproto/of_acts.def"
#undef OF_ACT
};

void
of_act_format_list(const void *items, size_t len, const struct of_act_form *f)
{
    if (!len) {
        str_add(f->out, "drop");
        return;
    }
    const struct flat_item *i;
    FLAT_FOR_EACH (i, items, len) {
        if ((const void *) i != items) {
            str_add_char(f->out, ',');
        }
        formats[i->type](i, f);
    }
}

void
of_actions_format(const struct of_actions *a, const struct field_port_names *ports, struct str *out)
{
    const struct of_act_form f = {ports, out};
    of_act_format_list(a->list.data, a->list.len, &f);
}

// --- Wire. ---

static of_act_encode_fn *const encoders[OF_ACT_COUNT] = {
#define OF_ACT(ID, NAME, CODEC, STRUCT) [OF_ACT_##ID] = of_act_encode_##CODEC,
#include "ofproto/of_acts.def"
#undef OF_ACT
};

size_t
of_act_begin(const struct of_act_wire *w, uint16_t type)
{
    const size_t start = w->out->len;
    of_put16(w->out, type);
    of_put16(w->out, 0);
    return start;
}

size_t
of_act_begin_nx(const struct of_act_wire *w, uint16_t subtype)
{
    const size_t start = of_act_begin(w, 0xffff);
    of_put32(w->out, OF_VENDOR_NICIRA);
    of_put16(w->out, subtype);
    return start;
}

void
of_act_end(const struct of_act_wire *w, size_t start)
{
    of_put_pad8(w->out, start);
    of_set16(w->out, start + 2, (uint16_t) (w->out->len - start));
}

void
of_act_put_plain(const struct of_act_wire *w, uint16_t type)
{
    of_act_end(w, of_act_begin(w, type));
}

void
of_act_put_nx_plain(const struct of_act_wire *w, uint16_t subtype)
{
    of_act_end(w, of_act_begin_nx(w, subtype));
}

void
of_act_encode_list(const void *items, size_t len, const struct of_act_wire *w)
{
    const struct flat_item *i;
    FLAT_FOR_EACH (i, items, len) {
        encoders[i->type](i, w);
    }
}

void
of_actions_encode(const struct of_actions *a, enum of_version version, struct str *out)
{
    const struct of_act_wire w = {out, version};
    of_act_encode_list(a->list.data, a->list.len, &w);
}

static bool
is_instruction(const struct flat_item *i, enum of_version version)
{
    return i->type > OF_ACT_METER || (i->type == OF_ACT_METER && version < OF_15);
}

// An instruction that holds nothing isn't said.
static void
end_apply(const struct of_act_wire *w, size_t start)
{
    if (w->out->len == start + 8) {
        str_truncate(w->out, start);
    } else {
        of_act_end(w, start);
    }
}

void
of_instructions_encode(const struct of_actions *a, enum of_version version, struct str *out)
{
    const struct of_act_wire w = {out, version};
    if (version == OF_10) {
        of_act_encode_list(a->list.data, a->list.len, &w);
        return;
    }
    const struct flat_item *i;
    size_t apply = SIZE_MAX; // where apply_actions started
    OF_ACT_FOR_EACH (i, a) {
        const bool instruction = is_instruction(i, version);
        if (instruction && apply != SIZE_MAX) {
            end_apply(&w, apply);
            apply = SIZE_MAX;
        } else if (!instruction && apply == SIZE_MAX) {
            apply = of_act_begin(&w, 4);
            of_put_zeros(out, 4);
        }
        encoders[i->type](i, &w);
    }
    if (apply != SIZE_MAX) {
        end_apply(&w, apply);
    }
}
