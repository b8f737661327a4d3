# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/kdatapath/test_kd_live
TESTS += tests/unit/kdatapath/test_kd_live
tests_unit_kdatapath_test_kd_live_SOURCES = tests/unit/kdatapath/test_kd_live.c
tests_unit_kdatapath_test_kd_live_LDADD = $(TEST_LIBS)
