# SPDX-License-Identifier: GPL-2.0
# Applied to arch/x86/um/user-offsets.c: room for the register state of processors with AMX, which the kernel otherwise
# cannot restore ("ptrace set fp regs failed").  The configuration has larger kernel stacks for it.
s/\b2696\b/16384/
