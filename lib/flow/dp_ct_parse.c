// SPDX-License-Identifier: Apache-2.0
// The ct action from text:
// "(commit,zone=5,mark=0x5/0xf,nat(src=10.0.0.1-10.0.0.9:1024-2048,random))".
#include <ctype.h>
#include <string.h>

#include "lib/flow/dp_text.h"
#include "lib/flow/field_text.h"

// An address, IPv6 ones in brackets where a port or a range follows.
static bool
scan_address(const char **p, uint8_t *family, uint8_t out[16])
{
    const bool brackets = dp_scan(p, "[");
    const char *text = *p;
    const size_t len = strcspn(text, brackets ? "]" : "-,)");
    const size_t len4 = brackets ? len : strcspn(text, ":-,)");
    be32_t ip4;
    memset(out, 0, 16);
    if (!brackets && field_parse_ip4(text, len4, &ip4)) {
        memcpy(out, &ip4, sizeof ip4);
        *family = 4;
        *p = text + len4;
        return true;
    }
    if (!field_parse_ip6(text, len, out)) {
        return false;
    }
    *family = 6;
    *p = text + len;
    return !brackets || dp_scan(p, "]");
}

static bool
scan_nat_ports(const char **p, struct dp_act_ct *ct)
{
    uint64_t min, max;
    if (!dp_scan_uint(p, UINT16_MAX, &min) || !min) {
        return false;
    }
    max = min;
    if (dp_scan(p, "-") && (!dp_scan_uint(p, UINT16_MAX, &max) || max < min)) {
        return false;
    }
    ct->nat_port_min = (uint16_t) min;
    ct->nat_port_max = (uint16_t) max;
    return true;
}

static bool
scan_nat_range(const char **p, struct dp_act_ct *ct)
{
    uint8_t family;
    if (!scan_address(p, &ct->nat_family, ct->nat_min)) {
        return false;
    }
    memcpy(ct->nat_max, ct->nat_min, sizeof ct->nat_max);
    if (dp_scan(p, "-") && (!scan_address(p, &family, ct->nat_max) || family != ct->nat_family ||
                            memcmp(ct->nat_min, ct->nat_max, sizeof ct->nat_min) > 0)) {
        return false;
    }
    return !dp_scan(p, ":") || scan_nat_ports(p, ct);
}

static bool
scan_nat(const char **p, struct dp_act_ct *ct)
{
    if (!dp_scan(p, "(")) {
        ct->flags |= DP_CT_NAT;
        return true;
    }
    if (dp_scan(p, "src")) {
        ct->flags |= DP_CT_SNAT;
    } else if (dp_scan(p, "dst")) {
        ct->flags |= DP_CT_DNAT;
    } else {
        return false;
    }
    if (dp_scan(p, "=") && !scan_nat_range(p, ct)) {
        return false;
    }
    while (dp_scan(p, ",")) {
        if (dp_scan(p, "persistent")) {
            ct->flags |= DP_CT_PERSISTENT;
        } else if (dp_scan(p, "hash")) {
            ct->flags |= DP_CT_HASH;
        } else if (dp_scan(p, "random")) {
            ct->flags |= DP_CT_RANDOM;
        } else {
            return false;
        }
    }
    return dp_scan(p, ")");
}

static bool
scan_label(const char **p, struct dp_act_ct *ct)
{
    size_t len;
    const char *text = dp_scan_until(p, ",)", &len), *slash = memchr(text, '/', len);
    const size_t value_len = slash ? (size_t) (slash - text) : len;
    memset(ct->label_mask, 0xff, sizeof ct->label_mask);
    if (field_parse_number(text, value_len, ct->label, sizeof ct->label) != FIELD_NUMBER_OK ||
        (slash && field_parse_number(slash + 1, len - value_len - 1, ct->label_mask,
                                     sizeof ct->label_mask) != FIELD_NUMBER_OK)) {
        return false;
    }
    for (size_t i = 0; i < sizeof ct->label; i++) {
        ct->label[i] &= ct->label_mask[i];
    }
    return true;
}

static bool
scan_mark(const char **p, struct dp_act_ct *ct)
{
    uint64_t value, mask = UINT32_MAX;
    if (!dp_scan_uint(p, UINT32_MAX, &value) ||
        (dp_scan(p, "/") && !dp_scan_uint(p, UINT32_MAX, &mask))) {
        return false;
    }
    ct->mark = htobe32((uint32_t) (value & mask));
    ct->mark_mask = htobe32((uint32_t) mask);
    return true;
}

static bool
scan_name(const char **p, char *out, size_t size)
{
    const size_t len = strcspn(*p, ",)");
    if (!len || len >= size) {
        return false;
    }
    memcpy(out, *p, len);
    *p += len;
    return true;
}

static bool
scan_member(const char **p, struct dp_act_ct *ct)
{
    uint64_t zone;
    if (dp_scan(p, "commit")) {
        ct->flags |= DP_CT_COMMIT;
    } else if (dp_scan(p, "force_commit")) {
        ct->flags |= DP_CT_COMMIT | DP_CT_FORCE;
    } else if (dp_scan(p, "zone=")) {
        if (!dp_scan_uint(p, UINT16_MAX, &zone)) {
            return false;
        }
        ct->zone = (uint16_t) zone;
    } else if (dp_scan(p, "mark=")) {
        return scan_mark(p, ct);
    } else if (dp_scan(p, "label=")) {
        return scan_label(p, ct);
    } else if (dp_scan(p, "helper=")) {
        return scan_name(p, ct->helper, sizeof ct->helper);
    } else if (dp_scan(p, "timeout=")) {
        return scan_name(p, ct->timeout, sizeof ct->timeout);
    } else {
        return dp_scan(p, "nat") && scan_nat(p, ct);
    }
    return true;
}

bool
dp_scan_ct(const char **p, struct dp_act_ct *ct)
{
    while (**p != ')') {
        if (!scan_member(p, ct) || (!dp_scan(p, ",") && **p != ')')) {
            return false;
        }
    }
    return dp_scan(p, ")");
}
