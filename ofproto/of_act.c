// SPDX-License-Identifier: Apache-2.0
// Lists of OpenFlow actions: making, copying, comparing, and questions about their contents.
#include "config.h"

#include "ofproto/of_act_private.h"

#include <stdlib.h>

static const struct {
    const char *name;
    uint16_t size;
} rows[OF_ACT_COUNT] = {
#define OF_ACT(ID, NAME, CODEC, STRUCT) [OF_ACT_##ID] = {NAME, sizeof(struct STRUCT)},
#include "ofproto/of_acts.def"
#undef OF_ACT
};

const char *
of_act_name(enum of_act_type type)
{
    return type < OF_ACT_COUNT ? rows[type].name : "?";
}

void
of_actions_free(struct of_actions *a)
{
    flat_free(&a->list);
}

void
of_actions_clear(struct of_actions *a)
{
    flat_clear(&a->list);
}

void
of_actions_copy(struct of_actions *dst, const struct of_actions *src)
{
    flat_copy(&dst->list, &src->list);
}

bool
of_actions_equal(const struct of_actions *a, const struct of_actions *b)
{
    return flat_equal(&a->list, &b->list);
}

void *
of_actions_add(struct of_actions *a, enum of_act_type type, size_t size)
{
    return flat_add(&a->list, type, size);
}

void
of_actions_add_output(struct of_actions *a, uint32_t port, uint32_t max_len)
{
    struct of_act_output *o = of_actions_add(a, OF_ACT_OUTPUT, sizeof *o);
    o->port = port;
    o->max_len = max_len;
}

void
of_act_set_field_value(const struct of_act_set_field *a, union field_value *value,
                       union field_value *mask)
{
    const size_t n = a->n_bytes, ofs = FIELD_VALUE_BYTES - n;
    memset(value, 0, ofs);
    memset(mask, 0, ofs);
    memcpy(value->b + ofs, a->data, n);
    memcpy(mask->b + ofs, of_act_set_field_mask(a), n);
}

// --- Who gets packets. ---

static bool
has_member(const struct of_act_bundle *b, uint32_t port)
{
    if (b->dst.n_bits) { // bundle_load only writes a field
        return false;
    }
    for (unsigned i = 0; i < b->n_members; i++) {
        if (b->members[i] == port) {
            return true;
        }
    }
    return false;
}

static bool
outputs_to(const struct flat_item *i, uint32_t port)
{
    switch ((enum of_act_type) i->type) {
    case OF_ACT_OUTPUT:
    case OF_ACT_OUTPUT_TRUNC:
        return ((const struct of_act_output *) (const void *) i)->port == port;
    case OF_ACT_ENQUEUE:
        return ((const struct of_act_enqueue *) (const void *) i)->port == port;
    case OF_ACT_CONTROLLER:
        return port == OF_PORT_CONTROLLER;
    case OF_ACT_BUNDLE:
        return has_member((const struct of_act_bundle *) (const void *) i, port);
    default:
        return false;
    }
}

static bool
to_group(const struct flat_item *i, uint32_t group)
{
    return i->type == OF_ACT_GROUP &&
           (group == OF_GROUP_ANY || ((const struct of_act_u32 *) (const void *) i)->value == group);
}

static bool
to_meter(const struct flat_item *i, uint32_t any)
{
    return i->type == OF_ACT_METER;
}

static bool
any_item(const void *items, size_t len, bool (*is)(const struct flat_item *, uint32_t), uint32_t x)
{
    const struct flat_item *i;
    FLAT_FOR_EACH (i, items, len) {
        if (is(i, x)) {
            return true;
        }
        if ((i->type == OF_ACT_WRITE_ACTIONS || i->type == OF_ACT_CLONE) &&
            any_item(i + 1, i->len - sizeof *i, is, x)) {
            return true;
        }
    }
    return false;
}

bool
of_actions_output_to(const struct of_actions *a, uint32_t port)
{
    return any_item(a->list.data, a->list.len, outputs_to, port);
}

bool
of_actions_has_group(const struct of_actions *a, uint32_t group)
{
    return any_item(a->list.data, a->list.len, to_group, group);
}

bool
of_actions_has_meter(const struct of_actions *a)
{
    return any_item(a->list.data, a->list.len, to_meter, 0);
}
