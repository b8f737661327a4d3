# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += kdatapath/libkdatapath.a
kdatapath_libkdatapath_a_SOURCES = \
	kdatapath/kd.h \
	kdatapath/kd_codec.h \
	kdatapath/kd_compat.h \
	kdatapath/kd_private.h \
	kdatapath/kd_userdata.h
kdatapath_libkdatapath_a_SOURCES += \
	kdatapath/kd.c \
	kdatapath/kd_action.c \
	kdatapath/kd_action_get.c \
	kdatapath/kd_dp.c \
	kdatapath/kd_execute.c \
	kdatapath/kd_fields.c \
	kdatapath/kd_flow.c \
	kdatapath/kd_irregular.c \
	kdatapath/kd_key.c \
	kdatapath/kd_key_get.c \
	kdatapath/kd_probe.c \
	kdatapath/kd_upcall.c \
	kdatapath/kd_userdata.c \
	kdatapath/kd_vport.c
