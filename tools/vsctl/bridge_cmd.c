// SPDX-License-Identifier: Apache-2.0
// add-br, del-br, list-br, br-exists, br-to-vlan, br-to-parent, br-set-external-id,
// br-get-external-id.
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/vsctl.h"

#define FAKE_PREFIX "fake-bridge-"

static void
may_exist(struct vsctl_cmd *c, const struct vsctl_bridge *have, const char *parent, int vlan)
{
    char *cmd = vsctl_joined(c);
    const char *name = c->argv[1];
    if (!parent) {
        if (have->fake) {
            vsctl_fatal("\"%s\" but %s is a VLAN bridge for VLAN %d", cmd, name, have->vlan);
        }
    } else if (!have->fake) {
        vsctl_fatal("\"%s\" but %s is not a VLAN bridge", cmd, name);
    } else if (strcmp(have->br->name, parent)) {
        vsctl_fatal("\"%s\" but %s has the wrong parent %s", cmd, name, have->br->name);
    } else if (have->vlan != vlan) {
        vsctl_fatal("\"%s\" but %s is a VLAN bridge for the wrong VLAN %d", cmd, name, have->vlan);
    }
    free(cmd);
}

static const struct idl_port *
insert_internal_port(struct vsctl *v, const char *name)
{
    const struct idl_interface *iface = idl_interface_insert(v->txn);
    idl_interface_set_name(iface, name);
    idl_interface_set_type(iface, "internal");
    const struct idl_port *port = idl_port_insert(v->txn);
    idl_port_set_name(port, name);
    idl_port_set_interfaces(port, &iface, 1);
    vsctl_new_port(v, name);
    return port;
}

static void
add_real(struct vsctl *v, const char *name)
{
    const struct idl_port *port = insert_internal_port(v, name);
    const struct idl_bridge *br = idl_bridge_insert(v->txn);
    idl_bridge_set_name(br, name);
    idl_bridge_set_ports(br, &port, 1);
    idl_open_vswitch_bridges_add(v->ovs, br);
}

static void
add_fake(struct vsctl *v, const char *name, const char *parent, int vlan)
{
    struct vsctl_bridge b, child;
    int64_t tag = vlan;
    if (!vsctl_find_bridge(v, parent, false, &b)) {
        vsctl_fatal("parent bridge %s does not exist", parent);
    }
    if (b.fake) {
        vsctl_fatal("cannot create bridge with fake bridge as parent");
    }
    if (vsctl_child(v, b.br, vlan, &child)) {
        vsctl_fatal("bridge %s already has a child VLAN bridge %s on VLAN %d", parent, child.name,
                    vlan);
    }
    const struct idl_port *port = insert_internal_port(v, name);
    idl_port_set_fake_bridge(port, true);
    idl_port_set_tag(port, &tag);
    idl_bridge_ports_add(b.br, port);
    v->fakes_known = false;
}

static void
add_br(struct vsctl *v, struct vsctl_cmd *c)
{
    const char *name = c->argv[1], *parent = c->argc > 2 ? c->argv[2] : NULL;
    struct vsctl_bridge have;
    int vlan = 0;
    if (!*name) {
        vsctl_fatal("bridge name must not be empty string");
    }
    if (c->argc == 3) {
        vsctl_fatal("'%s' command takes exactly 1 or 3 arguments", c->argv[0]);
    }
    if (parent) {
        vlan = atoi(c->argv[3]);
        if (vlan < 0 || vlan > 4095) {
            vsctl_fatal("%s: vlan must be between 0 and 4095", c->argv[0]);
        }
    }
    if (vsctl_has(c, "--may-exist") && vsctl_find_bridge(v, name, false, &have)) {
        may_exist(c, &have, parent, vlan);
        return;
    }
    vsctl_check_conflicts(v, name, "a bridge");
    if (parent) {
        add_fake(v, name, parent, vlan);
    } else {
        add_real(v, name);
    }
}

static void
del_br(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    if (vsctl_find_bridge(v, c->argv[1], !vsctl_has(c, "--if-exists"), &b)) {
        vsctl_delete_bridge(v, &b);
    }
}

