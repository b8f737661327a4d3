// SPDX-License-Identifier: Apache-2.0
// Actions from strangers: the first byte chooses the version and what follows: text, actions or
// instructions. Whatever is accepted can be printed, checked, said in every version; what we say
// ourselves we understand, and say again in the same bytes.
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/flow/match.h"
#include "ofproto/of_act.h"
#include "ofproto/of_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fail_unless(bool good)
{
    if (!good) {
        abort();
    }
}

static void
say_again(const struct of_actions *acts, enum of_version version)
{
    struct str once = STR_INIT, twice = STR_INIT;
    struct of_actions back = OF_ACTIONS_INIT;
    of_instructions_encode(acts, version, &once);
    // Too long for the 16 bits of a length: nobody could send it.
    if (once.len < 0x8000 && !of_instructions_decode(once.p, once.len, version, &back)) {
        of_instructions_encode(&back, version, &twice);
        fail_unless(once.len == twice.len && (!once.len || !memcmp(once.p, twice.p, once.len)));
    }
    of_actions_free(&back);
    str_free(&once);
    str_free(&twice);
}

static void
use(struct of_actions *acts, enum of_version version)
{
    static struct flow_match any;
    const struct of_act_place place = {OF_PORT_MAX, OF_TABLE_ALL, OF_N_TABLES, version};
    struct str text = STR_INIT;
    of_actions_format(acts, NULL, &text);
    of_actions_check(acts, &any, &place);
    of_actions_output_to(acts, 1);
    of_actions_has_group(acts, 1);
    for (enum of_version v = OF_10; v <= OF_15; v++) {
        say_again(acts, v);
    }
    str_free(&text);
}

// What we print we read, and print the same.
static void
read_again(const struct of_actions *acts)
{
    struct str once = STR_INIT, twice = STR_INIT;
    struct of_actions back = OF_ACTIONS_INIT;
    uint32_t usable = OF_PROTO_ALL;
    of_actions_format(acts, NULL, &once);
    if (strstr(str_get(&once), "set_field:ANY")) { // a mask of nothing, as stock says it
        str_free(&once);
        return;
    }
    char *error = of_actions_parse(str_get(&once), NULL, true, &back, &usable);
    fail_unless(!error);
    of_actions_format(&back, NULL, &twice);
    fail_unless(!strcmp(str_get(&once), str_get(&twice)));
    of_actions_free(&back);
    str_free(&once);
    str_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size || size > 8192) {
        return 0;
    }
    const enum of_version version = (enum of_version)(OF_10 + data[0] % 6);
    struct of_actions acts = OF_ACTIONS_INIT;
    if (data[0] < 0x80) {
        if (!of_instructions_decode(data + 1, size - 1, version, &acts)) {
            use(&acts, version);
        }
        of_actions_clear(&acts);
        if (!of_actions_decode(data + 1, size - 1, version, &acts)) {
            use(&acts, version);
        }
    } else {
        char *text = base_strndup((const char *) data + 1, size - 1);
        uint32_t usable = OF_PROTO_ALL;
        char *error = of_actions_parse(text, NULL, true, &acts, &usable);
        if (!error) {
            use(&acts, version);
            read_again(&acts);
        }
        free(error);
        free(text);
    }
    of_actions_free(&acts);
    return 0;
}
