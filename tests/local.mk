# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/lint
TEST_LIBS = $(LIBS_SWITCH) $(CMOCKA_LIBS) $(EXT_LIBS)
include tests/unit/local.mk
include tests/fuzz/local.mk
