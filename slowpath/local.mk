# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += slowpath/libslowpath.a
slowpath_libslowpath_a_SOURCES = \
	slowpath/sp_upcall.c
