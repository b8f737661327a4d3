// SPDX-License-Identifier: Apache-2.0
// Commands about datapaths and their ports: add-dp, del-dp, dump-dps, add-if, set-if, del-if.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/dpctl/dpctl.h"

// What the text of an interface asks for; false: said what is wrong with it.
static bool
parse_iface(char *text, struct dp_port_spec *spec)
{
    bool bad_number;

    dp_port_spec_parse(text, spec, &bad_number);
    if (!spec->name) {
        fprintf(stderr, "ovs-dpctl: '%s' is not a valid interface name\n", text);
        return false;
    }
    if (bad_number) {
        fprintf(stderr, "ovs-dpctl: %s: port_no is not a number\n", spec->name);
        return false;
    }
    return true;
}

static void
complain(int error, const char *text)
{
    fprintf(stderr, "ovs-dpctl: %s (%s)\n", text, base_strerror(error));
}

static int
add_iface(struct dp *dp, const char *dp_name, char *text)
{
    struct dp_port_spec spec;
    uint32_t port_no;

    if (!parse_iface(text, &spec)) {
        return -EINVAL;
    }
    spec.type = spec.type ? spec.type : "system";
    const int error = kd_dp_ops.port_add(dp, &spec, &port_no);
    if (error) {
        char *what = error == -ENODEV || error == -EAFNOSUPPORT
                         ? base_asprintf("%s: failed to open network device", spec.name)
                         : base_asprintf("adding %s to %s failed", spec.name, dp_name);
        complain(error, what);
        free(what);
    }
    return error;
}

static void
add_ifaces(struct cmdline_ctx *ctx, struct dp *dp)
{
    int failed = 0;

    for (int i = 2; i < ctx->argc; i++) {
        failed |= add_iface(dp, ctx->argv[1], ctx->argv[i]);
    }
    kd_dp_ops.close(dp);
    if (failed) {
        exit(1);
    }
}

void
dpctl_add_dp(struct cmdline_ctx *ctx)
{
    const char *name = ctx->argv[1], *at = strchr(name, '@');
    int error =
        at && strncmp(name, "system@", 7) ? -EAFNOSUPPORT : kd_dp_create(at ? at + 1 : name);

    if (error) {
        log_fatal(-error, "add_dp");
    }
    add_ifaces(ctx, dpctl_open(name, "add_dp"));
}

void
dpctl_del_dp(struct cmdline_ctx *ctx)
{
    const int error = kd_dp_ops.destroy(dpctl_open(ctx->argv[1], "opening datapath"));
    if (error) {
        log_fatal(-error, "del_dp");
    }
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

struct names {
    char **name;
    size_t n, cap;
};

static void
collect(const char *name, void *n_)
{
    struct names *n = n_;
    if (n->n == n->cap) {
        n->name = base_grow(n->name, &n->cap, sizeof *n->name);
    }
    n->name[n->n++] = base_strdup(name);
}

void
dpctl_dump_dps(struct cmdline_ctx *ctx)
{
    struct names n = {0};
    const int error = kd_dp_for_each(collect, &n);

    if (error && error != -ENOENT) {
        log_fatal(-error, "finding datapaths");
    }
    if (n.n) {
        qsort(n.name, n.n, sizeof *n.name, by_text);
    }
    for (size_t i = 0; i < n.n; i++) {
        printf("system@%s\n", n.name[i]);
        free(n.name[i]);
    }
    free(n.name);
}

void
dpctl_add_if(struct cmdline_ctx *ctx)
{
    add_ifaces(ctx, dpctl_open(ctx->argv[1], "opening datapath"));
}

// What is asked for must be what there is.
static bool
check_iface(struct dp *dp, const char *dp_name, char *text)
{
    struct dp_port_spec spec;
    struct kd_port p;

    if (!parse_iface(text, &spec)) {
        return false;
    }
    const int error = kd_port_get(dp, spec.name, 0, &p);
    if (error) {
        char *what = base_asprintf("%s: failed to query port in %s", spec.name, dp_name);
        complain(error, what);
        free(what);
        return false;
    }
    char *conflict = dp_port_spec_conflict(&spec, &p.info);
    if (conflict) {
        fprintf(stderr, "ovs-dpctl: %s\n", conflict);
        free(conflict);
        return false;
    }
    return true;
}

void
dpctl_set_if(struct cmdline_ctx *ctx)
{
    struct dp *dp = dpctl_open(ctx->argv[1], "opening datapath");
    bool good = true;

    for (int i = 2; i < ctx->argc; i++) {
        good &= check_iface(dp, ctx->argv[1], ctx->argv[i]);
    }
    kd_dp_ops.close(dp);
    if (!good) {
        exit(1);
    }
}

void
dpctl_del_if(struct cmdline_ctx *ctx)
{
    struct dp *dp = dpctl_open(ctx->argv[1], "opening datapath");
    bool good = true;

    for (int i = 2; i < ctx->argc; i++) {
        const char *name = ctx->argv[i];
        struct kd_port p;
        uint64_t port_no;

        if (name[0] < '0' || name[0] > '9' || !base_parse_uint(name, UINT32_MAX - 1, &port_no)) {
            if (kd_port_get(dp, name, 0, &p)) {
                fprintf(stderr, "ovs-dpctl: no port named %s\n", name);
                good = false;
                continue;
            }
            port_no = p.info.port_no;
        }
        const int error = kd_dp_ops.port_del(dp, port_no);
        if (error) {
            char *what = base_asprintf("deleting port %s from %s failed", name, ctx->argv[1]);
            complain(error, what);
            free(what);
            good = false;
        }
    }
    kd_dp_ops.close(dp);
    if (!good) {
        exit(1);
    }
}
