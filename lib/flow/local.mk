# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/flow/libflow.a
lib_flow_libflow_a_SOURCES =
