// SPDX-License-Identifier: Apache-2.0
// init, emer-reset; controllers, fail modes, managers, TLS files, auto-attach mappings.
#include <limits.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/stream.h"
#include "tools/vsctl/vsctl.h"

LOG_MODULE(vsctl);

void
vsctl_init_db(struct vsctl *v)
{
    v->ovs = idl_open_vswitch_first(v->idl);
    if (!v->ovs) {
        v->ovs = idl_open_vswitch_insert(v->txn);
    }
}

static void
nothing(struct vsctl *v, struct vsctl_cmd *c)
{
}

// --- emer-reset ---

static void
prepare_reset(struct vsctl *v, struct vsctl_cmd *c)
{
    static const unsigned columns[] = {IDL_OPEN_VSWITCH_MANAGER_OPTIONS,
                                       IDL_OPEN_VSWITCH_SSL,
                                       IDL_BRIDGE_CONTROLLER,
                                       IDL_BRIDGE_FAIL_MODE,
                                       IDL_BRIDGE_MIRRORS,
                                       IDL_BRIDGE_NETFLOW,
                                       IDL_BRIDGE_SFLOW,
                                       IDL_BRIDGE_IPFIX,
                                       IDL_BRIDGE_FLOOD_VLANS,
                                       IDL_BRIDGE_OTHER_CONFIG,
                                       IDL_PORT_OTHER_CONFIG,
                                       IDL_INTERFACE_INGRESS_POLICING_RATE,
                                       IDL_INTERFACE_INGRESS_POLICING_BURST};
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        idl_want(v->idl, columns[i], IDL_READ);
    }
}

static void
emer_reset(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_bridge *br;
    const struct idl_port *port;
    const struct idl_interface *iface;
    idl_open_vswitch_set_manager_options(v->ovs, NULL, 0);
    idl_open_vswitch_set_ssl(v->ovs, NULL);
    IDL_BRIDGE_FOR_EACH(br, v->idl)
    {
        const char *hwaddr = idl_bridge_other_config_get(br, "hwaddr");
        struct idl_pair_ss keep = {"hwaddr", hwaddr};
        idl_bridge_set_controller(br, NULL, 0);
        idl_bridge_set_fail_mode(br, NULL);
        idl_bridge_set_mirrors(br, NULL, 0);
        idl_bridge_set_netflow(br, NULL);
        idl_bridge_set_sflow(br, NULL);
        idl_bridge_set_ipfix(br, NULL);
        idl_bridge_set_flood_vlans(br, NULL, 0);
        idl_bridge_set_other_config(br, &keep, hwaddr ? 1 : 0);
    }
    IDL_PORT_FOR_EACH(port, v->idl)
    {
        idl_port_set_other_config(port, NULL, 0);
    }
    IDL_INTERFACE_FOR_EACH(iface, v->idl)
    {
        idl_interface_set_ingress_policing_rate(iface, 0);
        idl_interface_set_ingress_policing_burst(iface, 0);
    }
}

// --- controllers ---

static void
check_target(const char *target)
{
    if (!stream_name_is_active(target) && !stream_name_is_passive(target)) {
        LOG_WARN("target type \"%s\" is possibly erroneous", target);
    }
}

static const int64_t *
probe_option(const struct vsctl_cmd *c, int64_t *value)
{
    const struct vsctl_option *o = vsctl_option(c, "--inactivity-probe");
    *value = o && o->arg ? atoll(o->arg) : 0;
    return o ? value : NULL;
}

static void
prepare_controller(struct vsctl *v, struct vsctl_cmd *c)
{
    vsctl_want_info(v, c);
    idl_want(v->idl, IDL_CONTROLLER_TARGET, IDL_READ);
}

static void
get_controller(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const char **names = base_malloc((b.br->n_controller + 1) * sizeof *names);
    for (size_t i = 0; i < b.br->n_controller; i++) {
        names[i] = b.br->controller[i]->target;
    }
    vsctl_print_sorted(c, names, b.br->n_controller);
}

static void
drop_controllers(const struct idl_bridge *br)
{
    for (size_t i = 0; i < br->n_controller; i++) {
        idl_controller_delete(br->controller[i]);
    }
}

static void
del_controller(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_real_bridge(v, c->argv[1], &b);
    if (b.br->n_controller) {
        idl_bridge_verify_controller(b.br);
        drop_controllers(b.br);
        idl_bridge_set_controller(b.br, NULL, 0);
    }
}

