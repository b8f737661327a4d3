# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tools/ovsdb-tool
tools_ovsdb_tool_SOURCES = \
	tools/dbtool/main.c \
	tools/dbtool/show_log.c tools/dbtool/show_log.h
tools_ovsdb_tool_LDADD = $(LIBS_OVSDB) $(EXT_LIBS)
