# SPDX-License-Identifier: GPL-2.0
# arch/um/kernel/time.c: the scheduler counts CPU time in ns, by the host's clock, and not in ticks of 10 ms: measurements need it.
$a\
\
unsigned long long notrace sched_clock(void)\
{\
	static long long start;\
\
	if (!start)\
		start = os_nsecs();\
	return os_nsecs() - start;\
}
