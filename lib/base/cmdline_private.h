// SPDX-License-Identifier: Apache-2.0
// The shared option groups (cmdline_groups.c), for cmdline.c.
#ifndef LIB_BASE_CMDLINE_PRIVATE_H
#define LIB_BASE_CMDLINE_PRIVATE_H 1

#include "lib/base/cmdline.h"

struct cmdline_option {
    enum cmdline_groups group;
    struct option option;
    char letter; // short form or 0
    const char *value, *help;
};

const struct cmdline_option *cmdline_group_options(size_t *n);
void cmdline_group_handle(int value, const char *arg); // value: of a group's option, or its letter
void cmdline_group_finish(bool own_tls);                       // after the last option

#endif
