// SPDX-License-Identifier: Apache-2.0
// Datapaths: made, found, told which features we understand, counted, removed.
#include <errno.h>
#include <stdlib.h>

#include "kdatapath/kd_private.h"
#include "lib/base/rcu.h"

// What we ask for, best first; older kernels refuse the whole set for one bit that they don't know.
#define BASE_FEATURES (OVS_DP_F_UNALIGNED | OVS_DP_F_VPORT_PIDS)
static const uint32_t wishes[] = {
    BASE_FEATURES | OVS_DP_F_DISPATCH_UPCALL_PER_CPU | OVS_DP_F_TC_RECIRC_SHARING,
    BASE_FEATURES | OVS_DP_F_DISPATCH_UPCALL_PER_CPU,
    BASE_FEATURES | OVS_DP_F_TC_RECIRC_SHARING,
    BASE_FEATURES,
    OVS_DP_F_UNALIGNED,
};

typedef struct nlk_attr dp_table[OVS_DP_ATTR_MAX + 1];

static int
take_reply(struct dp *dp, const struct nlk_msg *reply)
{
    dp_table t;

    int error = kd_parse(reply, t, ARRAY_SIZE(t), NULL, &dp->dp_ifindex);
    if (!error && t[OVS_DP_ATTR_USER_FEATURES].data) {
        dp->user_features = nlk_u32(&t[OVS_DP_ATTR_USER_FEATURES]);
    }
    return error;
}

static int
get(struct dp *dp, const char *name, struct nlk_msg *reply)
{
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.datapath, OVS_DP_CMD_GET, 0);
    if (name) {
        nlk_put_str(&dp->batch, OVS_DP_ATTR_NAME, name);
    }
    return nlk_request(dp->sock, &dp->batch, reply, NULL);
}

static int
create(struct dp *dp, const char *name)
{
    struct nlk_msg reply;
    int error = -EINVAL;

    for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
        nlk_batch_clear(&dp->batch);
        kd_begin(&dp->batch, dp, dp->fam.datapath, OVS_DP_CMD_NEW, NLM_F_ECHO);
        nlk_put_str(&dp->batch, OVS_DP_ATTR_NAME, name);
        nlk_put_u32(&dp->batch, OVS_DP_ATTR_UPCALL_PID, 0);
        nlk_put_u32(&dp->batch, OVS_DP_ATTR_USER_FEATURES, wishes[i]);
        error = nlk_request(dp->sock, &dp->batch, &reply, NULL);
        if (!error) {
            dp->user_features = wishes[i];
            error = take_reply(dp, &reply);
        }
        if (error != -EOPNOTSUPP && error != -EINVAL) {
            break;
        }
    }
    return error;
}

int
kd_dp_set(struct dp *dp, uint32_t features, const uint32_t *cpu_pids, size_t n)
{
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.datapath, OVS_DP_CMD_SET, 0);
    nlk_put_u32(&dp->batch, OVS_DP_ATTR_USER_FEATURES, features);
    if (n) {
        nlk_put(&dp->batch, OVS_DP_ATTR_PER_CPU_PIDS, cpu_pids, n * sizeof *cpu_pids);
    }
    int error = nlk_request(dp->sock, &dp->batch, NULL, NULL);
    if (!error) {
        dp->user_features = features;
    }
    return error;
}

// A datapath that was there: another program may have asked for other features.
static int
adopt(struct dp *dp, const char *name)
{
    struct nlk_msg reply;

    int error = get(dp, name, &reply);
    if (!error) {
        error = take_reply(dp, &reply);
    }
    for (size_t i = 0; !error && i < ARRAY_SIZE(wishes); i++) {
        if (!kd_dp_set(dp, wishes[i], NULL, 0)) {
            break;
        }
    }
    return error;
}

static int
new_handle(const char *name, struct dp **out)
{
    struct dp *dp = base_calloc(1, sizeof *dp);

    *out = NULL;
    memcpy(dp->name, name, MIN(strlen(name), sizeof dp->name - 1));
    nlk_batch_init(&dp->batch);
    mutex_init(&dp->probe_mutex);
    int error = nlk_open(NLK_GENERIC, &dp->sock);
    if (!error) {
        error = kd_families_find(dp->sock, &dp->fam);
    }
    if (error) {
        kd_dp_close(dp);
        return error;
    }
    *out = dp;
    return 0;
}

int
kd_dp_open(const char *name, bool create_it, struct dp **out)
{
    struct nlk_msg reply;
    struct dp *dp;

    *out = NULL;
    if (!*name || strlen(name) >= sizeof dp->name) {
        return -EINVAL;
    }
    int error = new_handle(name, &dp);
    if (error) {
        return error == -ENOENT && !create_it ? -ENODEV : error;
    }
    if (create_it) {
        error = create(dp, name);
        if (error == -EEXIST || error == -EBUSY) {
            error = adopt(dp, name);
        }
    } else {
        error = get(dp, name, &reply);
        if (!error) {
            error = take_reply(dp, &reply);
        }
    }
    if (error) {
        kd_dp_close(dp);
        return error;
    }
    *out = dp;
    return 0;
}