static void
set_controller(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    size_t n = (size_t) c->argc - 2;
    int64_t ms;
    const int64_t *probe = probe_option(c, &ms);
    vsctl_find_real_bridge(v, c->argv[1], &b);
    idl_bridge_verify_controller(b.br);
    drop_controllers(b.br);
    const struct idl_controller **rows = base_malloc((n + 1) * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        check_target(c->argv[i + 2]);
        rows[i] = idl_controller_insert(v->txn);
        idl_controller_set_target(rows[i], c->argv[i + 2]);
        if (probe) {
            idl_controller_set_inactivity_probe(rows[i], probe);
        }
    }
    idl_bridge_set_controller(b.br, rows, n);
    free(rows);
}

static void
get_fail_mode(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    if (b.br->fail_mode) {
        str_addf(&c->out, "%s\n", b.br->fail_mode);
    }
}

static void
del_fail_mode(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_real_bridge(v, c->argv[1], &b);
    idl_bridge_set_fail_mode(b.br, NULL);
}

static void
set_fail_mode(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_real_bridge(v, c->argv[1], &b);
    if (strcmp(c->argv[2], "standalone") && strcmp(c->argv[2], "secure")) {
        vsctl_fatal("fail-mode must be \"standalone\" or \"secure\"");
    }
    idl_bridge_set_fail_mode(b.br, c->argv[2]);
}

// --- managers ---

static void
prepare_manager(struct vsctl *v, struct vsctl_cmd *c)
{
    idl_want(v->idl, IDL_OPEN_VSWITCH_MANAGER_OPTIONS, IDL_READ);
    idl_want(v->idl, IDL_MANAGER_TARGET, IDL_READ);
}

static void
get_manager(struct vsctl *v, struct vsctl_cmd *c)
{
    const char **names = base_malloc((v->ovs->n_manager_options + 1) * sizeof *names);
    for (size_t i = 0; i < v->ovs->n_manager_options; i++) {
        names[i] = v->ovs->manager_options[i]->target;
    }
    vsctl_print_sorted(c, names, v->ovs->n_manager_options);
}

static void
del_manager(struct vsctl *v, struct vsctl_cmd *c)
{
    if (!v->ovs->n_manager_options) {
        return;
    }
    idl_open_vswitch_verify_manager_options(v->ovs);
    for (size_t i = 0; i < v->ovs->n_manager_options; i++) {
        idl_manager_delete(v->ovs->manager_options[i]);
    }
    idl_open_vswitch_set_manager_options(v->ovs, NULL, 0);
}

static void
set_manager(struct vsctl *v, struct vsctl_cmd *c)
{
    size_t n = (size_t) c->argc - 1;
    int64_t ms;
    const int64_t *probe = probe_option(c, &ms);
    del_manager(v, c);
    const struct idl_manager **rows = base_malloc((n + 1) * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        check_target(c->argv[i + 1]);
        rows[i] = idl_manager_insert(v->txn);
        idl_manager_set_target(rows[i], c->argv[i + 1]);
        if (probe) {
            idl_manager_set_inactivity_probe(rows[i], probe);
        }
    }
    idl_open_vswitch_set_manager_options(v->ovs, rows, n);
    free(rows);
}

// --- TLS ---

static void
prepare_ssl(struct vsctl *v, struct vsctl_cmd *c)
{
    idl_want(v->idl, IDL_OPEN_VSWITCH_SSL, IDL_READ);
    idl_want(v->idl, IDL_SSL_PRIVATE_KEY, IDL_READ);
    idl_want(v->idl, IDL_SSL_CERTIFICATE, IDL_READ);
    idl_want(v->idl, IDL_SSL_CA_CERT, IDL_READ);
    idl_want(v->idl, IDL_SSL_BOOTSTRAP_CA_CERT, IDL_READ);
}

static void
get_ssl(struct vsctl *v, struct vsctl_cmd *c)
{
    const struct idl_ssl *ssl = v->ovs->ssl;
    if (ssl) {
        str_addf(&c->out, "Private key: %s\nCertificate: %s\nCA Certificate: %s\nBootstrap: %s\n",
                 ssl->private_key, ssl->certificate, ssl->ca_cert,
                 ssl->bootstrap_ca_cert ? "true" : "false");
    }
}

static void
del_ssl(struct vsctl *v, struct vsctl_cmd *c)
{
    if (v->ovs->ssl) {
        idl_open_vswitch_verify_ssl(v->ovs);
        idl_ssl_delete(v->ovs->ssl);
        idl_open_vswitch_set_ssl(v->ovs, NULL);
    }
}

