// SPDX-License-Identifier: Apache-2.0
// Dry runs: the same translation as for real, without sending. Whether the NIC would take the
// filter, only the NIC knows.
#include "config.h"

#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "lib/base/str.h"
#include "offload/ofl_private.h"

static bool
explain(struct dp *dp, const struct ofl_spec *s, struct ofl_verdict *v) REQUIRES(dp->mutex)
{
    const struct ofl_dev *in = ofl_dev_by_port(&dp->devs, be32toh(s->match->key.in_port));
    const struct ofl_spec spec = {
        s->match, s->actions, s->id, &dp->devs, dp->policy != OFL_POLICY_SKIP_HW, false};
    if (!in || in->port.internal) {
        reason_set(&v->reason, in ? REASON_PORT_NOT_SWITCHDEV : REASON_PORT_NO_IFINDEX, FIELD_COUNT,
                   0, "%s", in ? in->port.name : "");
        return false;
    }
    if (spec.hw && in->info.reason.code != REASON_NONE) {
        v->reason = in->info.reason;
        return false;
    }

    struct nlk_batch b;
    nlk_batch_init(&b);
    struct ofl_filter f = {.ifindex = in->port.ifindex,
                           .flags = dp->policy == OFL_POLICY_SKIP_HW   ? TCA_CLS_FLAGS_SKIP_HW
                                    : dp->policy == OFL_POLICY_SKIP_SW ? TCA_CLS_FLAGS_SKIP_SW
                                                                       : 0};
    const bool ok = ofl_filter_put(&b, &spec, 0, &f, &v->reason);
    if (ok) {
        v->place = spec.hw ? DP_PLACE_TC_HW : DP_PLACE_TC_SW;
        if (f.local) {
            const struct ofl_dev *to = ofl_dev_by_ifindex(&dp->devs, f.local);
            reason_set(&v->reason, REASON_PORT_LOCAL, FIELD_COUNT, 0, "%s",
                       to ? to->port.name : "");
        }
    }
    if (ok && v->text) {
        const struct nlk_msg m = {.type = RTM_NEWTFILTER,
                                  .data = b.data + b.msg + NLMSG_HDRLEN,
                                  .len = b.len - b.msg - NLMSG_HDRLEN};
        struct ofl_record rec;
        // The handle is chosen when it is inserted; the parser wants one.
        ((struct tcmsg *) (void *) (b.data + b.msg + NLMSG_HDRLEN))->tcm_handle = 1;
        if (ofl_filter_parse(&m, &rec)) {
            rec.f.handle = 0;
            ofl_text_filter(&rec, &dp->devs, v->text);
        }
    }
    nlk_batch_free(&b);
    return ok;
}

bool
ofl_explain(struct dp *dp, const struct flow_match *match, const struct dp_actions *actions,
            struct ofl_verdict *v)
{
    const struct flow_id none = {{0, 0}};
    const struct ofl_spec s = {.match = match, .actions = actions, .id = &none};
    reason_clear(&v->reason);
    v->place = DP_PLACE_NONE;
    mutex_lock(&dp->mutex);
    const bool ok = explain(dp, &s, v);
    mutex_unlock(&dp->mutex);
    return ok;
}
