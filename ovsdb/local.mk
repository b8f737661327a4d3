# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ovsdb/libovsdb.a
ovsdb_libovsdb_a_SOURCES = \
	ovsdb/atom.c ovsdb/data.h ovsdb/data_priv.h \
	ovsdb/compaction.c \
	ovsdb/condition.c ovsdb/condition.h \
	ovsdb/convert.c ovsdb/convert.h \
	ovsdb/datum.c \
	ovsdb/datum_json.c \
	ovsdb/datum_text.c \
	ovsdb/db.c ovsdb/db.h \
	ovsdb/delta.c ovsdb/delta.h \
	ovsdb/error.c ovsdb/error.h \
	ovsdb/exec.c ovsdb/exec.h ovsdb/exec_priv.h \
	ovsdb/exec_read.c \
	ovsdb/file.c ovsdb/file.h ovsdb/file_priv.h \
	ovsdb/history.c ovsdb/history.h \
	ovsdb/journal.c ovsdb/journal.h \
	ovsdb/json_text.c \
	ovsdb/lock.c \
	ovsdb/monitor.c ovsdb/monitor.h ovsdb/monitor_priv.h \
	ovsdb/monitor_parse.c \
	ovsdb/monitor_wait.c \
	ovsdb/monitor_write.c \
	ovsdb/mutation.c ovsdb/mutation.h \
	ovsdb/parser.c ovsdb/parser.h \
	ovsdb/rbac.c ovsdb/rbac.h \
	ovsdb/record.c ovsdb/record.h \
	ovsdb/relay.c ovsdb/relay.h \
	ovsdb/replay.c ovsdb/replay.h \
	ovsdb/replica.c ovsdb/replica.h \
	ovsdb/replication.c ovsdb/replication.h \
	ovsdb/schema.c ovsdb/schema.h \
	ovsdb/server.c ovsdb/server.h ovsdb/server_priv.h \
	ovsdb/server_self.c \
	ovsdb/session_monitor.c \
	ovsdb/sha1.c ovsdb/sha1.h \
	ovsdb/symtab.c \
	ovsdb/tlog.c ovsdb/tlog.h \
	ovsdb/trigger.c \
	ovsdb/tree.c ovsdb/tree.h \
	ovsdb/txn.c ovsdb/txn.h \
	ovsdb/txn_check.c \
	ovsdb/type.c \
	ovsdb/value.c ovsdb/value.h
include ovsdb/idl.mk
