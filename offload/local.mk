# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += offload/liboffload.a
offload_liboffload_a_SOURCES = \
	offload/ofl.h \
	offload/ofl_old.h offload/ofl_private.h
offload_liboffload_a_SOURCES += \
	offload/ofl_action.c \
	offload/ofl_decode.c \
	offload/ofl_dump.c \
	offload/ofl_explain.c \
	offload/ofl_filter.c \
	offload/ofl_local.c \
	offload/ofl_match.c \
	offload/ofl_nic.c \
	offload/ofl_old.c \
	offload/ofl_pedit.c \
	offload/ofl_port.c \
	offload/ofl_probe.c \
	offload/ofl_refuse.c \
	offload/ofl_table.c \
	offload/ofl_tc.c \
	offload/ofl_text.c \
	offload/ofl_trust.c
