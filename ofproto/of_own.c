// SPDX-License-Identifier: Apache-2.0
// The last table is the switch's own: four rules that count what no other rule took. Controllers
// see them when they ask for that table, and cannot change it. A packet that is sent there by an
// action is dropped by the first; nothing else matches, the packet path credits the others by
// of_bridge_own_rule().
#include "config.h"

#include <stdlib.h>

#include "ofproto/of_bridge_private.h"

static void
add_rule(struct of_bridge *br, const struct of_flow_mod *fm, int priority, enum of_own_rule which)
{
    struct cls_rule target;
    of_bridge_add_hidden(br, fm, priority);
    cls_rule_init(&target, &fm->match, priority);
    br->own[which] = CONTAINER_OF(cls_find(br->tables[OF_TABLE_OWN].cls, &target, br->version),
                                  struct of_rule, cr);
    cls_rule_destroy(&target);
}

void
of_own_rules_add(struct of_bridge *br)
{
    struct of_flow_mod fm = {.command = OF_FLOW_ADD,
                             .flags = OF_FLOW_HIDDEN,
                             .table = OF_TABLE_OWN,
                             .out_port = OF_PORT_ANY,
                             .out_group = OF_GROUP_ANY};
    union field_value v = {0};
    match_init_any(&fm.match);
    match_set(&fm.match, field_get(FIELD_RECIRC_ID), &v, NULL);
    add_rule(br, &fm, 2, OF_OWN_RESUBMITTED);
    for (unsigned i = OF_OWN_CONTROLLER; i < OF_N_OWN_RULES; i++) {
        match_init_any(&fm.match);
        fm.match.key.regs[0] = htobe32(i);
        fm.match.mask.regs[0] = UINT32_MAX;
        match_update_used(&fm.match);
        if (i == OF_OWN_CONTROLLER) {
            struct of_act_controller *c = flat_add(&fm.actions.list, OF_ACT_CONTROLLER, sizeof *c);
            c->max_len = UINT16_MAX;
            c->reason = OF_PIN_IMPLICIT_MISS;
        }
        add_rule(br, &fm, 0, i);
        of_actions_free(&fm.actions);
        memset(&fm.actions, 0, sizeof fm.actions);
    }
    // Nothing can depend on them yet: the packet path needn't hear of them.
    for (size_t i = 0; i < br->n_changes; i++) {
        of_rule_unref(br->changes[i].rule);
    }
    br->n_changes = 0;
}

struct of_rule *
of_bridge_own_rule(const struct of_bridge *br, enum of_own_rule which)
{
    return br->own[which];
}
