// SPDX-License-Identifier: Apache-2.0
// add-bond, add-bond-iface, del-bond-iface.
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/port.h"

// Interfaces end where settings (words with "=") begin.
static int
first_setting(const struct vsctl_cmd *c)
{
    int i = 3;
    while (i < c->argc && !strchr(c->argv[i], '=')) {
        i++;
    }
    return i;
}

static void
prepare_add(struct vsctl *v, struct vsctl_cmd *c)
{
    vsctl_want_info(v, c);
    for (int i = first_setting(c); i < c->argc; i++) {
        vsctl_want_assign(v, IDL_TABLE_PORT, c->argv[i], VSCTL_VALUE);
    }
}

static void
add_bond(struct vsctl *v, struct vsctl_cmd *c)
{
    int end = first_setting(c);
    if (end - 3 < 2) {
        vsctl_fatal("add-bond requires at least 2 interfaces, but only %d were specified", end - 3);
    }
    struct vsctl_new new = {.bridge = c->argv[1],
                            .port = c->argv[2],
                            .ifaces = (const char **) (void *) (c->argv + 3),
                            .n = (size_t) (end - 3),
                            .settings = c->argv + end,
                            .n_settings = c->argc - end,
                            .fake_iface = vsctl_has(c, "--fake-iface")};
    vsctl_add_port(v, c, &new);
}

static void
add_bond_iface(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b, at;
    const struct idl_port *owner;
    const struct idl_port *bond = vsctl_find_port(v, c->argv[1], true, &b);
    if (vsctl_has(c, "--may-exist") && vsctl_find_iface(v, c->argv[2], false, &owner, &at)) {
        if (owner != bond) {
            char *cmd = vsctl_joined(c);
            vsctl_fatal("\"%s\" but %s is actually attached to port %s", cmd, c->argv[2],
                        owner->name);
        }
        return;
    }
    vsctl_check_conflicts(v, c->argv[2], "an interface");
    const struct idl_interface *iface = idl_interface_insert(v->txn);
    idl_interface_set_name(iface, c->argv[2]);
    idl_port_interfaces_add(bond, iface);
}

static void
del_bond_iface(struct vsctl *v, struct vsctl_cmd *c)
{
    const char *name = c->argv[c->argc - 1];
    struct vsctl_bridge b, at;
    const struct idl_port *owner, *bond;
    bool must_exist = !vsctl_has(c, "--if-exists");
    const struct idl_interface *iface = vsctl_find_iface(v, name, must_exist, &owner, &b);
    if (!iface) {
        return;
    }
    if (c->argc == 3) {
        bond = vsctl_find_port(v, c->argv[1], true, &at);
        if (bond != owner) {
            if (must_exist) {
                vsctl_fatal("port %s does not have an interface %s", c->argv[1], name);
            }
            return;
        }
    }
    if (owner->n_interfaces == 1) {
        vsctl_fatal("cannot delete last interface from port %s", owner->name);
    }
    idl_port_verify_interfaces(owner);
    idl_port_interfaces_remove(owner, iface);
    idl_interface_delete(iface);
}

const struct vsctl_syntax vsctl_bond_syntax[] = {
    {"add-bond", "!BRIDGE !BOND +IFACE *COLUMN?:KEY=VALUE", 4, INT_MAX, "--may-exist --fake-iface",
     prepare_add, add_bond, NULL},
    {"add-bond-iface", "!BOND !IFACE", 2, 2, "--may-exist", vsctl_want_info, add_bond_iface, NULL},
    {"del-bond-iface", "?BOND !IFACE", 1, 2, "--if-exists", vsctl_want_info, del_bond_iface, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
