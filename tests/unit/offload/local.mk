# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/golden/offload tests/unit/offload/ofl_test.h

check_PROGRAMS += tests/unit/offload/test_filters
TESTS += tests/unit/offload/test_filters
tests_unit_offload_test_filters_SOURCES = tests/unit/offload/test_filters.c
tests_unit_offload_test_filters_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/offload/test_refuse
TESTS += tests/unit/offload/test_refuse
tests_unit_offload_test_refuse_SOURCES = tests/unit/offload/test_refuse.c
tests_unit_offload_test_refuse_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/offload/test_table
TESTS += tests/unit/offload/test_table
tests_unit_offload_test_table_SOURCES = tests/unit/offload/test_table.c
tests_unit_offload_test_table_LDADD = $(TEST_LIBS)

# For hwtests/scenarios/ofl-*.sh: no test by itself.
check_PROGRAMS += tests/unit/offload/ofl_drive
tests_unit_offload_ofl_drive_SOURCES = tests/unit/offload/ofl_drive.c
tests_unit_offload_ofl_drive_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/offload/test_late
TESTS += tests/unit/offload/test_late
tests_unit_offload_test_late_SOURCES = tests/unit/offload/test_late.c
tests_unit_offload_test_late_LDADD = $(TEST_LIBS)
tests_unit_offload_test_late_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=nlk_transact
