# SPDX-License-Identifier: Apache-2.0
TEST_LIBS = $(LIBS_SWITCH) $(CMOCKA_LIBS) $(EXT_LIBS)
LINTS = tests/lint/distribution tests/lint/layers tests/lint/licences tests/lint/sizes tests/lint/symbols
dist_check_SCRIPTS = $(LINTS)
TESTS += $(LINTS)
include tests/unit/local.mk
include tests/fakes/local.mk
include tests/fuzz/local.mk
EXTRA_DIST += tests/jsonrpc_client.py tests/run tests/sanitizers tests/interop .ci/run
EXTRA_DIST += tests/netns
EXTRA_DIST += tests/bench
EXTRA_DIST += tests/bench/lib.sh tests/bench/forward tests/bench/setup-user tests/bench/idle-user tests/bench/openflow tests/bench/ovsdb
