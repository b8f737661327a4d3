# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += slowpath/libslowpath.a
slowpath_libslowpath_a_SOURCES = \
	slowpath/adopt.c \
	slowpath/bridge_state.c \
	slowpath/ctl.c \
	slowpath/ctl_dp.c \
	slowpath/execute.c \
	slowpath/explain.c \
	slowpath/handler.c \
	slowpath/mega.c \
	slowpath/mega_counters.c \
	slowpath/mega_deps.c \
	slowpath/packet_out.c \
	slowpath/place.c \
	slowpath/reval.c \
	slowpath/sp.c \
	slowpath/sp_config.c \
	slowpath/sp_ops.c \
	slowpath/sp_upcall.c \
	slowpath/trace.c \
	slowpath/xlate.c \
	slowpath/xlate_act.c \
	slowpath/xlate_commit.c \
	slowpath/xlate_normal.c \
	slowpath/xlate_port.c \
	slowpath/xlate_state.c \
	slowpath/xlate_trace.c
