# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/base/libbase.a
lib_base_libbase_a_SOURCES = \
	lib/base/arena.c lib/base/arena.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/cmdline.h \
	lib/base/coverage.c lib/base/coverage.h lib/base/coverage_private.h \
	lib/base/daemon.h \
	lib/base/dirs.c lib/base/dirs.h \
	lib/base/flat.c lib/base/flat.h \
	lib/base/hash.c lib/base/hash.h \
	lib/base/hmap.c lib/base/hmap.h \
	lib/base/jsonrpc.h \
	lib/base/list.h \
	lib/base/log.c lib/base/log.h lib/base/log_private.h \
	lib/base/log_pattern.c \
	lib/base/log_sink.c \
	lib/base/loop.h \
	lib/base/queue.c lib/base/queue.h \
	lib/base/random.c lib/base/random.h \
	lib/base/rcu.c lib/base/rcu.h \
	lib/base/str.c lib/base/str.h \
	lib/base/stream.h \
	lib/base/table.h \
	lib/base/thread.c lib/base/thread.h \
	lib/base/unixctl.h \
	lib/base/util.c lib/base/util.h \
	lib/base/uuid.c lib/base/uuid.h
