// SPDX-License-Identifier: Apache-2.0
// Adoption of flows found at start. See adopt.h. Runs on the thread that owns the place: the
// revalidator for the datapath's own, the offload worker for tc.
#include "config.h"

#include "slowpath/adopt.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "slowpath/sp_private.h"

LOG_MODULE(adopt);

void
sp_adopt_begin(struct adoption *a, struct sp_dp *dp, enum mega_slot slot)
{
    *a = (struct adoption){.dp = dp, .slot = slot};
    xlate_out_init(&a->out);
}

void
sp_adopt_end(struct adoption *a)
{
    if (a->adopted || a->refused) {
        LOG_INFO("%s: %zu flows of an earlier run go on%s, %zu did not agree with the tables and "
                 "were removed",
                 a->dp->type, a->adopted, a->slot == MEGA_TC ? " in tc" : "", a->refused);
    }
    xlate_out_destroy(&a->out);
}

static void
translate(struct adoption *a, const struct dp_flow_record *rec, bool learn)
{
    const struct xlate_in in = {.config = sp_config_get(),
                                .dp = a->dp,
                                .key = &rec->match->key,
                                .prefer = &rec->match->mask,
                                .learn = learn,
                                .now = clock_now()};
    xlate_flow(&in, &a->out);
}

// The flow becomes an entry where its translation says what the place holds.
static bool
adopt(struct adoption *a, const struct dp_flow_record *rec, bool learn)
{
    struct mega_cache *c = a->dp->cache;
    if (mega_find(c, &rec->id)) {
        return true; // made by a packet meanwhile, or in the first pass
    }
    const uint64_t seq = __atomic_load_n(&c->seq, __ATOMIC_SEQ_CST);
    translate(a, rec, learn);
    bool existing = false;
    struct mega *m = NULL;
    if (!a->out.error && dp_actions_equal(&a->out.acts, rec->actions)) {
        m = mega_insert(c, &(struct mega_new){&rec->match->key, &a->out, seq, clock_now()},
                        &existing);
    }
    if (m && !existing && !flow_id_equals(&m->id, &rec->id)) {
        mega_kill(c, m); // other bits would be matched today
        m = NULL;
    }
    if (!m || existing) {
        return m != NULL;
    }
    mega_slot_adopt(m, a->slot, &rec->stats);
    __atomic_or_fetch(&m->flags, MEGA_ADOPTED, __ATOMIC_RELAXED);
    mega_set_place(c, m, rec->place, NULL, clock_now());
    mega_release(c, m, MEGA_NEW);
    a->adopted++;
    return true;
}

void
sp_adopt_learn(struct adoption *a, const struct dp_flow_record *rec)
{
    if (!rec->match || !rec->has_id) {
        return;
    }
    if (a->slot == MEGA_HOME && rec->actions) {
        adopt(a, rec, true);
    } else { // whether a filter is wanted where it is, is the worker's to say
        translate(a, rec, true);
    }
}

bool
sp_adopt_flow(struct adoption *a, const struct dp_flow_record *rec)
{
    const bool good = rec->match && rec->actions && rec->has_id && adopt(a, rec, false);
    a->refused += !good;
    return good;
}
