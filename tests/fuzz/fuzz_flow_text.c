// SPDX-License-Identifier: Apache-2.0
// Any text as a flow: it is refused with a sentence, or what is understood prints as text that
// means the same.
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "ofproto/of_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
text_of(const struct of_flow_mod *fm, struct str *out)
{
    const struct of_print print = {.stats = true};
    const struct of_flow_stats fs = {.match = fm->match,
                                     .priority = fm->priority,
                                     .table = fm->table,
                                     .flags = fm->flags,
                                     .cookie = fm->new_cookie,
                                     .idle_timeout = fm->idle_timeout,
                                     .hard_timeout = fm->hard_timeout,
                                     .importance = fm->importance,
                                     .idle_age = -1,
                                     .hard_age = -1,
                                     .actions = fm->actions};
    of_flow_stats_format(&fs, &print, out);
}

static void
check_again(const struct of_flow_mod *fm)
{
    struct of_flow_mod again;
    uint32_t usable = OF_PROTO_ALL;
    struct str first = STR_INIT, second = STR_INIT;
    text_of(fm, &first);
    char *error = of_flow_mod_parse(str_get(&first), OF_FLOW_ADD, NULL, &again, &usable);
    if (error) {
        abort();
    }
    text_of(&again, &second);
    if (!match_equals(&fm->match, &again.match) || strcmp(str_get(&first), str_get(&second))) {
        abort();
    }
    of_flow_mod_free(&again);
    str_free(&first);
    str_free(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool quiet;
    struct of_flow_mod fm;
    struct of_flow_request request;
    uint32_t usable = OF_PROTO_ALL;
    if (!quiet) {
        free(log_set_levels("off"));
        quiet = true;
    }
    if (!size || size > 2000) {
        return 0;
    }
    char *text = base_strndup((const char *) data + 1, size - 1);
    const int command = data[0] % 6 == 5 ? -1 : data[0] % 6;
    char *error = of_flow_mod_parse(text, command, NULL, &fm, &usable);
    if (!error && command == OF_FLOW_ADD) {
        check_again(&fm);
    }
    of_flow_mod_free(&fm);
    free(error);
    free(of_flow_request_parse(text, NULL, &request, &usable));
    free(text);
    return 0;
}
