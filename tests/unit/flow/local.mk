# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/golden/packets

check_PROGRAMS += tests/unit/flow/test_packet_extract tests/unit/flow/test_packet tests/unit/flow/test_dp_actions
TESTS += tests/unit/flow/test_packet_extract tests/unit/flow/test_packet tests/unit/flow/test_dp_actions
tests_unit_flow_test_packet_extract_SOURCES = tests/unit/flow/test_packet_extract.c
tests_unit_flow_test_packet_extract_LDADD = $(TEST_LIBS)
tests_unit_flow_test_packet_SOURCES = tests/unit/flow/test_packet.c
tests_unit_flow_test_packet_LDADD = $(TEST_LIBS)
tests_unit_flow_test_dp_actions_SOURCES = tests/unit/flow/test_dp_actions.c
tests_unit_flow_test_dp_actions_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/flow/test_match tests/unit/flow/test_classifier
TESTS += tests/unit/flow/test_match tests/unit/flow/test_classifier
tests_unit_flow_test_match_SOURCES = tests/unit/flow/test_match.c
tests_unit_flow_test_match_LDADD = $(TEST_LIBS)
tests_unit_flow_test_classifier_SOURCES = tests/unit/flow/test_classifier.c
tests_unit_flow_test_classifier_LDADD = $(TEST_LIBS)

EXTRA_DIST += tests/golden/flow
check_PROGRAMS += tests/unit/flow/test_text
TESTS += tests/unit/flow/test_text
tests_unit_flow_test_text_SOURCES = tests/unit/flow/test_text.c tests/unit/flow/golden.h
tests_unit_flow_test_text_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/flow/test_dp_text
TESTS += tests/unit/flow/test_dp_text
tests_unit_flow_test_dp_text_SOURCES = tests/unit/flow/test_dp_text.c tests/unit/flow/golden.h
tests_unit_flow_test_dp_text_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/flow/test_field
TESTS += tests/unit/flow/test_field
tests_unit_flow_test_field_SOURCES = tests/unit/flow/test_field.c
tests_unit_flow_test_field_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/flow/test_classifier_threads
TESTS += tests/unit/flow/test_classifier_threads
tests_unit_flow_test_classifier_threads_SOURCES = tests/unit/flow/test_classifier_threads.c
tests_unit_flow_test_classifier_threads_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/flow/test_classifier_wc
TESTS += tests/unit/flow/test_classifier_wc
tests_unit_flow_test_classifier_wc_SOURCES = tests/unit/flow/test_classifier_wc.c
tests_unit_flow_test_classifier_wc_LDADD = $(TEST_LIBS)
