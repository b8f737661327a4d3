# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tools/ovs-offload
tools_ovs_offload_SOURCES = \
	tools/offload/explain.c \
	tools/offload/flows.c \
	tools/offload/main.c \
	tools/offload/offload.h \
	tools/offload/ports.c \
	tools/offload/status.c
tools_ovs_offload_LDADD = $(LIBS_FLOW) $(EXT_LIBS)
