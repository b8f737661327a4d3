// SPDX-License-Identifier: Apache-2.0
// ovs-offload status, reasons.
#include <stdio.h>

#include "tools/offload/offload.h"

static double
percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double) part / (double) whole : 0;
}

static void
print_nics(const json_t *nics)
{
    static const char *const headings[] = {"eswitch", "mode",  "driver",   "firmware",
                                           "rdma",    "rules", "capacity", "inserted",
                                           "failed",  "p99",   "ports"};
    size_t i;
    json_t *n;
    if (!json_array_size(nics)) {
        puts("no NIC in switchdev mode has a port on the switch");
        return;
    }
    struct grid *g = grid_new(headings, ARRAY_SIZE(headings));
    json_array_foreach(nics, i, n)
    {
        grid_add(g, get_str(n, "switch_id"));
        grid_add(g, get_str(n, "mode"));
        grid_add(g, get_str(n, "driver"));
        grid_add(g, get_str(n, "firmware"));
        grid_add(g, get_str(n, "rdma"));
        grid_addf(g, "%lld", (long long) get_int(n, "rules"));
        if (json_is_null(json_object_get(n, "capacity"))) {
            grid_add(g, "not met yet");
        } else {
            grid_addf(g, "%lld", (long long) get_int(n, "capacity"));
        }
        grid_addf(g, "%lld", (long long) get_int(n, "inserts"));
        grid_addf(g, "%lld", (long long) get_int(n, "failures"));
        grid_addf(g, "%.1f ms", (double) get_int(n, "insert_us_p99") / 1000);
        grid_addf(g, "%zu", json_array_size(json_object_get(n, "ports")));
    }
    grid_print(g);
}

static void
print_layers(const json_t *layers)
{
    size_t i;
    json_t *l;
    const char *sep = "";
    printf("layers:         ");
    json_array_foreach(layers, i, l)
    {
        printf("%s%s", sep, json_string_value(l));
        sep = ", then ";
    }
    puts(json_array_size(layers) == 1 ? " space only" : "");
}

static void
print_one(const json_t *s)
{
    const json_t *flows = json_object_get(s, "flows");
    const int64_t packets = get_int(s, "packets"), bytes = get_int(s, "bytes");
    size_t i;
    json_t *r;
    printf("datapath:       %s\n", get_str(s, "datapath"));
    printf("hw-offload:     %s (tc-policy %s)\n", get_bool(s, "hw_offload") ? "on" : "off",
           get_str(s, "tc_policy"));
    print_layers(json_object_get(s, "layers"));
    printf("flows:          %lld in hardware, %lld in tc, %lld in the kernel, %lld in user space\n",
           (long long) get_int(flows, "hardware"), (long long) get_int(flows, "tc"),
           (long long) get_int(flows, "kernel"), (long long) get_int(flows, "user"));
    printf("traffic:        %.1f %% of packets, %.1f %% of bytes of the present flows were in "
           "hardware\n",
           percent(get_int(s, "packets_in_hardware"), packets),
           percent(get_int(s, "bytes_in_hardware"), bytes));
    printf("moves:          %lld into tc, %lld out; %lld filters were taken over at start\n",
           (long long) get_int(s, "moved_in"), (long long) get_int(s, "moved_out"),
           (long long) get_int(s, "adopted"));
    if (get_bool(s, "hw_offload")) {
        print_nics(json_object_get(s, "eswitches"));
    }
    const json_t *reasons = json_object_get(s, "reasons");
    if (json_array_size(reasons)) {
        puts("not in hardware, because");
    }
    json_array_foreach(reasons, i, r)
    {
        printf("  %5.1f %% of packets, %lld flows: %s: %s\n",
               percent(get_int(r, "packets"), packets), (long long) get_int(r, "flows"),
               get_str(r, "code"), get_str(r, "text"));
    }
}

void
print_status(const json_t *answer)
{
    size_t i;
    json_t *s;
    if (!json_array_size(answer)) {
        puts("the switch has no datapath yet");
    }
    json_array_foreach(answer, i, s)
    {
        if (i) {
            puts("");
        }
        print_one(s);
    }
}

void
print_reasons(const json_t *answer)
{
    static const char *const headings[] = {"flows", "packets", "stage", "code", "meaning"};
    struct grid *g = grid_new(headings, ARRAY_SIZE(headings));
    size_t i;
    json_t *r;
    json_array_foreach(answer, i, r)
    {
        grid_addf(g, "%lld", (long long) get_int(r, "flows"));
        grid_addf(g, "%lld", (long long) get_int(r, "packets"));
        grid_add(g, get_str(r, "stage"));
        grid_add(g, get_str(r, "code"));
        grid_addf(g, "%s; %s", get_str(r, "text"), get_str(r, "hint"));
    }
    grid_print(g);
}
