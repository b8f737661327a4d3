# SPDX-License-Identifier: Apache-2.0
sbin_PROGRAMS += tools/ovs-vswitchd
tools_ovs_vswitchd_SOURCES = \
	tools/vswitchd/bridge.c \
	tools/vswitchd/control.c \
	tools/vswitchd/iface.c \
	tools/vswitchd/inband.c \
	tools/vswitchd/main.c \
	tools/vswitchd/reconcile.c \
	tools/vswitchd/snapshot.c \
	tools/vswitchd/status.c \
	tools/vswitchd/unsupported.c \
	tools/vswitchd/vswitchd.h
tools_ovs_vswitchd_LDADD = $(LIBS_SWITCH) $(EXT_LIBS)
