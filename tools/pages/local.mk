# SPDX-License-Identifier: Apache-2.0
# Manual pages made from tables.
noinst_PROGRAMS += tools/pages/pages
tools_pages_pages_SOURCES = \
	tools/pages/action_help.def \
	tools/pages/actions.c \
	tools/pages/field_help.def \
	tools/pages/expand.c \
	tools/pages/fields.c \
	tools/pages/main.c \
	tools/pages/page.h \
	tools/pages/reasons.c
tools_pages_pages_LDADD = $(LIBS_SWITCH) $(EXT_LIBS)

MADE_MANS = doc/man/flowerbed-reasons.7 doc/man/ovs-actions.7 doc/man/ovs-fields.7 doc/man/ovs-vswitchd.conf.db.5
nodist_man_MANS = $(MADE_MANS)
CLEANFILES += $(MADE_MANS)
doc/man/flowerbed-reasons.7: tools/pages/pages$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) doc/man && tools/pages/pages$(EXEEXT) reasons > $@.tmp && mv $@.tmp $@
doc/man/ovs-actions.7: tools/pages/pages$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) doc/man && tools/pages/pages$(EXEEXT) actions > $@.tmp && mv $@.tmp $@
doc/man/ovs-fields.7: tools/pages/pages$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) doc/man && tools/pages/pages$(EXEEXT) fields > $@.tmp && mv $@.tmp $@
doc/man/ovs-vswitchd.conf.db.5: ovsdb/columns_gen$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) doc/man && ovsdb/columns_gen$(EXEEXT) --page > $@.tmp && mv $@.tmp $@
