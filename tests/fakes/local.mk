# SPDX-License-Identifier: Apache-2.0
# Stand-ins for a neighbour of what is tested, used by scripts in tests/netns and tests/bench.
check_PROGRAMS += tests/fakes/udp_wire tests/fakes/blast
tests_fakes_udp_wire_SOURCES = tests/fakes/udp_wire.c
tests_fakes_udp_wire_LDADD = $(TEST_LIBS)
tests_fakes_blast_SOURCES = tests/fakes/blast.c
tests_fakes_blast_LDADD = $(LIBS_FLOW) $(EXT_LIBS)
check_PROGRAMS += tests/fakes/transact_floor
tests_fakes_transact_floor_SOURCES = tests/fakes/transact_floor.c

check_PROGRAMS += tests/fakes/tc_insert
tests_fakes_tc_insert_SOURCES = tests/fakes/tc_insert.c
tests_fakes_tc_insert_LDADD = $(TEST_LIBS)
