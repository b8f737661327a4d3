# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/slowpath/test_udp
TESTS += tests/unit/slowpath/test_udp
tests_unit_slowpath_test_udp_SOURCES = tests/unit/slowpath/test_udp.c
tests_unit_slowpath_test_udp_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/slowpath/test_execute
TESTS += tests/unit/slowpath/test_execute
tests_unit_slowpath_test_execute_SOURCES = tests/unit/slowpath/test_execute.c
tests_unit_slowpath_test_execute_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/slowpath/test_place_policy
TESTS += tests/unit/slowpath/test_place_policy
tests_unit_slowpath_test_place_policy_SOURCES = tests/unit/slowpath/test_place_policy.c
tests_unit_slowpath_test_place_policy_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/slowpath/test_xlate
TESTS += tests/unit/slowpath/test_xlate
tests_unit_slowpath_test_xlate_SOURCES = tests/unit/slowpath/test_xlate.c
tests_unit_slowpath_test_xlate_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/slowpath/test_mega
TESTS += tests/unit/slowpath/test_mega
tests_unit_slowpath_test_mega_SOURCES = tests/unit/slowpath/test_mega.c
tests_unit_slowpath_test_mega_LDADD = $(TEST_LIBS)
check_PROGRAMS += tests/unit/slowpath/test_bridge_state
TESTS += tests/unit/slowpath/test_bridge_state
tests_unit_slowpath_test_bridge_state_SOURCES = tests/unit/slowpath/test_bridge_state.c
tests_unit_slowpath_test_bridge_state_LDADD = $(TEST_LIBS)
