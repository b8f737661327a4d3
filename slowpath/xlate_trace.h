// SPDX-License-Identifier: Apache-2.0
// What a translation says of itself: a tree of bridges, tables, actions and remarks, printed in ofproto/trace's layout.
#ifndef SLOWPATH_XLATE_TRACE_H
#define SLOWPATH_XLATE_TRACE_H 1

#include "lib/base/str.h"

struct xlate_trace;

enum trace_kind {
    TRACE_BRIDGE, // text: its name
    TRACE_TABLE,  // text: number and rule
    TRACE_ACTION,
    TRACE_GROUP,   // no line of its own
    TRACE_REMARK, // " -> …"
    TRACE_WARNING, // " >> …"
    TRACE_ERROR    // " >>>> … <<<<"
};

struct xlate_trace *xlate_trace_new(void);
void xlate_trace_free(struct xlate_trace *);
// Adds a node below the present one.
void xlate_trace_add(struct xlate_trace *, enum trace_kind, const char *fmt, ...) FB_PRINTF(3, 4);
// Adds a node and goes into it; takes the text.
void xlate_trace_enter(struct xlate_trace *, enum trace_kind, char *text_take);
// Goes into the last node of the present one if it is of this kind, else stays in it; leave as often as entered.
void xlate_trace_enter_last(struct xlate_trace *, enum trace_kind);
// Goes into whatever came last below the present node: the counterpart of having left a node early.
void xlate_trace_reenter(struct xlate_trace *);
void xlate_trace_leave(struct xlate_trace *);
void xlate_trace_format(const struct xlate_trace *, struct str *out);

#endif
