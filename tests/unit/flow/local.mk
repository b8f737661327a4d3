# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/golden/packets

check_PROGRAMS += tests/unit/flow/test_packet_extract
TESTS += tests/unit/flow/test_packet_extract
tests_unit_flow_test_packet_extract_SOURCES = tests/unit/flow/test_packet_extract.c
tests_unit_flow_test_packet_extract_LDADD = $(TEST_LIBS)
