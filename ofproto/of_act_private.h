// SPDX-License-Identifier: Apache-2.0
// Inside of the actions: what the files of_act_*.c share. One row an action (of_acts.def) names its
// functions of_act_format_CODEC and of_act_encode_CODEC; words of the text form and code points of
// the wire form have tables of their own (of_act_parse.c, of_act_decode.c), since several of them
// may stand for one action.
#ifndef OFPROTO_OF_ACT_PRIVATE_H
#define OFPROTO_OF_ACT_PRIVATE_H 1

#include "lib/base/str.h"
#include "ofproto/of_act.h"
#include "ofproto/of_error.h"
#include "ofproto/of_types.h"
#include "ofproto/of_wire.h"

// STRIP_VLAN: it is OpenFlow 1.1's pop_vlan, or was called so.
#define OF_STRIP_VLAN_POP 1

// RESUBMIT … NAT: lists inside others. OF_ACT_COUNT: not inside one.
#define OF_ACT_OUTER_NONE OF_ACT_COUNT
// Not inside one either, and instructions are refused: packet-outs, buckets.
#define OF_ACT_OUTER_ACTIONS ((enum of_act_type)(OF_ACT_COUNT + 1))

#define OF_ACT_MAX_DEPTH 32

#define OF_ACT_CAST(type, a, item)                                                                 \
    const struct type *a = (const struct type *) (const void *) (item)

// --- Text in. ---

struct of_act_text {
    struct of_actions *acts;
    const struct field_port_names *ports;
    uint32_t *usable;
    enum of_act_type outer; // the list is inside an action of this type
    unsigned depth;
    const char *word; // as written
    unsigned variant; // from the table of words
};

// Parses the text behind the word (never NULL), which it may change. NULL, or an error to free.
typedef char *of_act_parse_fn(struct of_act_text *, char *arg);

of_act_parse_fn of_act_parse_output, of_act_parse_port_word, of_act_parse_controller,
    of_act_parse_group, of_act_parse_enqueue, of_act_parse_bundle, of_act_parse_set_field,
    of_act_parse_load, of_act_parse_vlan_vid, of_act_parse_vlan_pcp, of_act_parse_plain,
    of_act_parse_push_vlan, of_act_parse_eth, of_act_parse_ipv4, of_act_parse_ip_dscp,
    of_act_parse_ip_ecn, of_act_parse_ip_ttl, of_act_parse_l4_port, of_act_parse_move,
    of_act_parse_stack, of_act_parse_dec_ttl, of_act_parse_mpls_label, of_act_parse_mpls_tc,
    of_act_parse_mpls_ttl, of_act_parse_mpls_type, of_act_parse_delete_field, of_act_parse_tunnel,
    of_act_parse_u32, of_act_parse_fin_timeout, of_act_parse_resubmit, of_act_parse_learn,
    of_act_parse_conjunction, of_act_parse_multipath, of_act_parse_note, of_act_parse_sample,
    of_act_parse_ct, of_act_parse_nat, of_act_parse_clone, of_act_parse_encap, of_act_parse_decap,
    of_act_parse_check_pkt_larger, of_act_parse_write_actions, of_act_parse_write_metadata,
    of_act_parse_goto_table;

// A list in `text`, inside an action of type `outer`; appended.
char *of_act_parse_list(const struct of_act_text *up, enum of_act_type outer, char *text);
// Next "key", "key=value", "key:value" or "key(value)" of a list, in place; false at the end. The
// value of "key(a)->b" is "a->b". *value is "" when there is none.
bool of_act_next_key(char **list, char **key, char **value);
// Next word of a list separated by commas or blanks, or NULL.
char *of_act_next_word(char **list);

