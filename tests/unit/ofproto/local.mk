# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/golden/ofproto

check_PROGRAMS += tests/unit/ofproto/test_match_wire
TESTS += tests/unit/ofproto/test_match_wire
tests_unit_ofproto_test_match_wire_SOURCES = tests/unit/ofproto/test_match_wire.c
tests_unit_ofproto_test_match_wire_LDADD = $(TEST_LIBS)
