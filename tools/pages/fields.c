// SPDX-License-Identifier: Apache-2.0
// ovs-fields(7): a text for each field from field_help.def, and its facts from lib/flow/fields.def.
#include <stdio.h>
#include <string.h>

#include "lib/flow/field.h"
#include "tools/pages/page.h"

// How the other languages have a field, as fields.def says it.
static const struct edges {
    const char *kernel, *flower, *pedit;
} edges[] = {
#define FIELD(ID, NAME, AT, RULES, OXM, KERNEL, FLOWER, PEDIT, ODP) {#KERNEL, #FLOWER, #PEDIT},
#include "lib/flow/fields.def"
#undef FIELD
};

static const struct row {
    const char *section; // of a SECTION row
    enum field_id first, last;
    const char *text;
} rows[] = {
#define SECTION(TITLE, TEXT) {TITLE, FIELD_COUNT, FIELD_COUNT, TEXT},
#define HELP(FIRST, LAST, TEXT) {NULL, FIELD_##FIRST, FIELD_##LAST, TEXT},
#include "tools/pages/field_help.def"
#undef SECTION
#undef HELP
};

static const char *const formats[] = {
    [FIELD_FMT_DECIMAL] = "decimal",    [FIELD_FMT_HEX] = "hexadecimal",
    [FIELD_FMT_CT_STATE] = "flags",     [FIELD_FMT_ETHERNET] = "Ethernet address",
    [FIELD_FMT_IPV4] = "IPv4 address",  [FIELD_FMT_IPV6] = "IPv6 address",
    [FIELD_FMT_OFP10_PORT] = "port",    [FIELD_FMT_OFP_PORT] = "port",
    [FIELD_FMT_FRAG] = "fragment word", [FIELD_FMT_TNL_FLAGS] = "flags",
    [FIELD_FMT_TCP_FLAGS] = "flags",    [FIELD_FMT_PACKET_TYPE] = "(namespace,type)",
};

static const char *const prereqs[] = {
    [FIELD_PRE_NONE] = NULL,
    [FIELD_PRE_ETHERNET] = "an Ethernet frame",
    [FIELD_PRE_ARP] = "arp",
    [FIELD_PRE_VLAN_VID] = "a VLAN tag",
    [FIELD_PRE_IPV4] = "ip",
    [FIELD_PRE_IPV6] = "ipv6",
    [FIELD_PRE_IP_ANY] = "ip or ipv6",
    [FIELD_PRE_NSH] = "eth_type=0x894f",
    [FIELD_PRE_CT_VALID] = "ct_state=+trk (not inv), ip or ipv6",
    [FIELD_PRE_CT_IPV4] = "ct_state=+trk, ip",
    [FIELD_PRE_CT_IPV6] = "ct_state=+trk, ipv6",
    [FIELD_PRE_MPLS] = "mpls",
    [FIELD_PRE_TCP] = "tcp or tcp6",
    [FIELD_PRE_UDP] = "udp or udp6",
    [FIELD_PRE_SCTP] = "sctp or sctp6",
    [FIELD_PRE_ICMPV4] = "icmp",
    [FIELD_PRE_IGMP] = "igmp",
    [FIELD_PRE_ICMPV6] = "icmp6",
    [FIELD_PRE_ND] = "icmp6, icmpv6_type 135 or 136",
    [FIELD_PRE_ND_SOLICIT] = "icmp6, icmpv6_type 135",
    [FIELD_PRE_ND_ADVERT] = "icmp6, icmpv6_type 136",
};

static bool
is_none(const char *edge)
{
    return strstr(edge, "_NONE") != NULL;
}

static void
put_code_points(const struct field_info *first, const struct field_info *last)
{
    static const char *const versions[] = {[3] = "1.2", [4] = "1.3", [5] = "1.4", [6] = "1.5"};
    const char *comma = "";
    for (size_t i = 0; i < FIELD_MAX_OXM && first->oxm[i].name; i++) {
        const struct field_oxm *o = &first->oxm[i];
        fputs(comma, stdout);
        page_text(o->name);
        if (first != last) {
            printf(" to ");
            page_text(last->oxm[i].name);
        }
        if (o->version) {
            printf(" (number %u, OpenFlow %s)", o->number, versions[o->version]);
        } else {
            printf(" (number %u, Nicira)", o->number);
        }
        comma = "; ";
    }
    printf("%s.\n", *comma ? "" : "No code point");
}

static void
put_places(enum field_id id)
{
    const struct edges *e = &edges[id];
    bool view = field_get(id)->place == FIELD_VIEW;
    if (view) {
        printf("A view of other fields: what holds for them holds here.\n");
        return;
    }
    printf("Kernel datapath: %s. Hardware (tc flower): %s%s.\n", is_none(e->kernel) ? "no" : "yes",
           is_none(e->flower)             ? "no"
           : strstr(e->flower, "_EXACT(") ? "whole or not at all"
                                          : "yes",
           is_none(e->pedit) ? "" : ", also rewritten there");
}

