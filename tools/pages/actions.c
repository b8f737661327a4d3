// SPDX-License-Identifier: Apache-2.0
// ovs-actions(7): a text for each row of ofproto/of_acts.def from action_help.def; the translator
// says what is carried out.
#include <stdio.h>
#include <string.h>

#include "ofproto/of_act.h"
#include "slowpath/xlate.h"
#include "tools/pages/page.h"

static const struct row {
    const char *section; // of a SECTION row
    enum of_act_type act;
    const char *forms, *text;
} rows[] = {
#define SECTION(TITLE, TEXT) {TITLE, OF_ACT_COUNT, NULL, TEXT},
#define HELP(ID, FORMS, TEXT) {NULL, OF_ACT_##ID, FORMS, TEXT},
#include "tools/pages/action_help.def"
#undef SECTION
#undef HELP
};

static const char head[] = ".TH ovs\\-actions 7 \"\" Flowerbed \"Flowerbed Manual\"\n"
                           ".SH NAME\n"
                           "ovs\\-actions \\- what OpenFlow rules do with packets\n"
                           ".SH DESCRIPTION\n"
                           "A rule's\n"
                           ".BR actions=\n"
                           "is a list of the actions and instructions below, separated by commas "
                           "and carried out in order. Instructions of OpenFlow 1.1 and later\n"
                           ".RB ( meter \", \" clear_actions \", \" write_actions \", \" "
                           "write_metadata \", \" goto_table )\n"
                           "come in the order in which OpenFlow has them; plain actions between "
                           "them are the apply_actions instruction.\n"
                           ".PP\n"
                           "An action that changes a header of a kind that the packet does not "
                           "have is refused with the rule, or does nothing.\n"
                           ".PP\n"
                           "Some actions are marked\n"
                           ".BR \"not carried out yet\" :\n"
                           "the switch takes, keeps and shows rules with them, in every OpenFlow "
                           "version that has them, but drops a packet that reaches one;\n"
                           ".BR ovs\\-appctl \" \" ofproto/trace (8)\n"
                           "says so. Where an action keeps a flow out of a NIC,\n"
                           ".BR ovs\\-offload (8)\n"
                           "names it.\n"
                           ".SH ACTIONS\n";

static void
put_row(const struct row *r)
{
    const char *tag = ".TP\n";
    for (const char *p = r->forms; *p;) {
        char form[128];
        size_t n = strcspn(p, "\n");
        snprintf(form, sizeof form, "%.*s", (int) n, p);
        fputs(tag, stdout);
        page_bold(form);
        putchar('\n');
        tag = ".TQ\n";
        p += n + (p[n] == '\n');
    }
    page_text(r->text);
    printf("%s\n", r->act == OF_ACT_NAT || xlate_does(r->act) ? "" : "\n.B Not carried out yet.");
}

bool
page_actions(bool check)
{
    bool told[OF_ACT_COUNT] = {false}, whole = true;
    if (!check) {
        fputs(head, stdout);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!rows[i].section) {
            told[rows[i].act] = true;
        }
        if (!check && rows[i].section) {
            page_section(rows[i].section, rows[i].text);
        } else if (!check) {
            put_row(&rows[i]);
        }
    }
    for (enum of_act_type a = 0; a < OF_ACT_COUNT; a++) {
        if (!told[a]) {
            whole = false;
            if (check) {
                fprintf(stderr, "ovs-actions(7): %s has no text in tools/pages/action_help.def\n",
                        of_act_name(a));
            }
        }
    }
    if (!check) {
        printf(".SH \"SEE ALSO\"\n.BR ovs\\-fields (7),\n.BR ovs\\-ofctl (8),\n.BR ovs\\-appctl "
               "(8)\n");
    }
    return whole;
}
