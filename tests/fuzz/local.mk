# SPDX-License-Identifier: Apache-2.0
# A fuzz target: fuzz_NAME.c defines LLVMFuzzerTestOneInput; without --enable-fuzz, driver.c runs it over its corpus.
if ENABLE_FUZZ
FUZZ_DRIVER =
else
FUZZ_DRIVER = tests/fuzz/driver.c
endif
EXTRA_DIST += tests/fuzz/corpus

check_PROGRAMS += tests/fuzz/fuzz_packet
TESTS += tests/fuzz/fuzz_packet
tests_fuzz_fuzz_packet_SOURCES = tests/fuzz/fuzz_packet.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_packet_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_packet_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_flower
TESTS += tests/fuzz/fuzz_flower
tests_fuzz_fuzz_flower_SOURCES = tests/fuzz/fuzz_flower.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_flower_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_flower_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_kdatapath
TESTS += tests/fuzz/fuzz_kdatapath
tests_fuzz_fuzz_kdatapath_SOURCES = tests/fuzz/fuzz_kdatapath.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_kdatapath_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_kdatapath_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_match_text tests/fuzz/fuzz_dp_text
TESTS += tests/fuzz/fuzz_match_text tests/fuzz/fuzz_dp_text
tests_fuzz_fuzz_match_text_SOURCES = tests/fuzz/fuzz_match_text.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_match_text_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_match_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_dp_text_SOURCES = tests/fuzz/fuzz_dp_text.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_dp_text_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_dp_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_act
TESTS += tests/fuzz/fuzz_act
tests_fuzz_fuzz_act_SOURCES = tests/fuzz/fuzz_act.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_act_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_act_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_flow_text
TESTS += tests/fuzz/fuzz_flow_text
tests_fuzz_fuzz_flow_text_SOURCES = tests/fuzz/fuzz_flow_text.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_flow_text_LDADD = $(LIBS_OF) $(EXT_LIBS)
tests_fuzz_fuzz_flow_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_msg_text
TESTS += tests/fuzz/fuzz_msg_text
tests_fuzz_fuzz_msg_text_SOURCES = tests/fuzz/fuzz_msg_text.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_msg_text_LDADD = $(LIBS_OF) $(EXT_LIBS)
tests_fuzz_fuzz_msg_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_openflow
TESTS += tests/fuzz/fuzz_openflow
tests_fuzz_fuzz_openflow_SOURCES = tests/fuzz/fuzz_openflow.c $(FUZZ_DRIVER)
tests_fuzz_fuzz_openflow_LDADD = $(TEST_LIBS)
tests_fuzz_fuzz_openflow_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
check_PROGRAMS += tests/fuzz/fuzz_ovsdb
TESTS += tests/fuzz/fuzz_ovsdb
tests_fuzz_fuzz_ovsdb_SOURCES = tests/fuzz/fuzz_ovsdb.c tests/unit/ovsdb/tree_twins.h $(FUZZ_DRIVER)
tests_fuzz_fuzz_ovsdb_LDADD = $(LIBS_OVSDB) $(EXT_LIBS)
tests_fuzz_fuzz_ovsdb_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_record
TESTS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c tests/unit/ovsdb/record_twins.h $(FUZZ_DRIVER)
tests_fuzz_fuzz_record_LDADD = $(LIBS_OVSDB) $(EXT_LIBS)
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

check_PROGRAMS += tests/fuzz/fuzz_jsonrpc
TESTS += tests/fuzz/fuzz_jsonrpc
tests_fuzz_fuzz_jsonrpc_SOURCES = tests/fuzz/fuzz_jsonrpc.c tests/unit/base/value_twins.h $(FUZZ_DRIVER)
tests_fuzz_fuzz_jsonrpc_LDADD = $(LIBS_BASE) $(EXT_LIBS)
tests_fuzz_fuzz_jsonrpc_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
