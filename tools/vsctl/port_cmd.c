// SPDX-License-Identifier: Apache-2.0
// add-port, del-port, list-ports, port-to-br, list-ifaces, iface-to-br; vsctl_add_port() also for
// add-bond.
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/port.h"

static void
may_exist(struct vsctl_cmd *c, const struct vsctl_new *new, const struct idl_port *have,
          const struct vsctl_bridge *at)
{
    char *cmd = vsctl_joined(c);
    if (strcmp(at->name, new->bridge)) {
        vsctl_fatal("\"%s\" but %s is actually attached to bridge %s", cmd, new->port, at->name);
    }
    const char **names = base_malloc(have->n_interfaces * sizeof *names),
               **want = base_malloc(new->n * sizeof *want);
    bool same = have->n_interfaces == new->n;
    for (size_t i = 0; i < have->n_interfaces; i++) {
        names[i] = have->interfaces[i]->name;
    }
    memcpy(want, new->ifaces, new->n * sizeof *want);
    qsort(names, have->n_interfaces, sizeof *names, vsctl_compare_names);
    qsort(want, new->n, sizeof *want, vsctl_compare_names);
    for (size_t i = 0; same && i < new->n; i++) {
        same = !strcmp(names[i], want[i]);
    }
    if (!same) {
        struct str s = STR_INIT;
        for (size_t i = 0; i < have->n_interfaces; i++) {
            str_addf(&s, "%s%s", i ? ", " : "", names[i]);
        }
        vsctl_fatal("\"%s\" but %s actually has interface(s) %s", cmd, new->port, str_get(&s));
    }
    free(names);
    free(want);
    free(cmd);
}

void
vsctl_add_port(struct vsctl *v, struct vsctl_cmd *c, const struct vsctl_new *new)
{
    struct vsctl_bridge b, at;
    const struct idl_port *have = NULL;
    if (vsctl_has(c, "--may-exist") && (have = vsctl_find_port(v, new->port, false, &at))) {
        may_exist(c, new, have, &at);
        return;
    }
    vsctl_check_conflicts(v, new->port, "a port");
    for (size_t i = 0; i < new->n; i++) {
        vsctl_check_conflicts(v, new->ifaces[i], "an interface");
    }
    vsctl_find_bridge(v, new->bridge, true, &b);

    const struct idl_interface **ifaces = base_malloc(new->n * sizeof *ifaces);
    for (size_t i = 0; i < new->n; i++) {
        ifaces[i] = idl_interface_insert(v->txn);
        idl_interface_set_name(ifaces[i], new->ifaces[i]);
    }
    const struct idl_port *port = idl_port_insert(v->txn);
    idl_port_set_name(port, new->port);
    idl_port_set_interfaces(port, ifaces, new->n);
    free(ifaces);
    if (new->fake_iface) {
        idl_port_set_bond_fake_iface(port, true);
    }
    if (b.fake) {
        int64_t tag = b.vlan;
        idl_port_set_tag(port, &tag);
    }
    for (int i = 0; i < new->n_settings; i++) {
        struct vsctl_assign a;
        vsctl_assign_parse(IDL_TABLE_PORT, new->settings[i], VSCTL_VALUE, &a);
        vsctl_set(v, &port->row, &a);
        vsctl_assign_free(&a);
    }
    idl_bridge_ports_add(b.br, port);
    vsctl_new_port(v, new->port);
    if (vsctl_is_fake(port)) {
        v->fakes_known = false;
    }
}

static void
prepare_add(struct vsctl *v, struct vsctl_cmd *c)
{
    vsctl_want_info(v, c);
    for (int i = 3; i < c->argc; i++) {
        vsctl_want_assign(v, IDL_TABLE_PORT, c->argv[i], VSCTL_VALUE);
    }
}

static void
add_port(struct vsctl *v, struct vsctl_cmd *c)
{
    const char *iface = c->argv[2];
    struct vsctl_new new = {.bridge = c->argv[1],
                            .port = c->argv[2],
                            .ifaces = &iface,
                            .n = 1,
                            .settings = c->argv + 3,
                            .n_settings = c->argc - 3};
    vsctl_add_port(v, c, &new);
}