static void
list_br(struct vsctl *v, struct vsctl_cmd *c)
{
    bool real = vsctl_has(c, "--real"), fake = vsctl_has(c, "--fake");
    const struct idl_bridge *br;
    vsctl_load_fakes(v);
    const char **names =
        base_malloc((idl_table_count(v->idl, IDL_TABLE_BRIDGE) + v->n_fakes + 256) * sizeof *names);
    size_t n = 0, cap = idl_table_count(v->idl, IDL_TABLE_BRIDGE) + v->n_fakes + 256;
    IDL_BRIDGE_FOR_EACH(br, v->idl)
    {
        if ((real || !fake) && vsctl_is_bridge(v->ovs, br)) {
            if (n == cap) {
                names = base_grow(names, &cap, sizeof *names);
            }
            names[n++] = br->name;
        }
    }
    for (size_t i = 0; i < v->n_fakes && (fake || !real); i++) {
        if (n == cap) {
            names = base_grow(names, &cap, sizeof *names);
        }
        names[n++] = v->fakes[i]->name;
    }
    vsctl_print_sorted(c, names, n);
}

static void
br_exists(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    if (!vsctl_find_bridge(v, c->argv[1], false, &b)) {
        exit(2);
    }
}

static void
br_to_vlan(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    str_addf(&c->out, "%d\n", b.vlan);
}

static void
br_to_parent(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    str_addf(&c->out, "%s\n", b.br->name);
}

static void
prepare_ids(struct vsctl *v, struct vsctl_cmd *c)
{
    vsctl_want_info(v, c);
    idl_want(v->idl, IDL_BRIDGE_EXTERNAL_IDS, IDL_READ);
    idl_want(v->idl, IDL_PORT_EXTERNAL_IDS, IDL_READ);
}

static void
br_set_external_id(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const struct idl_row *row = b.fake ? &b.fake->row : &b.br->row;
    unsigned column = b.fake ? IDL_PORT_EXTERNAL_IDS : IDL_BRIDGE_EXTERNAL_IDS;
    char *key = base_asprintf("%s%s", b.fake ? FAKE_PREFIX : "", c->argv[2]);
    if (c->argc > 3) {
        idl_map_put(row, column, key, c->argv[3]);
    } else {
        idl_map_del(row, column, key);
    }
    free(key);
}

static void
br_get_external_id(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const struct idl_pair_ss *ids = b.fake ? b.fake->external_ids : b.br->external_ids;
    size_t n = b.fake ? b.fake->n_external_ids : b.br->n_external_ids;
    const char *prefix = b.fake ? FAKE_PREFIX : "";
    if (c->argc > 2) {
        char *key = base_asprintf("%s%s", prefix, c->argv[2]);
        const char *value = idl_pairs_get(ids, n, key);
        if (value) {
            str_addf(&c->out, "%s\n", value);
        }
        free(key);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!strncmp(ids[i].key, prefix, strlen(prefix))) {
            str_addf(&c->out, "%s=%s\n", ids[i].key + strlen(prefix), ids[i].value);
        }
    }
}

const struct vsctl_syntax vsctl_bridge_syntax[] = {
    {"add-br", "!NEW-BRIDGE ?PARENT ?NEW-VLAN", 1, 3, "--may-exist", vsctl_want_info, add_br, NULL},
    {"del-br", "!BRIDGE", 1, 1, "--if-exists", vsctl_want_info, del_br, NULL},
    {"list-br", "", 0, 0, "--real --fake", vsctl_want_info, list_br, NULL},
    {"br-exists", "!BRIDGE", 1, 1, "", vsctl_want_info, br_exists, NULL},
    {"br-to-vlan", "!BRIDGE", 1, 1, "", vsctl_want_info, br_to_vlan, NULL},
    {"br-to-parent", "!BRIDGE", 1, 1, "", vsctl_want_info, br_to_parent, NULL},
    {"br-set-external-id", "!BRIDGE !KEY ?VALUE", 2, 3, "", prepare_ids, br_set_external_id, NULL},
    {"br-get-external-id", "!BRIDGE ?KEY", 1, 2, "", prepare_ids, br_get_external_id, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
