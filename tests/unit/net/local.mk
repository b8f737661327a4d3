# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/net/test_link tests/unit/net/test_netlink
TESTS += tests/unit/net/test_link tests/unit/net/test_netlink
tests_unit_net_test_link_SOURCES = tests/unit/net/test_link.c
tests_unit_net_test_link_LDADD = $(TEST_LIBS)
tests_unit_net_test_netlink_SOURCES = tests/unit/net/test_netlink.c
tests_unit_net_test_netlink_LDADD = $(TEST_LIBS)
