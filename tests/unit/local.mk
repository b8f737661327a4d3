# SPDX-License-Identifier: Apache-2.0
# A unit test: check_PROGRAMS += tests/unit/ROOM/test_NAME, its _SOURCES and _LDADD = $(TEST_LIBS).
include tests/unit/base/local.mk
include tests/unit/net/local.mk
include tests/unit/flow/local.mk
include tests/unit/kdatapath/local.mk
include tests/unit/offload/local.mk
include tests/unit/ofproto/local.mk
include tests/unit/slowpath/local.mk
include tests/unit/ovsdb/local.mk
include tests/unit/tools/local.mk
