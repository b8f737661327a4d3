// SPDX-License-Identifier: Apache-2.0
// Idle and hard timeouts: a timing wheel of one-second slots. A rule sits in the slot of the second when it may be due; when
// that second comes it is removed or, if traffic moved its deadline, put further on. The cost follows the rules that are due, not those that exist.
//
// Idle time counts from the last packet in any place: the packet path's counters are refreshed before a rule is judged idle.
#include "config.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "ofproto/of_bridge_private.h"

// When the rule is due, in ms, by what is known now; *reason: why.
static int64_t
deadline(const struct of_rule *rule, enum of_removed_reason *reason)
{
    int64_t hard = rule->hard_timeout ? rule->modified + rule->hard_timeout * INT64_C(1000) : INT64_MAX;
    int64_t used = __atomic_load_n(&rule->used, __ATOMIC_RELAXED);
    int64_t idle = rule->idle_timeout ? used + rule->idle_timeout * INT64_C(1000) : INT64_MAX;
    *reason = hard <= idle ? OF_REMOVED_HARD : OF_REMOVED_IDLE;
    return MIN(hard, idle);
}

int64_t
of_expire_deadline(const struct of_rule *rule)
{
    enum of_removed_reason reason;
    return deadline(rule, &reason);
}

static void
put(struct of_bridge *br, struct of_rule *rule, int64_t at_ms)
{
    int64_t s = MAX(at_ms / 1000 + (at_ms % 1000 != 0), br->wheel_at + 1);
    cds_list_add_tail(&rule->expirable, &br->wheel[s % OF_WHEEL_SLOTS]);
}

void
of_expire_add(struct of_bridge *br, struct of_rule *rule)
{
    if (rule->idle_timeout || rule->hard_timeout) {
        enum of_removed_reason reason;
        put(br, rule, deadline(rule, &reason));
        if (!loop_timer_is_set(br->wheel_timer)) {
            br->wheel_at = clock_now() / 1000;
            loop_timer_set(br->wheel_timer, 1000 - clock_now() % 1000);
        }
    }
}

void
of_expire_del(struct of_rule *rule)
{
    cds_list_del_init(&rule->expirable);
}

// Looks at one slot. Rules of later turns of the wheel and rules that saw traffic go back. Returns whether any idle rule is due by what is known.
static void
look_at_slot(struct of_bridge *br, int64_t now, bool *fresh)
{
    struct cds_list_head due;
    CDS_INIT_LIST_HEAD(&due);
    cds_list_splice(&br->wheel[br->wheel_at % OF_WHEEL_SLOTS], &due);
    CDS_INIT_LIST_HEAD(&br->wheel[br->wheel_at % OF_WHEEL_SLOTS]);
    while (!cds_list_empty(&due)) {
        struct of_rule *rule = cds_list_first_entry(&due, struct of_rule, expirable);
        cds_list_del_init(&rule->expirable);
        enum of_removed_reason reason;
        int64_t at = deadline(rule, &reason);
        if (at <= now && reason == OF_REMOVED_IDLE && !*fresh) {
            of_path->refresh_stats(br);
            *fresh = true;
            at = deadline(rule, &reason);
        }
        if (at <= now) {
            of_bridge_delete_rule(br, rule, reason);
        } else {
            put(br, rule, at);
        }
    }
}

static void
turn_wheel(void *br_)
{
    struct of_bridge *br = br_;
    int64_t now = clock_now();
    bool fresh = false;
    // After a long pause (stopped or warped time) one turn sees all slots.
    if (now / 1000 - br->wheel_at > OF_WHEEL_SLOTS) {
        br->wheel_at = now / 1000 - OF_WHEEL_SLOTS;
    }
    while (br->wheel_at < now / 1000) {
        br->wheel_at++;
        look_at_slot(br, now, &fresh);
    }
    for (int i = 0; i < OF_WHEEL_SLOTS; i++) {
        if (!cds_list_empty(&br->wheel[i])) {
            loop_timer_set(br->wheel_timer, 1000 - now % 1000);
            break;
        }
    }
}

void
of_expire_init(struct of_bridge *br)
{
    for (int i = 0; i < OF_WHEEL_SLOTS; i++) {
        CDS_INIT_LIST_HEAD(&br->wheel[i]);
    }
    br->wheel_at = clock_now() / 1000;
    br->wheel_timer = loop_timer_new(br->loop, turn_wheel, br);
}

void
of_expire_destroy(struct of_bridge *br)
{
    loop_timer_free(br->wheel_timer);
}
