# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ovsdb/libovsdb.a
ovsdb_libovsdb_a_SOURCES =
include ovsdb/idl.mk
