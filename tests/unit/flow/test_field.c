// SPDX-License-Identifier: Apache-2.0
// A walk over the field table: every row against the manual page ovs-fields(7)
// (tests/golden/flow/fields.txt), and against the rules that the table has for itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/flow/field.h"

static const char *const formats[] = {
    [FIELD_FMT_DECIMAL] = "decimal",
    [FIELD_FMT_HEX] = "hexadecimal",
    [FIELD_FMT_CT_STATE] = "ct state",
    [FIELD_FMT_ETHERNET] = "Ethernet",
    [FIELD_FMT_IPV4] = "IPv4",
    [FIELD_FMT_IPV6] = "IPv6",
    [FIELD_FMT_OFP10_PORT] = "OpenFlow 1.0 port",
    [FIELD_FMT_OFP_PORT] = "OpenFlow 1.1+ port",
    [FIELD_FMT_FRAG] = "frag",
    [FIELD_FMT_TNL_FLAGS] = "tunnel flags",
    [FIELD_FMT_TCP_FLAGS] = "TCP flags",
    [FIELD_FMT_PACKET_TYPE] = "packet type",
};

static const char *const prereqs[] = {
    [FIELD_PRE_NONE] = "none",
    [FIELD_PRE_ETHERNET] = "Ethernet",
    [FIELD_PRE_ARP] = "ARP",
    [FIELD_PRE_VLAN_VID] = "VLAN VID",
    [FIELD_PRE_IPV4] = "IPv4",
    [FIELD_PRE_IPV6] = "IPv6",
    [FIELD_PRE_IP_ANY] = "IPv4/IPv6",
    [FIELD_PRE_NSH] = "NSH",
    [FIELD_PRE_CT_VALID] = "CT",
    [FIELD_PRE_CT_IPV4] = "CT", // the page doesn't tell, the stock decoder does
    [FIELD_PRE_CT_IPV6] = "CT",
    [FIELD_PRE_MPLS] = "MPLS",
    [FIELD_PRE_TCP] = "TCP",
    [FIELD_PRE_UDP] = "UDP",
    [FIELD_PRE_SCTP] = "SCTP",
    [FIELD_PRE_ICMPV4] = "ICMPv4",
    [FIELD_PRE_IGMP] = "IGMP",
    [FIELD_PRE_ICMPV6] = "ICMPv6",
    [FIELD_PRE_ND] = "ND",
    [FIELD_PRE_ND_SOLICIT] = "ND solicit",
    [FIELD_PRE_ND_ADVERT] = "ND advert",
};

static uint16_t
class_of(const char *name, uint32_t *experimenter)
{
    static const struct {
        const char *prefix;
        uint16_t oxm_class;
        uint32_t experimenter;
    } classes[] = {
        {"NXM_OF_", 0x0000, 0},        {"NXM_NX_", 0x0001, 0},
        {"ERICOXM_OF_", 0x1000, 0},    {"OXM_OF_PKT_REG", 0x8001, 0},
        {"OXM_OF_", 0x8000, 0},        {"ONFOXM_ET_", 0xffff, 0x4f4e4600},
        {"NXOXM_ET_", 0xffff, 0x2320}, {"NXOXM_NSH_", 0xffff, 0x5ad650},
    };
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (!strncmp(name, classes[i].prefix, strlen(classes[i].prefix))) {
            *experimenter = classes[i].experimenter;
            return classes[i].oxm_class;
        }
    }
    fail_msg("%s: a class that nobody knows", name);
    return 0;
}

// "OXM_OF_ETH_SRC 4, NXM_OF_ETH_SRC 2"
static void
check_code_points(const struct field_info *f, char *text)
{
    int n = 0, have = 0;
    char *save;
    while (have < FIELD_MAX_OXM && f->oxm[have].name) {
        have++;
    }
    for (char *p = strtok_r(text, ",", &save); p && strcmp(p, "none");
         p = strtok_r(NULL, ",", &save)) {
        char name[48];
        unsigned number;
        uint32_t experimenter = 0;
        assert_int_equal(sscanf(p, " %47s %u", name, &number), 2);
        const uint16_t oxm_class = class_of(name, &experimenter);
        assert_ptr_equal(field_by_oxm(oxm_class, (uint8_t) number, experimenter), f);
        assert_ptr_equal(field_by_name(name, strlen(name)), f);
        n++;
    }
    assert_int_equal(n, have);
}

static void
check_line(char *line, struct field_set *seen)
{
    char *col[9], *save;
    for (size_t i = 0; i < ARRAY_SIZE(col); i++) {
        col[i] = strtok_r(i ? NULL : line, ";", &save);
        assert_non_null(col[i]);
        col[i] += col[i][0] == ' ';
    }
    const struct field_info *f = field_by_name(col[0], strlen(col[0]));
    if (!f) {
        fail_msg("%s isn't in the table", col[0]);
        return;
    }
    field_set_add(seen, f->id);
    assert_string_equal(f->name, col[0]);
    assert_string_equal(f->alias ? f->alias : "-", col[1]);
    assert_int_equal(f->n_bytes, atoi(col[2]));
    assert_int_equal(f->n_bits, atoi(col[3]));
    assert_string_equal(formats[f->format], col[4]);
    assert_string_equal(f->masking == FIELD_MASKABLE ? "arbitrary bitwise masks" : "not maskable",
                        col[5]);
    assert_string_equal(prereqs[f->prereq], col[6]);
    assert_string_equal(f->access == FIELD_RW ? "read/write" : "read-only", col[7]);
    check_code_points(f, col[8]);
}

