#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The kernel datapath: ports, upcalls, flows in batches, executed packets, dumps, exact counters, through the program's own interface to it.
. "${0%/*}/../lib.sh"
test=${BUILD:-$LAB_TOP}/tests/unit/kdatapath/test_kd_live
[ -x "$test" ] || skip "$test isn't built: make check TESTS="
"$test"
