# SPDX-License-Identifier: Apache-2.0
TESTS_OVSDB = \
	tests/unit/ovsdb/test_compaction \
	tests/unit/ovsdb/test_idl \
	tests/unit/ovsdb/test_rbac \
	tests/unit/ovsdb/test_record \
	tests/unit/ovsdb/test_replica \
	tests/unit/ovsdb/test_sha1 \
	tests/unit/ovsdb/test_tree \
	tests/unit/ovsdb/test_txn
check_PROGRAMS += $(TESTS_OVSDB)
TESTS += $(TESTS_OVSDB)
OVSDB_TEST_LIBS = $(LIBS_OVSDB) $(CMOCKA_LIBS) $(EXT_LIBS)
tests_unit_ovsdb_test_compaction_SOURCES = tests/unit/ovsdb/test_compaction.c
tests_unit_ovsdb_test_compaction_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_idl_SOURCES = tests/unit/ovsdb/test_idl.c
tests_unit_ovsdb_test_idl_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_record_SOURCES = tests/unit/ovsdb/test_record.c tests/unit/ovsdb/record_twins.h
tests_unit_ovsdb_test_record_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_tree_SOURCES = tests/unit/ovsdb/test_tree.c tests/unit/ovsdb/tree_twins.h
tests_unit_ovsdb_test_tree_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_sha1_SOURCES = tests/unit/ovsdb/test_sha1.c
tests_unit_ovsdb_test_sha1_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_txn_SOURCES = tests/unit/ovsdb/test_txn.c tests/unit/ovsdb/txn_model.h
tests_unit_ovsdb_test_txn_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_rbac_SOURCES = tests/unit/ovsdb/test_rbac.c
tests_unit_ovsdb_test_rbac_LDADD = $(OVSDB_TEST_LIBS)
tests_unit_ovsdb_test_replica_SOURCES = tests/unit/ovsdb/test_replica.c
tests_unit_ovsdb_test_replica_LDADD = $(OVSDB_TEST_LIBS)