void
kd_dp_close(struct dp *dp)
{
    if (dp) {
        nlk_close(dp->sock);
        nlk_batch_free(&dp->batch);
        rcu_free_later(dp->user_pids);
        mutex_destroy(&dp->probe_mutex);
        free(dp);
    }
}

int
kd_dp_destroy(struct dp *dp)
{
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.datapath, OVS_DP_CMD_DEL, 0);
    int error = nlk_request(dp->sock, &dp->batch, NULL, NULL);
    kd_dp_close(dp);
    return error;
}

int
kd_dp_stats(struct dp *dp, struct dp_stats *out)
{
    struct ovs_dp_stats s;
    struct ovs_dp_megaflow_stats m;
    struct nlk_msg reply;
    dp_table t;

    memset(out, 0, sizeof *out);
    memset(&s, 0, sizeof s);
    memset(&m, 0, sizeof m);
    int error = get(dp, NULL, &reply);
    if (!error) {
        error = kd_parse(&reply, t, ARRAY_SIZE(t), NULL, NULL);
    }
    if (error) {
        return error;
    }
    if (t[OVS_DP_ATTR_STATS].data) {
        memcpy(&s, t[OVS_DP_ATTR_STATS].data, MIN(t[OVS_DP_ATTR_STATS].len, sizeof s));
    }
    if (t[OVS_DP_ATTR_MEGAFLOW_STATS].data) {
        memcpy(&m, t[OVS_DP_ATTR_MEGAFLOW_STATS].data,
               MIN(t[OVS_DP_ATTR_MEGAFLOW_STATS].len, sizeof m));
    }
    *out = (struct dp_stats){
        .hit = s.n_hit,
        .missed = s.n_missed,
        .lost = s.n_lost,
        .mask_hit = m.n_mask_hit,
        .cache_hit = m.n_cache_hit,
        .flows = s.n_flows,
        .masks = m.n_masks,
    };
    return 0;
}

// --- Beyond dp_ops. ---

int
kd_dp_create(const char *name)
{
    struct dp *dp;

    if (!*name || strlen(name) >= sizeof dp->name) {
        return -EINVAL;
    }
    int error = new_handle(name, &dp);
    if (!error) {
        error = create(dp, name);
        kd_dp_close(dp);
    }
    return error;
}

struct each {
    void (*cb)(const char *name, void *aux);
    void *aux;
};

static bool
tell_name(const struct nlk_msg *m, void *e_)
{
    const struct each *e = e_;
    dp_table t;

    if (!kd_parse(m, t, ARRAY_SIZE(t), NULL, NULL)) {
        e->cb(nlk_str(&t[OVS_DP_ATTR_NAME]), e->aux);
    }
    return true;
}

int
kd_dp_for_each(void (*cb)(const char *name, void *aux), void *aux)
{
    struct each e = {cb, aux};
    struct dp *dp;

    int error = new_handle("", &dp);
    if (!error) {
        nlk_batch_clear(&dp->batch);
        kd_begin(&dp->batch, dp, dp->fam.datapath, OVS_DP_CMD_GET, 0);
        error = nlk_dump(dp->sock, &dp->batch, tell_name, &e);
        kd_dp_close(dp);
    }
    return error;
}

const char *
kd_dp_name(const struct dp *dp)
{
    return dp->name;
}

uint32_t
kd_dp_mask_cache(struct dp *dp)
{
    struct nlk_msg reply;
    dp_table t;

    return get(dp, NULL, &reply) || kd_parse(&reply, t, ARRAY_SIZE(t), NULL, NULL)
               ? 0
               : nlk_u32(&t[OVS_DP_ATTR_MASKS_CACHE_SIZE]);
}

int
kd_dp_set_mask_cache(struct dp *dp, uint32_t at_least)
{
    uint32_t entries = at_least ? 1 : 0;
    while (entries < at_least && entries < UINT32_C(1) << 31) {
        entries *= 2;
    }
    nlk_batch_clear(&dp->batch);
    kd_begin(&dp->batch, dp, dp->fam.datapath, OVS_DP_CMD_SET, 0);
    nlk_put_u32(&dp->batch, OVS_DP_ATTR_USER_FEATURES, dp->user_features);
    nlk_put_u32(&dp->batch, OVS_DP_ATTR_MASKS_CACHE_SIZE, entries);
    return nlk_request(dp->sock, &dp->batch, NULL, NULL);
}
