// SPDX-License-Identifier: Apache-2.0
// Shared by the files that turn OpenFlow messages into text (of_text_*.c). Each of_text_body_*()
// writes what follows "NAME (xid=0x1):" and returns false for a type that isn't its own.
#ifndef OFPROTO_OF_TEXT_PRIVATE_H
#define OFPROTO_OF_TEXT_PRIVATE_H 1

#include "ofproto/of_msg.h"
#include "ofproto/of_text.h"

struct of_text_bit {
    uint32_t bit;
    const char *name;
};

void of_text_duration(uint32_t s, uint32_t ns, struct str *out);    // "1.120"
void of_text_count(const char *label, uint64_t n, struct str *out); // UINT64_MAX: "?"
void of_text_flow_flags(unsigned flags, const char *after, struct str *out);
unsigned of_text_flow_flag(const char *name); // 0: none of that name
void of_text_actions(const struct of_actions *, const struct of_print *, struct str *out);
// Names of the bits that are set, with `sep` between them; "0": none.
#define OF_TEXT_BITS(bits, names, sep, out) of_text_bits(bits, names, ARRAY_SIZE(names), sep, out)
void of_text_bits(uint32_t bits, const struct of_text_bit *names, size_t n, const char *sep,
                  struct str *out);
// A packet's fields and, with enough verbosity, its bytes.
void of_text_packet(const void *, size_t len, const struct of_print *, struct str *out);
// "reg0...reg15 eth_{src,dst}".
void of_text_names(const char *const *names, size_t n, const char *sep, struct str *out);

void of_text_ditto(struct of_text_ditto *, uint8_t table, const char *name, struct str *out);
void of_text_table_block(struct of_text_ditto *, uint8_t table, const char *name,
                         struct str *out); // "  table 3:"
void of_text_ditto_end(struct of_text_ditto *, struct str *out);
void of_text_table_features(struct of_msg *, struct str *out);

void of_text_decode_error(int error, const struct of_msg *, struct str *out);

// Protocols that can carry what the match says of this field.
uint32_t of_field_usable(enum field_id, const struct flow_match *);

bool of_text_body_packet(struct of_msg *, const struct of_print *, struct str *out);
bool of_text_body_port(struct of_msg *, const struct of_print *, struct str *out);
bool of_text_body_table(struct of_msg *, const struct of_print *, struct str *out);
bool of_text_body_session(struct of_msg *, const struct of_print *, struct str *out);
bool of_text_body_raw(struct of_msg *, const struct of_print *, struct str *out);

#endif
