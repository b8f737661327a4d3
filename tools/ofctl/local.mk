# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tools/ovs-ofctl
tools_ovs_ofctl_SOURCES = \
	tools/ofctl/ask.c \
	tools/ofctl/conn.c \
	tools/ofctl/dump_flows.c \
	tools/ofctl/echo.c \
	tools/ofctl/flow_batch.c tools/ofctl/flow_batch.h \
	tools/ofctl/flow_mod.c \
	tools/ofctl/main.c \
	tools/ofctl/monitor.c \
	tools/ofctl/names.c \
	tools/ofctl/ofctl.h \
	tools/ofctl/packet_out.c \
	tools/ofctl/print.c \
	tools/ofctl/replace.c \
	tools/ofctl/show.c \
	tools/ofctl/usage.c tools/ofctl/usage.h
tools_ovs_ofctl_LDADD = $(LIBS_OF) $(EXT_LIBS)
