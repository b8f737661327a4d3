# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/golden/kdatapath

check_PROGRAMS += tests/unit/kdatapath/test_kd_codec tests/unit/kdatapath/test_kd_golden tests/unit/kdatapath/test_kd_live
TESTS += tests/unit/kdatapath/test_kd_codec tests/unit/kdatapath/test_kd_golden tests/unit/kdatapath/test_kd_live
tests_unit_kdatapath_test_kd_codec_SOURCES = tests/unit/kdatapath/test_kd_codec.c tests/unit/kdatapath/gen.c tests/unit/kdatapath/gen.h
tests_unit_kdatapath_test_kd_codec_LDADD = $(TEST_LIBS)
tests_unit_kdatapath_test_kd_golden_SOURCES = tests/unit/kdatapath/test_kd_golden.c
tests_unit_kdatapath_test_kd_golden_LDADD = $(TEST_LIBS)
tests_unit_kdatapath_test_kd_live_SOURCES = tests/unit/kdatapath/test_kd_live.c tests/unit/kdatapath/gen.c tests/unit/kdatapath/gen.h
tests_unit_kdatapath_test_kd_live_LDADD = $(TEST_LIBS)
