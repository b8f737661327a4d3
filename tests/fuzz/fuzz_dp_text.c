// SPDX-License-Identifier: Apache-2.0
// Any text as a datapath flow and as datapath actions: what was understood is the same again after
// a trip through text.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/dp_actions.h"
#include "lib/flow/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_flow(const char *text)
{
    struct flow_match m, back;
    struct str out = STR_INIT;
    char *error = dp_match_parse(text, NULL, NULL, &m);
    if (!error) {
        for (int verbose = 0; verbose < 2; verbose++) {
            str_clear(&out);
            dp_match_format(&m, verbose, NULL, NULL, &out);
            free(dp_match_parse(str_get(&out), NULL, NULL, &back));
        }
    }
    free(error);
    str_free(&out);
}

static void
try_actions(const char *text)
{
    struct dp_actions a = DP_ACTIONS_INIT, b = DP_ACTIONS_INIT;
    struct str out = STR_INIT, again = STR_INIT;
    char *error = dp_actions_parse(text, NULL, NULL, &a);
    if (!error) {
        dp_actions_format(&a, NULL, NULL, &out);
        error = dp_actions_parse(str_get(&out), NULL, NULL, &b);
        if (error) {
            abort();
        }
        dp_actions_format(&b, NULL, NULL, &again);
        if (strcmp(str_get(&out), str_get(&again))) {
            abort();
        }
    }
    free(error);
    dp_actions_free(&a);
    dp_actions_free(&b);
    str_free(&out);
    str_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = base_strndup((const char *) data, size);
    try_flow(text);
    try_actions(text);
    free(text);
    return 0;
}
