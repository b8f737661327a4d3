# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += offload/liboffload.a
offload_liboffload_a_SOURCES =
