// SPDX-License-Identifier: Apache-2.0
// Names and numbers of OpenFlow errors, from the rows of of_errors.def.
#include "config.h"

#include "ofproto/of_error.h"

#include <string.h>

#include "lib/base/util.h"

struct row {
    const char *name;
    struct {
        uint32_t vendor;
        uint16_t type, code;
        bool has;
    } v[6];
};

static const struct row rows[] = {
    [OF_ERROR_NONE] = {"?", {{0}}},
#define S(TYPE, CODE)                                                                                                  \
    {                                                                                                                  \
        0, TYPE, CODE, true                                                                                            \
    }
#define N(TYPE, CODE)                                                                                                  \
    {                                                                                                                  \
        OF_VENDOR_NICIRA, TYPE, CODE, true                                                                             \
    }
#define F(TYPE, CODE)                                                                                                  \
    {                                                                                                                  \
        OF_VENDOR_ONF, TYPE, CODE, true                                                                                \
    }
#define X                                                                                                              \
    {                                                                                                                  \
        0, 0, 0, false                                                                                                 \
    }
#define OF_ERROR(ID, NAME, V10, V11, V12, V13, V14, V15) [OF_ERROR_##ID] = {NAME, {V10, V11, V12, V13, V14, V15}},
#include "ofproto/of_errors.def"
#undef OF_ERROR
#undef S
#undef N
#undef F
#undef X
};
_Static_assert(ARRAY_SIZE(rows) == OF_ERROR_COUNT, "a row for each error");

const char *
of_error_name(int error)
{
    return error > 0 && error < OF_ERROR_COUNT ? rows[error].name : "?";
}

int
of_error_by_name(const char *name)
{
    for (int i = 1; i < OF_ERROR_COUNT; i++) {
        if (!strcmp(rows[i].name, name)) {
            return i;
        }
    }
    return 0;
}

bool
of_error_code(int error, enum of_version version, struct of_error_code *out)
{
    if (error <= 0 || error >= OF_ERROR_COUNT || version < OF_10 || version > OF_15
        || !rows[error].v[version - OF_10].has) {
        return false;
    }
    out->vendor = rows[error].v[version - OF_10].vendor;
    out->type = rows[error].v[version - OF_10].type;
    out->code = rows[error].v[version - OF_10].code;
    return true;
}

int
of_error_from_code(enum of_version version, const struct of_error_code *c)
{
    struct of_error_code have;
    for (int i = 1; i < OF_ERROR_COUNT; i++) {
        if (of_error_code(i, version, &have) && have.vendor == c->vendor && have.type == c->type
            && have.code == c->code) {
            return i;
        }
    }
    return 0;
}
