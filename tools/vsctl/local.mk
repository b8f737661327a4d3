# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tools/ovs-vsctl
tools_ovs_vsctl_SOURCES = \
	tools/vsctl/assign.c \
	tools/vsctl/bond_cmd.c \
	tools/vsctl/bridge.c \
	tools/vsctl/bridge_cmd.c \
	tools/vsctl/command.c \
	tools/vsctl/db_read.c \
	tools/vsctl/db_write.c \
	tools/vsctl/main.c \
	tools/vsctl/port.h tools/vsctl/port_cmd.c \
	tools/vsctl/record.c \
	tools/vsctl/lean.c tools/vsctl/show.c \
	tools/vsctl/switch_cmd.c \
	tools/vsctl/usage.c \
	tools/vsctl/vsctl.h \
	tools/vsctl/zone_cmd.c
tools_ovs_vsctl_LDADD = $(LIBS_OVSDB) $(EXT_LIBS)
