// SPDX-License-Identifier: Apache-2.0
#ifndef LIB_BASE_COVERAGE_PRIVATE_H
#define LIB_BASE_COVERAGE_PRIVATE_H 1

struct coverage_counter;

extern struct coverage_counter *coverage_counters; // complete before main()

#endif
