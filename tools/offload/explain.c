// SPDX-License-Identifier: Apache-2.0
// ovs-offload explain.
#include <stdio.h>

#include "tools/offload/offload.h"

static void
print_reason(const char *what, const json_t *why)
{
    if (json_is_object(why)) {
        printf("%s%s\n", what, get_str(why, "text"));
        printf("hint:    %s\n", get_str(why, "hint"));
    }
}

void
print_explain(const json_t *a)
{
    size_t i;
    json_t *r;
    printf("%s\n", get_str(a, "trace"));
    printf("entry:   %s\n", get_str(a, "match"));
    printf("does:    %s\n", get_str(a, "actions"));
    json_array_foreach(json_object_get(a, "rules"), i, r)
    {
        printf("rule:    %s table=%lld priority=%lld%s%s actions=%s\n", get_str(r, "bridge"),
               (long long) get_int(r, "table"), (long long) get_int(r, "priority"),
               *get_str(r, "match") ? "," : "", get_str(r, "match"), get_str(r, "actions"));
    }
    printf("place:   %s\n", get_str(a, "place"));
    print_reason("because: ", json_object_get(a, "reason"));
    if (*get_str(a, "filter")) {
        printf("%s\n", get_str(a, "filter"));
    }
    const json_t *asked = json_object_get(a, "driver_asked");
    const double again = json_number_value(json_object_get(a, "again_in"));
    if (json_is_true(asked) && again > 0) {
        printf("the driver refused such a filter before; the next such flow is tried in %.1f s\n", again);
    } else if (json_is_true(asked)) {
        printf("the driver refused such a filter before; it is asked again when such a flow comes\n");
    } else if (asked && !*get_str(a, "place_now")) {
        printf("the driver is asked only when the flow comes: it may refuse the filter then\n");
    }
    if (*get_str(a, "place_now")) {
        printf("such a flow is cached; it runs in: %s\n", get_str(a, "place_now"));
        if (!json_equal(json_object_get(a, "reason"), json_object_get(a, "reason_now"))) {
            print_reason("because: ", json_object_get(a, "reason_now"));
        }
    }
}
