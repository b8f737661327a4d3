// SPDX-License-Identifier: Apache-2.0
// Lean runs. Adding a port to a real bridge needs no replica of all ports: the server is asked only
// for the rows that have the names in question, and not for the bridges' ports. It holds as long as
// the names are new and the bridges are real ones; anything else (which mostly is an error, to be
// told in full) starts over with the whole replica. Another client that takes a name meanwhile
// shows up through the same conditions, or fails the transaction by the unique index.
#include "lib/base/str.h"
#include "tools/vsctl/vsctl.h"

// More names than this ask the server to compare each row too often.
#define MAX_NAMES 8

static bool
is_adding(const struct vsctl_cmd *c)
{
    return !strcmp(c->syntax->name, "add-port");
}

static bool
is_plain(const char *name)
{
    struct uuid uuid;
    for (const char *p = name; *p; p++) {
        if (*p <= ' ' || *p > '~') {
            return false;
        }
    }
    return *name && !uuid_parse(name, &uuid);
}

// True when one of the commands before `end` adds the port.
static bool
adds(const struct vsctl_cmd *commands, size_t end, const char *name)
{
    for (size_t i = 0; i < end; i++) {
        if (is_adding(&commands[i]) && !strcmp(commands[i].argv[2], name)) {
            return true;
        }
    }
    return false;
}

static bool
qualifies(const struct vsctl_cmd *commands, size_t i)
{
    const struct vsctl_cmd *c = &commands[i];
    if (is_adding(c)) {
        return is_plain(c->argv[1]) && is_plain(c->argv[2]) && !adds(commands, i, c->argv[2]);
    }
    // The rest of a usual command line: "-- set Interface NEW-PORT type=…".
    return !strcmp(c->syntax->name, "set") &&
           (!strcasecmp(c->argv[1], "interface") || !strcasecmp(c->argv[1], "port")) &&
           adds(commands, i, c->argv[2]);
}

bool
vsctl_lean_suits(const struct vsctl_cmd *commands, size_t n)
{
    size_t n_names = 0;
    for (size_t i = 0; i < n; i++) {
        if (!qualifies(commands, i)) {
            return false;
        }
        n_names += is_adding(&commands[i]);
    }
    return n_names > 0 && n_names <= MAX_NAMES;
}

void
vsctl_lean_want(struct vsctl *v, const struct vsctl_cmd *commands, size_t n)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < n; i++) {
        if (!is_adding(&commands[i])) {
            continue;
        }
        const char *bridge = commands[i].argv[1], *port = commands[i].argv[2];
        str_clear(&s);
        str_add_json(&s, bridge, strlen(bridge));
        idl_cond_add(v->idl, IDL_BRIDGE_NAME, "==", str_get(&s));
        str_clear(&s);
        str_add_json(&s, port, strlen(port));
        idl_cond_add(v->idl, IDL_BRIDGE_NAME, "==", str_get(&s));
        idl_cond_add(v->idl, IDL_PORT_NAME, "==", str_get(&s));
        idl_cond_add(v->idl, IDL_INTERFACE_NAME, "==", str_get(&s));
    }
    str_free(&s);
}

bool
vsctl_lean_holds(const struct vsctl *v, const struct vsctl_cmd *commands, size_t n)
{
    const struct idl_open_vswitch *ovs = idl_open_vswitch_first(v->idl);
    for (size_t i = 0; i < n; i++) {
        if (is_adding(&commands[i])) {
            const char *port = commands[i].argv[2];
            if (!ovs || !vsctl_is_bridge(ovs, idl_bridge_by_name(v->idl, commands[i].argv[1])) ||
                idl_bridge_by_name(v->idl, port) || idl_port_by_name(v->idl, port) ||
                idl_interface_by_name(v->idl, port)) {
                return false;
            }
        }
    }
    return true;
}
