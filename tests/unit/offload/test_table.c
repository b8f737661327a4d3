// SPDX-License-Identifier: Apache-2.0
// The table of filters against an array: flows come and go at random, are found by id, by walking,
// and by a dump's guess at what comes next, whatever order the dump tells them in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "offload/ofl_private.h"

enum { IDS = 5000 };

static struct dp *dp;

static struct flow_id
id_of(size_t i)
{
    // Few different low words: buckets hold several.
    return (struct flow_id){{i % 97, i}};
}

static void
find_all(const bool there[], const size_t order[]) NO_THREAD_SAFETY
{
    uint32_t at = 0;
    for (size_t i = 0; i < IDS; i++) {
        const struct flow_id id = id_of(order[i]);
        const struct ofl_flow *f = ofl_table_find(dp, &id);
        assert_ptr_equal(ofl_table_find_next(dp, &id, &at), f);
        assert_int_equal(f != NULL, there[order[i]]);
        if (f) {
            assert_true(flow_id_equals(&f->id, &id));
            assert_int_equal(f->handle, order[i] + 1);
        }
    }
}

static void
count_all(const bool there[]) NO_THREAD_SAFETY
{
    size_t n = 0, expected = 0;
    for (uint32_t pos = 0; ofl_table_each(dp, &pos);) {
        n++;
    }
    for (size_t i = 0; i < IDS; i++) {
        expected += there[i];
    }
    assert_int_equal(n, expected);
}

static void
test_table(void **state) NO_THREAD_SAFETY
{
    static bool there[IDS];
    static size_t order[IDS];
    (void) state;
    dp = base_calloc(1, sizeof *dp);
    for (size_t i = 0; i < IDS; i++) {
        order[i] = i;
    }
    find_all(there, order); // an empty one
    for (int turn = 0; turn < 20; turn++) {
        for (size_t n = 0; n < IDS / 2; n++) {
            const size_t i = random_u32() % IDS;
            const struct flow_id id = id_of(i);
            if (there[i]) {
                ofl_table_remove(dp, ofl_table_find(dp, &id));
            } else {
                const struct ofl_filter f = {.ifindex = 7, .handle = (uint32_t) i + 1};
                ofl_table_add(dp, &id, &f);
            }
            there[i] = !there[i];
        }
        find_all(there, order);
        count_all(there);
        for (size_t n = 0; n < IDS; n++) { // from the order of ids to none at all
            const size_t a = random_u32() % IDS, b = random_u32() % IDS, swap = order[a];
            order[a] = order[b];
            order[b] = swap;
        }
    }
    ofl_table_free(dp);
    free(dp);
}

int
main(void)
{
    const char *seed = getenv("SEED");
    const uint32_t n = seed ? (uint32_t) strtoul(seed, NULL, 0) : random_u32();
    random_seed(n);
    printf("SEED=%u\n", n);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
