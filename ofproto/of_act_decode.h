// SPDX-License-Identifier: Apache-2.0
// Inside of the action decoders: of_act_decode.c has the tables and the lists, of_act_decode_std.c
// OpenFlow's actions, of_act_decode_nx.c and _learn.c Nicira's.
#ifndef OFPROTO_OF_ACT_DECODE_H
#define OFPROTO_OF_ACT_DECODE_H 1

#include "ofproto/of_act_private.h"

struct of_act_in {
    struct of_reader r; // behind the action's header
    struct of_actions *acts;
    uint16_t code; // type, or Nicira's subtype
    enum of_version version;
    unsigned depth;
};

typedef int of_act_decode_fn(struct of_act_in *); // 0 or enum of_error

struct of_act_code {
    uint16_t code;
    uint8_t first, last; // enum of_version
    uint16_t len;        // of the whole action; the least when it varies
    bool varies;
    of_act_decode_fn *decode;
};

extern const struct of_act_code of_act_std_codes[], of_act_nx_codes[];
extern const size_t of_act_n_std_codes, of_act_n_nx_codes;

of_act_decode_fn of_act_decode_learn;
// What OpenFlow and Nicira write alike, from the value on.
of_act_decode_fn of_act_decode_mpls_label, of_act_decode_mpls_tc, of_act_decode_mpls_ttl,
    of_act_decode_push_mpls, of_act_decode_pop_mpls, of_act_decode_set_queue, of_act_decode_group;

// A list inside another action of type `outer`.
int of_act_decode_list(struct of_act_in *up, const void *data, size_t len, enum of_act_type outer);
// A header of NXM or OXM; masks are refused.
int of_act_get_field(struct of_act_in *, enum field_id *);
// An error of of_oxm_decode(), said of an action.
int of_act_oxm_error(int error);
// A header, and whether the part of the field is there.
int of_act_get_subfield(struct of_act_in *, unsigned ofs, unsigned n_bits, struct subfield *);
int of_act_check_subfield(const struct subfield *);
int of_act_decode_copy_field(struct of_act_in *); // from the bits on
static inline bool
of_act_is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    while (n--) {
        any |= *p++;
    }
    return !any;
}

static inline void *
of_act_in_add(struct of_act_in *in, enum of_act_type type, size_t size)
{
    return of_actions_add(in->acts, type, size);
}

#endif
