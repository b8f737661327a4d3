// SPDX-License-Identifier: Apache-2.0
// ovs-offload flows.
#include <stdio.h>
#include <stdlib.h>

#include "tools/offload/offload.h"

static double
pps(const json_t *f)
{
    const double age = get_real(f, "age");
    return (double) get_int(f, "packets") / (age < 1 ? 1 : age);
}

static int
compare(double a, double b)
{
    return (a < b) - (a > b);
}

static int
by_pps(const void *a, const void *b)
{
    return compare(pps(*(json_t *const *) a), pps(*(json_t *const *) b));
}

static int
by_bytes(const void *a, const void *b)
{
    return compare((double) get_int(*(json_t *const *) a, "bytes"),
                   (double) get_int(*(json_t *const *) b, "bytes"));
}

static int
by_age(const void *a, const void *b)
{
    return compare(get_real(*(json_t *const *) a, "age"), get_real(*(json_t *const *) b, "age"));
}

static bool
wanted(const json_t *f, const struct options *o)
{
    return (!o->place || !strcmp(get_str(f, "place"), o->place)) &&
           (!o->reason || !strcmp(get_str(json_object_get(f, "reason"), "code"), o->reason));
}

json_t *
choose_flows(const json_t *answer, const struct options *o)
{
    json_t **chosen = base_calloc(json_array_size(answer) + 1, sizeof *chosen);
    json_t *out = json_array(), *f;
    size_t n = 0, i;
    json_array_foreach(answer, i, f)
    {
        if (wanted(f, o)) {
            chosen[n++] = f;
        }
    }
    qsort(chosen, n, sizeof *chosen,
          o->sort && !strcmp(o->sort, "bytes") ? by_bytes
          : o->sort && !strcmp(o->sort, "age") ? by_age
                                               : by_pps);
    for (i = 0; i < n; i++) {
        json_array_append(out, chosen[i]);
    }
    free(chosen);
    return out;
}

static void
print_rules(const json_t *rules)
{
    size_t i;
    json_t *r;
    json_array_foreach(rules, i, r)
    {
        printf("    rule:   %s table=%lld cookie=%s priority=%lld%s%s actions=%s\n",
               get_str(r, "bridge"), (long long) get_int(r, "table"), get_str(r, "cookie"),
               (long long) get_int(r, "priority"), *get_str(r, "match") ? "," : "",
               get_str(r, "match"), get_str(r, "actions"));
    }
}

static void
print_one(const json_t *f)
{
    const char *place;
    json_t *n;
    printf("%s: %s\n", get_str(f, "place"), get_str(f, "match"));
    printf("    does:   %s\n", get_str(f, "actions"));
    printf("    counts: %lld packets, %lld bytes", (long long) get_int(f, "packets"),
           (long long) get_int(f, "bytes"));
    json_object_foreach(json_object_get(f, "counters"), place, n)
    {
        if (get_int(n, "packets")) {
            printf("; in %s %lld, %lld", place, (long long) get_int(n, "packets"),
                   (long long) get_int(n, "bytes"));
        }
    }
    printf("\n    since:  %.1f s there%s, %.1f s in all", get_real(f, "since"),
           get_bool(f, "adopted") ? " (taken over at start)" : "", get_real(f, "age"));
    if (json_is_number(json_object_get(f, "idle"))) {
        printf(", idle for %.1f s", get_real(f, "idle"));
    }
    puts("");
    const json_t *why = json_object_get(f, "reason");
    if (json_is_object(why)) {
        printf("    reason: %s\n    hint:   %s\n", get_str(why, "text"), get_str(why, "hint"));
    }
    print_rules(json_object_get(f, "rules"));
}

void
print_flows(const json_t *answer)
{
    size_t i;
    json_t *f;
    json_array_foreach(answer, i, f)
    {
        print_one(f);
    }
    if (!json_array_size(answer)) {
        puts("no such flows");
    }
}
