# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += tools/ovsdb-client
tools_ovsdb_client_SOURCES = \
	tools/dbclient/backup_cmd.c \
	tools/dbclient/client.h \
	tools/dbclient/background.c tools/dbclient/connect.c \
	tools/dbclient/main.c \
	tools/dbclient/monitor_cmd.c \
	tools/dbclient/schema_cmd.c \
	tools/dbclient/txn_cmd.c
tools_ovsdb_client_LDADD = $(LIBS_OVSDB) $(EXT_LIBS)
