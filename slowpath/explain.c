// SPDX-License-Identifier: Apache-2.0
// Words about flows. See explain.h.
#include "config.h"

#include "slowpath/explain.h"

#include "lib/base/str.h"
#include "lib/flow/match.h"
#include "slowpath/place.h"
#include "slowpath/sp_private.h"
#include "slowpath/xlate.h"

void
sp_explain_place(const struct sp_dp *dp, const struct xlate_out *x, const struct flow_key *key,
                 struct str *out)
{
    if (!dp) {
        return;
    }
    struct place_forecast f = {.filter = NULL};
    struct flow_key k = *key;
    const struct sp_port *in = x->bridge ? sp_bridge_port(x->bridge, x->ofp_in_port) : NULL;
    if (in) {
        k.in_port = htobe32(in->dp_port);
    }
    sp_place_forecast(dp, x, &k, &f);
    str_addf(out, "\nPlace: %s", dp_place_name(f.place));
    if (f.why.code != REASON_NONE) {
        str_add(out, ", because ");
        reason_format(&f.why, out);
    }
}
