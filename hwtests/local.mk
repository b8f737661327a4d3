# SPDX-License-Identifier: Apache-2.0
# The lab builds outside the tree, by itself (hwtests/lab build); here only what a tarball needs.
EXTRA_DIST += hwtests/README.md hwtests/lab hwtests/guest-init hwtests/run hwtests/lib.sh hwtests/switch.sh hwtests/frames.py \
	hwtests/kernel hwtests/simnic hwtests/scenarios
