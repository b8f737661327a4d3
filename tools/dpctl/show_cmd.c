// SPDX-License-Identifier: Apache-2.0
// show: a datapath's counters, caches and ports; cache-get-size, cache-set-size.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/net/link.h"
#include "tools/dpctl/dpctl.h"

struct ports {
    struct kd_port *p;
    size_t n, cap;
};

static void
add_port(const struct kd_port *port, void *ports)
{
    struct ports *p = ports;
    if (p->n == p->cap) {
        p->p = base_grow(p->p, &p->cap, sizeof *p->p);
    }
    p->p[p->n++] = *port;
}

static int
by_number(const void *a_, const void *b_)
{
    const struct kd_port *a = a_, *b = b_;
    return a->info.port_no < b->info.port_no ? -1 : a->info.port_no > b->info.port_no;
}

static void
print_human(const char *prefix, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double size = (double) bytes / 1024;
    size_t i = 0;

    printf("%s%" PRIu64, prefix, bytes);
    while (size >= 1024 && i + 1 < ARRAY_SIZE(units)) {
        size /= 1024;
        i++;
    }
    if (bytes >= 1024) {
        printf(" (%.1f %s)", size, units[i]);
    }
}

static void
show_counters(struct link_cache *links, const char *name)
{
    struct link_counters c;
    const int error = link_read_counters(links, name, &c);

    if (error) {
        printf(", could not retrieve stats (%s)", base_strerror(error));
        return;
    }
    printf("    RX packets:%" PRIu64 " errors:%" PRIu64 " dropped:%" PRIu64 " overruns:%" PRIu64
           " frame:%" PRIu64 "\n",
           c.rx_packets, c.rx_errors, c.rx_dropped, c.rx_over_err, c.rx_frame_err);
    printf("    TX packets:%" PRIu64 " errors:%" PRIu64 " dropped:%" PRIu64 " aborted:%" PRIu64
           " carrier:%" PRIu64 "\n",
           c.tx_packets, c.tx_errors, c.tx_dropped, c.tx_aborted, c.tx_carrier);
    printf("    collisions:%" PRIu64 "\n", c.collisions);
    print_human("    RX bytes:", c.rx_bytes);
    print_human("  TX bytes:", c.tx_bytes);
    printf("\n");
}

static void
show_port(const struct kd_port *p, struct link_cache *links)
{
    printf("  port %u: %s", p->info.port_no, p->info.name);
    if (strcmp(p->info.type, "system") && *p->info.type) {
        printf(" (%s", p->info.type);
        if (p->tp_dst) {
            printf(": dst_port=%u", p->tp_dst);
        }
        printf(")");
    }
    printf("\n");
    if (links) {
        show_counters(links, p->info.name);
    }
}

static void
show_caches(struct dp *dp)
{
    printf("  caches:\n    masks-cache: size:%u\n", kd_dp_mask_cache(dp));
}

static void
show_dp(struct dp *dp, const char *name, struct link_cache *links)
{
    struct ports ports = {0};
    struct dp_stats s;

    printf("system@%s:\n", name);
    if (!kd_dp_ops.stats(dp, &s)) {
        const uint64_t n = s.hit + s.missed;
        printf("  lookups: hit:%" PRIu64 " missed:%" PRIu64 " lost:%" PRIu64 "\n  flows: %" PRIu64
               "\n",
               s.hit, s.missed, s.lost, s.flows);
        printf("  masks: hit:%" PRIu64 " total:%u hit/pkt:%.2f\n", s.mask_hit, s.masks,
               n ? (double) s.mask_hit / n : 0.0);
        if (s.cache_hit) {
            printf("  cache: hit:%" PRIu64 " hit-rate:%.2f%%\n", s.cache_hit,
                   n ? (double) s.cache_hit / n * 100 : 0.0);
        }
    }
    show_caches(dp);
    kd_port_for_each(dp, add_port, &ports);
    if (ports.n) {
        qsort(ports.p, ports.n, sizeof *ports.p, by_number);
    }
    for (size_t i = 0; i < ports.n; i++) {
        show_port(&ports.p[i], links);
    }
    free(ports.p);
}

static void
ignore_change(void *aux)
{
}

struct each {
    struct link_cache *links;
    bool failed;
};

static void
show_named(const char *name, void *e_)
{
    struct each *e = e_;
    const char *at = strchr(name, '@');
    const char *bare = at ? at + 1 : name;
    struct dp *dp;

    const int error =
        at && strncmp(name, "system@", 7) ? -EAFNOSUPPORT : kd_dp_ops.open(bare, false, &dp);
    if (error) {
        fprintf(stderr, "ovs-dpctl: opening datapath %s failed (%s)\n", name, base_strerror(error));
        e->failed = true;
        return;
    }
    show_dp(dp, bare, e->links);
    kd_dp_ops.close(dp);
}

void
dpctl_show(struct cmdline_ctx *ctx)
{
    struct loop *loop = dpctl_options.statistics ? loop_new() : NULL;
    struct each e = {NULL, false};
    int error = loop ? link_cache_new(loop, ignore_change, NULL, &e.links) : 0;

    if (error) {
        log_fatal(-error, "reading network devices");
    }
    for (int i = 1; i < ctx->argc; i++) {
        show_named(ctx->argv[i], &e);
    }
    if (ctx->argc == 1) {
        error = kd_dp_for_each(show_named, &e);
        if (error && error != -ENOENT) {
            log_fatal(-error, "finding datapaths");
        }
    }
    link_cache_free(e.links);
    if (loop) {
        loop_free(loop);
    }
    if (e.failed) {
        exit(1);
    }
}

void
dpctl_cache_get_size(struct cmdline_ctx *ctx)
{
    struct dp *dp = dpctl_open_optional(ctx, 0);

    printf("system@%s:\n", kd_dp_name(dp));
    show_caches(dp);
    kd_dp_ops.close(dp);
}

void
dpctl_cache_set_size(struct cmdline_ctx *ctx)
{
    struct dp *dp = dpctl_open(ctx->argv[1], "opening datapath");
    uint64_t n;

    if (!base_parse_uint(ctx->argv[3], UINT32_MAX, &n)) {
        log_fatal(EINVAL, "size is malformed");
    }
    if (strcmp(ctx->argv[2], "masks-cache")) {
        log_fatal(EINVAL, "Cache name \"%s\" not found on dpif", ctx->argv[2]);
    }
    const int error = kd_dp_set_mask_cache(dp, (uint32_t) n);
    if (error) {
        log_fatal(-error, "Setting cache size failed");
    }
    printf("Setting cache size successful, new size %u\n", kd_dp_mask_cache(dp));
    kd_dp_ops.close(dp);
}
