// SPDX-License-Identifier: Apache-2.0
// Placement policy. See place.h.
#include "config.h"

#include "slowpath/place.h"

#include "slowpath/mega.h"
#include "slowpath/sp_private.h"

const struct place_tc *
sp_place_tc(const struct sp_dp *dp)
{
    return NULL;
}

void
sp_place_consider(struct sp_dp *dp, struct mega *m, const struct sp_config *config)
{
}

enum dp_place
sp_place_forecast(const struct sp_dp *dp, const struct xlate_out *x, struct reason *why)
{
    reason_set(why, REASON_POLICY_OFF, FIELD_COUNT, 0, "%s", "");
    return dp->home;
}

void
sp_place_update(struct sp_dp *dp, struct mega *m)
{
}

void
sp_place_remove(struct sp_dp *dp, struct mega *m)
{
}

void
sp_place_configure(struct sp_dp *dp, const struct sp_config *config)
{
}

void
sp_place_stop(struct sp_dp *dp, bool remove)
{
}
