# SPDX-License-Identifier: Apache-2.0
# The one table of columns, what the build makes of it, and the client library.
noinst_PROGRAMS += ovsdb/columns_gen
ovsdb_columns_gen_SOURCES = ovsdb/columns_gen.c ovsdb/columns_page.c ovsdb/columns_page.h ovsdb/columns.c ovsdb/columns.h \
	ovsdb/column_keys.def
ovsdb_columns_gen_LDADD =

BUILT_SOURCES += ovsdb/idl_rows.h ovsdb/vswitch.ovsschema
CLEANFILES += ovsdb/idl_rows.h ovsdb/vswitch.ovsschema
EXTRA_DIST += ovsdb/columns.def
nodist_pkgdata_DATA = ovsdb/vswitch.ovsschema

ovsdb/idl_rows.h: ovsdb/columns_gen$(EXEEXT)
	$(AM_V_GEN)ovsdb/columns_gen$(EXEEXT) --header > $@.tmp && mv $@.tmp $@
ovsdb/vswitch.ovsschema: ovsdb/columns_gen$(EXEEXT)
	$(AM_V_GEN)ovsdb/columns_gen$(EXEEXT) --schema > $@.tmp && mv $@.tmp $@

ovsdb_libovsdb_a_SOURCES += \
	ovsdb/columns.c ovsdb/columns.h \
	ovsdb/idl.h ovsdb/idl_core.h
ovsdb_libovsdb_a_SOURCES += \
	ovsdb/idl.c ovsdb/idl_private.h \
	ovsdb/idl_edit.c \
	ovsdb/idl_meta.c \
	ovsdb/idl_ops.c \
	ovsdb/idl_row.c \
	ovsdb/idl_txn.c \
	ovsdb/idl_update.c \
	ovsdb/idl_view.c
