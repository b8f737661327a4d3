# SPDX-License-Identifier: Apache-2.0
# Every program links the rooms it needs; order: users before the used.
LIBS_BASE = lib/base/libbase.a
LIBS_OVSDB = ovsdb/libovsdb.a $(LIBS_BASE)
LIBS_FLOW = lib/flow/libflow.a lib/net/libnet.a $(LIBS_BASE)
LIBS_OF = ofproto/libofproto.a $(LIBS_FLOW)
LIBS_SWITCH = slowpath/libslowpath.a ofproto/libofproto.a kdatapath/libkdatapath.a offload/liboffload.a \
	lib/flow/libflow.a lib/net/libnet.a ovsdb/libovsdb.a $(LIBS_BASE)

bin_PROGRAMS += tools/ovs-appctl
tools_ovs_appctl_SOURCES = tools/ovs-appctl.c
tools_ovs_appctl_LDADD = $(LIBS_BASE) $(EXT_LIBS)
include tools/vsctl/local.mk
EXTRA_DIST += tools/packages tools/prepare tools/quickstart tools/quickstart-demo

# Service files with the paths that configure chose; installed by --with-systemdsystemunitdir.
UNITS = tools/systemd/openvswitch-switch.service tools/systemd/ovs-vswitchd.service tools/systemd/ovsdb-server.service
UNITS_IN = $(UNITS:=.in)
EXTRA_DIST += $(UNITS_IN)
CLEANFILES += $(UNITS)
noinst_DATA = $(UNITS)
$(UNITS): Makefile $(UNITS_IN)
	$(AM_V_GEN)$(MKDIR_P) tools/systemd && sed -e 's|@bindir''@|$(bindir)|g; s|@sbindir''@|$(sbindir)|g' \
		-e 's|@sysconfdir''@|$(sysconfdir)|g; s|@rundir''@|$(patsubst /var/run,/run,$(runstatedir))|g; s|@logdir''@|$(localstatedir)/log|g' \
		$(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
if INSTALL_UNITS
systemdsystemunit_DATA = $(UNITS)
endif
include tools/dbclient/local.mk
include tools/dbserver/local.mk
include tools/dbtool/local.mk
include tools/ofctl/local.mk
include tools/vswitchd/local.mk
include tools/offload/local.mk
include tools/dpctl/local.mk
include tools/pages/local.mk
include tools/completion/local.mk
