# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += slowpath/libslowpath.a
slowpath_libslowpath_a_SOURCES = \
	slowpath/adopt.c \
	slowpath/bridge_state.c \
	slowpath/ctl.c \
	slowpath/ctl_dp.c \
	slowpath/ctl_offload_json.c \
	slowpath/execute.c \
	slowpath/execute_dp.c \
	slowpath/explain.c \
	slowpath/handler.c \
	slowpath/mega.c \
	slowpath/mega_counters.c \
	slowpath/mega_deps.c \
	slowpath/packet_out.c \
	slowpath/place.c \
	slowpath/place_policy.c \
	slowpath/place_worker.c \
	slowpath/reval.c \
	slowpath/sp.c \
	slowpath/sp_config.c \
	slowpath/sp_ops.c \
	slowpath/sp_upcall.c \
	slowpath/trace.c \
	slowpath/udp.c \
	slowpath/udp_dummy.c \
	slowpath/udp_dummy_ctl.c \
	slowpath/udp_index.c \
	slowpath/udp_init.c \
	slowpath/udp_lookup.c \
	slowpath/udp_packet.c \
	slowpath/udp_pcap.c \
	slowpath/udp_pipeline.c \
	slowpath/udp_poller.c \
	slowpath/udp_sigs.c \
	slowpath/udp_table.c \
	slowpath/udp_tap.c \
	slowpath/udp_tx.c \
	slowpath/xlate.c \
	slowpath/xlate_act.c \
	slowpath/xlate_commit.c \
	slowpath/xlate_normal.c \
	slowpath/xlate_port.c \
	slowpath/xlate_state.c \
	slowpath/xlate_trace.c
