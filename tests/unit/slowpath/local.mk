# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/slowpath/test_udp
TESTS += tests/unit/slowpath/test_udp
tests_unit_slowpath_test_udp_SOURCES = tests/unit/slowpath/test_udp.c
tests_unit_slowpath_test_udp_LDADD = $(TEST_LIBS)
