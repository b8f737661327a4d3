# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ovsdb/libovsdb.a
ovsdb_libovsdb_a_SOURCES = \
	ovsdb/atom.c ovsdb/data.h ovsdb/data_priv.h \
	ovsdb/datum.c \
	ovsdb/datum_json.c \
	ovsdb/datum_text.c \
	ovsdb/error.c ovsdb/error.h \
	ovsdb/json_text.c \
	ovsdb/parser.c ovsdb/parser.h \
	ovsdb/schema.c ovsdb/schema.h \
	ovsdb/symtab.c \
	ovsdb/type.c
include ovsdb/idl.mk