static void
test_manual_page(void **state)
{
    // The page doesn't describe these: OpenFlow 1.0's VLAN fields, the datapath's own, parts of
    // tunnels without a code point.
    static const enum field_id others[] = {FIELD_DL_VLAN,   FIELD_DL_VLAN_PCP, FIELD_DP_HASH,
                                           FIELD_RECIRC_ID, FIELD_TUN_TTL,     FIELD_TUN_TOS};
    const char *src = getenv("top_srcdir");
    char path[4096];
    struct field_set seen = {0};
    char *line = NULL;
    size_t cap = 0;
    snprintf(path, sizeof path, "%s/tests/golden/flow/fields.txt", src ? src : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (ssize_t len; (len = getline(&line, &cap, f)) > 0;) {
        line[len - 1] = '\0';
        if (line[0] != '#') {
            check_line(line, &seen);
        }
    }
    fclose(f);
    free(line);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_false(field_set_has(&seen, others[i]));
        field_set_add(&seen, others[i]);
    }
    for (int id = 0; id < FIELD_COUNT; id++) {
        if (field_set_has(&seen, id) != (field_get(id)->access != FIELD_INTERNAL)) {
            fail_msg("%s: in the table and the manual page, or internal", field_get(id)->name);
        }
    }
}

// Rows that own bits don't overlap, and all bits of the key but pads and the second half of what
// they view are owned.
static void
test_places(void **state)
{
    static uint8_t owner[sizeof(struct flow_key) * 8];
    for (int id = 0; id < FIELD_COUNT; id++) {
        const struct field_info *f = field_get(id);
        const bool tun_md = id >= FIELD_TUN_MD0 && id <= FIELD_TUN_MD63;
        assert_int_equal(f->id, id);
        assert_true(f->shift + f->width <= f->size * 8);
        assert_true(f->n_bits <= f->n_bytes * 8);
        for (unsigned bit = 0; bit < f->width && f->place != FIELD_VIEW && !tun_md; bit++) {
            const unsigned at = f->shift + bit; // from the member's lowest
            const size_t n = (f->offset + f->size - 1 - at / 8) * 8 + at % 8;
            if (owner[n] && !(owner[n] == 2 && f->place == FIELD_SHARED)) {
                fail_msg("%s: bit %u has two owners", f->name, bit);
            }
            owner[n] = f->place == FIELD_SHARED ? 2 : 1;
        }
    }
    static const struct {
        size_t from, to;
    } unowned[] = {
#define SPAN(a, b) {offsetof(struct flow_key, a), offsetof(struct flow_key, b)}
        SPAN(tun.pad, tun_md),
        SPAN(tun_md, metadata),
        SPAN(pad0, eth_dst),
        SPAN(pad1, vlan),
        SPAN(pad2, nw_src),
        SPAN(pad3, nd_target),
        SPAN(pad4, tp_src),
        SPAN(pad5, igmp_group),
        {offsetof(struct flow_key, pad6), sizeof(struct flow_key)},
    };
    for (size_t n = 0; n < sizeof(struct flow_key); n++) {
        bool pad = false;
        for (size_t i = 0; i < ARRAY_SIZE(unowned); i++) {
            pad |= n >= unowned[i].from && n < unowned[i].to;
        }
        for (int bit = 0; bit < 8; bit++) {
            const bool flags = n == offsetof(struct flow_key, tun.flags) ||
                               (n == offsetof(struct flow_key, tun.flags) + 1 && bit > 3);
            if (!owner[n * 8 + bit] != (pad || flags)) {
                fail_msg("byte %zu bit %d of the key has no row, or is a pad", n, bit);
            }
        }
    }
}

static void
test_lookup(void **state)
{
    for (int c = 0; c < 0x10000; c++) {
        for (unsigned number = 0; number < 256; number++) {
            const struct field_info *f =
                field_by_oxm((uint16_t) c, (uint8_t) number, c == 0xffff ? 0x2320 : 0);
            bool found = !f;
            for (int i = 0; f && i < FIELD_MAX_OXM; i++) {
                found |= f->oxm[i].name && f->oxm[i].oxm_class == c && f->oxm[i].number == number;
            }
            assert_true(found);
        }
    }
    assert_null(field_by_oxm(0xffff, 1, 0));
    assert_null(field_by_name("tun_dp_flags", 12));
    assert_null(field_by_name("", 0));
    assert_null(field_by_name("in_portx", 8));
    assert_non_null(field_by_name("in_portx", 7));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual_page),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
