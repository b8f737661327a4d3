# SPDX-License-Identifier: Apache-2.0
# One file serves all programs; bash finds it by the name of the program.
COMPLETION = tools/completion/flowerbed.bash
COMPLETED = ovs-vsctl ovs-ofctl ovs-dpctl ovs-appctl ovs-offload ovsdb-client ovsdb-tool
EXTRA_DIST += $(COMPLETION)
completionsdir = $(datadir)/bash-completion/completions
install-data-hook: install-completion
install-completion:
	$(MKDIR_P) $(DESTDIR)$(completionsdir)
	$(INSTALL_DATA) $(srcdir)/$(COMPLETION) $(DESTDIR)$(completionsdir)/ovs-vsctl
	cd $(DESTDIR)$(completionsdir) && for p in $(filter-out ovs-vsctl,$(COMPLETED)); do ln -sf ovs-vsctl $$p || exit 1; done
uninstall-hook: uninstall-completion
uninstall-completion:
	cd $(DESTDIR)$(completionsdir) && rm -f $(COMPLETED)
.PHONY: install-completion uninstall-completion
