// SPDX-License-Identifier: Apache-2.0
// Datapaths and ports by name.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tools/dpctl/dpctl.h"

// NAME of "system@NAME" or "NAME"; other types than the kernel's aren't ours.
static const char *
strip_type(const char *name, int *error)
{
    const char *at = strchr(name, '@');

    *error = at && strncmp(name, "system@", 7) ? -EAFNOSUPPORT : 0;
    return at ? at + 1 : name;
}

struct dp *
dpctl_open(const char *name, const char *what)
{
    struct dp *dp;
    int error;

    const char *bare = strip_type(name, &error);
    if (!error) {
        error = kd_dp_ops.open(bare, false, &dp);
    }
    if (error) {
        log_fatal(-error, "%s", what);
    }
    return dp;
}

struct found {
    char name[16];
    const char *wanted; // NULL: any
    int n;
};

static void
find(const char *name, void *f_)
{
    struct found *f = f_;
    if (!f->wanted || !strcmp(f->wanted, name)) {
        memcpy(f->name, name, MIN(strlen(name) + 1, sizeof f->name));
        f->name[sizeof f->name - 1] = 0;
        f->n++;
    }
}

bool
dpctl_is_datapath(const char *name)
{
    int error;
    struct found f = {.wanted = strip_type(name, &error)};

    return !error && !kd_dp_for_each(find, &f) && f.n;
}

struct dp *
dpctl_open_optional(struct cmdline_ctx *ctx, int others)
{
    struct found f = {.wanted = NULL};

    if (ctx->argc - 1 > others) {
        return dpctl_open(ctx->argv[1], "opening datapath");
    }
    const int error = kd_dp_for_each(find, &f);
    if (error && error != -ENOENT) {
        log_fatal(-error, "finding datapaths");
    }
    if (f.n != 1) {
        fprintf(stderr, "ovs-dpctl: %s\n",
                f.n ? "multiple datapaths, specify one" : "no datapaths exist");
        log_fatal(EINVAL, "datapath not found");
    }
    return dpctl_open(f.name, "opening datapath");
}

// --- Ports. ---

struct dpctl_ports {
    struct dp_port_info *info;
    size_t n, cap;
};

static void
add(const struct dp_port_info *info, void *ports)
{
    struct dpctl_ports *p = ports;
    if (p->n == p->cap) {
        p->info = base_grow(p->info, &p->cap, sizeof *p->info);
    }
    p->info[p->n++] = *info;
}

struct dpctl_ports *
dpctl_ports_read(struct dp *dp)
{
    struct dpctl_ports *p = base_calloc(1, sizeof *p);
    kd_dp_ops.port_dump(dp, add, p);
    return p;
}

void
dpctl_ports_free(struct dpctl_ports *p)
{
    if (p) {
        free(p->info);
        free(p);
    }
}

const char *
dpctl_port_name(uint32_t port, void *ports)
{
    const struct dpctl_ports *p = ports;
    for (size_t i = 0; p && i < p->n; i++) {
        if (p->info[i].port_no == port) {
            return p->info[i].name;
        }
    }
    return NULL;
}

bool
dpctl_port_by_name(const char *name, uint32_t *port, void *ports)
{
    const struct dpctl_ports *p = ports;
    for (size_t i = 0; p && i < p->n; i++) {
        if (!strcmp(p->info[i].name, name)) {
            *port = p->info[i].port_no;
            return true;
        }
    }
    return false;
}
