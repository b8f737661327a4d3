// SPDX-License-Identifier: Apache-2.0
// OpenFlow errors: one list for all versions; each version has its own numbers for them (of_errors.def).
#ifndef OFPROTO_OF_ERROR_H
#define OFPROTO_OF_ERROR_H 1

#include <stdbool.h>
#include <stdint.h>

#include "ofproto/of_version.h"

// OF_ERROR_BRC_BAD_LEN, OF_ERROR_NXBRC_NXM_INVALID …; functions that return 0 or such an error return int.
enum of_error {
    OF_ERROR_NONE,
#define OF_ERROR(ID, ...) OF_ERROR_##ID,
#include "ofproto/of_errors.def"
#undef OF_ERROR
    OF_ERROR_COUNT
};

// Numbers of an error in one version.
struct of_error_code {
    uint32_t vendor; // 0: standard
    uint16_t type, code;
};

#define OF_VENDOR_NICIRA UINT32_C(0x00002320)
#define OF_VENDOR_ONF UINT32_C(0x4f4e4600)

const char *of_error_name(int error); // "OFPBRC_BAD_LEN"; "?" when it is none
int of_error_by_name(const char *name); // 0: unknown
// False: this version cannot say it.
bool of_error_code(int error, enum of_version, struct of_error_code *);
int of_error_from_code(enum of_version, const struct of_error_code *); // 0: unknown

#endif