char *of_act_parse_u8(const char *text, const char *what, uint8_t *out);
char *of_act_parse_u16(const char *text, const char *what, uint16_t *out);
char *of_act_parse_number32(const char *text, uint32_t *out);
char *of_act_parse_number64(const char *text, uint64_t *out);
char *of_act_parse_ethertype(const char *text, const char *what, be16_t *out);
bool of_act_parse_hex(const char *text, struct str *out); // "01.02.0304"; false: bad digit
// A subfield that the wire can name. The first refuses text behind it, the second moves *text on.
char *of_act_parse_subfield(const char *text, struct subfield *out);
char *of_act_parse_subfield_part(const char **text, struct subfield *out);
bool of_act_parse_table(const char *text, uint8_t *out);
char *of_act_missing_arrow(const char *text);
// Cuts `text` at "->"; the rest, or NULL.
char *of_act_split_arrow(char *text);
// Bits that subfields can be of: those of the value, without VLAN's "there is a tag".
unsigned of_act_field_bits(const struct field_info *);
// Protocols that can set this field.
uint32_t of_act_usable(enum field_id);

// --- Text out. ---

struct of_act_form {
    const struct field_port_names *ports;
    struct str *out;
};

typedef void of_act_format_fn(const struct flat_item *, const struct of_act_form *);

#define OF_ACT(ID, NAME, CODEC, STRUCT) of_act_format_fn of_act_format_##CODEC;
#include "ofproto/of_acts.def"
#undef OF_ACT
void of_act_format_list(const void *items, size_t len, const struct of_act_form *);
void of_act_format_hex(const void *, size_t, struct str *); // "01.02.03"
void of_act_format_num(uint64_t, struct str *);             // "0x5"; "0"

// --- Wire out. ---

struct of_act_wire {
    struct str *out;
    enum of_version version;
};

typedef void of_act_encode_fn(const struct flat_item *, const struct of_act_wire *);

#define OF_ACT(ID, NAME, CODEC, STRUCT) of_act_encode_fn of_act_encode_##CODEC;
#include "ofproto/of_acts.def"
#undef OF_ACT
void of_act_encode_list(const void *items, size_t len, const struct of_act_wire *);
// An action's header; the end pads it to 8 bytes and writes its length.
size_t of_act_begin(const struct of_act_wire *, uint16_t type);
size_t of_act_begin_nx(const struct of_act_wire *, uint16_t subtype);
void of_act_end(const struct of_act_wire *, size_t start);
// One 16-byte, or 8-byte, action with a number in its last bytes.
void of_act_put_plain(const struct of_act_wire *, uint16_t type);
void of_act_put_nx_plain(const struct of_act_wire *, uint16_t subtype);
// OpenFlow 1.0 and 1.1: loads; later set_field. The value is `n` right-aligned bytes of the field.
void of_act_put_set_number(const struct of_act_wire *, enum field_id, uint64_t);
// NXM or OXM header as Nicira's actions want it, and the range as they say it.
void of_act_put_field(const struct of_act_wire *, enum field_id);
static inline uint16_t
of_act_ofs_nbits(const struct subfield *s)
{
    return (uint16_t) (s->ofs << 6 | (s->n_bits - 1));
}

// --- Made in several places. ---

void of_act_add_controller(struct of_actions *, const struct of_act_controller *head,
                           const void *userdata);
struct of_act_set_field *of_act_add_set_field(struct of_actions *, const struct field_info *,
                                              const union field_value *value,
                                              const union field_value *mask);
// A specification of the learn action at offset `learn`, the list's last item; zeroed.
struct of_learn_spec *of_act_learn_add_spec(struct of_actions *, size_t learn, unsigned imm_len);
// A TLV of the encap action that is the list's last item.
void of_act_add_tlv(struct of_actions *, const struct of_encap_tlv *head, const void *data);
// load's form: `n` bits of the number, at the subfield.
void of_act_add_load(struct of_actions *, const struct subfield *, const union field_value *);

// --- Rules between actions. ---

// Of the items from offset `start` on: order of instructions, conjunction's loneliness, what ct()
// may hold. 0 or enum of_error, and a sentence to free where `sentence` isn't NULL.
int of_act_verify(const struct flat *list, size_t start, enum of_act_type outer, char **sentence);

#endif