static const struct idl_port *
port_to_delete(struct vsctl *v, struct vsctl_cmd *c, const char *name, struct vsctl_bridge *b)
{
    const struct idl_port *port = NULL;
    if (!vsctl_has(c, "--with-iface")) {
        // Only looks for the port when it is no bridge's local one, which has its own message.
        struct vsctl_bridge own;
        bool must = !vsctl_has(c, "--if-exists") && !vsctl_find_bridge(v, name, false, &own);
        return vsctl_find_port(v, name, must, b);
    }
    port = vsctl_find_port(v, name, false, b);
    if (!port) {
        vsctl_find_iface(v, name, false, &port, b);
    }
    if (!port && !vsctl_has(c, "--if-exists")) {
        vsctl_fatal("no port or interface named %s", name);
    }
    return port;
}

static void
del_port(struct vsctl *v, struct vsctl_cmd *c)
{
    const char *name = c->argv[c->argc - 1];
    struct vsctl_bridge b, own;
    const struct idl_port *port = port_to_delete(v, c, name, &b);
    if (!port) {
        if (!vsctl_has(c, "--if-exists") && vsctl_find_bridge(v, name, false, &own)) {
            vsctl_fatal("cannot delete port %s because it is the local port for bridge %s "
                        "(deleting this port requires "
                        "deleting the entire bridge)",
                        name, name);
        }
        return;
    }
    if (c->argc == 3) {
        struct vsctl_bridge want;
        vsctl_find_bridge(v, c->argv[1], true, &want);
        if (want.br != b.br || want.fake != b.fake) {
            if (want.br == b.br && b.fake) {
                vsctl_fatal("bridge %s does not have a port %s (although its child bridge %s does)",
                            c->argv[1], name, b.fake->name);
            }
            vsctl_fatal("bridge %s does not have a port %s", c->argv[1], name);
        }
    }
    vsctl_delete_port(v, b.br, port);
}

static void
list_ports(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const char **names = base_malloc((b.br->n_ports + 1) * sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < b.br->n_ports; i++) {
        if (vsctl_in_bridge(v, b.br->ports[i], &b)) {
            names[n++] = b.br->ports[i]->name;
        }
    }
    vsctl_print_sorted(c, names, n);
}

static void
list_ifaces(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const char **names = NULL;
    size_t n = 0, cap = 0;
    for (size_t i = 0; i < b.br->n_ports; i++) {
        const struct idl_port *p = b.br->ports[i];
        for (size_t j = 0; vsctl_in_bridge(v, p, &b) && j < p->n_interfaces; j++) {
            if (n == cap) {
                names = base_grow(names, &cap, sizeof *names);
            }
            names[n++] = p->interfaces[j]->name;
        }
    }
    vsctl_print_sorted(c, names, n);
}

static void
port_to_br(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_port(v, c->argv[1], true, &b);
    str_addf(&c->out, "%s\n", b.name);
}

static void
iface_to_br(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    const struct idl_port *port;
    vsctl_find_iface(v, c->argv[1], true, &port, &b);
    str_addf(&c->out, "%s\n", b.name);
}

const struct vsctl_syntax vsctl_port_syntax[] = {
    {"add-port", "!BRIDGE !NEW-PORT *COLUMN?:KEY=VALUE", 2, INT_MAX, "--may-exist", prepare_add,
     add_port, NULL},
    {"del-port", "?BRIDGE !PORT|IFACE", 1, 2, "--if-exists --with-iface", vsctl_want_info, del_port,
     NULL},
    {"list-ports", "!BRIDGE", 1, 1, "", vsctl_want_info, list_ports, NULL},
    {"port-to-br", "!PORT", 1, 1, "", vsctl_want_info, port_to_br, NULL},
    {"list-ifaces", "!BRIDGE", 1, 1, "", vsctl_want_info, list_ifaces, NULL},
    {"iface-to-br", "!IFACE", 1, 1, "", vsctl_want_info, iface_to_br, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
