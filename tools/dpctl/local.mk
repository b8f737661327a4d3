# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tools/ovs-dpctl
tools_ovs_dpctl_SOURCES = \
	tools/dpctl/dpctl.h \
	tools/dpctl/flow_cmd.c \
	tools/dpctl/main.c \
	tools/dpctl/names.c \
	tools/dpctl/port_cmd.c \
	tools/dpctl/show_cmd.c
tools_ovs_dpctl_LDADD = kdatapath/libkdatapath.a $(LIBS_FLOW) $(EXT_LIBS)
