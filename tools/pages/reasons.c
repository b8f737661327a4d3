// SPDX-License-Identifier: Apache-2.0
// flowerbed-reasons(7) from lib/flow/reasons.def.
#include <stdio.h>

#include "lib/flow/reason.h"
#include "tools/pages/page.h"

static const struct {
    const char *title, *text;
} stages[] = {
    [REASON_STAGE_MATCH] = {"Match", "A bit that the flow depends on cannot be expressed there."},
    [REASON_STAGE_ACTION] = {"Actions", "What the flow does cannot be done there."},
    [REASON_STAGE_PORT] = {"Ports",
                           "A port that the flow comes from or goes to does not allow it."},
    [REASON_STAGE_CHAIN] =
        {"Chains", "The flow is a second pass, of packets that an earlier flow sent round."},
    [REASON_STAGE_KERNEL] = {"Kernel", "This kernel lacks something, or refused."},
    [REASON_STAGE_HARDWARE] = {"Hardware", "The NIC refused."},
    [REASON_STAGE_POLICY] = {"Policy", "The switch's own choice."},
};

static const char head[] =
    ".TH flowerbed\\-reasons 7 \"\" Flowerbed \"Flowerbed Manual\"\n"
    ".SH NAME\n"
    "flowerbed\\-reasons \\- why a flow does not run in hardware\n"
    ".SH DESCRIPTION\n"
    "Each cached flow that is not in a NIC has one of the reasons below: the first obstacle on its "
    "way there.\n"
    ".BR ovs\\-offload \" \" flows (8)\n"
    "shows it with the field or action that is meant, and with the driver's own words where a "
    "driver spoke;\n"
    ".B ovs\\-offload reasons\n"
    "counts the flows of each. The codes are stable: programs may rely on them.\n"
    ".SH REASONS\n";

bool
page_reasons(bool check)
{
    bool whole = true;
    if (!check) {
        fputs(head, stdout);
    }
    for (enum reason_stage s = REASON_STAGE_MATCH; s < ARRAY_SIZE(stages) && !check; s++) {
        page_section(stages[s].title, stages[s].text);
        for (enum reason_code c = REASON_NONE + 1; c < REASON_COUNT; c++) {
            const struct reason_info *r = reason_get(c);
            if (r->stage == s) {
                printf(".TP\n");
                page_bold(r->name);
                putchar('\n');
                page_sentence(r->text);
                printf(".\n.br\nWhat to do: ");
                page_text(r->hint);
                printf(".\n");
            }
        }
    }
    for (enum reason_code c = REASON_NONE + 1; c < REASON_COUNT; c++) {
        const struct reason_info *r = reason_get(c);
        if (!*r->text || !*r->hint || r->stage == REASON_STAGE_NONE ||
            r->stage >= ARRAY_SIZE(stages)) {
            fprintf(stderr, "flowerbed-reasons(7): %s has no text, hint or stage\n", r->name);
            whole = false;
        }
    }
    if (!check) {
        printf(".SH \"SEE ALSO\"\n.BR ovs\\-offload (8),\n.BR ovs\\-fields (7),\n.BR tc\\-flower "
               "(8)\n");
    }
    return whole;
}
