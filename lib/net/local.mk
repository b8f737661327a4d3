# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += lib/net/libnet.a
lib_net_libnet_a_SOURCES = \
	lib/net/checksum.h \
	lib/net/devlink.h \
	lib/net/link.h \
	lib/net/netlink.h \
	lib/net/route.h \
	lib/net/packet_headers.h
lib_net_libnet_a_SOURCES += \
	lib/net/checksum.c \
	lib/net/devlink.c \
	lib/net/link.c \
	lib/net/link_driver.c \
	lib/net/netlink.c \
	lib/net/netlink_attr.c \
	lib/net/netlink_batch.c \
	lib/net/route.c
