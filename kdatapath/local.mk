# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += kdatapath/libkdatapath.a
kdatapath_libkdatapath_a_SOURCES =
