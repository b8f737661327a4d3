# SPDX-License-Identifier: Apache-2.0
BASE_TESTS = tests/unit/base/test_containers tests/unit/base/test_jsonrpc tests/unit/base/test_loop \
    tests/unit/base/test_session
check_PROGRAMS += $(BASE_TESTS)
TESTS += $(BASE_TESTS)
tests_unit_base_test_containers_SOURCES = tests/unit/base/test_containers.c
tests_unit_base_test_containers_LDADD = $(TEST_LIBS)
tests_unit_base_test_jsonrpc_SOURCES = tests/unit/base/test_jsonrpc.c
tests_unit_base_test_jsonrpc_LDADD = $(TEST_LIBS)
tests_unit_base_test_loop_SOURCES = tests/unit/base/test_loop.c
tests_unit_base_test_loop_LDADD = $(TEST_LIBS)
tests_unit_base_test_session_SOURCES = tests/unit/base/test_session.c
tests_unit_base_test_session_LDADD = $(TEST_LIBS)

check_PROGRAMS += tests/unit/base/test_str_format
TESTS += tests/unit/base/test_str_format
tests_unit_base_test_str_format_SOURCES = tests/unit/base/test_str_format.c
tests_unit_base_test_str_format_LDADD = $(LIBS_BASE) $(CMOCKA_LIBS) $(EXT_LIBS)

check_PROGRAMS += tests/unit/base/test_jsonrpc_value
TESTS += tests/unit/base/test_jsonrpc_value
tests_unit_base_test_jsonrpc_value_SOURCES = tests/unit/base/test_jsonrpc_value.c tests/unit/base/value_twins.h
tests_unit_base_test_jsonrpc_value_LDADD = $(LIBS_BASE) $(CMOCKA_LIBS) $(EXT_LIBS)

check_PROGRAMS += tests/unit/base/test_utf8
TESTS += tests/unit/base/test_utf8
tests_unit_base_test_utf8_SOURCES = tests/unit/base/test_utf8.c
tests_unit_base_test_utf8_LDADD = $(LIBS_BASE) $(CMOCKA_LIBS) $(EXT_LIBS)
