// SPDX-License-Identifier: Apache-2.0
// Shared by the files that turn OpenFlow messages into text (of_text_*.c).
#ifndef OFPROTO_OF_TEXT_PRIVATE_H
#define OFPROTO_OF_TEXT_PRIVATE_H 1

#include "ofproto/of_msg.h"

struct of_text_bit {
    uint32_t bit;
    const char *name;
};

void of_text_duration(uint32_t s, uint32_t ns, struct str *out);    // "1.120"
void of_text_count(const char *label, uint64_t n, struct str *out); // UINT64_MAX: "?"
void of_text_flow_flags(unsigned flags, const char *after, struct str *out);
unsigned of_text_flow_flag(const char *name); // 0: none of that name
void of_text_actions(const struct of_actions *, const struct of_print *, struct str *out);
void of_text_table(const char *label, uint8_t table, const struct of_print *, struct str *out);

#endif
