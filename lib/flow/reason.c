// SPDX-License-Identifier: Apache-2.0
// Names, sentences and hints of the refusal codes, from reasons.def.
#include "lib/flow/reason.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/str.h"

static const struct reason_info infos[REASON_COUNT] = {
    [REASON_NONE] = {"NONE", REASON_STAGE_NONE, "nothing stands in the way", ""},
#define REASON(CODE, STAGE, TEXT, HINT)                                                            \
    [REASON_##CODE] = {#CODE, REASON_STAGE_##STAGE, TEXT, HINT},
#include "lib/flow/reasons.def"
#undef REASON
};

const struct reason_info *
reason_get(enum reason_code code)
{
    return &infos[(unsigned) code < REASON_COUNT ? code : REASON_NONE];
}

const char *
reason_stage_name(enum reason_stage stage)
{
    static const char *const names[] = {"none",  "match",  "action",   "port",
                                        "chain", "kernel", "hardware", "policy"};
    return (unsigned) stage < ARRAY_SIZE(names) ? names[stage] : "none";
}

bool
reason_by_name(const char *name, enum reason_code *code)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (!strcmp(infos[i].name, name)) {
            *code = (enum reason_code) i;
            return true;
        }
    }
    return false;
}

void
reason_set(struct reason *r, enum reason_code code, enum field_id field, int error,
           const char *detail_fmt, ...)
{
    r->code = code;
    r->field = field;
    r->error = error < 0 ? -error : error;
    memset(r->detail, 0, sizeof r->detail); // reasons are compared as bytes
    if (detail_fmt) {
        va_list args;
        va_start(args, detail_fmt);
        vsnprintf(r->detail, sizeof r->detail, detail_fmt, args);
        va_end(args);
    }
}

void
reason_clear(struct reason *r)
{
    reason_set(r, REASON_NONE, FIELD_COUNT, 0, NULL);
}

void
reason_format(const struct reason *r, struct str *out)
{
    const struct reason_info *info = reason_get(r->code);
    bool driver = info->stage == REASON_STAGE_HARDWARE || info->stage == REASON_STAGE_KERNEL;
    const char *field = r->field < FIELD_COUNT ? field_get(r->field)->name : "";

    str_add(out, info->name);
    if (field[0] || (!driver && r->detail[0])) {
        bool detail = !driver && r->detail[0];
        str_addf(out, " (%s%s%s)", field, field[0] && detail ? ", " : "", detail ? r->detail : "");
    }
    str_addf(out, ": %s", info->text);
    if (driver && r->detail[0]) {
        str_addf(out, "; %s says \"%s\"",
                 info->stage == REASON_STAGE_HARDWARE ? "driver" : "kernel", r->detail);
    }
    if (r->error) {
        str_addf(out, " (%s)", base_strerror(r->error));
    }
}
