# SPDX-License-Identifier: Apache-2.0
sbin_PROGRAMS += tools/ovsdb-server
tools_ovsdb_server_SOURCES = \
	tools/dbserver/control.c \
	tools/dbserver/control_backup.c tools/dbserver/control_log.c \
	tools/dbserver/main.c \
	tools/dbserver/ovsdb_server.h \
	tools/dbserver/remote.c tools/dbserver/remote.h tools/dbserver/remote_priv.h \
	tools/dbserver/remote_db.c tools/dbserver/tls_db.c
tools_ovsdb_server_LDADD = $(LIBS_OVSDB) $(EXT_LIBS)
