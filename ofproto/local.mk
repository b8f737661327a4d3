# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ofproto/libofproto.a
ofproto_libofproto_a_SOURCES = \
	ofproto/of_act.h \
	ofproto/of_act_decode.h \
	ofproto/of_act_private.h \
	ofproto/of_acts.def \
	ofproto/of_bridge.h \
	ofproto/of_bridge_private.h \
	ofproto/of_conn.h \
	ofproto/of_conn_private.h \
	ofproto/of_error.h \
	ofproto/of_errors.def \
	ofproto/of_match_wire.h \
	ofproto/of_msg.h \
	ofproto/of_msg_private.h \
	ofproto/of_msgs.def \
	ofproto/of_types.h \
	ofproto/of_version.h \
	ofproto/of_wire.h
ofproto_libofproto_a_SOURCES += \
	ofproto/of_error.c \
	ofproto/of_version.c
ofproto_libofproto_a_SOURCES += \
	ofproto/of_async.c \
	ofproto/of_bridge.c \
	ofproto/of_conn.c \
	ofproto/of_conns.c \
	ofproto/of_dump.c \
	ofproto/of_evict.c \
	ofproto/of_expire.c \
	ofproto/of_inband.c \
	ofproto/of_match_std.c \
	ofproto/of_match_wire.c \
	ofproto/of_flow_mod.c \
	ofproto/of_mp.c \
	ofproto/of_msg.c \
	ofproto/of_msg_flow.c \
	ofproto/of_msg_flow_stats.c \
	ofproto/of_msg_pin.c \
	ofproto/of_msg_port.c \
	ofproto/of_msg_switch.c \
	ofproto/of_msg_table.c \
	ofproto/of_own.c \
	ofproto/of_request.c \
	ofproto/of_order.c \
	ofproto/of_rule.c \
	ofproto/of_stats.c
ofproto_libofproto_a_SOURCES += \
	ofproto/of_text.h \
	ofproto/of_text_features.c \
	ofproto/of_text_flow.c \
	ofproto/of_text_msg.c \
	ofproto/of_text_packet.c \
	ofproto/of_text_parse.c \
	ofproto/of_text_port.c \
	ofproto/of_text_private.h \
	ofproto/of_text_raw.c \
	ofproto/of_text_session.c \
	ofproto/of_text_table.c \
	ofproto/of_text_usable.c
ofproto_libofproto_a_SOURCES += \
	ofproto/of_act.c \
	ofproto/of_act_check.c \
	ofproto/of_act_ct.c \
	ofproto/of_act_decode.c \
	ofproto/of_act_decode_learn.c \
	ofproto/of_act_decode_nx.c \
	ofproto/of_act_decode_std.c \
	ofproto/of_act_encode.c \
	ofproto/of_act_field.c \
	ofproto/of_act_flow.c \
	ofproto/of_act_hash.c \
	ofproto/of_act_header.c \
	ofproto/of_act_learn.c \
	ofproto/of_act_misc.c \
	ofproto/of_act_nsh.c \
	ofproto/of_act_output.c \
	ofproto/of_act_parse.c
