# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/golden/ofproto

OFPROTO_HARNESS = tests/unit/ofproto/harness.c tests/unit/ofproto/harness.h

check_PROGRAMS += tests/unit/ofproto/test_match_wire tests/unit/ofproto/test_msg tests/unit/ofproto/test_errors
TESTS += tests/unit/ofproto/test_match_wire tests/unit/ofproto/test_msg tests/unit/ofproto/test_errors
tests_unit_ofproto_test_match_wire_SOURCES = tests/unit/ofproto/test_match_wire.c
tests_unit_ofproto_test_match_wire_LDADD = $(TEST_LIBS)
tests_unit_ofproto_test_msg_SOURCES = tests/unit/ofproto/test_msg.c
tests_unit_ofproto_test_msg_LDADD = $(TEST_LIBS)
tests_unit_ofproto_test_errors_SOURCES = tests/unit/ofproto/test_errors.c $(OFPROTO_HARNESS)
tests_unit_ofproto_test_errors_LDADD = $(TEST_LIBS)

EXTRA_DIST += tests/golden/actions

check_PROGRAMS += tests/unit/ofproto/test_act tests/unit/ofproto/test_act_random
TESTS += tests/unit/ofproto/test_act tests/unit/ofproto/test_act_random
tests_unit_ofproto_test_act_SOURCES = tests/unit/ofproto/test_act.c
tests_unit_ofproto_test_act_LDADD = $(TEST_LIBS)

EXTRA_DIST += tests/golden/ofprint
check_PROGRAMS += tests/unit/ofproto/test_text_msg
TESTS += tests/unit/ofproto/test_text_msg
tests_unit_ofproto_test_text_msg_SOURCES = tests/unit/ofproto/test_text_msg.c
tests_unit_ofproto_test_text_msg_LDADD = $(LIBS_OF) $(CMOCKA_LIBS) $(EXT_LIBS)

check_PROGRAMS += tests/unit/ofproto/test_conn
TESTS += tests/unit/ofproto/test_conn
tests_unit_ofproto_test_conn_SOURCES = tests/unit/ofproto/test_conn.c $(OFPROTO_HARNESS)
tests_unit_ofproto_test_conn_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/ofproto/test_async
TESTS += tests/unit/ofproto/test_async
tests_unit_ofproto_test_async_SOURCES = tests/unit/ofproto/test_async.c $(OFPROTO_HARNESS)
tests_unit_ofproto_test_async_LDADD = $(TEST_LIBS)

EXTRA_DIST += tests/golden/flowtext
check_PROGRAMS += tests/unit/ofproto/test_text_flow
TESTS += tests/unit/ofproto/test_text_flow
tests_unit_ofproto_test_text_flow_SOURCES = tests/unit/ofproto/test_text_flow.c
tests_unit_ofproto_test_text_flow_LDADD = $(LIBS_OF) $(CMOCKA_LIBS) $(EXT_LIBS)
tests_unit_ofproto_test_act_random_SOURCES = tests/unit/ofproto/test_act_random.c
tests_unit_ofproto_test_act_random_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/ofproto/test_roundtrip
TESTS += tests/unit/ofproto/test_roundtrip
tests_unit_ofproto_test_roundtrip_SOURCES = tests/unit/ofproto/test_roundtrip.c
tests_unit_ofproto_test_roundtrip_LDADD = $(TEST_LIBS)

# Clients from outside.
check_PROGRAMS += tests/unit/ofproto/test_server
tests_unit_ofproto_test_server_SOURCES = tests/unit/ofproto/test_server.c $(OFPROTO_HARNESS)
tests_unit_ofproto_test_server_LDADD = $(TEST_LIBS)
dist_check_SCRIPTS += tests/unit/ofproto/check-os-ken
TESTS += tests/unit/ofproto/check-os-ken
