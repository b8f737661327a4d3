// SPDX-License-Identifier: Apache-2.0
// Why a flow isn't in a better place: a closed, documented set of codes, with the field or action in the way and the driver's own
// words. Carried from wherever a flow was refused to the command line. Rows in reasons.def:
//
//     REASON(CODE, STAGE, "sentence", "hint: what to do about it")
#ifndef LIB_FLOW_REASON_H
#define LIB_FLOW_REASON_H 1

#include "lib/flow/field.h"

enum reason_stage {
    REASON_STAGE_NONE,
    REASON_STAGE_MATCH,
    REASON_STAGE_ACTION,
    REASON_STAGE_PORT,
    REASON_STAGE_CHAIN,
    REASON_STAGE_KERNEL,
    REASON_STAGE_HARDWARE,
    REASON_STAGE_POLICY
};

enum reason_code {
    REASON_NONE, // nothing stands in the way
#define REASON(CODE, STAGE, TEXT, HINT) REASON_##CODE,
#include "lib/flow/reasons.def"
#undef REASON
    REASON_COUNT
};

#define REASON_DETAIL_LEN 88

struct reason {
    enum reason_code code;
    enum field_id field; // FIELD_COUNT: none
    int error;           // errno of the kernel or driver, positive; 0: none
    char detail[REASON_DETAIL_LEN]; // extack, action or port name; "" when there is none
};

struct str;

struct reason_info {
    const char *name; // "MATCH_UNSUPPORTED_FIELD"
    enum reason_stage stage;
    const char *text;
    const char *hint;
};

const struct reason_info *reason_get(enum reason_code);
const char *reason_stage_name(enum reason_stage);
bool reason_by_name(const char *name, enum reason_code *);
void reason_set(struct reason *, enum reason_code, enum field_id, int error, const char *detail_fmt, ...)
    FB_PRINTF(5, 6);
void reason_clear(struct reason *);
// "MATCH_UNSUPPORTED_FIELD (ipv6_label): the sentence; driver says "…"".
void reason_format(const struct reason *, struct str *out);

#endif
