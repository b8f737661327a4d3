# SPDX-License-Identifier: Apache-2.0
# Manual pages written by hand, but for the options that programs share; tools/pages and ovsdb make those that come from tables.
WRITTEN_MANS = \
	doc/man/ovs-appctl.8 \
	doc/man/ovs-dpctl.8 \
	doc/man/ovs-ofctl.8 \
	doc/man/ovs-offload.8 \
	doc/man/ovs-vsctl.8 \
	doc/man/ovs-vswitchd.8 \
	doc/man/ovsdb-client.1 \
	doc/man/ovsdb-server.1 \
	doc/man/ovsdb-tool.1
WRITTEN_MANS_IN = $(WRITTEN_MANS:=.in)
nodist_man_MANS += $(WRITTEN_MANS)
CLEANFILES += $(WRITTEN_MANS)
EXTRA_DIST += $(WRITTEN_MANS_IN) doc/architecture.md doc/development.md doc/performance.md doc/status.md
$(WRITTEN_MANS): tools/pages/pages$(EXEEXT) $(WRITTEN_MANS_IN)
	$(AM_V_GEN)$(MKDIR_P) doc/man && tools/pages/pages$(EXEEXT) expand $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
