# SPDX-License-Identifier: GPL-2.0
# Applied to arch/x86/um/Kconfig: netlink then lays out 64-bit attributes as on real x86 machines, without PAD attributes.
/^config UML_X86/,/^$/ {
	/def_bool y/ a\
	select HAVE_EFFICIENT_UNALIGNED_ACCESS
}
