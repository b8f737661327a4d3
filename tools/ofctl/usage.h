// SPDX-License-Identifier: Apache-2.0
// What --help prints.
#ifndef TOOLS_OFCTL_USAGE_H
#define TOOLS_OFCTL_USAGE_H 1

void ofctl_usage(void);

#endif
