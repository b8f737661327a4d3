#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The next N insertions fail with the error that was asked for, then all is well again.
. "${0%/*}/../lib.sh"
needs simulated
nic_up 1
clsact
knob fail_errno 110
knob fail_next 2
refused "injected" "${REP[1]}" 1 ip action drop
refused "injected" "${REP[1]}" 1 ip action drop
rule "${REP[1]}" 1 ip action drop
assert_equal "injected failures" 2 "$(hw_counter injected_failures)"
assert_equal "rules" 1 "$(hw_counter rules)"
