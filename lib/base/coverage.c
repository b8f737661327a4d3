// SPDX-License-Identifier: Apache-2.0
// The list of counters and of memory reporters. Shown by coverage_show.c.
#include "lib/base/coverage.h"

#include "lib/base/coverage_private.h"

struct coverage_counter *coverage_counters;

void
coverage_register(struct coverage_counter *c)
{
    c->next = coverage_counters;
    coverage_counters = c;
}
