# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/base/libbase.a
lib_base_libbase_a_SOURCES = lib/base/flat.c
