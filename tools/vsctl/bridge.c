// SPDX-License-Identifier: Apache-2.0
// Bridges as users see them: real ones, and VLAN bridges ("fake": a Port with fake_bridge and a
// tag, whose bridge is the parent and whose ports are the parent's ports with the same tag). Found
// through the replica's indexes; only what must look at every port does.
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/vsctl/vsctl.h"

void
vsctl_want_info(struct vsctl *v, struct vsctl_cmd *c)
{
    static const unsigned columns[] = {
        IDL_OPEN_VSWITCH_BRIDGES, IDL_BRIDGE_NAME,   IDL_BRIDGE_CONTROLLER, IDL_BRIDGE_FAIL_MODE,
        IDL_BRIDGE_PORTS,         IDL_PORT_NAME,     IDL_PORT_FAKE_BRIDGE,  IDL_PORT_TAG,
        IDL_PORT_INTERFACES,      IDL_INTERFACE_NAME};
    if (v->lean) {
        idl_want(v->idl, IDL_OPEN_VSWITCH_BRIDGES, IDL_READ);
        idl_want(v->idl, IDL_BRIDGE_NAME, IDL_READ);
        idl_want(v->idl, IDL_PORT_NAME, IDL_READ);
        idl_want(v->idl, IDL_PORT_FAKE_BRIDGE, IDL_READ);
        idl_want(v->idl, IDL_PORT_TAG, IDL_READ);
        idl_want(v->idl, IDL_PORT_INTERFACES, IDL_READ);
        idl_want(v->idl, IDL_INTERFACE_NAME, IDL_READ);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        idl_want(v->idl, columns[i], IDL_READ);
    }
    idl_want_table(v->idl, IDL_TABLE_CONTROLLER);
}

bool
vsctl_is_fake(const struct idl_port *p)
{
    return p->fake_bridge && p->tag && *p->tag >= 0 && *p->tag <= 4095;
}