static void
put_row(const struct row *r)
{
    const struct field_info *f = field_get(r->first), *last = field_get(r->last);
    printf(".TP\n");
    page_bold(f->name);
    if (f->alias) {
        printf(", ");
        page_bold(f->alias);
    }
    if (f != last) {
        printf(" to ");
        page_bold(last->name);
    }
    putchar('\n');
    page_text(r->text);
    printf("\n.br\n%u bits, %s, %s.", f->n_bits, formats[f->format],
           f->masking == FIELD_MASKABLE ? "any mask" : "no mask");
    if (prereqs[f->prereq]) {
        printf(" Needs ");
        page_text(prereqs[f->prereq]);
        printf(".");
    }
    printf(" Actions %s.\n.br\n", f->access == FIELD_RW ? "may set it" : "can't set it");
    put_code_points(f, last);
    printf(".br\n");
    put_places(r->first);
}

static const char head[] =
    ".TH ovs\\-fields 7 \"\" Flowerbed \"Flowerbed Manual\"\n"
    ".SH NAME\n"
    "ovs\\-fields \\- fields that OpenFlow rules match and set\n"
    ".SH DESCRIPTION\n"
    "A rule's match is a list of\n"
    ".IB field = value\n"
    "or\n"
    ".IB field = value / mask\\fR,\n"
    "separated by commas or blanks. Where a mask has a 0, the packet's bit may be anything. A "
    "field that is not there matches every packet.\n"
    ".PP\n"
    "Some fields exist only in packets of some kind. A match on one must also say the kind: this "
    "page says which word it\n"
    ".BR needs .\n"
    "The words are\n"
    ".BR ip \", \" icmp \", \" tcp \", \" udp \", \" sctp\n"
    "(IPv4),\n"
    ".BR ipv6 \", \" icmp6 \", \" tcp6 \", \" udp6 \", \" sctp6\n"
    "(IPv6),\n"
    ".BR arp \", \" rarp \", \" mpls \" and \" mplsm ;\n"
    "each stands for an eth_type, perhaps with an nw_proto. The older names\n"
    ".BR tp_src \" and \" tp_dst\n"
    "mean the ports of TCP, UDP or SCTP, or type and code of ICMP, as the rest of the match says.\n"
    ".PP\n"
    "In actions,\n"
    ".IB field [ first .. last ]\n"
    "is a part of a field, from bit\n"
    ".I first\n"
    "(0 is the lowest) to\n"
    ".IR last ;\n"
    ".IB field [ bit ]\n"
    "one bit;\n"
    ".IB field []\n"
    "all of it.\n"
    ".PP\n"
    "Each field has code points in OXM (OpenFlow 1.2 and later) or in Nicira's extensible match "
    "(NXM). A flow that depends on a field runs only in places that "
    "know it: in the kernel's datapath, in tc flower's filters, and so perhaps in a NIC. Where "
    "that is what keeps a flow out of hardware,\n"
    ".BR ovs\\-offload (8)\n"
    "names the field.\n"
    ".SH FIELDS\n";

static const char tail[] = ".SH \"SEE ALSO\"\n.BR ovs\\-actions (7),\n.BR ovs\\-ofctl (8),\n.BR "
                           "ovs\\-offload (8),\n.BR flowerbed\\-reasons (7)\n";

static void
put_internal(void)
{
    printf(".SH \"FIELDS WITHOUT AN OPENFLOW NAME\"\nCached flows may depend on bits that no rule "
           "names; such a name can stand in a reason:\n");
    const char *comma = "";
    for (enum field_id id = 0; id < FIELD_COUNT; id++) {
        if (field_get(id)->access == FIELD_INTERNAL) {
            fputs(comma, stdout);
            page_bold(field_get(id)->name);
            comma = ",\n";
        }
    }
    printf(".\n");
}

bool
page_fields(bool check)
{
    bool told[FIELD_COUNT] = {false}, whole = true;
    if (!check) {
        fputs(head, stdout);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (enum field_id id = rows[i].first; !rows[i].section && id <= rows[i].last; id++) {
            told[id] = true;
        }
        if (check) {
            continue;
        }
        if (rows[i].section) {
            page_section(rows[i].section, rows[i].text);
        } else {
            put_row(&rows[i]);
        }
    }
    for (enum field_id id = 0; id < FIELD_COUNT; id++) {
        if (!told[id] && field_get(id)->access != FIELD_INTERNAL) {
            whole = false;
            if (check) {
                fprintf(stderr, "ovs-fields(7): %s has no text in tools/pages/field_help.def\n",
                        field_get(id)->name);
            }
        }
    }
    if (!check) {
        put_internal();
        fputs(tail, stdout);
    }
    return whole;
}
