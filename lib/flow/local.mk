# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/flow/libflow.a
lib_flow_libflow_a_SOURCES = \
	lib/flow/classifier.c \
	lib/flow/classifier_lookup.c \
	lib/flow/classifier_rule.c \
	lib/flow/classifier_table.c \
	lib/flow/classifier_trie.c \
	lib/flow/dp_actions.c \
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
	lib/flow/field_prereq.c \
	lib/flow/field_tun_md.c \
	lib/flow/match.c \
	lib/flow/subfield.c
