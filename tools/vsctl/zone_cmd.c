// SPDX-License-Identifier: Apache-2.0
// add-zone-tp, del-zone-tp, list-zone-tp, list-dp-cap.
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/vsctl.h"

static void
prepare_zone(struct vsctl *v, struct vsctl_cmd *c)
{
    idl_want(v->idl, IDL_OPEN_VSWITCH_DATAPATHS, IDL_READ);
    idl_want(v->idl, IDL_DATAPATH_CT_ZONES, IDL_READ);
    idl_want(v->idl, IDL_DATAPATH_CAPABILITIES, IDL_READ);
    idl_want(v->idl, IDL_CT_ZONE_TIMEOUT_POLICY, IDL_READ);
    idl_want(v->idl, IDL_CT_TIMEOUT_POLICY_TIMEOUTS, IDL_READ);
}

static const struct idl_datapath *
find_datapath(const struct vsctl *v, const char *name)
{
    for (size_t i = 0; i < v->ovs->n_datapaths; i++) {
        if (!strcmp(v->ovs->datapaths[i].key, name)) {
            return v->ovs->datapaths[i].value;
        }
    }
    return NULL;
}

static int64_t
zone_number(const char *arg)
{
    uint64_t n;
    if (strncmp(arg, "zone=", 5) || !base_parse_uint(arg + 5, INT64_MAX, &n)) {
        vsctl_fatal("%s: expected zone=ZONE_ID", arg);
    }
    return (int64_t) n;
}

static const struct idl_ct_zone *
find_zone(const struct idl_datapath *dp, int64_t zone)
{
    for (size_t i = 0; i < dp->n_ct_zones; i++) {
        if (dp->ct_zones[i].key == zone) {
            return dp->ct_zones[i].value;
        }
    }
    return NULL;
}

static const struct idl_datapath *
must_find(const struct vsctl *v, const char *name)
{
    const struct idl_datapath *dp = find_datapath(v, name);
    if (!dp) {
        vsctl_fatal("datapath %s does not exist", name);
    }
    return dp;
}

static void
add_zone(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_datapath *dp = must_find(v, c->argv[1]);
    int64_t zone = zone_number(c->argv[2]);
    const struct idl_ct_zone *have = find_zone(dp, zone);
    if (have && !vsctl_has(c, "--may-exist")) {
        vsctl_fatal("zone id %lld already exists", (long long) zone);
    }
    struct db_datum d;
    db_datum_init_empty(&d);
    for (int i = 3; i < c->argc; i++) {
        const char *eq = strchr(c->argv[i], '=');
        uint64_t seconds = 0;
        if (!eq || !base_parse_uint(eq + 1, UINT32_MAX, &seconds)) {
            vsctl_fatal("%s: expected KEY=SECONDS", c->argv[i]);
        }
        union db_atom key = {.string = db_string_new(c->argv[i], (size_t) (eq - c->argv[i]))};
        union db_atom value = {.integer = (int64_t) seconds};
        db_datum_push(&d, &key, &value);
    }
    db_datum_sort(&d, idl_column_type(IDL_CT_TIMEOUT_POLICY_TIMEOUTS));
    const struct idl_ct_timeout_policy *tp = idl_ct_timeout_policy_insert(v->txn);
    idl_row_write(&tp->row, IDL_CT_TIMEOUT_POLICY_TIMEOUTS, &d);
    if (have) {
        idl_ct_zone_set_timeout_policy(have, tp);
        return;
    }
    const struct idl_ct_zone *z = idl_ct_zone_insert(v->txn);
    idl_ct_zone_set_timeout_policy(z, tp);
    union db_atom key = {.integer = zone}, value = {.uuid = z->row.uuid};
    db_datum_init_empty(&d);
    db_datum_push(&d, &key, &value);
    idl_row_insert_elements(&dp->row, IDL_DATAPATH_CT_ZONES, &d, true);
}

static void
del_zone(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_datapath *dp = must_find(v, c->argv[1]);
    int64_t zone = zone_number(c->argv[2]);
    if (!find_zone(dp, zone)) {
        if (!vsctl_has(c, "--if-exists")) {
            vsctl_fatal("zone id %lld does not exist", (long long) zone);
        }
        return;
    }
    union db_atom key = {.integer = zone};
    struct db_datum d;
    db_datum_init_empty(&d);
    db_datum_push(&d, &key, NULL);
    idl_row_remove_elements(&dp->row, IDL_DATAPATH_CT_ZONES, &d);
}

static void
list_zones(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_datapath *dp = find_datapath(v, c->argv[1]);
    if (!dp) {
        vsctl_fatal("datapath: %s record not found", c->argv[1]);
    }
    for (size_t i = 0; i < dp->n_ct_zones; i++) {
        const struct idl_ct_timeout_policy *tp = dp->ct_zones[i].value->timeout_policy;
        str_addf(&c->out, "Zone:%lld, Timeout Policies: ", (long long) dp->ct_zones[i].key);
        if (!tp || !tp->n_timeouts) {
            str_add(&c->out, "system default");
        }
        for (size_t j = 0; tp && j < tp->n_timeouts; j++) {
            str_addf(&c->out, "%s%s=%lld", j ? " " : "", tp->timeouts[j].key,
                     (long long) tp->timeouts[j].value);
        }
        str_add_char(&c->out, '\n');
    }
}

static void
list_capabilities(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_datapath *dp = find_datapath(v, c->argv[1]);
    if (!dp) {
        vsctl_fatal("datapath \"%s\" record not found", c->argv[1]);
    }
    for (size_t i = 0; i < dp->n_capabilities; i++) {
        str_addf(&c->out, "%s%s=%s", i ? " " : "", dp->capabilities[i].key,
                 dp->capabilities[i].value);
    }
    str_add_char(&c->out, '\n');
}

const struct vsctl_syntax vsctl_zone_syntax[] = {
    {"add-zone-tp", "", 3, INT_MAX, "--may-exist", prepare_zone, add_zone, NULL},
    {"del-zone-tp", "", 2, 2, "--if-exists", prepare_zone, del_zone, NULL},
    {"list-zone-tp", "", 1, 1, "", prepare_zone, list_zones, NULL},
    {"list-dp-cap", "", 1, 1, "", prepare_zone, list_capabilities, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
