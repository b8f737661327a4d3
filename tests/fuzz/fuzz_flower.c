// SPDX-License-Identifier: Apache-2.0
// Any bytes as a filter that the kernel tells of: reading stays inside them, and what is understood
// can be written again and means the same. First two bytes: ethertype; the rest: attributes of
// RTM_NEWTFILTER.
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "tests/unit/offload/ofl_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct flow_match m, again;
    struct dp_actions acts = DP_ACTIONS_INIT, acts_again = DP_ACTIONS_INIT;
    struct str text = STR_INIT;
    struct reason r;

    if (size < 2 || size > 4000) {
        return 0;
    }
    if (!devs.by_port.n) {
        make_devices();
    }
    // struct tcmsg in front of the attributes.
    uint8_t *msg = calloc(1, 20 + size);
    const uint32_t ifindex = 1, handle = 7;
    memcpy(msg + 4, &ifindex, 4);
    memcpy(msg + 8, &handle, 4);
    memcpy(msg + 16, data, 2);
    memcpy(msg + 20, data + 2, size - 2);
    const struct nlk_msg nm = {.type = 44, .data = msg, .len = 20 + size - 2};
    struct ofl_record rec, rec2;
    if (ofl_filter_parse(&nm, &rec) && rec.options) {
        ofl_text_filter(&rec, &devs, &text);
        if (ofl_filter_decode(&rec, &devs, &m, &acts)) {
            struct nlk_batch b;
            nlk_batch_init(&b);
            if (encode(&b, &m, &acts, &rec2, &r) &&
                (!ofl_filter_decode(&rec2, &devs, &again, &acts_again) ||
                 memcmp(&m.key, &again.key, sizeof m.key) ||
                 !dp_actions_equal(&acts, &acts_again))) {
                abort();
            }
            nlk_batch_free(&b);
        }
    }
    str_free(&text);
    dp_actions_free(&acts);
    dp_actions_free(&acts_again);
    free(msg);
    return 0;
}
