# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/flow/libflow.a
lib_flow_libflow_a_SOURCES = \
	lib/flow/classifier.h \
	lib/flow/classifier_private.h \
	lib/flow/classifier_table.h \
	lib/flow/classifier_trie.h \
	lib/flow/dp_actions.h \
	lib/flow/dp_command.h \
	lib/flow/dp_ops.h \
	lib/flow/dp_text.h \
	lib/flow/field.h \
	lib/flow/field_text.h \
	lib/flow/fields.def \
	lib/flow/flow_key.h \
	lib/flow/match.h \
	lib/flow/minimask.h \
	lib/flow/packet.h \
	lib/flow/reason.h \
	lib/flow/reasons.def
lib_flow_libflow_a_SOURCES += \
	lib/flow/classifier.c \
	lib/flow/classifier_lookup.c \
	lib/flow/classifier_rule.c \
	lib/flow/classifier_table.c \
	lib/flow/classifier_trie.c \
	lib/flow/classifier_wc.c \
	lib/flow/dp_actions.c \
	lib/flow/dp_actions_format.c \
	lib/flow/dp_actions_parse.c \
	lib/flow/dp_command.c \
	lib/flow/dp_ct_parse.c \
	lib/flow/dp_field.c \
	lib/flow/dp_match_format.c \
	lib/flow/dp_match_parse.c \
	lib/flow/dp_scan.c \
	lib/flow/dp_ops.c \
	lib/flow/minimask.c \
	lib/flow/packet.c \
	lib/flow/packet_compose.c \
	lib/flow/packet_extract.c \
	lib/flow/packet_rewrite.c \
	lib/flow/reason.c

# Fields and matches.
lib_flow_libflow_a_SOURCES += \
	lib/flow/field.c \
	lib/flow/field_flags.c \
	lib/flow/field_port.c \
	lib/flow/field_prereq.c \
	lib/flow/field_text.c \
	lib/flow/field_tun_md.c \
	lib/flow/field_value.c \
	lib/flow/match.c \
	lib/flow/match_format.c \
	lib/flow/match_key.c \
	lib/flow/match_parse.c \
	lib/flow/subfield.c