// Sets of references are sorted by uuid.
static bool
has_port(const struct idl_bridge *br, const struct idl_port *port)
{
    size_t lo = 0, hi = br->n_ports;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (br->ports[mid] == port) {
            return true;
        }
        if (uuid_compare(&br->ports[mid]->row.uuid, &port->row.uuid) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

bool
vsctl_is_bridge(const struct idl_open_vswitch *ovs, const struct idl_bridge *br)
{
    for (size_t i = 0; br && i < ovs->n_bridges; i++) {
        if (ovs->bridges[i] == br) {
            return true;
        }
    }
    return false;
}

static const struct idl_bridge *
bridge_by_name(const struct vsctl *v, const char *name)
{
    const struct idl_bridge *br = idl_bridge_by_name(v->idl, name);
    return vsctl_is_bridge(v->ovs, br) ? br : NULL;
}

static const struct idl_bridge *
bridge_of(struct vsctl *v, const struct idl_port *port)
{
    for (size_t i = 0; i < v->ovs->n_bridges; i++) {
        if (has_port(v->ovs->bridges[i], port)) {
            return v->ovs->bridges[i];
        }
    }
    return NULL;
}

void
vsctl_load_fakes(struct vsctl *v)
{
    const struct idl_port *p;
    if (v->fakes_known) {
        return;
    }
    v->n_fakes = 0;
    IDL_PORT_FOR_EACH(p, v->idl)
    {
        if (vsctl_is_fake(p) && bridge_of(v, p)) {
            if (v->n_fakes == v->fakes_cap) {
                v->fakes = base_grow(v->fakes, &v->fakes_cap, sizeof *v->fakes);
            }
            v->fakes[v->n_fakes++] = p;
        }
    }
    v->fakes_known = true;
}

static void
set_fake(struct vsctl_bridge *out, const struct idl_bridge *br, const struct idl_port *p)
{
    *out = (struct vsctl_bridge){.br = br, .fake = p, .vlan = (int) *p->tag, .name = p->name};
}

bool
vsctl_find_bridge(struct vsctl *v, const char *name, bool must_exist, struct vsctl_bridge *out)
{
    const struct idl_bridge *br = bridge_by_name(v, name);
    if (br) {
        *out = (struct vsctl_bridge){.br = br, .name = br->name};
        return true;
    }
    const struct idl_port *p = idl_port_by_name(v->idl, name);
    if (p && vsctl_is_fake(p) && (br = bridge_of(v, p))) {
        set_fake(out, br, p);
        return true;
    }
    if (must_exist) {
        vsctl_fatal("no bridge named %s", name);
    }
    return false;
}

void
vsctl_find_real_bridge(struct vsctl *v, const char *name, struct vsctl_bridge *out)
{
    vsctl_find_bridge(v, name, true, out);
    if (out->fake) {
        vsctl_fatal("%s is a fake bridge", name);
    }
}

bool
vsctl_child(struct vsctl *v, const struct idl_bridge *br, int vlan, struct vsctl_bridge *out)
{
    vsctl_load_fakes(v);
    for (size_t i = 0; i < v->n_fakes; i++) {
        if (*v->fakes[i]->tag == vlan && has_port(br, v->fakes[i])) {
            set_fake(out, br, v->fakes[i]);
            return true;
        }
    }
    return false;
}

// The bridge, real or VLAN bridge, that a port of the real bridge is seen in.
static void
seen_in(struct vsctl *v, const struct idl_bridge *br, const struct idl_port *port,
        struct vsctl_bridge *out)
{
    if (!port->tag || *port->tag < 0 || *port->tag > 4095 ||
        !vsctl_child(v, br, (int) *port->tag, out)) {
        *out = (struct vsctl_bridge){.br = br, .name = br->name};
    }
}

bool
vsctl_in_bridge(struct vsctl *v, const struct idl_port *port, const struct vsctl_bridge *b)
{
    struct vsctl_bridge at;
    // Local ports of bridges, and the ports that stand for VLAN bridges, are not counted among the
    // ports.
    if (!strcmp(port->name, b->br->name) || vsctl_is_fake(port)) {
        return false;
    }
    seen_in(v, b->br, port, &at);
    return at.fake == b->fake;
}

const struct idl_port *
vsctl_find_port(struct vsctl *v, const char *name, bool must_exist, struct vsctl_bridge *b)
{
    const struct idl_port *p = idl_port_by_name(v->idl, name);
    const struct idl_bridge *br =
        p && !bridge_by_name(v, name) && !vsctl_is_fake(p) ? bridge_of(v, p) : NULL;
    if (br) {
        seen_in(v, br, p, b);
        return p;
    }
    if (must_exist) {
        vsctl_fatal("no port named %s", name);
    }
    return NULL;
}

static bool
has_iface(const struct idl_port *p, const struct idl_interface *iface)
{
    for (size_t i = 0; i < p->n_interfaces; i++) {
        if (p->interfaces[i] == iface) {
            return true;
        }
    }
    return false;
}

const struct idl_interface *
vsctl_find_iface(struct vsctl *v, const char *name, bool must_exist, const struct idl_port **port,
                 struct vsctl_bridge *b)
{
    const struct idl_interface *iface = idl_interface_by_name(v->idl, name);
    const struct idl_port *p =
        iface ? idl_port_by_name(v->idl, name) : NULL; // mostly the port has the same name
    if (p && !has_iface(p, iface)) {
        p = NULL;
    }
    if (iface && !p) {
        IDL_PORT_FOR_EACH(p, v->idl)
        {
            if (has_iface(p, iface)) {
                break;
            }
        }
    }
    if (p && !(vsctl_is_fake(p) || bridge_by_name(v, p->name))) {
        const struct idl_bridge *br = bridge_of(v, p);
        if (br) {
            seen_in(v, br, p, b);
            *port = p;
            return iface;
        }
    }
    if (must_exist) {
        vsctl_fatal("no interface named %s", name);
    }
    return NULL;
}

void
vsctl_check_conflicts(struct vsctl *v, const char *name, const char *what)
{
    struct vsctl_bridge b;
    const struct idl_port *port;
    if (vsctl_find_bridge(v, name, false, &b)) {
        vsctl_fatal("cannot create %s named %s because a bridge named %s already exists", what,
                    name, name);
    }
    if (vsctl_find_port(v, name, false, &b)) {
        vsctl_fatal("cannot create %s named %s because a port named %s already exists on bridge %s",
                    what, name, name, b.name);
    }
    if (vsctl_find_iface(v, name, false, &port, &b)) {
        vsctl_fatal(
            "cannot create %s named %s because an interface named %s already exists on bridge %s",
            what, name, name, b.name);
    }
}

static void
delete_port_rows(const struct idl_port *port)
{
    for (size_t i = 0; i < port->n_interfaces; i++) {
        idl_interface_delete(port->interfaces[i]);
    }
    idl_port_delete(port);
}

void
vsctl_delete_port(struct vsctl *v, const struct idl_bridge *br, const struct idl_port *port)
{
    idl_bridge_ports_remove(br, port);
    delete_port_rows(port);
    v->fakes_known = false;
}

void
vsctl_delete_bridge(struct vsctl *v, const struct vsctl_bridge *b)
{
    if (!b->fake) {
        idl_open_vswitch_bridges_remove(v->ovs, b->br);
        for (size_t i = 0; i < b->br->n_ports; i++) {
            delete_port_rows(b->br->ports[i]);
        }
        idl_bridge_delete(b->br);
        v->fakes_known = false;
        return;
    }
    const struct idl_port **all = base_malloc((b->br->n_ports + 1) * sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < b->br->n_ports; i++) {
        if (vsctl_in_bridge(v, b->br->ports[i], b)) {
            all[n++] = b->br->ports[i];
        }
    }
    all[n++] = b->fake;
    for (size_t i = 0; i < n; i++) {
        vsctl_delete_port(v, b->br, all[i]);
    }
    free(all);
}

void
vsctl_new_port(struct vsctl *v, const char *name)
{
    if (v->n_new_ports == v->new_ports_cap) {
        v->new_ports = base_grow(v->new_ports, &v->new_ports_cap, sizeof *v->new_ports);
    }
    v->new_ports[v->n_new_ports++] = base_strdup(name);
}

int
vsctl_compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
vsctl_print_sorted(struct vsctl_cmd *c, const char **names, size_t n)
{
    qsort(names, n, sizeof *names, vsctl_compare_names);
    for (size_t i = 0; i < n; i++) {
        str_addf(&c->out, "%s\n", names[i]);
    }
    free(names);
}