static void
set_ssl(struct vsctl *v, struct vsctl_cmd *c)
{
    del_ssl(v, c);
    const struct idl_ssl *ssl = idl_ssl_insert(v->txn);
    idl_ssl_set_private_key(ssl, c->argv[1]);
    idl_ssl_set_certificate(ssl, c->argv[2]);
    idl_ssl_set_ca_cert(ssl, c->argv[3]);
    idl_ssl_set_bootstrap_ca_cert(ssl, vsctl_has(c, "--bootstrap"));
    idl_open_vswitch_set_ssl(v->ovs, ssl);
}

// --- auto-attach ---

static void
prepare_aa(struct vsctl *v, struct vsctl_cmd *c)
{
    vsctl_want_info(v, c);
    idl_want(v->idl, IDL_BRIDGE_AUTO_ATTACH, IDL_READ);
    idl_want(v->idl, IDL_AUTOATTACH_MAPPINGS, IDL_READ);
}

static int64_t
aa_number(const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    if (!*text || *end) {
        vsctl_fatal("Invalid argument %s", text);
    }
    return n;
}

static void
add_aa(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    union db_atom isid = {.integer = aa_number(c->argv[2])},
                  vlan = {.integer = aa_number(c->argv[3])};
    struct db_datum d;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const struct idl_autoattach *aa = b.br->auto_attach;
    if (!aa) {
        aa = idl_autoattach_insert(v->txn);
        idl_bridge_set_auto_attach(b.br, aa);
    }
    db_datum_init_empty(&d);
    db_datum_push(&d, &isid, &vlan);
    idl_row_insert_elements(&aa->row, IDL_AUTOATTACH_MAPPINGS, &d, false);
}

static void
del_aa(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    int64_t isid = aa_number(c->argv[2]), vlan = aa_number(c->argv[3]);
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const struct idl_autoattach *aa = b.br->auto_attach;
    for (size_t i = 0; aa && i < aa->n_mappings; i++) {
        if (aa->mappings[i].key == isid && aa->mappings[i].value == vlan) {
            union db_atom key = {.integer = isid};
            struct db_datum d;
            db_datum_init_empty(&d);
            db_datum_push(&d, &key, NULL);
            idl_row_remove_elements(&aa->row, IDL_AUTOATTACH_MAPPINGS, &d);
            break;
        }
    }
}

static void
get_aa(struct vsctl *v, struct vsctl_cmd *c)
{
    struct vsctl_bridge b;
    vsctl_find_bridge(v, c->argv[1], true, &b);
    const struct idl_autoattach *aa = b.br->auto_attach;
    for (size_t i = 0; aa && i < aa->n_mappings; i++) {
        str_addf(&c->out, "%lld %lld\n", (long long) aa->mappings[i].key,
                 (long long) aa->mappings[i].value);
    }
}

const struct vsctl_syntax vsctl_switch_syntax[] = {
    {"init", "", 0, 0, "", nothing, nothing, NULL},
    {"emer-reset", "", 0, 0, "", prepare_reset, emer_reset, NULL},
    {"get-controller", "!BRIDGE", 1, 1, "", prepare_controller, get_controller, NULL},
    {"del-controller", "!BRIDGE", 1, 1, "", prepare_controller, del_controller, NULL},
    {"set-controller", "!BRIDGE +TARGET", 1, INT_MAX, "--inactivity-probe=", prepare_controller,
     set_controller, NULL},
    {"get-fail-mode", "!BRIDGE", 1, 1, "", vsctl_want_info, get_fail_mode, NULL},
    {"del-fail-mode", "!BRIDGE", 1, 1, "", vsctl_want_info, del_fail_mode, NULL},
    {"set-fail-mode", "!BRIDGE !MODE", 2, 2, "", vsctl_want_info, set_fail_mode, NULL},
    {"get-manager", "", 0, 0, "", prepare_manager, get_manager, NULL},
    {"del-manager", "", 0, 0, "", prepare_manager, del_manager, NULL},
    {"set-manager", "+TARGET", 1, INT_MAX, "--inactivity-probe=", prepare_manager, set_manager,
     NULL},
    {"get-ssl", "", 0, 0, "", prepare_ssl, get_ssl, NULL},
    {"del-ssl", "", 0, 0, "", prepare_ssl, del_ssl, NULL},
    {"set-ssl", "!PRIVATE-KEY !CERTIFICATE !CA-CERT", 3, 3, "--bootstrap", prepare_ssl, set_ssl,
     NULL},
    {"add-aa-mapping", "!BRIDGE !ARG !ARG", 3, 3, "", prepare_aa, add_aa, NULL},
    {"del-aa-mapping", "!BRIDGE !ARG !ARG", 3, 3, "", prepare_aa, del_aa, NULL},
    {"get-aa-mapping", "!BRIDGE", 1, 1, "", prepare_aa, get_aa, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
